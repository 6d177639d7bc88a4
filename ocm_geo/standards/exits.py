"""How far pools are from the exits of a road, by driving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from ocm_geo.errors import QueryError, RouteError
from ocm_geo.frames import point_lonlat
from ocm_geo.geodesy import PointIndex
from ocm_geo.schema import CRS
from ocm_geo.standards.noding import nearest_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.routing import Engine

__all__ = ["EXIT_KM", "at_exits", "check_exits"]

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
        If there is one of the two without the other, or the exits are no points.
    """
    if exits is None and engine is None:
        return None
    if exits is None or engine is None:
        raise QueryError("exits and engine go together: give both, or neither")
    places = np.column_stack(point_lonlat(exits, "exits"))
    if not len(places):
        raise QueryError("exits is empty: pass at least one point")
    return places


def at_exits(
    pools: gpd.GeoSeries,
    roads: NDArray[np.object_],
    exits: NDArray[np.float64],
    *,
    engine: Engine,
    within_km: float,
) -> gpd.GeoSeries:
    """
    Place pools where one leaves the road for them.

    Parameters
    ----------
    pools : geopandas.GeoSeries
        Positions, EPSG:4326.
    roads : numpy.ndarray of shapely.LineString
        The road, lon/lat.
    exits : numpy.ndarray of shape (n, 2)
        Where one can leave it; those more than 500 m from the road are of another.
    engine : Engine
        What measures the ways.
    within_km : float
        Greatest driving distance from the nearest exit.

    Returns
    -------
    geopandas.GeoSeries
        The pools on the road (within 100 m of it), where they are, and those within the driving
        distance, at their nearest exit; index kept, the others left out.

    Raises
    ------
    QueryError
        If no exit is near the road.
    """
    exits = exits[nearest_places(roads, exits, EXIT_KM)[0] >= 0]
    if not len(exits):
        raise QueryError(f"none of the exits is within {EXIT_KM:g} km of the road")
    places = np.column_stack([pools.x, pools.y])
    on_road = nearest_places(roads, places, _ON_ROAD_KM)[0] >= 0
    index = PointIndex(*exits.T)
    found = places.copy()
    keep = on_road.copy()
    for row in np.flatnonzero(~on_road):
        # No way is shorter than the straight line.
        near = index.within_km(float(places[row, 0]), float(places[row, 1]), within_km)
        ways = [_driving_km(engine, exits[one], places[row]) for one in near]
        if ways and min(ways) <= within_km:
            keep[row], found[row] = True, exits[near[int(np.argmin(ways))]]
    moved = gpd.GeoSeries(gpd.points_from_xy(*found.T), index=pools.index, crs=CRS)
    return moved[keep]


def _driving_km(engine: Engine, start: NDArray[np.float64], end: NDArray[np.float64]) -> float:
    try:
        return engine.path(np.stack([start, end])).length_km
    except RouteError:
        return float("inf")
