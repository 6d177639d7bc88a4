"""Groups of points, where there are more than a view can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.widgets.view import pixels_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CELL", "Clusters", "group_points", "radius_px"]

CELL = 64
"""Pixels; a view of 1600 by 1000 has some 500 cells, whatever the number of points."""


class Clusters(NamedTuple):
    """
    Groups of points, with one value for each group.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Mean position, degrees.
    size : numpy.ndarray of int
        Number of points in the group.
    first : numpy.ndarray of int
        Position of one of its points.
    owner : numpy.ndarray of int
        Group of each point.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    size: NDArray[np.intp]
    first: NDArray[np.intp]
    owner: NDArray[np.intp]

    def count_classes(self, classes: NDArray[np.intp], n: int) -> NDArray[np.intp]:
        """
        Count the points of each class in each group.

        Parameters
        ----------
        classes : numpy.ndarray of int
            Class of each point, 0 to ``n - 1``.
        n : int
            Number of classes.

        Returns
        -------
        numpy.ndarray of int
            A row for each group, a column for each class.
        """
        cells = np.bincount(self.owner * n + classes, minlength=n * len(self.size))
        return cells.reshape(len(self.size), n)


def group_points(lon: NDArray[np.float64], lat: NDArray[np.float64], zoom: float) -> Clusters:
    """
    Group the points in each cell of 64 by 64 pixels of a web map.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    zoom : float
        Zoom of the map: the world is 256 * 2^zoom pixels wide.

    Returns
    -------
    Clusters
        At most one group for each cell.
    """
    x, y = pixels_of(lon, lat, zoom)
    # Column and row of a cell in one number: at zoom 18 there are 2^20 of each.
    cell = (x // CELL).astype(np.int64) * 2**31 + (y // CELL).astype(np.int64)
    _, first, inverse, count = np.unique(
        cell, return_index=True, return_inverse=True, return_counts=True
    )
    n = len(count)
    mean_lon = np.bincount(inverse, lon, minlength=n) / count
    mean_lat = np.bincount(inverse, lat, minlength=n) / count
    return Clusters(mean_lon, mean_lat, count, first, inverse)


def radius_px(size: NDArray[np.intp]) -> NDArray[np.float64]:
    """
    Return the radius of a group's circle.

    Parameters
    ----------
    size : numpy.ndarray of int
        Number of points in the group.

    Returns
    -------
    numpy.ndarray
        Radius, pixels: 9 for one point, 5 more for each power of ten; never wider than a cell.
    """
    return np.asarray(np.round(np.minimum(9 + 5 * np.log10(size), 0.4 * CELL), 1))
