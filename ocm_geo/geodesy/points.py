"""Many places, indexed for questions about what is near or inside."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from ocm_geo.errors import QueryError
from ocm_geo.geodesy.distance import chord_range_km, wrap_lon
from ocm_geo.geodesy.nearest import nearest, reached
from ocm_geo.geodesy.places import Places, are_within_km

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from ocm_geo.geodesy.lines import Line

__all__ = ["PointIndex"]

_MIX = np.uint64(0x9E3779B97F4A7C15)
"""An odd number with irregular bits (the golden ratio's): it spreads those of longitudes."""
_FEW = 16
"""Up to this number, equal places are measured one by one."""

_BLOCK = 250_000
_CELLS_PER_DEG = 8
_HALF_TURN = 180.0
_FULL_TURN = 360.0
_LEAST_KM_PER_DEG = 110.57
_MAX_LAT = 89.0


class PointIndex:
    """
    Places, indexed once for many exact geodesic questions.

    The tree and the order by latitude are built when first needed.

    Parameters
    ----------
    lon, lat : array_like of shape (n,)
        Degrees, one value per place.

    Raises
    ------
    QueryError
        If they differ in length, or a position is missing or out of range.
    """

    def __init__(self, lon: ArrayLike, lat: ArrayLike) -> None:
        self._places = Places.of(lon, lat)

    @property
    def places(self) -> Places:
        """The places."""
        return self._places

    def __len__(self) -> int:
        return len(self.lon)

    @property
    def lon(self) -> NDArray[np.float64]:
        """Longitudes, degrees."""
        return self._places.lonlat[:, 0]

    @property
    def lat(self) -> NDArray[np.float64]:
        """Latitudes, degrees."""
        return self._places.lonlat[:, 1]

    @cached_property
    def tree(self) -> cKDTree:
        """The KD-tree of earth-centred positions, km."""
        return cKDTree(self._places.xyz)

    @cached_property
    def _distinct_places(self) -> tuple[PointIndex, _Members | None]:
        """
        The places without repeats, and the members of each.

        Thousands of stations at one position are all equally near: measured one by one, they
        would take time proportional to the square of their number.
        """
        owner = _number_equal_places(self._places.lonlat)
        if owner is None:
            return self, None
        # Numbered by first appearance, so that of equally near places the first is found.
        _, first, owner = np.unique(owner, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return PointIndex(*self._places.lonlat[first[order]].T), _Members.of(rank[owner])

    @cached_property
    def _sorted_by_lat(self) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """Positions in the order of latitude, their latitudes, and their longitudes."""
        order = np.argsort(self.lat, kind="stable")
        return order, self.lat[order], wrap_lon(self.lon[order])

    def in_box(self, west: float, south: float, east: float, north: float) -> NDArray[np.intp]:
        """
        Return the places in a box, borders included.

        Parameters
        ----------
        west, south, east, north : float
            Degrees; ``west > east`` crosses the antimeridian, a box of 360° or more is all
            longitudes, and 180 and -180 are the same meridian.

        Returns
        -------
        numpy.ndarray of int
            Positions, ascending.
        """
        order, lat, lon = self._sorted_by_lat
        rows = slice(np.searchsorted(lat, south), np.searchsorted(lat, north, side="right"))
        if east - west >= _FULL_TURN:
            return np.sort(order[rows])
        west, east, lon = float(wrap_lon(west)), float(wrap_lon(east)), lon[rows]
        not_west, not_east = lon >= west, lon <= east
        inside = not_west & not_east if west <= east else not_west | not_east
        if _HALF_TURN in {abs(west), abs(east)}:
            inside |= np.abs(lon) == _HALF_TURN
        return np.sort(order[rows][inside])

    def near_box(
        self, box: tuple[float, float, float, float], within_km: float
    ) -> NDArray[np.intp]:
        """
        Return the places that may lie within a geodesic distance of a box.

        Parameters
        ----------
        box : tuple of float
            West, south, east, north; degrees.
        within_km : float
            Distance, km.

        Returns
        -------
        numpy.ndarray of int
            Positions, ascending: all that do, and some that are farther.
        """
        west, south, east, north = box
        high = 1.01 * within_km / _LEAST_KM_PER_DEG
        outermost = max(abs(south), abs(north)) + high
        wide = _FULL_TURN if outermost > _MAX_LAT else high / np.cos(np.radians(outermost))
        return self.in_box(west - wide, south - high, east + wide, north + high)

    def within_km(self, lon: float, lat: float, radius_km: float) -> NDArray[np.intp]:
        """
        Return the places within a geodesic distance of one position.

        Parameters
        ----------
        lon, lat : float
            The position, degrees.
        radius_km : float
            Distance, inclusive, km.

        Returns
        -------
        numpy.ndarray of int
            Positions, ascending.
        """
        centre = Places.of(lon, lat)
        longest = chord_range_km(radius_km)[1]
        found = np.array(self.tree.query_ball_point(centre.xyz[0], longest), dtype=np.intp)
        found.sort()
        return found[are_within_km(centre, self._places.take(found), radius_km)]

    def near_line(self, line: Line, within_km: float) -> NDArray[np.intp]:
        """
        Return the places that may lie within a distance of a line.

        Parameters
        ----------
        line : Line
            A route.
        within_km : float
            Distance, km.

        Returns
        -------
        numpy.ndarray of int
            Positions, ascending: all that do, and some up to 1.5 times as far. `Line.locate`
            decides which.
        """
        runs = line.search.runs(within_km)
        reach = runs.radius_km + chord_range_km(within_km)[1]
        found = self.tree.query_ball_point(runs.centre_km, reach, return_sorted=False)
        near = np.zeros(len(self), dtype=bool)
        for members in found:
            near[members] = True
        return np.flatnonzero(near)

    def nearest(
        self,
        lon: ArrayLike,
        lat: ArrayLike,
        k: int = 1,
        *,
        max_km: float | None = None,
        workers: int = -1,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """
        Return the nearest places of many points, by geodesic distance.

        Parameters
        ----------
        lon, lat : array_like of shape (n,)
            Points, degrees.
        k : int
            How many for each.
        max_km : float, optional
            Farthest distance that counts, inclusive.
        workers : int
            Threads; -1 for one per processor.

        Returns
        -------
        position : numpy.ndarray of int, shape (n, k)
            Nearest first, of equally near ones the first; -1 where there is none.
        distance : numpy.ndarray of float, shape (n, k)
            Kilometres, correct to 0.1 mm; infinite where there is none.

        Raises
        ------
        QueryError
            If k is less than 1, or a position is missing or out of range.
        """
        if k < 1:
            raise QueryError(f"k must be 1 or more, not {k}")
        asked = Places.of(lon, lat)
        limit = np.inf if max_km is None else float(max_km)
        position = np.full((len(asked.xyz), k), -1, dtype=np.intp)
        km = np.full((len(asked.xyz), k), np.inf)
        one_each, members = self._distinct_places
        for rows in self._split_into_blocks(asked):
            found, away = nearest(
                one_each.places, one_each.tree, asked.take(rows), k=k, max_km=limit, workers=workers
            )
            if members is not None:
                found, away = members.expand(found, away)
            position[rows], km[rows] = found, away
        return position, km

    def are_reached(
        self, lon: ArrayLike, lat: ArrayLike, within_km: Sequence[float], *, workers: int = -1
    ) -> NDArray[np.intp]:
        """
        Return the smallest distance within which each point has one of the places.

        Parameters
        ----------
        lon, lat : array_like of shape (n,)
            Points, degrees.
        within_km : sequence of float
            Geodesic distances, ascending, inclusive, km.
        workers : int
            Threads; -1 for one per processor.

        Returns
        -------
        numpy.ndarray of int, shape (n,)
            Position of that distance in ``within_km``, decided exactly; its length where no
            distance is large enough.
        """
        asked = Places.of(lon, lat)
        step = np.full(len(asked.xyz), len(within_km), dtype=np.intp)
        one_each, _ = self._distinct_places
        for rows in self._split_into_blocks(asked):
            step[rows] = reached(
                one_each.places, one_each.tree, asked.take(rows), within_km, workers=workers
            )
        return step

    def reach_of_balls(
        self,
        centre: NDArray[np.float64],
        radius_km: NDArray[np.float64],
        within_km: Sequence[float],
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """
        Return bounds of the result of `are_reached` for all points in balls.

        Parameters
        ----------
        centre : numpy.ndarray of shape (n, 3)
            Centres of the balls, earth-centred, km.
        radius_km : numpy.ndarray of shape (n,)
            Their radius, a chord, km.
        within_km : sequence of float
            Geodesic distances, ascending, km.

        Returns
        -------
        least, most : numpy.ndarray of int, shape (n,)
            Equal where all points of the ball certainly have the same result.
        """
        out = np.full(len(centre), len(within_km), dtype=np.intp)
        if not len(self) or not len(centre):
            return out, out
        shortest, longest = np.transpose([chord_range_km(km) for km in within_km])
        far = float(longest[-1] + np.max(radius_km))
        chord = np.asarray(self.tree.query(centre, distance_upper_bound=far)[0])
        least = np.searchsorted(longest, chord - radius_km)
        return np.asarray(least), np.asarray(np.searchsorted(shortest, chord + radius_km))

    def _split_into_blocks(self, asked: Places) -> list[NDArray[np.intp]]:
        """Return blocks of neighbouring points, for which the tree stays in the cache."""
        if not len(self) or not len(asked.xyz):
            return []
        column, row = np.floor(_CELLS_PER_DEG * asked.lonlat.T).astype(np.int64)
        order = np.argsort(row * (1 << 20) + column, kind="stable")
        return np.array_split(order, -(-len(order) // _BLOCK))


class _Members(NamedTuple):
    """The members of each distinct place: runs of positions, ascending in each run."""

    position: NDArray[np.intp]
    start: NDArray[np.intp]

    @classmethod
    def of(cls, owner: NDArray[np.intp]) -> _Members:
        """Return the places grouped by the distinct place that they share."""
        sizes = np.bincount(owner)
        return cls(np.argsort(owner, kind="stable"), np.concatenate([[0], np.cumsum(sizes)]))

    def expand(
        self, found: NDArray[np.intp], km: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the k nearest of all members of the distinct places found."""
        k = found.shape[1]
        row, column = np.nonzero(found >= 0)
        at = found[row, column]
        size = np.minimum(np.diff(self.start)[at], k)
        each = np.repeat(np.arange(len(at)), size)
        within = np.arange(len(each)) - np.repeat(np.cumsum(size) - size, size)
        position = self.position[self.start[at[each]] + within]
        row, away = row[each], km[row, column][each]
        order = np.lexsort((position, away, row))
        row, position, away = row[order], position[order], away[order]
        rank = np.arange(len(row)) - np.searchsorted(row, row)
        kept = rank < k
        result = np.full(found.shape, -1, dtype=np.intp), np.full(found.shape, np.inf)
        result[0][row[kept], rank[kept]] = position[kept]
        result[1][row[kept], rank[kept]] = away[kept]
        return result


def _number_equal_places(lonlat: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """Return a number for each place, the same for equal ones; None where repeats are few."""
    lon, lat = (np.ascontiguousarray(v + 0.0).view(np.uint64) for v in lonlat.T)
    mixed = lon * _MIX ^ lat
    in_order = np.sort(mixed)
    if not (in_order[_FEW:] == in_order[:-_FEW]).any():
        return None
    order = np.argsort(mixed, kind="stable")
    # Different places of the same hash end a run: that costs time, but no correctness.
    begins = np.concatenate([[True], (np.diff(lonlat[order], axis=0) != 0).any(axis=1)])
    owner = np.empty(len(order), dtype=np.intp)
    owner[order] = np.cumsum(begins)
    return owner
