"""The command line, and the server as scripts and notebooks start it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import requests
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo.cli import app
from ocm_geo.server.running import find_outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.server.conftest import Asker


def test_the_command_serves_until_it_is_stopped(mirror: ocm.Mirror, tmp_path: Path) -> None:
    command = ["mirror", "serve", str(mirror.path), "--port", "0", "--manner", "ocm"]
    command += ["--outbox", str(tmp_path)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", "from ocm_geo.cli import main; main()", *command],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        assert len(requests.get(f"{url}/poi", timeout=10).json()) == 100
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--manner", "perfect"], "manner"),
        (["--trouble", "429"], "429"),
        (["--host", "203.0.113.1", "--port", "0"], "listen"),
    ],
)
def test_options_that_cannot_be_meant(options: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["mirror", "serve", "sample", *options])
    assert isinstance(result.exception, ocm.QueryError)
    assert words in str(result.exception)


def test_in_a_notebook_the_server_runs_in_the_background(mirror: ocm.Mirror) -> None:
    async def serve() -> str:
        with mirror.serve(0) as server:
            text = await asyncio.to_thread(requests.get, f"{server.url}/system/status", timeout=10)
            return str(text.json()["dataHash"])

    assert asyncio.run(serve()) == mirror.snapshot


def test_a_blocking_server_can_be_asked_from_another_thread(
    mirror: ocm.Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    thread = threading.Thread(target=mirror.serve, args=(0,), daemon=True)
    thread.start()
    url = ""
    while not url and thread.is_alive():
        url = capsys.readouterr().out.partition(" ")[0]
    assert requests.get(f"{url}/system/status", timeout=10).json()["dataHash"] == mirror.snapshot


def test_a_mirror_that_was_updated_in_parts(
    mirror: ocm.Mirror, serve: Callable[..., Asker], tmp_path: Path
) -> None:
    """A snapshot of several parts, with changed, new and lost stations, is served as a whole."""
    files = [tmp_path / name for name in ("one.json", "two.json")]
    first = mirror.serve(0, block=False)
    with first:
        one = requests.get(f"{first.url}/poi?includecomments=true", timeout=30).json()
    changed = [{**record, "GeneralComments": "changed"} for record in one[:30]]
    for record in changed:
        record["DateLastStatusUpdate"] = "2024-01-01T00:00:00Z"

    for path, records in zip(files, (one, [*changed, *one[40:]]), strict=True):
        path.write_text(json.dumps(records), encoding="utf-8")
    copy = ocm.Mirror.build(tmp_path / "copy", files[0])
    copy.update(data=files[1])
    again = ocm.Mirror(tmp_path / "copy")
    for manner in ("exact", "ocm"):
        server = serve(mirror=again, manner=manner, outbox=tmp_path / "box")
        found = server.get("poi?maxresults=1000&compact=true&verbose=false").json()
        texts = {record["ID"]: record.get("GeneralComments") for record in found}
        assert len(texts) == len(found) == len(one) - 10
        assert all(texts[record["ID"]] == "changed" for record in changed)
        by_connection = server.ids("minpowerkw=50&maxresults=1000")
        assert by_connection == [i for i in by_connection if i in texts] != []


def test_where_comments_are_kept(mirror: ocm.Mirror, tmp_path: Path) -> None:
    assert find_outbox(mirror) == mirror.path / "outbox"
    assert find_outbox(mirror, tmp_path) == tmp_path
    assert ocm.sample().path not in find_outbox(ocm.sample()).parents
