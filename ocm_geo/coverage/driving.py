"""Reach by driving time: areas by isochrones, points by the ways to stations."""

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
    Return the isochrones of stations.

    Parameters
    ----------
    lonlat : numpy.ndarray of shape (n, 2)
        Stations, degrees.
    minutes : sequence of float
        Driving times, ascending.
    engine : Engine
        Draws the isochrones.
    labels : sequence
        Name of each station, for messages.

    Returns
    -------
    numpy.ndarray of shapely geometries, shape (len(minutes), n)
        Valid; each contains those of the shorter times. Empty where the engine finds no road.

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
            f"no isochrone for {len(lost)} of {len(lonlat)} stations, which are left out (first: "
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

    Here ``within_km`` are minutes.

    Parameters
    ----------
    engine : MatrixEngine
        Computes the travel times.
    drawn : dict of str to numpy.ndarray of shapely geometries, shape (times, n)
        Isochrones of the stations of each level.
    """

    engine: MatrixEngine
    drawn: dict[str, NDArray[np.object_]]

    def steps(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[NDArray[np.intp]]:
        """
        Return the shortest of the times within which each point reaches a station.

        Parameters
        ----------
        lon, lat : numpy.ndarray of shape (n,)
            Points, degrees.

        Returns
        -------
        list of numpy.ndarray of int
            One per level: positions in the times; their number where no time is enough.
        """
        places = np.column_stack([lon, lat])
        how, most = (self.engine, "minutes"), self.within_km[-1]
        found = []
        for index in self.levels.values():
            ways = [
                ways_to_nearest(place[None], index, 1, how, most=most)[0, 1] for place in places
            ]
            # Without a way the time is NaN, which sorts behind every other.
            found.append(np.searchsorted(self.within_km, np.array(ways, dtype=float)))
        return found

    def steps_in_groups(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], group: NDArray[np.intp]
    ) -> list[NDArray[np.intp]]:
        """
        Return the shortest of the times whose isochrones contain each cell.

        There are too many cells to compute the ways to each.

        Parameters
        ----------
        lon, lat : numpy.ndarray of shape (n,)
            Cells, degrees.
        group : numpy.ndarray of int, shape (n,)
            Unused.

        Returns
        -------
        list of numpy.ndarray of int
            As `steps`.
        """
        del group
        points = shapely.points(lon, lat)
        found = []
        for trees in self._isochrone_trees.values():
            step = np.full(len(points), len(trees), dtype=np.intp)
            # From the longest time to the shortest, so that the shortest containing one remains.
            for i in reversed(range(len(trees))):
                step[trees[i].query(points, predicate="intersects")[0]] = i
            found.append(step)
        return found

    def covered_km2(
        self, shapes: NDArray[np.object_], whole: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """
        Return the area of polygons inside isochrones.

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
                [[_intersect_all(shape, tree) for shape in shapes] for tree in trees]
                for trees in self._isochrone_trees.values()
            ],
            dtype=object,
        )
        size = geodesy.area_km2(parts.ravel()).reshape(parts.shape)
        return np.asarray(np.minimum(size, whole))

    @cached_property
    def _isochrone_trees(self) -> dict[str, list[shapely.STRtree]]:
        """The isochrones of each level, as one tree per driving time."""
        return {
            suffix: [shapely.STRtree(shapes) for shapes in times]
            for suffix, times in self.drawn.items()
        }


def _intersect_all(shape: shapely.Geometry, tree: shapely.STRtree) -> shapely.Geometry:
    """Return the part of a shape that lies in any isochrone of a tree."""
    near = tree.geometries[tree.query(shape, predicate="intersects")]
    return shapely.intersection(shape, shapely.union_all(near))
