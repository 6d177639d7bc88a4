from __future__ import annotations

import json
import urllib.parse
from typing import Any

import geopandas as gpd
import ipyleaflet
import mapclassify
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.plots.schemes import scheme_classes
from ocm_geo.widgets.land import land_features
from ocm_geo.widgets.symbols import symbol_codes, symbol_style
from ocm_geo.widgets.view import View, degrees_of, pixels_of


@pytest.fixture(scope="module")
def sample() -> gpd.GeoDataFrame:
    return ocm.stations(source=ocm.sample())


@pytest.fixture(scope="module")
def table(sample: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    found = ocm.coverage(ocm.sample_areas(), sample, [2, 5, 10])
    found["area_share_low"] = found["area_share"] * 0.5
    found["area_share_high"] = found["area_share"]
    return found


def sent(shown: ipyleaflet.Map) -> int:
    """Bytes of land, stations and counts that a view sends to the browser."""
    parts = [part for top in shown.layers for part in (top.layers or (top,))]
    assert len(parts) == 3
    return sum(len(json.dumps(p.data)) if hasattr(p, "data") else len(p.url) for p in parts)


def test_pixels_are_those_of_web_mercator() -> None:
    lon, lat = np.array([5.1, -120.0]), np.array([52.1, -33.0])
    x, y = pixels_of(lon, lat, 8)
    metres = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=4326).to_crs(3857)
    scale = 256 * 2**8 / (2 * np.pi * 6378137)
    assert x == pytest.approx((metres.x + np.pi * 6378137) * scale)
    assert y == pytest.approx((np.pi * 6378137 - metres.y) * scale)
    assert degrees_of(float(x[0]), float(y[0]), 8) == pytest.approx((5.1, 52.1))


def test_a_view_over_the_antimeridian() -> None:
    view = View.around(np.array([178.0, -178.0]), np.array([-18.0, -17.0]))
    rows, lon = view.copies(np.array([179.0, -179.0, 0.0, np.nan]), np.full(4, -17.0))
    assert rows.tolist() == [0, 1]
    assert np.ptp(lon) == pytest.approx(2)
    assert abs(view.centre[1]) == pytest.approx(180)
    assert view.zoom > 5


def test_status_and_power_have_looks_of_their_own(sample: gpd.GeoDataFrame) -> None:
    three = sample[sample["max_power_kw"] >= 150].iloc[[0, 0, 0]].copy()
    three["status_type_id"] = pd.array([50, 100, pd.NA], dtype="Int64")
    codes = symbol_codes(three)
    assert (codes % 3).tolist() == [0, 1, 2]
    looks = {json.dumps(symbol_style(code)) for code in range(15)}
    assert len(looks) == 15


def test_a_layer_on_ones_own_map(sample: gpd.GeoDataFrame) -> None:
    own = ipyleaflet.Map(center=(52, 5), zoom=8)
    layer = ocm.StationLayer(sample).add_to(own)
    assert layer.layer in own.layers
    picked: list[gpd.GeoDataFrame] = []
    layer.on_select(picked.append)
    layer.select([int(sample.index[0])])
    assert picked[0].index.tolist() == [sample.index[0]]
    with pytest.raises(ocm.QueryError, match="already"):
        layer.add_to(own)
    layer.remove()
    assert layer.layer not in own.layers
    with pytest.raises(ocm.QueryError, match="must be an ipyleaflet"):
        layer.add_to("map")


def test_stations_at_one_place_share_a_popup(sample: gpd.GeoDataFrame) -> None:
    doubled = sample.iloc[:2].copy()
    doubled = doubled.set_geometry([shapely.Point(5, 52)] * 2, crs=4326)
    own = ipyleaflet.Map(center=(52, 5), zoom=8)
    layer = ocm.StationLayer(doubled).add_to(own)
    features = layer._points.data["features"]
    layer._points._click_callbacks(feature=features[0], coordinates=[52, 5], event="click")
    assert layer._popup is not None
    text = layer._popup.child.value
    assert "2 stations at this position" in text
    assert all(title in text for title in doubled["title"])


def test_a_view_sends_little_whatever_the_number(sample: gpd.GeoDataFrame) -> None:
    rng = np.random.default_rng(3)
    n = 200_000
    many = sample.iloc[rng.integers(0, len(sample), n)]
    many.index = pd.RangeIndex(1, n + 1, name="ocm_id")
    points = gpd.points_from_xy(rng.uniform(-10, 30, n), rng.uniform(36, 65, n), crs=4326)
    shown = ocm.station_map(many.set_geometry(points), basemap="offline")
    for zoom in range(3, 13):
        shown.zoom = zoom
        wide = 1200 * 360 / 256 / 2**zoom
        high = wide * 0.35
        shown.set_state({"west": 10 - wide / 2, "east": 10 + wide / 2, "south": 50 - high / 2,
                         "north": 50 + high / 2})  # fmt: skip
        assert sent(shown) < 200_000


