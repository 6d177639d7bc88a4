"""Place the stations that no register records, by the neighbourhoods of the recorded ones.

A station that was left out of a register at random has the same distribution of distances to its
nearest recorded neighbour as a recorded station has to the others (leave one out). So an unseen
station is a recorded one, drawn with replacement within its stratum, moved by exactly that
distance in a random direction: a smoothed bootstrap with adaptive bandwidth (Silverman 1986,
sections 5.3 and 6.4). Of several directions the one farthest from all recorded stations is taken;
otherwise a neighbour on that side would make the distances too short.

Invariants. The draws depend on the seed, the number of the draw, the name of the stratum and the
set of recorded stations, never on the order of rows. Those for n stations are the first n of those
for more: a larger estimate adds stations, and moves none.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from ocm_geo.geodesy import to_ecef_km
from ocm_geo.geodesy.distance import GEOD

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Neighbourhoods"]

_N_DIRECTIONS = 8


class Neighbourhoods:
    """
    The recorded stations, with the distance from each to the nearest other place.

    Parameters
    ----------
    lon, lat : numpy.ndarray of shape (n,)
        Their positions, degrees.
    """

    def __init__(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> None:
        self.lon, self.lat = lon, lat
        xyz = to_ecef_km(lon, lat)
        self._tree = cKDTree(np.unique(xyz, axis=0)) if len(xyz) else None
        self.nearest_km = np.zeros(len(lon))
        # A station at the same position is no distance away: the nearest other place counts.
        if self._tree is not None and self._tree.n > 1:
            self.nearest_km = self._tree.query(xyz, k=2)[0][:, 1]

    def draw(
        self, donors: NDArray[np.intp], n: int, key: tuple[int, int, str]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """
        Draw stations like some of the recorded ones, beside them.

        Parameters
        ----------
        donors : numpy.ndarray of int
            The recorded stations of the stratum, in an order that does not depend on the table.
        n : int
            How many to draw.
        key : tuple of int, int and str
            Seed, number of the draw and name of the stratum.

        Returns
        -------
        donor : numpy.ndarray of int, shape (n,)
            The recorded station that each is like.
        lonlat : numpy.ndarray of shape (n, 2)
            Where it lies.
        """
        seed, number, stratum = key
        rng = np.random.default_rng([seed, number, zlib.crc32(stratum.encode())])
        # One row a station, so that more stations do not change the first ones.
        chance = rng.random((n, 1 + _N_DIRECTIONS))
        donor = donors[(chance[:, 0] * len(donors)).astype(np.intp)]
        shape = n, _N_DIRECTIONS
        lon, lat, _ = GEOD.fwd(
            np.broadcast_to(self.lon[donor][:, None], shape).ravel(),
            np.broadcast_to(self.lat[donor][:, None], shape).ravel(),
            (360.0 * chance[:, 1:]).ravel(),
            np.broadcast_to(1000.0 * self.nearest_km[donor][:, None], shape).ravel(),
        )
        if self._tree is None or not n:
            return donor, np.empty((0, 2))
        away = np.reshape(self._tree.query(to_ecef_km(lon, lat))[0], shape)
        best = np.arange(n) * _N_DIRECTIONS + np.argmax(away, axis=1)
        return donor, np.column_stack([np.asarray(lon)[best], np.asarray(lat)[best]])
