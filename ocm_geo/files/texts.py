"""Parse the texts that programs and spreadsheets write for values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import pandas as pd

from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Texts", "looks_numeric"]

_TRUE = frozenset(
    [
        "true",
        "1",
        "yes",
        "wahr",
        "vrai",
        "waar",
        "vero",
        "verdadero",
        "verdadeiro",
        "prawda",
        "sand",
    ]
)
_FALSE = frozenset(["false", "0", "no", "falsch", "faux", "onwaar", "falso", "fałsz", "falsk"])
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?", re.DOTALL)
_DATE = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T,]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?"
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_THOUSAND = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_NOT_FINITE = ["inf", "-inf", "nan"]


@dataclass(frozen=True)
class Texts:
    """
    A parser for the texts of a file.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    decimal_comma : bool
        Whether numbers are known to have a decimal comma (columns separated by semicolons).
    """

    file: str
    decimal_comma: bool = False

    def parse(self, values: pd.Series, name: str, kind: str) -> pd.Series:
        """
        Parse a column of texts.

        Parameters
        ----------
        values : pandas.Series
            Texts; missing or empty ones are missing.
        name : str
            The column, for messages.
        kind : str
            ``bool``, ``int``, ``float``, ``time``, ``date``, ``stamp``, ``span`` or ``json``;
            anything else is returned unchanged.

        Returns
        -------
        pandas.Series
            The values.

        Raises
        ------
        QueryError
            If a text is not such a value, or is ambiguous.
        """
        readers: dict[str, Callable[[pd.Series, str], pd.Series]] = {
            "bool": self._parse_bools,
            "int": self._parse_ints,
            "float": self._parse_floats,
            "time": self._parse_times,
            "date": self._parse_dates,
            "stamp": lambda texts, name: self._map_texts(texts, name, pd.Timestamp, "a time"),
            "span": lambda texts, name: self._map_texts(texts, name, pd.Timedelta, "a duration"),
            "json": lambda texts, name: self._map_texts(texts, name, json.loads, "JSON"),
        }
        reader = readers.get(kind)
        if reader is None:
            return values
        return reader(values.mask(values.str.strip() == ""), name)

    def _raise_unreadable(self, name: str, value: object, wanted: str) -> NoReturn:
        raise QueryError(f"{self.file}: column {name!r} contains {str(value)[:60]!r}, {wanted}")

    def _map_texts(
        self, texts: pd.Series, name: str, read: Callable[[str], object], wanted: str
    ) -> pd.Series:
        """Convert each text with a function."""
        found: list[object] = []
        for text in texts:
            try:
                found.append(None if pd.isna(text) else read(text))
            except (ValueError, RecursionError):
                self._raise_unreadable(name, text, f"which is not {wanted}")
        return pd.Series(found, index=texts.index, dtype=object)

    def _parse_bools(self, texts: pd.Series, name: str) -> pd.Series:
        """Parse texts such as true, no or 1."""
        low = texts.str.strip().str.lower()
        true, false = low.isin(_TRUE), low.isin(_FALSE)
        wrong = texts.notna() & ~true & ~false
        if wrong.any():
            self._raise_unreadable(name, texts[wrong].iloc[0], "which is neither true nor false")
        return true.astype("boolean").mask(texts.isna())

    def _parse_ints(self, texts: pd.Series, name: str) -> pd.Series:
        """Parse whole numbers; digits that a spreadsheet has lost are an error."""
        whole = texts.str.strip().str.fullmatch(r"[+-]?\d+").fillna(value=False).astype(bool)
        if (whole | texts.isna()).all():
            numbers = [None if text is None else int(text) for text in _list_texts(texts)]
            try:
                return pd.Series(pd.array(numbers, dtype="Int64"), index=texts.index)
            except OverflowError:
                self._raise_unreadable(
                    name, max(texts.dropna(), key=len), "a number that is too large"
                )
        rounded = texts.str.contains("[eE]", regex=True).fillna(value=False).astype(bool)
        if rounded.any():
            wanted = "a whole number in scientific notation, whose last digits may be lost"
            self._raise_unreadable(name, texts[rounded].iloc[0], wanted)
        floats = self._parse_floats(texts, name)
        broken = floats.notna() & (floats % 1 != 0)
        if broken.any():
            self._raise_unreadable(name, texts[broken].iloc[0], "which is not a whole number")
        whole_numbers: pd.Series = floats.astype("Int64")
        return whole_numbers

    def _parse_floats(self, texts: pd.Series, name: str) -> pd.Series:
        """Parse numbers, with decimal points or commas."""
        plain = self._replace_commas(texts.str.strip(), name)
        ok = plain.str.fullmatch(_NUMBER).fillna(value=False).astype(bool)
        other = plain[~ok & plain.notna()].str.lower()
        unknown = other[~other.isin(_NOT_FINITE)]
        if len(unknown):
            self._raise_unreadable(name, texts[unknown.index[0]], "which is not a number")
        found = [None if text is None else float(text) for text in _list_texts(plain)]
        return pd.Series(pd.array(found, dtype="Float64"), index=texts.index)

    def _replace_commas(self, texts: pd.Series, name: str) -> pd.Series:
        """Replace decimal commas if they cannot be anything else."""
        with_comma = texts.str.contains(",", regex=False).fillna(value=False).astype(bool)
        if not with_comma.any():
            return texts
        found = texts[with_comma]
        decimal = found.str.fullmatch(_DECIMAL_COMMA)
        if not decimal.all():
            wanted = "which is not a number, or has ambiguous separators"
            self._raise_unreadable(name, found[~decimal].iloc[0], wanted)
        if not self.decimal_comma and found.str.fullmatch(_THOUSAND).all():
            wanted = "where the comma may separate decimals or thousands"
            self._raise_unreadable(name, found.iloc[0], wanted)
        pointed = texts[texts.str.contains(".", regex=False).fillna(value=False).astype(bool)]
        if len(pointed):
            self._raise_unreadable(
                name, pointed.iloc[0], f"but also {found.iloc[0]!r}: commas and points"
            )
        return texts.str.replace(",", ".", regex=False)

    def _parse_times(self, texts: pd.Series, name: str) -> pd.Series:
        """Parse times in ISO 8601 or an unambiguous order of day and month."""
        iso = texts.str.strip().str.fullmatch(_ISO).fillna(value=False).astype(bool)
        if not (iso | texts.isna()).all():
            texts = self._to_iso(texts, name, iso)
        try:
            return _parse_iso_times(texts)
        except (ValueError, OverflowError) as error:
            raise QueryError(f"{self.file}: column {name!r} is not all dates: {error}") from error

    def _parse_dates(self, texts: pd.Series, name: str) -> pd.Series:
        days: pd.Series = self._parse_times(texts, name).dt.date.astype(object)
        return days.where(texts.notna(), None)

    def _to_iso(self, texts: pd.Series, name: str, iso: pd.Series) -> pd.Series:
        """Convert dates such as 31/12/2024 to ISO 8601 if their order is certain."""
        parts = texts[~iso & texts.notna()].str.strip().str.extract(f"^{_DATE.pattern}$")
        unread = parts.index[parts[0].isna()]
        if len(unread):
            self._raise_unreadable(
                name, texts[unread[0]], "which is not a date of ISO 8601 (2024-12-31)"
            )
        first, second = parts[0].astype(int), parts[2].astype(int)
        day_first = bool((first > 12).any()) or bool((parts[1] == ".").all())  # noqa: PLR2004
        month_first = bool((second > 12).any())  # noqa: PLR2004
        if day_first == month_first:
            what = "days and months in both orders" if day_first else "day or month first, unknown"
            self._raise_unreadable(
                name,
                texts[parts.index[0]],
                f"an ambiguous date ({what}): write dates as 2024-12-31",
            )
        day, month = (first, second) if day_first else (second, first)
        dates = parts[3] + "-" + month.map("{:02d}".format) + "-" + day.map("{:02d}".format)
        clock = parts[4].fillna("00:00").str.replace(r"^(\d):", r"0\1:", regex=True)
        return texts.where(iso | texts.isna(), (dates + "T" + clock).reindex(texts.index))


def _parse_iso_times(texts: pd.Series) -> pd.Series:
    """Return dates in ISO 8601 as times in UTC; pandas 2 needs help before 1678."""
    try:
        return pd.to_datetime(texts, format="ISO8601", utc=True)
    except pd.errors.OutOfBoundsDatetime:
        return texts.astype("datetime64[us, UTC]")


def _list_texts(texts: pd.Series) -> list[str | None]:
    """Return texts as a list, which is much faster to iterate; None if missing."""
    return [
        None if missing else text
        for text, missing in zip(texts.astype(object).tolist(), texts.isna().tolist(), strict=True)
    ]


def looks_numeric(texts: pd.Series) -> bool:
    """
    Return whether texts are numbers without loss.

    Parameters
    ----------
    texts : pandas.Series
        Texts.

    Returns
    -------
    bool
        Whether there is at least one, and all are numbers without leading zeros.
    """
    found = texts.dropna().str.strip()
    found = found[found != ""]
    if found.empty or found.str.match(_LEADING_ZERO).any():
        return False
    return bool(found.str.fullmatch(_NUMBER).all()) and not _exceeds_float_digits(found)


def _exceeds_float_digits(texts: pd.Series) -> bool:
    """Return whether numbers have more digits than a float."""
    digits = texts.str.count(r"\d")
    return bool(((digits > 15) & ~texts.str.contains(".", regex=False)).any())  # noqa: PLR2004
