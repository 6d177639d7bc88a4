"""The view of a map, in degrees and in pixels of a web map."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import shapely

from ocm_geo.plots.extent import Extent, turn_to_narrowest

if TYPE_CHECKING:
    import ipyleaflet
    from numpy.typing import NDArray

__all__ = ["MAX_ZOOM", "View", "box_around", "degrees_of", "pixels_of"]

MAX_ZOOM = 18
_TILE = 256
_MAX_LAT = 85.0511
_FULL = 360.0
_SCREEN = (1600, 1000)
"""Assumed size of a map in pixels, until the browser reports its own."""
_FIT_WIDTH = 640.0
_FIT_MARGIN = 60.0
_MIN_SPAN = 1e-3


def pixels_of(
    lon: NDArray[np.float64], lat: NDArray[np.float64], zoom: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return pixels of a web map from its north-western corner (spherical Mercator).

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees; latitudes beyond the edge of the map are drawn at the edge.
    zoom : float
        The world is 256 * 2^zoom pixels wide.

    Returns
    -------
    x, y : numpy.ndarray
        Pixels; y increases southwards.
    """
    world = _TILE * 2.0**zoom
    phi = np.radians(np.clip(lat, -_MAX_LAT, _MAX_LAT))
    y = (1 - np.arcsinh(np.tan(phi)) / np.pi) / 2 * world
    return (np.asarray(lon) + 180) / _FULL * world, y


def degrees_of(x: float, y: float, zoom: float) -> tuple[float, float]:
    """
    Return longitude and latitude of a pixel.

    Parameters
    ----------
    x, y : float
        Pixels, as returned by `pixels_of`.
    zoom : float
        Zoom.

    Returns
    -------
    lon, lat : float
        Degrees.
    """
    world = _TILE * 2.0**zoom
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y / world))))
    return x / world * _FULL - 180, float(lat)


