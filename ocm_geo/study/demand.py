"""Where the people of a study live: areas, points, a table, or the cells of a raster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.coverage.inputs import people
from ocm_geo.coverage.rasters import open_grid, read_cells
from ocm_geo.errors import QueryError
from ocm_geo.schema import CRS
from ocm_geo.study.inputs import read_places

if TYPE_CHECKING:
    from ocm_geo.study.tables import AccessConfig, DemandConfig

__all__ = ["load_costs", "load_demand"]

_RASTERS = {".tif", ".tiff"}
_TEXT = {"origin": str}


def load_demand(demand: DemandConfig | None, areas: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """
    Read where people live.

    Parameters
    ----------
    demand : DemandConfig, optional
        Which file; without one the areas.
    areas : geopandas.GeoDataFrame, optional
        The areas of the study, with ``population``.

    Returns
    -------
    geopandas.GeoDataFrame
        Points in EPSG:4326 with ``population``; the index is the name of each place.

    Raises
    ------
    QueryError
        If there is neither, or a file or column does not exist or cannot be used.
    """
    if demand is None or demand.file is None:
        if areas is None or "population" not in areas:
            raise QueryError(
                "access needs people: name [demand] file, or areas with a population_column"
            )
        return _at_points(areas.set_index("name"), "population")
    path = Path(demand.file)
    if not path.exists():
        raise QueryError(f"demand file {path} does not exist")
    if path.suffix.lower() in _RASTERS:
        return _cells(path)
    table = _rows(path, demand) if path.suffix.lower() == ".csv" else read_places(str(path))
    if demand.name_column is not None:
        if demand.name_column not in table:
            raise QueryError(
                f"demand file {path} has no column {demand.name_column!r}; it has {list(table)}"
            )
        table = table.set_index(demand.name_column)
    return _at_points(table, demand.population_column)


def load_costs(access: AccessConfig) -> pd.DataFrame | None:
    """
    Read the user's own costs.

    Parameters
    ----------
    access : AccessConfig
        Which file.

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
    path = Path(access.costs)
    try:
        table = (
            pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=_TEXT)
        )
    except (OSError, ValueError) as error:
        raise QueryError(f"costs file {path} cannot be read: {error}") from error
    if "origin" in table:
        table["origin"] = table["origin"].astype(str)
    return table


def _at_points(table: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    """Let areas count at a point inside them."""
    persons = people(table, column)
    points = table.geometry.to_crs(CRS)
    if (shapely.get_type_id(points.to_numpy()) != shapely.GeometryType.POINT).any():
        points = points.representative_point()
    names = table.index.astype(str).rename(None)
    return gpd.GeoDataFrame(
        {"population": persons}, geometry=points.to_numpy(), index=names, crs=CRS
    )


def _rows(path: Path, demand: DemandConfig) -> gpd.GeoDataFrame:
    try:
        # As text: a name such as 01067 keeps its zero.
        table = pd.read_csv(path, dtype=str)
    except (OSError, ValueError) as error:
        raise QueryError(f"demand file {path} cannot be read: {error}") from error
    for column in (demand.lon_column, demand.lat_column):
        if column not in table:
            raise QueryError(f"demand file {path} has no column {column!r}; it has {list(table)}")
        numbers = pd.to_numeric(table[column], errors="coerce")
        if numbers.isna().any():
            first = numbers.index[numbers.isna()][0]
            raise QueryError(
                f"demand file {path}: {numbers.isna().sum()} values of {column!r} are missing or "
                f"no degrees (first: row {first}, {table[column][first]!r})"
            )
        table[column] = numbers
    points = gpd.points_from_xy(table[demand.lon_column], table[demand.lat_column], crs=CRS)
    return gpd.GeoDataFrame(table, geometry=points)


def _cells(path: Path) -> gpd.GeoDataFrame:
    """Take the cells that have people, at their centres."""
    grid = open_grid(path)
    parts = list(read_cells(grid, grid.windows()))
    if not parts:
        raise QueryError(f"demand raster {path}: nobody lives in it")
    row, column, lon, lat, counts = (np.concatenate(values) for values in zip(*parts, strict=True))
    names = pd.Index([f"{r}, {c}" for r, c in zip(row, column, strict=True)])
    points = gpd.points_from_xy(lon, lat)
    return gpd.GeoDataFrame({"population": counts}, geometry=points, index=names, crs=CRS)
