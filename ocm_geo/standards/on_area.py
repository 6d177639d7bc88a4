"""Assess an area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from ocm_geo.coverage.inputs import area_frame, population_of
from ocm_geo.coverage.population_kinds import kind_of_population
from ocm_geo.errors import QueryError
from ocm_geo.frames import point_frame
from ocm_geo.outside import mark_areas, mark_points
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS
from ocm_geo.standards.by_cells import assess_cells
from ocm_geo.standards.by_reach import assess_driving, assess_radius
from ocm_geo.standards.by_settlement import assess_settlements
from ocm_geo.standards.catalogue import AREA_KINDS, rule_of
from ocm_geo.standards.found import AreaCase, Found, shares_table
from ocm_geo.standards.missing_stations import bound_verdict
from ocm_geo.standards.options import AssessmentOptions, check_unused
from ocm_geo.standards.pool_rules import PoolRules
from ocm_geo.standards.pools import Pools
from ocm_geo.standards.tally import decide_between
from ocm_geo.standards.verdict import Verdict, describe_rule
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import pandas as pd

    from ocm_geo.coverage.rasters import PopulationRaster
    from ocm_geo.quality.missing import MissingStations
    from ocm_geo.standards.rule import Rule

__all__ = ["assess_area"]

_USED_OPTIONS = ("pool_rules", "strict_power", "engine")
_TESTS: dict[str, Callable[[AreaCase], Found]] = {
    "grid": assess_cells,
    "radius": assess_radius,
    "drive-time": assess_driving,
    "settlement": assess_settlements,
}


def assess_area(
    area: gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry,
    stations: gpd.GeoDataFrame,
    standard: str | Rule,
    *,
    population: str | os.PathLike[str] | gpd.GeoDataFrame | PopulationRaster | None = None,
    options: AssessmentOptions | None = None,
    completeness: pd.DataFrame | MissingStations | None = None,
) -> Verdict:
    """
    Assess an area by a rule on cells, distances, driving times or settlements.

    Parameters
    ----------
    area : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons; a bare geometry is in lon/lat. For a rule on settlements each row is one: its
        outline, or a point, which is served within ``AssessmentOptions(offset_km=...)``.
    stations : geopandas.GeoDataFrame
        A station table, with the stations beyond the border that may serve the area.
    standard : str or Rule
        A rule of the kind ``grid``, ``radius``, ``drive-time`` or ``settlement``: see `standards`
        and `load_standards`.
    population : str, path, geopandas.GeoDataFrame or PopulationRaster, optional
        As for `coverage`: a column of the area, points or polygons with a column ``population``,
        or a raster. With it a rule on distances or driving times is measured on the population;
        of a rule on cells the share of the population is a reading; of a rule on settlements it
        decides which are large enough.
    options : AssessmentOptions, optional
        ``pool_rules``, ``strict_power``, the ``engine`` that a rule on driving times needs, and
        the ``offset_km`` of settlements that are points.
    completeness : pandas.DataFrame or MissingStations, optional
        What `completeness` estimated from the stations and a second register: ``share_high`` then
        contains the stations that are missing (see `MissingStations`). What is on record decides.

    Returns
    -------
    Verdict
        The share served, its bounds, the cells, settlements or parts of the area as ``segments``,
        clauses, and readings. For a rule on cells, ``share`` is that of the central one of 150
        grids, and the bounds contain the least and the best served ones; ``report`` has all three
        by what is on record (``share_least_grid``, ``share_central_grid``, ``share_most_grid``).

    Raises
    ------
    QueryError
        If the rule cannot be assessed on an area, an argument is wrong, a rule on driving times
        has no engine, or no settlement is as large as the rule asks for.
    MissingDependency
        If the population is a raster, and the extra ``scale`` is not installed.

    Warns
    -----
    SuspectInput
        If every position of the area is far from every station, or areas overlap.
    DroppedRows
        If invalid outlines were repaired, or the engine finds no road near some stations.
    OutsideData
        If a part of the area lies in countries of which the source has no stations.

    Notes
    -----
    A pool serves where each of its stations lies. Stations that are added never lower a share or
    its bounds. Areas within a distance are right to about 0.0005 of their size, as in `coverage`.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> verdict = ocm.assess_area(ocm.sample_areas(), stations, "at-2030-fast")
    >>> 0 <= verdict.share_low <= verdict.share <= verdict.share_high <= 1
    True
    """
    rule = rule_of(standard, AREA_KINDS)
    frame = _read_area(area, rule)
    at_points = frame.geom_type.iloc[0] == "Point"
    used = (*_USED_OPTIONS, "offset_km") if at_points else _USED_OPTIONS
    options = check_unused(options, used, "an area")

    def ask(table: gpd.GeoDataFrame) -> Verdict:
        rules = options.pool_rules or PoolRules()
        pools = Pools(table, rule, rules, strict_power=options.strict_power)
        return _assess_frame(AreaCase(rule, frame, pools, population, options), table)

    return bound_verdict(ask, stations, completeness)


def _assess_frame(case: AreaCase, stations: gpd.GeoDataFrame) -> Verdict:
    """Assess checked areas by the pools of stations."""
    rule, frame, population = case.rule, case.frame, case.population
    found = _TESTS[rule.kind](case)
    # Asked only where nothing is served even at best, so that usual input costs nothing.
    if not found.shares.high:
        corners = shapely.get_coordinates(frame.geometry.to_numpy())
        warn_if_far("area", corners, stations)
    kind = kind_of_population(population, frame.columns)
    persons = population_of(frame, population) if kind == "column" else None
    if frame.geom_type.iloc[0] == "Point":
        lonlat = frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy()
        stations = mark_points(stations, lonlat, persons, "the settlements")
    else:
        stations = mark_areas(stations, frame.geometry.to_numpy(), persons)
    return _make_area_verdict(case, found, stations)


def _read_area(
    area: gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry, rule: Rule
) -> gpd.GeoDataFrame:
    """Read polygons; of settlements also points."""
    given = gpd.GeoSeries([area], crs=CRS) if isinstance(area, shapely.Geometry) else area
    kinds = getattr(given, "geom_type", None)
    if rule.kind == "settlement" and kinds is not None and len(kinds) and (kinds == "Point").all():
        return point_frame(given, "area")
    frame = area_frame(given, "area")
    if not len(frame):
        raise QueryError("the area is empty: it has no polygon")
    return frame


def _make_area_verdict(case: AreaCase, found: Found, stations: gpd.GeoDataFrame) -> Verdict:
    """Decide, and put the answers together."""
    rule, options = case.rule, case.options
    passes, why = decide_between(rule, rule.share_served, found.decides, found.open_because)
    return Verdict(
        rule,
        passes,
        found.shares.recorded,
        found.shares.low,
        found.shares.high,
        carry(found.segments, stations, standard=rule.id),
        case.pools.table(rule, 1),
        describe_rule(rule, [], [*options.power_clauses, *case.pools.clauses, *found.clauses]),
        carry(shares_table(found.readings), stations),
        {**found.report, "merge_m": (options.pool_rules or PoolRules()).merge_m},
        why,
        found.share_of,
        found.bounds_by,
    )
