"""The command ``ocm-geo doctor``: what this installation can do, and how to mend it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
import sys
import tempfile
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import requests
import typer

from ocm_geo._version import __version__
from ocm_geo.settings import current
from ocm_geo.sources.api import BASE_URL

__all__ = ["Finding", "doctor", "examine"]

State = Literal["ok", "note", "fault"]
_CORE = (
    *("geopandas", "ipyleaflet", "matplotlib", "msgspec", "numpy", "pandas", "pyarrow", "pyogrio"),
    *("pyproj", "requests", "requests_cache", "scipy", "shapely"),
)
_EXTRAS = {
    "excel": ("openpyxl",),
    "maps": ("anywidget",),
    "scale": ("dask_geopandas", "distributed", "rasterio"),
    "routing": ("valhalla",),
    "siting": ("highspy", "pulp", "spopt"),
    "server": ("httptools", "starlette", "uvicorn"),
    "notebooks": ("ipykernel", "jupyterlab", "nbclient"),
}
_TIMEOUT_S = 10


@dataclass(frozen=True)
class Finding:
    """
    One thing that was examined.

    Parameters
    ----------
    subject : str
        What was examined.
    state : {"ok", "note", "fault"}
        A note leaves something out that not everybody needs; a fault has to be mended.
    text : str
        What was found, and what to do.
    """

    subject: str
    state: State
    text: str


def examine(*, network: bool = False) -> list[Finding]:
    """
    Examine this installation; nothing is sent unless asked for.

    Parameters
    ----------
    network : bool
        Whether to ask Open Charge Map for an answer, without the key.

    Returns
    -------
    list of Finding
        In the order in which they are shown.
    """
    found = [
        Finding("ocm_geo", "ok", f"{__version__}, Python {platform.python_version()}"),
        *map(_examine_package, _CORE),
        *(_examine_extra(extra, names) for extra, names in _EXTRAS.items()),
        _examine_widgets(),
        _examine_browser(),
        _examine_folder("working folder", Path.cwd()),
        _examine_folder("cache folder", current().cache_dir),
        _examine_key(),
    ]
    return [*found, _examine_network()] if network else found


def _examine_package(name: str) -> Finding:
    """Import a package: a broken binary shows itself only then."""
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a damaged package raises anything
        advice = f"pip install --force-reinstall {name.replace('_', '-')}"
        return Finding(name, "fault", f"{type(error).__name__}: {error}. Try: {advice}")
    return Finding(name, "ok", importlib.metadata.version(name.replace("_", "-")))


def _examine_extra(extra: str, names: tuple[str, ...]) -> Finding:
    """Return which packages of an extra are missing."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if not missing:
        return Finding(f"extra {extra}", "ok", "installed")
    text = f"without {', '.join(missing)}; if you need it: pip install 'ocm_geo[{extra}]'"
    return Finding(f"extra {extra}", "note", text)


def _examine_widgets() -> Finding:
    """Return whether the front end of the maps is where Jupyter looks for it."""
    subject = "widgets"
    places = [
        *(Path(sys.prefix, "share", "jupyter", "labextensions", name) for name in _FRONT_ENDS)
    ]
    missing = [place.name for place in places if not place.is_dir()]
    if not missing:
        return Finding(subject, "ok", "the front end of the maps is installed")
    text = f"no front end of {', '.join(missing)} in {places[0].parent}: maps stay blank. Try: "
    return Finding(subject, "note", text + "pip install --force-reinstall ipyleaflet ipywidgets")


_FRONT_ENDS = ("jupyter-leaflet", "@jupyter-widgets/jupyterlab-manager")


def _examine_browser() -> Finding:
    """Check that a browser can be opened."""
    try:
        webbrowser.get()
    except webbrowser.Error:
        return Finding("browser", "note", "none found: open the address of explore yourself")
    return Finding("browser", "ok", "found")


def _examine_folder(subject: str, folder: Path) -> Finding:
    """Write a file into a folder, or into the nearest parent that exists."""
    place = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        advice = "choose another with ocm.configure(cache_dir=...)"
        more = advice if subject == "cache folder" else "change to a folder of your own"
        return Finding(subject, "fault", f"{folder} cannot be written ({error.strerror}): {more}")
    return Finding(subject, "ok", str(folder))


def _examine_key() -> Finding:
    """Return whether there is a key, never the key."""
    if current().key():
        return Finding("API key", "ok", "found")
    text = "none: needed for the live API alone. Set OCM_API_KEY; keys are free"
    return Finding("API key", "note", text)


def _examine_network() -> Finding:
    """Ask for the address of the API, without a key."""
    try:
        answer = requests.get(f"{BASE_URL}/openapi", timeout=_TIMEOUT_S)
    except requests.RequestException as error:
        return Finding("network", "fault", f"{BASE_URL}: {type(error).__name__}. Check the proxy")
    return Finding("network", "ok", f"{BASE_URL} answers with status {answer.status_code}")


def doctor(
    *,
    network: Annotated[
        bool, typer.Option("--network", help="Also ask whether Open Charge Map answers.")
    ] = False,
) -> None:
    """Check this installation and advise. Exit status 1: something has to be mended."""
    found = examine(network=network)
    width = max(len(finding.subject) for finding in found)
    for finding in found:
        typer.echo(f"{finding.state:5} {finding.subject:{width}} {finding.text}")
    n_faults = sum(finding.state == "fault" for finding in found)
    typer.echo("Everything needed works." if not n_faults else f"To mend: {n_faults}.")
    raise typer.Exit(1 if n_faults else 0)
