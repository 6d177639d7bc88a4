from __future__ import annotations

import contextlib
import datetime as dt
import logging
import pickle
import socket
import threading
import time
import traceback
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from urllib3.util import Retry

import ocm_geo as ocm
from ocm_geo.sources import http
from tests.live.conftest import scattered
from tests.live.stand_in import KEY, Faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[..., tuple[Any, ocm.OpenChargeMap]]

BOX = (3, 50, 7, 54)
POIS = scattered(20, (5, 52), 1, n=300)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_WAIT", Retry(total=None, backoff_factor=0.001))


@pytest.fixture
def expected(ask: Ask) -> list[int]:
    return [int(i) for i in ocm.stations_from_bbox(BOX, source=ask(POIS)[1]).index]


@pytest.mark.parametrize(
    "faults",
    [
        Faults(empty=2),
        Faults(truncated=2),
        Faults(html=1),
        Faults(cut=2),
        Faults(shuffled=1),
        Faults(cap=7),
        Faults(cap=100),
        Faults(dropped=frozenset({"maxresults"})),
        Faults(dropped=frozenset({"sortby"})),
        Faults(dropped=frozenset({"greaterthanid"})),
        Faults(dropped=frozenset({"countryid", "connectiontypeid"})),
        Faults(statuses=[(429, {"Retry-After": "0"}), (503, {}), (502, {})]),
    ],
    ids=lambda f: (
        ",".join(k for k, v in f.__dict__.items() if v) + str(f.cap or sorted(f.dropped) or "")
    ),
)
def test_passing_faults_change_nothing(ask: Ask, expected: list[int], faults: Faults) -> None:
    # A cap of 7 takes more than 20 pages.
    found = ocm.stations_from_bbox(BOX, source=ask(POIS, faults)[1], allow_bulk=True)
    assert found.index.tolist() == expected
    assert expected


def test_an_empty_body_is_never_no_stations(ask: Ask) -> None:
    with pytest.raises(ocm.ServerError, match="empty or broken") as caught:
        ocm.stations_from_bbox(BOX, source=ask(POIS, Faults(empty=99))[1])
    assert caught.value.status == 200


def test_broken_answers_are_not_kept(ask: Ask) -> None:
    server, api = ask(POIS, Faults(truncated=99))
    with pytest.raises(ocm.ServerError):
        ocm.stations_from_bbox(BOX, source=api)
    server.faults = Faults()
    assert len(ocm.stations_from_bbox(BOX, source=api)) > 0


