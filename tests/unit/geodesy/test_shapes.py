from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from ocm_geo import geodesy
from ocm_geo.errors import QueryError, RouteError


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 0), (5, 52), (179.99, 70), (-180, -65), (33, 89.95), (10, -90)]
)
def test_circles_hold_what_is_nearer_and_nothing_else(lon: float, lat: float) -> None:
    ring = geodesy.circle(lon, lat, 25, n_points=512)
    azimuth = np.linspace(0, 360, 200, endpoint=False)
    for km, inside in ((24.9, True), (25.1, False)):
        geod = geodesy.distance.GEOD
        x, y, _ = geod.fwd(np.full(200, lon), np.full(200, lat), azimuth, np.full(200, km * 1000))
        assert (geodesy.contains_lonlat(ring, x, y) == inside).all()
    assert ring.is_valid


@pytest.mark.parametrize("km", np.geomspace(0.1, 2000, 40))
def test_circles_over_the_antimeridian_have_the_area_of_a_disc(km: float) -> None:
    # A spherical cap of this radius; the ellipsoid differs by less than its flattening.
    cap = 2 * np.pi * 6371.0088**2 * (1 - np.cos(km / 6371.0088))
    for lat in (0.0, 52.0):
        assert geodesy.area_km2(geodesy.circle(179.99, lat, km)) == pytest.approx(cap, rel=0.01)


ROUTES = {
    "mid": [(5, 52), (5.4, 52.1), (5.2, 52.4)],
    "70N": [(20, 70), (22, 70.5), (21, 71)],
    "antimeridian": [(179.5, 66), (-179.5, 66.2), (179.8, 66.5)],
    "crosses itself": [(0, 40), (1, 41), (1, 40), (0, 41)],
    "long edge": [(0, 50), (8, 50)],
    "by the pole": [(0, 88.5), (120, 89)],
}


@pytest.mark.parametrize("name", ROUTES)
@pytest.mark.parametrize("within_km", [0.5, 5, 40])
def test_the_outline_of_a_corridor_is_at_the_distance(name: str, within_km: float) -> None:
    line = geodesy.Line(ROUTES[name])
    ground = geodesy.corridor_polygon(line, within_km)
    assert ground.is_valid
    edge = shapely.get_coordinates(shapely.segmentize(ground.boundary, 0.2))
    edge = edge[np.abs(edge[:, 0]) < 180]
    edge = edge[np.abs(edge[:, 1]) < 90]
    offset = line.locate(edge[:, 0], edge[:, 1]).offset_km
    assert np.min(offset) > within_km * 0.999
    assert np.max(offset) < within_km * 1.001


def test_a_wide_corridor_too() -> None:
    line = geodesy.Line(ROUTES["mid"])
    edge = shapely.get_coordinates(geodesy.corridor_polygon(line, 300).boundary)
    offset = line.locate(edge[:, 0], edge[:, 1]).offset_km
    assert np.min(offset) > 300 * 0.999
    assert np.max(offset) < 300 * 1.001


def test_a_loop_keeps_its_hole() -> None:
    square = geodesy.Line([(0, 50), (1, 50), (1, 51), (0, 51), (0, 50)])
    assert len(geodesy.corridor_polygon(square, 5).interiors) == 1


def test_areas_beyond_180_are_split() -> None:
    area = geodesy.as_polygons(shapely.box(170, 0, 190, 10))
    assert area.bounds == (-180, 0, 180, 10)
    inside = geodesy.contains_lonlat(area, [175, -175, 180, -180, 0, -169], [5] * 6)
    assert inside.tolist() == [True, True, True, True, False, False]


@pytest.mark.parametrize(
    ("area", "message"),
    [
        (shapely.Polygon(), "empty"),
        (shapely.Point(0, 0), "not a Point"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "make_valid"),
        (shapely.box(179, 0, -179, 1), "180"),
        (shapely.box(100_000, 0, 200_000, 1), "degrees"),
        (gpd.GeoSeries([shapely.box(0, 0, 1, 1)]), "coordinate reference system"),
        ("NL", "not a str"),
    ],
)
def test_wrong_areas_say_what_is_wrong(area: object, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        geodesy.as_polygons(area)


def test_frames_are_united_and_brought_to_lonlat() -> None:
    parts = gpd.GeoSeries([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs="EPSG:4326")
    area = geodesy.as_polygons(parts.to_crs("EPSG:3857"))
    assert area.bounds == pytest.approx((0, 0, 2, 1), abs=1e-9)


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (shapely.Point(0, 0), "Point"),
        (shapely.LineString(), "empty"),
        (shapely.LineString([(52, 105), (51, 104)]), "swapped"),
        (shapely.MultiLineString([[(0, 0), (1, 1)], [(5, 5), (6, 6)]]), "join"),
        ("polyline", "not a str"),
    ],
)
def test_wrong_routes_say_what_is_wrong(route: object, message: str) -> None:
    with pytest.raises(RouteError, match=message):
        geodesy.as_line(route)


def test_a_route_may_be_one_row_in_any_system() -> None:
    row = gpd.GeoSeries([shapely.LineString([(0, 0, 9), (1, 0, 9)])], crs="EPSG:4326")
    line = geodesy.as_line(row.to_crs("EPSG:3857"))
    assert not line.has_z
    assert shapely.get_coordinates(line) == pytest.approx(np.array([[0, 0], [1, 0]]), abs=1e-9)
    with pytest.raises(RouteError, match="one row"):
        geodesy.as_line(gpd.GeoSeries([line, line], crs="EPSG:4326"))


def test_the_area_of_the_whole_earth() -> None:
    # 510,065,621.7 km2 is the area of the WGS84 ellipsoid.
    whole = shapely.box(-180, -90, 180, 90)
    assert geodesy.area_km2(whole) == pytest.approx(510_065_621.7, rel=1e-6)
