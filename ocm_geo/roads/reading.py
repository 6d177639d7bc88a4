"""Lines of users, read and made into single lines in lon/lat."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.checks import warn_user
from ocm_geo.errors import DroppedRows, RouteError, SuspectInput
from ocm_geo.files.styles import choose_layer
from ocm_geo.geodesy import distance_km, split_antimeridian
from ocm_geo.geodesy.antimeridian import continuous
from ocm_geo.geodesy.distance import GEOD
from ocm_geo.paths import expand_path
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.roads.options import NetworkOptions

__all__ = ["Lines", "RoadLines", "edge_lengths", "lines_frame", "read_lines"]

RoadLines: TypeAlias = (
    "gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry | Sequence[shapely.Geometry] "
    "| str | os.PathLike[str]"
)

_LONG_KM = 10.0
_SHORT_NETWORK_KM = 0.1
_HALF_TURN = 180.0
_MAX_LAT = 90.0
_MAX_LON = 540.0
_SHOWN = 5
_ONEWAY = {
    **dict.fromkeys(("yes", "true", "1", "1.0"), 1),
    **dict.fromkeys(("-1", "reverse", "-1.0"), -1),
    **dict.fromkeys(("no", "false", "0", "0.0", "", "reversible", "alternating"), 0),
}


class Lines(NamedTuple):
    """
    Single lines, and where they come from.

    Parameters
    ----------
    xy : numpy.ndarray of shape (n, 2)
        The vertices of all lines, lon/lat.
    part : numpy.ndarray of int, shape (n,)
        The single line of each vertex, ascending.
    row : numpy.ndarray of int, shape (m,)
        The row of the input that each single line is a part of.
    scale : numpy.ndarray of float, shape (m,)
        What the drawn length of each is multiplied by.
    counts : numpy.ndarray of bool, shape (m,)
        Whether each counts in lengths and shares.
    ways : numpy.ndarray of int, shape (m,)
        In which direction each may be driven: 0 both, 1 as drawn, -1 against it.
    table : pandas.DataFrame
        The columns and index of the input, without geometry.
    n_dropped : int
        Rows without a usable geometry.
    """

    xy: NDArray[np.float64]
    part: NDArray[np.intp]
    row: NDArray[np.intp]
    scale: NDArray[np.float64]
    counts: NDArray[np.bool_]
    ways: NDArray[np.intp]
    table: pd.DataFrame
    n_dropped: int


def lines_frame(lines: RoadLines, options: NetworkOptions) -> gpd.GeoDataFrame:
    """
    Read lines into a table.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame, geopandas.GeoSeries, geometries or path
        LineStrings or MultiLineStrings; geometries without a table are taken as lon/lat. A path
        is a file of lines, or an OpenStreetMap extract (``.osm.pbf``).
    options : NetworkOptions
        Which classes of an extract are read.

    Returns
    -------
    geopandas.GeoDataFrame
        The lines, EPSG:4326.

    Raises
    ------
    RouteError
        If it is none of these, or has no coordinate reference system.
    """
    if isinstance(lines, str | os.PathLike):
        lines = _read_road_file(expand_path(lines, "lines"), options)
    if isinstance(lines, gpd.GeoSeries):
        lines = gpd.GeoDataFrame(geometry=lines)
    if isinstance(lines, gpd.GeoDataFrame):
        if lines.crs is None:
            raise RouteError(
                "lines: there is no coordinate reference system; use set_crs('EPSG:4326')"
            )
        return lines.to_crs(CRS)
    shapes = [lines] if isinstance(lines, shapely.Geometry) else lines
    try:
        return gpd.GeoDataFrame(geometry=gpd.GeoSeries(list(shapes), crs=CRS))
    except (TypeError, ValueError) as error:
        raise RouteError(
            f"lines must be a GeoDataFrame, a GeoSeries, geometries in lon/lat or a path of a "
            f"file, not {type(lines).__name__}"
        ) from error


def _read_road_file(path: Path, options: NetworkOptions) -> gpd.GeoDataFrame:
    """Read a file of lines through GDAL; of an OpenStreetMap extract, the chosen classes."""
    import pyogrio  # noqa: PLC0415 - loaded when needed
    from pyogrio.errors import DataSourceError, FieldError  # noqa: PLC0415

    if not path.exists():
        raise RouteError(f"lines: the file {path} does not exist")
    asked: dict[str, Any] = {}
    if path.suffix in {".pbf", ".osm"}:
        names = ", ".join(f"'{name}'" for name in options.highways)
        asked = {"layer": "lines", "where": f"highway IN ({names})"}
    elif layer := choose_layer(path):
        asked = {"layer": layer}
    try:
        found: gpd.GeoDataFrame = pyogrio.read_dataframe(path, **asked)
    except (DataSourceError, FieldError, ValueError) as error:
        raise RouteError(f"{path} cannot be read as lines: {error}") from error
    if "geometry" not in found:
        raise RouteError(f"{path} has no geometry")
    if "where" in asked and not len(found):
        raise RouteError(
            f"{path} has no way of the classes {', '.join(options.highways)}: name others with "
            "NetworkOptions(highways=...)"
        )
    return _add_oneway_column(found) if "where" in asked else found


def _add_oneway_column(found: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add the tag ``oneway`` of an extract as a column; motorways are one-way without it."""
    if "other_tags" not in found or "oneway" in found:
        return found
    tag = found["other_tags"].astype("string").str.extract(r'"oneway"=>"([^"]*)"')[0]
    return found.assign(oneway=tag.mask(tag.isna() & (found["highway"] == "motorway"), "yes"))


