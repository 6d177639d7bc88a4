"""The population of an area as points, from whatever a user has: columns, points, rasters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.coverage.areas import pieces_of
from ocm_geo.coverage.inputs import population_of
from ocm_geo.coverage.population_kinds import iter_population, kind_of_population
from ocm_geo.coverage.tally import AreaFinder
from ocm_geo.errors import QueryError
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.standards.grids import Plane

__all__ = ["Inhabitants", "check_inhabited", "count_inhabitants", "locate_inhabitants"]


class Inhabitants(NamedTuple):
    """
    The population of an area at points.

    Parameters
    ----------
    lonlat : numpy.ndarray of shape (n, 2)
        Positions.
    number : numpy.ndarray of shape (n,)
        The population at each.
    """

    lonlat: NDArray[np.float64]
    number: NDArray[np.float64]


def check_inhabited(population: float) -> float:
    """
    Check that somebody lives in an area.

    Parameters
    ----------
    population : float
        The population of the area.

    Returns
    -------
    float
        The same.

    Raises
    ------
    QueryError
        If it is 0: the population probably lies elsewhere.
    """
    if population <= 0:
        raise QueryError("population: nobody lives in the area; check where its positions are")
    return population


def count_inhabitants(frame: gpd.GeoDataFrame, population: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """
    Count the population of each row of a table of areas.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Areas, as `area_frame` returns them.
    population : object
        As for `coverage`.

    Returns
    -------
    numpy.ndarray of shape (n,)
        One value a row.
    """
    kind = kind_of_population(population, frame.columns)
    if kind == "column":
        return population_of(frame, population)
    if frame.geom_type.iloc[0] == "Point":
        raise QueryError(
            "the areas are points: population must be the name of a column of them, such as "
            "'population'"
        )
    if kind == "polygons":
        _, owner, number = pieces_of(frame, population)
        return np.bincount(owner, number, len(frame))
    total = np.zeros(len(frame))
    finder = AreaFinder(frame.geometry.to_numpy())
    for lon, lat, number in iter_population(kind, population):
        row, point = finder.pairs(lon, lat)
        total += np.bincount(row, number[point], len(frame))
    return total


def locate_inhabitants(
    frame: gpd.GeoDataFrame,
    population: Any,  # noqa: ANN401 - what users have at hand
    plane: Plane,
    step_m: float,
) -> Inhabitants:
    """
    Locate the population of areas.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Areas, as `area_frame` returns them.
    population : object
        As for `coverage`.
    plane : Plane
        Where those that are known by polygon are spread evenly.
    step_m : float
        The distance between the points on which they are spread, metres.

    Returns
    -------
    Inhabitants
        Those in the areas.
    """
    kind = kind_of_population(population, frame.columns)
    if kind == "column":
        number = population_of(frame, population)
        return _spread_evenly(frame.geometry.to_numpy(), number, plane, step_m)
    if kind == "polygons":
        pieces, _, number = pieces_of(frame, population)
        return _spread_evenly(pieces, number, plane, step_m)
    finder = AreaFinder(frame.geometry.to_numpy())
    found = [Inhabitants(np.empty((0, 2)), np.empty(0))]
    for lon, lat, number in iter_population(kind, population):
        # Each counts once, also where areas overlap.
        inside = np.unique(finder.pairs(lon, lat)[1])
        found.append(Inhabitants(np.column_stack([lon, lat])[inside], number[inside]))
    return Inhabitants(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _spread_evenly(
    shapes: NDArray[np.object_], number: NDArray[np.float64], plane: Plane, step_m: float
) -> Inhabitants:
    """Spread a population evenly over polygons, on the points of a square lattice."""
    flat = gpd.GeoSeries(shapes, crs=CRS).segmentize(0.1).to_crs(plane.crs).to_numpy()
    xy, weight = [np.empty((0, 2))], [np.empty(0)]
    for shape, count in zip(flat, number.tolist(), strict=True):
        if count <= 0:
            continue
        west, south, east, north = np.array(shape.bounds) / step_m
        sides = (np.arange(np.ceil(west), east), np.arange(np.ceil(south), north))
        x, y = (side.ravel() * step_m for side in np.meshgrid(*sides))
        shapely.prepare(shape)
        points = np.column_stack([x, y])[shapely.intersects_xy(shape, x, y)]
        # A polygon between the points of the lattice still has its population.
        if not len(points):
            points = shapely.get_coordinates(shape.representative_point())
        xy.append(points)
        weight.append(np.full(len(points), count / len(points)))
    there = gpd.GeoSeries(gpd.points_from_xy(*np.concatenate(xy).T), crs=plane.crs).to_crs(CRS)
    return Inhabitants(np.column_stack([there.x, there.y]).reshape(-1, 2), np.concatenate(weight))
