"""Carriageways: for each place of a road, the place beside it on the other line of that road.

Places of two lines are twins if they are near, run in the same direction or against it (within 30
degrees), and are far from each other along the network: more than five times as far as across,
and 200 m. Of each line the nearest place counts.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from ocm_geo.roads.edges import KM_PER_DEGREE, NearEdges, edges_near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads.chains import Axis

__all__ = ["Twins", "pair_carriageways", "twins_near"]

_COS_30 = np.cos(np.radians(30.0))
_TIMES, _MORE_KM = 5.0, 0.2
_STEP_KM = 0.1
_LEAST_SHARE = 0.8
_SIDEWAYS = 0.5
_SAME_KM = 1e-9


class Twins(NamedTuple):
    """
    Pairs of twin places; one row a pair.

    Parameters
    ----------
    query : numpy.ndarray of int
        Which of the places asked about.
    at_km : numpy.ndarray of float
        The twin, a kilometre of the axis.
    chain : numpy.ndarray of int
        The chain of the twin.
    same_way : numpy.ndarray of bool
        Whether both chains run the same way there.
    """

    query: NDArray[np.intp]
    at_km: NDArray[np.float64]
    chain: NDArray[np.intp]
    same_way: NDArray[np.bool_]


def twins_near(
    axis: Axis, at_km: NDArray[np.float64], edge: NDArray[np.intp], within_km: float
) -> Twins:
    """
    Find the twins of places.

    Parameters
    ----------
    axis : Axis
        The network.
    at_km : numpy.ndarray of float, shape (n,)
        Places, kilometres of the axis.
    edge : numpy.ndarray of int, shape (n,)
        The edges on which they lie.
    within_km : float
        Greatest distance between carriageways.

    Returns
    -------
    Twins
        At most one on each chain for a place.
    """
    # Three filters, cheapest first: heading, sideways, and distance along the network.
    xy = axis.place_at(edge, at_km)
    near = edges_near(axis.tree, (axis.xy0, axis.xy1), xy, within_km)
    cosine = _compute_cosines(axis, edge[near.point], near.edge)
    alike = (np.abs(cosine) >= _COS_30) & (near.away_km > 0)
    near, cosine = near.where(alike), cosine[alike]
    target = axis.edge_start_km[near.edge] + near.at * axis.km[near.edge]
    beside = _find_beside(axis, xy, near, target)
    # What is next to the place on its own chain hides no other line.
    own = axis.chain[near.edge] == axis.chain[edge][near.point]
    along = np.abs(target - at_km[near.point])
    beside &= ~(own & (along <= _TIMES * near.away_km + _MORE_KM))
    near, cosine, target = near.where(beside), cosine[beside], target[beside]
    chain = axis.chain[near.edge]
    # Of each line the nearest place counts: one twin for each place and chain.
    order = np.lexsort((target, near.away_km, chain, near.point))
    pair = np.column_stack([near.point, chain])[order]
    order = order[np.append(True, (np.diff(pair, axis=0) != 0).any(axis=1))[: len(order)]]
    point, limit = near.point[order], _TIMES * near.away_km[order] + _MORE_KM
    ways = _Ways(point, at_km[point], target[order], chain[order], limit)
    order = order[_find_far_apart(axis, ways, edge)]
    return Twins(near.point[order], target[order], chain[order], cosine[order] > 0)


class _Ways(NamedTuple):
    """Ways along the network: the number of the place, from where, to where, its chain, a limit."""

    point: NDArray[np.intp]
    place: NDArray[np.float64]
    target: NDArray[np.float64]
    chain: NDArray[np.intp]
    limit: NDArray[np.float64]


def _compute_cosines(
    axis: Axis, one: NDArray[np.intp], other: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Compare the headings of edges."""
    scale = np.cos(np.radians(axis.xy0[one, 1]))
    steps = []
    for edge in (one, other):
        step = axis.xy1[edge] - axis.xy0[edge]
        steps.append(np.column_stack([step[:, 0] * scale, step[:, 1]]))
    size = np.hypot(*steps[0].T) * np.hypot(*steps[1].T)
    product = np.einsum("ij,ij->i", *steps)
    return np.asarray(np.divide(product, size, out=np.zeros(len(one)), where=size > 0))


