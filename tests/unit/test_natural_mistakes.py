"""What a tired user passes, and what must come of it: our error, our warning, or the right answer.

A row of `MISTAKES` is a name, a call on the bundled sample, and the words that the error or the
warning must contain. `RIGHT` are calls that look like mistakes and have one right answer.
"""

from __future__ import annotations

import datetime as dt
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOX = shapely.box(4, 52, 5, 53)
HERE = (4.9, 52.37)
LEAST = 100
AFIR = "afir-ldv-core-2025"
api: Any = ocm
"""The package, to be called with values of any type."""


def swap(table: Any) -> Any:
    """Exchange the axes of a table."""
    shapes = shapely.transform(table.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    return table.set_geometry(gpd.GeoSeries(shapes, table.index, crs=4326))


@pytest.fixture(scope="module")
def w(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """What a user has at hand; questions go to the sample."""
    areas = ocm.sample_areas()
    with ocm.using(source=ocm.sample()):
        st = ocm.stations()
        yield SimpleNamespace(
            st=st,
            areas=areas,
            towns=areas.set_geometry(areas.representative_point()),
            route=ocm.sample_route(),
            osrm=ocm.OSRM("http://127.0.0.1:9"),
            valhalla=ocm.Valhalla("http://127.0.0.1:9"),
            folder=tmp_path_factory.mktemp("x"),
            plain=gpd.GeoSeries([BOX], crs=4326),
        )


QUESTIONS: dict[str, tuple[Callable[[Any], Any], *tuple[str, ...]]] = {
    "no box": (lambda _: api.stations_from_bbox(None), "bbox", "None"),
    "a box as text": (lambda _: api.stations_from_bbox("4,52,5,53"), "bbox", "4,52,5,53"),
    "a box of three": (lambda _: api.stations_from_bbox((4, 52, 5)), "bbox", "north"),
    "a box with a gap": (lambda _: api.stations_from_bbox((4, 52, 5, np.nan)), "north", "nan"),
    "a polygon as box": (lambda _: api.stations_from_bbox(BOX), "bbox", "POLYGON"),
    "a box in metres": (lambda _: api.stations_from_bbox((4e5, 58e5, 5e5, 59e5)), "bbox", "south"),
    "a box upside down": (lambda _: api.stations_from_bbox((4, 53, 5, 52)), "south", "north"),
    "a box by latitude": (lambda _: api.stations_from_bbox((52, 4, 53, 6)), "swapped"),
    "a point as text": (lambda _: api.stations_from_point("52.37,4.9", 5), "(lon, lat)"),
    "a point by name": (lambda _: api.stations_from_point("Amsterdam", 5), "Amsterdam"),
    "a point with height": (lambda _: api.stations_from_point((4.9, 52.37, 0), 5), "(lon, lat)"),
    "a point by latitude": (lambda _: api.stations_from_point((52.37, 4.9), 5), "swapped"),
    "a radius with unit": (lambda _: api.stations_from_point(HERE, "5 km"), "radius_km", "5 km"),
    "no radius": (lambda _: api.stations_from_point(HERE, None), "radius_km", "missing"),
    "a radius of NA": (lambda _: api.stations_from_point(HERE, pd.NA), "radius_km", "missing"),
    "True for a radius": (lambda _: api.stations_from_point(HERE, radius_km=True), "radius_km"),
    "a radius in minutes": (
        lambda _: api.stations_from_point(HERE, pd.Timedelta(5, "min")),
        "radius_km",
        "duration",
    ),
    "a radius below 0": (lambda _: api.stations_from_point(HERE, -5), "radius_km", "-5"),
    "a radius in metres": (lambda _: api.stations_from_point(HERE, 5000), "radius_km=5"),
    "a radius of 50 km in m": (lambda _: api.stations_from_point(HERE, 50_000), "radius_km=50"),
    "an area without CRS": (
        lambda _: api.stations_from_polygon(gpd.GeoSeries([BOX])),
        "coordinate reference system",
        "set_crs",
    ),
    "a point as area": (lambda _: api.stations_from_polygon(shapely.Point(HERE)), "Polygon"),
    "an area as WKT": (lambda _: api.stations_from_polygon(BOX.wkt), "polygon", "str"),
    "an empty area": (lambda _: api.stations_from_polygon(shapely.Polygon()), "empty"),
    "degrees as metres": (
        lambda _: api.stations_from_polygon(gpd.GeoSeries([BOX], crs=3857)),
        "degrees",
        "Pseudo-Mercator",
    ),
    "no country": (lambda _: api.stations_from_country(None), "country", "None"),
    "a country of NaN": (lambda _: api.stations_from_country(np.nan), "country", "nan"),
    "an unknown country": (lambda _: api.stations_from_country("Atlantis"), "Atlantis"),
    "a route by name": (lambda _: api.stations_from_route("A2", 5), "LineString", "str"),
    "a corridor in metres": (lambda w: api.stations_from_route(w.route, 5000), "within_km=5"),
    "an area as route": (lambda _: api.stations_from_route(BOX, 5), "LineString", "Polygon"),
    "two routes": (
        lambda w: api.stations_from_route(gpd.GeoSeries([w.route] * 2, crs=4326), 5),
        "one row",
    ),
    "a UUID": (lambda _: api.stations_from_ids(["0-4000-8000"]), "UUID", "0-4000-8000"),
    "half an id": (lambda _: api.stations_from_ids([1.5]), "whole number", "1.5"),
    "no ids": (lambda _: api.stations_from_ids([]), "no ids"),
    "a missing id": (lambda _: api.stations_from_ids([9000001.0, np.nan]), "ids", "nan"),
    "a table as ids": (lambda w: api.stations_from_ids(w.st.head(2)), "index"),
    "a filter misspelt": (lambda _: api.stations(country="NL"), "country", "countries"),
    "a power as text": (lambda _: api.stations(min_power_kw="50"), "min_power_kw", "quotes"),
    "a power in W": (lambda _: api.stations(min_power_kw=50_000), "W", "min_power_kw=50"),
    "powers exchanged": (lambda _: api.stations(min_power_kw=50, max_power_kw=22), "22"),
    "a connector misspelt": (lambda _: api.stations(connection_types="CSS"), "CSS"),
    "no results wanted": (lambda _: api.stations(max_results=0), "max_results", "0"),
    "yes for True": (lambda _: api.stations(open_data="yes"), "open_data", "True"),
    "a date by day": (lambda _: api.stations(modified_since="31/12/2024"), "ISO", "31/12/2024"),
    "a source in a list": (lambda _: api.stations(source=[1]), "source", "list"),
    "a table as source": (lambda w: api.stations(source=w.st), "GeoDataFrame", "TableSource"),
    "a setting misspelt": (lambda _: api.configure(sourc=1), "sourc"),
    "Qualifying in W": (lambda _: api.Qualifying(min_power_kw=50_000), "min_power_kw=50"),
    "Qualifying below 0": (lambda _: api.Qualifying(min_power_kw=-1), "min_power_kw", "-1"),
    "Qualifying with no": (lambda _: api.Qualifying(public_only="no"), "public_only", "no"),
}

MEASURES: dict[str, tuple[Callable[[Any], Any], *tuple[str, ...]]] = {
    "points in a list": (lambda w: api.nearest_stations([HERE], w.st), "GeoDataFrame", "list"),
    "points in a DataFrame": (
        lambda w: api.nearest_stations(pd.DataFrame({"lon": [4]}), w.st),
        "points",
        "DataFrame of 1",
    ),
    "areas as points": (lambda w: api.nearest_stations(w.areas, w.st), "representative_point"),
    "none of them": (lambda w: api.nearest_stations(w.towns, w.st, 0), "k must be", "0"),
    "one and a half": (lambda w: api.nearest_stations(w.towns, w.st, 1.5), "whole", "1.5"),
    "by a column not there": (lambda w: api.nearest_stations(w.towns, w.st, by="brand"), "brand"),
    "points without CRS": (
        lambda w: api.nearest_stations(w.towns.set_crs(None, allow_override=True), w.st),
        "points",
        "set_crs",
    ),
    "the source as stations": (lambda w: api.nearest_stations(w.towns, api.sample()), "Mirror"),
    "a limit in metres": (lambda w: api.nearest_stations(w.towns, w.st, max_km=5000), "max_km=5"),
    "swapped points": (lambda w: api.nearest_stations(swap(w.towns), w.st), "points", "swapped"),
    "swapped stations": (lambda w: api.nearest_stations(w.towns, swap(w.st)), "swapped"),
    "nearest_km twice": (
        lambda w: api.nearest_stations(api.nearest_stations(w.towns, w.st), w.st),
        "nearest_km",
        "drop",
    ),
    "points as areas": (lambda w: api.coverage(w.towns, w.st, 5), "polygons"),
    "one bare polygon": (lambda w: api.coverage(BOX, w.st, 5), "areas", "Polygon"),
    "no distance": (lambda w: api.coverage(w.areas, w.st, None), "within_km", "missing"),
    "an empty list": (lambda w: api.coverage(w.areas, w.st, []), "within_km", "at least one"),
    "a time for a distance": (
        lambda w: api.coverage(w.areas, w.st, dt.timedelta(minutes=5)),
        "within_km",
        "duration",
    ),
    "no stations": (lambda w: api.coverage(w.areas, None, 5), "stations", "None"),
    "a column not there": (
        lambda w: api.coverage(w.areas, w.st, 5, population="inhabitants"),
        "inhabitants",
    ),
    "people unknown": (
        lambda w: api.coverage(w.areas.assign(p=np.nan), w.st, 5, population="p"),
        "missing",
    ),
    "people as durations": (
        lambda w: api.coverage(w.areas.assign(p=pd.Timedelta(1, "h")), w.st, 5, population="p"),
        "durations",
    ),
    "people with commas": (
        lambda w: api.coverage(w.areas.assign(p="1,234"), w.st, 5, population="p"),
        "1,234",
    ),
    "bounds by word": (lambda w: api.coverage(w.areas, w.st, 5, bounds="yes"), "bounds", "True"),
    "a rule as dict": (
        lambda w: api.coverage(w.areas, w.st, 5, qualifying={"min_power_kw": 50}),
        "Qualifying",
    ),
    "coverage in metres": (lambda w: api.coverage(w.areas.head(1), w.st, 5000), "within_km=5"),
    "areas in degrees as metres": (
        lambda w: api.coverage(w.areas.set_crs(3857, allow_override=True), w.st, 5),
        "degrees",
    ),
    "swapped areas": (lambda w: api.coverage(swap(w.areas), w.st, 5), "areas", "swapped"),
    "connections as stations": (
        lambda w: api.coverage(w.areas, api.connections(w.st), 5),
        "stations",
        "DataFrame",
    ),
    "stations twice": (
        lambda w: api.coverage(w.areas.head(1), pd.concat([w.st, w.st]), 5),
        "repeat",
        "duplicated",
    ),
    "one id for several stations": (
        lambda w: api.density(w.areas, w.st.set_axis(w.st.index // 2)),
        "own id",
    ),
    "an engine by name": (
        lambda w: api.coverage_by_road(w.areas, w.st, 5, engine="valhalla"),
        "engine",
        "valhalla",
    ),
    "no engine": (lambda w: api.nearest_by_road(w.towns, w.st, engine=None), "engine", "None"),
    "an unknown measure": (
        lambda w: api.nearest_by_road(w.towns, w.st, engine=w.osrm, measure="time"),
        "minutes",
        "time",
    ),
    "density of bare points": (
        lambda w: api.density(w.areas, w.st[["geometry"]]),
        "n_connectors",
        "total_power_kw",
    ),
    "areas as roads": (lambda w: api.density(w.areas, w.st, roads=w.areas), "lines"),
    "power in W": (
        lambda w: api.density(w.areas, w.st.assign(total_power_kw=22_000.0)),
        "total_power_kw",
        "1,000",
    ),
    "a table as population": (
        lambda w: api.density(w.areas, w.st, population=w.towns),
        "population",
        "GeoDataFrame",
    ),
    "an own area_km2": (
        lambda w: api.density(w.areas.assign(area_km2=1.0), w.st),
        "area_km2",
        "rename",
    ),
    "cells of 0 km": (lambda w: api.coverage_grid(w.plain, w.st, 0, within_km=5), "cell_km"),
    "cells in metres": (
        lambda w: api.coverage_grid(w.plain, w.st, 1000, within_km=5),
        "cell_km=1",
    ),
    "cells of 1 m": (lambda w: api.coverage_grid(w.plain, w.st, 0.001, within_km=5), "larger"),
    "a method in capitals": (
        lambda w: api.accessibility(w.towns, w.st, 30, population="population", method="2SFCA"),
        "2sfca",
    ),
    "supply not there": (
        lambda w: api.accessibility(w.towns, w.st, 30, population="population", supply="ports"),
        "n_connectors",
    ),
    "supply of dates": (
        lambda w: api.accessibility(
            w.towns, w.st, 30, population="population", supply="date_created"
        ),
        "dates",
    ),
    "time without costs": (
        lambda w: api.accessibility(
            w.towns, w.st, pd.Timedelta(30, "min"), population="population"
        ),
        "costs",
    ),
    "people in areas": (
        lambda w: api.accessibility(w.areas, w.st, 30, population="population"),
        "demand",
        "points",
    ),
    "swapped demand": (
        lambda w: api.accessibility(swap(w.towns), w.st, 30, population="population"),
        "demand",
        "swapped",
    ),
    "costs of one column": (
        lambda w: api.accessibility(
            w.towns, w.st, 30, population="population", costs=pd.DataFrame({"a": [1]})
        ),
        "origin",
        "ocm_id",
    ),
    "lengths that differ": (lambda _: api.equity([1, 2], [1]), "2 values", "1 weights"),
    "values as durations": (
        lambda _: api.equity(pd.Series(pd.to_timedelta([1, 2], unit="min")), [1, 1]),
        "durations",
    ),
    "words as values": (lambda _: api.equity(["a", "b"], [1, 1]), "numbers"),
    "a missing value": (lambda _: api.equity([1, np.nan], [1, 1]), "missing"),
    "no new sites": (lambda w: api.suggest_sites(w.towns, w.st, w.st, 0, within_km=10), "n_sites"),
    "more sites than candidates": (
        lambda w: api.suggest_sites(w.towns, w.st.head(3), w.st, 5, within_km=10),
        "3 candidates",
    ),
    "no candidates": (
        lambda w: api.suggest_sites(w.towns, w.st.head(0), w.st, 3, within_km=10),
        "candidates",
    ),
    "minutes without costs": (
        lambda w: api.suggest_sites(w.towns, w.st, w.st, 3, within_km=dt.timedelta(minutes=9)),
        "within_km",
        "costs",
    ),
    "neither km nor minutes": (lambda w: api.service_areas(w.st.head(3)), "within_km", "minutes"),
    "service areas in metres": (lambda w: api.service_areas(w.st.head(3), 5000), "within_km=5"),
    "minutes below 0": (
        lambda w: api.isochrones([HERE], -5, engine=w.valhalla),
        "minutes",
        "timedelta",
    ),
    "a number as measure": (lambda w: api.uncertainty_scenarios(5, w.st), "function", "5"),
    "a raster not there": (lambda w: api.population_coverage("no.tif", w.st, 5), "no.tif"),
}

ROUTES: dict[str, tuple[Callable[[Any], Any], *tuple[str, ...]]] = {
    "gaps in metres": (lambda w: api.route_gaps(w.route, w.st, within_km=5000), "within_km=5"),
    "Right": (lambda w: api.route_gaps(w.route, w.st, drive_on="Right"), "drive_on", "right"),
    "a filter misspelt in gaps": (
        lambda w: api.route_gaps(w.route, w.st, min_power=50),
        "min_power",
    ),
    "route and stations exchanged": (lambda w: api.route_gaps(w.st, w.route), "stations"),
    "a swapped route": (
        lambda w: api.route_gaps(shapely.transform(w.route, lambda xy: xy[:, ::-1]), w.st),
        "route",
        "swapped",
    ),
    "a range in metres": (lambda w: api.plan_stops(w.route, w.st, range_km=3e5), "range_km=300"),
    "a reserve in percent": (
        lambda w: api.plan_stops(w.route, w.st, range_km=300, reserve=10),
        "reserve",
        "0.1",
    ),
    "a reserve above the start": (
        lambda w: api.plan_stops(w.route, w.st, range_km=300, start_soc=0.05),
        "start_soc",
    ),
    "no range": (lambda w: api.plan_stops(w.route, w.st, range_km=None), "range_km", "missing"),
    "a corridor of text": (lambda w: api.corridor(w.route, "5"), "within_km", "quotes"),
    "a wide corridor": (lambda w: api.corridor(w.route, 5000), "within_km=5"),
    "areas along a route": (lambda w: api.locate_along(w.areas, w.route), "points"),
    "an own side": (lambda w: api.locate_along(w.towns.assign(side="n"), w.route), "'side'"),
    "a standard not there": (lambda w: api.assess_route(w.route, w.st, "AFIR"), "AFIR"),
    "a verdict on nothing": (lambda w: api.assess_route(w.route, None, AFIR), "stations", "None"),
    "a verdict on bare points": (
        lambda w: api.assess_route(w.route, w.st[["geometry"]], AFIR),
        "connections",
        "usage_type_id",
        "n_points",
    ),
    "points as a network": (lambda w: api.assess_network(w.towns, w.st, AFIR), "LineString"),
    "pools by text": (lambda _: api.PoolRules(merge_m="100 m"), "merge_m", "100 m"),
    "no polyline": (lambda _: api.route_from_polyline(None), "polyline"),
    "a sentence as polyline": (lambda _: api.route_from_polyline("no line"), "polyline"),
    "precision 7": (lambda _: api.route_from_polyline("_p~iF~ps|U", precision=7), "5", "6"),
    "a file not there": (lambda _: api.route_from_file("no.gpx"), "no.gpx"),
    "the length of nothing": (lambda _: api.route_length_km(None), "LineString"),
    "a piece backwards": (lambda w: api.route_substring(w.route, 9, 5), "start_km", "end_km"),
    "a step of 0": (lambda w: api.route_points_every(w.route, 0), "step_km"),
    "places by name": (
        lambda w: api.route_between(["Amsterdam", "Utrecht"], engine=w.osrm),
        "Amsterdam",
        "(lon, lat)",
    ),
    "one place": (lambda w: api.route_between([HERE], engine=w.osrm), "2 points"),
    "a routing engine by name": (
        lambda _: api.route_between([HERE, (5, 52)], engine="osrm"),
        "osrm",
    ),
}

TABLES: dict[str, tuple[Callable[[Any], Any], *tuple[str, ...]]] = {
    "connections of ids": (lambda w: api.connections(list(w.st.index[:3])), "list"),
    "connections of connections": (lambda w: api.connections(api.connections(w.st)), "connections"),
    "credit of areas": (lambda w: api.attribution(w.areas), "data_provider_id"),
    "credit of nothing": (lambda _: api.attribution(None), "None"),
    "labels of areas": (lambda w: api.add_labels(w.areas), "operator_id"),
    "an own operator": (lambda w: api.add_labels(w.st.assign(operator="me")), "'operator'"),
    "a page of row 0": (lambda _: api.links.details(0), "positive", "0"),
    "a page of another register": (lambda _: api.links.details("02001"), "02001"),
    "an id missing": (
        lambda w: api.density(w.areas, w.st.reset_index().assign(ocm_id=pd.NA)),
        "ocm_id",
        "missing",
    ),
    "a file to read not there": (lambda _: api.read("no.csv"), "no.csv"),
    "a suffix not known": (lambda w: api.write(w.st, w.folder / "a.docx"), "docx", ".gpkg"),
    "nothing to write": (lambda w: api.write(None, w.folder / "a.csv"), "table"),
    "path and table exchanged": (lambda w: api.write("a.csv", w.st), "path", "GeoDataFrame"),
    "a mirror not there": (lambda w: api.Mirror(w.folder / "none"), "none", "build"),
    "a figure of nothing": (lambda _: api.plot_stations(None), "table"),
    "axes that are none": (lambda w: api.plot_stations(w.st, ax=3), "ax", "3"),
    "an extent upside down": (lambda w: api.plot_stations(w.st, extent=(4, 53, 5, 52)), "extent"),
    "areas as coverage": (lambda w: api.plot_coverage(w.areas), "within_km", "coverage"),
    "stations off a route": (lambda w: api.plot_route(w.route, w.st), "along_km"),
    "growth of areas": (lambda w: api.plot_growth(w.areas), "date_created"),
    "a Lorenz curve of a list": (lambda _: api.plot_lorenz([1, 2]), "equity"),
    "a figure saved from nothing": (lambda w: api.save_figure(None, w.folder / "a.png"), "axes"),
    "a map of nothing": (lambda _: api.station_map(None), "stations", "None"),
    "a map of areas": (lambda w: api.station_map(w.areas), "title", "connections"),
    "an unknown basemap": (lambda w: api.station_map(w.st.head(2), basemap="google"), "google"),
    "a page without path": (lambda w: api.to_html(w.st.head(2), None), "path", "None"),
    "a table as explorer": (lambda w: api.StationExplorer(w.st), "GeoDataFrame"),
    "rules not there": (lambda _: api.load_standards("no.toml"), "no.toml"),
}

MISTAKES = {**QUESTIONS, **MEASURES, **ROUTES, **TABLES}

RIGHT: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], bool]]] = {
    "float ids": (
        lambda _: api.stations_from_ids([9000001.0, 9000002.0]).index.tolist(),
        lambda got, _: got == [9000001, 9000002],
    ),
    "ids in an index": (
        lambda w: api.stations_from_ids(w.st.index[:2]).index.tolist(),
        lambda got, w: got == w.st.index[:2].tolist(),
    ),
    "a Point as point": (
        lambda _: len(api.stations_from_point(shapely.Point(HERE), 5)),
        lambda got, _: got == len(api.stations_from_point(HERE, 5)),
    ),
    "bounds of an array": (
        lambda _: len(api.stations_from_bbox(np.array(BOX.bounds))),
        lambda got, _: got == len(api.stations_from_bbox(BOX.bounds)),
    ),
    "two countries": (
        lambda _: set(api.stations_from_country(["NL", "BE"])["country_code"]),
        lambda got, _: got == {"NL", "BE"},
    ),
    "a whole float for k": (
        lambda w: len(api.nearest_stations(w.towns, w.st, 2.0)),
        lambda got, w: got == 2 * len(w.towns),
    ),
    "distances as a Series": (
        lambda w: api.coverage(w.areas.head(1), w.st, pd.Series([10, 5]))["within_km"].tolist(),
        lambda got, _: got == [5, 10],
    ),
    "people as text": (
        lambda w: api.density(
            w.areas.assign(p=w.areas["population"].astype(str)), w.st, population="p"
        )["sites_per_1000_people"].sum(),
        lambda got, w: (
            got
            == pytest.approx(
                api.density(w.areas, w.st, population="population")["sites_per_1000_people"].sum()
            )
        ),
    ),
    "the id as a column": (
        lambda w: api.nearest_stations(w.towns, w.st.reset_index())["ocm_id"].tolist(),
        lambda got, w: got == api.nearest_stations(w.towns, w.st)["ocm_id"].tolist(),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(w: SimpleNamespace, name: str) -> None:
    call, *words = MISTAKES[name]
    told = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call(w)
        except ocm.OCMError as error:
            told.append(str(error))
    plt.close("all")
    told += [str(one.message) for one in caught if issubclass(one.category, ocm.OCMWarning)]
    assert any(all(word in text for word in words) for text in told), told or "nothing was told"
    assert all(len(text) < 700 for text in told)


@pytest.mark.parametrize("name", RIGHT)
def test_what_looks_like_a_mistake_has_its_answer(w: SimpleNamespace, name: str) -> None:
    call, is_right = RIGHT[name]
    assert is_right(call(w), w)


def test_the_table_is_long_enough() -> None:
    assert len(MISTAKES) == sum(map(len, (QUESTIONS, MEASURES, ROUTES, TABLES)))
    assert len(MISTAKES) >= LEAST
