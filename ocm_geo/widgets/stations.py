"""A map of stations."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ocm_geo.plots.style import counted
from ocm_geo.provenance import credit_line, read_attrs
from ocm_geo.widgets.ground import Basemap, height_px, new_map, note
from ocm_geo.widgets.land import LAND_CREDIT
from ocm_geo.widgets.parts import attend
from ocm_geo.widgets.positions import unplaced_words
from ocm_geo.widgets.station_layer import StationLayer
from ocm_geo.widgets.symbols import legend_html
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    import geopandas as gpd
    import ipyleaflet
    import pandas as pd

    from ocm_geo.reference import ReferenceData

__all__ = ["credit_of", "station_map"]


def station_map(
    stations: gpd.GeoDataFrame,
    *,
    reference: ReferenceData | None = None,
    basemap: Basemap = "online",
    height: str = "480px",
    max_markers: int = 2000,
    by: str | None = None,
) -> ipyleaflet.Map:
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

    Returns
    -------
    ipyleaflet.Map
        The map, to which further layers can be added. For stations on another map, see
        `StationLayer`.

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
    layer = StationLayer(stations, reference=reference, max_markers=max_markers, by=by)
    points = layer.stations.geometry
    view = View.around(points.x.to_numpy(), points.y.to_numpy(), height_px(height))
    shown = new_map(view, basemap, height)
    layer.add_to(shown)
    attend(shown, f"Map of {counted(len(layer.stations), 'charging station')}")
    head = f"<b>{counted(len(layer.stations), 'station')}</b>"
    left_out = f"<div>{unplaced_words(layer.n_unplaced)}</div>" if layer.n_unplaced else ""
    shown.add(note(head, left_out + legend_html(layer.groups), "bottomright", credit_of(stations)))
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
    facts = read_attrs(table)
    date = facts.get("data_date") or str(facts.get("retrieved", ""))[:10]
    words = [credit_line(table), f"Data to {date}" if date else ""]
    text = ". ".join(html.escape(word) for word in [*words, LAND_CREDIT] if word)
    style = "font-size:.85em;line-height:1.3;padding:0 .7em .3em"
    return f"<div style='{style}'>{text}.</div>"
