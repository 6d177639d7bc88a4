"""The inputs of a study: its areas, its route and the stations that bear on them."""

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
        The caller's, which goes first.
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
        Where.

    Returns
    -------
    geopandas.GeoDataFrame or None
        Columns ``name``, ``geometry`` (EPSG:4326) and, where there is one, ``population``;
        None where the configuration names a country alone.

    Raises
    ------
    QueryError
        If the file or a column does not exist, or no row is left.
    """
    if area.file is None:
        return None if area.bbox is None else _box_area(area.bbox)
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
            kept[name] = _column(table, column, area.file)
    labels = table.index.to_series() if area.name_column is None else kept["name"]
    kept["name"] = name_rows(labels)
    return kept


def load_route(route: RouteConfig, areas: gpd.GeoDataFrame | None) -> shapely.LineString:
    """
    Read the route of a study.

    Parameters
    ----------
    route : RouteConfig
        Which.
    areas : geopandas.GeoDataFrame, optional
        To clip it to.

    Returns
    -------
    shapely.LineString
        The route in lon/lat.

    Raises
    ------
    QueryError
        If no file was named, or clipping leaves nothing.
    """
    if route.clip and areas is None:
        raise QueryError("route.clip = true needs areas: set area.file, area.bbox or area.country")
    if not route.file:
        raise QueryError("route: no file; name one in the configuration or with --route")
    if route.where and route.feature is not None:
        raise QueryError("route: set where or feature, not both")
    clip = areas if route.clip else None
    if route.file == SAMPLE:
        from ocm_geo.sources.sample import sample_route  # noqa: PLC0415 - loaded when needed

        return sample_route() if clip is None else _clip_line(sample_route(), clip)
    feature = _sql(route.where) if route.where else route.feature
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
    Get all stations that bear on areas and people: those inside, and those within reach of them.

    Parameters
    ----------
    config : StudyConfig
        The study.
    areas : geopandas.GeoDataFrame, optional
        Its areas.
    source : Source
        Where stations come from.
    demand : geopandas.GeoDataFrame, optional
        Where people live: inside the areas or not.

    Returns
    -------
    geopandas.GeoDataFrame
        A station table, without the states that the study drops.
    """
    found = _asked(config, areas, source, demand)
    if not config.drop_status:
        return found
    kept = carry(found[~found["status_type_id"].isin(config.drop_status)], found)
    return attach(kept, dropped_status=config.drop_status, n_dropped=len(found) - len(kept))


def _asked(
    config: StudyConfig,
    areas: gpd.GeoDataFrame | None,
    source: Source,
    demand: gpd.GeoDataFrame | None,
) -> gpd.GeoDataFrame:
    filters: dict[str, Any] = dict(config.filters)
    if config.area.country is not None:
        filters["countries"] = config.area.country
    boxes = [table.total_bounds for table in (areas, demand) if table is not None and len(table)]
    if not boxes or (areas is None and config.area.country is not None):
        return stations(source=source, **filters)
    west, south, east, north = np.transpose(boxes)
    around = west.min(), south.min(), east.max(), north.max()
    # The box is only a frame: what is outside is seen from the areas and people themselves.
    found = ask_source(Box(*_padded(around, config.reach_km)), source, filters, outside="ignore")
    if areas is not None and len(areas):
        found = mark_areas(found, shapely.make_valid(areas.geometry.to_numpy()))
    return found if demand is None else mark_demand(found, demand)


def rows_where(
    table: gpd.GeoDataFrame, where: Mapping[str, str | int], what: str
) -> gpd.GeoDataFrame:
    """
    Keep the rows that have the given values.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        Any table.
    where : mapping
        Column to value.
    what : str
        What the table is, for messages.

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
        found = _column(table, column, what).astype(str) == str(value)
        table = table[found]
    if table.empty:
        raise QueryError(f"{what}: no row has {dict(where)}")
    return table


def _sql(where: Mapping[str, str | int]) -> str:
    """Say the choice of a row in the language that GDAL reads."""
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
        What the file is, for messages.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows of the file that have a shape.

    Raises
    ------
    QueryError
        If it does not exist, cannot be read, has no rows, no shapes or no coordinate reference
        system.

    Warns
    -----
    DroppedRows
        If some rows have no shape.
    """
    path = expand_path(file, "file")
    if not path.exists():
        raise QueryError(f"{what} {file} does not exist")
    table = _read_file(path, what)
    if table.empty:
        raise QueryError(f"{what} {file} has no rows")
    if not isinstance(table, gpd.GeoDataFrame):
        raise QueryError(f"{what} {file} has no geometry: only the columns {list(table.columns)}")
    shapes = table.geometry
    bare = (shapes.isna() | shapes.is_empty).to_numpy()
    if bare.all():
        raise QueryError(f"{what} {file}: no row has a shape (its geometry is missing or empty)")
    check_crs(table, f"{what} {file}")
    if bare.any():
        warn_user(
            f"{what} {file}: {bare.sum()} of {len(table)} rows have no shape and are left out "
            f"(first: row {int(np.flatnonzero(bare)[0])})",
            DroppedRows,
        )
    return table[~bare]


def _read_file(path: Path, what: str) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            table: pd.DataFrame = gpd.read_parquet(path)
        else:
            table = gpd.read_file(path)
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
        The names; ``row 3`` where there is none.
    """
    bare = (values.isna() | (values.astype(str).str.strip() == "")).to_numpy()
    names = [
        f"row {row}" if missing else str(name)
        for row, (name, missing) in enumerate(zip(values, bare, strict=True))
    ]
    return pd.Index(names)


def _column(table: gpd.GeoDataFrame, column: str, what: str) -> Any:  # noqa: ANN401 - a Series
    if column not in table:
        raise QueryError(f"{what} has no column {column!r}; it has {list(table.columns)}")
    return table[column]


def _box_area(bbox: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    west, south, east, north = bbox
    shape = geodesy.as_polygons(shapely.box(west, south, east + 360 * (east < west), north))
    return gpd.GeoDataFrame({"name": ["box"]}, geometry=[shape], crs="EPSG:4326")


def _clip_line(line: shapely.LineString, areas: gpd.GeoDataFrame) -> shapely.LineString:
    """Keep the longest piece inside: a coarse border cuts slivers off a road along it."""
    inside = shapely.intersection(line, areas.union_all())
    pieces = [
        p for p in shapely.get_parts(shapely.line_merge(inside)) if p.geom_type == "LineString"
    ]
    if not pieces:
        raise QueryError("route: no part of it lies inside the area; set clip = false")
    return max(pieces, key=lambda piece: geodesy.Line(piece).length_km)


def _padded(bounds: Any, km: float) -> tuple[float, float, float, float]:  # noqa: ANN401 - array
    west, south, east, north = (float(v) for v in bounds)
    d_lat = km / _KM_PER_DEGREE
    south, north = max(south - d_lat, -90.0), min(north + d_lat, 90.0)
    shrink = math.cos(math.radians(max(abs(south), abs(north))))
    d_lon = 360.0 if shrink < 1e-6 else min(d_lat / shrink, 360.0)  # noqa: PLR2004 - the pole
    if east - west + 2 * d_lon >= 360:  # noqa: PLR2004 - a full turn
        return -180.0, south, 180.0, north
    return west - d_lon, south, east + d_lon, north
