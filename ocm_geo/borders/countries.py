"""
The bundled countries: outlines, codes, and which of them claims a position.

The outlines are those of Natural Earth 1:50m, rounded to 0.01 degrees (see
``scripts/make_borders.py``). Against the regions of Eurostat (NUTS 2021, 1:10m) they are off by
less than 3 km along 99 % of the inland borders of western Europe and by 4.4 km at most along those
of the Netherlands, Belgium and Germany; hence the tolerance `BORDER_KM`.

A country *claims* its outline and the sea within `BORDER_KM` of it; no position is claimed by two
countries, except on a border. Its *reach* extends `BORDER_KM` beyond its outline on all sides, also
into its neighbours.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

__all__ = [
    "BORDER_KM",
    "CELL_DEGREES",
    "MIXED",
    "MOST_OWNERS",
    "are_within_reach",
    "countries",
    "find_countries",
    "rows_of_codes",
    "rows_reaching",
    "territory",
]

BORDER_KM = 5.0
"""How far the bundled borders and coasts may be from the true ones, km."""
CELL_DEGREES = 0.1
"""Side of the cells that give the country of most positions without a test of outlines."""
MIXED = 255
"""Mark of a cell that several countries, or a country and the open sea, share."""
MOST_OWNERS = 4
"""Largest number of countries that claim a part of one cell."""

_DATA = Path(__file__).parent / "data"
_NOBODY = -1


@cache
def countries() -> gpd.GeoDataFrame:
    """
    Return the bundled countries.

    Returns
    -------
    geopandas.GeoDataFrame
        ``name``, ``code`` (ISO 3166 alpha-2), ``also`` (codes under which its stations may be
        filed as well, because its status is disputed or lists treat it as a part of another),
        ``state`` (code of the state that it belongs to, if it has a code of its own), ``geometry``
        (outline) and ``reach`` (all within `BORDER_KM` of it).
    """
    table = gpd.read_parquet(_DATA / "countries.parquet")
    shapely.prepare(table.geometry.to_numpy())
    shapely.prepare(table["reach"].to_numpy())
    return table


def rows_of_codes(codes: Collection[str]) -> NDArray[np.bool_]:
    """
    Return which countries may have stations filed under some codes.

    Parameters
    ----------
    codes : collection of str
        ISO 3166 alpha-2 codes.

    Returns
    -------
    numpy.ndarray of bool
        One value per row of `countries`.
    """
    return _find_rows_of_codes(frozenset(codes)).copy()


@lru_cache(maxsize=64)
def _find_rows_of_codes(codes: frozenset[str]) -> NDArray[np.bool_]:
    """Return which rows of `countries` may be filed under some codes."""
    table = countries()
    pairs = zip(table["code"], table["also"], strict=True)
    return np.array([not codes.isdisjoint({code, *also.split()}) for code, also in pairs])


def find_countries(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    asked: NDArray[np.bool_] | None = None,
) -> NDArray[np.intp]:
    """
    Return the countries that claim positions.

    Parameters
    ----------
    lon, lat : numpy.ndarray of shape (n,)
        Degrees, longitudes within ±180.
    asked : numpy.ndarray of bool, optional
        Rows of `countries` of interest, to save time: the result is not defined for positions
        in the others.

    Returns
    -------
    numpy.ndarray of int
        Rows of `countries`; -1 on the open sea.
    """
    # Most cells belong to one country or to the open sea; only in mixed ones outlines decide.
    cells, mixed_cells, owners = _load_cells()
    n_lat, n_lon = cells.shape
    row = np.minimum(((lat + 90.0) / CELL_DEGREES).astype(np.intp), n_lat - 1)
    column = np.minimum(((lon + 180.0) / CELL_DEGREES).astype(np.intp), n_lon - 1)
    found: NDArray[np.intp] = cells[row, column].astype(np.intp) - 1
    mixed = np.flatnonzero(found == MIXED - 1)
    found[mixed] = _NOBODY
    at = np.searchsorted(mixed_cells, row[mixed] * n_lon + column[mixed])
    if asked is not None:
        is_asked = np.append(False, asked)[owners[at]].any(axis=1)
        mixed, at = mixed[is_asked], at[is_asked]
    found[mixed] = _find_exactly(owners[at], lon[mixed], lat[mixed])
    return found


def are_within_reach(
    rows: NDArray[np.intp], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """
    Return which positions lie in countries or within `BORDER_KM` of them.

    Parameters
    ----------
    rows : numpy.ndarray of int
        Rows of `countries`.
    lon, lat : numpy.ndarray of shape (n,)
        Degrees, longitudes within ±180.

    Returns
    -------
    numpy.ndarray of bool
        One value per position.
    """
    inside = np.zeros(len(lon), dtype=bool)
    if len(lon):
        box = float(np.min(lon)), float(np.min(lat)), float(np.max(lon)), float(np.max(lat))
        for row in np.intersect1d(_find_touching_box(box), rows):
            rest = np.flatnonzero(~inside)
            inside[rest] = shapely.intersects_xy(_read_reaches()[row], lon[rest], lat[rest])
    return inside


def rows_reaching(shapes: NDArray[np.object_], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """
    Return which countries reach shapes: these lie at least partly within `BORDER_KM`.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely.Geometry
        In lon/lat.
    rows : numpy.ndarray of int
        Countries of interest, rows of `countries`.

    Returns
    -------
    numpy.ndarray of int, shape (2, m)
        Rows of `countries`, and positions of the shapes that each reaches.
    """
    box = shapely.box(*shapely.total_bounds(shapes)) if len(shapes) else shapely.Point()
    near = np.intersect1d(_build_parts_tree()[1][_build_parts_tree()[0].query(box)], rows)
    if not len(near):
        return np.empty((2, 0), dtype=np.intp)
    country, shape = shapely.STRtree(shapes).query(_read_reaches()[near], predicate="intersects")
    return np.vstack([near[country], shape])


@cache
def territory(row: int) -> shapely.Geometry:
    """
    Return what a country claims: its outline and the sea within `BORDER_KM` of it.

    Parameters
    ----------
    row : int
        Row of `countries`.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In lon/lat, prepared.
    """
    outlines = countries().geometry.to_numpy()
    reach = _read_reaches()[row]
    near = np.array(
        [k for k in np.unique(_find_touching_box(reach.bounds)) if k != row], dtype=np.intp
    )
    others = outlines[near][shapely.intersects(reach, outlines[near])]
    claim = shapely.union_all([reach, outlines[row]]).difference(shapely.union_all(others))
    shapely.prepare(claim)
    return claim


def _find_exactly(
    owners: NDArray[np.intp], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the countries by outlines, and off the coasts by reach."""
    # Outlines only where several countries share a cell; a single owner shares it with the sea.
    found = np.full(len(lon), _NOBODY)
    shared = owners[:, 1] > 0
    for shapes, asked in ((countries().geometry.to_numpy(), shared), (_read_reaches(), True)):
        for row in np.unique(owners[owners > 0]) - 1:
            at = np.flatnonzero((owners == row + 1).any(axis=1) & asked & (found == _NOBODY))
            found[at[shapely.intersects_xy(shapes[row], lon[at], lat[at])]] = row
    return found


def _find_touching_box(box: tuple[float, float, float, float]) -> NDArray[np.intp]:
    """Return the countries whose reach touches a box."""
    tree, owner = _build_parts_tree()
    return np.unique(owner[tree.query(shapely.box(*box))])


@cache
def _build_parts_tree() -> tuple[shapely.STRtree, NDArray[np.intp]]:
    """Return a tree of the parts of all reaches, and the country of each part."""
    parts, owner = shapely.get_parts(_read_reaches(), return_index=True)
    return shapely.STRtree(parts), owner


@cache
def _read_reaches() -> NDArray[np.object_]:
    return np.asarray(countries()["reach"].to_numpy())


@cache
def _load_cells() -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.uint8]]:
    """Return the cells: their countries, the numbers of mixed ones, and who claims these."""
    with np.load(_DATA / "cells.npz") as data:
        cells, owners = data["cells"], data["owners"]
    return cells, np.flatnonzero(cells == MIXED), owners
