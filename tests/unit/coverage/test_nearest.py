"""Nearest stations: exact, grouped, with bounds, and in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest

import ocm_geo as ocm
from ocm_geo.geodesy import PointIndex
from tests.unit.uncertainty.test_stations import CASES, table

if TYPE_CHECKING:
    from pathlib import Path

GEOD = pyproj.Geod(ellps="WGS84")


def places(lon: np.ndarray, lat: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    index = pd.RangeIndex(1, len(lon) + 1, name="ocm_id")
    return gpd.GeoDataFrame(
        pd.DataFrame(columns, index=index), geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326"
    )


def all_km(points: gpd.GeoDataFrame, stations: gpd.GeoDataFrame) -> np.ndarray:
    """Measure every pair by pyproj."""
    n, m = len(points), len(stations)
    metres = GEOD.inv(
        np.repeat(points.geometry.x.to_numpy(), m),
        np.repeat(points.geometry.y.to_numpy(), m),
        np.tile(stations.geometry.x.to_numpy(), n),
        np.tile(stations.geometry.y.to_numpy(), n),
    )[2]
    return np.reshape(metres, (n, m)) / 1000


def over(rng: np.random.Generator, n: int, box: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    west, south, east, north = box
    lon = rng.uniform(west, east, n)
    return (lon + 180) % 360 - 180, rng.uniform(south, north, n)


BOXES = {
    "the antimeridian": (179, -20, 181, -15),
    "the north pole": (-180, 89, 180, 90),
    "the south pole": (-180, -90, 180, -88),
    "a town": (5.0, 52.0, 5.1, 52.1),
    "the world": (-180, -90, 180, 90),
}


@pytest.mark.parametrize("name", BOXES)
def test_the_k_nearest_are_those_of_pyproj(name: str) -> None:
    rng = np.random.default_rng(7)
    points = places(*over(rng, 150, BOXES[name]))
    stations = places(*over(rng, 120, BOXES[name]))
    found = ocm.nearest_stations(points, stations, k=3)
    km = all_km(points, stations)
    order = np.argsort(km, axis=1)[:, :3]
    assert found["ocm_id"].tolist() == (order.ravel() + 1).tolist()
    expected = np.take_along_axis(km, order, axis=1).ravel()
    assert np.abs(found["nearest_km"].to_numpy(dtype=float) - expected).max() < 1e-6
    assert found["rank"].tolist() == [1, 2, 3] * len(points)


@pytest.mark.parametrize("name", BOXES)
def test_reached_within_distances_is_what_pyproj_says(name: str) -> None:
    rng = np.random.default_rng(8)
    points = places(*over(rng, 400, BOXES[name]))
    stations = places(*over(rng, 60, BOXES[name]))
    least = all_km(points, stations).min(axis=1)
    # Distances that some points lie at exactly, to the last bit.
    steps = np.sort([*least[:40], least[50] * 0.7, least[51] * 1.3])
    index = PointIndex(stations.geometry.x, stations.geometry.y)
    step = index.are_reached(points.geometry.x, points.geometry.y, steps.tolist())
    assert step.tolist() == np.searchsorted(steps, least).tolist()


def test_the_nearest_of_each_operator() -> None:
    rng = np.random.default_rng(9)
    points = places(*over(rng, 50, BOXES["a town"]))
    operator = pd.Series(rng.choice([3, 7, 9, None], 80), range(1, 81), dtype="Int64")
    stations = places(*over(rng, 80, BOXES["a town"]), operator_id=operator)
    found = ocm.nearest_stations(points, stations, k=2, by="operator_id", max_km=2)
    km = pd.DataFrame(all_km(points, stations).T, stations.index, points.index)
    for point, rows in found.groupby(level=0):
        assert rows["nearest_km"].dropna().is_monotonic_increasing
        for value in (3, 7, 9):
            near = km[point][operator.eq(value).fillna(value=False)].nsmallest(2)
            near = near[near <= 2]
            ours = rows[rows["operator_id"] == value]
            assert ours["ocm_id"].tolist() == near.index.tolist()
            assert ours["rank"].tolist() == list(range(1, len(near) + 1))
    with pytest.raises(ocm.QueryError, match="no column 'brand'"):
        ocm.nearest_stations(points, stations, by="brand")


def test_a_point_without_any_operator_near_keeps_a_row() -> None:
    stations = places(np.array([5.0]), np.array([52.0]), operator_id=[3])
    points = places(np.array([5.0, 50.0]), np.array([52.0, 10.0]))
    found = ocm.nearest_stations(points, stations, by="operator_id", max_km=5)
    assert found["operator_id"].isna().tolist() == [False, True]
    assert found["ocm_id"].isna().tolist() == [False, True]


def test_bounds_name_the_station_that_makes_the_difference() -> None:
    sure, uncertain = CASES["sure"][0], CASES["power missing"][0]
    stations = table(sure, uncertain)
    stations.geometry = gpd.points_from_xy([5.1, 5.01], [52, 52], crs="EPSG:4326")
    point = places(np.array([5.0]), np.array([52.0]))
    row = ocm.nearest_stations(
        point, stations, bounds=True, qualifying=ocm.Qualifying(min_power_kw=50)
    ).iloc[0]
    assert (row["ocm_id"], row["ocm_id_low"], row["ocm_id_high"]) == (1, 1, 2)
    assert row["nearest_km"] == row["nearest_km_low"] > row["nearest_km_high"]
    facts = ocm.nearest_stations(point, stations, bounds=True).attrs["ocm"]["bounds"]
    assert (facts["n_low"], facts["n_high"], facts["first_uncertain"]) == (1, 2, ["2"])
    several = ocm.nearest_stations(
        point, stations, k=2, bounds=True, qualifying=ocm.Qualifying(min_power_kw=50)
    )
    assert several["ocm_id_high"].tolist() == [2, 1]
    assert several["ocm_id_low"].tolist() == [1, pd.NA]


def test_stations_may_have_labels_of_any_kind() -> None:
    stations = places(np.array([5.0]), np.array([52.0])).set_axis(["a"])
    points = places(np.array([5.0, 50.0]), np.array([52.0, 10.0]))
    found = ocm.nearest_stations(points, stations, max_km=5)
    assert found["station_id"].fillna("none").tolist() == ["a", "none"]


def test_parts_give_what_the_whole_gives(tmp_path: Path) -> None:
    pytest.importorskip("dask_geopandas")
    rng = np.random.default_rng(10)
    points = places(*over(rng, 1000, BOXES["a town"]), people=np.arange(1000))
    stations = places(*over(rng, 50, BOXES["a town"]))
    for i in range(4):
        points.iloc[250 * i : 250 * (i + 1)].to_parquet(tmp_path / f"part{i}.parquet")
    for given, k in ((tmp_path, 1), (str(tmp_path), 3)):
        whole = ocm.nearest_stations(points, stations, k)
        parts = ocm.nearest_stations(given, stations, k)
        assert parts.npartitions == 4
        pd.testing.assert_frame_equal(parts.compute(scheduler="synchronous"), whole)
    with pytest.raises(ocm.QueryError, match="no GeoParquet"):
        ocm.nearest_stations(tmp_path / "none", stations)
