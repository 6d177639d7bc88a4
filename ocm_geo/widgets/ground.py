"""The ground of a map widget: tiles with their credit, and land that needs no network."""

from __future__ import annotations

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

__all__ = ["Basemap", "LandLayer", "new_map", "note"]

Basemap: TypeAlias = "str | xyzservices.TileProvider"

_CHOICES = ("online", "offline", "none")
_LAND_PANE = "ocm-land"
_WATER = {"stroke": False, "fillColor": SEA, "fillOpacity": 1}
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
    if not str(height)[-1:].isalpha() or not str(height)[:1].isdigit():
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
        self.layer = ipyleaflet.GeoJSON(data=collection([]), name="land", pane=pane)
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
        shown.observe(lambda _: self.draw(View.of(shown)), names="bounds")
        return self

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
        sea = feature(shapely.box(*box), _WATER)
        self.layer.data = collection([sea, *land_features(box, detail, BORDER)])


def note(text: str, position: str, *, role: str = "") -> ipyleaflet.WidgetControl:
    """
    Put text on a map.

    Parameters
    ----------
    text : str
        HTML; what strangers wrote is escaped by the caller.
    position : str
        Corner, in Leaflet's words.
    role : str
        ARIA role of the box.

    Returns
    -------
    ipyleaflet.WidgetControl
        The control; its ``widget`` is an ``ipywidgets.HTML``.
    """
    named = f" role='{role}'" if role else ""
    box = f"<div{named} style='padding:.3em .6em;line-height:1.35;max-width:20em'>{text}</div>"
    return ipyleaflet.WidgetControl(widget=ipywidgets.HTML(box), position=position)
