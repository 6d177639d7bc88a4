"""Rows of bars below the strip of a route: gaps against a limit, sections of a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.outside import NO_DATA, split_by_data
from ocm_geo.plots.classes import HATCH, NO_DATA_LOOK
from ocm_geo.plots.room import box_inches
from ocm_geo.plots.style import GAP, GREY, INK, UNKNOWN, plain, require
from ocm_geo.plots.text import small_size

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

    from ocm_geo.geodesy import Line
    from ocm_geo.standards import Verdict

__all__ = ["Rows", "draw_rows", "rows_of_gaps", "rows_of_verdict"]

_SHORT = "#dfe5e9"
_STEP, _BAR = 0.4, 0.28
_WORDS = {"forward": "forward →", "reverse": "← reverse", "both": "both ways"}


@dataclass(frozen=True)
class Rows:
    """
    A row of bars.

    Parameters
    ----------
    name : str
        What stands at its left.
    table : geopandas.GeoDataFrame
        ``start_km``, ``length_km``, ``status`` (``passes``, ``fails`` or ``end``), geometry.
    words : dict
        A status in words, for the legend.
    fact : str
        What the caption says of it.
    """

    name: str
    table: gpd.GeoDataFrame
    words: dict[str, str]
    fact: str

    def over(self) -> gpd.GeoDataFrame:
        """Give the stretches that are too long."""
        return self.table[self.table["status"] == "fails"]


def rows_of_gaps(
    gaps: gpd.GeoDataFrame, limit_km: float | None, line: Line, facts: dict[str, Any]
) -> list[Rows]:
    """
    Make a row for each group of gaps.

    Parameters
    ----------
    gaps : geopandas.GeoDataFrame
        As `ocm_geo.route_gaps` gives it.
    limit_km : float, optional
        Longer ones are marked.
    line : Line
        The route: gaps are split where the data end, and what is left counts.
    facts : dict
        Provenance that says where they end.

    Returns
    -------
    list of Rows
        In the order of the table.

    Raises
    ------
    QueryError
        If it is no table of gaps.
    """
    require(gaps, "start_km", "length_km", made_by="ocm_geo.route_gaps")
    if limit_km is None:
        words = {"passes": "gap between stations"}
    else:
        limit = f"{round(limit_km, 1):g} km"
        words = {"passes": f"gap up to {limit}", "fails": f"gap over {limit}"}
    pieces = split_by_data(gaps.assign(status="passes"), line, facts)
    over = pieces["length_km"] > (np.inf if limit_km is None else limit_km)
    over &= pieces["status"] != NO_DATA
    marked = pieces.assign(status=pieces["status"].mask(over, "fails"))
    named = marked if "group" in marked else marked.assign(group="gaps")
    return [
        Rows(plain(str(group)), rows, words, "")
        for group, rows in named.groupby("group", sort=False)
    ]


def rows_of_verdict(verdict: Verdict, line: Line, facts: dict[str, Any]) -> list[Rows]:
    """
    Make a row for each direction of a verdict.

    Parameters
    ----------
    verdict : Verdict
        Of `ocm_geo.assess_route`.
    line : Line
        The route: sections are split where the data end.
    facts : dict
        Provenance that says where they end.

    Returns
    -------
    list of Rows
        The first tells the share that passes.

    Raises
    ------
    QueryError
        If it is not the verdict on a route.
    """
    segments = verdict.segments
    if "start_km" not in segments:
        raise QueryError(
            "standard must be a verdict of assess_route: one on a network or an area has no "
            "kilometres"
        )
    segments = split_by_data(segments, line, facts)
    km = f"{round(verdict.rule.spacing_km or 0.0, 1):g} km"
    words = {
        "passes": f"at most {km} between pools",
        "fails": f"over {km} between pools",
        "end": "before the first or after the last pool",
    }
    fact = f"{verdict.rule.id}: {verdict.headline}"
    return [
        Rows(_WORDS.get(str(direction), str(direction)), rows, words, fact if not rank else "")
        for rank, (direction, rows) in enumerate(segments.groupby("direction", sort=False))
    ]


def draw_rows(ax: Axes, rows: list[Rows], top: float, length_km: float) -> list[Patch]:
    """
    Draw rows of bars below the strip; what is too long is filled, and named where it fits.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With the strip.
    rows : list of Rows
        From above to below.
    top : float
        Lower end of the strip.
    length_km : float
        Of the route.

    Returns
    -------
    list of matplotlib.patches.Patch
        For the legend.
    """
    from matplotlib.patches import Patch  # noqa: PLC0415 - loaded when needed

    ticks, labels = list(ax.get_yticks()), [t.get_text() for t in ax.get_yticklabels()]
    low = top
    handles: dict[str, Patch] = {}
    for row in rows:
        low -= _STEP
        for status, words in {**row.words, NO_DATA: NO_DATA}.items():
            inside = row.table[row.table["status"] == status]
            look = _looks(status)
            if len(inside):
                bars = list(zip(inside["start_km"], inside["length_km"], strict=True))
                ax.broken_barh(bars, (low, _BAR), lw=0.5, **look)
                if status != NO_DATA:
                    handles[words] = Patch(label=f"{words} ({len(inside):,})", lw=0.5, **look)
        _name_longest(ax, row.table, low + _BAR / 2, length_km)
        ticks.append(low + _BAR / 2)
        labels.append(row.name)
    ax.set_ylim(low - 0.08, -top)
    ax.set_yticks(ticks, labels)
    return list(handles.values())


def _looks(status: str) -> dict[str, Any]:
    return {
        "passes": {"facecolor": _SHORT, "edgecolor": GREY},
        "fails": {"facecolor": GAP, "edgecolor": "white"},
        "end": {"facecolor": UNKNOWN, "edgecolor": GREY, "hatch": HATCH},
        NO_DATA: NO_DATA_LOOK,
    }[status]


def _name_longest(ax: Axes, table: pd.DataFrame, y: float, length_km: float) -> None:
    """Write the length on what is too long, and on the longest, where there is room."""
    size = small_size(ax)
    between = table[~table["status"].isin(["end", NO_DATA])]
    if between.empty:
        return
    longest = between["length_km"].idxmax()
    room_km = length_km / (box_inches(ax)[0] * 72) * 6 * 0.6 * size
    for index, row in between.iterrows():
        is_over = row["status"] == "fails"
        if index == longest or (is_over and row["length_km"] > room_km):
            ax.annotate(
                f"{row['length_km']:.0f} km",
                (row["start_km"] + row["length_km"] / 2, y),
                ha="center",
                va="center",
                fontsize=size,
                color="white" if is_over else INK,
            )
