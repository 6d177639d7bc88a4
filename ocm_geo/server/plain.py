"""Plain JSON values as the API writes them."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from ocm_geo.sources.records import camel

__all__ = ["drop_nulls", "encode_plain", "plain_number", "rename_in_camel_case", "show_text"]

_spell = cache(camel)


def drop_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Leave out nulls of objects, however deep."""
    if isinstance(value, dict):
        return {key: drop_nulls(item) for key, item in value.items() if item is not None}
    return [drop_nulls(item) for item in value] if isinstance(value, list) else value


def rename_in_camel_case(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Spell the names of objects in camel case, however deep."""
    if isinstance(value, dict):
        return {_spell(key): rename_in_camel_case(item) for key, item in value.items()}
    return [rename_in_camel_case(item) for item in value] if isinstance(value, list) else value


def plain_number(value: float) -> float:
    """Return a whole number as one: the server writes no decimal then."""
    return int(value) if value == int(value) else value


def encode_plain(value: float) -> bytes:
    """Encode a number as the server does."""
    return msgspec.json.encode(plain_number(value))


def show_text(text: str) -> str:
    """Return a text of a request in quotes, the beginning of a long one."""
    longest = 40
    return repr(text if len(text) <= longest else text[:longest] + "…")
