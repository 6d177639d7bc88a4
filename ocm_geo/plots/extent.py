"""The extent of a map, on the side of the Earth where it is narrowest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Extent", "squeeze", "turn_to_narrowest"]

_FULL = 360.0
_MIN_SPAN = 0.02
_MARGIN = 0.06
_MAX_LAT = 85.0
_CORNERS = 4
# Among a thousand positions a few are at 0, 0 or on another continent. They are left outside the
# map, and counted, if they are at most this share (or one) and enlarge the map by this factor.
_STRAY_SHARE = 0.01
_STRAY_GAIN = 1.5
_FEW = 30
_MOST_TAIL = 0.005
_STRAY_SPANS = 1.0
_WORTH_TURNING = 30.0
"""Degrees that turning to the other side of the Earth must gain."""


@dataclass(frozen=True)
class Extent:
    """
    The extent of a map.

    Parameters
    ----------
    west, south, east, north : float
        Degrees; across the antimeridian ``east`` goes beyond 180.
    """

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(
        cls, lon: NDArray[np.float64], lat: NDArray[np.float64], *, robust: bool = False
    ) -> Extent:
        """
        Fit an extent to positions, on the side of the Earth where it is narrower.

        Parameters
        ----------
        lon, lat : numpy.ndarray
            Degrees; the whole world if there are none.
        robust : bool
            Leave out a few positions far from all others.

        Returns
        -------
        Extent
            With a margin.
        """
        known = np.isfinite(lon) & np.isfinite(lat)
        if not known.any():
            return cls(-180, -60, 180, 80)
        x, y = _turn_positions(lon[known]), lat[known]
        if robust:
            kept = _find_near(x, y)
            # Without the strays the other side of the Earth may be the narrower one.
            x, y = _turn_positions(x[kept]), y[kept]
        width = max(float(np.ptp(x)), _MIN_SPAN)
        height = max(float(np.ptp(y)), _MIN_SPAN)
        pad = _MARGIN * max(width * squeeze(float(np.mean(y))), height) + _MIN_SPAN
        south = max(float(np.min(y)) - pad, -90.0)
        north = min(float(np.max(y)) + pad, 90.0)
        # The margin is as wide on the map at the sides as above and below.
        side = pad / squeeze((south + north) / 2)
        west, east = float(np.min(x)) - side, float(np.max(x)) + side
        return cls(west, south, min(east, west + _FULL), north)

    @classmethod
    def of_shapes(cls, shapes: NDArray[np.object_]) -> Extent:
        """
        Fit an extent to shapes.

        Parameters
        ----------
        shapes : numpy.ndarray of shapely.Geometry
            Shapes in lon/lat; missing and empty ones do not count.

        Returns
        -------
        Extent
            With a margin.
        """
        lon, lat = shapely.get_coordinates(shapes).T
        return cls.around(lon, lat)

    @classmethod
    def of_box(cls, box: Sequence[float]) -> Extent:
        """
        Return the extent that a user asked for.

        Parameters
        ----------
        box : sequence of four float
            (west, south, east, north); west > east crosses the antimeridian.

        Returns
        -------
        Extent
            The same box.

        Raises
        ------
        QueryError
            If the values are not a box.
        """
        try:
            values = [float(value) for value in box]
        except (TypeError, ValueError):
            values = []
        if len(values) != _CORNERS or not np.isfinite(values).all():
            raise QueryError(
                f"extent must be (west, south, east, north) in degrees, not {short_form(box)}"
            )
        west, south, east, north = values
        east += _FULL if east < west else 0.0
        if not (-90 <= south < north <= 90 and west < east <= west + _FULL):  # noqa: PLR2004 - poles
            raise QueryError(
                "extent must be (west, south, east, north) in degrees, with south below north, "
                f"not {tuple(box)!r}"
            )
        return cls(west, south, east, north)

    @property
    def middle_lat(self) -> float:
        """Middle latitude, where the scale is true."""
        return (self.south + self.north) / 2

    @property
    def ratio(self) -> float:
        """Width divided by height, as drawn."""
        wide = (self.east - self.west) * squeeze(self.middle_lat)
        return wide / (self.north - self.south)

    def widened(self, ratio: float) -> Extent:
        """
        Extend the map at two sides until it has the shape of its axes.

        Parameters
        ----------
        ratio : float
            Width divided by height of the axes.

        Returns
        -------
        Extent
            The wider or higher extent, at most the whole Earth.
        """
        wide, high = self.east - self.west, self.north - self.south
        # Only one direction grows: the other is filled already.
        if ratio > self.ratio:
            more = min(wide * ratio / self.ratio, _FULL) - wide
            return replace(self, west=self.west - more / 2, east=self.east + more / 2)
        more = high * self.ratio / ratio - high
        south, north = self.south - more / 2, self.north + more / 2
        return replace(self, south=max(south, -90.0), north=min(north, 90.0))

    def turned(self, lon: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Move longitudes to the extent's side of the antimeridian.

        Parameters
        ----------
        lon : numpy.ndarray
            Degrees.

        Returns
        -------
        numpy.ndarray
            Degrees.
        """
        middle = (self.west + self.east) / 2
        return lon + _FULL * np.round((middle - lon) / _FULL)

    def turned_shapes(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """
        Move shapes to the extent's side of the antimeridian, part by part.

        Parameters
        ----------
        shapes : numpy.ndarray of shapely.Geometry
            In lon/lat, split at the antimeridian.

        Returns
        -------
        numpy.ndarray of shapely.Geometry
            One for each.
        """
        parts, owner = shapely.get_parts(shapes, return_index=True)
        west, _, east, _ = shapely.bounds(parts).T
        middle = (west + east) / 2
        # A part moves as a whole, by its middle: otherwise a part across the edge would be torn.
        shift = self.turned(middle) - middle
        if not shift.any():
            return shapes
        coords, part = shapely.get_coordinates(parts, return_index=True)
        moved = shapely.set_coordinates(
            parts, coords + np.column_stack([shift[part], 0 * shift[part]])
        )
        # Parts on both sides of the antimeridian touch after the move: they become one polygon.
        ends = np.cumsum(np.bincount(owner, minlength=len(shapes)))[:-1]
        whole = [
            group[0] if len(group) == 1 else shapely.union_all(group)
            for group in np.split(moved, ends)
        ]
        return np.array(whole, dtype=object)

    def holds(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """
        Return which positions are inside.

        Parameters
        ----------
        lon, lat : numpy.ndarray
            Degrees.

        Returns
        -------
        numpy.ndarray of bool
            One for each.
        """
        x = self.turned(lon)
        return (x >= self.west) & (x <= self.east) & (lat >= self.south) & (lat <= self.north)


def squeeze(lat: float) -> float:
    """
    Return the length of a degree of longitude, in degrees of latitude.

    Parameters
    ----------
    lat : float
        Degrees; latitudes beyond 85 count as 85.

    Returns
    -------
    float
        From 0.087 to 1.
    """
    return float(np.cos(np.radians(min(abs(lat), _MAX_LAT))))


def turn_to_narrowest(
    west: NDArray[np.float64], east: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Move boxes to the side of the Earth where together they are narrowest.

    Parameters
    ----------
    west, east : numpy.ndarray
        Ends of each box, degrees within ±180; the same array twice for positions.

    Returns
    -------
    west, east : numpy.ndarray
        The same, or with the western hemisphere moved beyond 180: only where that gains much,
        since readers look for Greenwich in the middle of a map of the world.
    """
    turn = _FULL * (west + east < 0)
    now = np.max(east) - np.min(west)
    turned = np.max(east + turn) - np.min(west + turn)
    return (west + turn, east + turn) if turned < now - _WORTH_TURNING else (west, east)


def _turn_positions(lon: NDArray[np.float64]) -> NDArray[np.float64]:
    # Vertices of a line across the antimeridian may lie beyond 180.
    wrapped = (lon + _FULL / 2) % _FULL - _FULL / 2
    return turn_to_narrowest(wrapped, wrapped)[0]


def _find_near(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which positions are near the others: all, unless the map gains much without some."""
    everything = np.ones(len(x), dtype=bool)
    if len(x) < _FEW:
        return everything
    kept = everything.copy()
    # Among a few hundred, a single stray must not widen the range by which it is judged.
    tail = max(_MOST_TAIL, 1.5 / len(x))
    for values in (x, y):
        low, high = np.quantile(values, [tail, 1 - tail])
        reach = _STRAY_SPANS * max(high - low, _MIN_SPAN)
        kept &= (values >= low - reach) & (values <= high + reach)
    # Strays are few, and leaving them out is worth it: else they are a part of the map.
    strays = len(x) - int(kept.sum())
    if not 0 < strays <= max(_STRAY_SHARE * len(x), 1):
        return everything
    gain = _measure_extent(x, y) / max(_measure_extent(x[kept], y[kept]), _MIN_SPAN**2)
    return kept if gain > _STRAY_GAIN else everything


def _measure_extent(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return max(float(np.ptp(x)), _MIN_SPAN) * max(float(np.ptp(y)), _MIN_SPAN)