class View(NamedTuple):
    """
    The view of a map.

    Parameters
    ----------
    west, south, east, north : float
        Degrees; longitudes may be any number of turns away.
    zoom : float
        Zoom.
    """

    west: float
    south: float
    east: float
    north: float
    zoom: float

    @classmethod
    def around(
        cls, lon: NDArray[np.float64], lat: NDArray[np.float64], height_px: float = 480.0
    ) -> Self:
        """
        Return the view of a new map that shows positions.

        Parameters
        ----------
        lon, lat : numpy.ndarray
            Degrees; the world if there are none. A few among very many that are far from all
            others, at 0, 0 for example, are left out.
        height_px : float
            Height of the map, pixels.

        Returns
        -------
        View
            View of a map as large as a screen.
        """
        return cls._fit_box(box_around(lon, lat), height_px)

    @classmethod
    def around_shapes(cls, shapes: NDArray[np.object_], height_px: float = 480.0) -> Self:
        """
        Return the view of a new map that shows shapes.

        Parameters
        ----------
        shapes : numpy.ndarray of shapely.Geometry
            Shapes in lon/lat; missing and empty ones do not count.
        height_px : float
            Height of the map, pixels.

        Returns
        -------
        View
            View of a map as large as a screen.
        """
        return cls._fit_box(_enclose_boxes(shapely.bounds(shapely.get_parts(shapes))), height_px)

    @classmethod
    def _fit_box(cls, box: tuple[float, float, float, float] | None, height_px: float) -> Self:
        """Return the view that fits a box, or the world."""
        if box is None:
            return cls.at(0.0, 20.0, 2)
        west, south, east, north = box
        px, py = pixels_of(np.array([west, east]), np.array([north, south]), 0)
        (left, right), (top, bottom) = px.tolist(), py.tolist()
        room = max(height_px - _FIT_MARGIN, _FIT_MARGIN)
        span = max((right - left) / _FIT_WIDTH, (bottom - top) / room, _MIN_SPAN / _TILE)
        # The largest whole zoom at which the box fits into the map.
        zoom = int(np.clip(np.floor(-np.log2(span)), 2, 14))
        return cls.at(*degrees_of((left + right) / 2, (top + bottom) / 2, 0), zoom)

    @classmethod
    def at(cls, lon: float, lat: float, zoom: float) -> Self:
        """
        Return the view of a large map around a position.

        Parameters
        ----------
        lon, lat : float
            Degrees.
        zoom : float
            Zoom.

        Returns
        -------
        View
            View of 1600 by 1000 pixels.
        """
        (x,), (y,) = pixels_of(np.array([lon]), np.array([lat]), zoom)
        half_x, half_y = _SCREEN[0] / 2, _SCREEN[1] / 2
        west, south = degrees_of(x - half_x, y + half_y, zoom)
        east, north = degrees_of(x + half_x, y - half_y, zoom)
        return cls(west, south, east, north, zoom)

    @classmethod
    def of(cls, shown: ipyleaflet.Map) -> Self:
        """
        Return the view of a map; a screen is assumed until a browser has shown the map.

        Parameters
        ----------
        shown : ipyleaflet.Map
            The map.

        Returns
        -------
        View
            The view.
        """
        # A map that is not displayed has no bounds, or the point (0, 0) as bounds.
        if shown.bounds and shown.south < shown.north:
            return cls(shown.west, shown.south, shown.east, shown.north, shown.zoom)
        lat, lon = shown.center
        return cls.at(lon, lat, shown.zoom)

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the map, (lat, lon) as Leaflet requires."""
        (x0, y0), (x1, y1) = self._find_corners()
        lon, lat = degrees_of((x0 + x1) / 2, (y0 + y1) / 2, self.zoom)
        return lat, lon

    def snapped(self, cell: int) -> Self:
        """
        Extend the view to whole cells of a grid that covers the world.

        Parameters
        ----------
        cell : int
            Size of a cell, pixels.

        Returns
        -------
        View
            View in which groups stay the same while the map is dragged.
        """
        (x0, y0), (x1, y1) = self._find_corners()
        west, north = degrees_of(x0 // cell * cell, y0 // cell * cell, self.zoom)
        east, south = degrees_of(-(-x1 // cell) * cell, -(-y1 // cell) * cell, self.zoom)
        return type(self)(west, south, east, north, self.zoom)

    def padded(self, share: float) -> Self:
        """
        Extend the view on every side.

        Parameters
        ----------
        share : float
            Share of the width and height added on each side.

        Returns
        -------
        View
            The wider view.
        """
        x, y = share * (self.east - self.west), share * (self.north - self.south)
        # Latitudes end at the poles; longitudes go on around the Earth.
        south, north = max(self.south - y, -90.0), min(self.north + y, 90.0)
        return type(self)(self.west - x, south, self.east + x, north, self.zoom)

    def holds(self, other: View) -> bool:
        """
        Return whether another view lies inside.

        Parameters
        ----------
        other : View
            The other view.

        Returns
        -------
        bool
            True if it lies inside.
        """
        columns = self.west <= other.west and other.east <= self.east
        return columns and self.south <= other.south and other.north <= self.north

    def copies(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """
        Find the positions in view, on every copy of the world that a wide map shows.

        Parameters
        ----------
        lon, lat : numpy.ndarray
            Degrees; missing positions are never in view.

        Returns
        -------
        row : numpy.ndarray of int
            Rows of ``lon``, one for each copy in view.
        drawn : numpy.ndarray
            Longitudes at which they are drawn, degrees.
        """
        # Longitudes from the western edge on, then once more for each further turn in view.
        first = self.west + (lon - self.west) % _FULL
        columns = [
            first + _FULL * turn for turn in range(int((self.east - self.west) // _FULL) + 1)
        ]
        # The poles are drawn at the edge of a web map.
        y = np.clip(lat, -_MAX_LAT, _MAX_LAT)
        rows = (y >= self.south) & (y <= self.north)
        found = [np.flatnonzero(rows & (x <= self.east)) for x in columns]
        drawn = [x[row] for x, row in zip(columns, found, strict=True)]
        return np.concatenate(found), np.concatenate(drawn)

    def turned(self, lon: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Move longitudes to the turn of the Earth that the view shows.

        Parameters
        ----------
        lon : numpy.ndarray
            Degrees.

        Returns
        -------
        numpy.ndarray
            Degrees, within half a turn of the middle.
        """
        return Extent(self.west, self.south, self.east, self.north).turned(lon)

    def turned_shapes(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """
        Move shapes to the turn of the Earth that the view shows, part by part.

        Parameters
        ----------
        shapes : numpy.ndarray of shapely.Geometry
            Shapes in lon/lat, split at the antimeridian.

        Returns
        -------
        numpy.ndarray of shapely.Geometry
            The moved shapes.
        """
        return Extent(self.west, self.south, self.east, self.north).turned_shapes(shapes)

    def _find_corners(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the north-western and the south-eastern pixel."""
        x, y = pixels_of(
            np.array([self.west, self.east]), np.array([self.north, self.south]), self.zoom
        )
        return (float(x[0]), float(y[0])), (float(x[1]), float(y[1]))


def box_around(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[float, float, float, float] | None:
    """
    Return the box of positions, on the side of the Earth where it is narrowest.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees; missing positions and a few among very many far from all others do not count.

    Returns
    -------
    tuple of float or None
        ``(west, south, east, north)``; over the antimeridian east goes beyond 180.
    """
    near = Extent.around(lon, lat, robust=True).holds(lon, lat)
    x, y = lon[near], lat[near]
    return _enclose_boxes(np.column_stack([x, y, x, y]))


def _enclose_boxes(boxes: NDArray[np.float64]) -> tuple[float, float, float, float] | None:
    """Return the box around boxes, on the side of the Earth where it is narrowest."""
    boxes = boxes[~np.isnan(boxes[:, 0])]
    if not len(boxes):
        return None
    west, east = turn_to_narrowest(boxes[:, 0], boxes[:, 2])
    south, north = float(np.min(boxes[:, 1])), float(np.max(boxes[:, 3]))
    return float(np.min(west)), south, float(np.max(east)), north
