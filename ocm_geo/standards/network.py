"""A road network as a graph: lines joined at their ends, cut where pools stand."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ocm_geo.errors import RouteError
from ocm_geo.geodesy import distance_km, to_ecef_km
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["Network", "Noding", "nearest_places", "network_of", "single_lines"]

Noding: TypeAlias = Literal["ends", "crossings"]

KM_PER_DEGREE = 111.32
_SAME_PLACE_KM = 1e-6


class Network(NamedTuple):
    """
    Segments between nodes.

    Parameters
    ----------
    geometry : numpy.ndarray of shapely.LineString, shape (n,)
        The segments, lon/lat.
    line : numpy.ndarray of int, shape (n,)
        The row of the input that each is a piece of.
    start, end : numpy.ndarray of int, shape (n,)
        Their nodes.
    length_km : numpy.ndarray of float, shape (n,)
        Their geodesic lengths.
    pool : numpy.ndarray of int, shape (m,)
        For each node the pool that stands there; -1 for none.
    report : dict
        How the network was made: ``noding``, ``snap_m``, ``n_lines``, ``n_nodes``,
        ``n_segments``, ``n_components``, ``n_moved_ends``, ``n_pools_on_road``.
    """

    geometry: NDArray[np.object_]
    line: NDArray[np.intp]
    start: NDArray[np.intp]
    end: NDArray[np.intp]
    length_km: NDArray[np.float64]
    pool: NDArray[np.intp]
    report: dict[str, object]


class _Pieces(NamedTuple):
    """The straight pieces of segments, and places on them."""

    segment: NDArray[np.intp]
    xy0: NDArray[np.float64]
    xy1: NDArray[np.float64]
    before_km: NDArray[np.float64]
    length_km: NDArray[np.float64]


def network_of(
    lines: gpd.GeoDataFrame | gpd.GeoSeries,
    pools: gpd.GeoSeries,
    within_km: float,
    *,
    snap_m: float = 20.0,
    noding: Noding = "ends",
) -> Network:
    """
    Make a network, with the pools on it.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame or geopandas.GeoSeries
        Roads: LineStrings or MultiLineStrings.
    pools : geopandas.GeoSeries
        Positions, EPSG:4326. Each stands at its nearest place of the network, if that is near
        enough.
    within_km : float
        How near.
    snap_m : float
        Ends of lines this near to each other are one node; lines are cut where the end of
        another is this near.
    noding : {"ends", "crossings"}
        Whether roads join only at their ends, or wherever they cross.

    Returns
    -------
    Network
        The network.

    Raises
    ------
    RouteError
        If there is no line.
    """
    geometry, line = single_lines(lines)
    n_lines = len(geometry)
    if noding == "crossings":
        geometry, line = _cut_at_crossings(geometry, line)
    geometry, line = _cut_at_ends(geometry, line, snap_m / 1000.0)
    segment, at_km, _ = nearest_places(geometry, _lonlat(pools), within_km)
    on_road = np.flatnonzero(segment >= 0)
    geometry, line, cut_xy = _cut(geometry, line, segment[on_road], at_km[on_road])
    ends = np.vstack([shapely.get_coordinates(shapely.get_point(geometry, i)) for i in (0, -1)])
    node, moved = _nodes(ends, snap_m / 1000.0, cut_xy)
    n = len(geometry)
    pool = np.full(len(np.unique(node)), -1, dtype=np.intp)
    tree = cKDTree(to_ecef_km(*ends.T))
    # Pools that stand at one place are one boundary: the first stands for all.
    for row, xy in zip(on_road[::-1], cut_xy[::-1], strict=True):
        pool[node[tree.query(to_ecef_km(*xy))[1]]] = row
    start, end = node[:n], node[n:]
    links = coo_array((np.ones(n), (start, end)), shape=(len(pool), len(pool)))
    report: dict[str, object] = {
        "noding": noding,
        "snap_m": snap_m,
        "n_lines": n_lines,
        "n_nodes": len(pool),
        "n_segments": n,
        "n_components": int(connected_components(links, directed=False)[0]),
        "n_moved_ends": moved,
        "n_pools_on_road": len(on_road),
    }
    return Network(geometry, line, start, end, _lengths(geometry), pool, report)


def _lonlat(points: gpd.GeoSeries) -> NDArray[np.float64]:
    return np.column_stack([points.x, points.y])


def single_lines(
    lines: gpd.GeoDataFrame | gpd.GeoSeries,
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """
    Take roads apart into single lines.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame or geopandas.GeoSeries
        LineStrings or MultiLineStrings.

    Returns
    -------
    tuple of numpy.ndarray
        The lines in lon/lat, and the row of each.

    Raises
    ------
    RouteError
        If there is no line of any length, another geometry, or no coordinate reference system.
    """
    if lines.crs is None:
        raise RouteError("lines: there is no coordinate reference system; use set_crs('EPSG:4326')")
    geometry = lines.geometry.to_crs(CRS)
    geometry = geometry[geometry.notna() & ~geometry.is_empty]
    parts, row = shapely.get_parts(geometry.to_numpy(), return_index=True)
    kinds = shapely.get_type_id(parts)
    if (kinds != 1).any():
        wrong = geometry.iloc[int(row[np.flatnonzero(kinds != 1)[0]])].geom_type
        raise RouteError(f"lines must be LineStrings or MultiLineStrings: one is a {wrong}")
    parts = shapely.force_2d(parts)
    used = _lengths(parts) > _SAME_PLACE_KM
    if not used.any():
        raise RouteError("lines holds no line of any length: give the roads of the network")
    return parts[used], row[used].astype(np.intp)


def _lengths(geometry: NDArray[np.object_]) -> NDArray[np.float64]:
    pieces = _pieces(geometry)
    return np.bincount(pieces.segment, pieces.length_km, len(geometry))


def _pieces(geometry: NDArray[np.object_]) -> _Pieces:
    xy, row = shapely.get_coordinates(geometry, return_index=True)
    inner = np.flatnonzero(np.diff(row) == 0)
    xy0, xy1 = xy[inner], xy[inner + 1]
    length = distance_km(*xy0.T, *xy1.T)
    total = np.cumsum(length) - length
    segment = row[inner].astype(np.intp)
    first = np.searchsorted(segment, segment)
    return _Pieces(segment, xy0, xy1, total - total[first], length)


def _cut_at_crossings(
    geometry: NDArray[np.object_], line: NDArray[np.intp]
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Cut all lines wherever they meet; keep a stretch that several share once."""
    cut = shapely.get_parts(shapely.node(shapely.multilinestrings(geometry)))
    tree = shapely.STRtree(geometry)
    middle = shapely.line_interpolate_point(cut, 0.5, normalized=True)
    return cut, line[tree.nearest(middle)]


