"""Add labels to the ids of a table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError, UnknownCode
from ocm_geo.frames import add_columns
from ocm_geo.provenance import carry, read_attrs
from ocm_geo.reference.finding import OPERATOR_ADVICE, has_operators
from ocm_geo.reference.registry import REFERENCE_KEY, reference_of
from ocm_geo.reference.tables import bundled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocm_geo.reference.tables import ReferenceData

__all__ = ["LABEL_COLUMNS", "add_labels"]

Frame = TypeVar("Frame", bound=pd.DataFrame)

_LABELS: dict[str, tuple[str, dict[str, str]]] = {
    "operator_id": ("operators", {"operator": "title"}),
    "usage_type_id": (
        "usage_types",
        {
            "usage_type": "title",
            "is_public": "is_public",
            "is_pay_at_location": "is_pay_at_location",
            "is_membership_required": "is_membership_required",
        },
    ),
    "status_type_id": (
        "status_types",
        {"status": "title", "is_operational": "is_operational"},
    ),
    "submission_status_id": ("submission_status_types", {"submission_status": "title"}),
    "country_id": ("countries", {"country": "title"}),
    "data_provider_id": (
        "data_providers",
        {
            "data_provider": "title",
            "license": "license",
            "is_open_data": "is_open_data_licensed",
        },
    ),
    "connection_type_id": ("connection_types", {"connection_type": "title"}),
    "current_type_id": ("current_types", {"current_type": "title"}),
    "level_id": ("levels", {"level": "title"}),
}
LABEL_COLUMNS = tuple(dict.fromkeys(label for _, labels in _LABELS.values() for label in labels))
"""Every column that `add_labels` may add."""
_TEMPORARILY_UNAVAILABLE = 30
_SHOWN = 5


def add_labels(table: Frame, reference: ReferenceData | None = None) -> Frame:
    """
    Add labels to the ids of a station or connection table.

    Parameters
    ----------
    table : pandas.DataFrame
        A station or connection table; not changed.
    reference : ReferenceData, optional
        Reference data; by default those of the source that the table came from.

    Returns
    -------
    pandas.DataFrame
        The table with ``operator``, ``usage_type``, ``is_public``, ``is_pay_at_location``,
        ``is_membership_required``, ``status``, ``is_operational``, ``submission_status``,
        ``country``, ``data_provider``, ``license``, ``is_open_data`` (stations) or
        ``connection_type``, ``current_type``, ``level``, ``status``, ``is_operational``
        (connections). A missing id stays missing; an unknown id becomes ``Unknown (1234)``.

    Raises
    ------
    QueryError
        If the table has no column of codes, or a column of a label with other values.

    Warns
    -----
    UnknownCode
        Once, if ids are not in the reference data.

    Notes
    -----
    ``is_operational`` is False for status 30, "Temporarily Unavailable", although the flag of Open
    Charge Map is True: the equipment cannot be used.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> ocm.add_labels(stations)["country"].unique().tolist()
    ['Netherlands']
    """
    ids = [column for column in _LABELS if column in getattr(table, "columns", ())]
    if not ids:
        raise QueryError(
            f"{short_form(table)} has no column of codes: pass a table with some of "
            f"{', '.join(_LABELS)}"
        )
    tables = reference or reference_of(table)
    found: dict[str, Any] = {}
    unknown = []
    for column in ids:
        name, labels = _LABELS[column]
        unknown += list(_list_unknown(table[column], tables.table(name), column))
        for label, source in labels.items():
            found[label] = _look_up_labels(table[column], tables.table(name), source)
    if "is_operational" in found:
        unusable = (table["status_type_id"] == _TEMPORARILY_UNAVAILABLE).fillna(value=False)
        found["is_operational"] = found["is_operational"].mask(unusable, other=False)
    result = add_columns(table, found, "table")
    _warn_unknown_codes(unknown, table, tables)
    return carry(result, table)


def _look_up_labels(ids: pd.Series[int], rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return the values of a reference column for ids."""
    # Positions, not a join: the index of the table may contain an id twice.
    position = rows.index.get_indexer(pd.Index(ids.fillna(-1).astype("int64")))
    values = rows[column].array.take(position, allow_fill=True)
    found = pd.Series(values, index=ids.index)
    if column == "title":
        unknown = (position < 0) & ids.notna().to_numpy()
        found[unknown] = ("Unknown (" + ids[unknown].astype("string") + ")").to_numpy()
    return found


def _list_unknown(ids: pd.Series[int], rows: pd.DataFrame, column: str) -> Iterator[str]:
    """Yield the ids without a row in the reference table."""
    given = ids.dropna()
    for value in given[~given.isin(rows.index)].unique():
        yield f"{column} {value}"


def _warn_unknown_codes(unknown: list[str], table: pd.DataFrame, tables: ReferenceData) -> None:
    """Warn about codes without a label, with advice."""
    if not unknown:
        return
    shown = ", ".join(unknown[:_SHOWN]) + (", …" if len(unknown) > _SHOWN else "")
    if tables is bundled() and REFERENCE_KEY in read_attrs(table):
        remedy = (
            "the reference data of the table's source are not available: open its mirror, "
            "Mirror(path), or pass reference=ocm_geo.reference_data(source)"
        )
    elif any(code.startswith("operator_id") for code in unknown) and not has_operators(
        tables.operators
    ):
        remedy = OPERATOR_ADVICE
    else:
        remedy = "newer reference data may have them: pass reference="
    warnings.warn(
        f"{len(unknown)} codes are not in the reference data ({tables.origin}, {tables.date}): "
        f"{shown}; {remedy}",
        UnknownCode,
        stacklevel=3,
    )