def read_lines(lines: RoadLines, options: NetworkOptions) -> Lines:
    """
    Read lines, and take them apart into single ones.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame, geopandas.GeoSeries, geometries or path
        See `lines_frame`.
    options : NetworkOptions
        Columns of lengths and of what counts.

    Returns
    -------
    Lines
        Split at the antimeridian; edges over 10 km have places of their geodesic between.

    Raises
    ------
    RouteError
        If there is no line of any length, or another geometry.

    Warns
    -----
    DroppedRows
        If rows have no geometry, or a coordinate that is not finite.
    SuspectInput
        If all lines together are shorter than 100 m.
    """
    frame = lines_frame(lines, options)
    parts, row, n_dropped = _explode_lines(frame)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    same = part[1:] == part[:-1]
    km = np.bincount(part[1:][same], edge_lengths(xy[:-1][same], xy[1:][same]), len(parts))
    if not km.sum() > 0:
        raise RouteError("lines has no line of any length: pass the roads of the network")
    if km.sum() < _SHORT_NETWORK_KM:
        warn_user(
            f"the lines are {1000 * km.sum():.2f} m long in all: are degrees labelled as metres? "
            "Check the coordinate reference system",
            SuspectInput,
        )
    scale = _read_length_scales(frame, options.length_column, km, row)
    counts = _read_counting_rows(frame, options.count_column)[row]
    ways = _read_directions(frame, options.oneway_column)[row]
    table = pd.DataFrame(frame).drop(columns=frame.geometry.name)
    return Lines(xy, part.astype(np.intp), row, scale, counts, ways, table, n_dropped)


def _explode_lines(
    frame: gpd.GeoDataFrame,
) -> tuple[NDArray[np.object_], NDArray[np.intp], int]:
    """Explode lines, leave out rows without a place, and make long edges geodesics."""
    geometry = frame.geometry.to_numpy()
    usable = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    finite = np.isfinite(np.where(usable[:, None], shapely.bounds(geometry), 0)).all(axis=1)
    usable &= finite & _find_finite_rows(geometry)
    _warn_of_dropped_lines(frame.index[~usable], len(frame))
    parts, row = shapely.get_parts(geometry[usable], return_index=True)
    row = np.flatnonzero(usable)[row]
    kinds = shapely.get_type_id(parts)
    wrong = np.flatnonzero(~np.isin(kinds, [1, 2]))
    if len(wrong):
        raise RouteError(
            f"lines must be LineStrings or MultiLineStrings: one is a {parts[wrong[0]].geom_type}"
        )
    _check_degrees(parts)
    parts = _densify_geodesics(shapely.force_2d(parts))
    pieces, of_part = shapely.get_parts(
        [_split_at_antimeridian(p) for p in parts], return_index=True
    )
    return pieces, row[of_part].astype(np.intp), int((~usable).sum())


