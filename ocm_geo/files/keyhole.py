"""Write and read KML: placemarks with names and descriptions, columns as extended data."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.files.markup import Node, parse_markup, xml_text
from ocm_geo.files.restoring import parse_facts
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.files.columns import Packed

__all__ = ["kml_positions", "kml_shape", "read_kml", "write_kml"]

_KEY = "ocm_geo"
_NAMES = ("title", "name", "Name")
_SHAPES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack")
_MAX_SHOWN = 200
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
_MULTI = {
    "Point": shapely.MultiPoint,
    "LineString": shapely.MultiLineString,
    "Polygon": shapely.MultiPolygon,
}


def write_kml(packed: Packed, path: Path) -> None:
    """
    Write a table as KML.

    Parameters
    ----------
    packed : Packed
        The table.
    path : pathlib.Path
        The path to write.
    """
    texts = {str(name): as_texts(values) for name, values in packed.columns.items()}
    facts = xml_text(json.dumps(packed.facts, ensure_ascii=False))
    names = _choose_placemark_names(packed, texts)
    shapes = [] if packed.geometry is None else packed.geometry.tolist()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{_HEAD}<name>{xml_text(path.stem)}</name>\n")
        file.write(f"<ExtendedData>{_write_data(_KEY, facts)}</ExtendedData>\n")
        for shape, name, *row in zip(shapes, names, *texts.values(), strict=True):
            named = [(n, v) for n, v in zip(texts, row, strict=True) if v is not None]
            data = "".join(_write_data(n, xml_text(v)) for n, v in named)
            file.write(
                f"<Placemark><name>{xml_text(name)}</name>"
                f"<description>{xml_text(_write_description(named))}</description>"
                f"<ExtendedData>{data}</ExtendedData>"
                f"{_write_shape(shape)}</Placemark>\n"
            )
        file.write("</Document>\n</kml>\n")


def as_texts(values: pd.Series) -> list[str | None]:
    """
    Return the values of a plain column as texts.

    Parameters
    ----------
    values : pandas.Series
        Booleans, numbers, texts or times.

    Returns
    -------
    list
        Texts; None if a value is missing.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = values.map(pd.Timestamp.isoformat, na_action="ignore")
    found = values.astype(object).where(values.notna(), None).tolist()
    return [None if value is None else str(value) for value in found]


def _choose_placemark_names(packed: Packed, texts: dict[str, list[str | None]]) -> list[str]:
    """Return the name of each placemark: its title, else its index, else its number."""
    n_rows = len(packed.columns)
    index = [column["name"] for column in packed.facts["columns"][: packed.facts["n_index"]]]
    chosen: list[str | None] = [None] * n_rows
    for source in [next((n for n in _NAMES if n in texts), None), *index[:1]]:
        if source is not None:
            chosen = [old or new for old, new in zip(chosen, texts[source], strict=True)]
    return [name or str(i) for i, name in enumerate(chosen)]


def _write_description(row: list[tuple[str, str]]) -> str:
    """Return the short values of a row as HTML, one on each line."""
    shown = [(n, v) for n, v in row if len(v) <= _MAX_SHOWN and v[:1] not in ("[", "{")]
    return "<br>".join(f"<b>{html.escape(n)}</b>: {html.escape(v)}" for n, v in shown)


def _write_data(name: str, value: str) -> str:
    return f'<Data name="{xml_text(name)}"><value>{value}</value></Data>'


def _write_shape(shape: shapely.Geometry | None) -> str:
    """Return a geometry as KML."""
    if shape is None or shape.is_empty:
        return ""
    kind = shape.geom_type
    if hasattr(shape, "geoms"):
        return f"<MultiGeometry>{''.join(map(_write_shape, shape.geoms))}</MultiGeometry>"
    if kind == "Polygon":
        inner = "".join(
            f"<innerBoundaryIs>{_write_ring(ring)}</innerBoundaryIs>" for ring in shape.interiors
        )
        outer = f"<outerBoundaryIs>{_write_ring(shape.exterior)}</outerBoundaryIs>"
        return f"<Polygon>{outer}{inner}</Polygon>"
    return f"<{kind}>{_write_coordinates(shape)}</{kind}>"


def _write_ring(ring: shapely.LinearRing) -> str:
    return f"<LinearRing>{_write_coordinates(ring)}</LinearRing>"


def _write_coordinates(shape: shapely.Geometry) -> str:
    rows = shapely.get_coordinates(shape, include_z=shape.has_z).tolist()
    return f"<coordinates>{' '.join(','.join(map(repr, row)) for row in rows)}</coordinates>"


