"""Make the bundled land and borders from world-atlas (ISC; Natural Earth, public domain).

npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
python scripts/make_basemap.py package/countries-50m.json
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.geodesy.antimeridian import polygon_of_ring

TARGET = Path(__file__).parents[1] / "ocm_geo" / "plots" / "data" / "land.parquet"


def main(source: str) -> None:
    """Cut the outlines at the antimeridian, round them to 0.01 degrees and write them."""
    countries = gpd.read_file(source, layer="countries")
    cut = [_country(shape) for shape in countries.geometry]
    shapes = shapely.set_precision(np.array(cut, dtype=object), 0.01)
    table = gpd.GeoDataFrame({"name": countries["name"]}, geometry=shapes, crs="EPSG:4326")
    table.to_parquet(TARGET, compression="zstd", compression_level=19)


def _country(shape: shapely.Geometry) -> shapely.Geometry:
    """Unite the parts: the source lets rings jump from 180 to -180 where they cross."""
    return shapely.union_all([_part(part) for part in shapely.get_parts(shape)])


def _part(part: shapely.Polygon) -> shapely.Geometry:
    shell, *holes = (
        polygon_of_ring(shapely.get_coordinates(ring)) for ring in (part.exterior, *part.interiors)
    )
    # Antarctica is given as a ring about the pole with its coast as the hole: what lies between.
    return shapely.symmetric_difference(shell, shapely.union_all(holes))


if __name__ == "__main__":
    main(sys.argv[1])
