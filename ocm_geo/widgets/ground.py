"""The base of a map widget: tiles with their credit, and land that needs no network."""

from __future__ import annotations

import asyncio
import re
from typing import TypeAlias

import ipyleaflet
import ipywidgets
import shapely
import xyzservices
from xyzservices import providers

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.plots.style import SEA
from ocm_geo.widgets.land import BORDER, collection, feature, land_features
from ocm_geo.widgets.pictured import PictureMap
from ocm_geo.widgets.view import MAX_ZOOM, View

__all__ = ["Basemap", "LandLayer", "folding", "height_px", "new_map", "note"]

Basemap: TypeAlias = "str | xyzservices.TileProvider"

_CHOICES = ("online", "offline", "none")
_LAND_PANE = "ocm-land"
_WATER = {"stroke": False, "fillColor": SEA, "fillOpacity": 1, "interactive": False}
_HEIGHT = re.compile(r"\d+(\.\d+)?(px|em|rem|vh|cm|in)|calc\([^;]*\)")
_PAD = 0.25
_SIMPLE_PX = 1.5


def new_map(view: View, basemap: Basemap, height: str) -> PictureMap:
    """
    Build a map with a base.

    Parameters
    ----------
    view : View
        The first view.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        OpenStreetMap's tiles above the bundled land, which is visible without a network; the
        bundled land alone; nothing; or other tiles.
    height : str
        Height in CSS units.

    Returns
    -------
    PictureMap
        The map.

    Raises
    ------
    QueryError
        If ``basemap`` or ``height`` is wrong.
    """
    if not (isinstance(basemap, dict) or basemap in _CHOICES):
        raise QueryError(
            f"basemap must be one of {', '.join(map(repr, _CHOICES))}, or a provider of "
            f"xyzservices, not {short_form(basemap)}"
        )
    if not _HEIGHT.fullmatch(str(height)):
        raise QueryError(f"height must be a CSS height such as '480px', not {short_form(height)}")
    tiles = providers.OpenStreetMap.Mapnik if basemap == "online" else basemap
    shown = PictureMap(
        view,
        height_px=height_px(height),
        ground=basemap != "none",
        # A map without tiles has no largest zoom of its own.
        max_zoom=MAX_ZOOM,
        min_zoom=2,
        scroll_wheel_zoom=True,
        panes={_LAND_PANE: {"zIndex": 150}},
        layers=(ipyleaflet.basemap_to_tiles(tiles),) if isinstance(tiles, dict) else (),
        layout=ipywidgets.Layout(height=height, width="100%"),
    )
    if basemap != "none":
        LandLayer(pane=_LAND_PANE).add_to(shown)
    shown.add(ipyleaflet.ScaleControl(position="bottomleft", imperial=False))
    return shown


def height_px(height: str) -> float:
    """
    Return the height of a map in pixels.

    Parameters
    ----------
    height : str
        Height in CSS units.

    Returns
    -------
    float
        Pixels; 480 for heights in other units.
    """
    number = str(height).removesuffix("px")
    return float(number) if number.isdigit() else 480.0


class LandLayer:
    """
    The bundled land and borders, drawn for each view in the detail that it can show.

    Parameters
    ----------
    pane : str
        Pane of the map to draw in; below the tiles on maps of this package.

    Attributes
    ----------
    layer : ipyleaflet.GeoJSON
        The layer on the map.
    """

    def __init__(self, *, pane: str = "") -> None:
        self.layer = ipyleaflet.GeoJSON(data=collection([]), name="land")
        # A picture has the land of its own view.
        self.layer.painter = lambda _: None
        # The layer's own pane is set after its first shapes are drawn: each shape names it.
        self._pane = {"pane": pane} if pane else {}
        self._drawn: View | None = None

    def add_to(self, shown: ipyleaflet.Map) -> LandLayer:
        """
        Add the land to a map, and redraw it when the view changes.

        Parameters
        ----------
        shown : ipyleaflet.Map
            The map.

        Returns
        -------
        LandLayer
            This layer.
        """
        self.draw(View.of(shown))
        shown.add(self.layer)
        shown.observe(lambda _: self._redraw_later(shown), names="bounds")
        return self

    def _redraw_later(self, shown: ipyleaflet.Map) -> None:
        """Draw the land of a new view; in a notebook after the layers above it were sent."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.draw(View.of(shown))
        else:
            loop.call_soon(lambda: self.draw(View.of(shown)))

    def draw(self, view: View) -> None:
        """
        Draw the land of a view with a margin.

        Parameters
        ----------
        view : View
            The view.
        """
        if self._drawn and self._drawn.zoom == view.zoom and self._drawn.holds(view):
            return
        wide = self._drawn = view.padded(_PAD)
        box = (wide.west, wide.south, wide.east, wide.north)
        detail = _SIMPLE_PX * 360 / (256 * 2.0**view.zoom)
        sea = feature(shapely.box(*box), {**_WATER, **self._pane})
        ground = land_features(box, detail, {**BORDER, **self._pane})
        self.layer.data = collection([sea, *ground])


def note(head: str, text: str, position: str, credit: str = "") -> ipyleaflet.WidgetControl:
    """
    Build a box of text for a corner of a map, whose text can be folded.

    Parameters
    ----------
    head : str
        Heading, HTML; the caller escapes contributors' text.
    text : str
        Text that can be folded, HTML.
    position : str
        Corner, in Leaflet's terms.
    credit : str
        Text that is always visible, HTML.

    Returns
    -------
    ipyleaflet.WidgetControl
        The control; its ``widget`` is an ``ipywidgets.HTML``.
    """
    box = ipywidgets.HTML(folding(head, text, credit))
    return ipyleaflet.WidgetControl(widget=box, position=position)


def folding(head: str, text: str, credit: str = "") -> str:
    """
    Return text under a heading that folds it.

    Parameters
    ----------
    head, text : str
        HTML.
    credit : str
        HTML that is always visible, because the licence asks for the credit.

    Returns
    -------
    str
        HTML.
    """
    return (
        "<details open style='padding:.3em .6em;line-height:1.35;max-width:20em;"
        "max-height:340px;overflow:auto'>"
        f"<summary style='cursor:pointer'>{head}</summary>{text}</details>"
        f"<div style='max-width:20em'>{credit}</div>"
    )
