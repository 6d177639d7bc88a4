"""The proof: our client against the faults of the server gives exactly the true answer.

Truth is computed from the records themselves, by pyproj, shapely and plain Python.
"""

from __future__ import annotations

import gzip
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import pytest
import shapely
from urllib3.util import Retry

import ocm_geo as ocm
from ocm_geo.server import RunningServer, ServerOptions, Trouble, make_app
from ocm_geo.server.running import listen_at
from ocm_geo.sources import http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Truth = tuple[set[int], set[int]]

GEOD = pyproj.Geod(ellps="WGS84")
DATA = Path(os.environ.get("OCM_GEO_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
N_QUESTIONS = int(os.environ.get("OCM_GEO_QUESTIONS", "60"))
TROUBLE = Trouble.parse("429:0.04,503:0.02,empty:0.03,cut:0.03,broken:0.02,html:0.01", seed=11)
FILTERS: tuple[tuple[float, Callable[[np.random.Generator], dict[str, Any]]], ...] = (
    (0.3, lambda rng: {"min_power_kw": float(rng.choice([3.7, 22, 50, 150]))}),
    (0.3, lambda rng: {"connection_types": [int(rng.choice([25, 1036, 33, 1, 2]))]}),
    (0.2, lambda rng: {"countries": [int(rng.choice([159, 2, 1]))]}),
    (0.2, lambda _: {"operators": [1, 5, 103, 23]}),
    (0.2, lambda _: {"usage_types": [1, 4]}),
    (0.2, lambda rng: {"modified_since": f"20{rng.integers(12, 24)}-03-01"}),
)

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.filterwarnings("ignore::ocm_geo.OutsideData"),
    pytest.mark.filterwarnings("ignore::ocm_geo.SuspectInput"),
]


class Records:
    """Real records, and what is true of them."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        newest: dict[int, dict[str, Any]] = {}
        for record in records:
            newest.setdefault(record["ID"], record)
        self.all = list(newest.values())
        self.ids = np.array([record["ID"] for record in self.all])
        self.lon, self.lat = (
            np.array([float(record["AddressInfo"][key]) for record in self.all])
            for key in ("Longitude", "Latitude")
        )

    def truth(self, inside: NDArray[np.bool_], filters: dict[str, Any]) -> set[int]:
        return {
            record["ID"]
            for record, is_in in zip(self.all, inside, strict=True)
            if is_in and is_shown(record) and meets(record, filters)
        }


def is_shown(record: dict[str, Any]) -> bool:
    return record["SubmissionStatusTypeID"] in {100, 200} and record.get("StatusTypeID") not in {
        200,
        210,
    }


def meets(record: dict[str, Any], filters: dict[str, Any]) -> bool:
    sites = {
        "countries": record["AddressInfo"].get("CountryID"),
        "operators": record.get("OperatorID"),
        "usage_types": record.get("UsageTypeID"),
    }
    if any(name in filters and value not in filters[name] for name, value in sites.items()):
        return False
    updated = record.get("DateLastStatusUpdate") or ""
    updated = updated["$date"] if isinstance(updated, dict) else updated
    if "modified_since" in filters and updated < filters["modified_since"]:
        return False
    types, least = filters.get("connection_types"), filters.get("min_power_kw")
    return (types is None and least is None) or any(
        (types is None or connection.get("ConnectionTypeID") in types)
        and (least is None or power_of(connection) >= least)
        for connection in record.get("Connections") or ()
    )


def power_of(connection: dict[str, Any]) -> float:
    power = connection.get("PowerKW") or 0
    amps, volts = (connection.get(key) or 0 for key in ("Amps", "Voltage"))
    if power <= 0 < amps * volts:
        factor = 1.732 if connection.get("CurrentTypeID") == 20 else 1.0
        power = round(amps * volts / 1000 * factor, 1)
    return float(power)


@pytest.fixture(scope="module")
def records() -> Records:
    if not DATA.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"no real data at {DATA}")
        pytest.skip("no real data")
    dutch = json.loads((DATA / "ocm/nl_2023-10/ocm_nl_20231009_rebuilt_compact.json").read_bytes())
    texan = json.loads((DATA / "ocm/austin_2026-02/ocm_austin.json").read_bytes())
    lines = gzip.decompress((DATA / "ocm/world_2020-11/poi_partial_5685.json.gz").read_bytes())
    world = [json.loads(line) for line in lines.splitlines()]
    # Of equal ids the newest is kept: the Dutch and Texan records are years younger.
    return Records([*dutch, *texan, *world])


class Counted:
    """A served mirror that counts what it is asked."""

    def __init__(self, mirror: ocm.Mirror, **options: Any) -> None:
        self.n_asked = 0
        app = make_app(mirror, ServerOptions(**options))

        async def count(scope: Any, receive: Any, send: Any) -> None:
            self.n_asked += scope["path"] == "/v3/poi"
            await app(scope, receive, send)

        self.server = RunningServer(count, listen_at("127.0.0.1", 0)).start()

    def client(self) -> ocm.OpenChargeMap:
        return ocm.OpenChargeMap("a-key", base_url=self.server.url, min_interval_s=0)

    def cost(self, ask: Callable[[], Any]) -> tuple[Any, int]:
        before = self.n_asked
        return ask(), self.n_asked - before


@pytest.fixture(scope="module")
def served(
    records: Records, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Counted]]:
    folder = tmp_path_factory.mktemp("real")
    path = folder / "records.jsonl"
    path.write_text("\n".join(map(json.dumps, records.all)), encoding="utf-8")
    mirror = ocm.Mirror.build(folder / "mirror", path)
    running: list[Counted] = []

    def start(**options: Any) -> Counted:
        running.append(Counted(mirror, **options))
        return running[-1]

    yield start
    for counted in running:
        counted.server.stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(http, "_WAIT", Retry(total=None, backoff_factor=0.001))
    with ocm.using(cache_dir=tmp_path / "cache"):
        yield


def ask_box(rng: np.random.Generator, records: Records, at: tuple[float, float]) -> Any:
    wide, high = rng.uniform(0.05, 6, 2)
    west, south = at[0] - wide * rng.random(), at[1] - high * rng.random()
    box = (west, south, west + wide, south + high)
    inside = (records.lon >= west) & (records.lon <= box[2])
    inside &= (records.lat >= south) & (records.lat <= box[3])
    return lambda api, **f: ocm.stations_from_bbox(box, source=api, **f), inside, None


def ask_circle(rng: np.random.Generator, records: Records, at: tuple[float, float]) -> Any:
    km = float(rng.choice([2, 20, 150]) * rng.uniform(0.5, 1.5))
    one = np.ones(len(records.ids))
    away = np.asarray(GEOD.inv(at[0] * one, at[1] * one, records.lon, records.lat)[2]) / 1000
    unsure = np.abs(away - km) < 1e-6
    return lambda api, **f: ocm.stations_from_point(at, km, source=api, **f), away <= km, unsure


def ask_area(rng: np.random.Generator, records: Records, at: tuple[float, float]) -> Any:
    turn = np.sort(rng.uniform(0, 2 * np.pi, 9))
    reach = rng.uniform(0.1, 3, 9)
    ring = np.column_stack([at[0] + reach * np.cos(turn), at[1] + reach * np.sin(turn)])
    area = shapely.Polygon(ring).buffer(0)
    area = area.difference(shapely.Point(at).buffer(0.05))
    inside = shapely.intersects_xy(area, records.lon, records.lat)
    return lambda api, **f: ocm.stations_from_polygon(area, source=api, **f), inside, None


def ask_route(rng: np.random.Generator, records: Records, at: tuple[float, float]) -> Any:
    steps = rng.normal(0, 0.4, (int(rng.integers(2, 12)), 2))
    line = np.vstack([at, np.array(at) + np.cumsum(steps, axis=0)])
    km = float(rng.choice([1, 5, 30]))
    away = km_from_line(line, records.lon, records.lat)
    unsure = np.abs(away - km) < 0.05
    route = shapely.LineString(line)
    return lambda api, **f: ocm.stations_from_route(route, km, source=api, **f), away <= km, unsure


def ask_ids(rng: np.random.Generator, records: Records, at: tuple[float, float]) -> Any:
    del at
    ids = rng.choice(records.ids, int(rng.integers(1, 250)), replace=False).tolist()
    inside = np.isin(records.ids, ids)
    return lambda api, **f: ocm.stations_from_ids(ids, source=api, **f), inside, None


def ask_country(rng: np.random.Generator, records: Records, at: tuple[float, float]) -> Any:
    del at
    number, code = ((159, "NL"), (2, "US"), (1, "GB"))[int(rng.integers(3))]
    inside = np.array([r["AddressInfo"].get("CountryID") == number for r in records.all])

    def ask(api: ocm.OpenChargeMap, **filters: Any) -> Any:
        filters.pop("countries", None)
        return ocm.stations_from_country(code, source=api, **filters)

    return ask, inside, None


def km_from_line(
    line: NDArray[np.float64], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Measure in an equidistant projection about the route: right to metres near a short one."""
    vertices = []
    for (x1, y1), (x2, y2) in pairwise(line.tolist()):
        azimuth, _, metres = GEOD.inv(x1, y1, x2, y2)
        steps = np.linspace(0, metres, 30)
        one = np.ones(len(steps))
        x, y, _ = GEOD.fwd(one * x1, one * y1, one * azimuth, steps)
        vertices.append(np.column_stack([x, y]))
    path = np.vstack(vertices)
    middle = path.mean(axis=0)
    plane = pyproj.Proj(proj="aeqd", lon_0=middle[0], lat_0=middle[1], ellps="WGS84")
    flat = shapely.LineString(np.column_stack(plane(*path.T)))
    near = np.flatnonzero(np.hypot((lon - middle[0]) / 2, lat - middle[1]) < 10)
    away = np.full(len(lon), np.inf)
    away[near] = shapely.distance(flat, shapely.points(*plane(lon[near], lat[near]))) / 1000
    return away


KINDS = (ask_box, ask_circle, ask_area, ask_route, ask_ids, ask_country)


@pytest.mark.parametrize("trouble", [Trouble(), TROUBLE], ids=["calm", "trouble"])
def test_the_client_gives_the_true_answer(
    served: Callable[..., Counted], records: Records, trouble: Trouble
) -> None:
    api = served(manner="ocm", trouble=trouble).client()
    rng = np.random.default_rng(int(bool(trouble)))
    shown = [i for i, record in enumerate(records.all) if is_shown(record)]
    n_found = 0
    for number in range(N_QUESTIONS // 2):
        here = int(rng.choice(shown))
        at = (float(records.lon[here]), float(records.lat[here]))
        ask, inside, unsure = KINDS[number % len(KINDS)](rng, records, at)
        filters: dict[str, Any] = {}
        for share, draw in FILTERS:
            if rng.random() < share:
                filters |= draw(rng)
        if ask.__name__ == "ask":
            filters.pop("countries", None)
        found = set(ask(api, allow_bulk=True, **filters).index)
        expected = records.truth(inside, filters)
        not_sure = set() if unsure is None else set(records.ids[unsure].tolist())
        assert found - not_sure == expected - not_sure, (number, filters)
        n_found += len(found)
    assert n_found > 10 * N_QUESTIONS


def test_what_questions_cost(served: Callable[..., Counted], records: Records) -> None:
    counted = served(manner="ocm")
    api = counted.client()
    box = (4.0, 51.5, 5.5, 52.5)
    first, cost = counted.cost(lambda: ocm.stations_from_bbox(box, source=api))
    again, repeated = counted.cost(lambda: ocm.stations_from_bbox(box, source=api))
    assert repeated == 0
    assert again.index.equals(first.index)
    pages = -(-len(first) // 1000)
    assert pages <= cost <= pages + 2
    country, cost = counted.cost(lambda: ocm.stations_from_country("NL", source=api))
    n_shown = sum(is_shown(r) and r["AddressInfo"].get("CountryID") == 159 for r in records.all)
    assert len(country) == n_shown
    # Pages of a thousand, and an empty one that proves the end.
    assert cost == -(-n_shown // 1000) + 1


def test_a_long_route_in_the_north_costs_few_requests(served: Callable[..., Counted]) -> None:
    counted = served(manner="ocm")
    # 1,000 km along 60 N, with a bend every kilometre.
    x = np.linspace(5, 23, 1000)
    route = shapely.LineString(np.column_stack([x, 60 + 0.01 * np.sin(40 * x)]))
    _, cost = counted.cost(lambda: ocm.stations_from_route(route, 5, source=counted.client()))
    assert cost <= 20
    _, repeated = counted.cost(lambda: ocm.stations_from_route(route, 5, source=counted.client()))
    assert repeated == 0


def test_the_exact_server_gives_the_same(served: Callable[..., Counted]) -> None:
    loose, exact = (served(manner=manner).client() for manner in ("ocm", "exact"))
    route = shapely.LineString([(4.0, 51.5), (5.1, 52.2), (6.8, 52.3)])
    asked: list[Callable[[ocm.OpenChargeMap], Any]] = [
        lambda api: ocm.stations_from_route(route, 8, min_power_kw=50, source=api),
        lambda api: ocm.stations_from_point((5.1, 52.1), 30, levels=3, source=api),
    ]
    for ask in asked:
        one, other = ask(loose), ask(exact)
        assert one.index.equals(other.index)
        assert len(one) > 5


def test_records_are_those_that_open_charge_map_sends(served: Callable[..., Counted]) -> None:
    """Real verbose records come back whole; of reference objects a mirror keeps few fields."""
    original = json.loads((DATA / "ocm/austin_2026-02/ocm_austin.json").read_bytes())
    counted = served(manner="exact")
    ids = [record["ID"] for record in original if is_shown(record)][:300]
    answer = counted.client().request(
        "poi", chargepointid=ids, verbose=False, includecomments=True, maxresults=1000
    )
    found = {record["ID"]: record for record in answer.json()}
    assert len(found) == len(ids)
    for record in original:
        if record["ID"] in found:
            assert bare(found[record["ID"]]) == bare(record)


def bare(value: Any, key: str = "") -> Any:
    """Strip texts, and keep of the objects of ids the id alone."""
    objects = {"DataProvider", "OperatorInfo", "UsageType", "StatusType", "SubmissionStatus"}
    objects |= {"Country", "ConnectionType", "Level", "CurrentType", "CommentType"}
    if isinstance(value, dict):
        if key in objects | {"CheckinStatusType"}:
            return value["ID"]
        left_out = {"IsRecentlyVerified", "Distance", "DistanceUnit"}
        kept = {k: bare(v, k) for k, v in value.items() if k not in left_out}
        return {k: v for k, v in kept.items() if v not in ("", [], None)}
    if isinstance(value, list):
        return [bare(item, key) for item in value]
    return value.strip() if isinstance(value, str) else value
