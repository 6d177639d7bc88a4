"""Whatever a download turned out to be: read it, or name it, and never make the mirror worse."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import ocm_geo as ocm
from tests.unit.sources.records import array, lines, poi, tarred, zipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE = b"<!DOCTYPE html><html><head><title>502 Bad &amp; gateway</title></head></html>"
TEXT = array(5).decode()
EXPORT = {f"x__data__NL__OCM-{i}_json": json.dumps(poi(i), indent=1).encode() for i in range(1, 6)}

READ: dict[str, Callable[[], bytes]] = {
    "array": lambda: array(5),
    "gzip": lambda: gzip.compress(array(5)),
    "gzip twice": lambda: gzip.compress(gzip.compress(array(5))),
    "bzip2": lambda: bz2.compress(array(5)),
    "xz": lambda: lzma.compress(array(5)),
    "zip": lambda: zipped(poi_json=array(5), README_md=b"read me", referencedata_json=b"{}"),
    "zip of gzip": lambda: zipped(poi_json_gz=gzip.compress(lines(5))),
    "gzip of zip": lambda: gzip.compress(zipped(poi_json=array(5))),
    "zip of zip": lambda: zipped(poi_json=zipped(poi_json=array(5))),
    "zip of two files": lambda: zipped(a_json=array(2), b_jsonl=lines(3, 3)),
    "zip of an export": lambda: zipped(**EXPORT, x__README_md=b"read me"),
    "zip without suffixes": lambda: zipped(export=array(5)),
    "tar": lambda: tarred(poi_json=array(5), README_md=b"read me"),
    "tar of an export, gzipped": lambda: gzip.compress(tarred(**EXPORT)),
    "UTF-16 with a mark": lambda: TEXT.encode("utf-16"),
    "UTF-16, big end first": lambda: TEXT.encode("utf-16-be"),
    "UTF-16, little end first": lambda: TEXT.encode("utf-16-le"),
    "UTF-32": lambda: TEXT.encode("utf-32"),
    "byte order mark": lambda: TEXT.encode("utf-8-sig"),
    "JSON in a string": lambda: json.dumps(TEXT).encode(),
    "strings of JSON on lines": lambda: b"\n".join(
        json.dumps(line.decode()).encode() for line in lines(5).splitlines()
    ),
    "strings of JSON in an array": lambda: json.dumps(
        [line.decode() for line in lines(5).splitlines()]
    ).encode(),
    "in an object": lambda: json.dumps(
        {"status": "ok", "data": json.loads(TEXT), "count": 5, "next": None}
    ).encode(),
    "in an object, indented": lambda: json.dumps({"pois": json.loads(TEXT)}, indent=2).encode(),
    "two arrays": lambda: array(2) + b"\n" + array(3, 3),
    "records without separators": lambda: lines(5).replace(b"\n", b""),
    "Windows lines": lambda: lines(5).replace(b"\n", b"\r\n"),
    "blank lines before": lambda: b"\n\n  " + array(5),
}


def build(folder: Path, content: bytes, **options: Any) -> ocm.Mirror:
    file = folder / "download.json"
    file.write_bytes(content)
    return ocm.Mirror.build(folder / "mirror", file, **options)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder with a mirror of six stations."""
    build(tmp_path, array(6))
    return tmp_path


def n_now(folder: Path) -> int:
    return len(ocm.stations(source=ocm.Mirror(folder / "mirror")))


@pytest.mark.parametrize("form", READ)
def test_every_record_is_read(form: str, good: Path) -> None:
    mirror = build(good, READ[form]())
    assert (mirror.report.n_read, mirror.report.n_rejected) == (5, 0)
    assert ocm.stations(source=mirror).index.tolist() == [1, 2, 3, 4, 5]
    assert mirror.report.complete


