"""Assess one road."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.corridors.marks import marks_along
from ocm_geo.geodesy import Line, as_line
from ocm_geo.outside import mark_line
from ocm_geo.provenance import carry
from ocm_geo.roads.places import AT_END_KM
from ocm_geo.schema import CRS
from ocm_geo.standards.cases import TOLERANCE_KM, Case, make_case, readings_table, reason
from ocm_geo.standards.missing_stations import bound_verdict
from ocm_geo.standards.tally import Tally, add_up_lengths, decide
from ocm_geo.standards.verdict import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.quality.missing import MissingStations
    from ocm_geo.routes.editing import Route
    from ocm_geo.standards.cases import Placed
    from ocm_geo.standards.options import AssessmentOptions
    from ocm_geo.standards.rule import Rule

__all__ = ["assess_route"]

_SHORTEST_KM = 1e-6


class _RouteSections(NamedTuple):
    """The sections of a route between pools, and its ends."""

    start_km: NDArray[np.float64]
    end_km: NDArray[np.float64]
    is_end: NDArray[np.bool_]

    @property
    def km(self) -> NDArray[np.float64]:
        """Their lengths."""
        return self.end_km - self.start_km

    def tally(self, case: Case) -> Tally:
        """Add up the lengths that pass."""
        passes = ~self.is_end & (self.km <= case.spacing_km + TOLERANCE_KM)
        snap_km = case.options.network.snap_m / 1000.0
        return add_up_lengths(
            self.km,
            passes,
            np.where(self.is_end, self.km, np.nan),
            spacing_km=case.spacing_km,
            tiny=self.is_end & (self.km < snap_km),
        )

    def status(self, case: Case) -> list[str]:
        """Name the status of each."""
        short = self.km <= case.spacing_km + TOLERANCE_KM
        is_end = self.is_end & (not case.is_closed)
        return [str(word) for word in np.select([is_end, short], ["end", "passes"], "fails")]


def assess_route(
    route: Route,
    stations: gpd.GeoDataFrame,
    standard: str | Rule,
    *,
    options: AssessmentOptions | None = None,
    completeness: pd.DataFrame | MissingStations | None = None,
) -> Verdict:
    """
    Assess one road by a rule.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The road in lon/lat, or a one-row series or frame with a coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table; what is near the road is found here.
    standard : str or Rule
        A rule about a road: see `standards` and `load_standards`.
    options : AssessmentOptions, optional
        Ends, directions, pools and exits.
    completeness : pandas.DataFrame or MissingStations, optional
        What `completeness` estimated from the stations and a second register: ``share_high`` then
        contains the stations that are missing (see `MissingStations`). What is on record decides.

    Returns
    -------
    Verdict
        Share of the whole length, its bounds, segments, clauses, and other readings. ``report``
        has ``length_km``, ``ends_km`` and ``share_between_pools``, the share without the ends.

    Raises
    ------
    QueryError
        If the rule cannot be assessed on a road, needs a number, or a parameter is wrong.
    RouteError
        If the geometry is not a route.

    Warns
    -----
    SuspectInput
        If there are stations, and none is near the road.
    OutsideData
        If a part of the road lies in countries of which the source has no stations.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_route(ocm.sample_route(), 3, source=ocm.sample())
    >>> verdict = ocm.assess_route(ocm.sample_route(), stations, "afir-ldv-core-2025")
    >>> 0 <= verdict.share_low <= verdict.share <= verdict.share_high <= 1
    True
    """
    case = make_case(standard, options)
    line = Line(as_line(route))

    def ask(table: gpd.GeoDataFrame) -> Verdict:
        marked = mark_line(table, line, "the length of the road")
        return _RouteAssessment(case, line, marked).verdict()

    return bound_verdict(ask, stations, completeness)


class _RouteAssessment:
    """The answers to a question on a road."""

    def __init__(self, case: Case, line: Line, stations: gpd.GeoDataFrame) -> None:
        self.case, self.line, self.stations = case, line, stations
        self.placed: Placed = case.place(stations, self._find_near_route)
        points = gpd.GeoSeries(gpd.points_from_xy(*self.placed.lonlat.T), crs=CRS)
        points.index.name = "ocm_id"
        marks = marks_along(points, line, self.placed.within_km)
        self.pool = marks.ids.to_numpy(np.intp)
        self.side = marks.table["side"].to_numpy()
        self.along = self._move_to_ends(marks.along_km)

    def _find_near_route(self, lonlat: NDArray[np.float64], within_km: float) -> NDArray[np.bool_]:
        """Find the positions within a distance of the route."""
        near = np.zeros(len(lonlat), dtype=bool)
        near[self.line.locate(*lonlat.T, within_km=within_km).position] = True
        return near

    def _move_to_ends(self, along: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move pools that are less than 1 m from an end of the road to it."""
        length = self.line.length_km
        along = np.where(along <= AT_END_KM, 0.0, along)
        return np.where(along >= length - AT_END_KM, length, along)

    @property
    def directions(self) -> dict[str, str | None]:
        """The directions that are judged apart, and the side on which their pools lie."""
        if self.case.serve != "by-side":
            return {"both": None}
        right = self.case.options.drive_on == "right"
        sides = ("right", "left") if right else ("left", "right")
        return dict(zip(("forward", "reverse"), sides, strict=True))

    def sections(self, case: Case, level: str, serve: str) -> dict[str, _RouteSections]:
        """Cut the road at qualifying pools, by direction."""
        every = self.placed.pools.qualify(case.rule, level, case.times(serve))  # type: ignore[arg-type]
        good = every[self.placed.number][self.pool]
        found = {}
        for name, side in self.directions.items():
            keep = good if side is None else good & np.isin(self.side, [side, "on"])
            found[name] = self._cut_route(self.along[keep])
        return found

    def _cut_route(self, along: NDArray[np.float64]) -> _RouteSections:
        """Cut the route at kilometres, and mark its two ends."""
        bounds = np.concatenate([[0.0], np.sort(along), [self.line.length_km]])
        start, end = bounds[:-1], bounds[1:]
        is_end = np.zeros(len(start), dtype=bool)
        is_end[[0, -1]] = True
        # Two pools at one kilometre leave a section of no length, and a pool at an end no end.
        keep = end - start > _SHORTEST_KM
        return _RouteSections(start[keep], end[keep], is_end[keep])

    def share(self, case: Case, level: str, serve: str) -> float:
        """Return the share that passes in the direction that fares worst."""
        found = self.sections(case, level, serve).values()
        return min(one.tally(case).share(closed=case.is_closed) for one in found)

    def readings(self) -> pd.DataFrame:
        """Compute the share for each way in which pools may serve."""
        rows = [
            (
                *("along the route", serve, used),
                *(self.share(case, level, serve) for level in ("recorded", "low", "high")),
            )
            for used, case, serves in self.case.questions()
            for serve in serves
        ]
        return carry(readings_table(rows), self.stations)

    def verdict(self) -> Verdict:
        """Decide, and assemble the verdict."""
        case, readings = self.case, self.readings()
        own = readings.iloc[0]
        drawn = self.sections(case, "recorded", case.serve)
        tallies = [one.tally(case) for one in drawn.values()]
        decisions = [decide(tally, case.rule, closed=case.is_closed) for tally in tallies]
        passes, why = min(decisions, key=lambda one: {False: 0, None: 1, True: 2}[one[0]])
        segments = self._list_sections(drawn)
        return Verdict(
            case.rule,
            passes,
            float(own["share"]),
            float(own["share_low"]),
            float(own["share_high"]),
            carry(segments, self.stations, standard=case.rule.id),
            self._list_pools_near(),
            [
                *case.clauses,
                *self.placed.pools.clauses,
                case.describe_ends(tallies, self._count_pools_near()),
            ],
            readings,
            {
                "share_between_pools": min(tally.between_pools for tally in tallies),
                "length_km": self.line.length_km,
                "ends_km": 0.0
                if case.is_closed
                else max(t.possible + t.long_ends for t in tallies),
                "ends": case.options.ends,
                "offset_km": case.offset_km,
                "merge_m": case.pool_rules.merge_m,
            },
            why,
            case.share_of,
        )

    def _count_pools_near(self) -> int:
        """Count the qualifying pools near the road, by what is on record."""
        case = self.case
        every = self.placed.pools.qualify(case.rule, "recorded", case.times(case.serve))
        return int(every[self.placed.number][self.pool].sum())

    def _list_pools_near(self) -> gpd.GeoDataFrame:
        """List the pools near the road, in its order."""
        case = self.case
        made = self.placed.pools.table(case.rule, case.times(case.serve))
        hits = self.line.locate(made.geometry.x, made.geometry.y, within_km=case.offset_km)
        near = made.iloc[hits.position].copy()
        near["along_km"], near["offset_km"], near["side"] = hits.along_km, hits.offset_km, hits.side
        return near.sort_values("along_km", kind="stable")

    def _list_sections(self, by_direction: dict[str, _RouteSections]) -> gpd.GeoDataFrame:
        """List the sections with their status, by direction."""
        tables = []
        for direction, found in by_direction.items():
            status, km = found.status(self.case), found.km
            ends = np.where(found.is_end, km, np.nan)
            table = {
                "direction": direction,
                "start_km": found.start_km,
                "end_km": found.end_km,
                "length_km": km,
                "between_km": np.where(np.array(status) == "end", np.nan, km),
                "status": status,
                "reason": [
                    reason(word, one, self.case, end_km=end)
                    for word, one, end in zip(status, km.tolist(), ends.tolist(), strict=True)
                ],
            }
            bounds = zip(found.start_km, found.end_km, strict=True)
            drawn = [self.line.substring(start, end) for start, end in bounds]
            tables.append(gpd.GeoDataFrame(table, geometry=drawn, crs=CRS))
        return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=CRS)
