"""Plain chains contracted: the network as one axis of kilometres, chain after chain.

A chain runs from one key node to the next, through nodes that have just two edges; a ring without
a key node keeps one. All chains lie one behind the other on an axis of kilometres, so that a place
of the network is one number, and cutting at places is arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.roads.edges import groups_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads.edges import Edges

__all__ = ["Axis", "contract"]

_TWO = 2
_JUMP_DEG = 1e-6


@dataclass(frozen=True, eq=False)
class Axis:
    """
    Chains, one behind the other on an axis of kilometres.

    Parameters
    ----------
    xy0, xy1 : numpy.ndarray of shape (n, 2)
        The ends of each edge in the direction of its chain, lon/lat.
    km : numpy.ndarray of float, shape (n,)
        The lengths of the edges.
    part : numpy.ndarray of int, shape (n,)
        The single line of each edge.
    turned : numpy.ndarray of bool, shape (n,)
        Whether the edge was drawn against the direction of its chain.
    chain : numpy.ndarray of int, shape (n,)
        The chain of each edge, ascending.
    start_node, end_node : numpy.ndarray of int, shape (m,)
        The nodes of each chain.
    ways : numpy.ndarray of int, shape (m,)
        In which direction each chain may be driven: 0 both, 1 along it, -1 against it.
    node_xy : numpy.ndarray of shape (k, 2)
        Where the nodes are.
    """

    xy0: NDArray[np.float64]
    xy1: NDArray[np.float64]
    km: NDArray[np.float64]
    part: NDArray[np.intp]
    turned: NDArray[np.bool_]
    chain: NDArray[np.intp]
    start_node: NDArray[np.intp]
    end_node: NDArray[np.intp]
    ways: NDArray[np.intp]
    node_xy: NDArray[np.float64]

    @cached_property
    def edge_end_km(self) -> NDArray[np.float64]:
        """Return where on the axis each edge ends."""
        return np.cumsum(self.km)

    @cached_property
    def edge_start_km(self) -> NDArray[np.float64]:
        """Return where on the axis each edge begins."""
        return np.append(0.0, self.edge_end_km[:-1])

    @cached_property
    def first_edge(self) -> NDArray[np.intp]:
        """The first edge of each chain."""
        return np.asarray(np.searchsorted(self.chain, np.arange(len(self.start_node))), np.intp)

    @cached_property
    def chain_start_km(self) -> NDArray[np.float64]:
        """Return where on the axis each chain begins."""
        return np.asarray(self.edge_start_km[self.first_edge])

    @cached_property
    def chain_end_km(self) -> NDArray[np.float64]:
        """Return where on the axis each chain ends."""
        return np.asarray(self.edge_end_km[np.append(self.first_edge[1:], len(self.km)) - 1])

    @cached_property
    def degree(self) -> NDArray[np.intp]:
        """The number of chains that end at each node."""
        ends = np.concatenate([self.start_node, self.end_node])
        return np.bincount(ends, minlength=len(self.node_xy))

    @cached_property
    def component(self) -> NDArray[np.intp]:
        """The component of each node."""
        return groups_of(self.start_node, self.end_node, len(self.node_xy))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The edges, to be found by place."""
        return shapely.STRtree(shapely.linestrings(np.stack([self.xy0, self.xy1], axis=1)))

    def place_at(self, edge: NDArray[np.intp], at_km: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the places at kilometres of the axis that lie on edges."""
        km = self.km[edge]
        share = (at_km - self.edge_start_km[edge]) / np.where(km > 0, km, 1.0)
        share = np.clip(share, 0.0, 1.0)[:, None]
        return np.asarray(self.xy0[edge] + share * (self.xy1[edge] - self.xy0[edge]))

    def pieces(
        self, start_km: NDArray[np.float64], end_km: NDArray[np.float64], chain: NDArray[np.intp]
    ) -> NDArray[np.object_]:
        """
        Draw pieces of chains.

        Parameters
        ----------
        start_km, end_km : numpy.ndarray of float
            Kilometres of the axis.
        chain : numpy.ndarray of int
            The chain of each.

        Returns
        -------
        numpy.ndarray of shapely.Geometry
            LineStrings; MultiLineStrings where a chain crosses a gap or the antimeridian.
        """
        first, last = self._find_edges_between(start_km, end_km, chain)
        count = last - first + 1
        piece = np.repeat(np.arange(len(first)), count)
        edge = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count) + first[piece]
        is_first, is_last = edge == first[piece], edge == last[piece]
        begin = np.where(is_first[:, None], self.place_at(edge, start_km[piece]), self.xy0[edge])
        end = np.where(is_last[:, None], self.place_at(edge, end_km[piece]), self.xy1[edge])
        jump = np.abs(np.vstack([begin[:1], end[:-1]]) - begin).max(axis=1) > _JUMP_DEG
        new = is_first | jump
        # One place for the start of each line, then the end of each edge.
        copies = np.repeat(np.arange(len(edge)), 1 + new)
        opens = np.append(True, np.diff(copies) > 0) & new[copies]
        xy = np.where(opens[:, None], begin[copies], end[copies])
        lines = shapely.linestrings(xy, indices=np.cumsum(new)[copies] - 1)
        return _combine_lines(lines, piece[new], len(first))

    def _find_edges_between(
        self, start_km: NDArray[np.float64], end_km: NDArray[np.float64], chain: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the first and last edge of pieces."""
        low = self.first_edge[chain]
        high = np.append(self.first_edge[1:], len(self.km))[chain] - 1
        # A piece that begins or ends exactly between two edges has no part of the one outside it;
        # clipped to its chain, because neighbours on the axis need not meet in the network.
        first = np.searchsorted(self.edge_end_km, start_km, side="right")
        last = np.searchsorted(self.edge_start_km, end_km, side="left") - 1
        first = np.clip(first, low, high)
        return first, np.clip(last, first, high)


def _combine_lines(
    lines: NDArray[np.object_], piece: NDArray[np.intp], n: int
) -> NDArray[np.object_]:
    """Combine the lines of each piece into one geometry."""
    count = np.bincount(piece, minlength=n)
    result = np.empty(n, dtype=object)
    single = count[piece] == 1
    result[piece[single]] = lines[single]
    for one in np.flatnonzero(count > 1).tolist():
        result[one] = shapely.multilinestrings(lines[piece == one])
    return result


def contract(edges: Edges, ways: NDArray[np.intp]) -> Axis:
    """
    Contract plain chains; a chain ends where the direction of travel changes.

    Parameters
    ----------
    edges : Edges
        Edges between nodes.
    ways : numpy.ndarray of int
        In which direction each single line may be driven: 0 both, 1 as drawn, -1 against it.

    Returns
    -------
    Axis
        The chains, with key nodes numbered from 0.
    """
    half = np.column_stack([edges.start, edges.end]).ravel()
    degree = np.bincount(half)
    # Entered at its start an edge is driven as it is drawn, at its end against that.
    sign = np.column_stack([ways[edges.part], -ways[edges.part]]).ravel()
    order, begins = _walk_chains(half, degree, sign)
    edge, turned = order // _TWO, order % _TWO == 1
    chain = np.cumsum(begins) - 1
    last = np.append(begins[1:], True)
    start_node, end_node = half[order[begins]], half[order[last] ^ 1]
    node, inverse = np.unique(np.concatenate([start_node, end_node]), return_inverse=True)
    flip = turned[:, None]
    xy0 = np.where(flip, edges.xy1[edge], edges.xy0[edge])
    xy1 = np.where(flip, edges.xy0[edge], edges.xy1[edge])
    n = len(start_node)
    node_xy = np.empty((len(node), 2))
    node_xy[inverse[n:]], node_xy[inverse[:n]] = xy1[last], xy0[begins]
    return Axis(
        xy0, xy1, edges.km[edge], edges.part[edge], turned, chain,
        inverse[:n], inverse[n:], sign[order[begins]], node_xy,
    )  # fmt: skip


def _walk_chains(
    half: NDArray[np.intp], degree: NDArray[np.intp], sign: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """
    Walk each chain once, from one end to the other.

    Half-edges are numbered twice the edge plus its end (0 or 1); the result lists the half-edges
    at which each edge is entered, and marks the first of each chain.
    """
    # The mate of a half-edge is the half-edge by which a walk goes on at its node: only where two
    # edges meet, and only if the direction of travel goes on. Half-edges without a mate are keys.
    mates = np.full(len(half), -1, dtype=np.intp)
    order = np.argsort(half, kind="stable")
    plain = order[degree[half[order]] == _TWO].reshape(-1, 2)
    plain = plain[-sign[plain[:, 0]] == sign[plain[:, 1]]]
    mates[plain[:, 0]], mates[plain[:, 1]] = plain[:, 1], plain[:, 0]
    mate, walked = mates.tolist(), [False] * (len(half) // 2)
    found: list[int] = []
    begins: list[bool] = []
    # From the keys first: what is left unwalked then are rings without a key node.
    keys = np.flatnonzero(mates < 0).tolist()
    for first in [*keys, *range(0, len(half), 2)]:
        here = first
        while here >= 0 and not walked[here >> 1]:
            walked[here >> 1] = True
            found.append(here)
            begins.append(here == first)
            # here ^ 1 is the other end of the same edge.
            here = mate[here ^ 1]
    return np.array(found, dtype=np.intp), np.array(begins, dtype=bool)
