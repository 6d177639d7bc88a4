"""Write CSV for every program, and read it as spreadsheets save it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from ocm_geo.checks import warn_user
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.files.columns import to_wkt
from ocm_geo.files.restoring import is_facts
from ocm_geo.files.texts import Texts
from ocm_geo.paths import replacing
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from pathlib import Path

    from ocm_geo.files.columns import Packed

__all__ = ["decode_text", "read_csv", "read_texts", "shape_of", "with_position", "write_csv"]

_NOT_CSV = ("<", "{", "[{", "[[", "PK\x03\x04")
_SEPARATORS = ",;\t|"
_BOMS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def write_csv(packed: Packed, path: Path, target: Path, *, excel: bool = False) -> None:
    """
    Write a table as CSV, and its facts beside it.

    Parameters
    ----------
    packed : Packed
        The table.
    path : pathlib.Path
        The path to write.
    target : pathlib.Path
        The file that will be replaced, for the name of the file with the facts.
    excel : bool
        Whether to begin with a byte order mark, which Excel needs to read UTF-8.
    """
    columns, facts = with_position(packed)
    text = columns.to_csv(index=False, lineterminator="\n")
    content = text.encode("utf-8-sig" if excel else "utf-8")
    path.write_bytes(content)
    facts["sha256"] = hashlib.sha256(content).hexdigest()
    with replacing(_locate_sidecar(target)) as scratch:
        scratch.write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")


def read_csv(path: Path) -> tuple[pd.DataFrame, gpd.GeoSeries | None, dict[str, Any], Texts]:
    """
    Read the columns of a CSV file as texts, with its geometry and facts.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple
        Columns, geometry or None, facts or an empty dict, and the parser of texts.

    Raises
    ------
    QueryError
        If it is not a table.

    Warns
    -----
    SuspectInput
        If the file was changed after it was written, or may be cut off.
    """
    content = path.read_bytes()
    facts = _read_sidecar(path, content)
    columns, texts = read_texts(content, path.name)
    columns, geometry = shape_of(columns, facts, texts)
    return columns, geometry, facts, texts


def read_texts(content: bytes, file: str) -> tuple[pd.DataFrame, Texts]:
    """
    Read a table of texts.

    Parameters
    ----------
    content : bytes
        A file with columns separated by commas, semicolons, tabs or bars.
    file : str
        Its name, for messages.

    Returns
    -------
    tuple
        The table of texts, and their parser.

    Raises
    ------
    QueryError
        If it is empty, has lines of unequal length or is not a text.

    Warns
    -----
    SuspectInput
        If its last line may be cut off.
    """
    text = decode_text(content, file)
    body = text.lstrip("\n\r")
    first = body.split("\n", 1)[0].strip("\r\n")
    if first.lower().startswith("sep=") and len(first) == len("sep=") + 1:
        separator, body = first[-1], body.partition("\n")[2]
    else:
        separator = _find_separator(first)
    if not body.strip():
        raise QueryError(f"{file} is empty: it has no header")
    if body.lstrip().startswith(_NOT_CSV):
        raise QueryError(f"{file} is not CSV: it begins with {body.lstrip()[:20]!r}")
    table = _parse_rows(body, separator, file)
    if not text.endswith(("\n", "\r")):
        warn_user(
            f"{file} does not end with a line break: its last line may be cut off",
            SuspectInput,
        )
    return table, Texts(file, decimal_comma=separator == ";")


def decode_text(content: bytes, file: str) -> str:
    """
    Decode a text file.

    Parameters
    ----------
    content : bytes
        UTF-8, UTF-16 or UTF-32 with a byte order mark, or Windows-1252.
    file : str
        Its name, for messages.

    Returns
    -------
    str
        The text.

    Raises
    ------
    QueryError
        If it has another encoding.

    Warns
    -----
    SuspectInput
        If it is read as Windows-1252.
    """
    encoding = next((name for mark, name in _BOMS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = _decode_windows_1252(content, file)
    if "\0" in text:
        raise QueryError(f"{file} is not a text file: it contains zero bytes")
    return text


def _decode_windows_1252(content: bytes, file: str) -> str:
    """Decode a text in Windows-1252, with a warning."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise QueryError(
            f"{file} is neither UTF-8 nor Windows-1252 (byte {error.start}): save it as UTF-8"
        ) from error
    warn_user(
        f"{file} is not UTF-8: read as Windows-1252 (Western Europe); save it as UTF-8 if "
        "letters look wrong",
        SuspectInput,
    )
    return text


def _find_separator(line: str) -> str:
    """Return the separator that is most frequent outside quotes."""
    bare = "".join(line.split('"')[::2])
    return max(_SEPARATORS, key=bare.count)


