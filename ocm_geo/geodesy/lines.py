"""A line prepared for many questions: lengths, positions along it, pieces of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from ocm_geo.errors import RouteError
from ocm_geo.geodesy.antimeridian import continuous
from ocm_geo.geodesy.distance import (
    GEOD,
    SHORT_KM,
    distance_km,
    short_distance_km,
    to_ecef_km,
    wrap_lon,
)
from ocm_geo.geodesy.edges import Edges
from ocm_geo.geodesy.locate import LineHits, locate
from ocm_geo.geodesy.search import Search

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Line"]

_ENDS = 2
_MAX_LAT = 90.0
_MAX_LON = 3600.0
"""Continuous longitudes add up on routes around a pole; coordinates in metres exceed this."""
_SAME_KM = 1e-9
"""Vertices within a micrometre of each other are one."""


class Line:
    """
    A line whose edges are geodesics.

    Parameters
    ----------
    line : shapely.LineString or array_like of shape (n, 2)
        Longitude and latitude, degrees; repeated vertices are dropped, longitudes wrapped.

    Attributes
    ----------
    coords : numpy.ndarray of shape (n, 2)
        The vertices, degrees.
    edge_km : numpy.ndarray of shape (n - 1,)
        Geodesic lengths of the edges.
    cumulative_km : numpy.ndarray of shape (n,)
        Kilometres from the start to each vertex.

    Raises
    ------
    RouteError
        If a position is out of range, or fewer than two distinct positions remain.
    """

    def __init__(self, line: shapely.LineString | ArrayLike) -> None:
        is_geometry = isinstance(line, shapely.Geometry)
        given: Any = shapely.get_coordinates(line) if is_geometry else np.asarray(line, float)
        self.coords: NDArray[np.float64] = _drop_repeated(_check_route_coords(given))
        if len(self.coords) < _ENDS:
            raise RouteError("a route needs at least two different positions")
        self.edge_km: NDArray[np.float64] = _measure_edges_km(self.coords)
        self.cumulative_km: NDArray[np.float64] = np.append(0.0, np.cumsum(self.edge_km))

    def __getstate__(self) -> dict[str, Any]:
        return {"coords": self.coords}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["coords"])  # type: ignore[misc]

    @property
    def length_km(self) -> float:
        """Geodesic length, km."""
        return float(self.cumulative_km[-1])

    @cached_property
    def azimuth(self) -> NDArray[np.float64]:
        """Azimuth of each edge at its start, degrees."""
        return np.asarray(GEOD.inv(*self.coords[:-1].T, *self.coords[1:].T)[0])

    @cached_property
    def parts(self) -> Edges:
        """The edges, long ones cut into shorter ones, for searching."""
        return Edges(self.coords, self.cumulative_km)

    @cached_property
    def search(self) -> Search:
        """The index of the cut edges."""
        return Search(self.parts)

    def locate(
        self,
        lon: ArrayLike,
        lat: ArrayLike,
        *,
        within_km: float | None = None,
        passages: Literal["nearest", "all"] = "nearest",
    ) -> LineHits:
        """
        Return where points lie along the line; see `ocm_geo.geodesy.locate`.

        Parameters
        ----------
        lon, lat : array_like
            Points, degrees.
        within_km : float, optional
            Leave out points farther away than this.
        passages : {"nearest", "all"}
            One row per point, or one for each time that the line passes it.

        Returns
        -------
        LineHits
            Positions of the points, and where they lie.
        """
        return locate(self, lon, lat, within_km=within_km, passages=passages)

    def point_at(self, along_km: ArrayLike) -> NDArray[np.float64]:
        """
        Return positions along the line.

        Parameters
        ----------
        along_km : array_like
            Kilometres from the start; clipped to the line.

        Returns
        -------
        numpy.ndarray, shape (m, 2)
            Longitude and latitude, degrees.
        """
        along = np.clip(np.atleast_1d(np.asarray(along_km, float)), 0.0, self.length_km)
        edge = np.searchsorted(self.cumulative_km, along, side="right") - 1
        edge = np.clip(edge, 0, len(self.edge_km) - 1)
        rest = along - self.cumulative_km[edge]
        start, end = self.coords[edge], self.coords[edge + 1]
        azimuth = GEOD.inv(*start.T, *end.T)[0]
        lon, lat, _ = GEOD.fwd(start[:, 0], start[:, 1], azimuth, rest * 1000.0)
        found = np.column_stack([lon, lat])
        # Vertices are returned unchanged, not after a round trip through the ellipsoid.
        found[rest == 0] = start[rest == 0]
        found[along == self.length_km] = self.coords[-1]
        return found

    def substring(self, start_km: float, end_km: float) -> shapely.LineString:
        """
        Return a piece of the line.

        Parameters
        ----------
        start_km, end_km : float
            Kilometres from the start, ascending; clipped to the line.

        Returns
        -------
        shapely.LineString
            The piece, longitudes continuous (an edge over the antimeridian goes beyond ±180).
        """
        ends = self.point_at([start_km, end_km])
        inner = (self.cumulative_km > start_km) & (self.cumulative_km < end_km)
        coords = np.vstack([ends[:1], self.coords[inner], ends[1:]])
        return shapely.LineString(continuous(coords))


def _check_route_coords(coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return checked coordinates with longitudes in [-180, 180]."""
    if coords.ndim != _ENDS or coords.shape[1] < _ENDS or not len(coords):
        raise RouteError("a route is empty or does not consist of (lon, lat) pairs")
    lon, lat = coords[:, 0], coords[:, 1]
    wrong = ~np.isfinite(lon) | ~(np.abs(lat) <= _MAX_LAT) | (np.abs(lon) > _MAX_LON)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        swapped = np.abs(lon).max() <= _MAX_LAT < np.abs(lat).max() <= _MAX_LON
        hint = "; positions are (lon, lat): were they swapped?" if swapped else ""
        raise RouteError(
            f"position {first} of the route, ({lon[first]:g}, {lat[first]:g}), is out of range"
            f"{hint}"
        )
    return np.column_stack((wrap_lon(lon), lat))


def _drop_repeated(coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coordinates without consecutive repeats."""
    # Compared in space: 180 and -180 are one meridian, and a pole has every longitude.
    xyz = to_ecef_km(coords[:, 0], coords[:, 1])
    chord = np.sqrt((np.diff(xyz, axis=0) ** 2).sum(axis=1))
    return np.asarray(coords[np.append([True], chord > _SAME_KM)])


def _measure_edges_km(coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the geodesic length of each edge, km."""
    xyz = to_ecef_km(coords[:, 0], coords[:, 1])
    chord = np.sqrt((np.diff(xyz, axis=0) ** 2).sum(axis=1))
    km = short_distance_km(chord, xyz[:-1, 2], xyz[1:, 2])
    # Errors add up over many edges, and the closed form is off by 0.01 mm at 200 km.
    long = np.flatnonzero(chord > SHORT_KM / 3.0)
    km[long] = distance_km(*coords[long].T, *coords[long + 1].T)
    return km
