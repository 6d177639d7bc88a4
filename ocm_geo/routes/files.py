"""Routes from files: GPX, GeoJSON, KML, directions JSON, polylines, and whatever GDAL reads."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from ocm_geo.checks import check_km
from ocm_geo.errors import QueryError, RouteError, SuspectInput
from ocm_geo.geodesy import as_line
from ocm_geo.routes.directions import directions_lonlat, is_directions, read_directions
from ocm_geo.routes.joining import JOIN_KM, join
from ocm_geo.routes.plausibility import suspicion
from ocm_geo.routes.polylines import check_precision, route_from_polyline
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["route_from_file"]

_LINES = ("LineString", "MultiLineString")
_GPX_LAYERS = ("tracks", "routes")
_NAMES = ("name", "Name", "route", "ref", "title", "id")
_SHOWN = 8


def route_from_file(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    feature: int | str | None = None,
    precision: int | None = None,
    max_join_km: float = JOIN_KM,
) -> shapely.LineString:
    """
    Read a route from a file.

    Lines come from GPX (the track, else the route), GeoJSON, KML, FlatGeobuf, GeoPackage,
    Shapefile or another format of GDAL, in any coordinate reference system. Points and areas
    beside them are left out. Several lines and multi-part lines are joined in the order of the
    file. Directions JSON of OSRM, Valhalla, Mapbox and Google gives the geometry of the steps;
    a ``.polyline`` file holds one encoded text.

    Parameters
    ----------
    path : str or path-like
        The file.
    layer : str, optional
        Which layer, where several hold lines (``tracks`` or ``routes`` of a GPX file).
    feature : int or str, optional
        Which line: its position among the lines of the layer, from 0, or an SQL condition
        such as ``"ref = 'E30'"``. For directions: which of the alternatives; the first by
        default.
    precision : int, optional
        Decimals of encoded geometry, 5 or 6. By default: for directions the one whose length
        agrees with the printed distance (to 0.3 %, or 2 m); for a ``.polyline`` file 5, or 6
        where 5 gives no positions on Earth.
    max_join_km : float
        Longest piece, in km, that may be missing between two parts (10 m by default); a
        straight one is put in.

    Returns
    -------
    shapely.LineString
        The route in lon/lat.

    Raises
    ------
    RouteError
        If there is no such file, it holds no line, lines do not join, several could be meant,
        or a position is none on Earth.
    QueryError
        If a parameter is wrong, or the file names no coordinate reference system.

    Warns
    -----
    SuspectInput
        If the route jumps far between two points, or directions are read with a precision that
        does not agree with their printed length.

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
    file = Path(path)
    if not file.is_file() and file.suffix.lower() != ".gdb":
        raise RouteError(f"there is no file {str(path)!r}")
    join_km = check_km(max_join_km, "max_join_km")
    _check_feature(feature)
    if precision is not None:
        check_precision(precision)
    if file.suffix.lower() == ".polyline":
        return _from_polyline_file(file, precision)
    document = _json(file) if file.suffix.lower() == ".json" else None
    if document is not None and is_directions(document):
        lonlat = directions_lonlat(read_directions(document, _choice(feature)), precision)
    else:
        lonlat = _from_lines(file, _read_lines(file, layer, feature), feature, join_km)
    return _checked(file, lonlat)


def _check_feature(feature: object) -> None:
    whole = isinstance(feature, int | np.integer) and not isinstance(feature, bool)
    if feature is not None and not whole and not isinstance(feature, str):
        raise QueryError(f"feature must be a position or an SQL condition, not {feature!r}")


def _checked(file: Path, lonlat: NDArray[np.float64]) -> shapely.LineString:
    route = as_line(lonlat)
    if reason := suspicion(shapely.get_coordinates(route)):
        warnings.warn(f"the route of {file.name} is doubtful: {reason}", SuspectInput, stacklevel=3)
    return route


def _from_polyline_file(file: Path, precision: int | None) -> shapely.LineString:
    text = file.read_text(encoding="utf-8", errors="replace")
    if precision is not None:
        return route_from_polyline(text, precision)
    try:
        return route_from_polyline(text)
    except RouteError as error:
        try:
            return route_from_polyline(text, 6)
        except RouteError:
            raise error from None


def _json(file: Path) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise RouteError(f"{file.name} is no JSON: {error}") from error


def _choice(feature: int | str | None) -> int:
    if isinstance(feature, str):
        raise QueryError(f"feature={feature!r}: alternatives of directions are chosen by number")
    return 0 if feature is None else int(feature)


