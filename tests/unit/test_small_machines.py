"""Where GDAL's bindings and threads are missing, as in a browser: questions and measures work."""

from __future__ import annotations

import subprocess
import sys
import threading

import geopandas as gpd
import numpy as np
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.geodesy import discs

WITHOUT = """
import sys, threading

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"pyogrio", "fiona", "osgeo"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def start(self):
    raise RuntimeError("can't start new thread")

sys.meta_path.insert(0, Absent())
threading.Thread.start = start
import ocm_geo as ocm
"""
QUESTIONS = """
stations = ocm.stations_from_country("NL", source="sample")
route, areas = ocm.sample_route(), ocm.sample_areas()
print(len(stations), len(ocm.stations_from_route(route, 5, source="sample")))
print(len(ocm.stations_from_polygon(areas, source="sample")))
print(len(ocm.stations_from_point((4.9, 52.4), 20, source="sample")))
print(len(ocm.coverage(areas, stations, [5, 10])))
print(len(ocm.route_gaps(route, stations, within_km=5)))
ocm.write(stations, sys.argv[1])
print(len(ocm.read(sys.argv[1])))
"""


@pytest.mark.parametrize("name", ["stations.csv", "stations.parquet"])
def test_questions_need_neither_gdal_nor_threads(tmp_path: object, name: str) -> None:
    command = [sys.executable, "-c", WITHOUT + QUESTIONS, f"{tmp_path}/{name}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    stations = ocm.stations_from_country("NL", source="sample")
    assert done.stdout.split()[0] == done.stdout.split()[-1] == str(len(stations))


def test_many_circles_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(5).uniform(-60, 60, (400, 2))
    area = gpd.GeoDataFrame(geometry=[shapely.box(-70, -70, 70, 70)], crs="EPSG:4326")
    stations = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points.T), crs="EPSG:4326")
    monkeypatch.setattr(discs, "_BLOCK", 100)
    expected = ocm.coverage(area, stations, 50)["covered_km2"].tolist()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert ocm.coverage(area, stations, 50)["covered_km2"].tolist() == expected
