"""Places as arrays: in degrees, earth-centred, and the distances between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.geodesy.distance import chord_range_km, distance_km, to_ecef_km

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Places", "are_within_km"]

_MAX_LAT = 90.0


class Places(NamedTuple):
    """
    Places on the ellipsoid.

    Parameters
    ----------
    lonlat : numpy.ndarray of shape (n, 2)
        Degrees.
    xyz : numpy.ndarray of shape (n, 3)
        Earth-centred, km.
    """

    lonlat: NDArray[np.float64]
    xyz: NDArray[np.float64]

    @classmethod
    def of(cls, lon: ArrayLike, lat: ArrayLike) -> Places:
        """
        Return the places at checked coordinates.

        Parameters
        ----------
        lon, lat : array_like of shape (n,) or float
            Degrees.

        Returns
        -------
        Places
            The n places.

        Raises
        ------
        QueryError
            If they differ in length, or a position is missing or out of range.
        """
        x, y = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (lon, lat))
        if x.shape != y.shape or x.ndim != 1:
            raise QueryError(
                "lon and lat must be one-dimensional and of equal length, not of shapes "
                f"{x.shape} and {y.shape}"
            )
        good = np.isfinite(x) & (np.abs(y) <= _MAX_LAT)
        if not good.all():
            bad = int(np.flatnonzero(~good)[0])
            raise QueryError(
                f"position {bad} is (lon, lat) = ({x[bad]:g}, {y[bad]:g}): longitudes must be "
                "finite and latitudes between -90 and 90; drop rows without a position"
            )
        return cls(np.column_stack((x, y)), to_ecef_km(x, y))

    def take(self, rows: NDArray[np.intp] | slice) -> Places:
        """
        Return a selection of the places, repeats allowed.

        Parameters
        ----------
        rows : numpy.ndarray of int or slice
            Positions of the places.

        Returns
        -------
        Places
            The selected places, in this order.
        """
        return Places(self.lonlat[rows], self.xyz[rows])

    def chord_to(self, others: Places) -> NDArray[np.float64]:
        """
        Return the chords (straight lines through the Earth) to other places.

        Parameters
        ----------
        others : Places
            As many places, or one.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Kilometres.
        """
        step = self.xyz - others.xyz
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", step, step)))

    def km_to(self, others: Places) -> NDArray[np.float64]:
        """
        Return the geodesic distances to other places, by `Geod`.

        Parameters
        ----------
        others : Places
            As many places, or one.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Kilometres.
        """
        return distance_km(
            self.lonlat[:, 0], self.lonlat[:, 1], others.lonlat[:, 0], others.lonlat[:, 1]
        )


def are_within_km(some: Places, others: Places, within_km: float) -> NDArray[np.bool_]:
    """
    Return which pairs of places are within a distance of each other, decided exactly.

    Parameters
    ----------
    some, others : Places
        As many of both, or one and n.
    within_km : float
        The distance, inclusive, km.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Whether the geodesic is at most this long; `Geod` decides where the chord cannot.
    """
    chord = some.chord_to(others)
    shortest, longest = chord_range_km(within_km)
    inside = chord < shortest
    uncertain = np.flatnonzero(~inside & (chord <= longest))
    one = some if len(some.xyz) == 1 else some.take(uncertain)
    inside[uncertain] = one.km_to(others.take(uncertain)) <= within_km
    return inside
