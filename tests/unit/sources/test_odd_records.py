"""No record, however odd, raises an error of another library or is lost without account."""

from __future__ import annotations

import json
import os
import time
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.sources.decode import parse_body
from ocm_geo.sources.lenient import Unusable, parse_object
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from pathlib import Path


def record(members: str = "", address: str = "") -> str:
    return f'{{"ID":1,"AddressInfo":{{"Latitude":52,"Longitude":5{address}}}{members}}}'


NINES = "9" * 310
DEEP = "extra, deeper than max_nesting=50 (configure(max_nesting=…) raises the limit)"
KEPT: dict[str, tuple[str, str | None]] = {
    "infinite rating": (record(',"UserComments":[{"Rating":1e999}]'), None),
    "infinite value": (record(',"MetadataValues":[{"ID":1e400,"ItemValue":-1e999}]'), None),
    "power of 310 digits": (
        record(f',"Connections":[{{"PowerKW":{NINES}}}]'),
        "connections.power_kw",
    ),
    "amps of 310 digits": (record(f',"Connections":[{{"Amps":-{NINES}}}]'), "connections.amps"),
    "number of 5,000 digits": (record(f',"X":{"9" * 5000}'), None),
    "date beyond the year 9999": (
        record(',"DateLastStatusUpdate":"9999-12-31T23:59:59-14:00"'),
        "date_last_status_update",
    ),
    "date before the year 1": (
        record(',"DateCreated":"0001-01-01T00:00:00+14:00"'),
        "date_created",
    ),
    "huge stamp": (record(f',"DateCreated":{{"$date":{NINES}}}'), "date_created"),
    "surrogate in a date": (record(',"DateCreated":{"$date":"\\ud800"}'), "date_created"),
    "surrogate in another date": (record(',"X":{"$date":"\\ud800"}'), None),
    "surrogate in a text": (record(address=',"Title":"\\ud800 x"'), None),
    "surrogate in a key": (record(',"\\ud800":1'), None),
    "our own key": (record(',"\u2400unknown":5'), None),
    "our own keys within": (
        record(',"Connections":[{"\u2400unknown":"x"}]', ',"\u2400unknown":{"a":1}'),
        None,
    ),
    "date for fields": (record(',"Connections":[{"$date":5}],"$date":"x"', ',"$date":7'), None),
    "NUL in a key": (record(',"a\\u0000b":5'), None),
    "deep": (record(f',"X":{"[" * 900}{"]" * 900}'), DEEP),
    "country of wrong types": (record(address=',"Country":{"ID":"x","ISOCode":5}'), None),
}


@pytest.mark.parametrize("form", ["array", "lines"])
@pytest.mark.parametrize("kind", KEPT)
def test_an_odd_value_costs_itself(kind: str, form: str, tmp_path: Path) -> None:
    text, counted = KEPT[kind]
    other = json.dumps(poi(99))
    file = tmp_path / "pois.json"
    file.write_text(f"[{text},{other}]" if form == "array" else f"{text}\n{other}\n")
    mirror = ocm.Mirror.build(tmp_path / "m", file)
    found = ocm.stations(source=mirror)
    assert found.index.tolist() == [1, 99]
    assert mirror.report.coerced == ({} if counted is None else {counted: 1})
    assert len(ocm.connections(found)) == found["n_connectors"].sum()
    for answer in (f"[{text}]", f'[{text}, {{"X": NaN}}]'):  # the second is no strict JSON
        parsed = parse_body(answer.encode(), origin="x")
        assert len(parsed.stations) == 1
        assert parsed.coerced == mirror.report.coerced


@pytest.mark.parametrize("number", [0, -5, -(2**62)])
def test_an_id_that_is_not_positive_is_no_id(number: int) -> None:
    (reject,) = parse_body(json.dumps([poi(number)]).encode(), origin="x").rejects
    assert reject.reason == f"not a positive ID: {number}"


SPELLINGS: list[tuple[dict[str, Any], float | None, int | None]] = [
    ({"PowerKW": 11, "powerKW": 350}, 11.0, None),
    ({"powerKW": 350, "PowerKW": 11}, 11.0, None),
    ({"powerKW": 350, "PowerKW": None}, 350.0, None),
    ({"POWERKW": 7, "powerkw": 8}, 7.0, None),
    ({"ID": 1, "id": "x"}, None, 1),
]


@pytest.mark.parametrize(("connection", "power_kw", "connection_id"), SPELLINGS)
def test_one_spelling_of_a_key_wins_in_all_tables(
    connection: dict[str, Any], power_kw: float | None, connection_id: int | None, tmp_path: Path
) -> None:
    file = tmp_path / "pois.json"
    file.write_text(json.dumps([poi(1, Connections=[connection])]))
    found = ocm.stations(source=ocm.Mirror.build(tmp_path / "m", file))
    plugs = ocm.connections(found)
    for column, value in (("power_kw", power_kw), ("connection_id", connection_id)):
        assert plugs[column].isna().all() if value is None else plugs[column].tolist() == [value]
    assert found["max_power_kw"].equals(plugs["power_kw"].set_axis(found.index)) or power_kw is None


COUNTRIES: dict[str, tuple[str, str | None]] = {
    "code": (',"Country":{"ISOCode":"NL"}', "NL"),
    "small code": (',"Country":{"isoCode":" nl "}', "NL"),
    "label": (',"Country":{"Title":"Netherlands"}', "NL"),
    "text": (',"Country":"NL"', "NL"),
    "beside": (',"CountryCode":"DE"', "DE"),
    "null object": (',"Country":null', None),
    "unknown": (',"Country":{"ISOCode":"QQ"}', None),
}


