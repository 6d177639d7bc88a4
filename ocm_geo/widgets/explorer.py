"""A map that asks a source for the stations of its view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets
import numpy as np
import shapely

from ocm_geo.checks import check_km
from ocm_geo.errors import QueryError, SourceError
from ocm_geo.outside import name_outside
from ocm_geo.plots.style import counted
from ocm_geo.provenance import read_attrs
from ocm_geo.query.where import Area, Box, Corridor, Where
from ocm_geo.reference import ReferenceData, bundled
from ocm_geo.schema import empty_stations
from ocm_geo.sources.asking import ask_source, reference_data
from ocm_geo.sources.base import resolve_source
from ocm_geo.widgets.asking import Answer, Asker, Question
from ocm_geo.widgets.facts import one_line
from ocm_geo.widgets.filters import FilterPanel
from ocm_geo.widgets.ground import Basemap, height_px, new_map, note
from ocm_geo.widgets.land import collection
from ocm_geo.widgets.parts import attend, status
from ocm_geo.widgets.selecting import SelectionTools, one_turn
from ocm_geo.widgets.station_layer import StationLayer
from ocm_geo.widgets.stations import credit_of
from ocm_geo.widgets.symbols import legend_html
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.query import StationQuery
    from ocm_geo.sources.base import Source, SourceLike

__all__ = ["StationExplorer"]

_WORLD = (-540.0, -90.0, 540.0, 90.0)
"""All longitudes, however many turns a map has gone."""
_REMOTE_DEG2 = 4.0
"""Widest view, in square degrees, for which a server is asked: a few pages where it is dense."""
_PAD = 0.15
_CELL = 128
_SETTLE_S = 120.0
_MAX_RINGS = 2000
_MAX_LISTED = 200
_MAX_TITLE = 60
_CHOOSE = "choose a station"
_RING = {"radius": 11, "color": "#0077bb", "weight": 2.5, "fillOpacity": 0, "interactive": False}


class StationExplorer(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """
    A live map: pan and zoom, and the source is asked for what is in view.

    A question is sent once the map rests; one that is overtaken is dropped, one whose answer is
    known is not sent. Errors are shown in the map. A server is asked for small views only.

    Parameters
    ----------
    source : Source, path, "sample" or "api", optional
        As for `stations`; the configured one by default.
    bbox : tuple of float, optional
        ``(west, south, east, north)`` to show first. By default all of a local source, and
        Europe where it is a server.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        As for `station_map`.
    height : str
        Height of the map in CSS units.
    max_markers : int
        Beyond so many stations in view, groups of them are shown.
    debounce_s : float
        How long the map must rest before a question is sent, seconds.
    within_km : float
        Greatest distance of the stations from a drawn route, km.

    Attributes
    ----------
    map : ipyleaflet.Map
        The map, for further layers.
    layer : StationLayer
        The stations on it.

    Raises
    ------
    QueryError
        If an option is wrong.
    SourceError
        If there is no source.
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
        self._source = _Quiet(resolve_source(source))
        self._remote = self._source.is_remote
        self._within_km = check_km(within_km, "within_km")
        self._fit = bbox is None and not self._remote
        self._reference: ReferenceData | None = (
            None if self._remote else reference_data(self._source)
        )
        self._selected = self._shown = empty_stations()
        self._choice: shapely.Geometry | None = None
        self._views = Asker(self._ask, self._got_view, debounce_s=_seconds(debounce_s))
        self._choices = Asker(self._ask, self._got_choice, debounce_s=0)
        self.map = new_map(_first_view(bbox, remote=self._remote), basemap, height)
        self.layer = StationLayer(
            empty_stations(), reference=self._reference, max_markers=max_markers
        ).add_to(self.map)
        self.layer.on_select(self._picked)
        self.filters = FilterPanel(self._reference or bundled(), self._filters_changed)
        self._tools = SelectionTools(self.map, self._select)
        self._tools.pen.observe(self._pen_moved, names="current_mode")
        super().__init__([self.filters.widget, self._tools.widget, self.map, self._add_texts()])
        self.map.observe(lambda _: self.refresh(), names="bounds")
        self.refresh()

    @property
    def visible(self) -> gpd.GeoDataFrame:
        """The stations in view that meet the filters, as far as they are known."""
        return self.layer.visible

    @property
    def selected(self) -> gpd.GeoDataFrame:
        """The stations selected last, by a drawing, the view, a click or `select`."""
        return self._selected

    @property
    def n_asked(self) -> int:
        """Questions that were sent to the source."""
        return self._views.n_asked + self._choices.n_asked

    def wait(self, timeout_s: float = _SETTLE_S) -> bool:
        """
        Wait until every question is answered; for scripts, where nobody looks.

        Parameters
        ----------
        timeout_s : float
            At most so long, seconds.

        Returns
        -------
        bool
            False if the time was over first.
        """
        return self._views.wait(timeout_s) and self._choices.wait(timeout_s)

    def select(self, shape: shapely.Geometry) -> None:
        """
        Select the stations of an area, or along a route, as if it had been drawn.

        Parameters
        ----------
        shape : shapely.Polygon, shapely.MultiPolygon or shapely.LineString
            In lon/lat.

        Raises
        ------
        QueryError
            If it is neither.
        """
        self._select(one_turn(shape))

    def refresh(self) -> None:
        """Ask for what is in view, if it is not known."""
        view = View.of(self.map)
        if self._fit:
            self._tell("Asking …")
            self._views.want(Question(_WORLD, self.filters.values()))
        elif self._remote and _degrees2(view) > _REMOTE_DEG2:
            self._views.drop()
            self._count("a server is asked for small views only: zoom in for all")
        elif not self._views.want(Question(_box_of(view), self.filters.values())):
            self._tell("Asking …")

    def _filters_changed(self) -> None:
        self.layer.close_popup()
        self.refresh()
        if self._choice is not None:
            self._select(self._choice)

    def _ask(self, question: Question) -> gpd.GeoDataFrame:
        """Ask the source; this runs in a thread of its own."""
        filters = dict(question.filters)
        if self._reference is None:
            self._reference = self._names()
        if isinstance(question.place, tuple):
            where: Where = Box(*question.place)
        elif isinstance(question.place, shapely.LineString):
            where = Corridor(question.place, self._within_km)
        else:
            where = Area(question.place)
        # What lies outside the data is told beside the map: nobody sees a thread's warnings.
        return ask_source(where, self._source, filters, outside="mark")

    def _names(self) -> ReferenceData:
        """Ask a server what its ids stand for, once: stations are shown without it, too."""
        try:
            return reference_data(self._source)
        except SourceError:
            return bundled()

    def _got_view(self, answer: Answer) -> None:
        if answer.stations is None:
            self._tell(answer.error, failed=True)
            return
        if answer.stations is not self._shown:
            self._shown = answer.stations
            self.filters.set_reference(self._reference or bundled())
            self.layer.set_stations(answer.stations, reference=self._reference)
            self._credit.value = credit_of(answer.stations)
        if self._fit:
            self._fit = False
            self._show_all(answer.stations)
        self._count()

    def _got_choice(self, answer: Answer) -> None:
        if answer.stations is None:
            self._tell(answer.error, failed=True)
            return
        self._set_selected(answer.stations)

    def _select(self, shape: shapely.Geometry | None) -> None:
        self._choice = shape
        if shape is None:
            self._choices.drop()
            self._set_selected(self._shown.iloc[:0])
            return
        self._choices.want(Question(shape, self.filters.values()))

    def _pen_moved(self, change: dict[str, Any]) -> None:
        """Corners are often set on a station: they must not open it."""
        self.layer.clickable = change["new"] is None

    def _picked(self, rows: gpd.GeoDataFrame) -> None:
        self._choice = None
        self._choices.drop()
        self._set_selected(rows)

    def _set_selected(self, stations: gpd.GeoDataFrame) -> None:
        self._selected = stations
        places = np.round(shapely.get_coordinates(stations.geometry.to_numpy()), 6).tolist()
        ring = {"type": "MultiPoint", "coordinates": places[:_MAX_RINGS]}
        feature = {"type": "Feature", "properties": {}, "geometry": ring}
        self._rings.data = collection([feature] if places else [])
        self._count()

    def _show_all(self, stations: gpd.GeoDataFrame) -> None:
        """Show where nearly all stations are: a few stand at (0, 0) and such places."""
        if stations.empty:
            return
        points = stations.geometry
        view = View.around(
            points.x.to_numpy(), points.y.to_numpy(), height_px(self.map.layout.height)
        )
        with self.map.hold_sync():
            self.map.center, self.map.zoom = list(view.centre), view.zoom
        self.layer.redraw()

    def _count(self, missing: str = "") -> None:
        """Say how many of the stations in view are shown, and offer them as a list."""
        inside = self.visible
        singly = self.layer.shown == "stations"
        shown = len(inside) if singly else 0
        if missing:
            text = f"{counted(len(inside), 'station')} of earlier views shown; {missing}"
        else:
            text = f"{shown:,} of {counted(len(inside), 'station')} in view shown"
        if not singly:
            text += "; the rest in groups. Zoom in to see each"
        if len(self._selected):
            text += f". {len(self._selected):,} selected"
        if names := name_outside(read_attrs(self._shown)):
            text += f". No data: {names}"
        self._tell(f"{text}.")
        self._offer(inside if singly else inside.head(0))

    def _offer(self, stations: gpd.GeoDataFrame) -> None:
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

    def _chosen_in_list(self, change: dict[str, Any]) -> None:
        if change["new"] in self.layer.stations.index:
            self.layer.select([change["new"]])

    def _try_again(self, _: object) -> None:
        for asker in (self._views, self._choices):
            asker.forget_errors()
        self.refresh()
        if self._choice is not None:
            self._select(self._choice)

    def _tell(self, text: str, *, failed: bool = False) -> None:
        with self._status.hold_sync():
            self._status.text, self._status.failed = text, failed
        self._again.layout.display = "" if failed else "none"

    def _add_texts(self) -> ipywidgets.Widget:
        """Put status, legend and credit on the map; give the list that stands below it."""
        self._status = status()
        self._again = ipywidgets.Button(description="Try again")
        self._again.layout.display = "none"
        self._again.on_click(self._try_again)
        told = ipywidgets.VBox([self._status, self._again])
        self.map.add(ipyleaflet.WidgetControl(widget=told, position="topright"))
        self.map.add(note("<b>Legend</b>", legend_html(), "bottomright"))
        attend(self.map, "Map of charging stations")
        self._rings = ipyleaflet.GeoJSON(data=collection([]), point_style=_RING, name="selected")
        self.map.add(self._rings)
        self._credit = ipywidgets.HTML()
        self._list = ipywidgets.Dropdown(description="In view", options=[(_CHOOSE, 0)])
        self._list.layout.width = "min(100% - 8px, 480px)"
        self._list.observe(self._chosen_in_list, names="value")
        return ipywidgets.VBox([self._list, self._credit])


