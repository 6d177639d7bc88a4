"""Values with their bounds: low, as recorded, high."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, tune
from ocm_geo.plots.style import BOUNDS, GREY, INK, SERIES, counted, numbers, plain, require
from ocm_geo.plots.text import shortened, small_size, text_size
from ocm_geo.plots.words import WAYS, described, labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["plot_bounds"]

_MOST = 40
_TOLERANCE = 1e-9


def plot_bounds(
    table: pd.DataFrame,
    column: str,
    *,
    labels: str | Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Plot values with their bounds: without any, and with every uncertain station.

    Parameters
    ----------
    table : pandas.DataFrame
        Table with ``column``, ``column_low`` and ``column_high``: made by `ocm_geo.coverage`,
        `ocm_geo.nearest_stations` and others with ``bounds=True``, or the ``readings`` of a
        verdict. Each row becomes a bar, in the order of the table; at most 40.
    column : str
        Column of the value as recorded, such as ``area_share`` or ``share``. Shares (0 to 1)
        are drawn in percent. The low bound of a distance is the longer one: without the
        uncertain stations the nearest station is farther.
    labels : str or sequence of str, optional
        Column that names the rows, or several columns; the index by default.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Axes with a bar from low to high and a dot for the value; a row without a value is
        labelled as such.

    Raises
    ------
    QueryError
        If a column is missing or not numeric, low is above high (for distances below), or
        there are no or too many rows.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> route = ocm.sample_route()
    >>> stations = ocm.stations_from_route(route, 3, source=ocm.sample())
    >>> verdict = ocm.assess_route(route, stations, "afir-ldv-core-2025")
    >>> ocm.plot_bounds(verdict.readings, "share", labels="pools_serve").get_xlabel()
    'share, %'
    """
    made_by = "a function of ocm_geo with bounds=True"
    low, value, high = (numbers(table, name, made_by=made_by) for name in _name_columns(column))
    if not 0 < len(table) <= _MOST:
        raise QueryError(f"the table has {len(table)} rows; 1 to {_MOST} can be drawn")
    falls = column.startswith(WAYS)
    _check_order(column, *((high, low) if falls else (low, high)))
    names = _name_rows(table, labels)
    scale = 100.0 if described(column)[1] == "%" else 1.0
    ax = new_axes(ax, 6.5, 1.7 + 0.28 * len(table))
    names = shortened(ax, names)
    rows = np.arange(len(table))
    size = text_size(ax)
    words = "high to low" if falls else "low to high"
    look = {"color": SERIES[0], "alpha": 0.45, "lw": size - 1, "label": words}
    ax.hlines(rows, scale * np.fmin(low, high), scale * np.fmax(low, high), **look)  # type: ignore[arg-type]
    # Without the uncertain stations no station is found: the bar has no end to draw.
    open_ended = falls & np.isnan(low) & ~np.isnan(high)
    ax.plot(scale * value, rows, "o", color=INK, ms=0.45 * size, label="as recorded", zorder=4)
    _label_missing(ax, value, "none found" if falls else "not known")
    # Before open bars are drawn, because they end at the edge of the axis.
    _set_limits(ax, scale * np.concatenate([low, value, high]), is_share=scale != 1.0)
    if open_ended.any():
        _draw_open_bars(ax, rows[open_ended], scale * high[open_ended], size)
    tune(ax, labelled(column), "", grid="x")
    ax.set_yticks(rows, names)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines[["left"]].set_visible(False)
    legend_below(ax)
    add_caption(ax, table, counted(len(table), "row"), BOUNDS)
    _thin_names(ax, names)
    return ax


def _thin_names(ax: Axes, names: list[str]) -> None:
    """Label every second or third row if there is no room for all labels."""
    room = ax.get_window_extent().height / ax.figure.dpi * 72 / len(names)
    step = int(np.ceil(text_size(ax) / room))
    ax.set_yticks(range(0, len(names), step), names[::step])


def _check_order(column: str, least: NDArray[np.float64], most: NDArray[np.float64]) -> None:
    """Check that the bounds are in order in every row."""
    if wrong := int((least > most + _TOLERANCE).sum()):
        above = "below" if column.startswith(WAYS) else "above"
        raise QueryError(f"{column}_low is {above} {column}_high in {wrong} rows")


def _draw_open_bars(
    ax: Axes, rows: NDArray[np.intp], start: NDArray[np.float64], size: float
) -> None:
    """Draw bars without an end: without the uncertain stations no station is found."""
    look = {"color": SERIES[0], "lw": 0.3 * size, "ls": ":", "label": "low: none found"}
    ax.hlines(rows, start, ax.get_xlim()[1], **look)  # type: ignore[arg-type]


def _name_columns(column: str) -> tuple[str, str, str]:
    return f"{column}_low", column, f"{column}_high"


def _name_rows(table: pd.DataFrame, labels: str | Sequence[str] | None) -> list[str]:
    """Return the names of the rows from the index, or from one or several columns."""
    if labels is None:
        parts = [table.index.to_series().astype(str)]
    else:
        columns = [labels] if isinstance(labels, str) else list(labels)
        require(table, *columns)
        parts = [table[name].astype("string").fillna("not known") for name in columns]
    whole = [", ".join(str(part) for part in row) for row in zip(*parts, strict=True)]
    return [plain(name) for name in whole]


def _label_missing(ax: Axes, value: NDArray[np.float64], words: str) -> None:
    """Label the rows without a value."""
    for row in np.flatnonzero(np.isnan(value)):
        ax.annotate(
            words,
            (0.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=small_size(ax),
            color=GREY,
        )


def _set_limits(ax: Axes, drawn: NDArray[np.float64], *, is_share: bool) -> None:
    """Set the limits of the axis of values: all of 0 to 100 % for shares, else 0 and all values."""
    if is_share:
        ax.set_xlim(-1.5, 101.5)
    elif np.isfinite(drawn).any():
        # Lengths of bars can be compared only if the axis contains 0.
        low, high = min(float(np.nanmin(drawn)), 0.0), max(float(np.nanmax(drawn)), 0.0)
        room = 0.03 * (high - low) or 1.0
        ax.set_xlim(low - room, high + room)
