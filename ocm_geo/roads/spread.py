"""How far stations reach on a network with a given range, and which are connected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.roads.edges import groups_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads.chains import Axis
    from ocm_geo.roads.graph import Graph

__all__ = [
    "TOLERANCE_KM",
    "Areas",
    "Links",
    "Near",
    "Spread",
    "links_of",
    "near_of",
    "shortest_links",
]

TOLERANCE_KM = 1e-6
_FAR_KM = 1e12
"""Farther than any way; what is not reached at all."""


class Near(NamedTuple):
    """
    The two nearest stations of each node.

    Parameters
    ----------
    first, second : numpy.ndarray of int
        The stations; -1 for none.
    first_km, second_km : numpy.ndarray of float
        The ways to them.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    first_km: NDArray[np.float64]
    second_km: NDArray[np.float64]


class Links(NamedTuple):
    """Pairs of stations whose areas meet, and the shortest way between them there."""

    one: NDArray[np.intp]
    other: NDArray[np.intp]
    km: NDArray[np.float64]


def near_of(graph: Graph) -> Near:
    """
    Put the two nearest stations of each node into arrays.

    Parameters
    ----------
    graph : Graph
        The network cut at stations.

    Returns
    -------
    Near
        By node.
    """
    n = len(graph.points)
    stations = np.full((2, n), -1, dtype=np.intp)
    ways = np.full((2, n), _FAR_KM)
    for node, labels in enumerate(graph.labels_out):
        for rank, label in enumerate(labels):
            stations[rank, node], ways[rank, node] = label.point, label.km
    return Near(*stations, *ways)


def links_of(graph: Graph, near: Near) -> Links:
    """
    Find the stations whose areas meet: on a segment, or at one place.

    Parameters
    ----------
    graph : Graph
        The network cut at stations.
    near : Near
        The nearest stations of its nodes.

    Returns
    -------
    Links
        Each pair once.
    """
    one, other = near.first[graph.start], near.first[graph.end]
    km = near.first_km[graph.start] + graph.km + near.first_km[graph.end]
    # Areas of two stations touch on a segment whose ends have different nearest stations: the way
    # over it is the shortest between them by this segment.
    meet = (one != other) & (one >= 0) & (other >= 0)
    # Each with the next two: whichever is lost, the others of its place still hang together.
    ties = [
        pair
        for here in graph.points
        for step in (1, 2)
        for pair in zip(here, here[step:], strict=False)
    ]
    same = np.array(ties, dtype=np.intp).reshape(-1, 2)
    a = np.concatenate([one[meet], same[:, 0]])
    b = np.concatenate([other[meet], same[:, 1]])
    return shortest_links(a, b, np.concatenate([km[meet], np.zeros(len(same))]))


def shortest_links(
    one: NDArray[np.intp], other: NDArray[np.intp], km: NDArray[np.float64]
) -> Links:
    """
    Keep the shortest of the links between the same two stations.

    Parameters
    ----------
    one, other : numpy.ndarray of int
        Stations.
    km : numpy.ndarray of float
        The ways between them.

    Returns
    -------
    Links
        Each pair once.
    """
    low, high = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((km, high, low))
    low, high, km = low[order], high[order], km[order]
    new = np.append(True, (np.diff(low) != 0) | (np.diff(high) != 0))[: len(low)]
    return Links(low[new], high[new], km[new])


