"""Encoded polylines: known answers, and what is refused or suspected."""

from __future__ import annotations

import math

import polyline
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from ocm_geo.errors import QueryError, RouteError, SuspectInput
from ocm_geo.routes import route_from_polyline, route_to_polyline
from ocm_geo.routes.polylines import decode

# The example of Google's description of the format.
GOOGLE = "_p~iF~ps|U_ulLnnqC_mqNvxq`@"
GOOGLE_LONLAT = [(-120.2, 38.5), (-120.95, 40.7), (-126.453, 43.252)]

UTRECHT = [(5.12, 52.09), (5.13, 52.0915), (5.14, 52.1), (5.16, 52.11)]


def encoded(lonlat: list[tuple[float, float]], precision: int) -> str:
    text: str = polyline.encode(lonlat, precision, geojson=True)
    return text


def test_google_example_both_ways() -> None:
    route = route_from_polyline(GOOGLE)
    assert list(route.coords) == GOOGLE_LONLAT
    assert route_to_polyline(route) == GOOGLE


@pytest.mark.parametrize("precision", [5, 6])
def test_round_trip(precision: int) -> None:
    route = shapely.LineString(UTRECHT)
    text = route_to_polyline(route, precision)
    assert list(route_from_polyline(text, precision).coords) == UTRECHT


def test_repeated_points_are_dropped() -> None:
    text = encoded([UTRECHT[0], UTRECHT[0], UTRECHT[1]], 5)
    assert list(route_from_polyline(text).coords) == UTRECHT[:2]


def test_white_space_round_the_text_is_no_part_of_it() -> None:
    assert route_from_polyline(f" {GOOGLE}\n") == route_from_polyline(GOOGLE)


def test_longitudes_that_run_on_are_wrapped() -> None:
    route = route_from_polyline(encoded([(179.0, -17.0), (181.5, -16.0)], 5))
    assert list(route.coords) == [(179.0, -17.0), (-178.5, -16.0)]


def test_precision_6_read_as_5_names_the_other() -> None:
    with pytest.raises(RouteError, match=r"latitude 520\.9.*precision=6 makes it a route of"):
        route_from_polyline(encoded(UTRECHT, 6))


def test_precision_5_read_as_6_is_suspect() -> None:
    with pytest.warns(SuspectInput, match=r"off West Africa; precision=5 makes it"):
        route = route_from_polyline(encoded(UTRECHT, 5), 6)
    assert route.coords[0] == pytest.approx((0.512, 5.209))


def test_tiny_edges_inland_at_precision_6_are_suspect() -> None:
    # Tromsø shrinks into Benin: land, but edges of 2.8 metres.
    street = [(18.95 + i / 4000, 69.65) for i in range(20)]
    with pytest.warns(SuspectInput, match=r"no longer than 2\.8 m"):
        route_from_polyline(encoded(street, 5), 6)


def test_a_road_in_ghana_is_not_suspect() -> None:
    road = [(-1.6 + i / 500, 6.7) for i in range(20)]
    assert len(route_from_polyline(encoded(road, 6), 6).coords) == 20


def test_a_far_jump_is_suspect() -> None:
    street = [(5 + i / 1000, 52.0) for i in range(20)]
    with pytest.warns(SuspectInput, match=r"jumps 1112 km between its points 10 and 11"):
        route_from_polyline(encoded([*street[:10], (5.0, 42.0), *street[10:]], 5))


def test_leaps_all_along_are_suspect() -> None:
    leaps = [(float(x), 50.0) for x in range(0, 60, 5)]
    with pytest.warns(SuspectInput, match="most of its 11 edges are longer than 100 km"):
        route_from_polyline(encoded(leaps, 5))


@pytest.mark.parametrize("cut", [1, 2])
def test_text_that_breaks_off(cut: int) -> None:
    with pytest.raises(RouteError, match="ends in the middle of a point"):
        route_from_polyline(GOOGLE[:-cut])


def test_one_doubled_backslash_is_found() -> None:
    text = encoded([(5.0, 52.0), (4.99985, 52.1), (5.0, 52.2)], 5)
    assert text.count("\\") == 1
    with pytest.raises(RouteError, match=r"backslashes are doubled.*at precision 5"):
        route_from_polyline(text.replace("\\", "\\\\"))


def test_an_even_number_of_doubled_backslashes_is_suspect() -> None:
    text = encoded([(5.0, 52.0), (4.99985, 52.1), (5.0, 52.2), (4.99985, 52.3)], 5)
    assert text.count("\\") == 2
    with pytest.warns(SuspectInput, match="backslashes"):
        route_from_polyline(text.replace("\\", "\\\\"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("_p~iF%7Eps", "unquote"),
        ("(52,5),(52,6)", "LineString"),
        ("_p~iF\n~ps|U", "backslash"),
        ("_p~iFäps", "'ä' at position 5"),
    ],
)
def test_foreign_characters(text: str, hint: str) -> None:
    with pytest.raises(RouteError, match=hint):
        route_from_polyline(text)


