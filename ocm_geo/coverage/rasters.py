"""Rasters of population, read block by block."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pyproj
import shapely

from ocm_geo.errors import MissingDependency, QueryError
from ocm_geo.geodesy import area_km2, wrap_lon
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Cells", "Grid", "PopulationRaster", "open_grid", "read_cells"]

_BLOCK_CELLS = 1 << 20
_MOST_CELLS = 1 << 24
_MAX_LON, _MAX_LAT = 540.0, 91.0
"""Degrees; a grid of the whole Earth may extend a little beyond a pole."""


@dataclass(frozen=True)
class PopulationRaster:
    """
    A raster of population that needs more description than its path.

    Parameters
    ----------
    path : str or path
        A GeoTIFF, Cloud Optimized GeoTIFF, or any other format of GDAL.
    kind : {"counts", "density"}
        Population of each cell, or population per km².
    band : int
        Number of the band, from 1.
    nodata : float, optional
        The value of cells without data, if the file does not state it or states it wrongly.

    Raises
    ------
    QueryError
        If `kind` is unknown.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> raster = ocm.PopulationRaster("density.tif", kind="density")
    >>> raster.band
    1
    """

    path: str | os.PathLike[str]
    kind: Literal["counts", "density"] = "counts"
    band: int = 1
    nodata: float | None = None

    def __post_init__(self) -> None:
        """Check the kind."""
        if self.kind not in {"counts", "density"}:
            raise QueryError(f"kind must be 'counts' or 'density', not {self.kind!r}")


class Grid(NamedTuple):
    """
    A raster described without its values; it can be sent to workers.

    Parameters
    ----------
    raster : PopulationRaster
        The file.
    size : tuple of int
        Rows and columns.
    transform : tuple of float
        From column and row to coordinates (a, b, c, d, e, f).
    crs : str
        The coordinate reference system, WKT.
    block : tuple of int
        Rows and columns of the pieces that are read at once.
    tile : tuple of int
        Rows and columns of the tiles of the file.
    """

    raster: PopulationRaster
    size: tuple[int, int]
    transform: tuple[float, ...]
    crs: str
    block: tuple[int, int]
    tile: tuple[int, int]

    def windows(self) -> list[tuple[int, int, int, int]]:
        """
        Return the pieces of the raster.

        Returns
        -------
        list of tuple
            First row, first column, rows, columns.
        """
        (rows, columns), (high, wide) = self.size, self.block
        return [
            (i, j, min(high, rows - i), min(wide, columns - j))
            for i in range(0, rows, high)
            for j in range(0, columns, wide)
        ]

    def corners(
        self, row: NDArray[np.floating[Any]], column: NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return positions in the grid as lon/lat.

        Parameters
        ----------
        row, column : numpy.ndarray
            In cells from the upper left corner of the raster; centres of cells are at halves.

        Returns
        -------
        lon, lat : numpy.ndarray
            Degrees.
        """
        a, b, c, d, e, f = self.transform
        x, y = a * column + b * row + c, d * column + e * row + f
        crs = pyproj.CRS.from_wkt(self.crs)
        if crs.equals(pyproj.CRS(CRS), ignore_axis_order=True):
            return wrap_lon(x), np.clip(y, -90.0, 90.0)
        lon, lat = pyproj.Transformer.from_crs(crs, CRS, always_xy=True).transform(x, y)
        with np.errstate(invalid="ignore"):
            # Coordinates off the Earth are infinite.
            return wrap_lon(lon), np.asarray(lat)


class Cells(NamedTuple):
    """
    The cells of a piece that have a population.

    Parameters
    ----------
    row, column : numpy.ndarray of int
        Position in the raster.
    lon, lat : numpy.ndarray
        Their centres, degrees.
    population : numpy.ndarray
        Population of each.
    """

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    population: NDArray[np.float64]


def _import_rasterio() -> Any:  # noqa: ANN401 - a module
    """Return rasterio, an optional dependency."""
    try:
        import rasterio  # noqa: PLC0415 - optional
        import rasterio.errors  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependency("rasterio", "scale") from error
    return rasterio


