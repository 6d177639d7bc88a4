"""A route as a strip with stations by power and side and gaps, and as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.checks import check_km
from ocm_geo.errors import QueryError
from ocm_geo.frames import in_lonlat
from ocm_geo.geodesy import Line, as_line
from ocm_geo.outside import NO_DATA, stretches_without
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, tune
from ocm_geo.plots.classes import NO_DATA_LOOK
from ocm_geo.plots.extent import Extent
from ocm_geo.plots.maps import fill_map, new_map_and_chart
from ocm_geo.plots.route_map import draw_route_map
from ocm_geo.plots.route_rows import Rows, draw_rows, rows_of_gaps, rows_of_verdict
from ocm_geo.plots.style import (
    INK,
    MANY,
    POWER_CLASSES,
    UNKNOWN,
    UNKNOWN_EDGE,
    UNKNOWN_POWER,
    counted,
    power_class,
    require,
)
from ocm_geo.plots.text import text_size
from ocm_geo.provenance import NOT_RECORDED, choose_within_km, credit_line, read_attrs
from ocm_geo.standards import Rule, Verdict
from ocm_geo.standards.catalogue import rule_of

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import shapely
    from matplotlib.axes import Axes

__all__ = ["plot_route"]

_HEIGHTS = (0.35, 0.5, 0.75, 1.0)
_TOP = 1.2


def plot_route(
    route: shapely.LineString | gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    *,
    within_km: float | None = None,
    gaps: gpd.GeoDataFrame | None = None,
    limit_km: float | None = None,
    standard: Verdict | Rule | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Plot the stations along a route by kilometre, and the gaps between them.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route.
    stations : geopandas.GeoDataFrame
        Made by `ocm_geo.stations_from_route`, with ``along_km`` and ``side``.
    within_km : float, optional
        Half width of the corridor on the map, km. By default the distance within which the
        stations were fetched or located, else that of the gaps, else 5 km.
    gaps : geopandas.GeoDataFrame, optional
        Made by `ocm_geo.route_gaps`; with a column ``group``, each group has a row of its own.
    limit_km : float, optional
        Longer gaps are marked, km; the standard's spacing by default.
    standard : Verdict, Rule or str, optional
        A verdict of `ocm_geo.assess_route`: its sections become a row for each direction, and
        the caption contains the share that passes. A rule, or its id, only sets the limit.
    ax : matplotlib.axes.Axes, optional
        Axes to draw the strip on, without a map; by default a new figure with both.

    Returns
    -------
    matplotlib.axes.Axes
        Axes of the strip: stations on the left of the route point up, those on the right down,
        the higher the power the longer. A new figure has a map above the strip, or beside it if
        the route runs from north to south.

    Raises
    ------
    QueryError
        If the stations lack ``along_km``, or an argument is wrong.
    RouteError
        If the geometry is not a route.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> route = ocm.sample_route()
    >>> along = ocm.stations_from_route(route, 3, source=ocm.sample(), min_power_kw=50)
    >>> gaps = ocm.route_gaps(route, along, within_km=3)
    >>> ocm.plot_route(route, along, gaps=gaps, limit_km=60).get_xlabel()
    'kilometres from the start of the route'
    """
    require(stations, "along_km", "side", "max_power_kw", made_by="ocm_geo.stations_from_route")
    points = in_lonlat(stations, "stations")
    width = choose_within_km(within_km, *(t for t in (stations, gaps) if t is not None))
    line = Line(as_line(route))
    facts = _read_outside(stations, gaps, standard)
    rows = _build_rows(gaps, limit_km, standard, (line, facts))
    above = None
    if ax is None:
        above, ax = _add_route_axes(line, len(rows))
    ax = new_axes(ax)
    _draw_strip(ax, line, stations)
    _draw_no_data_strip(ax, stretches_without(facts, line))
    handles = [*ax.get_legend_handles_labels()[0], *draw_rows(ax, rows, -_TOP, line.length_km)]
    tune(ax, "kilometres from the start of the route", "", grid="x")
    ax.spines[["left"]].set_visible(False)
    legend_below(ax, handles=handles)
    # A station that the route passes twice counts once.
    number = counted(stations.index.nunique(), "station")
    within = f"{number} within {width:g} km of {line.length_km:,.0f} km"
    said = [within, *(row.fact for row in rows), *_list_credits(stations, gaps, standard)]
    add_caption(ax, stations, *said)
    # The map is drawn last, when the strip with its legend has settled the room of both.
    if above is not None:
        drawn = draw_route_map(above, line, points, within_km=width, rows=rows, facts=facts)
        fill_map(above, drawn)
    return ax


