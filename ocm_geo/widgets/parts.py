"""Small widgets with names for assistive software, which the libraries lack, and tools of maps."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets

from ocm_geo.errors import MissingDependency

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ocm_geo.widgets.picture import Face
    from ocm_geo.widgets.pictured import PictureMap
    from ocm_geo.widgets.station_layer import StationLayer

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


def attend(
    shown: PictureMap,
    label: str,
    face: Callable[[], Face],
    *,
    layer: StationLayer | None = None,
) -> None:
    """
    Add what every map has: title, tools, list of layers, picture, and a name for screen readers.

    Parameters
    ----------
    shown : PictureMap
        The map; without anywidget it has no tools, and the wheel scrolls the page.
    label : str
        What the map shows.
    face : callable
        Returns title, legend and credit.
    layer : StationLayer, optional
        Layer whose stations can be drawn in groups or as points.
    """
    shown.face = face
    shown.add(ipyleaflet.LayersControl(position="topleft"))
    if importlib.util.find_spec("anywidget") is None:
        shown.scroll_wheel_zoom = False
        return
    keys = "arrow keys move the map, plus and minus zoom"
    many = "" if layer is None else layer.many
    traits = {"title": shown.title, "mark": "", "home": 0, "many": many}
    tools = shown.tools = own_widget("attendant", label=f"{label}: {keys}", **traits)
    tools.observe(lambda _: shown.go_home(), names="home")
    tools.on_msg(lambda tools, *_: tools.send({"answer": True}))
    if layer is not None:
        tools.observe(lambda change: layer.set_many(change["new"]), names="many")
    shown.add(ipyleaflet.WidgetControl(widget=tools, position="bottomleft", transparent_bg=True))


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
