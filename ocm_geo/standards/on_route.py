"""Assess one road."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.corridors.marks import marks_along
from ocm_geo.errors import QueryError
from ocm_geo.geodesy import Line, as_line
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS
from ocm_geo.standards.cases import (
    TOLERANCE_KM,
    Case,
    Ends,
    Serve,
    case_of,
    reaches,
    readings_table,
    reason,
)
from ocm_geo.standards.pools import LEVELS, Level, PoolRules
from ocm_geo.standards.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocm_geo.routes.editing import Route
    from ocm_geo.routing import Engine
    from ocm_geo.standards.catalogue import Rule

__all__ = ["assess_route"]

_SHORTEST_KM = 1e-6


class _Sections(NamedTuple):
    """The stretches of a route between pools, and its ends."""

    start_km: NDArray[np.float64]
    end_km: NDArray[np.float64]
    status: list[str]


def assess_route(  # noqa: PLR0913 - each is a fact of the question
    route: Route,
    stations: gpd.GeoDataFrame,
    standard: str | Rule,
    *,
    ends: Ends = "between-pools",
    pools_serve: Serve = "both-single",
    drive_on: Literal["right", "left"] = "right",
    spacing_km: float | None = None,
    offset_km: float | None = None,
    derogations: Sequence[str] = (),
    pool_rules: PoolRules | None = None,
    strict_power: bool = False,
    exits: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    engine: Engine | None = None,
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
    ends : {"between-pools", "closed"}
        ``between-pools``: only sections between two pools can pass or fail; what lies before the
        first and after the last is reported apart, and decides nothing about ``passes``.
        ``closed``: these count too, as if a pool stood at each end of the road.
    pools_serve : {"both-single", "both-double", "by-side"}
        Each pool serves both directions, at once or twice the requirement; or only the direction
        on whose side of the road it lies. Then both directions must pass.
    drive_on : {"right", "left"}
        The side of the road one drives on; only for ``by-side``.
    spacing_km, offset_km : float, optional
        In place of the rule's; needed where it sets none.
    derogations : sequence of str
        Relaxations to use: see `derogations`.
    pool_rules : PoolRules, optional
        How pools are made of stations.
    strict_power : bool
        Compare power with ``>``; only to reproduce figures that were made so.
    exits : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Points where one can leave the road, service areas among them. With an engine, the offset
        is the driving distance from the nearest one; without, it is the straight line.
    engine : Engine, optional
        What measures it: see `route_between`.

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
        If the geometry is no route.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_route(ocm.sample_route(), 3, source=ocm.sample())
    >>> verdict = ocm.assess_route(ocm.sample_route(), stations, "afir-ldv-core-2025")
    >>> 0 <= verdict.share_low <= verdict.share <= verdict.share_high <= 1
    True
    """
    stations = station_table(stations)
    case = case_of(
        standard,
        derogations,
        ("both-single", "both-double", "by-side"),
        spacing_km=spacing_km,
        offset_km=offset_km,
        ends=ends,
        serve=pools_serve,
        pool_rules=pool_rules,
        strict_power=strict_power,
        exits=exits,
        engine=engine,
    )
    if drive_on not in {"right", "left"}:
        raise QueryError(f"drive_on must be 'right' or 'left', not {drive_on!r}")
    line = Line(as_line(route))
    sides = {"forward": drive_on, "reverse": "left" if drive_on == "right" else "right"}
    directions = sides if case.serve == "by-side" else {"both": None}

    def sections(one: Case, level: Level, serve: str) -> dict[str, _Sections]:
        made = one.pools(stations, level, serve)
        good = made[made["qualifies"]]
        return {name: _sections(line, good, one, side) for name, side in directions.items()}

    rows = []
    for used, one, serves in case.questions():
        for serve in serves:
            shares = {level: _route_share(sections(one, level, serve)) for level in LEVELS}
            found = (shares[level] for level in ("recorded", "low", "high"))
            rows.append(("along the route", serve, used, *found))
    readings = carry(readings_table(rows), stations)
    own = readings.iloc[0]
    drawn = sections(case, "recorded", case.serve)
    segments = _route_segments(line, drawn, case)
    between = _route_share(drawn, with_ends=False)
    return Verdict(
        case.rule,
        reaches(case.rule, between),
        float(own["share"]),
        float(own["share_low"]),
        float(own["share_high"]),
        carry(segments, stations, standard=case.rule.id),
        _near_road(case.pools(stations, "recorded", case.serve), line, case.offset_km),
        case.clauses,
        readings,
        {"share_between_pools": between, **_report(line, segments, case)},
    )


def _report(line: Line, segments: gpd.GeoDataFrame, case: Case) -> dict[str, object]:
    return {
        "length_km": line.length_km,
        "ends_km": float(segments.loc[segments["status"] == "end", "length_km"].sum()),
        "ends": case.ends,
        "offset_km": case.offset_km,
        "merge_m": case.pool_rules.merge_m,
    }


def _near_road(made: gpd.GeoDataFrame, line: Line, offset_km: float) -> gpd.GeoDataFrame:
    hits = line.locate(made.geometry.x, made.geometry.y, within_km=offset_km)
    near = made.iloc[hits.position].copy()
    near["along_km"], near["offset_km"], near["side"] = hits.along_km, hits.offset_km, hits.side
    return near.sort_values("along_km", kind="stable")


def _sections(line: Line, good: gpd.GeoDataFrame, case: Case, side: str | None) -> _Sections:
    marks = marks_along(*_places(good, line, case))
    along = np.minimum(marks.along_km, line.length_km)
    if side is not None:
        along = along[marks.table["side"].isin([side, "on"]).to_numpy()]
    bounds = np.concatenate([[0.0], along, [line.length_km]])
    start, end = bounds[:-1], bounds[1:]
    keep = end - start > _SHORTEST_KM
    is_end = np.zeros(len(start), dtype=bool)
    is_end[[0, -1]] = case.ends == "between-pools"
    short = end - start <= case.spacing_km + TOLERANCE_KM
    status = np.where(is_end, "end", np.where(short, "passes", "fails"))
    return _Sections(start[keep], end[keep], status[keep].tolist())


def _places(good: gpd.GeoDataFrame, line: Line, case: Case) -> tuple[gpd.GeoSeries, Line, float]:
    road = np.array([shapely.LineString(line.coords)], dtype=object)
    places, within_km = case.places(good, road)
    return places, line, within_km


def _route_share(by_direction: dict[str, _Sections], *, with_ends: bool = True) -> float:
    """Give the share of the direction that fares worst."""
    shares = []
    for start, end, status in by_direction.values():
        length, word = end - start, np.array(status)
        counted = length[with_ends | (word != "end")].sum()
        shares.append(float(length[word == "passes"].sum() / counted) if counted > 0 else 0.0)
    return min(shares)


def _route_segments(line: Line, by_direction: dict[str, _Sections], case: Case) -> gpd.GeoDataFrame:
    tables = []
    for direction, (start, end, status) in by_direction.items():
        km = end - start
        tables.append(
            gpd.GeoDataFrame(
                {
                    "direction": direction,
                    "start_km": start,
                    "end_km": end,
                    "length_km": km,
                    "between_km": np.where(np.array(status) == "end", np.nan, km),
                    "status": status,
                    "reason": [reason(s, k, case) for s, k in zip(status, km, strict=True)],
                },
                geometry=[line.substring(a, b) for a, b in zip(start, end, strict=True)],
                crs=CRS,
            )
        )
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=CRS)
