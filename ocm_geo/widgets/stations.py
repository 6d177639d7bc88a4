"""A map of stations."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import ipyleaflet
import ipywidgets

from ocm_geo.plots.style import counted
from ocm_geo.provenance import credit_line, read_attrs
from ocm_geo.widgets.ground import Basemap, folding, height_px, new_map
from ocm_geo.widgets.land import LAND_CREDIT
from ocm_geo.widgets.legends import Row, legend_html
from ocm_geo.widgets.parts import attend
from ocm_geo.widgets.picture import Face
from ocm_geo.widgets.positions import unplaced_words
from ocm_geo.widgets.station_layer import StationLayer
from ocm_geo.widgets.symbols import legend_rows
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from ocm_geo.reference import ReferenceData
    from ocm_geo.widgets.pictured import PictureMap

__all__ = ["credit_of", "credit_text", "station_map"]


def station_map(
    stations: gpd.GeoDataFrame,
    *,
    reference: ReferenceData | None = None,
    basemap: Basemap = "online",
    height: str = "480px",
    max_markers: int = 2000,
    by: str | None = None,
    title: str = "",
    many: str = "groups",
) -> PictureMap:
    """
    Show stations on a map in a notebook; a click on a station opens its facts.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system, of any size.
    reference : ReferenceData, optional
        Meaning of ids; by default the reference data of the table's source.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        OpenStreetMap tiles above the bundled land, which is visible without a network; the
        bundled land and borders alone; nothing; or other tiles.
    height : str
        Height in CSS units.
    max_markers : int
        If more stations are in view, groups are shown, computed for each view.
    by : str, optional
        Column that decides the colours, such as ``operator``, with the same classes or groups
        as in `plot_stations`; the highest power by default.
    title : str
        Heading on the map.
    many : {"groups", "points"}
        What is shown of more than ``max_markers`` stations in view: groups as rings with the
        share of each class, or every station as a point. A button on the map changes it.

    Returns
    -------
    ipyleaflet.Map
        The map, to which further layers can be added; ``to_png`` writes it as a picture. For
        stations on another map, see `StationLayer`.

    Raises
    ------
    QueryError
        If the table is not a station table, or an argument is wrong.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_point((5.12, 52.09), 20, source=ocm.sample())
    >>> m = ocm.station_map(stations, basemap="offline")
    >>> m.zoom > 5
    True
    """
    layer = StationLayer(stations, reference=reference, max_markers=max_markers, by=by, many=many)
    points = layer.stations.geometry
    view = View.around(points.x.to_numpy(), points.y.to_numpy(), height_px(height))
    shown = new_map(view, basemap, height)
    shown.stations = layer.add_to(shown)

    def face() -> Face:
        head = counted(len(layer.stations), "station")
        left_out = [Row("text", unplaced_words(layer.n_unplaced))] if layer.n_unplaced else []
        rows = [Row("head", head), *left_out, *legend_rows(layer.groups)]
        return Face("", rows, credit_text(stations))

    def write() -> str:
        head, *rows = face().rows
        return folding(f"<b>{head.label}</b>", legend_html(rows), credit_of(stations))

    box = ipywidgets.HTML(write())
    shown.tell = lambda: setattr(box, "value", write())
    shown.title = title
    attend(shown, f"Map of {counted(len(layer.stations), 'charging station')}", face, layer=layer)
    shown.add(ipyleaflet.WidgetControl(widget=box, position="bottomright"))
    return shown


def credit_of(table: pd.DataFrame) -> str:
    """
    Return the credit of a table and the date of its data.

    Parameters
    ----------
    table : pandas.DataFrame
        A table with provenance.

    Returns
    -------
    str
        Escaped HTML.
    """
    style = "font-size:.85em;line-height:1.3;padding:0 .7em .3em"
    return f"<div style='{style}'>{html.escape(credit_text(table))}</div>"


def credit_text(table: pd.DataFrame) -> str:
    """
    Return the credit of a table and the date of its data.

    Parameters
    ----------
    table : pandas.DataFrame
        A table with provenance.

    Returns
    -------
    str
        Plain text.
    """
    facts = read_attrs(table)
    date = facts.get("data_date") or str(facts.get("retrieved", ""))[:10]
    words = [credit_line(table), f"Data to {date}" if date else "", LAND_CREDIT]
    return ". ".join(word for word in words if word) + "."
