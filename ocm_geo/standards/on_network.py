"""Assess a network of roads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError, RouteError
from ocm_geo.outside import mark_roads
from ocm_geo.provenance import carry
from ocm_geo.roads import RoadNetwork, make_network
from ocm_geo.roads.places import nearest_places, place_points
from ocm_geo.schema import CRS
from ocm_geo.standards.cases import Case, make_case, readings_table, reason
from ocm_geo.standards.judging import READINGS, Judge
from ocm_geo.standards.missing_stations import bound_verdict
from ocm_geo.standards.sides import sort_by_direction
from ocm_geo.standards.tally import Tally, decide
from ocm_geo.standards.verdict import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.quality.missing import MissingStations
    from ocm_geo.roads.reading import RoadLines
    from ocm_geo.standards.cases import Placed
    from ocm_geo.standards.options import AssessmentOptions
    from ocm_geo.standards.rule import Rule

__all__ = ["assess_network"]

Reading: TypeAlias = Literal["some-path", "every-path", "branch"]
_NOT_MONOTONE = "every-path"


def assess_network(
    lines: RoadLines,
    stations: gpd.GeoDataFrame,
    standard: str | Rule,
    *,
    reading: Reading = "some-path",
    options: AssessmentOptions | None = None,
    completeness: pd.DataFrame | MissingStations | None = None,
) -> Verdict:
    """
    Assess a network of roads by a rule.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame, geopandas.GeoSeries, geometries, path or RoadNetwork
        The roads, as for `road_network`; a network is used as it is.
    stations : geopandas.GeoDataFrame
        A station table.
    standard : str or Rule
        A rule about roads: see `standards` and `load_standards`.
    reading : {"some-path", "every-path", "branch"}
        What 'a pool every 60 km' means on a meshed network: see
        `ocm_geo.standards.readings`. The law does not say; all are in ``readings``.
    options : AssessmentOptions, optional
        Ends, directions, pools, exits, and how lines are made into a network.
    completeness : pandas.DataFrame or MissingStations, optional
        What `completeness` estimated from the stations and a second register: ``share_high`` then
        contains the stations that are missing (see `MissingStations`). What is on record decides.

    Returns
    -------
    Verdict
        Share of the length, its bounds (missing for ``every-path``, which more pools can make
        worse), segments, clauses, and all readings side by side.

    Raises
    ------
    QueryError
        If the rule cannot be assessed on roads, needs a number, or a parameter is wrong.
    RouteError
        If there is no line, or no line that counts.

    Warns
    -----
    SuspectInput
        If there are stations, and none is near any road.
    DroppedRows
        If rows have no usable geometry.
    OutsideData
        If a part of the roads lies in countries of which the source has no stations.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import ocm_geo as ocm
    >>> roads = gpd.GeoSeries([ocm.sample_route()], crs="EPSG:4326")
    >>> stations = ocm.stations_from_route(roads, 3, source=ocm.sample())
    >>> ocm.assess_network(roads, stations, "afir-ldv-core-2025").readings.shape
    (15, 6)
    """
    if reading not in get_args(Reading):
        raise QueryError(f"reading must be one of {', '.join(get_args(Reading))}, not {reading!r}")
    case = make_case(standard, options)
    network = lines if isinstance(lines, RoadNetwork) else make_network(lines, case.options.network)
    if not float(str(network.report["length_km"])) > 0:
        raise RouteError("none of the lines counts: see NetworkOptions(count_column=...)")

    def ask(table: gpd.GeoDataFrame) -> Verdict:
        marked = mark_roads(table, network.segments.geometry.to_numpy())
        return _NetworkAssessment(case, network, marked, _name_reading(reading, case)).verdict()

    return bound_verdict(ask, stations, completeness)


def _name_reading(reading: str, case: Case) -> str:
    """Return the full name of a reading."""
    options = case.options
    lax = options.strict_power if options.same_pool is None else options.same_pool
    return f"{reading}, one pool at both ends" if lax and reading != _NOT_MONOTONE else reading


class _NetworkAssessment:
    """The answers to a question on a network."""

    def __init__(
        self, case: Case, network: RoadNetwork, stations: gpd.GeoDataFrame, name: str
    ) -> None:
        self.case, self.network, self.stations, self.name = case, network, stations, name
        self.placed: Placed = case.place(stations, self._find_near_network)
        places = place_points(network, self.placed.lonlat, self.placed.within_km)
        self.judges = {
            direction: Judge(network, there)
            for direction, there in sort_by_direction(case, network, places).items()
        }

    def _find_near_network(
        self, lonlat: NDArray[np.float64], within_km: float
    ) -> NDArray[np.bool_]:
        """Find the positions within a distance of any road."""
        near = np.zeros(len(lonlat), dtype=bool)
        near[nearest_places(self.network.axis, lonlat, within_km)[0]] = True
        return near

    def qualify(self, case: Case, level: str, serve: str) -> NDArray[np.bool_]:
        """Find which of the placed pools qualify."""
        every = self.placed.pools.qualify(case.rule, level, case.times(serve))  # type: ignore[arg-type]
        return every[self.placed.number]

    def tallies(self, case: Case, level: str, serve: str, name: str) -> list[Tally]:
        """Add up the lengths that pass, by direction."""
        good = self.qualify(case, level, serve)
        return [judge.tally(good, name, case.spacing_km) for judge in self.judges.values()]

    def share(self, case: Case, level: str, serve: str, name: str) -> float:
        """Return the share that passes in the direction that fares worst."""
        tallies = self.tallies(case, level, serve, name)
        return min(tally.share(closed=case.is_closed) for tally in tallies)

    def readings(self) -> pd.DataFrame:
        """Compute the share for each reading and way in which pools may serve."""
        rows = []
        for used, case, serves in self.case.questions():
            for serve in serves:
                for name in READINGS:
                    shares = [
                        np.nan
                        if name == _NOT_MONOTONE and level != "recorded"
                        else self.share(case, level, serve, name)
                        for level in ("recorded", "low", "high")
                    ]
                    rows.append((name, serve, used, *shares))
        return carry(readings_table(rows), self.stations)

    def verdict(self) -> Verdict:
        """Decide, and assemble the verdict."""
        case, name = self.case, self.name
        readings = self.readings()
        # The first row is the question as it was asked.
        own = readings[readings["reading"] == name].iloc[0]
        tallies = self.tallies(case, "recorded", case.serve, name)
        decisions = [decide(tally, case.rule, closed=case.is_closed) for tally in tallies]
        passes, why = min(decisions, key=lambda one: {False: 0, None: 1, True: 2}[one[0]])
        # By what is on record and in the direction that fares worst: bounds do not decide.
        segments = self._list_segments()
        return Verdict(
            case.rule,
            passes,
            float(own["share"]),
            float(own["share_low"]),
            float(own["share_high"]),
            carry(segments, self.stations, standard=case.rule.id, reading=name),
            self.placed.pools.table(case.rule, case.times(case.serve)),
            [*case.clauses, *self.placed.pools.clauses, *self._describe_network(tallies)],
            readings,
            {**self.network.report, **self._report_network(segments)},
            why,
            case.share_of if "one pool" not in name else f"of the length passes by {name}",
        )

    def _describe_network(self, tallies: list[Tally]) -> list[str]:
        """Describe the network, the reading and the ends."""
        clauses = [f"reading: {self.name}"]
        if self.name.startswith("branch"):
            clauses.append("strict 'branch' equals some-path: there is one way through a chain")
        paired = float(str(self.network.report["paired_km"]))
        if paired > 0:
            clauses.append(
                f"{paired:.1f} km are carriageways side by side: each counts with its own length, "
                "and a pool serves both"
            )
        if self.network.axis.ways.any():
            clauses.append(
                "lines are driven in the direction that their column gives; one for both "
                "directions passes if both do"
            )
            if self.case.serve == "by-side":
                clauses.append(
                    "on lines with one direction a pool lies at its nearest place only, and "
                    "serves the carriageways from which directed ways lead to it and on"
                )
        return [*clauses, self.case.describe_ends(tallies, len(self._find_pools_on_road()))]

    def _find_pools_on_road(self) -> set[int]:
        """Find the qualifying pools on the network in any direction."""
        good = self.qualify(self.case, "recorded", self.case.serve)
        return {
            point
            for judge in self.judges.values()
            for point in np.unique(judge.places.point).tolist()
            if good[point]
        }

    def _report_network(self, segments: gpd.GeoDataFrame) -> dict[str, object]:
        """Report what was counted."""
        case = self.case
        by_status = segments.groupby("status")["length_km"].sum() / len(self.judges)
        return {
            "n_pools_on_road": len(self._find_pools_on_road()),
            "end_km": 0.0,
            **{f"{status}_km": float(km) for status, km in by_status.items()},
            "ends": case.options.ends,
            "offset_km": case.offset_km,
            "merge_m": case.pool_rules.merge_m,
        }

    def _list_segments(self) -> gpd.GeoDataFrame:
        """List the pieces of lines with their status, by direction."""
        good = self.qualify(self.case, "recorded", self.case.serve)
        tables = [self._list_pieces(name, judge, good) for name, judge in self.judges.items()]
        made = pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]
        return gpd.GeoDataFrame(made, crs=CRS)

    def _list_pieces(
        self, direction: str, judge: Judge, good: NDArray[np.bool_]
    ) -> gpd.GeoDataFrame:
        """List the pieces of lines with their status in a direction."""
        case, cut = self.case, judge.cut(good)
        judged = judge.judged(good, self.name, case.spacing_km)
        pieces = cut.pieces
        end_km = cut.end_km[pieces.segment]
        is_end = ~np.isnan(end_km)
        possible = is_end & ((end_km <= case.spacing_km + 1e-6) | cut.is_tiny[pieces.segment])
        passes = judged.passes | (possible & case.is_closed)
        choices = [passes, is_end & (not case.is_closed), judged.unserved & ~is_end]
        status = np.select(choices, ["passes", "end", "unserved"], "fails")
        told = np.where(judged.passes, np.nan, end_km)
        rows = zip(status.tolist(), judged.between_km.tolist(), told.tolist(), strict=True)
        # Thousands of pieces share few reasons: each is written once.
        known: dict[tuple[str, float, float], str] = {}
        reasons = [
            known[row] if row in known else known.setdefault(row, self._explain_piece(*row))
            for row in rows
        ]
        finite = np.isfinite(judged.between_km) & (status != "end")
        table = {
            "line": self.network.lines.row[pieces.part],
            "segment": pieces.segment,
            "direction": direction,
            "length_km": pieces.end_km - pieces.start_km,
            "between_km": np.where(finite, judged.between_km, np.nan),
            "status": status,
            "reason": reasons,
        }
        chain = cut.graph.chain[pieces.segment]
        drawn = self.network.axis.pieces(pieces.start_km, pieces.end_km, chain)
        return gpd.GeoDataFrame(table, geometry=drawn, crs=CRS)

    def _explain_piece(self, status: str, km: float, end_km: float) -> str:
        return reason(status, km, self.case, end_km=end_km)
