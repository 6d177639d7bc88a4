"""Sums of population by area and by the smallest sufficient distance, batch by batch."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from ocm_geo.errors import SuspectInput
from ocm_geo.geodesy import area_km2, to_ecef_km

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ocm_geo.geodesy import PointIndex

__all__ = ["AreaFinder", "Reach", "Tally", "add_tallies", "warn_of_overlaps"]

_FEW_AREAS = 40
_HALF_TURN = 180.0


@dataclass(frozen=True)
class Reach:
    """
    Distances, and the stations of each level that may be within them.

    Parameters
    ----------
    within_km : tuple of float
        Ascending, km.
    levels : dict of str to PointIndex
        By the suffix of the result's columns.
    workers : int
        Threads; -1 for one per processor.
    """

    within_km: tuple[float, ...]
    levels: dict[str, PointIndex]
    workers: int = -1

    def steps(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[NDArray[np.intp]]:
        """
        Return the smallest of the distances within which each point has a station.

        Parameters
        ----------
        lon, lat : numpy.ndarray of shape (n,)
            Points, degrees.

        Returns
        -------
        list of numpy.ndarray of int
            One per level: positions in ``within_km``; its length where no distance is enough.
        """
        return [
            index.are_reached(lon, lat, self.within_km, workers=self.workers)
            for index in self.levels.values()
        ]

    def steps_in_groups(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], group: NDArray[np.intp]
    ) -> list[NDArray[np.intp]]:
        """
        Return the same as `steps`, for points in small groups of neighbours.

        Parameters
        ----------
        lon, lat : numpy.ndarray of shape (n,)
            Points, degrees.
        group : numpy.ndarray of int, shape (n,)
            Group of each; small numbers.

        Returns
        -------
        list of numpy.ndarray of int
            Exactly as `steps`: only groups that a distance divides are decided point by point.
        """
        # A ball around each group: where its nearest and farthest possible point have the same
        # smallest distance, so do all its points.
        order = np.argsort(group.astype(np.int16), kind="stable")
        first = np.flatnonzero(np.diff(group[order], prepend=-1))
        size = np.diff(np.append(first, len(order)))
        xyz = to_ecef_km(lon[order], lat[order])
        centre = np.add.reduceat(xyz, first, axis=0) / size[:, None]
        away = xyz - np.repeat(centre, size, axis=0)
        radius = np.sqrt(np.maximum.reduceat(np.einsum("ij,ij->i", away, away), first))
        found = []
        for index in self.levels.values():
            least, most = index.reach_of_balls(centre, radius, self.within_km)
            step = np.empty(len(order), dtype=np.intp)
            step[order] = np.repeat(least, size)
            rows = order[np.repeat(least < most, size)]
            step[rows] = index.are_reached(
                lon[rows], lat[rows], self.within_km, workers=self.workers
            )
            found.append(step)
        return found


class AreaFinder:
    """
    Areas, prepared to find which of them contain points.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries
        Polygons in lon/lat.
    """

    def __init__(self, shapes: NDArray[np.object_]) -> None:
        self.shapes = shapes

    def __len__(self) -> int:
        return len(self.shapes)

    @cached_property
    def _area_tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.shapes)

    def pairs(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """
        Return the areas that contain points.

        Parameters
        ----------
        lon, lat : numpy.ndarray of shape (n,)
            Points, degrees.

        Returns
        -------
        area, point : numpy.ndarray of int
            One row per pair. A point on a border counts once, in the first of the areas that
            share the border; a point inside several areas counts in each. 180 and -180 are the
            same meridian.
        """
        if not len(lon):
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        seam = np.flatnonzero(np.abs(lon) == _HALF_TURN)
        if not seam.size:
            return self._keep_first_on_border(*self._find_touching(lon, lat), lon, lat)
        area, point = self._find_touching(np.append(lon, -lon[seam]), np.append(lat, lat[seam]))
        return self._keep_first_on_border(
            area, np.append(np.arange(len(lon)), seam)[point], lon, lat
        )

    def _find_touching(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the pairs of areas and points that touch."""
        box = shapely.box(np.min(lon), np.min(lat), np.max(lon), np.max(lat))
        near = np.sort(self._area_tree.query(box, predicate="intersects"))
        if len(near) > _FEW_AREAS:
            found = shapely.STRtree(shapely.points(lon, lat)).query(
                self.shapes[near], predicate="intersects"
            )
            return near[found[0]], found[1]
        shapely.prepare(self.shapes[near])
        inside = [np.flatnonzero(shapely.intersects_xy(self.shapes[i], lon, lat)) for i in near]
        area = np.repeat(near, [len(rows) for rows in inside])
        return area, np.concatenate([*inside, np.empty(0, dtype=np.intp)])

    def _keep_first_on_border(
        self,
        area: NDArray[np.intp],
        point: NDArray[np.intp],
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the pairs without repeats of points on borders: the first area keeps them."""
        # Only points in several pairs need a decision, and only their pairs on a border drop out.
        count = np.bincount(point, minlength=len(lon))
        several = np.flatnonzero(count[point] > 1)
        at = point[several]
        border = several[~shapely.contains_xy(self.shapes[area[several]], lon[at], lat[at])]
        order = np.lexsort((area[border], point[border]))
        again = np.diff(point[border][order], prepend=-1) == 0
        kept = np.ones(len(area), dtype=bool)
        kept[border[order[again]]] = False
        return area[kept], point[kept]


def warn_of_overlaps(shapes: NDArray[np.object_]) -> None:
    """
    Warn where areas overlap, so that sums over areas count area and population twice.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries
        Polygons in lon/lat.

    Warns
    -----
    SuspectInput
        If two share more than 0.1 % of the smaller one: borders seldom match exactly.
    """
    tree = shapely.STRtree(shapes)
    one, two = np.hstack([tree.query(shapes, predicate=p) for p in ("overlaps", "covers")])
    one, two = one[one != two], two[one != two]
    if not len(one):
        return
    shared = area_km2(shapely.intersection(shapes[one], shapes[two]))
    size = area_km2(shapes)
    wrong = shared > np.minimum(size[one], size[two]) / 1000.0
    if wrong.any():
        n = len(np.unique(np.sort(np.column_stack([one, two])[wrong], axis=1), axis=0))
        warnings.warn(
            f"{n} pairs of areas overlap (first: rows {one[wrong][0]} and {two[wrong][0]}): their "
            "intersection counts in each, so that sums over areas count it twice",
            SuspectInput,
            stacklevel=3,
        )


class Tally(NamedTuple):
    """
    Population by level, area and step.

    Parameters
    ----------
    areas : numpy.ndarray of int, shape (m,)
        The areas with a population.
    population : numpy.ndarray, shape (levels, m, steps + 1)
        Population whose smallest sufficient distance is the step; the last is out of reach.
    """

    areas: NDArray[np.intp]
    population: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        weight: NDArray[np.float64],
        steps: list[NDArray[np.intp]],
        pairs: tuple[NDArray[np.intp], NDArray[np.intp]],
        n_steps: int,
    ) -> Tally:
        """
        Return the sums of one batch.

        Parameters
        ----------
        weight : numpy.ndarray of shape (n,)
            Population at points.
        steps : list of numpy.ndarray
            As `Reach.steps` returns them.
        pairs : tuple of numpy.ndarray
            As `AreaFinder.pairs` returns them.
        n_steps : int
            Number of distances.

        Returns
        -------
        Tally
            The sums.
        """
        # One count per area and step, as a single index into both.
        area, point = pairs
        there, row = np.unique(area, return_inverse=True)
        size = (len(there), n_steps + 1)
        population = [
            np.bincount(row * size[1] + step[point], weight[point], size[0] * size[1])
            for step in steps
        ]
        # Without weights bincount returns integers.
        return cls(there, np.reshape(population, (len(steps), *size)).astype(np.float64))

    def spread(self, n_areas: int) -> NDArray[np.float64]:
        """
        Return the sums as an array over all areas.

        Parameters
        ----------
        n_areas : int
            Number of areas.

        Returns
        -------
        numpy.ndarray of shape (levels, n_areas, steps + 1)
            0 where nobody lives.
        """
        out = np.zeros((self.population.shape[0], n_areas, self.population.shape[2]))
        out[:, self.areas] = self.population
        return out


def add_tallies(tallies: Iterable[Tally]) -> Tally:
    """
    Return the sum of tallies, with compensated rounding (Neumaier 1974).

    Parameters
    ----------
    tallies : iterable of Tally
        One or more, all with the same levels and steps.

    Returns
    -------
    Tally
        Their sum, identical to the last bit for the same tallies in the same order.
    """
    tallies = list(tallies)
    areas = np.unique(np.concatenate([t.areas for t in tallies]))
    levels, _, steps = tallies[0].population.shape
    total, lost = np.zeros((2, levels, len(areas), steps))
    for tally in tallies:
        at = np.searchsorted(areas, tally.areas)
        before, more = total[:, at], tally.population
        # The rounding error of each addition, computed exactly and added once at the end.
        after = before + more
        larger = np.abs(before) >= np.abs(more)
        lost[:, at] += np.where(larger, (before - after) + more, (more - after) + before)
        total[:, at] = after
    return Tally(areas, total + lost)
