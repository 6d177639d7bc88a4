"""Which share of areas, and of their population, is within reach of a station."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.checks import check_km_list
from ocm_geo.coverage.inputs import area_frame, population_of
from ocm_geo.coverage.population import RASTER_RULE, population_columns, reach_of, tally_raster
from ocm_geo.coverage.population_kinds import kind_of_population, tally_parts
from ocm_geo.coverage.rasters import open_grid
from ocm_geo.coverage.reach import reach_polygons, union_of_circles
from ocm_geo.coverage.tally import AreaFinder, Tally, warn_of_overlaps
from ocm_geo.frames import point_lonlat
from ocm_geo.outside import mark_areas
from ocm_geo.provenance import carry
from ocm_geo.qualifying import order_bounds
from ocm_geo.quality.bounding import bound_levels
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from distributed import Client
    from numpy.typing import NDArray

    from ocm_geo.coverage.rasters import PopulationRaster
    from ocm_geo.coverage.tally import Reach
    from ocm_geo.qualifying import Qualifying
    from ocm_geo.quality.missing import MissingStations

__all__ = [
    "CoveredKm2",
    "coverage",
    "covered_areas",
    "measure_circles",
    "pieces_of",
    "reach_near",
]

CoveredKm2: TypeAlias = "Callable[[NDArray[np.object_], NDArray[np.float64]], NDArray[np.float64]]"


_FEW_CIRCLES = 40
_METHODS = {
    "column": "population spread evenly over its area (areal weighting)",
    "polygons": "population spread evenly over its polygon (areal weighting)",
    "points": "population at points, within reach by geodesic distance",
    "parts": "population at points, within reach by geodesic distance",
    "raster": RASTER_RULE,
}


def coverage(
    areas: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    within_km: float | Sequence[float],
    *,
    population: str | os.PathLike[str] | gpd.GeoDataFrame | PopulationRaster | None = None,
    bounds: bool = False,
    qualifying: Qualifying | None = None,
    completeness: pd.DataFrame | MissingStations | None = None,
    client: Client | None = None,
) -> gpd.GeoDataFrame:
    """
    Compute which share of areas, and of their population, is within reach of a station.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in any coordinate reference system; edges are straight in lon/lat. Across the
        antimeridian, polygons in degrees are split there or have longitudes beyond ±180.
    stations : geopandas.GeoDataFrame
        All stations from which the areas may be reached, also those beyond their border.
    within_km : float or sequence of float
        Geodesic distances, km; repeated distances count once.
    population : str, path, geopandas.GeoDataFrame or PopulationRaster, optional
        A column of the areas: the population is assumed to be spread evenly over its area
        (areal weighting). Points with a column ``population``: each is within reach or not by
        its exact distance, and belongs to the areas that contain it. Polygons with that column:
        areal weighting of their parts. A raster or its path (see `population_coverage`). A path
        of (partitioned) GeoParquet, or a dask collection, of points.
    bounds : bool
        Add the values with all uncertain stations left out (columns ``_low``) and with all of
        them included (``_high``).
        `uncertain_stations` returns the stations that make the difference.
    qualifying : Qualifying, optional
        Which stations count; by default all.
    completeness : pandas.DataFrame or MissingStations, optional
        What `completeness` estimated from `stations` and a second register. The bounds, which are
        then always added, contain the stations that are missing: ``_high`` counts those that only
        the other register has, and as many unseen ones as the estimate allows at most, placed by
        a model (see `MissingStations`). The central value stays what is recorded.
    client : distributed.Client, optional
        The cluster that reads rasters and points larger than memory.

    Returns
    -------
    geopandas.GeoDataFrame
        A row for each area and distance, index of the areas: ``within_km``, ``area_km2``,
        ``covered_km2``, ``area_share`` (0 to 1), ``population``, ``population_covered``,
        ``population_share`` (missing where unknown, or where nobody lives) and the area's
        geometry in EPSG:4326. Circles are polygons of 128 corners with the area of the circle:
        shares are correct to about 0.0005. ``attrs["ocm"]["method"]`` states how the population
        was counted.

    Raises
    ------
    QueryError
        If areas, distances or population are wrong.

    Warns
    -----
    SuspectInput
        If areas overlap, or nobody lives in a raster.
    DroppedRows
        If invalid polygons were repaired.
    OutsideData
        If parts of the areas lie in countries of which the source has no station.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.coverage(ocm.sample_areas(), stations, [5, 10], population="population")
    >>> bool(table["area_share"].between(0, 1).all())
    True
    """
    frame = area_frame(areas)
    levels = bound_levels(stations, qualifying, completeness, bounds=bounds)
    reach = reach_of(levels, check_km_list(within_km, "within_km"), client)
    kind = kind_of_population(population, frame.columns)
    measure = partial(measure_circles, reach)
    result = covered_areas(frame, (kind, population), reach, measure, client=client)
    if not result.filter(regex="^covered_km2").to_numpy().any():
        corners = shapely.get_coordinates(frame.geometry.to_numpy())
        warn_if_far("areas", corners, list(levels.tables.values())[-1])
    population_column = population_of(frame, str(population)) if kind == "column" else None
    stations = mark_areas(stations, frame.geometry.to_numpy(), population_column)
    facts = levels.facts if kind is None else {**levels.facts, "method": _METHODS[kind]}
    return carry(result, stations, **facts)


def covered_areas(
    frame: gpd.GeoDataFrame,
    population: tuple[str | None, Any],
    reach: Reach,
    covered_km2: CoveredKm2,
    *,
    client: Client | None = None,
) -> gpd.GeoDataFrame:
    """
    Compute the share of areas and population that is within any kind of reach.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        As `area_frame` returns it.
    population : tuple
        Kind of the population, and the population as given.
    reach : Reach
        Decides which points are within reach.
    covered_km2 : callable
        Takes polygons and their sizes, and returns the km² within reach by level, step and
        polygon.
    client : distributed.Client, optional
        A cluster.

    Returns
    -------
    geopandas.GeoDataFrame
        As `coverage` returns it.
    """
    shapes = frame.geometry.to_numpy()
    warn_of_overlaps(shapes)
    whole = geodesy.area_km2(shapes)
    covered = _order_steps(covered_km2(shapes, whole))
    kind, given = population
    within = None
    if kind == "column":
        own = np.arange(len(frame))
        within = _spread_population(population_of(frame, given), own, covered / whole, len(frame))
    elif kind == "polygons":
        within = _spread_polygons(frame, given, covered_km2)
    elif kind is not None:
        within = _count_population_at_points(shapes, (kind, given), reach, client)
    counted = None if within is None else population_columns(within, reach)
    tables = []
    for step, km in enumerate(reach.within_km):
        table = _build_covered_table(frame, whole, reach, covered[:, step])
        table.insert(0, "within_km", km)
        _add_population(table, None if counted is None else counted[step], reach)
        tables.append(table)
    result = gpd.GeoDataFrame(pd.concat(tables), geometry="geometry", crs=frame.crs)
    # Rows of the same area follow each other, distances ascending.
    order = np.arange(len(result)).reshape(len(tables), len(frame)).T.ravel()
    return result.iloc[order]


def _spread_polygons(
    frame: gpd.GeoDataFrame, population: gpd.GeoDataFrame, covered_km2: CoveredKm2
) -> NDArray[np.float64]:
    """Return the population of polygons within reach by level, area and step."""
    pieces, owner, weight = pieces_of(frame, population)
    size = geodesy.area_km2(pieces)
    share = _order_steps(covered_km2(pieces, size)) / size
    return _spread_population(weight, owner, share, len(frame))


def _build_covered_table(
    frame: gpd.GeoDataFrame, whole: NDArray[np.float64], reach: Reach, inside: NDArray[np.float64]
) -> pd.DataFrame:
    """Return size, covered size and share of the areas at one distance."""
    table = pd.DataFrame({"area_km2": whole}, frame.index)
    by_level = dict(zip(reach.levels, inside, strict=True))
    for suffix, covered in order_bounds(by_level, limit=whole).items():
        table[f"covered_km2{suffix}"] = covered
        table[f"area_share{suffix}"] = covered / whole
    table["geometry"] = frame.geometry
    return table


def _order_steps(covered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return km² by level, step and polygon, with distances in order."""
    # A larger distance covers at least as much: what a smaller one has more is rounding.
    return np.maximum.accumulate(covered, axis=1)


