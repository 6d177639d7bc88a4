"""The share of all stations that each of two registers holds, with both intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, tune
from ocm_geo.plots.style import INK, SERIES, counted, numbers, plain
from ocm_geo.plots.text import shortened, text_size
from ocm_geo.provenance import read_attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["plot_completeness"]

_MOST = 40
_TWO = 2
_ENDS = ("_dependent_low", "_low", "", "_high", "_dependent_high")
_APART = 0.19
_MARKERS = "os"


def plot_completeness(
    table: pd.DataFrame, *, names: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """
    Plot which share of all stations each of two registers holds, by stratum.

    Parameters
    ----------
    table : pandas.DataFrame
        What `ocm_geo.completeness` returns, also read from a file; at most 40 strata.
    names : sequence of str, optional
        Names of the two registers; "register a" and "register b" by default.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        For each stratum and register a dot (the estimate for independent registers), a thick bar
        (95 % interval) and a thin line (the bounds for dependent registers).

    Raises
    ------
    QueryError
        If a column is missing or not numeric, there are too many rows, or `names` are not two.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source="sample")
    >>> table = ocm.completeness(stations.iloc[::2], stations.iloc[::3])
    >>> ocm.plot_completeness(table).get_xlabel()
    'share of all stations that the register holds, %'
    """
    shares = [
        100.0 * np.array([numbers(table, f"{share}{end}", made_by="completeness") for end in _ENDS])
        for share in ("share_a", "share_b")
    ]
    if not 0 < len(table) <= _MOST:
        raise QueryError(f"the table has {len(table)} rows; 1 to {_MOST} can be drawn")
    words = ["register a", "register b"] if names is None else list(names)
    if isinstance(names, str) or len(words) != _TWO:
        raise QueryError(f"names must be the names of two registers, not {short_form(names)}")
    ax = new_axes(ax, 6.5, 1.9 + 0.42 * len(table))
    strata = shortened(ax, [plain(str(name)) for name in table.index])
    for number, (share, word) in enumerate(zip(shares, words, strict=True)):
        _draw_register(ax, share, plain(word), number)
    tune(ax, "share of all stations that the register holds, %", "", grid="x")
    ax.set_xlim(-1.5, 101.5)
    ax.set_yticks(range(len(table)), strata)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines[["left"]].set_visible(False)
    legend_below(ax)
    ratios = read_attrs(table).get("completeness", {}).get("odds_ratios")
    between = "" if ratios is None else f" (odds ratio {ratios[0]:g} to {ratios[1]:g})"
    facts = "bar: 95 % interval if independent", f"line: if dependent{between}"
    add_caption(ax, table, counted(len(table), "row"), *facts)
    return ax


def _draw_register(ax: Axes, share: NDArray[np.float64], name: str, number: int) -> None:
    """Draw the shares of one register, above or below the middle of each row."""
    least, low, central, high, most = share
    rows = np.arange(share.shape[1]) + (-_APART, _APART)[number]
    size, colour = text_size(ax), SERIES[number]
    ax.hlines(rows, least, most, color=colour, lw=0.16 * size)
    ax.hlines(rows, low, high, color=colour, lw=0.6 * size, alpha=0.6)
    # Two shapes beside two colours: told apart in grey, too.
    look = {"marker": _MARKERS[number], "ms": 0.5 * size, "mfc": colour, "mec": INK, "ls": ""}
    ax.plot(central, rows, label=name, zorder=4, **look)  # type: ignore[arg-type]