def read_kml(path: Path) -> tuple[pd.DataFrame, gpd.GeoSeries, dict[str, Any]]:
    """
    Read the placemarks of a KML file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple
        Columns of texts, geometry and the facts of `write_kml`.

    Raises
    ------
    QueryError
        If it is not KML or is damaged.
    """
    root = parse_markup(path.read_bytes(), path.name)
    if root.tag != "kml":
        raise QueryError(f"{path.name} is XML but not KML: its root is {root.tag!r}")
    facts = _read_document_facts(root)
    marks = list(root.every("Placemark"))
    shapes = [kml_shape(mark, path.name) for mark in marks]
    rows = [_read_placemark_row(mark, own=bool(facts)) for mark in marks]
    names = (
        [column["name"] for column in facts["columns"]]
        if facts
        else list(dict.fromkeys(n for row in rows for n in row))
    )
    columns = pd.DataFrame(
        {n: pd.array([row.get(n) for row in rows], dtype="string") for n in names},
        index=pd.RangeIndex(len(rows)),
    )
    geometry = gpd.GeoSeries(pd.Series(shapes, dtype=object), crs=CRS, name="geometry")
    return columns, geometry, facts


def _read_document_facts(root: Node) -> dict[str, Any]:
    """Return the facts in the extended data of the document."""
    document = root.first("Document")
    extended = None if document is None else document.first("ExtendedData")
    for data in [] if extended is None else extended.all("Data"):
        if data.attributes.get("name") == _KEY:
            return parse_facts(data.text_of("value"))
    return {}


def _read_placemark_row(mark: Node, *, own: bool) -> dict[str, str]:
    """Return the values of a placemark."""
    row = {} if own else {tag: mark.text_of(tag) for tag in ("name", "description")}
    for extended in mark.all("ExtendedData"):
        for data in extended.all("Data"):
            value = data.first("value")
            row[data.attributes.get("name", "")] = "" if value is None else value.text
        for data in extended.every("SimpleData"):
            row[data.attributes.get("name", "")] = data.text
    return row


def kml_shape(node: Node, file: str) -> shapely.Geometry | None:
    """
    Return the geometry of a placemark.

    Parameters
    ----------
    node : Node
        A ``Placemark`` or ``MultiGeometry``.
    file : str
        Name of the file, for messages.

    Returns
    -------
    shapely.Geometry or None
        The geometry in lon/lat; None without one.

    Raises
    ------
    QueryError
        If coordinates are not numbers, or too few.
    """
    found = node.all(*_SHAPES)
    parts = [part for part in (_read_shape(child, file) for child in found) if part is not None]
    if node.tag == "Placemark":
        return parts[0] if parts else None
    kinds = {part.geom_type for part in parts}
    if len(kinds) == 1 and (kind := kinds.pop()) in _MULTI:
        return _MULTI[kind](parts)
    return shapely.GeometryCollection(parts) if parts else None


def _read_shape(node: Node, file: str) -> shapely.Geometry | None:
    """Return the geometry of one element."""
    if node.tag in ("MultiGeometry", "MultiTrack"):
        return kml_shape(node, file)
    try:
        if node.tag == "Polygon":
            rings = [kml_positions(ring, file) for ring in node.every("LinearRing")]
            return shapely.Polygon(rings[0], rings[1:]) if rings else None
        positions = kml_positions(node, file)
        if not len(positions) or (node.tag == "Track" and len(positions) == 1):
            return None
        if node.tag == "Point":
            return shapely.Point(positions[0])
        return shapely.LineString(positions)
    except (ValueError, shapely.errors.ShapelyError) as error:
        raise QueryError(f"{file}: a {node.tag} is damaged: {error}") from error


def kml_positions(node: Node, file: str) -> NDArray[np.float64]:
    """
    Return the positions of an element with coordinates.

    Parameters
    ----------
    node : Node
        ``LineString``, ``LinearRing``, ``Point`` or ``Track``.
    file : str
        Name of the file, for messages.

    Returns
    -------
    numpy.ndarray, shape (n, 2) or (n, 3)
        Longitude, latitude and, if all have one, height.

    Raises
    ------
    QueryError
        If they are not numbers, or written with decimal commas.
    """
    if node.tag == "Track":
        rows = [coord.text.split() for coord in node.all("coord")]
    else:
        text = re.sub(r"\s*,\s*", ",", node.text_of("coordinates"))
        rows = [group.split(",") for group in text.split()]
    return _parse_coordinates(rows, file)


def _parse_coordinates(rows: Sequence[Sequence[str]], file: str) -> NDArray[np.float64]:
    """Return groups of two or three numbers as an array."""
    for row in rows:
        if not 2 <= len(row) <= 3:  # noqa: PLR2004
            raise QueryError(
                f"{file}: the coordinates {','.join(row)[:60]!r} are not lon,lat[,height]: "
                "decimal commas, or a damaged file"
            )
    size = min((len(row) for row in rows), default=2)
    try:
        return np.array([row[:size] for row in rows], dtype=float).reshape(-1, size)
    except ValueError as error:
        raise QueryError(f"{file}: coordinates are not numbers ({error})") from error