def measure_circles(
    reach: Reach, shapes: NDArray[np.object_], whole: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return the area of polygons within the distances of stations.

    Parameters
    ----------
    reach : Reach
        Distances and stations.
    shapes : numpy.ndarray of shapely geometries
        Polygons in lon/lat.
    whole : numpy.ndarray
        Their areas, km².

    Returns
    -------
    numpy.ndarray
        km² by level, distance and polygon.
    """
    return np.array(
        [
            [_covered_km2(shapes, whole, index, km) for km in reach.within_km]
            for index in reach.levels.values()
        ]
    )


def _covered_km2(
    shapes: NDArray[np.object_],
    whole: NDArray[np.float64],
    index: geodesy.PointIndex,
    km: float,
) -> NDArray[np.float64]:
    """Return the km² of each shape that are within a distance of the stations."""
    covered = np.zeros(len(shapes))
    # A ball around each shape decides those wholly within or out of reach without drawing.
    least, most = index.reach_of_balls(*_enclose_in_balls(shapes), [km])
    covered[(most == 0)] = whole[most == 0]
    for row in np.flatnonzero((least == 0) & (most > 0)):
        part = shapely.intersection(shapes[row], reach_near(shapes[row], index, km))
        covered[row] = geodesy.area_km2(part)
    return np.minimum(covered, whole)


def _enclose_in_balls(
    shapes: NDArray[np.object_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the centre and radius of a ball around each shape."""
    # A ball about the bounding box: an edge straight in lon/lat bulges beyond its ends.
    west, south, east, north = shapely.bounds(shapes).T
    centre = geodesy.to_ecef_km((west + east) / 2, (south + north) / 2)
    corners = [(west, south), (west, north), (east, south), (east, north)]
    away = [np.linalg.norm(geodesy.to_ecef_km(*corner) - centre, axis=1) for corner in corners]
    # In a wide box the position farthest from the centre need not be a corner.
    return centre, np.where(east - west < 90.0, np.max(away, axis=0), np.inf)  # noqa: PLR2004


def reach_near(shape: shapely.Geometry, index: geodesy.PointIndex, km: float) -> shapely.Geometry:
    """
    Return the union of the circles that may touch a shape.

    Parameters
    ----------
    shape : shapely.Geometry
        In lon/lat.
    index : PointIndex
        Their centres.
    km : float
        Their radius, km.

    Returns
    -------
    shapely.Geometry
        Empty without circles.
    """
    found = index.near_box(shape.bounds, km)
    lon, lat = index.lon[found], index.lat[found]
    if len(found) <= _FEW_CIRCLES:
        return shapely.union_all(reach_polygons(lon, lat, km))
    return union_of_circles(lon, lat, km)


def _spread_population(
    weight: NDArray[np.float64],
    owner: NDArray[np.intp],
    share: NDArray[np.float64],
    n_areas: int,
) -> NDArray[np.float64]:
    """Return the population within reach by level, area and step, spread evenly."""
    within = weight * np.concatenate([share, np.ones_like(share[:, :1])], axis=1)
    sums = [[np.bincount(owner, step, n_areas) for step in level] for level in within]
    return np.array(sums, dtype=np.float64).transpose(0, 2, 1)


def pieces_of(
    frame: gpd.GeoDataFrame, population: gpd.GeoDataFrame
) -> tuple[NDArray[np.object_], NDArray[np.intp], NDArray[np.float64]]:
    """
    Return the intersections of areas and polygons of population.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Areas, as `area_frame` returns them.
    population : geopandas.GeoDataFrame
        Polygons with a column ``population``.

    Returns
    -------
    pieces : numpy.ndarray of shapely geometries
        The intersections.
    owner : numpy.ndarray of int
        The area that each belongs to.
    weight : numpy.ndarray
        Population of each, spread evenly over its polygon.
    """
    source = area_frame(population, "population")
    weight, shapes = population_of(source, "population"), source.geometry.to_numpy()
    of_area, of_source = shapely.STRtree(shapes).query(
        frame.geometry.to_numpy(), predicate="intersects"
    )
    pieces = shapely.intersection(frame.geometry.to_numpy()[of_area], shapes[of_source])
    size = geodesy.area_km2(pieces)
    real = size > 0
    whole = geodesy.area_km2(shapes)
    # Each piece gets the population of its polygon in proportion to its area.
    share = (weight[of_source] * size / whole[of_source])[real]
    return pieces[real], of_area[real], share


def _count_population_at_points(
    shapes: NDArray[np.object_],
    population: tuple[str, Any],
    reach: Reach,
    client: Client | None,
) -> NDArray[np.float64]:
    """Return the population within reach by level, area and step, by point or cell."""
    kind, located = population
    if kind == "raster":
        return tally_raster(open_grid(located), reach, shapes, client).cumsum(axis=2)
    finder = AreaFinder(shapes)
    if kind == "parts":
        tally = tally_parts(located, reach, finder, client)
        return tally.spread(len(shapes)).cumsum(axis=2)
    lon, lat = point_lonlat(located, "population")
    weight = population_of(located, "population")
    tally = Tally.of(weight, reach.steps(lon, lat), finder.pairs(lon, lat), len(reach.within_km))
    return tally.spread(len(shapes)).cumsum(axis=2)


def _add_population(table: pd.DataFrame, found: pd.DataFrame | None, reach: Reach) -> None:
    """Add the columns of population to a table, missing where it is unknown."""
    names = ["population"]
    for suffix in (level for level in reach.levels if " " not in level):
        names += [f"population_covered{suffix}", f"population_share{suffix}"]
    for name in names:
        missing = pd.array([None] * len(table), dtype="Float64")
        table[name] = missing if found is None else found[name].array
