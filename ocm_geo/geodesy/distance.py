"""Distances on the WGS84 ellipsoid, and their relation to earth-centred chords.

A KD-tree measures chords: straight lines through the Earth between two places. Two facts relate a
chord to the geodesic, the shortest way on the surface:

- *At any distance*: the curvature of a geodesic lies between those of two circles, of the smallest
  and the largest radius of curvature of the ellipsoid, and so its chord lies between theirs
  (Schur's comparison theorem). `chord_range_km` and `spread_km` use this, so that `Geod` need
  only decide what a chord cannot.
- *Up to 300 km*: the geodesic is as long as the arc of the circle that has this chord and, at its
  middle, the radius of curvature in the direction of the chord (Euler's theorem). Measured against
  `Geod` on 400,000 random pairs for each length, the error is at most 0.00001 mm at 50 km,
  0.07 mm at 300 km and 0.9 mm at 500 km.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyproj import Geod

from ocm_geo.checks import check_number
from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "GEOD",
    "SHORT_KM",
    "SURE_KM",
    "check_lonlat",
    "chord_range_km",
    "distance_km",
    "short_distance_km",
    "spread_km",
    "to_ecef_km",
    "wrap_lon",
]

GEOD = Geod(ellps="WGS84")
SHORT_KM = 300.0
SURE_KM = 1e-6
"""Closer than this to a threshold (1 mm), `Geod` decides instead of the closed form."""

_A = GEOD.a / 1000.0
_B = GEOD.b / 1000.0
_EP2 = (_A / _B) ** 2 - 1.0
_R_MIN = _B**2 / _A
_R_MAX = _A**2 / _B
_ROUNDING_KM = 2e-9
_FAR_KM = 19_900.0
_MAX_LON = 540.0
_HALF_TURN = 180.0
_CUBIC_KM = 7_000.0


def distance_km(
    lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike
) -> NDArray[np.float64]:
    """
    Return the length of the WGS84 geodesic between positions.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array_like
        Degrees; broadcast against each other.

    Returns
    -------
    numpy.ndarray
        Kilometres, by pyproj's `Geod` (C. F. F. Karney, Algorithms for geodesics, 2013).
    """
    arrays = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (lon1, lat1, lon2, lat2)))
    if not arrays[0].size:
        return np.empty(arrays[0].shape)
    a, b, c, d = (np.ascontiguousarray(x).ravel() for x in arrays)
    metres = GEOD.inv(a, b, c, d)[2]
    return np.asarray(metres).reshape(arrays[0].shape) / 1000.0


def to_ecef_km(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """
    Return earth-centred, earth-fixed coordinates of positions on the ellipsoid.

    Parameters
    ----------
    lon, lat : array_like of shape (n,)
        Degrees.

    Returns
    -------
    numpy.ndarray of shape (n, 3)
        x, y, z in kilometres (EPSG:4978).
    """
    lam, phi = np.radians(lon), np.radians(lat)
    sin_phi = np.sin(phi)
    # Radius of curvature in the prime vertical.
    normal = _A**2 / np.sqrt(_A**2 - (_A**2 - _B**2) * sin_phi**2)
    ring = normal * np.cos(phi)
    out = np.empty((*np.shape(sin_phi), 3))
    out[..., 0] = ring * np.cos(lam)
    out[..., 1] = ring * np.sin(lam)
    out[..., 2] = (_B / _A) ** 2 * normal * sin_phi
    return out


def wrap_lon(lon: ArrayLike) -> NDArray[np.float64]:
    """
    Return longitudes wrapped into [-180, 180].

    Parameters
    ----------
    lon : array_like
        Degrees.

    Returns
    -------
    numpy.ndarray
        Degrees; values within [-180, 180], including both ends, are unchanged.
    """
    lon = np.asarray(lon, dtype=float)
    return np.where(np.abs(lon) <= _HALF_TURN, lon, lon - 360.0 * np.round(lon / 360.0))


def check_lonlat(lon: object, lat: object, what: str = "point") -> tuple[float, float]:
    """
    Check a position and wrap its longitude.

    Parameters
    ----------
    lon, lat : float
        Degrees.
    what : str
        Name of the position, for the message.

    Returns
    -------
    lon, lat : float
        Degrees, the longitude in [-180, 180].

    Raises
    ------
    QueryError
        If a number is missing, not finite or out of range.
    """
    x = check_number(lon, f"{what}: lon", unit="degrees")
    y = check_number(lat, f"{what}: lat", unit="degrees")
    if not -90 <= y <= 90:  # noqa: PLR2004 - the poles
        hint = "; positions are (lon, lat): were they swapped?" if abs(x) <= 90 else ""  # noqa: PLR2004
        raise QueryError(f"{what}: lat={y:g} is outside -90 to 90{hint}")
    if abs(x) > _MAX_LON:
        raise QueryError(f"{what}: lon={x:g} is outside -180 to 180")
    return float(wrap_lon(x)), y


def chord_range_km(distance_km: float) -> tuple[float, float]:
    """
    Return the shortest and longest chord that a geodesic of this length can have.

    Parameters
    ----------
    distance_km : float
        Length of the geodesic.

    Returns
    -------
    tuple of float
        Kilometres. Two positions with a shorter chord are certainly nearer to each other than
        `distance_km`, with a longer one certainly farther.
    """
    if distance_km < 0:
        return -1.0, -1.0
    if distance_km >= _FAR_KM:
        return 0.0, 3.0 * _A
    shortest = 2.0 * _R_MIN * np.sin(distance_km / (2.0 * _R_MIN))
    longest = 2.0 * _R_MAX * np.sin(distance_km / (2.0 * _R_MAX))
    return float(shortest) - _ROUNDING_KM, float(longest) + _ROUNDING_KM


def spread_km(chord_km: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return how much longer another chord must be for its geodesic to be certainly longer.

    Parameters
    ----------
    chord_km : numpy.ndarray
        The shorter chord.

    Returns
    -------
    numpy.ndarray
        Kilometres: 2 R asin(c / 2 R) at the smallest R minus that at the largest, or more. Up
        to 7,000 km this is below c³ · 2.85e-11 km⁻², which is faster to compute.
    """
    spread = _ROUNDING_KM + 3e-11 * chord_km * chord_km * chord_km
    far = chord_km > _CUBIC_KM
    if far.any():
        chord = chord_km[far]
        least, most = (
            2.0 * radius * np.arcsin(np.minimum(chord / (2.0 * radius), 1.0))
            for radius in (_R_MAX, _R_MIN)
        )
        spread[far] = np.where(chord < 2.0 * _R_MIN, most - least + _ROUNDING_KM, np.inf)
    return spread


def short_distance_km(
    chord_km: NDArray[np.float64], z1_km: NDArray[np.float64], z2_km: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return the geodesic length of chords of up to `SHORT_KM`, correct to 0.07 mm.

    Parameters
    ----------
    chord_km : numpy.ndarray
        Length of the chord.
    z1_km, z2_km : numpy.ndarray
        Earth-centred z of its ends.

    Returns
    -------
    numpy.ndarray
        Kilometres; for the formula see the module.
    """
    square = chord_km * chord_km
    rise = z2_km - z1_km
    slope2 = np.divide(rise * rise, square, out=np.zeros_like(square), where=square > 0.0)
    middle = (z1_km + z2_km) / (2.0 * _B)
    curvature2 = (1.0 + _EP2 * slope2) ** 2 / (_A**2 * (1.0 + _EP2 * middle * middle))
    bend = square * curvature2
    # The series of 2 asin(x / 2) / x in x².
    factor = 1.0 + bend * (1.0 / 24.0 + bend * (3.0 / 640.0 + bend * (5.0 / 7168.0)))
    return np.asarray(chord_km * factor)
