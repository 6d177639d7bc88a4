"""Which columns of stations differ between two states of them.

What a server computes anew for each answer is not a change: whether a station was verified of late,
the key of a Mongo export, the reputation of a commentator. JSON is compared by what it says, not by
how it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.schema import STATION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Column = Callable[[str], pa.ChunkedArray]

__all__ = ["POSITION", "find_differences"]

POSITION = ("lon", "lat")
_VOLATILE = r'"(?:IsRecentlyVerified|isRecentlyVerified)":(?:true|false),?|"_id":\{[^{}]*\},?'
_REPUTATION = {"reputationpoints"}
_JSON = {column.name for column in STATION_COLUMNS if column.kind == "json"}


def find_differences(old: Column, new: Column) -> dict[str, NDArray[np.bool_]]:
    """
    Compare two states of the same stations, column by column.

    Parameters
    ----------
    old, new : callable
        Take the name of a column of `STATION_COLUMNS`, or ``lon`` or ``lat``, and return its
        values, one a station, the same stations in the same order.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        The columns in which at least one station differs, and which stations do.
    """
    found = {}
    for name in (*(column.name for column in STATION_COLUMNS[1:]), *POSITION):
        differs = _find_changed(name, old(name), new(name))
        if differs.any():
            found[name] = differs
    return found


def _find_changed(name: str, old: pa.ChunkedArray, new: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return where two columns differ; a missing value equals a missing one."""
    if name == "extra":
        old, new = _drop_volatile(old), _drop_volatile(new)
    both_missing = pc.and_(old.is_null(), new.is_null())
    same = pc.or_(pc.fill_null(pc.equal(old, new), False), both_missing)  # noqa: FBT003 - Arrow's
    differs = np.asarray(~same.to_numpy())
    if name in _JSON:
        for row in np.flatnonzero(differs):
            differs[row] = not _says_the_same(old[row].as_py(), new[row].as_py())
    return differs


def _drop_volatile(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Take out of the JSON of `extra` what says nothing of the station."""
    text = pc.replace_substring_regex(column, pattern=_VOLATILE, replacement="")
    text = pc.replace_substring(text, pattern=",}", replacement="}")
    return pc.if_else(pc.equal(text, "{}"), pa.scalar(None, pa.string()), text)


def _says_the_same(old: str | None, new: str | None) -> bool:
    """Compare two texts of JSON by their values; missing ones and empty lists are alike."""
    try:
        return bool(_read_meaning(old) == _read_meaning(new))
    except (msgspec.DecodeError, RecursionError):
        return False


def _read_meaning(text: str | None) -> Any:  # noqa: ANN401 - any JSON value
    return None if text is None else _drop_empty(msgspec.json.decode(text))


def _drop_empty(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Leave out nulls, and what changes without the station."""
    if isinstance(value, list):
        return [_drop_empty(item) for item in value] or None
    if isinstance(value, dict):
        kept = {k: _drop_empty(v) for k, v in value.items() if k.casefold() not in _REPUTATION}
        return {key: item for key, item in kept.items() if item is not None}
    return value