@pytest.mark.parametrize("form", COUNTRIES)
def test_a_country_by_its_code_or_label(form: str, tmp_path: Path) -> None:
    address, code = COUNTRIES[form]
    file = tmp_path / "pois.json"
    file.write_text(f"[{record(address=address)}]")
    mirror = ocm.Mirror.build(tmp_path / "m", file)
    (found,) = ocm.stations(source=mirror)["country_code"]
    assert found == code if code else pd.isna(found)
    assert mirror.report.coerced == ({"country_id": 1} if form == "unknown" else {})


TAILS = {
    "blanks": lambda n: record() + " " * n + "x",
    "commas": lambda n: record() + "," * n + "x",
    "open string": lambda n: '{"ID":1,"X":"' + '\\"' * n,
    "brackets": lambda n: '{"ID":1,"X":' + "[" * n,
    "closing brackets": lambda n: record() + "]" * n + "x",
}


@pytest.mark.parametrize("kind", TAILS)
def test_time_grows_with_the_length_and_not_its_square(kind: str, tmp_path: Path) -> None:
    def cost(n: int) -> float:
        file = tmp_path / "pois.json"
        file.write_text(f"[{json.dumps(poi(2))},{TAILS[kind](n)}")
        begin = time.process_time()
        ocm.Mirror.build(tmp_path / f"m{n}", file)
        return time.process_time() - begin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.DroppedRows)
        small, large = cost(100_000), cost(1_600_000)
    # Sixteen times the length: the square would be 256 times as long.
    assert large < 40 * small + 1.0


def test_more_text_after_a_record_is_broken() -> None:
    with pytest.raises(Unusable, match="more text"):
        parse_object(b'{"ID": 1} x')
    assert parse_object(b'{"ID": 1} ,\n]') == {"ID": 1}


def test_links_and_special_files_of_a_folder_are_reported(tmp_path: Path) -> None:
    data, secret = tmp_path / "data", tmp_path / "secret.json"
    data.mkdir()
    secret.write_text('{"password": "x"}')
    (data / "OCM-1.json").write_text(json.dumps(poi(1)))
    (data / "OCM-2.json").symlink_to(secret)
    (data / "OCM-3.json").symlink_to("/dev/zero")
    (data / "OCM-4.json").symlink_to(data / "OCM-1.json")
    (data / "OCM-5.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(data / "OCM-6.json")
    (data / "OCM-7.json").symlink_to("OCM-7.json")
    mirror = ocm.Mirror.build(tmp_path / "m", data)
    assert ocm.stations(source=mirror).index.tolist() == [1]
    assert mirror.report.n_read == mirror.report.n_kept + mirror.report.n_rejected == 7
    assert mirror.report.reasons["a link that leaves the folder"] == 3
    assert mirror.report.reasons["not a regular file"] == 1
    assert "password" not in mirror.rejects.read_text()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_device_is_not_a_file(make: Any, tmp_path: Path) -> None:
    make(tmp_path / "pois.json")
    with pytest.raises(ocm.MirrorError, match=r"pois\.json is a pipe or device"):
        ocm.Mirror.build(tmp_path / "m", tmp_path / "pois.json")


@pytest.mark.parametrize("text", ['"\\ud800"', '"x"', '"{"', '"[]"', "7", "null", "[1]"])
def test_what_is_no_record_is_rejected(text: str, tmp_path: Path) -> None:
    file = tmp_path / "pois.json"
    file.write_text(f"[{text},{json.dumps(poi(1))}]")
    mirror = ocm.Mirror.build(tmp_path / "m", file)
    assert (mirror.report.n_read, mirror.report.n_kept, mirror.report.n_rejected) == (2, 1, 1)


@pytest.mark.parametrize("number", ["1e308", "1.7976931348623157e308", "5e-324"])
@pytest.mark.parametrize("where", ["UserComments", "Unknown"])
def test_numbers_near_the_ends_of_floats_are_read_fast(number: str, where: str) -> None:
    """The typed decoder takes 20 microseconds for each of them: a record of them took a minute."""
    plain_s, _ = _time_numbers("1e208", where)
    took_s, parsed = _time_numbers(number, where)
    assert took_s < 5 * plain_s
    column = parsed.stations["comments" if where == "UserComments" else "extra"]
    assert column[0].as_py().count("e") >= 150_000


def _time_numbers(number: str, where: str) -> tuple[float, Any]:
    items = ",".join([number] * 150_000)
    position = '"AddressInfo":{"Latitude":52,"Longitude":5}'
    body = f'[{{"ID":1,{position},"{where}":[{items}]}}]'.encode()
    start = time.process_time()
    parsed = parse_body(body, origin="x")
    return time.process_time() - start, parsed


def test_powers_near_the_ends_of_floats_in_a_long_record() -> None:
    items = ",".join(['{"PowerKW":1e308}'] * 500)
    position = '"AddressInfo":{"Latitude":52,"Longitude":5}'
    text = f'[{{"ID":1,"GeneralComments":"{"x" * 600_000}",{position},"Connections":[{items}]}}]'
    parsed = parse_body(text.encode(), origin="x")
    assert parsed.connections["power_kw"].to_pylist() == [1e308] * 500
    assert not parsed.rejects