def _cut_at_ends(
    geometry: NDArray[np.object_], line: NDArray[np.intp], snap_km: float
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Cut lines where another line ends."""
    if snap_km <= 0:
        return geometry, line
    ends = np.vstack([shapely.get_coordinates(shapely.get_point(geometry, i)) for i in (0, -1)])
    own = np.tile(np.arange(len(geometry)), 2)
    pieces, point, piece, at_km, away = _places_near(geometry, ends, snap_km)
    total = np.bincount(pieces.segment, pieces.length_km, len(geometry))
    segment = pieces.segment[piece]
    inside = (at_km > snap_km) & (at_km < total[segment] - snap_km) & (own[point] != segment)
    point, segment, at_km, away = point[inside], segment[inside], at_km[inside], away[inside]
    # One cut for each end and segment, at the nearest place.
    order = np.lexsort((away, segment, point))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(point[order]) != 0) | (np.diff(segment[order]) != 0)
    keep = order[first]
    cut, row, _ = _cut(geometry, line, segment[keep], at_km[keep])
    return cut, row


def _places_near(
    geometry: NDArray[np.object_], lonlat: NDArray[np.float64], within_km: float
) -> tuple[_Pieces, NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """
    Find the places of straight pieces near points.

    Gives the pieces; then, by pair: the point, the piece, the km of the foot along the segment,
    and the geodesic distance. The foot is found in a plane that touches at the point.
    """
    pieces = _pieces(geometry)
    tree = shapely.STRtree(shapely.linestrings(np.stack([pieces.xy0, pieces.xy1], axis=1)))
    scale = np.cos(np.radians(np.clip(lonlat[:, 1], -89.0, 89.0)))
    dy = 1.01 * within_km / KM_PER_DEGREE
    dx = dy / scale
    boxes = shapely.box(
        *(lonlat - np.column_stack([dx, np.full_like(dx, dy)])).T,
        *(lonlat + np.column_stack([dx, np.full_like(dx, dy)])).T,
    )
    point, piece = tree.query(boxes)
    stretch = np.column_stack([scale[point], np.ones(len(point))])
    a = (pieces.xy0[piece] - lonlat[point]) * stretch
    b = (pieces.xy1[piece] - lonlat[point]) * stretch
    step = b - a
    square = np.einsum("ij,ij->i", step, step)
    t = -np.einsum("ij,ij->i", a, step) / np.where(square > 0, square, 1.0)
    t = np.clip(t, 0.0, 1.0)
    foot = pieces.xy0[piece] + t[:, None] * (pieces.xy1 - pieces.xy0)[piece]
    away = distance_km(*foot.T, *lonlat[point].T)
    at_km = pieces.before_km[piece] + t * pieces.length_km[piece]
    near = away <= within_km
    return pieces, point[near], piece[near], at_km[near], away[near]


def nearest_places(
    geometry: NDArray[np.object_], lonlat: NDArray[np.float64], within_km: float
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """
    Find the nearest place of lines for each point.

    Parameters
    ----------
    geometry : numpy.ndarray of shapely.LineString
        The lines, lon/lat.
    lonlat : numpy.ndarray of shape (n, 2)
        Points.
    within_km : float
        Greatest distance.

    Returns
    -------
    tuple of numpy.ndarray
        For each point the line (-1 where all are too far), the km along it, and the distance.
    """
    segment = np.full(len(lonlat), -1, dtype=np.intp)
    at, least = np.zeros(len(lonlat)), np.full(len(lonlat), np.inf)
    if not len(lonlat):
        return segment, at, least
    pieces, point, piece, at_km, away = _places_near(geometry, lonlat, within_km)
    order = np.lexsort((pieces.segment[piece], away, point))
    first = order[np.diff(point[order], prepend=-1) > 0]
    segment[point[first]] = pieces.segment[piece[first]]
    at[point[first]], least[point[first]] = at_km[first], away[first]
    return segment, at, least


def _cut(
    geometry: NDArray[np.object_],
    line: NDArray[np.intp],
    segment: NDArray[np.intp],
    at_km: NDArray[np.float64],
) -> tuple[NDArray[np.object_], NDArray[np.intp], NDArray[np.float64]]:
    """Cut segments at distances along them; give the places of the cuts too."""
    lengths = _lengths(geometry)
    places = np.empty((len(segment), 2))
    done: dict[int, list[shapely.LineString]] = {}
    for one in np.unique(segment):
        rows = np.flatnonzero(segment == one)
        rows = rows[np.argsort(at_km[rows], kind="stable")]
        done[int(one)], places[rows] = _cut_one(geometry[one], at_km[rows], lengths[one])
    pieces = [done.get(i, [part]) for i, part in enumerate(geometry)]
    count = [len(parts) for parts in pieces]
    flat = np.array([part for parts in pieces for part in parts], dtype=object)
    return flat, np.repeat(line, count), places


def _cut_one(
    part: shapely.LineString, at_km: NDArray[np.float64], length_km: float
) -> tuple[list[shapely.LineString], NDArray[np.float64]]:
    xy = shapely.get_coordinates(part)
    marks = np.append(0.0, np.cumsum(distance_km(*xy[:-1].T, *xy[1:].T)))
    at = np.clip(at_km, 0.0, length_km)
    # A cut within 1 mm of an end is that end.
    at = np.where(
        at < _SAME_PLACE_KM, 0.0, np.where(at > length_km - _SAME_PLACE_KM, marks[-1], at)
    )
    places = np.column_stack([np.interp(at, marks, xy[:, axis]) for axis in (0, 1)])
    bounds = np.unique(np.concatenate([[0.0], at, [marks[-1]]]))
    pieces = []
    for low, high in pairwise(bounds.tolist()):
        inner = (marks > low) & (marks < high)
        ends = [[np.interp(v, marks, xy[:, axis]) for axis in (0, 1)] for v in (low, high)]
        pieces.append(shapely.LineString(np.vstack([ends[:1], xy[inner], ends[1:]])))
    return pieces, places


def _nodes(
    ends: NDArray[np.float64], snap_km: float, fixed: NDArray[np.float64]
) -> tuple[NDArray[np.intp], int]:
    """
    Give each end the number of its node; count the ends that this moved.

    Cuts where pools stand join only what is at the same place: two pools near each other stay two.
    """
    xyz = to_ecef_km(*ends.T)
    is_pool = np.zeros(len(ends), dtype=bool)
    if len(fixed):
        is_pool |= np.asarray(cKDTree(to_ecef_km(*fixed.T)).query(xyz)[0]) <= _SAME_PLACE_KM
    pairs = cKDTree(xyz).query_pairs(max(snap_km, _SAME_PLACE_KM), output_type="ndarray")
    gap = np.linalg.norm(xyz[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1)
    keep = (gap <= _SAME_PLACE_KM) | ~(is_pool[pairs[:, 0]] | is_pool[pairs[:, 1]])
    pairs, gap = pairs[keep], gap[keep]
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(ends), len(ends)))
    node = np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)
    return node, len(np.unique(pairs[gap > _SAME_PLACE_KM]))