def _find_finite_rows(geometry: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Find the rows whose coordinates are all finite."""
    xy, of = shapely.get_coordinates(geometry, return_index=True)
    bad = ~np.isfinite(xy).all(axis=1)
    return np.asarray(np.bincount(of[bad], minlength=len(geometry)) == 0)


def _warn_of_dropped_lines(rows: pd.Index, n_all: int) -> None:
    """Warn of rows without a usable geometry."""
    if not len(rows):
        return
    shown = ", ".join(map(repr, rows[:_SHOWN].tolist())) + (", ..." if len(rows) > _SHOWN else "")
    warn_user(
        f"{len(rows)} of {n_all} lines were left out, their geometry being empty, missing or with "
        f"a coordinate that is not finite: rows {shown}",
        DroppedRows,
    )


def _check_degrees(parts: NDArray[np.object_]) -> None:
    """Refuse coordinates that are not degrees."""
    if not len(parts):
        return
    west, south, east, north = shapely.total_bounds(parts)
    if max(-south, north) > _MAX_LAT or max(-west, east) > _MAX_LON:
        raise RouteError(
            f"lines: coordinates up to ({east:g}, {north:g}) are not degrees of longitude and "
            "latitude: check the coordinate reference system"
        )


def _densify_geodesics(parts: NDArray[np.object_]) -> NDArray[np.object_]:
    """Add vertices on the geodesic to long edges, so that straight edges in lon/lat stay on it."""
    xy, of = shapely.get_coordinates(parts, return_index=True)
    same = of[1:] == of[:-1]
    # No degree is longer than 111.7 km: short edges need no measuring.
    long = same & (np.abs(np.diff(xy, axis=0)).sum(axis=1) * 111.7 > _LONG_KM)
    rows = np.flatnonzero(long)
    count = (edge_lengths(xy[rows], xy[rows + 1]) / _LONG_KM).astype(int)
    rows, count = rows[count > 0], count[count > 0]
    if not len(rows):
        return parts
    between = [
        GEOD.npts(xy[row, 0], xy[row, 1], xy[row + 1, 0], xy[row + 1, 1], n)
        for row, n in zip(rows.tolist(), count, strict=True)
    ]
    at = np.repeat(rows, count)
    result = parts.copy()
    changed = np.isin(of, of[rows])
    more = np.vstack([np.array(one).reshape(-1, 2) for one in between])
    # New vertices sort between the two of their edge, in their own order.
    order = np.argsort(np.concatenate([np.flatnonzero(changed), at + 0.5]), kind="stable")
    line = np.concatenate([of[changed], of[at]])[order]
    code, ones = pd.factorize(line)
    result[ones] = shapely.linestrings(np.vstack([xy[changed], more])[order], indices=code)
    return result


def _split_at_antimeridian(part: shapely.LineString) -> shapely.Geometry:
    """Split a line where it crosses the antimeridian; others are returned as they are."""
    xy = shapely.get_coordinates(part)
    if (np.abs(np.diff(xy[:, 0])) <= _HALF_TURN).all() and np.abs(xy[:, 0]).max() <= _HALF_TURN:
        return part
    return split_antimeridian(shapely.LineString(continuous(xy)))


def edge_lengths(xy0: NDArray[np.float64], xy1: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Measure straight edges.

    Parameters
    ----------
    xy0, xy1 : numpy.ndarray of shape (n, 2)
        Their ends, lon/lat.

    Returns
    -------
    numpy.ndarray of float
        Geodesic lengths, km.
    """
    return distance_km(*xy0.T, *xy1.T)


def _read_length_scales(
    frame: gpd.GeoDataFrame, column: str | None, km: NDArray[np.float64], row: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Compare the lengths in a column with those drawn."""
    if column is None:
        return np.ones(len(km))
    given = pd.to_numeric(_get_column(frame, column), errors="coerce").to_numpy(float)
    if not (np.isfinite(given) & (given >= 0)).all():
        raise RouteError(f"lines: {column!r} must be lengths in km, each 0 or more, none missing")
    # The parts of a row share its length in proportion to what is drawn of each.
    drawn = np.bincount(row, km, len(frame))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(drawn > 0, given / drawn, 1.0)
    return np.asarray(scale[row])


def _read_counting_rows(frame: gpd.GeoDataFrame, column: str | None) -> NDArray[np.bool_]:
    """Read which lines count."""
    if column is None:
        return np.ones(len(frame), dtype=bool)
    values = _get_column(frame, column)
    if not pd.api.types.is_bool_dtype(values.dtype) or values.isna().any():
        raise RouteError(f"lines: {column!r} must be True or False in each row")
    return values.to_numpy(dtype=bool)


def _read_directions(frame: gpd.GeoDataFrame, column: str | None) -> NDArray[np.intp]:
    """Read in which direction lines may be driven."""
    if column is None:
        return np.zeros(len(frame), dtype=np.intp)
    words = _get_column(frame, column).astype("string").str.strip().str.lower().fillna("no")
    ways = words.map(_ONEWAY)
    if ways.isna().any():
        wrong = words[ways.isna()].iloc[0]
        raise RouteError(f"lines: {column!r} must be yes, no or -1 in each row, not {wrong!r}")
    return np.asarray(ways, dtype=np.intp)


def _get_column(frame: gpd.GeoDataFrame, name: str) -> pd.Series:
    """Return a column that an option names."""
    if name not in frame:
        raise RouteError(f"lines has no column {name!r}; it has {', '.join(map(str, frame))}")
    found: pd.Series = frame[name]
    return found
