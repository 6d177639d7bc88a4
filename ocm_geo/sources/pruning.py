"""The JSON that is kept as text: Open Charge Map's own keys, without what says nothing.

Comments, photos, metadata values and whatever else a record holds are kept as compact JSON.
The same site looks the same there whether it came verbose or compact, from the API or from
the Mongo export.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ocm_geo.settings import current, name_limit
from ocm_geo.sources.records import ADDRESS_FIELDS, CONNECTION_FIELDS, POI_FIELDS, camel

__all__ = [
    "compact",
    "has_slow_numbers",
    "lenient_decoder",
    "name_deep",
    "prune_members",
    "pruned",
    "reference_object",
    "spelled",
    "storable",
]

_LONGEST_NUMBER = 300
_LONG_TEXT = 4096
_SLOW_NUMBER = re.compile(rb"[0-9][eE](?:\+?30[0-9]|-3[0-2][0-9])")

OTHER_KEYS = (
    *("ISOCode", "ContinentCode", "WebsiteURL", "DataProviderStatusType", "IsProviderEnabled"),
    *("IsRestrictedEdit", "IsOpenDataLicensed", "IsApprovedImport", "License", "Description"),
    *("DateLastImported", "PhonePrimaryContact", "PhoneSecondaryContact", "IsPrivateIndividual"),
    *("BookingURL", "FaultReportEmail", "IsPayAtLocation", "IsMembershipRequired", "FormalName"),
    *("IsAccessKeyRequired", "IsOperational", "IsUserSelectable", "IsLive", "IsDiscontinued"),
    *("IsObsolete", "IsFastChargeCapable", "ChargePointID", "CommentTypeID", "CommentType"),
    *("UserName", "Username", "Comment", "Rating", "User", "CheckinStatusTypeID"),
    *("CheckinStatusType", "IsActionedByEditor", "IsPositive", "IsAutomatedCheckin", "ItemURL"),
    *("ItemThumbnailURL", "IsEnabled", "IsVideo", "IsFeaturedItem", "IsExternalResource"),
    *("MetadataValue", "ReputationPoints", "ProfileImageURL", "MetadataFieldID", "ItemValue"),
    *("MetadataFieldOption", "MetadataFieldOptionID"),
)
"""Keys that stand only inside the objects kept as JSON."""

_FIELDS = (*POI_FIELDS, *ADDRESS_FIELDS, *CONNECTION_FIELDS)
_SPELLING = {camel(key): key for key in (*OTHER_KEYS, *(f.key for f in _FIELDS))}
_REFERENCES = {"CommentType", "CheckinStatusType"} | {
    f.key for f in _FIELDS if f.kind == "reference"
}
_DROPPED = frozenset(_REFERENCES | set(map(camel, _REFERENCES)))
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode


def compact(raw: msgspec.Raw) -> str | None:
    """
    Shorten the JSON of comments, photos or metadata values.

    Parameters
    ----------
    raw : msgspec.Raw
        The value as it stood in the record.

    Returns
    -------
    str or None
        Compact JSON as `pruned` leaves it; None if nothing is left.

    Raises
    ------
    RecursionError
        If it is nested too deeply.
    """
    value = pruned(_decode_plain(raw))
    return None if value is None else _encode(value).decode()


def reference_object(raw: msgspec.Raw) -> dict[str, Any] | None:
    """
    Decode a reference object.

    Parameters
    ----------
    raw : msgspec.Raw
        The value as it stood in the record.

    Returns
    -------
    dict or None
        Its fields under Open Charge Map's own keys, nulls included; None if it is not an object
        with an id.
    """
    try:
        value = spelled(_decode_plain(raw))
    except RecursionError:
        return None
    usable = isinstance(value, dict) and type(value.get("ID")) is int
    return value if usable else None


def has_slow_numbers(text: bytes | msgspec.Raw) -> bool:
    """
    Return whether msgspec may take very long for a text, because of the numbers in it.

    Parameters
    ----------
    text : bytes or msgspec.Raw
        Its JSON.

    Returns
    -------
    bool
        True for a long text with a number near the ends of what a float can be: msgspec takes
        30 times as long for it as the standard library, a minute for a record of them.
    """
    # A short text of them costs little, and the search would cost all others something.
    return len(text) > _LONG_TEXT and _SLOW_NUMBER.search(bytes(text)) is not None


def _decode_plain(raw: msgspec.Raw) -> Any:  # noqa: ANN401 - any JSON value
    """Decode JSON, leniently where strict JSON refuses it or is slow."""
    if has_slow_numbers(raw):
        return lenient_decoder.decode(bytes(raw).decode("utf-8", "replace"))
    try:
        return msgspec.json.decode(raw)
    except (UnicodeDecodeError, msgspec.DecodeError):
        return lenient_decoder.decode(bytes(raw).decode("utf-8", "replace"))


def pruned(value: Any, levels: int | None = None) -> Any:  # noqa: ANN401 - any JSON value
    """
    Leave out nulls, empty texts, lists and objects, and reference objects.

    Parameters
    ----------
    value : object
        A decoded JSON value.
    levels : int, optional
        How many levels it may have; ``max_nesting`` of the settings by default.

    Returns
    -------
    object
        What is left, with keys as Open Charge Map spells them, texts stripped and Mongo's
        dates as ISO texts; None if nothing is.

    Raises
    ------
    RecursionError
        If it is nested too deeply.
    """
    levels = current().max_nesting if levels is None else levels
    if levels < 0:
        raise RecursionError("nested too deeply")
    kind = type(value)
    if kind is str:
        return storable(value).strip() or None
    if kind is dict:
        return (
            _format_iso(value["$date"])
            if list(value) == ["$date"]
            else prune_members(value, levels)
        )
    if kind is list:
        return [kept for item in value if (kept := pruned(item, levels - 1)) is not None] or None
    return _check_json_number(value)


def prune_members(value: dict[str, Any], levels: int | None = None) -> dict[str, Any] | None:
    """
    Do to the members of an object what `pruned` does to a value.

    Parameters
    ----------
    value : dict
        A decoded JSON object.
    levels : int, optional
        As of `pruned`.

    Returns
    -------
    dict or None
        What is left; None if nothing is.
    """
    levels = current().max_nesting if levels is None else levels
    items = {
        _SPELLING.get(key) or storable(key): kept
        for key, item in value.items()
        if item is not None
        and key not in _DROPPED
        and (kept := pruned(item, levels - 1)) is not None
    }
    return items or None


def name_deep(column: str) -> str:
    """
    Name the values of a column that are lost because they are nested too deeply.

    Parameters
    ----------
    column : str
        The column.

    Returns
    -------
    str
        What reports call them.
    """
    return f"{column}, deeper than {name_limit('max_nesting')}"


def _check_json_number(value: Any) -> Any:  # noqa: ANN401 - a number or bool
    """Return a number that JSON and its readers can hold; None for NaN and infinities."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value) if abs(value) < 10**300 else math.inf
    return None if isinstance(value, float) and not math.isfinite(value) else value


