"""Driving distance from the nearest exit, with made and real engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pytest
import shapely
from pyproj import Geod

import ocm_geo as ocm
from ocm_geo.routing.engines import Path
from tests.unit.standards.made import away, road, site, table

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    import numpy as np
    from numpy.typing import NDArray

RULE = "afir-ldv-core-2025"
ROUTE = road(100, 90)
GEOD = Geod(ellps="WGS84")


class Detour:
    """An engine whose ways are so many times as long as the straight line."""

    name = "made"

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __repr__(self) -> str:
        return "Detour()"

    def path(self, lonlat: NDArray[np.float64]) -> Path:
        if lonlat[1, 1] > 52.02:
            raise ocm.RouteError("no way")
        line = shapely.LineString(lonlat)
        return Path(line, self.factor * GEOD.geometry_length(line) / 1000, 1.0)

    def isochrone(self, lonlat: NDArray[np.float64], minutes: Any) -> list[Any]:
        raise NotImplementedError


def at(km: float, side_km: float = 0.0) -> tuple[float, float]:
    return away(side_km, 0, away(km, 90))


def exits(*km: float) -> gpd.GeoSeries:
    return gpd.GeoSeries([shapely.Point(at(k, 0.05)) for k in km], crs="EPSG:4326")


def assess(*sites: Any, factor: float, network: bool, **options: Any) -> ocm.Verdict:
    stations = table(list(sites))
    asked = ocm.AssessmentOptions(engine=Detour(factor), **options)
    if network:
        roads = gpd.GeoSeries([ROUTE], crs="EPSG:4326")
        return ocm.assess_network(roads, stations, RULE, options=asked)
    return ocm.assess_route(ROUTE, stations, RULE, options=asked)


@pytest.mark.parametrize("network", [True, False])
def test_the_way_from_the_nearest_exit_decides(network: bool) -> None:  # noqa: FBT001
    sites = [site(1, at(20, 1.8)), site(2, at(70, 1.8))]
    marks = exits(21, 70)
    near = assess(*sites, factor=1.2, network=network, exits=marks)
    # The first pool stands at its exit, 21 km from the start.
    assert near.share == pytest.approx(49 / 100, abs=1e-3)
    assert any("Detour()" in clause and "exits" in clause for clause in near.clauses)
    assert assess(*sites, factor=2, network=network, exits=marks).share == 0


@pytest.mark.parametrize("network", [True, False])
def test_pools_on_the_road_need_no_exit(network: bool) -> None:  # noqa: FBT001
    sites = [site(1, at(20, 0.05)), site(2, at(70)), site(3, at(95, 2.9))]
    verdict = assess(*sites, factor=9, network=network, exits=exits(50))
    assert verdict.share == pytest.approx(0.5, abs=1e-3)


def test_exits_of_another_road_are_told() -> None:
    far = gpd.GeoSeries([shapely.Point(at(50, 5))], crs="EPSG:4326")
    with pytest.raises(ocm.QueryError, match="none of the exits"):
        assess(site(1, at(20)), factor=1, network=False, exits=far)


WRONG: dict[str, tuple[Any, Any, str]] = {
    "no engine": (exits(1), None, "together"),
    "no exits": (None, Detour(1), "together"),
    "no table": ([(5, 52)], Detour(1), "GeoDataFrame"),
    "lines": (gpd.GeoSeries([ROUTE], crs="EPSG:4326"), Detour(1), "points"),
    "none": (exits(), Detour(1), "at least one"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_exits(name: str) -> None:
    given, engine, words = WRONG[name]
    with pytest.raises(ocm.QueryError, match=words):
        ocm.assess_route(
            ROUTE,
            table([site(1, at(20))]),
            RULE,
            options=ocm.AssessmentOptions(exits=given, engine=engine),
        )


def test_without_exits_the_straight_line_is_called_so() -> None:
    verdict = ocm.assess_route(ROUTE, table([site(1, at(20))]), RULE)
    assert any("approximation" in clause for clause in verdict.clauses)


def test_a_real_valley(data_dir: FilePath, tmp_path: FilePath) -> None:
    pytest.importorskip("valhalla", reason="embedded routing needs Python 3.12")
    engine = ocm.build_tiles(data_dir / "osm_pbf" / "andorra.osm.pbf", tmp_path)
    route = ocm.route_between([(1.4553, 42.4310), (1.7340, 42.5430)], engine=engine)
    # In the town, and 7 km up a side valley whose road is 13 km long.
    places = [(1.5218, 42.5063), (1.4870, 42.5650)]
    stations = table([site(i, place) for i, place in enumerate(places, 1)])
    marks = gpd.GeoSeries([shapely.Point(1.5166, 42.5043)], crs="EPSG:4326")
    by_line = ocm.AssessmentOptions(offset_km=8)
    by_road = ocm.AssessmentOptions(offset_km=8, exits=marks, engine=engine)
    straight = ocm.assess_route(route, stations, RULE, options=by_line)
    driven = ocm.assess_route(route, stations, RULE, options=by_road)
    between = straight.segments["status"].isin(["passes", "fails"]).sum()
    assert between > 0
    assert driven.segments["status"].tolist() == ["end", "end"]
    assert driven.segments["end_km"].iloc[0] == pytest.approx(14.95, abs=0.05)
