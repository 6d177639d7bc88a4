"""The three readings of 'a pool at least every so many kilometres' on a meshed network.

A segment is served by pools at its two ends. Let D be the spacing:

- *some-path*: it passes if its length and the distances from its ends to two different pools
  add up to at most D, on ways that do not turn back over it.
- *branch*: where it fails so, the whole unbranched chain of segments to the next junction or
  qualifying pool fails.
- *every-path*: it fails if it lies on the shortest way between two pools with no pool between
  them and that way is longer than D; on no such way at all, it is unserved and fails.

The first two have a laxer form, ``same_pool``, in which one pool may serve both ends of a segment
by a way that turns back over it. A gap of any length then passes for the first D / 2 beside each of
its pools, and a dead end with one pool passes too: no reading of the law, but that by which the
one published national study was made.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocm_geo.standards.network import Network

__all__ = ["Judged", "branch", "every_path", "some_path"]

_TOLERANCE_KM = 1e-6
_TWO = 2


class Judged(NamedTuple):
    """
    What a reading says of each segment.

    Parameters
    ----------
    passes : numpy.ndarray of bool
        Whether it passes.
    between_km : numpy.ndarray of float
        The distance between the two pools that decides: the least through the segment
        (some-path, branch), or the greatest (every-path). Infinite where it was not looked for,
        being more than the spacing, or where there is none.
    unserved : numpy.ndarray of bool
        Whether no way between two pools uses the segment, where the reading looks for all.
    """

    passes: NDArray[np.bool_]
    between_km: NDArray[np.float64]
    unserved: NDArray[np.bool_]


class _Label(NamedTuple):
    """A way from a node to a pool: its length, the pool, and its first segment (-1: none)."""

    km: float
    pool: int
    segment: int


class _Roads:
    """The neighbours of every node: segment, other end, length."""

    def __init__(self, network: Network) -> None:
        self.network = network
        pairs = zip(network.pool.tolist(), network.second.tolist(), strict=True)
        self.pools = [[pool for pool in pair if pool >= 0] for pair in pairs]
        self.at: list[list[tuple[int, int, float]]] = [[] for _ in self.pools]
        ways = zip(
            network.start.tolist(), network.end.tolist(), network.length_km.tolist(), strict=True
        )
        for segment, (start, end, km) in enumerate(ways):
            self.at[start].append((segment, end, km))
            self.at[end].append((segment, start, km))

    def two_nearest(self) -> list[list[_Label]]:
        """Give each node the ways to its two nearest pools."""
        labels: list[list[_Label]] = [[] for _ in self.pools]
        heap: list[tuple[float, int, int, int]] = [
            (0.0, pool, node, -1) for node, pools in enumerate(self.pools) for pool in pools
        ]
        while heap:
            km, pool, node, segment = heappop(heap)
            have = labels[node]
            if len(have) == _TWO or (have and have[0].pool == pool):
                continue
            have.append(_Label(km, pool, segment))
            for other, there, length in self.at[node]:
                if len(labels[there]) < _TWO:
                    heappush(heap, (km + length, pool, there, other))
        return labels

    def two_without(self, node: int, without: int, limit_km: float) -> list[_Label]:
        """Give the ways from a node to its two nearest pools that do not use a segment."""
        found: list[_Label] = []
        done: set[int] = set()
        heap = [(0.0, node)]
        while heap and len(found) < _TWO:
            km, here = heappop(heap)
            if here in done:
                continue
            done.add(here)
            # Pools stand at one place each, so that each is met once.
            found += [_Label(km, pool, -1) for pool in self.pools[here]]
            for segment, there, length in self.at[here]:
                if segment != without and there not in done and km + length <= limit_km:
                    heappush(heap, (km + length, there))
        return found


def some_path(network: Network, spacing_km: float, *, same_pool: bool = False) -> Judged:
    """
    Judge by the shortest way between two different pools through each segment.

    Parameters
    ----------
    network : Network
        The network; its pools qualify.
    spacing_km : float
        The greatest distance between pools.
    same_pool : bool
        Let one pool serve both ends.

    Returns
    -------
    Judged
        By segment. Ways much longer than the spacing may be given as infinite.
    """
    find = _nearest_pools if same_pool else _two_pools
    between = find(network, spacing_km) + network.length_km
    passes = between <= spacing_km + _TOLERANCE_KM
    return Judged(passes, between, np.zeros_like(passes))


def _nearest_pools(network: Network, _: float) -> NDArray[np.float64]:
    """Add up the ways from both ends to the pools nearest to them."""
    labels = _Roads(network).two_nearest()
    nearest = np.array([near[0].km if near else np.inf for near in labels])
    return np.asarray(nearest[network.start] + nearest[network.end])


def _two_pools(network: Network, spacing_km: float) -> NDArray[np.float64]:
    """Add up the ways from both ends to two different pools, none back over the segment."""
    roads = _Roads(network)
    labels = roads.two_nearest()
    between = np.full(len(network.length_km), np.inf)
    ends = zip(network.start.tolist(), network.end.tolist(), strict=True)
    for segment, nodes in enumerate(ends):
        near = [
            _avoiding(roads, labels[node], node, segment, limit_km=spacing_km) for node in nodes
        ]
        ways = [a.km + b.km for a, b in product(*near) if a.pool != b.pool]
        between[segment] = min(ways, default=np.inf)
    return between


def _avoiding(
    roads: _Roads, near: list[_Label], node: int, segment: int, *, limit_km: float
) -> list[_Label]:
    """Give the ways from an end of a segment that do not turn back over it."""
    if any(label.segment == segment for label in near):
        return roads.two_without(node, segment, limit_km)
    return near


def branch(network: Network, spacing_km: float, *, same_pool: bool = False) -> Judged:
    """
    Judge as `some_path`, and let the chain of a failing segment fail with it.

    Parameters
    ----------
    network : Network
        The network; its pools qualify.
    spacing_km : float
        The greatest distance between pools.
    same_pool : bool
        Let one pool serve both ends; a chain then also goes on through a junction whose other
        branches all fail.

    Returns
    -------
    Judged
        By segment.
    """
    some = some_path(network, spacing_km, same_pool=same_pool)
    if same_pool:
        return some._replace(passes=~_spread(network, ~some.passes))
    chain = _chains(network)
    return some._replace(passes=~np.isin(chain, chain[~some.passes]))


def _spread(network: Network, fails: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Let failure spread over each node without a pool that has one branch left."""
    fails = fails.copy()
    at = _Roads(network).at
    todo = np.unique(np.concatenate([network.start[fails], network.end[fails]])).tolist()
    while todo:
        node = todo.pop()
        left = [(segment, there) for segment, there, _ in at[node] if not fails[segment]]
        if network.pool[node] < 0 and len(left) == 1:
            segment, there = left[0]
            fails[segment] = True
            todo += [node, there]
    return fails


