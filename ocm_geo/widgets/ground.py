"""The ground of a map widget: tiles with their credit, and land that needs no network."""

from __future__ import annotations

import asyncio
import re
from typing import TypeAlias

import ipyleaflet
import ipywidgets
import shapely
import xyzservices
from xyzservices import providers

from ocm_geo.errors import QueryError
from ocm_geo.plots.style import SEA
from ocm_geo.widgets.land import BORDER, collection, feature, land_features
from ocm_geo.widgets.view import MAX_ZOOM, View

__all__ = ["Basemap", "LandLayer", "folding", "height_px", "new_map", "note"]

Basemap: TypeAlias = "str | xyzservices.TileProvider"

_CHOICES = ("online", "offline", "none")
_LAND_PANE = "ocm-land"
_WATER = {"stroke": False, "fillColor": SEA, "fillOpacity": 1, "interactive": False}
_HEIGHT = re.compile(r"\d+(\.\d+)?(px|em|rem|vh|cm|in)|calc\([^;]*\)")
_PAD = 0.25
_SIMPLE_PX = 1.5


def new_map(view: View, basemap: Basemap, height: str) -> ipyleaflet.Map:
    """
    Make a map with a ground.

    Parameters
    ----------
    view : View
        What to show first.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        OpenStreetMap's tiles with the bundled land below them, for where no network is; the
        bundled land alone; nothing; or tiles of one's own choice.
    height : str
        CSS height.

    Returns
    -------
    ipyleaflet.Map
        The map.

    Raises
    ------
    QueryError
        If it is no basemap, or no height.
    """
    if not (isinstance(basemap, dict) or basemap in _CHOICES):
        raise QueryError(
            f"basemap={basemap!r}: choose from {list(_CHOICES)}, or give a provider of xyzservices"
        )
    if not _HEIGHT.fullmatch(str(height)):
        raise QueryError(f"height={height!r} is no CSS height: give for example '480px'")
    tiles = providers.OpenStreetMap.Mapnik if basemap == "online" else basemap
    shown = ipyleaflet.Map(
        center=view.centre,
        zoom=view.zoom,
        # Without a tile layer the map must be told how near it may go.
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
    Read the height of a map.

    Parameters
    ----------
    height : str
        CSS height.

    Returns
    -------
    float
        Pixels; 480 where it is given in another unit.
    """
    number = str(height).removesuffix("px")
    return float(number) if number.isdigit() else 480.0


class LandLayer:
    """
    The bundled land and borders, drawn for each view as finely as it can show.

    Parameters
    ----------
    pane : str
        Pane of the map to draw in; below the tiles on maps made by `new_map`.

    Attributes
    ----------
    layer : ipyleaflet.GeoJSON
        What is on the map.
    """

    def __init__(self, *, pane: str = "") -> None:
        self.layer = ipyleaflet.GeoJSON(data=collection([]), name="land")
        # A pane given to the layer comes too late for its first shapes: each names it itself.
        self._pane = {"pane": pane} if pane else {}
        self._drawn: View | None = None

    def add_to(self, shown: ipyleaflet.Map) -> LandLayer:
        """
        Put the land on a map, and keep it up to date with the view.

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
        shown.observe(lambda _: self._follow(shown), names="bounds")
        return self

    def _follow(self, shown: ipyleaflet.Map) -> None:
        """Draw the land of a new view, in a notebook once all that stands on it is on its way."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.draw(View.of(shown))
        else:
            loop.call_soon(lambda: self.draw(View.of(shown)))

    def draw(self, view: View) -> None:
        """
        Draw the land of a view, and a margin.

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
    Put text on a map, under a heading that folds it away where it hides too much.

    Parameters
    ----------
    head : str
        Heading, HTML; what strangers wrote is escaped by the caller.
    text : str
        The rest, likewise.
    position : str
        Corner, in Leaflet's words.
    credit : str
        What is not folded away, likewise.

    Returns
    -------
    ipyleaflet.WidgetControl
        The control; its ``widget`` is an ``ipywidgets.HTML``.
    """
    box = ipywidgets.HTML(folding(head, text, credit))
    return ipyleaflet.WidgetControl(widget=box, position=position)


def folding(head: str, text: str, credit: str = "") -> str:
    """
    Write text under a heading that folds it away.

    Parameters
    ----------
    head, text : str
        HTML.
    credit : str
        HTML that is not folded away: whom to name is always seen.

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
