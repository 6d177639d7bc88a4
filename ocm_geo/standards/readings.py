"""The readings of 'a pool at least every D kilometres' on a meshed network.

A segment is served by pools at its two ends. D is the spacing:

- *some-path*: it passes if its length and the distances from its ends to two different pools
  add up to at most D, on ways that turn back neither over it nor over its twin carriageway.
- *branch*: as some-path, with the unbranched chain of a failing segment. A chain has one way
  through it, so that all of it has the same distance: this is some-path by another name.
- *every-path*: it fails if it lies on the shortest way between two pools with no pool between
  them and that way is longer than D; on no such way at all it has the status of its twin, or is
  unserved and fails.

Invariants. Nodes are junctions and qualifying pools, so that no pool lies inside a segment. The
two pools of some-path differ: a segment is never served by one pool from both sides. Adding a pool
can only shorten the ways to the two nearest, so that some-path is monotone; every-path is not,
because a new pool opens new pairs.

The first two have a form in which *one pool* may serve both ends of a line as drawn, by a way that
turns back over it. A gap of any length then passes for the first D / 2 beside each of its pools,
and a dead end with one pool passes too. No text of the law says so; the one published national
study was made by it.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.roads.graph import Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads.graph import Arc, Graph

__all__ = ["Judged", "every_path", "one_pool", "some_path", "spread_failure"]

_TOLERANCE_KM = 1e-6
_TWO = 2


class Judged(NamedTuple):
    """
    The result of a reading, by segment.

    Parameters
    ----------
    passes : numpy.ndarray of bool
        Whether it passes.
    between_km : numpy.ndarray of float
        The distance between the two pools that decides: the least through the segment
        (some-path), or the greatest (every-path). Infinite where there is none, or where it is
        more than the spacing and was not measured.
    unserved : numpy.ndarray of bool
        Whether no way between two pools uses the segment, where the reading looks for all.
    """

    passes: NDArray[np.bool_]
    between_km: NDArray[np.float64]
    unserved: NDArray[np.bool_]


def _judge_distances(between: NDArray[np.float64], spacing_km: float) -> Judged:
    """Compare the distance that decides in each segment with the spacing."""
    passes = between <= spacing_km + _TOLERANCE_KM
    return Judged(passes, between, np.zeros_like(passes))


def some_path(graph: Graph, spacing_km: float) -> Judged:
    """
    Judge by the shortest way between two different pools through each segment.

    Parameters
    ----------
    graph : Graph
        The network, cut at qualifying pools.
    spacing_km : float
        The greatest distance between pools.

    Returns
    -------
    Judged
        By segment.
    """
    between = np.full(len(graph.km), np.inf)
    rows = zip(graph.start.tolist(), graph.end.tolist(), strict=True)
    for segment, (start, end) in enumerate(rows):
        ways = 0 if graph.ways is None else int(graph.ways[segment])
        pairs = [pair for sign, pair in ((1, (start, end)), (-1, (end, start))) if ways * sign >= 0]
        # Without directions one is enough; with them, both must pass.
        pairs = pairs[:1] if graph.ways is None else pairs
        between[segment] = max(
            _measure_way_through(graph, segment, pair, spacing_km) for pair in pairs
        )
    return _judge_distances(between, spacing_km)


def _measure_way_through(
    graph: Graph, segment: int, nodes: tuple[int, int], spacing_km: float
) -> float:
    """Measure the shortest way between two pools through a segment; infinite if too long."""
    # The ways on both sides must avoid the segment itself and its other carriageway: a driver who
    # turns back over them has not driven from one pool to another.
    km = float(graph.km[segment])
    closed = {segment, *graph.twins.get(segment, ())}
    sides = ((graph.labels_into, graph.into), (graph.labels_out, graph.out))
    near = [every[node] for (every, _), node in zip(sides, nodes, strict=True)]
    used = [
        _goes_over_closed(labels, every, closed)
        for labels, (every, _) in zip(near, sides, strict=True)
    ]
    # The two nearest pools of each end are known from one sweep over the network. Only where one
    # of those ways goes over a closed segment is a search of its own needed, and not even then if
    # the lower bound is too long already: no way is shorter than those to the nearest pools.
    least = sum(labels[0].km if labels else np.inf for labels in near) + km
    if any(used) and least > spacing_km + _TOLERANCE_KM:
        return float("inf")
    limit = spacing_km - km + _TOLERANCE_KM
    found = [
        _find_two_without(arcs, graph.points, node, closed=closed, limit_km=limit)
        if again
        else labels
        for labels, (_, arcs), node, again in zip(near, sides, nodes, used, strict=True)
    ]
    # Two pools on each side are enough: if both sides have the same nearest pool, one of them
    # takes its second.
    ways = (a.km + b.km for a, b in product(*found) if a.point != b.point)
    return min(ways, default=np.inf) + km


def _goes_over_closed(labels: list[Label], every: list[list[Label]], closed: set[int]) -> bool:
    """Test whether one of the ways goes over closed segments."""
    for label in labels:
        step = label
        while step.segment >= 0:
            if step.segment in closed:
                return True
            step = next(other for other in every[step.node] if other.point == label.point)
    return False


def _find_two_without(
    arcs: list[list[Arc]], points: list[list[int]], node: int, *, closed: set[int], limit_km: float
) -> list[Label]:
    """Find the ways from a node to its two nearest pools that do not go over closed segments."""
    found: dict[int, Label] = {}
    done: set[int] = set()
    heap = [(0.0, node)]
    # Dijkstra, ended by the second pool or by the limit beyond which the segment fails anyway.
    while heap and len(found) < _TWO:
        km, here = heappop(heap)
        if here in done:
            continue
        done.add(here)
        for pool in points[here]:
            found.setdefault(pool, Label(km, pool, -1, -1))
        for segment, there, length in arcs[here]:
            if segment not in closed and there not in done and km + length <= limit_km:
                heappush(heap, (km + length, there))
    return list(found.values())


def one_pool(
    graph: Graph,
    segment: NDArray[np.intp],
    from_km: NDArray[np.float64],
    to_km: NDArray[np.float64],
) -> NDArray[np.float64]:
    """
    Add up the ways from both ends of lines to the pools nearest to them, be they one.

    Parameters
    ----------
    graph : Graph
        The network, cut at qualifying pools.
    segment : numpy.ndarray of int, shape (n,)
        The segment that each line is a piece of.
    from_km, to_km : numpy.ndarray of float, shape (n,)
        Where on the segment the line begins and ends.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        With the length of the line.
    """
    # From a place inside a segment one leaves by either end: the lesser of both ways counts.
    near = graph.nearest_km
    start, end = near[graph.start[segment]], near[graph.end[segment]]
    whole = graph.km[segment]
    ways = [np.minimum(start + at, end + whole - at) for at in (from_km, to_km)]
    return np.asarray(ways[0] + ways[1] + to_km - from_km)


def spread_failure(graph: Graph, fails: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    Let failure spread over each node without a pool that has one branch left.

    Parameters
    ----------
    graph : Graph
        The network.
    fails : numpy.ndarray of bool
        The segments that fail by themselves.

    Returns
    -------
    numpy.ndarray of bool
        The segments that fail.
    """
    fails = fails.copy()
    # Each segment fails at most once, so that the list of nodes to look at again is finite.
    todo = np.unique(np.concatenate([graph.start[fails], graph.end[fails]])).tolist()
    while todo:
        node = todo.pop()
        left = [arc for arc in graph.out[node] if not fails[arc.segment]]
        if not graph.points[node] and len(left) == 1:
            fails[left[0].segment] = True
            todo += [node, left[0].node]
    return fails


