"""Driving time as a kind of reach: ground by isochrones, points by the ways to stations."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo import geodesy
from ocm_geo.coverage.by_road import ways_to_nearest
from ocm_geo.coverage.tally import Reach
from ocm_geo.errors import DroppedRows, RouteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocm_geo.routing.engines import Engine, MatrixEngine

__all__ = ["DrivingReach", "draw_isochrones"]


def draw_isochrones(
    lonlat: NDArray[np.float64],
    minutes: Sequence[float],
    engine: Engine,
    labels: Sequence[object],
) -> NDArray[np.object_]:
    """
    Draw what can be reached from stations.

    Parameters
    ----------
    lonlat : numpy.ndarray of shape (n, 2)
        Stations, degrees.
    minutes : sequence of float
        Driving times, ascending.
    engine : Engine
        What draws them.
    labels : sequence
        What messages call each station.

    Returns
    -------
    numpy.ndarray of shapely geometries, shape (len(minutes), n)
        Valid; each holds those of the shorter times. Empty where the engine finds no road.

    Warns
    -----
    DroppedRows
        If the engine finds no road near some stations.
    """
    drawn = np.full((len(minutes), len(lonlat)), shapely.Polygon(), dtype=object)
    lost = []
    for row, place in enumerate(lonlat):
        try:
            drawn[:, row] = shapely.make_valid(engine.isochrone(place, minutes))
        except RouteError as error:
            lost.append((row, error))
    if lost:
        warnings.warn(
            f"{len(lost)} of {len(lonlat)} stations have no area (first: "
            f"{labels[lost[0][0]]!r}, {lost[0][1]})",
            DroppedRows,
            stacklevel=4,
        )
    for step in range(1, len(minutes)):
        drawn[step] = shapely.union(drawn[step - 1], drawn[step])
    return drawn


@dataclass(frozen=True, kw_only=True)
class DrivingReach(Reach):
    """
    Driving times, and the stations of each level that may be within them.

    ``within_km`` are minutes here.

    Parameters
    ----------
    engine : MatrixEngine
        Measures the ways.
    drawn : dict of str to numpy.ndarray of shapely geometries, shape (times, n)
        Isochrones of the stations of each level.
    """

    engine: MatrixEngine
    drawn: dict[str, NDArray[np.object_]]

    def steps(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[NDArray[np.intp]]:
        """
        Find the least time that brings points to a station, by the ways there are.

        Parameters
        ----------
        lon, lat : numpy.ndarray of shape (n,)
            Points, degrees.

        Returns
        -------
        list of numpy.ndarray of int
            One a level: positions in the times; their number where none is enough.
        """
        places = np.column_stack([lon, lat])
        how, most = (self.engine, "minutes"), self.within_km[-1]
        found = []
        for index in self.levels.values():
            ways = [
                ways_to_nearest(place[None], index, 1, how, most=most)[0, 1] for place in places
            ]
            # A missing way sorts behind every time.
            found.append(np.searchsorted(self.within_km, np.array(ways, dtype=float)))
        return found

    def steps_in_groups(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], group: NDArray[np.intp]
    ) -> list[NDArray[np.intp]]:
        """
        Find the least time whose isochrones hold cells: there are too many to ask for ways.

        Parameters
        ----------
        lon, lat : numpy.ndarray of shape (n,)
            Cells, degrees.
        group : numpy.ndarray of int, shape (n,)
            Not used.

        Returns
        -------
        list of numpy.ndarray of int
            As `steps`.
        """
        del group
        points = shapely.points(lon, lat)
        found = []
        for trees in self._trees.values():
            step = np.full(len(points), len(trees), dtype=np.intp)
            for i in reversed(range(len(trees))):
                step[trees[i].query(points, predicate="intersects")[0]] = i
            found.append(step)
        return found

    def ground(
        self, shapes: NDArray[np.object_], whole: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """
        Measure what of polygons lies in isochrones.

        Parameters
        ----------
        shapes : numpy.ndarray of shapely geometries
            Polygons in lon/lat.
        whole : numpy.ndarray
            Their sizes, km².

        Returns
        -------
        numpy.ndarray
            km² by level, time and polygon.
        """
        parts = np.array(
            [
                [[_in_any(shape, tree) for shape in shapes] for tree in trees]
                for trees in self._trees.values()
            ],
            dtype=object,
        )
        size = geodesy.area_km2(parts.ravel()).reshape(parts.shape)
        return np.asarray(np.minimum(size, whole))

    @cached_property
    def _trees(self) -> dict[str, list[shapely.STRtree]]:
        return {
            suffix: [shapely.STRtree(shapes) for shapes in times]
            for suffix, times in self.drawn.items()
        }


def _in_any(shape: shapely.Geometry, tree: shapely.STRtree) -> shapely.Geometry:
    near = tree.geometries[tree.query(shape, predicate="intersects")]
    return shapely.intersection(shape, shapely.union_all(near))
