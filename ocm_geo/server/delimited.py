"""Answers as CSV: the 28 columns of Open Charge Map."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ocm_geo.server.escaping import defuse_cell
from ocm_geo.server.records import RecordWriter

if TYPE_CHECKING:
    import datetime as dt

    from ocm_geo.server.choosing import Choice
    from ocm_geo.server.forms import Form
    from ocm_geo.server.lookups import Lookups
    from ocm_geo.server.store import Store

__all__ = ["encode_rows", "write_header"]

_COLUMNS = (
    *("ID", "UUID", " LocationTitle", "AddressLine1", "AddressLine2", "Town", "StateOrProvince"),
    *("Postcode", "Country", "Latitude", "Longitude", "Distance", "DistanceUnit"),
    *("Addr_ContactTelephone1", "Addr_ContactTelephone2", "Addr_ContactEmail"),
    *("Addr_AccessComments", "Addr_GeneralComments", "Addr_RelatedURL", "ConnectionType"),
    *("ChargerType", "UsageType", "NumberOfPoints", "GeneralComments", "DateLastConfirmed"),
    *("StatusType", "DateLastStatusUpdate", "DateCreated"),
)
_UNITS = ("0", "KM", "Miles")
_BOM = "\ufeff"


def write_header(*, is_exact: bool) -> bytes:
    """Write the header; Open Charge Map's has a space before the third name."""
    line = ",".join(_COLUMNS) + "\r\n"
    return (_BOM + (line.replace(" ", "") if is_exact else line)).encode()


def encode_rows(
    store: Store, lookups: Lookups, form: Form, *, choice: Choice, now: dt.datetime
) -> list[bytes]:
    """
    Encode stations as rows of CSV.

    Parameters
    ----------
    store : Store
        The stations.
    lookups : Lookups
        The objects that ids refer to.
    form : Form
        The form; compact leaves the names out.
    choice : Choice
        The stations.
    now : datetime.datetime
        The time of the request.

    Returns
    -------
    list of bytes
        A line each. In manner ``exact`` texts are quoted as RFC 4180 asks and no cell is run as
        a formula; in manner ``ocm`` quotes are deleted.
    """
    plain = replace(form, verbose=True, camel=False, with_comments=False)
    records = RecordWriter(store, lookups, plain, now).describe(choice)
    write = _write_exact_row if store.manner == "exact" else _write_ocm_row
    return [write(_list_cells(record, lookups, form)).encode() for record in records]


def _list_cells(record: dict[str, Any], lookups: Lookups, form: Form) -> list[Any]:
    """List the cells of a station; dates as texts of the API."""
    address = record["AddressInfo"]

    def name(table: str, code: int | None) -> str:
        return "" if form.compact else lookups.title(table, code)

    types = [name("connection_types", c["ConnectionTypeID"]) for c in record["Connections"]]
    return [
        *(record["ID"], record["UUID"], address["Title"], address["AddressLine1"]),
        *(address["AddressLine2"], address["Town"], address["StateOrProvince"]),
        *(address["Postcode"], name("countries", address["CountryID"]), address["Latitude"]),
        *(address["Longitude"], address["Distance"], _Word(_UNITS[address["DistanceUnit"]])),
        *(address["ContactTelephone1"], address["ContactTelephone2"], address["ContactEmail"]),
        *(address["AccessComments"], None, address["RelatedURL"]),
        "" if form.compact else "".join(f"{title}; " for title in types),
        *("", name("usage_types", record["UsageTypeID"]), record["NumberOfPoints"]),
        *(record["GeneralComments"], _Word(record["DateLastConfirmed"] or "")),
        name("status_types", record["StatusTypeID"]),
        *(_Word(record[key] or "") for key in ("DateLastStatusUpdate", "DateCreated")),
    ]


class _Word(str):
    """A text of ours, which needs no quotes."""

    __slots__ = ()


def _write_exact_row(cells: list[Any]) -> str:
    """Write a row that any reader takes apart as it was put together."""
    line = io.StringIO()
    told = [defuse_cell(cell.strip("; ")) if type(cell) is str else cell for cell in cells]
    csv.writer(line, lineterminator="\r\n").writerow(told)
    return line.getvalue()


def _write_ocm_row(cells: list[Any]) -> str:
    """Write a row as Open Charge Map does: quotes in texts are deleted, line feeds are spaces."""
    return ",".join(map(_write_ocm_cell, cells)) + "\n"


def _write_ocm_cell(cell: Any) -> str:  # noqa: ANN401 - a text, a number or None
    """Write a cell as Open Charge Map does: dates by month, texts without quotes inside."""
    if isinstance(cell, _Word):
        return f"{cell[5:7]}/{cell[8:10]}/{cell[:4]} {cell[11:19]}" if "T" in cell else str(cell)
    if isinstance(cell, str):
        return '"' + cell.replace('"', "").strip().replace("\n", " ") + '"'
    return "" if cell is None else str(cell)
