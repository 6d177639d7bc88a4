"""A stand-in for the Open Charge Map server on loopback, with its documented faults.

It shares no code with ocm_geo: corridors are planar buffers in degrees of half the distance,
simplified, outer ring only; polygons are hulled; all edges are great circles; circles are on a
sphere, sorted by distance whatever is asked; boxes know no antimeridian; without ``sortby`` a box
comes in no order and all else newest first; ``maxresults`` is 100 unless it parses.
"""

from __future__ import annotations

import json
import math
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

import numpy as np
import polyline
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable

    Poi = dict[str, Any]

KEY = "0f0e0d0c-1234-4321-aaaa-123456789abc"


@dataclass
class Faults:
    """What goes wrong, and how often (counted down where it is a number)."""

    dropped: frozenset[str] = frozenset()
    cap: int | None = None
    empty: int = 0
    truncated: int = 0
    html: int = 0
    cut: int = 0
    shuffled: int = 0
    statuses: list[tuple[int, dict[str, str]]] = field(default_factory=list)


class StandIn:
    """The server; use it as a context manager."""

    def __init__(self, pois: list[Poi], faults: Faults | None = None) -> None:
        self.pois = pois
        self.faults = faults or Faults()
        self.seen: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.replies: list[tuple[int, bytes] | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v3"

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.serve(self)

            def do_POST(self) -> None:
                outer.take(self)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        params = {k.lower(): ",".join(v) for k, v in parse_qs(parts.query).items()}
        self.seen.append(params)
        self.headers.append(dict(request.headers))
        if request.headers.get("X-API-Key") != KEY:
            _send(request, 403, b"Invalid API key.", "text/plain")
            return
        if self.faults.statuses:
            status, headers = self.faults.statuses.pop(0)
            _send(request, status, b"not now", "text/plain", headers=headers)
            return
        body = json.dumps(self.answer(params)).encode()
        self._spoiled(request, body)

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Keep what is posted; a reply of None breaks the connection after the body came."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.posts.append((request.path, dict(request.headers), body))
        reply = self.replies.pop(0) if self.replies else (200, b'{"status":"OK"}')
        if reply is None:
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        _send(request, *reply, "application/json", headers={"Location": "http://127.0.0.1:1/x"})

    def _spoiled(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        faults = self.faults
        if faults.empty > 0:
            faults.empty -= 1
            _send(request, 200, b"", "application/json")
        elif faults.truncated > 0:
            faults.truncated -= 1
            _send(request, 200, body[: len(body) // 2], "application/json")
        elif faults.html > 0:
            faults.html -= 1
            _send(request, 200, b"<html><body>Oops</body></html>", "text/html")
        elif faults.cut > 0:
            faults.cut -= 1
            request.send_response(200)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body[: len(body) // 2])
        else:
            _send(request, 200, body, "application/json")

    def answer(self, params: dict[str, str]) -> list[Poi]:
        params = {k: v for k, v in params.items() if k not in self.faults.dropped}
        shown = _ids(params.get("submissionstatustypeid", "")) - {0, 1010} or {100, 200}
        found = [p for p in self.pois if _is_shown(p, shown)]
        found = [p for p in found if all(t(p) for t in _filters(params))]
        inside, ordered = _place(params)
        found = [p for p in found if inside(p)]
        found = ordered(found)
        if params.get("sortby") == "id_asc" and "latitude" not in params:
            found = sorted(found, key=lambda p: int(p["ID"]))
        if self.faults.shuffled > 0:
            self.faults.shuffled -= 1
            found = found[::-1]
        limit = int(params["maxresults"]) if params.get("maxresults", "").isdigit() else 100
        return found[: min(limit, self.faults.cap or limit)]


def _send(
    request: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    kind: str,
    *,
    headers: dict[str, str] | None = None,
) -> None:
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def _is_shown(poi: Poi, shown: set[int]) -> bool:
    if poi.get("StatusTypeID") in {200, 210}:
        return False
    return poi.get("SubmissionStatusTypeID") in shown


def _filters(params: dict[str, str]) -> list[Callable[[Poi], bool]]:
    site = {
        "operatorid": "OperatorID",
        "usagetypeid": "UsageTypeID",
        "statustypeid": "StatusTypeID",
        "dataproviderid": "DataProviderID",
        "chargepointid": "ID",
    }
    tests = [_any_of(_getter(key), _ids(params.get(n, ""))) for n, key in site.items()]
    tests.append(
        _any_of(lambda p: [p["AddressInfo"]["CountryID"]], _ids(params.get("countryid", "")))
    )
    kinds = _ids(params.get("connectiontypeid", ""))
    tests.append(_any_of(lambda p: [c.get("ConnectionTypeID") for c in p["Connections"]], kinds))
    if params.get("greaterthanid", "").isdigit():
        tests.append(lambda p: bool(p["ID"] > int(params["greaterthanid"])))
    if "modifiedsince" in params:
        tests.append(lambda p: bool(p["DateLastStatusUpdate"] >= params["modifiedsince"]))
    return tests


def _getter(key: str) -> Callable[[Poi], list[Any]]:
    return lambda poi: [poi.get(key)]


def _any_of(values: Callable[[Poi], list[Any]], ids: set[int]) -> Callable[[Poi], bool]:
    """A list that does not parse is no filter at all."""
    return lambda poi: not ids or any(value in ids for value in values(poi))


def _ids(text: str) -> set[int]:
    return {int(part) for part in text.split(",") if part.strip().isdigit()}


def _lonlat(poi: Poi) -> tuple[float, float]:
    return poi["AddressInfo"]["Longitude"], poi["AddressInfo"]["Latitude"]


def _newest_first(pois: list[Poi]) -> list[Poi]:
    return sorted(pois, key=lambda p: -int(p["ID"]))


def _clumped(pois: list[Poi]) -> list[Poi]:
    return sorted(pois, key=lambda p: hash((round(p["AddressInfo"]["Latitude"]), p["ID"] * 7919)))


def _place(
    params: dict[str, str],
) -> tuple[Callable[[Poi], bool], Callable[[list[Poi]], list[Poi]]]:
    if text := params.get("polyline"):
        return _in_ring(_corridor(_points(text), params)), _newest_first
    if (text := params.get("boundingbox")) and len(_points(text)) > 1:
        lat, lon = np.array(_points(text)).T
        west, south, east, north = lon.min(), lat.min(), lon.max(), lat.max()
        ring = np.array([[west, south], [east, south], [east, north], [west, north]])
        return _in_ring(ring), _clumped
    if text := params.get("polygon"):
        hull = shapely.MultiPoint([(x, y) for y, x in _points(text)]).convex_hull
        return _in_ring(np.array(hull.exterior.coords)[:-1]), _newest_first
    if "latitude" in params and "longitude" in params:
        return _circle(params)
    return (lambda _: True), _newest_first


def _points(text: str) -> list[tuple[float, float]]:
    if text.startswith("(") and text.endswith(")"):
        pairs = text[1:-1].replace(" ", "").split("),(")
        return [(float(a), float(b)) for a, b in (pair.split(",") for pair in pairs)]
    return polyline.decode(text)  # type: ignore[no-any-return]


def _corridor(points: list[tuple[float, float]], params: dict[str, str]) -> np.ndarray:
    km = float(params.get("distance", 5))
    if params.get("distanceunit", "Miles").lower() not in {"km", "kilometers"}:
        km *= 1.609344
    line = shapely.LineString([(x, y) for y, x in points])
    ground = line.buffer(km / 200, quad_segs=len(points)).simplify(0.001, preserve_topology=True)
    return np.array(ground.exterior.coords)[:-1].astype(np.float32).astype(float)


def _unit(lon: Any, lat: Any) -> np.ndarray:
    x, y = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=-1)


def _in_ring(ring: np.ndarray) -> Callable[[Poi], bool]:
    """Test by the winding of the ring as seen from the point: edges are great circles."""
    corners = _unit(ring[:, 0], ring[:, 1])
    centre = corners.mean(axis=0)

    def inside(poi: Poi) -> bool:
        here = _unit(*_lonlat(poi))
        if here @ centre <= 0:
            return False
        along = corners - (corners @ here)[:, None] * here
        after = np.roll(along, -1, axis=0)
        turn = np.arctan2(np.cross(along, after) @ here, np.einsum("ij,ij->i", along, after))
        return bool(abs(turn.sum()) > math.pi)

    return inside


def _circle(
    params: dict[str, str],
) -> tuple[Callable[[Poi], bool], Callable[[list[Poi]], list[Poi]]]:
    here = _unit(float(params["longitude"]), float(params["latitude"]))
    unit = params.get("distanceunit", "Miles").lower()
    km = float(params.get("distance", 50)) * (1 if unit in {"km", "kilometers"} else 1.609344)

    def away(poi: Poi) -> float:
        return 6371.0 * math.acos(min(1.0, max(-1.0, float(here @ _unit(*_lonlat(poi))))))

    reach = km * 6371.0 / 6378.1
    return (lambda p: away(p) <= reach), (lambda pois: sorted(pois, key=away))
