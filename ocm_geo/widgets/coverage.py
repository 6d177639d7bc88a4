"""Areas or grid cells coloured by class, with a legend and controls for bounds and distances."""

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
from ocm_geo.plots.schemes import choose_classes
from ocm_geo.plots.shares import best_column
from ocm_geo.plots.steps import chosen_steps, has_steps, step_column, step_unit
from ocm_geo.plots.style import GREY, UNKNOWN, numbers
from ocm_geo.plots.words import heading_of
from ocm_geo.provenance import read_attrs
from ocm_geo.widgets.ground import Basemap, folding, height_px, new_map
from ocm_geo.widgets.land import collection
from ocm_geo.widgets.legends import Row, legend_html
from ocm_geo.widgets.parts import attend
from ocm_geo.widgets.picture import Face
from ocm_geo.widgets.stations import credit_of, credit_text
from ocm_geo.widgets.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.widgets.pictured import PictureMap

__all__ = ["CoverageLayer", "coverage_map"]

_FIRST = ("nearest_km", "population_share", "area_share")
_BOUNDS = {"low": "_low", "central": "", "high": "_high"}
_MAX_SINGLE = 3000
_MISSING, _OUTSIDE = -1, -2
"""Positions of areas without a value, and of those outside the data, beside those of classes."""
_EDGE = {"color": "#ffffff", "weight": 0.7, "opacity": 0.9, "fillOpacity": 0.9}
_DASHED = {"color": GREY, "weight": 1, "dashArray": "3 3"}
_LOOKS: dict[int, dict[str, Any]] = {
    _MISSING: {**_EDGE, **_DASHED, "fillColor": UNKNOWN},
    _OUTSIDE: {**_EDGE, **_DASHED, "fillColor": "#ffffff"},
}
_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def coverage_map(
    table: gpd.GeoDataFrame,
    *,
    column: str | None = None,
    within_km: float | None = None,
    minutes: float | None = None,
    scheme: str | Sequence[float] | None = None,
    k: int | None = None,
    basemap: Basemap = "online",
    height: str = "480px",
) -> PictureMap:
    """
    Show coverage on a map: areas or grid cells coloured by class.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        Polygons in any coordinate reference system with a numeric column, made by
        `ocm_geo.coverage` or `ocm_geo.density`, for example. If the table has ``column_low``
        and ``column_high``, a control on the map chooses between them; the classes are the same.
    column : str, optional
        Column that is shown; by default ``population_share``, ``area_share`` or ``nearest_km``.
    within_km, minutes : float, optional
        Distance or driving time that is shown; by default a control on the map chooses it.
    scheme : str or sequence of float, optional
        Classes, as ``breaks`` of `plot_coverage`: the name of a classifier of mapclassify, such
        as ``quantiles`` or ``fisher_jenks``, or the bounds between classes in units of the
        legend. By default shares have five classes of equal width and other values round
        bounds. A value on a bound belongs to the lower class.
    k : int, optional
        Number of classes of a classifier, 2 to 9; 5 by default. Alone it means equal intervals.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        As for `station_map`.
    height : str
        Height in CSS units.

    Returns
    -------
    ipyleaflet.Map
        The map, whose ``title`` can be set; ``to_png`` writes it as a picture. For coverage on
        another map, see `CoverageLayer`.

    Raises
    ------
    QueryError
        If the table or an argument is wrong.

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
    words = f"Map of {layer.column.replace('_', ' ')}"
    attend(shown, words, lambda: Face("", layer.list_classes(), credit_text(table)))
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
        The layer on the map.
    legend : ipyleaflet.WidgetControl
        Legend of the classes, with the value of the area under the mouse.
    choices : ipyleaflet.WidgetControl or None
        Controls for bounds, distances and groups; None if there is nothing to choose.
    classes : Classes
        The classes.

    Raises
    ------
    QueryError
        If the table or an argument is wrong.

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
        scheme: str | Sequence[float] | None = None,
        k: int | None = None,
    ) -> None:
        self._table = in_lonlat(table, "coverage table")
        self._shapes = _prepare_areas(self._table)
        self._outside = no_data_in(read_attrs(table), self._table.geometry.to_numpy()).whole
        self.column = _choose_column(self._table, column)
        self._steps = chosen_steps(self._table, within_km, minutes)
        self._unit = step_unit(self._table)
        names = {b: self.column + end for b, end in _BOUNDS.items()}
        self._columns = {b: name for b, name in names.items() if name in self._table}
        # Classes of all bounds, distances and groups together: they stay when a control changes.
        self.classes = choose_classes(self._table, self.column, scheme=scheme, k=k)
        if self._table[list(self._columns.values())].isna().all(axis=None):
            raise QueryError(f"column {self.column!r} has no value to draw: all are missing")
        self.layer = ipyleaflet.GeoJSON(data=collection([]), name=self.column)
        self.layer.on_hover(self._show_value)
        self._build_controls()
        # What is under the mouse is written apart: a legend that was folded stays folded.
        self._key, self._value = ipywidgets.HTML(), ipywidgets.HTML()
        box = ipywidgets.VBox([self._key, self._value])
        self.legend = ipyleaflet.WidgetControl(widget=box, position="bottomright")
        self.choices = self._build_choices()
        self.draw()

    def _build_controls(self) -> None:
        """Build the controls of bound, distance and group, also where there is one choice alone."""
        self._bound = ipywidgets.RadioButtons(
            options=list(self._columns), value="central", description="Value"
        )
        steps = [(f"{step:g} {self._unit}", step) for step in self._steps]
        self._within = ipywidgets.Dropdown(options=steps, description="Within")
        if steps:
            self._within.value = self._steps[len(steps) // 2]
        groups = list(dict.fromkeys(self._table["group"])) if "group" in self._table else []
        self._group = ipywidgets.Dropdown(
            options=[(str(group), group) for group in groups], description="Group"
        )
        if groups:
            # The last, as in the figure.
            self._group.value = groups[-1]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """``(west, south, east, north)`` of the areas, beyond 180 over the antimeridian."""
        west, south, east, north = (float(v) for v in shapely.total_bounds(self._shapes))
        return west, south, east, north

    def view(self, height_px: float = 480.0) -> View:
        """
        Return the view of a new map that shows the areas.

        Parameters
        ----------
        height_px : float
            Height of the map, pixels.

        Returns
        -------
        View
            View of all areas.
        """
        return View.around_shapes(self._shapes, height_px)

    def add_to(self, shown: ipyleaflet.Map) -> Self:
        """
        Add the layer to a map, without its legend and choices.

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
        """Draw the bound, the distance and the group that are chosen."""
        chosen = self._select_rows()
        rows, shapes, outside = self._table[chosen], self._shapes[chosen], self._outside[chosen]
        self._values = numbers(rows, self._columns[self._bound.value])
        self._names = _name_areas(rows)
        position = np.where(outside, _OUTSIDE, self.classes.position(self._values))
        self._position = position
        # One feature for each area has a value under the mouse, but many features are slow.
        singly = len(rows) <= _MAX_SINGLE
        make = _draw_singly if singly else _draw_by_class
        self.layer.data = collection(make(shapes, position, self.classes.colours))
        self._write_legend()
        self._write_value("Point at an area for its value." if singly else "")

    def _select_rows(self) -> NDArray[np.bool_]:
        """Return which rows belong to the distance and the group that are chosen."""
        chosen = np.ones(len(self._table), dtype=bool)
        if self._steps:
            steps = self._table[step_column(self._table)]
            chosen &= (steps == self._within.value).to_numpy(dtype=bool)
        if self._group.options:
            chosen &= (self._table["group"] == self._group.value).to_numpy(dtype=bool)
        return chosen

    def _build_choices(self) -> ipyleaflet.WidgetControl | None:
        """Put the controls that offer more than one choice into a corner of the map."""
        controls = (self._bound, self._within, self._group)
        shown = [control for control in controls if len(control.options) > 1]
        for control in shown:
            control.layout.width = "200px"
            control.observe(self.draw, names="value")
        box = ipywidgets.VBox(shown, layout=ipywidgets.Layout(padding="2px 8px"))
        return ipyleaflet.WidgetControl(widget=box, position="topright") if shown else None

    def _show_value(self, feature: dict[str, Any], **_: object) -> None:
        """Write the value of the area under the mouse."""
        row = feature["properties"].get("row")
        if row is None:
            return
        is_outside = self._position[row] == _OUTSIDE
        value = NO_DATA if is_outside else self.classes.write(float(self._values[row]))
        self._write_value(f"{html.escape(self._names[row])}: <b>{value}</b>")

    def _write_value(self, text: str) -> None:
        style = "padding:0 .6em .3em;max-width:20em;overflow-wrap:anywhere"
        self._value.value = f"<div role='status' style='{style}'>{text}</div>" if text else ""

    def list_classes(self) -> list[Row]:
        """
        Return the legend of what is drawn, in the words of the figure.

        Returns
        -------
        list of Row
            Heading and classes.
        """
        column = self._columns[self._bound.value]
        within = f"{self._within.value:g} {self._unit}" if self._steps else ""
        group = str(self._group.value) if len(self._group.options) > 1 else ""
        inside = self._position[self._position != _OUTSIDE]
        heading = f"{heading_of(column, within, group)}, {len(self._position):,} areas"
        rows = [
            Row("area", label, {"fillColor": colour})
            for colour, label in self.classes.explain(inside)
        ]
        if len(inside) < len(self._position):
            rows.append(Row("area", NO_DATA, {"fillColor": "#ffffff"}))
        return [Row("head", heading), *rows]

    def _write_legend(self) -> None:
        """Write the legend of what is drawn."""
        head, *rows = self.list_classes()
        text = f"<b>{html.escape(head.label)}</b>"
        self._key.value = folding(text, legend_html(rows), credit_of(self._table))


