from __future__ import annotations

import numpy as np
import pytest
import shapely

from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.query import Area, Box, Circle, Corridor, Ids

LON = np.array([-180.0, -179.5, 0.0, 5.0, 179.5, 180.0])
LAT = np.array([0.0, 10.0, 0.0, 52.0, -10.0, 0.0])
IDS = np.arange(1, 7)


def members(where: Box | Circle | Area | Corridor | Ids) -> list[int]:
    return sorted(IDS[where.select(IDS, LON, LAT).positions].tolist())


def test_box_borders_count_in() -> None:
    assert members(Box(0, 0, 5, 52)) == [3, 4]


def test_box_over_the_antimeridian() -> None:
    assert members(Box(179, -20, -179, 20)) == [1, 2, 5, 6]


def test_box_with_longitudes_beyond_180_is_wrapped() -> None:
    assert Box(170, -20, 190, 20) == Box(170, -20, -170, 20)
    assert members(Box(178, -20, 182, 20)) == [1, 2, 5, 6]


def test_box_that_ends_at_the_antimeridian_holds_both_names_of_it() -> None:
    assert members(Box(179.9, -1, 180, 1)) == [1, 6]
    assert members(Box(-180, -1, -179.9, 1)) == [1, 6]


@pytest.mark.parametrize("box", [(-180, -90, 180, 90), (10, -90, 370, 90), (-200, -90, 200, 90)])
def test_box_360_degrees_wide_is_everything(box: tuple[float, float, float, float]) -> None:
    assert members(Box(*box)) == IDS.tolist()


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((0, 10, 1, 5), "south=10 is greater than north=5"),
        ((0, -91, 1, 5), "south=-91 is not a latitude"),
        ((0, 0, float("nan"), 5), "finite"),
        ((0, 0, "1", 5), "a finite number"),
        ((0, 0, 1000, 5), "east=1000 is not a longitude"),
    ],
)
def test_wrong_boxes_say_what_is_wrong(box: tuple[float, ...], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        Box(*box)


def test_circle_measures_geodesic_kilometres() -> None:
    with pytest.warns(SuspectInput, match="pass radius_km=6"):
        found = Circle(0, 0, 6000).select(IDS, LON, LAT)
    assert IDS[found.positions].tolist() == [3, 4]
    # A quarter of the way to the pole on WGS84 is 5,763.35 km for 52 degrees (pyproj geod).
    assert found.measures["distance_km"] == pytest.approx([0, 5782.5], abs=30)


@pytest.mark.parametrize("radius", [0, -1, float("inf"), "5", True, 30_000])
def test_circle_needs_a_possible_radius(radius: float) -> None:
    with pytest.raises(QueryError, match="radius_km"):
        Circle(0, 0, radius)


def test_area_honours_holes() -> None:
    shell = shapely.box(-10, -10, 10, 60)
    assert members(Area(shell)) == [3, 4]
    assert members(Area(shell.difference(shapely.box(4, 51, 6, 53)))) == [3]


def test_corridor_gives_position_along() -> None:
    found = Corridor(shapely.LineString([(-1, 0), (1, 0)]), 1).select(IDS, LON, LAT)
    assert IDS[found.positions].tolist() == [3]
    # One degree of the equator is 2 pi a / 360 = 111.3195 km on WGS84.
    assert found.measures["along_km"][0] == pytest.approx(111.3195, abs=1e-4)


def test_ids_are_positive_whole_numbers() -> None:
    assert Ids([3, 1, 3]).ids == (1, 3)  # type: ignore[arg-type]
    for wrong in ([], [0], [-5], [1.5], ["D7FC190B-FC68"], [True]):
        with pytest.raises(QueryError):
            Ids(wrong)  # type: ignore[arg-type]
