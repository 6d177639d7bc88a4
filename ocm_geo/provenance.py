"""Record the provenance of every result: source, date, licence and question.

``table.attrs["ocm"]`` is plain JSON under 2 kB. pandas drops ``attrs`` in merges and the like;
our functions restore them with `carry`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

import shapely

from ocm_geo.checks import check_km

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ATTRS_KEY",
    "DEFAULT_WITHIN_KM",
    "MAX_BYTES",
    "NOT_RECORDED",
    "attach",
    "carry",
    "choose_within_km",
    "credit_line",
    "geometry_summary",
    "read_attrs",
]

ATTRS_KEY = "ocm"
MAX_BYTES = 2000
DEFAULT_WITHIN_KM = 5.0
"""Distance from a route within which stations count by default."""
NOT_RECORDED = "source not recorded"
"""The credit of a table without a recorded source: nobody is credited by guess."""

Frame = TypeVar("Frame", bound="pd.DataFrame | pd.Series[Any]")


def attach(table: Frame, **facts: Any) -> Frame:  # noqa: ANN401 - any plain JSON value
    """
    Add facts to the provenance of a table in place, and return the table.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    **facts : object
        Plain JSON values: ``source``, ``snapshot``, ``retrieved``, ``query``, ``attribution``,
        ``complete``, ...; None removes a fact.

    Returns
    -------
    pandas.DataFrame
        The same table.
    """
    merged = {k: v for k, v in {**read_attrs(table), **facts}.items() if v is not None}
    table.attrs[ATTRS_KEY] = _shorten_facts(merged)
    return table


def carry(result: Frame, origin: pd.DataFrame | pd.Series[Any], **facts: Any) -> Frame:  # noqa: ANN401
    """
    Copy the provenance of a table to a result, and return the result.

    Parameters
    ----------
    result : pandas.DataFrame
        The new table; changed in place.
    origin : pandas.DataFrame
        The table with the stations.
    **facts : object
        Facts to add, as for `attach`.

    Returns
    -------
    pandas.DataFrame
        The result.
    """
    result.attrs[ATTRS_KEY] = dict(read_attrs(origin))
    return attach(result, **facts)


def read_attrs(table: pd.DataFrame | pd.Series[Any]) -> dict[str, Any]:
    """
    Return the provenance of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table.

    Returns
    -------
    dict
        The facts; empty if there are none.
    """
    # An argument of a wrong type has none; it is checked where its type matters.
    facts = getattr(table, "attrs", {}).get(ATTRS_KEY)
    return dict(facts) if isinstance(facts, dict) else {}


def credit_line(*tables: pd.DataFrame | pd.Series[Any]) -> str:
    """
    Return the credit lines of tables.

    Parameters
    ----------
    *tables : pandas.DataFrame
        Any tables.

    Returns
    -------
    str
        The credit lines of all sources, each once; `NOT_RECORDED` for tables without one.
    """
    lines = [str(read_attrs(table).get("attribution") or NOT_RECORDED) for table in tables]
    return "; ".join(dict.fromkeys(lines)) or NOT_RECORDED


def choose_within_km(within_km: float | None, *tables: pd.DataFrame | pd.Series[Any]) -> float:
    """
    Return the distance from a route within which stations are analysed.

    Parameters
    ----------
    within_km : float or None
        The argument, which takes precedence.
    *tables : pandas.DataFrame
        Tables that may record the distance within which their stations were fetched or located.

    Returns
    -------
    float
        Kilometres: the argument, else the distance of the first table that records one, else
        `DEFAULT_WITHIN_KM`.

    Raises
    ------
    QueryError
        If the argument is not a distance.
    """
    if within_km is not None:
        return check_km(within_km, "within_km")
    for table in tables:
        facts = read_attrs(table)
        for step in ("located", "gaps", "query"):
            recorded = facts.get(step)
            if isinstance(recorded, dict) and isinstance(recorded.get("within_km"), int | float):
                return float(recorded["within_km"])
    return DEFAULT_WITHIN_KM


def geometry_summary(geometry: shapely.Geometry) -> dict[str, Any]:
    """
    Return the type, the box and a hash of a geometry.

    Parameters
    ----------
    geometry : shapely.Geometry
        A geometry in lon/lat.

    Returns
    -------
    dict
        ``type``, ``bbox`` (west, south, east, north) and ``sha256`` (first 16 hex digits of
        the hash of its little-endian WKB).
    """
    digest = hashlib.sha256(shapely.to_wkb(geometry, byte_order=1)).hexdigest()[:16]
    box = [round(float(v), 6) for v in geometry.bounds]
    return {"type": geometry.geom_type, "bbox": box, "sha256": digest}


def _shorten_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Cut the longest texts until all facts fit in `MAX_BYTES`."""
    while len(json.dumps(facts).encode()) > MAX_BYTES:
        longest = max(facts, key=lambda k: len(json.dumps(facts[k])))
        text = facts[longest]
        shorter = text[: len(text) // 2] + "…" if isinstance(text, str) else "(too long to keep)"
        if shorter == text:
            break
        facts = {**facts, longest: shorter}
    return facts
