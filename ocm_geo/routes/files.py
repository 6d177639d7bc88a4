"""Read routes from files: GPX, KML, TCX, GeoJSON, tables, directions, polylines, GDAL formats."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.checks import check_km, short_form, warn_user
from ocm_geo.errors import QueryError, RouteError, SuspectInput
from ocm_geo.geodesy import Line, as_line, as_polygons
from ocm_geo.paths import expand_path
from ocm_geo.routes.clipping import clip_parts
from ocm_geo.routes.directions import directions_lonlat, is_directions, list_routes, read_directions
from ocm_geo.routes.joining import JOIN_KM, join
from ocm_geo.routes.lines import find_lines, unpack
from ocm_geo.routes.plausibility import suspicion
from ocm_geo.routes.polylines import check_precision, route_from_polyline

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.routes.tracks import FoundLine

__all__ = ["route_from_file"]

_BINARY = (".gpkg", ".fgb", ".shp", ".zip", ".gdb", ".parquet", ".dbf", ".tab", ".sqlite", ".pbf")
_NAMES = ("name", "Name", "route", "ref", "title", "id")
_SHOWN = 8


def route_from_file(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    feature: int | str | None = None,
    precision: int | None = None,
    max_join_km: float = JOIN_KM,
    clip: object = None,
) -> shapely.LineString:
    """
    Read a route from a file.

    Lines come from GPX (the track, else the route), KML and KMZ, TCX, GeoJSON, a table of points
    (``.csv`` with columns such as ``lon`` and ``lat``, one point a row), FlatGeobuf, GeoPackage,
    Shapefile or another format of GDAL in any coordinate reference system; each also packed as
    ``.gz``. Points and areas are ignored, and so are segments of a single point.
    Several lines and multi-part lines are joined in the order of the file. Of directions JSON
    (OSRM route, match and trip, Valhalla, Mapbox, Google, openrouteservice and GraphHopper) the
    most detailed geometry is read; a ``.polyline`` file contains one encoded text.

    Parameters
    ----------
    path : str or path-like
        The file; ``~`` is the home folder.
    layer : str, optional
        The layer, if several contain lines: ``tracks`` or ``routes`` of a GPX file, the name of
        a folder of a KML file.
    feature : int or str, optional
        The line: its position among the lines of the layer, from 0, or an SQL condition such
        as ``"ref = 'E30'"``. For directions, the number of the alternative; by default the
        first, with a warning if there are others.
    precision : int, optional
        Decimals of encoded geometry, 5 or 6. By default: for directions the one whose length
        agrees with the printed distance (to 0.3 %, or 2 m); for a ``.polyline`` file 5, or 6
        if 5 gives positions that are not on Earth.
    max_join_km : float
        Longest gap between two parts, in km (by default 10 m), that is bridged with a straight
        line.
    clip : shapely geometry, GeoSeries or GeoDataFrame, optional
        An area: whatever lies outside is cut off before parts are joined, so that faults of the
        file elsewhere do not matter. If the route leaves the area and returns, the longest piece
        is used, with a warning.

    Returns
    -------
    shapely.LineString
        The route in lon/lat.

    Raises
    ------
    RouteError
        If the file does not exist, is damaged or contains no line, lines do not join, several
        lines are possible, nothing lies inside ``clip``, or a position is not on Earth.
    QueryError
        If a parameter is invalid, or the file has no coordinate reference system.

    Warns
    -----
    SuspectInput
        If the route jumps far between two points, ``clip`` leaves several pieces, directions
        contain several routes and none was chosen, or their length at the given precision does
        not agree with the printed one.
    InexactMethod
        If directions contain only an overview and no length to compare it with.
    DroppedRows
        If rows of a table have no position.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> import ocm_geo as ocm
    >>> line = {"type": "LineString", "coordinates": [[5.1, 52.1], [5.4, 52.2]]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "road.geojson")
    ...     _ = path.write_text(json.dumps(line))
    ...     ocm.route_from_file(path).wkt
    'LINESTRING (5.1 52.1, 5.4 52.2)'
    """
    file = expand_path(path)
    if not file.is_file() and not (file.suffix.lower() == ".gdb" and file.is_dir()):
        folder = ": it is a folder" if file.is_dir() else ""
        raise RouteError(f"there is no file {str(path)!r}{folder}")
    join_km = check_km(max_join_km, "max_join_km")
    _check_feature(feature)
    if precision is not None:
        check_precision(precision)
    choice = _Choice(
        layer, feature, precision, join_km, None if clip is None else as_polygons(clip)
    )
    with _name_file_in_errors(file):
        lonlat = _read_route_positions(file, choice)
        return _check_route(file, lonlat)


@dataclass(frozen=True)
class _Choice:
    """Which part of a file to read, and how."""

    layer: str | None
    feature: int | str | None
    precision: int | None
    join_km: float
    clip: shapely.Geometry | None


def _check_feature(feature: object) -> None:
    """Check that a choice is a position or a text."""
    whole = isinstance(feature, int | np.integer) and not isinstance(feature, bool)
    if feature is not None and not whole and not isinstance(feature, str):
        raise QueryError(
            f"feature must be a position or an SQL condition, not {short_form(feature)}"
        )


@contextlib.contextmanager
def _name_file_in_errors(file: Path) -> Iterator[None]:
    """Add the name of the file to errors that lack it."""
    try:
        yield
    except (RouteError, QueryError) as error:
        if file.name in str(error):
            raise
        raise type(error)(f"{file.name}: {error}") from error


def _read_route_positions(file: Path, choice: _Choice) -> NDArray[np.float64]:
    """Return the positions of the route in a file of any format."""
    binary = file.suffix.lower() in _BINARY
    content, name = (b"", file.name) if binary else unpack(file)
    if name.lower().endswith(".polyline"):
        line = shapely.get_coordinates(_decode_polyline_file(content, choice.precision))
        return join(_clip_route([line], file, choice))
    document = _parse_directions(content, name)
    if document is not None:
        line = _take_directions(file, document, choice.feature, choice.precision)
        return join(_clip_route([line], file, choice))
    where = choice.feature if isinstance(choice.feature, str) else None
    return _join_lines(file, find_lines(file, content, choice.layer, where), choice)


def _clip_route(
    parts: list[NDArray[np.float64]], file: Path, choice: _Choice
) -> list[NDArray[np.float64]]:
    """Return the longest chain of parts inside the area; all parts without an area."""
    if choice.clip is None:
        return parts
    chains = clip_parts(parts, choice.clip, choice.join_km)
    if not chains:
        raise RouteError(f"no part of the route of {file.name} lies inside the area of clip=")
    lengths = [sum(Line(piece).length_km for piece in chain) for chain in chains]
    longest = int(np.argmax(lengths))
    if len(chains) > 1:
        rest = sum(lengths) - lengths[longest]
        warn_user(
            f"the route of {file.name} leaves the area and returns: of {len(chains)} pieces the "
            f"longest, {lengths[longest]:.1f} km, is used and {rest:.1f} km are left out",
            SuspectInput,
        )
    return chains[longest]


def _check_route(file: Path, lonlat: NDArray[np.float64]) -> shapely.LineString:
    """Return the positions as a route and warn if it is improbable."""
    route = as_line(lonlat)
    if reason := suspicion(shapely.get_coordinates(route)):
        warn_user(f"the route of {file.name} is uncertain: {reason}", SuspectInput)
    return route


def _decode_polyline_file(content: bytes, precision: int | None) -> shapely.LineString:
    """Decode a file that contains one encoded text."""
    text = content.decode("utf-8-sig", errors="replace")
    if precision is not None:
        return route_from_polyline(text, precision)
    try:
        return route_from_polyline(text)
    except RouteError as error:
        try:
            return route_from_polyline(text, 6)
        except RouteError:
            raise error from None


def _parse_directions(content: bytes, name: str) -> dict[str, Any] | None:
    """Return the answer of a routing engine; None if the file is something else."""
    is_geojson = name.lower().endswith(".geojson")
    start = content[:100].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    if not start.startswith((b"{", b"[")) and not name.lower().endswith(".json"):
        return None
    if start.startswith(b"<") or (is_geojson and b'"metadata"' not in content):
        return None
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RouteError(f"{name} is not valid JSON or is cut off: {error}") from error
    return document if is_directions(document) else None


def _take_directions(
    file: Path, document: dict[str, Any], feature: int | str | None, precision: int | None
) -> NDArray[np.float64]:
    """Return the positions of the chosen route of an engine's answer."""
    if isinstance(feature, str):
        raise QueryError(f"feature={feature!r}: choose an alternative of directions by number")
    directions = read_directions(document, 0 if feature is None else int(feature))
    n_routes = len(list_routes(document))
    if feature is None and n_routes > 1:
        warn_user(
            f"{file.name} contains {n_routes} routes: the first is used; choose one with feature=0 "
            f"to {n_routes - 1}",
            SuspectInput,
        )
    return directions_lonlat(directions, precision)


