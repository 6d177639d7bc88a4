"""The same question to different sources gives what brute force gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ocm_geo as ocm
from tests.live.conftest import scattered
from tests.live.stand_in import KEY, StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    Place = tuple[tuple[float, float], tuple[float, float]]

# The invented stations lie in Belgium and the Netherlands; many places reach into Germany.
pytestmark = pytest.mark.filterwarnings("ignore::ocm_geo.OutsideData")

GEOD = pyproj.Geod(ellps="WGS84")
CENTRES = [(5.0, 52.0), (25.0, 71.0), (179.9, -40.0)]
POIS = [
    {**poi, "ID": 1000 * k + rank, "AddressInfo": {**poi["AddressInfo"], "ID": rank}}
    for k, centre in enumerate(CENTRES, start=1)
    for rank, poi in enumerate(scattered(k, centre, 1.0, n=250))
]
LIVE = [
    p
    for p in POIS
    if p["SubmissionStatusTypeID"] in {100, 200} and p["StatusTypeID"] not in {200, 210}
]
IDS = np.array([p["ID"] for p in LIVE])
LON = np.array([p["AddressInfo"]["Longitude"] for p in LIVE])
LAT = np.array([p["AddressInfo"]["Latitude"] for p in LIVE])

MORE = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
centres = st.sampled_from(CENTRES)
offsets = st.tuples(st.floats(-1, 1), st.floats(-1, 1))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Any]]:
    folder = tmp_path_factory.mktemp("same")
    lines = folder / "pois.jsonl"
    lines.write_text("\n".join(json.dumps(p) for p in POIS), encoding="utf-8")
    with StandIn(POIS) as server, ocm.using(cache_dir=folder / "cache"):
        live = ocm.OpenChargeMap(KEY, base_url=server.url, min_interval_s=0)
        yield [ocm.Mirror.build(folder / "mirror", lines), live]


def brute(filters: dict[str, Any], inside: np.ndarray) -> list[int]:
    kept = []
    for poi, here in zip(LIVE, inside, strict=True):
        low = filters.get("min_power_kw")
        kinds = filters.get("connection_types")
        plugs = poi["Connections"]
        fits = [
            (low is None or p["PowerKW"] >= low)
            and (kinds is None or p["ConnectionTypeID"] in kinds)
            for p in plugs
        ]
        if here and (any(fits) or (low is None and kinds is None)):
            kept.append(poi["ID"])
    return sorted(kept)


places = st.tuples(centres, offsets)
sizes = st.tuples(st.floats(0.1, 3), st.floats(0.1, 2))
chosen = st.fixed_dictionaries(
    {},
    optional={
        "min_power_kw": st.sampled_from([11.0, 22.0, 50.0]),
        "connection_types": st.sampled_from([[25], [33, 2]]),
    },
)


@MORE
@given(places, st.floats(1, 200), chosen)
def test_circles(sources: list[Any], place: Place, km: float, filters: dict[str, Any]) -> None:
    centre, off = place
    lon, lat = centre[0] + off[0], centre[1] + off[1]
    n = len(IDS)
    inside = GEOD.inv(np.full(n, lon), np.full(n, lat), LON, LAT)[2] <= km * 1000
    for source in sources:
        found = ocm.stations_from_point((lon, lat), km, source=source, **filters)
        assert sorted(found.index) == brute(filters, inside)


@MORE
@given(places, sizes, chosen)
def test_boxes(
    sources: list[Any], place: Place, size: tuple[float, float], filters: dict[str, Any]
) -> None:
    (centre, off), (width, height) = place, size
    west, south = centre[0] + off[0] - width, centre[1] + off[1] - height
    east, north = west + 2 * width, south + 2 * height
    turned = (LON - west) % 360 + west
    inside = (turned <= east) & (south <= LAT) & (north >= LAT)
    for source in sources:
        found = ocm.stations_from_bbox((west, south, east, north), source=source, **filters)
        assert found.index.tolist() == brute(filters, inside)


@MORE
@given(centres, st.integers(0, 10**6), st.integers(4, 12))
def test_areas(sources: list[Any], centre: tuple[float, float], seed: int, corners: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = rng.uniform(0.2, 2, corners)  # a star: concave as a rule
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None] + centre
    area = shapely.Polygon(ring)
    if not area.is_valid or area.area < 1e-3:
        return
    area = area.difference(shapely.Point(centre).buffer(0.1))
    turned = (LON - centre[0] + 180) % 360 - 180 + centre[0]
    inside = shapely.intersects_xy(area, turned, LAT)
    for source in sources:
        found = ocm.stations_from_polygon(area, source=source)
        assert found.index.tolist() == brute({}, inside)


@MORE
@given(centres, st.integers(0, 10**6), st.floats(0.5, 60))
def test_corridors_are_the_same_everywhere(
    sources: list[Any], centre: tuple[float, float], seed: int, km: float
) -> None:
    rng = np.random.default_rng(seed)
    route = shapely.LineString(rng.normal(0, 0.8, (6, 2)) + centre)
    answers = [ocm.stations_from_route(route, km, source=source) for source in sources]
    assert answers[0].drop(columns="geometry").equals(answers[1].drop(columns="geometry"))
    assert (answers[0]["offset_km"] <= km).all()
