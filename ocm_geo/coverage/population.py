"""Population within reach of stations, from rasters of any size, block by block."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.checks import check_km_list
from ocm_geo.coverage.inputs import area_frame, check_stations
from ocm_geo.coverage.rasters import Grid, open_grid, read_cells
from ocm_geo.coverage.tally import AreaFinder, Reach, Tally, add_tallies, warn_of_overlaps
from ocm_geo.errors import SuspectInput
from ocm_geo.geodesy import PointIndex
from ocm_geo.outside import mark_areas, mark_points
from ocm_geo.provenance import carry
from ocm_geo.qualifying import levels_of, order_bounds
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from distributed import Client
    from numpy.typing import NDArray

    from ocm_geo.coverage.rasters import Cells, PopulationRaster
    from ocm_geo.qualifying import Levels, Qualifying

__all__ = [
    "RASTER_RULE",
    "population_columns",
    "population_coverage",
    "reach_of",
    "run_tasks",
    "tally_raster",
]

RASTER_RULE = "cells at their centre, within reach by geodesic distance"
_EDGE_CELLS = 32
"""Side, in cells, of the squares that are tested as a whole first."""
_WINDOWS_PER_TASK = 8
_SQUARE_DEGREES = 0.05
"""Squares in which the population of a raster is summed, to find the country it lives in."""


def population_coverage(
    raster: str | os.PathLike[str] | PopulationRaster,
    stations: gpd.GeoDataFrame,
    within_km: float | Sequence[float],
    *,
    areas: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    bounds: bool = False,
    qualifying: Qualifying | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """
    Count the population of a raster that has a station within reach.

    Parameters
    ----------
    raster : str, path or PopulationRaster
        Population counts, as GeoTIFF or any format of GDAL, in any coordinate reference system;
        a `PopulationRaster` for densities, other bands or no-data values.
    stations : geopandas.GeoDataFrame
        All stations from which the raster may be reached.
    within_km : float or sequence of float
        Geodesic distances, km.
    areas : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Polygons to count in; by default the whole raster.
    bounds : bool
        Add the values with all uncertain stations left out (columns ``_low``) and with all of
        them included (``_high``).
    qualifying : Qualifying, optional
        Which stations count; by default all.
    client : distributed.Client, optional
        A cluster to compute on; its workers must find the raster under the same path.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        A row for each area (if any) and distance: ``within_km``, ``population``,
        ``population_covered``, ``population_not_covered``, ``population_share`` (missing where
        nobody lives), and the ``geometry`` of the area. The result is identical to the last bit
        with and without a cluster.

    Raises
    ------
    QueryError
        If the raster cannot be read, has no coordinate reference system, or negative values.
    MissingDependency
        If the extra ``scale`` is not installed.

    Warns
    -----
    SuspectInput
        If nobody lives in the raster, or areas overlap.
    OutsideData
        If parts of the population, or of the areas, lie in countries of which the source has
        no station.

    Notes
    -----
    The raster is read in pieces of about a million cells, whatever its size; tiles that were
    never written are skipped. A cell counts at its centre. Squares of 32 by 32 cells that are
    wholly within or out of reach are decided at once, by a ball around them; the cells of other
    squares one by one, by the geodesic distance to the nearest station. A cell whose centre lies
    on a border belongs to the first of the areas that share the border.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.population_coverage("people.tif", stations, [5, 10])  # doctest: +SKIP
    """
    grid = open_grid(raster)
    frame = None if areas is None else area_frame(areas)
    levels = levels_of(stations, qualifying, bounds=bounds)
    reach = reach_of(levels, check_km_list(within_km, "within_km"), client)
    shapes = None if frame is None else frame.geometry.to_numpy()
    if shapes is not None:
        warn_of_overlaps(shapes)
        stations = mark_areas(stations, shapes)
    seen: list[NDArray[np.float64]] | None = [] if shapes is None else None
    counted = tally_raster(grid, reach, shapes, client, seen=seen)
    if seen:
        lon, lat, living = np.vstack(seen).T
        stations = mark_points(stations, (lon, lat), living, "the population")
    if not counted[:, :, :-1].any():
        _warn_if_raster_far(grid, frame, levels.tables["_high" if bounds else ""])
    table = _build_population_table(counted, reach, frame)
    facts = {"population": str(grid.raster.path), "values": grid.raster.kind}
    return carry(table, stations, **facts, method=RASTER_RULE, **levels.facts)


def _build_population_table(
    counted: NDArray[np.float64], reach: Reach, frame: gpd.GeoDataFrame | None
) -> pd.DataFrame:
    """Return sums of population as a table: by area, then by distance."""
    tables = population_columns(counted.cumsum(axis=2), reach)
    n_areas = counted.shape[1]
    order = np.arange(len(reach.within_km) * n_areas).reshape(-1, n_areas).T.ravel()
    table = pd.concat(tables, ignore_index=True).iloc[order].reset_index(drop=True)
    if frame is None:
        return table
    rows = np.repeat(np.arange(n_areas), len(reach.within_km))
    shapes = frame.geometry.to_numpy()[rows]
    result: pd.DataFrame = gpd.GeoDataFrame(
        table.set_axis(frame.index[rows]), geometry=shapes, crs=frame.crs
    )
    return result


def _warn_if_raster_far(
    grid: Grid, frame: gpd.GeoDataFrame | None, stations: gpd.GeoDataFrame
) -> None:
    """Warn if the raster, or the areas to count in, are far from every station."""
    if frame is not None:
        warn_if_far("areas", shapely.get_coordinates(frame.geometry.to_numpy()), stations)
        return
    row, column = np.meshgrid(*(np.linspace(0, n, 50) for n in grid.size))
    positions = np.column_stack(grid.corners(row.ravel(), column.ravel()))
    warn_if_far("raster", positions[np.isfinite(positions).all(axis=1)], stations)


def reach_of(levels: Levels, within_km: Sequence[float], client: object) -> Reach:
    """
    Return the stations of each level as indexes.

    Parameters
    ----------
    levels : Levels
        The stations.
    within_km : sequence of float
        Distances, ascending, km.
    client : object
        A cluster or None; on a cluster each index uses a single thread.

    Returns
    -------
    Reach
        Can be sent to workers.
    """
    indexes = {name: PointIndex(*check_stations(t)) for name, t in levels.tables.items()}
    return Reach(tuple(within_km), indexes, workers=-1 if client is None else 1)


def population_columns(reached: NDArray[np.float64], reach: Reach) -> list[pd.DataFrame]:
    """
    Return sums of population as columns.

    Parameters
    ----------
    reached : numpy.ndarray of shape (levels, areas, steps + 1)
        Population within each distance; the last step is the total.
    reach : Reach
        The distances and levels.

    Returns
    -------
    list of pandas.DataFrame
        One per distance, with one row per area.
    """
    names = list(reach.levels)
    total = reached[names.index(""), :, -1]
    nobody = total <= 0
    tables = []
    for step, km in enumerate(reach.within_km):
        within = np.minimum(reached[:, :, step], total)
        table = pd.DataFrame({"within_km": np.full(len(total), km)})
        table["population"] = pd.array(total, dtype="Float64")
        by_level = dict(zip(names, within, strict=True))
        for suffix, covered in order_bounds(by_level, limit=total).items():
            table[f"population_covered{suffix}"] = pd.array(covered, dtype="Float64")
            if not suffix:
                table["population_not_covered"] = pd.array(total - covered, dtype="Float64")
            share = np.divide(covered, total, out=np.zeros_like(total), where=~nobody)
            table[f"population_share{suffix}"] = pd.arrays.FloatingArray(share, nobody)
        tables.append(table)
    return tables


@dataclass(frozen=True)
class _RasterJob:
    """The whole question except the pieces of the raster; it can be sent to workers."""

    grid: Grid
    reach: Reach
    finder: AreaFinder | None
    places: bool = False
    """Whether to note where the population lives."""

    def __call__(
        self, windows: list[tuple[int, int, int, int]]
    ) -> tuple[Tally | None, list[NDArray[np.float64]]]:
        """Return the sums of some pieces."""
        tallies, places = [], []
        for cells in read_cells(self.grid, windows):
            tallies.append(self._tally_cells(cells))
            if self.places:
                places.append(_locate_population(cells))
        return add_tallies(tallies) if tallies else None, places

    def _tally_cells(self, cells: Cells) -> Tally:
        """Return the population of cells by area and smallest sufficient distance."""
        # Squares of cells that are decided together where all of a square is within reach or out.
        row, column = cells.row - np.min(cells.row), cells.column - np.min(cells.column)
        wide = int(np.max(column)) // _EDGE_CELLS + 1
        group = row // _EDGE_CELLS * wide + column // _EDGE_CELLS
        steps = self.reach.steps_in_groups(cells.lon, cells.lat, group)
        here = np.arange(len(cells.population))
        pairs = (
            (np.zeros_like(here), here)
            if self.finder is None
            else self.finder.pairs(cells.lon, cells.lat)
        )
        return Tally.of(cells.population, steps, pairs, len(self.reach.within_km))


def tally_raster(
    grid: Grid,
    reach: Reach,
    shapes: NDArray[np.object_] | None,
    client: Client | None,
    *,
    seen: list[NDArray[np.float64]] | None = None,
) -> NDArray[np.float64]:
    """
    Return the population of a raster within reach, computed here or on a cluster.

    Parameters
    ----------
    grid : Grid
        The raster.
    reach : Reach
        Distances and stations.
    shapes : numpy.ndarray of shapely geometries or None
        Areas; None for the whole raster.
    client : distributed.Client or None
        The cluster.
    seen : list, optional
        Extended by arrays of where the population lives: longitude, latitude and number, by
        squares of about 5 km.

    Returns
    -------
    numpy.ndarray of shape (levels, areas, steps + 1)
        As `Tally.spread` returns it.

    Warns
    -----
    SuspectInput
        If nobody lives in the raster.
    """
    finder = None if shapes is None else AreaFinder(shapes)
    job = _RasterJob(grid, reach, finder, places=seen is not None)
    windows = grid.windows()
    tasks = [windows[i : i + _WINDOWS_PER_TASK] for i in range(0, len(windows), _WINDOWS_PER_TASK)]
    tallies = []
    for tally, places in run_tasks(job, tasks, client):
        tallies += [] if tally is None else [tally]
        if seen is not None:
            seen += places
    n_areas = 1 if shapes is None else len(shapes)
    if not tallies:
        _warn_if_empty(grid)
        return np.zeros((len(reach.levels), n_areas, len(reach.within_km) + 1))
    return add_tallies(tallies).spread(n_areas)


def run_tasks(job: Any, tasks: Sequence[Any], client: Client | None) -> Iterable[Any]:  # noqa: ANN401
    """
    Return the results of tasks, computed here or on a cluster.

    Parameters
    ----------
    job : callable
        Called with each task; it is sent to each worker once.
    tasks : sequence
        The arguments.
    client : distributed.Client or None
        The cluster.

    Returns
    -------
    iterable
        The results, in the order of the tasks.
    """
    if client is None:
        return map(job, tasks)
    sent = client.scatter(job, broadcast=True)
    futures = [client.submit(_run_job, sent, task, pure=False) for task in tasks]
    return client.gather(futures)  # type: ignore[no-any-return]


def _run_job(job: Any, task: Any) -> Any:  # noqa: ANN401
    return job(task)


def _locate_population(cells: Cells) -> NDArray[np.float64]:
    """Return the mean position of the population of each small square, and its number."""
    column = (cells.lon // _SQUARE_DEGREES).astype(np.int64)
    row = (cells.lat // _SQUARE_DEGREES).astype(np.int64)
    first, west = int(np.min(row)), int(np.min(column))
    wide = int(np.max(column)) - west + 1
    square = (row - first) * wide + column - west
    number = np.bincount(square, cells.population)
    at = np.flatnonzero(number)
    sums = [np.bincount(square, cells.population * values)[at] for values in (cells.lon, cells.lat)]
    return np.column_stack([*(total / number[at] for total in sums), number[at]])


def _warn_if_empty(grid: Grid) -> None:
    """Warn that a raster has no population."""
    warnings.warn(
        f"the raster {grid.raster.path} has no population: every value is 0 or no data",
        SuspectInput,
        stacklevel=4,
    )
