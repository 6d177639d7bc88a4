"""Starting and stopping the server."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import platformdirs

from ocm_geo.checks import check_whole
from ocm_geo.errors import MissingDependency, QueryError, SourceError
from ocm_geo.paths import expand_path
from ocm_geo.server.options import LOOPBACK, ServerOptions
from ocm_geo.server.outbox import Outbox
from ocm_geo.sources.sample import sample

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from ocm_geo.sources.mirror import Mirror

__all__ = ["RunningServer", "find_outbox", "listen_at", "make_app", "serve_mirror"]

_MAX_PORT = 65_535
_START_S = 30.0
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


def make_app(mirror: Mirror, options: ServerOptions | None = None) -> ASGIApp:
    """
    Make the web application, to be run by any ASGI server.

    Parameters
    ----------
    mirror : Mirror
        The snapshot to serve; it is read into memory.
    options : ServerOptions, optional
        How it is served.

    Returns
    -------
    ASGI application
        The application.

    Raises
    ------
    MissingDependency
        If Starlette is not installed.
    """
    _require_packages()
    from starlette.applications import Starlette  # noqa: PLC0415 - an optional package
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415
    from starlette.middleware.gzip import GZipMiddleware  # noqa: PLC0415

    from ocm_geo.server.app import Endpoints  # noqa: PLC0415
    from ocm_geo.server.guards import Guard  # noqa: PLC0415
    from ocm_geo.server.store import Store  # noqa: PLC0415
    from ocm_geo.server.trouble import TroubleMaker  # noqa: PLC0415

    options = options or ServerOptions()
    outbox = Outbox(find_outbox(mirror, options.outbox))
    endpoints = Endpoints(Store(mirror, options.manner), options, outbox)
    routes = Starlette(routes=endpoints.list_routes())
    routes.router.redirect_slashes = False
    app: ASGIApp = Guard(routes, options)
    if options.trouble:
        app = TroubleMaker(app, options.trouble)
    if options.gzip:
        app = GZipMiddleware(app, compresslevel=5)
    if options.origins:
        app = CORSMiddleware(app, options.origins, allow_methods=["*"], allow_headers=["*"])
    return app


def _require_packages() -> None:
    """Check that the optional packages are there."""
    for package in ("starlette", "uvicorn", "httptools"):
        if importlib.util.find_spec(package) is None:
            raise MissingDependency(package, "server")


def find_outbox(mirror: Mirror, folder: Path | None = None) -> Path:
    """
    Find the folder of the comments submitted to a mirror.

    Parameters
    ----------
    mirror : Mirror
        The mirror.
    folder : pathlib.Path, optional
        The folder, where it is another one than ``outbox`` in the mirror.

    Returns
    -------
    pathlib.Path
        The folder; that of the bundled sample is the user's own.
    """
    if folder is not None:
        return expand_path(folder, "outbox")
    if mirror.path == sample().path:
        return platformdirs.user_data_path("ocm_geo") / "outbox"
    return mirror.path / "outbox"


class RunningServer:
    """
    A server in a thread of its own; use it as a context manager, or call `stop`.

    Parameters
    ----------
    app : ASGI application
        What answers.
    listener : socket.socket
        Where it listens.

    Attributes
    ----------
    url : str
        The address of the API, ``http://127.0.0.1:8800/v3`` for example: what
        ``OpenChargeMap(base_url=...)`` takes.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        import uvicorn  # noqa: PLC0415 - an optional package

        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}/v3"
        self._listener = listener
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"RunningServer({self.url!r})"

    def start(self) -> Self:
        """Start in a thread, and return when requests are answered."""
        self._thread = threading.Thread(target=self.run, name="ocm-geo-server", daemon=True)
        self._thread.start()
        end = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise SourceError(f"the server at {self.url} did not start")
            time.sleep(0.01)
        return self

    def run(self) -> None:
        """Answer until stopped, or until Ctrl+C in the main thread."""
        try:
            self._server.run(sockets=[self._listener])
        except KeyboardInterrupt:
            # The wish to stop, and no failure.
            return
        finally:
            self._listener.close()

    def stop(self) -> None:
        """Stop, and return when the port is free."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_START_S)


def serve_mirror(
    mirror: Mirror,
    port: int = 8800,
    *,
    host: str = "127.0.0.1",
    options: ServerOptions | None = None,
    block: bool | None = None,
) -> RunningServer:
    """
    Serve a mirror as version 3 of the Open Charge Map API.

    Parameters
    ----------
    mirror : Mirror
        The snapshot.
    port : int
        Port; 0 for a free one.
    host : str
        Address to listen at: this machine alone by default.
    options : ServerOptions, optional
        How it is served.
    block : bool, optional
        Serve until Ctrl+C. By default so, but in a notebook, where an event loop is running: there
        the server runs in the background.

    Returns
    -------
    RunningServer
        The server, running or, if it blocked, stopped.

    Raises
    ------
    QueryError
        If the port is taken, or the address is none of this machine.
    MissingDependency
        If the packages of the extra ``server`` are not installed.
    """
    check_whole(port, "port", low=0, high=_MAX_PORT)
    options = options or ServerOptions()
    if host not in LOOPBACK and options.hosts == LOOPBACK:
        # Whoever opens the server to others is asked under names that it cannot know.
        options = replace(options, hosts=("*",) if host in _EVERYWHERE else (*LOOPBACK, host))
    _require_packages()
    listener = listen_at(host, port)
    server = RunningServer(make_app(mirror, options), listener)
    if block is None:
        block = not _is_in_event_loop()
    if not block:
        return server.start()
    print(f"{server.url} (Ctrl+C stops)", flush=True)  # noqa: T201 - where to ask
    server.run()
    return server


def listen_at(host: str, port: int) -> socket.socket:
    """Listen at an address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise QueryError(
            f"cannot listen at {host} port {port} ({error.strerror or error}): pass another port, "
            "or port=0 for a free one"
        ) from error
    listener.listen(2048)
    return listener


def _is_in_event_loop() -> bool:
    """Return whether an event loop runs in this thread, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
