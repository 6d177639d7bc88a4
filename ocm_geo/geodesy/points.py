"""An index of many positions: members of circles and boxes, nearest neighbours."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from ocm_geo.geodesy.distance import MEAN_RADIUS_KM, chord_from_km, distance_km, to_ecef_km

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ocm_geo.geodesy.lines import Line

__all__ = ["PointIndex"]

_FAR_CHORD_KM = 9000.0
"""Beyond this a chord says too little about the geodesic: such rows are measured in full."""

_NEAR_CHORD_KM = 30.0
"""Up to here the geodesic differs by less than 1 mm from the sphere's (see `_nearest_km`)."""


class PointIndex:
    """
    Positions, indexed once for many questions.

    Parameters
    ----------
    lon, lat : array_like
        Degrees, one value a position.
    """

    def __init__(self, lon: ArrayLike, lat: ArrayLike) -> None:
        self.lon = np.ascontiguousarray(lon, dtype=np.float64)
        self.lat = np.ascontiguousarray(lat, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.lon)

    @cached_property
    def tree(self) -> cKDTree:
        """The KD-tree of earth-centred positions, km."""
        return cKDTree(to_ecef_km(self.lon, self.lat))

    @cached_property
    def _by_lat(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        order = np.argsort(self.lat, kind="stable")
        return order, self.lat[order]

    def within_km(self, lon: float, lat: float, radius_km: float) -> NDArray[np.intp]:
        """
        Find the positions within a geodesic distance.

        Parameters
        ----------
        lon, lat : float
            Centre, degrees.
        radius_km : float
            Distance, inclusive, km.

        Returns
        -------
        numpy.ndarray of int
            Positions, ascending.
        """
        found = self.tree.query_ball_point(
            to_ecef_km(lon, lat), chord_from_km(radius_km), return_sorted=True
        )
        near: NDArray[np.intp] = np.asarray(found, dtype=np.intp)
        return near[distance_km(lon, lat, self.lon[near], self.lat[near]) <= radius_km]

    def in_box(self, west: float, south: float, east: float, north: float) -> NDArray[np.intp]:
        """
        Find the positions in a box, borders included.

        Parameters
        ----------
        west, south, east, north : float
            Degrees; ``west > east`` crosses the antimeridian, 360° or more is all longitudes.

        Returns
        -------
        numpy.ndarray of int
            Positions, ascending.
        """
        order, lats = self._by_lat
        band = order[np.searchsorted(lats, south) : np.searchsorted(lats, north, side="right")]
        lon = self.lon[band]
        if east - west >= 360:  # noqa: PLR2004 - a full turn
            return np.sort(band)
        end = east if east >= west else east + 360
        inside = np.zeros(len(band), dtype=bool)
        for turn in (-360, 0, 360):
            inside |= (lon + turn >= west) & (lon + turn <= end)
        return np.sort(band[inside])

    def near_line(self, line: Line, within_km: float) -> NDArray[np.intp]:
        """
        Find the positions that may lie within a distance of a line.

        Parameters
        ----------
        line : Line
            A route.
        within_km : float
            Distance, km.

        Returns
        -------
        numpy.ndarray of int
            Positions, ascending: all that do, and some up to half as far again.
        """
        if not len(self):
            return np.empty(0, dtype=np.intp)
        step = min(within_km, 500.0)
        marks = np.linspace(0, line.length_km, int(line.length_km / step) + 2)
        spacing = marks[1] - marks[0]
        centres = to_ecef_km(*line.point_at(marks).T)
        found = self.tree.query_ball_point(centres, chord_from_km(within_km + spacing / 2))
        inside = np.zeros(len(self), dtype=bool)
        for members in found:
            inside[members] = True
        return np.flatnonzero(inside)

    def nearest(
        self, lon: ArrayLike, lat: ArrayLike, k: int = 1, *, max_km: float | None = None
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """
        Find the nearest positions of many points, by geodesic distance.

        Parameters
        ----------
        lon, lat : array_like
            n points, degrees.
        k : int
            How many for each.
        max_km : float, optional
            Farthest distance that counts, inclusive.

        Returns
        -------
        position : numpy.ndarray of int, shape (n, k)
            Nearest first; -1 where there is none. Of equally near ones the first stands first.
        distance : numpy.ndarray of float, shape (n, k)
            Kilometres, right to 1 mm; inf where there is none.
        """
        lon, lat = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
        position = np.full((len(lon), k), -1, dtype=np.intp)
        distance = np.full((len(lon), k), np.inf)
        n_known = min(k, len(self))
        if n_known and len(lon):
            found = self._nearest_known(lon, lat, n_known)
            position[:, :n_known], distance[:, :n_known] = found
        if max_km is not None:
            self._settle_limit(lon, lat, position, distance, max_km=max_km)
        return position, distance

    def _nearest_known(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], k: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Take the order of chords where it is beyond doubt, and measure where it is not."""
        places = to_ecef_km(lon, lat)
        asked = min(k + 1, len(self))
        chord, position = self.tree.query(places, k=list(range(1, asked + 1)), workers=-1)
        doubtful = chord[:, -1] > _FAR_CHORD_KM
        if asked > 1:
            margin = _doubt_km(chord[:, 1:])
            doubtful |= (chord[:, 1:] - chord[:, :-1] <= margin).any(axis=1)
        chord, position = chord[:, :k], position[:, :k]
        distance = self._nearest_km(lon, lat, chord, position)
        for row in np.flatnonzero(doubtful):
            position[row], distance[row] = self._measured(lon[row], lat[row], places[row], k)
        return position, distance

    def _nearest_km(
        self,
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
        chord: NDArray[np.float64],
        position: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        """
        Give geodesic distances for chords.

        A geodesic of chord c is c + c³/(24 R²) + O(c⁵), R its radius of curvature; R lies within
        0.6 % of the mean radius, so that up to 30 km the doubt in R is worth less than 0.4 mm.
        """
        distance = chord + chord**3 / (24 * MEAN_RADIUS_KM**2)
        row, column = np.nonzero(chord > _NEAR_CHORD_KM)
        if row.size:
            target = position[row, column]
            distance[row, column] = distance_km(
                lon[row], lat[row], self.lon[target], self.lat[target]
            )
        return distance

    def _measured(
        self, lon: float, lat: float, place: NDArray[np.float64], k: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Measure every position that may be among the k nearest of one point."""
        farthest = self.tree.query(place, k=[k])[0][0]
        if farthest > _FAR_CHORD_KM:
            near = np.arange(len(self))
        else:
            reach = farthest + 2 * float(_doubt_km(np.array([farthest]))[0]) + 1e-6
            near = np.asarray(self.tree.query_ball_point(place, reach, return_sorted=True))
        km = distance_km(lon, lat, self.lon[near], self.lat[near])
        order = np.lexsort((near, km))[:k]
        return near[order], km[order]

    def _settle_limit(
        self,
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
        position: NDArray[np.intp],
        distance: NDArray[np.float64],
        *,
        max_km: float,
    ) -> None:
        """Decide those near the limit by the exact geodesic, and take out what lies beyond."""
        row, column = np.nonzero(np.abs(distance - max_km) < 1e-5)  # noqa: PLR2004 - 1 cm
        if row.size:
            target = position[row, column]
            distance[row, column] = distance_km(
                lon[row], lat[row], self.lon[target], self.lat[target]
            )
        beyond = distance > max_km
        position[beyond] = -1
        distance[beyond] = np.inf


def _doubt_km(chord: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Bound by how much two chords must differ for their geodesics to be in the same order.

    For equal chords the geodesics differ through the radius of curvature alone, which varies by
    1 % over the ellipsoid: 2 % of c³/(24 R²) for short ones; 2 % of c bounds all below 9,000 km.
    """
    short = 0.04 * chord**3 / (24 * MEAN_RADIUS_KM**2) + 1e-9
    return np.where(chord < 1000, short, 0.02 * chord)  # noqa: PLR2004 - where the cubic holds
