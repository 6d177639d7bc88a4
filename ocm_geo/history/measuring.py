"""Stations, connectors and power from snapshot to snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ocm_geo.checks import check_choice
from ocm_geo.history.lifetimes import estimate_survival, follow_stations
from ocm_geo.history.states import check_grouping, list_states, read_states
from ocm_geo.provenance import attach
from ocm_geo.reference.credit import ATTRIBUTION

if TYPE_CHECKING:
    import numpy as np

    from ocm_geo.history.states import State
    from ocm_geo.sources.mirror import Mirror

__all__ = ["growth"]

_SURVIVAL = ["survival", "survival_low", "survival_high"]
_CHANGES = ["n_births", "n_upgrades", "n_removals"]


def growth(
    mirror: Mirror, *, by: str | None = None, as_known: Literal["then", "now"] = "then"
) -> pd.DataFrame:
    """
    Measure stations, connectors and power in every snapshot of a mirror.

    Parameters
    ----------
    mirror : Mirror
        A mirror with several snapshots, of any age.
    by : str, optional
        What splits the stations: a column such as ``"country_code"``, or a label such as
        ``"operator"``.
    as_known : {"then", "now"}
        ``"then"``: each snapshot as it is. ``"now"``: by the last record of each station, and from
        its ``date_created`` on, also where a snapshot of that time did not have it yet.

    Returns
    -------
    pandas.DataFrame
        One row a snapshot and group, by date of the data: ``snapshot``, ``date``, the column
        ``by``; ``n_stations`` (published), ``n_connectors``, ``total_power_kw`` (kW, where known),
        ``n_power_unknown`` (stations of which no power is known); ``n_births``, ``n_upgrades``
        (more connectors or power than before; missing as known now) and ``n_removals`` since the
        snapshot before, missing for the first; ``survival`` with ``survival_low`` and
        ``survival_high`` (95 %): the share of stations that are still published, from the first
        snapshot on.

    Raises
    ------
    QueryError
        If an argument is not what it should be.

    Notes
    -----
    Survival is the product-limit estimate of Kaplan and Meier (1958) over calendar time; stations
    enter when they first appear and count as removed between the last snapshot that has them and
    the next. The interval is that of the log-log transformed variance of Greenwood. A station that
    is missing for some snapshots and comes back counts as removed and born in ``n_removals`` and
    ``n_births`` as known then, and as one that stayed in ``survival``.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> table = ocm.growth(ocm.sample(), by="country_code")
    >>> int(table["n_stations"].sum()) == len(ocm.stations(source=ocm.sample()))
    True
    """
    check_grouping(mirror, by)
    check_choice(as_known, "as_known", ("then", "now"))
    followed = follow_stations(mirror, by)
    rows = _measure_then(mirror, by) if as_known == "then" else _measure_now(followed, mirror)
    table = pd.DataFrame(rows)
    curves = estimate_survival(followed, len(list_states(mirror)))
    table = table.merge(curves, how="left", on=["number", "group"])
    table = table.sort_values(["number", "group"], kind="stable").reset_index(drop=True)
    return _finish_table(table, mirror, by, as_known)


def _finish_table(
    table: pd.DataFrame, mirror: Mirror, by: str | None, as_known: str
) -> pd.DataFrame:
    """Name and type the columns, and record where they come from."""
    types = dict.fromkeys(("n_stations", "n_connectors", "n_power_unknown", *_CHANGES), "Int64")
    types |= dict.fromkeys(("total_power_kw", *_SURVIVAL), "Float64")
    groups = [] if by is None else [by]
    table = table.rename(columns={} if by is None else {"group": by}).astype(types)
    columns = ["snapshot", "date", *groups, "n_stations", "n_connectors", "total_power_kw"]
    kept = table[[*columns, "n_power_unknown", *_CHANGES, *_SURVIVAL]]
    manifest = mirror.loaded.manifest
    return attach(
        kept,
        source="mirror",
        snapshot=mirror.snapshot,
        data_date=manifest["data_date"] or None,
        attribution=manifest.get("attribution", ATTRIBUTION),
        growth={"by": by, "as_known": as_known},
    )


def _measure_then(mirror: Mirror, by: str | None) -> list[dict[str, Any]]:
    """Measure each snapshot as it is, against the one before."""
    rows: list[dict[str, Any]] = []
    before: State | None = None
    for number, state in enumerate(read_states(mirror, by)):
        stations = state.stations
        changes = {} if before is None else _count_changes(before.stations, stations)
        facts = {"number": number, "snapshot": state.snapshot, "date": state.date}
        names = set(stations["group"]) | set(changes)
        sums = _sum_groups(stations)
        rows += [
            {**facts, "group": g, **sums.get(g, _NOTHING), **changes.get(g, _no_changes(before))}
            for g in names
        ]
        before = state
    return rows


_NOTHING = {"n_stations": 0, "n_connectors": 0, "total_power_kw": 0.0, "n_power_unknown": 0}


def _no_changes(before: object) -> dict[str, Any]:
    """Return the changes of a group without any; before the first snapshot, none are known."""
    return dict.fromkeys(_CHANGES, pd.NA if before is None else 0)


def _sum_groups(stations: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Sum up the stations of each group."""
    parts = stations.groupby("group", sort=False)
    return {
        str(name): {
            "n_stations": len(part),
            "n_connectors": int(part["n_connectors"].sum()),
            "total_power_kw": float(part["total_power_kw"].fillna(0).sum()),
            "n_power_unknown": int(part["total_power_kw"].isna().sum()),
        }
        for name, part in parts
    }


def _count_changes(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Count births and upgrades by the group after, removals by the group before."""
    born = after[~after.index.isin(before.index)]
    gone = before[~before.index.isin(after.index)]
    common = before.index.intersection(after.index)
    old, new = before.loc[common], after.loc[common]
    # Power that was not known before is no upgrade.
    more_power = (new["total_power_kw"] > old["total_power_kw"]).fillna(value=False)
    upgraded = new[(new["n_connectors"] > old["n_connectors"]) | more_power]
    counts = [part["group"].value_counts() for part in (born, upgraded, gone)]
    names = sorted({name for count in counts for name in count.index})
    return {
        name: {change: int(c.get(name, 0)) for change, c in zip(_CHANGES, counts, strict=True)}
        for name in names
    }


def _measure_now(followed: pd.DataFrame, mirror: Mirror) -> list[dict[str, Any]]:
    """Measure each snapshot by what is known of its stations today."""
    rows: list[dict[str, Any]] = []
    dates = list_states(mirror)
    created = followed["date_created"].dt.tz_localize(None).dt.normalize()
    before: np.ndarray | None = None
    for number, state in enumerate(dates.itertuples()):
        is_there = (followed["first"] <= number) | (created <= state.date).fillna(value=False)
        present = (is_there & (followed["last"] >= number)).to_numpy(dtype=bool)
        born, gone = (None, None) if before is None else (present & ~before, before & ~present)
        sums = _sum_groups(followed[present])
        for group in sorted(set(followed["group"])):
            inside = (followed["group"] == group).to_numpy(dtype=bool)
            rows.append(
                {
                    "number": number,
                    "snapshot": state.snapshot,
                    "date": state.date,
                    "group": group,
                    **sums.get(group, _NOTHING),
                    "n_births": pd.NA if born is None else int((born & inside).sum()),
                    "n_upgrades": pd.NA,
                    "n_removals": pd.NA if gone is None else int((gone & inside).sum()),
                }
            )
        before = present
    return rows
