"""Small widgets of our own, for what the libraries lack: names that assistive software reads."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipyleaflet

from ocm_geo.errors import MissingDependency

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["attend", "own_widget", "slider", "status"]

_ASSETS = Path(__file__).parent / "assets"


def own_widget(name: str, **traits: Any) -> Any:  # noqa: ANN401 - an AnyWidget
    """
    Make a widget from a script and a style sheet of ours.

    Parameters
    ----------
    name : str
        Name of the files in ``assets``.
    **traits : object
        What is kept the same in Python and in the browser; lists, dicts, texts or numbers.

    Returns
    -------
    anywidget.AnyWidget
        The widget.

    Raises
    ------
    MissingDependency
        If anywidget is not installed.
    """
    try:
        import anywidget  # noqa: PLC0415 - optional
        import traitlets  # noqa: PLC0415 - comes with it
    except ImportError as error:
        raise MissingDependency("anywidget", "maps") from error
    members: dict[str, Any] = {
        key: traitlets.Any(value).tag(sync=True) for key, value in traits.items()
    }
    for kind, suffix in (("_esm", "js"), ("_css", "css")):
        members[kind] = (_ASSETS / f"{name}.{suffix}").read_text(encoding="utf-8")
    return type(name.title(), (anywidget.AnyWidget,), members)()


def attend(shown: ipyleaflet.Map, label: str) -> None:
    """
    Name a map for those who hear it, and calm what it sends; needs anywidget, or does nothing.

    Parameters
    ----------
    shown : ipyleaflet.Map
        The map.
    label : str
        What it shows.
    """
    if importlib.util.find_spec("anywidget") is None:
        return
    keys = "arrow keys move it, plus and minus zoom"
    widget = own_widget("attendant", label=f"{label}: {keys}")
    shown.add(ipyleaflet.WidgetControl(widget=widget, position="bottomleft", transparent_bg=True))


def status() -> Any:  # noqa: ANN401 - an AnyWidget
    """
    Make a line of text that is read out when it changes.

    Returns
    -------
    anywidget.AnyWidget
        ``text`` is never HTML; ``failed`` says that it is an error.
    """
    return own_widget("status", text="", failed=False)


def slider(description: str, labels: Sequence[str], index: int = 0) -> Any:  # noqa: ANN401
    """
    Make a slider over some choices.

    Parameters
    ----------
    description : str
        Its name.
    labels : sequence of str
        The choices.
    index : int
        The one that is chosen first.

    Returns
    -------
    anywidget.AnyWidget
        ``index`` is the choice.
    """
    return own_widget("slider", description=description, labels=list(labels), index=index)
