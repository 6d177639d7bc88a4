"""What the figures share: colours, classes of power, captions, axes."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.provenance import read_attrs
from ocm_geo.reference.credit import ATTRIBUTION

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = [
    "GAP",
    "GREY",
    "INK",
    "LAND",
    "POWER_CLASSES",
    "SEA",
    "SERIES",
    "UNKNOWN_POWER",
    "add_caption",
    "new_axes",
    "plain",
    "power_class",
    "require",
]

INK, GREY, LAND, SEA, GAP = "#222222", "#8a8a8a", "#f4f1ea", "#e3ecf2", "#cc3311"

# Even steps of matplotlib's inferno, dark for high power: the order survives every common form
# of colour blindness and a grey print.
POWER_CLASSES: tuple[tuple[float, str, str], ...] = (
    (0.0, "under 22 kW", "#f8a13f"),
    (22.0, "22 to under 50 kW", "#e05c5c"),
    (50.0, "50 to under 150 kW", "#9c2f7f"),
    (150.0, "150 kW and more", "#2c105c"),
)
UNKNOWN_POWER = "power not known"
SERIES = ("#0077bb", "#ee7733", "#009988", "#cc3311", "#33bbee", "#ee3377")
"""Paul Tol's vibrant scheme: apart under the common forms of colour blindness."""

_SMALL = 7.0
_CAPTION_CHARS_PER_INCH = 17.5


def new_axes(ax: Axes | None, width: float = 7.0, height: float = 6.0) -> Axes:
    """
    Give the axes to draw on.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        The caller's.
    width, height : float
        Size of a new figure, inches.

    Returns
    -------
    matplotlib.axes.Axes
        The caller's, or those of a new figure.
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

    _, new = plt.subplots(figsize=(width, height), layout="constrained")
    return new


def require(table: pd.DataFrame, *columns: str) -> None:
    """
    Check that a table can be drawn.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    *columns : str
        What the figure needs.

    Raises
    ------
    QueryError
        If a column is missing.
    """
    missing = [column for column in columns if column not in table]
    if missing:
        raise QueryError(f"the table has no column {missing[0]!r}; it has {list(table.columns)}")


def power_class(power_kw: pd.Series[float]) -> NDArray[np.intp]:
    """
    Put powers into classes.

    Parameters
    ----------
    power_kw : pandas.Series
        kW.

    Returns
    -------
    numpy.ndarray of int
        Position in `POWER_CLASSES`; -1 where the power is missing.
    """
    values = power_kw.to_numpy(dtype=float, na_value=np.nan)
    bounds = [low for low, _, _ in POWER_CLASSES]
    found = np.searchsorted(bounds, values, side="right") - 1
    return np.where(np.isnan(values), -1, found)


def plain(text: str) -> str:
    """
    Keep matplotlib from reading a stranger's text as mathematics.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text, dollar signs escaped.
    """
    return text.replace("$", r"\$")


def add_caption(ax: Axes, table: pd.DataFrame, *facts: str) -> None:
    """
    Say under a figure what it rests on and whom to credit.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    table : pandas.DataFrame
        The table that was drawn.
    *facts : str
        What comes first.
    """
    attrs: dict[str, Any] = read_attrs(table)
    told = list(facts)
    if date := attrs.get("data_date"):
        told.append(f"data to {date}")
    elif retrieved := attrs.get("retrieved"):
        told.append(f"retrieved {retrieved[:10]}")
    if snapshot := attrs.get("snapshot"):
        told.append(f"snapshot {snapshot}")
    text = " · ".join(told) + "\n" + attrs.get("attribution", ATTRIBUTION)
    figure = ax.get_figure(root=True)
    width = figure.get_figwidth() if figure is not None else 7.0
    lines = [
        wrapped
        for line in text.splitlines()
        for wrapped in textwrap.wrap(line, max(int(width * _CAPTION_CHARS_PER_INCH), 24))
    ]
    ax.annotate(
        plain("\n".join(lines)),
        (0, 0),
        xytext=(0, -42 if ax.get_xlabel() else -8),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize=_SMALL,
        color="#555555",
        annotation_clip=False,
    )