def spelled(value: Any, levels: int | None = None) -> Any:  # noqa: ANN401 - any JSON value
    """
    Spell keys as Open Charge Map does, and keep everything.

    Parameters
    ----------
    value : object
        A decoded JSON value.
    levels : int, optional
        How many levels it may have; ``max_nesting`` of the settings by default.

    Returns
    -------
    object
        The same, with Mongo's dates as ISO texts.

    Raises
    ------
    RecursionError
        If it is nested too deeply.
    """
    levels = current().max_nesting if levels is None else levels
    if levels < 0:
        raise RecursionError("nested too deeply")
    if isinstance(value, dict):
        if list(value) == ["$date"]:
            return _format_iso(value["$date"])
        return {_SPELLING.get(k, storable(k)): spelled(v, levels - 1) for k, v in value.items()}
    if isinstance(value, list):
        return [spelled(item, levels - 1) for item in value]
    return storable(value) if isinstance(value, str) else _check_json_number(value)


def _read_integer(text: str) -> float:
    """Read a whole number; one that no float can hold is infinite, and missing later."""
    return int(text) if len(text) < _LONGEST_NUMBER else math.copysign(math.inf, -(text[0] == "-"))


lenient_decoder = json.JSONDecoder(strict=False, parse_int=_read_integer)
"""Takes control characters in texts, NaN, infinities and numbers of any length."""


def storable(text: str) -> str:
    """
    Make a text that Parquet and GeoPackage can hold.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text without NUL characters, lone surrogates replaced by U+FFFD.
    """
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(lambda m: "" if m[0] == "\x00" else "\N{REPLACEMENT CHARACTER}", text)


def _format_iso(date: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Write milliseconds since 1970 as ISO text; a text is one already."""
    if type(date) is not int:
        return (storable(date).strip() or None) if isinstance(date, str) else None
    try:
        moment = _EPOCH + timedelta(milliseconds=date)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
