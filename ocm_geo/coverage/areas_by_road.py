"""Which share of areas, and of their population, is within a driving time of a station."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.checks import check_engine, check_minutes_list
from ocm_geo.coverage.areas import covered_areas
from ocm_geo.coverage.by_road import KM_A_MINUTE
from ocm_geo.coverage.driving import DrivingReach, draw_isochrones
from ocm_geo.coverage.inputs import area_frame, check_stations, population_of
from ocm_geo.coverage.population_kinds import kind_of_population
from ocm_geo.geodesy import PointIndex
from ocm_geo.outside import mark_areas
from ocm_geo.provenance import carry
from ocm_geo.qualifying import levels_of
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from ocm_geo.coverage.rasters import PopulationRaster
    from ocm_geo.qualifying import Qualifying
    from ocm_geo.routing.engines import MatrixEngine

__all__ = ["coverage_by_road", "draw_driving_reach"]

_METHODS = {
    "column": "population spread evenly over its area, within reach inside an isochrone",
    "polygons": "population spread evenly over its polygon, within reach inside an isochrone",
    "points": "population at points, within reach by the driving time to the nearest station",
    "parts": "population at points, within reach by the driving time to the nearest station",
    "raster": "cells at their centre, within reach inside an isochrone",
}


def coverage_by_road(
    areas: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    minutes: float | Sequence[float],
    *,
    engine: MatrixEngine,
    population: str | os.PathLike[str] | gpd.GeoDataFrame | PopulationRaster | None = None,
    bounds: bool = False,
    qualifying: Qualifying | None = None,
) -> gpd.GeoDataFrame:
    """
    Compute which share of areas and of their population is within a driving time of a station.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in any coordinate reference system.
    stations : geopandas.GeoDataFrame
        All stations from which the areas may be reached, also those beyond their border.
    minutes : float or sequence of float
        Driving times.
    engine : MatrixEngine
        `Valhalla` or `ValhallaTiles`: it must draw isochrones and, for population at points,
        compute travel times.
    population : str, path, geopandas.GeoDataFrame or PopulationRaster, optional
        As for `coverage`.
    bounds : bool
        Add the values with all uncertain stations left out (columns ``_low``) and with all of
        them included (``_high``).
    qualifying : Qualifying, optional
        Which stations count; by default all.

    Returns
    -------
    geopandas.GeoDataFrame
        As `coverage` returns it, with ``minutes`` in place of ``within_km``.
        ``attrs["ocm"]["method"]`` states how the population was counted.

    Raises
    ------
    QueryError
        If areas, times, population or engine are wrong.
    SourceError
        If the server of the engine cannot be reached or fails.

    Warns
    -----
    SuspectInput
        If areas overlap, or nobody lives in a raster.
    DroppedRows
        If the engine finds no road near some stations: nothing is within their reach.
    OutsideData
        If parts of the areas lie in countries of which the source has no station.

    Notes
    -----
    Population at points is within reach if the fastest way of the engine *to* a station takes no
    longer; area, and population spread over it, if it lies in an isochrone *from* a station, as
    drawn by the engine. Stations too far away to be reached at 150 km/h are left out.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> engine = ocm.ValhallaTiles("tiles")  # doctest: +SKIP
    >>> table = ocm.coverage_by_road(areas, stations, [5, 10], engine=engine)  # doctest: +SKIP
    """
    check_engine(engine, "matrix", "isochrone")
    times, frame = check_minutes_list(minutes), area_frame(areas)
    levels = levels_of(stations, qualifying, bounds=bounds)
    reach = draw_driving_reach(levels.tables, times, engine, frame)
    kind = kind_of_population(population, frame.columns)
    table = covered_areas(frame, (kind, population), reach, reach.covered_km2)
    table = table.rename(columns={"within_km": "minutes"})
    if not any(len(index) for index in reach.levels.values()):
        corners = shapely.get_coordinates(frame.geometry.to_numpy())
        warn_if_far("areas", corners, stations)
    population_column = population_of(frame, str(population)) if kind == "column" else None
    stations = mark_areas(stations, frame.geometry.to_numpy(), population_column)
    facts = levels.facts if kind is None else {**levels.facts, "method": _METHODS[kind]}
    return carry(table, stations, **facts, engine=repr(engine))


def draw_driving_reach(
    tables: Mapping[str, gpd.GeoDataFrame],
    times: list[float],
    engine: MatrixEngine,
    frame: gpd.GeoDataFrame,
) -> DrivingReach:
    """
    Return the isochrones of the stations of each level, each position drawn only once.

    Parameters
    ----------
    tables : mapping of str to geopandas.GeoDataFrame
        The stations of each level, by the suffix of the result's columns.
    times : list of float
        Minutes, ascending.
    engine : MatrixEngine
        Draws the isochrones.
    frame : geopandas.GeoDataFrame
        Areas; stations too far from all areas are left out.

    Returns
    -------
    DrivingReach
        Driving times, and the isochrones of each level.
    """
    boxes = frame.geometry.bounds.to_numpy()
    indexes = {
        suffix: _index_stations_near(PointIndex(*check_stations(table)), boxes, times[-1])
        for suffix, table in tables.items()
    }
    lonlat = [np.column_stack([index.lon, index.lat]) for index in indexes.values()]
    places, which = np.unique(np.vstack(lonlat), axis=0, return_inverse=True)
    labels = [f"at {lon:.5f}, {lat:.5f}" for lon, lat in places]
    drawn = draw_isochrones(places, times, engine, labels)
    ends = np.cumsum([len(index) for index in indexes.values()])
    of_level = np.split(which.ravel(), ends[:-1])
    shapes = {
        suffix: drawn[:, np.unique(rows)] for suffix, rows in zip(indexes, of_level, strict=True)
    }
    return DrivingReach(tuple(times), indexes, engine=engine, drawn=shapes)


def _index_stations_near(index: PointIndex, boxes: np.ndarray, minutes: float) -> PointIndex:
    """Return an index of the stations that may reach any of the boxes in a time."""
    found = [index.near_box(tuple(box), minutes * KM_A_MINUTE) for box in boxes]
    rows = np.unique(np.concatenate([*found, np.empty(0, dtype=np.intp)]))
    return PointIndex(index.lon[rows], index.lat[rows])
