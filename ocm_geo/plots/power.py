"""The power mix: the share of stations or connectors in each class of power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.ids import station_table
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, tune
from ocm_geo.plots.classes import HATCH
from ocm_geo.plots.room import box_inches
from ocm_geo.plots.style import (
    GREY,
    INK,
    POWER_CLASSES,
    STATIONS,
    UNKNOWN,
    UNKNOWN_POWER,
    counted,
    plain,
    power_class,
    require,
)
from ocm_geo.plots.text import shortened, small_size, text_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["plot_power"]

_MOST = 12
_BAR = 0.72
_SHARE_OF_BARS, _ROW = 0.45, 1.3
_FEW = 3
"""Fewer bars than this are not made thicker."""


def plot_power(table: pd.DataFrame, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """
    Plot the power mix: the share of stations, or connectors, in each class of power.

    Parameters
    ----------
    table : pandas.DataFrame
        A station table, in which a station counts by the highest power of its connections; or a
        table of `ocm_geo.connections`, in which each connector counts (a missing quantity is 1).
    by : str, optional
        Column that splits the rows, such as ``operator``: one bar for each value, the twelve
        largest first (fewer on small axes) and the others joined.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Axes with bars of 100 % and the number of stations or connectors at their end. Unknown
        power is a part of each bar, hatched, so that every share is a share of all. Implausible
        power counts as unknown; the caption contains the number.

    Raises
    ------
    QueryError
        If a column is missing, or there is nothing to draw.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> ocm.plot_power(stations).get_xlabel()
    'share of stations, %'
    """
    require(table, made_by=STATIONS)
    if "max_power_kw" in table:
        table = station_table(table, placed=False)
    power, weight, unit = _read_powers(table)
    if table.empty:
        raise QueryError(f"the table has no {unit} to draw")
    most = _MOST if ax is None else _count_bars(new_axes(ax))
    counts = _count_power(table, power_class(power), weight, by, most=most)
    ax = new_axes(ax, 7.0, 1.7 + 0.3 * max(len(counts), _FEW))
    # Few bars keep their thickness: the axis is as high as for three.
    middle, half = (len(counts) - 1) / 2, max(len(counts), _FEW) / 2
    ax.set(xlim=(0, 100), ylim=(middle + half, middle - half))
    tune(ax, f"share of {unit}, %", "", grid="x")
    _draw_bars(ax, counts)
    names = shortened(ax, [plain(str(name)) for name in counts.index])
    ax.set_yticks(range(len(counts)), names)
    ax.tick_params(axis="y", length=0)
    ax.spines[["left"]].set_visible(False)
    heading = "Power of the connector" if unit == "connectors" else "Highest power of the station"
    legend_below(ax, heading)
    number = counted(int(counts.to_numpy().sum()), unit.removesuffix("s"))
    add_caption(ax, table, number, _describe_implausible(table))
    return ax


def _count_bars(ax: Axes) -> int:
    """Return the number of bars with labels that axes have room for."""
    points = 72 * box_inches(ax)[1] * _SHARE_OF_BARS
    return int(np.clip(points / (_ROW * text_size(ax)), _FEW, _MOST))


def _read_powers(table: pd.DataFrame) -> tuple[pd.Series[float], NDArray[np.float64], str]:
    """Return the power and the weight of each row, and what the weights count."""
    if "power_kw" in table and "max_power_kw" not in table:
        require(table, "quantity", made_by="ocm_geo.connections")
        return (
            table["power_kw"].where(_is_plausible(table)),
            table["quantity"].to_numpy(dtype=float, na_value=1.0),
            "connectors",
        )
    require(table, "max_power_kw", made_by=STATIONS)
    return table["max_power_kw"], np.ones(len(table)), "stations"


def _is_plausible(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which connections have a plausible power; all if it is not recorded."""
    if "power_plausible" not in table:
        return np.ones(len(table), dtype=bool)
    return table["power_plausible"].to_numpy(dtype=bool, na_value=True)