class _Quiet:
    """A source for a map, where an empty view is nothing that two more questions must explain."""

    def __init__(self, source: Source) -> None:
        self.is_remote = bool(getattr(source, "is_remote", False))
        self.fetch = source.fetch
        self.reference_data = source.reference_data

    def has_any(self, query: StationQuery) -> bool:
        """Answer what is asked for nothing but a hint at swapped axes: there is no hint."""
        del query
        return False


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
        raise QueryError(f"debounce_s must be 0 or more seconds, not {value!r}")
    return value


def _first_view(bbox: tuple[float, float, float, float] | None, *, remote: bool) -> View:
    if bbox is None:
        return View.at(10.0, 50.0, 4) if remote else View.at(0.0, 20.0, 2)
    try:
        west, south, east, north = bbox
    except (TypeError, ValueError) as error:
        raise QueryError(f"bbox must be (west, south, east, north), not {bbox!r}") from error
    box = Box(west, south, east, north)
    over = 360.0 if box.west > box.east else 0.0
    return View.around_shapes(
        np.array([shapely.box(*box.as_tuple()[:2], box.east + over, box.north)])
    )


def _box_of(view: View) -> tuple[float, float, float, float]:
    """Widen a view a little, to a grid, so that a small pan asks nothing."""
    wide = view.padded(_PAD).snapped(_CELL)
    if wide.east - wide.west >= 360:  # noqa: PLR2004 - a full turn
        return (*_WORLD[:1], wide.south, *_WORLD[2:3], wide.north)
    turn = 360.0 * ((wide.west + 180) // 360)
    return wide.west - turn, wide.south, wide.east - turn, wide.north


def _degrees2(view: View) -> float:
    return (view.east - view.west) * (view.north - view.south)
