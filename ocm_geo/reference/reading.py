"""Reading reference data: the API's answer, bulk exports, what verbose rows hold, a folder."""

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
    Read reference data as the API or a bulk export gives them.

    Parameters
    ----------
    body : bytes
        JSON, names in any case, API or mongoexport style.
    origin : str
        Where it comes from.
    date : str
        ISO date; today by default.

    Returns
    -------
    ReferenceData
        The tables; those that are not in the body are empty.

    Raises
    ------
    MalformedResponse
        If it is no JSON object with reference tables.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise MalformedResponse(f"the reference data are no JSON: {error}") from error
    if not isinstance(document, dict):
        raise MalformedResponse("the reference data are no JSON object")
    found = {_KEYS[k.lower()]: v for k, v in document.items() if k.lower() in _KEYS}
    if not found:
        raise MalformedResponse(f"no reference tables among the keys {sorted(document)[:8]}")
    tables = {name: _rows(found.get(name) or []) for name in TABLES}
    return _made(tables, origin, date)


def from_harvest(
    harvest: Mapping[str, Mapping[int, Any]], *, origin: str = "station records", date: str = ""
) -> ReferenceData:
    """
    Make reference data of the objects that verbose station records hold.

    Parameters
    ----------
    harvest : mapping
        Table name to id to raw object.
    origin : str
        Where they come from.
    date : str
        ISO date; today by default.

    Returns
    -------
    ReferenceData
        The tables.
    """
    tables = {name: _rows(harvest.get(name, {}).values()) for name in TABLES}
    return _made(tables, origin, date)


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
        The file, ``reference.json``, in the form of the bundled snapshot.
    """
    tables = {name: _plain(reference, name) for name in TABLES}
    document = {"date": reference.date, "origin": reference.origin, "tables": tables}
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return write_whole(Path(folder) / FILE, text)


def read(folder: str | Path) -> ReferenceData:
    """
    Read what `write` wrote.

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


def _plain(reference: ReferenceData, name: str) -> dict[str, dict[str, Any]]:
    table = reference.table(name)
    rows = table.astype(object).where(table.notna(), None).to_dict("index")
    return {str(i): {str(k): v for k, v in row.items() if v is not None} for i, row in rows.items()}


def _made(tables: Mapping[str, dict[int, dict[str, Any]]], origin: str, date: str) -> ReferenceData:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    made = {name: make_table(name, rows) for name, rows in tables.items()}
    return make_reference(made, date=date or today, origin=origin)


def _rows(objects: Iterable[Any]) -> dict[int, dict[str, Any]]:
    """Take the objects that have an id; whatever else is wrong with one is its own loss."""
    rows: dict[int, dict[str, Any]] = {}
    for item in objects:
        if isinstance(item, dict):
            row = {_name(key): value for key, value in item.items()}
            if type(row.get("id")) is int:
                rows.setdefault(row["id"], row)
    return rows


def _name(key: str) -> str:
    """Turn ``IsOpenDataLicensed``, ``isoCode`` or ``WebsiteURL`` into our names."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", key)
    name = spaced.lower()
    return _RENAMED.get(name, name)
