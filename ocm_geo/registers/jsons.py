"""Small helpers for registers in JSON: what is left over, and what was rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo.sources.records import Reject

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Excerpts", "other_fields"]

_encode = msgspec.json.Encoder().encode
_SHOWN = 200


class Excerpts:
    """Counts the records of a file, and keeps what was rejected."""

    def __init__(self) -> None:
        self.n_read = 0
        self.rejects: list[Reject] = []

    def reject(self, place: tuple[str, int], reason: str, record: object) -> None:
        """Note a record that is not used."""
        self.rejects.append(Reject(*place, None, reason, str(record)[:_SHOWN]))


def other_fields(record: dict[str, Any], used: Collection[str]) -> str | None:
    """
    Write the fields of a record that have no place in the schema as JSON.

    Parameters
    ----------
    record : dict
        The record.
    used : collection of str
        The fields that are read.

    Returns
    -------
    str or None
        A JSON object; None where nothing is left but nulls and empty lists.
    """
    rest = {k: v for k, v in record.items() if k not in used and v not in (None, "", [], {})}
    if not rest:
        return None
    try:
        return _encode(rest).decode()
    except (msgspec.EncodeError, UnicodeEncodeError, TypeError, RecursionError):
        return None
