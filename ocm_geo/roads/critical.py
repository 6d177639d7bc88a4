"""Stations whose loss takes their part of a network apart.

Two stations share a link where their areas meet. Without a station its area falls to the stations
that are second nearest there, and links between those take its place: all other links stay. So a
station is critical if it is an articulation point of the graph of links, and the new links in
its area do not join what it leaves apart. Where they join all its neighbours, which is seen at
once, no walk is needed. The pieces that an articulation point leaves are subtrees
of a depth-first walk, whose lengths are differences of running sums.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.roads.edges import groups_of
from ocm_geo.roads.spread import TOLERANCE_KM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocm_geo.roads.spread import Spread

__all__ = ["critical_stations"]

_TWO = 2


class _Walk(NamedTuple):
    """
    A depth-first walk of the links.

    For each station its number in the walk and where its subtree ends; for those that alone hold
    subtrees, the stations at their heads; the stations in order, and where each group begins.
    """

    number: list[int]
    last: list[int]
    cut_off: dict[int, list[int]]
    order: list[int]
    starts: list[int]


class _Cell(NamedTuple):
    """A segment of the area of a station: without it, who reaches it from either end, how much."""

    stations: tuple[int, int]
    km: float
    amounts: tuple[float, float]
    before: tuple[float, float]
    owners: tuple[int, int]


def critical_stations(spread: Spread) -> list[tuple[int, float, int]]:
    """
    Find the stations whose loss leaves two or more parts of their part.

    Parameters
    ----------
    spread : Spread
        How far stations reach with a range.

    Returns
    -------
    list of tuple
        Station, length of the part before less that of the longest left, and how many are left.
    """
    maybe = _find_candidates(spread)
    if not len(maybe):
        return []
    walk = _walk_links(spread, np.unique(spread.group[maybe]))
    stations = [station for station in maybe.tolist() if station in walk.cut_off]
    cells = _find_cells(spread, stations)
    sums = np.append(0.0, np.cumsum(spread.station_amounts[walk.order])).tolist()
    found = []
    for station in stations:
        left = _measure_parts_left(station, walk, sums, cells=cells.get(station, []), spread=spread)
        if len(left) >= _TWO:
            before = float(spread.part_amounts[spread.group[station]])
            found.append((station, before - max(left), len(left)))
    return found


def _find_candidates(spread: Spread) -> NDArray[np.intp]:
    """
    Find the stations whose own area does not join all their neighbours when they are lost.

    Of most stations it does, and these are not critical whatever the rest of the network is.
    """
    n = len(spread.group)
    limit = spread.range_km + TOLERANCE_KM
    lost, one, other, km = spread.areas.detours
    keep = (one >= 0) & (other >= 0) & (km <= limit)
    lost, one, other = lost[keep], one[keep], other[keep]
    links = spread.links
    station = np.concatenate([links.one, links.other])
    neighbour = np.concatenate([links.other, links.one])
    # One copy of the neighbours for each station that may be lost.
    # A key is a pair: the station that may be lost, and one of its neighbours.
    keys = np.concatenate([station * n + neighbour, lost * n + one, lost * n + other])
    unique, code = np.unique(keys, return_inverse=True)
    m, k = len(station), len(lost)
    group = groups_of(code[m : m + k], code[m + k :], len(unique))
    pieces = np.unique(station * len(unique) + group[code[:m]]) // max(len(unique), 1)
    return np.flatnonzero(np.bincount(pieces, minlength=n) >= _TWO)


def _walk_links(spread: Spread, groups: NDArray[np.intp]) -> _Walk:
    """Walk the links of groups depth first; note the subtrees that each station alone holds."""
    links = spread.links
    n = len(spread.group)
    ends = np.concatenate([links.one, links.other])
    order = np.argsort(ends, kind="stable")
    others = np.concatenate([links.other, links.one])[order].tolist()
    bounds = np.searchsorted(ends[order], np.arange(n + 1)).tolist()
    walk = _Walk([-1] * n, [-1] * n, {}, [], [])
    roots = np.unique(spread.group, return_index=True)[1]
    for root in roots[np.isin(spread.group[roots], groups)].tolist():
        _walk_from(root, walk, others, bounds)
    return walk


def _walk_from(root: int, walk: _Walk, others: list[int], bounds: list[int]) -> None:
    """Walk from a station to all that it is linked with."""
    # Tarjan's algorithm with a stack of its own: low is the least number that the subtree of a
    # station is linked with. Where it is not below the number of the station above, only that
    # station holds the subtree.
    number, last, cut_off, order, starts = walk
    starts.append(len(order))
    number[root] = len(order)
    order.append(root)
    stack, at, low = [root], [bounds[root]], [len(order) - 1]
    while stack:
        here, step = stack[-1], at[-1]
        if step < bounds[here + 1]:
            at[-1] += 1
            there = others[step]
            seen = number[there]
            if seen < 0:
                number[there] = len(order)
                stack.append(there)
                at.append(bounds[there])
                low.append(len(order))
                order.append(there)
            elif seen < low[-1] and (len(stack) == 1 or there != stack[-2]):
                low[-1] = seen
            continue
        last[here] = len(order)
        lowest = low.pop()
        stack.pop()
        at.pop()
        if stack:
            low[-1] = min(low[-1], lowest)
            if lowest >= number[stack[-1]]:
                cut_off.setdefault(stack[-1], []).append(here)
    # The root holds every subtree; it is an articulation point only with two of them.
    if len(cut_off.get(root, ())) < _TWO:
        cut_off.pop(root, None)


def _find_cells(spread: Spread, stations: list[int]) -> dict[int, list[_Cell]]:
    """Find the areas of stations, and who reaches them without the station."""
    graph, near = spread.graph, spread.near
    wanted = np.zeros(len(spread.group) + 1, dtype=bool)
    wanted[stations] = True
    first = (near.first[graph.start], near.first[graph.end])
    cells: dict[int, list[_Cell]] = {}
    for side in (0, 1):
        # A segment whose two ends have the same station is met once.
        keep = wanted[first[side]] & ((first[0] != first[1]) | (side == 0))
        rows = np.flatnonzero(keep)
        for row, cell in _judge_without(spread, rows, first[side][rows]):
            cells.setdefault(int(first[side][row]), []).append(cell)
    return cells


def _judge_without(
    spread: Spread, rows: NDArray[np.intp], lost: NDArray[np.intp]
) -> Iterator[tuple[int, _Cell]]:
    """Judge segments as if a station were lost."""
    graph, near = spread.graph, spread.near
    km, at = graph.km[rows], graph.at_km[rows]
    owners, stations, ways = [], [], []
    for nodes in (graph.start[rows], graph.end[rows]):
        is_lost = near.first[nodes] == lost
        owners.append(near.first[nodes])
        stations.append(np.where(is_lost, near.second[nodes], near.first[nodes]))
        ways.append(np.where(is_lost, near.second_km[nodes], near.first_km[nodes]))
    start, end = spread.reach(ways[0], ways[1], km)
    amounts = (spread.areas.amount(at, at + start), spread.areas.amount(at + km - end, at + km))
    before = [amount[rows] for amount in spread.amounts]
    columns = [*stations, ways[0] + km + ways[1], *amounts, *before, *owners]
    for row, *cell in zip(rows.tolist(), *(c.tolist() for c in columns), strict=True):
        a, b, way, x, y, p, q, own, other = cell
        yield row, _Cell((a, b), way, (x, y), (p, q), (own, other))


class _LeftParts:
    """Find what is left of a group without a station: subtrees of the walk, and the rest of it."""

    def __init__(self, station: int, walk: _Walk, sums: list[float]) -> None:
        self.walk = walk
        number, last, cut_off, order, groups = walk
        self.children = sorted(cut_off[station], key=lambda child: number[child])
        self.numbers = [number[child] for child in self.children]
        rank = bisect_right(groups, number[station])
        low, high = groups[rank - 1], (*groups, len(order))[rank]
        self.has_rest = number[station] != low
        self.lengths = [sums[last[child]] - sums[number[child]] for child in self.children]
        own = sums[number[station] + 1] - sums[number[station]]
        self.lengths.append(sums[high] - sums[low] - own - sum(self.lengths))
        self.parent = list(range(len(self.lengths)))

    def piece_of(self, station: int) -> int:
        """Find the piece of a station; the last is the rest."""
        # Subtrees are intervals of the walk: the last to begin before the station may hold it.
        number = self.walk.number[station]
        rank = bisect_right(self.numbers, number) - 1
        inside = rank >= 0 and number < self.walk.last[self.children[rank]]
        return rank if inside else len(self.children)

    def root_of(self, piece: int) -> int:
        """Find the piece by which all that were joined with one are known."""
        while self.parent[piece] != piece:
            self.parent[piece] = self.parent[self.parent[piece]]
            piece = self.parent[piece]
        return piece

    def join(self, one: int, other: int) -> None:
        """Join the pieces of two stations."""
        self.parent[self.root_of(self.piece_of(one))] = self.root_of(self.piece_of(other))

    def parts(self) -> list[float]:
        """Measure what hangs together."""
        total: dict[int, float] = {}
        for piece in range(len(self.children) + self.has_rest):
            root = self.root_of(piece)
            total[root] = total.get(root, 0.0) + self.lengths[piece]
        return list(total.values())


def _measure_parts_left(
    station: int, walk: _Walk, sums: list[float], *, cells: list[_Cell], spread: Spread
) -> list[float]:
    """Measure the parts that are left without a station."""
    left = _LeftParts(station, walk, sums)
    group = spread.group
    own = group[station]
    # What the neighbours reached in the segments around the station is replaced by what they, and
    # the second nearest, reach there without it.
    for cell in cells:
        for other, amount in zip(cell.owners, cell.before, strict=True):
            if other not in (station, -1) and group[other] == own:
                left.lengths[left.piece_of(other)] -= amount
        for other, amount in zip(cell.stations, cell.amounts, strict=True):
            if other >= 0 and group[other] == own:
                left.lengths[left.piece_of(other)] += amount
        if min(cell.stations) >= 0 and cell.km <= spread.range_km + TOLERANCE_KM:
            left.join(*cell.stations)
    return left.parts()
