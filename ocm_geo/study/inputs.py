"""Read the inputs of a study: its areas, its route and the stations around them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo import geodesy
from ocm_geo.advice import advise_in_keys
from ocm_geo.checks import check_crs, warn_user
from ocm_geo.errors import DroppedRows, QueryError
from ocm_geo.files.styles import choose_layer
from ocm_geo.outside import mark_areas, mark_demand
from ocm_geo.paths import expand_path
from ocm_geo.provenance import attach, carry
from ocm_geo.query import Box
from ocm_geo.routes import route_from_file
from ocm_geo.sources.asking import ask_source
from ocm_geo.sources.base import Source, SourceLike, resolve_source
from ocm_geo.stations import stations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ocm_geo.study.tables import AreaConfig, RouteConfig, StudyConfig

__all__ = [
    "load_areas",
    "load_route",
    "load_stations",
    "name_rows",
    "open_source",
    "read_places",
    "rows_where",
]

SAMPLE = "sample"
_KM_PER_DEGREE = 110.5
"""A degree of latitude is never shorter than 110.57 km on WGS84."""


def open_source(named: str | None, source: SourceLike | None, at: str | None = None) -> Source:
    """
    Open the source of a study.

    Parameters
    ----------
    named : str, optional
        ``sample``, ``api`` or the path of a mirror.
    source : Source, path, "sample" or "api", optional
        The source of the caller, which takes precedence.
    at : str, optional
        A snapshot of the mirror, or the ISO date of its data.

    Returns
    -------
    Source
        The source.

    Raises
    ------
    QueryError
        If ``at`` is given and the source is not a mirror.
    """
    chosen = resolve_source(named if source is None else source)
    if at is None:
        return chosen
    from ocm_geo.sources.mirror import Mirror  # noqa: PLC0415 - loaded when needed

    if not isinstance(chosen, Mirror):
        raise QueryError(f"at={at!r} names a snapshot of a mirror, and the source is not a mirror")
    return chosen.open_snapshot(at)


def load_areas(area: AreaConfig) -> gpd.GeoDataFrame | None:
    """
    Read the areas of a study.

    Parameters
    ----------
    area : AreaConfig
        The configuration of the area.

    Returns
    -------
    geopandas.GeoDataFrame or None
        Columns ``name``, ``geometry`` (EPSG:4326) and, if configured, ``population``; None if
        the configuration names only a country.

    Raises
    ------
    QueryError
        If the file or a column does not exist, or no row is left.
    """
    if area.file is None:
        return None if area.bbox is None else _draw_box(area.bbox)
    if area.file == SAMPLE:
        from ocm_geo.sources.sample import sample_areas  # noqa: PLC0415 - loaded when needed

        table = sample_areas()
    else:
        table = read_places(area.file)
    table = rows_where(table, area.where, f"area file {area.file}")
    columns = {"name": area.name_column, "population": area.population_column}
    kept = gpd.GeoDataFrame(geometry=table.geometry.to_crs("EPSG:4326"))
    for name, column in columns.items():
        if column is not None:
            kept[name] = _take_area_column(table, column, area.file)
    labels = table.index.to_series() if area.name_column is None else kept["name"]
    kept["name"] = name_rows(labels)
    return kept


def load_route(route: RouteConfig, areas: gpd.GeoDataFrame | None) -> shapely.LineString:
    """
    Read the route of a study.

    Parameters
    ----------
    route : RouteConfig
        The configuration of the route.
    areas : geopandas.GeoDataFrame, optional
        Areas to clip the route to.

    Returns
    -------
    shapely.LineString
        The route in lon/lat.

    Raises
    ------
    QueryError
        If there is no file, or clipping leaves nothing.
    """
    if route.clip and areas is None:
        raise QueryError("route.clip = true needs areas: set area.file, area.bbox or area.country")
    if not route.file:
        raise QueryError("route: no file; set one in the configuration or with --route")
    if route.where and route.feature is not None:
        raise QueryError("route: set where or feature, not both")
    clip = areas if route.clip else None
    if route.file == SAMPLE:
        from ocm_geo.sources.sample import sample_route  # noqa: PLC0415 - loaded when needed

        return sample_route() if clip is None else _clip_sample_route(sample_route(), clip)
    feature = _write_sql(route.where) if route.where else route.feature
    with advise_in_keys("route", ("clip", "feature", "layer", "max_join_km")):
        return route_from_file(
            route.file,
            layer=route.layer,
            feature=feature,
            max_join_km=route.max_join_km,
            clip=clip,
        )


def load_stations(
    config: StudyConfig,
    areas: gpd.GeoDataFrame | None,
    source: Source,
    demand: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """
    Return all stations inside or within reach of the areas and the population.

    Parameters
    ----------
    config : StudyConfig
        The study.
    areas : geopandas.GeoDataFrame, optional
        Its areas.
    source : Source
        The source of the stations.
    demand : geopandas.GeoDataFrame, optional
        The population, inside the areas or not.

    Returns
    -------
    geopandas.GeoDataFrame
        A station table, without stations of a status that the study drops.
    """
    found = _query_stations(config, areas, source, demand)
    if not config.drop_status:
        return found
    kept = carry(found[~found["status_type_id"].isin(config.drop_status)], found)
    return attach(kept, dropped_status=config.drop_status, n_dropped=len(found) - len(kept))


def _query_stations(
    config: StudyConfig,
    areas: gpd.GeoDataFrame | None,
    source: Source,
    demand: gpd.GeoDataFrame | None,
) -> gpd.GeoDataFrame:
    """Query the stations in the box around areas and population, within reach."""
    filters: dict[str, Any] = dict(config.filters)
    if config.area.country is not None:
        filters["countries"] = config.area.country
    boxes = [table.total_bounds for table in (areas, demand) if table is not None and len(table)]
    if not boxes or (areas is None and config.area.country is not None):
        return stations(source=source, **filters)
    west, south, east, north = np.transpose(boxes)
    around = west.min(), south.min(), east.max(), north.max()
    # The box only limits the query: coverage of the source is judged by areas and population.
    found = ask_source(
        Box(*_pad_bounds(around, config.reach_km)), source, filters, outside="ignore"
    )
    if areas is not None and len(areas):
        found = mark_areas(found, shapely.make_valid(areas.geometry.to_numpy()))
    return found if demand is None else mark_demand(found, demand)


def rows_where(
    table: gpd.GeoDataFrame, where: Mapping[str, str | int], what: str
) -> gpd.GeoDataFrame:
    """
    Return the rows that have the given values.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        Any table.
    where : mapping
        Column to value.
    what : str
        Name of the table, for messages.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows.

    Raises
    ------
    QueryError
        If a column does not exist or no row is left.
    """
    for column, value in where.items():
        found = _take_area_column(table, column, what).astype(str) == str(value)
        table = table[found]
    if table.empty:
        raise QueryError(f"{what}: no row has {dict(where)}")
    return table


def _write_sql(where: Mapping[str, str | int]) -> str:
    """Return the selection of a row as SQL for GDAL."""
    words = []
    for column, value in where.items():
        text = str(value).replace("'", "''")
        words.append(f'"{column}" = ' + (text if isinstance(value, int) else f"'{text}'"))
    return " AND ".join(words)


def read_places(file: str, what: str = "area file") -> gpd.GeoDataFrame:
    """
    Read areas or points.

    Parameters
    ----------
    file : str
        Path of a file in any format that GDAL reads, or of GeoParquet.
    what : str
        Name of the file, for messages.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows of the file with a geometry.

    Raises
    ------
    QueryError
        If it does not exist, cannot be read, has no rows, no geometry or no coordinate reference
        system.

    Warns
    -----
    DroppedRows
        If some rows have no geometry.
    """
    path = expand_path(file, "file")
    if not path.exists():
        raise QueryError(f"{what} {file} does not exist")
    table = _read_area_file(path, what)
    if table.empty:
        raise QueryError(f"{what} {file} has no rows")
    if not isinstance(table, gpd.GeoDataFrame):
        raise QueryError(f"{what} {file} has no geometry: only the columns {list(table.columns)}")
    shapes = table.geometry
    bare = (shapes.isna() | shapes.is_empty).to_numpy()
    if bare.all():
        raise QueryError(f"{what} {file}: no row has a geometry (all are missing or empty)")
    check_crs(table, f"{what} {file}")
    if bare.any():
        warn_user(
            f"{what} {file}: {bare.sum()} of {len(table)} rows have no geometry and are left out "
            f"(first: row {int(np.flatnonzero(bare)[0])})",
            DroppedRows,
        )
    return table[~bare]


def _read_area_file(path: Path, what: str) -> pd.DataFrame:
    """Read a file with geopandas."""
    try:
        if path.suffix.lower() == ".parquet":
            table: pd.DataFrame = gpd.read_parquet(path)
        else:
            table = gpd.read_file(path, layer=choose_layer(path))
    except (RuntimeError, OSError, ValueError, shapely.errors.GEOSException) as error:
        raise QueryError(f"{what} {path} cannot be read: {error}") from error
    return table


def name_rows(values: pd.Series) -> pd.Index:
    """
    Return names of rows as texts.

    Parameters
    ----------
    values : pandas.Series
        A column of names, of any type.

    Returns
    -------
    pandas.Index of str
        The names; ``row 3`` for a missing one.
    """
    bare = (values.isna() | (values.astype(str).str.strip() == "")).to_numpy()
    names = [
        f"row {row}" if missing else str(name)
        for row, (name, missing) in enumerate(zip(values, bare, strict=True))
    ]
    return pd.Index(names)


def _take_area_column(table: gpd.GeoDataFrame, column: str, what: str) -> Any:  # noqa: ANN401 - a Series
    """Return a column of a table, else raise a QueryError that lists the columns."""
    if column not in table:
        raise QueryError(f"{what} has no column {column!r}; it has {list(table.columns)}")
    return table[column]


def _draw_box(bbox: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    """Return the area of a box, also across the antimeridian."""
    west, south, east, north = bbox
    shape = geodesy.as_polygons(shapely.box(west, south, east + 360 * (east < west), north))
    return gpd.GeoDataFrame({"name": ["box"]}, geometry=[shape], crs="EPSG:4326")


def _clip_sample_route(line: shapely.LineString, areas: gpd.GeoDataFrame) -> shapely.LineString:
    """Return the longest piece inside: a coarse border cuts slivers off a road along it."""
    inside = shapely.intersection(line, areas.union_all())
    pieces = [
        p for p in shapely.get_parts(shapely.line_merge(inside)) if p.geom_type == "LineString"
    ]
    if not pieces:
        raise QueryError("route: no part lies inside the area; set clip = false")
    return max(pieces, key=lambda piece: geodesy.Line(piece).length_km)


def _pad_bounds(bounds: Any, km: float) -> tuple[float, float, float, float]:  # noqa: ANN401 - array
    """Return bounds widened by a distance, at least; the whole circle near a pole."""
    west, south, east, north = (float(v) for v in bounds)
    d_lat = km / _KM_PER_DEGREE
    south, north = max(south - d_lat, -90.0), min(north + d_lat, 90.0)
    shrink = math.cos(math.radians(max(abs(south), abs(north))))
    d_lon = 360.0 if shrink < 1e-6 else min(d_lat / shrink, 360.0)  # noqa: PLR2004 - the pole
    if east - west + 2 * d_lon >= 360:  # noqa: PLR2004 - a full turn
        return -180.0, south, 180.0, north
    return west - d_lon, south, east + d_lon, north
