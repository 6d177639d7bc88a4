"""Stations as a layer of any ipyleaflet map: single ones, or groups if there are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import ipyleaflet
import ipywidgets
import numpy as np

from ocm_geo.checks import check_choice, check_whole, short_form
from ocm_geo.errors import QueryError
from ocm_geo.plots.station_groups import group_stations
from ocm_geo.widgets.clusters import CELL
from ocm_geo.widgets.dots import draw_points, encode_points
from ocm_geo.widgets.facts import describe_stations
from ocm_geo.widgets.land import collection
from ocm_geo.widgets.markers import build_circles, build_markers
from ocm_geo.widgets.popups import popups_html
from ocm_geo.widgets.positions import check_reference, placed
from ocm_geo.widgets.rings import Rings, draw_rings, group_rings, paint_rings
from ocm_geo.widgets.symbols import symbol_codes
from ocm_geo.widgets.view import MAX_ZOOM, View, pixels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from ocm_geo.reference import ReferenceData
    from ocm_geo.widgets.raster import Canvas

__all__ = ["StationLayer"]

_SAME_DEG = 2e-6
_MANY = ("groups", "points")
_NEAR_PX = 8.0
"""Farthest click from a point, pixels."""
_POPUP_STATIONS = 5
_PAD = 0.1
_GROUP = {"color": "white", "weight": 1, "fillColor": "#ffffff", "fillOpacity": 0.95}
_NO_LABELS = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>"


class StationLayer:
    """
    Stations on a map: markers by class of power and status, or groups if there are too many.

    The amount of data sent to the browser depends on the view, not on the number of stations.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.
    reference : ReferenceData, optional
        Meaning of ids; by default the reference data of the table's source.
    max_markers : int
        If more stations are in view, those in each cell of 64 by 64 pixels are shown as a group:
        a ring with the share of each class, around their number. A click on it zooms in.
    name : str
        Name of the layer.
    by : str, optional
        Column that decides the colours, as in `plot_stations`; the highest power by default.
    many : {"groups", "points"}
        What is shown of more than ``max_markers`` stations in view: groups, or every station as
        a point, in a picture that is drawn in Python for each view.

    Attributes
    ----------
    layer : ipyleaflet.LayerGroup
        The layers on the map.
    groups : StationGroups
        Labels and colours of the legend.
    shown : {"stations", "groups", "points"}
        What is drawn now.
    clickable : bool
        Whether clicks open popups.
    n_unplaced : int
        Number of stations without a position, which are not drawn.

    Raises
    ------
    QueryError
        If the table is not a station table, or an argument is wrong.

    Examples
    --------
    >>> import ipyleaflet
    >>> import ocm_geo as ocm
    >>> own_map = ipyleaflet.Map(center=(52.1, 5.1), zoom=9, max_zoom=18)
    >>> stations = ocm.stations_from_point((5.1, 52.1), 30, source=ocm.sample())
    >>> layer = ocm.StationLayer(stations).add_to(own_map)
    >>> layer.shown
    'stations'
    """

    def __init__(
        self,
        stations: gpd.GeoDataFrame,
        *,
        reference: ReferenceData | None = None,
        max_markers: int = 2000,
        name: str = "stations",
        by: str | None = None,
        many: str = "groups",
    ) -> None:
        self._reference: ReferenceData | None = None
        self.many = check_choice(many, "many", _MANY)
        self._max = check_whole(max_markers, "max_markers")
        self._by = by
        self._map: ipyleaflet.Map | None = None
        self._popup: ipyleaflet.Popup | None = None
        self._listeners: list[Callable[[gpd.GeoDataFrame], None]] = []
        self._hover_listeners: list[Callable[[gpd.GeoDataFrame], None]] = []
        self.shown = "stations"
        self.clickable = True
        self._points = ipyleaflet.GeoJSON(data=collection([]), name=name, point_style=_GROUP)
        self._points.on_click(self._open_clicked)
        self._points.on_hover(self._pass_hover)
        # Above the circles (z-index 400), below markers and popups.
        self._labels = ipyleaflet.ImageOverlay(url=_NO_LABELS, pane="shadowPane")
        self.layer = ipyleaflet.LayerGroup(layers=(self._points, self._labels), name=name)
        self.layer.painter = self.paint
        self.set_stations(stations, reference=reference)

    @property
    def stations(self) -> gpd.GeoDataFrame:
        """The stations of the layer that have a position, in EPSG:4326."""
        return self._stations

    @property
    def visible(self) -> gpd.GeoDataFrame:
        """The stations in view, single or grouped."""
        view = View.of(self._map) if self._map else None
        if view is None:
            return self._stations
        rows, _ = view.copies(self._lon, self._lat)
        return self._stations.iloc[np.unique(rows)]

    def set_stations(
        self, stations: gpd.GeoDataFrame, *, reference: ReferenceData | None = None
    ) -> None:
        """
        Replace the stations.

        Parameters
        ----------
        stations : geopandas.GeoDataFrame
            A station table in any coordinate reference system.
        reference : ReferenceData, optional
            Meaning of ids; by default as before.

        Raises
        ------
        QueryError
            If the table is not a station table.
        """
        check_reference(reference)
        frame, self.n_unplaced = placed(stations)
        self._stations = frame
        self._reference = reference or self._reference
        self._lon, self._lat = frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy()
        self.groups, ranks = group_stations(frame, self._by)
        self._ranks = ranks
        self._codes = symbol_codes(frame, self._reference, ranks)
        self.redraw()

    def add_to(self, shown: ipyleaflet.Map) -> Self:
        """
        Add the layer to a map, and redraw it when the view changes.

        Parameters
        ----------
        shown : ipyleaflet.Map
            Any map; one without tiles needs a ``max_zoom``.

        Returns
        -------
        StationLayer
            This layer.

        Raises
        ------
        QueryError
            If the layer is on a map already, or ``shown`` is not a map.
        """
        if not isinstance(shown, ipyleaflet.Map):
            raise QueryError(f"shown must be an ipyleaflet.Map, not {short_form(shown)}")
        if self._map is not None:
            raise QueryError("this layer is on a map already: call remove() first")
        self._map = shown
        self.redraw()
        shown.add(self.layer)
        shown.observe(self.redraw, names="bounds")
        shown.on_interaction(self._open_nearest)
        return self

    def remove(self) -> None:
        """Remove the layer from its map."""
        if self._map is None:
            return
        self._map.unobserve(self.redraw, names="bounds")
        self._map.on_interaction(self._open_nearest, remove=True)
        for layer in (self.layer, self._popup):
            if layer in self._map.layers:
                self._map.remove(layer)
        self._map = self._popup = None

    def on_select(self, listener: Callable[[gpd.GeoDataFrame], None]) -> None:
        """
        Call a function whenever a station is clicked.

        Parameters
        ----------
        listener : callable
            Receives the rows of the stations at that position.
        """
        self._listeners.append(listener)

    def on_hover(self, listener: Callable[[gpd.GeoDataFrame], None]) -> None:
        """
        Call a function whenever the mouse touches a station.

        Parameters
        ----------
        listener : callable
            Receives the rows of the stations at that position.
        """
        self._hover_listeners.append(listener)

    def redraw(self, _: object = None) -> None:
        """Draw the stations in view, or their groups."""
        if self._map is None:
            return
        view = View.of(self._map)
        # On a fixed grid, so that groups and markers stay the same while the map is dragged.
        snapped = view.padded(_PAD).snapped(CELL)
        inside, lon = snapped.copies(self._lon, self._lat)
        lat = self._lat[inside]
        if len(inside) <= self._max:
            self._draw_picture(
                "stations", snapped, _NO_LABELS,
                build_markers(lon, lat, self._codes[inside], self.groups),
            )  # fmt: skip
        elif self.many == "points":
            drawn = draw_points(lon, lat, self._ranks[inside], self.groups, view=snapped)
            self._draw_picture("points", snapped, encode_points(drawn), [])
        else:
            groups = self._group_stations(snapped)
            circles = build_circles(groups, self._codes[inside], self.groups)
            self._draw_picture("groups", snapped, draw_rings(groups, self.groups, snapped), circles)

    def _draw_picture(
        self, what: str, view: View, image: str, features: list[dict[str, Any]]
    ) -> None:
        """Send what is drawn to the browser."""
        self.shown = what
        self._points.data = collection(features)
        # Both in one message: the image must never be shown at the position of the last one.
        with self._labels.hold_sync():
            if image != _NO_LABELS:
                self._labels.bounds = [[view.south, view.west], [view.north, view.east]]
            self._labels.url = image

    def _group_stations(self, view: View) -> Rings:
        """Return the groups of a view."""
        inside, lon = view.copies(self._lon, self._lat)
        return group_rings(lon, self._lat[inside], self._ranks[inside], self.groups, zoom=view.zoom)

    def set_many(self, many: str) -> None:
        """
        Choose what is shown where stations are many.

        Parameters
        ----------
        many : {"groups", "points"}
            Groups, or every station as a point.

        Raises
        ------
        QueryError
            If it is anything else.
        """
        self.many = check_choice(many, "many", _MANY)
        self.redraw()

    def paint(self, canvas: Canvas) -> None:
        """
        Draw the stations of a view on a picture, as on the map.

        Parameters
        ----------
        canvas : Canvas
            The picture.
        """
        inside, lon = canvas.view.padded(_PAD).copies(self._lon, self._lat)
        lat, codes = self._lat[inside], self._codes[inside]
        if len(inside) <= self._max:
            for feature in build_markers(lon, lat, codes, self.groups):
                canvas.draw_feature(feature, {})
        elif self.many == "points":
            view = canvas.view
            drawn = draw_points(lon, lat, self._ranks[inside], self.groups, view=view)
            canvas.paste(drawn, (view.west, view.south, view.east, view.north))
        else:
            # On the grid of the live map, so that the groups are the same.
            paint_rings(
                canvas, self._group_stations(canvas.view.padded(_PAD).snapped(CELL)), self.groups
            )

    def select(self, ocm_ids: list[int]) -> None:
        """
        Open the popup of stations, like a click on them.

        Parameters
        ----------
        ocm_ids : list of int
            Index labels of stations at one position.
        """
        rows = self._stations.loc[ocm_ids]
        point = rows.geometry.iloc[0]
        self._open_popup(rows, point.x, point.y)
        for listener in self._listeners:
            listener(rows)

    def close_popup(self) -> None:
        """Close the popup, if there is one."""
        if self._popup is not None:
            self._popup.close_popup()

    def _open_clicked(self, coordinates: list[float], feature: dict[str, Any], **_: object) -> None:
        """Open the popup of a station that was clicked, or zoom in to a group."""
        if self._map is None or not self.clickable:
            return
        lat, lon = coordinates
        if (count := feature["properties"].get("count", 1)) > 1:
            lon, lat = feature["geometry"]["coordinates"]
            self._zoom_in(lon, lat, count)
            return
        rows = self._find_stations(lon, lat)
        if len(rows):
            self.select(rows)

    def _open_nearest(
        self, *, type: str = "", coordinates: Sequence[float] = (), **_: object  # noqa: A002 - ipyleaflet's own
    ) -> None:  # fmt: skip
        """Open the popup of the point that was clicked; points have no shapes of their own."""
        if type != "click" or self.shown != "points" or self._map is None or not self.clickable:
            return
        lat, lon = coordinates
        rows = self._find_stations(lon, lat)
        if not rows:
            return
        point, zoom = self._stations.geometry.loc[rows[0]], self._map.zoom
        at = np.array([point.x, View.of(self._map).turned(np.array([lon]))[0]])
        x, y = pixels_of(at, np.array([point.y, lat]), zoom)
        world = 256 * 2.0**zoom
        away = (x[0] - x[1] + world / 2) % world - world / 2
        if np.hypot(away, y[0] - y[1]) <= _NEAR_PX:
            self.select(rows)

    def _pass_hover(self, coordinates: list[float], feature: dict[str, Any], **_: object) -> None:
        """Call the listeners when the mouse touches a station."""
        if not self._hover_listeners or feature["properties"].get("count", 1) > 1:
            return
        if rows := self._find_stations(coordinates[1], coordinates[0]):
            for listener in self._hover_listeners:
                listener(self._stations.loc[rows])

    def _find_stations(self, lon: float, lat: float) -> list[int]:
        """Return the station nearest to a click, and others at the same position."""
        # In degrees, since the click is on the marker: only the nearest one matters.
        away = np.hypot((self._lon - lon + 180) % 360 - 180, self._lat - lat)
        if not len(away):
            return []
        nearest = np.argmin(away)
        same = np.hypot(self._lon - self._lon[nearest], self._lat - self._lat[nearest])
        return list(self._stations.index[same <= _SAME_DEG])

    def _zoom_in(self, lon: float, lat: float, count: int) -> None:
        """Zoom in to a group, by more where very many stations are in it."""
        if self._map is None:
            return
        # A group of very many stations would only fall apart into groups again.
        step = 3 if count > 10 * self._max else 2
        with self._map.hold_sync():
            self._map.center = [lat, lon]
            self._map.zoom = min(self._map.zoom + step, MAX_ZOOM)

    def _open_popup(self, rows: gpd.GeoDataFrame, lon: float, lat: float) -> None:
        """Open the popup of stations at a position, on the turn of the Earth that is shown."""
        if self._map is None:
            return
        described = describe_stations(rows.head(_POPUP_STATIONS), self._reference)
        text = popups_html(described, len(rows))
        position = (lat, float(View.of(self._map).turned(np.array([lon]))[0]))
        if self._popup is None:
            self._popup = ipyleaflet.Popup(
                location=position, child=ipywidgets.HTML(text), max_height=320, min_width=220
            )
            self._map.add(self._popup)
            return
        # One popup for all stations: removing one that the user has closed fails in the browser.
        self._popup.close_popup()
        self._popup.child.value = text
        self._popup.open_popup(position)