def open_grid(raster: str | os.PathLike[str] | PopulationRaster) -> Grid:
    """
    Return the description of a raster without reading its values.

    Parameters
    ----------
    raster : str, path or PopulationRaster
        The file.

    Returns
    -------
    Grid
        Its size, position and blocks.

    Raises
    ------
    QueryError
        If the file cannot be read, or has no such band or no coordinate reference system.
    MissingDependency
        If the extra ``scale`` is not installed.
    """
    given = raster if isinstance(raster, PopulationRaster) else PopulationRaster(raster)
    with _open_raster(given) as source:
        _check_raster(source, given)
        tile = source.block_shapes[given.band - 1]
        return Grid(
            given,
            source.shape,
            tuple(source.transform)[:6],
            source.crs.to_wkt(),
            _choose_piece_size(tile, source.shape),
            tile,
        )


def _open_raster(given: PopulationRaster) -> Any:  # noqa: ANN401 - a dataset
    """Return the open file of a raster."""
    rasterio = _import_rasterio()
    path: object = given.path
    if not isinstance(path, str | os.PathLike):
        kind = type(path).__name__
        raise QueryError(
            f"a raster must be given as a path, not as {kind}; write it to a GeoTIFF first"
        )
    try:
        return rasterio.open(given.path)
    except rasterio.errors.RasterioIOError as error:
        raise QueryError(
            f"the raster {str(given.path)!r} cannot be read: {error}; read tables of points or "
            "areas with geopandas first"
        ) from error


def _check_raster(source: Any, raster: PopulationRaster) -> None:  # noqa: ANN401 - a dataset
    """Check that a raster has a band, a reference system, and a position on the Earth."""
    name = Path(raster.path).name
    if source.count == 0 and source.subdatasets:
        raise QueryError(
            f"the raster {name} contains several; choose one of {source.subdatasets[:4]}"
        )
    if source.crs is None:
        raise QueryError(
            f"the raster {name} has no coordinate reference system: set it, for degrees with "
            "'rio edit-info --crs EPSG:4326'"
        )
    if not 1 <= raster.band <= source.count:
        raise QueryError(f"band must be 1 to {source.count}, not {raster.band!r}")
    west, south, east, north = source.bounds
    too_far = max(abs(south), abs(north)) > _MAX_LAT or max(abs(west), abs(east)) > _MAX_LON
    if source.transform.is_identity or (source.crs.is_geographic and too_far):
        raise QueryError(
            f"the raster {name} is not on the Earth: it extends from ({west:g}, {south:g}) to "
            f"({east:g}, {north:g}) in {source.crs}; georeference it first"
        )


