"""Areas: grids, distances, settlements and driving times, against brute force and hand counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer
from shapely.affinity import rotate, translate

import ocm_geo as ocm
from ocm_geo.standards.grids import ANGLES, N_ORIGINS
from tests.unit.standards.made import GEOD, HUB, away, site, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PLANE = f"+proj=laea +lon_0={HUB[0]} +lat_0={HUB[1]} +ellps=WGS84 +units=m"
TO_LONLAT = Transformer.from_crs(PLANE, "EPSG:4326", always_xy=True)
GRID: dict[str, Any] = {"kind": "grid", "cell_km": 3.0}
RADIUS: dict[str, Any] = {"kind": "radius", "radius_km": 4.0}


def rule(**more: Any) -> ocm.Rule:
    """Make a rule on an area."""
    about: dict[str, Any] = {
        "id": "mine",
        "jurisdiction": "X",
        "citation": "a text",
        "network": "a city",
    }
    return ocm.Rule(**about, vehicle_class="any", evidence="S", **{"share_served": 1.0, **more})


def square(side_km: float, centre_km: tuple[float, float] = (0.0, 0.0)) -> shapely.Polygon:
    """Draw a square about a place of the plane, in lon/lat."""
    x, y = centre_km
    half = side_km / 2
    flat = shapely.box(x - half, y - half, x + half, y + half)
    ring = 1000 * shapely.get_coordinates(flat.segmentize(side_km / 8))
    return shapely.Polygon(np.column_stack(TO_LONLAT.transform(*ring.T)))


def at(x_km: float, y_km: float) -> tuple[float, float]:
    """Find a place of the plane in lon/lat."""
    lon, lat = TO_LONLAT.transform(1000 * x_km, 1000 * y_km)
    return float(lon), float(lat)


def places(*xy_km: tuple[float, float], **more: Any) -> gpd.GeoDataFrame:
    """Make stations at places of the plane."""
    return table([site(i + 1, at(*xy), **more) for i, xy in enumerate(xy_km)])


def random_places(n: int, half_km: float, seed: int) -> list[tuple[float, float]]:
    """Draw places in a square."""
    xy = np.random.default_rng(seed).uniform(-half_km, half_km, (n, 2))
    return [(float(x), float(y)) for x, y in xy]


def shares_by_brute_force(
    area: shapely.Polygon, stations: NDArray[np.float64], side: float
) -> NDArray[np.float64]:
    """Lay each grid as polygons of the plane, and look into each cell."""
    shares = []
    points = shapely.points(stations)
    reach = np.ceil(np.hypot(*area.bounds[2:]) / side) + 2
    for angle in ANGLES:
        for column in range(N_ORIGINS):
            for row in range(N_ORIGINS):
                shift = np.array([column, row]) * side / N_ORIGINS
                cells = [
                    rotate(translate(shapely.box(0, 0, side, side), *corner), angle, origin=(0, 0))
                    for i in np.arange(-reach, reach)
                    for j in np.arange(-reach, reach)
                    for corner in [np.array([i, j]) * side + shift - side / 2]
                ]
                inside = [cell for cell in cells if area.intersects(cell.centroid)]
                shares.append(np.mean([shapely.intersects(cell, points).any() for cell in inside]))
    return np.sort(shares)


@pytest.mark.parametrize("seed", [1, 2])
def test_cells_equal_brute_force(seed: int) -> None:
    xy = random_places(7, 5.5, seed)
    verdict = ocm.assess_area(square(10), places(*xy), rule(**GRID))
    flat = shapely.box(-5000, -5000, 5000, 5000)
    expected = shares_by_brute_force(flat, 1000 * np.array(xy), 3000.0)
    report = verdict.report
    found = [report[f"share_{name}_grid"] for name in ("least", "central", "most")]
    assert found == pytest.approx([expected[0], expected[74], expected[-1]], abs=1e-12)
    assert report["n_grids"] == len(expected) == 150
    assert verdict.share == pytest.approx((verdict.segments["status"] == "passes").mean())
    # Nothing is uncertain but where the grid lies.
    assert (verdict.share_low, verdict.share_high) == (expected[0], expected[-1])
    assert verdict.passes is False


def test_cells_are_squares_of_equal_area() -> None:
    verdict = ocm.assess_area(square(40), places((0, 0)), "in-mop-2022")
    assert verdict.segments["area_km2"].to_numpy() == pytest.approx(9.0, rel=1e-4)
    corners = shapely.get_coordinates(verdict.segments.geometry.iloc[0])
    sides = GEOD.inv(*corners[:-1].T, *corners[1:].T)[2]
    assert sides == pytest.approx([3000.0] * 4, rel=float(str(verdict.report["side_error"])) + 1e-6)
    assert verdict.segments["n_stations"].sum() == 1


def test_a_station_each_kilometre_serves_all_cells_wherever_they_lie() -> None:
    lattice = [(float(x), float(y)) for x in range(-7, 8) for y in range(-7, 8)]
    verdict = ocm.assess_area(square(12), places(*lattice), "in-mop-2022")
    assert (verdict.passes, verdict.share_low, verdict.share, verdict.share_high) == (True, 1, 1, 1)
    assert repr(verdict).startswith("<Verdict in-mop-2022: passes, 100.0 % of the cells of 3 km")
    assert ocm.assess_area(square(12), places((0, 0)), "in-mop-2022").passes is False


def test_where_the_grid_lies_may_decide() -> None:
    verdict = ocm.assess_area(square(9), places((0, 0), (3, 0)), rule(**GRID, share_served=0.2))
    assert verdict.passes is None
    assert "where the grid lies" in verdict.reason
    assert float(str(verdict.report["share_least_grid"])) < 0.2
    assert float(str(verdict.report["share_most_grid"])) >= 0.2


def test_an_area_smaller_than_a_cell_is_one_cell() -> None:
    near = ocm.assess_area(square(0.2), places((0, 0)), "in-mop-2022")
    assert (near.share, near.report["n_cells"], near.passes) == (1.0, 1, True)
    far = ocm.assess_area(square(0.2), places((3.5, 3.5)), "in-mop-2022")
    assert far.share == 0.0


@pytest.mark.parametrize("options", [GRID, RADIUS])
def test_the_way_an_area_is_given_changes_nothing(options: dict[str, Any]) -> None:
    stations = places(*random_places(9, 6, 3))
    whole = ocm.assess_area(square(12), stations, rule(**options))
    lon = HUB[0]
    west, east = (shapely.box(a, 50, b, 54) for a, b in ((3, lon), (lon, 7)))
    halves = gpd.GeoSeries([square(12) & west, square(12) & east], crs="EPSG:4326")
    dense = square(12).segmentize(0.001)
    for area, table_of in (
        (halves, stations),
        (halves.iloc[::-1].to_crs("EPSG:3035"), stations.iloc[::-1]),
        (
            gpd.GeoDataFrame(geometry=[dense], crs="EPSG:4326"),
            stations.sample(frac=1, random_state=1),
        ),
    ):
        again = ocm.assess_area(area, table_of, rule(**options))
        assert again.share == pytest.approx(whole.share, abs=1e-6)
        assert again.passes == whole.passes


def test_a_second_row_at_the_same_place_changes_nothing() -> None:
    xy = random_places(9, 6, 3)
    for options in (GRID, RADIUS):
        once = ocm.assess_area(square(12), places(*xy), rule(**options))
        twice = ocm.assess_area(square(12), places(*xy, *xy), rule(**options))
        assert twice.share == once.share
        assert twice.pools["n_stations"].sum() == 2 * once.pools["n_stations"].sum()


def test_a_pool_over_the_border_of_two_cells_serves_both() -> None:
    # The mean of a pool moves with each of its stations: it must not leave the cell it served.
    for x in np.arange(-0.04, 0.05, 0.01):
        one = ocm.assess_area(square(9), places((x, 0.0)), rule(**GRID))
        two = ocm.assess_area(square(9), places((x, 0.0), (x + 0.08, 0.0)), rule(**GRID))
        assert len(two.pools) == 1
        assert two.share >= one.share
        assert two.report["share_least_grid"] >= one.report["share_least_grid"]  # type: ignore[operator]


def test_a_radius_equals_distances_to_many_points() -> None:
    xy = random_places(5, 9, 4)
    verdict = ocm.assess_area(square(20), places(*xy), rule(**RADIUS))
    grid = np.arange(-9.95, 10, 0.1)
    points = np.array([at(x, y) for x in grid[::4] for y in grid[::4]])
    near = np.zeros(len(points), dtype=bool)
    for place in xy:
        lon, lat = at(*place)
        n = len(points)
        near |= GEOD.inv(np.full(n, lon), np.full(n, lat), *points.T)[2] <= 4000
    assert verdict.share == pytest.approx(near.mean(), abs=0.01)
    parts = verdict.segments.groupby("status")["area_km2"].sum()
    assert parts["passes"] / parts.sum() == pytest.approx(verdict.share, abs=1e-6)
    assert parts.sum() == pytest.approx(400, rel=1e-4)
    assert verdict.passes is False


def people_at(*rows: tuple[float, float, float]) -> gpd.GeoDataFrame:
    """Make a population at places of the plane."""
    points = [shapely.Point(at(x, y)) for x, y, _ in rows]
    return gpd.GeoDataFrame({"population": [n for *_, n in rows]}, geometry=points, crs="EPSG:4326")


def test_the_population_within_a_radius() -> None:
    people = people_at((0, 0, 30), (3.9, 0, 20), (4.1, 0, 50), (40, 0, 1000))
    verdict = ocm.assess_area(
        square(20), places((0, 0)), rule(**RADIUS, of_population=True), population=people
    )
    assert verdict.share == pytest.approx(0.5)
    assert (verdict.passes, verdict.report["population"]) == (False, 100)
    assert verdict.readings["reading"].str.contains("area").tolist() == [False, True]
    # Without a population, a part of the area says nothing about a part of the people.
    area = ocm.assess_area(square(20), places((0, 0)), rule(**RADIUS, of_population=True))
    assert area.passes is None
    assert "population=" in area.reason
    whole = rule(kind="radius", radius_km=20.0, of_population=True, share_served=1.0)
    assert ocm.assess_area(square(20), places((0, 0)), whole).passes is True


def test_the_population_in_served_cells() -> None:
    people = people_at((0, 0, 30), (0.1, 0, 20), (7, 0, 50))
    verdict = ocm.assess_area(square(20), places((0, 0)), rule(**GRID), population=people)
    rows = verdict.readings.set_index("reading")["share"]
    assert rows["population served, central grid"] == pytest.approx(0.5)
    assert verdict.report["population_share"] == pytest.approx(0.5)
    assert verdict.segments["population"].sum() == pytest.approx(100)
    assert verdict.share == pytest.approx(1 / len(verdict.segments), rel=0.2)
    column = gpd.GeoDataFrame({"n": [1000.0]}, geometry=[square(20)], crs="EPSG:4326")
    even = ocm.assess_area(column, places((0, 0)), rule(**GRID), population="n")
    assert even.report["population_share"] == pytest.approx(9 / 400, rel=0.1)


@pytest.mark.parametrize("options", [GRID, RADIUS])
def test_a_population_elsewhere_is_refused(options: dict[str, Any]) -> None:
    people = people_at((0, 300, 30))
    with pytest.raises(ocm.QueryError, match="nobody lives in the area"):
        ocm.assess_area(square(20), places((0, 0)), rule(**options), population=people)


def test_settlements() -> None:
    shapes = [square(2), square(2, (5, 0)), square(2, (10, 0)), square(2, (15, 0))]
    towns = gpd.GeoDataFrame(
        {"n": [5000, 2000, 1999, 8000]}, geometry=shapes, crs="EPSG:4326", index=list("abcd")
    )
    verdict = ocm.assess_area(towns, places((0, 0), (5, 0.9)), "nz-2023", population="n")
    assert verdict.share == pytest.approx(2 / 3)
    assert verdict.segments["status"].tolist() == ["passes", "passes", "not asked", "fails"]
    assert verdict.segments.index.tolist() == list("abcd")
    assert verdict.readings["share"].tolist() == pytest.approx([2 / 3, 7 / 15])
    assert verdict.passes is False
    points = people_at((0, 0, 3000), (5, 0, 1000), (5.5, 0, 1500), (10, 0, 1))
    counted = ocm.assess_area(towns, places((0, 0), (5, 0.9)), "nz-2023", population=points)
    assert (counted.share, counted.passes, counted.report["n_settlements"]) == (1.0, True, 2)
    every = ocm.assess_area(towns, places((0, 0)), "nz-2023")
    assert every.share == 0.25
    with pytest.raises(ocm.QueryError, match="none of the 4 settlements"):
        ocm.assess_area(towns.assign(n=5), places((0, 0)), "nz-2023", population="n")


def test_settlements_at_points() -> None:
    towns = people_at((0, 0, 5000), (5, 0, 2000), (10, 0, 1999), (15, 0, 8000))
    stations = places((0, 3), (7.5, 0))
    with pytest.raises(ocm.QueryError, match="offset_km"):
        ocm.assess_area(towns, stations, "nz-2023", population="population")
    shares = [
        ocm.assess_area(
            towns,
            stations,
            "nz-2023",
            population="population",
            options=ocm.AssessmentOptions(offset_km=km),
        ).share
        for km in (1, 2.6, 3.1, 8)
    ]
    assert shares == pytest.approx([0, 1 / 3, 2 / 3, 1])
    options = ocm.AssessmentOptions(offset_km=3)
    with pytest.raises(ocm.QueryError, match="name of a column"):
        ocm.assess_area(towns, stations, "nz-2023", population=towns, options=options)


class Circles:
    """An engine that drives 0.5 km a minute in every direction."""

    name = "circles"

    def path(self, lonlat: Any) -> Any:
        raise NotImplementedError

    def isochrone(self, lonlat: NDArray[np.float64], minutes: Sequence[float]) -> list[Any]:
        azimuth = np.linspace(0, 360, 256, endpoint=False)
        rings = [
            [away(0.5 * time, float(one), (float(lonlat[0]), float(lonlat[1]))) for one in azimuth]
            for time in minutes
        ]
        return [shapely.Polygon(ring) for ring in rings]


def test_driving_times_need_an_engine() -> None:
    stations = places((0, 0), (6, 3))
    drive = rule(kind="drive-time", drive_min=8.0)
    with pytest.raises(ocm.QueryError, match="engine"):
        ocm.assess_area(square(20), stations, drive)
    options = ocm.AssessmentOptions(engine=Circles())
    verdict = ocm.assess_area(square(20), stations, drive, options=options)
    straight = ocm.assess_area(square(20), stations, rule(**RADIUS))
    assert verdict.share == pytest.approx(straight.share, abs=0.002)
    assert verdict.passes is False
    assert "8 minutes" in repr(verdict)
    people = people_at((0, 0, 3), (9, -9, 1))
    with pytest.raises(ocm.QueryError, match="matrix"):
        ocm.assess_area(square(20), stations, drive, population=people, options=options)


def test_what_is_missing_stands_in_the_bounds() -> None:
    stations = table(
        [
            site(1, at(-3, 0), {"PowerKW": 50.0, "CurrentTypeID": 30, "ConnectionTypeID": 33}),
            site(2, at(3, 0), {"CurrentTypeID": 30, "ConnectionTypeID": 33}),
            site(3, at(0, 6), UsageTypeID=None),
            site(4, at(0, -6), UsageTypeID=2),
        ]
    )
    verdict = ocm.assess_area(square(20), stations, rule(**RADIUS, point_power_kw=50.0))
    one = ocm.assess_area(square(20), stations.iloc[:1], rule(**RADIUS)).share
    two = ocm.assess_area(square(20), stations.iloc[[0, 2]], rule(**RADIUS)).share
    three = ocm.assess_area(square(20), stations.iloc[:3], rule(**RADIUS)).share
    found = (verdict.share_low, verdict.share, verdict.share_high)
    assert found == pytest.approx((one, two, three))


def test_countries_without_data_are_told() -> None:
    stations = ocm.stations_from_country("NL", source=ocm.sample())
    cologne = shapely.box(6.8, 50.8, 7.1, 51.0)
    with pytest.warns(ocm.OutsideData, match="100 % of the area lies in Germany"):
        verdict = ocm.assess_area(cologne, stations, "in-mop-2022")
    assert verdict.segments.attrs["ocm"]["complete"] is False
    towns = gpd.GeoSeries([shapely.Point(7, 51), shapely.Point(5, 52)], crs="EPSG:4326")
    options = ocm.AssessmentOptions(offset_km=50)
    with pytest.warns(ocm.OutsideData, match="50 % of the settlements"):
        ocm.assess_area(towns, stations, "nz-2023", options=options)


def test_a_station_without_connections_is_a_station() -> None:
    bare = table([{**site(1, at(0, 0)), "Connections": []}])
    for options in (GRID, RADIUS):
        assert ocm.assess_area(square(9), bare, rule(**options)).share_low > 0
        asking = ocm.assess_area(square(9), bare, rule(**options, n_points=1))
        assert (asking.share_low, asking.share) == (0.0, 0.0)
        assert asking.share_high > 0


def test_no_stations_at_all() -> None:
    none = places((0, 0)).iloc[:0]
    for options in (GRID, RADIUS):
        verdict = ocm.assess_area(square(9), none, rule(**options))
        assert (verdict.share, verdict.share_high, verdict.passes) == (0.0, 0.0, False)


def test_over_the_antimeridian() -> None:
    fiji = shapely.box(179.9, -17.1, 180.1, -16.9)
    split = gpd.GeoSeries(
        [shapely.box(179.9, -17.1, 180.0, -16.9), shapely.box(-180.0, -17.1, -179.9, -16.9)],
        crs="EPSG:4326",
    )
    stations = table([site(1, (180.0, -17.0)), site(2, (-179.95, -17.05))])
    found = [ocm.assess_area(area, stations, "in-mop-2022") for area in (fiji, split)]
    assert found[0].share == pytest.approx(found[1].share)
    assert found[0].report["n_cells"] == pytest.approx(49, abs=6)
    assert found[0].segments["n_stations"].sum() == 2
    assert found[0].segments["area_km2"].to_numpy() == pytest.approx(9, rel=1e-3)


def test_what_cannot_be_assessed_is_refused() -> None:
    stations = places((0, 0))
    with pytest.raises(ocm.QueryError, match=r"assess_route or ocm\.assess_network"):
        ocm.assess_area(square(9), stations, "afir-ldv-core-2025")
    with pytest.raises(ocm.QueryError, match=r"ocm\.assess_area"):
        ocm.assess_route(shapely.LineString([HUB, away(10, 90)]), stations, "in-mop-2022")
    with pytest.raises(ocm.QueryError, match="did you mean in-mop-20"):
        ocm.assess_area(square(9), stations, "in-mop-2020")
    with pytest.raises(ocm.QueryError, match="ends is not used"):
        ocm.assess_area(
            square(9), stations, "in-mop-2022", options=ocm.AssessmentOptions(ends="closed")
        )
    with pytest.raises(ocm.QueryError, match="more than 100,000"):
        ocm.assess_area(shapely.box(0, 45, 10, 50), stations, "in-mop-2024")
    with pytest.raises(ocm.QueryError, match="n_stations of 'mine' is not tested"):
        ocm.assess_area(square(9), stations, rule(**GRID, n_stations=2))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "grid"}, "needs cell_km"),
        ({"kind": "radius", "radius_km": 3.0, "cell_km": 3.0}, "cell_km of 'mine' is not tested"),
        ({**GRID, "per_direction": True}, "per_direction of 'mine' is not tested"),
        ({"kind": "radius", "radius_km": -1.0}, "radius_km of 'mine' must be above 0"),
        ({"kind": "fleet", "share_served": None}, "needs kw_per_bev or kw_per_phev"),
    ],
)
def test_a_rule_whose_fields_do_not_fit_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ocm.QueryError, match=words):
        rule(**fields)
