"""Ends: the parts of a network that lie behind its last pools.

A part without pool that hangs on the rest by one segment (a bridge of the graph) is an end, and so
is a part that leads to none. What lies behind its dead ends is not known. Let *e* be the way from
the farthest dead end behind a segment to the next pool: where e is longer than the spacing, the
segment fails for certain; otherwise it depends on what lies behind.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.roads.edges import groups_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads.graph import Graph

__all__ = ["measure_ends"]


def measure_ends(graph: Graph) -> NDArray[np.float64]:
    """
    Measure the ways from dead ends to the next pool.

    Parameters
    ----------
    graph : Graph
        The network, cut at qualifying pools.

    Returns
    -------
    numpy.ndarray of float
        For each segment of an end the way from the farthest dead end behind it to the next pool,
        km, infinite where there is neither; NaN for other segments.
    """
    # Blocks are what is left when all bridges are removed; blocks and bridges make a forest.
    bridge = _find_bridges(graph)
    block = groups_of(graph.start[~bridge], graph.end[~bridge], len(graph.points))
    n = int(np.max(block, initial=-1)) + 1
    has_pool = np.bincount(block[graph.has_point], minlength=n) > 0
    # reach: the longest way to the next pool from any node of a block, or of what hangs behind it.
    near = graph.nearest_km
    reach = np.full(n, -np.inf)
    np.maximum.at(reach, block, near)
    ways = np.full(len(graph.km), np.nan)
    hanging: list[set[int]] = [set() for _ in range(n)]
    pairs = np.stack([block[graph.start], block[graph.end]], axis=1)
    for segment in np.flatnonzero(bridge).tolist():
        for side in pairs[segment].tolist():
            hanging[side].add(segment)
    is_end = np.zeros(n, dtype=bool)
    # Leaves of the forest without a pool are ends; removing one may make its neighbour a leaf.
    todo = [one for one in range(n) if len(hanging[one]) <= 1 and not has_pool[one]]
    while todo:
        here = todo.pop()
        if is_end[here]:
            continue
        is_end[here] = True
        for segment in hanging[here]:
            ways[segment] = reach[here]
            other = int(pairs[segment].sum()) - here
            reach[other] = max(reach[other], reach[here]) if not has_pool[other] else reach[other]
            hanging[other].discard(segment)
            if len(hanging[other]) <= 1 and not has_pool[other]:
                todo.append(other)
    # A ring at a dead end has no bridge inside: all of it takes the way of its block.
    inside = ~bridge & is_end[block[graph.start]]
    ways[inside] = reach[block[graph.start[inside]]]
    return _measure_without_pools(graph, ways)


def _measure_without_pools(graph: Graph, ways: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure the way between the dead ends of components without a pool."""
    lost = np.flatnonzero(np.isinf(ways))
    if not len(lost):
        return ways
    component = groups_of(graph.start, graph.end, len(graph.points))
    degree = np.bincount(np.concatenate([graph.start, graph.end]), minlength=len(component))
    of = component[graph.start[lost]]
    for one in np.unique(of).tolist():
        dead = np.flatnonzero((component == one) & (degree == 1)).tolist()
        ways[lost[of == one]] = _measure_widest(graph, dead)
    return ways


def _measure_widest(graph: Graph, dead: list[int]) -> float:
    """Measure the way between the two dead ends that are farthest apart; infinite for fewer."""
    if len(dead) <= 1:
        return float("inf")
    # Two sweeps find the farthest pair on a tree; with rings it is a lower bound.
    first = _measure_distances(graph, dead[0])
    far = max(dead, key=lambda node: first[node])
    second = _measure_distances(graph, far)
    return max(second[node] for node in dead)


def _measure_distances(graph: Graph, source: int) -> dict[int, float]:
    """Measure the ways from a node to all others that it leads to."""
    done: dict[int, float] = {}
    heap = [(0.0, source)]
    while heap:
        km, here = heappop(heap)
        if here in done:
            continue
        done[here] = km
        for arc in graph.out[here]:
            if arc.node not in done:
                heappush(heap, (km + arc.km, arc.node))
    return done


def _find_bridges(graph: Graph) -> NDArray[np.bool_]:
    """
    Find the segments whose loss takes a network apart.

    Each segment outside a spanning forest gets a random number, added (xor) at both of its ends;
    summed up over a subtree, those that lie within it cancel out. A segment of the forest is a
    bridge if nothing is left.
    """
    n = len(graph.points)
    order, parent, over = _build_spanning_forest(graph)
    inside = np.zeros(len(graph.km), dtype=bool)
    inside[over[over >= 0]] = True
    # 63 random bits: two different sets of segments have the same sum with a chance of 2^-63.
    marks = np.random.default_rng(0).integers(1, 2**63, len(graph.km), dtype=np.int64)
    marks[inside | (graph.start == graph.end)] = 0
    total = np.zeros(n, dtype=np.int64)
    np.bitwise_xor.at(total, graph.start, marks)
    np.bitwise_xor.at(total, graph.end, marks)
    sums, above = total.tolist(), parent.tolist()
    # Children come after their parents in the order of the walk: backwards, sums are complete.
    for node in order[::-1].tolist():
        if above[node] >= 0:
            sums[above[node]] ^= sums[node]
    bridge = np.zeros(len(graph.km), dtype=bool)
    bridge[over[(over >= 0) & (np.array(sums) == 0)]] = True
    return bridge


def _build_spanning_forest(
    graph: Graph,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Build a spanning forest: order of nodes, node before each, segment over which it was met."""
    n = len(graph.points)
    at: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    rows = zip(graph.start.tolist(), graph.end.tolist(), strict=True)
    for segment, (start, end) in enumerate(rows):
        at[start].append((segment, end))
        at[end].append((segment, start))
    parent, over = [-1] * n, [-1] * n
    seen = [False] * n
    order = []
    for root in range(n):
        if seen[root]:
            continue
        seen[root] = True
        todo = [root]
        while todo:
            here = todo.pop()
            order.append(here)
            for segment, there in at[here]:
                if not seen[there]:
                    seen[there], parent[there], over[there] = True, here, segment
                    todo.append(there)
    return np.array(order, np.intp), np.array(parent, np.intp), np.array(over, np.intp)
