"""Provide the reference data of users' tables, which travel in the table itself.

The operators and the provider of such a table have ids made from their names, beyond all ids of
Open Charge Map, so that two tables agree on them. The names are in the column
``operator_reference`` and in the credit line, and survive any file format.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ocm_geo.provenance import read_attrs
from ocm_geo.reference.tables import ReferenceData, bundled, make_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OWN_SOURCE", "REGISTER_SOURCE", "own_id", "own_reference"]

OWN_SOURCE = "own table"
"""``attrs["ocm"]["source"]`` of a table made by a user."""
REGISTER_SOURCE = "register"
"""``attrs["ocm"]["source"]`` of a register that was read; its names travel in the same way."""

_FIRST = 10**12
_BYTES = 6


def own_id(name: str) -> int:
    """
    Return the id of an operator or provider without an id in Open Charge Map.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    int
        The same for the same name, and greater than any id of Open Charge Map.
    """
    digest = hashlib.blake2b(name.encode(), digest_size=_BYTES).digest()
    return _FIRST + int.from_bytes(digest, "big")


def own_reference(table: pd.DataFrame | pd.Series[Any]) -> ReferenceData:
    """
    Return the reference data of a table made by a user.

    Parameters
    ----------
    table : pandas.DataFrame
        A table with the columns ``operator_id`` and ``operator_reference``, or without operators.

    Returns
    -------
    ReferenceData
        The bundled tables, with the operators and the provider of the table.
    """
    facts = read_attrs(table)
    credit = str(facts.get("attribution", ""))
    provider = {"title": credit, "license": facts.get("licence")}
    added = make_table("data_providers", {own_id(credit): provider})
    known = replace(
        bundled(),
        data_providers=added,
        operators=make_table("operators", _read_operator_names(table)),
    )
    return bundled().merged(known)


def _read_operator_names(table: Any) -> dict[int, dict[str, Any]]:  # noqa: ANN401 - any table
    """Return the operators that a table names itself, by their id."""
    if "operator_id" not in table or "operator_reference" not in table:
        return {}
    pairs = table[["operator_id", "operator_reference"]].dropna().drop_duplicates()
    return {
        int(i): {"title": name}
        for i, name in pairs.itertuples(index=False, name=None)
        if i == own_id(name)
    }
