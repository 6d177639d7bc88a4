"""Find the lines of files in any format, recognised by their content."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from ocm_geo.checks import warn_user
from ocm_geo.errors import DroppedRows, QueryError, RouteError
from ocm_geo.files import is_markup, naming_warnings, read_texts
from ocm_geo.routes.tracks import FoundLine, read_markup
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["choose_lines", "find_lines", "is_table", "unpack"]

_TABLES = (".csv", ".tsv", ".txt")
_LON = ("lon", "lng", "long", "longitude", "x", "lond", "longitudedeg", "longitudedegrees")
_LAT = ("lat", "latitude", "y", "latd", "latitudedeg", "latitudedegrees")
_MAX_BYTES = 2 * 10**9
_ROW = "ocm_geo_row"
_NAMES = ("name", "Name", "route", "ref")
_SHOWN = 12


def unpack(file: Path) -> tuple[bytes, str]:
    """
    Return the unpacked content of a file and its name.

    Parameters
    ----------
    file : pathlib.Path
        A file; ``.gz`` and ``.kmz`` are unpacked.

    Returns
    -------
    tuple of bytes and str
        The content, and the name without ``.gz``.

    Raises
    ------
    RouteError
        If it cannot be read, is damaged, or is too large.
    """
    try:
        content, name = file.read_bytes(), file.name
        if content.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(_MAX_BYTES + 1)
            name = name.removesuffix(".gz").removesuffix(".GZ")
        if content.startswith(b"PK\x03\x04") and file.suffix.lower() == ".kmz":
            content = _read_kmz(content, file.name)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise RouteError(f"{file.name} cannot be read: {error}") from error
    if len(content) > _MAX_BYTES:
        raise RouteError(f"{file.name} is larger than {_MAX_BYTES // 10**9} GB unpacked")
    return content, name


def _read_kmz(content: bytes, file: str) -> bytes:
    """Return the KML inside a KMZ file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(".kml")]
        if not names:
            raise RouteError(f"{file} contains no KML file")
        chosen = next((name for name in names if name.lower() == "doc.kml"), names[0])
        with archive.open(chosen) as inner:
            return inner.read(_MAX_BYTES + 1)


def is_table(file: Path) -> bool:
    """
    Return whether a file is a table of points by its suffix.

    Parameters
    ----------
    file : pathlib.Path
        The file.

    Returns
    -------
    bool
        Whether it ends in ``.csv``, ``.tsv`` or ``.txt``, before ``.gz`` too.
    """
    return file.name.lower().removesuffix(".gz").endswith(_TABLES)


def find_lines(file: Path, content: bytes, layer: str | None, where: str | None) -> list[FoundLine]:
    """
    Return the lines of a file.

    Parameters
    ----------
    file : pathlib.Path
        The file.
    content : bytes
        Its content, unpacked.
    layer : str, optional
        Which layer.
    where : str, optional
        An SQL condition that lines must meet.

    Returns
    -------
    list of FoundLine
        At least one.

    Raises
    ------
    RouteError
        If there is none, or the file cannot be read.
    QueryError
        If it has no coordinate reference system, or ``where`` is not a condition.
    """
    if is_markup(content):
        lines = read_markup(content, file.name, layer)
    elif is_table(file):
        lines = [_read_point_table(content, file.name)]
    else:
        return _read_gdal_lines(file, content, layer, where)
    return lines if where is None else choose_lines(lines, where, file.name)


def choose_lines(lines: list[FoundLine], where: str, file: str) -> list[FoundLine]:
    """
    Return the lines that meet an SQL condition.

    Parameters
    ----------
    lines : list of FoundLine
        Lines with their attributes.
    where : str
        The condition.
    file : str
        Name of the file, for messages.

    Returns
    -------
    list of FoundLine
        At least one.

    Raises
    ------
    QueryError
        If it is not a condition on the columns.
    RouteError
        If no line meets it.
    """
    names = list(dict.fromkeys(name for line in lines for name in line.columns))
    rows = [
        {"type": "Feature", "geometry": None, "properties": {**line.columns, _ROW: i}}
        for i, line in enumerate(lines)
    ]
    document = json.dumps({"type": "FeatureCollection", "features": rows}).encode()
    table = _Layer(io.BytesIO(document), None, file, names).read(where)
    if table.empty:
        raise RouteError(f"{file} contains no line that meets {where!r}")
    return [lines[int(i)] for i in table[_ROW]]


def _read_point_table(content: bytes, file: str) -> FoundLine:
    """Read a table with a point in each row, in the order of the line."""
    try:
        table, texts = read_texts(content, file)
        by_name = {_keep_letters(name): name for name in table.columns}
        lon, lat = (next((by_name[n] for n in ns if n in by_name), None) for ns in (_LON, _LAT))
        if lon is None or lat is None:
            raise RouteError(
                f"{file} has no columns of longitude and latitude (such as lon and lat): it has "
                f"{list(table.columns)[:_SHOWN]}"
            )
        degrees = pd.DataFrame({n: texts.parse(table[n], n, "float") for n in (lon, lat)})
    except QueryError as error:
        raise RouteError(str(error)) from error
    known = degrees.dropna()
    if len(known) < len(degrees):
        n = len(degrees) - len(known)
        warn_user(f"{file}: {n} of {len(degrees)} rows have no position", DroppedRows)
    if len(known) < 2:  # noqa: PLR2004
        raise RouteError(f"{file} contains no line, only {len(known)} points")
    return FoundLine([known.to_numpy(dtype=float)])


