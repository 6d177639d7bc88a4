"""A route with its corridor, stations and gaps on a map, linked to a strip chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets
import numpy as np
import shapely

from ocm_geo.geodesy import corridor_polygon
from ocm_geo.ids import ID_NAMES
from ocm_geo.outside import NO_DATA
from ocm_geo.plots.route_rows import name_gaps, name_sections
from ocm_geo.plots.style import (
    GAP,
    INK,
    POWER_CLASSES,
    SHORT,
    UNKNOWN,
    UNKNOWN_EDGE,
    counted,
    power_class,
)
from ocm_geo.widgets.facts import one_line
from ocm_geo.widgets.ground import Basemap, height_px, new_map, note
from ocm_geo.widgets.land import collection, feature
from ocm_geo.widgets.legends import Row, legend_html
from ocm_geo.widgets.parts import attend, own_widget
from ocm_geo.widgets.picture import Face, stack_pictures
from ocm_geo.widgets.pictured import Pictured
from ocm_geo.widgets.positions import plain_id
from ocm_geo.widgets.route_tables import find_route_tables
from ocm_geo.widgets.station_layer import StationLayer
from ocm_geo.widgets.stations import credit_of, credit_text
from ocm_geo.widgets.strip_picture import draw_strip
from ocm_geo.widgets.symbols import legend_rows
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from PIL import Image

    from ocm_geo.reference import ReferenceData
    from ocm_geo.routes.editing import Route
    from ocm_geo.standards import Rule, Verdict
    from ocm_geo.widgets.pictured import PictureMap
    from ocm_geo.widgets.route_tables import RouteTables

__all__ = ["RouteMap", "route_map"]

_COLOURS = {"fails": GAP, "passes": SHORT, "gap": SHORT, "end": UNKNOWN, NO_DATA: "#ffffff"}
"""Colours of gaps and sections, the same as in `plot_route`."""
_CORRIDOR = {"stroke": False, "fillColor": "#0077bb", "fillOpacity": 0.15, "interactive": False}
_MARK = {"color": "#0077bb", "weight": 3, "fillOpacity": 0}
_HEIGHTS = (0.2, 0.35, 0.5, 0.75, 1.0)


def route_map(
    route: Route,
    stations: gpd.GeoDataFrame,
    within_km: float | None = None,
    standard: Verdict | Rule | str | None = None,
    *,
    min_power_kw: float | None = None,
    reference: ReferenceData | None = None,
    basemap: Basemap = "online",
    height: str = "420px",
) -> RouteMap:
    """
    Show a route with its stations and gaps on a map and as a strip chart, which are linked.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a series or frame of one row with a coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table; the stations near the route are found in it.
    within_km : float, optional
        Largest geodesic distance of a station from the route, km. By default the distance within
        which the stations were fetched along a route, else 5 km.
    standard : Verdict, Rule or str, optional
        A rule about roads (see `standards`), or a finished verdict of `assess_route`: the gaps
        are then the sections between qualifying pools, and sections that fail are red. The
        rule's own distance from the road decides which pools count, or ``within_km`` if the rule
        has none.
    min_power_kw : float, optional
        Without a standard: only stations of at least this power end a gap.
    reference : ReferenceData, optional
        Meaning of ids; by default the reference data of the table's source.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        As for `station_map`.
    height : str
        Height of the map in CSS units.

    Returns
    -------
    RouteMap
        A widget with the attributes ``map``, ``strip``, ``stations`` (with ``along_km``),
        ``gaps``, ``verdict`` and ``title``, which can be set; ``to_png`` writes it as a picture.
        What is under the mouse on the map or the strip is marked on both.

    Raises
    ------
    QueryError
        If an argument is wrong, or the rule is not about roads.
    RouteError
        If the geometry is not a route.
    MissingDependency
        If anywidget is not installed: ``pip install 'ocm_geo[maps]'``.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> source = ocm.sample()
    >>> near = ocm.stations_from_route(ocm.sample_route(), 3, source=source)
    >>> shown = ocm.route_map(ocm.sample_route(), near, 3, "afir-ldv-core-2025")
    >>> shown.verdict.passes
    False
    """
    tables = find_route_tables(route, stations, within_km, standard, min_power_kw=min_power_kw)
    road = np.array([shapely.LineString(tables.line.coords)])
    shown = new_map(View.around_shapes(road, height_px(height)), basemap, height)
    found = RouteMap(shown, tables)
    found.draw(reference)
    return found


class RouteMap(Pictured, ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """
    A map and a strip chart of one route; made by `route_map`.

    Parameters
    ----------
    shown : ipyleaflet.Map
        The map.
    tables : RouteTables
        Finished tables of the route.

    Attributes
    ----------
    map : ipyleaflet.Map
        The map, for further layers.
    strip : anywidget.AnyWidget
        The strip chart; ``marked`` is ``{"station": id}``, ``{"gap": row}`` or empty.
    stations : geopandas.GeoDataFrame
        Stations with ``along_km``, ``offset_km`` and ``side``, one row for each passage.
    gaps : geopandas.GeoDataFrame
        ``start_km``, ``end_km``, ``status`` and ``geometry``.
    verdict : Verdict or None
        The verdict, if there is a standard.
    """

    def __init__(self, shown: PictureMap, tables: RouteTables) -> None:
        self.map, self.stations, self.gaps = shown, tables.stations, tables.gaps
        self.verdict = tables.verdict
        self._line, self._within_km = tables.line, tables.within_km
        self._words = _name_statuses(tables.verdict)
        self.strip = own_widget("strip", content=self._describe_strip(), marked={})
        self.strip.layout.width = "100%"
        self.strip.observe(self._mark_on_map, names="marked")
        self._marks = ipyleaflet.GeoJSON(
            data=collection([]), point_style={**_MARK, "radius": 12, "interactive": False}
        )
        super().__init__([shown, self.strip])

    def draw(self, reference: ReferenceData | None) -> None:
        """
        Add corridor, route, gaps and stations to the map.

        Parameters
        ----------
        reference : ReferenceData, optional
            Meaning of ids.
        """
        corridor = shapely.get_parts(corridor_polygon(self._line, self._within_km))
        self.map.add(ipyleaflet.GeoJSON(data=self._collect(corridor, _CORRIDOR), name="corridor"))
        bars = ipyleaflet.GeoJSON(data=collection(self._draw_gaps()), name="gaps")
        bars.on_hover(lambda feature, **_: self._mark(gap=feature["properties"]["gap"]))
        self.map.add(bars)
        # The route is above its gaps, as in the figure, and lets the mouse through to them.
        road = [shapely.LineString(self._line.coords)]
        line = {**_style_line(INK, 2), "interactive": False}
        self.map.add(ipyleaflet.GeoJSON(data=self._collect(road, line), name="route"))
        # A station that the route passes twice is one marker.
        unique = self.stations[~self.stations.index.duplicated()]
        layer = StationLayer(unique, reference=reference).add_to(self.map)
        layer.on_hover(lambda rows: self._mark(station=plain_id(rows.index[0])))
        self.map.add(self._marks)
        words = f"{counted(len(unique), 'station')} within {self._within_km:g} km"
        head, rows = Row("head", words), self._list_rows()

        def face() -> Face:
            return Face("", [head, *rows], credit_text(unique))

        attend(self.map, f"Map of a route of {self._line.length_km:,.0f} km and its stations", face)
        text = legend_html(rows)
        self.map.add(note(f"<b>{words}</b>", text, "bottomright", credit_of(unique)))

    @property
    def title(self) -> str:
        """Heading on the map and its picture; it can be set."""
        return self.map.title

    @title.setter
    def title(self, text: str) -> None:
        self.map.title = text

    def describe_face(self) -> Face:
        """Return the title, legend and credit of the map."""  # numpydoc ignore=RT01
        return self.map.describe_face()

    def set_mark(self, mark: str) -> None:
        """Pass on the mark of the picture."""  # numpydoc ignore=PR01
        self.map.set_mark(mark)

    def draw_picture(self, scale: float) -> Image.Image:
        """Draw the map above the strip chart."""  # numpydoc ignore=PR01,RT01
        drawn = self.map.draw_picture(scale)
        strip = draw_strip(self.strip.content, drawn.width / scale, scale)
        return stack_pictures([drawn, strip])

    def _describe_strip(self) -> dict[str, Any]:
        """Return what the strip chart shows, with the texts for screen readers."""
        return {
            "length_km": self._line.length_km,
            "stations": _describe_passages(self.stations),
            "gaps": _describe_gaps(self.gaps, self._words),
            "words": {
                "name": f"{len(self.stations)} passages of stations and {len(self.gaps)} gaps "
                "along the route: left and right select stations, up and down select gaps",
                "hint": "Point at a station or a gap, or use the arrow keys: left and right for "
                "stations, up and down for gaps.",
                "axis": "kilometres from the start of the route",
                "left": "left",
                "right": "right",
                "gaps": "gaps",
            },
        }

    def _draw_gaps(self) -> list[dict[str, Any]]:
        """Return the gaps as features, with their row, by which the strip finds them."""
        features = []
        for i, (shape, status) in enumerate(
            zip(self.gaps.geometry, self.gaps["status"], strict=True)
        ):
            if shape is None or shape.is_empty:
                continue
            colour = _COLOURS[status]
            look = _style_line(colour, 7 if colour == GAP else 5)
            if status == NO_DATA:
                look["dashArray"] = "2 6"
            drawn = feature(self._turn(shape), look)
            drawn["properties"]["gap"] = i
            features.append(drawn)
        return features

    def _collect(self, shapes: Any, style: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - shapes
        return collection([feature(self._turn(shape), style) for shape in shapes])

    def _turn(self, shape: shapely.Geometry) -> shapely.Geometry:
        """Move a shape to the turn of the Earth on which the route is drawn."""
        # Tables wrap longitudes at 180, while the line of the route runs on.
        middle = float(np.mean(self._line.coords[:, 0]))
        turn = 360 * np.round((middle - (shape.bounds[0] + shape.bounds[2]) / 2) / 360)
        return shapely.transform(shape, lambda xy: np.round(xy + np.array([turn, 0.0]), 6))

    def _mark(self, **what: int | str) -> None:
        self.strip.marked = what

    def _mark_on_map(self, _: object) -> None:
        """Mark on the map the station or gap that is marked on the strip."""
        marked = self.strip.marked
        shapes = []
        if (station := marked.get("station")) in self.stations.index:
            shapes.append(self.stations.geometry.loc[[station]].iloc[0])
        if (gap := marked.get("gap", -1)) in range(len(self.gaps)):
            shapes.append(self.gaps.geometry.iloc[gap])
        style = {**_MARK, "weight": 3 if "station" in marked else 9, "opacity": 0.9}
        self._marks.data = self._collect([s for s in shapes if not s.is_empty], style)

    def _list_rows(self) -> list[Row]:
        """Return the legend, with the words and numbers of `plot_route`."""
        counts = self.gaps["status"].value_counts(sort=False)
        rows = [
            Row(
                "line",
                self._words[status] + ("" if status == NO_DATA else f" ({n:,})"),
                {"color": _COLOURS[status]} | ({"dashArray": "2 2"} if status == NO_DATA else {}),
            )
            for status, n in counts.items()
        ]
        heading = Row("head", "Gaps" if self.verdict is None else "Sections")
        said = []
        if self.verdict is not None:
            said = [Row("head", self.verdict.rule.id), Row("text", self.verdict.headline)]
        # First what this map alone shows: on a low map the rest is below the edge of the box.
        return [*said, heading, *rows, *legend_rows(rings=False)]


def _name_statuses(verdict: Verdict | None) -> dict[str, str]:
    """Return the labels of gaps, or of the sections of a verdict."""
    if verdict is None:
        return {"gap": name_gaps(None)["passes"], NO_DATA: NO_DATA}
    return {**name_sections(verdict), NO_DATA: NO_DATA}


def _style_line(colour: str, weight: float) -> dict[str, Any]:
    return {"color": colour, "weight": weight, "opacity": 0.9, "fill": False}


def _describe_passages(stations: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the stations of the strip chart, with their texts."""
    is_named = stations.index.name in ID_NAMES
    ranks = power_class(stations["max_power_kw"])
    powers = stations["max_power_kw"].to_numpy(dtype=float, na_value=np.nan)
    columns = (stations[name] for name in ("along_km", "offset_km", "side", "title"))
    rows = zip(stations.index, ranks, powers, *columns, strict=True)
    return [
        {
            "id": plain_id(label),
            "km": round(float(along), 3),
            "side": str(side),
            "height": _HEIGHTS[rank + 1],
            "fill": POWER_CLASSES[rank][2] if rank >= 0 else UNKNOWN,
            "stroke": POWER_CLASSES[rank][2] if rank >= 0 else UNKNOWN_EDGE,
            "text": f"km {along:.1f}, {side}, {offset:.1f} km from the route: "
            f"{one_line(title) or (label if is_named else 'station')}, "
            + ("power not known" if np.isnan(power) else f"{power:g} kW"),
        }
        for label, rank, power, along, offset, side, title in rows
    ]


def _describe_gaps(gaps: pd.DataFrame, words: dict[str, str]) -> list[dict[str, Any]]:
    """Return the gaps of the strip chart, with their texts."""
    return [
        {
            "start": float(start),
            "end": float(end),
            "km": float(end - start),
            "fill": _COLOURS[status],
            "ink": "#ffffff" if _COLOURS[status] == GAP else INK,
            "text": f"km {start:.1f} to {end:.1f}: {end - start:.1f} km, {words[status]}",
            "word": NO_DATA if status == NO_DATA else "",
        }
        for start, end, status in zip(gaps["start_km"], gaps["end_km"], gaps["status"], strict=True)
    ]
