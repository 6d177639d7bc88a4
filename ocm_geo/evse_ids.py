"""Normalise EVSE ids (eMI3, ISO 15118-2), which are written in many ways."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.reference.tables import bundled

__all__ = ["normalise_evse_ids"]

_FORM = r"^[A-Z]{2}[A-Z0-9]{3}E[A-Z0-9]{1,31}$"
_UUID = r"(?i)^[0-9a-f]{8}-[0-9a-f]{4}-"
_SEPARATORS = r"[*\-._\s]"


def normalise_evse_ids(texts: pa.Array) -> pa.Array:
    """
    Return the EVSE ids among texts in their normal form.

    Parameters
    ----------
    texts : pyarrow.Array of string
        Texts as recorded, such as ``nl*GFX*EPP004046*2``.

    Returns
    -------
    pyarrow.Array of string
        Upper case without separators, such as ``NLGFXEPP0040462``; null for texts that are not EVSE
        ids: an existing country code, three letters or digits of the operator, ``E``, and up to 31
        letters or digits. A UUID is not one, even if it has that form.
    """
    given = pc.indices_nonzero(texts.is_valid())
    found = _normalise_texts(texts.take(given))
    is_id = found.is_valid()
    if not pc.any(is_id).as_py():
        return pa.nulls(len(texts), pa.string())
    # Few texts are EVSE ids: only those are expanded to all positions.
    positions = np.full(len(texts), -1)
    positions[given.to_numpy()] = np.arange(len(given))
    return found.take(pa.array(positions, mask=positions < 0))


def _normalise_texts(texts: pa.Array) -> pa.Array:
    """Return the normal form of non-null texts; null if a text is not an id."""
    plain = pc.replace_substring_regex(pc.utf8_upper(texts), _SEPARATORS, "")
    is_id = pc.and_(
        pc.match_substring_regex(plain, _FORM),
        pc.invert(pc.match_substring_regex(texts, _UUID)),
    )
    is_id = pc.and_(is_id, pc.is_in(pc.utf8_slice_codeunits(plain, 0, 2), _list_country_codes()))
    return pc.if_else(is_id, plain, pa.scalar(None, pa.string()))


@cache
def _list_country_codes() -> pa.Array:
    """Return the country codes of two letters."""
    codes = bundled().countries["iso_code"].dropna()
    return pa.array([code.upper() for code in codes if re.fullmatch("[A-Za-z]{2}", code)])
