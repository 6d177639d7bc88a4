"""The number of stations in areas, in relation to size, population and roads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.coverage.inputs import area_frame, check_stations, population_of
from ocm_geo.coverage.tally import AreaFinder, warn_of_overlaps
from ocm_geo.errors import QueryError
from ocm_geo.frames import add_columns, in_lonlat, require_columns
from ocm_geo.geodesy.antimeridian import continuous
from ocm_geo.outside import mark_areas
from ocm_geo.provenance import carry
from ocm_geo.qualifying import order_bounds
from ocm_geo.quality.bounding import bound_levels
from ocm_geo.suspects import warn_if_far, warn_if_watts

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.qualifying import Qualifying
    from ocm_geo.quality.missing import MissingStations

__all__ = ["density"]

_HALF_TURN = 180.0
_AMOUNTS = ("n_sites", "n_connectors", "power_kw")


def density(
    areas: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    *,
    population: str | None = None,
    roads: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    bounds: bool = False,
    qualifying: Qualifying | None = None,
    completeness: pd.DataFrame | MissingStations | None = None,
) -> gpd.GeoDataFrame:
    """
    Count stations, connectors and power in areas, relative to size, population and roads.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries
        Polygons in any coordinate reference system. A station on a border counts once, in the
        first of the areas that share the border.
    stations : geopandas.GeoDataFrame
        A station table.
    population : str, optional
        Column of the areas with their population.
    roads : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Lines; their geodesic length inside each area is used.
    bounds : bool
        Add the values with all uncertain stations left out (columns ``_low``) and with all of
        them included (``_high``).
    qualifying : Qualifying, optional
        Which stations count; by default all.
    completeness : pandas.DataFrame or MissingStations, optional
        What `completeness` estimated from `stations` and a second register. The bounds, which are
        then always added, contain the stations that are missing: see `coverage`.

    Returns
    -------
    geopandas.GeoDataFrame
        The areas in EPSG:4326 with ``area_km2``, ``n_sites``, ``n_connectors``, ``power_kw``
        (known power only) and ``sites_per_km2``, ``connectors_per_km2``, ``power_kw_per_km2``;
        with a population ``…_per_1000_people``; with roads ``road_km`` and ``…_per_100_km``.
        Ratios are missing where nobody lives or no road runs.

    Raises
    ------
    QueryError
        If areas, population or roads are wrong.

    Warns
    -----
    SuspectInput
        If areas overlap.
    DroppedRows
        If invalid polygons were repaired.
    OutsideData
        If parts of the areas lie in countries of which the source has no station.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.density(ocm.sample_areas(), stations, population="population")
    >>> bool((table["n_sites"] > 0).any())
    True
    """
    frame = area_frame(areas)
    shapes = frame.geometry.to_numpy()
    warn_of_overlaps(shapes)
    new: dict[str, Any] = {"area_km2": geodesy.area_km2(shapes)}
    levels = bound_levels(stations, qualifying, completeness, bounds=bounds)
    persons = None if population is None else population_of(frame, population)
    stations = mark_areas(stations, shapes, persons)
    sizes = {"per_km2": (new["area_km2"], 1.0)}
    if persons is not None:
        sizes["per_1000_people"] = persons, 1000.0
    if roads is not None:
        new["road_km"] = _measure_roads_inside(shapes, roads)
        sizes["per_100_km"] = new["road_km"], 100.0
    _add_amounts(new, shapes, levels.tables, sizes)
    frame = add_columns(frame, new, "areas")
    widest = "_high" if "_high" in levels.tables else ""
    if not frame[f"n_sites{widest}"].any():
        warn_if_far("areas", shapely.get_coordinates(shapes), levels.tables[widest])
    warn_if_watts(stations, "total_power_kw")
    return carry(frame, stations, **levels.facts)


def _add_amounts(
    columns: dict[str, Any],
    shapes: NDArray[np.object_],
    tables: dict[str, gpd.GeoDataFrame],
    sizes: dict[str, tuple[NDArray[np.float64], float]],
) -> None:
    """Add the amounts in each area at each level, and their ratios to the sizes."""
    finder = AreaFinder(shapes)
    # Counts are sums over stations: those placed say all, and none need be left out.
    sums = {
        suffix: _sum_inside(finder, chosen)
        for suffix, chosen in tables.items()
        if not suffix.startswith("_less")
    }
    amounts = [
        order_bounds(dict(zip(sums, each, strict=True)))
        for each in zip(*sums.values(), strict=True)
    ]
    for suffix in amounts[0]:
        for name, values in zip(_AMOUNTS, amounts, strict=True):
            columns[f"{name}{suffix}"] = values[suffix]
        for ratio, (size, scale) in sizes.items():
            _add_ratios(columns, size, ratio, suffix, scale=scale)


def _sum_inside(
    finder: AreaFinder, stations: gpd.GeoDataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return stations, connectors and known power in each area."""
    require_columns(stations, ("n_connectors", "total_power_kw"), "stations")
    area, station = finder.pairs(*check_stations(stations))
    connectors = stations["n_connectors"].to_numpy(dtype=float, na_value=0.0)
    power = stations["total_power_kw"].to_numpy(dtype=float, na_value=0.0)
    n = len(finder)
    return (
        np.bincount(area, minlength=n),
        np.bincount(area, connectors[station], minlength=n).astype("int64"),
        np.bincount(area, power[station], minlength=n),
    )


