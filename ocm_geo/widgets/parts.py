"""Small widgets with names for assistive software, which the libraries lack."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets

from ocm_geo.errors import MissingDependency

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["attend", "close_tree", "own_widget", "slider", "status"]

_ASSETS = Path(__file__).parent / "assets"


def own_widget(name: str, **traits: Any) -> Any:  # noqa: ANN401 - an AnyWidget
    """
    Build a widget from a script and a style sheet of this package.

    Parameters
    ----------
    name : str
        Name of the files in ``assets``.
    **traits : object
        Values shared by Python and the browser: lists, dicts, texts or numbers.

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
    Name a map for screen readers, and limit the events it sends; requires anywidget.

    Parameters
    ----------
    shown : ipyleaflet.Map
        The map; without anywidget it is left unchanged.
    label : str
        What the map shows.
    """
    if importlib.util.find_spec("anywidget") is None:
        return
    keys = "arrow keys move the map, plus and minus zoom"
    widget = own_widget("attendant", label=f"{label}: {keys}")
    shown.add(ipyleaflet.WidgetControl(widget=widget, position="bottomleft", transparent_bg=True))


def close_tree(root: ipywidgets.Widget) -> None:
    """
    Close all widgets that a widget is made of, but not the widget itself.

    ipywidgets keeps each widget that is not closed, and with it all that its callbacks hold.

    Parameters
    ----------
    root : ipywidgets.Widget
        The widget.
    """
    found = {root.model_id: root}
    waiting = [root]
    while waiting:
        # Values that are set: asking for the others would make them.
        for value in list(waiting.pop()._trait_values.values()):  # noqa: SLF001 - see above
            for part in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(part, ipywidgets.Widget) and part.model_id not in {None, *found}:
                    found[part.model_id] = part
                    waiting.append(part)
    for part in found.values():
        if part is not root:
            part.close()


def status() -> Any:  # noqa: ANN401 - an AnyWidget
    """
    Build a line of text that screen readers read out when it changes.

    Returns
    -------
    anywidget.AnyWidget
        Widget with ``text``, which is never HTML, and ``failed``, which marks errors.
    """
    return own_widget("status", text="", failed=False)


def slider(description: str, labels: Sequence[str], index: int = 0) -> Any:  # noqa: ANN401
    """
    Build a slider for choices in order.

    Parameters
    ----------
    description : str
        Label of the slider.
    labels : sequence of str
        The choices.
    index : int
        Position of the first choice.

    Returns
    -------
    anywidget.AnyWidget
        Widget whose ``index`` is the position of the current choice.
    """
    return own_widget("slider", description=description, labels=list(labels), index=index)
