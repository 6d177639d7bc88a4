"""A map with a slider through time: by the date of a column, or by snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets
import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.plots.style import counted, require
from ocm_geo.widgets.parts import slider
from ocm_geo.widgets.pictured import Pictured
from ocm_geo.widgets.stations import station_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from PIL import Image

    from ocm_geo.widgets.ground import Basemap
    from ocm_geo.widgets.picture import Face
    from ocm_geo.widgets.pictured import PictureMap
    from ocm_geo.widgets.station_layer import StationLayer

__all__ = ["TimeMap", "time_map"]

_MOST_STEPS = 120


def time_map(
    stations: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame],
    *,
    date: str = "date_created",
    every: str = "YE",
    basemap: Basemap = "online",
    height: str = "480px",
    many: str = "groups",
) -> TimeMap:
    """
    Show stations through time: a slider under the map chooses the date or the snapshot.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame or mapping
        A station table, of which the map shows the stations up to the date; or tables by label,
        in order, such as the stations of each snapshot of a mirror.
    date : str
        Column with the date from which a station counts. Stations without one are left out, and
        the label counts them.
    every : str
        Step of the dates, in the terms of pandas: ``YE``, ``QE`` or ``ME``, ends of years,
        quarters or months.
    basemap : {"online", "offline", "none"} or xyzservices.TileProvider
        As for `station_map`.
    height : str
        Height of the map in CSS units.
    many : {"groups", "points"}
        As for `station_map`.

    Returns
    -------
    TimeMap
        A widget with the attributes ``map``, ``slider`` and ``layer``; ``to_png`` writes the step
        that is shown.

    Raises
    ------
    QueryError
        If a table is not a station table, there is no date, or there are more than 120 steps.
    MissingDependency
        If anywidget is not installed: ``pip install 'ocm_geo[maps]'``.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> shown = ocm.time_map(ocm.stations(source=ocm.sample()), basemap="offline")
    >>> shown.slider.index = 0
    >>> first = len(shown.layer.stations)
    >>> shown.slider.index = len(shown.labels) - 1
    >>> first < len(shown.layer.stations)
    True
    """
    steps = _list_steps(stations, date, every)
    # The view is that of the last step.
    last = steps[next(reversed(steps))]
    shown = station_map(last, basemap=basemap, height=height, many=many)
    return TimeMap(shown, steps)


class TimeMap(Pictured, ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """
    A map of stations with a slider; made by `time_map`.

    Parameters
    ----------
    shown : PictureMap
        The map of the last step.
    steps : dict
        Tables by label, in order.

    Attributes
    ----------
    map : ipyleaflet.Map
        The map.
    slider : anywidget.AnyWidget
        The slider, whose ``index`` is the step that is shown.
    layer : StationLayer
        The stations of the step.
    labels : list of str
        The steps.
    """

    def __init__(self, shown: PictureMap, steps: dict[str, gpd.GeoDataFrame]) -> None:
        self.map: PictureMap = shown
        self.labels, self._tables = list(steps), list(steps.values())
        self.layer: StationLayer = shown.stations
        texts = [f"{label}: {counted(len(table), 'station')}" for label, table in steps.items()]
        self.slider = slider("Time", texts, index=len(texts) - 1)
        self.slider.observe(self._show_step, names="index")
        super().__init__([shown, self.slider])
        self._show_step()

    def _show_step(self, _: object = None) -> None:
        """Show the stations of the step that the slider chose."""
        self.layer.close_popup()
        self.layer.set_stations(self._tables[self.slider.index])
        self.map.title = self.labels[self.slider.index]
        self.map.tell()

    def describe_face(self) -> Face:
        """Return the title, legend and credit of the map."""  # numpydoc ignore=RT01
        return self.map.describe_face()

    def set_mark(self, mark: str) -> None:
        """Pass on the mark of the picture."""  # numpydoc ignore=PR01
        self.map.set_mark(mark)

    def draw_picture(self, scale: float) -> Image.Image:
        """Draw the map of the step."""  # numpydoc ignore=PR01,RT01
        return self.map.draw_picture(scale)


def _list_steps(
    stations: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame], date: str, every: str
) -> dict[str, gpd.GeoDataFrame]:
    """Return the table of each step by its label."""
    if isinstance(stations, pd.DataFrame):
        return _list_dates(stations, date, every)
    tables = dict(stations) if hasattr(stations, "keys") else {}
    if not tables:
        raise QueryError(
            f"stations must be a station table or tables by label, not {short_form(stations)}"
        )
    return {str(label): table for label, table in tables.items()}


def _list_dates(stations: gpd.GeoDataFrame, date: str, every: str) -> dict[str, gpd.GeoDataFrame]:
    """Return the stations up to each date."""
    require(stations, date, made_by="ocm_geo.stations")
    dates = stations[date]
    if not pd.api.types.is_datetime64_any_dtype(dates) or dates.isna().all():
        raise QueryError(f"date={date!r}: the column must contain dates, not {dates.dtype}")
    try:
        ends = pd.date_range(dates.min().normalize(), dates.max(), freq=every)
    except ValueError:
        raise QueryError(
            f"every must be a step of pandas such as 'YE' or 'ME', not {every!r}"
        ) from None
    # The last step contains the newest station.
    ends = pd.DatetimeIndex([*ends, dates.max().ceil("D")])
    if len(ends) > _MOST_STEPS:
        raise QueryError(f"{len(ends)} steps; at most {_MOST_STEPS} can be shown: widen every")
    return {f"{end:%Y-%m-%d}": stations[dates < end + pd.Timedelta(days=1)] for end in ends}
