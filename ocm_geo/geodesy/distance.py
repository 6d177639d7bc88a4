"""Distances and positions on the WGS84 ellipsoid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyproj

from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "GEOD",
    "MEAN_RADIUS_KM",
    "check_lonlat",
    "chord_from_km",
    "distance_km",
    "to_ecef_km",
    "wrap_lon",
]

GEOD = pyproj.Geod(ellps="WGS84")
MEAN_RADIUS_KM = 6371.0088

_A_KM = 6378.137
_E2 = 6.69437999014e-3
_MAX_LON = 540.0
_HALF_TURN = 180.0


def distance_km(
    lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike
) -> NDArray[np.float64]:
    """
    Measure geodesic distances (Karney 2013, through pyproj).

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array_like
        Degrees; the four broadcast.

    Returns
    -------
    numpy.ndarray
        Kilometres on WGS84.
    """
    arrays = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (lon1, lat1, lon2, lat2))
    )
    shape = arrays[0].shape
    flat = [np.ascontiguousarray(a.ravel()) for a in arrays]
    if not flat[0].size:
        return np.empty(shape)
    return np.asarray(GEOD.inv(*flat)[2]).reshape(shape) / 1000.0


def to_ecef_km(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """
    Give earth-centred, earth-fixed coordinates of positions on the ellipsoid.

    Parameters
    ----------
    lon, lat : array_like
        Degrees.

    Returns
    -------
    numpy.ndarray
        Kilometres, x, y and z along the last axis. The straight chord between two of them is
        never longer than the geodesic.
    """
    lam, phi = np.radians(lon), np.radians(lat)
    n = _A_KM / np.sqrt(1.0 - _E2 * np.sin(phi) ** 2)
    flat = n * np.cos(phi)
    return np.stack([flat * np.cos(lam), flat * np.sin(lam), n * (1.0 - _E2) * np.sin(phi)], -1)


def wrap_lon(lon: ArrayLike) -> NDArray[np.float64]:
    """
    Bring longitudes into [-180, 180]; what is there already stays as it is.

    Parameters
    ----------
    lon : array_like
        Degrees.

    Returns
    -------
    numpy.ndarray
        Degrees.
    """
    values = np.asarray(lon, dtype=np.float64)
    return np.where(np.abs(values) <= _HALF_TURN, values, (values + 180) % 360 - 180)


def check_lonlat(lon: object, lat: object, what: str = "point") -> tuple[float, float]:
    """
    Check a position and wrap its longitude.

    Parameters
    ----------
    lon, lat : float
        Degrees.
    what : str
        What it is, for the message.

    Returns
    -------
    lon, lat : float
        Degrees, the longitude in [-180, 180].

    Raises
    ------
    QueryError
        If a number is missing, not finite or out of range.
    """
    numbers = (int, float, np.integer, np.floating)
    for name, value in (("lon", lon), ("lat", lat)):
        if not isinstance(value, numbers) or isinstance(value, bool) or not math.isfinite(value):
            raise QueryError(f"{what}: {name}={value!r} is no finite number of degrees")
    x, y = float(lon), float(lat)  # type: ignore[arg-type]
    if not -90 <= y <= 90:  # noqa: PLR2004 - the poles
        hint = "; positions are (lon, lat): were they swapped?" if abs(x) <= 90 else ""  # noqa: PLR2004
        raise QueryError(f"{what}: lat={y:g} is outside -90 to 90{hint}")
    if abs(x) > _MAX_LON:
        raise QueryError(f"{what}: lon={x:g} is outside -180 to 180")
    return float(wrap_lon(x)), y


def chord_from_km(distance: float) -> float:
    """
    Bound the straight chords of all geodesics up to a length from above.

    Parameters
    ----------
    distance : float
        Geodesic distance, km.

    Returns
    -------
    float
        Kilometres: the distance itself and a little for rounding.
    """
    return distance + 1e-7
