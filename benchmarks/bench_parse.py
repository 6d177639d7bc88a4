"""Parsing and building: against json_normalize and against orjson alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import orjson
import pandas as pd

import ocm_geo as ocm
from benchmarks.data import repeated_lines
from benchmarks.timing import report, run_fresh, seconds
from ocm_geo.sources.readers import read_batches
from ocm_geo.sources.tables import to_geodataframe

N = 100_000
GIGABYTE = 2**30


def main() -> None:
    """Print the ratios."""
    print(f"{N:,} records: the real Dutch ones repeated under new ids and positions")
    lines = repeated_lines(N)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pois.jsonl"
        path.write_bytes(b"\n".join(lines))
        decoded = seconds(lambda: [orjson.loads(line) for line in lines])
        normal = seconds(lambda: _normalized(lines), repeat=1)
        parse = seconds(lambda: [to_geodataframe(b) for b in read_batches(path)])
        report("parse and table build", parse, json_normalize=normal, orjson_alone=decoded)
        build = seconds(lambda: ocm.Mirror.build(Path(folder) / "mirror", path))
        report("Mirror.build", build, json_normalize=normal, orjson_alone=decoded)
        _memory(path, Path(folder))


def _normalized(lines: list[bytes]) -> gpd.GeoDataFrame:
    frame = pd.json_normalize([orjson.loads(line) for line in lines])
    points = gpd.points_from_xy(frame["AddressInfo.Longitude"], frame["AddressInfo.Latitude"])
    return gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326")


def _memory(path: Path, folder: Path) -> None:
    """Print the peak of building a mirror of 1 GB of lines."""
    big = folder / "big.jsonl"
    content, number = path.read_bytes(), 0
    with big.open("wb") as stream:
        while stream.tell() < GIGABYTE:
            number += 1
            # New ids: the same digits with a number in front.
            stream.write(content.replace(b'"ID":', b'"ID":%d00' % number) + b"\n")
    work = f"ocm.Mirror.build({str(folder / 'big')!r}, {str(big)!r})"
    took = run_fresh("import ocm_geo as ocm; ocm.Mirror", work)
    print(f"Mirror.build of {big.stat().st_size / GIGABYTE:.2f} GB of lines: {took}")
