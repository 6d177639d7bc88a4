"""Routing: embedded Valhalla over real extracts, and servers over HTTP."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely

import ocm_geo as ocm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOWN, PASS = (1.521, 42.507), (1.600, 42.570)
Answer = tuple[int, bytes]


@pytest.fixture(scope="module")
def andorra(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> ocm.ValhallaTiles:
    pytest.importorskip("valhalla", reason="embedded routing needs Python 3.12")
    folder = tmp_path_factory.mktemp("tiles")
    return ocm.build_tiles(data_dir / "osm_pbf" / "andorra.osm.pbf", folder)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str, bytes], Answer]], str]]:
    servers = []

    def start(answer: Callable[[str, bytes], Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                status, body = answer(self.path, self.rfile.read(size))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _do  # noqa: N815 - as http.server calls them

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_route_is_as_long_as_the_engine_says(andorra: ocm.ValhallaTiles) -> None:
    route = ocm.route_between([TOWN, PASS], engine=andorra)
    row = route.iloc[0]
    assert row["length_km"] == pytest.approx(13.4, abs=0.5)
    assert ocm.route_length_km(route) == pytest.approx(row["length_km"], rel=0.003)
    assert 8 < row["duration_min"] < 20
    assert route.attrs["ocm"]["engine"].startswith("ValhallaTiles(")


def test_road_detours_are_no_shorter_than_the_straight_line(andorra: ocm.ValhallaTiles) -> None:
    route = ocm.route_between([TOWN, PASS], engine=andorra)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(1.50, 1.61, 40), rng.uniform(42.50, 42.58, 40)
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), crs="EPSG:4326")
    near = ocm.road_detours(points, route, engine=andorra, within_km=2)
    known = near.dropna(subset="detour_min")
    assert len(known) > 5
    assert (known["detour_km"] > -0.5).all()
    assert (known["detour_km"] > 1).any()
    with pytest.warns(ocm.InexactMethod, match="straight-line"):
        straight = ocm.road_detours(points, route, engine=None, within_km=2)
    assert straight.index.tolist() == near.index.tolist()
    assert straight["detour_min"].isna().all()


def test_isochrones_hold_each_other_and_their_point(andorra: ocm.ValhallaTiles) -> None:
    areas = ocm.isochrones([TOWN, PASS], [5, 10], engine=andorra)
    assert areas[["point", "minutes"]].to_numpy().tolist() == [[0, 5], [0, 10], [1, 5], [1, 10]]
    small, large = areas.geometry.iloc[:2].make_valid()
    assert large.area > small.area
    assert small.difference(large.buffer(1e-3)).area < 0.01 * small.area
    assert large.buffer(1e-3).contains(shapely.Point(TOWN))


def test_another_extract(data_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("valhalla", reason="embedded routing needs Python 3.12")
    engine = ocm.build_tiles(data_dir / "osm_pbf" / "liechtenstein-latest.osm.pbf", tmp_path)
    route = ocm.route_between([(9.521, 47.141), (9.509, 47.070)], engine=engine)
    assert 7 < route["length_km"].iloc[0] < 14
    again = ocm.ValhallaTiles(tmp_path)
    assert ocm.route_between([(9.521, 47.141), (9.509, 47.070)], engine=again).equals(route)


def test_no_way_is_an_error(andorra: ocm.ValhallaTiles, tmp_path: Path) -> None:
    with pytest.raises(ocm.RouteError, match="No suitable edges"):
        ocm.route_between([(5, 52), PASS], engine=andorra)
    with pytest.raises(ocm.QueryError, match="at least 2"):
        ocm.route_between([TOWN], engine=andorra)
    with pytest.raises(ocm.QueryError, match="swapped"):
        ocm.route_between([TOWN, (42.5, 152.0)], engine=andorra)
    with pytest.raises(ocm.QueryError, match="positive"):
        ocm.isochrones([TOWN], [-5], engine=andorra)
    with pytest.raises(ocm.RouteError, match="build_tiles"):
        ocm.ValhallaTiles(tmp_path)
    with pytest.raises(ocm.RouteError, match="no file"):
        ocm.build_tiles(tmp_path / "none.osm.pbf", tmp_path)


def test_a_valhalla_server_answers_as_the_tiles_do(
    andorra: ocm.ValhallaTiles, serve: Callable[..., str]
) -> None:
    def answer(path: str, body: bytes) -> Answer:
        try:
            return 200, json.dumps(andorra._ask(path.strip("/"), json.loads(body))).encode()
        except ocm.RouteError as error:
            return 400, json.dumps({"error": str(error)}).encode()

    server = ocm.Valhalla(serve(answer))
    ours = ocm.route_between([TOWN, PASS], engine=andorra)
    theirs = ocm.route_between([TOWN, PASS], engine=server)
    assert theirs.geometry.iloc[0].equals(ours.geometry.iloc[0])
    assert len(ocm.isochrones([TOWN], 5, engine=server)) == 1
    with pytest.raises(ocm.RouteError, match="No suitable edges"):
        ocm.route_between([(5, 52), PASS], engine=server)


def test_an_osrm_server(data_dir: Path, serve: Callable[..., str]) -> None:
    asked = []
    real = (data_dir / "routes" / "mapbox_java" / "directions_v5_precision_6.json").read_bytes()

    def answer(path: str, _: bytes) -> Answer:
        asked.append(path)
        return 200, real

    engine = ocm.OSRM(serve(answer))
    route = ocm.route_between([(-122.41, 37.77), (-77.03, 38.9)], engine=engine)
    assert asked[0].startswith("/route/v1/driving/-122.410000,37.770000;-77.030000,38.900000?")
    printed = json.loads(real)["routes"][0]
    assert route["length_km"].iloc[0] == pytest.approx(printed["distance"] / 1000)
    assert route["duration_min"].iloc[0] == pytest.approx(printed["duration"] / 60)
    with pytest.raises(ocm.QueryError, match="Valhalla"):
        ocm.isochrones([TOWN], 5, engine=engine)


FAULTS: dict[str, tuple[Answer, type[Exception], str]] = {
    "no route": (
        (400, b'{"code":"NoRoute","message":"Impossible route"}'),
        ocm.RouteError,
        "Impos",
    ),
    "no JSON": ((200, b"<html>hello</html>"), ocm.ServerError, "address of the engine"),
    "broken": ((500, b'{"message":"oops"}'), ocm.ServerError, "oops"),
    "a list": ((200, b"[]"), ocm.ServerError, "failed"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_a_server(name: str, serve: Callable[..., str]) -> None:
    answer, kind, words = FAULTS[name]
    engine = ocm.OSRM(serve(lambda *_: answer))
    with pytest.raises(kind, match=words):
        ocm.route_between([TOWN, PASS], engine=engine)


def test_no_server() -> None:
    with pytest.raises(ocm.ConnectionFailed, match="cannot be reached"):
        ocm.route_between([TOWN, PASS], engine=ocm.OSRM("http://127.0.0.1:9"))