def _read_lines(file: Path, layer: str | None, feature: int | str | None) -> gpd.GeoDataFrame:
    """Read the lines of the one layer that is meant."""
    name = layer or _only_layer(file)
    where = feature if isinstance(feature, str) else None
    try:
        table = gpd.read_file(file, layer=name, where=where, engine="pyogrio")
    except (DataSourceError, DataLayerError, shapely.errors.ShapelyError, ValueError) as error:
        if where and isinstance(error, FeatureError | ValueError):
            raise QueryError(
                f"feature={where!r} is no SQL condition on the columns of {file.name}"
            ) from error
        if isinstance(error, shapely.errors.ShapelyError):
            raise RouteError(
                f"{file.name} holds a line or track segment of one point: take it out ({error})"
            ) from error
        raise RouteError(f"{file.name} cannot be read: {error}") from error
    if not isinstance(table, gpd.GeoDataFrame):
        raise RouteError(f"layer {name!r} of {file.name} holds no geometry")
    lines = table[table.geom_type.isin(_LINES) & ~table.geometry.is_empty]
    if lines.empty:
        kinds = sorted(table.geom_type.dropna().unique())
        met = f" that meets {where!r}" if where else ""
        raise RouteError(
            f"{file.name} holds no line{met}" + (f", only {', '.join(kinds)}" if kinds else "")
        )
    if lines.crs is None:
        raise QueryError(
            f"{file.name} names no coordinate reference system: read it with geopandas, use "
            "set_crs(...) and give the one-row table in place of the file"
        )
    return lines.to_crs(CRS)


def _only_layer(file: Path) -> str:
    """Name the one layer that holds lines: for GPX the tracks, else the routes."""
    try:
        layers = pyogrio.list_layers(file)
    except DataSourceError as error:
        raise RouteError(
            f"{file.name} is neither directions of OSRM, Valhalla, Mapbox or Google nor a "
            "format that GDAL reads, or it is damaged"
        ) from error
    known = [str(name) for name, kind in layers if _may_hold_lines(kind)]
    if file.suffix.lower() == ".gpx":
        known = [name for name in _GPX_LAYERS if _n_features(file, name)][:1]
    if len(known) > 1:
        known = [name for name in known if _n_features(file, name)]
    if not known:
        raise RouteError(f"{file.name} holds no line")
    if len(known) > 1:
        raise RouteError(f"{file.name} has {len(known)} layers: choose one of {known} with layer=")
    return known[0]


def _may_hold_lines(kind: str | None) -> bool:
    return kind is not None and (
        "LineString" in kind or kind.startswith(("Unknown", "Geometry", "Curve", "MultiCurve"))
    )


def _n_features(file: Path, layer: str) -> int:
    return int(pyogrio.read_info(file, layer=layer, force_feature_count=True)["features"])


def _from_lines(
    file: Path, lines: gpd.GeoDataFrame, feature: int | str | None, join_km: float
) -> NDArray[np.float64]:
    """Join the parts of the lines, or of the one line that is chosen."""
    if isinstance(feature, int | np.integer):
        if not 0 <= feature < len(lines):
            raise RouteError(f"there is no line {feature}: {file.name} holds {len(lines)}")
        lines = lines.iloc[[feature]]
    several = len(lines) > 1
    if several and file.suffix.lower() == ".gpx":
        raise RouteError(f"{file.name} holds {len(lines)} lines{_how_to_choose(lines)}")
    advice = _how_to_choose(lines) if several else ""
    parts = [shapely.get_coordinates(part) for part in shapely.get_parts(lines.geometry.array)]
    return join(
        [part for part in parts if len(part)],
        max_join_km=join_km,
        hint=f"{advice}; max_join_km= bridges longer gaps",
    )


def _how_to_choose(lines: gpd.GeoDataFrame) -> str:
    column = next((name for name in _NAMES if name in lines and lines[name].notna().any()), None)
    names = [] if column is None else lines[column].iloc[:_SHOWN].astype(str).tolist()
    shown = "".join(f" {i} {name!r}" for i, name in enumerate(names))
    more = " ..." if len(lines) > len(names) and names else ""
    sql = f" or feature=\"{column} = '{names[0]}'\"" if names else ""
    told = f" ({column}:{shown}{more})" if names else ""
    return f"; choose one with feature=0 to {len(lines) - 1}{sql}{told}"
