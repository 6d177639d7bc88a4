"""Cutting raw road lines where they meet, and finding places on them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from ocm_geo.errors import RouteError
from ocm_geo.geodesy import distance_km, split_antimeridian
from ocm_geo.geodesy.antimeridian import continuous
from ocm_geo.geodesy.distance import GEOD
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = [
    "SAME_PLACE_KM",
    "Lines",
    "cut",
    "cut_at_crossings",
    "cut_at_ends",
    "cut_at_shared",
    "lengths",
    "nearest_places",
    "single_lines",
    "without_repeats",
]

SAME_PLACE_KM = 1e-6
_KM_PER_DEGREE = 111.32
_LONG_KM = 10.0
_DIGITS = 7
_HALF_TURN = 180.0
_TWO = 2


class Lines(NamedTuple):
    """
    Lines, and where they come from.

    Parameters
    ----------
    geometry : numpy.ndarray of shapely.LineString
        Lon/lat.
    row : numpy.ndarray of int
        The row of the input that each is a piece of.
    """

    geometry: NDArray[np.object_]
    row: NDArray[np.intp]


class _Pieces(NamedTuple):
    """The straight pieces of segments, and places on them."""

    segment: NDArray[np.intp]
    xy0: NDArray[np.float64]
    xy1: NDArray[np.float64]
    before_km: NDArray[np.float64]
    length_km: NDArray[np.float64]


def single_lines(lines: gpd.GeoDataFrame | gpd.GeoSeries) -> Lines:
    """
    Take roads apart into single lines.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame or geopandas.GeoSeries
        LineStrings or MultiLineStrings.

    Returns
    -------
    Lines
        Split at the antimeridian; edges over 10 km have places of their geodesic between.

    Raises
    ------
    RouteError
        If there is no line of any length, another geometry, or no coordinate reference system.
    """
    if lines.crs is None:
        raise RouteError("lines: there is no coordinate reference system; use set_crs('EPSG:4326')")
    geometry = lines.geometry.to_crs(CRS).to_numpy()
    parts, row = shapely.get_parts(geometry, return_index=True)
    kinds = shapely.get_type_id(parts)
    if (kinds != shapely.GeometryType.LINESTRING).any():
        wrong = parts[np.flatnonzero(kinds != shapely.GeometryType.LINESTRING)[0]].geom_type
        raise RouteError(f"lines must be LineStrings or MultiLineStrings: one is a {wrong}")
    parts = _along_geodesics(shapely.force_2d(parts[~shapely.is_empty(parts)]))
    parts, of_part = shapely.get_parts([_split(part) for part in parts], return_index=True)
    used = lengths(parts) > SAME_PLACE_KM
    if not used.any():
        raise RouteError("lines holds no line of any length: give the roads of the network")
    return Lines(parts[used], row[of_part][used].astype(np.intp))


def _along_geodesics(parts: NDArray[np.object_]) -> NDArray[np.object_]:
    """Put places of the geodesic into long edges, so that straight ones in lon/lat keep to it."""
    pieces = _pieces(parts)
    long = np.unique(pieces.segment[pieces.length_km > _LONG_KM])
    result = parts.copy()
    for one in long.tolist():
        xy = shapely.get_coordinates(parts[one])
        steps = [xy[:1]]
        for start, end in pairwise(xy):
            n = int(float(distance_km(*start, *end)) / _LONG_KM)
            between = GEOD.npts(*start, *end, n) if n else []
            steps += [np.array(between).reshape(-1, 2), [end]]
        result[one] = shapely.LineString(np.vstack(steps))
    return result


def _split(part: shapely.LineString) -> shapely.Geometry:
    xy = shapely.get_coordinates(part)
    if (np.abs(np.diff(xy[:, 0])) <= _HALF_TURN).all():
        return part
    return split_antimeridian(shapely.LineString(continuous(xy)))


def lengths(geometry: NDArray[np.object_]) -> NDArray[np.float64]:
    """
    Measure lines.

    Parameters
    ----------
    geometry : numpy.ndarray of shapely.LineString
        Lon/lat.

    Returns
    -------
    numpy.ndarray of float
        Geodesic lengths, km.
    """
    pieces = _pieces(geometry)
    return np.bincount(pieces.segment, pieces.length_km, len(geometry))


def _pieces(geometry: NDArray[np.object_]) -> _Pieces:
    xy, row = shapely.get_coordinates(geometry, return_index=True)
    inner = np.flatnonzero(np.diff(row) == 0)
    xy0, xy1 = xy[inner], xy[inner + 1]
    length = distance_km(*xy0.T, *xy1.T)
    total = np.cumsum(length) - length
    segment = row[inner].astype(np.intp)
    first = np.searchsorted(segment, segment)
    return _Pieces(segment, xy0, xy1, total - total[first], length)


def cut_at_shared(lines: Lines) -> Lines:
    """
    Cut lines at vertices where roads part.

    Parameters
    ----------
    lines : Lines
        Lines.

    Returns
    -------
    Lines
        Cut at each vertex from which not just two edges go, those of all lines counted together;
        a stretch that several lines share is not cut within.
    """
    xy, row = shapely.get_coordinates(lines.geometry, return_index=True)
    vertex, places = pd.factorize(pd.MultiIndex.from_arrays(np.round(xy, _DIGITS).T))
    same = np.diff(row) == 0
    edge = np.sort(np.column_stack([vertex[:-1], vertex[1:]])[same], axis=1)
    edge = np.unique(edge[edge[:, 0] != edge[:, 1]], axis=0)
    degree = np.bincount(edge.ravel(), minlength=len(places))
    first, last = np.append(True, ~same), np.append(~same, True)
    is_cut = (degree[vertex] > _TWO) & ~first & ~last
    # A vertex of a cut ends one piece and begins the next.
    copies = np.repeat(np.arange(len(xy)), 1 + is_cut)
    begins = first[copies] | np.append(False, np.diff(copies) == 0)
    pieces = shapely.linestrings(xy[copies], indices=np.cumsum(begins) - 1)
    return Lines(pieces, lines.row[row[copies][begins]])


def cut_at_crossings(lines: Lines) -> Lines:
    """
    Cut all lines wherever they meet.

    Parameters
    ----------
    lines : Lines
        Lines.

    Returns
    -------
    Lines
        Their pieces; a stretch that several share stands once.
    """
    pieces = shapely.get_parts(shapely.node(shapely.multilinestrings(lines.geometry)))
    tree = shapely.STRtree(lines.geometry)
    middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    return Lines(pieces, lines.row[tree.nearest(middle)])


def cut_at_ends(lines: Lines, snap_km: float) -> Lines:
    """
    Cut lines where another line ends.

    Parameters
    ----------
    lines : Lines
        Lines.
    snap_km : float
        How near the end must be.

    Returns
    -------
    Lines
        Their pieces.
    """
    if snap_km <= 0:
        return lines
    geometry = lines.geometry
    ends = np.vstack([shapely.get_coordinates(shapely.get_point(geometry, i)) for i in (0, -1)])
    own = np.tile(np.arange(len(geometry)), 2)
    near = _places_near(geometry, ends, snap_km)
    total = lengths(geometry)[near.segment]
    inside = (near.at_km > snap_km) & (near.at_km < total - snap_km)
    near = near.where(inside & (own[near.point] != near.segment))
    # One cut for each end and segment, at the nearest place.
    order = np.lexsort((near.away_km, near.segment, near.point))
    pair = np.column_stack([near.point, near.segment])[order]
    keep = order[np.append(True, (np.diff(pair, axis=0) != 0).any(axis=1))[: len(order)]]
    return cut(lines, near.segment[keep], near.at_km[keep])[0]


def without_repeats(lines: Lines) -> tuple[Lines, float]:
    """
    Keep each piece once: roads that run together are one road.

    Parameters
    ----------
    lines : Lines
        Pieces.

    Returns
    -------
    lines : Lines
        Without those that are another's, in either direction, to 1e-7 degrees.
    repeated_km : float
        The length left out.
    """
    rounded = shapely.transform(lines.geometry, lambda xy: np.round(xy, _DIGITS))
    repeated = pd.Series(shapely.to_wkb(shapely.normalize(rounded))).duplicated().to_numpy()
    kept = Lines(lines.geometry[~repeated], lines.row[~repeated])
    return kept, float(lengths(lines.geometry[repeated]).sum())


class _Near(NamedTuple):
    """Places of segments near points, by pair."""

    point: NDArray[np.intp]
    segment: NDArray[np.intp]
    at_km: NDArray[np.float64]
    away_km: NDArray[np.float64]

    def where(self, keep: NDArray[np.bool_]) -> _Near:
        """Keep some pairs."""
        point, segment, at_km, away_km = self
        return _Near(point[keep], segment[keep], at_km[keep], away_km[keep])


def _places_near(
    geometry: NDArray[np.object_], lonlat: NDArray[np.float64], within_km: float
) -> _Near:
    """Find the nearest place of each straight piece, in a plane that touches at the point."""
    pieces = _pieces(geometry)
    tree = shapely.STRtree(shapely.linestrings(np.stack([pieces.xy0, pieces.xy1], axis=1)))
    point, piece, xy = _pairs(tree, lonlat, within_km)
    scale = np.cos(np.radians(np.clip(xy[:, 1], -89.0, 89.0)))
    stretch = np.column_stack([scale, np.ones(len(point))])
    a = (pieces.xy0[piece] - xy) * stretch
    b = (pieces.xy1[piece] - xy) * stretch
    step = b - a
    square = np.einsum("ij,ij->i", step, step)
    t = -np.einsum("ij,ij->i", a, step) / np.where(square > 0, square, 1.0)
    t = np.clip(t, 0.0, 1.0)
    foot = pieces.xy0[piece] + t[:, None] * (pieces.xy1 - pieces.xy0)[piece]
    away = distance_km(*foot.T, *xy.T)
    at_km = pieces.before_km[piece] + t * pieces.length_km[piece]
    return _Near(point, pieces.segment[piece], at_km, away).where(away <= within_km)


def _pairs(
    tree: shapely.STRtree, lonlat: NDArray[np.float64], within_km: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Pair points with what is near, over the antimeridian too: there as seen from that side."""
    found = []
    for turn in (-360.0, 0.0, 360.0):
        xy = lonlat + np.array([turn, 0.0])
        dy = 1.01 * within_km / _KM_PER_DEGREE
        dx = dy / np.cos(np.radians(np.clip(xy[:, 1], -89.0, 89.0)))
        margin = np.column_stack([dx, np.full_like(dx, dy)])
        point, piece = tree.query(shapely.box(*(xy - margin).T, *(xy + margin).T))
        found.append((point, piece, xy[point]))
    points, pieces, places = zip(*found, strict=True)
    return np.concatenate(points), np.concatenate(pieces), np.vstack(places)


