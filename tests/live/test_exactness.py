from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import pytest
import shapely

import ocm_geo as ocm
from tests.live.conftest import scattered

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., tuple[Any, ocm.OpenChargeMap]]

GEOD = pyproj.Geod(ellps="WGS84")
CENTRES = {
    "mid": (5.0, 52.0),
    "equator": (20.0, 0.3),
    "south": (170.0, -44.0),
    "65N": (20.0, 65.0),
    "75N": (20.0, 75.0),
    "85N": (100.0, 85.0),
    "antimeridian": (179.9, 60.0),
    "antimeridian south": (-179.95, -17.0),
}


def shown(pois: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ids and positions of what the public sees."""
    live = [
        p
        for p in pois
        if p["SubmissionStatusTypeID"] in {100, 200} and p["StatusTypeID"] not in {200, 210}
    ]
    return (
        np.array([p["ID"] for p in live]),
        np.array([p["AddressInfo"]["Longitude"] for p in live]),
        np.array([p["AddressInfo"]["Latitude"] for p in live]),
    )


def km_from_line(line: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Distances from 300 points on each geodesic edge: a little too long at most."""
    best = np.full(len(lon), np.inf)
    for (x1, y1), (x2, y2) in pairwise(line.tolist()):
        azimuth, _, metres = GEOD.inv(x1, y1, x2, y2)
        along = np.linspace(0, metres, 300)
        one = np.ones(300)
        x, y, _ = GEOD.fwd(one * x1, one * y1, one * azimuth, along)
        grid = np.meshgrid(np.arange(300), np.arange(len(lon)))
        km = GEOD.inv(x[grid[0]], y[grid[0]], lon[grid[1]], lat[grid[1]])[2] / 1000
        best = np.minimum(best, km.min(axis=1))
    return best


@pytest.mark.parametrize("name", CENTRES)
@pytest.mark.parametrize("radius", [20, 150])
def test_circles(ask: Ask, name: str, radius: float) -> None:
    lon, lat = CENTRES[name]
    pois = scattered(1, (lon, lat), 1.0)
    ids, x, y = shown(pois)
    n = len(ids)
    km = GEOD.inv(np.full(n, lon), np.full(n, lat), x, y)[2] / 1000
    found = ocm.stations_from_point((lon, lat), radius, source=ask(pois)[1])
    assert found.index.tolist() == ids[np.argsort(km)][: (km <= radius).sum()].tolist()
    assert len(found) > 0


@pytest.mark.parametrize("name", CENTRES)
def test_boxes(ask: Ask, name: str) -> None:
    lon, lat = CENTRES[name]
    pois = scattered(2, (lon, lat), 2.0)
    ids, x, y = shown(pois)
    box = (lon - 3, max(lat - 1.5, -90), lon + 3, min(lat + 1.5, 90))
    east = (x - box[0]) % 360
    inside = (east <= 6) & (y >= box[1]) & (y <= box[3])
    found = ocm.stations_from_bbox(box, source=ask(pois)[1])
    assert found.index.tolist() == sorted(ids[inside].tolist())
    assert len(found) > 0


def test_a_box_of_a_continent_loses_nothing_to_bulging_edges(ask: Ask) -> None:
    pois = scattered(3, (-96.0, 30.0), 12.0, n=1500)
    ids, x, y = shown(pois)
    inside = (x >= -125) & (x <= -67) & (y >= 25) & (y <= 49)
    found = ocm.stations_from_bbox((-125, 25, -67, 49), source=ask(pois)[1])
    assert found.index.tolist() == sorted(ids[inside].tolist())


SHAPES = {
    "concave": [(-2, -1), (2, -1), (2, 1), (0, -0.5), (-2, 1)],
    "star": [(0, 2), (0.5, 0.5), (2, 0), (0.5, -0.5), (0, -2), (-0.5, -0.5), (-2, 0), (-0.5, 0.5)],
}


@pytest.mark.parametrize("name", CENTRES)
@pytest.mark.parametrize("shape", SHAPES)
def test_areas(ask: Ask, name: str, shape: str) -> None:
    lon, lat = CENTRES[name]
    pois = scattered(4, (lon, lat), 1.5)
    ids, x, y = shown(pois)
    ring = np.array(SHAPES[shape]) + np.array([lon, lat])
    hole = shapely.Point(lon, lat).buffer(0.2)
    area = shapely.Polygon(ring).difference(hole)
    turned = (x - lon + 180) % 360 - 180 + lon
    inside = shapely.intersects_xy(area, turned, y)
    found = ocm.stations_from_polygon(area, source=ask(pois)[1])
    assert found.index.tolist() == sorted(ids[inside].tolist())
    assert len(found) > 0


@pytest.mark.parametrize("name", CENTRES)
@pytest.mark.parametrize("within", [5, 40])
def test_corridors(ask: Ask, name: str, within: float) -> None:
    lon, lat = CENTRES[name]
    pois = scattered(5, (lon, lat), 1.0, n=800)
    ids, x, y = shown(pois)
    shrink = max(np.cos(np.radians(lat)), 0.1)
    rng = np.random.default_rng(7)
    line = np.column_stack(
        [lon + rng.normal(0, 1, 7) / shrink, np.clip(lat + rng.normal(0, 1, 7), -89, 89)]
    )
    km = km_from_line(line, x, y)
    route = shapely.LineString(line)
    found = ocm.stations_from_route(route, within, source=ask(pois)[1])
    sure = np.abs(km - within) > 0.5
    members = np.isin(ids, found.index)
    assert (members == (km <= within))[sure].all()
    assert len(found) > 0


def test_a_corridor_along_a_parallel_is_not_lost_to_great_circles(ask: Ask) -> None:
    pois = scattered(6, (-105.0, 49.0), 0.4, n=300)
    line = shapely.LineString([(x, 49.0) for x in np.linspace(-112, -98, 57)])
    ids, x, y = shown(pois)
    for poi, move in zip(pois, np.linspace(-6, 6, len(pois)), strict=True):
        poi["AddressInfo"]["Longitude"] = -105 + move
    ids, x, y = shown(pois)
    km = km_from_line(np.array(line.coords), x, y)
    found = ocm.stations_from_route(line, 5, source=ask(pois)[1])
    sure = np.abs(km - 5) > 0.1
    assert (np.isin(ids, found.index) == (km <= 5))[sure].all()


def test_a_round_trip_that_crosses_itself_loses_nothing(ask: Ask) -> None:
    pois = scattered(11, (5.0, 52.0), 0.25, n=600)
    ids, x, y = shown(pois)
    rng = np.random.default_rng(3)
    turn = np.cumsum(rng.normal(0, 0.6, (6, 30)), axis=1)
    for bends in turn:
        steps = np.column_stack([np.cos(bends), np.sin(bends)]) * 0.02
        line = np.array([5.0, 52.0]) + np.cumsum(steps, axis=0)
        line = np.vstack([line, line[:1]])
        km = km_from_line(line, x, y)
        found = ocm.stations_from_route(shapely.LineString(line), 12, source=ask(pois)[1])
        sure = np.abs(km - 12) > 0.1
        assert (np.isin(ids, found.index) == (km <= 12))[sure].all()


@pytest.mark.parametrize(
    "filters",
    [
        {"countries": "NL"},
        {"countries": ["NL"], "min_power_kw": 50, "connection_types": 33},
        {"countries": ["NL", "BE"], "operators": [7, 9], "current_types": "DC"},
        {"countries": "BE", "modified_since": "2018-03-01T10:00", "usage_types": 4},
    ],
)
def test_filters_give_what_the_mask_gives(ask: Ask, filters: dict[str, Any]) -> None:
    pois = scattered(8, (5, 52), 1)
    api = ask(pois)[1]
    everything = ocm.stations(source=api, allow_bulk=True)
    query = ocm.StationQuery.build(None, **filters)
    expected = everything.index[query.mask(everything)].tolist()
    assert ocm.stations(source=api, **filters).index.tolist() == expected
    assert expected


@pytest.mark.filterwarnings("ignore::ocm_geo.OutsideData")  # one id is nobody's
def test_ids_in_many_requests(ask: Ask) -> None:
    pois = scattered(9, (5, 52), 1)
    ids, _, _ = shown(pois)
    server, api = ask(pois)
    found = ocm.stations_from_ids([*ids.tolist(), 999_999], source=api)
    assert found.index.tolist() == sorted(ids.tolist())
    assert all(len(seen["chargepointid"].split(",")) <= 100 for seen in server.seen)


def test_the_same_answer_as_a_mirror(ask: Ask, tmp_path: Any) -> None:
    import json  # noqa: PLC0415 - used here alone

    pois = scattered(10, (5, 52), 1)
    lines = tmp_path / "pois.jsonl"
    lines.write_text("\n".join(json.dumps(p) for p in pois))
    sources = (ask(pois)[1], ocm.Mirror.build(tmp_path / "mirror", lines))
    route = shapely.LineString([(4, 51.5), (5, 52.2), (6, 52)])
    live, local = (ocm.stations_from_route(route, 15, source=s) for s in sources)
    assert live.drop(columns="geometry").equals(local.drop(columns="geometry"))
    assert live.geometry.geom_equals(local.geometry).all()
