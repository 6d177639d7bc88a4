"""Choosing a part of a map: by drawing on it, or by the whole view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets
import shapely
from shapely import affinity

from ocm_geo.errors import QueryError
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SelectionTools", "one_turn"]

_TOOLS = (("Draw box", "Rectangle"), ("Draw area", "Polygon"), ("Draw route", "Line"))
_STYLE = {"color": "#0077bb", "weight": 3, "fillOpacity": 0.08}


class SelectionTools:
    """
    Buttons to draw a box, an area or a route, to take the whole view, and to clear.

    The buttons of the drawing library have no names that can be read out, so these are ours.

    Parameters
    ----------
    shown : ipyleaflet.Map
        The map.
    chosen : callable
        Gets what was drawn, a polygon or a line in lon/lat; None when it is cleared.

    Attributes
    ----------
    widget : ipywidgets.Box
        The buttons.
    pen : ipyleaflet.GeomanDrawControl
        What draws.
    """

    def __init__(
        self, shown: ipyleaflet.Map, chosen: Callable[[shapely.Geometry | None], None]
    ) -> None:
        self._map = shown
        self._chosen = chosen
        styles = {"pathOptions": _STYLE}
        off: dict[str, Any] = {"marker": {}, "circlemarker": {}, "circle": {}}
        self.pen = ipyleaflet.GeomanDrawControl(
            polyline=styles,
            polygon=styles,
            rectangle=styles,
            hide_controls=True,
            edit=False,
            remove=False,
            drag=False,
            cut=False,
            rotate=False,
            **off,
        )
        self.pen.on_draw(self._drawn)
        shown.add(self.pen)
        buttons = [self._button(label, f"draw:{shape}") for label, shape in _TOOLS]
        take_view = ipywidgets.Button(description="Select view")
        take_view.on_click(lambda _: chosen(_box(View.of(shown))))
        clear = ipywidgets.Button(description="Clear")
        clear.on_click(lambda _: self.clear())
        layout = ipywidgets.Layout(display="flex", flex_flow="row wrap")
        self.widget = ipywidgets.Box([*buttons, take_view, clear], layout=layout)
        for button in self.widget.children:
            button.layout.width = "auto"

    def clear(self) -> None:
        """Take the drawing away."""
        self.pen.current_mode = None
        self.pen.data = []
        self._chosen(None)

    def _button(self, label: str, mode: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=label)
        button.on_click(lambda _: self._start(mode))
        return button

    def _start(self, mode: str) -> None:
        # One drawing at a time: what is selected is what can be seen.
        self.pen.data = []
        # The same mode twice would be no change, and nothing would happen.
        self.pen.current_mode = None
        self.pen.current_mode = mode

    def _drawn(self, _: object, *, action: str, geo_json: list[dict[str, Any]]) -> None:
        if action != "create":
            return
        self.pen.current_mode = None
        self._chosen(one_turn(shapely.geometry.shape(geo_json[-1]["geometry"])))


def _box(view: View) -> shapely.Polygon:
    if view.east - view.west >= 360:  # noqa: PLR2004 - a full turn
        return shapely.box(-180, view.south, 180, view.north)
    return one_turn(shapely.box(view.west, view.south, view.east, view.north))


def one_turn(shape: shapely.Geometry) -> shapely.Geometry:
    """
    Bring what was drawn on another copy of the world to the usual longitudes.

    Parameters
    ----------
    shape : shapely.Geometry
        Degrees.

    Returns
    -------
    shapely.Geometry
        Its middle within ±180.

    Raises
    ------
    QueryError
        If it is neither a polygon nor a line.
    """
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon | shapely.LineString):
        raise QueryError(f"select with a polygon or a line, not a {type(shape).__name__}")
    west, _, east, _ = shape.bounds
    turns = round((west + east) / 720)
    return affinity.translate(shape, -360.0 * turns) if turns else shape
