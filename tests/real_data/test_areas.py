"""Rules on areas with real stations, cities and settlements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

EVERY = ocm.AssessmentOptions(
    pool_rules=ocm.PoolRules(public_only=False, operational_only=False), offset_km=5.0
)


def australian_stations(folder: Path) -> gpd.GeoDataFrame:
    """Read the stations of a monitor of Open Charge Map."""
    rows = pd.read_csv(folder / "ocm_au_2025-11-06.csv.gz")
    return ocm.stations_from_table(
        rows, id="id", title="title", lon="lon", lat="lat", attribution="Open Charge Map"
    )


def test_settlements_equal_the_counts_that_a_monitor_printed(data_dir: Path) -> None:
    folder = data_dir / "registers/au_monitor"
    printed = pd.read_csv(folder / "printed_chargers_within_5_10_20km.csv")
    points = gpd.points_from_xy(printed["lon"], printed["lat"], crs="EPSG:4326")
    towns = gpd.GeoDataFrame(printed[["population"]], geometry=points)
    with pytest.warns(ocm.OutsideData, match="Norfolk Island"):
        verdict = ocm.assess_area(
            towns, australian_stations(folder), "nz-2023", population="population", options=EVERY
        )
    asked = printed["population"] >= 2000
    # The monitor measures on a sphere: a station at 5 km may fall on either side.
    expected = (printed.loc[asked, "chargers_5km"] > 0).mean()
    assert verdict.share == pytest.approx(expected, abs=0.002)
    assert verdict.report["n_settlements"] == asked.sum()
    assert verdict.passes is False


def test_a_city_by_cells_of_one_and_three_kilometres(data_dir: Path) -> None:
    delhi = gpd.read_file(data_dir / "registers/in_cities/delhi_boundary.geojson")
    area = delhi.to_crs("EPSG:6933").area.sum() / 1e6
    assert area == pytest.approx(1487.7, abs=0.1)
    box = shapely.box(*delhi.total_bounds)
    rng = np.random.default_rng(1)
    lon = rng.uniform(box.bounds[0], box.bounds[2], 400)
    lat = rng.uniform(box.bounds[1], box.bounds[3], 400)
    frame = pd.DataFrame({"n": range(400), "lon": lon, "lat": lat})
    stations = ocm.stations_from_table(frame, id="n", lon="lon", lat="lat", attribution="made")
    wide, fine = (ocm.assess_area(delhi, stations, name) for name in ("in-mop-2022", "in-mop-2024"))
    # Random places leave a cell empty with exp(-density * area).
    density = 400 / (Geod(ellps="WGS84").geometry_area_perimeter(box)[0] / 1e6)
    assert wide.share == pytest.approx(1 - np.exp(-9 * density), abs=0.05)
    assert fine.share == pytest.approx(1 - np.exp(-density), abs=0.02)
    assert wide.report["n_cells"] == pytest.approx(area / 9, rel=0.05)
    assert fine.report["n_cells"] == pytest.approx(area, rel=0.02)
    assert wide.share_low <= wide.share <= wide.share_high
