"""Write a made raster of people, from a country to a continent, as a tiled COG.

    python -m benchmarks.make_raster OUT.tif [CELLS_PER_DEGREE]

At the default of 1,000 cells a degree it covers Europe with 1.16 billion cells of some 100 m. Most
are empty, and most tiles are never written, as in real ones: people live about made towns.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.transform import from_origin
from rasterio.windows import Window

__all__ = ["BOX", "write_raster"]

BOX = (-10.0, 36.0, 30.0, 65.0)
N_TOWNS = 3_000
TILE = 512


def write_raster(path: Path, cells_per_degree: int = 1_000) -> int:
    """
    Write a raster.

    Parameters
    ----------
    path : pathlib.Path
        Where to.
    cells_per_degree : int
        Its fineness.

    Returns
    -------
    int
        How many cells it has.
    """
    west, south, east, north = BOX
    width, height = (int(side * cells_per_degree) for side in (east - west, north - south))
    profile = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:4326",
        "transform": from_origin(west, north, 1 / cells_per_degree, 1 / cells_per_degree),
        "nodata": -99999.0,
        "tiled": True,
        "blockxsize": TILE,
        "blockysize": TILE,
        "compress": "deflate",
        "zlevel": 1,
        "sparse_ok": True,
        "bigtiff": "yes",
    }
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        draft = Path(folder) / "draft.tif"
        with rasterio.open(draft, "w", **profile) as target:
            _fill(target, cells_per_degree)
        rasterio.shutil.copy(
            draft, path, driver="COG", overviews="none", compress="deflate", level=1,
            blocksize=TILE, sparse_ok="true", bigtiff="yes",
        )  # fmt: skip
    return width * height


def _fill(target: rasterio.io.DatasetWriter, cells_per_degree: int) -> None:
    rng = np.random.default_rng(5)
    west, south, east, north = BOX
    lon, lat = rng.uniform((west, south), (east, north), (N_TOWNS, 2)).T
    reach = rng.gamma(2.0, 0.03, N_TOWNS)
    for row in range(0, target.height, TILE):
        for column in range(0, target.width, TILE):
            rows, columns = min(TILE, target.height - row), min(TILE, target.width - column)
            y = north - (row + 0.5 + np.arange(rows)) / cells_per_degree
            x = west + (column + 0.5 + np.arange(columns)) / cells_per_degree
            near = (np.abs(lon - x.mean()) < 4 * reach + np.ptp(x)) & (
                np.abs(lat - y.mean()) < 4 * reach + np.ptp(y)
            )
            if not near.any():
                continue
            expected = np.zeros((rows, columns))
            for i in np.flatnonzero(near):
                square = ((x - lon[i]) / reach[i]) ** 2 + (((y - lat[i]) / reach[i]) ** 2)[:, None]
                expected += np.where(square < 9, 3 * np.exp(-square), 0)
            people = np.where(expected > 0, rng.poisson(expected), -99999.0).astype("float32")
            if (people > 0).any():
                target.write(people, 1, window=Window(column, row, columns, rows))


if __name__ == "__main__":
    fineness = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    print(f"{write_raster(Path(sys.argv[1]), fineness):,} cells in {sys.argv[1]}")
