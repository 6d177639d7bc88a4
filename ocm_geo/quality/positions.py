"""Check positions: absent, at null island, outside their country, exchanged, cut off, rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.borders import BORDER_KM, are_within_reach, countries, find_countries, rows_of_codes
from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.frames import check_points, check_table, in_lonlat
from ocm_geo.geodesy import as_polygons, contains_lonlat
from ocm_geo.reference import bundled

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    Inside = Callable[[str, NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_] | None]

__all__ = ["check_positions", "read_positions"]

_MAX_LON, _MAX_LAT = 180.0, 90.0
_NULL_DEGREES = 1.0
_COAST_KM = 50.0
"""The bundled borders lack islands as large as Yeu and Miami Beach: the sea counts this far."""
_ROUNDED, _CUT, _FULL = 3, 1, 4
"""Decimals of a rounded position, of a coordinate that was cut off, and of one that was not."""
_KM_PER_DEGREE, _NEAR_POLE = 111.2, 1e-3
_CODE_COLUMNS = ("country_code", "code", "iso_a2", "ISO_A2", "ISO_A2_EH", "iso2", "CNTR_CODE")


def read_positions(
    stations: gpd.GeoDataFrame,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """
    Read positions, also those that are not on the Earth.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        Points in any coordinate reference system; they may be missing or empty.

    Returns
    -------
    lon, lat : numpy.ndarray
        Degrees; NaN where there is no position.
    placed : numpy.ndarray of bool
        Whether the position is on the Earth.

    Raises
    ------
    QueryError
        If other shapes than points are among them.
    """
    check_table(stations, "stations")
    shapes = stations.geometry.to_numpy()
    given = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    check_points(stations[given], "stations")
    points = in_lonlat(stations.geometry, "stations").to_numpy()
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    return lon, lat, (np.abs(lon) <= _MAX_LON) & (np.abs(lat) <= _MAX_LAT)


def check_positions(
    stations: gpd.GeoDataFrame, borders: gpd.GeoDataFrame | None
) -> dict[str, NDArray[np.bool_]]:
    """
    Check the positions of stations.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    borders : geopandas.GeoDataFrame or None
        Borders of countries; the bundled ones by default.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        By the name of the fault.
    """
    lon, lat, placed = read_positions(stations)
    inside = _test_bundled if borders is None else _prepare_borders(borders)
    outside, swapped = _check_countries(
        _read_codes(stations), lon, lat, placed=placed, inside=inside
    )
    n_lon, n_lat = _count_position_decimals(lon), _count_position_decimals(lat)
    few, many = np.minimum(n_lon, n_lat), np.maximum(n_lon, n_lat)
    return {
        "no_position": ~placed,
        "null_island": placed & (np.maximum(np.abs(lon), np.abs(lat)) <= _NULL_DEGREES),
        "outside_country": outside,
        "swapped_coordinates": swapped,
        "truncated_coordinates": placed & ((many == 0) | ((few <= _CUT) & (many >= _FULL))),
        "low_precision": placed & (many <= _ROUNDED),
    }


def _count_position_decimals(degrees: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the decimals of coordinates, up to 4."""
    n = np.full(len(degrees), _FULL)
    for decimals in range(_FULL - 1, -1, -1):
        # Coordinates that were calculated differ from the decimal number in the last bits.
        n[np.abs(degrees - np.round(degrees, decimals)) < 1e-10] = decimals  # noqa: PLR2004 - 10 µm
    return n


def _read_codes(stations: pd.DataFrame) -> pd.Series[Any]:
    """Read the codes of countries, or find them by the ids of the countries."""
    missing = stations.index.to_series().isna()  # without any missing index: all False
    codes = missing.astype("string").mask(~missing)
    if "country_code" in stations:
        codes = stations["country_code"].astype("string").str.strip().str.upper()
    if "country_id" in stations:
        named = stations["country_id"].map(bundled().countries["iso_code"])
        codes = codes.fillna(named.astype("string"))
    return codes


def _check_countries(
    codes: pd.Series[Any],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    placed: NDArray[np.bool_],
    inside: Inside,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which positions are outside their country, and which of them are exchanged."""
    outside, swapped = np.zeros(len(lon), dtype=bool), np.zeros(len(lon), dtype=bool)
    places = codes[placed].dropna().reset_index(drop=True)
    rows = np.flatnonzero(placed & codes.notna().to_numpy(dtype=bool))
    for code, members in places.groupby(places).indices.items():
        at = rows[members]
        within = inside(str(code), lon[at], lat[at])
        if within is None:
            continue
        wrong = at[~within]
        outside[wrong] = True
        turned = wrong[np.abs(lon[wrong]) <= _MAX_LAT]
        back = inside(str(code), lat[turned], lon[turned])
        swapped[turned] = False if back is None else back
    return outside, swapped


def _test_bundled(
    code: str, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_] | None:
    """Test positions against the bundled border of a country and its territories."""
    rows = np.flatnonzero(rows_of_codes({code}) | (countries()["state"] == code).to_numpy())
    if not len(rows):
        return None
    claimed = find_countries(lon, lat)
    within = np.isin(claimed, rows)
    rest = np.flatnonzero(~within)
    within[rest] = are_within_reach(rows, lon[rest], lat[rest])
    at_sea = np.flatnonzero(~within & (claimed < 0))
    shape = shapely.GeometryCollection(list(countries().geometry.to_numpy()[rows]))
    within[at_sea] = _reach_shape(shape, lon[at_sea], lat[at_sea], _COAST_KM)
    return within


def _prepare_borders(borders: Any) -> Inside:  # noqa: ANN401 - checked here
    """Check borders of the user, and return the test of positions against them."""
    check_table(borders, "borders")
    column = next((name for name in _CODE_COLUMNS if name in borders), None)
    if column is None:
        raise QueryError(
            f"borders has no column with codes of countries: {short_form(borders)}; name one "
            f"{_CODE_COLUMNS[0]!r} (ISO 3166 alpha-2)"
        )
    table = in_lonlat(borders, "borders")
    codes = table[column].astype("string").str.upper()
    shapes = {
        str(code): as_polygons(shapely.union_all(part.geometry.to_numpy()))
        for code, part in table.groupby(codes)
    }

    def test(
        code: str, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> NDArray[np.bool_] | None:
        return _test_own_border(shapes[code], lon, lat) if code in shapes else None

    return test


def _test_own_border(
    shape: shapely.Geometry, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Test positions against a border of the user, with the tolerance."""
    within = contains_lonlat(shape, lon, lat)
    rest = np.flatnonzero(~within)
    within[rest] = _reach_shape(shape, lon[rest], lat[rest], BORDER_KM)
    return within


def _reach_shape(
    shape: shapely.Geometry, lon: NDArray[np.float64], lat: NDArray[np.float64], km: float
) -> NDArray[np.bool_]:
    """Return which positions have a shape within about a distance."""
    found = np.zeros(len(lon), dtype=bool)
    # In bands of latitude a degree of longitude has one length, to 1 % below 65 degrees.
    bands = np.floor(np.clip(lat, -_MAX_LAT, _MAX_LAT))
    for band in np.unique(bands):
        at = np.flatnonzero(bands == band)
        shrink = max(np.cos(np.radians(band + 0.5)), _NEAR_POLE)
        flat = shapely.transform(shape, lambda xy, k=shrink: xy * (k, 1.0))
        shapely.prepare(flat)
        points = shapely.points(lon[at] * shrink, lat[at])
        found[at] = shapely.dwithin(flat, points, km / _KM_PER_DEGREE)
    return found
