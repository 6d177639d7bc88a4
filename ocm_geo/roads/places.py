"""Positions of points on a network: the nearest, and its twin on another carriageway."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.geodesy import distance_km
from ocm_geo.roads.edges import edges_near
from ocm_geo.roads.twins import twins_near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads.chains import Axis
    from ocm_geo.roads.network import RoadNetwork

__all__ = ["AT_END_KM", "Places", "nearest_places", "place_points"]

_TWIN_KM = 0.5
_FIRST_SHARE = 16.0
_MORE = 4.0
AT_END_KM = 1e-3
"""A place this near to a dead end is the end: beside a last vertex the foot may lie just inside."""


class Places(NamedTuple):
    """
    Places of points on a network; one row a place.

    Parameters
    ----------
    point : numpy.ndarray of int
        The point.
    at_km : numpy.ndarray of float
        The kilometre of the axis.
    chain : numpy.ndarray of int
        The chain.
    is_right : numpy.ndarray of bool
        Whether the point lies on the right of its nearest road, in the direction of its chain.
    """

    point: NDArray[np.intp]
    at_km: NDArray[np.float64]
    chain: NDArray[np.intp]
    is_right: NDArray[np.bool_]

    def where(self, keep: NDArray[np.bool_]) -> Places:
        """Select places."""
        return Places._make(column[keep] for column in self)


def nearest_places(
    axis: Axis, lonlat: NDArray[np.float64], within_km: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """
    Find the nearest place of a network for each point.

    Parameters
    ----------
    axis : Axis
        The network.
    lonlat : numpy.ndarray of shape (n, 2)
        Points.
    within_km : float
        Greatest distance; inclusive.

    Returns
    -------
    point, edge : numpy.ndarray of int
        The points that are near enough, and the edges.
    at_km : numpy.ndarray of float
        The kilometre of the axis.
    """
    left = np.arange(len(lonlat))
    found = []
    reach = within_km / _FIRST_SHARE
    # Most points are near a road: few need the wide search.
    while len(left):
        reach = min(_MORE * reach, 1.01 * within_km)
        near = edges_near(axis.tree, (axis.xy0, axis.xy1), lonlat[left], reach)
        # Ties to 1 mm go to the first edge of the axis, whatever the order of the tree.
        order = np.lexsort((near.edge, np.round(near.away_km, 9), near.point))
        first = order[np.diff(near.point[order], prepend=-1) > 0]
        edge = near.edge[first]
        at = axis.edge_start_km[edge] + near.at[first] * axis.km[edge]
        found.append((left[near.point[first]], edge, at))
        left = np.delete(left, near.point[first])
        if reach >= within_km:
            break
    point, edge, at = (
        (np.concatenate(c) for c in zip(*found, strict=True)) if found else _make_no_places()
    )
    # The search is planar and a little wide: the geodesic decides at the limit.
    foot = axis.place_at(edge, at)
    near_enough = distance_km(*lonlat[point].T, *foot.T) <= within_km
    order = np.argsort(point[near_enough], kind="stable")
    return tuple(column[near_enough][order] for column in (point, edge, at))  # type: ignore[return-value]


def _make_no_places() -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)


def place_points(network: RoadNetwork, lonlat: NDArray[np.float64], within_km: float) -> Places:
    """
    Place points on a network.

    Parameters
    ----------
    network : RoadNetwork
        The network.
    lonlat : numpy.ndarray of shape (n, 2)
        Points.
    within_km : float
        Greatest distance from a road, in a straight line.

    Returns
    -------
    Places
        For each point near enough its nearest place, and the place beside it on each other line
        of the same road that is within the distance, too. Less than 1 m from a dead end, a point
        is moved to the end.
    """
    axis = network.axis
    point, edge, at = nearest_places(axis, lonlat, within_km)
    chain = axis.chain[edge]
    side = _find_points_on_right(axis, edge, lonlat[point])
    places = Places(point, at, chain, side)
    if float(str(network.report["carriageway_m"])) > 0 and len(point):
        twins = twins_near(axis, at, edge, _TWIN_KM)
        query = twins.query
        # The side is told in the direction of the chain on which the twin lies.
        right = side[query] == twins.same_way
        more = Places(point[query], twins.at_km, twins.chain, right)
        foot = axis.place_at(_find_edges_at(axis, more), more.at_km)
        more = more.where(distance_km(*lonlat[more.point].T, *foot.T) <= within_km)
        places = Places._make(np.concatenate(c) for c in zip(places, more, strict=True))
    return places._replace(at_km=_move_to_dead_ends(axis, places))


def _find_edges_at(axis: Axis, places: Places) -> NDArray[np.intp]:
    """Find the edges of places."""
    edge = np.searchsorted(axis.edge_end_km, places.at_km, side="left")
    low = axis.first_edge[places.chain]
    high = np.append(axis.first_edge[1:], len(axis.km))[places.chain] - 1
    return np.clip(edge, low, high)


def _find_points_on_right(
    axis: Axis, edge: NDArray[np.intp], lonlat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Find the points on the right of edges."""
    step, to = axis.xy1[edge] - axis.xy0[edge], lonlat - axis.xy0[edge]
    return np.asarray(step[:, 0] * to[:, 1] - step[:, 1] * to[:, 0] < 0)


def _move_to_dead_ends(axis: Axis, places: Places) -> NDArray[np.float64]:
    """Move places that are less than 1 m from a dead end to that end."""
    at = places.at_km.copy()
    bounds = (
        (axis.chain_start_km, axis.start_node),
        (axis.chain_end_km, axis.end_node),
    )
    for bound, node in bounds:
        end = bound[places.chain]
        dead = axis.degree[node[places.chain]] == 1
        move = dead & (np.abs(places.at_km - end) <= AT_END_KM)
        at[move] = end[move]
    return at
