"""Grouping many points into the few that a view can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Clusters", "group_points"]

_TILE = 256
_CELL = 64
_MAX_LAT = 85.0511


class Clusters(NamedTuple):
    """
    Groups of points; one value a group.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Mean position, degrees.
    size : numpy.ndarray of int
        Points in the group.
    first : numpy.ndarray of int
        Position of one of them.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    size: NDArray[np.intp]
    first: NDArray[np.intp]


def group_points(lon: NDArray[np.float64], lat: NDArray[np.float64], zoom: float) -> Clusters:
    """
    Group points that fall into the same cell of 64 pixels of a web map.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    zoom : float
        Zoom of the map: the world is 256 * 2^zoom pixels wide.

    Returns
    -------
    Clusters
        At most one group a cell.
    """
    world = _TILE * 2.0**zoom
    phi = np.radians(np.clip(lat, -_MAX_LAT, _MAX_LAT))
    x = (lon + 180) / 360 * world
    y = (1 - np.log(np.tan(phi) + 1 / np.cos(phi)) / np.pi) / 2 * world
    cell = (x // _CELL).astype(np.int64) * 2**31 + (y // _CELL).astype(np.int64)
    _, first, inverse, count = np.unique(
        cell, return_index=True, return_inverse=True, return_counts=True
    )
    n = len(count)
    mean_lon = np.bincount(inverse, lon, minlength=n) / count
    mean_lat = np.bincount(inverse, lat, minlength=n) / count
    return Clusters(mean_lon, mean_lat, count, first)
