"""From the texts of a file to numbers, flags, times and JSON: what cannot be read is counted."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = [
    "MOMENT",
    "Cleaner",
    "find_time",
    "join_members",
    "map_texts",
    "parse_flags",
    "parse_numbers",
    "parse_times",
    "quote_texts",
]

MOMENT = pa.timestamp("us", tz="UTC")
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?$"
_UNIT = r"(?i)\s*(kwh?|kva|watts?|w|volts?|v|amps?|a|m|min)\.?$"
_EMPTY = ("", "-", "n/a", "na", "nan", "null", "none", "inconnu", "non concerné", "keine angabe")
_YES = ("true", "vrai", "oui", "yes", "ja", "1", "1.0", "t", "y", "o")
_NO = ("false", "faux", "non", "no", "nein", "0", "0.0", "f", "n")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?=$|[ T,])")
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?=$|[ T,])")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?=$|[ T])")
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")
_EARLIEST, _LATEST = 1971, 2090
_CONTROL = re.compile(r"[\x00-\x1f]")
_CENTURY = 69


def map_texts(texts: pa.Array, read: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    """Map each distinct text once; null stays null."""
    coded = texts.dictionary_encode()
    words = [read(word) for word in coded.dictionary.to_pylist()]
    return pa.array(words, kind).take(coded.indices)


def parse_numbers(texts: pa.Array, wrong: Counter[str], name: str) -> NDArray[np.float64]:
    """
    Read a column of numbers, decimal commas and units included.

    Parameters
    ----------
    texts : pyarrow.Array of string
        The column.
    wrong : collections.Counter
        Counts, under `name`, the texts that are not numbers; changed in place.
    name : str
        The column of the station table.

    Returns
    -------
    numpy.ndarray of float
        NaN where missing or wrong.
    """
    try:
        return _to_floats(texts.cast(pa.float64()))
    except pa.ArrowInvalid:
        pass
    coded = texts.dictionary_encode()
    plain = _without_units(coded.dictionary)
    is_number = pc.match_substring_regex(plain, _NUMBER)
    found = _to_floats(
        pc.if_else(is_number, plain, pa.scalar(None, pa.string())).cast(pa.float64())
    )
    found[~np.isfinite(found)] = np.nan
    values = (
        found[coded.indices.fill_null(0).to_numpy(zero_copy_only=False)]
        if len(found)
        else (np.full(len(texts), np.nan))
    )
    values[texts.is_null().to_numpy(zero_copy_only=False)] = np.nan
    blank = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(coded.dictionary)), pa.array(_EMPTY))
    given = blank.to_numpy(zero_copy_only=False)[coded.indices.drop_null().to_numpy()]
    n_wrong = int(np.sum(~np.isnan(values)))
    wrong[name] += len(given) - int(given.sum()) - n_wrong
    return values


def _to_floats(column: pa.Array) -> NDArray[np.float64]:
    values = column.to_numpy(zero_copy_only=False)
    return np.array(values, dtype=np.float64)


def _without_units(texts: pa.Array) -> pa.Array:
    """Strip units, and settle for the whole column which sign is the decimal one."""
    plain = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), _UNIT, "")
    plain = pc.replace_substring_regex(
        plain, "[\\s\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}']", ""
    )
    has_comma, has_point = (pc.any(pc.match_substring(plain, sign)).as_py() for sign in ",.")
    if not has_comma:
        return plain
    both = plain.filter(pc.match_substring_regex(plain, r"[.,].*[.,]"))
    point_last = has_point and any(t.rfind(".") > t.rfind(",") for t in both.to_pylist())
    if point_last:
        return pc.replace_substring(plain, ",", "")
    thousands = pc.match_substring_regex(plain, r"^[-+]?\d{1,3}(\.\d{3})+,")
    plain = pc.if_else(thousands, pc.replace_substring(plain, ".", ""), plain)
    return pc.replace_substring(plain, ",", ".")


def parse_flags(texts: pa.Array, wrong: Counter[str], name: str) -> pa.Array:
    """Read a column of yes and no in any spelling; empty is unknown, never false."""
    wrong_words: set[str] = set()

    def read(text: str) -> bool | None:
        word = text.strip().casefold()
        if word in _YES or word in _NO:
            return word in _YES
        wrong_words.update([text] if word not in _EMPTY else [])
        return None

    found = map_texts(texts, read, pa.bool_())
    _count_words(texts, wrong_words, wrong, name)
    return found


def _count_words(texts: pa.Array, words: set[str], wrong: Counter[str], name: str) -> None:
    """Count the rows of a column that hold one of some words."""
    if words:
        wrong[name] += pc.sum(pc.is_in(texts, pa.array(list(words)))).as_py() or 0


def parse_times(
    texts: pa.Array, wrong: Counter[str], name: str, *, zone: str = "UTC", month_first: bool = False
) -> pa.Array:
    """
    Read a column of times or dates.

    Parameters
    ----------
    texts : pyarrow.Array of string
        ISO 8601, ``dd.mm.yyyy``, ``yyyy/m/d`` or, with `month_first`, ``m/d/yy``.
    wrong : collections.Counter
        Counts, under `name`, what is not a time, and years no station can have.
    name : str
        The column of the station table.
    zone : str
        Time zone of times without an offset.
    month_first : bool
        Whether the month comes first in ``1/2/2020``.

    Returns
    -------
    pyarrow.Array of timestamp
        UTC.
    """

    def read(text: str) -> int | None:
        if text.strip().casefold() in _EMPTY:
            return None
        moment = find_time(text, zone, month_first=month_first)
        wrong_words.update([text] if moment is None else [])
        return moment

    wrong_words: set[str] = set()
    found = map_texts(texts, read, pa.int64())
    _count_words(texts, wrong_words, wrong, name)
    return found.cast(MOMENT)


# Publishers write one time for all that changed in one run: most are asked many times.
@lru_cache(maxsize=65_536)
def find_time(text: str, zone: str = "UTC", *, month_first: bool = False) -> int | None:
    """
    Read a time.

    Parameters
    ----------
    text : str
        As for `parse_times`.
    zone : str
        Time zone of a time without an offset.
    month_first : bool
        Whether the month comes first.

    Returns
    -------
    int or None
        Microseconds since 1970 UTC; None if it is not a time, or not one a station can have.
    """
    plain = _to_iso(text.strip(), month_first=month_first)
    try:
        moment = datetime.fromisoformat(plain)
        # A date stays the date that it is, wherever it was written.
        place = UTC if len(plain) <= len("2020-01-01") else _load_zone(zone)
        moment = moment.replace(tzinfo=moment.tzinfo or place).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # 1970-01-01 and 2099-12-31 are what databases write for "not known".
    if not _EARLIEST <= moment.year <= _LATEST:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _to_iso(text: str, *, month_first: bool) -> str:
    """Rewrite the other orders of day, month and year."""
    if text[4:5] == "-":
        plain = text.removesuffix(" UTC")
        return _OFFSET.sub(r"\1:\2", plain) if len(plain) > len("2020-01-01") else plain
    for pattern, order in (
        (_YEAR_FIRST, (0, 1, 2)),
        (_MONTH_FIRST, (2, 0, 1)),
        (_DAY_FIRST, (2, 1, 0)),
    ):
        if pattern is _MONTH_FIRST and not month_first:
            continue
        if found := pattern.match(text):
            year, month, day = (int(found.groups()[i]) for i in order)
            if year < 100:  # noqa: PLR2004 - two digits
                year += 2000 if year <= _CENTURY else 1900
            return f"{year:04}-{month:02}-{day:02}{text[found.end() :]}".rstrip(",")
    return text


@cache
def _load_zone(name: str) -> Any:  # noqa: ANN401 - a time zone
    """Load a time zone; UTC where the machine does not know it."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Windows has no database of time zones: an hour of error in a date of update.
        return UTC


