"""Turn names of columns into headings with units, and numbers into a sensible number of digits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MEANINGS",
    "Heading",
    "choose_decimals",
    "find_heading",
    "format_numbers",
    "format_times",
    "is_id",
    "is_share",
]

MEANINGS = {c.name: c.meaning for c in (*STATION_COLUMNS, *CONNECTION_COLUMNS)}
"""Meaning of the columns of stations and connections, in one line."""

_UNITS = {
    "km": "km",
    "km2": "km²",
    "m": "m",
    "kw": "kW",
    "min": "min",
    "minutes": "min",
    "share": "%",
    "soc": "%",
    "lon": "°",
    "lat": "°",
}
_DECIMALS = {"km": 2, "km²": 1, "m": 0, "kW": 1, "min": 1, "%": 1, "°": 5}
"""Most decimals of a unit; numbers without a unit have three significant digits."""
_SIGNIFICANT, _MOST = 3, 3
_HUNDRED = 100.0
_KEPT = ("share", "soc", "lon", "lat")
"""Ends of names that are a unit and a word."""
_WORDS = {
    **{word: word.upper() for word in ("ac", "dc", "evse", "ocm", "url", "uuid")},
    "km2": "km²",
    "kw": "kW",
    "soc": "state of charge",
    "lon": "longitude",
    "lat": "latitude",
    "site": "station",
    "sites": "stations",
    "places": "locations",
    "points": "charging points",
    "theil": "Theil",
    "gini": "Gini",
}
_NAMED = {
    "title": "name",
    "country_code": "country",
    "n_power_missing": "connections of unknown power",
    "n_power_implausible": "connections of implausible power",
    "n_a": "stations in A",
    "n_b": "stations in B",
    "n_both": "stations in both",
    "share_a": "share of A",
    "share_b": "share of B",
    "km": "distance",
    "minutes": "time",
    "along_km": "position",
    "offset_km": "distance from the route",
    "within_km": "within",
    "max_power_kw": "highest power",
    "total_power_kw": "total power",
}
_BOUND = re.compile(r"^(.+?)_(low|central|high)(_[a-z0-9]+)?$")


class Heading(NamedTuple):
    """The words of a heading, its unit, which may be empty, and whether the values are ids."""

    words: str
    unit: str
    is_id: bool = False

    def __str__(self) -> str:
        """Return the heading with its unit in parentheses."""
        return f"{self.words} ({self.unit})" if self.unit else self.words


def find_heading(name: str, values: pd.Series | None = None) -> Heading:
    """
    Return the heading of a column.

    Parameters
    ----------
    name : str
        The name of the column, with its unit at the end if it has one.
    values : pandas.Series, optional
        The values: only numbers have a unit, and only shares from 0 to 1 are in percent.

    Returns
    -------
    Heading
        Words and unit, such as ``Heading("Highest power", "kW")``.
    """
    stem, unit, bound = _split_name(name)
    if values is not None and not _has_unit(values, unit):
        stem, unit = (stem if unit == "%" else _drop_bound(name)), ""
    words = _NAMED.get(_drop_bound(name)) or " ".join(_word_stem(stem))
    return Heading(
        (words[:1].upper() + words[1:]) + (f", {bound}" if bound else ""), unit, is_id(name)
    )


def _split_name(name: str) -> tuple[str, str, str]:
    """Return a name without unit and bound, its unit, and its bound."""
    found = _BOUND.match(name)
    bound = found[2] if found else ""
    plain = _drop_bound(name)
    stem, _, end = plain.rpartition("_")
    # The number of stations per km² is not an area, and "min" alone may be a minimum.
    if end not in _UNITS or "per" in stem.split("_") or plain == "min":
        return plain, "", bound
    return plain if end in _KEPT else stem, _UNITS[end], bound


def _drop_bound(name: str) -> str:
    """Return the name of the value to which a bound belongs."""
    found = _BOUND.match(name)
    return found[1] + (found[3] or "") if found else name


def _word_stem(stem: str) -> list[str]:
    """Return the words of a name; a count is named after what it counts."""
    words = stem.removeprefix("n_").split("_")
    return [_WORDS.get(word, word) for word in words]


def _has_unit(values: pd.Series, unit: str) -> bool:
    """Return whether values can have the unit at the end of their column's name."""
    types = pd.api.types
    if types.is_bool_dtype(values.dtype) or not types.is_numeric_dtype(values.dtype):
        return False
    return unit != "%" or is_share(values)


