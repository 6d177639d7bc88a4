"""The quality of a station table: the share of stations with each fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, tune
from ocm_geo.plots.style import GREY, INK, counted, plain
from ocm_geo.plots.text import shortened, small_size
from ocm_geo.quality import QualityReport

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_quality"]

_COLOURS = {"error": "#b2182b", "warning": "#ef8a62", "note": "#b0b0b0"}
_MOST = 12
_DARK = 55.0
"""Above this share the colour of a cell is dark: its number is white."""


def plot_quality(report: QualityReport, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """
    Plot the quality of a station table: the share of stations with each fault.

    Parameters
    ----------
    report : QualityReport
        From `quality_report`.
    by : {"country", "operator", "provider"}, optional
        One row for each group, the twelve largest, and one column for each fault that any station
        has. By default one bar for each fault.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Axes with bars in the colour of their severity and the number of stations at their end, or
        with a grid of shares. Checks that could not be made are named in the caption.

    Raises
    ------
    QueryError
        If it is not a report, or has no stations.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> ocm.plot_quality(ocm.quality_report(stations)).get_xlabel()
    'share of stations, %'
    """
    if not isinstance(report, QualityReport):
        raise QueryError(
            f"report must come from quality_report(stations), not {short_form(report)}"
        )
    if report.faults.empty:
        raise QueryError("the report has no stations to draw")
    ax = _draw_faults(report.table, ax) if by is None else _draw_fault_groups(report.by(by), ax)
    absent = report.faults.columns[report.faults.isna().all()]
    lacking = f"not checked: {', '.join(map(_name_fault, absent))}" if len(absent) else ""
    add_caption(ax, report.faults, counted(len(report.faults), "station"), lacking)
    return ax


def _name_fault(fault: object) -> str:
    return str(fault).replace("_", " ")


def _draw_faults(table: pd.DataFrame, ax: Axes | None) -> Axes:
    """Draw one bar for each fault that was checked, in the order of the definitions."""
    known = table.dropna(subset="share")
    ax = new_axes(ax, 7.0, 1.6 + 0.24 * len(known))
    rows, shares = np.arange(len(known)), 100 * known["share"].to_numpy(dtype=float)
    ax.set(xlim=(0, 112), ylim=(len(known) - 0.4, -0.6))
    tune(ax, "share of stations, %", "", grid="x")
    ax.set_xticks(range(0, 101, 20))
    for severity, colour in _COLOURS.items():
        of_kind = (known["severity"] == severity).to_numpy(dtype=bool)
        if of_kind.any():
            ax.barh(rows[of_kind], shares[of_kind], height=0.72, color=colour, label=severity)
    for row, (share, n) in enumerate(zip(shares, known["n_stations"], strict=True)):
        ax.annotate(
            f"{n:,}", (share, row), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=small_size(ax), color=INK if n else GREY,
        )  # fmt: skip
    ax.set_yticks(rows, [_name_fault(fault) for fault in known.index])
    ax.tick_params(axis="y", length=0)
    ax.spines[["left"]].set_visible(False)
    legend_below(ax, "Severity")
    return ax


def _draw_fault_groups(table: pd.DataFrame, ax: Axes | None) -> Axes:
    """Draw the shares of the largest groups as a grid."""
    sizes = table["n_stations"].iloc[:_MOST]
    shares = 100 * table.drop(columns="n_stations").iloc[:_MOST].astype("Float64")
    shares = shares.loc[:, shares.fillna(0).max() > 0]
    if shares.empty:
        raise QueryError("no station of the largest groups has a fault: there is nothing to draw")
    ax = new_axes(ax, 3.0 + 0.42 * shares.shape[1], 2.6 + 0.3 * len(shares))
    values = shares.to_numpy(dtype=float, na_value=np.nan)
    tune(ax, "", "", grid="")
    ax.grid(visible=False)
    ax.imshow(values, cmap="Oranges", vmin=0, vmax=100, aspect="auto")
    for (row, column), share in np.ndenumerate(values):
        ax.annotate(
            f"{share:.0f}", (column, row), ha="center", va="center", fontsize=small_size(ax),
            color="white" if share > _DARK else INK,
        )  # fmt: skip
    names = [f"{plain(str(name))} ({n:,})" for name, n in sizes.items()]
    ax.set_yticks(range(len(names)), shortened(ax, names))
    columns = [_name_fault(fault) for fault in shares]
    ax.set_xticks(range(len(columns)), columns, rotation=60, ha="left", rotation_mode="anchor")
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("share of the stations of the row, %")
    return ax
