"""How much of an area, and of its people, is within reach of a station."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.coverage.inputs import (
    area_frame,
    check_stations,
    distances,
    people,
    point_lonlat,
)
from ocm_geo.coverage.service_areas import reach_polygons
from ocm_geo.errors import QueryError
from ocm_geo.provenance import carry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["coverage"]


def coverage(
    areas: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    within_km: float | Sequence[float],
    *,
    population: str | gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """
    Measure which share of areas, and of their people, is within reach of a station.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in any coordinate reference system; edges are straight in lon/lat.
    stations : geopandas.GeoDataFrame
        All stations that may reach the areas, those beyond the border too.
    within_km : float or sequence of float
        Geodesic distances, km.
    population : str or geopandas.GeoDataFrame, optional
        A column of the areas: people are taken to be spread evenly over their area (areal
        weighting). Or points with a column ``population``: each is within reach or not by its
        exact distance, and belongs to the areas that hold it.

    Returns
    -------
    geopandas.GeoDataFrame
        A row for each area and distance, index of the areas: ``within_km``, ``area_km2``,
        ``covered_km2``, ``area_share`` (0 to 1), ``population``, ``population_covered``,
        ``population_share`` (missing where unknown, or where nobody lives) and the area's
        geometry in EPSG:4326. Circles are polygons of 128 corners and the same area: shares
        are right to about 0.0005.

    Raises
    ------
    QueryError
        If areas, distances or population are wrong.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.coverage(ocm.sample_areas(), stations, [5, 10], population="population")
    >>> bool(table["area_share"].between(0, 1).all())
    True
    """
    frame = area_frame(areas)
    lon, lat = check_stations(stations)
    steps = distances(within_km)
    reach = [_Reach(lon, lat, km) for km in steps]
    tables = [_area_table(frame, one) for one in reach]
    if population is not None:
        for table, one in zip(tables, reach, strict=True):
            _add_people(table, frame, population, one)
    result = gpd.GeoDataFrame(pd.concat(tables), geometry="geometry", crs=frame.crs)
    # Rows of one area stand together, distances ascending.
    order = np.arange(len(result)).reshape(len(steps), len(frame)).T.ravel()
    return carry(result.iloc[order], stations)


class _Reach:
    """The ground within one distance of any station."""

    def __init__(self, lon: NDArray[np.float64], lat: NDArray[np.float64], km: float) -> None:
        self.km = km
        self.index = geodesy.PointIndex(lon, lat)
        places = np.unique(np.column_stack([lon, lat]), axis=0)
        self.circles = reach_polygons(places[:, 0], places[:, 1], km)
        self.tree = shapely.STRtree(self.circles)

    def part_of(self, area: shapely.Geometry) -> shapely.Geometry:
        """Cut an area to what is within reach, uniting only the circles that touch it."""
        near = self.tree.query(area, predicate="intersects")
        return shapely.intersection(area, shapely.union_all(self.circles[near]))

    def holds(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which points are within reach, by exact distance."""
        position, _ = self.index.nearest(lon, lat, 1, max_km=self.km)
        return np.asarray(position[:, 0] >= 0)


def _area_table(frame: gpd.GeoDataFrame, reach: _Reach) -> pd.DataFrame:
    shapes = frame.geometry.to_numpy()
    whole = geodesy.area_km2(shapes)
    covered = geodesy.area_km2(np.array([reach.part_of(shape) for shape in shapes], dtype=object))
    covered = np.minimum(covered, whole)
    missing = pd.array([None] * len(frame), dtype="Float64")
    return pd.DataFrame(
        {
            "within_km": np.full(len(frame), reach.km),
            "area_km2": whole,
            "covered_km2": covered,
            "area_share": covered / whole,
            "population": missing,
            "population_covered": missing,
            "population_share": missing,
            "geometry": frame.geometry,
        },
        index=frame.index,
    )


def _add_people(
    table: pd.DataFrame,
    frame: gpd.GeoDataFrame,
    population: str | gpd.GeoDataFrame,
    reach: _Reach,
) -> None:
    if isinstance(population, str):
        total = people(frame, population)
        covered = total * table["area_share"].to_numpy()
    elif isinstance(population, gpd.GeoDataFrame):
        total, covered = _people_at_points(frame, population, reach)
    else:
        raise QueryError(
            "population must be a column of the areas or a GeoDataFrame of points with a "
            f"column 'population', not {type(population).__name__}"
        )
    table["population"] = pd.array(total, dtype="Float64")
    table["population_covered"] = pd.array(covered, dtype="Float64")
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, covered / total, np.nan)
    table["population_share"] = pd.arrays.FloatingArray(np.nan_to_num(share), np.isnan(share))


def _people_at_points(
    frame: gpd.GeoDataFrame, points: gpd.GeoDataFrame, reach: _Reach
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon, lat = point_lonlat(points, "population")
    weight = people(points, "population")
    within = weight * reach.holds(lon, lat)
    tree = shapely.STRtree(shapely.points(lon, lat))
    area, point = tree.query(frame.geometry.to_numpy(), predicate="intersects")
    total = np.bincount(area, weight[point], minlength=len(frame))
    return total, np.bincount(area, within[point], minlength=len(frame))
