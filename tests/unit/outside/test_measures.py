"""Measures that reach where a source holds no station."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

import ocm_geo as ocm
from ocm_geo.borders import countries
from ocm_geo.provenance import attach

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., gpd.GeoDataFrame]

TO_COLOGNE = shapely.LineString([(5.12, 52.09), (5.9, 51.97), (6.96, 50.94)])
INSIDE = shapely.LineString([(4.7, 52.3), (5.12, 52.09), (5.6, 52.0)])
COLOGNE, UTRECHT = shapely.box(6.7, 50.8, 7.2, 51.1), shapely.box(4.9, 52.0, 5.4, 52.3)


def areas(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), crs="EPSG:4326").assign(population=1000.0)


def points(*lonlat: tuple[float, float]) -> gpd.GeoDataFrame:
    shapes = [shapely.Point(p) for p in lonlat]
    return gpd.GeoDataFrame(geometry=shapes, crs="EPSG:4326").assign(population=1000.0)


def outside(result: Any) -> dict[str, Any]:
    facts = result.attrs["ocm"]
    assert facts["complete"] is False
    found: dict[str, Any] = facts["outside"]
    return found


MEASURES: dict[str, Callable[[gpd.GeoDataFrame, Any], Any]] = {
    "gaps": lambda s, _: ocm.route_gaps(TO_COLOGNE, s),
    "stops": lambda s, _: ocm.plan_stops(TO_COLOGNE, s, range_km=300).stops,
    "verdict": lambda s, _: ocm.assess_route(TO_COLOGNE, s, "afir-ldv-core-2025").segments,
    "network": lambda s, _: (
        ocm.assess_network(gpd.GeoSeries([TO_COLOGNE], crs=4326), s, "afir-ldv-core-2025").segments
    ),
    "coverage": lambda s, where: ocm.coverage(where, s, 5),
    "density": lambda s, where: ocm.density(where, s, population="population"),
    "grid": lambda s, where: ocm.coverage_grid(where, s, 10, within_km=5),
    "nearest": lambda s, where: ocm.nearest_stations(
        where.set_geometry(where.representative_point()), s
    ),
    "access": lambda s, where: ocm.accessibility(
        where.set_geometry(where.representative_point()), s, 300, population="population"
    ),
    "siting": lambda s, where: ocm.suggest_sites(
        where.set_geometry(where.representative_point()), points((6.9, 50.9)), s, 1, within_km=30
    ),
}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_a_measure_abroad_warns_and_is_not_complete(name: str, stations_of: Make) -> None:
    with pytest.warns(ocm.OutsideData, match="Germany.*has no stations: it covers Netherlands"):
        found = MEASURES[name](stations_of(), areas(UTRECHT, COLOGNE))
    assert "DE" in outside(found)["countries"].split()
    assert 0 < outside(found)["share"] < 1


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_a_source_that_covers_both_is_silent(name: str, stations_of: Make) -> None:
    found = MEASURES[name](stations_of("DE NL"), areas(UTRECHT, COLOGNE))
    assert found.attrs["ocm"]["complete"] is True
    assert "outside" not in found.attrs["ocm"]


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_a_live_source_is_silent(name: str, stations_of: Make) -> None:
    MEASURES[name](stations_of(None, query={}), areas(UTRECHT, COLOGNE))


def test_the_arguments_stay_as_they_were(stations_of: Make) -> None:
    stations = stations_of()
    with pytest.warns(ocm.OutsideData):
        ocm.route_gaps(TO_COLOGNE, stations)
    assert stations.attrs["ocm"] == {"source": "mirror", "covers": "NL", "complete": True}


def test_the_warning_is_at_the_line_of_the_caller(stations_of: Make) -> None:
    with pytest.warns(ocm.OutsideData) as caught:
        ocm.density(areas(COLOGNE), stations_of())
    assert caught[0].filename == __file__


def test_shares_are_those_of_population(stations_of: Make) -> None:
    where = points((5.1, 52.1), (6.96, 50.94)).assign(population=[3000.0, 1000.0])
    with pytest.warns(ocm.OutsideData, match="^25 % of the population lies in Germany"):
        ocm.accessibility(where, stations_of(), 30, population="population")
    table = areas(UTRECHT, COLOGNE).assign(population=[1.0, 3.0])
    with pytest.warns(ocm.OutsideData, match="^75 % of the population lies in Germany"):
        ocm.density(table, stations_of(), population="population")


@pytest.mark.parametrize("n", [1, 2, 7])
def test_splitting_areas_does_not_change_the_share(n: int, stations_of: Make) -> None:
    west, south, east, north = 5.0, 51.0, 7.5, 52.4
    edges = np.linspace(west, east, n + 1)
    boxes = [shapely.box(a, south, b, north) for a, b in pairwise(edges)]
    with pytest.warns(ocm.OutsideData):
        found = ocm.density(areas(*boxes), stations_of())
    abroad = countries()[countries()["code"].isin(["BE", "DE"])].union_all()
    whole = shapely.box(west, south, east, north)
    geod = Geod(ellps="WGS84")
    km2 = [
        abs(geod.geometry_area_perimeter(shapely.segmentize(shape, 0.05))[0])
        for shape in (shapely.intersection(abroad, whole), whole)
    ]
    assert outside(found)["share"] == pytest.approx(km2[0] / km2[1], abs=2e-3)


def test_a_route_and_its_reverse_have_one_share(stations_of: Make) -> None:
    more = ocm.route_points_every(TO_COLOGNE, 7)
    finer = shapely.LineString([*more.geometry, shapely.Point(TO_COLOGNE.coords[-1])])
    shares = []
    for line in (TO_COLOGNE, shapely.reverse(TO_COLOGNE), finer):
        with pytest.warns(ocm.OutsideData):
            shares.append(outside(ocm.route_gaps(line, stations_of()))["share"])
    assert shares == pytest.approx([shares[0]] * 3, abs=1e-3)


ALONG = {
    "the border at Enschede, some hundred metres beyond it": [(7.0, 52.24), (7.066, 52.24)],
    "Baarle, in and out of Belgium": [(4.75, 51.42), (4.92, 51.445), (5.05, 51.46)],
    "a ferry from IJmuiden to the north": [(4.58, 52.46), (3.0, 54.5), (1.0, 55.0)],
    "the Wadden islands": [(4.8, 53.05), (5.35, 53.4), (6.2, 53.49), (6.5, 53.54)],
    "Maastricht": [(5.69, 50.85), (5.66, 50.80)],
}


@pytest.mark.parametrize("name", ALONG)
def test_along_borders_and_coasts_nothing_is_said(name: str, stations_of: Make) -> None:
    line = shapely.LineString(ALONG[name])
    ocm.route_gaps(line, stations_of(), within_km=3)
    near = points(*ALONG[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.SuspectInput)
        ocm.nearest_stations(near, stations_of())


TINY = {
    "AD": (1.52, 42.55, "Andorra"),
    "LI": (9.54, 47.16, "Liechtenstein"),
    "MT": (14.44, 35.9, "Malta"),
    "LU": (6.1, 49.75, "Luxembourg"),
    "RE": (55.45, -21.1, "R.union"),
    "XK": (20.9, 42.6, "Kosovo"),
}


@pytest.mark.parametrize("code", TINY)
@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_small_countries_and_territories_are_known(code: str, stations_of: Make) -> None:
    lon, lat, name = TINY[code]
    with pytest.warns(ocm.OutsideData, match=name):
        ocm.nearest_stations(points((lon, lat)), stations_of("FR NL"))
    ocm.nearest_stations(points((lon, lat)), stations_of(f"NL {code}"))


@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_disputed_places_count_for_either_code(stations_of: Make) -> None:
    pristina, kyrenia = points((21.16, 42.66)), points((33.32, 35.33))
    ocm.nearest_stations(pristina, stations_of("RS"))
    ocm.nearest_stations(kyrenia, stations_of("CY"))
    ocm.nearest_stations(kyrenia, stations_of("TR"))


@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_stations_filed_under_the_state_show_that_a_territory_is_covered(stations_of: Make) -> None:
    there = gpd.GeoDataFrame(geometry=gpd.points_from_xy([55.45], [-21.1]), crs="EPSG:4326")
    stations = stations_of("FR")
    for code, silent in (("FR", True), (None, True), ("US", False)):
        filed = stations.head(1).assign(country_code=code).set_geometry(there.geometry.to_list())
        filed = attach(filed.set_crs(4326), source="mirror", covers="FR", complete=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ocm.nearest_stations(there, filed)
        assert not caught if silent else caught[0].category is ocm.OutsideData


def test_stations_asked_for_by_country_know_no_other(stations_of: Make) -> None:
    germany = int(ocm.reference_data(ocm.sample()).countries.query("iso_code == 'DE'").index[0])
    stations = stations_of("BE DE NL", query={"countries": [germany]})
    with pytest.warns(ocm.OutsideData, match=r"requested with countries=\['DE'\] only"):
        ocm.density(areas(UTRECHT), stations)
    ocm.density(areas(COLOGNE), stations)
    live = stations_of(None, query={"countries": [germany]})
    with pytest.warns(ocm.OutsideData, match="Netherlands"):
        ocm.density(areas(UTRECHT), live)


QUERIES = {
    "box": {"bbox": [4.8, 52.0, 5.2, 52.3]},
    "circle": {"point": [5.1, 52.1], "radius_km": 20},
    "polygon": {"polygon": {"bbox": [4.8, 52.0, 5.2, 52.3]}},
    "route": {"route": {"bbox": [4.8, 52.0, 5.2, 52.3]}, "within_km": 5},
}


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_stations_asked_for_elsewhere_know_nothing_here(name: str, stations_of: Make) -> None:
    stations = stations_of("DE NL", query=QUERIES[name])
    with pytest.warns(ocm.OutsideData, match="outside the location these stations were requested"):
        found = ocm.density(areas(COLOGNE), stations)
    assert outside(found) == {"countries": "DE", "share": 1.0, "of": "the area"}
    ocm.density(areas(UTRECHT, COLOGNE), stations)


@pytest.mark.filterwarnings("ignore::ocm_geo.errors.SuspectInput")
def test_a_table_of_ones_own_is_judged_only_where_certain(stations_of: Make) -> None:
    own = stations_of(None)
    berlin, arnhem = (
        areas(shapely.box(13.2, 52.4, 13.6, 52.6)),
        areas(shapely.box(5.8, 51.9, 6, 52)),
    )
    with pytest.warns(ocm.OutsideData, match="all 80 stations lie in Netherlands, over 100 km"):
        ocm.density(berlin, own)
    ocm.density(arnhem, own)
    ocm.density(berlin, own.head(20))
    ocm.density(berlin, own.set_crs(4326).to_crs(3035).iloc[:20])


def test_scenarios_say_it_once(stations_of: Make) -> None:
    where = areas(UTRECHT, COLOGNE)
    with pytest.warns(ocm.OutsideData) as caught:
        ocm.uncertainty_scenarios(
            lambda some: ocm.density(where, some)["n_sites"], stations_of(), n_draws=5, n_drivers=0
        )
    assert len([w for w in caught if w.category is ocm.OutsideData]) == 1
