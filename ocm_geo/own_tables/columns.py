"""Read the columns of a user's table; problems are collected, so that all are reported at once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ocm_geo.checks import is_missing, short_form
from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.reference import ReferenceData

__all__ = ["Columns", "as_number", "show_some"]

Kind = Literal["column", "number", "text", "label"]

_SHOWN = 4
_MOST_COLUMNS = 12
_LONGEST = 40


def show_some(values: Iterable[object]) -> str:
    """Return the first few distinct values, and the number of others."""
    words = list(dict.fromkeys(_format_cell(value) for value in values))
    more = f" and {len(words) - _SHOWN:,} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _format_cell(value: object) -> str:
    """Return the short form of a cell."""
    word = repr(value.item() if isinstance(value, np.generic) else value)
    return word if len(word) <= _LONGEST else word[:_LONGEST] + "…"


@dataclass
class Columns:
    """
    The columns and constants of a user's table of stations.

    Parameters
    ----------
    frame : pandas.DataFrame
        The user's table.
    problems : list of str
        Problems found so far, in the order of reading.
    """

    frame: pd.DataFrame
    problems: list[str] = field(default_factory=list)

    def raw(self, name: str, value: object, kind: Kind) -> pd.Series[Any] | None:
        """
        Return the values of an argument, one for each row.

        Parameters
        ----------
        name : str
            The argument.
        value : object
            What was passed: the name of a column, or a constant.
        kind : {"column", "number", "text", "label"}
            Allowed constants: none, numbers, texts and numbers that do not resemble the name of a
            column, or any.

        Returns
        -------
        pandas.Series or None
            RangeIndex; None if the argument was not given, or a problem was noted.
        """
        if value is None:
            return None
        if self._has_column(value):
            return self._take_column(name, value)
        if is_missing(value) or isinstance(value, bool) or not isinstance(value, str | Real):
            what = f"must be the name of a column or one value, not {short_form(value)}"
            self._add_problem(name, what)
            return None
        if kind == "column" or (isinstance(value, str) and self._is_misspelt(value, kind)):
            self._add_problem(name, self._describe_missing(value))
            return None
        return pd.Series([value] * len(self.frame), dtype=object)

    def text(self, name: str, value: object) -> pd.Series[Any] | None:
        """Return texts without surrounding white space; empty ones are missing."""
        found = self.raw(name, value, "text")
        if found is None:
            return None
        texts = found.astype("string").str.strip()
        return texts.mask(texts == "")

    def number(
        self, name: str, value: object, *, low: float = -math.inf, whole: bool = False
    ) -> NDArray[np.float64] | None:
        """
        Return numbers.

        Parameters
        ----------
        name : str
            The argument.
        value : object
            The name of a column, or a number.
        low : float
            The minimum.
        whole : bool
            Whether they must be whole.

        Returns
        -------
        numpy.ndarray or None
            NaN where missing; None as for `raw`.
        """
        found = self.raw(name, value, "number")
        if found is None:
            return None
        numbers = np.array([as_number(value) for value in found], dtype=np.float64)
        given = ~found.isna().to_numpy() & ~(found.astype("string").str.strip() == "").to_numpy(
            dtype=bool, na_value=False
        )
        faults = {
            "are not numbers; write 22 kW as 22 and 3,7 as 3.7": given & np.isnan(numbers),
            "are not finite": np.isinf(numbers),
            f"are less than {low:g}": numbers < low,
            "are not whole": whole & np.isfinite(numbers) & (numbers != np.round(numbers)),
        }
        for fault, rows in faults.items():
            if rows.any():
                shown = show_some(found[rows])
                self._add_problem(
                    name, f"{rows.sum():,} of {len(found):,} values {fault} ({shown})"
                )
        return numbers

    def codes(
        self, name: str, value: object, table: str, reference: ReferenceData
    ) -> pd.Series[Any] | None:
        """
        Return the ids of ids or labels.

        Parameters
        ----------
        name : str
            The argument.
        value : object
            The name of a column, an id or a label.
        table : str
            The reference table.
        reference : ReferenceData
            Reference data for the labels.

        Returns
        -------
        pandas.Series of Int64 or None
            Missing if the value is missing or an empty text; None as for `raw`.
        """
        found = self.raw(name, value, "label")
        return None if found is None else self.resolve(name, found, table, reference)

    def resolve(
        self, name: str, found: pd.Series[Any], table: str, reference: ReferenceData
    ) -> pd.Series[Any] | None:
        """Return the ids of values that were already read, as `codes` does."""
        known: dict[object, int] = {}
        if cells := [value for value in found if not isinstance(value, Hashable)]:
            self._add_problem(name, f"{show_some(cells)} is neither an id nor a label")
            return None
        faults = []
        for code in pd.unique(found.dropna()):
            if isinstance(code, str) and not code.strip():
                continue
            try:
                known[code] = reference.resolve(table, _to_code(code))
            except QueryError as error:
                faults.append(str(error))
        if faults:
            more = f"; and {len(faults) - _SHOWN:,} more values" if len(faults) > _SHOWN else ""
            is_constant = found.name is None and len(known) + len(faults) == 1
            column = f"; {self._describe_missing(found.iloc[0])}" if is_constant else ""
            self._add_problem(name, "; ".join(faults[:_SHOWN]) + more + column)
            return None
        return found.map(known).astype("Int64")

    def _add_problem(self, name: str, problem: str) -> None:
        self.problems.append(f"{name}: {problem}")

    def _take_column(self, name: str, label: Any) -> pd.Series[Any] | None:  # noqa: ANN401 - any label
        """Return a column by label; several columns of one label are a problem."""
        found: Any = self.frame[label]
        if isinstance(found, pd.Series):
            return found.reset_index(drop=True)
        self._add_problem(name, f"the table has several columns {label!r}")
        return None

    def _has_column(self, value: Any) -> bool:  # noqa: ANN401 - any label
        return isinstance(value, Hashable) and value in self.frame.columns

    def _find_similar(self, value: object) -> list[str]:
        """Return the columns with names similar to a text, ignoring case."""
        names = {str(name).casefold(): str(name) for name in self.frame.columns}
        close = get_close_matches(str(value).strip().casefold(), names, n=2, cutoff=0.75)
        return [names[name] for name in close]

    def _is_misspelt(self, value: str, kind: Kind) -> bool:
        """Return whether a text can only be a misspelt name of a column."""
        return kind == "number" or (kind == "text" and bool(self._find_similar(value)))

    def _describe_missing(self, value: object) -> str:
        """Return the message for a missing column, with the existing ones."""
        if isinstance(value, str) and not np.isnan(as_number(value)):
            return f"there is no column {value!r}; pass a number without quotes"
        if near := self._find_similar(value):
            return f"there is no column {value!r}: did you mean {' or '.join(map(repr, near))}?"
        names = [str(name) for name in self.frame.columns]
        more = ", …" if len(names) > _MOST_COLUMNS else ""
        return f"there is no column {value!r}; there are {', '.join(names[:_MOST_COLUMNS])}{more}"


def as_number(value: object) -> float:
    """Return a number, also of a text; NaN for anything else."""
    is_text = isinstance(value, str) and "_" not in value
    if isinstance(value, bool | np.bool_) or is_missing(value):
        return math.nan
    if not is_text and not isinstance(value, Real | Decimal | np.number):
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except ValueError:
        return math.nan


def _to_code(value: Any) -> Any:  # noqa: ANN401 - checked by resolve
    """Return whole numbers of any type as integers: columns with gaps contain floats."""
    if isinstance(value, str | bool | np.bool_):
        return value
    number = as_number(value)
    return int(number) if number.is_integer() else value
