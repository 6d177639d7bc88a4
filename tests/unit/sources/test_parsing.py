"""Every form that a record comes in gives the same row; what is broken is rejected alone."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from ocm_geo.errors import MalformedResponse, QueryError, SourceError
from ocm_geo.sources.decode import parse_body
from ocm_geo.sources.readers import read_batches
from ocm_geo.sources.tables import Parsed, to_geodataframe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

POI: dict[str, Any] = {
    "ID": 7,
    "UUID": "0A1B",
    "DataProviderID": 1,
    "OperatorID": 23,
    "UsageTypeID": 4,
    "StatusTypeID": 50,
    "SubmissionStatusTypeID": 200,
    "NumberOfPoints": 3,
    "DateCreated": "2019-05-01T10:00:00Z",
    "DateLastStatusUpdate": "2021-01-02T03:04:05.678Z",
    "GeneralComments": "  behind the shop ",
    "AddressInfo": {
        "ID": 99,
        "Title": " Market square ",
        "Town": "Ede",
        "CountryID": 159,
        "Latitude": 52.25,
        "Longitude": 5.75,
    },
    "Connections": [
        {"ID": 1, "ConnectionTypeID": 25, "PowerKW": 22.0, "CurrentTypeID": 20, "Quantity": 2},
        {"ID": 2, "ConnectionTypeID": 33, "Amps": 125, "Voltage": 400, "CurrentTypeID": 30},
        {"ID": 3, "ConnectionTypeID": 1, "Quantity": 1},
    ],
}


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel_key(key): camel(member) for key, member in value.items()}
    return [camel(member) for member in value] if isinstance(value, list) else value


def _camel_key(key: str) -> str:
    return key.lower() if key.isupper() else key[0].lower() + key[1:]


def mongo(poi: dict[str, Any]) -> dict[str, Any]:
    dates = {k: {"$date": v} for k, v in poi.items() if k.startswith("Date")}
    numbers = {"NumberOfPoints": {"$numberInt": "3"}, "OperatorID": {"$numberLong": "23"}}
    return {"_id": {"$oid": "5f"}, **poi, **dates, **numbers}


def verbose(poi: dict[str, Any]) -> dict[str, Any]:
    title = {"ID": 23, "Title": "Somebody"}
    address = {**poi["AddressInfo"], "Country": {"ID": 159, "ISOCode": "NL", "Title": "NL"}}
    return {**poi, "OperatorInfo": title, "AddressInfo": address, "UserComments": None}


def feature(poi: dict[str, Any]) -> dict[str, Any]:
    place = poi["AddressInfo"]
    return {
        "type": "Feature",
        "id": poi["ID"],
        "geometry": {"type": "Point", "coordinates": [place["Longitude"], place["Latitude"]]},
        "properties": {"name": "x", "poi": camel(poi)},
    }


def read(path: Path) -> list[Parsed]:
    return list(read_batches(path))


def rows(path: Path) -> gpd.GeoDataFrame:
    return pd.concat([to_geodataframe(batch) for batch in read(path)])


def comparable(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    table = pd.DataFrame(frame.drop(columns=["extra", "geometry"]))
    table["lon"], table["lat"] = frame.geometry.x, frame.geometry.y
    return table


@pytest.fixture
def plain(tmp_path: Path) -> pd.DataFrame:
    path = tmp_path / "plain.jsonl"
    path.write_text(json.dumps(POI))
    return comparable(rows(path))


FORMS: dict[str, Callable[[], str]] = {
    "array": lambda: json.dumps([POI]),
    "indented array": lambda: json.dumps([POI], indent=2),
    "one record": lambda: json.dumps(POI, indent=2),
    "camel case": lambda: json.dumps([camel(POI)]),
    "camel lines": lambda: json.dumps(camel(POI)) + "\n",
    "mongo": lambda: json.dumps(mongo(POI)) + "\n",
    "mongo array": lambda: json.dumps([mongo(POI)]),
    "verbose": lambda: json.dumps([verbose(POI)]),
    "geojson": lambda: json.dumps({"type": "FeatureCollection", "features": [feature(POI)]}),
    "byte order mark": lambda: "\ufeff" + json.dumps([POI]),
    "windows lines": lambda: json.dumps(POI) + "\r\n\r\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_give_the_same_row(form: str, plain: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "pois.json"
    path.write_text(FORMS[form](), encoding="utf-8")
    assert not any(batch.rejects for batch in read(path))
    pd.testing.assert_frame_equal(comparable(rows(path)), plain)


def test_gzipped_is_the_same_whatever_its_name(plain: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "pois.json"
    path.write_bytes(gzip.compress(json.dumps(POI).encode()))
    pd.testing.assert_frame_equal(comparable(rows(path)), plain)


def test_a_folder_of_one_file_a_record(plain: pd.DataFrame, tmp_path: Path) -> None:
    for i in (7, 8):
        file = tmp_path / "data" / "NL" / f"OCM-{i}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**POI, "ID": i}))
    (tmp_path / "data" / "NL" / "OCM-9.json").write_text('{"ID": 9, "Addr')
    (batch,) = read(tmp_path / "data")
    assert batch.stations["ocm_id"].to_pylist() == [7, 8]
    (reject,) = batch.rejects
    assert "OCM-9.json" in reject.origin
    pd.testing.assert_frame_equal(comparable(to_geodataframe(batch).loc[[7]]), plain)


def test_the_values_of_the_row(plain: pd.DataFrame) -> None:
    row = plain.loc[7]
    assert (row["lon"], row["lat"], row["country_code"]) == (5.75, 52.25, "NL")
    assert row["title"] == "Market square"
    assert row["n_connectors"] == 4
    assert row["max_power_kw"] == pytest.approx(50.0)
    assert row["total_power_kw"] == pytest.approx(2 * 22 + 50)
    assert row["n_power_missing"] == 1
    assert row["date_last_status_update"] == pd.Timestamp("2021-01-02T03:04:05.678Z")


def test_reference_objects_are_harvested(tmp_path: Path) -> None:
    path = tmp_path / "pois.json"
    path.write_text(json.dumps([verbose(POI)]))
    (batch,) = read(path)
    assert batch.harvest["operators"][23]["Title"] == "Somebody"


BROKEN = {
    "cut off": '{"ID": 9, "AddressInfo": {"Lat',
    "no position": json.dumps({**POI, "ID": 9, "AddressInfo": {"Title": "x"}}),
    "out of range": json.dumps(
        {**POI, "ID": 9, "AddressInfo": {"Latitude": 95.0, "Longitude": 5.0}}
    ),
    "no number": json.dumps({k: v for k, v in POI.items() if k != "ID"}),
    "not a record": '"hello"',
    "binary": "\x00\x01",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_one_broken_line_costs_no_other(fault: str, tmp_path: Path) -> None:
    path = tmp_path / "pois.jsonl"
    good = [json.dumps({**POI, "ID": i}) for i in (1, 2)]
    path.write_text("\n".join([good[0], BROKEN[fault], good[1]]))
    (batch,) = read(path)
    assert batch.stations["ocm_id"].to_pylist() == [1, 2]
    (reject,) = batch.rejects
    assert reject.reason
    assert reject.position == 2
    assert batch.n_read == 3


@pytest.mark.parametrize("fault", ["no position", "out of range", "no number", "not a record"])
def test_one_broken_element_costs_no_other(fault: str, tmp_path: Path) -> None:
    path = tmp_path / "pois.json"
    good = [json.dumps({**POI, "ID": i}) for i in (1, 2)]
    path.write_text("[" + ",".join([good[0], BROKEN[fault], good[1]]) + "]")
    (batch,) = read(path)
    assert batch.stations["ocm_id"].to_pylist() == [1, 2]
    assert len(batch.rejects) == 1


def test_a_value_of_the_wrong_type_is_missing_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "pois.jsonl"
    path.write_text(
        json.dumps({**POI, "NumberOfPoints": "many", "DateCreated": "yesterday"})
        + "\n"
        + json.dumps({**POI, "ID": 8})
    )
    (batch,) = read(path)
    assert batch.stations["n_points"].to_pylist() == [None, 3]
    assert batch.stations["date_created"].null_count == 1
    assert sum(batch.coerced.values()) == 2


def test_batches_hold_everything_in_order(tmp_path: Path) -> None:
    path = tmp_path / "pois.jsonl"
    path.write_text("\n".join(json.dumps({**POI, "ID": i}) for i in range(1, 1001)))
    batches = list(read_batches(path, batch_rows=300))
    ids = [i for batch in batches for i in batch.stations["ocm_id"].to_pylist()]
    assert ids == list(range(1, 1001))
    assert sum(batch.connections.num_rows for batch in batches) == 3000


@pytest.mark.parametrize("body", [b"", b"  ", b"null", b'"text"', b'[{"ID": 1', b"<html></html>"])
def test_an_answer_that_is_no_list_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        parse_body(body, origin="poi")


def test_an_answer_without_stations_has_all_columns() -> None:
    parsed = parse_body(b"[]", origin="poi")
    assert parsed.stations.num_rows == 0
    assert "connections" in parsed.stations.column_names


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises((QueryError, SourceError), match=r"none\.json"):
        read(tmp_path / "none.json")


def test_what_strays_between_records_of_an_array_costs_none(tmp_path: Path) -> None:
    first, second = json.dumps(POI), json.dumps({**POI, "ID": 8})
    path = tmp_path / "a.json"
    path.write_text(f"[{first},\ngarbage,\n{second}]")
    (batch,) = read_batches(path)
    assert batch.stations["ocm_id"].to_pylist() == [7, 8]
    assert [(r.position, r.excerpt) for r in batch.rejects] == [(1, "garbage")]
    assert batch.n_read == 3


def test_a_record_that_is_broken_in_its_middle_is_not_kept_in_part(tmp_path: Path) -> None:
    text = json.dumps(POI).replace('"Connections"', '}, "Connections"')
    path = tmp_path / "a.json"
    path.write_text(f"[{text}, {json.dumps({**POI, 'ID': 8})}]")
    (batch,) = read_batches(path)
    assert batch.stations["ocm_id"].to_pylist() == [8]
    assert len(batch.rejects) == 1


def test_an_object_that_holds_only_an_id_begins_no_record(tmp_path: Path) -> None:
    """Blocks of records are cut where a record begins, and nowhere inside one."""
    record = {"X": "x" * 300_000, "OperatorInfo": {"ID": 5}, "UsageTypeID": 1, **POI}
    file = tmp_path / "pois.json"
    file.write_text(json.dumps([record, {**POI, "ID": 8}]))
    assert [(p.n_read, p.rejects) for p in read_batches(file)] == [(2, ())]


@pytest.mark.parametrize("name", ["Chargers", "features"])
def test_a_list_inside_a_line_hides_no_other_line(name: str, tmp_path: Path) -> None:
    lines = [json.dumps({**POI, "ID": number}) for number in range(1, 5)]
    inner = {"type": "FeatureCollection", name: [POI]}
    file = tmp_path / "pois.jsonl"
    file.write_text("\n".join(["{}", *lines, json.dumps({"ID": 9, "X": inner})]))
    (parsed,) = read_batches(file)
    assert (parsed.n_read, parsed.stations["ocm_id"].to_pylist()) == (6, [1, 2, 3, 4])
