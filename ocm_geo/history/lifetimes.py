"""How long stations stay: the product-limit estimate of Kaplan and Meier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.history.states import check_grouping, list_states, read_states
from ocm_geo.provenance import attach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.sources.mirror import Mirror

__all__ = ["estimate_survival", "follow_stations", "product_limit", "survival"]

_Z95 = 1.959963984540054
_DAYS_PER_YEAR = 365.25


def survival(mirror: Mirror, *, by: str | None = None) -> pd.DataFrame:
    """
    Estimate how long stations stay published after they were entered.

    Parameters
    ----------
    mirror : Mirror
        A mirror with several snapshots.
    by : str, optional
        What splits the stations, by their last record: a column such as ``"country_code"``, or a
        label such as ``"operator"``.

    Returns
    -------
    pandas.DataFrame
        One row a group and age at which stations were removed: the column ``by``, ``age_years``,
        ``n_at_risk``, ``n_removals``, ``survival``, ``survival_low`` and ``survival_high`` (95 %).
        Stations without a date of entry are left out.

    Raises
    ------
    QueryError
        If an argument is not what it should be.

    Notes
    -----
    The product-limit estimate of Kaplan and Meier (1958) with delayed entry: a station is watched
    from the first snapshot that has it, at the age that it has then (from ``date_created``), to
    the first that no longer has it. Dates of entry are not dates of opening: the age is that of
    the record. The interval is that of the log-log transformed variance of Greenwood.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> len(ocm.survival(ocm.sample()))
    0
    """
    check_grouping(mirror, by)
    followed = follow_stations(mirror, by)
    dates = list_states(mirror)["date"].to_numpy()
    created = followed["date_created"].dt.tz_localize(None).dt.normalize()
    followed = followed[created.notna()]
    born = created.dropna().to_numpy()
    last = followed["last"].to_numpy()
    removed = last < len(dates) - 1
    seen = dates[followed["first"].to_numpy()]
    ended = dates[np.minimum(last + 1, len(dates) - 1)]
    age_in, age_out = (
        (moment - born) / np.timedelta64(1, "D") / _DAYS_PER_YEAR for moment in (seen, ended)
    )
    parts = []
    for group in sorted(set(followed["group"])):
        inside = (followed["group"] == group).to_numpy(dtype=bool)
        curve = product_limit(age_in[inside], age_out[inside], removed[inside])
        parts.append(curve.assign(group=group))
    table = pd.concat(parts, ignore_index=True) if parts else product_limit(*[np.empty(0)] * 3)
    table = table.rename(columns={"time": "age_years"} | ({} if by is None else {"group": by}))
    columns = ["age_years", "n_at_risk", "n_removals", "survival", "survival_low", "survival_high"]
    manifest = mirror.loaded.manifest
    return attach(
        table[[*([] if by is None else [by]), *columns]],
        source="mirror",
        snapshot=mirror.snapshot,
        data_date=manifest["data_date"] or None,
        attribution=manifest["attribution"],
    )


def follow_stations(mirror: Mirror, by: str | None) -> pd.DataFrame:
    """
    Follow each station through the snapshots.

    Parameters
    ----------
    mirror : Mirror
        The mirror.
    by : str or None
        What splits the stations.

    Returns
    -------
    pandas.DataFrame
        Index ``ocm_id``: the columns of `State` by the last record, ``first`` and ``last``: the
        numbers, from 0, of the first and the last snapshot that has the station.
    """
    known = None
    for number, state in enumerate(read_states(mirror, by)):
        now = state.stations.assign(first=number, last=number)
        if known is not None:
            before = known["first"].reindex(now.index)
            now["first"] = before.fillna(now["first"]).astype("int64")
            now = pd.concat([now, known[~known.index.isin(now.index)]])
        known = now
    return pd.DataFrame() if known is None else known.sort_index()


def estimate_survival(followed: pd.DataFrame, n_snapshots: int) -> pd.DataFrame:
    """
    Estimate the share of stations that stay, from the first snapshot to each of the others.

    Parameters
    ----------
    followed : pandas.DataFrame
        What `follow_stations` returned.
    n_snapshots : int
        How many snapshots there are.

    Returns
    -------
    pandas.DataFrame
        ``number`` of the snapshot, ``group``, ``survival``, ``survival_low``, ``survival_high``;
        missing before a group has a station.
    """
    parts = []
    numbers = np.arange(n_snapshots)
    for group, part in followed.groupby("group", sort=True):
        first, last = part["first"].to_numpy(), part["last"].to_numpy()
        removed = last < n_snapshots - 1
        # Times are numbers of snapshots. Whoever enters with one can be missing in the next.
        curve = product_limit(first, np.minimum(last + 1, n_snapshots - 1), removed)
        columns = {}
        for name in ("survival", "survival_low", "survival_high"):
            position = np.searchsorted(curve["time"].to_numpy(), numbers, side="right") - 1
            values = np.append(curve[name].to_numpy(dtype=float), 1.0)
            columns[name] = np.where(numbers < first.min(), np.nan, values[position])
        parts.append(pd.DataFrame({"number": numbers, "group": str(group), **columns}))
    return pd.concat(parts, ignore_index=True)


def product_limit(entered: NDArray[Any], left: NDArray[Any], removed: NDArray[Any]) -> pd.DataFrame:
    """
    Estimate survival with delayed entry and censoring.

    Parameters
    ----------
    entered, left : numpy.ndarray of float
        Time from which, and up to which, each unit was watched.
    removed : numpy.ndarray of bool
        Whether it was removed then; else it was still there.

    Returns
    -------
    pandas.DataFrame
        One row a time at which units were removed: ``time``, ``n_at_risk``, ``n_removals``,
        ``survival``, ``survival_low``, ``survival_high``.
    """
    removed = removed.astype(bool)
    times, n_removals = np.unique(left[removed], return_counts=True)
    # At risk: entered before, and neither removed nor lost from sight before.
    n_entered = np.searchsorted(np.sort(entered), times, side="left")
    n_left = np.searchsorted(np.sort(left), times, side="left")
    n_at_risk = n_entered - n_left
    estimate = np.cumprod(1 - n_removals / np.maximum(n_at_risk, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(n_removals / (n_at_risk * (n_at_risk - n_removals)))
        spread = _Z95 * np.sqrt(variance) / np.log(estimate)
        low, high = estimate ** np.exp(-spread), estimate ** np.exp(spread)
    # With all removed the interval has no width that could be known.
    return pd.DataFrame(
        {
            "time": times,
            "n_at_risk": n_at_risk,
            "n_removals": n_removals,
            "survival": estimate,
            "survival_low": np.where(estimate > 0, low, 0.0),
            "survival_high": np.where(estimate > 0, high, 0.0),
        }
    )
