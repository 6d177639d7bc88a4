"""Find reference data through the provenance of a table, without passing them along.

A source registers its reference data under a short key and writes the key into
``attrs["ocm"]["reference"]``. The key is not a path: a table written to a file names no
folder of the machine it was made on. Read back elsewhere, it falls back to the bundled tables.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from ocm_geo.errors import OCMError
from ocm_geo.provenance import read_attrs
from ocm_geo.reference.own import OWN_SOURCE, REGISTER_SOURCE, own_reference
from ocm_geo.reference.tables import TABLES, ReferenceData, bundled

if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "REFERENCE_KEY",
    "find_reference",
    "reference_key",
    "reference_of",
    "register_reference",
]

REFERENCE_KEY = "reference"
"""The name under which the key is kept in ``attrs["ocm"]``."""

Loader: TypeAlias = Callable[[], ReferenceData]

_MOST = 64


@dataclass
class _Entry:
    load: Loader
    is_remote: bool
    data: ReferenceData | None = None


_entries: OrderedDict[str, _Entry] = OrderedDict()
_lock = threading.RLock()


def register_reference(
    key: str, reference: ReferenceData | Loader, *, is_remote: bool = False
) -> str:
    """
    Register reference data so that the tables of a source find them again.

    Parameters
    ----------
    key : str
        A short text that identifies the content: a checksum, or the address of a server.
    reference : ReferenceData or callable
        The tables, or a function that loads them when they are first needed.
    is_remote : bool
        Whether loading requests a server, which maps and figures never do.

    Returns
    -------
    str
        The key, to be written into the provenance under `REFERENCE_KEY`.
    """
    with _lock:
        if isinstance(reference, ReferenceData):
            _entries[key] = _Entry(lambda: reference, is_remote, reference)
        elif key not in _entries or _entries[key].data is None:
            _entries[key] = _Entry(reference, is_remote)
        _entries.move_to_end(key)
        while len(_entries) > _MOST:
            _entries.popitem(last=False)
    return key


def reference_key(reference: ReferenceData) -> str:
    """
    Return a key that identifies the content of reference data.

    Parameters
    ----------
    reference : ReferenceData
        The tables.

    Returns
    -------
    str
        16 hexadecimal digits of a checksum.
    """
    digest = hashlib.sha256()
    for name in TABLES:
        table = reference.table(name)
        digest.update(pd.util.hash_pandas_object(table.astype("string")).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def find_reference(key: object, *, ask: bool = True) -> ReferenceData | None:
    """
    Return registered reference data.

    Parameters
    ----------
    key : object
        The key.
    ask : bool
        Whether a server may be requested.

    Returns
    -------
    ReferenceData or None
        The tables; None if the key is not registered in this process, or their
        server may not be requested.
    """
    with _lock:
        entry = _entries.get(key) if isinstance(key, str) else None
    if entry is None or (entry.data is None and entry.is_remote and not ask):
        return None
    if entry.data is None:
        entry.data = entry.load()
    return entry.data


def reference_of(table: pd.DataFrame | pd.Series[Any], *, ask: bool = True) -> ReferenceData:
    """
    Return the reference data of the source that a table came from.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table with the provenance of a source.
    ask : bool
        Whether a server may be requested; False for maps and figures.

    Returns
    -------
    ReferenceData
        The tables; the bundled ones for a table without provenance, or if those of its source
        are not available (a table written on another machine, a deleted snapshot).
    """
    facts = read_attrs(table)
    try:
        found = find_reference(facts.get(REFERENCE_KEY), ask=ask)
    except (OCMError, OSError):
        # The labels of the bundled tables are right but incomplete; a missing label warns where it
        # is used.
        found = None
    if found is not None:
        return found
    names_itself = facts.get("source") in (OWN_SOURCE, REGISTER_SOURCE)
    return own_reference(table) if names_itself else bundled()
