"""Square cells over an area, and the stations near each of them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.checks import check_km
from ocm_geo.coverage.inputs import check_stations
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.geodesy import (
    PointIndex,
    area_km2,
    as_polygons,
    pairs_within_km,
)
from ocm_geo.geodesy.antimeridian import continuous, polygon_of_ring
from ocm_geo.outside import mark_areas
from ocm_geo.provenance import carry
from ocm_geo.qualifying import levels_of, order_bounds
from ocm_geo.schema import CRS
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.qualifying import Qualifying

__all__ = ["coverage_grid"]

_MAX_CELLS = 5_000_000
_POLAR_LAT = 80.0


def coverage_grid(
    area: Any,  # noqa: ANN401 - any input of users
    stations: gpd.GeoDataFrame,
    cell_km: float,
    *,
    within_km: float,
    bounds: bool = False,
    qualifying: Qualifying | None = None,
) -> gpd.GeoDataFrame:
    """
    Return square cells over an area, with the stations near the centre of each.

    Parameters
    ----------
    area : shapely geometry, geopandas.GeoSeries or geopandas.GeoDataFrame
        Polygons; a bare geometry is taken as lon/lat.
    stations : geopandas.GeoDataFrame
        All stations from which the area may be reached.
    cell_km : float
        Side of a cell, km.
    within_km : float
        Geodesic distance up to which stations are counted, km.
    bounds : bool
        Add the values with all uncertain stations left out (columns ``_low``) and with all of
        them included (``_high``).
    qualifying : Qualifying, optional
        Which stations count; by default all.

    Returns
    -------
    geopandas.GeoDataFrame
        The cells whose centre lies in the area: ``area_km2``, ``nearest_km`` (geodesic, from
        the centre; missing without stations), ``n_sites``, ``n_connectors`` and ``power_kw``
        (known power) within reach of the centre, the last two missing where the stations have
        no such column, and ``geometry`` (EPSG:4326). Cells are squares of equal area in
        Lambert's azimuthal equal-area projection about the middle of the area.

    Raises
    ------
    QueryError
        If the area or a length is wrong, or there would be more than 5,000,000 cells.

    Warns
    -----
    SuspectInput
        If no cell has its centre in the area.
    OutsideData
        If parts of the area lie in countries of which the source has no station.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> cells = ocm.coverage_grid(ocm.sample_areas(), stations, 20, within_km=10)
    >>> bool((cells["n_sites"] > 0).any())
    True
    """
    reach, side = check_km(within_km, "within_km"), check_km(cell_km, "cell_km")
    levels = levels_of(stations, qualifying, bounds=bounds)
    shape = as_polygons(area)
    stations = mark_areas(stations, np.array([shape], dtype=object))
    cells, middle = _build_cells(shape, side)
    if not len(cells):
        warnings.warn(
            f"no cell of {side:g} km has its centre in the area: use smaller cells",
            SuspectInput,
            stacklevel=2,
        )
    table = gpd.GeoDataFrame({"area_km2": area_km2(cells)}, geometry=cells, crs=CRS)
    near = {
        suffix: _summarise_near(middle, chosen, reach) for suffix, chosen in levels.tables.items()
    }
    widest = "_high" if bounds else ""
    if not near[widest]["n_sites"].any():
        warn_if_far("area", middle, levels.tables[widest])
    _add_summaries(table, near)
    facts = {"cell_km": side, "within_km": reach, **levels.facts}
    return carry(table, stations, **facts)


def _add_summaries(table: gpd.GeoDataFrame, near: dict[str, dict[str, Any]]) -> None:
    """Add the columns of each level to the cells, the bounds of the distance in order."""
    km = {suffix: found["nearest_km"] for suffix, found in near.items()}
    for suffix, nearest in order_bounds(km, more=False).items():
        missing = np.isinf(nearest)
        array = pd.arrays.FloatingArray(np.where(missing, 0.0, nearest), missing)
        for name, values in {**near[suffix], "nearest_km": array}.items():
            table[f"{name}{suffix}"] = values


def _build_cells(
    shape: shapely.Geometry, side_km: float
) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Return the cells whose centre lies in a shape, and the lon/lat of these centres."""
    flat, plane = _project_flat(shape)
    step = 1000.0 * side_km
    first = np.floor(np.array(flat.bounds[:2]) / step).astype(int)
    count = np.ceil(np.array(flat.bounds[2:]) / step).astype(int) - first
    if count.prod() > _MAX_CELLS:
        raise QueryError(
            f"cell_km={side_km:g} makes up to {count.prod():,} cells, more than {_MAX_CELLS:,}: "
            "use larger cells or a smaller area"
        )
    steps = [start + np.arange(n) for start, n in zip(first, count, strict=True)]
    column, row = (v.ravel() for v in np.meshgrid(*steps))
    shapely.prepare(flat)
    inside = shapely.intersects_xy(flat, (column + 0.5) * step, (row + 0.5) * step)
    x, y = column[inside] * step, row[inside] * step
    middle = gpd.GeoSeries(gpd.points_from_xy(x + step / 2, y + step / 2), crs=plane).to_crs(CRS)
    polar = np.abs(middle.y.to_numpy()) > _POLAR_LAT
    cells = _map_cells(shapely.box(x, y, x + step, y + step), step, polar, plane)
    return cells, np.column_stack([middle.x, middle.y])