def test_swapped_coordinates_are_named() -> None:
    swapped = encoded([(lat, lon) for lon, lat in GOOGLE_LONLAT], 5)
    with pytest.raises(RouteError, match="swapped"):
        route_from_polyline(swapped)


@pytest.mark.parametrize("text", ["", "  ", "??", "????", "~" * 500 + "???"])
def test_texts_that_are_no_route(text: str) -> None:
    with pytest.raises(RouteError):
        route_from_polyline(text)


@pytest.mark.parametrize("precision", [4, 7, 5.5, "5", True, None])
def test_other_precisions_are_refused(precision: int) -> None:
    with pytest.raises(QueryError, match="precision must be 5"):
        route_from_polyline(GOOGLE, precision)
    with pytest.raises(QueryError, match="precision must be 5"):
        route_to_polyline(shapely.LineString(UTRECHT), precision)


def test_a_polyline_is_a_string() -> None:
    with pytest.raises(QueryError, match="not bytes"):
        route_from_polyline(GOOGLE.encode())  # type: ignore[arg-type]


def test_a_route_too_short_to_encode() -> None:
    with pytest.raises(RouteError, match="equal at 5 decimals"):
        route_to_polyline(shapely.LineString([(5, 52), (5.000001, 52)]))


def with_heights(lonlat: list[tuple[float, float]], heights: list[float], precision: int) -> str:
    """Encode as openrouteservice and GraphHopper do, digit by digit."""
    text, before = "", [0, 0, 0]
    for (x, y), z in zip(lonlat, heights, strict=True):
        row = (round(y * 10**precision), round(x * 10**precision), round(z * 100))
        for axis, value in enumerate(row):
            step, before[axis] = value - before[axis], value
            step = ~(step << 1) if step < 0 else step << 1
            while step >= 32:
                text, step = text + chr((32 | (step & 31)) + 63), step >> 5
            text += chr(step + 63)
    return text


ROAD = [(11.3 + i * 0.0003, round(48.19 + math.sin(i / 3) / 900, 6)) for i in range(25)]


@pytest.mark.parametrize("n", [24, 25])
@pytest.mark.parametrize("precision", [5, 6])
@pytest.mark.parametrize("base", [0, 4, 520, 2500])
def test_heights_are_read_on_demand_and_noticed_otherwise(
    n: int, precision: int, base: int
) -> None:
    heights = [base + base / 500 * math.sin(i) for i in range(n)]
    text = with_heights(ROAD[:n], heights, precision)
    found = route_from_polyline(text, precision, has_height=True)
    assert shapely.equals_exact(found, shapely.LineString(ROAD[:n]), 0.6 * 10**-precision)
    if n == 25:
        with pytest.raises(RouteError, match="has_height=True makes it a route of"):
            route_from_polyline(text, precision)
    else:
        with pytest.raises((RouteError, SuspectInput), match="has_height=True"):
            route_from_polyline(text, precision)


def test_lines_without_heights_are_not_taken_for_some() -> None:
    for n in (3, 6, 9, 12, 15, 18, 24):
        for precision in (5, 6):
            text = encoded(ROAD[:n], precision)
            assert len(route_from_polyline(text, precision).coords) == n


def test_heights_that_are_not_there() -> None:
    with pytest.warns(SuspectInput, match="has_height=False"):
        route_from_polyline(encoded(ROAD[:24], 5), has_height=True)
    with pytest.raises(RouteError, match="ends in the middle"):
        route_from_polyline(encoded(ROAD[:25], 5), has_height=True)


@pytest.mark.parametrize("text", ["~" * 40, "_" * 30 + "?", "?" * 7, "_p~iF~ps|U_"])
def test_runs_of_signs_are_refused(text: str) -> None:
    with pytest.raises(RouteError):
        route_from_polyline(text)


@given(
    st.lists(
        st.tuples(st.integers(-17_999_999, 17_999_999), st.integers(-8_999_999, 8_999_999)),
        min_size=1,
        max_size=30,
    )
)
def test_numbers_are_those_of_the_package(units: list[tuple[int, int]]) -> None:
    text = encoded([(x / 1e5, y / 1e5) for x, y in units], 5)
    ours = decode(text, 5)
    assert ours.tolist() == [list(p) for p in polyline.decode(text, 5, geojson=True)]
