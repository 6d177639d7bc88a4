"""A served mirror of 300,000 stations under load: 50 clients, mixed questions, one minute.

The peers are equally plain handlers behind the same web server: the records as JSON in memory and
the spatial index of geopandas; and PostGIS with the records as text, where it and asyncpg are
installed. Server, database and clients share the processors of the machine.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import geopandas as gpd
import numpy as np
import shapely

import ocm_geo as ocm
from benchmarks import postgis
from benchmarks.data import N_SITES, repeated_lines
from ocm_geo.server import make_app
from ocm_geo.server.running import RunningServer, listen_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

CLIENTS = 50
SECONDS = float(os.environ.get("OCM_GEO_BENCH_SECONDS", "60"))
SHORT = {"compact": "true", "verbose": "false", "maxresults": "100"}


def main() -> None:
    """Print throughput, latencies and memory of both."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pois.jsonl"
        path.write_bytes(b"\n".join(repeated_lines(N_SITES)))
        ocm.Mirror.build(Path(folder) / "mirror", path)
        ours = _measure(_make_ours, folder)
        peer = _measure(_make_peer, folder)
        print(f"  throughput against geopandas behind the same web server: {ours / peer:.1f} x")
        if not postgis.available() or importlib.util.find_spec("asyncpg") is None:
            print("  PostGIS or asyncpg is not installed: not compared")
            return
        with postgis.database() as base:
            _fill(base, folder)
            theirs = _measure(_make_postgis, str(base.socket))
    print(f"  throughput against PostGIS behind the same web server: {ours / theirs:.1f} x")


def _make_ours(folder: str) -> ASGIApp:
    return make_app(ocm.Mirror(Path(folder) / "mirror"))


def _make_peer(folder: str) -> ASGIApp:
    """Make the handler that an expert writes with geopandas in a page of code."""
    from starlette.applications import Starlette  # noqa: PLC0415 - an optional package
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    stations, _ = ocm.Mirror(Path(folder) / "mirror").arrow_tables()
    bodies = Path(folder, "pois.jsonl").read_bytes().split(b"\n")
    ids, country = (stations[name].to_numpy() for name in ("ocm_id", "country_id"))
    lon, lat = (stations[name].to_numpy() for name in ("lon", "lat"))
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(3035)
    degrees = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    _ = points.sindex, degrees.sindex

    def find(params: dict[str, str]) -> np.ndarray:
        if "boundingbox" in params:
            numbers = _numbers(params["boundingbox"])
            box = shapely.box(numbers[1], numbers[0], numbers[3], numbers[2])
            return np.asarray(degrees.sindex.query(box, predicate="intersects"))
        if "countryid" in params:
            return np.flatnonzero(country == int(params["countryid"]))
        if "polyline" in params:
            pairs = [p.split(",") for p in params["polyline"].strip("()").split("),(")]
            place = shapely.LineString([(float(x), float(y)) for y, x in pairs])
        else:
            place = shapely.Point(float(params["longitude"]), float(params["latitude"]))
        flat = gpd.GeoSeries([place], crs="EPSG:4326").to_crs(3035).iloc[0]
        reach = 1000 * float(params["distance"])
        return np.asarray(points.sindex.query(flat, predicate="dwithin", distance=reach))

    async def answer(request: Request) -> Response:
        found = ids[find(dict(request.query_params))]
        newest = np.sort(found)[::-1][:100]
        text = b"[" + b",".join(bodies[i - 1] for i in newest.tolist()) + b"]"
        return Response(text, media_type="application/json")

    return Starlette(routes=[Route("/v3/poi", answer)])


def _fill(base: postgis.Database, folder: str) -> None:
    """Load the records into PostGIS, with an index for each kind of question."""
    stations, _ = ocm.Mirror(Path(folder) / "mirror").arrow_tables()
    bodies = Path(folder, "pois.jsonl").read_text(encoding="utf-8").split("\n")
    columns = (stations[name].to_pylist() for name in ("ocm_id", "country_id", "lon", "lat"))
    rows = (
        f"{n}\t{country}\tSRID=4326;POINT({x} {y})\t{_escape(bodies[n - 1])}"
        for n, country, x, y in zip(*columns, strict=True)
    )
    base.run("create table poi (id int primary key, country int, geom geometry(point), body text);")
    base.run("copy poi from stdin;", rows)
    base.run("alter table poi add geog geography(point); update poi set geog = geom::geography;")
    for kind in ("gist (geom)", "gist (geog)", "btree (country, id)"):
        base.run(f"create index on poi using {kind};")
    base.run("vacuum analyze poi;")


def _escape(body: str) -> str:
    """Escape a record for COPY."""
    return body.replace("\\", "\\\\").replace("\t", "\\t")


_NEWEST = (
    "select string_agg(body, ',') from (select body from poi where {} order by id desc limit 100) t"
)
_WITHIN = _NEWEST.format("st_dwithin(geog, st_geogfromtext($1), $2)")
_IN_BOX = _NEWEST.format("geom && st_makeenvelope($1, $2, $3, $4, 4326)")
_IN_COUNTRY = _NEWEST.format("country = $1")


