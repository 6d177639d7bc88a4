"""Rules that ask for a station in each cell of a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from ocm_geo.geodesy import area_km2
from ocm_geo.levels import LEVELS
from ocm_geo.schema import CRS
from ocm_geo.standards.found import Found, Shares
from ocm_geo.standards.grids import ANGLES, N_ORIGINS, GridPlace, Plane, draw_cells, lay_grids
from ocm_geo.standards.inhabitants import check_inhabited, locate_inhabitants
from ocm_geo.standards.verdict import format_span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.standards.found import AreaCase

__all__ = ["assess_cells"]

_RANKS = {"least served grid": 0, "central grid": None, "best served grid": -1}
_RECORDED = LEVELS.index("recorded")


def assess_cells(case: AreaCase) -> Found:
    """
    Assess a rule that asks for a pool in each cell of a grid.

    Parameters
    ----------
    case : AreaCase
        The question.

    Returns
    -------
    Found
        As share that of the central one of all places of the grid; as bounds the least and the
        most, with what is uncertain at its worst and at its best.
    """
    # Everything is measured on every grid; only the central one is drawn.
    grids = _GridFamily(case)
    shares = grids.share_cells()
    readings = _rank_shares(shares, "cells served")
    least, central, most = readings.values()
    segments = grids.list_cells(grids.places[_find_central_row(shares)])
    report: dict[str, object] = {
        "cell_km": grids.side_km,
        "n_cells": len(segments),
        "n_grids": len(grids.places),
        "share_least_grid": least.recorded,
        "share_central_grid": central.recorded,
        "share_most_grid": most.recorded,
        "side_error": grids.plane.side_error,
    }
    if grids.number is not None:
        by_population = _rank_shares(grids.share_population(), "population served")
        readings |= by_population
        report["population"] = float(grids.number.sum())
        report["population_share"] = list(by_population.values())[1].recorded
    span = format_span(least.recorded, most.recorded)
    return Found(
        Shares(least.low, central.recorded, most.high),
        (least.recorded, most.recorded),
        f"of the cells of {grids.side_km:g} km have a qualifying pool in the central one of "
        f"{len(grids.places)} grids",
        segments,
        readings,
        [*grids.describe(), f"over all {len(grids.places)} grids, {span} of the cells are served"],
        report,
        f"it depends on where the grid lies: {span} of the cells are served",
        "by what is uncertain and by where the grid lies",
    )


class _GridFamily:
    """The grids over an area, and what stations and population lie in their cells."""

    def __init__(self, case: AreaCase) -> None:
        self.side_km = float(case.rule.cell_km or 0.0)
        self.plane = Plane.of(case.frame.geometry.to_numpy())
        self.places: list[GridPlace] = list(lay_grids(self.plane, self.side_km))
        self.serving = [self.plane.project(lonlat) for lonlat in case.serving().values()]
        self.xy, self.number = np.empty((0, 2)), None
        if case.population is not None:
            step_m = 1000.0 * self.side_km / N_ORIGINS
            found = locate_inhabitants(case.frame, case.population, self.plane, step_m)
            check_inhabited(float(found.number.sum()))
            self.xy, self.number = self.plane.project(found.lonlat), found.number

    def share_cells(self) -> NDArray[np.float64]:
        """Return the share of cells served, by grid and level."""
        return np.array(
            [
                [np.isin(place.cells, place.keys(xy)).mean() for xy in self.serving]
                for place in self.places
            ]
        )

    def share_population(self) -> NDArray[np.float64]:
        """Return the share of the population in served cells, by grid and level."""
        rows, number = [], np.empty(0) if self.number is None else self.number
        for place in self.places:
            keys = place.keys(self.xy)
            served = [np.isin(keys, place.keys(xy)) for xy in self.serving]
            rows.append([_compute_population_share(inside, number) for inside in served])
        return np.array(rows)

    def list_cells(self, place: GridPlace) -> gpd.GeoDataFrame:
        """List the cells of a grid with their status, by what is on record."""
        count = _count_in(place, self.serving[_RECORDED], None)
        drawn = draw_cells(self.plane, place)
        table = {
            "cell": np.arange(len(count)),
            "area_km2": area_km2(drawn),
            "n_stations": count.astype(np.int64),
            "status": np.where(count > 0, "passes", "fails"),
            "reason": np.where(
                count > 0, "a qualifying pool lies in the cell", "no qualifying pool in the cell"
            ),
        }
        if self.number is not None:
            table["population"] = _count_in(place, self.xy, self.number)
        return gpd.GeoDataFrame(table, geometry=drawn, crs=CRS)

    def describe(self) -> list[str]:
        """Describe how the cells were laid and counted."""
        clauses = [
            (
                f"where the grid lies is not said: {len(self.places)} grids were laid, in "
                f"{N_ORIGINS} x {N_ORIGINS} places and {len(ANGLES)} directions; the share is "
                "that of the central one, and the rule is met if the least served one meets it"
            ),
            (
                "a cell counts, whole, if its centre lies in the area; it is served if a station "
                "of a qualifying pool lies in it, also beyond the border of the area"
            ),
            (
                f"cells are squares of {self.side_km:g} km in an equal-area projection about the "
                f"middle of the area; their sides are right to {100 * self.plane.side_error:.2g} %"
            ),
        ]
        if self.number is not None:
            clauses.append("the shares of the population are readings: the rule counts cells")
        return clauses


def _compute_population_share(inside: NDArray[np.bool_], number: NDArray[np.float64]) -> float:
    """Return the share of a population that lives inside."""
    return float(number[inside].sum() / number.sum())


def _count_in(
    place: GridPlace, xy: NDArray[np.float64], weight: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Add up what lies in each cell of a grid."""
    order = np.argsort(place.cells)
    at = np.searchsorted(place.cells, place.keys(xy), sorter=order)
    cell = order[np.minimum(at, len(order) - 1)]
    inside = place.cells[cell] == place.keys(xy)
    kept = None if weight is None else weight[inside]
    return np.bincount(cell[inside], kept, len(place.cells)).astype(float)


def _find_central_row(shares: NDArray[np.float64]) -> int:
    """Find the grid whose share of what is on record is the middle one of all."""
    order = np.argsort(shares[:, _RECORDED], kind="stable")
    return int(order[(len(order) - 1) // 2])


def _rank_shares(shares: NDArray[np.float64], of: str) -> dict[str, Shares]:
    """
    Rank the shares of all grids, for each level apart.

    Each rank is then as monotone as the shares: more stations never lower any of them.
    """
    # An even number of grids: the lower of the two in the middle, so that it is one of them.
    ranked = np.sort(shares, axis=0)
    middle = (len(ranked) - 1) // 2
    return {
        f"{of}, {name}": Shares(*ranked[middle if rank is None else rank].tolist())
        for name, rank in _RANKS.items()
    }