def every_path(graph: Graph, spacing_km: float) -> Judged:
    """
    Judge by the shortest ways of all pairs of pools with none between them.

    Parameters
    ----------
    graph : Graph
        The network, cut at qualifying pools.
    spacing_km : float
        The greatest distance between pools.

    Returns
    -------
    Judged
        By segment; infinite where no such way uses it, nor its twin.
    """
    nodes: dict[int, list[int]] = {}
    for node, pools in enumerate(graph.points):
        for pool in pools:
            nodes.setdefault(pool, []).append(node)
    longest = np.full(len(graph.km), -np.inf)
    for pool, places in nodes.items():
        for km, way in _find_neighbour_ways(graph, pool, places):
            longest[way] = np.maximum(longest[way], km)
    for segment in np.flatnonzero(np.isinf(longest)).tolist():
        twins = [km for km in longest[graph.twins.get(segment, [])] if km > 0]
        if twins:
            longest[segment] = -max(twins)
    # A negative value marks a distance taken over from a twin, so that it is not taken over again.
    longest = np.where(np.isfinite(longest), np.abs(longest), longest)
    served = np.isfinite(longest)
    return _judge_distances(np.where(served, longest, np.inf), spacing_km)._replace(
        unserved=~served
    )


def _find_neighbour_ways(
    graph: Graph, pool: int, places: list[int]
) -> list[tuple[float, list[int]]]:
    """
    Find the shortest ways from a pool to others with no pool between: length and segments.

    The search goes through other pools, marked as not free, so that a longer way around them is
    not taken for the shortest; it ends when nothing free is left.
    """
    # Ties: a way that is free (no pool passed) sorts before one of the same length that is not.
    came: dict[int, tuple[int, int]] = {}
    done: set[int] = set()
    met = {pool}
    found = []
    heap = [(0.0, False, node, -1, -1) for node in places]
    # How many entries of the heap are still free: at 0 no further neighbour can be found.
    n_free = len(heap)
    while heap and n_free:
        km, passed, node, segment, before = heappop(heap)
        n_free -= not passed
        if node in done:
            continue
        done.add(node)
        came[node] = (segment, before)
        others = [other for other in graph.points[node] if other != pool]
        if not passed and km > 0 and set(others) - met:
            found.append((km, _trace_way(came, node)))
        met.update(others)
        passed = passed or bool(others)
        for over, there, length in graph.out[node]:
            if there not in done:
                heappush(heap, (km + length, passed, there, over, node))
                n_free += not passed
    return found


def _trace_way(came: dict[int, tuple[int, int]], node: int) -> list[int]:
    """List the segments of the way to a node."""
    way = []
    segment, before = came[node]
    while segment >= 0:
        way.append(segment)
        segment, before = came[before]
    return way
