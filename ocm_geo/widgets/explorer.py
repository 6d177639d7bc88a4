"""A map that loads the stations of its view from a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets
import numpy as np
import shapely

from ocm_geo.checks import check_km, check_number
from ocm_geo.errors import SourceError
from ocm_geo.outside import name_outside
from ocm_geo.plots.style import counted
from ocm_geo.provenance import read_attrs
from ocm_geo.query.where import Area, Box, Corridor, Where
from ocm_geo.reference import ReferenceData, bundled
from ocm_geo.schema import empty_stations
from ocm_geo.sources.asking import ask_source, reference_data
from ocm_geo.sources.base import resolve_source
from ocm_geo.widgets.asking import Answer, Asker, Question
from ocm_geo.widgets.boxes import WORLD, choose_first_view, measure_deg2, snap_box
from ocm_geo.widgets.downloads import Downloads
from ocm_geo.widgets.facts import one_line
from ocm_geo.widgets.filters import FilterPanel
from ocm_geo.widgets.ground import Basemap, height_px, new_map, note
from ocm_geo.widgets.land import collection
from ocm_geo.widgets.legends import legend_html
from ocm_geo.widgets.parts import attend, close_tree, status
from ocm_geo.widgets.picture import Face
from ocm_geo.widgets.pictured import Pictured
from ocm_geo.widgets.quiet import QuietSource, StationTrait
from ocm_geo.widgets.selecting import SelectionTools, one_turn
from ocm_geo.widgets.station_layer import StationLayer
from ocm_geo.widgets.stations import credit_of, credit_text
from ocm_geo.widgets.symbols import legend_rows
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import geopandas as gpd
    from PIL import Image

    from ocm_geo.sources.base import SourceLike

__all__ = ["StationExplorer"]

_REMOTE_DEG2 = 4.0
"""Largest view for which a server is queried, square degrees: a few pages in a dense area."""
_SETTLE_S = 120.0
_PICTURE_WAIT_S = 1.5
"""Longest wait of a notebook for the first stations of the picture, seconds."""
_MAX_RINGS = 2000
_MAX_LISTED = 200
_MAX_TITLE = 60
_CHOOSE = "choose a station"
_RING = {"radius": 11, "color": "#0077bb", "weight": 2.5, "fillOpacity": 0, "interactive": False}


class StationExplorer(Pictured, ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """
    A live map: pan and zoom, and the stations in view are loaded from the source.

    A question is sent when the map rests. A question that was replaced is dropped, and one whose
    answer is known is not sent. Errors are shown on the map. A server is queried for small views
    only.

    Parameters
    ----------
    source : Source, path, "sample" or "api", optional
        As for `stations`; the configured one by default.
    bbox : tuple of float, optional
        First view, ``(west, south, east, north)``. By default all stations of a local source,
        and Europe for a server.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        As for `station_map`.
    height : str
        Height of the map in CSS units.
    max_markers : int
        If more stations are in view, groups are shown.
    debounce_s : float
        How long the map must rest before a question is sent, seconds.
    within_km : float
        Largest distance of stations from a drawn route, km.

    Attributes
    ----------
    map : ipyleaflet.Map
        The map, for further layers.
    layer : StationLayer
        The stations on the map.
    selected : geopandas.GeoDataFrame
        The stations that were selected last: by a drawing, the view, a click or `select`; a
        trait, so that ``observe(function, "selected")`` follows it.

    Raises
    ------
    QueryError
        If an option is wrong.
    SourceError
        If no source is configured, or the source cannot be opened.
    MissingDependency
        If anywidget is not installed: ``pip install 'ocm_geo[maps]'``.

    Examples
    --------
    >>> import shapely
    >>> import ocm_geo as ocm
    >>> explorer = ocm.StationExplorer(ocm.sample(), bbox=(4, 51, 6, 53), basemap="offline")
    >>> explorer.wait()
    True
    >>> explorer.select(shapely.box(4.7, 52.3, 5.1, 52.5))
    >>> explorer.wait()
    True
    >>> bool(explorer.selected.within(shapely.box(4.7, 52.3, 5.1, 52.5)).all())
    True
    """

    selected = StationTrait()

    def __init__(
        self,
        source: SourceLike | None = None,
        *,
        bbox: tuple[float, float, float, float] | None = None,
        basemap: Basemap = "online",
        height: str = "520px",
        max_markers: int = 2000,
        debounce_s: float = 0.3,
        within_km: float = 5.0,
    ) -> None:
        self._source = QuietSource(resolve_source(source))
        self._remote = self._source.is_remote
        self._within_km = check_km(within_km, "within_km")
        self._fit = bbox is None and not self._remote
        self._reference: ReferenceData | None = (
            None if self._remote else reference_data(self._source)
        )
        self._shown = empty_stations()
        # A view is asked for when the map rests, a selection at once.
        self._choice: shapely.Geometry | None = None
        self._views = Asker(
            self._query_source,
            self._show_view,
            debounce_s=check_number(debounce_s, "debounce_s", low=0, unit="seconds"),
        )
        self._choices = Asker(self._query_source, self._show_choice, debounce_s=0)
        self.map = new_map(choose_first_view(bbox, remote=self._remote), basemap, height)
        self.layer = StationLayer(
            empty_stations(), reference=self._reference, max_markers=max_markers
        ).add_to(self.map)
        self.layer.on_select(self._select_clicked)
        self.filters = FilterPanel(self._reference or bundled(), self._apply_filters)
        self._tools = SelectionTools(self.map, self._select_shape)
        self._tools.pen.observe(self._block_clicks, names="current_mode")
        downloads = Downloads(self._choose_download, self._write_status)
        tools = self._tools.widget
        tools.children = (*tools.children, *downloads.buttons)
        super().__init__()
        self.children = [self.filters.widget, tools, self.map, self._build_texts(), downloads.saver]
        self.map.observe(lambda _: self.refresh(), names="bounds")
        self.refresh()

    @property
    def visible(self) -> gpd.GeoDataFrame:
        """The loaded stations in view that meet the filters."""
        return self.layer.visible

    @property
    def n_asked(self) -> int:
        """Number of questions sent to the source."""
        return self._views.n_asked + self._choices.n_asked

    def wait(self, timeout_s: float = _SETTLE_S) -> bool:
        """
        Wait until every question is answered; for scripts and tests.

        Parameters
        ----------
        timeout_s : float
            Longest wait, seconds.

        Returns
        -------
        bool
            False if the time ran out.
        """
        return self._views.wait(timeout_s) and self._choices.wait(timeout_s)

    def select(self, shape: shapely.Geometry) -> None:
        """
        Select the stations in an area or along a route, as if it had been drawn.

        Parameters
        ----------
        shape : shapely.Polygon, shapely.MultiPolygon or shapely.LineString
            Area or route in lon/lat.

        Raises
        ------
        QueryError
            If the shape is neither a polygon nor a line.
        """
        self._select_shape(one_turn(shape))

    def close(self) -> None:
        """
        Close the explorer and everything on its map, and free the memory that they take.

        Layers that were added to the map are closed too: remove one from it first to keep it.
        What was selected stays in ``selected``.
        """
        # Python closes widgets that it forgets: also those whose options were wrong.
        if self.comm is None or not hasattr(self, "layer"):
            return
        self._views.drop()
        self._choices.drop()
        close_tree(self)
        super().close()

    def describe_face(self) -> Face:
        """Return the legend and credit of the map."""  # numpydoc ignore=RT01
        return self.map.describe_face()

    def set_mark(self, mark: str) -> None:
        """Pass on the mark of the picture."""  # numpydoc ignore=PR01
        self.map.set_mark(mark)

    def to_png(self, path: str | os.PathLike[str], *, scale: float = 2.0) -> Path:
        """Write the map once every question is answered."""  # numpydoc ignore=PR01,RT01
        self.wait()
        return super().to_png(path, scale=scale)

    def draw_picture(self, scale: float) -> Image.Image:
        """Draw the map with the stations that are loaded."""  # numpydoc ignore=PR01,RT01
        if not self._remote:
            self._views.wait(_PICTURE_WAIT_S)
        return self.map.draw_picture(scale)

    def refresh(self) -> None:
        """Load the stations in view, unless they are known."""
        view = View.of(self.map)
        # A local source is queried for everything first: the map then fits its stations.
        if self._fit:
            self._write_status("Loading …")
            self._views.want(Question(WORLD, self.filters.values()))
        elif self._remote and measure_deg2(view) > _REMOTE_DEG2:
            self._views.drop()
            self._write_count("zoom in to load all: a server is queried for small views only")
        elif not self._views.want(Question(snap_box(view), self.filters.values())):
            self._write_status("Loading …")

    def _apply_filters(self) -> None:
        """Ask again with the filters of the panel."""
        self.layer.close_popup()
        self.refresh()
        if self._choice is not None:
            self._select_shape(self._choice)

    def _query_source(self, question: Question) -> gpd.GeoDataFrame:
        """Return the source's answer to a question; this runs in a thread of its own."""
        filters = dict(question.filters)
        if self._reference is None:
            self._reference = self._load_reference()
        if isinstance(question.where, tuple):
            where: Where = Box(*question.where)
        elif isinstance(question.where, shapely.LineString):
            where = Corridor(question.where, self._within_km)
        else:
            where = Area(question.where)
        # The map names what lies outside the data: nobody sees warnings of a thread.
        return ask_source(where, self._source, filters, outside="mark")

    def _load_reference(self) -> ReferenceData:
        """Return the source's reference data, or the bundled ones if it has none to offer."""
        try:
            return reference_data(self._source)
        except SourceError:
            return bundled()

    def _show_view(self, answer: Answer) -> None:
        """Show the stations of a view, or the error."""
        if answer.stations is None:
            self._write_status(answer.error, failed=True)
            return
        # The kept answer of a larger view is delivered again and again while the map moves.
        if answer.stations is not self._shown:
            self._shown = answer.stations
            self.filters.set_reference(self._reference or bundled())
            self.layer.set_stations(answer.stations, reference=self._reference)
            self._credit.value = credit_of(answer.stations)
        if self._fit:
            self._fit = False
            self._fit_view(answer.stations)
        self._write_count()

    def _show_choice(self, answer: Answer) -> None:
        """Select the stations of an answer, or show the error."""
        if answer.stations is None:
            self._write_status(answer.error, failed=True)
            return
        self._mark_selected(answer.stations)

    def _select_shape(self, shape: shapely.Geometry | None) -> None:
        """Select the stations of a shape; None clears the selection."""
        self._choice = shape
        if shape is None:
            self._choices.drop()
            self._mark_selected(self._shown.iloc[:0])
            return
        self._choices.want(Question(shape, self.filters.values()))

    def _block_clicks(self, change: dict[str, Any]) -> None:
        """Ignore clicks on stations while something is drawn: corners are often set on them."""
        self.layer.clickable = change["new"] is None

    def _select_clicked(self, rows: gpd.GeoDataFrame) -> None:
        """Select the stations that were clicked."""
        self._choice = None
        self._choices.drop()
        self._mark_selected(rows)

    def _mark_selected(self, stations: gpd.GeoDataFrame) -> None:
        """Draw rings around the selected stations."""
        self.set_trait("selected", stations)
        points = np.round(shapely.get_coordinates(stations.geometry.to_numpy()), 6).tolist()
        ring = {"type": "MultiPoint", "coordinates": points[:_MAX_RINGS]}
        feature = {"type": "Feature", "properties": {}, "geometry": ring}
        self._rings.data = collection([feature] if points else [])
        self._write_count()

    def _fit_view(self, stations: gpd.GeoDataFrame) -> None:
        """Fit the first view to nearly all stations: a few are at (0, 0), for example."""
        if stations.empty:
            return
        points = stations.geometry
        view = View.around(
            points.x.to_numpy(), points.y.to_numpy(), height_px(self.map.layout.height)
        )
        self.map.set_home(view)
        self.layer.redraw()

    def _write_count(self, missing: str = "") -> None:
        """Write the number of stations in view, and list them."""
        inside = self.visible
        singly = self.layer.shown == "stations"
        number = counted(len(inside), "station")
        if missing:
            text = f"{number} of earlier views shown; {missing}"
        elif singly:
            text = f"{len(inside):,} of {number} in view shown"
        else:
            text = f"{number} in view shown in groups: zoom in for single stations"
        if len(self.selected):
            text += f". {len(self.selected):,} selected"
        if names := name_outside(read_attrs(self._shown)):
            text += f". No data: {names}"
        self._write_status(f"{text}.")
        self._list_stations(inside if singly else inside.head(0))

    def _choose_download(self) -> gpd.GeoDataFrame:
        """Return the selected stations, or those in view if none is selected."""
        return self.selected if len(self.selected) else self.visible

    def _list_stations(self, stations: gpd.GeoDataFrame) -> None:
        """Offer stations in the list below the map."""
        listed = stations.head(_MAX_LISTED)
        names = [
            f"{one_line(title, _MAX_TITLE) or 'Station'} ({i})"
            for i, title in listed["title"].items()
        ]
        first = _CHOOSE if len(listed) else "zoom in to choose a station"
        if self.visible.empty:
            first = "no station in view"
        if len(listed) < len(stations):
            first += f" (the first {_MAX_LISTED} of {len(stations):,})"
        self._list.options = [(first, 0), *sorted(zip(names, listed.index, strict=True))]

    def _select_listed(self, change: dict[str, Any]) -> None:
        """Open the station that was chosen in the list."""
        if change["new"] in self.layer.stations.index:
            self.layer.select([change["new"]])

    def _try_again(self, _: object) -> None:
        """Send the questions that failed again."""
        for asker in (self._views, self._choices):
            asker.forget_errors()
        self.refresh()
        if self._choice is not None:
            self._select_shape(self._choice)

    def _write_status(self, text: str, *, failed: bool = False) -> None:
        """Write a text on the map; an error offers to try again."""
        with self._status.hold_sync():
            self._status.text, self._status.failed = text, failed
        self._again.layout.display = "" if failed else "none"

    def _build_texts(self) -> ipywidgets.Widget:
        """Add status and legend to the map, and return the list and the credit below it."""
        self._status = status()
        self._again = ipywidgets.Button(description="Try again")
        self._again.layout.display = "none"
        self._again.on_click(self._try_again)
        texts = ipywidgets.VBox([self._status, self._again])
        self.map.add(ipyleaflet.WidgetControl(widget=texts, position="topright"))
        rows = legend_rows()
        self.map.add(note("<b>Legend</b>", legend_html(rows), "bottomright"))

        def face() -> Face:
            return Face("", rows, credit_text(self._shown))

        attend(self.map, "Map of charging stations", face, layer=self.layer)
        self._rings = ipyleaflet.GeoJSON(data=collection([]), point_style=_RING, name="selected")
        self.map.add(self._rings)
        self._credit = ipywidgets.HTML()
        self._list = ipywidgets.Select(description="In view", options=[(_CHOOSE, 0)], rows=6)
        self._list.layout.width = "min(100% - 8px, 480px)"
        self._list.observe(self._select_listed, names="value")
        return ipywidgets.VBox([self._list, self._credit])