def _read_outside(
    stations: pd.DataFrame, gaps: pd.DataFrame | None, standard: Verdict | Rule | str | None
) -> dict[str, Any]:
    """Return the provenance of the table that records what lies outside the data."""
    verdict = standard.segments if isinstance(standard, Verdict) else None
    tables = [table for table in (gaps, verdict, stations) if table is not None]
    found = [facts for facts in map(read_attrs, tables) if "outside" in facts]
    return found[0] if found else {}


def _draw_no_data_strip(ax: Axes, stretches: list[tuple[float, float]]) -> None:
    """Hatch the stretches outside the data, on both sides of the route."""
    if stretches:
        bars = [(a, b - a) for a, b in stretches]
        look = {**NO_DATA_LOOK, "zorder": 1, "lw": 0.4, "label": NO_DATA}
        ax.broken_barh(bars, (-_TOP, 2 * _TOP), **look)


def _list_credits(
    stations: pd.DataFrame, gaps: pd.DataFrame | None, standard: Verdict | Rule | str | None
) -> list[str]:
    """Return the credits of gaps and verdict made from stations of another source."""
    verdict = standard.segments if isinstance(standard, Verdict) else None
    own = credit_line(stations)
    lines = [credit_line(table) for table in (gaps, verdict) if table is not None]
    return [line for line in dict.fromkeys(lines) if line not in (own, NOT_RECORDED)]


def _build_rows(
    gaps: gpd.GeoDataFrame | None,
    limit_km: float | None,
    standard: Verdict | Rule | str | None,
    road: tuple[Line, dict[str, Any]],
) -> list[Rows]:
    """Return the rows below the strip, with gaps marked by the limit of the user or the rule."""
    limit = None if limit_km is None else check_km(limit_km, "limit_km")
    # The user's own limit overrides the spacing of the rule.
    if limit is None and standard is not None:
        rule = standard.rule if isinstance(standard, Verdict) else rule_of(standard)
        limit = rule.spacing_km
        if limit is None:
            raise QueryError(f"{rule.id} does not set a spacing: pass limit_km")
    rows = [] if gaps is None else rows_of_gaps(gaps, limit, *road)
    return rows + (rows_of_verdict(standard, *road) if isinstance(standard, Verdict) else [])


def _add_route_axes(line: Line, n_rows: int) -> tuple[Axes, Axes]:
    """Add the axes of the map and of the strip below or beside it."""
    strip, ratio = 2.6 + 0.3 * n_rows, Extent.around(*line.coords.T).ratio
    return new_map_and_chart(
        ratio, ((10, max(strip, 5.5)), [1, 1.9]), ((9, 4.6 + strip), [4.6, strip])
    )


def _draw_strip(ax: Axes, line: Line, stations: pd.DataFrame) -> None:
    """Draw the stations by kilometre, side and power on the line of the route."""
    classes = power_class(stations["max_power_kw"])
    along = stations["along_km"].to_numpy(dtype=float, na_value=np.nan)
    is_right = (stations["side"] == "right").to_numpy(dtype=bool, na_value=False)
    # Stations exactly on the route are drawn with those on the left.
    upward = np.where(is_right, -1.0, 1.0)
    ax.axhline(0, color=INK, lw=1.4, zorder=4)
    size = float(np.clip(3.2 * text_size(ax), 12, 28))
    many = len(stations) > MANY
    looks: list[tuple[int, str, str, float, dict[str, Any]]] = [
        (-1, UNKNOWN_POWER, UNKNOWN_EDGE, 0.2, {"facecolors": UNKNOWN})
    ]
    looks += [
        (rank, label, colour, _HEIGHTS[rank], {"facecolors": colour})
        for rank, (_, label, colour) in enumerate(POWER_CLASSES)
    ]
    for rank, label, colour, height, face in looks:
        inside = classes == rank
        if inside.any():
            tip = upward[inside] * height
            ax.vlines(along[inside], 0, tip, color=colour, lw=0.9, zorder=3, rasterized=many)
            ax.scatter(
                along[inside], tip, s=size, edgecolors=colour, zorder=5, rasterized=many,
                label=f"{label} ({inside.sum():,})", **face,
            )  # fmt: skip
    ax.set_xlim(-0.012 * line.length_km, 1.012 * line.length_km)
    ax.set_ylim(-_TOP, _TOP)
    ax.set_yticks([-0.6, 0.6], ["right", "left"])
    ax.tick_params(axis="y", length=0)
