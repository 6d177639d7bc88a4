"""Values read as Open Charge Map's server reads them: .NET's TryParse, and no complaint.

What cannot be read is None, as if it had not been given. Only the manner ``ocm`` uses this.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TypeAlias

__all__ = [
    "Points",
    "decode_polyline",
    "parse_bool",
    "parse_date",
    "parse_double",
    "parse_int",
    "parse_ints",
    "parse_nullable_bool",
    "parse_points",
]

Points: TypeAlias = list[tuple[float, float]]
"""Latitudes and longitudes, degrees."""

_INT = re.compile(r"\s*([+-]?\d+)\s*", re.ASCII)
_DOUBLE = re.compile(r"\s*([+-]?(?:\d[\d,]*)?(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*", re.ASCII)
_US_DATE = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.ASCII
)
_INT_MAX = 2**31 - 1
_OFFSET = 63
_CHUNK_BITS = 5
_PRECISION = 1e5
_WORD = 0xFFFFFFFF


def parse_int(text: str | None) -> int | None:
    """Read a whole number of 32 bits; ``12.0`` and ``1e3`` are none."""
    found = _INT.fullmatch(text or "")
    value = int(found[1]) if found and len(found[1]) < 12 else None  # noqa: PLR2004 - 32 bits
    return value if value is not None and -_INT_MAX - 1 <= value <= _INT_MAX else None


def parse_double(text: str | None) -> float | None:
    """Read a number; commas are thousands separators, wherever they stand: ``51,5`` is 515."""
    found = _DOUBLE.fullmatch(text or "")
    try:
        value = float(found[1].replace(",", "")) if found else None
    except ValueError:
        return None
    return value if value is not None and abs(value) != float("inf") else None


def parse_ints(text: str | None) -> list[int] | None:
    """Read a list; items that are no numbers are dropped, and an empty list does not filter."""
    values = [parse_int(item) for item in (text or "").split(",")]
    return [value for value in values if value is not None] or None


def parse_bool(text: str | None, *, default: bool) -> bool:
    """Read a flag: anything that is not ``true`` is False."""
    return default if text is None else text.strip().lower() == "true"


def parse_nullable_bool(text: str | None) -> bool | None:
    """Read a flag that may be left out: anything but ``true`` and ``false`` leaves it out."""
    return {"true": True, "false": False}.get((text or "").strip().lower())


def parse_date(text: str | None) -> dt.datetime | None:
    """Read a date as the invariant culture does: ISO 8601, or month/day/year."""
    given = (text or "").strip()
    try:
        if found := _US_DATE.fullmatch(given):
            month, day, year, hour, minute, second = (int(part or 0) for part in found.groups())
            moment = dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
        else:
            moment = dt.datetime.fromisoformat(given)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def parse_points(text: str | None) -> Points:
    """
    Read points: ``(lat,lng),(lat,lng)``, else an encoded polyline.

    Parameters
    ----------
    text : str, optional
        The parameter.

    Returns
    -------
    list of tuple of float
        What could be read: a list of pairs ends before the first one that cannot be.
    """
    given = text or ""
    if not (given.startswith("(") and given.endswith(")")):
        return decode_polyline(given)
    points: Points = []
    for pair in given[1:-1].replace(" ", "").split("),("):
        numbers = [parse_double(part) for part in pair.split(",")]
        if len(numbers) != 2 or None in numbers:  # noqa: PLR2004 - latitude and longitude
            break
        lat, lon = (number or 0.0 for number in numbers)
        points.append((min(max(lat, -90.0), 90.0), min(max(lon, -180.0), 180.0)))
    return points


def decode_polyline(text: str) -> Points:
    """
    Decode a polyline of precision 5, whatever the text is.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of tuple of float
        Points; one that is cut short at the end is left out, other text gives nonsense.
    """
    numbers, value, shift = [], 0, 0
    for sign in text:
        chunk = ord(sign) - _OFFSET
        value |= ((chunk & 31) << shift) & _WORD
        shift += _CHUNK_BITS
        if chunk < 32:  # noqa: PLR2004 - the last chunk of a number
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value, shift = 0, 0
    lat, lon, points = 0, 0, []
    for d_lat, d_lon in zip(numbers[::2], numbers[1::2], strict=False):
        lat, lon = lat + d_lat, lon + d_lon
        points.append((lat / _PRECISION, lon / _PRECISION))
    return points
