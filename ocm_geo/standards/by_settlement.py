"""Rules that ask for a station in each settlement from a number of inhabitants on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from ocm_geo.coverage.tally import AreaFinder
from ocm_geo.errors import QueryError
from ocm_geo.geodesy import PointIndex, area_km2, pairs_within_km
from ocm_geo.levels import LEVELS
from ocm_geo.schema import CRS
from ocm_geo.standards.found import Found, Shares
from ocm_geo.standards.inhabitants import count_inhabitants

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ocm_geo.standards.found import AreaCase

__all__ = ["assess_settlements"]


def assess_settlements(case: AreaCase) -> Found:
    """
    Assess a rule that asks for a pool in each settlement.

    Parameters
    ----------
    case : AreaCase
        The question; each row of the area is a settlement.

    Returns
    -------
    Found
        The share of the settlements that are large enough.

    Raises
    ------
    QueryError
        If no settlement is large enough, or settlements are points without a distance.
    """
    count, where = _choose_counter(case)
    number, counts, who = _choose_settlements(case)
    held = np.array([count(lonlat) for lonlat in case.serving().values()])
    has = held[:, counts] > 0
    shares = Shares(*has.mean(axis=1).tolist())
    readings = {"settlements with a qualifying pool": shares}
    report: dict[str, object] = {"n_settlements": int(counts.sum())}
    if number is not None and number[counts].sum() > 0:
        weights = number[counts] / number[counts].sum()
        readings["population of these settlements"] = Shares(
            *np.minimum(has @ weights, 1.0).tolist()
        )
        report["population"] = float(number[counts].sum())
    segments = _list_settlements(case, held[LEVELS.index("recorded")], counts, number)
    have = "settlement has" if counts.sum() == 1 else "settlements have"
    share_of = f"of {counts.sum():,} {have} a qualifying pool"
    decides = (shares.recorded, shares.recorded)
    return Found(shares, decides, share_of, segments, readings, [where, who], report)


def _choose_counter(
    case: AreaCase,
) -> tuple[Callable[[NDArray[np.float64]], NDArray[np.intp]], str]:
    """Choose how stations of settlements are counted: inside outlines, or about points."""
    served = "each row of the area is a settlement; it is served if a station of a qualifying pool"
    shapes = case.frame.geometry
    if shapes.geom_type.iloc[0] != "Point":
        finder = AreaFinder(shapes.to_numpy())
        return partial(_count_inside, finder), f"{served} lies inside its outline"
    km = case.options.offset_km
    if km is None:
        raise QueryError(
            "the settlements are points: pass options=ocm.AssessmentOptions(offset_km=...), the "
            "distance from the point within which a station serves it, or pass outlines"
        )
    index = PointIndex(shapes.x.to_numpy(), shapes.y.to_numpy())
    return partial(_count_near, index, km), f"{served} lies within {km:g} km of its point"


def _choose_settlements(
    case: AreaCase,
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_], str]:
    """Count the inhabitants, and find the settlements that are large enough."""
    least, n = float(case.rule.min_population or 0.0), len(case.frame)
    if case.population is None:
        every = f"all are taken to have {least:,.0f} inhabitants or more: no population was given"
        return None, np.ones(n, dtype=bool), every
    number = count_inhabitants(case.frame, case.population)
    counts = number >= least
    if not counts.any():
        raise QueryError(
            f"none of the {n:,} settlements has {least:,.0f} inhabitants or more (the largest has "
            f"{np.max(number):,.0f}): the rule asks for nothing here"
        )
    who = f"{counts.sum():,} of {n:,} settlements have {least:,.0f} inhabitants or more"
    return number, counts, who


def _count_inside(finder: AreaFinder, lonlat: NDArray[np.float64]) -> NDArray[np.intp]:
    """Count the stations inside each settlement."""
    settlement, _ = finder.pairs(*lonlat.T)
    return np.bincount(settlement, minlength=len(finder))


def _count_near(index: PointIndex, km: float, lonlat: NDArray[np.float64]) -> NDArray[np.intp]:
    """Count the stations within a distance of each settlement."""
    settlement, _, _ = pairs_within_km(index, PointIndex(*lonlat.T), km)
    return np.bincount(settlement, minlength=len(index))


def _list_settlements(
    case: AreaCase,
    held: NDArray[np.intp],
    counts: NDArray[np.bool_],
    number: NDArray[np.float64] | None,
) -> gpd.GeoDataFrame:
    """List the settlements with their status, by what is on record."""
    status = np.where(~counts, "not asked", np.where(held > 0, "passes", "fails"))
    reasons = {
        "not asked": "fewer inhabitants than the rule asks for",
        "passes": "a qualifying pool lies in the settlement",
        "fails": "no qualifying pool in the settlement",
    }
    shapes = case.frame.geometry.to_numpy()
    table = {"area_km2": area_km2(shapes), "n_stations": held.astype(np.int64)}
    if number is not None:
        table["population"] = number
    table |= {"status": status, "reason": [reasons[word] for word in status]}
    return gpd.GeoDataFrame(table, index=case.frame.index, geometry=shapes, crs=CRS)