@dataclass(frozen=True, eq=False)
class Areas:
    """
    What is nearest to each station of a network, for any range.

    Parameters
    ----------
    axis : Axis
        The network.
    graph : Graph
        The network cut at stations.
    density : numpy.ndarray of float
        The weight per km of each edge of the axis.
    """

    axis: Axis
    graph: Graph
    density: NDArray[np.float64]

    @cached_property
    def near(self) -> Near:
        """The two nearest stations of each node."""
        return near_of(self.graph)

    @cached_property
    def links(self) -> Links:
        """The stations whose areas meet."""
        return links_of(self.graph, self.near)

    @cached_property
    def detours(
        self,
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """For each station that is lost, those that then meet on a segment, and the way there."""
        graph, near = self.graph, self.near
        first = (near.first[graph.start], near.first[graph.end])
        tables = []
        for side in (0, 1):
            rows = np.flatnonzero((first[side] >= 0) & ((first[0] != first[1]) | (side == 0)))
            lost = first[side][rows]
            stations, km = [], graph.km[rows]
            for nodes in (graph.start[rows], graph.end[rows]):
                is_lost = near.first[nodes] == lost
                stations.append(np.where(is_lost, near.second[nodes], near.first[nodes]))
                km = km + np.where(is_lost, near.second_km[nodes], near.first_km[nodes])
            tables.append((lost, *stations, km))
        lost, one, other, km = (np.concatenate(column) for column in zip(*tables, strict=True))
        return lost, one, other, km

    @cached_property
    def _sum_weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The weight of the axis up to each edge: between edges it is linear."""
        sums = np.append(0.0, np.cumsum(self.axis.km * self.density))
        return np.append(0.0, self.axis.edge_end_km), sums

    @property
    def total(self) -> float:
        """The weight of the network."""
        return float(self._sum_weights[1][-1])

    def amount(
        self, from_km: NDArray[np.float64], to_km: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Weigh stretches of the axis."""
        return np.asarray(
            np.interp(to_km, *self._sum_weights) - np.interp(from_km, *self._sum_weights)
        )


@dataclass(frozen=True, eq=False)
class Spread:
    """
    How far stations reach with a range.

    Parameters
    ----------
    areas : Areas
        What is nearest to each station.
    range_km : float
        What may be driven between two charges.
    """

    areas: Areas
    range_km: float

    @property
    def graph(self) -> Graph:
        """The network cut at stations."""
        return self.areas.graph

    @property
    def near(self) -> Near:
        """The two nearest stations of each node."""
        return self.areas.near

    @cached_property
    def links(self) -> Links:
        """The links between stations of at most the range."""
        keep = self.areas.links.km <= self.range_km + TOLERANCE_KM
        return Links._make(column[keep] for column in self.areas.links)

    @cached_property
    def on_road(self) -> NDArray[np.intp]:
        """The stations on the network."""
        return np.unique(np.array([p for here in self.graph.points for p in here], dtype=np.intp))

    @cached_property
    def group(self) -> NDArray[np.intp]:
        """The group of each station, numbered from 0; -1 for those not on the network."""
        on_road = self.on_road
        n = int(np.max(on_road, initial=-1)) + 1
        links = self.links
        raw = groups_of(links.one, links.other, n)
        group = np.full(n, -1, dtype=np.intp)
        group[on_road] = np.unique(raw[on_road], return_inverse=True)[1]
        return group

    def reach(
        self, start_km: NDArray[np.float64], end_km: NDArray[np.float64], km: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Measure how far into segments stations reach from both ends, up to where they meet.

        Parameters
        ----------
        start_km, end_km : numpy.ndarray of float
            The ways from the ends to the nearest stations.
        km : numpy.ndarray of float
            The lengths of the segments.

        Returns
        -------
        tuple of numpy.ndarray
            km from the start and from the end.
        """
        # Two stations share a segment where both are equally far, whatever the range.
        middle = np.clip((end_km - start_km + km) / 2, 0.0, km)
        half = self.range_km / 2
        from_start = np.minimum(np.maximum(half - start_km, 0.0), middle)
        from_end = np.minimum(np.maximum(half - end_km, 0.0), km - middle)
        return from_start, from_end

    @cached_property
    def reached(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how far into each segment stations reach, km from its start and from its end."""
        near, graph = self.near, self.graph
        ways = near.first_km
        return self.reach(ways[graph.start], ways[graph.end], graph.km)

    @cached_property
    def amounts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The weight that is reached in each segment, from its start and from its end."""
        at, km = self.graph.at_km, self.graph.km
        start, end = self.reached
        amount = self.areas.amount
        return amount(at, at + start), amount(at + km - end, at + km)

    @cached_property
    def station_amounts(self) -> NDArray[np.float64]:
        """The weight of what is nearest to each station, and reached by it."""
        near, graph = self.near, self.graph
        total = np.zeros(len(self.group))
        for nodes, amounts in zip((graph.start, graph.end), self.amounts, strict=True):
            of = near.first[nodes]
            np.add.at(total, of[of >= 0], amounts[of >= 0])
        return total

    @cached_property
    def part_amounts(self) -> NDArray[np.float64]:
        """The weight of each part."""
        group, keep = self.group, self.group >= 0
        n = int(np.max(group, initial=-1)) + 1
        return np.bincount(group[keep], self.station_amounts[keep], n)

    def pieces(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
        """
        Cut the network into what is usable and what is not.

        Returns
        -------
        tuple of numpy.ndarray
            Where pieces begin and end on the axis, their chains, and their parts: 1 is the
            longest, 0 is not usable.
        """
        graph, near = self.graph, self.near
        rank = np.zeros(len(self.part_amounts) + 1, dtype=np.intp)
        rank[np.argsort(-self.part_amounts, kind="stable")] = np.arange(1, len(rank))
        part = rank[np.append(self.group, -1)[near.first]]
        start, end = self.reached
        at, to = graph.at_km, graph.at_km + graph.km
        # A segment reached from both ends is one piece, not two that touch.
        whole = start + end >= graph.km - TOLERANCE_KM
        start = np.where(whole, graph.km, start)
        end = np.where(whole, 0.0, end)
        begins = np.concatenate([at, at + start, to - end])
        ends = np.concatenate([at + start, to - end, to])
        first = np.where(near.first[graph.start] >= 0, part[graph.start], part[graph.end])
        parts = np.concatenate([first, np.zeros_like(first), part[graph.end]])
        order = np.lexsort((begins, np.tile(np.arange(len(at)), 3)))
        keep = order[(ends - begins)[order] > TOLERANCE_KM]
        return begins[keep], ends[keep], np.tile(graph.chain, 3)[keep], parts[keep]
