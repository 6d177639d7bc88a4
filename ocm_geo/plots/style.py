"""What the figures share: colours, classes of power, checks of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BOUNDS",
    "FAR",
    "GAP",
    "GREY",
    "INK",
    "LAND",
    "MANY",
    "OTHER",
    "POWER_CLASSES",
    "SEA",
    "SERIES",
    "SHARES",
    "STATIONS",
    "UNKNOWN",
    "UNKNOWN_POWER",
    "counted",
    "few_enough",
    "numbers",
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
SERIES = ("#5790fc", "#f89c20", "#e42536", "#964a8b", "#7a21dd")
"""Groups: five of Petroff's six (arXiv:2107.02270), apart under every form of colour blindness."""
OTHER = "#9c9ca1"
"""What is left over beside `SERIES`; the sixth."""
SHARES = ("#bde5b5", "#52bcc2", "#1e8bbd", "#2259a6", "#1a2b7e")
"""From little to much: ColorBrewer's YlGnBu, in even steps of lightness, all darker than land."""
FAR = ("#fed799", "#fe9d6c", "#f1605d", "#c03a76", "#832681", "#4c117a", "#1a1042")
"""From near to far: magma, turned round, in even steps of lightness, all darker than land."""
UNKNOWN = "#e6e6e6"
"""Where the value is missing; always hatched too."""

MANY = 5000
"""More shapes than this are one picture in vector formats."""
BOUNDS = "low: every uncertain station out; high: all in"
"""What a band or bar between two values means, for the caption."""
STATIONS = "ocm_geo.stations"
"""What makes a station table, for `require`."""
_SHOWN = 12
"""Columns that a message names."""


def require(table: pd.DataFrame, *columns: str, made_by: str = "") -> None:
    """
    Check that a table can be drawn.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    *columns : str
        What the figure needs.
    made_by : str
        The functions that make such a table, for the message.

    Raises
    ------
    QueryError
        If it is no table, or a column is missing.
    """
    hint = f"; {made_by} makes such a table" if made_by else ""
    if not isinstance(table, pd.DataFrame):
        raise QueryError(f"give a table, not {type(table).__name__}{hint}")
    missing = [column for column in columns if column not in table]
    if missing:
        shown = [*map(str, table.columns[:_SHOWN]), *(["…"] if len(table.columns) > _SHOWN else [])]
        has = ", ".join(shown) or "none"
        raise QueryError(f"the table has no column {missing[0]!r}{hint}. Its columns: {has}")


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
    Keep matplotlib from reading a stranger's text as mathematics, or drawing what has no form.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text in one line, dollar signs escaped, without control characters.
    """
    shown = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return shown.replace("$", r"\$")


def numbers(table: pd.DataFrame, column: str, *, made_by: str = "") -> NDArray[np.float64]:
    """
    Read a column of numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    column : str
        Its name.
    made_by : str
        As for `require`.

    Returns
    -------
    numpy.ndarray
        The values, NaN where they are missing.

    Raises
    ------
    QueryError
        If it is no table, has no such column, or the column holds no numbers.
    """
    require(table, column, made_by=made_by)
    try:
        return table[column].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise QueryError(
            f"column {column!r} holds {table[column].dtype}, not numbers: choose another"
        ) from None


def counted(n: int, one: str, many: str | None = None) -> str:
    """
    Say how many there are.

    Parameters
    ----------
    n : int
        How many.
    one : str
        What one is called.
    many : str, optional
        What several are called; with an s by default.

    Returns
    -------
    str
        Such as ``1,250 stations``.
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def few_enough(n: int, what: str) -> None:
    """
    Refuse more lines than can be told apart.

    Parameters
    ----------
    n : int
        How many.
    what : str
        What they are.

    Raises
    ------
    QueryError
        If there are more than colours in `SERIES`.
    """
    if n > len(SERIES):
        raise QueryError(
            f"{n} {what}; at most {len(SERIES)} can be told apart: choose some of them first"
        )
