from __future__ import annotations

import pickle

import numpy as np
import pyproj
import pytest
import shapely

from ocm_geo.errors import QueryError, RouteError
from ocm_geo.geodesy import Line

GEOD = pyproj.Geod(ellps="WGS84")


def test_length_is_that_of_pyproj_over_the_antimeridian() -> None:
    lon, lat = [179.0, -179.5, 178.0], [65.0, 66.0, 67.0]
    assert Line(np.column_stack([lon, lat])).length_km == pytest.approx(
        GEOD.line_length(lon, lat) / 1000, abs=1e-9
    )


def test_repeated_vertices_are_dropped_and_one_is_no_route() -> None:
    assert len(Line([(0, 0), (0, 0), (1, 0)]).coords) == 2
    with pytest.raises(RouteError, match="two different"):
        Line([(5, 5), (5, 5)])


def test_points_along_lie_on_the_geodesic() -> None:
    line = Line([(0, 50), (10, 50)])
    lon, lat, _ = GEOD.fwd(0, 50, GEOD.inv(0, 50, 10, 50)[0], 100_000)
    assert line.point_at(100)[0] == pytest.approx([lon, lat], abs=1e-12)
    assert line.point_at([-5, 1e6]).tolist() == [[0, 50], [10, 50]]


def test_a_piece_has_its_length_and_keeps_the_vertices() -> None:
    line = Line([(179.9, 0), (-179.9, 0.1), (-179.5, 0.3)])
    piece = line.substring(5, 40)
    assert piece.length < 1
    assert Line(piece).length_km == pytest.approx(35, abs=1e-9)
    assert shapely.get_num_points(piece) == 3


def test_left_right_and_on() -> None:
    hits = Line([(0, 0), (0, 1)]).locate([-0.1, 0.1, 0.0], [0.5, 0.5, 0.5])
    assert hits.side.tolist() == ["left", "right", "on"]


def test_off_a_corner_is_outside_of_it() -> None:
    # North, then back south-west in a hairpin to the left: beyond the tip lies the right.
    line = Line([(0, 0), (0, 1), (-0.5, 0.2)])
    assert line.locate([0.0, 0.05], [1.2, 1.1]).side.tolist() == ["right", "right"]
    other = Line([(0, 0), (0, 1), (0.5, 0.2)])
    assert other.locate([0.0, -0.05], [1.2, 1.1]).side.tolist() == ["left", "left"]


def test_beyond_the_ends_the_ends_are_nearest() -> None:
    line = Line([(0, 0), (1, 0)])
    hits = line.locate([-1, 2], [0.1, 0])
    assert hits.along_km.tolist() == pytest.approx([0, line.length_km])
    assert hits.offset_km[1] == pytest.approx(111.31949079, abs=1e-6)


def test_of_equally_near_places_the_first_counts() -> None:
    there_and_back = Line([(0, 0), (1, 0), (0, 0)])
    hits = there_and_back.locate([0.25], [0.1])
    assert hits.along_km[0] == pytest.approx(0.25 * 111.31949079, abs=1e-6)
    assert hits.side.tolist() == ["left"]


def test_every_passage_of_a_route_that_comes_back() -> None:
    there_and_back = Line([(0, 0), (1, 0), (0, 0)])
    hits = there_and_back.locate([0.25], [0.1], within_km=20, passages="all")
    degree = 111.31949079
    assert hits.along_km.tolist() == pytest.approx([0.25 * degree, 1.75 * degree], abs=1e-6)
    assert hits.side.tolist() == ["left", "right"]


def test_a_stretch_within_reach_is_one_passage_however_many_vertices() -> None:
    wave = [(i / 1000, 0.001 * (-1) ** i) for i in range(200)]
    hits = Line(wave).locate([0.1], [0.01], within_km=5, passages="all")
    assert len(hits.position) == 1


def test_a_loop_that_ends_where_it_began_is_passed_twice() -> None:
    loop = Line([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
    hits = loop.locate([-0.01], [-0.01], within_km=3, passages="all")
    assert hits.along_km.tolist() == pytest.approx([0, loop.length_km], abs=1e-6)


def test_passages_need_a_distance() -> None:
    line = Line([(0, 0), (1, 0)])
    with pytest.raises(QueryError, match="within_km"):
        line.locate([0], [0], passages="all")
    with pytest.raises(QueryError, match="nearest"):
        line.locate([0], [0], passages="some")  # type: ignore[arg-type]


def test_a_line_survives_pickling() -> None:
    line = Line([(0, 0), (1, 0)])
    assert pickle.loads(pickle.dumps(line)).length_km == line.length_km  # noqa: S301 - our own


def test_no_points_give_no_hits() -> None:
    hits = Line([(0, 0), (1, 0)]).locate([], [])
    assert [len(column) for column in hits] == [0, 0, 0, 0]