def is_share(values: pd.Series) -> bool:
    """
    Return whether all values are shares.

    Parameters
    ----------
    values : pandas.Series
        Numbers.

    Returns
    -------
    bool
        Whether all of them are from 0 to 1.
    """
    known = _list_finite(values)
    # Sums of shares may exceed 1 by their rounding.
    return bool(((known >= 0) & (known <= 1 + 1e-9)).all())


def is_id(name: str) -> bool:
    """
    Return whether a column contains ids, which are neither grouped nor rounded.

    Parameters
    ----------
    name : str
        The name of the column.

    Returns
    -------
    bool
        Whether its name ends in ``id``, ``ids`` or ``year``.
    """
    return name.lower().rpartition("_")[2] in ("id", "ids", "year", "uuid", "fid")


def choose_decimals(values: pd.Series, unit: str) -> int:
    """
    Return the number of decimals with which a column is shown.

    Parameters
    ----------
    values : pandas.Series
        Numbers.
    unit : str
        Their unit; shares with the unit % are shown as percentages.

    Returns
    -------
    int
        As few as show all values exactly; at most those of the unit, or those that show three
        significant digits of the largest value.
    """
    known = _list_finite(values) * (_HUNDRED if unit == "%" else 1.0)
    if not known.size:
        return 0
    largest = float(np.abs(known).max())
    size = np.floor(np.log10(largest)) if largest else 0.0
    most = _DECIMALS.get(unit, int(np.clip(_SIGNIFICANT - 1 - size, 0, _MOST)))
    if unit in ("km", "km²") and largest >= _HUNDRED:
        most -= 1
    exact = (d for d in range(most) if np.allclose(known, known.round(d), rtol=0, atol=1e-9))
    return next(exact, most)


def _list_finite(values: pd.Series) -> NDArray[np.float64]:
    """Return the finite values of a column."""
    known = values.to_numpy(dtype=float, na_value=np.nan)
    return known[np.isfinite(known)]


def format_numbers(
    values: pd.Series, heading: Heading, places: int | None = None
) -> list[str | None]:
    """
    Return numbers as texts with the same decimals.

    Parameters
    ----------
    values : pandas.Series
        Numbers.
    heading : Heading
        Their heading; shares with the unit % become percentages.
    places : int, optional
        Number of decimals; by default as `choose_decimals`.

    Returns
    -------
    list
        Texts, None if missing. What rounding would make 0 or 100 % is a bound: ``"<0.1"``.
    """
    percent = heading.unit == "%"
    whole = pd.api.types.is_integer_dtype(values.dtype) and not percent
    if heading.is_id and whole:
        return [None if pd.isna(value) else str(value) for value in values]
    n = choose_decimals(values, heading.unit) if places is None else places
    # Whole numbers beyond 2^53 are not floats.
    found = values if whole else values.astype("Float64") * (_HUNDRED if percent else 1.0)
    return [
        None if pd.isna(value) else _format_number(value, n, "" if heading.is_id else ",", percent)
        for value in found
    ]


def _format_number(value: float, n: int, sign: str, percent: bool) -> str:  # noqa: FBT001
    """Return a number as text, or a bound for it."""
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    step, near = 10.0**-n, 1e-9
    if near < abs(value) < step / 2:
        return f"{'<' if value > 0 else '>-'}{step:.{n}f}"
    if percent and _HUNDRED - step / 2 <= value < _HUNDRED - near:
        return f">{_HUNDRED - step:.{n}f}"
    text = f"{value:{sign}.{n}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def format_times(values: pd.Series, heading: Heading) -> tuple[Heading, list[str | None]]:
    """
    Return times as texts: dates, or to the minute in UTC where they are not all midnight.

    Parameters
    ----------
    values : pandas.Series
        Times.
    heading : Heading
        Their heading.

    Returns
    -------
    tuple
        The heading, with UTC as unit of times with a zone, and texts; None if missing.
    """
    known, zoned = values.dropna(), values.dt.tz is not None
    utc = values.dt.tz_convert("UTC") if zoned else values
    dates = heading.words.startswith("Date") or bool((known == known.dt.normalize()).all())
    form = "%Y-%m-%d" if dates else "%Y-%m-%d %H:%M"
    texts = [None if pd.isna(time) else time.strftime(form) for time in utc]
    return heading._replace(unit="UTC" if zoned and not dates else ""), texts
