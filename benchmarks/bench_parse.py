"""Parsing and building: against json_normalize and against orjson alone."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import orjson
import pandas as pd

import ocm_geo as ocm
from benchmarks.data import repeated_lines
from benchmarks.timing import report, seconds
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
    """Build a mirror of 1 GB of lines in a process of its own and print its peak."""
    big = folder / "big.jsonl"
    content, number = path.read_bytes(), 0
    with big.open("wb") as stream:
        while stream.tell() < GIGABYTE:
            number += 1
            # New ids: the same digits with a number in front.
            stream.write(content.replace(b'"ID":', b'"ID":%d00' % number) + b"\n")
    code = f"import ocm_geo as ocm; print(ocm.Mirror.build({str(folder / 'big')!r}, {str(big)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own text
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(
        f"{done.stdout.strip()}: {big.stat().st_size / 2**30:.2f} GB of lines, peak {peak:.2f} GB"
    )