def _join_lines(file: Path, lines: list[FoundLine], choice: _Choice) -> NDArray[np.float64]:
    """Join the parts of the lines, or of the chosen line."""
    feature = choice.feature
    if isinstance(feature, int | np.integer):
        if not 0 <= feature < len(lines):
            raise RouteError(f"there is no line {feature}: {file.name} contains {len(lines)}")
        lines = [lines[int(feature)]]
    advice = _advise_choice(lines) if len(lines) > 1 else ""
    if advice and ".gpx" in file.name.lower():
        raise RouteError(f"{file.name} contains {len(lines)} lines{advice}")
    return join(
        _clip_route([part for line in lines for part in line.parts], file, choice),
        max_join_km=choice.join_km,
        hint=f"{advice}; max_join_km= bridges longer gaps",
    )


def _advise_choice(lines: list[FoundLine]) -> str:
    """Return the advice on how to choose one of several lines."""
    column = next((n for n in _NAMES if any(line.columns.get(n) for line in lines)), None)
    names = [] if column is None else [line.columns.get(column, "") for line in lines[:_SHOWN]]
    shown = "".join(f" {i} {name!r}" for i, name in enumerate(names))
    more = " ..." if len(lines) > len(names) and names else ""
    sql = f" or feature=\"{column} = '{names[0]}'\"" if names else ""
    told = f" ({column}:{shown}{more})" if names else ""
    return f"; choose one with feature=0 to {len(lines) - 1}{sql}{told}"
