"""How much of an area, and of its people, is within a driving time of a station."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.checks import check_engine, check_minutes_list
from ocm_geo.coverage.areas import covered_areas
from ocm_geo.coverage.by_road import KM_A_MINUTE
from ocm_geo.coverage.driving import DrivingReach, draw_isochrones
from ocm_geo.coverage.inputs import area_frame, check_stations, people
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
    "column": "people spread evenly over their area, in reach inside an isochrone",
    "polygons": "people spread evenly over their polygon, in reach inside an isochrone",
    "points": "people at points, in reach by the driving time to the nearest station",
    "parts": "people at points, in reach by the driving time to the nearest station",
    "raster": "a cell is where its centre is, and in reach inside an isochrone",
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
    Measure which share of areas, and of their people, is within a driving time of a station.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in any coordinate reference system.
    stations : geopandas.GeoDataFrame
        All stations that may reach the areas, those beyond the border too.
    minutes : float or sequence of float
        Driving times.
    engine : MatrixEngine
        `Valhalla` or `ValhallaTiles`: it must draw isochrones, and measure many ways for people
        at points.
    population : str, path, geopandas.GeoDataFrame or PopulationRaster, optional
        As for `coverage`.
    bounds : bool
        Also with every uncertain station out (columns ``_low``) and with all in (``_high``).
    qualifying : Qualifying, optional
        Which stations count; without it all given.

    Returns
    -------
    geopandas.GeoDataFrame
        As `coverage` gives it, with ``minutes`` in the place of ``within_km``. How people were
        decided is in ``attrs["ocm"]["method"]``.

    Raises
    ------
    QueryError
        If areas, times, population or engine are wrong.
    SourceError
        If the engine's server cannot be reached, or fails.

    Warns
    -----
    SuspectInput
        If areas overlap, or nobody lives in a raster.
    DroppedRows
        If the engine finds no road near some stations: they reach nothing.
    OutsideData
        If a part of the areas lies in countries of which the source holds no station.

    Notes
    -----
    People at points are in reach if the engine's fastest way *to* a station takes no longer;
    ground, and people spread over it, if an isochrone *from* a station holds it, as the engine
    draws it. Stations farther than 150 km/h would bring anybody are not asked about.

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
    table = covered_areas(frame, (kind, population), reach, reach.ground)
    table = table.rename(columns={"within_km": "minutes"})
    if not any(len(index) for index in reach.levels.values()):
        corners = shapely.get_coordinates(frame.geometry.to_numpy())
        warn_if_far("areas", corners, stations)
    persons = people(frame, str(population)) if kind == "column" else None
    stations = mark_areas(stations, frame.geometry.to_numpy(), persons)
    facts = levels.facts if kind is None else {**levels.facts, "method": _METHODS[kind]}
    return carry(table, stations, **facts, engine=repr(engine))


def draw_driving_reach(
    tables: Mapping[str, gpd.GeoDataFrame],
    times: list[float],
    engine: MatrixEngine,
    frame: gpd.GeoDataFrame,
) -> DrivingReach:
    """
    Draw the isochrones of each place once, whatever the levels that have it.

    Parameters
    ----------
    tables : mapping of str to geopandas.GeoDataFrame
        The stations of each level, by the suffix of the result's columns.
    times : list of float
        Minutes, ascending.
    engine : MatrixEngine
        What draws them.
    frame : geopandas.GeoDataFrame
        Areas; stations too far from all of them are left out.

    Returns
    -------
    DrivingReach
        Driving times, and the isochrones of each level.
    """
    boxes = frame.geometry.bounds.to_numpy()
    indexes = {
        suffix: _near(PointIndex(*check_stations(table)), boxes, times[-1])
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


def _near(index: PointIndex, boxes: np.ndarray, minutes: float) -> PointIndex:
    found = [index.near_box(tuple(box), minutes * KM_A_MINUTE) for box in boxes]
    rows = np.unique(np.concatenate([*found, np.empty(0, dtype=np.intp)]))
    return PointIndex(index.lon[rows], index.lat[rows])
