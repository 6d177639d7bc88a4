"""The explorer as a small web app, served by Voila on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocm_geo.errors import MissingDependency
from ocm_geo.paths import expand_path
from ocm_geo.study.inputs import open_source

if TYPE_CHECKING:
    from ocm_geo.widgets import StationExplorer

__all__ = ["NOTEBOOK", "explorer", "serve"]

_ASSETS = Path(__file__).parent / "widgets" / "assets"
NOTEBOOK = _ASSETS / "explore.ipynb"
"""The one cell that Voila runs for each visitor."""

_OPTIONS = "OCM_GEO_EXPLORE"
_MOST_KERNELS = 8
_IDLE_S = 300


def serve(source: str | None, *, port: int = 8866, browser: bool = True, **options: Any) -> int:  # noqa: ANN401
    """
    Serve the explorer until it is stopped, to this machine alone.

    The address that is printed holds a token; Host and Origin of every request are checked, at
    most eight maps are open at a time, and those left alone for five minutes are closed.

    Parameters
    ----------
    source : str, optional
        ``sample``, ``api`` or the path of a mirror; the configured one by default.
    port : int
        Port on the loopback interface.
    browser : bool
        Open a browser.
    **options : object
        Plain options of `StationExplorer`.

    Returns
    -------
    int
        Exit status of the server.

    Raises
    ------
    MissingDependency
        If Voila or anywidget is not installed.
    SourceError
        If there is no source.
    """
    for package, extra in (("voila", "notebooks"), ("anywidget", "maps")):
        if importlib.util.find_spec(package) is None:
            raise MissingDependency(package, extra)
    # Wrong sources are told here, not in a page that stays empty.
    open_source(source, None)
    if source not in {None, "sample", "api"}:
        source = str(expand_path(str(source), "source").resolve())
    # Our template asks no server elsewhere for style sheets.
    paths = [str(_ASSETS), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(paths)
    os.environ[_OPTIONS] = json.dumps({"source": source, **options})
    # The class first: instance() is a singleton of the class it is called on.
    server = _define_server()()
    arguments = [str(NOTEBOOK), f"--port={port}", "--template=ocm-geo", "--Voila.ip=127.0.0.1"]
    arguments += ["--Voila.auto_token=True", *([] if browser else ["--no-browser"])]
    # A tab that was closed leaves its kernel behind until it is culled.
    arguments += [f"--MappingKernelManager.cull_idle_timeout={_IDLE_S}"]
    arguments += [f"--MappingKernelManager.cull_interval={_IDLE_S // 4}"]
    server.initialize(arguments)
    server.start()
    return 0


def _define_server() -> Any:  # noqa: ANN401 - a class of Voila, loaded when needed
    """
    Return Voila with its doors closed: Host and Origin checked, few kernels, a token.

    Voila itself accepts every Host and Origin, so that any web page the user looks at could start
    kernels here, or drive the widgets by a name that resolves to this machine.
    """
    from tornado.web import HTTPError  # noqa: PLC0415 - loaded when needed
    from voila.app import Voila  # noqa: PLC0415 - loaded when needed

    class ExplorerServer(Voila):  # type: ignore[misc] # Voila has no types
        """The explorer's server."""

        def init_settings(self) -> dict[str, Any]:
            """Accept requests to a loopback name alone, and few kernels at a time."""
            settings = {**super().init_settings(), "allow_remote_access": False}
            manager = settings["kernel_manager"]
            start = manager.start_kernel

            async def start_bounded(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
                if len(manager.list_kernel_ids()) >= _MOST_KERNELS:
                    raise HTTPError(
                        503,
                        f"{_MOST_KERNELS} maps are open: close one, wait a little, and reload",
                    )
                return await start(*arguments, **options)

            manager.start_kernel = start_bounded
            return dict(settings)

    return ExplorerServer


def explorer() -> StationExplorer:
    """
    Make the explorer that `serve` was asked for.

    Returns
    -------
    StationExplorer
        With the options that the environment holds.
    """
    from ocm_geo.widgets import StationExplorer  # noqa: PLC0415 - loaded when needed

    options: dict[str, Any] = json.loads(os.environ.get(_OPTIONS, "{}"))
    source = open_source(options.pop("source", None), None)
    return StationExplorer(source, height="calc(100vh - 190px)", **options)
