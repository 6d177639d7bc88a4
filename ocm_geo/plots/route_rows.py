"""Rows of bars below the strip of a route: gaps and a limit, or the sections of a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.outside import NO_DATA, split_by_data
from ocm_geo.plots.classes import HATCH, NO_DATA_LOOK
from ocm_geo.plots.room import box_inches
from ocm_geo.plots.style import GAP, GREY, INK, SHORT, UNKNOWN, plain, require
from ocm_geo.plots.text import small_size

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

    from ocm_geo.geodesy import Line
    from ocm_geo.standards import Verdict

__all__ = [
    "Rows",
    "draw_rows",
    "name_gaps",
    "name_sections",
    "rows_of_gaps",
    "rows_of_verdict",
]

_STEP, _BAR = 0.4, 0.28
_LOOKS: dict[str, dict[str, Any]] = {
    "passes": {"facecolor": SHORT, "edgecolor": GREY},
    "fails": {"facecolor": GAP, "edgecolor": "white"},
    "end": {"facecolor": UNKNOWN, "edgecolor": GREY, "hatch": HATCH},
    NO_DATA: NO_DATA_LOOK,
}
_DIRECTIONS = {"forward": "forward →", "reverse": "← reverse", "both": "both ways"}


@dataclass(frozen=True)
class Rows:
    """
    A row of bars.

    Parameters
    ----------
    name : str
        Label at its left.
    table : geopandas.GeoDataFrame
        ``start_km``, ``length_km``, ``status`` (``passes``, ``fails`` or ``end``), geometry.
    words : dict
        The labels of statuses in the legend.
    fact : str
        Its part of the caption.
    """

    name: str
    table: gpd.GeoDataFrame
    words: dict[str, str]
    fact: str

    def over(self) -> gpd.GeoDataFrame:
        """Return the gaps or sections over the limit."""
        return self.table[self.table["status"] == "fails"]


def name_gaps(limit_km: float | None) -> dict[str, str]:
    """
    Return the labels of gaps by their status, for figures and maps alike.

    Parameters
    ----------
    limit_km : float, optional
        Longer gaps have the status ``fails``.

    Returns
    -------
    dict
        Label of each status.
    """
    if limit_km is None:
        return {"passes": "gap between stations"}
    limit = f"{round(limit_km, 1):g} km"
    return {"passes": f"gap up to {limit}", "fails": f"gap over {limit}"}


def name_sections(verdict: Verdict) -> dict[str, str]:
    """
    Return the labels of a verdict's sections by their status, for figures and maps alike.

    Parameters
    ----------
    verdict : Verdict
        Made by `ocm_geo.assess_route`.

    Returns
    -------
    dict
        Label of each status.
    """
    km = f"{round(verdict.rule.spacing_km or 0.0, 1):g} km"
    return {
        "passes": f"up to {km} between pools",
        "fails": f"over {km} between pools",
        "end": "before the first or after the last pool",
    }


def rows_of_gaps(
    gaps: gpd.GeoDataFrame, limit_km: float | None, line: Line, facts: dict[str, Any]
) -> list[Rows]:
    """
    Build a row for each group of gaps.

    Parameters
    ----------
    gaps : geopandas.GeoDataFrame
        Made by `ocm_geo.route_gaps`.
    limit_km : float, optional
        Longer gaps are marked, km.
    line : Line
        The route: gaps are split where the data end, and the part inside the data counts.
    facts : dict
        Provenance that records what lies outside the data.

    Returns
    -------
    list of Rows
        Rows in the order of the table.

    Raises
    ------
    QueryError
        If the table is not one of gaps.
    """
    require(gaps, "start_km", "length_km", made_by="ocm_geo.route_gaps")
    words = name_gaps(limit_km)
    pieces = split_by_data(gaps.assign(status="passes"), line, facts)
    # Gaps are compared with the limit after they were split: only what the data cover counts.
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
    Build a row for each direction of a verdict.

    Parameters
    ----------
    verdict : Verdict
        Made by `ocm_geo.assess_route`.
    line : Line
        The route: sections are split where the data end.
    facts : dict
        Provenance that records what lies outside the data.

    Returns
    -------
    list of Rows
        Rows; the fact of the first is the share that passes.

    Raises
    ------
    QueryError
        If the verdict is not on a route.
    """
    segments = verdict.segments
    if "start_km" not in segments:
        raise QueryError(
            "standard must be a verdict of assess_route: one on a network or an area has no "
            "kilometres"
        )
    segments = split_by_data(segments, line, facts)
    words = name_sections(verdict)
    fact = f"{verdict.rule.id}: {verdict.headline}"
    return [
        Rows(_DIRECTIONS.get(str(direction), str(direction)), rows, words, fact if not rank else "")
        for rank, (direction, rows) in enumerate(segments.groupby("direction", sort=False))
    ]


def draw_rows(ax: Axes, rows: list[Rows], top: float, length_km: float) -> list[Patch]:
    """
    Draw rows of bars below the strip, and label those over the limit if there is room.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes of the strip.
    rows : list of Rows
        Rows from top to bottom.
    top : float
        Lower end of the strip.
    length_km : float
        Length of the route.

    Returns
    -------
    list of matplotlib.patches.Patch
        Handles for the legend, with the number of gaps or sections in all rows.
    """
    from matplotlib.patches import Patch  # noqa: PLC0415 - loaded when needed

    ticks, labels = list(ax.get_yticks()), [t.get_text() for t in ax.get_yticklabels()]
    low = top
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        low -= _STEP
        for status, words in {**row.words, NO_DATA: NO_DATA}.items():
            inside = row.table[row.table["status"] == status]
            if len(inside):
                bars = list(zip(inside["start_km"], inside["length_km"], strict=True))
                ax.broken_barh(bars, (low, _BAR), lw=0.5, **_LOOKS[status])
                counts[status, words] = counts.get((status, words), 0) + len(inside)
        _label_long_bars(ax, row.table, low + _BAR / 2, length_km)
        ticks.append(low + _BAR / 2)
        labels.append(row.name)
    ax.set_ylim(low - 0.08, -top)
    ax.set_yticks(ticks, labels)
    return [
        Patch(label=f"{words} ({n:,})", lw=0.5, **_LOOKS[status])
        for (status, words), n in counts.items()
        if status != NO_DATA
    ]


def _label_long_bars(ax: Axes, table: pd.DataFrame, y: float, length_km: float) -> None:
    """Write the length on the longest bar, and on bars over the limit with room for it."""
    size = small_size(ax)
    between = table[~table["status"].isin(["end", NO_DATA])]
    if between.empty:
        return
    longest = between["length_km"].idxmax()
    # The length of the route that six characters take on the axis.
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
