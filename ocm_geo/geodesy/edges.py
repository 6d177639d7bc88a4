"""The edges of a line in earth-centred space, and the foot of a point on them.

The foot of a point on an edge is the position of the edge nearest to the point. Edges are cut so
that none is long (see `Edges`). For a point near the edge its foot has a closed form: in the frame
of the edge (along the chord, to the left, up) the geodesic is the parabola
``height(t) = t (length - t) / 2 R``, where R is the radius of curvature in the direction of the
edge, and the foot is where the straight line to the point meets it at a right angle. The closed
form neglects the third order of the geodesic, and that nearest by chord is not nearest by
geodesic. This moves the foot of a point 50 km away by less than 2 mm and changes its distance by
less than 0.001 mm. Farther away, and near a threshold, the foot is found with `Geod`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.geodesy.distance import GEOD, short_distance_km
from ocm_geo.geodesy.places import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLOSED_FORM_KM", "Edges", "Feet", "expand"]

CLOSED_FORM_KM = 50.0
_SHORTEST_CUT_KM = 0.2
_LONGEST_EDGE_KM = 5.0
_RADIUS_KM = 6371.0
_QUARTER_KM = 9_900.0
_CONVERGED_KM = 1e-8
_MAX_STEPS = 30


class Feet(NamedTuple):
    """The feet of points on edges; one value per pair."""

    t_km: NDArray[np.float64]
    """Distance from the start of the edge to the foot."""
    chord_km: NDArray[np.float64]
    offset_km: NDArray[np.float64]


class Edges:
    """
    Geodesic edges, cut to at most twice the mean edge, and that between 0.2 and 5 km.

    Parameters
    ----------
    lonlat : numpy.ndarray of shape (n, 2)
        Vertices, degrees.
    along_km : numpy.ndarray of shape (n,)
        Their distances along the line.

    Attributes
    ----------
    vertices : Places
        The m + 1 ends of the cut edges.
    along_km : numpy.ndarray of shape (m + 1,)
        Their distances along the line.
    length_km : numpy.ndarray of shape (m,)
        Lengths of the cut edges.
    cut_km : float
        Length of the longest possible edge.
    """

    def __init__(self, lonlat: NDArray[np.float64], along_km: NDArray[np.float64]) -> None:
        mean = along_km[-1] / (len(along_km) - 1)
        self.cut_km = float(np.clip(2.0 * mean, _SHORTEST_CUT_KM, _LONGEST_EDGE_KM))
        lonlat, self.along_km = _cut_long_edges(lonlat, along_km, self.cut_km)
        self.vertices = Places.of(lonlat[:, 0], lonlat[:, 1])
        self.length_km = np.diff(self.along_km)

    @property
    def knots(self) -> NDArray[np.float64]:
        """The vertices, degrees, shape (m + 1, 2)."""
        return self.vertices.lonlat

    @property
    def knots_km(self) -> NDArray[np.float64]:
        """The vertices, earth-centred, shape (m + 1, 3)."""
        return self.vertices.xyz

    def __len__(self) -> int:
        return len(self.length_km)

    @cached_property
    def _edge_frames(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Frame (m, 3, 3), chord (m,) and half the curvature (m,) of every edge."""
        chord = np.diff(self.knots_km, axis=0)
        length = np.sqrt(np.einsum("ij,ij->i", chord, chord))
        tangent = chord / length[:, None]
        a2, b2 = (GEOD.a / 1000.0) ** 2, (GEOD.b / 1000.0) ** 2
        scale = np.array([1.0 / a2, 1.0 / a2, 1.0 / b2])
        gradient = (self.knots_km[1:] + self.knots_km[:-1]) * (0.5 * scale)
        steepness = np.sqrt(np.einsum("ij,ij->i", gradient, gradient))
        half_curvature = 0.5 * np.einsum("ij,j->i", tangent * tangent, scale) / steepness
        up = gradient / steepness[:, None]
        # The normal at the middle of the chord is at right angles to it only on a sphere.
        up -= np.einsum("ij,ij->i", up, tangent)[:, None] * tangent
        up /= np.sqrt(np.einsum("ij,ij->i", up, up))[:, None]
        left = np.cross(up, tangent)
        return np.stack((tangent, left, up), axis=1), length, half_curvature

    def local(self, xyz: NDArray[np.float64], edge: NDArray[np.intp]) -> NDArray[np.float64]:
        """
        Return places in the frames of edges.

        Parameters
        ----------
        xyz : numpy.ndarray of shape (n, 3)
            Places, earth-centred.
        edge : numpy.ndarray of shape (n,)
            The edge of each.

        Returns
        -------
        numpy.ndarray of shape (n, 3)
            Kilometres along, to the left and up from the start of the edge.
        """
        frame, _, _ = self._edge_frames
        return np.asarray(np.einsum("ijk,ik->ij", frame[edge], xyz - self.knots_km[edge]))

    def feet(self, xyz: NDArray[np.float64], edge: NDArray[np.intp]) -> Feet:
        """
        Return the foot of each point on an edge, in closed form.

        Parameters
        ----------
        xyz : numpy.ndarray of shape (n, 3)
            Points, earth-centred.
        edge : numpy.ndarray of shape (n,)
            The edge of each.

        Returns
        -------
        Feet
            Exact up to `CLOSED_FORM_KM`; beyond, the position nearest by chord.
        """
        frame, chord, half_curvature = self._edge_frames
        x, left, z = self.local(xyz, edge).T
        length, bend = chord[edge], half_curvature[edge]
        # The condition of the right angle, linear in t once the height below the point is known.
        inside = np.clip(x, 0.0, length)
        above = z - bend * inside * (length - inside)
        t = np.clip((x + above * bend * length) / (1.0 + 2.0 * above * bend), 0.0, length)
        height = bend * t * (length - t)
        straight = np.sqrt((x - t) ** 2 + left**2 + (z - height) ** 2)
        foot_z = self.knots_km[edge, 2] + frame[edge, 0, 2] * t + frame[edge, 2, 2] * height
        offset = short_distance_km(straight, xyz[:, 2], foot_z)
        return Feet(t * (self.length_km[edge] / length), straight, offset)

    def feet_by_geod(
        self, points: Places, edge: NDArray[np.intp], t_km: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return the foot of each point on an edge, by iteration on the ellipsoid.

        Parameters
        ----------
        points : Places
            n points.
        edge : numpy.ndarray of shape (n,)
            The edge of each.
        t_km : numpy.ndarray of shape (n,)
            First guess, from the start of the edge.

        Returns
        -------
        tuple of numpy.ndarray of shape (n,)
            Kilometres from the start of the edge to the foot, and from it to the point. Each
            step solves the right-angled spherical triangle between them (Napier's rule), and
            its error shrinks by the flattening.
        """
        start, end = self.knots[edge], self.knots[edge + 1]
        azimuth = np.asarray(GEOD.inv(*start.T, *end.T)[0])
        length = self.length_km[edge]
        t, offset = t_km.copy(), np.empty(len(edge))
        todo = np.arange(len(edge))
        for _ in range(_MAX_STEPS):
            step, offset[todo] = _step_to_foot(
                start[todo], azimuth[todo], t[todo], points.lonlat[todo]
            )
            moved = np.clip(t[todo] + step, 0.0, length[todo])
            going = np.abs(moved - t[todo]) > _CONVERGED_KM
            todo, moved = todo[going], moved[going]
            t[todo] = moved
            if not todo.size:
                break
        # Beyond a quarter of the Earth an edge can have a farthest place: then an end is nearest.
        far = np.flatnonzero(offset > _QUARTER_KM)
        for at_end in (0, 1):
            km = points.take(far).km_to(self.vertices.take(edge[far] + at_end))
            t[far] = np.where(km < offset[far], at_end * length[far], t[far])
            offset[far] = np.minimum(km, offset[far])
        return t, offset

    def at(self, along_km: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Return positions on the line.

        Parameters
        ----------
        along_km : numpy.ndarray of shape (n,)
            Kilometres from the start of the line.

        Returns
        -------
        numpy.ndarray of shape (n, 3)
            Earth-centred, correct to 0.1 mm.
        """
        frame, chord, half_curvature = self._edge_frames
        edge = np.clip(np.searchsorted(self.along_km, along_km, "right") - 1, 0, len(self) - 1)
        t = (along_km - self.along_km[edge]) * (chord[edge] / self.length_km[edge])
        height = half_curvature[edge] * t * (chord[edge] - t)
        rise = frame[edge, 0] * t[:, None] + frame[edge, 2] * height[:, None]
        return np.asarray(self.knots_km[edge] + rise)


def expand(
    first: NDArray[np.intp], count: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """
    Return the numbers of many ranges, one after the other.

    Parameters
    ----------
    first, count : numpy.ndarray of shape (n,)
        First number and length of each range.

    Returns
    -------
    tuple of numpy.ndarray
        The range of each number, and the number.
    """
    which = np.repeat(np.arange(len(count)), count)
    begin = np.cumsum(count) - count
    return which, np.arange(len(which)) - begin[which] + first[which]


def _cut_long_edges(
    lonlat: NDArray[np.float64], along_km: NDArray[np.float64], cut_km: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return vertices and their distances along the line, with long edges cut equally."""
    length = np.diff(along_km)
    parts = np.maximum(np.ceil(length / cut_km), 1.0).astype(np.intp)
    if np.max(parts) == 1:
        return lonlat, along_km
    edge, rank = expand(np.zeros_like(parts), parts)
    t = rank * (length / parts)[edge]
    cut = np.append(lonlat[edge], lonlat[-1:], axis=0)
    inner = np.flatnonzero(rank)
    begin, end = lonlat[edge[inner]], lonlat[edge[inner] + 1]
    azimuth = GEOD.inv(*begin.T, *end.T)[0]
    lon, lat, _ = GEOD.fwd(begin[:, 0], begin[:, 1], azimuth, t[inner] * 1000.0)
    cut[inner] = np.column_stack((lon, lat))
    return cut, np.append(along_km[edge] + t, along_km[-1])


def _step_to_foot(
    start: NDArray[np.float64],
    azimuth: NDArray[np.float64],
    t_km: NDArray[np.float64],
    lonlat: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far the foot is ahead of a position on a geodesic, and how far the point."""
    lon, lat, back = GEOD.fwd(start[:, 0], start[:, 1], azimuth, t_km * 1000.0)
    to_point, _, metres = GEOD.inv(lon, lat, *lonlat.T)
    offset = np.asarray(metres) / 1000.0
    ahead = -np.cos(np.radians(np.asarray(to_point) - np.asarray(back)))
    arc = offset / _RADIUS_KM
    return _RADIUS_KM * np.arctan2(np.sin(arc) * ahead, np.cos(arc)), offset
