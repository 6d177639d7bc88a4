"""Which kind of population a user gave, and people at more points than fit in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from ocm_geo.coverage.inputs import people
from ocm_geo.coverage.parts import ParquetPart, is_partitioned, parquet_parts
from ocm_geo.coverage.population import run_tasks
from ocm_geo.coverage.rasters import PopulationRaster
from ocm_geo.coverage.tally import Tally, added
from ocm_geo.errors import QueryError
from ocm_geo.frames import point_lonlat
from ocm_geo.paths import expand_path

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from distributed import Client
    from numpy.typing import NDArray

    from ocm_geo.coverage.tally import AreaFinder, Reach

__all__ = ["kind_of_population", "parts_of", "people_of_part", "people_of_parts"]

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_RASTERS = {".tif", ".tiff", ".vrt", ".nc", ".img", ".asc", ".jp2", ".zarr", ".gpkg"}


def kind_of_population(
    population: Any,  # noqa: ANN401 - what users have at hand
    columns: Collection[str] = (),
) -> str | None:
    """
    Say what kind of population it is.

    Parameters
    ----------
    population : object
        What the caller gave.
    columns : collection of str
        Those of the areas: such a word is a column, whatever files there are.

    Returns
    -------
    {"column", "points", "polygons", "raster", "parts"} or None
        None where there is none.

    Raises
    ------
    QueryError
        If it is nothing of these.
    """
    if population is None:
        return None
    if isinstance(population, PopulationRaster):
        return "raster"
    if isinstance(population, gpd.GeoDataFrame):
        kinds = shapely.get_type_id(population.geometry.to_numpy())
        return "polygons" if len(kinds) and kinds[0] in _POLYGONS else "points"
    if isinstance(population, str | os.PathLike):
        return "column" if population in columns else _kind_of_path(population)
    if is_partitioned(population):
        return "parts"
    raise QueryError(
        "population must be a column of the areas, a GeoDataFrame of points or polygons with a "
        "column 'population', a raster or GeoParquet path, or a dask collection, not "
        f"{type(population).__name__}"
    )


def _kind_of_path(population: str | os.PathLike[str]) -> str:
    path = expand_path(population, "population")
    if path.suffix.lower() in _RASTERS or "://" in str(population):
        return "raster"
    there = path.suffix == ".parquet" or path.is_dir()
    return "parts" if there or isinstance(population, os.PathLike) else "column"


@dataclass(frozen=True)
class _Job:
    reach: Reach
    finder: AreaFinder

    def __call__(self, part: Any) -> Tally:  # noqa: ANN401 - where it is, or the part itself
        lon, lat, weight = people_of_part(part)
        steps, pairs = self.reach.steps(lon, lat), self.finder.pairs(lon, lat)
        return Tally.of(weight, steps, pairs, len(self.reach.within_km))


def people_of_part(
    part: Any,  # noqa: ANN401 - where it is, or the part itself
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """
    Read the people at some points.

    Parameters
    ----------
    part : ParquetPart, dask.delayed.Delayed or geopandas.GeoDataFrame
        Points with a column ``population``.

    Returns
    -------
    lon, lat, people : numpy.ndarray
        One value a point.
    """
    if not isinstance(part, ParquetPart):
        return _placed(part.compute() if hasattr(part, "compute") else part)
    points = part.read(["population"])
    try:
        return _placed(points)
    except QueryError as error:
        raise QueryError(f"{part.path}: {error}") from error


def _placed(
    points: gpd.GeoDataFrame,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return *point_lonlat(points, "population"), people(points, "population")


def parts_of(population: Any) -> list[Any]:  # noqa: ANN401 - a table, a path or a collection
    """
    Cut people at points into parts that fit in memory.

    Parameters
    ----------
    population : geopandas.GeoDataFrame, str, path or dask_geopandas.GeoDataFrame
        Points.

    Returns
    -------
    list
        As `people_of_part` takes them.
    """
    if isinstance(population, str | os.PathLike):
        return list(parquet_parts(population))
    return list(population.to_delayed()) if is_partitioned(population) else [population]


def people_of_parts(
    population: Any,  # noqa: ANN401 - a path or a dask collection
    reach: Reach,
    finder: AreaFinder,
    client: Client | None,
) -> Tally:
    """
    Count people at points, part by part.

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
    parts = parts_of(population)
    if client is not None and not isinstance(population, str | os.PathLike):
        # The parts are made on the cluster and stay there.
        parts = client.compute(parts)
    return added(run_tasks(_Job(reach, finder), parts, client))
