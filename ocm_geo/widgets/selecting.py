"""Selection of a part of a map: by drawing, or by the whole view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets
import shapely
from shapely import affinity

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SelectionTools", "one_turn"]

_TOOLS = (("Draw box", "Rectangle"), ("Draw area", "Polygon"), ("Draw route", "Line"))
_STYLE = {"color": "#0077bb", "weight": 3, "fillOpacity": 0.08}


class SelectionTools:
    """
    Buttons to draw a box, an area or a route, to select the whole view, and to clear.

    The drawing library's own buttons have no names for screen readers.

    Parameters
    ----------
    shown : ipyleaflet.Map
        The map.
    chosen : callable
        Receives the polygon or line that was drawn, in lon/lat; None when it is cleared.

    Attributes
    ----------
    widget : ipywidgets.Box
        The buttons.
    pen : ipyleaflet.GeomanDrawControl
        The control for drawing.
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
        self.pen.on_draw(self._end_drawing)
        shown.add(self.pen)
        buttons = [self._build_button(label, f"draw:{shape}") for label, shape in _TOOLS]
        take_view = ipywidgets.Button(description="Select view")
        take_view.on_click(lambda _: chosen(_box_view(View.of(shown))))
        clear = ipywidgets.Button(description="Clear")
        clear.on_click(lambda _: self.clear())
        layout = ipywidgets.Layout(display="flex", flex_flow="row wrap")
        self.widget = ipywidgets.Box([*buttons, take_view, clear], layout=layout)
        for button in self.widget.children:
            button.layout.width = "auto"

    def clear(self) -> None:
        """Remove the drawing."""
        self.pen.current_mode = None
        self.pen.data = []
        self._chosen(None)

    def _build_button(self, label: str, mode: str) -> ipywidgets.Button:
        """Build a button that starts a drawing."""
        button = ipywidgets.Button(description=label)
        button.on_click(lambda _: self._start_drawing(mode))
        return button

    def _start_drawing(self, mode: str) -> None:
        """Remove the last drawing and start another."""
        # One drawing at a time: the visible one is the selection.
        self.pen.data = []
        # Setting the same mode again has no effect unless it is reset first.
        self.pen.current_mode = None
        self.pen.current_mode = mode

    def _end_drawing(self, _: object, *, action: str, geo_json: list[dict[str, Any]]) -> None:
        """Pass on a drawing that is complete."""
        if action != "create":
            return
        self.pen.current_mode = None
        self._chosen(one_turn(shapely.geometry.shape(geo_json[-1]["geometry"])))


def _box_view(view: View) -> shapely.Polygon:
    """Return the box of a view, at most one turn of the Earth wide."""
    if view.east - view.west >= 360:  # noqa: PLR2004 - a full turn
        return shapely.box(-180, view.south, 180, view.north)
    return one_turn(shapely.box(view.west, view.south, view.east, view.north))


def one_turn(shape: shapely.Geometry) -> shapely.Geometry:
    """
    Move a shape drawn on another copy of the world to the usual longitudes.

    Parameters
    ----------
    shape : shapely.Geometry
        Shape in degrees.

    Returns
    -------
    shapely.Geometry
        The shape with its middle within ±180.

    Raises
    ------
    QueryError
        If the shape is neither a polygon nor a line.
    """
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon | shapely.LineString):
        raise QueryError(f"shape must be a polygon or a line, not {short_form(shape)}")
    west, _, east, _ = shape.bounds
    turns = round((west + east) / 720)
    return affinity.translate(shape, -360.0 * turns) if turns else shape
