"""Read the population of a study: areas, points, a table, or the cells of a raster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.coverage.inputs import population_of
from ocm_geo.coverage.rasters import open_grid, read_cells
from ocm_geo.errors import QueryError
from ocm_geo.paths import expand_path
from ocm_geo.schema import CRS
from ocm_geo.study.inputs import name_rows, read_places
from ocm_geo.study.texts import parse_numbers, read_text_table

if TYPE_CHECKING:
    from pathlib import Path

    from ocm_geo.study.tables import AccessConfig, DemandConfig

__all__ = ["load_costs", "load_demand"]

_RASTERS = {".tif", ".tiff"}
_TABLES = {".csv", ".tsv", ".txt"}
_USUAL = {
    "lon_column": ("lon", "longitude", "lng", "long", "x", "lon_dd", "longitude_deg"),
    "lat_column": ("lat", "latitude", "y", "lat_dd", "latitude_deg"),
}
"""Names of columns of degrees that are found if the study does not name them."""
_LIMITS = {"lon_column": 180.0, "lat_column": 90.0}


def load_demand(demand: DemandConfig | None, areas: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """
    Read the locations of the population.

    Parameters
    ----------
    demand : DemandConfig, optional
        The file; by default the areas.
    areas : geopandas.GeoDataFrame, optional
        The areas of the study, with ``population``.

    Returns
    -------
    geopandas.GeoDataFrame
        Points in EPSG:4326 with ``population``; the index is the name of each location.

    Raises
    ------
    QueryError
        If there is neither, or a file or column does not exist or cannot be used.
    """
    if demand is None or demand.file is None:
        if areas is None or "population" not in areas:
            raise QueryError(
                "access needs a population: set [demand] file, or areas with a population_column"
            )
        return _reduce_to_points(areas.set_index("name"), "population")
    path = expand_path(demand.file, "[demand] file")
    if not path.exists():
        raise QueryError(f"demand file {path} does not exist")
    if path.suffix.lower() in _RASTERS:
        return _read_raster_points(path)
    if path.suffix.lower() in _TABLES:
        table = _read_demand_points(path, demand)
    else:
        table = read_places(str(path), "demand file")
    if demand.population_column not in table:
        raise QueryError(
            f"demand file {path} has no column {demand.population_column!r}; set "
            f"population_column to one of {_list_data_columns(table)}"
        )
    if demand.name_column is not None:
        if demand.name_column not in table:
            raise QueryError(
                f"demand file {path} has no column {demand.name_column!r}; set name_column to "
                f"one of {_list_data_columns(table)}"
            )
        table = table.set_index(name_rows(table[demand.name_column]))
    try:
        return _reduce_to_points(table, demand.population_column)
    except QueryError as error:
        raise QueryError(f"demand file {path}: {error}") from error


def _list_data_columns(table: pd.DataFrame) -> list[str]:
    """Return the names of the columns except the geometry."""
    return [str(name) for name in table.columns if name != "geometry"]


def load_costs(access: AccessConfig) -> pd.DataFrame | None:
    """
    Read the costs that replace distances.

    Parameters
    ----------
    access : AccessConfig
        The file.

    Returns
    -------
    pandas.DataFrame or None
        ``origin``, ``ocm_id`` and the cost.

    Raises
    ------
    QueryError
        If the file cannot be read.
    """
    if access.costs is None:
        return None
    path = expand_path(access.costs, "[access] costs")
    if path.suffix.lower() == ".parquet":
        try:
            table = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise QueryError(f"costs file {path} cannot be read: {error}") from error
        if "origin" in table:
            table["origin"] = table["origin"].astype(str)
        return table
    return _parse_costs(read_text_table(path, "costs file"))


def _parse_costs(table: pd.DataFrame) -> pd.DataFrame:
    """Parse all columns but ``origin``, whose names stay texts."""
    for name in table.columns.drop("origin", errors="ignore"):
        texts = table[name]
        comma = texts.str.contains(",", regex=False).any()
        numbers = parse_numbers(texts, "," if comma else ".")
        whole = numbers.notna().all() and (numbers % 1 == 0).all()
        table[name] = numbers.astype("int64") if whole else numbers
    return table


def _reduce_to_points(table: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    """Return points with the population; areas count at a point inside them."""
    persons = population_of(table, column)
    points = table.geometry.to_crs(CRS)
    if (shapely.get_type_id(points.to_numpy()) != shapely.GeometryType.POINT).any():
        points = points.representative_point()
    names = table.index.astype(str).rename(None)
    return gpd.GeoDataFrame(
        {"population": persons}, geometry=points.to_numpy(), index=names, crs=CRS
    )


def _read_demand_points(path: Path, demand: DemandConfig) -> gpd.GeoDataFrame:
    """Read a table of points; names stay as they are in the file, such as 01067 or NA."""
    table = read_text_table(path, "demand file")
    if table.empty:
        raise QueryError(f"demand file {path} has no rows")
    lon, lat = _find_position_columns(table, path, demand)
    comma = table[[lon, lat]].apply(lambda texts: texts.str.contains(",", regex=False).any()).any()
    decimal = "," if comma else "."
    for key, column in (("lon_column", lon), ("lat_column", lat)):
        table[column] = _parse_degree_column(table[column], decimal, f"demand file {path}", key)
    population = demand.population_column
    if population in table and population not in {lon, lat}:
        table[population] = _parse_population(table[population], decimal, f"demand file {path}")
    points = gpd.points_from_xy(table[lon], table[lat], crs=CRS)
    return gpd.GeoDataFrame(table, geometry=points)


def _parse_population(texts: pd.Series, decimal: str, what: str) -> pd.Series:
    """Parse a column of population; ambiguous separators are an error."""
    numbers = parse_numbers(texts, decimal)
    if numbers.isna().any():
        first = int(np.argmax(numbers.isna()))
        raise QueryError(
            f"{what}: {numbers.isna().sum()} of {len(texts)} values of {texts.name!r} "
            f"(population_column) are missing or not numbers with the decimal sign {decimal!r} "
            f"(first: row {texts.index[first]}, {texts.iloc[first]!r}); write them without "
            "thousands separators"
        )
    return numbers


def _find_position_columns(
    table: pd.DataFrame, path: Path, demand: DemandConfig
) -> tuple[str, str]:
    """Return the columns that the study names, or those with usual names."""
    found = {
        key: getattr(demand, key) or _find_usual_column(table, usual)
        for key, usual in _USUAL.items()
    }
    wrong = [key for key, column in found.items() if column not in table]
    if wrong:
        named = [f"no column {found[key]!r}" for key in wrong if found[key] is not None]
        raise QueryError(
            f"demand file {path} has {' and '.join(named) or 'no columns with usual names'} for "
            "positions: set lon_column and lat_column to the columns with the longitude and the "
            f"latitude in degrees, of {_list_data_columns(table)}"
        )
    return str(found["lon_column"]), str(found["lat_column"])


def _find_usual_column(table: pd.DataFrame, usual: tuple[str, ...]) -> str | None:
    """Return the first column with a usual name; None without one."""
    names = {str(column).casefold(): str(column) for column in reversed(table.columns)}
    return next((names[name] for name in usual if name in names), None)


def _parse_degree_column(texts: pd.Series, decimal: str, what: str, key: str) -> pd.Series:
    """Parse a column of degrees, all of which must be on Earth."""
    numbers = parse_numbers(texts, decimal)
    wrong = ~(numbers.abs() <= _LIMITS[key])
    if wrong.any():
        first = int(np.argmax(wrong))
        raise QueryError(
            f"{what}: {wrong.sum()} of {len(texts)} values of {texts.name!r} ({key}) are not "
            f"degrees within ±{_LIMITS[key]:g} (first: row {texts.index[first]}, "
            f"{texts.iloc[first]!r})"
        )
    return numbers


def _read_raster_points(path: Path) -> gpd.GeoDataFrame:
    """Return the populated cells of a raster as points at their centres."""
    grid = open_grid(path)
    parts = list(read_cells(grid, grid.windows()))
    if not parts:
        raise QueryError(f"demand raster {path} has no population")
    row, column, lon, lat, counts = (np.concatenate(values) for values in zip(*parts, strict=True))
    names = pd.Index([f"{r}, {c}" for r, c in zip(row, column, strict=True)])
    points = gpd.points_from_xy(lon, lat)
    return gpd.GeoDataFrame({"population": counts}, geometry=points, index=names, crs=CRS)
