"""The codes of each format and what they mean in Open Charge Map: tables, not conditions.

``codes/<format>.csv`` has a row a meaning: the field, the code as the format writes it, the id in
Open Charge Map, and what it is. A code with two rows means two connectors.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import KeysView

__all__ = ["Codes", "load_codes"]

UNKNOWN = 0
_CONNECTORS = ("connector", "unit", "connector_dc")
"""Fields in which Unknown is a loss, and not what the register says."""


class Codes:
    """
    The codes of one format.

    Parameters
    ----------
    table : dict
        The ids by field and folded code.
    """

    def __init__(self, table: dict[str, dict[str, tuple[int, ...]]]) -> None:
        self._table = table

    def find(self, field: str, code: object, unknown: Counter[str]) -> int | None:
        """
        Return the id that a code means.

        Parameters
        ----------
        field : str
            ``connector``, ``current``, ``status``, ``access``, ...
        code : object
            The code; case and blanks around it do not count.
        unknown : collections.Counter
            Counts codes without a counterpart; changed in place.

        Returns
        -------
        int or None
            The id; None for no code at all, 0 for one without a counterpart.
        """
        found = self.find_all(field, code, unknown)
        return found[0] if found else None

    def find_all(self, field: str, code: object, unknown: Counter[str]) -> tuple[int, ...]:
        """Return the ids of a code that may mean several connectors."""
        if code is None or code == "":
            return ()
        found = self._table.get(field, {}).get(str(code).strip().casefold())
        if found is None or (found == (UNKNOWN,) and field in _CONNECTORS):
            unknown[f"{field} {str(code).strip()[:40]}"] += 1
        return (UNKNOWN,) if found is None else found

    def map(self, field: str, texts: pa.Array, unknown: Counter[str]) -> pa.Array:
        """Return the ids of a column of codes."""
        coded = texts.dictionary_encode()
        found = [
            self._table.get(field, {}).get(t.strip().casefold())
            for t in coded.dictionary.to_pylist()
        ]
        for counted in coded.value_counts().to_pylist() if None in found else []:
            text = counted["values"]
            if text and text.strip().casefold() not in self._table.get(field, {}):
                unknown[f"{field} {text.strip()[:40]}"] += counted["counts"]
        ids = [UNKNOWN if known is None else known[0] for known in found]
        return pa.array(ids, pa.int64()).take(coded.indices)

    def names(self, field: str) -> KeysView[str]:
        """Return all codes of a field, folded."""
        return self._table.get(field, {}).keys()


@cache
def load_codes(kind: str) -> Codes:
    """
    Load the codes of a format.

    Parameters
    ----------
    kind : str
        The kind of register.

    Returns
    -------
    Codes
        Its table.
    """
    table: dict[str, dict[str, tuple[int, ...]]] = {}
    path = files("ocm_geo.registers") / "codes" / f"{kind}.csv"
    with path.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            ids = table.setdefault(row["field"], {})
            folded = row["code"].strip().casefold()
            ids[folded] = (*ids.get(folded, ()), int(row["id"]))
    return Codes(table)
