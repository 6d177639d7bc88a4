"""Lorenz curves: the share of a value that the least served part of a population has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, tune
from ocm_geo.plots.style import DASHES, GREY, SERIES, counted, few_enough, numbers, plain
from ocm_geo.plots.text import small_size
from ocm_geo.provenance import credit_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["plot_lorenz"]

_TOLERANCE = 1e-6


def plot_lorenz(
    equity: Any,  # noqa: ANN401 - Equity, a table of its form, or a dict of them
    *,
    value: str = "access",
    population: str = "population",
    ax: Axes | None = None,
) -> Axes:
    """
    Plot Lorenz curves: the share of a value that the least served part of a population has.

    Parameters
    ----------
    equity : Equity, pandas.DataFrame or dict
        Result of `ocm_geo.equity`, or a table with ``population_share`` and ``value_share``
        from (0, 0) to (1, 1), least served first. A dict of them draws one curve for each,
        named by its key; at most five.
    value, population : str
        Words for the value and for the population, for the axes.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Square axes with the line of equal shares. The legend shows the Gini coefficient and its
        interval if they are known.

    Raises
    ------
    QueryError
        If a curve lacks a column, does not run from (0, 0) to (1, 1), or falls, or if there are
        too many curves.

    Examples
    --------
    >>> import pandas as pd
    >>> import ocm_geo as ocm
    >>> curve = pd.DataFrame({"population_share": [0, 0.5, 1], "value_share": [0, 0.1, 1]})
    >>> ocm.plot_lorenz(curve).get_xlabel()
    'share of population, least served first, %'
    """
    named = equity if isinstance(equity, Mapping) else {"": equity}
    if not named:
        raise QueryError("equity must contain at least one curve: the dict is empty")
    few_enough(len(named), "curves")
    curves = {str(name): _read_curve(one) for name, one in named.items()}
    ax = new_axes(ax, 5.0, 5.9)
    ax.plot([0, 100], [0, 100], color=GREY, lw=1, label="equal shares")
    for rank, (name, one) in enumerate(named.items()):
        x, y = curves[str(name)]
        colour = SERIES[rank]
        ax.plot(
            x, y, color=colour, lw=1.8, ls=DASHES[rank],
            label=_label_curve(str(name) or value, one),
        )  # fmt: skip
        if len(named) == 1:
            ax.fill_between(x, y, x, color=colour, alpha=0.12, lw=0)
            _mark_half(ax, x, y, colour)
    ax.set(xlim=(0, 100), ylim=(0, 100), xticks=range(0, 101, 20), yticks=range(0, 101, 20))
    ax.set_aspect("equal", anchor="NW")
    tune(ax, f"share of {population}, least served first, %", f"share of {value}, %", grid="both")
    legend_below(ax)
    add_caption(ax, _find_table(next(iter(named.values()))), *_describe_curves(named, curves))
    return ax


def _describe_curves(named: Mapping[Any, Any], curves: Mapping[str, Any]) -> list[str]:
    """Return the facts of the caption: number of rows or steps, intervals, further credits."""
    # A number is stated only if it holds for every curve of the figure.
    sizes = {getattr(one, "facts", {}).get("n") for one in named.values()}
    steps = {len(x) - 1 for x, _ in curves.values()}
    facts = []
    if len(sizes) == 1 and (n := sizes.pop()) is not None:
        facts.append(counted(n, "location"))
    elif len(steps) == 1:
        facts.append(f"{steps.pop():,} steps of the curve")
    if any(_describe_interval(one) for one in named.values()):
        facts.append("Gini coefficient with its 95 % interval by bootstrap over locations")
    # The caption credits the first table; the curves may come from several sources.
    owed = [credit_line(_find_table(one)) for one in named.values()]
    return facts + [credit for credit in dict.fromkeys(owed) if credit != owed[0]]


def _describe_interval(one: Any) -> str:  # noqa: ANN401 - as above
    """Return the interval of the Gini coefficient in words; empty if it is not known."""
    table = getattr(one, "intervals", None)
    if not isinstance(table, pd.DataFrame) or "gini" not in table.index:
        return ""
    low, high = (numbers(table.loc[["gini"]], end)[0] for end in ("low", "high"))
    return f", {low:.2f} to {high:.2f}" if np.isfinite([low, high]).all() else ""


def _find_table(one: Any) -> pd.DataFrame:  # noqa: ANN401 - as above
    table: pd.DataFrame = one if isinstance(one, pd.DataFrame) else one.lorenz
    return table


def _read_curve(one: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # noqa: ANN401
    """Read and check a Lorenz curve, in percent."""
    table = one if isinstance(one, pd.DataFrame) else getattr(one, "lorenz", None)
    if not isinstance(table, pd.DataFrame):
        raise QueryError(
            "equity must be a result of ocm_geo.equity, or a table with population_share and "
            f"value_share, not {short_form(one)}"
        )
    x, y = (
        numbers(table, column, made_by="ocm_geo.equity")
        for column in ("population_share", "value_share")
    )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise QueryError("the Lorenz curve contains missing values: drop these rows first")
    # An empty table has no ends: the comparison below then fails with its message.
    ends = np.array([x[:1], y[:1], x[-1:], y[-1:]]).ravel()
    runs = len(x) > 1 and np.allclose(ends, [0, 0, 1, 1], atol=_TOLERANCE)
    if not runs or (np.diff(x) < -_TOLERANCE).any() or (np.diff(y) < -_TOLERANCE).any():
        raise QueryError(
            "a Lorenz curve must rise from (0, 0) to (1, 1); this one has "
            f"{len(x)} rows from {tuple(ends[:2].tolist())} to {tuple(ends[2:].tolist())}"
        )
    return 100 * x, 100 * y


def _label_curve(name: str, one: Any) -> str:  # noqa: ANN401 - as above
    """Return the name of a curve with its Gini coefficient."""
    gini = getattr(one, "gini", None)
    said = "" if gini is None else f" (Gini {float(gini):.2f}{_describe_interval(one)})"
    return plain(name) + said


def _mark_half(ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], colour: str) -> None:
    """Mark the share that the less served half has."""
    half = float(np.interp(50, x, y))
    ax.plot([50, 50, 0], [0, half, half], color=colour, lw=0.8, ls=":")
    ax.annotate(
        f"half has {half:.0f} %",
        (50, half),
        xytext=(-3, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=small_size(ax),
    )
