"""What a file is without records of Open Charge Map, and what to do instead."""

from __future__ import annotations

import csv
import html
import re

__all__ = ["name_json", "name_other"]

_AGAIN = "ask the API again with output=json"
_TABLE = "tables of other origin are read by stations_from_table"
_EXPORT = f"{_AGAIN}, or export it as JSON"

_SIGNATURES = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "run `git lfs pull`"),
    (b"%PDF", "a PDF document", _AGAIN),
    (b"PAR1", "a Parquet table", _TABLE),
    (b"ARROW1", "an Arrow table", _TABLE),
    (b"SQLite format 3\x00", "an SQLite database or GeoPackage", _TABLE),
    (b"\xd0\xcf\x11\xe0", "an Excel or Word file", f"{_AGAIN}; {_TABLE}"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "a file packed by Zstandard", "unpack it with `unzstd`"),
    (b"\x04\x22\x4d\x18", "a file packed by LZ4", "unpack it"),
    (b"\x89PNG", "a picture", _AGAIN),
    (b"\xff\xd8\xff", "a picture", _AGAIN),
    (b"GIF8", "a picture", _AGAIN),
    (b"\x00\x00\x27\x0a", "a shapefile", _TABLE),
    (b"fgb\x03", "a FlatGeobuf file", _TABLE),
    (b"\x89HDF", "an HDF5 file", _TABLE),
    (b"{\\rtf", "a document in rich text", _AGAIN),
)
_INSIDE = (
    (b"OSMHeader", "a file of OpenStreetMap (PBF)", "give the answers or exports of the API"),
    (b"\x07_id\x00", "a BSON dump of MongoDB", "write it as JSON with mongoexport"),
    (b"\x02UUID\x00", "a BSON dump of MongoDB", "write it as JSON with mongoexport"),
)
_ROOTS = {
    "chargepoints": ("an answer of the API in XML, which leaves out powers", _AGAIN),
    "kml": ("a KML file, which has no connections", _AGAIN),
    "gpx": ("a GPX file, which belongs to route_from_file", _AGAIN),
    "osm": ("a file of OpenStreetMap (XML)", "give the answers or exports of the API"),
    "error": ("the error message of a file server", "get the file again"),
}
_TITLE = re.compile(rb"<title[^>]*>\s*(.*?)\s*</title", re.IGNORECASE | re.DOTALL)
_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|center|h1|title|script)\b", re.IGNORECASE)
_CALLBACK = re.compile(rb"(?:[\w.$]+\s*\(|(?:var|let|const|window\.\w+)\b[^\[{(]{0,60}=)\s*[\[{]")
_API_ERRORS = re.compile(
    rb"api key|REJECTED_APIKEY|Upstream API|mandatory API Version|Validation Failed"
    rb"|error code: \d+|\b40[0-9]\b|\b50[0-9]\b|not found|forbidden|denied|too many|rate limit"
    rb"|timed? ?out|unavailable|abuse",
    re.IGNORECASE,
)
_KINDS = (
    ((b'"status"', b'"error"', b'"description"'), "is an error message of the API"),
    ((b'"ConnectionTypes"', b'"StatusTypes"'), "is reference data: pass it as reference="),
    ((b'"connectionTypes"', b'"statusTypes"'), "is reference data: pass it as reference="),
    ((b'"ChargerTypes"',), "is reference data: pass it as reference= (--reference)"),
    ((b'"evses"',), "is OCPI, another format"),
    ((b'"party_id"',), "is OCPI, another format"),
    ((b'"EvseID"',), "is OICP, another format"),
    ((b'"fuel_stations"',), "is a list of AFDC, another register"),
    ((b'"chargerstations"',), "is a list of NOBIL, another register"),
    ((b'"chargelocations"',), "is a list of GoingElectric, another register"),
    ((b'"ChargeDevice"',), "is a list of the UK's NCR, another register"),
    ((b'"osm3s"',), "is data of OpenStreetMap"),
    ((b'"elements"', b'"node"'), "is data of OpenStreetMap"),
    ((b'"Topology"',), "is TopoJSON, another format"),
    ((b'"FeatureCollection"',), "is GeoJSON of other things"),
    ((b'{"message"',), "is an error message"),
    ((b'{"error"',), "is an error message"),
)
_ERROR_TEXT = re.compile(rb'"(?:description|message|detail|error)"\s*:\s*"([^"]*)"')
_SHOWN = 100
_FEWEST = 3
_LONGEST_LINES = 20_000


