"""Distances and areas by road, over real extracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.geodesy import distance_km

if TYPE_CHECKING:
    from pathlib import Path

PLACES = [(1.521, 42.507), (1.600, 42.570), (1.535, 42.545), (1.487, 42.463)]


@pytest.fixture(scope="module")
def andorra(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> ocm.ValhallaTiles:
    pytest.importorskip("valhalla", reason="embedded routing needs Python 3.12")
    folder = tmp_path_factory.mktemp("tiles")
    return ocm.build_tiles(data_dir / "osm_pbf" / "andorra.osm.pbf", folder)


def sites(places: list[tuple[float, float]]) -> gpd.GeoDataFrame:
    index = pd.RangeIndex(1, len(places) + 1, name="ocm_id")
    points = gpd.points_from_xy(*np.array(places).T)
    return gpd.GeoDataFrame(index=index, geometry=points, crs="EPSG:4326")


def test_service_areas_by_driving_time(andorra: ocm.ValhallaTiles) -> None:
    apart = ocm.service_areas(sites(PLACES), minutes=5, engine=andorra, dissolve=False)
    assert apart.index.tolist() == [1, 2, 3, 4]
    drawn = ocm.isochrones(PLACES, 5, engine=andorra)
    assert apart.geometry.iloc[1].equals(drawn.geometry.make_valid().iloc[1])
    united = ocm.service_areas(sites(PLACES), minutes=5, engine=andorra)
    assert united["minutes"].tolist() == [5]
    assert apart["area_km2"].max() < united["area_km2"].iloc[0] <= apart["area_km2"].sum()
    assert united.attrs["ocm"]["engine"].startswith("ValhallaTiles(")


def test_a_station_without_roads_has_no_area(
    andorra: ocm.ValhallaTiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = andorra.isochrone

    def far_from_roads(place: np.ndarray, minutes: list[float]) -> list[object]:
        if place[0] > 4:
            raise ocm.RouteError("No suitable edges near location")
        return drawn(place, minutes)

    monkeypatch.setattr(andorra, "isochrone", far_from_roads)
    with pytest.warns(ocm.DroppedRows, match="1 of 2 stations"):
        areas = ocm.service_areas(
            sites([PLACES[0], (5.0, 52.0)]), minutes=5, engine=andorra, dissolve=False
        )
    assert areas["area_km2"].iloc[0] > 1
    assert areas["area_km2"].iloc[1] == 0


def test_wrong_questions_are_refused(andorra: ocm.ValhallaTiles) -> None:
    with pytest.raises(ocm.QueryError, match="within_km, or minutes"):
        ocm.service_areas(sites(PLACES))
    with pytest.raises(ocm.QueryError, match="engine must be a routing engine"):
        ocm.service_areas(sites(PLACES), minutes=5)
    with pytest.raises(ocm.QueryError, match="positive"):
        ocm.service_areas(sites(PLACES), minutes=-5, engine=andorra)


@pytest.mark.parametrize("measure", ["minutes", "km"])
def test_the_nearest_by_road_are_those_of_all_ways(
    andorra: ocm.ValhallaTiles, measure: str
) -> None:
    rng = np.random.default_rng(1)
    stations = sites(rng.uniform((1.45, 42.45), (1.65, 42.6), (40, 2)).tolist())
    points = sites(PLACES)
    found = ocm.nearest_by_road(points, stations, 2, engine=andorra, measure=measure)  # type: ignore[arg-type]
    there = np.column_stack([stations.geometry.x, stations.geometry.y])
    ways = dict(zip(("minutes", "km"), andorra.matrix(np.array(PLACES), there), strict=True))
    least = np.sort(ways[measure], axis=1)[:, :2]
    column = {"minutes": "road_min", "km": "road_km"}[measure]
    assert found[column].to_numpy(float) == pytest.approx(least.ravel())
    assert found["rank"].tolist() == [1, 2] * 4


def test_without_stations_there_is_no_way(andorra: ocm.ValhallaTiles) -> None:
    found = ocm.nearest_by_road(sites(PLACES), sites(PLACES).iloc[:0], engine=andorra)
    assert found["ocm_id"].isna().all()
    assert len(found) == 4


class AsTheCrowFlies:
    """An engine whose roads lead straight, at 60 km/h."""

    def matrix(self, sources: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        km = distance_km(sources[:, :1], sources[:, 1:], targets[:, 0], targets[:, 1])
        return km, km


def test_stations_may_have_any_labels_and_points_any_system() -> None:
    stations = sites(PLACES).set_axis(list("abcd"))
    points = sites(PLACES[:2]).to_crs("EPSG:3857")
    engine: Any = AsTheCrowFlies()
    found = ocm.nearest_by_road(points, stations, engine=engine)
    assert found["station_id"].tolist() == ["a", "b"]
    assert found.crs == "EPSG:4326"
