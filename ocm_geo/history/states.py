"""The published stations of each snapshot of a mirror, one state at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.query import published_mask
from ocm_geo.reference.labels import LABEL_COLUMNS, add_labels
from ocm_geo.schema import STATION_COLUMNS, to_pandas
from ocm_geo.sources.mirror import Mirror

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALL", "State", "check_grouping", "list_states", "read_state", "read_states"]

ALL = "stations"
"""The group of all stations where there is no split."""

_MEASURES = ["ocm_id", "n_connectors", "total_power_kw", "date_created"]
_STATUSES = ["submission_status_id", "status_type_id"]
_CODES = ["operator_id", "usage_type_id", "country_id", "data_provider_id", *_STATUSES]
_PLAIN = [column.name for column in STATION_COLUMNS if column.kind != "json"]


@dataclass(frozen=True)
class State:
    """
    What a snapshot knows.

    Parameters
    ----------
    snapshot : str
        Its id.
    date : pandas.Timestamp
        Date of the data.
    stations : pandas.DataFrame
        Index ``ocm_id``: ``group``, ``n_connectors``, ``total_power_kw`` and ``date_created`` of
        the published stations.
    """

    snapshot: str
    date: pd.Timestamp
    stations: pd.DataFrame


def check_grouping(mirror: object, by: object) -> Mirror:
    """
    Check the arguments that all functions of this package take.

    Parameters
    ----------
    mirror : Mirror
        The mirror.
    by : str or None
        A column of stations, or of `add_labels`.

    Returns
    -------
    Mirror
        The mirror.

    Raises
    ------
    QueryError
        If one is not what it should be.
    """
    if not isinstance(mirror, Mirror):
        raise QueryError(f"mirror must be a Mirror, not {short_form(mirror)}")
    if by is not None and by not in {*_PLAIN, *LABEL_COLUMNS}:
        raise QueryError(
            f"by must be a column of stations, such as 'country_code', 'operator' or "
            f"'data_provider', not {short_form(by)}"
        )
    return mirror


def list_states(mirror: Mirror) -> pd.DataFrame:
    """
    List the snapshots of a mirror by the date of their data.

    Parameters
    ----------
    mirror : Mirror
        The mirror.

    Returns
    -------
    pandas.DataFrame
        ``snapshot`` and ``date``; those of one date in the order of building. Data without dates
        are of the day on which they were built.
    """
    table = mirror.snapshots()
    built = table["built"].dt.tz_localize(None).dt.normalize()
    dated = table.assign(date=table["data_date"].fillna(built))
    return dated.sort_values("date", kind="stable")[["snapshot", "date"]].reset_index(drop=True)


def read_states(mirror: Mirror, by: str | None) -> Iterator[State]:
    """
    Read the snapshots of a mirror, oldest data first.

    Parameters
    ----------
    mirror : Mirror
        The mirror.
    by : str or None
        What splits the stations.

    Yields
    ------
    State
        One snapshot.
    """
    table = list_states(mirror)
    for name, date in zip(table["snapshot"], table["date"], strict=True):
        yield State(str(name), date, read_state(mirror, str(name), by))


def read_state(mirror: Mirror, snapshot: str, by: str | None) -> pd.DataFrame:
    """
    Read the published stations of one snapshot.

    Parameters
    ----------
    mirror : Mirror
        The mirror.
    snapshot : str
        Its id.
    by : str or None
        What splits the stations.

    Returns
    -------
    pandas.DataFrame
        As `State` has them.
    """
    loaded = mirror.open_snapshot(snapshot).loaded
    names = [*_MEASURES, *_CODES, *([by] if by in _PLAIN else [])]
    frame = to_pandas(loaded.rows.select(list(dict.fromkeys(names))))
    frame = frame[published_mask(frame)]
    if by is None:
        group = pd.Series(ALL, index=frame.index, dtype="string")
    elif by in frame:
        group = frame[by].astype("string")
    else:
        group = add_labels(frame, loaded.reference)[by].astype("string")
    found = frame[_MEASURES].assign(group=group.fillna("not known"))
    return found.set_index("ocm_id").sort_index()
