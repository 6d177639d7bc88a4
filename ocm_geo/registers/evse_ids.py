"""EVSE ids of registers: in their normal form, with the repairs that are safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.evse_ids import normalise_evse_ids

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_evse_ids"]

_WITHOUT_E = r"^\s*([A-Za-z]{2})[*.\-]([A-Za-z0-9]{3})[*.\-]([A-Za-z0-9*.\-_]+)\s*$"
_SEVERAL = r"[;,|\s].*$"
_OPERATOR = 5


def read_evse_ids(raw: pa.Array) -> tuple[pa.Array, int]:
    """
    Read the EVSE ids of charging points.

    Parameters
    ----------
    raw : pyarrow.Array of string
        As recorded.

    Returns
    -------
    ids : pyarrow.Array of string
        In normal form; null for texts that are not EVSE ids. Of several ids in one text, the
        first.
    n_repaired : int
        Ids without their letter E that were given it, because another id of the same register has
        the same operator with it.
    """
    found = normalise_evse_ids(raw)
    rest = pc.and_(pc.is_null(found), pc.is_valid(raw))
    rows = pc.indices_nonzero(rest)
    if not len(rows):
        return found, 0
    first = pc.replace_substring_regex(pc.utf8_trim_whitespace(raw.take(rows)), _SEVERAL, "")
    several = normalise_evse_ids(first)
    known = pc.unique(pc.utf8_slice_codeunits(found.drop_null(), 0, _OPERATOR))
    mended = _insert_letter(first, known)
    n_repaired = len(mended) - mended.null_count
    return _replace_rows(found, rows.to_numpy(), pc.coalesce(several, mended)), n_repaired


def _insert_letter(texts: pa.Array, operators: pa.Array) -> pa.Array:
    """Return ids with the letter E put in, where their operator is known to have ids with it."""
    matches = pc.match_substring_regex(texts, _WITHOUT_E)
    operator = pc.utf8_upper(pc.replace_substring_regex(texts, _WITHOUT_E, r"\1\2"))
    safe = pc.and_(matches, pc.is_in(operator, operators))
    written = pc.replace_substring_regex(texts, _WITHOUT_E, r"\1\2E\3")
    return normalise_evse_ids(pc.if_else(safe, written, pa.scalar(None, pa.string())))


def _replace_rows(column: pa.Array, rows: NDArray[np.uint64], values: pa.Array) -> pa.Array:
    """Return a column with some rows replaced."""
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), values)
