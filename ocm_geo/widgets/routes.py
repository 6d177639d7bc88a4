"""A route, its corridor, stations and gaps on a map, linked to a strip chart."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets
import numpy as np
import shapely

from ocm_geo.corridors import locate_along, route_gaps
from ocm_geo.geodesy import Line, as_line, corridor_polygon
from ocm_geo.ids import ID_NAMES, station_table
from ocm_geo.outside import NO_DATA, split_by_data
from ocm_geo.plots.style import GAP, INK, POWER_CLASSES, power_class
from ocm_geo.provenance import carry, choose_within_km, read_attrs
from ocm_geo.standards import AssessmentOptions, Rule, assess_route, standards
from ocm_geo.widgets.facts import one_line
from ocm_geo.widgets.ground import Basemap, height_px, new_map, note
from ocm_geo.widgets.land import collection, feature
from ocm_geo.widgets.parts import attend, own_widget
from ocm_geo.widgets.places import plain_id
from ocm_geo.widgets.station_layer import StationLayer
from ocm_geo.widgets.stations import credit_of
from ocm_geo.widgets.symbols import legend_html
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from ocm_geo.reference import ReferenceData
    from ocm_geo.routes.editing import Route
    from ocm_geo.standards import Verdict

__all__ = ["RouteMap", "route_map"]

_NEUTRAL, _ENDS, _NOTHING = "#b8b8b8", "#e4e4e4", "#ffffff"
_GAPS = {
    "fails": (GAP, "longer than the standard allows"),
    "passes": (_NEUTRAL, "within the standard"),
    "end": (_ENDS, "before the first and after the last pool"),
    "unserved": (GAP, "no pool at all"),
    "gap": (_NEUTRAL, "between stations"),
    NO_DATA: (_NOTHING, "no data: outside what the source covers"),
}
_CORRIDOR = {"stroke": False, "fillColor": "#0077bb", "fillOpacity": 0.15, "interactive": False}
_MARK = {"color": "#0077bb", "weight": 3, "fillOpacity": 0}
_HEIGHTS = (0.2, 0.35, 0.5, 0.75, 1.0)
_GREY = "#767676"


def route_map(
    route: Route,
    stations: gpd.GeoDataFrame,
    within_km: float | None = None,
    standard: str | Rule | None = None,
    *,
    min_power_kw: float | None = None,
    reference: ReferenceData | None = None,
    basemap: Basemap = "online",
    height: str = "420px",
) -> RouteMap:
    """
    Show a route with its stations and gaps, on a map and as a strip chart; hovering marks both.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table; what is near the route is found here.
    within_km : float, optional
        Greatest geodesic distance of a station from the route, km. By default the distance within
        which the stations were fetched along a route, else 5 km.
    standard : str or Rule, optional
        A rule about roads (see `standards`): the gaps are then the sections between the pools
        that qualify, and those that fail are red. The rule's own distance from the road decides
        which pools count; ``within_km`` where it names none.
    min_power_kw : float, optional
        Without a standard: only stations of at least this power close a gap.
    reference : ReferenceData, optional
        What ids stand for; by default the reference data of the source of the table.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        As for `station_map`.
    height : str
        Height of the map in CSS units.

    Returns
    -------
    RouteMap
        A widget with the attributes ``map``, ``strip``, ``stations`` (with kilometre marks),
        ``gaps`` and ``verdict``.

    Raises
    ------
    QueryError
        If an option is wrong, or the rule is not about roads.
    RouteError
        If the geometry is no route.
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
    limit = choose_within_km(within_km, stations)
    line = Line(as_line(route))
    stations = station_table(stations)
    located = locate_along(stations, route, within_km=limit, passages="all").sort_values("along_km")
    verdict = None
    if standard is None:
        gaps = route_gaps(route, stations, within_km=limit, min_power_kw=min_power_kw)
        gaps = gaps.assign(status="gap")
    else:
        own = standard.offset_km if isinstance(standard, Rule) else _offset_km(standard)
        asked = AssessmentOptions(offset_km=None if own else limit)
        verdict = assess_route(route, stations, standard, options=asked)
        gaps = verdict.segments
    gaps = carry(split_by_data(gaps, line, read_attrs(gaps)), gaps)
    road = np.array([shapely.LineString(line.coords)])
    view = View.around_shapes(road, height_px(height))
    shown = RouteMap(new_map(view, basemap, height), line, located, gaps)
    shown.verdict = verdict
    shown.draw(limit, reference)
    return shown


