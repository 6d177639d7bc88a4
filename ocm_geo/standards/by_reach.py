"""Rules that ask for a station within a distance, or a driving time, of everybody."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.checks import check_engine
from ocm_geo.coverage.areas import covered_areas, measure_circles, reach_near
from ocm_geo.coverage.areas_by_road import draw_driving_reach
from ocm_geo.coverage.population_kinds import kind_of_population
from ocm_geo.coverage.tally import Reach
from ocm_geo.errors import QueryError
from ocm_geo.geodesy import PointIndex, area_km2
from ocm_geo.schema import CRS
from ocm_geo.standards.found import SUFFIXES, Found, Shares
from ocm_geo.standards.inhabitants import check_inhabited

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from ocm_geo.routing.engines import MatrixEngine
    from ocm_geo.standards.found import AreaCase

__all__ = ["assess_driving", "assess_radius"]

_NEEDS_POPULATION = "the rule is about the population, which was not given: pass population="
_IN_PLACE = {"points", "parts"}


def assess_radius(case: AreaCase) -> Found:
    """
    Assess a rule that asks for a pool within a distance.

    Parameters
    ----------
    case : AreaCase
        The question.

    Returns
    -------
    Found
        The share of the population within the distance, or where it is not known, of the area.
    """
    km = float(case.rule.radius_km or 0.0)
    indexes = {
        suffix: PointIndex(table.geometry.x.to_numpy(), table.geometry.y.to_numpy())
        for suffix, table in case.serving_tables().items()
    }
    reach = Reach((km,), indexes)
    kind = kind_of_population(case.population, case.frame.columns)
    table = covered_areas(
        case.frame, (kind, case.population), reach, partial(measure_circles, reach)
    )
    within = f"within {km:g} km of a qualifying pool"
    clauses = [
        (
            f"the distance is the geodesic to the nearest station of a qualifying pool, stations "
            f"beyond the border of the area included; {km:g} km by road would reach less"
        )
    ]
    draw = partial(reach_near, index=indexes[""], km=km)
    return _find_shares(case, table, _Within(within, clauses, draw))


def assess_driving(case: AreaCase) -> Found:
    """
    Assess a rule that asks for a pool within a driving time.

    Parameters
    ----------
    case : AreaCase
        The question, with a routing engine.

    Returns
    -------
    Found
        The share of the population within the time, or where it is not known, of the area.

    Raises
    ------
    QueryError
        If there is no engine, or it cannot draw what can be reached.
    """
    minutes = float(case.rule.drive_min or 0.0)
    kind = kind_of_population(case.population, case.frame.columns)
    engine = case.options.engine
    if engine is None:
        raise QueryError(
            f"{case.rule.id} asks for a drive of at most {minutes:g} minutes, which a straight "
            "line cannot tell: pass options=ocm.AssessmentOptions(engine=...), such as "
            "ocm.Valhalla(url)"
        )
    check_engine(engine, "isochrone", *(["matrix"] if kind in _IN_PLACE else []))
    # Points need a matrix, which was checked; areas and rasters only isochrones.
    measured = cast("MatrixEngine", engine)
    reach = draw_driving_reach(case.serving_tables(), [minutes], measured, case.frame)
    table = covered_areas(case.frame, (kind, case.population), reach, reach.covered_km2)
    within = f"within {minutes:g} minutes' drive of a qualifying pool"
    clauses = [
        (
            f"driving times are those of {engine!r}: of areas from the station, of a "
            "population at points to it"
        )
    ]
    drawn = shapely.union_all(reach.drawn[""].ravel())
    return _find_shares(case, table, _Within(within, clauses, lambda _: drawn))


class _Within(NamedTuple):
    """What counts as near: in words, how it was measured, and its outline near a shape."""

    words: str
    clauses: list[str]
    draw: Callable[[shapely.Geometry], shapely.Geometry]


def _find_shares(case: AreaCase, table: pd.DataFrame, within: _Within) -> Found:
    """Make shares of what lies within reach, and decide which of them the rule is about."""
    readings = {f"area {within.words}": _add_up_shares(table, "covered_km2", "area_km2")}
    report: dict[str, object] = {"area_km2": float(table["area_km2"].sum())}
    if case.population is not None:
        report["population"] = check_inhabited(float(table["population"].sum()))
        shares = _add_up_shares(table, "population_covered", "population")
        readings = {f"population {within.words}": shares} | readings
    verb = "area lies" if case.population is None else "population lives"
    shares = next(iter(readings.values()))
    clauses = within.clauses
    # A part of the area says nothing about a part of the population; none or all of it does.
    decides, open_because = (shares.recorded, shares.recorded), ""
    if case.rule.of_population and case.population is None:
        clauses = [*clauses, "the text speaks of the population; what was measured is the area"]
        if 0.0 < shares.recorded < 1.0:
            decides, open_because = (0.0, 1.0), _NEEDS_POPULATION
    segments = _divide_areas(case.frame, within)
    share_of = f"of the {verb} {within.words}"
    return Found(shares, decides, share_of, segments, readings, clauses, report, open_because)


def _add_up_shares(table: pd.DataFrame, part: str, whole: str) -> Shares:
    """Add up the areas: what lies within reach over all, by level."""
    total = float(table[whole].sum())
    return Shares(
        *(min(float(table[f"{part}{end}"].sum()) / total, 1.0) for end in SUFFIXES.values())
    )


def _divide_areas(frame: gpd.GeoDataFrame, within: _Within) -> gpd.GeoDataFrame:
    """Divide areas into what is served and what is not, by what is on record."""
    rows = []
    for label, shape in zip(frame.index, frame.geometry, strict=True):
        near = within.draw(shape)
        parts = (shapely.intersection(shape, near), shapely.difference(shape, near))
        rows += [
            (label, "passes", within.words, parts[0]),
            (label, "fails", f"not {within.words}", parts[1]),
        ]
    table = gpd.GeoDataFrame(rows, columns=["area", "status", "reason", "geometry"], crs=CRS)
    table.insert(1, "area_km2", np.asarray(area_km2(table.geometry.to_numpy())))
    return table[table["area_km2"] > 0].reset_index(drop=True)