def nearest_places(
    geometry: NDArray[np.object_], lonlat: NDArray[np.float64], within_km: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """
    Find the nearest place of lines for each point.

    Parameters
    ----------
    geometry : numpy.ndarray of shapely.LineString
        The lines, lon/lat.
    lonlat : numpy.ndarray of shape (n, 2)
        Points.
    within_km : float
        Greatest distance.

    Returns
    -------
    segment : numpy.ndarray of int
        For each point the line; -1 where all are too far.
    at_km : numpy.ndarray of float
        The km along it.
    """
    segment, at = np.full(len(lonlat), -1, dtype=np.intp), np.zeros(len(lonlat))
    if len(lonlat):
        near = _places_near(geometry, lonlat, within_km)
        order = np.lexsort((near.segment, near.away_km, near.point))
        first = order[np.diff(near.point[order], prepend=-1) > 0]
        segment[near.point[first]] = near.segment[first]
        at[near.point[first]] = near.at_km[first]
    return segment, at


def cut(
    lines: Lines, segment: NDArray[np.intp], at_km: NDArray[np.float64]
) -> tuple[Lines, NDArray[np.float64]]:
    """
    Cut lines at distances along them.

    Parameters
    ----------
    lines : Lines
        Lines.
    segment : numpy.ndarray of int
        Which to cut.
    at_km : numpy.ndarray of float
        Where.

    Returns
    -------
    lines : Lines
        The pieces.
    places : numpy.ndarray of shape (n, 2)
        Where the cuts are.
    """
    total = lengths(lines.geometry)
    places = np.empty((len(segment), 2))
    done: dict[int, list[shapely.LineString]] = {}
    for one in np.unique(segment):
        rows = np.flatnonzero(segment == one)
        rows = rows[np.argsort(at_km[rows], kind="stable")]
        done[int(one)], places[rows] = _cut_one(lines.geometry[one], at_km[rows], total[one])
    pieces = [done.get(i, [part]) for i, part in enumerate(lines.geometry)]
    count = [len(parts) for parts in pieces]
    flat = np.array([part for parts in pieces for part in parts], dtype=object)
    return Lines(flat, np.repeat(lines.row, count)), places


def _cut_one(
    part: shapely.LineString, at_km: NDArray[np.float64], length_km: float
) -> tuple[list[shapely.LineString], NDArray[np.float64]]:
    xy = shapely.get_coordinates(part)
    marks = np.append(0.0, np.cumsum(distance_km(*xy[:-1].T, *xy[1:].T)))
    at = np.clip(at_km, 0.0, length_km)
    # A cut within 1 mm of an end is that end.
    at = np.where(at < SAME_PLACE_KM, 0.0, np.where(at > length_km - SAME_PLACE_KM, marks[-1], at))
    places = np.column_stack([np.interp(at, marks, xy[:, axis]) for axis in (0, 1)])
    bounds = np.unique(np.concatenate([[0.0], at, [marks[-1]]]))
    pieces = []
    for low, high in pairwise(bounds.tolist()):
        inner = (marks > low) & (marks < high)
        ends = [[np.interp(v, marks, xy[:, axis]) for axis in (0, 1)] for v in (low, high)]
        pieces.append(shapely.LineString(np.vstack([ends[:1], xy[inner], ends[1:]])))
    return pieces, places
