"""A road network as a graph: lines joined at their ends, cut where pools stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ocm_geo.geodesy import to_ecef_km
from ocm_geo.standards.noding import (
    SAME_PLACE_KM,
    Lines,
    cut,
    cut_at_crossings,
    cut_at_ends,
    cut_at_shared,
    lengths,
    nearest_places,
    without_repeats,
)

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["Network", "Noding", "network_of", "noded"]

Noding: TypeAlias = Literal["ends", "vertices", "crossings"]


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
    second : numpy.ndarray of int, shape (m,)
        For each node another pool that stands there; -1 for none.
    report : dict
        How the network was made: ``n_nodes``, ``n_segments``, ``n_components``,
        ``n_moved_ends``, ``n_pools_on_road``.
    """

    geometry: NDArray[np.object_]
    line: NDArray[np.intp]
    start: NDArray[np.intp]
    end: NDArray[np.intp]
    length_km: NDArray[np.float64]
    pool: NDArray[np.intp]
    second: NDArray[np.intp]
    report: dict[str, object]


def noded(lines: Lines, *, snap_m: float, noding: Noding) -> tuple[Lines, dict[str, object]]:
    """
    Cut roads where they join.

    Parameters
    ----------
    lines : Lines
        Roads.
    snap_m : float
        Lines are cut where the end of another is this near.
    noding : {"ends", "vertices", "crossings"}
        Whether roads join only at their ends, at vertices that they share too, or wherever they
        cross.

    Returns
    -------
    lines : Lines
        The pieces, each once.
    report : dict
        ``noding``, ``snap_m``, ``n_lines``, and ``repeated_km``, the length of roads that run
        together and now count once.
    """
    n_lines = len(lines.geometry)
    if noding == "crossings":
        lines = cut_at_crossings(lines)
    elif noding == "vertices":
        lines = cut_at_shared(lines)
    lines, repeated_km = without_repeats(cut_at_ends(lines, snap_m / 1000.0))
    report: dict[str, object] = {"noding": noding, "snap_m": snap_m, "n_lines": n_lines}
    return lines, {**report, "repeated_km": repeated_km}


def network_of(
    lines: Lines, pools: gpd.GeoSeries, within_km: float, *, snap_m: float = 20.0
) -> Network:
    """
    Make a network, with the pools on it.

    Parameters
    ----------
    lines : Lines
        Roads, as `noded` cuts them.
    pools : geopandas.GeoSeries
        Positions, EPSG:4326. Each stands at its nearest place of the network, if that is near
        enough.
    within_km : float
        How near.
    snap_m : float
        Ends of lines this near to each other are one node.

    Returns
    -------
    Network
        The network.
    """
    segment, at_km = nearest_places(lines.geometry, np.column_stack([pools.x, pools.y]), within_km)
    on_road = np.flatnonzero(segment >= 0)
    (geometry, row), cut_xy = cut(lines, segment[on_road], at_km[on_road])
    ends = np.vstack([shapely.get_coordinates(shapely.get_point(geometry, i)) for i in (0, -1)])
    node, moved = _nodes(ends, snap_m / 1000.0, cut_xy)
    n = len(geometry)
    pool = np.full(len(np.unique(node)), -1, dtype=np.intp)
    second = pool.copy()
    tree = cKDTree(to_ecef_km(*ends.T))
    # No way between pools needs more than two of those that stand at one place.
    for place, xy in zip(on_road[::-1], cut_xy[::-1], strict=True):
        here = node[tree.query(to_ecef_km(*xy))[1]]
        pool[here], second[here] = place, pool[here]
    start, end = node[:n], node[n:]
    links = coo_array((np.ones(n), (start, end)), shape=(len(pool), len(pool)))
    report: dict[str, object] = {
        "n_nodes": len(pool),
        "n_segments": n,
        "n_components": int(connected_components(links, directed=False)[0]),
        "n_moved_ends": moved,
        "n_pools_on_road": len(on_road),
    }
    return Network(geometry, row, start, end, lengths(geometry), pool, second, report)


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
        is_pool |= np.asarray(cKDTree(to_ecef_km(*fixed.T)).query(xyz)[0]) <= SAME_PLACE_KM
    pairs = cKDTree(xyz).query_pairs(max(snap_km, SAME_PLACE_KM), output_type="ndarray")
    gap = np.linalg.norm(xyz[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1)
    keep = (gap <= SAME_PLACE_KM) | ~(is_pool[pairs[:, 0]] | is_pool[pairs[:, 1]])
    pairs, gap = pairs[keep], gap[keep]
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(ends), len(ends)))
    node = np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)
    return node, len(np.unique(pairs[gap > SAME_PLACE_KM]))
