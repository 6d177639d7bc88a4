"""What data of strangers may hold is bounded; each limit names itself and what raises it."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo.cli import app
from ocm_geo.settings import LIMITS
from ocm_geo.sources.decode import parse_body
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 2**20
LONG = "longer than max_record_mib=1 (configure(max_record_mib=…) raises the limit)"
LAYOUTS: dict[str, Callable[[list[str]], str]] = {
    "lines": "\n".join,
    "array": lambda records: f"[{','.join(records)}]",
    "wrapped": lambda records: f'{{"value": [{", ".join(records)}], "next": null}}',
}


def long_record(number: int, n_bytes: int = 3 * MIB) -> str:
    return json.dumps(poi(number, GeneralComments="x" * n_bytes))


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_long_record_costs_itself(layout: str, *, last: bool, tmp_path: Path) -> None:
    records = [json.dumps(poi(i)) for i in range(1, 400)]
    records.insert(len(records) if last else 200, long_record(999))
    file = tmp_path / "pois.json"
    file.write_text(LAYOUTS[layout](records))
    with ocm.using(max_record_mib=1):
        mirror = ocm.Mirror.build(tmp_path / "m", file)
    report = mirror.report
    assert (report.n_read, report.n_kept, report.reasons) == (400, 399, {LONG: 1})
    assert report.complete
    reject = json.loads(mirror.rejects.read_text())
    number = len(records) - 1 if last else 200
    assert reject["position"] == (number + 1 if layout == "lines" else number)
    assert reject["excerpt"].startswith('{"ID": 999')
    assert len(ocm.Mirror.build(tmp_path / "m", file)) == 400


def test_a_long_record_is_passed_over_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "data" / "OCM-1.json.gz"
    file.parent.mkdir()
    file.write_bytes(gzip.compress(b'{"ID": 1, "X": "' + b"x" * 40 * MIB, 1))
    (tmp_path / "data" / "OCM-2.json").write_text(json.dumps(poi(2)))
    mirror = ocm.Mirror.build(tmp_path / "m", tmp_path / "data")
    assert list(mirror.report.reasons) == [LONG.replace("=1 ", "=16 ")]
    assert len(mirror) == 1


@pytest.mark.parametrize("blank", [" ", "\n", "\t "])
def test_blanks_before_the_data_are_no_bomb(blank: str, tmp_path: Path) -> None:
    file = tmp_path / "pois.json.gz"
    file.write_bytes(gzip.compress((blank * 6 * MIB + json.dumps(poi(1))).encode(), 1))
    assert len(ocm.Mirror.build(tmp_path / "m", file)) == 1
    told = r"blanks longer than max_record_mib=1 \(configure\(max_record_mib=…\)"
    with ocm.using(max_record_mib=1), pytest.raises(ocm.MirrorError, match=told):
        ocm.Mirror.build(tmp_path / "m", file)


@pytest.mark.parametrize("n_connections", [10, 11])
@pytest.mark.parametrize("odd", [False, True])
def test_a_record_of_too_many_connections_is_rejected(n_connections: int, *, odd: bool) -> None:
    record = poi(1, Connections=[{"ID": i + 1} for i in range(n_connections)])
    if odd:  # read field by field
        record["NumberOfPoints"] = "x"
    with ocm.using(max_connections=10):
        parsed = parse_body(json.dumps([record]).encode(), origin="x")
    if n_connections == 10:
        assert len(parsed.connections) == 10
        return
    (reject,) = parsed.rejects
    assert reject.reason.startswith("more connections than max_connections=10 (configure(")
    assert reject.reason.endswith(": 11")


def test_nesting_can_be_raised() -> None:
    deep = f"[{'[' * 100}1{']' * 100}]"
    body = json.dumps([poi(1)]).replace('{"ID"', f'{{"X": {deep}, "ID"', 1).encode()
    refused = parse_body(body, origin="x")
    (column,) = refused.coerced
    assert column.startswith("extra, deeper than max_nesting=50 (configure(max_nesting=…)")
    with ocm.using(max_nesting=150):
        kept = parse_body(body, origin="x")
    assert not kept.coerced
    assert json.loads(kept.stations["extra"][0].as_py())["X"] == json.loads(deep)


def test_nesting_beyond_every_reader_costs_the_record(tmp_path: Path) -> None:
    records = [json.dumps(poi(1)), f'{{"ID":2,"X":{"[" * 99_999}{"]" * 99_999}}}']
    file = tmp_path / "pois.json"
    file.write_text("\n".join([*records, json.dumps(poi(3))]))
    mirror = ocm.Mirror.build(tmp_path / "m", file)
    (reason,) = mirror.report.reasons
    assert reason.startswith("deeper than max_nesting=50 (configure(max_nesting=…)")
    assert len(mirror) == 2
    parsed = parse_body(f"[{','.join(records)}]".encode(), origin="x")
    assert (parsed.n_read, len(parsed.stations)) == (2, 1)
    for whole in (f'{{"features": [{",".join(records)}]}}', f"[{','.join(records)}"):
        with pytest.raises(ocm.MalformedResponse, match="deeper than max_nesting=50"):
            parse_body(whole.encode(), origin="x")


def archive(n_members: int, path: Path) -> Path:
    member = " " * MIB + json.dumps(poi(1))
    with tarfile.open(path, "w:gz") as packed:
        for i in range(n_members):
            info = tarfile.TarInfo(f"{i}.json")
            info.size = len(member)
            packed.addfile(info, io.BytesIO(member.encode()))
    return path


def test_what_an_archive_unpacks_to_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocm_geo.sources.opening._GIB", MIB)
    assert len(ocm.Mirror.build(tmp_path / "m", archive(15, tmp_path / "a.tar.gz"))) == 1
    large = archive(16, tmp_path / "b.tar.gz")
    with pytest.raises(ocm.MirrorError, match=r"b\.tar\.gz/15\.json .* max_unpacked_gib=16 \("):
        ocm.Mirror.build(tmp_path / "m", large)
    with ocm.using(max_unpacked_gib=17):
        ocm.Mirror.build(tmp_path / "m", large)


def test_text_that_is_read_at_once_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "pois.csv"
    header = "ID,UUID,LocationTitle,Latitude,Longitude,ConnectionType\n"
    file.write_text(header + f"1,a,{'x' * 2 * MIB},52,5,CCS (Type 2)\n")
    with (
        ocm.using(max_text_mib=1),
        pytest.raises(ocm.MirrorError, match=r"max_text_mib=1 \(configure\(max_text_mib=…\)"),
    ):
        ocm.Mirror.build(tmp_path / "m", file)


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [0, -1, "16", None, float("nan"), True])
def test_a_limit_is_a_number(name: str, value: Any) -> None:
    with pytest.raises(ocm.QueryError, match=name):
        ocm.configure(**{name: value})


def test_the_command_line_raises_limits(tmp_path: Path) -> None:
    file = tmp_path / "pois.json"
    file.write_text("\n".join([json.dumps(poi(1)), long_record(2, 20 * MIB)]))
    build = ["mirror", "build", str(tmp_path / "m"), str(file)]
    run = CliRunner().invoke(app, build)
    assert "longer than max_record_mib=16 (--limit max_record_mib=… raises the limit)" in run.output
    assert "kept 2," in CliRunner().invoke(app, ["--limit", "max_record_mib=32", *build]).output
    assert ocm.configure().max_record_mib == 16
    for text, told in (("max_x=1", "names are max_answer_mib"), ("max_record_mib=x", "a number")):
        with pytest.raises(ocm.QueryError, match=told):
            CliRunner().invoke(app, ["--limit", text, *build], catch_exceptions=False)
