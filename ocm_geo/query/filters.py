"""Which stations: the filters, documented and checked once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.reference import bundled

if TYPE_CHECKING:
    import datetime as dt

    from ocm_geo.reference import ReferenceData

__all__ = ["CODED", "Codes", "StationFilters", "check_filters"]

Codes: TypeAlias = int | str | Sequence[int | str]


class StationFilters(TypedDict, total=False):
    """
    The filters of every station question; all of them must be met.

    A missing value never matches a filter. Codes are ids or labels, one or several.

    Attributes
    ----------
    countries : codes
        ISO alpha-2 codes, titles or OCM's own country ids.
    operators : codes
        Who runs the site.
    connection_types, current_types, levels : codes
        Met by one and the same connection, together with the powers.
    usage_types, status_types, data_providers : codes
        Of the site.
    min_power_kw, max_power_kw : float
        Power of one connection, inclusive, in kW, wherever the number comes from.
    open_data : bool
        True: the provider's data are openly licensed; False: they are not, or it is unknown.
    modified_since, created_since : date
        ``date_last_status_update`` and ``date_created``, inclusive, UTC if no zone is given.
    max_results : int or None
        Keep the first so many in the order of the answer; None keeps all.
    include_comments : bool
        Keep user comments and photos.
    allow_bulk : bool
        Allow a question to the live API that takes more than 20 pages.
    """

    countries: Codes | None
    operators: Codes | None
    connection_types: Codes | None
    current_types: Codes | None
    levels: Codes | None
    usage_types: Codes | None
    status_types: Codes | None
    data_providers: Codes | None
    min_power_kw: float | None
    max_power_kw: float | None
    open_data: bool | None
    modified_since: str | dt.date | pd.Timestamp | None
    created_since: str | dt.date | pd.Timestamp | None
    max_results: int | None
    include_comments: bool
    allow_bulk: bool


CODED: tuple[str, ...] = (
    "countries",
    "operators",
    "connection_types",
    "current_types",
    "levels",
    "usage_types",
    "status_types",
    "data_providers",
)
"""The filters that are codes; each is also the name of a reference table."""

_OPEN_ENDED = ("operators", "data_providers")
_MAX_POWER_KW = 10_000.0


def check_filters(filters: dict[str, Any], reference: ReferenceData) -> dict[str, Any]:
    """
    Check filters and turn codes into ids.

    Parameters
    ----------
    filters : dict
        As `StationFilters`.
    reference : ReferenceData
        Where labels are looked up.

    Returns
    -------
    dict
        The filters that were given, with ids, floats, UTC timestamps and bools.

    Raises
    ------
    QueryError
        On an unknown filter or code, or a value that cannot be meant.
    """
    if unknown := sorted(set(filters) - set(StationFilters.__annotations__)):
        raise QueryError(f"unknown filter {unknown[0]!r}: {_suggestion(unknown[0])}")
    given = {name: value for name, value in filters.items() if value is not None}
    checked = {name: _check(name, value, reference) for name, value in given.items()}
    low, high = checked.get("min_power_kw"), checked.get("max_power_kw")
    if low is not None and high is not None and low > high:
        raise QueryError(f"min_power_kw={low:g} is more than max_power_kw={high:g}")
    return checked


def _check(name: str, value: Any, reference: ReferenceData) -> Any:  # noqa: ANN401 - any filter's
    if name in CODED:
        return _codes(name, value, reference)
    if name.endswith("_kw"):
        return _power(name, value)
    if name.endswith("_since"):
        return _instant(name, value)
    if name == "max_results":
        return _count(name, value)
    if not isinstance(value, bool | np.bool_):
        raise QueryError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def _codes(name: str, value: Any, reference: ReferenceData) -> tuple[int, ...]:  # noqa: ANN401
    values = [value] if isinstance(value, int | np.integer | str) else list(value)
    only_ids = values and all(type(v) is int or isinstance(v, np.integer) for v in values)
    if name in _OPEN_ENDED and only_ids and reference is bundled():
        # The bundled snapshot holds hardly any operators: it cannot know which ids exist.
        return tuple(sorted({int(v) for v in values}))
    return reference.resolve_all(name, value)


def _power(name: str, value: object) -> float:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(
        value, bool
    )
    if not number or not math.isfinite(value):  # type: ignore[arg-type]
        raise QueryError(f"{name} must be a number of kW, not {value!r}")
    power = float(value)  # type: ignore[arg-type]
    if power < 0:
        raise QueryError(f"{name} must be 0 kW or more, not {power:g}")
    if power > _MAX_POWER_KW:
        raise QueryError(f"{name}={power:g} is more than any charger has: it is in kW, not W")
    return power


def _instant(name: str, value: object) -> pd.Timestamp:
    try:
        instant = pd.Timestamp(value)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise QueryError(
            f"{name}={value!r} is no date: give an ISO date such as '2024-05-31'"
        ) from error
    if isinstance(value, bool | int | float) or pd.isna(instant):
        raise QueryError(f"{name}={value!r} is no date: give an ISO date such as '2024-05-31'")
    return instant.tz_localize("UTC") if instant.tzinfo is None else instant.tz_convert("UTC")


def _count(name: str, value: object) -> int:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise QueryError(f"{name} must be a whole number, 1 or more, or None for all: {value!r}")
    return int(value)


def _suggestion(name: str) -> str:
    from rapidfuzz import process  # noqa: PLC0415 - only for the message

    best, *_ = process.extractOne(name, list(StationFilters.__annotations__))
    return f"did you mean {best!r}?"
