"""Reference tables, and the ids of codes in them."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError, UnknownCode
from ocm_geo.reference.finding import (
    KINDS,
    describe_unknown,
    find_ids,
    list_codes,
    read_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "COLUMNS",
    "OPEN_ENDED",
    "TABLES",
    "ReferenceData",
    "bundled",
    "from_plain",
    "make_reference",
    "make_table",
]

COLUMNS: dict[str, dict[str, str]] = {
    "operators": {
        "title": "string",
        "website_url": "string",
        "is_private_individual": "boolean",
        "contact_email": "string",
        "phone": "string",
    },
    "connection_types": {
        "title": "string",
        "formal_name": "string",
        "is_discontinued": "boolean",
        "is_obsolete": "boolean",
    },
    "current_types": {"title": "string", "description": "string"},
    "levels": {"title": "string", "is_fast_charge_capable": "boolean", "comments": "string"},
    "usage_types": {
        "title": "string",
        "is_public": "boolean",
        "is_pay_at_location": "boolean",
        "is_membership_required": "boolean",
        "is_access_key_required": "boolean",
    },
    "status_types": {
        "title": "string",
        "is_operational": "boolean",
        "is_user_selectable": "boolean",
    },
    "submission_status_types": {"title": "string", "is_live": "boolean"},
    "comment_types": {"title": "string"},
    "checkin_status_types": {
        "title": "string",
        "is_positive": "boolean",
        "is_automated": "boolean",
    },
    "countries": {"title": "string", "iso_code": "string", "continent_code": "string"},
    "data_providers": {
        "title": "string",
        "license": "string",
        "is_open_data_licensed": "boolean",
        "is_restricted_edit": "boolean",
        "website_url": "string",
    },
}
"""The columns of every table with their types; the index is ``id``."""

TABLES = tuple(COLUMNS)

_SHOWN = 5

OPEN_ENDED = ("operators", "data_providers")
"""Tables that grow continuously: an id that is not in them may exist."""


@dataclass(frozen=True)
class ReferenceData:
    """
    The meaning of ids.

    Parameters
    ----------
    operators, connection_types, current_types, levels, usage_types : pandas.DataFrame
        One row for each id (index ``id``), ``title`` first; see `COLUMNS`.
    status_types, submission_status_types, comment_types, checkin_status_types : pandas.DataFrame
        Likewise.
    countries, data_providers : pandas.DataFrame
        Likewise; countries have ``iso_code``, providers ``is_open_data_licensed``, ``license``.
    date : str
        Date of the tables, ISO.
    origin : str
        Their origin.
    """

    operators: pd.DataFrame
    connection_types: pd.DataFrame
    current_types: pd.DataFrame
    levels: pd.DataFrame
    usage_types: pd.DataFrame
    status_types: pd.DataFrame
    submission_status_types: pd.DataFrame
    comment_types: pd.DataFrame
    checkin_status_types: pd.DataFrame
    countries: pd.DataFrame
    data_providers: pd.DataFrame
    date: str = ""
    origin: str = ""

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(self.table(name))} {name}" for name in TABLES)
        return f"ReferenceData({self.origin}, {self.date}: {sizes})"

    def table(self, name: str) -> pd.DataFrame:
        """
        Return a table by name.

        Parameters
        ----------
        name : str
            One of `TABLES`.

        Returns
        -------
        pandas.DataFrame
            The table.

        Raises
        ------
        QueryError
            If there is no such table.
        """
        if name not in COLUMNS:
            raise QueryError(f"there is no reference table {name!r}; there are {list(TABLES)}")
        found: pd.DataFrame = getattr(self, name)
        return found

    def titles(self, name: str) -> pd.Series[str]:
        """
        Return the titles of a table.

        Parameters
        ----------
        name : str
            One of `TABLES`.

        Returns
        -------
        pandas.Series
            Titles by id.
        """
        return self.table(name)["title"]

    def open_provider_ids(self) -> tuple[int, ...]:
        """
        Return the providers whose data are openly licensed.

        Returns
        -------
        tuple of int
            Ids, ascending.
        """
        is_open = self.data_providers["is_open_data_licensed"].fillna(value=False)
        return tuple(int(i) for i in self.data_providers.index[is_open.astype(bool)].sort_values())

    def resolve(self, table: str, value: int | str) -> int:
        """
        Return the only id that a code means.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        value : int or str
            Id or label; case and spaces are ignored. Countries also by ISO code of two or three
            letters or by a common name.

        Returns
        -------
        int
            The id.

        Raises
        ------
        QueryError
            If it is unknown (with similar ones), or means several.
        """
        found = self.resolve_all(table, [value])
        if len(found) > 1:
            raise QueryError(f"{value!r} means several {table}: {list(found)}; pass one id")
        return found[0]

    def resolve_all(self, table: str, values: Any) -> tuple[int, ...]:  # noqa: ANN401 - one or many
        """
        Return all ids that codes mean.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        values : int, str or iterable of them
            Ids or labels; ``"AC"`` means both alternating currents.

        Returns
        -------
        tuple of int
            Ids, ascending, each once.

        Raises
        ------
        QueryError
            If a code is unknown (with similar ones), or there is none.
        """
        listed = list_codes(table, values)
        found = sorted({i for value in listed for i in self._resolve_code(table, value)})
        unknown = [i for i in found if i not in self.table(table).index]
        if unknown:
            shown = ", ".join(map(str, unknown[:_SHOWN])) + ("…" if len(unknown) > _SHOWN else "")
            warnings.warn(
                f"{KINDS[table]} {shown} is not in the reference data of {self.date}",
                UnknownCode,
                stacklevel=2,
            )
        return tuple(found)

    def merged(self, other: ReferenceData) -> ReferenceData:
        """
        Return these tables updated with others.

        Parameters
        ----------
        other : ReferenceData
            The others; their values take precedence.

        Returns
        -------
        ReferenceData
            All rows of both, by id, with the other's date and origin.
        """
        tables = {}
        for name in TABLES:
            mine, theirs = self.table(name), other.table(name)
            kept = mine[~mine.index.isin(theirs.index)]
            # A value that the newer table lacks is kept: harvested rows have no access flag.
            newer = theirs.combine_first(mine.loc[mine.index.intersection(theirs.index)])
            both = pd.concat([kept, newer[list(COLUMNS[name])]]).sort_index()
            tables[name] = both.astype(COLUMNS[name])
        return make_reference(tables, date=other.date, origin=other.origin)

    def _resolve_code(self, table: str, value: object) -> tuple[int, ...]:
        """Return the ids that one code means."""
        number = read_id(value)
        if number is not None:
            return (self._check_known_id(table, number),)
        if not isinstance(value, str) or not value.strip():
            raise QueryError(f"{table}: {short_form(value)} is neither an id nor a label")
        if found := find_ids(self.table(table), table, value):
            return found
        raise QueryError(describe_unknown(self.table(table), table, value))

    def _check_known_id(self, table: str, value: int) -> int:
        """Return an id that the table contains, or may contain by now."""
        if value in self.table(table).index or table in OPEN_ENDED:
            return value
        known = [int(i) for i in self.table(table).index]
        near = sorted(known, key=lambda i: abs(i - value))[:3]
        names = ", ".join(f"{i} ({self.titles(table)[i]})" for i in near)
        raise QueryError(
            f"{KINDS[table]} {value} is not in the reference data of {self.date}; similar ids are "
            f"{names}"
        )


def make_table(name: str, rows: Mapping[int, dict[str, Any]]) -> pd.DataFrame:
    """
    Build a reference table.

    Parameters
    ----------
    name : str
        One of `TABLES`.
    rows : mapping
        Id to values by column; missing values stay missing.

    Returns
    -------
    pandas.DataFrame
        Index ``id``, ascending; the columns of `COLUMNS`.
    """
    ids = sorted(rows)
    index = pd.Index(ids, name="id", dtype="int64")
    columns = {
        column: pd.Series(
            [_convert_value(rows[i].get(column), dtype) for i in ids], index=index, dtype=dtype
        )
        for column, dtype in COLUMNS[name].items()
    }
    return pd.DataFrame(columns, index=index)


def from_plain(document: Mapping[str, Any]) -> ReferenceData:
    """
    Build reference data from the plain form of a snapshot.

    Parameters
    ----------
    document : mapping
        ``date``, ``origin`` and ``tables``: table name to id to values by column.

    Returns
    -------
    ReferenceData
        The tables.
    """
    tables = {
        name: make_table(name, {int(i): row for i, row in document["tables"].get(name, {}).items()})
        for name in TABLES
    }
    return make_reference(tables, date=document["date"], origin=document["origin"])


def make_reference(tables: dict[str, pd.DataFrame], *, date: str, origin: str) -> ReferenceData:
    """
    Build reference data from tables.

    Parameters
    ----------
    tables : dict
        All of `TABLES`.
    date : str
        ISO date.
    origin : str
        Their origin.

    Returns
    -------
    ReferenceData
        The tables.
    """
    facts: dict[str, Any] = {**tables, "date": date, "origin": origin}
    return ReferenceData(**facts)


@cache
def bundled() -> ReferenceData:
    """
    Return the snapshot bundled with the package: small, stable tables without operators.

    Returns
    -------
    ReferenceData
        The tables of `snapshot.json`, with their ``date``.
    """
    text = files("ocm_geo.reference").joinpath("snapshot.json").read_text(encoding="utf-8")
    snapshot = json.loads(text)
    return from_plain(snapshot)


def _convert_value(value: object, dtype: str) -> object:
    """Return a flag or a text without blanks; None for other values."""
    if dtype == "boolean":
        return value if isinstance(value, bool) else None
    text = value.strip() if isinstance(value, str) else None
    return text or None
