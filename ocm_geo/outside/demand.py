"""The points or areas of a measure: which countries they reach, and with which share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely

from ocm_geo.borders import (
    are_within_reach,
    countries,
    find_countries,
    rows_reaching,
    territory,
)
from ocm_geo.geodesy import area_km2, distance_km, wrap_lon

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

__all__ = ["Areas", "Demand", "Points", "box_about", "points_of_lines"]

_STEP_DEGREES = 0.002
_MOST_STEPS = 200_000
_FIRST_LOOK = 1000
_LEAST_KM2 = 100.0
_OWN_SHARE = 0.7


@dataclass(frozen=True)
class Points:
    """
    Positions with a weight: population, or kilometres of a road.

    Parameters
    ----------
    lon, lat : numpy.ndarray of shape (n,)
        Degrees, longitudes within ±180.
    what : str
        Name of the sum of the weights, for the message.
    weight : numpy.ndarray of shape (n,), optional
        1 each by default.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    what: str = "the points"
    weight: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.lon)

    def find_beyond(self, covered: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the uncovered countries with points farther from covered ones than tolerated."""
        country = find_countries(self.lon, self.lat, ~covered)
        n_points = np.bincount(country + 1, minlength=len(covered) + 1)[1:]
        near = np.flatnonzero(covered)
        asked = np.flatnonzero((n_points > 0) & ~covered)
        found = [row for row in asked if self._has_points_beyond(country == row, near)]
        return np.array(found, dtype=np.intp)

    def _has_points_beyond(self, inside: NDArray[np.bool_], covered: NDArray[np.intp]) -> bool:
        """Return whether any of some points is farther than the tolerance from all covered."""
        # A sample first: where most points are beyond, it settles the question.
        at = np.flatnonzero(inside)
        for some in (at[:: max(len(at) // _FIRST_LOOK, 1)], at):
            if not are_within_reach(covered, self.lon[some], self.lat[some]).all():
                return True
        return False

    def share_in(self, rows: Collection[int]) -> dict[int, float]:
        """Return the share of the weight that lies in each of some countries."""
        weight = np.ones(len(self)) if self.weight is None else self.weight
        total, asked = weight.sum(), np.zeros(len(countries()), dtype=bool)
        asked[list(rows)] = True
        country = find_countries(self.lon, self.lat, asked)
        sums = {row: float(weight[country == row].sum()) for row in rows}
        return {row: value / total if total > 0 else 0.0 for row, value in sums.items()}

    def meets(self, box: tuple[float, float, float, float]) -> bool:
        """Return whether any part lies in a box."""
        west, south, east, north = box
        inside = (self.lon >= west) & (self.lon <= east) & (self.lat >= south) & (self.lat <= north)
        return bool(inside.any())

    def bounds(self) -> tuple[float, float, float, float]:
        """Return the bounding box."""
        return box_about(self.lon, self.lat)

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return positions, for areas one inside each."""
        return self.lon, self.lat


@dataclass(frozen=True)
class Areas:
    """
    Polygons, weighted by their size or by a population spread evenly over each.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries
        Polygons in lon/lat, within ±180.
    what : str
        Name of the sum of the weights, for the message.
    weight : numpy.ndarray, optional
        Population; square kilometres by default.
    """

    shapes: NDArray[np.object_]
    what: str = "the area"
    weight: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.shapes)

    @cached_property
    def _inner_points(self) -> Points:
        points = shapely.get_coordinates(shapely.point_on_surface(self.shapes))
        return Points(points[:, 0], points[:, 1])

    def find_beyond(self, covered: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the uncovered countries with area farther from covered ones than tolerated."""
        country, shape = rows_reaching(self.shapes, np.flatnonzero(~covered))
        if not len(country):
            return np.empty(0, dtype=np.intp)
        found = self._inner_points.find_beyond(covered)
        # Only shapes that the points inside them leave open are cut with borders.
        own = find_countries(self._inner_points.lon, self._inner_points.lat, ~covered)
        inside = self._mark_within_reach(np.unique(shape), np.flatnonzero(covered))
        open_ = ~np.isin(country, found) & (~inside[shape] | (own[shape] == country))
        for row, at in zip(country[open_], shape[open_], strict=True):
            if row not in found and _has_area_beyond(
                self.shapes[at], int(row), covered, is_own=own[at] == row
            ):
                found = np.append(found, row)
        return np.sort(found)

    def _mark_within_reach(
        self, positions: NDArray[np.intp], covered: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        """Return which shapes lie entirely within the tolerance of one covered country."""
        inside = np.zeros(len(self), dtype=bool)
        reach = countries()["reach"].to_numpy()
        rows, _ = rows_reaching(self.shapes[positions], covered)
        for row in np.unique(rows):
            rest = positions[~inside[positions]]
            inside[rest] = shapely.covers(reach[row], self.shapes[rest])
        return inside

    def share_in(self, rows: Collection[int]) -> dict[int, float]:
        """Return the share of the weight that lies in each of some countries."""
        size = area_km2(self.shapes)
        weight = size if self.weight is None else self.weight
        total = weight.sum()
        # Spread evenly: a country has the share of the area that it claims.
        each = np.divide(weight, size, out=np.zeros_like(size), where=size > 0)
        sums = {row: float((each * _measure_claimed_km2(self.shapes, row)).sum()) for row in rows}
        return {row: value / total if total > 0 else 0.0 for row, value in sums.items()}

    def meets(self, box: tuple[float, float, float, float]) -> bool:
        """Return whether any part lies in a box."""
        return bool(shapely.intersects(shapely.box(*box), self.shapes).any())

    def bounds(self) -> tuple[float, float, float, float]:
        """Return the bounding box."""
        west, south, east, north = shapely.total_bounds(self.shapes)
        return west, south, east, north

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return positions, for areas one inside each."""
        return self._inner_points.places()


Demand: TypeAlias = Points | Areas


def box_about(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """
    Return the bounding box of positions.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees, at least one.

    Returns
    -------
    tuple of float
        (west, south, east, north).
    """
    return float(np.min(lon)), float(np.min(lat)), float(np.max(lon)), float(np.max(lat))


def points_of_lines(shapes: NDArray[np.object_], what: str) -> Points:
    """
    Return the middles of short pieces of lines, weighted by their lengths.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely.LineString
        In lon/lat, with edges so short that they can be taken as straight there.
    what : str
        Name of the sum of the lengths, for the message.

    Returns
    -------
    Points
        One per piece of at most about 200 m, or 1/200,000 of the whole.
    """
    shapes = shapely.get_parts(shapes)
    whole = float(shapely.length(shapes).sum())
    step = max(_STEP_DEGREES, whole / _MOST_STEPS)
    coords, of_line = shapely.get_coordinates(shapely.segmentize(shapes, step), return_index=True)
    edge = np.flatnonzero(of_line[1:] == of_line[:-1])
    start, end = coords[edge], coords[edge + 1]
    km = distance_km(*start.T, *end.T)
    lon, lat = ((start + end) / 2.0).T
    return Points(wrap_lon(lon), lat, what, km)


def _has_area_beyond(
    shape: shapely.Geometry, row: int, covered: NDArray[np.bool_], *, is_own: bool
) -> bool:
    """
    Return whether a shape lies in a country, farther than the tolerance from those covered.

    Regions drawn with other borders extend up to 67 km² beyond the tolerance. A region most of
    which is a small country (Liechtenstein) belongs to it, however near its neighbours are.
    """
    size, claim = float(area_km2(shape)), territory(int(row))
    if is_own and size > _LEAST_KM2:
        inside = shapely.intersection(claim, shape)
        if area_km2(inside) > _OWN_SHARE * size:
            return True
    reach = countries()["reach"].to_numpy()[covered]
    around = reach[shapely.intersects(reach, shape)]
    if shapely.covers(around, shape).any():
        return False
    rest = shapely.difference(shape, shapely.union_all(around))
    least = min(_LEAST_KM2, size / 2.0)
    return bool(area_km2(shapely.intersection(claim, rest)) > least)


def _measure_claimed_km2(shapes: NDArray[np.object_], row: int) -> NDArray[np.float64]:
    """Return the area of each shape that a country claims, km²."""
    claim = territory(row)
    found = np.zeros(len(shapes))
    touched = np.flatnonzero(shapely.intersects(claim, shapes))
    whole = shapely.covers(claim, shapes[touched])
    found[touched[whole]] = area_km2(shapes[touched[whole]])
    found[touched[~whole]] = area_km2(shapely.intersection(claim, shapes[touched[~whole]]))
    return found