def _project_flat(shape: shapely.Geometry) -> tuple[shapely.Geometry, str]:
    """Return a shape in an equal-area plane about its middle, and that plane."""
    # Parts on both sides of the antimeridian are moved together before their middle is taken.
    parts = gpd.GeoSeries(shapely.get_parts(shape), crs=CRS)
    lon = continuous(np.column_stack([parts.representative_point().x, np.zeros(len(parts))]))[:, 0]
    _, south, _, north = shape.bounds
    lon0, lat0 = float(np.min(lon) + np.max(lon)) / 2.0, (south + north) / 2.0
    plane = f"+proj=laea +lon_0={lon0} +lat_0={lat0} +ellps=WGS84 +units=m"
    flat = parts.segmentize(0.1).to_crs(plane).make_valid().union_all()
    return flat, plane


def _map_cells(
    flat: NDArray[np.object_], step: float, polar: NDArray[np.bool_], plane: str
) -> NDArray[np.object_]:
    """Return cells of a plane in lon/lat."""
    # Near a pole four corners are not enough for edges that are straight in lon/lat.
    flat[polar] = shapely.segmentize(flat[polar], step / 32.0)
    shapes: NDArray[np.object_] = gpd.GeoSeries(flat, crs=plane).to_crs(CRS).to_numpy().copy()
    west, _, east, _ = np.reshape(shapely.bounds(shapes), (-1, 4)).T
    for at in np.flatnonzero(east - west > 180.0):  # noqa: PLR2004 - across the antimeridian
        shapes[at] = polygon_of_ring(shapely.get_coordinates(shapes[at]))
    return shapes


def _summarise_near(
    middle: NDArray[np.float64], stations: gpd.GeoDataFrame, within_km: float
) -> dict[str, Any]:
    """Return the nearest station of each centre, and what is within reach of it."""
    index = PointIndex(*check_stations(stations))
    _, km = index.nearest(middle[:, 0], middle[:, 1])
    cell, station, _ = pairs_within_km(PointIndex(*middle.T), index, within_km)
    n = len(middle)

    def total(column: str) -> NDArray[np.float64]:
        amount = stations[column].to_numpy(dtype=float, na_value=0.0)
        return np.bincount(cell, amount[station], n)

    return {
        "nearest_km": km[:, 0],
        "n_sites": np.bincount(cell, minlength=n),
        "n_connectors": total("n_connectors").astype("int64")
        if "n_connectors" in stations
        else pd.array([pd.NA] * n, dtype="Int64"),
        "power_kw": total("total_power_kw")
        if "total_power_kw" in stations
        else pd.array([pd.NA] * n, dtype="Float64"),
    }
