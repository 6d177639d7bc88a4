"""Stations on an ipyleaflet map."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.plots.maps import in_degrees, land
from ocm_geo.plots.style import POWER_CLASSES, power_class
from ocm_geo.provenance import read_attrs
from ocm_geo.reference.credit import ATTRIBUTION
from ocm_geo.widgets.clusters import group_points
from ocm_geo.widgets.facts import Station, describe_stations, legend_entries

if TYPE_CHECKING:
    import geopandas as gpd
    import ipyleaflet

    from ocm_geo.reference import ReferenceData

__all__ = ["land_features", "popup_html", "station_map"]

BASEMAPS = ("online", "offline", "none")
_MAX_ZOOM = 18
_CLUSTER = "#44403a"


def station_map(
    stations: gpd.GeoDataFrame,
    *,
    reference: ReferenceData | None = None,
    basemap: str = "online",
    height: str = "480px",
    max_markers: int = 2000,
) -> ipyleaflet.Map:
    """
    Show stations on a map in a notebook; a click on one opens what is known of it.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system, of any size.
    reference : ReferenceData, optional
        `ocm_geo.reference_data` of the source, so that operators read as words.
    basemap : {"online", "offline", "none"}
        OpenStreetMap tiles; the bundled land and borders, which need no network; or nothing.
    height : str
        Height in CSS units.
    max_markers : int
        Beyond so many stations in view, groups of them are shown, made anew for each view.

    Returns
    -------
    ipyleaflet.Map
        Add further layers to it as to any other.

    Raises
    ------
    QueryError
        If it is no station table, or an option is wrong.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> source = ocm.sample()
    >>> stations = ocm.stations_from_point((5.12, 52.09), 20, source=source)
    >>> m = ocm.station_map(stations, reference=ocm.reference_data(source), basemap="offline")
    >>> m.zoom > 5
    True
    """
    if basemap not in BASEMAPS:
        raise QueryError(f"basemap={basemap!r}: choose from {list(BASEMAPS)}")
    if isinstance(max_markers, bool) or max_markers < 1:
        raise QueryError(f"max_markers must be 1 or more, not {max_markers!r}")
    points = in_degrees(stations, "stations").geometry
    lon, lat = points.x.to_numpy(), points.y.to_numpy()
    shown = _new_map(lon, lat, basemap, height)
    layer = _StationLayer(shown, stations, reference, max_markers)
    layer.redraw()
    shown.observe(layer.redraw, names=["bounds", "zoom"])
    _add_controls(shown, stations)
    return shown


class _StationLayer:
    """Keeps one layer up to date with the view: stations, or groups where there are too many."""

    def __init__(
        self,
        shown: ipyleaflet.Map,
        stations: gpd.GeoDataFrame,
        reference: ReferenceData | None,
        max_markers: int,
    ) -> None:
        import ipyleaflet as leaflet  # noqa: PLC0415 - loaded when needed

        self._map = shown
        self._stations = stations
        self._reference = reference
        self._max = max_markers
        points = in_degrees(stations, "stations").geometry
        self._lon, self._lat = points.x.to_numpy(), points.y.to_numpy()
        self._rank = power_class(stations["max_power_kw"])
        self._layer = leaflet.GeoJSON(data=_collection([]), name="stations")
        self._layer.on_click(self._open)
        shown.add(self._layer)

    def redraw(self, _: object = None) -> None:
        """Draw what the view holds."""
        inside = np.flatnonzero(self._in_view())
        few = len(inside) <= self._max
        self._layer.data = _collection(self._sites(inside) if few else self._groups(inside))

    def _in_view(self) -> np.ndarray:
        if not self._map.bounds:
            return np.ones(len(self._lon), dtype=bool)
        (south, west), (north, east) = self._map.bounds
        # Views can lie a turn or more away from where the stations are.
        shift = (self._lon - west) % 360
        inside = (shift <= east - west) & (self._lat >= south) & (self._lat <= north)
        return np.asarray(inside)

    def _sites(self, inside: np.ndarray) -> list[dict[str, Any]]:
        return [
            _feature(self._lon[i], self._lat[i], {"row": int(i), "style": _style(self._rank[i])})
            for i in inside
        ]

    def _groups(self, inside: np.ndarray) -> list[dict[str, Any]]:
        groups = group_points(self._lon[inside], self._lat[inside], self._map.zoom)
        return [
            _feature(lon, lat, {"count": int(count), "style": _group_style(int(count))})
            for lon, lat, count, _ in zip(*groups, strict=True)
        ]

    def _open(self, feature: dict[str, Any], **_: object) -> None:
        """Show a popup where a station was clicked, and go nearer where a group was."""
        import ipyleaflet as leaflet  # noqa: PLC0415 - loaded when needed
        import ipywidgets  # noqa: PLC0415 - loaded when needed

        lon, lat = feature["geometry"]["coordinates"]
        row = feature["properties"].get("row")
        if row is None:
            self._map.center, self._map.zoom = (lat, lon), min(self._map.zoom + 2, _MAX_ZOOM)
            return
        described = describe_stations(self._stations.iloc[[row]], self._reference)[0]
        for old in [c for c in self._map.layers if isinstance(c, leaflet.Popup)]:
            self._map.remove(old)
        content = ipywidgets.HTML(popup_html(described))
        self._map.add(leaflet.Popup(location=(lat, lon), child=content, close_button=True))


def popup_html(station: Station) -> str:
    """
    Make the text of a popup; everything that strangers wrote is escaped.

    Parameters
    ----------
    station : dict
        As `describe_stations` gives it.

    Returns
    -------
    str
        HTML.
    """
    rows = "".join(
        f"<dt>{html.escape(label)}</dt><dd>{html.escape(text)}</dd>"
        for label, text in station["facts"]
    )
    anchors = " · ".join(
        f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">'
        f"{html.escape(text)}</a>"
        for text, url in station["links"]
    )
    title = html.escape(station["title"])
    return f"<b>{title}</b><dl style='margin:.3em 0'>{rows}</dl>{anchors}"


def _new_map(lon: np.ndarray, lat: np.ndarray, basemap: str, height: str) -> ipyleaflet.Map:
    import ipyleaflet as leaflet  # noqa: PLC0415 - loaded when needed
    import ipywidgets  # noqa: PLC0415 - loaded when needed

    centre, zoom = _fit(lon, lat)
    shown = leaflet.Map(
        center=centre,
        zoom=zoom,
        # Without a tile layer the map must be told how near it may go.
        max_zoom=_MAX_ZOOM,
        scroll_wheel_zoom=True,
        layers=() if basemap != "online" else (leaflet.basemap_to_tiles(_tiles()),),
        layout=ipywidgets.Layout(height=height),
    )
    if basemap == "offline":
        style = {"color": "#b9b3a6", "weight": 1, "fillColor": "#f4f1ea", "fillOpacity": 1}
        data = _collection(land_features(lon, lat))
        shown.add(leaflet.GeoJSON(data=data, style=style, name="land"))
    return shown


def _tiles() -> Any:  # noqa: ANN401 - a TileProvider
    import xyzservices.providers as xyz  # noqa: PLC0415 - loaded when needed

    return xyz.OpenStreetMap.Mapnik


def _fit(lon: np.ndarray, lat: np.ndarray) -> tuple[tuple[float, float], int]:
    if not len(lon):
        return (20.0, 0.0), 2
    span = max(float(np.ptp(lon)), 2 * float(np.ptp(lat)), 1e-3)
    zoom = int(np.clip(np.floor(np.log2(700 / 256 * 360 / span)), 2, 15))
    centre = (float(lat.min() + lat.max()) / 2, float(lon.min() + lon.max()) / 2)
    return centre, zoom


def land_features(lon: np.ndarray, lat: np.ndarray) -> list[dict[str, Any]]:
    """
    Give the bundled land about some positions.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.

    Returns
    -------
    list of dict
        GeoJSON features, rounded to 0.01 degrees.
    """
    shapes = land().geometry
    if len(lon):
        span = max(float(np.ptp(lon)), float(np.ptp(lat)), 1.0)
        bounds = (lon.min() - span, lat.min() - span, lon.max() + span, lat.max() + span)
        shapes = shapes.iloc[shapes.sindex.query(shapely.box(*bounds))]
        shapes = shapes.intersection(shapely.box(*bounds)).simplify(span / 1500)
    import json  # noqa: PLC0415 - used here alone

    return [
        {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(shape))}
        for shape in shapely.set_precision(shapes.to_numpy(), 0.01)
        if not shape.is_empty
    ]


def _add_controls(shown: ipyleaflet.Map, stations: gpd.GeoDataFrame) -> None:
    import ipyleaflet as leaflet  # noqa: PLC0415 - loaded when needed
    import ipywidgets  # noqa: PLC0415 - loaded when needed

    rows = "".join(
        f"<div><span style='display:inline-block;width:.8em;height:.8em;border-radius:50%;"
        f"border:1px solid #777;background:{colour or 'none'}'></span> {html.escape(label)}</div>"
        for label, colour in legend_entries()
    )
    credit = html.escape(str(read_attrs(stations).get("attribution", ATTRIBUTION)))
    head = f"<b>{len(stations):,} stations</b><br>highest power"
    foot = f"<div style='max-width:16em;font-size:.8em'>{credit}</div>"
    text = f"<div style='padding:.4em .7em;line-height:1.35'>{head}{rows}{foot}</div>"
    shown.add(leaflet.WidgetControl(widget=ipywidgets.HTML(text), position="bottomright"))
    shown.add(leaflet.ScaleControl(position="bottomleft", imperial=False))


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}


def _feature(lon: float, lat: float, properties: dict[str, Any]) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [round(float(lon), 6), round(float(lat), 6)]}
    return {"type": "Feature", "geometry": place, "properties": properties}


def _style(rank: int) -> dict[str, Any]:
    if rank < 0:
        return {"radius": 5, "color": "#777777", "weight": 1.5, "fillOpacity": 0}
    colour = POWER_CLASSES[rank][2]
    return {
        "radius": 5 + rank,
        "color": "white",
        "weight": 1,
        "fillColor": colour,
        "fillOpacity": 0.9,
    }


def _group_style(count: int) -> dict[str, Any]:
    radius = 6 + 5 * np.log10(count)
    return {
        "radius": round(float(radius), 1),
        "color": "white",
        "weight": 1,
        "fillColor": _CLUSTER,
        "fillOpacity": 0.75,
    }