def test_counts_are_written_where_the_groups_are(sample: gpd.GeoDataFrame) -> None:
    own = ipyleaflet.Map(center=(52, 5), zoom=7)
    layer = ocm.StationLayer(sample, max_markers=10).add_to(own)
    assert layer.shown == "groups"
    text = urllib.parse.unquote(layer._labels.url)
    counts = [f["properties"]["count"] for f in layer._points.data["features"]]
    assert sum(counts) == len(layer.visible)
    assert text.count("<text") == sum(count > 1 for count in counts)


def test_a_click_on_a_group_goes_nearer(sample: gpd.GeoDataFrame) -> None:
    own = ipyleaflet.Map(center=(52, 5), zoom=7)
    layer = ocm.StationLayer(sample, max_markers=10).add_to(own)
    group = max(layer._points.data["features"], key=lambda f: f["properties"]["count"])
    layer._points._click_callbacks(feature=group, coordinates=[0, 0], event="click")
    assert own.zoom > 7
    assert own.center == group["geometry"]["coordinates"][::-1]


def test_the_land_is_cut_to_the_view_and_turned() -> None:
    (here,) = land_features((3, 50, 8, 54), 0.01, {})
    (there,) = land_features((363, 50, 368, 54), 0.01, {})
    first, second = (shapely.geometry.shape(f["geometry"]) for f in (here, there))
    assert second.bounds == pytest.approx(np.add(first.bounds, (360, 0, 360, 0)), abs=0.02)
    assert land_features((-30, 30, -29, 31), 0.01, {}) == []


def test_route_map(sample: gpd.GeoDataFrame) -> None:
    shown = ocm.route_map(ocm.sample_route(), sample.to_crs(3857), 3, basemap="none")
    gaps = ocm.route_gaps(ocm.sample_route(), sample, within_km=3)
    content = shown.strip.content
    assert len(content["gaps"]) == len(gaps)
    assert content["gaps"][-1]["end"] == pytest.approx(content["length_km"])
    along = ocm.stations_from_route(ocm.sample_route(), 3, source=ocm.sample())
    assert {s["id"] for s in content["stations"]} == set(along.index)
    shown.strip.marked = {"station": int(along.index[0])}
    (mark,) = shown._marks.data["features"]
    assert mark["geometry"]["coordinates"] == pytest.approx(
        shapely.get_coordinates(along.geometry.iloc[0])[0], abs=1e-5
    )
    shown.strip.marked = {"gap": int(np.argmax(gaps["length_km"]))}
    assert shown._marks.data["features"][0]["geometry"]["type"] == "LineString"


def test_route_map_by_a_standard(sample: gpd.GeoDataFrame) -> None:
    shown = ocm.route_map(ocm.sample_route(), sample, 3, "afir-ldv-core-2025", basemap="none")
    verdict = ocm.assess_route(ocm.sample_route(), sample, "afir-ldv-core-2025")
    assert shown.verdict is not None
    assert shown.verdict.share == verdict.share
    assert len(shown.gaps) == len(verdict.segments)
    with pytest.raises(ocm.QueryError, match="afir"):
        ocm.route_map(ocm.sample_route(), sample, 3, "afir-ldv-core-1925")
    with pytest.raises(TypeError):
        ocm.route_map(ocm.sample_route(), sample, 3, colour="red")  # type: ignore[call-arg]


@pytest.mark.filterwarnings("ignore:Numba")
@pytest.mark.parametrize("scheme", ["quantiles", "equal_interval", "FisherJenks"])
def test_classes_are_those_of_mapclassify(scheme: str) -> None:
    values = np.random.default_rng(2).gamma(2, 3, 300)
    classes = scheme_classes(np.append(values, np.nan), "nearest_km", scheme, 5)
    theirs = mapclassify.classify(values, scheme.replace("_", ""), k=5)
    assert (*classes.bounds, float(np.max(values))) == pytest.approx(tuple(theirs.bins))
    assert np.bincount(classes.position(values)).tolist() == theirs.counts.tolist()
    assert classes.position(np.array([np.nan])).tolist() == [-1]
    assert classes.labels[0].endswith(" km")