def _describe_implausible(table: pd.DataFrame) -> str:
    """Return the number of connections with implausible power in words; empty for none."""
    if "n_power_implausible" in table:
        n = int(table["n_power_implausible"].sum())
    else:
        n = int(np.sum(~_is_plausible(table)))
    return f"{counted(n, 'connection')} of implausible power counted as not known" if n else ""


def _count_power(
    table: pd.DataFrame,
    classes: NDArray[np.intp],
    weight: NDArray[np.float64],
    by: str | None,
    *,
    most: int,
) -> pd.DataFrame:
    """Count by group (rows) and class of power (columns, unknown power last)."""
    if by is None:
        groups = pd.Series("all", index=range(len(table)))
    else:
        require(table, by, made_by="ocm_geo.add_labels")
        groups = table[by].astype("string").fillna("not known").reset_index(drop=True)
    # Classes without any row are columns too: every bar then has the same order of colours.
    order = [*range(len(POWER_CLASSES)), -1]
    cells = pd.DataFrame({"group": groups, "rank": classes, "n": weight})
    counts = cells.pivot_table(
        index="group", columns="rank", values="n", aggfunc="sum", fill_value=0.0
    ).reindex(columns=order, fill_value=0.0)
    totals = counts.sum(axis=1).sort_values(ascending=False, kind="stable")
    counts = counts.loc[totals.index]
    # Joining a single bar would save nothing and hide its name.
    if len(counts) <= most + 1:
        return counts
    rest = counts.iloc[most:]
    others = rest.sum().to_frame(f"{len(rest)} others").T
    return pd.concat([counts.iloc[:most], others])


def _draw_bars(ax: Axes, counts: pd.DataFrame) -> None:
    """Draw the bars, with the shares on them and the total at their end."""
    totals = counts.sum(axis=1).to_numpy()
    shares = 100 * counts.to_numpy() / np.where(totals > 0, totals, 1)[:, None]
    left = np.zeros(len(counts))
    for column, (label, look) in enumerate(_style_power()):
        width = shares[:, column]
        if width.any():
            n = counts.iloc[:, column].sum()
            ax.barh(
                range(len(counts)), width, left=left, height=_BAR, lw=0.5,
                label=f"{label} ({n:,.0f})", **look,
            )  # fmt: skip
            _label_parts(ax, left, width, look["facecolor"])
        left = left + width
    for row, total in enumerate(totals):
        ax.annotate(
            f"{total:,.0f}",
            (100, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=small_size(ax),
            color=INK,
        )


def _style_power() -> list[tuple[str, dict[str, Any]]]:
    """Return the label and the look of each class of power, unknown power last."""
    known = [
        (label, {"facecolor": colour, "edgecolor": "white"}) for _, label, colour in POWER_CLASSES
    ]
    return [*known, (UNKNOWN_POWER, {"facecolor": UNKNOWN, "edgecolor": GREY, "hatch": HATCH})]


def _label_parts(
    ax: Axes, left: NDArray[np.float64], width: NDArray[np.float64], colour: str
) -> None:
    """Write the share on parts wide enough for it, dark on light parts and white on dark ones."""
    from matplotlib.colors import to_rgb  # noqa: PLC0415 - loaded when needed

    size = small_size(ax)
    # Four to five characters, each about 0.6 of the size of text wide, in percent of the axis.
    room = 100 * 4.5 * 0.6 * size / (72 * 0.7 * box_inches(ax)[0])
    # Luminance by ITU-R BT.709.
    light = float(np.dot(to_rgb(colour), [0.2126, 0.7152, 0.0722]))
    paper = {"facecolor": "white", "alpha": 0.8, "pad": 0.6, "lw": 0} if colour == UNKNOWN else None
    for row, (start, share) in enumerate(zip(left, width, strict=True)):
        if share > room:
            ax.annotate(
                f"{share:.0f} %",
                (start + share / 2, row),
                ha="center",
                va="center",
                fontsize=size,
                color=INK if light > 0.5 else "white",  # noqa: PLR2004 - halfway to white
                bbox=paper,
            )
