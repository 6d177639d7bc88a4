"""Answers of the API in CSV: 28 columns, read into the records that they were made from."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from ocm_geo.reference import bundled
from ocm_geo.sources.lenient import read_record
from ocm_geo.sources.records import Records

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    from ocm_geo.sources.account import Account

__all__ = ["find_delimiter", "read_csv_answer"]

_AT_ONCE = 5000
_LONGEST_HEADER = 4096
_NEEDED = {"ID", "UUID", "LocationTitle", "Latitude", "Longitude", "ConnectionType"}
_ADDRESS = {
    "LocationTitle": "Title",
    "AddressLine1": "AddressLine1",
    "AddressLine2": "AddressLine2",
    "Town": "Town",
    "StateOrProvince": "StateOrProvince",
    "Postcode": "Postcode",
    "Addr_ContactTelephone1": "ContactTelephone1",
    "Addr_ContactTelephone2": "ContactTelephone2",
    "Addr_ContactEmail": "ContactEmail",
    "Addr_AccessComments": "AccessComments",
    "Addr_RelatedURL": "RelatedURL",
}
_DATES = ("DateLastConfirmed", "DateLastStatusUpdate", "DateCreated")
_DATE = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d))?\s*([AaPp][Mm])?)?"
)
_MONTHS = 12
_LACKS = (
    "an answer of the API in CSV: it has no powers, quantities, levels, operators, data providers, "
    "licences or submission status, so these are missing and every station counts as published; "
    "ask the API with output=json"
)


def find_delimiter(head: bytes) -> str | None:
    """
    Return whether a text is an answer of the API in CSV.

    Parameters
    ----------
    head : bytes
        The beginning of the text.

    Returns
    -------
    str or None
        What parts its columns; None if it is something else.
    """
    first = head[:_LONGEST_HEADER].split(b"\n", 1)[0].decode("utf-8", "replace")
    for mark in ",;\t":
        if {name.strip(' "\r') for name in first.split(mark)} >= _NEEDED:
            return mark
    return None


def _strip_names(header: Iterable[str]) -> list[str]:
    return [name.strip() for name in header]


def read_csv_answer(
    content: bytes, origin: str, delimiter: str, account: Account
) -> Iterator[Records]:
    """
    Read the records of an answer in CSV.

    Parameters
    ----------
    content : bytes
        The text.
    origin : str
        What the rejects name as their origin.
    delimiter : str
        What parts the columns.
    account : Account
        Takes what CSV leaves out, and whether the text ends too early.

    Yields
    ------
    Records
        Some records at a time; their positions are line numbers from 1.
    """
    account.notes.append(f"{origin} is {_LACKS}")
    text = _decode_csv(content)
    day_first = _find_date_order(text, delimiter)
    if day_first is None:
        account.notes.append(
            f"the dates of {origin} are written month first and day first: they are left out"
        )
    found = _iterate_rows(text, origin, delimiter, account)
    while rows := list(islice(found, _AT_ONCE)):
        records = Records()
        for line, row in rows:
            if isinstance(row, str):
                records.reject((origin, line), None, row, "")
            else:
                record = _make_record(row, delimiter, records.coerced, day_first=day_first)
                records.add([read_record(record, records.coerced)], [(origin, line)])
        yield records


def _decode_csv(data: bytes) -> str:
    """Decode UTF-8, or what a spreadsheet made of it."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _iterate_rows(
    text: str, origin: str, delimiter: str, account: Account
) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Read the rows as mappings, and those of a wrong length as the reason."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = _strip_names(next(reader))
    is_short = False
    try:
        for values in reader:
            if not values:
                continue
            is_short = len(values) < len(names)
            fits = len(values) == len(names)
            wrong = f"not as many columns as the header: {len(values)} for {len(names)}"
            yield reader.line_num, dict(zip(names, values, strict=True)) if fits else wrong
    except csv.Error as error:
        account.cut[origin] = f"cannot be read beyond line {reader.line_num} ({error})"
    if is_short:
        account.cut[origin] = "ends inside a row"


def _find_date_order(text: str, delimiter: str) -> bool | None:
    """Return whether days come first; None if both orders occur."""
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    days_first = months_first = False
    try:
        for row in reader:
            for match in (_DATE.match(str(row.get(name) or "").strip()) for name in _DATES):
                if match:
                    days_first |= int(match[1]) > _MONTHS or match[2] == "."
                    months_first |= int(match[3]) > _MONTHS
    except csv.Error:
        pass
    return None if days_first and months_first else days_first


def _make_record(
    row: dict[str, str], delimiter: str, coerced: Counter[str], *, day_first: bool | None
) -> dict[str, Any]:
    """Write a row as a record of the API."""
    texts = {name: value.strip() for name, value in row.items() if value.strip()}
    numbers = {
        name: _parse_csv_number(texts.get(name), delimiter)
        for name in ("ID", "Latitude", "Longitude", "NumberOfPoints")
    }
    address: dict[str, Any] = {key: texts.get(name) for name, key in _ADDRESS.items()}
    address |= {key: numbers[key] for key in ("Latitude", "Longitude")}
    address["CountryID"] = _find_id("countries", texts.get("Country"), coerced)
    dates = {name: _convert_date(texts.get(name), day_first=day_first) for name in _DATES}
    kinds = [title for title in texts.get("ConnectionType", "").split(";") if title.strip()]
    return {
        "ID": numbers["ID"],
        "UUID": texts.get("UUID"),
        "NumberOfPoints": numbers["NumberOfPoints"],
        "GeneralComments": texts.get("GeneralComments"),
        "UsageTypeID": _find_id("usage_types", texts.get("UsageType"), coerced),
        "StatusTypeID": _find_id("status_types", texts.get("StatusType"), coerced),
        **dates,
        "AddressInfo": address,
        "Connections": [
            {"ConnectionTypeID": _find_id("connection_types", title, coerced)} for title in kinds
        ],
    }


def _parse_csv_number(text: str | None, delimiter: str) -> float | str | None:
    """Read a number; with a decimal comma where commas do not part columns."""
    if text is None:
        return None
    try:
        return float(text if delimiter == "," else text.replace(",", "."))
    except ValueError:
        return text


def _convert_date(text: str | None, *, day_first: bool | None) -> str | None:
    """Return a date of CSV as ISO text; None where day and month cannot be told apart."""
    match = _DATE.fullmatch(text or "")
    if match is None:
        return text
    if day_first is None:
        return None
    first, _, second, year, hour, minute, second_of_minute, half = match.groups()
    day, month = (first, second) if day_first else (second, first)
    hours = int(hour or 0) % _MONTHS + _MONTHS * (half.lower() == "pm") if half else int(hour or 0)
    try:
        time = dt.datetime(int(year), int(month), int(day), hours, int(minute or 0),
                           int(second_of_minute or 0), tzinfo=dt.UTC)  # fmt: skip
    except ValueError:
        return text
    return time.isoformat()


@cache
def _load_ids_by_title(table: str) -> dict[str, int]:
    """Return the ids of a reference table by label."""
    titles = bundled().titles(table).dropna()
    folded = titles.astype(str).str.strip().str.casefold()
    return dict(zip(folded, titles.index.to_list(), strict=True))


def _find_id(table: str, title: str | None, coerced: Counter[str]) -> int | None:
    """Find the id of a label; count one that is not known."""
    if title is None:
        return None
    found = _load_ids_by_title(table).get(title.strip().casefold())
    if found is None:
        coerced[f"{table} (label)"] += 1
    return found