def _add_ratios(
    columns: dict[str, Any],
    size: NDArray[np.float64],
    ratio_name: str,
    suffix: str,
    *,
    scale: float,
) -> None:
    """Add the columns of the amounts in relation to a size, missing where it is 0."""
    for name in _AMOUNTS:
        amount = columns[f"{name}{suffix}"].astype(float)
        known = size > 0
        ratio = np.divide(amount * scale, size, out=np.zeros(len(size)), where=known)
        column = f"{name.removeprefix('n_')}_{ratio_name}{suffix}"
        columns[column] = pd.arrays.FloatingArray(ratio, ~known)


def _measure_roads_inside(
    shapes: NDArray[np.object_], roads: gpd.GeoDataFrame | gpd.GeoSeries
) -> NDArray[np.float64]:
    """Return the geodesic length of the roads in each area, km."""
    lines = in_lonlat(roads, "roads").geometry.to_numpy()
    kinds = shapely.get_type_id(lines)
    line_types = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)
    if not np.isin(kinds, line_types).all():
        raise QueryError("roads must be lines; drop other geometries first")
    lines = _split_roads(lines)
    area, road = shapely.STRtree(lines).query(shapes, predicate="intersects")
    pieces = shapely.intersection(shapes[area], lines[road])
    part, of_piece = shapely.get_parts(pieces, return_index=True)
    is_line = shapely.get_type_id(part) == shapely.GeometryType.LINESTRING
    coords, of_line = shapely.get_coordinates(part[is_line], return_index=True)
    lon, lat = coords.T
    edge = np.flatnonzero(of_line[1:] == of_line[:-1])
    km = geodesy.distance_km(lon[edge], lat[edge], lon[edge + 1], lat[edge + 1])
    return np.bincount(area[of_piece[is_line]][of_line[edge]], km, minlength=len(shapes))


def _split_roads(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return lines split at the antimeridian, their edges taken the shorter way round."""
    coords, of_line = shapely.get_coordinates(lines, return_index=True)
    jump = (np.abs(np.diff(coords[:, 0])) > _HALF_TURN) & (np.diff(of_line) == 0)
    beyond = np.abs(coords[:, 0]) > _HALF_TURN
    split = lines.copy()
    for row in np.union1d(of_line[1:][jump], of_line[beyond]):
        parts = [continuous(shapely.get_coordinates(p)) for p in shapely.get_parts(lines[row])]
        split[row] = geodesy.split_antimeridian(shapely.multilinestrings(parts))
    return split