class RouteMap(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """
    A map and a strip chart of one route; made by `route_map`.

    Parameters
    ----------
    shown : ipyleaflet.Map
        The map.
    line : Line
        The route.
    stations : geopandas.GeoDataFrame
        Stations with ``along_km``, ``offset_km`` and ``side``, one row a passage.
    gaps : geopandas.GeoDataFrame
        ``start_km``, ``end_km``, ``status`` and ``geometry``.

    Attributes
    ----------
    map : ipyleaflet.Map
        The map, for further layers.
    strip : anywidget.AnyWidget
        The strip chart; ``marked`` is ``{"station": id}``, ``{"gap": row}`` or empty.
    verdict : Verdict or None
        What the standard says.
    """

    verdict: Verdict | None = None

    def __init__(
        self,
        shown: ipyleaflet.Map,
        line: Line,
        stations: gpd.GeoDataFrame,
        gaps: gpd.GeoDataFrame,
    ) -> None:
        self.map, self.stations, self.gaps = shown, stations, gaps
        self._line = line
        self.strip = own_widget("strip", content=self._content(), marked={})
        self.strip.layout.width = "100%"
        self.strip.observe(self._mark, names="marked")
        self._marks = ipyleaflet.GeoJSON(
            data=collection([]), point_style={**_MARK, "radius": 12, "interactive": False}
        )
        super().__init__([shown, self.strip])

    def draw(self, within_km: float, reference: ReferenceData | None) -> None:
        """
        Put corridor, route, gaps and stations on the map.

        Parameters
        ----------
        within_km : float
            Half width of the corridor, km.
        reference : ReferenceData, optional
            What ids stand for.
        """
        ground = shapely.get_parts(corridor_polygon(self._line, within_km))
        self.map.add(ipyleaflet.GeoJSON(data=self._lines(ground, _CORRIDOR), name="corridor"))
        road = [shapely.LineString(self._line.coords)]
        line = {**_stroke(INK, 2), "interactive": False}
        self.map.add(ipyleaflet.GeoJSON(data=self._lines(road, line), name="route"))
        bars = ipyleaflet.GeoJSON(data=collection(self._bars()), name="gaps")
        bars.on_hover(lambda feature, **_: self._touch(gap=feature["properties"]["gap"]))
        self.map.add(bars)
        unique = self.stations[~self.stations.index.duplicated()]
        layer = StationLayer(unique, reference=reference).add_to(self.map)
        layer.on_hover(lambda rows: self._touch(station=plain_id(rows.index[0])))
        self.map.add(self._marks)
        attend(self.map, f"Map of a route of {self._line.length_km:,.0f} km and its stations")
        head = f"<b>{len(unique):,} stations within {within_km:g} km</b>"
        self.map.add(note(head, self._legend(), "bottomright", credit_of(unique)))

    def _content(self) -> dict[str, Any]:
        """Say what the strip shows."""
        return {
            "length_km": self._line.length_km,
            "stations": _strip_stations(self.stations),
            "gaps": _strip_gaps(self.gaps),
            "words": {
                "name": f"{len(self.stations)} passages of stations and {len(self.gaps)} gaps "
                "along the route: left and right go through the stations, up and down through "
                "the gaps",
                "hint": "Point at a station or a gap; or use the arrow keys: left and right for "
                "stations, up and down for gaps.",
                "axis": "kilometres from the start of the route",
                "left": "left",
                "right": "right",
                "gaps": "gaps",
            },
        }

    def _bars(self) -> list[dict[str, Any]]:
        features = []
        for i, (shape, status) in enumerate(
            zip(self.gaps.geometry, self.gaps["status"], strict=True)
        ):
            if shape is None or shape.is_empty:
                continue
            colour = _GAPS[status][0]
            look = _stroke(colour, 7 if colour == GAP else 5)
            if status == NO_DATA:
                look["dashArray"] = "2 6"
            drawn = feature(self._near(shape), look)
            drawn["properties"]["gap"] = i
            features.append(drawn)
        return features

    def _lines(self, shapes: Any, style: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - shapes
        return collection([feature(self._near(shape), style) for shape in shapes])

    def _near(self, shape: shapely.Geometry) -> shapely.Geometry:
        """Bring a shape to the turn of the Earth on which the route is drawn."""
        middle = float(np.mean(self._line.coords[:, 0]))
        turn = 360 * np.round((middle - (shape.bounds[0] + shape.bounds[2]) / 2) / 360)
        return shapely.transform(shape, lambda xy: np.round(xy + np.array([turn, 0.0]), 6))

    def _touch(self, **what: int | str) -> None:
        self.strip.marked = what

    def _mark(self, _: object) -> None:
        """Mark on the map what is marked on the strip."""
        marked = self.strip.marked
        shapes = []
        if (station := marked.get("station")) in self.stations.index:
            shapes.append(self.stations.geometry.loc[[station]].iloc[0])
        if (gap := marked.get("gap", -1)) in range(len(self.gaps)):
            shapes.append(self.gaps.geometry.iloc[gap])
        style = {**_MARK, "weight": 3 if "station" in marked else 9, "opacity": 0.9}
        self._marks.data = self._lines([s for s in shapes if not s.is_empty], style)

    def _legend(self) -> str:
        kinds = list(dict.fromkeys(self.gaps["status"]))
        rows = "".join(
            "<div><svg width='18' height='10' aria-hidden='true'>"
            f"<rect y='3' width='18' height='5' fill='{_GAPS[kind][0]}'{_rim(kind)}/></svg> "
            f"{_GAPS[kind][1]}</div>"
            for kind in kinds
        )
        said = ""
        if self.verdict is not None:
            v = self.verdict
            said = f"<div><b>{html.escape(f'{v.rule.id}: {v.word}')}</b><br>{v.shares}</div>"
        return f"{said}{legend_html()}<b>Gaps</b>{rows}"


def _rim(kind: str) -> str:
    return " stroke='#666' stroke-dasharray='2 2'" if kind == NO_DATA else ""


def _offset_km(standard: str) -> float | None:
    """Look up the distance from the road that a rule names; an unknown rule is told later."""
    known = standards()["offset_km"].astype(float)
    named = known.get(standard)
    return None if named is None or np.isnan(named) else float(named)


def _stroke(colour: str, weight: float) -> dict[str, Any]:
    return {"color": colour, "weight": weight, "opacity": 0.9, "fill": False}


def _strip_stations(stations: pd.DataFrame) -> list[dict[str, Any]]:
    named = stations.index.name in ID_NAMES
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
            "fill": POWER_CLASSES[rank][2] if rank >= 0 else "#ffffff",
            "stroke": POWER_CLASSES[rank][2] if rank >= 0 else _GREY,
            "text": f"km {along:.1f}, {side}, {offset:.1f} km off: "
            f"{one_line(title) or (label if named else 'station')}, "
            + ("power not known" if np.isnan(power) else f"{power:g} kW"),
        }
        for label, rank, power, along, offset, side, title in rows
    ]


def _strip_gaps(gaps: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "start": float(start),
            "end": float(end),
            "km": float(end - start),
            "fill": _GAPS[status][0],
            "ink": "#ffffff" if _GAPS[status][0] == GAP else "#222222",
            "text": f"km {start:.1f} to {end:.1f}: {end - start:.1f} km, {_GAPS[status][1]}",
            "word": NO_DATA if status == NO_DATA else "",
        }
        for start, end, status in zip(gaps["start_km"], gaps["end_km"], gaps["status"], strict=True)
    ]
