"""The tables of a route map: stations by kilometre, gaps or sections, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocm_geo.corridors import locate_along, route_gaps
from ocm_geo.errors import QueryError
from ocm_geo.geodesy import Line, as_line
from ocm_geo.ids import station_table
from ocm_geo.outside import split_by_data
from ocm_geo.provenance import carry, choose_within_km, read_attrs
from ocm_geo.standards import AssessmentOptions, Rule, Verdict, assess_route
from ocm_geo.standards.catalogue import rule_of

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.routes.editing import Route

__all__ = ["RouteTables", "find_route_tables"]


@dataclass(frozen=True)
class RouteTables:
    """
    Everything that a route map draws.

    Parameters
    ----------
    line : Line
        The route.
    within_km : float
        Half width of the corridor, km.
    stations : geopandas.GeoDataFrame
        Stations with ``along_km``, ``offset_km`` and ``side``, one row for each passage.
    gaps : geopandas.GeoDataFrame
        Gaps, or sections of the verdict, with ``start_km``, ``end_km``, ``status`` and geometry;
        split where the data end.
    verdict : Verdict or None
        The verdict, if there is a standard.
    """

    line: Line
    within_km: float
    stations: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    verdict: Verdict | None


def find_route_tables(
    route: Route,
    stations: gpd.GeoDataFrame,
    within_km: float | None,
    standard: Verdict | Rule | str | None,
    *,
    min_power_kw: float | None = None,
) -> RouteTables:
    """
    Find the stations along a route, and its gaps or the sections of a standard.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route.
    stations : geopandas.GeoDataFrame
        A station table.
    within_km : float, optional
        As for `route_map`.
    standard : Verdict, Rule or str, optional
        A finished verdict on the route, or the rule to assess it by.
    min_power_kw : float, optional
        As for `route_map`.

    Returns
    -------
    RouteTables
        The tables.

    Raises
    ------
    QueryError
        If an argument is wrong, or the rule or the verdict is not about a route.
    RouteError
        If the geometry is not a route.
    """
    within_km = choose_within_km(within_km, stations)
    line = Line(as_line(route))
    stations = station_table(stations)
    located = locate_along(stations, route, within_km=within_km, passages="all")
    verdict = None
    if standard is None:
        gaps = route_gaps(route, stations, within_km=within_km, min_power_kw=min_power_kw)
        gaps = gaps.assign(status="gap")
    else:
        verdict = _assess_with_distance(route, stations, within_km, standard)
        gaps = verdict.segments
    gaps = carry(split_by_data(gaps, line, read_attrs(gaps)), gaps)
    return RouteTables(line, within_km, located.sort_values("along_km"), gaps, verdict)


def _assess_with_distance(
    route: Route, stations: gpd.GeoDataFrame, within_km: float, standard: Verdict | Rule | str
) -> Verdict:
    """Return the verdict, made now unless it is finished."""
    if isinstance(standard, Verdict):
        if "start_km" not in standard.segments:
            raise QueryError(
                "standard must be a rule or a verdict of assess_route: a verdict on a network or "
                "an area has no kilometres"
            )
        return standard
    # The rule's own distance from the road decides which pools count, if it has one.
    own_km = rule_of(standard).offset_km
    options = AssessmentOptions(offset_km=within_km if own_km is None else None)
    return assess_route(route, stations, standard, options=options)
