"""Loose ends: joined to the nearest place of another road, each once; nothing else is moved.

An end is loose if no other edge meets it. Nearest pairs are joined first; an end is joined to no
place that the network already leads to within three times the tolerance, so that a line's two
ends never meet by it, and what is drawn short stays as long as it is. The gap has no length.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from ocm_geo.roads.edges import Edges, NearEdges, edges_near, groups_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Joined", "join_loose_ends"]

_TIMES = 3.0
_AT_END_KM = 3e-5
_MOVED_KM = 1e-6


class Joined(NamedTuple):
    """
    Edges after loose ends were joined.

    Parameters
    ----------
    edges : Edges
        The edges, with nodes numbered from 0.
    n_moved_ends : int
        How many ends were joined over a gap.
    longest_m : float
        The widest gap.
    """

    edges: Edges
    n_moved_ends: int
    longest_m: float


def join_loose_ends(edges: Edges, snap_m: float) -> Joined:
    """
    Join each loose end to the nearest place of another road.

    Parameters
    ----------
    edges : Edges
        Edges with exact nodes.
    snap_m : float
        Greatest gap.

    Returns
    -------
    Joined
        The edges, some of them cut where an end is joined to their inside.
    """
    node, inverse = np.unique(np.concatenate([edges.start, edges.end]), return_inverse=True)
    n = len(edges.km)
    edges = edges._replace(start=inverse[:n], end=inverse[n:])
    # A node with one edge is a loose end; where only two lines meet there is nothing to join.
    degree = np.bincount(inverse, minlength=len(node))
    loose = np.flatnonzero(degree == 1)
    if snap_m <= 0 or not len(loose):
        return Joined(edges, 0, 0.0)
    near = _find_near_loose_ends(edges, loose, snap_m / 1000.0)
    made = _Joins(edges, near, set(loose.tolist()), snap_m / 1000.0)
    edges = _cut_at_joins(edges, made.inside)
    a, b = np.array(made.pairs, dtype=np.intp).reshape(-1, 2).T
    group = groups_of(a, b, len(node))
    edges = edges._replace(start=group[edges.start], end=group[edges.end])
    gaps = [gap for gap in made.gaps if gap > _MOVED_KM]
    return Joined(edges, len(gaps), 1000.0 * max(gaps, default=0.0))


def _find_near_loose_ends(edges: Edges, loose: NDArray[np.intp], snap_km: float) -> NearEdges:
    """Find the edges near loose ends, the nearest first; points are nodes."""
    xy = np.empty((int(max(np.max(edges.start), np.max(edges.end))) + 1, 2))
    xy[edges.end], xy[edges.start] = edges.xy1, edges.xy0
    ends = edges.xy0, edges.xy1
    tree = shapely.STRtree(shapely.linestrings(np.stack(ends, axis=1)))
    near = edges_near(tree, ends, xy[loose], snap_km)
    near = near._replace(point=loose[near.point])
    own = (edges.start[near.edge] == near.point) | (edges.end[near.edge] == near.point)
    near = near.where(~own)
    # Equal distances are decided by place, not by the order of the input.
    lon, lat = xy[near.point].T
    return near.where(np.lexsort((near.at, lat, lon, np.round(near.away_km, 9))))


class _Joins:
    """The joins, made one after another on a network that grows by them."""

    def __init__(self, edges: Edges, near: NearEdges, loose: set[int], snap_km: float) -> None:
        self.pairs: list[tuple[int, int]] = []
        self.inside: list[tuple[int, float, int]] = []
        self.gaps: list[float] = []
        self.limit_km = _TIMES * snap_km
        self.at: dict[int, list[tuple[int, float]]] = {}
        self._add_edges(edges)
        used: set[int] = set()
        known: dict[int, dict[int, float]] = {}
        columns = (near.point, near.edge, near.at, near.away_km)
        ends = edges.start[near.edge].tolist(), edges.end[near.edge].tolist()
        rows = zip(
            *(column.tolist() for column in columns), *ends, edges.km[near.edge].tolist(),
            strict=True,
        )  # fmt: skip
        for end, edge, at, away, start, stop, km in rows:
            if end in used:
                continue
            place = ((start, at * km), (stop, (1.0 - at) * km))
            # First on the network as it was when the end was met, which is kept: most edges near an
            # end are those that lead to it. Only then on the network with the joins made since.
            if end not in known:
                known[end] = self._find_reached_nodes(end)
            if self._is_reached_already(known[end], place) or self._is_reached_already(
                self._find_reached_nodes(end), place
            ):
                continue
            target = self._find_target_node(place)
            if target is None:
                self.inside.append((edge, at, end))
                self._add_join(end, place)
            else:
                self.pairs.append((end, target))
                self._add_join(end, ((target, 0.0),))
                # Two loose ends that meet are both joined by one gap.
                used |= {target} & loose
            used.add(end)
            self.gaps.append(away)

    def _add_edges(self, edges: Edges) -> None:
        """Note the neighbours of each node."""
        rows = zip(edges.start.tolist(), edges.end.tolist(), edges.km.tolist(), strict=True)
        for start, end, km in rows:
            self.at.setdefault(start, []).append((end, km))
            self.at.setdefault(end, []).append((start, km))

    def _add_join(self, end: int, place: tuple[tuple[int, float], ...]) -> None:
        """Add the ways that a join opens."""
        for node, km in place:
            self.at[end].append((node, km))
            self.at[node].append((end, km))

    def _find_reached_nodes(self, node: int) -> dict[int, float]:
        """Find the nodes within the limit of a node, by the network as it is now."""
        done: dict[int, float] = {}
        heap = [(0.0, node)]
        while heap:
            km, here = heappop(heap)
            if here in done:
                continue
            done[here] = km
            for there, step in self.at[here]:
                if there not in done and km + step <= self.limit_km:
                    heappush(heap, (km + step, there))
        return done

    def _is_reached_already(
        self, reach: dict[int, float], place: tuple[tuple[int, float], tuple[int, float]]
    ) -> bool:
        """Test whether a place of an edge is reached within the limit, over either of its ends."""
        ways = (reach.get(node, np.inf) + km for node, km in place)
        return min(ways) <= self.limit_km

    @staticmethod
    def _find_target_node(place: tuple[tuple[int, float], tuple[int, float]]) -> int | None:
        """Return the node at a place of an edge; None inside the edge."""
        node, km = min(place, key=lambda end: end[1])
        return node if km <= _AT_END_KM else None


def _cut_at_joins(edges: Edges, inside: list[tuple[int, float, int]]) -> Edges:
    """Cut edges where ends are joined to them; the cut takes the node of the end."""
    if not inside:
        return edges
    edge, at, node = (np.array(column) for column in zip(*sorted(inside), strict=True))
    n = len(edges.km)
    of = np.concatenate([np.arange(n), edge])
    order = np.lexsort((np.concatenate([np.zeros(n), at]), of))
    of, begin = of[order], np.concatenate([edges.start, node])[order]
    from_at = np.concatenate([np.zeros(n), at])[order]
    last = np.append(of[1:] != of[:-1], True)
    to_at = np.where(last, 1.0, np.append(from_at[1:], 0.0))
    end = np.where(last, edges.end[of], np.append(begin[1:], 0))
    step = edges.xy1[of] - edges.xy0[of]
    xy0 = edges.xy0[of] + from_at[:, None] * step
    xy1 = np.where(last[:, None], edges.xy1[of], edges.xy0[of] + to_at[:, None] * step)
    return Edges(begin, end, xy0, xy1, edges.km[of] * (to_at - from_at), edges.part[of])
