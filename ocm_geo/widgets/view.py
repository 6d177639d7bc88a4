"""The view of a map, in degrees and in pixels of a web map."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import shapely

from ocm_geo.plots.extent import Extent, turn_to_narrowest

if TYPE_CHECKING:
    import ipyleaflet
    from numpy.typing import NDArray

__all__ = ["MAX_ZOOM", "View", "box_around", "degrees_of", "pixels_of", "size_of"]

MAX_ZOOM = 18
_TILE = 256
_MAX_LAT = 85.0511
_FULL = 360.0
_SCREEN = (1600, 1000)
"""Assumed size of a map in pixels, until the browser reports its own."""
_FIT_WIDTH = 700.0
_FIT_MARGIN = 60.0
_MIN_SPAN = 1e-3
_NARROWEST, _WIDEST = 100.0, 8000.0
"""Widths of maps on screens, pixels."""


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
    fitted : tuple of float, optional
        The box that the view was fitted to, as ``(west, south, east, north)``.
    """

    west: float
    south: float
    east: float
    north: float
    zoom: float
    fitted: tuple[float, float, float, float] | None = None

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
        return cls.fit_box(box_around(lon, lat), (_FIT_WIDTH, height_px))

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
        box = _enclose_boxes(shapely.bounds(shapely.get_parts(shapes)))
        return cls.fit_box(box, (_FIT_WIDTH, height_px))

    @classmethod
    def fit_box(
        cls,
        box: tuple[float, float, float, float] | None,
        size: tuple[float, float],
        *,
        exact: bool = False,
    ) -> Self:
        """
        Return the view in which a box fits into a map.

        Parameters
        ----------
        box : tuple of float or None
            ``(west, south, east, north)``; None for the world.
        size : tuple of float
            Width and height of the map, pixels.
        exact : bool
            Return a view of this size that the box fills, at any zoom.

        Returns
        -------
        View
            View at the largest whole zoom.
        """
        if box is None:
            return cls.at(0.0, 20.0, 2)
        width, height = (max(side - _FIT_MARGIN, _FIT_MARGIN) for side in size)
        west, south, east, north = box
        px, py = pixels_of(np.array([west, east]), np.array([north, south]), 0)
        (left, right), (top, bottom) = px.tolist(), py.tolist()
        span = max((right - left) / width, (bottom - top) / height, _MIN_SPAN / _TILE)
        # The largest whole zoom at which the box fits into the map.
        zoom = float(np.clip(-np.log2(span), 2, 14))
        middle = degrees_of((left + right) / 2, (top + bottom) / 2, 0)
        if exact:
            return cls.at(*middle, zoom, size)._replace(fitted=box)
        return cls.at(*middle, int(zoom))._replace(fitted=box)

    @classmethod
    def at(cls, lon: float, lat: float, zoom: float, size: tuple[float, float] = _SCREEN) -> Self:
        """
        Return the view of a map around a position.

        Parameters
        ----------
        lon, lat : float
            Degrees.
        zoom : float
            Zoom.
        size : tuple of float
            Width and height of the map, pixels; those of a screen by default.

        Returns
        -------
        View
            View of that size.
        """
        (x,), (y,) = pixels_of(np.array([lon]), np.array([lat]), zoom)
        half_x, half_y = size[0] / 2, size[1] / 2
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
        lat, lon = shown.center
        # A map that is not displayed has no bounds, or the point (0, 0) as bounds; those of one
        # that was moved from here are old until the browser reports the new ones.
        if shown.bounds and shown.south < shown.north and not getattr(shown, "awaited", False):
            return cls(shown.west, shown.south, shown.east, shown.north, shown.zoom)
        return cls.at(lon, lat, shown.zoom, size_of(shown) or _SCREEN)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        (x0, y0), (x1, y1) = self._find_corners()
        return round(x1 - x0), round(y1 - y0)

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


def size_of(shown: ipyleaflet.Map) -> tuple[float, float] | None:
    """
    Return the size of a map on the screen.

    Parameters
    ----------
    shown : ipyleaflet.Map
        The map.

    Returns
    -------
    tuple of float or None
        Width and height, pixels; None until a browser has shown the map.
    """
    width, height = shown.right - shown.left, shown.bottom - shown.top
    known = _NARROWEST < width < _WIDEST and 0 < height < _WIDEST
    return (float(width), float(height)) if known else None


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
