"""Driving distances of pools from the exits of a road."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.errors import QueryError, RouteError
from ocm_geo.frames import point_lonlat
from ocm_geo.geodesy import PointIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ocm_geo.routing import Engine

__all__ = ["EXIT_KM", "check_exits", "place_at_exits"]

EXIT_KM = 0.5
"""An exit farther from the road is one of another road."""
_ON_ROAD_KM = 0.1


def check_exits(exits: Any, engine: Engine | None) -> NDArray[np.float64] | None:  # noqa: ANN401 - checked here
    """
    Check the exits of a road.

    Parameters
    ----------
    exits : geopandas.GeoSeries, geopandas.GeoDataFrame or None
        Points.
    engine : Engine or None
        What measures the ways from them.

    Returns
    -------
    numpy.ndarray of shape (n, 2) or None
        Their positions in lon/lat.

    Raises
    ------
    QueryError
        If one of the two is given without the other, or the exits are not points.
    """
    if exits is None and engine is None:
        return None
    if exits is None or engine is None:
        raise QueryError("exits and engine go together: pass both, or neither")
    places = np.column_stack(point_lonlat(exits, "exits"))
    if not len(places):
        raise QueryError("exits is empty: pass at least one point")
    return places


def place_at_exits(
    pools: NDArray[np.float64],
    is_near: Callable[[NDArray[np.float64], float], NDArray[np.bool_]],
    exits: NDArray[np.float64],
    *,
    engine: Engine,
    within_km: float,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """
    Place pools where one leaves the road for them.

    Parameters
    ----------
    pools : numpy.ndarray of shape (n, 2)
        Positions, lon/lat.
    is_near : callable
        Tests which positions are within some km of the road.
    exits : numpy.ndarray of shape (n, 2)
        Where one can leave it; those more than 500 m from the road are of another.
    engine : Engine
        What measures the ways; it is asked once for each pool and exit.
    within_km : float
        Greatest driving distance from the nearest exit.

    Returns
    -------
    kept : numpy.ndarray of int
        The pools on the road (within 100 m of it), and those within the driving distance.
    places : numpy.ndarray of shape (m, 2)
        The positions of the former, and the nearest exits of the latter.

    Raises
    ------
    QueryError
        If no exit is near the road.
    """
    exits = exits[is_near(exits, EXIT_KM)]
    if not len(exits):
        raise QueryError(f"none of the exits is within {EXIT_KM:g} km of the road")
    on_road = is_near(pools, _ON_ROAD_KM)
    index = PointIndex(*exits.T)
    # A pool on the road itself needs no exit: service areas have none.
    found, keep = pools.copy(), on_road.copy()
    for row in np.flatnonzero(~on_road):
        # No drive is shorter than the straight line: exits beyond it need not be asked about.
        near = index.within_km(float(pools[row, 0]), float(pools[row, 1]), within_km)
        ways = [_measure_driving_km(engine, exits[one], pools[row]) for one in near]
        if ways and min(ways) <= within_km:
            keep[row], found[row] = True, exits[near[int(np.argmin(ways))]]
    return np.flatnonzero(keep), found[keep]


def _measure_driving_km(
    engine: Engine, start: NDArray[np.float64], end: NDArray[np.float64]
) -> float:
    """Measure the drive between two positions; infinite where there is none."""
    try:
        return engine.path(np.stack([start, end])).length_km
    except RouteError:
        return float("inf")