@pytest.mark.parametrize(
    ("faults", "kind", "message"),
    [
        (Faults(statuses=[(429, {})] * 9), ocm.RateLimited, "fewer"),
        (Faults(statuses=[(503, {})] * 9), ocm.ServerError, "503"),
        (Faults(statuses=[(404, {})]), ocm.ServerError, "404"),
        (Faults(cut=99), ocm.ConnectionFailed, "network"),
        (
            Faults(dropped=frozenset({"sortby", "maxresults"})),
            ocm.PagingError,
            "out of order",
        ),
    ],
)
def test_lasting_faults_are_clear_errors(
    ask: Ask, faults: Faults, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        ocm.stations_from_bbox(BOX, source=ask(POIS, faults)[1])


def test_tries_are_bounded(ask: Ask) -> None:
    server, api = ask(POIS, Faults(statuses=[(503, {})] * 99))
    with pytest.raises(ocm.ServerError):
        ocm.stations_from_bbox(BOX, source=api)
    assert len(server.seen) == http.TRIES


@pytest.mark.filterwarnings("ignore::ocm_geo.OutsideData")  # the id is nobody's
def test_retry_after_is_obeyed_in_seconds_and_as_a_date(ask: Ask) -> None:
    for seconds in ("1", None):
        date = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
        value = seconds or format_datetime(date, usegmt=True)
        server, api = ask(POIS, Faults(statuses=[(429, {"Retry-After": value})]))
        start = time.monotonic()
        ocm.stations_from_ids([1], source=api)
        assert 0.5 < time.monotonic() - start < 10
        assert len(server.seen) >= 2


def test_a_wait_beyond_the_deadline_is_an_error_at_once(ask: Ask) -> None:
    api = ask(POIS, Faults(statuses=[(429, {"Retry-After": "3600"})]))[1]
    with pytest.raises(ocm.RateLimited) as caught:
        ocm.stations_from_ids([1], source=api)
    assert caught.value.retry_after_s == 3600


def test_no_server_at_all() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v3"
    api = ocm.OpenChargeMap("k", base_url=url, min_interval_s=0)
    with pytest.raises(ocm.ConnectionFailed):
        ocm.stations_from_ids([1], source=api)


def test_a_wrong_key_says_where_keys_come_from(ask: Ask) -> None:
    server, _ = ask(POIS)
    api = ocm.OpenChargeMap("wrong", base_url=server.url, min_interval_s=0)
    with pytest.raises(ocm.ApiKeyError, match="my apps"):
        ocm.stations_from_ids([1], source=api)
    assert len(server.seen) == 1


def test_equal_questions_are_asked_once(ask: Ask) -> None:
    server, api = ask(POIS)
    first = ocm.stations_from_bbox(BOX, source=api)
    n = len(server.seen)
    again = ocm.stations_from_bbox(BOX, source=api)
    assert len(server.seen) == n
    assert again.attrs["ocm"]["retrieved"] == first.attrs["ocm"]["retrieved"]
    assert again.index.equals(first.index)


def test_no_two_requests_are_equal(ask: Ask) -> None:
    server, api = ask(POIS)
    ocm.stations_from_bbox(BOX, source=api)
    asked = [tuple(sorted(params.items())) for params in server.seen]
    assert len(set(asked)) == len(asked)


def test_requests_are_spaced_and_one_at_a_time(ask: Ask) -> None:
    server, _ = ask(POIS)
    api = ocm.OpenChargeMap(base_url=server.url, min_interval_s=0.2)
    start = time.monotonic()
    workers = [
        threading.Thread(target=api.request, args=("poi",), kwargs={"id": i}) for i in (1, 2, 3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.monotonic() - start >= 0.4


def test_the_key_is_only_in_the_header(
    ask: Ask, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    server, api = ask(POIS, Faults(cut=1))
    found = ocm.stations_from_bbox(BOX, source=api)
    server.faults = Faults(empty=99)
    with pytest.raises(ocm.ServerError) as caught:
        api.request("poi", id=5)
    told = [
        repr(api),
        str(api),
        caplog.text,
        repr(found.attrs),
        repr(caught.value),
        repr(vars(caught.value)),
    ]
    told += [str(params) for params in server.seen]
    told += [repr(caught.value.__cause__), repr(caught.value.__context__)]
    assert all(KEY not in text for text in told)
    assert KEY.encode() not in pickle.dumps(api)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert files
    assert all(KEY.encode() not in p.read_bytes() for p in files)
    assert all(headers["X-API-Key"] == KEY for headers in server.headers)
    assert all(headers["User-Agent"].startswith("ocm_geo/") for headers in server.headers)


def test_a_redirect_does_not_take_the_key_along(ask: Ask) -> None:
    other, _ = ask(POIS)
    _, api = ask(POIS, Faults(statuses=[(302, {"Location": f"{other.url}/poi"})]))
    with pytest.raises(ocm.ServerError, match="302"):
        ocm.stations_from_ids([1], source=api)
    assert not other.seen


def test_more_than_twenty_pages_must_be_allowed(ask: Ask) -> None:
    api = ask(POIS, Faults(cap=5))[1]
    with pytest.raises(ocm.QueryError, match="allow_bulk"):
        ocm.stations_from_bbox(BOX, source=api)
    with pytest.raises(ocm.QueryError, match="whole world"):
        ocm.stations(source=api)


def test_the_locals_of_a_traceback_do_not_hold_the_key(ask: Ask) -> None:
    api = ask(POIS, Faults(statuses=[(403, {})]))[1]
    with pytest.raises(ocm.ApiKeyError) as caught:
        api.request("poi", id=5)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(told.format())


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(key: str) -> None:
    with pytest.raises(ocm.QueryError, match="characters") as caught:
        ocm.OpenChargeMap(key)
    assert key not in str(caught.value)


def test_white_space_around_a_key_does_no_harm(ask: Ask) -> None:
    server, _ = ask(POIS)
    api = ocm.OpenChargeMap(f" {KEY}\n", base_url=server.url, min_interval_s=0)
    assert api.request("poi", maxresults=1).json()


@pytest.mark.parametrize("url", ["nonsense", "", "https://api.example.org/v3?key=x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ocm.QueryError, match="base_url"):
        ocm.OpenChargeMap("k", base_url=url)


def test_an_answer_that_drips_on_is_cut_off(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "DEADLINE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v3"
        threading.Thread(target=_drip, args=(listener,), daemon=True).start()
        api = ocm.OpenChargeMap("k", base_url=url, min_interval_s=0)
        ask(POIS)  # for a cache of the test's own
        start = time.monotonic()
        with pytest.raises(ocm.RequestTimeout, match="finish"):
            api.request("poi", id=5)
    assert time.monotonic() - start < 5


def _drip(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.1)


def test_a_failing_hint_does_not_cost_the_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    api = ask(POIS)[1]

    def fail(_: object) -> bool:
        raise ocm.ServerError("down", 503, "")

    monkeypatch.setattr(api, "has_any", fail)
    assert ocm.stations_from_point((52, 5), 50, source=api).empty


def test_a_swapped_point_is_hinted_at(ask: Ask) -> None:
    with pytest.warns(ocm.SuspectInput, match="swapped"):
        found = ocm.stations_from_point((52, 5), 50, source=ask(POIS)[1])
    assert found.empty


def test_the_raw_door_passes_documented_parameters(ask: Ask) -> None:
    server, api = ask(POIS)
    answer = api.request("poi", countryid=[159, 26], compact=True, maxresults=3)
    assert len(answer.json()) == 3
    assert server.seen[-1] == {"countryid": "159,26", "compact": "true", "maxresults": "3"}
    assert KEY not in answer.url


@pytest.mark.parametrize(
    ("endpoint", "params", "message"),
    [
        ("poi", {"key": "x"}, "api_key"),
        ("poi", {"maxresult": 5}, "maxresults"),
        ("pois", {}, "unknown endpoint"),
    ],
)
def test_the_raw_door_refuses_what_the_server_would_ignore(
    ask: Ask, endpoint: str, params: dict[str, Any], message: str
) -> None:
    server, api = ask(POIS)
    with pytest.raises(ocm.QueryError, match=message):
        api.request(endpoint, **params)
    assert not server.seen
