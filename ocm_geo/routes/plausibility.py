"""Check whether decoded positions can be a route, and are likely to be the intended one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.geodesy import distance_km

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["edge_km", "out_of_range", "suspicion"]

_FEW_EDGES = 8
_LONG_EDGE_KM = 100.0
_JUMP_KM = 500.0
_JUMP_RATIO = 1000.0
_SHORT_EDGE_KM = 0.005

# The sea off West Africa, inside 9° north and south and 18° east and west of (0, 0). Most of
# Europe and North America shrinks into it when the numbers of a polyline come out ten times too
# small. The coast is rough to 0.2°; Bioko counts as land.
_SEA = shapely.Polygon(
    [
        (-18, 9), (-13.5, 9), (-13.4, 8), (-12.6, 7.2), (-11.1, 6.2), (-9.2, 4.7), (-7.6, 4.2),
        (-5.8, 4.9), (-3.2, 5), (-2, 4.6), (1, 5.7), (1.6, 6.1), (4.2, 6.2), (5.2, 5), (6, 4.2),
        (8.1, 4.3), (8.1, 3), (9.5, 3), (9.2, 0.6), (8.6, -0.8), (9, -2.3), (11.6, -4.9),
        (12.9, -9), (-18, -9),
    ]
)  # fmt: skip


def edge_km(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the lengths of the edges of a line.

    Parameters
    ----------
    lonlat : numpy.ndarray, shape (n, 2)
        Positions in degrees.

    Returns
    -------
    numpy.ndarray, shape (n - 1,)
        Geodesic lengths in km.
    """
    lon, lat = lonlat.T
    return distance_km(lon[:-1], lat[:-1], lon[1:], lat[1:])


def out_of_range(lonlat: NDArray[np.float64]) -> int | None:
    """
    Return the row of the first position that is not on Earth.

    Longitudes beyond ±180 are allowed if a route that begins inside continues across the
    antimeridian.

    Parameters
    ----------
    lonlat : numpy.ndarray, shape (n, 2)
        Positions in degrees.

    Returns
    -------
    int or None
        Its row; None if all are in range.
    """
    lon, lat = lonlat.T
    runs_on = abs(lon[0]) <= 180 and np.abs(np.diff(lon)).max(initial=0) <= 180  # noqa: PLR2004
    wrong = (np.abs(lat) > 90) | (np.abs(lon) > (360 if runs_on else 180))  # noqa: PLR2004
    return int(np.argmax(wrong)) if wrong.any() else None


def suspicion(lonlat: NDArray[np.float64], precision: int | None = None) -> str | None:
    """
    Return why positions are probably not the intended route.

    Parameters
    ----------
    lonlat : numpy.ndarray, shape (n, 2)
        Positions in range, in degrees.
    precision : int, optional
        The precision that a polyline was decoded with.

    Returns
    -------
    str or None
        The reason; None if nothing is suspicious.
    """
    edges = edge_km(lonlat)
    if precision == 6 and (reason := _check_shrunk(lonlat, edges)):  # noqa: PLR2004
        return reason
    if len(edges) < _FEW_EDGES:
        return None
    middle, longest = float(np.median(edges)), int(np.argmax(edges))
    if middle > _LONG_EDGE_KM:
        return f"most of its {len(edges)} edges are longer than {_LONG_EDGE_KM:g} km"
    if edges[longest] > max(_JUMP_KM, _JUMP_RATIO * middle):
        return f"it jumps {edges[longest]:.0f} km between its points {longest} and {longest + 1}"
    return None


def _check_shrunk(lonlat: NDArray[np.float64], edges: NDArray[np.float64]) -> str | None:
    """Return why a polyline read at precision 6 seems to be written at precision 5, if it does."""
    grown = lonlat * 10
    if out_of_range(grown) is not None:
        return None
    # Points exactly on the equator or the prime meridian are invented rather than misread.
    if lonlat.all() and _find_at_sea(lonlat).all() and not _find_at_sea(grown).any():
        return "it lies in the sea off West Africa"
    middle = float(np.median(edges))
    if len(edges) >= _FEW_EDGES and middle < _SHORT_EDGE_KM:
        return f"half of its edges are no longer than {middle * 1000:.1f} m"
    return None


def _find_at_sea(lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(shapely.intersects_xy(_SEA, *lonlat.T))
