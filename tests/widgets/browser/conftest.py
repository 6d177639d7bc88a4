"""A real browser, and one Jupyter server on loopback for Lab, Notebook and Voila."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARTEFACTS = Path(__file__).parents[3] / "test-artefacts"
START_MS = 60_000
"""Longest wait for a server or a kernel to start; a busy machine takes its time."""
WAIT_MS = 15_000
"""Longest wait for anything else."""
# A program that ends with these tests, even if they are killed: its input is closed then.
UNTIL_LEFT_ALONE = [
    sys.executable,
    "-c",
    (
        "import os, sys, threading; code = sys.argv.pop(1); sys.argv[0] = 'jupyter'; "
        "threading.Thread(target=lambda: (sys.stdin.read(), os.kill(os.getpid(), 15)), "
        "daemon=True).start(); exec(code)"
    ),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine has an address: a map must do without.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Other programs warn as they like; without Chromium, one counted skip, but not in CI."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, with whatever is not loopback unreachable."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed")
        pytest.skip("needs Chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - used here alone

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Seen(NamedTuple):
    """What happened in a page that must not happen."""

    faults: list[str]
    outside: list[str]


@pytest.fixture(scope="module")
def open_page(browser: Any) -> Iterator[Callable[..., tuple[Any, Seen]]]:
    """Open pages whose faults are recorded."""
    with contextlib.ExitStack() as stack:

        def new(width: int = 1100, height: int = 900) -> tuple[Any, Seen]:
            page = browser.new_page(viewport={"width": width, "height": height})
            stack.callback(page.close)
            page.set_default_timeout(START_MS)
            seen = Seen([], [])

            def refuse(dialog: Any) -> None:
                seen.faults.append(f"dialog: {dialog.message}")
                dialog.dismiss()

            page.on("pageerror", lambda error: seen.faults.append(str(error)))
            page.on("dialog", refuse)
            page.on("request", lambda request: _note_outside(request.url, seen.outside))
            return page, seen

        yield new


def _note_outside(url: str, outside: list[str]) -> None:
    here = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "file:", "about:", "chrome")
    if not url.startswith(here):
        outside.append(url)


@pytest.fixture(scope="session")
def picture() -> Callable[[Any, str], None]:
    """Keep screenshots, for people to look at."""
    ARTEFACTS.mkdir(exist_ok=True)

    def take(page: Any, name: str) -> None:
        page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True, animations="disabled")

    return take


class Server(NamedTuple):
    """A Jupyter server."""

    url: str
    folder: Path

    def write(self, name: str, *cells: str) -> None:
        """Write a notebook into its folder."""
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(book, self.folder / f"{name}.ipynb")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab, Notebook and Voila, all from one server, ended whatever happens."""
    folder = tmp_path_factory.mktemp("jupyter")
    root = folder / "notebooks"
    root.mkdir()
    port = free_port()
    command = [*UNTIL_LEFT_ALONE, "from jupyterlab.labapp import main; main()", "--no-browser"]
    command += ["--allow-root"]
    command += [f"--port={port}", "--ip=127.0.0.1", "--ServerApp.port_retries=0"]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={root}"]
    command += ["--LabApp.expose_app_in_browser=True"]
    command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
    command += ["--VoilaConfiguration.show_tracebacks=True", "--LabApp.news_url="]
    with running(command, folder):
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/api")
        yield Server(url, root)


@contextlib.contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    """Run a program with a home of its own; end it, by force if need be."""
    homes = {name: str(folder) for name in ("HOME", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    homes["JUPYTER_CONFIG_DIR"] = str(folder / "config")
    environment = {**os.environ, **homes, "JUPYTER_PLATFORM_DIRS": "1"}
    with (folder / "log.txt").open("w") as log:
        started: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own words
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            started.terminate()
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait(20)
            if started.stdin is not None:
                started.stdin.close()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    """Wait until a server answers, whatever it says."""
    until = time.monotonic() + START_MS / 1000
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
