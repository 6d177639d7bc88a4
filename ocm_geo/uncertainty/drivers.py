"""Which uncertain stations set the low and high bounds of coverage apart, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.checks import check_km_list
from ocm_geo.coverage.areas import pieces_of, reach_near
from ocm_geo.coverage.inputs import area_frame, check_stations, population_of
from ocm_geo.coverage.population_kinds import iter_population, kind_of_population
from ocm_geo.coverage.reach import reach_polygons
from ocm_geo.coverage.tally import AreaFinder
from ocm_geo.frames import in_lonlat
from ocm_geo.geodesy import PointIndex
from ocm_geo.geodesy.pairs import pairs_within_km
from ocm_geo.ids import station_table
from ocm_geo.outside import mark_areas
from ocm_geo.provenance import carry
from ocm_geo.qualifying import station_bounds
from ocm_geo.schema import CRS
from ocm_geo.uncertainty.stations import uncertain_stations

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocm_geo.coverage.rasters import PopulationRaster
    from ocm_geo.qualifying import Qualifying

__all__ = ["uncertainty_drivers"]

_BLOCK = 100_000


def uncertainty_drivers(
    areas: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    within_km: float | Sequence[float],
    *,
    population: str | os.PathLike[str] | gpd.GeoDataFrame | PopulationRaster | None = None,
    qualifying: Qualifying | None = None,
) -> gpd.GeoDataFrame:
    """
    Return what each uncertain station alone would add to the low bound of coverage.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        As for `coverage`; intersections of overlapping areas count in each.
    stations : geopandas.GeoDataFrame
        A station table.
    within_km : float or sequence of float
        Geodesic distances, km.
    population : str, path, geopandas.GeoDataFrame or PopulationRaster, optional
        As for `coverage`.
    qualifying : Qualifying, optional
        Which stations count; by default all.

    Returns
    -------
    geopandas.GeoDataFrame
        A row for each distance and uncertain station that adds anything, largest first: index
        ``ocm_id``, ``within_km``, ``adds_km2`` and, with a population, ``adds_population``:
        area and population within reach of this station and of no station that certainly
        counts. Where two uncertain stations reach the same area, each alone would add it, so
        the sum may exceed the difference of the bounds. ``title`` (if present),
        ``uncertain_power``, ``uncertain_access``, ``uncertain_status`` and ``counts`` are those
        of `uncertain_stations`.

    Raises
    ------
    QueryError
        If areas, distances or population are wrong, or `stations` is not a station table.

    Warns
    -----
    OutsideData
        If parts of the areas lie in countries of which the source has no station.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> rule = ocm.Qualifying(min_power_kw=50)
    >>> found = ocm.uncertainty_drivers(ocm.sample_areas(), stations, 5, qualifying=rule)
    >>> bool(found["adds_km2"].is_monotonic_decreasing)
    True
    """
    frame, steps = area_frame(areas), check_km_list(within_km, "within_km")
    stations = station_table(stations)
    stations = mark_areas(stations, frame.geometry.to_numpy())
    masks = station_bounds(stations, qualifying)
    uncertain = uncertain_stations(stations, qualifying)
    sides = _StationsByCertainty(
        PointIndex(*check_stations(uncertain)), _index_chosen(stations, masks.low)
    )
    kind = kind_of_population(population, frame.columns)
    tables = []
    for km in steps:
        column = str(population) if kind == "column" else None
        adds_km2, spread = _measure_gained_area(sides, frame, km, column)
        adds = {"within_km": np.full(len(uncertain), km), "adds_km2": adds_km2}
        if kind == "column":
            adds["adds_population"] = spread
        elif kind == "polygons":
            pieces = _intersect_population(frame, population)
            adds["adds_population"] = _measure_gained_area(sides, pieces, km, "population")[1]
        elif kind is not None:
            adds["adds_population"] = _count_added_population(sides, frame, km, (kind, population))
        tables.append(_rank_drivers(uncertain, adds))
    found = gpd.GeoDataFrame(pd.concat(tables), geometry="geometry", crs=CRS)
    return carry(found, stations, n_uncertain=len(uncertain))


class _StationsByCertainty(NamedTuple):
    """The uncertain stations, and those that certainly count."""

    uncertain: PointIndex
    certain: PointIndex


def _index_chosen(stations: gpd.GeoDataFrame, rows: NDArray[np.bool_]) -> PointIndex:
    """Return an index of the chosen stations."""
    return PointIndex(*check_stations(stations[rows]))


def _rank_drivers(
    uncertain: gpd.GeoDataFrame, adds: dict[str, NDArray[np.float64]]
) -> gpd.GeoDataFrame:
    """Return the stations that add anything, what adds most first."""
    about = ["title", "uncertain_power", "uncertain_access", "uncertain_status", "counts"]
    table = in_lonlat(uncertain, "stations").assign(**adds)
    table = table.assign(geometry=table.geometry).set_geometry("geometry")
    amounts = [name for name in adds if name != "within_km"]
    table = table[(table[amounts] > 0).any(axis=1)]
    columns = [*adds, *(name for name in about if name in table), "geometry"]
    return table[columns].sort_values(amounts[::-1], ascending=False, kind="stable")


def _measure_gained_area(
    sides: _StationsByCertainty, frame: gpd.GeoDataFrame, km: float, column: str | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the km² of areas that each station adds, and the population spread over them."""
    shapes = frame.geometry.to_numpy()
    a_km2 = np.zeros(len(shapes))
    if column is not None:
        a_km2 = population_of(frame, column) / geodesy.area_km2(shapes)
    tree = shapely.STRtree(shapes)
    circles = reach_polygons(sides.uncertain.lon, sides.uncertain.lat, km)
    station, area = tree.query(circles, predicate="intersects")
    # What a circle adds is what no certainly counting station reaches.
    rest = circles.copy()
    for row in np.unique(station):
        rest[row] = shapely.difference(circles[row], reach_near(circles[row], sides.certain, km))
    size = geodesy.area_km2(shapely.intersection(rest[station], shapes[area]))
    n = len(circles)
    return np.bincount(station, size, n), np.bincount(station, size * a_km2[area], n)


def _intersect_population(
    frame: gpd.GeoDataFrame, population: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the intersections of areas and polygons of population."""
    pieces, _, weight = pieces_of(frame, population)
    return gpd.GeoDataFrame({"population": weight}, geometry=pieces, crs=CRS)


def _count_added_population(
    sides: _StationsByCertainty,
    frame: gpd.GeoDataFrame,
    km: float,
    population: tuple[str, Any],
) -> NDArray[np.float64]:
    """Return the population at points that each station adds, counted block by block."""
    finder = AreaFinder(frame.geometry.to_numpy())
    adds = np.zeros(len(sides.uncertain))
    for lon, lat, weight in iter_population(*population):
        _, point = finder.pairs(lon, lat)
        # A point in several areas counts in each, as in `coverage`; outside all it does not.
        counted = weight * np.bincount(point, minlength=len(lon))
        rows = np.flatnonzero(counted > 0)
        for some in (rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)):
            left = some[sides.certain.are_reached(lon[some], lat[some], [km]) > 0]
            pairs = pairs_within_km(sides.uncertain, PointIndex(lon[left], lat[left]), km)
            adds += np.bincount(pairs.first, counted[left[pairs.second]], len(adds))
    return adds
