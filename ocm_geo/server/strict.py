"""Parameters read exactly: what cannot be meant is an error that says so."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
from typing import TYPE_CHECKING, Any

from ocm_geo.errors import QueryError
from ocm_geo.server.dotnet import decode_polyline
from ocm_geo.server.parameters import INT_MAX, NOT_OFFERED, PARAMETERS, READ_AS, Parameter
from ocm_geo.server.plain import show_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ocm_geo.server.dotnet import Points

__all__ = ["read_strictly"]

_WHOLE = re.compile(r"[+-]?\d{1,16}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_PAIRS = re.compile(r"\(([^()]*)\)(?:\s*,\s*\(([^()]*)\))*")
_LISTS = ("wholes", "texts")
_HARMLESS = ("_", "v", "action", "format", "apikey")
"""Names that clients add and that choose no station: a cache breaker, and parts of the address."""


def read_strictly(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """
    Read the parameters of a request.

    Parameters
    ----------
    pairs : iterable of tuple of str
        Names in any case, and values; an empty value counts as not given.

    Returns
    -------
    dict
        Values by the name of the parameter, only those that were given.

    Raises
    ------
    QueryError
        If a name is unknown or repeated, or a value is not what the parameter takes.
    """
    texts: dict[str, str] = {}
    for name, text in pairs:
        folded = name.lower()
        if folded in _HARMLESS or not text.strip():
            continue
        row = _find_parameter(folded)
        if row.name in texts and row.kind not in _LISTS:
            raise QueryError(f"{row.name} is given more than once: give it once")
        texts[row.name] = f"{texts[row.name]},{text}" if row.name in texts else text
    return {
        name: _READERS[PARAMETERS[name].kind](PARAMETERS[name], text)
        for name, text in texts.items()
    }


def _find_parameter(name: str) -> Parameter:
    """Find the parameter of a name."""
    if name in NOT_OFFERED:
        raise QueryError(f"{name} has no effect in Open Charge Map: leave it out")
    if name not in READ_AS:
        close = difflib.get_close_matches(name, READ_AS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see /v3/openapi"
        raise QueryError(f"there is no parameter {show_text(name)}: {hint}")
    return PARAMETERS[READ_AS[name]]


def _check_range(row: Parameter, value: float) -> None:
    """Check that a number lies in the range of its parameter."""
    low = -math.inf if row.low is None else row.low
    high = math.inf if row.high is None else row.high
    if not low <= value <= high:
        raise QueryError(f"{row.name} must be from {low:g} to {high:g}, not {value:g}")


def _read_whole(row: Parameter, text: str) -> int:
    """Read a whole number: of 32 bits unless the parameter has its own range."""
    found = _WHOLE.fullmatch(text.strip())
    if found is None or abs(int(found[0])) > max(row.high or 0, INT_MAX):
        raise QueryError(f"{row.name} must be a whole number, not {show_text(text)}")
    _check_range(row, int(found[0]))
    return int(found[0])


def _read_float(row: Parameter, text: str) -> float:
    """Read a finite number."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None or not math.isfinite(value := float(found[0])):
        raise QueryError(f"{row.name} must be a number with a decimal point, not {show_text(text)}")
    _check_range(row, value)
    if row.name == "distance" and value <= 0:
        raise QueryError(f"distance must be above 0, not {value:g}")
    return value


def _read_truth(row: Parameter, text: str) -> bool:
    """Read ``true`` or ``false``; Open Charge Map takes ``1`` for false, so that is an error."""
    found = {"true": True, "false": False}.get(text.strip().lower())
    if found is None:
        raise QueryError(f"{row.name} must be true or false, not {show_text(text)}")
    return found


def _read_choice(row: Parameter, text: str) -> str:
    """Read one of several words."""
    found = text.strip().lower()
    if found not in row.choices:
        raise QueryError(
            f"{row.name} must be one of {', '.join(row.choices)}, not {show_text(text)}"
        )
    return found


def _read_moment(row: Parameter, text: str) -> dt.datetime:
    """Read an ISO 8601 date; UTC where it names no zone."""
    try:
        moment = dt.datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(
            f"{row.name} must be an ISO 8601 date such as 2024-05-31T09:30Z, not "
            f"{show_text(text)}; in an address + must be written as %2B"
        ) from error


def _read_points(row: Parameter, text: str) -> Points:
    """Read pairs or an encoded polyline, on Earth."""
    text = text.strip()
    if text.startswith("("):
        points = _read_pairs(row, text)
    elif any(not 63 <= ord(sign) <= 126 for sign in text):  # noqa: PLR2004 - the alphabet
        raise QueryError(
            f"{row.name} must be (lat,lng),(lat,lng),... or an encoded polyline (percent-encoded "
            f"in the address), not {show_text(text)}"
        )
    else:
        points = decode_polyline(text)
    for lat, lon in points:
        if not (abs(lat) <= 90 and abs(lon) <= 180):  # noqa: PLR2004 - the Earth
            raise QueryError(
                f"{row.name}: ({lat:g},{lon:g}) is not on Earth: points are (latitude,longitude), "
                "and encoded polylines have precision 5"
            )
    return points


def _read_pairs(row: Parameter, text: str) -> Points:
    """Read points in the form ``(lat,lng),(lat,lng)``."""
    if _PAIRS.fullmatch(text) is None:
        raise QueryError(f"{row.name} must be (lat,lng),(lat,lng),..., not {show_text(text)}")
    points = []
    for pair in re.findall(r"\(([^()]*)\)", text):
        numbers = [_NUMBER.fullmatch(part.strip()) for part in pair.split(",")]
        if len(numbers) != 2 or not all(numbers):  # noqa: PLR2004 - latitude and longitude
            raise QueryError(f"{row.name}: ({pair}) is not (latitude,longitude)")
        lat, lon = (float(number[0]) for number in numbers if number)
        points.append((lat, lon))
    return points


def _read_wholes(row: Parameter, text: str) -> tuple[int, ...]:
    """Read whole numbers separated by commas."""
    return tuple(_read_whole(row, item) for item in text.split(","))


def _read_texts(row: Parameter, text: str) -> tuple[str, ...]:
    """Read texts separated by commas."""
    del row
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _read_text(row: Parameter, text: str) -> str:
    """Read a text."""
    del row
    return text.strip()


_READERS: dict[str, Callable[[Parameter, str], Any]] = {
    "text": _read_text,
    "texts": _read_texts,
    "whole": _read_whole,
    "wholes": _read_wholes,
    "number": _read_float,
    "truth": _read_truth,
    "choice": _read_choice,
    "date": _read_moment,
    "points": _read_points,
}
