"""The explorer as a small web app, served by Voila on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocm_geo.errors import MissingDependency
from ocm_geo.study.inputs import open_source

if TYPE_CHECKING:
    from ocm_geo.widgets import StationExplorer

__all__ = ["NOTEBOOK", "explorer", "serve"]

_ASSETS = Path(__file__).parent / "widgets" / "assets"
NOTEBOOK = _ASSETS / "explore.ipynb"
"""The one cell that Voila runs for each visitor."""

_OPTIONS = "OCM_GEO_EXPLORE"


def serve(source: str | None, *, port: int = 8866, browser: bool = True, **options: Any) -> int:  # noqa: ANN401
    """
    Serve the explorer until it is stopped, to this machine alone.

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
        source = str(Path(str(source)).resolve())
    # Our template asks no server elsewhere for style sheets.
    paths = [str(_ASSETS), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    environment = {
        **os.environ,
        "JUPYTER_PATH": os.pathsep.join(paths),
        _OPTIONS: json.dumps({"source": source, **options}),
    }
    command = [sys.executable, "-m", "voila", str(NOTEBOOK), f"--port={port}"]
    command += ["--template=ocm-geo", "--Voila.ip=127.0.0.1"]
    command += [] if browser else ["--no-browser"]
    try:
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - our own
    except KeyboardInterrupt:
        return 0


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