def _parse_rows(body: str, separator: str, file: str) -> pd.DataFrame:
    """Return the rows as texts; all must have as many fields as the header."""
    csv.field_size_limit(2**31 - 1)
    try:
        rows = [
            row
            for row in csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)
            if row
        ]
    except csv.Error as error:
        raise QueryError(f"{file} is not CSV or is cut off: {error}") from error
    names = rows[0] if rows else []
    for i, row in enumerate(rows):
        if len(row) != len(names):
            raise QueryError(
                f"{file}: line {i + 1} of the table has {len(row)} fields and the first line "
                f"{len(names)}: the file is damaged, cut off or not CSV"
            )
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise QueryError(f"{file} has several columns named {min(twice)!r}: rename one of them")
    columns = list(zip(*rows[1:], strict=True)) or [()] * len(names)
    table = pd.DataFrame(
        {
            name: pd.array(list(values), dtype="string")
            for name, values in zip(names, columns, strict=True)
        }
    )
    return table.mask(table == "")


def with_position(packed: Packed) -> tuple[pd.DataFrame, dict[str, Any]]:
    """
    Return columns with points as degrees and other geometry as well-known text.

    Parameters
    ----------
    packed : Packed
        The table.

    Returns
    -------
    tuple
        The columns, and the facts with the form of the geometry.
    """
    geometry, columns = packed.geometry, packed.columns
    if geometry is None:
        return columns, {**packed.facts, "form": None}
    points = (geometry.geom_type == "Point") & ~geometry.is_empty & ~geometry.has_z
    if (points | geometry.isna()).all() and not {"lon", "lat"} & set(columns):
        degrees = columns.assign(lon=geometry.x, lat=geometry.y)
        return degrees, {**packed.facts, "form": "lonlat"}
    shapes = {packed.geometry_name: to_wkt(geometry)}
    return columns.assign(**shapes), {**packed.facts, "form": "wkt"}


def shape_of(
    columns: pd.DataFrame, facts: dict[str, Any], texts: Texts
) -> tuple[pd.DataFrame, gpd.GeoSeries | None]:
    """
    Return the columns that are not geometry, and the geometry.

    Parameters
    ----------
    columns : pandas.DataFrame
        The columns of the file.
    facts : dict
        The facts of `with_position`; empty if the file has none.
    texts : Texts
        The parser of texts.

    Returns
    -------
    tuple
        Columns, and geometry in EPSG:4326 or None.

    Raises
    ------
    QueryError
        If positions are not numbers or geometry is not well-known text.
    """
    degrees = {"lon", "lat"} <= set(columns)
    name = (facts.get("geometry") or {}).get("name", "geometry")
    form = facts.get("form") if facts else ("lonlat" if degrees else "wkt")
    if form == "lonlat" and degrees:
        lon, lat = (_convert_degrees(columns[axis], axis, texts) for axis in ("lon", "lat"))
        points = pd.Series(shapely.points(lon, lat), index=columns.index)
        shapes = points.where(lon.notna() & lat.notna(), None)
        return columns.drop(columns=["lon", "lat"]), gpd.GeoSeries(shapes, name=name, crs=CRS)
    if form == "wkt" and name in columns:
        known = columns[name].astype(object).where(columns[name].notna(), None)
        try:
            shapes = gpd.GeoSeries.from_wkt(known, crs=CRS)
        except (shapely.errors.ShapelyError, TypeError) as error:
            raise QueryError(f"{texts.file}: column {name!r} is not geometry: {error}") from error
        return columns.drop(columns=name), shapes.rename(name)
    return columns, None


def _convert_degrees(values: pd.Series, name: str, texts: Texts) -> pd.Series:
    """Return degrees as numbers."""
    if pd.api.types.is_string_dtype(values.dtype):
        values = texts.parse(values, name, "float")
    return values.astype("Float64").astype("float64")


def _locate_sidecar(path: Path) -> Path:
    """Return the path of the file with the facts of a CSV file."""
    return path.with_name(path.name + ".meta.json")


def _read_sidecar(path: Path, content: bytes) -> dict[str, Any]:
    """Return the facts beside a CSV file; empty without them."""
    beside = _locate_sidecar(path)
    if not beside.is_file():
        return {}
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        facts = None
    if not is_facts(facts):
        warn_user(
            f"{beside.name} is damaged: {path.name} is read without its provenance and types",
            SuspectInput,
        )
        return {}
    if facts.get("sha256") != hashlib.sha256(content).hexdigest():
        warn_user(
            f"{path.name} was changed after it was written: its provenance in {beside.name} may "
            "be wrong",
            SuspectInput,
        )
    return dict(facts)
