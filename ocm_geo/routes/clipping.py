"""Clip lines to an area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.geodesy import distance_km
from ocm_geo.geodesy.antimeridian import continuous

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["clip_parts"]

_ROUNDING = 1e-12


@dataclass(frozen=True)
class _Piece:
    """A stretch of a part inside the area, and whether the area cut it at its ends."""

    lonlat: NDArray[np.float64]
    is_cut_at_start: bool
    is_cut_at_end: bool


def clip_parts(
    parts: Sequence[NDArray[np.float64]], area: shapely.Geometry, max_join_km: float
) -> list[list[NDArray[np.float64]]]:
    """
    Clip parts of a line to an area and chain what remains.

    Where a line leaves the area, a chain ends. Where two parts do not meet inside the area, they
    stay in one chain: that is a fault of the line, not of the area.

    Parameters
    ----------
    parts : sequence of numpy.ndarray, each of shape (n, 2)
        Positions in degrees, in the order of the route.
    area : shapely.Polygon or shapely.MultiPolygon
        In lon/lat, within ±180.
    max_join_km : float
        Ends no farther apart than this are joined.

    Returns
    -------
    list of list of numpy.ndarray
        Chains of pieces, none where no part lies inside.
    """
    parts_of_area = shapely.get_parts(area)
    turns = [np.array((shift, 0.0)) for shift in (-360.0, 0.0, 360.0)]
    around = shapely.union_all(
        [shapely.transform(parts_of_area, lambda xy, turn=turn: xy + turn) for turn in turns]
    )
    shapely.prepare(around)
    # A chain ends only where the line itself leaves the area: a gap between two parts inside the
    # area is a fault of the line and is reported when the parts are joined.
    chains: list[list[NDArray[np.float64]]] = []
    before: _Piece | None = None
    for piece in (piece for part in parts for piece in _cut_pieces(part, around)):
        if before is None or not _continues_piece(before, piece, max_join_km):
            chains.append([])
        chains[-1].append(piece.lonlat)
        before = piece
    return chains


def _continues_piece(before: _Piece, piece: _Piece, max_join_km: float) -> bool:
    """Return whether a piece continues another one without leaving the area between them."""
    if not (before.is_cut_at_end or piece.is_cut_at_start):
        return True
    return bool(distance_km(*before.lonlat[-1], *piece.lonlat[0]) <= max_join_km)


def _cut_pieces(part: NDArray[np.float64], area: shapely.Geometry) -> Iterator[_Piece]:
    """
    Yield the pieces of a part inside the area, in order.

    Each edge is cut on its own: shapely would return the pieces of a line that crosses or
    repeats itself in another order.
    """
    lonlat = continuous(part)
    lonlat = lonlat[np.append(True, (np.diff(lonlat, axis=0) != 0).any(axis=1))]
    run: list[NDArray[np.float64]] = []
    is_cut = False
    for start, end, from_cut, to_cut in _find_stretches(lonlat, area):
        if run and (from_cut or not np.array_equal(run[-1], start)):
            yield _Piece(_wrap_positions(run), is_cut, is_cut_at_end=True)
            run = []
        if not run:
            run, is_cut = [start], from_cut or not np.array_equal(start, lonlat[0])
        run.append(end)
        if to_cut:
            yield _Piece(_wrap_positions(run), is_cut, is_cut_at_end=True)
            run = []
    if run:
        yield _Piece(_wrap_positions(run), is_cut, not np.array_equal(run[-1], lonlat[-1]))


def _find_stretches(
    lonlat: NDArray[np.float64], area: shapely.Geometry
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], bool, bool]]:
    """Yield both ends of each stretch of an edge inside, and whether they cut the edge."""
    edges = shapely.linestrings(np.stack([lonlat[:-1], lonlat[1:]], axis=1))
    whole = shapely.covers(area, edges)
    touched = shapely.intersects(area, edges)
    for i in np.flatnonzero(touched).tolist():
        start, end = lonlat[i], lonlat[i + 1]
        if whole[i]:
            yield start, end, False, False
            continue
        for low, high in _find_shares_inside(edges[i], area):
            first = start + low * (end - start) if low else start
            last = start + high * (end - start) if high < 1 else end
            yield first, last, low > 0, high < 1


def _find_shares_inside(
    edge: shapely.LineString, area: shapely.Geometry
) -> list[tuple[float, float]]:
    """Return where the stretches of an edge inside the area begin and end, 0 to 1."""
    shares = []
    for inside in shapely.get_parts(shapely.intersection(edge, area)):
        ends = shapely.points(shapely.get_coordinates(inside))
        at = shapely.line_locate_point(edge, ends, normalized=True)
        # Rounding must not move a stretch off the end of its edge: neighbours share that vertex.
        at = np.where(at < _ROUNDING, 0.0, np.where(at > 1 - _ROUNDING, 1.0, at))
        if at.max() > at.min():
            shares.append((float(at.min()), float(at.max())))
    return sorted(shares)


def _wrap_positions(run: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return positions with longitudes within ±180."""
    lonlat = np.array(run)
    beyond = np.abs(lonlat[:, 0]) > 180.0  # noqa: PLR2004 - half a turn
    lonlat[beyond, 0] = (lonlat[beyond, 0] + 180.0) % 360.0 - 180.0
    return lonlat
