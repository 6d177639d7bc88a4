from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.borders import countries
from ocm_geo.geodesy import Line
from ocm_geo.query import Everywhere, StationQuery
from ocm_geo.schema import REMOVED

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[3]
DATA = ROOT / "ocm_geo" / "sources" / "data"
FACTS = json.loads((DATA / "README.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", ROOT / "scripts/make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_makes_the_bundled_stations(script: ModuleType, tmp_path: Path) -> None:
    lines = tmp_path / "sample.jsonl"
    lines.write_text("\n".join(json.dumps(s) for s in script.make_stations()), encoding="utf-8")
    with pytest.warns(ocm.UnknownCode, match="operators without a name .*: 8, of 1,410 stations"):
        again = ocm.Mirror.build(tmp_path / "m", lines)
    query = StationQuery(Everywhere())
    fresh, bundled = again.fetch(query), ocm.sample().fetch(query)
    assert fresh.drop(columns="geometry").equals(bundled.drop(columns="geometry"))
    assert fresh.geometry.geom_equals(bundled.geometry).all()
    assert list(ocm.sample_route().coords) == script.make_route()


def test_every_title_says_invented() -> None:
    stations = ocm.stations(source=ocm.sample())
    assert stations["title"].str.startswith("Invented station").all()
    assert (stations.index > 9_000_000).all()
    assert "Invented" in stations.attrs["ocm"]["attribution"]


def test_the_dirt_is_there_in_the_numbers_written_down() -> None:
    mirror, dirt = ocm.sample(), FACTS["dirt"]
    everything = mirror.loaded.rows.to_pandas()
    plugs = ocm.connections(ocm.stations(source=mirror))
    assert (
        everything["status_type_id"].isin(REMOVED).sum() == dirt["removed"] + dirt["double listing"]
    )
    assert (everything["submission_status_id"] == 1000).sum() == dirt["not published"]
    assert ((everything["lon"] == 0) & (everything["lat"] == 0)).sum() == dirt["at 0, 0"]
    assert (everything["connections"] == "[]").sum() >= dirt["no connections"]
    assert (plugs["power_source"] == "estimated_by_import").sum() >= dirt[
        "power estimated by an import"
    ]
    assert (plugs["power_source"] == "computed").sum() >= dirt["power from amps and volts only"]
    assert (everything["usage_type_id"].isna()).sum() >= dirt["usage missing"]
    assert (everything["country_code"] == "US").sum() == dirt["wrong country"]


def test_the_route_has_a_gap_worth_finding() -> None:
    route = ocm.sample_route()
    along = ocm.stations_from_route(route, 3, source=ocm.sample(), min_power_kw=150)
    gaps = ocm.route_gaps(route, along, within_km=3)
    assert gaps["length_km"].max() > 60
    assert gaps["length_km"].sum() == pytest.approx(Line(route).length_km, abs=1e-6)


def test_the_areas_are_whole_and_peopled() -> None:
    areas = ocm.sample_areas()
    assert areas.is_valid.all()
    assert (areas["population"] > 0).all()
    assert areas["name"].is_unique


def test_the_areas_are_regions_of_land_that_share_their_borders(script: ModuleType) -> None:
    areas = ocm.sample_areas()
    assert len(areas) == 22
    assert json.loads((DATA / "areas.geojson").read_text(encoding="utf-8")) == script.make_areas()
    flat = areas.to_crs(3035)
    both = flat.area.sum() - flat.union_all().area
    assert both < 1e-5 * flat.area.sum()  # rounding to 10 m, where borders and hexagons cross
    land = countries().set_index("code").loc[["NL", "BE", "DE"]].to_crs(3035).union_all()
    assert flat.difference(land.buffer(50)).area.sum() < 1e6
    cities = [shapely.Point(city.lon, city.lat) for city in script.CITIES]
    assert areas["name"].tolist() == [f"Region of {city.name}" for city in script.CITIES]
    assert areas.contains(gpd.GeoSeries(cities, crs=4326)).all()