def test_bounds_and_distances_can_be_chosen(table: gpd.GeoDataFrame) -> None:
    layer = ocm.CoverageLayer(table, column="area_share")
    assert layer.choices is not None
    assert list(layer._bound.options) == ["low", "central", "high"]
    assert layer._within.value == 5
    central = [f["properties"]["style"] for f in layer.layer.data["features"]]
    layer._bound.value = "low"
    low = [f["properties"]["style"] for f in layer.layer.data["features"]]
    assert central != low
    layer._show_value(layer.layer.data["features"][3])
    row = table[table["within_km"] == 5]["area_share_low"].iloc[3]
    assert f"{100 * row:.1f} %" in layer._value.value
    # The legend itself was left alone: folded away, it stays so.
    assert "%" in layer._key.value
    assert f"{100 * row:.1f} %" not in layer._key.value
    plain = table.drop(columns=["area_share_low", "area_share_high"])
    assert ocm.CoverageLayer(plain, column="area_share", within_km=5).choices is None


def test_driving_times_can_be_chosen(table: gpd.GeoDataFrame) -> None:
    by_road = table.rename(columns={"within_km": "minutes"})
    layer = ocm.CoverageLayer(by_road, column="area_share")
    assert [text for text, _ in layer._within.options] == [
        f"{step:g} min" for step in np.unique(by_road["minutes"])
    ]
    assert "within 5 min" in layer._key.value
    assert ocm.CoverageLayer(by_road, column="area_share", minutes=5)._steps == [5.0]
    with pytest.raises(ocm.QueryError, match="no column 'within_km'"):
        ocm.CoverageLayer(by_road, column="area_share", within_km=5)


def test_missing_values_are_shown_as_such(table: gpd.GeoDataFrame) -> None:
    holed = table.assign(area_share=table["area_share"].astype("Float64"))
    holed.iloc[1, holed.columns.get_loc("area_share")] = pd.NA
    shown = ocm.coverage_map(holed, column="area_share", within_km=5, basemap="none")
    features = next(x for x in shown.layers if x.name == "area_share").data["features"]
    assert sum("dashArray" in f["properties"]["style"] for f in features) == 1


