"""A route prepared for many questions: lengths, positions along it, pieces of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from ocm_geo.errors import RouteError
from ocm_geo.geodesy.distance import GEOD, to_ecef_km, wrap_lon
from ocm_geo.geodesy.locate import LineHits, locate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Line"]

_MAX_PART_KM = 10.0
"""Edges are cut into parts no longer than this, on which a chord stays within 2 m of the edge."""


class Line:
    """
    A line whose edges are geodesics, the shorter way round.

    Parameters
    ----------
    line : shapely.LineString or array_like of shape (n, 2)
        Longitude and latitude, degrees; repeated vertices are dropped.

    Raises
    ------
    RouteError
        If fewer than two different vertices are left.
    """

    def __init__(self, line: shapely.LineString | ArrayLike) -> None:
        is_geometry = isinstance(line, shapely.Geometry)
        coords: Any = shapely.get_coordinates(line) if is_geometry else np.asarray(line, float)
        coords = np.column_stack([wrap_lon(coords[:, 0]), coords[:, 1]])
        moved = np.ones(len(coords), dtype=bool)
        moved[1:] = (coords[1:] != coords[:-1]).any(axis=1)
        self.coords: NDArray[np.float64] = coords[moved]
        if len(self.coords) < 2:  # noqa: PLR2004 - the ends of a line
            raise RouteError("a route needs at least two different positions")
        lon, lat = self.coords.T
        azimuth, back, metres = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
        self.azimuth: NDArray[np.float64] = np.asarray(azimuth)
        self.end_azimuth: NDArray[np.float64] = np.asarray(back) + 180.0
        self.edge_km: NDArray[np.float64] = np.asarray(metres) / 1000.0
        self.cumulative_km: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(self.edge_km)])

    def __getstate__(self) -> dict[str, Any]:
        return {"coords": self.coords}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["coords"])  # type: ignore[misc]

    @property
    def length_km(self) -> float:
        """Geodesic length, km."""
        return float(self.cumulative_km[-1])

    @cached_property
    def parts(self) -> Parts:
        """The edges, long ones cut up, for searching."""
        return Parts(self)

    def locate(
        self,
        lon: ArrayLike,
        lat: ArrayLike,
        *,
        within_km: float | None = None,
        passages: str = "nearest",
    ) -> LineHits:
        """
        Find where points lie along the line; see `ocm_geo.geodesy.locate`.

        Parameters
        ----------
        lon, lat : array_like
            Points, degrees.
        within_km : float, optional
            Leave out points farther away than this.
        passages : {"nearest", "all"}
            One row a point, or one for each time that the line passes it.

        Returns
        -------
        LineHits
            Positions of the points, and where they lie.
        """
        return locate(self, lon, lat, within_km=within_km, passages=passages)

    def point_at(self, along_km: ArrayLike) -> NDArray[np.float64]:
        """
        Give positions along the line.

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
        rest = (along - self.cumulative_km[edge]) * 1000.0
        start = self.coords[edge]
        lon, lat, _ = GEOD.fwd(start[:, 0], start[:, 1], self.azimuth[edge], rest)
        found = np.column_stack([lon, lat])
        # Vertices are given back as they came, not as a round trip through the ellipsoid.
        found[rest == 0] = start[rest == 0]
        found[along == self.length_km] = self.coords[-1]
        return found

    def substring(self, start_km: float, end_km: float) -> shapely.LineString:
        """
        Cut a piece out of the line.

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


class Parts:
    """
    The edges of a line in parts of at most 10 km, with their ends in earth-centred coordinates.

    Parameters
    ----------
    line : Line
        The line.
    """

    def __init__(self, line: Line) -> None:
        pieces = np.maximum(np.ceil(line.edge_km / _MAX_PART_KM), 1).astype(np.intp)
        self.edge: NDArray[np.intp] = np.repeat(np.arange(len(pieces)), pieces)
        first = np.concatenate([[0], np.cumsum(pieces)[:-1]])
        rank = np.arange(len(self.edge)) - first[self.edge]
        size = line.edge_km / pieces
        self.length_km: NDArray[np.float64] = size[self.edge]
        self.start_km: NDArray[np.float64] = line.cumulative_km[self.edge] + rank * self.length_km
        knots = np.append(self.start_km, line.length_km)
        plain = len(self.edge) == len(line.edge_km)
        self.knots: NDArray[np.float64] = line.coords if plain else line.point_at(knots)
        self.knots_km: NDArray[np.float64] = to_ecef_km(self.knots[:, 0], self.knots[:, 1])

    @cached_property
    def tree(self) -> cKDTree:
        """The KD-tree of the knots."""
        return cKDTree(self.knots_km)


def continuous(coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Undo jumps of longitude: every edge takes the shorter way round.

    Parameters
    ----------
    coords : numpy.ndarray, shape (n, 2)
        Longitude and latitude, degrees.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        The same, with longitudes that may go beyond ±180.
    """
    result = coords.copy()
    result[:, 0] = np.unwrap(coords[:, 0], period=360.0)
    return result
