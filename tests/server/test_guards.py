"""Who may ask, how often, and what a hostile client can do: nothing."""

from __future__ import annotations

import gzip
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

import ocm_geo as ocm
from ocm_geo.server import ServerOptions, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Asker

    Serve = Callable[..., Asker]

KEY = "0f0e0d0c-1234-4321-aaaa-123456789abc"


def test_keys(serve: Serve) -> None:
    server = serve(manner="ocm", keys=(KEY,))
    missing = server.get("poi")
    assert missing.status_code == 403
    assert missing.text.startswith("You must specify an API key")
    assert server.get(f"poi?key={KEY}").status_code == 200
    assert server.get("poi", headers={"x-api-key": KEY}).status_code == 200
    assert server.get("poi?key=", headers={"X-API-Key": KEY}).status_code == 403
    wrong = server.get("poi?KEY=nonsense")
    assert (wrong.status_code, wrong.text) == (403, "Invalid API key.")
    assert server.post("comment", json={}).status_code == 403


def test_the_client_tells_that_a_key_is_missing(serve: Serve, tmp_path: Any) -> None:
    server = serve(keys=(KEY,))
    with ocm.using(cache_dir=tmp_path, api_key=None):
        api = ocm.OpenChargeMap("another", base_url=server.url, min_interval_s=0)
        with pytest.raises(ocm.ApiKeyError):
            api.request("poi", maxresults=1)


def test_a_rate(serve: Serve) -> None:
    server = serve(max_per_minute=3)
    codes = [server.get("poi?maxresults=1").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert 1 <= int(server.get("poi").headers["Retry-After"]) <= 21


def test_other_names_and_pages_of_others(serve: Serve, exact: Asker) -> None:
    assert exact.get("poi", headers={"Host": "evil.example"}).status_code == 421
    assert exact.get("poi?maxresults=1", headers={"Host": "localhost:1"}).status_code == 200
    page = {"Origin": "https://evil.example"}
    assert exact.post("comment", json={}, headers=page).status_code == 403
    assert "Access-Control-Allow-Origin" not in exact.get("poi", headers=page).headers
    open_to_it = serve(origins=("https://evil.example",))
    answer = open_to_it.get("poi?maxresults=1", headers=page)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.example"
    assert open_to_it.post("comment", json={}, headers=page).status_code == 400


def test_compressed_answers(serve: Serve, exact: Asker) -> None:
    asked = {"Accept-Encoding": "gzip"}
    answer = serve(gzip=True).get("poi", headers=asked)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.json() == exact.get("poi").json()
    assert "Content-Encoding" not in exact.get("poi", headers=asked).headers


def test_bombs_and_giants(exact: Asker) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert exact.post("comment", data=bomb, headers=headers).status_code == 415
    assert exact.post("comment", data=b"x" * 70_000).status_code == 413
    pieces = (b"x" * 1000 for _ in range(70))
    assert exact.post("comment", data=pieces).status_code == 413
    nested = b"[" * 60_000
    assert exact.post("comment", data=nested).status_code == 400
    assert exact.post("profile/authenticate", data=nested).status_code == 401
    assert exact.get("poi?polyline=" + "a" * 40_000).status_code == 414
    assert exact.get("poi?chargepointid=" + "1," * 15_000 + "1").status_code == 200
    assert exact.ids("maxresults=1") == [2149]


def test_expensive_places_are_answered_soon(exact: Asker, loose: Asker) -> None:
    rows = ",".join(f"({50 + i % 7},{i % 90})" for i in range(2500))
    start = time.monotonic()
    for server in (exact, loose):
        for query in (f"polyline={rows}&distance=500", f"polygon={rows}"):
            assert server.get(f"poi?{query}&compact=true").status_code in {200, 400}
    far = "poi?polyline=(0,0),(1,1)&distance=99999999999&compact=true"
    assert loose.get(far).status_code == 200
    assert time.monotonic() - start < 20


STRANGE = (
    *("%00", "%ff%fe", "\u2028", "1e309", "-0", "9" * 400, "(((((", ")", "(,)", "(1,2),(3", "null"),
    *("true,false", "'; drop table", "../../x", "%F0%9F%94%8C", "[1]", "{}", "1;2", "NaN", "0x10"),
    *("1,,2", ",", "-1", "2147483648", "1.5", "51,5", "٣", "½", "2024-02-30", "99999-01-01"),
)


@pytest.mark.parametrize("manner", ["exact", "loose"])
def test_no_value_of_any_parameter_is_a_failure(
    manner: str, request: pytest.FixtureRequest
) -> None:
    from ocm_geo.server.parameters import PARAMETERS  # noqa: PLC0415 - used here alone

    server: Asker = request.getfixturevalue(manner)
    for name in PARAMETERS:
        for value in STRANGE:
            answer = server.get(f"poi?maxresults=2&{name}={value}")
            assert answer.status_code in ({200, 400} if manner == "exact" else {200})
            if manner == "exact" and answer.status_code == 400:
                assert answer.json()["description"]


def test_what_is_no_http(exact: Asker) -> None:
    host, port = exact.url.split("/")[2].split(":")
    for text in (b"nonsense\r\n\r\n", b"GET /v3/poi HTTP/1.1\r\nHost: \xff\r\n\r\n", b"\x16\x03"):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(100)
    assert exact.ids("maxresults=1") == [2149]


@pytest.mark.parametrize("text", ["429", "429:2", "nonsense:0.1", "200:0.1", "empty:x", "slow:fast",
                                  "429:0.6,503:0.6"])  # fmt: skip
def test_trouble_that_is_none(text: str) -> None:
    with pytest.raises(ocm.QueryError, match=r"trouble|shares"):
        Trouble.parse(text)


def test_trouble_comes_as_often_as_asked(serve: Serve) -> None:
    trouble = Trouble.parse("429:0.3,empty:0.2,html:0.1", seed=1)
    server = serve(trouble=trouble)
    answers = [server.get("poi?maxresults=1") for _ in range(300)]
    limited = sum(answer.status_code == 429 for answer in answers)
    empty = sum(answer.status_code == 200 and not answer.content for answer in answers)
    assert 60 < limited < 120
    assert 35 < empty < 90
    start = time.monotonic()
    serve(trouble=Trouble.parse("slow:200ms")).get("poi?maxresults=1")
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize(
    "options",
    [{"manner": "perfect"}, {"max_per_minute": 0}, {"max_stations": -1}, {"keys": ("ключ",)}],
)
def test_options_that_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(ocm.QueryError):
        ServerOptions(**options)


def test_a_port_that_is_taken(exact: Asker, mirror: ocm.Mirror) -> None:
    port = int(exact.url.split(":")[2].split("/")[0])
    with pytest.raises(ocm.QueryError, match="port=0"):
        mirror.serve(port, block=False)
    with pytest.raises(ocm.QueryError, match="port"):
        mirror.serve(99_999, block=False)