def _find_beside(
    axis: Axis, xy: NDArray[np.float64], near: NearEdges, target: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Leave out places at a junction that lie ahead or behind: the next chain has a nearer one."""
    chain = axis.chain[near.edge]
    nodes = np.stack([axis.start_node, axis.end_node])[:, chain]
    bounds = np.stack([axis.chain_start_km, axis.chain_end_km])[:, chain]
    # At a junction the nearest place of a chain may be its very end, ahead of the place and not
    # beside it.
    at_node = (np.abs(bounds - target) < _SAME_KM) & (axis.degree[nodes] > 1)
    scale = np.cos(np.radians(xy[near.point, 1]))[:, None] ** [1, 0]
    step = (axis.xy1[near.edge] - axis.xy0[near.edge]) * scale
    across = (axis.place_at(near.edge, target) - xy[near.point]) * scale
    size = np.hypot(*step.T) * np.hypot(*across.T)
    ahead = np.abs(np.einsum("ij,ij->i", step, across)) > _SIDEWAYS * size
    return np.asarray(~(at_node.any(axis=0) & ahead))


def _find_far_apart(axis: Axis, ways: _Ways, edge: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Find the targets that are farther along the network than a limit."""
    point, place, target, other, limit = ways
    chain = axis.chain[edge][point]
    # On its own chain the distance is a difference. To another chain the way passes a node: no
    # search is needed where both nodes of the place are farther away than the limit.
    far = np.asarray((chain != other) | (np.abs(place - target) > limit), dtype=bool)
    to_node = np.minimum(place - axis.chain_start_km[chain], axis.chain_end_km[chain] - place)
    unsure = np.flatnonzero(far & (to_node <= limit))
    if not len(unsure):
        return far
    # One search for each place serves all its targets, up to the widest of their limits.
    search = _NodeSearch(axis)
    for group in np.split(unsure, np.flatnonzero(np.diff(point[unsure])) + 1):
        km = search.nodes_from(
            float(place[group[0]]), int(chain[group[0]]), float(np.max(limit[group]))
        )
        for row in group.tolist():
            far[row] = search.way_to(km, float(target[row]), int(other[row])) > limit[row]
    return far


class _NodeSearch:
    """Ways from places along a network, within a limit."""

    def __init__(self, axis: Axis) -> None:
        self.bounds = axis.chain_start_km.tolist(), axis.chain_end_km.tolist()
        self.nodes = axis.start_node.tolist(), axis.end_node.tolist()
        self.at: dict[int, list[tuple[int, float]]] = {}
        lengths = (axis.chain_end_km - axis.chain_start_km).tolist()
        for start, end, km in zip(*self.nodes, lengths, strict=True):
            self.at.setdefault(start, []).append((end, km))
            self.at.setdefault(end, []).append((start, km))

    def nodes_from(self, place: float, chain: int, limit_km: float) -> dict[int, float]:
        """Find the nodes within a limit of a place."""
        done: dict[int, float] = {}
        heap = [
            (abs(place - bound[chain]), node[chain])
            for bound, node in zip(self.bounds, self.nodes, strict=True)
        ]
        heap.sort()
        while heap:
            km, here = heappop(heap)
            if here in done or km > limit_km:
                continue
            done[here] = km
            for there, step in self.at[here]:
                if there not in done and km + step <= limit_km:
                    heappush(heap, (km + step, there))
        return done

    def way_to(self, nodes: dict[int, float], target: float, chain: int) -> float:
        """Measure the shortest way to a place of a chain, by its ends."""
        ways = (
            nodes.get(node[chain], float("inf")) + abs(target - bound[chain])
            for bound, node in zip(self.bounds, self.nodes, strict=True)
        )
        return float(min(ways))


def pair_carriageways(axis: Axis, within_km: float) -> pd.DataFrame:
    """
    Find the stretches of a network that are carriageways of one road.

    Parameters
    ----------
    axis : Axis
        The network.
    within_km : float
        Greatest distance between carriageways.

    Returns
    -------
    pandas.DataFrame
        One row a short stretch and its twin: ``at_km`` (its middle, on the axis), ``km``,
        ``twin_km`` (on the axis) and ``same_way``. A chain counts if at least 80 % of it has twins.
    """
    some = _find_edges_beside_others(axis, within_km)
    count = np.maximum(np.ceil(axis.km[some] / _STEP_KM), 1).astype(np.intp)
    edge = np.repeat(some, count)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    km = axis.km[edge] / np.repeat(count, count)
    at_km = axis.edge_start_km[edge] + (rank + 0.5) * km
    twins = twins_near(axis, at_km, edge, within_km)
    has = np.zeros(len(edge), dtype=bool)
    has[twins.query] = True
    chain = axis.chain[edge]
    whole = axis.chain_end_km - axis.chain_start_km
    # A chain that is beside another for less than most of its length only passes it.
    divided = np.bincount(chain, np.where(has, km, 0.0), len(whole)) >= _LEAST_SHARE * whole
    keep = divided[chain[twins.query]]
    query = twins.query[keep]
    return pd.DataFrame(
        {
            "at_km": at_km[query],
            "km": km[query],
            "twin_km": twins.at_km[keep],
            "same_way": twins.same_way[keep],
        }
    )


def _find_edges_beside_others(axis: Axis, within_km: float) -> NDArray[np.intp]:
    """Find the edges that have another near them, in a like direction and not next in the chain."""
    low, high = np.minimum(axis.xy0, axis.xy1), np.maximum(axis.xy0, axis.xy1)
    dy = 1.01 * within_km / KM_PER_DEGREE
    dx = dy / np.cos(np.radians(np.clip(np.abs([low[:, 1], high[:, 1]]).max(axis=0), 0, 89.0)))
    margin = np.column_stack([dx, np.full_like(dx, dy)])
    one, other = axis.tree.query(shapely.box(*(low - margin).T, *(high + margin).T))
    between = np.maximum(axis.edge_start_km[other] - axis.edge_end_km[one],
                         axis.edge_start_km[one] - axis.edge_end_km[other])  # fmt: skip
    next_to = (axis.chain[one] == axis.chain[other]) & (between < _MORE_KM)
    one, other = one[~next_to], other[~next_to]
    return np.unique(one[np.abs(_compute_cosines(axis, one, other)) >= _COS_30])
