"""The explorer as a small web app on this machine, served by Voila."""

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
"""The notebook of one cell that Voila runs for each visitor."""

_OPTIONS = "OCM_GEO_EXPLORE"
_MOST_KERNELS = 8
_IDLE_S = 300


def serve(source: str | None, *, port: int = 8866, browser: bool = True, **options: Any) -> int:  # noqa: ANN401
    """
    Serve the explorer on this machine until the server is stopped.

    The printed address contains a token. Host and Origin of every request are checked, at most
    eight maps can be open at a time, and a map is closed five minutes after its page.

    Parameters
    ----------
    source : str, optional
        ``sample``, ``api`` or the path of a mirror; the configured one by default.
    port : int
        Port on the loopback interface.
    browser : bool
        Whether to open a browser.
    **options : object
        Options of `StationExplorer` that JSON can contain.

    Returns
    -------
    int
        Exit status of the server.

    Raises
    ------
    MissingDependency
        If Voila or anywidget is not installed.
    SourceError
        If no source is configured, or the source cannot be opened.
    """
    for package, extra in (("voila", "notebooks"), ("anywidget", "maps")):
        if importlib.util.find_spec(package) is None:
            raise MissingDependency(package, extra)
    # A wrong source fails here, not in a page that stays empty.
    open_source(source, None)
    if source not in {None, "sample", "api"}:
        source = str(expand_path(str(source), "source").resolve())
    # Voila's own template loads style sheets from another server; ours does not.
    paths = [str(_ASSETS), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(paths)
    os.environ[_OPTIONS] = json.dumps({"source": source, **options})
    # A new class each time: Voila keeps one instance for each class.
    server = _define_server()()
    arguments = [str(NOTEBOOK), f"--port={port}", "--template=ocm-geo", "--Voila.ip=127.0.0.1"]
    arguments += ["--Voila.auto_token=True", *([] if browser else ["--no-browser"])]
    # The kernel of a closed tab runs on until it is culled.
    arguments += [f"--MappingKernelManager.cull_idle_timeout={_IDLE_S}"]
    arguments += [f"--MappingKernelManager.cull_interval={_IDLE_S // 4}"]
    server.initialize(arguments)
    server.start()
    return 0


def _define_server() -> Any:  # noqa: ANN401 - a class of Voila, loaded when needed
    """
    Return Voila as a server that checks Host and Origin and limits the number of kernels.

    Voila itself accepts every Host and Origin: any web page that the user visits could start
    kernels here, or control the widgets by a name that resolves to this machine.
    """
    from tornado.web import HTTPError  # noqa: PLC0415 - loaded when needed
    from voila.app import Voila  # noqa: PLC0415 - loaded when needed

    class ExplorerServer(Voila):  # type: ignore[misc] # Voila has no types
        """The explorer's server."""

        def init_settings(self) -> dict[str, Any]:
            """Accept requests to a loopback name only, and a limited number of kernels."""
            settings = {**super().init_settings(), "allow_remote_access": False}
            manager = settings["kernel_manager"]
            start = manager.start_kernel

            async def start_bounded(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
                if len(manager.list_kernel_ids()) >= _MOST_KERNELS:
                    raise HTTPError(
                        503,
                        f"{_MOST_KERNELS} maps are open: close one, wait a moment and reload",
                    )
                return await start(*arguments, **options)

            manager.start_kernel = start_bounded
            return dict(settings)

    return ExplorerServer


def explorer() -> StationExplorer:
    """
    Build the explorer with the options of `serve`.

    Returns
    -------
    StationExplorer
        The explorer, with the options in the environment.
    """
    from ocm_geo.widgets import StationExplorer  # noqa: PLC0415 - loaded when needed

    options: dict[str, Any] = json.loads(os.environ.get(_OPTIONS, "{}"))
    source = open_source(options.pop("source", None), None)
    return StationExplorer(source, height="calc(100vh - 190px)", **options)
