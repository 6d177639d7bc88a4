"""A mirror of the Netherlands asked about the rest of Europe; real regions and roads."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

import ocm_geo as ocm
from ocm_geo.provenance import attach

if TYPE_CHECKING:
    from pathlib import Path

GEOD = Geod(ellps="WGS84")
FAR = {"DE300": "Germany", "DE212": "Germany", "FR101": "France", "CH040": "Switzerland"}


@pytest.fixture(scope="module")
def mirror(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> ocm.Mirror:
    source = data_dir / "ocm" / "nl_2023-10" / "ocm_nl_20231009_rebuilt_compact.json"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.OCMWarning)
        return ocm.Mirror.build(tmp_path_factory.mktemp("nl") / "mirror", source)


@pytest.fixture(scope="module")
def stations(mirror: ocm.Mirror) -> gpd.GeoDataFrame:
    return ocm.stations(source=mirror)


@pytest.fixture(scope="module")
def regions(data_dir: Path) -> gpd.GeoDataFrame:
    path = data_dir / "boundaries" / "nuts_2021" / "NUTS_RG_10M_2021_4326_LEVL_3.shp"
    return gpd.read_file(path).set_index("NUTS_ID")


@pytest.fixture(scope="module")
def e35(data_dir: Path) -> shapely.LineString:
    roads = gpd.read_file(data_dir / "network" / "travelmapping" / "eure.geojson")
    names = roads.astype(str).apply(lambda row: "E35" in row.to_list(), axis=1)
    shape = roads.geometry[names.to_numpy()].iloc[0]
    return shapely.LineString(shapely.get_coordinates(shape))


def km_in(line: shapely.LineString, land: shapely.Geometry) -> float:
    """Measure by shapely and pyproj alone."""
    inside = shapely.intersection(shapely.segmentize(line, 0.01), land)
    return float(GEOD.geometry_length(inside)) / 1000.0


def test_the_share_of_a_road_is_that_of_other_borders(
    stations: gpd.GeoDataFrame, regions: gpd.GeoDataFrame, e35: shapely.LineString
) -> None:
    dutch = regions[regions["CNTR_CODE"] == "NL"].union_all()
    whole = GEOD.geometry_length(shapely.segmentize(e35, 0.01)) / 1000.0
    with pytest.warns(ocm.OutsideData, match="Germany") as caught:
        gaps = ocm.route_gaps(e35, stations)
    facts = gaps.attrs["ocm"]
    assert facts["complete"] is False
    assert {"DE", "CH", "IT"} <= set(facts["outside"]["countries"].split())
    # The borders are others, off by some km, and the road crosses this one at a flat angle.
    expected = 1 - km_in(e35, dutch) / whole
    assert facts["outside"]["share"] == pytest.approx(expected, abs=15 / whole)
    assert len([w for w in caught if w.category is ocm.OutsideData]) == 1


@pytest.mark.parametrize("code", FAR)
@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_regions_abroad(code: str, stations: gpd.GeoDataFrame, regions: gpd.GeoDataFrame) -> None:
    with pytest.warns(ocm.OutsideData, match=f"% of the area lies in {FAR[code]}"):
        found = ocm.density(regions.loc[[code]], stations)
    assert found.attrs["ocm"]["complete"] is False


@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
@pytest.mark.parametrize(
    "country", ["NL", "BE", "DE", "LU", "LI", "AT", "CZ", "DK", "CH", "PL", "RO", "HR", "TR"]
)
def test_regions_of_a_country_that_is_covered_are_silent(
    country: str, stations: gpd.GeoDataFrame, regions: gpd.GeoDataFrame
) -> None:
    own = regions[regions["CNTR_CODE"] == country]
    found = ocm.density(own, attach(stations.copy(), covers=country))
    assert found.attrs["ocm"]["complete"] is True


def test_a_small_country_between_covered_ones(
    stations: gpd.GeoDataFrame, regions: gpd.GeoDataFrame
) -> None:
    around = attach(stations.copy(), covers="AT CH DE NL")
    with pytest.warns(ocm.OutsideData, match="Liechtenstein"):
        ocm.density(regions.loc[["LI000", "CH055"]], around)


def test_all_regions_are_inside_a_source_of_all_their_countries(
    stations: gpd.GeoDataFrame, regions: gpd.GeoDataFrame
) -> None:
    codes = regions["CNTR_CODE"].replace({"EL": "GR", "UK": "GB"})
    every = sorted({*codes, "GP", "MQ", "GF", "RE", "YT", "MF", "SJ", "AX"})
    ocm.density(regions, attach(stations.copy(), covers=" ".join(every)))


def test_stations_of_the_mirror_lie_where_it_covers(stations: gpd.GeoDataFrame) -> None:
    assert stations.attrs["ocm"]["covers"] == "NL"
    points = gpd.GeoSeries(stations.geometry.to_numpy(), crs="EPSG:4326")
    found = ocm.nearest_stations(points, stations)
    assert found.attrs["ocm"]["complete"] is True


def test_people_of_a_raster_abroad(data_dir: Path, stations: gpd.GeoDataFrame) -> None:
    pytest.importorskip("rasterio")
    raster = data_dir / "population" / "sao_miguel_gpw" / "gpw_v411_2020_count_2020.tif"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.SuspectInput)
        with pytest.warns(ocm.OutsideData, match="100 % of the population lies in Portugal"):
            table = ocm.population_coverage(raster, stations, 10)
        silent = ocm.population_coverage(raster, attach(stations.copy(), covers="PT"), 10)
    assert table.attrs["ocm"]["complete"] is False
    assert silent.attrs["ocm"]["complete"] is True
    assert table["population"].to_numpy(float) == pytest.approx(
        silent["population"].to_numpy(float)
    )


def test_places_of_people_are_judged_one_by_one(data_dir: Path, stations: gpd.GeoDataFrame) -> None:
    cities = gpd.pd.read_csv(
        data_dir / "population" / "world_cities" / "worldcities.csv", keep_default_na=False
    )
    near = cities[cities["iso2"].isin(["NL", "BE", "DE"]) & (cities["population"] != "")]
    towns = gpd.GeoDataFrame(
        {"population": near["population"].astype(float)},
        geometry=gpd.points_from_xy(near["lng"].astype(float), near["lat"].astype(float)),
        crs="EPSG:4326",
    )
    expected = towns["population"][near["iso2"] != "NL"].sum() / towns["population"].sum()
    with pytest.warns(ocm.OutsideData, match="the population lies in Germany, Belgium"):
        access = ocm.accessibility(towns, stations, 30, population="population")
    assert access.attrs["ocm"]["outside"]["share"] == pytest.approx(expected, abs=5e-3)
    assert np.isfinite(access.to_numpy(dtype=float)).all()
