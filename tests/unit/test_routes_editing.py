"""Routes measured, turned, cut, marked and thinned: known answers and wrong arguments."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from ocm_geo.errors import QueryError, RouteError
from ocm_geo.geodesy import Line, to_ecef_km
from ocm_geo.routes import (
    route_length_km,
    route_points_every,
    route_reverse,
    route_simplify,
    route_substring,
)
from ocm_geo.routes.simplifying import _estimate_offset_km

GEOD = Geod(ellps="WGS84")
EQUATOR = shapely.LineString([(0, 0), (1, 0), (2, 0)])
ZIGZAG = shapely.LineString([(5 + i / 100, 52 + (i % 2) / 1000) for i in range(40)])
OVER_180 = shapely.LineString([(178, 70), (179.5, 70.2), (-179, 70.1), (-177.5, 70)])


def geod_km(line: shapely.LineString) -> float:
    return float(GEOD.geometry_length(line)) / 1000


@pytest.mark.parametrize("route", [EQUATOR, ZIGZAG])
def test_length_is_pyprojs(route: shapely.LineString) -> None:
    assert route_length_km(route) == pytest.approx(geod_km(route), abs=1e-9)


def test_length_over_the_antimeridian_takes_the_short_way() -> None:
    assert route_length_km(OVER_180) == pytest.approx(
        geod_km(shapely.LineString([(178, 70), (179.5, 70.2), (181, 70.1), (182.5, 70)])), abs=1e-9
    )


def test_length_of_a_projected_frame() -> None:
    frame = gpd.GeoDataFrame(geometry=[ZIGZAG], crs="EPSG:4326").to_crs("EPSG:3035")
    assert route_length_km(frame) == pytest.approx(geod_km(ZIGZAG), abs=1e-6)


def test_reverse_twice_is_the_route() -> None:
    assert route_reverse(ZIGZAG).coords[0] == ZIGZAG.coords[-1]
    assert route_reverse(route_reverse(ZIGZAG)) == ZIGZAG


@pytest.mark.parametrize("route", [EQUATOR, ZIGZAG, OVER_180])
def test_pieces_have_the_length_asked_for(route: shapely.LineString) -> None:
    whole = route_length_km(route)
    marks = np.linspace(0, whole, 8)
    for start, end in pairwise(marks):
        piece = route_substring(route, start, end)
        assert route_length_km(piece) == pytest.approx(end - start, abs=1e-6)


def test_a_piece_without_ends_is_the_route() -> None:
    assert route_substring(ZIGZAG) == ZIGZAG


def test_a_piece_keeps_the_vertices_between_its_ends() -> None:
    piece = route_substring(EQUATOR, 100, 200)
    assert shapely.get_coordinates(piece)[1].tolist() == [1.0, 0.0]
    assert piece.coords[0][0] == pytest.approx(100 / 111.31949, abs=1e-7)


@pytest.mark.parametrize(
    ("start", "end"),
    [(-1, 10), (0, 1000), (50, 50), (60, 50), ("0", 5), (0, float("nan")), (0, True)],
)
def test_pieces_that_are_none(start: float, end: float) -> None:
    with pytest.raises(QueryError):
        route_substring(EQUATOR, start, end)


def test_marks_stand_at_equal_steps() -> None:
    marks = route_points_every(ZIGZAG, 3)
    assert marks.crs == "EPSG:4326"
    assert marks["along_km"].tolist() == [3.0 * i for i in range(len(marks))]
    assert marks["along_km"].iloc[-1] <= route_length_km(ZIGZAG) < marks["along_km"].iloc[-1] + 3


def test_the_end_is_a_mark_where_a_step_falls_on_it() -> None:
    whole = route_length_km(ZIGZAG)
    marks = route_points_every(ZIGZAG, whole / 7)
    assert len(marks) == 8
    assert marks.geometry.iloc[-1].coords[0] == ZIGZAG.coords[-1]


@pytest.mark.parametrize("step", [0, -1, float("nan"), 1e-9, "5"])
def test_steps_that_are_none(step: float) -> None:
    with pytest.raises(QueryError):
        route_points_every(EQUATOR, step)


def test_a_straight_route_keeps_its_ends_only() -> None:
    straight = shapely.LineString([(5 + i / 100, 0) for i in range(50)])
    assert len(route_simplify(straight, 1e-5).coords) == 2


def test_the_bound_decides_what_stays() -> None:
    # The teeth are 0.001 degrees of latitude high: 111.3 m at 52 degrees north.
    assert len(route_simplify(ZIGZAG, 0.112).coords) == 2
    assert len(route_simplify(ZIGZAG, 0.02).coords) == 40


def test_a_loop_driven_twice_stays_two_loops() -> None:
    angle = np.linspace(0, 4 * np.pi, 201)
    loop = shapely.LineString(np.column_stack([5 + 0.1 * np.cos(angle), 52 + 0.1 * np.sin(angle)]))
    simple = route_simplify(loop, 0.05)
    assert len(simple.coords) < 100
    assert route_length_km(simple) == pytest.approx(route_length_km(loop), rel=0.01)


def test_a_loop_of_three_points_survives_any_bound() -> None:
    there_and_back = shapely.LineString([(5, 52), (5.2, 52), (5, 52)])
    assert route_simplify(there_and_back, 900) == there_and_back


def test_a_long_edge_is_a_geodesic() -> None:
    # Half way between, the geodesic runs 42 km north of the parallel.
    parallel = shapely.LineString([(-10, 60), (0, 60), (10, 60)])
    assert len(route_simplify(parallel, 41).coords) == 3
    assert len(route_simplify(parallel, 43).coords) == 2


@pytest.mark.parametrize("bound_km", [0.05, 1.0, 30.0])
def test_a_long_winding_route_keeps_its_bound(bound_km: float) -> None:
    step = np.arange(3000)
    bearing = np.sin(step / 200) + np.sin(step / 37) * 0.5
    lonlat = np.cumsum(np.column_stack([np.cos(bearing), np.sin(bearing)]) * 0.01, axis=0)
    route = shapely.LineString(lonlat + np.array([5, 40]))
    simple = route_simplify(route, bound_km)
    assert 2 <= len(simple.coords) < 2000
    assert np.max(Line(simple).locate(*shapely.get_coordinates(route).T).offset_km) <= bound_km
    # Each inner vertex is there for a reason: shapely, with the planar bound, keeps as many.
    planar = route.simplify(bound_km / 111.3, preserve_topology=False)
    assert len(simple.coords) == pytest.approx(len(planar.coords), rel=0.5, abs=6)


@pytest.mark.parametrize("size_km", [0.5, 40, 900, 2900])
def test_the_error_of_an_estimated_offset_is_within_its_bound(size_km: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(60):
        start = (rng.uniform(-180, 180), np.degrees(np.arcsin(rng.uniform(-1, 1))))
        ends = GEOD.fwd(
            [start[0]] * 2, [start[1]] * 2, rng.uniform(0, 360, 2), rng.uniform(0, 1e3, 2) * size_km
        )
        (end_lon, lon), (end_lat, lat) = ends[0], ends[1]
        line = Line([start, (end_lon, end_lat)])
        exact = line.locate([lon], [lat]).offset_km[0]
        found, error = _estimate_offset_km(
            to_ecef_km(*line.coords.T), np.array([0]), to_ecef_km([lon], [lat])
        )
        assert abs(found[0] - exact) <= error[0]


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(5, 52),
        shapely.LineString(),
        shapely.LineString([(5, 52), (5, 52)]),
        shapely.LineString([(52, 105), (53, 106)]),
        shapely.MultiLineString([[(5, 52), (6, 52)], [(7, 52), (8, 52)]]),
        "POINT (5 52)",
        None,
    ],
)
def test_what_is_no_route(shape: object) -> None:
    with pytest.raises(RouteError):
        route_length_km(shape)


def test_a_frame_without_reference_system() -> None:
    with pytest.raises(QueryError, match="coordinate reference system"):
        route_length_km(gpd.GeoDataFrame(geometry=[ZIGZAG]))
