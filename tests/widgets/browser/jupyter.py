"""Chromium without a network, and one Jupyter server on loopback for Lab, Notebook and Voila."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

import nbformat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_MS = 60_000
"""Longest wait for a server or a kernel to start; a busy machine takes its time."""
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


class Server(NamedTuple):
    """A Jupyter server."""

    url: str
    folder: Path

    def write(self, name: str, *cells: str) -> None:
        """Write a notebook into its folder."""
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(book, self.folder / f"{name}.ipynb")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve JupyterLab, Notebook and Voila, all from one server, ended whatever happens."""
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


def run_notebook(page: Any, server: Server, place: str, name: str) -> None:
    """Open a notebook in JupyterLab or Notebook 7, alone, and run it."""
    page.goto(f"{server.url}/{place}/{name}.ipynb?reset", wait_until="commit")
    page.wait_for_function("window.jupyterapp !== undefined")
    page.evaluate("async () => { await window.jupyterapp.restored }")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    )
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")


@contextlib.contextmanager
def running(command: list[str], folder: Path) -> Iterator[int]:
    """Run a program with a home of its own; yield its process id; end it, by force if need be."""
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
            yield started.pid
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
