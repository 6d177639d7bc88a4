"""A network cut at points: segments, nodes, and the ways to the nearest points."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads.network import RoadNetwork
    from ocm_geo.roads.places import Places

__all__ = ["Arc", "Graph", "Label", "cut_at", "two_nearest"]

_SAME_KM = 1e-6
_TWO = 2
_TWIN_SHARE = 0.5
_TWIN_KM = 1.0


class Arc(NamedTuple):
    """A way over a segment: the segment, the node it leads to, and its length."""

    segment: int
    node: int
    km: float


class Label(NamedTuple):
    """A way between a node and a point: its length, the point, its first segment and next node."""

    km: float
    point: int
    segment: int
    node: int


@dataclass(frozen=True, eq=False)
class Graph:
    """
    Segments between nodes, and the points at nodes.

    Parameters
    ----------
    start, end : numpy.ndarray of int, shape (n,)
        The nodes of each segment.
    km : numpy.ndarray of float, shape (n,)
        Their lengths.
    points : list of list of int
        For each node the points there.
    twins : dict of int to list of int
        For segments that have one, the segments beside them on other carriageways.
    at_km : numpy.ndarray of float, shape (n,)
        Where each segment begins on the axis of the network.
    chain : numpy.ndarray of int, shape (n,)
        The chain of each.
    ways : numpy.ndarray of int, shape (n,)
        In which direction each may be driven: 0 both, 1 from start to end, -1 from end to start.
    """

    start: NDArray[np.intp]
    end: NDArray[np.intp]
    km: NDArray[np.float64]
    points: list[list[int]]
    twins: dict[int, list[int]] = field(default_factory=dict)
    at_km: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    chain: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    ways: NDArray[np.intp] | None = None

    @cached_property
    def undirected(self) -> Graph:
        """The same without directions."""
        return self if self.ways is None else replace(self, ways=None)

    @cached_property
    def out(self) -> list[list[Arc]]:
        """For each node the ways that leave it."""
        return self._list_arcs(1)

    @cached_property
    def into(self) -> list[list[Arc]]:
        """For each node the ways that lead to it, seen from it."""
        return self.out if self.ways is None else self._list_arcs(-1)

    def _list_arcs(self, sign: int) -> list[list[Arc]]:
        """List the ways from each node (sign 1), or those to it (-1)."""
        at: list[list[Arc]] = [[] for _ in self.points]
        columns = (self.start, self.end, self.km)
        ways = np.zeros(len(self.km), np.intp) if self.ways is None else sign * self.ways
        rows = zip(*(column.tolist() for column in columns), ways.tolist(), strict=True)
        for segment, (start, end, km, way) in enumerate(rows):
            if way >= 0:
                at[start].append(Arc(segment, end, km))
            if way <= 0:
                at[end].append(Arc(segment, start, km))
        return at

    @cached_property
    def has_point(self) -> NDArray[np.bool_]:
        """Return whether there is a point at each node."""
        return np.array([bool(points) for points in self.points], dtype=bool)

    @cached_property
    def labels_out(self) -> list[list[Label]]:
        """The ways from each node to its two nearest points."""
        return two_nearest(self.points, self.into)

    @cached_property
    def labels_into(self) -> list[list[Label]]:
        """The ways to each node from its two nearest points."""
        return self.labels_out if self.ways is None else two_nearest(self.points, self.out)

    @cached_property
    def nearest_km(self) -> NDArray[np.float64]:
        """The way from each node to its nearest point; infinite where there is none."""
        return np.array([near[0].km if near else np.inf for near in self.labels_out])


def two_nearest(points: list[list[int]], arcs: list[list[Arc]]) -> list[list[Label]]:
    """
    Find the ways between each node and its two nearest points, in one sweep.

    Parameters
    ----------
    points : list of list of int
        The points at each node.
    arcs : list of list of Arc
        The ways by which the sweep spreads.

    Returns
    -------
    list of list of Label
        Of each node at most two, of different points, the nearer first.
    """
    labels: list[list[Label]] = [[] for _ in points]
    heap = [(0.0, point, node, -1, -1) for node, here in enumerate(points) for point in here]
    heap.sort()
    while heap:
        km, point, node, segment, came = heappop(heap)
        # The heap yields ways by length: the first two of different points are the nearest two.
        have = labels[node]
        if len(have) == _TWO or (have and have[0].point == point):
            continue
        have.append(Label(km, point, segment, came))
        for over, there, length in arcs[node]:
            other = labels[there]
            if len(other) < _TWO and not (other and other[0].point == point):
                heappush(heap, (km + length, point, there, over, node))
    return labels


def cut_at(network: RoadNetwork, places: Places) -> Graph:
    """
    Cut a network at points.

    Parameters
    ----------
    network : RoadNetwork
        The network.
    places : Places
        Where the points lie; a point may lie at several places.

    Returns
    -------
    Graph
        The segments in the order of the axis.
    """
    axis = network.axis
    n = len(axis.node_xy)
    start, end = axis.chain_start_km, axis.chain_end_km
    chain, at = places.chain, places.at_km
    # Points at the ends of a chain are at its nodes; others make a new node, one for all points
    # less than 1 mm apart on the same chain.
    node = np.full(len(at), -1, dtype=np.intp)
    node[at >= end[chain] - _SAME_KM] = axis.end_node[chain][at >= end[chain] - _SAME_KM]
    node[at <= start[chain] + _SAME_KM] = axis.start_node[chain][at <= start[chain] + _SAME_KM]
    inner = np.flatnonzero(node < 0)
    inner = inner[np.lexsort((at[inner], chain[inner]))]
    new = (np.diff(chain[inner], prepend=-1) != 0) | (np.diff(at[inner], prepend=0) > _SAME_KM)
    node[inner] = n + np.cumsum(new) - 1
    cut_km, cut_chain, cut_node = at[inner[new]], chain[inner[new]], node[inner[new]]
    points: list[list[int]] = [[] for _ in range(n + len(cut_km))]
    for where, point in sorted(set(zip(node.tolist(), places.point.tolist(), strict=True))):
        points[where].append(point)
    every = np.arange(len(start))
    chains = np.concatenate([every, cut_chain])
    # Cuts split each chain: in the order of the axis, the i-th start belongs to the i-th end.
    first = np.lexsort((np.concatenate([start, cut_km]), chains))
    last = np.lexsort((np.concatenate([end, cut_km]), chains))
    begins = np.concatenate([start, cut_km])[first]
    return Graph(
        np.concatenate([axis.start_node, cut_node])[first],
        np.concatenate([axis.end_node, cut_node])[last],
        np.concatenate([end, cut_km])[last] - begins,
        points,
        _find_twin_segments(network, begins, np.concatenate([end, cut_km])[last]),
        begins,
        chains[first],
        axis.ways[chains[first]] if axis.ways.any() else None,
    )


def _find_twin_segments(
    network: RoadNetwork, start_km: NDArray[np.float64], end_km: NDArray[np.float64]
) -> dict[int, list[int]]:
    """Find the segments that run beside each other for a good part of one of them, or 1 km."""
    pairs = network.pairs
    if not len(pairs):
        return {}
    n = len(start_km)
    one, other = (
        np.searchsorted(start_km, pairs[name].to_numpy(), side="right") - 1
        for name in ("at_km", "twin_km")
    )
    both, code = np.unique(np.concatenate([one * n + other, other * n + one]), return_inverse=True)
    km = np.bincount(code, np.tile(pairs["km"].to_numpy() / 2, 2))
    length = end_km - start_km
    a, b = both // n, both % n
    # Short common stretches, at a junction say, do not make two segments carriageways of one road.
    enough = np.minimum(_TWIN_SHARE * np.minimum(length[a], length[b]), _TWIN_KM)
    twins: dict[int, list[int]] = {}
    for segment, twin in zip(*(c[(km >= enough) & (a != b)].tolist() for c in (a, b)), strict=True):
        twins.setdefault(segment, []).append(twin)
    return twins