def _keep_letters(name: str) -> str:
    """Return the letters of a column name, in lower case."""
    return "".join(sign for sign in name.lower() if sign.isalpha())


def _read_gdal_lines(
    file: Path, content: bytes, layer: str | None, where: str | None
) -> list[FoundLine]:
    """Read the lines of a layer in a format of GDAL."""
    with _unpack_to_disk(file, content) as source, naming_warnings(file.name):
        name = layer or _find_only_layer(source, file.name)
        table = _Layer(source, name, file.name).read(where)
    if not isinstance(table, gpd.GeoDataFrame):
        raise RouteError(f"layer {name!r} of {file.name} has no geometry")
    shapes = [_extract_lines(shape) for shape in table.geometry]
    kept = [i for i, parts in enumerate(shapes) if parts]
    if not kept:
        kinds = sorted(table.geom_type.dropna().unique())
        met = f" that meets {where!r}" if where else ""
        raise RouteError(
            f"{file.name} contains no line{met}" + (f", only {', '.join(kinds)}" if kinds else "")
        )
    if table.crs is None:
        raise QueryError(
            f"{file.name} has no coordinate reference system: read it with geopandas, use "
            "set_crs(...) and pass the one-row table instead of the file"
        )
    lines = gpd.GeoSeries([shapely.MultiLineString(shapes[i]) for i in kept], crs=table.crs)
    columns = table.drop(columns=table.geometry.name)
    return [
        FoundLine(
            [shapely.get_coordinates(part) for part in line.geoms],
            {str(n): str(v) for n, v in columns.iloc[i].items() if pd.notna(v)},
        )
        for i, line in zip(kept, lines.to_crs(CRS), strict=True)
    ]


@contextlib.contextmanager
def _unpack_to_disk(file: Path, content: bytes) -> Iterator[Path]:
    """Yield a file that GDAL can open: the file itself, or its unpacked content."""
    if file.suffix.lower() != ".gz":
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / file.stem
        unpacked.write_bytes(content)
        yield unpacked


def _extract_lines(shape: shapely.Geometry | None) -> list[shapely.LineString]:
    """Return the lines of a geometry, of its nested collections too."""
    if shape is None or shape.is_empty:
        return []
    if shape.geom_type == "LineString":
        return [shape]
    if shape.geom_type in ("MultiLineString", "GeometryCollection"):
        return [line for part in shape.geoms for line in _extract_lines(part)]
    return []


@dataclass(frozen=True)
class _Layer:
    """A layer that GDAL reads."""

    source: Any
    name: str | None
    file: str
    columns: list[str] | None = None

    def read(self, where: str | None) -> pd.DataFrame:
        """Return the rows, or those that meet a condition."""
        import pyogrio  # noqa: PLC0415 - only for formats of GDAL

        try:
            table: pd.DataFrame = gpd.read_file(
                self.source, layer=self.name, where=where, engine="pyogrio"
            )
        except shapely.errors.ShapelyError as error:
            raise RouteError(
                f"{self.file} contains a line of one point: remove it ({error})"
            ) from error
        except (OSError, RuntimeError, ValueError) as error:
            # GDAL 3.10 and older report an invalid condition like a layer that cannot be read.
            refusals = pyogrio.errors.FeatureError, pyogrio.errors.DataLayerError, ValueError
            if where and isinstance(error, refusals):
                raise self.refuse(where) from error
            raise RouteError(f"{self.file} cannot be read: {error}") from error
        return table

    def refuse(self, where: str) -> QueryError:
        """Return the error for an invalid condition, with the columns."""
        import pyogrio  # noqa: PLC0415 - only for formats of GDAL

        names = self.columns
        if names is None:
            names = [str(n) for n in pyogrio.read_info(self.source, layer=self.name)["fields"]]
        advice = "the file has no columns: choose by number, feature=0"
        if names:
            example = next((n for n in _NAMES if n in names), names[0])
            value = where if where.replace(" ", "").isalnum() else "..."
            advice = (
                f"its columns are {', '.join(map(repr, names[:_SHOWN]))}; write a condition such "
                f"as feature=\"{example} = '{value}'\""
            )
        return QueryError(
            f"feature={where!r} is not an SQL condition on the columns of {self.file}: {advice}"
        )


def _find_only_layer(source: Path, file: str) -> str:
    """Return the name of the only layer with lines."""
    import pyogrio  # noqa: PLC0415 - only for formats of GDAL

    try:
        layers = pyogrio.list_layers(source)
        known = [str(name) for name, kind in layers if _may_hold_lines(kind)]
        if len(known) > 1:
            known = [name for name in known if _count_features(source, name)]
    except (OSError, RuntimeError, ValueError) as error:
        raise RouteError(
            f"{file} is neither a route file (GPX, KML, TCX, GeoJSON, directions) nor a format "
            "that GDAL reads, or it is damaged"
        ) from error
    if not known:
        raise RouteError(f"{file} contains no line")
    if len(known) > 1:
        raise RouteError(f"{file} has {len(known)} layers: choose one of {known} with layer=")
    return known[0]


def _may_hold_lines(kind: str | None) -> bool:
    """Return whether a type of geometry in GDAL can contain lines."""
    return kind is not None and (
        "LineString" in kind or kind.startswith(("Unknown", "Geometry", "Curve", "MultiCurve"))
    )


def _count_features(source: Path, layer: str) -> int:
    """Return the number of features of a layer."""
    import pyogrio  # noqa: PLC0415 - only for formats of GDAL

    return int(pyogrio.read_info(source, layer=layer, force_feature_count=True)["features"])
