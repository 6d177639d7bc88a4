"""Colours, classes of power and checks of tables, for all figures and maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.palette import POWER_CLASSES, SHARES, UNKNOWN, UNKNOWN_EDGE, UNKNOWN_POWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BOUNDS",
    "DASHES",
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
    "SHORT",
    "STATIONS",
    "UNKNOWN",
    "UNKNOWN_EDGE",
    "UNKNOWN_POWER",
    "counted",
    "few_enough",
    "numbers",
    "plain",
    "power_class",
    "require",
]

INK, GREY, LAND, SEA = "#222222", "#8a8a8a", "#f4f1ea", "#e3ecf2"
GAP, SHORT = "#cc3311", "#c6ced4"
"""Gaps over and up to a limit."""

SERIES = ("#5790fc", "#f89c20", "#e42536", "#964a8b", "#7a21dd")
"""Groups: five of Petroff's six colours (arXiv:2107.02270), distinct in colour blindness too."""
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1)))
"""Dashes of the lines of groups, so that colour is not all that separates them."""
OTHER = "#9c9ca1"
"""All groups beyond `SERIES` together: the sixth colour."""
FAR = ("#fed799", "#fe9d6c", "#f1605d", "#c03a76", "#832681", "#4c117a", "#1a1042")
"""Near to far: magma reversed, in even steps of lightness, all darker than land."""

MANY = 5000
"""More shapes than this become one raster picture in vector formats."""
BOUNDS = "low: every uncertain station out; high: all in"
"""Meaning of a band or bar between two values, for the caption."""
STATIONS = "ocm_geo.stations"
"""The function that makes a station table, for `require`."""
_SHOWN = 12
"""Most columns that a message names."""


def require(table: pd.DataFrame, *columns: str, made_by: str = "") -> None:
    """
    Check that a table has the columns of a figure.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    *columns : str
        Columns that the figure needs.
    made_by : str
        The function that makes such a table, for the message.

    Raises
    ------
    QueryError
        If it is not a table, or a column is missing.
    """
    hint = f"; {made_by} makes such a table" if made_by else ""
    if not isinstance(table, pd.DataFrame):
        raise QueryError(f"table must be a DataFrame, not {short_form(table)}{hint}")
    missing = [column for column in columns if column not in table]
    if missing:
        shown = [*map(str, table.columns[:_SHOWN]), *(["…"] if len(table.columns) > _SHOWN else [])]
        has = ", ".join(shown) or "none"
        raise QueryError(f"the table has no column {missing[0]!r}{hint}. Its columns: {has}")


def power_class(power_kw: pd.Series[float]) -> NDArray[np.intp]:
    """
    Return the class of each power.

    Parameters
    ----------
    power_kw : pandas.Series
        Powers in kW.

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
    Return a contributor's text as matplotlib can draw it, without mathematics.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text in one line, with dollar signs escaped and without control characters.
    """
    shown = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return shown.replace("$", r"\$")


def numbers(table: pd.DataFrame, column: str, *, made_by: str = "") -> NDArray[np.float64]:
    """
    Return a column of numbers.

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
        If it is not a table, or the column is missing or not numeric.
    """
    require(table, column, made_by=made_by)
    try:
        return table[column].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise QueryError(
            f"column {column!r} must contain numbers, not {table[column].dtype}"
        ) from None


def counted(n: int, one: str, many: str | None = None) -> str:
    """
    Return a number with its noun.

    Parameters
    ----------
    n : int
        The number.
    one : str
        Singular.
    many : str, optional
        Plural; the singular with an s by default.

    Returns
    -------
    str
        Such as ``1,250 stations``.
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def few_enough(n: int, what: str) -> None:
    """
    Check that readers can distinguish all lines of a figure.

    Parameters
    ----------
    n : int
        Number of lines.
    what : str
        What the lines are.

    Raises
    ------
    QueryError
        If there are more lines than colours in `SERIES`.
    """
    if n > len(SERIES):
        raise QueryError(
            f"{n} {what}; at most {len(SERIES)} can be distinguished: select some of them first"
        )