PLACES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "x"},
            "geometry": {"type": "Point", "coordinates": [5, 52]},
        }
    ],
}
NAMED: dict[str, tuple[bytes, str]] = {
    "error page": (PAGE, "HTML page with the title '502 Bad & gateway'"),
    "error page after blanks": (b"\n\n \t" + PAGE, "HTML page with the title"),
    "error page after a comment": (b"<!-- cached -->" + PAGE, "HTML page"),
    "page without a title": (b"<html><body>no</body></html>", "an HTML page, not data"),
    "zipped error page": (zipped(poi_json=PAGE), "poi.json is an HTML page"),
    "gzipped error page": (gzip.compress(PAGE), "HTML page"),
    "API in XML": (b'<?xml version="1.0"?><ChargePoints/>', "answer of the API in XML"),
    "KML": (b'<?xml version="1.0"?>\n<kml xmlns="x"></kml>', "KML file"),
    "other XML": (b"<rss><channel/></rss>", "XML with the root <rss>"),
    "file server": (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "file server"),
    "empty": (b"", "is empty"),
    "blank": (b" \r\n ", "is empty"),
    "gzip of nothing": (gzip.compress(b""), "is empty"),
    "no key": (b"You must specify an API key using the key", "error message of the server"),
    "API error": (b'{"status":"error","description":"robots"}', "error message of the API"),
    "PDF": (b"%PDF-1.7\n%", "PDF document"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    "SQLite": (b"SQLite format 3\x00" + bytes(50), "SQLite database"),
    "Excel": (zipped(xl__workbook_xml=b"<x/>"), "an Excel table"),
    "zip without data": (zipped(a_txt=b"x", b_txt=b"y"), "without a file of JSON: it holds a.txt"),
    "zip cut off": (zipped(poi_json=array(50))[:-40], "cut off or damaged"),
    "damaged gzip": (gzip.compress(array(9))[:-8] + bytes(8), "CRC"),
    "CSV": (b"name;lat;lon\nx;52;5\n", "CSV table with the columns name, lat, lon"),
    "TSV": (b"name\tlat\tlon\nx\t52\t5\n", "CSV table with the columns name, lat, lon"),
    "JavaScript": (b"callback([" + lines(1) + b"]);", "JavaScript"),
    "variable": (b"var pois = [" + lines(1) + b"];", "JavaScript"),
    "words": (b"hello there", "begins with 'hello there'"),
    "bytes": (bytes(range(256)), "not JSON"),
    "no station": (b"[]", "no record"),
    "null": (b"null", "not JSON: it begins with 'null'"),
    "OCPI": (b'{"data":[{"id":"1","evses":[],"coordinates":{}}]}', "OCPI"),
    "OpenStreetMap": (
        b'{"version":0.6,"elements":[{"type":"node","id":1,"lat":52,"lon":5}]}',
        "OpenStreetMap",
    ),
    "reference data": (b'{"ChargerTypes":[],"ConnectionTypes":[]}', "pass it as reference="),
    "GeoJSON of other things": (json.dumps(PLACES).encode(), "GeoJSON of other things"),
}


@pytest.mark.parametrize("kind", NAMED)
def test_what_is_not_data_is_named_and_the_mirror_stays(kind: str, good: Path) -> None:
    content, words = NAMED[kind]
    with pytest.raises(ocm.MirrorError) as error:
        build(good, content)
    assert "download.json" in str(error.value)
    assert words in str(error.value)
    assert n_now(good) == 6
    assert len(list((good / "mirror" / "snapshots").iterdir())) == 1


def test_a_failed_first_build_leaves_no_mirror(tmp_path: Path) -> None:
    with pytest.raises(ocm.MirrorError):
        build(tmp_path, PAGE)
    with pytest.raises(ocm.MirrorMissing):
        ocm.Mirror(tmp_path / "mirror")


ARRAY, INDENTED = array(6), json.dumps(json.loads(array(6)), indent=2).encode()
CUT: dict[str, tuple[bytes, int]] = {
    "in a record": (ARRAY[: ARRAY.index(b'"U6"')], 5),
    "in a string": (ARRAY[: ARRAY.index(b"S6") + 1], 5),
    "in an escape": (array(5)[:-1] + b', {"ID": 6, "Title": "\\u00', 5),
    "between records": (ARRAY[: ARRAY.rindex(b'{"ID": 6, "UUID"')], 5),
    "before the bracket": (array(5)[:-1], 5),
    "in an indented record": (INDENTED[: INDENTED.index(b'"U6"')], 5),
    "in a line": (lines(6)[:-30], 5),
    "in the last line, which has an end": (lines(6)[:-30] + b"\n", 5),
    "in gzip": (gzip.compress(ARRAY)[:-4], 6),
    "in an object": (json.dumps({"data": json.loads(ARRAY)}).encode()[:-60], 5),
    "in a string of JSON": (json.dumps(ARRAY.decode()).encode()[:-70], 5),
    "in UTF-16": (ARRAY.decode().encode("utf-16")[:-61], 5),
    "in the record of a tar": (tarred(poi_json=ARRAY[: ARRAY.index(b'"U6"')]), 5),
    "followed by an error page": (ARRAY[: ARRAY.index(b'"U6"')] + PAGE, 5),
}


@pytest.mark.parametrize("place", CUT)
def test_a_cut_file_is_built_marked_and_warned_of(place: str, good: Path) -> None:
    content, n_right = CUT[place]
    with pytest.warns(ocm.DroppedRows, match=r"download\.json.* ends inside .*not complete"):
        mirror = build(good, content)
    report = mirror.report
    assert not report.complete
    assert "NOT COMPLETE" in str(report)
    assert any("download.json" in file for file in report.cut)
    assert report.n_read == report.n_kept + report.n_rejected
    assert n_now(good) == n_right
    assert ocm.stations(source=mirror).attrs["ocm"]["complete"] is False


def test_a_file_cut_in_its_first_record_is_refused(good: Path) -> None:
    with pytest.raises(ocm.MirrorError, match=r"download\.json ends inside"):
        build(good, ARRAY[:60])
    assert n_now(good) == 6


def test_text_after_the_end_is_a_reject_and_costs_nothing(good: Path) -> None:
    mirror = build(good, array(5) + b"\n" + PAGE)
    assert (mirror.report.n_kept, mirror.report.n_rejected) == (5, 1)
    assert mirror.report.complete
    assert "Bad &amp; gateway" in mirror.rejects.read_text()


def test_a_broken_line_costs_itself_and_is_not_a_cut(good: Path) -> None:
    mirror = build(good, lines(2) + b'\n{"ID": 9, "Addr\n' + lines(3, 3))
    assert (mirror.report.n_kept, mirror.report.n_rejected) == (5, 1)
    assert mirror.report.complete


def test_losing_most_stations_has_to_be_asked_for(good: Path) -> None:
    with pytest.raises(ocm.MirrorShrunk, match=r"6 stations and 2 would be left.*force=True"):
        build(good, array(2))
    assert n_now(good) == 6
    assert len(build(good, array(3))) == 3
    assert len(build(good, array(1), force=True)) == 1


def test_losing_most_published_stations_is_a_loss_too(good: Path) -> None:
    hidden = [poi(i, SubmissionStatusTypeID=1000 if i > 2 else 200) for i in range(1, 7)]
    with pytest.raises(ocm.MirrorShrunk, match="6 published stations and 2 would be left"):
        build(good, json.dumps(hidden).encode())
    assert n_now(good) == 6


def test_a_damaged_mirror_can_be_built_again(good: Path) -> None:
    mirror = ocm.Mirror(good / "mirror")
    (mirror.path / "snapshots" / mirror.snapshot / "manifest.json").write_text("{")
    assert len(build(good, array(1))) == 1


def test_force_builds_nothing_from_an_error_page(good: Path) -> None:
    with pytest.raises(ocm.MirrorError, match="HTML page"):
        build(good, PAGE, force=True)


def test_one_bad_file_of_a_folder_costs_itself(tmp_path: Path) -> None:
    for i in range(1, 5):
        file = tmp_path / "data" / f"OCM-{i}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(json.dumps(poi(i)).encode())
    file.write_bytes(PAGE)
    (tmp_path / "data" / "OCM-9.json").touch()
    mirror = ocm.Mirror.build(tmp_path / "mirror", tmp_path / "data")
    assert (mirror.report.n_kept, mirror.report.n_rejected) == (3, 2)
    assert "an HTML page with the title" in mirror.rejects.read_text()
    assert mirror.report.reasons == {"not JSON": 2}


def test_a_file_of_which_nothing_is_kept_is_warned_of(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(array(3))
    bad.write_bytes(b'{"data":[{"id":"1","evses":[]},{"id":"2","evses":[]}]}')
    with pytest.warns(ocm.DroppedRows, match=r"no record of .*bad\.json .*is OCPI"):
        mirror = ocm.Mirror.build(tmp_path / "mirror", [good, bad])
    assert len(mirror) == 3


def test_a_file_given_twice_is_read_without_a_word(tmp_path: Path) -> None:
    file = tmp_path / "pois.json"
    file.write_bytes(array(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mirror = ocm.Mirror.build(tmp_path / "mirror", [file, file])
    assert (mirror.report.n_kept, mirror.report.n_rejected) == (3, 3)


def test_one_bad_file_among_good_ones_stops_the_build(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.json", "b.json")]
    for file, content in zip(files, (array(3), PAGE), strict=True):
        file.write_bytes(content)
    with pytest.raises(ocm.MirrorError, match=r"b\.json is an HTML page"):
        ocm.Mirror.build(tmp_path / "mirror", files)


def test_operators_without_a_name_are_told(tmp_path: Path) -> None:
    records = [poi(i, OperatorID=operator) for i, operator in enumerate([1, 1, 77001, 77001, None])]
    match = r"operators without a name.*: 1, of 2 stations; pass reference= .*--reference"
    with pytest.warns(ocm.UnknownCode, match=match):
        mirror = build(tmp_path, json.dumps(records).encode())
    assert mirror.report.n_unnamed_operators == 1
    names = tmp_path / "referencedata.json"
    names.write_text(json.dumps({"Operators": [{"ID": 77001, "Title": "Volts"}]}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mirror = build(tmp_path, json.dumps(records).encode(), reference=names)
    assert mirror.report.n_unnamed_operators == 0


@pytest.mark.parametrize("data", [None, 5, 1.5])
def test_data_that_are_no_path_are_refused(tmp_path: Path, data: Any) -> None:
    with pytest.raises(ocm.QueryError, match="data must be a path"):
        ocm.Mirror.build(tmp_path / "mirror", data)