def _choose_piece_size(tile: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Return a size of whole tiles, about a million cells, as square as possible."""
    high, wide = min(tile[0], size[0]), min(tile[1], size[1])
    while high * wide > _MOST_CELLS:
        # A file of a single strip, or of huge tiles, is read in parts of a tile.
        high, wide = (-(-high // 2), wide) if high > 1 else (high, -(-wide // 2))
    while high * wide < _BLOCK_CELLS and (high < size[0] or wide < size[1]):
        if (high <= wide and high < size[0]) or wide >= size[1]:
            high *= 2
        else:
            wide *= 2
    return high, wide


def read_cells(grid: Grid, windows: list[tuple[int, int, int, int]]) -> Iterator[Cells]:
    """
    Read pieces of a raster.

    Parameters
    ----------
    grid : Grid
        The raster.
    windows : list of tuple
        As `Grid.windows` returns them.

    Yields
    ------
    Cells
        The cells with a population, one batch per piece; no-data and NaN have none.

    Raises
    ------
    QueryError
        If a value other than no-data is negative or infinite.
    """
    rasterio = _import_rasterio()
    with rasterio.open(grid.raster.path) as source:
        for window in windows:
            if _is_never_written(source, grid, window):
                continue
            values = _read_values(source, grid.raster, window)
            row, column = np.nonzero(values)
            if len(row):
                yield _build_batch(grid, values[row, column], row + window[0], column + window[1])


def _is_never_written(source: Any, grid: Grid, window: tuple[int, int, int, int]) -> bool:  # noqa: ANN401
    """Return whether no tile of the piece was ever written."""
    if source.driver != "GTiff" or source.offsets[grid.raster.band - 1] != 0.0:
        return False
    (high, wide), (row, column, rows, columns) = grid.tile, window
    return all(
        source.get_tag_item(f"BLOCK_OFFSET_{j}_{i}", "TIFF", bidx=grid.raster.band) is None
        for i in range(row // high, -(-(row + rows) // high))
        for j in range(column // wide, -(-(column + columns) // wide))
    )


def _read_values(
    source: Any,  # noqa: ANN401 - a rasterio dataset
    raster: PopulationRaster,
    window: tuple[int, int, int, int],
) -> NDArray[np.float64]:
    """Return the values of one piece; cells without data are 0."""
    from rasterio.windows import Window  # noqa: PLC0415 - optional

    row, column, rows, columns = window
    masked = raster.nodata is None
    read = source.read(raster.band, window=Window(column, row, columns, rows), masked=masked)
    values = np.ma.getdata(read).astype(np.float64)
    empty = np.isnan(values)
    # Compared in the type of the raster: -3.4028235e38 as written differs from its float32.
    empty |= (
        np.ma.getmaskarray(read) if masked else read == _round_as_stored(raster.nodata, read.dtype)
    )
    scale, offset = source.scales[raster.band - 1], source.offsets[raster.band - 1]
    if (scale, offset) != (1.0, 0.0):
        values = values * scale + offset
    values[empty] = 0.0
    wrong = (values < 0) | np.isinf(values)
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise QueryError(
            f"the raster {Path(raster.path).name} has a population of {values[i, j]:g} at row "
            f"{row + i}, column {column + j}: if that means no data, use "
            "PopulationRaster(path, nodata=...)"
        )
    return values


def _round_as_stored(nodata: float | None, dtype: np.dtype[Any]) -> Any:  # noqa: ANN401 - a number
    """Return a no-data value as the type of the raster stores it."""
    if nodata is None or not np.issubdtype(dtype, np.floating):
        return nodata
    with np.errstate(over="ignore"):
        return dtype.type(nodata)


def _build_batch(
    grid: Grid, values: NDArray[np.float64], row: NDArray[np.intp], column: NDArray[np.intp]
) -> Cells:
    """Return cells with their positions, densities multiplied by their size."""
    lon, lat = grid.corners(row + 0.5, column + 0.5)
    _check_on_earth(grid, lon + lat, row, column)
    if grid.raster.kind == "density":
        values = values * _measure_cells_km2(grid, row, column)
    return Cells(row, column, lon, lat, values)


def _check_on_earth(
    grid: Grid, place: NDArray[np.float64], row: NDArray[np.intp], column: NDArray[np.intp]
) -> None:
    """Check that cells with a population have a position on the Earth."""
    wrong = np.flatnonzero(~np.isfinite(place))
    if wrong.size:
        raise QueryError(
            f"the raster {Path(grid.raster.path).name} has a population at row {row[wrong[0]]}, "
            f"column {column[wrong[0]]}, off the Earth in its projection: set it to no data"
        )


def _measure_cells_km2(
    grid: Grid, row: NDArray[np.intp], column: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the size of cells, km²."""
    a, b, _, d, _, _ = grid.transform
    plain = b == d == 0.0 and pyproj.CRS.from_wkt(grid.crs).is_geographic
    if plain:
        # All cells of a row have the same size.
        row, back = np.unique(row, return_inverse=True)
        column = np.zeros_like(row)
    around = ((0, 0), (0, 1), (1, 1), (1, 0))
    corners = [grid.corners(row + float(i), column + float(j)) for i, j in around]
    ring = np.stack([np.column_stack(corner) for corner in corners], axis=1)
    _check_on_earth(grid, ring.sum(axis=(1, 2)), row, column)
    if plain:
        ring[:, :, 0] = np.array([0.0, abs(a), abs(a), 0.0])
    else:
        # The corners of a cell across the antimeridian stay together.
        ring[:, :, 0] = ring[:, :1, 0] + (ring[:, :, 0] - ring[:, :1, 0] + 180.0) % 360.0 - 180.0
    size = np.asarray(area_km2(shapely.polygons(ring)))
    return size[back] if plain else size