def _choose_column(table: gpd.GeoDataFrame, column: str | None) -> str:
    """Return the column that is drawn: the one asked for, or the one that the figure draws."""
    has = f"the table has {list(table.columns)}"
    if column is not None:
        if column not in table:
            raise QueryError(f"the table has no column {column!r}; {has}")
        return column
    first = (best_column(table), *_FIRST) if has_steps(table) else _FIRST
    known = [name for name in first if name in table and table[name].notna().any()]
    if not known:
        raise QueryError(f"column is required: none of {', '.join(_FIRST)} has a value; {has}")
    return known[0]


def _name_areas(rows: gpd.GeoDataFrame) -> list[str]:
    """Return the names of areas, or their labels in the index."""
    column = next((name for name in ("name", "title") if name in rows), None)
    return [str(v) for v in (rows.index if column is None else rows[column])]


def _prepare_areas(table: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Check areas, and bring them to one side of the antimeridian."""
    shapes = table.geometry.to_numpy()
    shapes = np.where(shapely.is_missing(shapes), shapely.Polygon(), shapes)
    areas = np.isin(shapely.get_type_id(shapes), _AREAS) | shapely.is_empty(shapes)
    if not areas.all():
        raise QueryError(
            f"coverage table: {(~areas).sum()} of {len(areas)} rows are not polygons (first: "
            f"{table.index[areas.argmin()]}): select the polygons"
        )
    if shapely.is_empty(shapes).all():
        raise QueryError("the coverage table must contain at least one polygon")
    turned = View.around_shapes(shapes).turned_shapes(shapes)
    # Five decimals are a metre, and half the size of the message.
    return np.asarray(shapely.transform(turned, lambda xy: np.round(xy, 5)))


def _draw_singly(
    shapes: NDArray[np.object_], position: NDArray[np.intp], colours: Sequence[str]
) -> list[dict[str, Any]]:
    """Return one feature for each area, so that the mouse finds its value."""
    return [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(shape),
            "properties": {"row": row, "style": _style_area(at, colours)},
        }
        for row, (shape, at) in enumerate(zip(shapes, position, strict=True))
        if shape is not None and not shape.is_empty
    ]


def _draw_by_class(
    shapes: NDArray[np.object_], position: NDArray[np.intp], colours: Sequence[str]
) -> list[dict[str, Any]]:
    """Return one feature for each class: very many cells would slow the browser down."""
    return [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(
                shapely.MultiPolygon(list(shapely.get_parts(shapes[position == at])))
            ),
            "properties": {"style": {**_style_area(at, colours), "weight": 0}},
        }
        for at in np.unique(position)
    ]


def _style_area(position: int, colours: Sequence[str]) -> dict[str, Any]:
    return _LOOKS[position] if position < 0 else {**_EDGE, "fillColor": colours[position]}
