"""A network cut at pools, judged by every reading, each question once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.roads.edges import groups_of
from ocm_geo.roads.graph import Graph, cut_at
from ocm_geo.standards.reach import measure_ends
from ocm_geo.standards.readings import Judged, every_path, one_pool, some_path, spread_failure
from ocm_geo.standards.tally import Tally, add_up_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads import RoadNetwork
    from ocm_geo.roads.places import Places

__all__ = ["READINGS", "Cut", "Judge", "Pieces"]

_ONE_POOL = ", one pool at both ends"
READINGS = (
    *("some-path", "branch", "every-path"),
    *(f"some-path{_ONE_POOL}", f"branch{_ONE_POOL}"),
)
_SAME_KM = 1e-9


class Pieces(NamedTuple):
    """
    Lines as drawn, cut at junctions and pools.

    Parameters
    ----------
    segment : numpy.ndarray of int
        The segment that each is a piece of.
    part : numpy.ndarray of int
        The single line that each is a piece of.
    start_km, end_km : numpy.ndarray of float
        Where each lies on the axis of the network.
    """

    segment: NDArray[np.intp]
    part: NDArray[np.intp]
    start_km: NDArray[np.float64]
    end_km: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cut:
    """
    A network cut at pools.

    Parameters
    ----------
    network : RoadNetwork
        The network.
    graph : Graph
        Its segments between junctions and pools.
    """

    network: RoadNetwork
    graph: Graph

    @cached_property
    def pieces(self) -> Pieces:
        """Lines as drawn, cut at junctions and pools."""
        axis, graph = self.network.axis, self.graph
        # Runs are maximal stretches of one line on one chain. Pieces begin where a run or a segment
        # begins, so that each piece has one line and one segment.
        new = np.append(True, (np.diff(axis.part) != 0) | (np.diff(axis.chain) != 0))
        runs = np.flatnonzero(new)
        at = np.concatenate([axis.edge_start_km[runs], graph.at_km])
        of = np.concatenate([axis.chain[runs], graph.chain])
        order = np.lexsort((at, of))
        at, of = at[order], of[order]
        ends = np.where(
            np.append(np.diff(of) != 0, True), axis.chain_end_km[of], np.append(at[1:], 0)
        )
        keep = ends - at > _SAME_KM
        at, ends = at[keep], ends[keep]
        # Looked up by the middle: rounding cannot put it on the wrong side of a bound.
        middle = (at + ends) / 2
        segment = np.searchsorted(graph.at_km, middle, side="right") - 1
        run = np.searchsorted(axis.edge_start_km[runs], middle, side="right") - 1
        return Pieces(segment, axis.part[runs][run], at, ends)

    @cached_property
    def counted_km(self) -> NDArray[np.float64]:
        """The length of each piece, as far as it counts."""
        pieces = self.pieces
        counts = self.network.lines.counts[pieces.part]
        return np.asarray(np.where(counts, pieces.end_km - pieces.start_km, 0.0))

    @cached_property
    def end_km(self) -> NDArray[np.float64]:
        """For segments beyond the last pools, the way from the dead end to the next pool."""
        return measure_ends(self.graph.undirected)

    @cached_property
    def is_tiny(self) -> NDArray[np.bool_]:
        """Return whether a segment is in an end that is shorter than the tolerance of drawing."""
        graph = self.graph
        rows = np.flatnonzero(~np.isnan(self.end_km))
        start, end = graph.start[rows], graph.end[rows]
        group = groups_of(start, end, len(graph.points))[start]
        km = np.bincount(group, graph.km[rows], len(graph.points))
        tiny = np.zeros(len(graph.km), dtype=bool)
        snap_km = float(str(self.network.report["snap_m"])) / 1000.0
        tiny[rows] = km[group] < snap_km
        return tiny

    def judge(self, reading: str, spacing_km: float) -> Judged:
        """Judge the pieces by a reading."""
        strict = reading.removesuffix(_ONE_POOL)
        if strict != reading:
            return self._judge_one_pool(spacing_km, spread=strict == "branch")
        judged = (every_path if reading == "every-path" else some_path)(self.graph, spacing_km)
        of = self.pieces.segment
        return Judged(judged.passes[of], judged.between_km[of], judged.unserved[of])

    def _judge_one_pool(self, spacing_km: float, *, spread: bool) -> Judged:
        """Judge lines by the form in which one pool may serve both of their ends."""
        pieces, graph = self.pieces, self.graph
        begin = graph.at_km[pieces.segment]
        ways = one_pool(
            graph.undirected, pieces.segment, pieces.start_km - begin, pieces.end_km - begin
        )
        passes = ways <= spacing_km + 1e-6
        if spread:
            fails = np.zeros(len(graph.km), dtype=bool)
            fails[pieces.segment[~passes]] = True
            passes = ~spread_failure(graph.undirected, fails)[pieces.segment]
        return Judged(passes, ways, np.zeros_like(passes))


class Judge:
    """
    Judge a network with different pools by different readings, each once.

    Parameters
    ----------
    network : RoadNetwork
        The network.
    places : Places
        Where the pools that may qualify lie on it.
    """

    def __init__(self, network: RoadNetwork, places: Places) -> None:
        self.network, self.places = network, places
        self._cuts: dict[bytes, Cut] = {}
        self._judged: dict[tuple[bytes, str, float], Judged] = {}

    def cut(self, qualifies: NDArray[np.bool_]) -> Cut:
        """Cut the network at qualifying pools, given by pool of `places`."""
        # Levels and readings often have the same qualifying pools: each set is cut once.
        key = qualifies.tobytes()
        if key not in self._cuts:
            made = cut_at(self.network, self.places.where(qualifies[self.places.point]))
            self._cuts[key] = Cut(self.network, made)
        return self._cuts[key]

    def judged(self, qualifies: NDArray[np.bool_], reading: str, spacing_km: float) -> Judged:
        """Judge the pieces of the network by a reading."""
        # A chain has one way through it: all of it passes, or all of it fails.
        name = "some-path" if reading == "branch" else reading
        key = (qualifies.tobytes(), name, spacing_km)
        if key not in self._judged:
            self._judged[key] = self.cut(qualifies).judge(name, spacing_km)
        return self._judged[key]

    def tally(self, qualifies: NDArray[np.bool_], reading: str, spacing_km: float) -> Tally:
        """Add up the lengths that pass by a reading."""
        cut = self.cut(qualifies)
        of = cut.pieces.segment
        return add_up_lengths(
            cut.counted_km,
            self.judged(qualifies, reading, spacing_km).passes,
            cut.end_km[of],
            spacing_km=spacing_km,
            tiny=cut.is_tiny[of],
        )
