"""Areas or grid cells coloured by class, with a legend and a choice between bounds."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Self

import ipyleaflet
import ipywidgets
import numpy as np
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.frames import in_lonlat
from ocm_geo.outside import NO_DATA, no_data_in
from ocm_geo.plots.steps import chosen_steps, step_column, step_unit
from ocm_geo.provenance import read_attrs
from ocm_geo.widgets.classes import MISSING, Classes
from ocm_geo.widgets.ground import Basemap, folding, height_px, new_map
from ocm_geo.widgets.land import collection
from ocm_geo.widgets.parts import attend
from ocm_geo.widgets.stations import credit_of
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["CoverageLayer", "coverage_map"]

_FIRST = ("population_share", "area_share", "nearest_km")
_BOUNDS = {"low": "_low", "central": "", "high": "_high"}
_MAX_SINGLE = 3000
_EDGE = {"color": "#ffffff", "weight": 0.7, "opacity": 0.9, "fillOpacity": 0.9}
_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_NO_VALUE = {"color": "#8a8a8a", "weight": 1, "dashArray": "3 3", "fillColor": MISSING}


def coverage_map(
    table: gpd.GeoDataFrame,
    *,
    column: str | None = None,
    within_km: float | None = None,
    minutes: float | None = None,
    scheme: str = "equal_interval",
    k: int = 5,
    basemap: Basemap = "online",
    height: str = "480px",
) -> ipyleaflet.Map:
    """
    Show coverage on a map: areas or grid cells, coloured by class.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        Polygons in any coordinate reference system with a column of numbers, such as
        `ocm_geo.coverage` or `ocm_geo.density` gives them. Where the table has ``column_low``
        and ``column_high``, one can choose between them on the map; the classes are the same.
    column : str, optional
        What is shown; by default ``population_share``, ``area_share`` or ``nearest_km``.
    within_km, minutes : float, optional
        Which of several distances or driving times; by default one can choose on the map.
    scheme : str
        How classes are made: the name of a classifier of mapclassify, such as
        ``equal_interval``, ``quantiles`` or ``fisher_jenks``.
    k : int
        How many classes, 2 to 9.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        As for `station_map`.
    height : str
        Height in CSS units.

    Returns
    -------
    ipyleaflet.Map
        The map. For coverage on a map of your own, see `CoverageLayer`.

    Raises
    ------
    QueryError
        If the table or an option is wrong.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.coverage(ocm.sample_areas(), stations, [5, 10])
    >>> ocm.coverage_map(table, column="area_share").zoom > 4
    True
    """
    layer = CoverageLayer(
        table, column=column, within_km=within_km, minutes=minutes, scheme=scheme, k=k
    )
    shown = new_map(layer.view(height_px(height)), basemap, height)
    layer.add_to(shown)
    attend(shown, f"Map of {layer.column.replace('_', ' ')}")
    shown.add(layer.legend)
    if layer.choices is not None:
        shown.add(layer.choices)
    return shown


class CoverageLayer:
    """
    Areas or grid cells as a layer of any map, coloured by class.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        As for `coverage_map`.
    column, within_km, minutes, scheme, k
        As for `coverage_map`.

    Attributes
    ----------
    layer : ipyleaflet.GeoJSON
        What is on the map.
    legend : ipyleaflet.WidgetControl
        What the colours mean; under the mouse, the value of an area.
    choices : ipyleaflet.WidgetControl or None
        Where one can choose between bounds or distances.
    classes : Classes
        The classes.

    Raises
    ------
    QueryError
        If the table or an option is wrong.

    Examples
    --------
    >>> import ipyleaflet
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> table = ocm.coverage(ocm.sample_areas(), stations, 5)
    >>> layer = ocm.CoverageLayer(table, column="area_share", scheme="quantiles", k=3)
    >>> layer.add_to(ipyleaflet.Map()).classes.unit
    '%'
    """

    def __init__(
        self,
        table: gpd.GeoDataFrame,
        *,
        column: str | None = None,
        within_km: float | None = None,
        minutes: float | None = None,
        scheme: str = "equal_interval",
        k: int = 5,
    ) -> None:
        self._table = in_lonlat(table, "coverage table")
        self._shapes = _turned(self._table)
        self._outside = no_data_in(read_attrs(table), self._table.geometry.to_numpy()).whole
        self.column = _column_of(self._table, column)
        self._steps = chosen_steps(self._table, within_km, minutes)
        self._unit = step_unit(self._table)
        names = {b: self.column + end for b, end in _BOUNDS.items()}
        self._columns = {b: name for b, name in names.items() if name in self._table}
        values = [self._numbers(self._table, name) for name in self._columns.values()]
        self.classes = Classes.of(np.concatenate(values), self.column, scheme, k)
        self.layer = ipyleaflet.GeoJSON(data=collection([]), name=self.column)
        self.layer.on_hover(self._touched)
        self._bound = ipywidgets.RadioButtons(
            options=list(self._columns), value="central", description="Value"
        )
        steps = [(f"{step:g} {self._unit}", step) for step in self._steps]
        self._within = ipywidgets.Dropdown(options=steps, description="Within")
        if steps:
            self._within.value = self._steps[len(steps) // 2]
        # What is under the mouse stands by itself: a legend that was folded stays folded.
        self._key, self._told = ipywidgets.HTML(), ipywidgets.HTML()
        box = ipywidgets.VBox([self._key, self._told])
        self.legend = ipyleaflet.WidgetControl(widget=box, position="bottomright")
        self.choices = self._choices()
        self.draw()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """``(west, south, east, north)`` of the areas, beyond 180 over the antimeridian."""
        west, south, east, north = (float(v) for v in shapely.total_bounds(self._shapes))
        return west, south, east, north

    def view(self, height_px: float = 480.0) -> View:
        """
        Choose a view of the areas, as a new map would show it.

        Parameters
        ----------
        height_px : float
            Height of the map, pixels.

        Returns
        -------
        View
            All of them.
        """
        return View.around_shapes(self._shapes, height_px)

    def add_to(self, shown: ipyleaflet.Map) -> Self:
        """
        Put the layer on a map, without its legend and choices.

        Parameters
        ----------
        shown : ipyleaflet.Map
            Any map.

        Returns
        -------
        CoverageLayer
            This layer.
        """
        shown.add(self.layer)
        return self

    def draw(self, _: object = None) -> None:
        """Draw the bound and the distance that are chosen."""
        rows, shapes, outside = self._table, self._shapes, self._outside
        if self._steps:
            chosen = (rows[step_column(rows)] == self._within.value).to_numpy(dtype=bool)
            rows, shapes, outside = rows[chosen], shapes[chosen], outside[chosen]
        name = self._columns[self._bound.value]
        self._values = self._numbers(rows, name)
        self._names = _names_of(rows)
        self._gone = outside
        self._values = np.where(outside, np.nan, self._values)
        position = self.classes.position(self._values)
        singly = len(rows) <= _MAX_SINGLE
        make = _single if singly else _by_class
        self.layer.data = collection(make(shapes, position, self.classes.colours))
        self._write_legend()
        self._tell("Point at an area for its value." if singly else "")

    def _numbers(self, rows: gpd.GeoDataFrame, name: str) -> NDArray[np.float64]:
        try:
            return np.asarray(rows[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan))
        except (TypeError, ValueError) as error:
            raise QueryError(f"column {name!r} holds no numbers") from error

    def _choices(self) -> ipyleaflet.WidgetControl | None:
        shown = []
        if len(self._columns) > 1:
            shown.append(self._bound)
        if len(self._steps) > 1:
            shown.append(self._within)
        for control in shown:
            control.layout.width = "200px"
            control.observe(self.draw, names="value")
        box = ipywidgets.VBox(shown, layout=ipywidgets.Layout(padding="2px 8px"))
        return ipyleaflet.WidgetControl(widget=box, position="topright") if shown else None

    def _touched(self, feature: dict[str, Any], **_: object) -> None:
        row = feature["properties"].get("row")
        if row is None:
            return
        value = NO_DATA if self._gone[row] else self.classes.text(float(self._values[row]))
        self._tell(f"{html.escape(self._names[row])}: <b>{value}</b>")

    def _tell(self, text: str) -> None:
        style = "padding:0 .6em .3em;max-width:20em;overflow-wrap:anywhere"
        self._told.value = f"<div role='status' style='{style}'>{text}</div>" if text else ""

    def _write_legend(self) -> None:
        words = self.column.replace("_", " ")
        within = f" within {self._within.value:g} {self._unit}" if self._steps else ""
        bound = f", {self._bound.value} value" if len(self._columns) > 1 else ""
        rows = [*zip(self.classes.colours, self.classes.labels, strict=True)]
        if np.isnan(self._values[~self._gone]).any():
            rows.append((MISSING, "no value"))
        if self._gone.any():
            rows.append((MISSING, f"{NO_DATA}: outside what the source covers"))
        swatches = "".join(
            f"<div style='white-space:nowrap'><svg width='18' height='12' aria-hidden='true'>"
            f"<rect width='18' height='12' fill='{colour}' stroke='#999999'/></svg> {label}</div>"
            for colour, label in rows
        )
        head = f"<b>{html.escape(words)}{within}{bound}</b>, {len(self._values):,} areas"
        self._key.value = folding(head, swatches, credit_of(self._table))


def _column_of(table: gpd.GeoDataFrame, column: str | None) -> str:
    if column is None:
        known = [name for name in _FIRST if name in table and table[name].notna().any()]
        if not known:
            raise QueryError(f"say which column to show; the table has {list(table.columns)}")
        return known[0]
    if column not in table:
        raise QueryError(f"the table has no column {column!r}; it has {list(table.columns)}")
    return column


def _names_of(rows: gpd.GeoDataFrame) -> list[str]:
    column = next((name for name in ("name", "title") if name in rows), None)
    return [str(v) for v in (rows.index if column is None else rows[column])]


def _turned(table: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Bring areas to one side of the antimeridian."""
    shapes = table.geometry.to_numpy()
    shapes = np.where(shapely.is_missing(shapes), shapely.Polygon(), shapes)
    areas = np.isin(shapely.get_type_id(shapes), _AREAS) | shapely.is_empty(shapes)
    if not areas.all():
        raise QueryError(
            f"coverage table: {(~areas).sum()} of {len(areas)} rows are no areas (first: "
            f"{table.index[areas.argmin()]}); give polygons"
        )
    if shapely.is_empty(shapes).all():
        raise QueryError("the coverage table holds no area")
    turned = View.around_shapes(shapes).turned_shapes(shapes)
    return np.asarray(shapely.transform(turned, lambda xy: np.round(xy, 5)))


def _single(
    shapes: NDArray[np.object_], position: NDArray[np.intp], colours: list[str]
) -> list[dict[str, Any]]:
    """Draw each area by itself, so that the mouse can ask for it."""
    return [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(shape),
            "properties": {"row": row, "style": _style(place, colours)},
        }
        for row, (shape, place) in enumerate(zip(shapes, position, strict=True))
        if shape is not None and not shape.is_empty
    ]


def _by_class(
    shapes: NDArray[np.object_], position: NDArray[np.intp], colours: list[str]
) -> list[dict[str, Any]]:
    """Draw very many cells as one shape a class."""
    return [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(
                shapely.MultiPolygon(list(shapely.get_parts(shapes[position == place])))
            ),
            "properties": {"style": {**_style(place, colours), "weight": 0}},
        }
        for place in np.unique(position)
    ]


def _style(place: int, colours: list[str]) -> dict[str, Any]:
    return {**_EDGE, **_NO_VALUE} if place < 0 else {**_EDGE, "fillColor": colours[place]}