def name_other(head: bytes) -> tuple[str, str] | None:
    """
    Name what a file is, if it is not JSON.

    Parameters
    ----------
    head : bytes
        The beginning of the file, as UTF-8 where it is text.

    Returns
    -------
    tuple of str or None
        What it is, and what to do instead; None if it may be JSON.
    """
    text = head.strip()
    if not text:
        return "empty", "the download failed; get it again"
    if named := _name_binary(head):
        return named
    if text[:1] in b'[{"' or _is_lines(text):
        return None
    return _name_markup(text) if text.startswith(b"<") else _name_text(text)


def _name_binary(head: bytes) -> tuple[str, str] | None:
    """Name a file by the signature that it begins with."""
    for signature, kind, advice in _SIGNATURES:
        if head.startswith(signature):
            return kind, advice
    for mark, kind, advice in _INSIDE:
        if mark in head[:64]:
            return kind, advice
    return None


def _is_lines(text: bytes) -> bool:
    """Return whether records begin on some of the lines, after a first one that is broken."""
    return re.search(rb'^\s*\{\s*"', text, re.MULTILINE) is not None and text[:1] != b"<"


def _name_markup(text: bytes) -> tuple[str, str]:
    """Name a file of HTML or XML by its root and title."""
    root = _ROOT.search(text)
    name = root[1].decode("ascii", "replace") if root else ""
    if known := _ROOTS.get(name.lower()):
        return known
    if not _HTML.search(text[:2000]):
        return f"XML with the root <{name}>", _AGAIN
    found = _TITLE.search(text)
    title = html.unescape(" ".join(found[1].decode("utf-8", "replace").split())) if found else ""
    titled = f" with the title {_shorten_excerpt(title)!r}" if title else ""
    return f"an HTML page{titled}, not data", "the server failed or asks to log in; get it again"


def _name_text(text: bytes) -> tuple[str, str]:
    """Name a file of text: a script, a table, a message or something else."""
    if _CALLBACK.match(text):
        return "JavaScript, not JSON", f"{_AGAIN} and without callback="
    first = text.split(b"\n", 1)[0]
    columns = _read_header(text)
    if len(columns) >= _FEWEST:
        listed = ", ".join(columns[:5]) + (", ..." if len(columns) > 5 else "")  # noqa: PLR2004
        return f"a CSV table with the columns {listed}", f"{_AGAIN}; {_TABLE}"
    shown = _shorten_excerpt(first.decode("utf-8", "replace"))
    if _API_ERRORS.search(text[:500]):
        return f"an error message of the server, {shown!r}", "cure its cause and get it again"
    return f"not JSON: it begins with {shown!r}", _EXPORT


def _read_header(text: bytes) -> list[str]:
    """Read the first line as a header; a table has as many columns in its second line."""
    lines = text[:_LONGEST_LINES].decode("utf-8", "replace").splitlines()[:2]
    for mark in ",;\t|":
        rows = list(csv.reader(lines, delimiter=mark))
        if rows and len(rows[0]) >= _FEWEST and len({len(row) for row in rows}) == 1:
            return [name.strip() for name in rows[0]]
    return []


def _shorten_excerpt(text: str) -> str:
    clean = "".join(c if c.isprintable() else " " for c in text).strip()
    return clean if len(clean) <= _SHOWN else clean[:_SHOWN] + "…"


def name_json(head: bytes) -> str | None:
    """
    Name what a JSON file seems to hold, if it is known and is not records of Open Charge Map.

    Parameters
    ----------
    head : bytes
        The beginning of the file.

    Returns
    -------
    str or None
        Words that go behind the name of the file.
    """
    packed = b"".join(head.split())
    for marks, kind in _KINDS:
        if all(mark in packed for mark in marks):
            found = _ERROR_TEXT.search(head) if "error" in kind else None
            return kind + (
                f" ({_shorten_excerpt(found[1].decode('utf-8', 'replace'))!r})" if found else ""
            )
    return None