class Cleaner:
    """
    Reads the values of JSON records one by one, and counts those of a wrong type.

    Parameters
    ----------
    zone : str
        Time zone of times without an offset.
    """

    def __init__(self, zone: str = "UTC") -> None:
        self.wrong: Counter[str] = Counter()
        self._zone = zone

    def text(self, value: Any, name: str) -> str | None:  # noqa: ANN401 - any JSON
        """Return a text without line breaks and blanks around it."""
        if value is None:
            return None
        if isinstance(value, str):
            return (
                " ".join(value.split()) or None
                if "\n" in value or "\r" in value
                else (value.strip() or None)
            )
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self.wrong[name] += 1
        return None

    def number(self, value: Any, name: str) -> float | None:  # noqa: ANN401 - any JSON
        """Return a finite number."""
        if type(value) is float or type(value) is int:
            found = float(value) if abs(value) < 1e300 else math.nan  # noqa: PLR2004 - far beyond
        elif value is None or value == "":
            return None
        elif isinstance(value, str):
            found = _read_number(value)
        else:
            found = math.nan
        if math.isfinite(found):
            return found
        self.wrong[name] += 1
        return None

    def positive(self, value: Any, name: str) -> float | None:  # noqa: ANN401 - any JSON
        """Return a number above 0; 0 is what many write for "not known"."""
        found = self.number(value, name)
        if found is None or found > 0:
            return found
        self.wrong[name] += 1
        return None

    def whole(self, value: Any, name: str) -> int | None:  # noqa: ANN401 - any JSON
        """Return a whole number that fits a column, 0 included."""
        found = self.number(value, name)
        if found is None:
            return None
        if found.is_integer() and 0 <= found < 2**53:
            return int(found)
        self.wrong[name] += 1
        return None

    def time(self, value: Any, name: str) -> int | None:  # noqa: ANN401 - any JSON
        """Return a time as microseconds since 1970 UTC."""
        if value is None or value == "":
            return None
        found = find_time(value, self._zone) if isinstance(value, str) else None
        if found is None:
            self.wrong[name] += 1
        return found

    def list(self, value: Any, name: str) -> list[Any]:  # noqa: ANN401 - any JSON
        """Return a list; a single object is one, null is empty."""
        if isinstance(value, list):
            return value
        if value is None:
            return []
        if isinstance(value, dict):
            return [value]
        self.wrong[name] += 1
        return []

    def dict(self, value: Any, name: str) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Return an object; null is empty."""
        if isinstance(value, dict):
            return value
        if value is not None and value != []:
            self.wrong[name] += 1
        return {}


def _read_number(text: str) -> float:
    """Read one number; a comma alone is the decimal sign."""
    plain = re.sub(_UNIT, "", text.strip()).replace(" ", "").replace(",", ".")
    if not re.match(_NUMBER, plain, re.ASCII):
        return math.nan
    return float(plain)


def quote_texts(texts: pa.Array) -> pa.Array:
    """
    Write texts as JSON.

    Parameters
    ----------
    texts : pyarrow.Array of string
        Any texts.

    Returns
    -------
    pyarrow.Array of string
        In quotes, with the signs escaped that JSON wants escaped; null stays null.
    """
    if pc.any(pc.match_substring_regex(texts, r'[\\"\x00-\x1f]')).as_py():
        return map_texts(
            texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts,
            lambda text: json.dumps(text, ensure_ascii=False),
            pa.string(),
        )
    return pc.binary_join_element_wise('"', texts, '"', "")


def join_members(members: Mapping[str, pa.Array], n: int) -> pa.Array:
    """
    Write columns as one JSON object a row.

    Parameters
    ----------
    members : mapping of str to pyarrow.Array
        Numbers, flags, or JSON already written as text; null members are left out.
    n : int
        How many rows.

    Returns
    -------
    pyarrow.Array of string
        The objects; null for a row without a member.
    """
    parts = [
        pc.binary_join_element_wise(
            f"{json.dumps(name, ensure_ascii=False)}:", column.cast(pa.string()), ",", ""
        ).fill_null("")
        for name, column in members.items()
        if column.null_count < n
    ]
    if not parts:
        return pa.nulls(n, pa.string())
    inside = pc.utf8_rtrim(pc.binary_join_element_wise(*parts, ""), ",")
    written = pc.binary_join_element_wise("{", inside, "}", "")
    return pc.if_else(pc.equal(inside, ""), pa.scalar(None, pa.string()), written)
