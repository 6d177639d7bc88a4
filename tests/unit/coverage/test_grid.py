"""Square cells, and density with bounds."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.geodesy import area_km2
from tests.unit.uncertainty.test_stations import CASES, table

GEOD = pyproj.Geod(ellps="WGS84")


def sites(*places: tuple[float, float]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame({"n_connectors": 2, "total_power_kw": 50.0}, index=range(len(places)))
    points = gpd.points_from_xy(*np.reshape(places, (-1, 2)).T)
    return gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326")


@pytest.mark.parametrize("west", [5.0, 179.0])
def test_cells_are_equal_squares_and_count_what_is_near(west: float) -> None:
    area = gpd.GeoSeries([shapely.box(west, 51, west + 2, 52)], crs="EPSG:4326")
    places = [((west + 0.5 + 540) % 360 - 180, 51.4), ((west + 1.2 + 540) % 360 - 180, 51.6)]
    stations = sites(*places)
    cells = ocm.coverage_grid(area, stations, 5, within_km=12)
    assert cells["area_km2"].to_numpy() == pytest.approx(25, rel=1e-4)
    whole = abs(GEOD.geometry_area_perimeter(area.iloc[0])[0]) / 1e6
    assert cells["area_km2"].sum() == pytest.approx(whole, rel=0.02)
    middle = cells.to_crs(f"+proj=laea +lon_0={west + 1} +lat_0=51.5").centroid.to_crs(4326)
    metres = np.array(
        [
            GEOD.inv(middle.x, middle.y, np.full(len(cells), x), np.full(len(cells), y))[2]
            for x, y in places
        ]
    )
    assert cells["nearest_km"].to_numpy(float) * 1000 == pytest.approx(metres.min(axis=0), abs=0.5)
    count = (metres <= 12_000).sum(axis=0)
    assert cells["n_sites"].tolist() == count.tolist()
    assert cells["n_connectors"].tolist() == (2 * count).tolist()
    assert cells["power_kw"].tolist() == (50.0 * count).tolist()


def test_wrong_grids_are_refused() -> None:
    with pytest.raises(ocm.QueryError, match="larger cells"):
        ocm.coverage_grid(shapely.box(0, 0, 20, 20), sites((1, 1)), 0.1, within_km=5)
    cells = ocm.coverage_grid(shapely.box(0, 0, 1, 1), sites(), 20, within_km=5)
    assert cells["nearest_km"].isna().all()
    assert cells["n_sites"].sum() == 0


def test_density_and_grid_have_bounds() -> None:
    stations = table(CASES["sure"][0], CASES["power missing"][0])
    stations = stations.assign(n_connectors=1, total_power_kw=150.0)
    rule = ocm.Qualifying(min_power_kw=50)
    area = gpd.GeoDataFrame(geometry=[shapely.box(4.5, 51.5, 5.5, 52.5)], crs="EPSG:4326")
    row = ocm.density(area, stations, bounds=True, qualifying=rule).iloc[0]
    assert (row["n_sites"], row["n_sites_low"], row["n_sites_high"]) == (1, 1, 2)
    assert row["sites_per_km2_high"] == 2 * row["sites_per_km2"]
    cells = ocm.coverage_grid(area, stations, 20, within_km=90, bounds=True, qualifying=rule)
    assert (cells["n_sites_high"] == 2 * cells["n_sites_low"]).all()
    shares = ocm.coverage(area, stations, 5, bounds=True, qualifying=rule).iloc[0]
    assert shares["area_share_low"] == shares["area_share"] == shares["area_share_high"] > 0
    assert ocm.coverage(area, stations, 5, bounds=True).attrs["ocm"]["bounds"]["n_uncertain"] == 1


@pytest.mark.parametrize("pole", [90, -90])
def test_cells_round_a_pole_are_equal_squares_too(pole: int) -> None:
    halves = [shapely.box(west, min(pole, 0.9 * pole), west + 180, max(pole, 0.9 * pole))
              for west in (-180, 0)]  # fmt: skip
    area = gpd.GeoSeries(halves, crs="EPSG:4326")
    cells = ocm.coverage_grid(area, sites((0, pole)), 70, within_km=60)
    assert cells.geometry.is_valid.all()
    assert cells["area_km2"].to_numpy() == pytest.approx(4900, rel=5e-3)
    assert cells["nearest_km"].to_numpy(float).min() < 50
    assert cells["area_km2"].sum() == pytest.approx(area_km2(area.to_numpy()).sum(), rel=0.02)


def test_what_the_stations_do_not_say_is_missing() -> None:
    points = sites((0.5, 0.5)).drop(columns=["n_connectors", "total_power_kw"])
    cells = ocm.coverage_grid(shapely.box(0, 0, 1, 1), points, 20, within_km=30)
    assert cells["n_sites"].sum() > 0
    assert cells["n_connectors"].isna().all()
    assert cells["power_kw"].isna().all()


def test_an_area_smaller_than_its_cells_is_said() -> None:
    with pytest.warns(ocm.SuspectInput, match="no cell of 50 km has its centre in the area"):
        cells = ocm.coverage_grid(shapely.box(0, 0, 0.01, 0.01), sites((0, 0)), 50, within_km=5)
    assert len(cells) == 0


def test_bounds_hold_to_the_last_bit() -> None:
    # Two stations at one place: ties are measured in another way than the rest.
    stations = table(CASES["sure"][0], CASES["power missing"][0], CASES["sure"][0])
    stations = stations.assign(n_connectors=1, total_power_kw=150.0)
    rng = np.random.default_rng(6)
    stations.geometry = gpd.points_from_xy([5.0, 5.0, 5.4], [52.0, 52.0, 52.1], crs="EPSG:4326")
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*rng.uniform((3, 50), (7, 54), (3000, 2)).T), crs="EPSG:4326"
    )
    rule = ocm.Qualifying(min_power_kw=50)
    near = ocm.nearest_stations(points, stations, bounds=True, qualifying=rule)
    cells = ocm.coverage_grid(
        shapely.box(4, 51, 6, 53), stations, 5, within_km=20, bounds=True, qualifying=rule
    )
    for found in (near, cells):
        low, central, high = (
            found[f"nearest_km{s}"].to_numpy(float) for s in ("_low", "", "_high")
        )
        assert (low >= central).all()
        assert (central >= high).all()