def _make_postgis(socket: str) -> ASGIApp:
    """Make the handler that asks PostGIS: one statement an answer, the records as stored."""
    asyncpg: Any = importlib.import_module("asyncpg")
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    pools: list[Any] = []
    opening = asyncio.Lock()

    def plan(params: dict[str, str]) -> tuple[Any, ...]:
        if "boundingbox" in params:
            south, west, north, east = _numbers(params["boundingbox"])
            return _IN_BOX, west, south, east, north
        if "countryid" in params:
            return _IN_COUNTRY, int(params["countryid"])
        reach = 1000 * float(params["distance"])
        if "polyline" in params:
            flat = _numbers(params["polyline"])
            pairs = ",".join(f"{x} {y}" for y, x in zip(flat[::2], flat[1::2], strict=True))
            return _WITHIN, f"LINESTRING({pairs})", reach
        return _WITHIN, f"POINT({params['longitude']} {params['latitude']})", reach

    async def answer(request: Request) -> Response:
        async with opening:
            if not pools:
                # Two connections: as many as the machine has processors; each keeps its plans.
                login = {"host": socket, "user": "postgres", "database": "postgres"}
                pools.append(await asyncpg.create_pool(**login, min_size=2, max_size=2))
        found = await pools[0].fetchval(*plan(dict(request.query_params)))
        return Response(f"[{found or ''}]", media_type="application/json")

    return Starlette(routes=[Route("/v3/poi", answer)])


def _numbers(text: str) -> list[float]:
    """Read "(1,2),(3,4)" as numbers."""
    return [float(v) for v in text.replace("(", "").replace(")", "").split(",")]


def _serve(make: Callable[[str], ASGIApp], folder: str, pipe: Any) -> None:  # noqa: ANN401 - a pipe
    """Serve in a process of its own."""
    listener = listen_at("127.0.0.1", 0)
    server = RunningServer(make(folder), listener)
    pipe.send(server.url)
    server.run()


def _measure(make: Callable[[str], ASGIApp], folder: str) -> float:
    """Ask for a minute; return the answers a second."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(make, folder, theirs), daemon=True
    )
    process.start()
    url = ours.recv()
    try:
        asyncio.run(_load(url, SECONDS / 6))
        before = _memory_mb(process.pid)
        times, n_bytes = asyncio.run(_load(url, SECONDS))
        after = _memory_mb(process.pid)
    finally:
        process.terminate()
        process.join()
    ms = 1000 * np.array(times)
    print(
        f"{make.__name__.removeprefix('_make_')}, {N_SITES:,} stations, {CLIENTS} clients: "
        f"{len(ms) / SECONDS:.0f} answers/s, {n_bytes / SECONDS / 1e6:.0f} MB/s, "
        f"p50 {np.percentile(ms, 50):.0f} ms, p99 {np.percentile(ms, 99):.0f} ms; "
        f"memory {before:.0f} -> {after:.0f} MB"
    )
    return len(ms) / SECONDS


def _memory_mb(pid: int | None) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _load(url: str, seconds: float) -> tuple[list[float], int]:
    """Ask with many clients at once."""
    end = time.perf_counter() + seconds
    done = await asyncio.gather(*(_ask_on(url, end, seed) for seed in range(CLIENTS)))
    return [t for times, _ in done for t in times], sum(n for _, n in done)


async def _ask_on(url: str, end: float, seed: int) -> tuple[list[float], int]:
    """Ask one question after the other on one connection; any error ends the benchmark."""
    host, port = url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 24)
    rng = np.random.default_rng(seed)
    times, n_bytes = [], 0
    while time.perf_counter() < end:
        target = f"/v3/poi?{urlencode({**SHORT, **_question(rng)})}"
        start = time.perf_counter()
        writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head[:80]
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(size)
        assert body.endswith(b"]")
        times.append(time.perf_counter() - start)
        n_bytes += size
    writer.close()
    return times, n_bytes


def _question(rng: np.random.Generator) -> dict[str, str]:
    """Draw a box, a point, a route or a country."""
    lon, lat = float(rng.uniform(-5, 25)), float(rng.uniform(40, 60))
    match int(rng.integers(4)):
        case 0:
            return {"boundingbox": f"({lat:.4f},{lon:.4f}),({lat + 0.5:.4f},{lon + 0.8:.4f})"}
        case 1:
            near = {"latitude": f"{lat:.4f}", "longitude": f"{lon:.4f}"}
            return {**near, "distance": "20", "distanceunit": "km"}
        case 2:
            steps = np.cumsum(rng.normal(0.1, 0.05, (30, 2)), axis=0)
            pairs = ",".join(f"({lat + y:.4f},{lon + x:.4f})" for x, y in steps)
            return {"polyline": pairs, "distance": "5", "distanceunit": "km"}
    return {"countryid": "159"}


if __name__ == "__main__":
    main()
