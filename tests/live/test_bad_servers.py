"""Servers that fail in every way of HTTP: each question ends in time, with an error of ours."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from urllib3.util import Retry

import ocm_geo as ocm
from ocm_geo.sources import http
from tests.live.conftest import scattered
from tests.live.stand_in import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Script = Callable[[socket.socket, bytes], None]
    Ask = Callable[..., tuple[Any, ocm.OpenChargeMap]]

DEADLINE_S = 0.7
MARGIN_S = 2.0
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_WAIT", Retry(total=None, backoff_factor=0.001))
    monkeypatch.setattr(http, "DEADLINE_S", DEADLINE_S)


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], str]]:
    """Start servers that follow a script on every connection; return their addresses."""
    listeners: list[socket.socket] = []

    def start(script: Script) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=_follow, args=(listener, script), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v3"

    yield start
    for listener in listeners:
        listener.close()


def _follow(listener: socket.socket, script: Script) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            script(connection, connection.recv(65536))


def sends(*parts: bytes) -> Script:
    def script(connection: socket.socket, _: bytes) -> None:
        for part in parts:
            connection.sendall(part)

    return script


def drips(start: bytes, piece: bytes) -> Script:
    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(start)
        for _turn in range(100):
            connection.sendall(piece)
            time.sleep(0.05)

    return script


def resets(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def waits(connection: socket.socket, _: bytes) -> None:
    connection.settimeout(8)
    connection.recv(1)


def packed(body: bytes, *, declared: bytes = b"gzip") -> bytes:
    head = OK + b"Content-Encoding: " + declared + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body


def plain(body: bytes, status: bytes = b"200 OK", *headers: bytes) -> bytes:
    head = b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)])
    return head + b"\r\n\r\n" + body


def answer(body: bytes) -> bytes:
    return plain(body, b"200 OK", b"Content-Type: application/json")


GZIP = gzip.compress(b"[]" * 5000)
SCRIPTS: dict[str, Script] = {
    "no answer": waits,
    "closed at once": sends(),
    "reset": resets,
    "half a status line": sends(b"HTTP/1."),
    "no HTTP": sends(b"220 mail.example ESMTP\r\n"),
    "status line in drops": drips(b"", b"H"),
    "headers in drops": drips(OK, b"X-More: 1\r\n"),
    "one header in drops": drips(OK + b"X-Long: ", b"a"),
    "100 Continue for ever": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 Early Hints for ever": drips(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "body in drops": drips(OK + b"Content-Length: 9999\r\n\r\n", b" "),
    "body in drops without a length": drips(OK + b"\r\n", b" "),
    "chunks in drops": drips(CHUNKED, b"1\r\n \r\n"),
    "endless chunk extension": drips(CHUNKED + b"1;", b"x"),
    "endless trailers": drips(CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n"),
    "negative chunk": sends(CHUNKED, b"-5\r\n[]\r\n0\r\n\r\n"),
    "chunk size that is not a number": sends(CHUNKED, b"zz\r\n[]\r\n0\r\n\r\n"),
    "huge chunk": sends(CHUNKED, b"FFFFFFFFFFFFFFFF\r\n[]\r\n"),
    "no last chunk": sends(CHUNKED, b"2\r\n[]\r\n"),
    "longer than it says": sends(OK + b"Content-Length: 99\r\n\r\n[]"),
    "negative length": sends(OK + b"Content-Length: -1\r\n\r\n"),
    "two lengths": sends(OK + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n[]"),
    "length in words": sends(OK + b"Content-Length: two\r\n\r\n"),
    "a header of 100 kB": sends(OK + b"X: " + b"a" * 100_000 + b"\r\n\r\n[]"),
    "1,000 headers": sends(OK + b"X: y\r\n" * 1000 + b"\r\n[]"),
    "header without a colon": sends(OK + b"broken\r\n\r\n"),
    "NUL in a header": sends(OK + b"X: \x00\r\nContent-Length: 0\r\n\r\n"),
    "status 999": sends(plain(b"?", b"999 Odd")),
    "status 0": sends(plain(b"?", b"0 Zero")),
    "status in words": sends(plain(b"?", b"OK 200")),
    "broken gzip": sends(packed(GZIP[:20] + b"\x00" * 20 + GZIP[40:])),
    "cut gzip": sends(packed(GZIP[: len(GZIP) // 2])),
    "gzip that is not": sends(packed(b"[1, 2")),
    "unknown encoding": sends(packed(b"\x00\x01", declared=b"br2")),
    "deflate that is not": sends(packed(b"[1, 2", declared=b"deflate")),
    "empty": sends(answer(b"")),
    "blank": sends(answer(b" \r\n ")),
    "page": sends(plain(b"<html><title>Login</title></html>", b"200 OK")),
    "page called JSON": sends(answer(b"<!DOCTYPE html><html></html>")),
    "cut JSON": sends(answer(b'[{"ID": 1, "Addr')),
    "two JSON values": sends(answer(b"[] []")),
    "null": sends(answer(b"null")),
    "a number": sends(answer(b"7")),
    "a text": sends(answer(b'"You must specify an API key"')),
    "an object": sends(answer(b'{"error": "busy"}')),
    "deep JSON": sends(answer(b"[" * 100_000)),
    "bad UTF-8": sends(answer(b'[{"ID": "\xff\xfe"')),
    "NaN": sends(answer(b"[NaN")),
    "UTF-16": sends(answer("[]".encode("utf-16"))),
    "204": sends(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "206": sends(plain(b"[", b"206 Partial Content")),
    "304": sends(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "301 to nowhere": sends(plain(b"", b"301 Moved", b"Location: http://[bad")),
    "302 without a place": sends(plain(b"", b"302 Found")),
    "302 to itself": sends(plain(b"", b"302 Found", b"Location: /v3/poi")),
    "400": sends(plain(b"bad", b"400 Bad Request")),
    "401": sends(plain(b"who?", b"401 Unauthorized")),
    "403": sends(plain(b"no", b"403 Forbidden")),
    "404": sends(plain(b"none", b"404 Not Found")),
    "407": sends(plain(b"", b"407 Proxy Authentication Required")),
    "418": sends(plain(b"", b"418 Teapot")),
    "429": sends(plain(b"", b"429 Too Many")),
    **{
        f"429 after {after!r}": sends(plain(b"", b"429 Too Many", b"Retry-After: " + after))
        for after in (
            *(b"-5", b"soon", b"1e9", b"999999999999999999999", b"0.5"),
            *(b"Fri, 31 Dec 99999 23:59:59 GMT", b"Mon, 01 Jan 0001 00:00:00 GMT", b"\xff"),
        )
    },
    "500": sends(plain(b"\x1b[31mred\x1b[0m", b"500 Error")),
    "502": sends(plain(b"<html>bad gateway</html>", b"502 Bad Gateway")),
    "503": sends(plain(b"", b"503 Unavailable", b"Retry-After: 0")),
    "520": sends(plain(b"", b"520 Odd")),
    "unknown charset": sends(
        plain(b"\xff", b"500 Error", b"Content-Type: text/plain; charset=x-y")
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("hours", [24, 0], ids=["with cache", "without"])
def test_every_failure_ends_in_time_with_an_error_of_ours(
    scripted: Callable[[Script], str], name: str, hours: float
) -> None:
    with ocm.using(cache_hours=hours):
        api = ocm.OpenChargeMap("k", base_url=scripted(SCRIPTS[name]), min_interval_s=0)
        start = time.monotonic()
        with pytest.raises(ocm.SourceError) as caught:
            ocm.stations_from_ids([1], source=api)
    assert time.monotonic() - start < DEADLINE_S + MARGIN_S
    assert str(caught.value).isprintable()


def test_a_bomb_is_not_unpacked(scripted: Callable[[Script], str]) -> None:
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]", 9)
    api = ocm.OpenChargeMap("k", base_url=scripted(sends(packed(bomb))), min_interval_s=0)
    with (
        ocm.using(max_answer_mib=1),
        pytest.raises(ocm.ServerError, match=r"max_answer_mib=1 \(configure\(max_answer_mib=…\)"),
    ):
        ocm.stations_from_ids([1], source=api)
    assert api.request("poi", id=1).json() == []


def test_a_slow_host_blocks_no_other(scripted: Callable[[Script], str], ask: Ask) -> None:
    slow = ocm.OpenChargeMap("k", base_url=scripted(SCRIPTS["no answer"]), min_interval_s=0)
    asking = threading.Thread(target=lambda: _ask_in_vain(slow), daemon=True)
    asking.start()
    _, api = ask(scattered(3, (5, 52), 1, n=50))
    start = time.monotonic()
    ocm.stations_from_bbox((3, 50, 7, 54), source=api)
    assert asking.is_alive()
    assert time.monotonic() - start < DEADLINE_S
    asking.join()


def _ask_in_vain(api: ocm.OpenChargeMap) -> None:
    with contextlib.suppress(ocm.SourceError):
        api.request("poi", id=1)


def test_a_late_body_without_a_length_is_not_taken_for_whole(
    scripted: Callable[[Script], str],
) -> None:
    lines = drips(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\nID\r\n", b"1\r\n")
    api = ocm.OpenChargeMap("k", base_url=scripted(lines), min_interval_s=0)
    for _ in range(2):  # the second would come from the cache
        with pytest.raises(ocm.RequestTimeout):
            api.request("poi", output="csv")


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("http://login.example/portal?token=secret", "http://login.example/portal"),
        ("https://user:secret@other.example/v4", "https://other.example/v4"),
    ],
)
def test_a_redirect_names_its_target_and_no_secret(ask: Ask, location: str, shown: str) -> None:
    _, api = ask([], Faults(statuses=[(302, {"Location": location})]))
    with pytest.raises(ocm.ServerError, match=shown) as caught:
        ocm.stations_from_ids([1], source=api)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:secret@api.example.org/v3",
        "https://secret@api.example.org/v3",
        "http://api.example.org:99999999/v3",
        "http://[::1/v3",
        "//api.example.org",
        "ftp://api.example.org",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ocm.QueryError, match="base_url") as caught:
        ocm.OpenChargeMap("k", base_url=url)
    assert "secret" not in str(caught.value)


def test_a_key_without_encryption_is_told() -> None:
    with pytest.warns(ocm.SuspectInput, match="not encrypted"):
        ocm.OpenChargeMap("k", base_url="http://api.example.org/v3")


def test_a_rejected_record_with_a_great_id_ends_no_walk(scripted: Callable[[Script], str]) -> None:
    """The server caps its pages at twenty, and the last record of the first is broken."""
    records = scattered(5, (5, 52), 0.2, n=60)
    for record in records:
        record.update(SubmissionStatusTypeID=200, StatusTypeID=50)
    records.sort(key=lambda record: record["ID"])
    broken = {"ID": 9_000_000_000, "AddressInfo": {"Title": "nowhere"}}
    listed = [*records[:19], broken, *records[19:]]

    def serve(connection: socket.socket, request: bytes) -> None:
        found = re.search(rb"greaterthanid=(\d+)", request)
        after = int(found[1]) if found else 0
        page = [record for record in listed if record["ID"] > after][:20]
        connection.sendall(answer(json.dumps(page).encode()))

    api = ocm.OpenChargeMap("k", base_url=scripted(serve), min_interval_s=0)
    with pytest.warns(ocm.DroppedRows, match="9000000000"):
        found = ocm.stations_from_bbox((3, 50, 7, 54), source=api)
    assert found.index.tolist() == [record["ID"] for record in records]
    assert found.attrs["ocm"]["complete"] is False
    assert found.attrs["ocm"]["n_rejected"] == 1


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[str]:
    """Start a server whose certificate nobody has signed; return its address."""
    paths = [str(tmp_path / name) for name in ("key.pem", "cert.pem")]
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl makes the certificate")
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command = [openssl, "req", *options, "-keyout", paths[0], "-out", paths[1]]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths[1], paths[0])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_shake_hands, args=(listener, context), daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/v3"


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()


def test_a_certificate_that_is_not_accepted_is_named(
    encrypted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DEADLINE_S", 60)
    with pytest.raises(ocm.ConnectionFailed, match=r"certificate of 127.0.0.1.*nothing was sent"):
        ocm.stations_from_ids([1], source=ocm.OpenChargeMap("k", base_url=encrypted))


def test_a_server_without_encryption_is_named(
    scripted: Callable[[Script], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DEADLINE_S", 60)
    url = scripted(sends(b"HTTP/1.1 400 Bad Request\r\n\r\n")).replace("http:", "https:")
    with pytest.raises(ocm.ConnectionFailed, match="does not speak TLS"):
        ocm.stations_from_ids([1], source=ocm.OpenChargeMap("k", base_url=url))
