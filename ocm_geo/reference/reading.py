"""Read reference data from the API, bulk exports, verbose station records, or a folder."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocm_geo.errors import MalformedResponse
from ocm_geo.paths import write_whole
from ocm_geo.reference.tables import TABLES, ReferenceData, from_plain, make_reference, make_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FILE", "from_harvest", "from_json", "read", "write"]

_KEYS = {
    "operators": "operators",
    "connectiontypes": "connection_types",
    "currenttypes": "current_types",
    "chargertypes": "levels",
    "usagetypes": "usage_types",
    "statustypes": "status_types",
    "submissionstatustypes": "submission_status_types",
    "usercommenttypes": "comment_types",
    "checkinstatustypes": "checkin_status_types",
    "countries": "countries",
    "dataproviders": "data_providers",
}
_RENAMED = {
    "is_public_access": "is_public",
    "phone_primary_contact": "phone",
    "is_automated_checkin": "is_automated",
}
FILE = "reference.json"
"""The name of the file that `write` writes."""


def from_json(body: bytes, *, origin: str = "reference data", date: str = "") -> ReferenceData:
    """
    Read reference data from the API or a bulk export.

    Parameters
    ----------
    body : bytes
        JSON, names in any case, API or mongoexport style.
    origin : str
        Their origin.
    date : str
        ISO date; today by default.

    Returns
    -------
    ReferenceData
        The tables; those that are not in the body are empty.

    Raises
    ------
    MalformedResponse
        If it is not a JSON object with reference tables.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise MalformedResponse(f"the reference data are not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise MalformedResponse("the reference data are not a JSON object")
    found = {_KEYS[k.lower()]: v for k, v in document.items() if k.lower() in _KEYS}
    if not found:
        raise MalformedResponse(f"no reference tables among the keys {sorted(document)[:8]}")
    tables = {name: _collect_rows(found.get(name) or []) for name in TABLES}
    return _assemble_reference(tables, origin, date)


def from_harvest(
    harvest: Mapping[str, Mapping[int, Any]], *, origin: str = "station records", date: str = ""
) -> ReferenceData:
    """
    Build reference data from the objects inside verbose station records.

    Parameters
    ----------
    harvest : mapping
        Table name to id to raw object.
    origin : str
        Their origin.
    date : str
        ISO date; today by default.

    Returns
    -------
    ReferenceData
        The tables.
    """
    tables = {name: _collect_rows(harvest.get(name, {}).values()) for name in TABLES}
    return _assemble_reference(tables, origin, date)


def write(reference: ReferenceData, folder: str | Path) -> Path:
    """
    Write reference data into a folder.

    Parameters
    ----------
    reference : ReferenceData
        The tables.
    folder : path
        An existing folder.

    Returns
    -------
    pathlib.Path
        The file, ``reference.json``, in the format of the bundled snapshot.
    """
    tables = {name: _export_rows(reference, name) for name in TABLES}
    document = {"date": reference.date, "origin": reference.origin, "tables": tables}
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return write_whole(Path(folder) / FILE, text)


def read(folder: str | Path) -> ReferenceData:
    """
    Read reference data that `write` wrote.

    Parameters
    ----------
    folder : path
        The folder.

    Returns
    -------
    ReferenceData
        The tables.
    """
    document = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
    return from_plain(document)


def _export_rows(reference: ReferenceData, name: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a table as plain values by id."""
    table = reference.table(name)
    rows = table.astype(object).where(table.notna(), None).to_dict("index")
    return {str(i): {str(k): v for k, v in row.items() if v is not None} for i, row in rows.items()}


def _assemble_reference(
    tables: Mapping[str, dict[int, dict[str, Any]]], origin: str, date: str
) -> ReferenceData:
    """Build reference data from rows, dated today by default."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    made = {name: make_table(name, rows) for name, rows in tables.items()}
    return make_reference(made, date=date or today, origin=origin)


def _collect_rows(objects: Iterable[Any]) -> dict[int, dict[str, Any]]:
    """Return the objects that have an id; the first of repeated ids is kept."""
    rows: dict[int, dict[str, Any]] = {}
    for item in objects:
        if isinstance(item, dict):
            row = {_to_snake_case(key): value for key, value in item.items()}
            if type(row.get("id")) is int:
                rows.setdefault(row["id"], row)
    return rows


def _to_snake_case(key: str) -> str:
    """Convert ``IsOpenDataLicensed``, ``isoCode`` or ``WebsiteURL`` to snake case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", key)
    name = spaced.lower()
    return _RENAMED.get(name, name)
