"""An interactive map of what changed between two snapshots."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets

from ocm_geo.frames import in_lonlat
from ocm_geo.plots.changes import CHANGE_COLOURS, choose_changes
from ocm_geo.plots.style import counted
from ocm_geo.widgets.ground import Basemap, height_px, new_map, note
from ocm_geo.widgets.land import collection
from ocm_geo.widgets.legends import Row, legend_html
from ocm_geo.widgets.parts import attend
from ocm_geo.widgets.picture import Face
from ocm_geo.widgets.stations import credit_of, credit_text
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.widgets.pictured import PictureMap

__all__ = ["changes_map"]

_LONGEST = 80
_MOST_ROWS = 12


def changes_map(
    changes: gpd.GeoDataFrame,
    *,
    basemap: Basemap = "online",
    height: str = "480px",
    title: str = "",
) -> PictureMap:
    """
    Show the stations that changed on a map in a notebook; a click on one lists its changes.

    Parameters
    ----------
    changes : geopandas.GeoDataFrame
        What `Mirror.diff` returned.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        As for `station_map`.
    height : str
        Height in CSS units.
    title : str
        Heading on the map.

    Returns
    -------
    ipyleaflet.Map
        The map; ``to_png`` writes it as a picture.

    Raises
    ------
    QueryError
        If it is not such a table, nothing changed, or an option is wrong.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> mirror = ocm.sample()
    >>> ocm.changes_map(mirror.diff(mirror.snapshot))
    Traceback (most recent call last):
    ...
    ocm_geo.errors.QueryError: nothing changed between the two snapshots
    """
    shown = choose_changes(changes)
    points = in_lonlat(shown, "changes").geometry
    lon, lat = points.x.to_numpy(), points.y.to_numpy()
    view = View.around(lon, lat, height_px(height))
    made = new_map(view, basemap, height)
    popup = ipyleaflet.Popup(child=ipywidgets.HTML(), max_width=420, auto_close=True)
    for kind, colour in CHANGE_COLOURS.items():
        rows = shown["change"].to_numpy() == kind
        if rows.any():
            ids = shown["ocm_id"].to_numpy()[rows].tolist()
            layer = _make_layer(ids, lon[rows].tolist(), lat[rows].tolist(), colour)
            layer.name = kind
            layer.on_click(_open_popup(made, popup, changes))
            made.add(layer)
    head, rows = counted(len(shown), "changed station"), _list_kinds(shown)

    def face() -> Face:
        return Face("", [Row("head", head), *rows], credit_text(changes))

    made.title = title
    attend(made, f"Map of {head}", face)
    made.add(note(f"<b>{head}</b>", legend_html(rows), "bottomright", credit_of(changes)))
    return made


def _make_layer(
    ids: list[int], lon: list[float], lat: list[float], colour: str
) -> ipyleaflet.GeoJSON:
    """Make a layer of circles."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [x, y]},
            "properties": {"ocm_id": number, "at": [y, x]},
        }
        for number, x, y in zip(ids, lon, lat, strict=True)
    ]
    return ipyleaflet.GeoJSON(data=collection(features), point_style=_style_point(colour))


def _style_point(colour: str) -> dict[str, Any]:
    return {"radius": 5, "color": "white", "weight": 1, "fillColor": colour, "fillOpacity": 0.9}


def _open_popup(made: ipyleaflet.Map, popup: ipyleaflet.Popup, changes: gpd.GeoDataFrame) -> Any:  # noqa: ANN401 - a callback
    """Return what a click does: it lists the changes of the station."""

    def open_at(properties: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - ipyleaflet's own
        rows = changes[changes["ocm_id"] == properties["ocm_id"]]
        popup.child.value = _describe_changed_rows(properties["ocm_id"], rows)
        popup.location = tuple(properties["at"])
        if popup not in made.layers:
            made.add(popup)
        popup.open_popup()

    return open_at


def _describe_changed_rows(ocm_id: int, rows: gpd.GeoDataFrame) -> str:
    """Return the changes of a station as HTML; values come from contributors and are escaped."""
    lines = [f"<b>OCM {int(ocm_id)}</b>"]
    for row in rows.head(_MOST_ROWS).itertuples():
        words = row.change
        if row.change == "moved":
            words += f" {row.moved_m:,.0f} m"
        elif isinstance(row.column, str):
            words += f" {row.column}: {_shorten_value(row.old)} → {_shorten_value(row.new)}"
        lines.append(html.escape(words))
    if len(rows) > _MOST_ROWS:
        lines.append(f"and {len(rows) - _MOST_ROWS} more")
    return "<br>".join(lines)


def _shorten_value(value: object) -> str:
    text = "missing" if value is None else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _list_kinds(shown: gpd.GeoDataFrame) -> list[Row]:
    """Return the legend, with the number of changes of each kind."""
    counts = shown["change"].value_counts()
    return [
        Row("circle", f"{kind} ({int(counts.get(kind, 0)):,})", _style_point(colour))
        for kind, colour in reversed(CHANGE_COLOURS.items())
    ]
