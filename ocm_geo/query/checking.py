"""Check the values of filters once, and convert them to ids, numbers and UTC timestamps."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import check_power, check_whole, is_missing, short_form
from ocm_geo.errors import QueryError
from ocm_geo.query.filters import FILTERS, Filter
from ocm_geo.reference import bundled
from ocm_geo.reference.finding import list_codes, read_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ocm_geo.reference import ReferenceData

__all__ = ["check_filters", "list_filters"]

_OPEN_ENDED = ("operators", "data_providers")
_ISO = "an ISO 8601 date such as '2024-05-31'"


def list_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the filters that are set, with lists of codes.

    Parameters
    ----------
    filters : mapping
        As `StationFilters`.

    Returns
    -------
    dict
        Without filters that are None; an iterator is consumed once, here.

    Raises
    ------
    QueryError
        If a filter is unknown or a list is empty.
    """
    for name in filters:
        if name not in FILTERS:
            raise QueryError(f"unknown filter {name!r}: {_suggest_filter(name)}")
    return {
        name: list_codes(name, value) if FILTERS[name].kind == "codes" else value
        for name, value in filters.items()
        if value is not None
    }


def check_filters(filters: Mapping[str, Any], reference: ReferenceData) -> dict[str, Any]:
    """
    Check filters and replace codes by ids.

    Parameters
    ----------
    filters : mapping
        As `StationFilters`.
    reference : ReferenceData
        Reference data for the labels.

    Returns
    -------
    dict
        The filters that are set, with ids, floats, UTC timestamps and bools.

    Raises
    ------
    QueryError
        If a filter, a code or a value is invalid.
    """
    given = list_filters(filters)
    checked = {name: _check_value(FILTERS[name], v, reference) for name, v in given.items()}
    low, high = checked.get("min_power_kw"), checked.get("max_power_kw")
    if low is not None and high is not None and low > high:
        raise QueryError(f"min_power_kw={low:g} is greater than max_power_kw={high:g}")
    return checked


def _check_value(row: Filter, value: Any, reference: ReferenceData) -> Any:  # noqa: ANN401
    """Check the value of a filter by its kind."""
    match row.kind:
        case "codes":
            return _resolve_codes(row.name, value, reference)
        case "power":
            return check_power(value, row.name)
        case "date":
            return _check_date_filter(row.name, value)
        case "count":
            return check_whole(value, row.name)
    if not isinstance(value, bool | np.bool_):
        raise QueryError(f"{row.name} must be True or False, not {short_form(value)}")
    return bool(value)


def _resolve_codes(name: str, values: list[Any], reference: ReferenceData) -> tuple[int, ...]:
    """Return the ids of a list of codes."""
    ids = [read_id(value) for value in values]
    if name in _OPEN_ENDED and reference is bundled() and None not in ids:
        # The bundled snapshot has hardly any operators: it cannot tell which ids exist.
        return tuple(sorted({i for i in ids if i is not None}))
    return reference.resolve_all(name, values)


def _check_date_filter(name: str, value: Any) -> pd.Timestamp:  # noqa: ANN401 - checked here
    """Check a date; a text must be ISO 8601, because 01/06/2024 is ambiguous."""
    wrong = f"{name} must be {_ISO}, a date or a timestamp, not {short_form(value)}"
    if not isinstance(value, str | dt.date | np.datetime64) or is_missing(value):
        raise QueryError(wrong)
    try:
        instant = _parse_iso_date(value.strip()) if isinstance(value, str) else pd.Timestamp(value)
        return instant.tz_localize("UTC") if instant.tzinfo is None else instant.tz_convert("UTC")
    except (ValueError, TypeError, OverflowError) as error:
        raise QueryError(wrong) from error


def _parse_iso_date(text: str) -> pd.Timestamp:
    """Read an ISO 8601 date; a year or month means its first instant."""
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        text = (text + "-01-01")[: len("2024-01-01")]
    return pd.Timestamp(dt.datetime.fromisoformat(text))


def _suggest_filter(name: str) -> str:
    """Suggest the filter with the most similar name, or list all."""
    close = difflib.get_close_matches(name, FILTERS, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the filters are {', '.join(FILTERS)}"
