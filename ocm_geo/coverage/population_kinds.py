"""The kinds of population input, and population at more points than fit in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from ocm_geo.coverage.inputs import population_of
from ocm_geo.coverage.parts import ParquetPart, is_partitioned, parquet_parts
from ocm_geo.coverage.population import run_tasks
from ocm_geo.coverage.rasters import PopulationRaster, open_grid, read_cells
from ocm_geo.coverage.tally import Tally, add_tallies
from ocm_geo.errors import QueryError
from ocm_geo.frames import point_lonlat
from ocm_geo.paths import expand_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import numpy as np
    from distributed import Client
    from numpy.typing import NDArray

    from ocm_geo.coverage.tally import AreaFinder, Reach

__all__ = ["iter_population", "kind_of_population", "read_part", "split_population", "tally_parts"]

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_RASTERS = {".tif", ".tiff", ".vrt", ".nc", ".img", ".asc", ".jp2", ".zarr", ".gpkg"}


def kind_of_population(
    population: Any,  # noqa: ANN401 - any input of users
    columns: Collection[str] = (),
) -> str | None:
    """
    Return the kind of a population input.

    Parameters
    ----------
    population : object
        The input.
    columns : collection of str
        Columns of the areas: one of these names is a column, even if a file has that name.

    Returns
    -------
    {"column", "points", "polygons", "raster", "parts"} or None
        None without a population.

    Raises
    ------
    QueryError
        If it is none of these kinds.
    """
    if population is None:
        return None
    if isinstance(population, PopulationRaster):
        return "raster"
    if isinstance(population, gpd.GeoDataFrame):
        kinds = shapely.get_type_id(population.geometry.to_numpy())
        return "polygons" if len(kinds) and kinds[0] in _POLYGONS else "points"
    if isinstance(population, str | os.PathLike):
        return "column" if population in columns else _find_kind_of_path(population)
    if is_partitioned(population):
        return "parts"
    raise QueryError(
        "population must be a column of the areas, a GeoDataFrame of points or polygons with a "
        "column 'population', a raster or GeoParquet path, or a dask collection, not "
        f"{type(population).__name__}"
    )


def _find_kind_of_path(population: str | os.PathLike[str]) -> str:
    """Return whether a path is a raster or a table in parts, or else a column."""
    path = expand_path(population, "population")
    if path.suffix.lower() in _RASTERS or "://" in str(population):
        return "raster"
    there = path.suffix == ".parquet" or path.is_dir()
    return "parts" if there or isinstance(population, os.PathLike) else "column"


@dataclass(frozen=True)
class _TallyJob:
    reach: Reach
    finder: AreaFinder

    def __call__(self, part: Any) -> Tally:  # noqa: ANN401 - a part, or where to read it
        lon, lat, weight = read_part(part)
        steps, pairs = self.reach.steps(lon, lat), self.finder.pairs(lon, lat)
        return Tally.of(weight, steps, pairs, len(self.reach.within_km))


def read_part(
    part: Any,  # noqa: ANN401 - a part, or where to read it
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """
    Read the population at the points of a part.

    Parameters
    ----------
    part : ParquetPart, dask.delayed.Delayed or geopandas.GeoDataFrame
        Points with a column ``population``.

    Returns
    -------
    lon, lat, population : numpy.ndarray
        One value per point.
    """
    if not isinstance(part, ParquetPart):
        return _read_population_points(part.compute() if hasattr(part, "compute") else part)
    points = part.read(["population"])
    try:
        return _read_population_points(points)
    except QueryError as error:
        raise QueryError(f"{part.path}: {error}") from error


def _read_population_points(
    points: gpd.GeoDataFrame,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude, latitude and population of points."""
    return *point_lonlat(points, "population"), population_of(points, "population")


def split_population(population: Any) -> list[Any]:  # noqa: ANN401 - a table, a path or a collection
    """
    Return the parts of a population at points, each of which fits in memory.

    Parameters
    ----------
    population : geopandas.GeoDataFrame, str, path or dask_geopandas.GeoDataFrame
        Points.

    Returns
    -------
    list
        As `read_part` takes them.
    """
    if isinstance(population, str | os.PathLike):
        return list(parquet_parts(population))
    return list(population.to_delayed()) if is_partitioned(population) else [population]


def iter_population(
    kind: str | None,
    population: Any,  # noqa: ANN401 - points, a raster, or parts
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]:
    """
    Read the positions of a population at points or in cells, part by part.

    Parameters
    ----------
    kind : str
        As `kind_of_population` returns it: ``raster``, ``points`` or ``parts``.
    population : object
        The input.

    Yields
    ------
    lon, lat, population : numpy.ndarray
        One value per point or cell.
    """
    if kind == "raster":
        grid = open_grid(population)
        for cells in read_cells(grid, grid.windows()):
            yield cells.lon, cells.lat, cells.population
        return
    for part in split_population(population):
        yield read_part(part)


def tally_parts(
    population: Any,  # noqa: ANN401 - a path or a dask collection
    reach: Reach,
    finder: AreaFinder,
    client: Client | None,
) -> Tally:
    """
    Return the population at points within reach, add_tallies up part by part.

    Parameters
    ----------
    population : str, path or dask_geopandas.GeoDataFrame
        Points with a column ``population``.
    reach : Reach
        Distances and stations.
    finder : AreaFinder
        The areas.
    client : distributed.Client or None
        The cluster.

    Returns
    -------
    Tally
        The same to the last bit with and without a cluster.
    """
    parts = split_population(population)
    if client is not None and not isinstance(population, str | os.PathLike):
        # The parts are computed on the cluster and stay there.
        parts = client.compute(parts)
    return add_tallies(run_tasks(_TallyJob(reach, finder), parts, client))