def test_very_many_cells_are_one_shape_a_class() -> None:
    x, y = np.meshgrid(np.arange(80) * 0.1, 50 + np.arange(80) * 0.05)
    cells = shapely.box(x.ravel(), y.ravel(), x.ravel() + 0.1, y.ravel() + 0.05)
    grid = gpd.GeoDataFrame({"nearest_km": np.hypot(x, y - 50).ravel()}, geometry=cells, crs=4326)
    layer = ocm.CoverageLayer(grid, scheme="quantiles", k=4)
    assert len(layer.layer.data["features"]) == 4
    parts = [len(f["geometry"]["coordinates"]) for f in layer.layer.data["features"]]
    assert sum(parts) == 6400


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"column": "nothing"}, "no column"),
        ({"column": "area_share", "scheme": "magic"}, "scheme"),
        ({"column": "area_share", "scheme": "quantile"}, "did you mean 'Quantiles'"),
        ({"column": "area_share", "scheme": 3}, "scheme"),
        ({"column": "area_share", "k": 1}, "classes"),
        ({"column": "area_share", "k": 2.5}, "classes"),
        ({"column": "area_share", "within_km": 7}, "not in the table"),
        ({"column": "population_share"}, "no value"),
    ],
)
def test_coverage_options_are_checked(
    table: gpd.GeoDataFrame, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        ocm.coverage_map(table, **options)


def test_a_wide_map_shows_stations_on_every_copy_of_the_world(sample: gpd.GeoDataFrame) -> None:
    own = ipyleaflet.Map(center=(20, 0), zoom=2)
    layer = ocm.StationLayer(sample, max_markers=10).add_to(own)
    own.set_state({"west": -200.0, "south": -60.0, "east": 400.0, "north": 75.0})
    groups = layer._points.data["features"]
    assert sum(f["properties"]["count"] for f in groups) == 2 * len(sample)
    assert len(layer.visible) == len(sample)


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(west, south, east, north)


def test_areas_over_the_antimeridian_are_drawn_side_by_side() -> None:
    east = shapely.MultiPolygon([box(179, -45, 180, -43), box(-180, -45, -176, -43)])
    table = gpd.GeoDataFrame(
        {"nearest_km": [1.0, 2.0]}, geometry=[box(170, -47, 178, -35), east], crs=4326
    )
    layer = ocm.CoverageLayer(table)
    assert list(layer.bounds) == [170, -47, 184, -35]
    drawn = [shapely.geometry.shape(f["geometry"]).bounds for f in layer.layer.data["features"]]
    assert drawn[1] == (179, -45, 184, -43)
    shown = ocm.coverage_map(table, basemap="none")
    assert shown.center[1] == pytest.approx(177)
    assert shown.zoom == 5


def test_the_world_is_shown_with_greenwich_in_the_middle() -> None:
    halves = [box(-180, -60, 0, 70), box(0, -60, 180, 70)]
    table = gpd.GeoDataFrame({"nearest_km": [1.0, 2.0]}, geometry=halves, crs=4326)
    assert ocm.coverage_map(table, basemap="none").center[1] == pytest.approx(0)


def test_areas_without_a_shape_and_points(table: gpd.GeoDataFrame) -> None:
    one = table[table["within_km"] == 5].copy()
    one.loc[one.index[0], "geometry"] = None
    layer = ocm.CoverageLayer(one, column="area_share")
    assert len(layer.layer.data["features"]) == len(one) - 1
    points = one.set_geometry(one.geometry.representative_point())
    with pytest.raises(ocm.QueryError, match="rows are not polygons"):
        ocm.CoverageLayer(points.iloc[1:], column="area_share")
    with pytest.raises(ocm.QueryError, match="at least one polygon"):
        ocm.CoverageLayer(one.iloc[:1], column="area_share")
    with pytest.raises(ocm.QueryError, match="infinite"):
        ocm.CoverageLayer(one.assign(area_share=np.inf), column="area_share")


@pytest.mark.filterwarnings("ignore:Numba")
@pytest.mark.parametrize("scheme", ["std_mean", "box_plot", "quantiles"])
def test_every_class_begins_below_its_end(scheme: str) -> None:
    values = np.random.default_rng(1).gamma(2, 3, 100)
    classes = scheme_classes(values, "nearest_km", scheme, 5)
    edges = [float(np.min(values)), *classes.bounds, float(np.max(values))]
    assert np.all(np.diff(edges) > 0)
    assert (np.bincount(classes.position(values)) > 0).all()
    # Edges are written so finely that a value is never read into the class beside its own.
    for label, edge in zip(classes.labels, edges[1:], strict=True):
        written = float(label.split(" to ")[1].removesuffix(" km"))
        assert abs(written - edge) < 0.1 * float(np.min(np.diff(edges)))


def test_stations_without_a_position_are_counted(sample: gpd.GeoDataFrame) -> None:
    holed = sample.head(20).copy()
    holed.loc[holed.index[3], "geometry"] = None
    holed.loc[holed.index[4], "geometry"] = shapely.Point()
    layer = ocm.StationLayer(holed)
    assert layer.n_unplaced == 2
    assert len(layer.stations) == 18
    shown = ocm.station_map(holed, basemap="none")
    notes = [c.widget.value for c in shown.controls if isinstance(c, ipyleaflet.WidgetControl)
             and hasattr(c.widget, "value")]  # fmt: skip
    assert any("2 stations without a position are not shown" in text for text in notes)
    wide = holed.set_geometry(holed.geometry.apply(lambda p: p and p.buffer(1)), crs=4326)
    with pytest.raises(ocm.QueryError, match="rows are not points"):
        ocm.station_map(wide)


def test_a_station_far_off_does_not_shrink_the_first_view(sample: gpd.GeoDataFrame) -> None:
    stray = sample.copy()
    stray.loc[stray.index[0], "geometry"] = shapely.Point(0, 0)
    shown = ocm.station_map(stray, basemap="none")
    assert shown.zoom == ocm.station_map(sample, basemap="none").zoom


@pytest.mark.parametrize("places", [[(0, 90), (10, -90)], [(180, -17), (-180, -17)], [(5, 52)] * 2])
def test_stations_at_the_ends_of_the_earth(
    sample: gpd.GeoDataFrame, places: list[tuple[float, float]]
) -> None:
    two = sample.iloc[:2].set_geometry(gpd.points_from_xy(*zip(*places, strict=True), crs=4326))
    own = ipyleaflet.Map(center=(0, 170), zoom=2)
    own.set_state({"west": -30.0, "south": -86.0, "east": 370.0, "north": 86.0})
    layer = ocm.StationLayer(two).add_to(own)
    assert len(layer.visible) == 2
    json.dumps(layer._points.data, allow_nan=False)
    shown = ocm.station_map(two, basemap="none")
    assert np.isfinite([*shown.center, shown.zoom]).all()
