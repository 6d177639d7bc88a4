"""Make the bundled land and borders from world-atlas (ISC; Natural Earth, public domain).

npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
python scripts/make_basemap.py package/countries-50m.json
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import shapely

TARGET = Path(__file__).parents[1] / "ocm_geo" / "plots" / "data" / "land.parquet"


def main(source: str) -> None:
    """Repair the outlines, round them to 0.01 degrees and write them."""
    countries = gpd.read_file(source, layer="countries")
    shapes = shapely.set_precision(countries.geometry.make_valid().to_numpy(), 0.01)
    table = gpd.GeoDataFrame({"name": countries["name"]}, geometry=shapes, crs="EPSG:4326")
    table.to_parquet(TARGET, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main(sys.argv[1])