def _chains(network: Network) -> NDArray[np.intp]:
    """Give the number of the chain of each segment: only plain nodes join a chain."""
    n = len(network.length_km)
    ends = np.concatenate([network.start, network.end])
    degree = np.bincount(ends, minlength=len(network.pool))
    plain = (degree == _TWO) & (network.pool < 0)
    order = np.argsort(ends, kind="stable")
    order = order[plain[ends[order]]]
    one, two = (order % n).reshape(-1, 2).T
    links = coo_array((np.ones(len(one)), (one, two)), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)


def every_path(network: Network, spacing_km: float) -> Judged:
    """
    Judge by the shortest ways of all pairs of pools with none between them.

    Parameters
    ----------
    network : Network
        The network; its pools qualify.
    spacing_km : float
        The greatest distance between pools.

    Returns
    -------
    Judged
        By segment; infinite where no such way uses it.
    """
    graph, segment_of = _graph(network)
    longest = np.full(len(network.length_km), -np.inf)
    is_pool = network.pool >= 0
    for source in np.flatnonzero(is_pool):
        km, before = dijkstra(graph, indices=source, return_predecessors=True)
        order = np.argsort(km, kind="stable")
        order = order[np.isfinite(km[order]) & (order != source)]
        free = _free_ways(order, before, is_pool, int(source))
        for target in order[free[order] & is_pool[order]].tolist():
            way = [segment_of[step] for step in _steps(before, target, int(source))]
            longest[way] = np.maximum(longest[way], km[target])
    served = np.isfinite(longest)
    between = np.where(served, longest, np.inf)
    return Judged(between <= spacing_km + _TOLERANCE_KM, between, ~served)


def _free_ways(
    order: NDArray[np.intp], before: NDArray[np.intp], is_pool: NDArray[np.bool_], source: int
) -> NDArray[np.bool_]:
    """Say which nodes are reached without passing another pool; nodes in order of distance."""
    free = [False] * len(is_pool)
    free[source] = True
    pool, previous = is_pool.tolist(), before.tolist()
    for node in order.tolist():
        came = previous[node]
        free[node] = free[came] and (came == source or not pool[came])
    return np.array(free)


def _steps(before: NDArray[np.intp], target: int, source: int) -> Iterator[tuple[int, int]]:
    """Walk back from a node to the source."""
    while target != source:
        came = int(before[target])
        yield came, target
        target = came


def _graph(network: Network) -> tuple[csr_array, dict[tuple[int, int], int]]:
    """Make the graph of the shortest segment between any two nodes."""
    order = np.argsort(-network.length_km, kind="stable")
    start, end = network.start[order].tolist(), network.end[order].tolist()
    segment_of: dict[tuple[int, int], int] = {}
    for segment, a, b in zip(order.tolist(), start, end, strict=True):
        if a != b:
            segment_of[a, b] = segment_of[b, a] = segment
    pairs = np.array(list(segment_of), dtype=np.intp).reshape(-1, 2)
    km = network.length_km[list(segment_of.values())]
    n = len(network.pool)
    return csr_array((km, pairs.T), shape=(n, n)), segment_of
