"""Define every filter as data: one row, read by all code that filters, requests or documents.

To add a filter, add a row to `StationFilters`. The question and its masks, the requests to the
live API, the columns that a mirror reads, the options of the command line, the signatures and the
documentation follow from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeAlias, TypedDict, get_type_hints

import numpy as np
import pandas as pd

__all__ = ["FILTERS", "Codes", "Date", "Filter", "StationFilters", "columns_of"]

Codes: TypeAlias = int | str | Iterable[int] | Iterable[str] | Iterable[int | str]
Date: TypeAlias = str | dt.date | pd.Timestamp | np.datetime64
Kind: TypeAlias = Literal["codes", "power", "date", "flag", "count"]
Level: TypeAlias = Literal["station", "connection", "answer"]
Test: TypeAlias = Literal["in", ">=", "<=", "open", ""]


@dataclass(frozen=True)
class Filter:
    """
    A filter.

    Parameters
    ----------
    label : str
        Label of the control of a map.
    kind : {"codes", "power", "date", "flag", "count"}
        Kind of its value, which decides how it is checked. Codes are ids or labels of the
        reference table of the same name.
    level : {"station", "connection", "answer"}
        What must meet it. All filters on connections must be met by one and the same connection;
        filters of the answer do not select stations by their properties.
    meaning : str
        Its exact meaning: one or more sentences.
    test : {"in", ">=", "<=", "open", ""}
        How a value of the column is compared; a missing value never meets a filter.
    column : str
        The column of the station or connection table.
    api : str
        The parameter of the live API that narrows the answer without losing a station, if any.
    name : str
        The name of the argument.
    """

    label: str
    kind: Kind
    level: Level
    meaning: str
    test: Test = ""
    column: str = ""
    api: str = ""
    name: str = ""

    @property
    def default(self) -> bool | None:
        """Return the value that disables the filter."""
        return False if self.kind == "flag" and self.level == "answer" else None

    @property
    def option(self) -> str:
        """Return the option of the command line, which takes one code at a time."""
        name = self.name
        if self.kind == "codes":
            name = name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")
        return "--" + name.replace("_", "-")


class StationFilters(TypedDict, total=False):
    """
    The filters of every station question; all of them must be met.

    A missing value never matches a filter. Codes are ids or labels, one or several. None disables
    a filter; a missing value (NaN, NaT, ``pandas.NA``, an empty text) or an empty list is an
    error, never all stations.
    """

    countries: Annotated[
        Codes | None,
        Filter(
            "Country", "codes", "station",
            "ISO codes of two or three letters, names, or OCM's own country ids.",
            "in", "country_id", "countryid",
        ),
    ]  # fmt: skip
    operators: Annotated[
        Codes | None,
        Filter(
            "Operator", "codes", "station", "Who operates the station.",
            "in", "operator_id", "operatorid",
        ),
    ]  # fmt: skip
    connection_types: Annotated[
        Codes | None,
        Filter(
            "Connector", "codes", "connection",
            "Connectors; common names such as ``CCS``, ``Type 2`` or ``NACS`` mean all their ids.",
            "in", "connection_type_id", "connectiontypeid",
        ),
    ]  # fmt: skip
    current_types: Annotated[
        Codes | None,
        Filter(
            "Current", "codes", "connection", "Currents; ``AC`` means both alternating currents.",
            "in", "current_type_id",
        ),
    ]  # fmt: skip
    levels: Annotated[
        Codes | None,
        Filter("Level", "codes", "connection", "Charging levels, 1 to 3.", "in", "level_id"),
    ]
    usage_types: Annotated[
        Codes | None,
        Filter(
            "Access", "codes", "station", "Who may use the station.",
            "in", "usage_type_id", "usagetypeid",
        ),
    ]  # fmt: skip
    status_types: Annotated[
        Codes | None,
        Filter(
            "Status", "codes", "station", "Whether the station works.",
            "in", "status_type_id", "statustypeid",
        ),
    ]  # fmt: skip
    data_providers: Annotated[
        Codes | None,
        Filter(
            "Data provider", "codes", "station", "Who provided the record.",
            "in", "data_provider_id", "dataproviderid",
        ),
    ]  # fmt: skip
    min_power_kw: Annotated[
        float | None,
        Filter(
            "Minimum power", "power", "connection",
            "Minimum recorded power of one connection, inclusive, kW.", ">=", "power_kw",
        ),
    ]  # fmt: skip
    max_power_kw: Annotated[
        float | None,
        Filter(
            "Maximum power", "power", "connection",
            "Maximum recorded power of one connection, inclusive, kW.", "<=", "power_kw",
        ),
    ]  # fmt: skip
    open_data: Annotated[
        bool | None,
        Filter(
            "Open data", "flag", "station",
            "True: the provider's data are openly licensed; False: they are not, or it is unknown.",
            "open", "data_provider_id",
        ),
    ]  # fmt: skip
    modified_since: Annotated[
        Date | None,
        Filter(
            "Changed since", "date", "station",
            "Earliest ``date_last_status_update``, inclusive; text as ISO 8601, UTC by default.",
            ">=", "date_last_status_update", "modifiedsince",
        ),
    ]  # fmt: skip
    created_since: Annotated[
        Date | None,
        Filter(
            "Created since", "date", "station",
            "Earliest ``date_created``, inclusive; text as ISO 8601, UTC by default.",
            ">=", "date_created", "createdsince",
        ),
    ]  # fmt: skip
    max_results: Annotated[
        int | None,
        Filter(
            "At most", "count", "answer",
            "Keep only the first stations of the answer, and warn; None keeps all.",
        ),
    ]  # fmt: skip
    include_comments: Annotated[
        bool,
        Filter("Comments", "flag", "answer", "Keep user comments and photos."),
    ]
    allow_bulk: Annotated[
        bool,
        Filter(
            "Long questions", "flag", "answer",
            "Allow a question to the live API that needs more than 20 pages.",
        ),
    ]  # fmt: skip


def _read_filter_rows() -> dict[str, Filter]:
    """Read the rows from the annotations of `StationFilters`."""
    hints = get_type_hints(StationFilters, include_extras=True)
    return {name: replace(hint.__metadata__[0], name=name) for name, hint in hints.items()}


FILTERS: dict[str, Filter] = _read_filter_rows()
"""The rows of `StationFilters` by name."""


def columns_of(level: Level) -> list[str]:
    """
    Return the columns that filters use.

    Parameters
    ----------
    level : {"station", "connection"}
        The table.

    Returns
    -------
    list of str
        Names, each once.
    """
    names = [row.column for row in FILTERS.values() if row.level == level and row.column]
    return list(dict.fromkeys(names))
