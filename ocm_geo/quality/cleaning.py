"""Clean a table by a policy, and keep a ledger of every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.checks import check_choice
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.quality.checking import check_stations
from ocm_geo.quality.faults import POLICIES, quality_checks
from ocm_geo.quality.ledgers import attach_ledger, list_changes, list_dropped
from ocm_geo.quality.powers import unset_powers
from ocm_geo.quality.records import CHECK_DATES
from ocm_geo.quality.repeats import group_duplicates

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["clean"]

_SEVERE = ("error", "warning")


def clean(stations: gpd.GeoDataFrame, policy: str = "research") -> gpd.GeoDataFrame:
    """
    Clean a station table by a policy.

    What a policy does with each fault is the column of its name in `quality_checks`:
    ``drop`` (the row is dropped), ``one`` (of the rows of one station, the one with the fewest
    faults is kept, of equal ones the newest, then the first), ``swap`` (longitude and latitude
    are exchanged), ``unset`` (the power of those connections becomes missing, with the amps and
    volts that it would be computed from) or ``keep``.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table, of any source; not changed.
    policy : {"research", "strict", "none"}
        ``research`` removes what is wrong: records that are not stations in operation, or not
        where they say, and powers that nobody measured. ``strict`` keeps only rows without any
        error or warning: a lower bound. ``none`` changes nothing.

    Returns
    -------
    geopandas.GeoDataFrame
        A station table as before, with fewer rows. `ledger` returns every change;
        ``attrs["ocm"]["cleaning"]`` has the policy, and the numbers of rows dropped and changed.

    Raises
    ------
    QueryError
        If it is not a station table, or the policy is unknown.

    Notes
    -----
    Faults that cannot be checked, because the table lacks the columns, change nothing; they are
    listed in ``attrs["ocm"]["cleaning"]``. Licences change nothing: see `open_only`.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> cleaned = ocm.clean(stations)
    >>> dropped = ocm.ledger(cleaned).query("action == 'dropped'")
    >>> len(cleaned) + len(dropped) == len(stations)
    True
    """
    check_choice(policy, "policy", POLICIES)
    table = station_table(stations, "stations")
    faults = check_stations(table)
    not_checked = faults.attrs["ocm"].get("not_checked")
    flags = faults.astype("boolean").fillna(value=False).astype(bool)
    actions = _choose_actions(policy)
    drop = _find_dropped(table, flags, actions)
    changed = _change_rows(table[~drop], flags[~drop], actions)
    changes = pd.concat(
        [
            list_dropped(table, drop, _name_faults(flags, actions, ("drop", "one"))),
            list_changes(table, changed, _name_faults(flags, actions, ("swap", "unset"))),
        ],
        ignore_index=True,
    )
    facts = {
        "policy": policy,
        "n_dropped": int(drop.sum()),
        "n_changed": int(changes.loc[changes["action"] == "changed", changes.columns[0]].nunique()),
        "not_checked": not_checked or [],
    }
    return attach_ledger(carry(changed, stations, cleaning=facts), changes)


def _choose_actions(policy: str) -> pd.Series[Any]:
    """Return what a policy does with each fault."""
    checks = quality_checks()
    return (
        checks[policy] if policy in checks else checks["research"].mask(checks.index != "", "keep")
    )


def _find_dropped(
    stations: gpd.GeoDataFrame, flags: pd.DataFrame, actions: pd.Series[Any]
) -> NDArray[np.bool_]:
    """Find the rows that a policy drops."""
    drop = flags.loc[:, (actions == "drop").to_numpy()].copy()
    if actions["swapped_coordinates"] == "swap":
        # Exchanged, the position is in its country again.
        drop["outside_country"] &= ~flags["swapped_coordinates"]
    dropped = drop.any(axis=1).to_numpy(dtype=bool, copy=True)
    if actions["duplicate"] == "one":
        dropped |= _find_repeats(stations, flags, ~dropped & flags["duplicate"].to_numpy())
    return dropped


def _find_repeats(
    stations: gpd.GeoDataFrame, flags: pd.DataFrame, members: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Find the rows of one station but the best one."""
    if not members.any():
        return members
    groups = group_duplicates(stations, ~flags["no_position"].to_numpy())
    groups = groups[groups.index.isin(stations.index[members])]
    severe = quality_checks()["severity"].isin(_SEVERE).to_numpy()
    seen = [stations[name] for name in CHECK_DATES if name in stations]
    newest = pd.concat(seen, axis=1).max(axis=1) if seen else pd.Series(0, index=stations.index)
    ranks = pd.DataFrame(
        {
            "group": groups,
            "faults": flags.loc[groups.index, severe].sum(axis=1),
            "age": -newest.loc[groups.index].rank(),
            "id": groups.index,
        }
    )
    ordered = ranks.sort_values(["group", "faults", "age", "id"], na_position="last")
    repeats = ordered.index[ordered["group"].duplicated()]
    return np.asarray(stations.index.isin(repeats))


def _change_rows(
    stations: gpd.GeoDataFrame, flags: pd.DataFrame, actions: pd.Series[Any]
) -> gpd.GeoDataFrame:
    """Change the rows that a policy keeps but corrects."""
    result = stations.copy()
    if actions["swapped_coordinates"] == "swap":
        result = _swap_positions(result, flags["swapped_coordinates"].to_numpy())
    unset = {name for name in ("power_implausible", "power_imputed") if actions[name] == "unset"}
    rows = flags[sorted(unset)].any(axis=1).to_numpy(dtype=bool)
    return unset_powers(result, rows, unset) if rows.any() else result


def _swap_positions(stations: gpd.GeoDataFrame, rows: NDArray[np.bool_]) -> gpd.GeoDataFrame:
    """Exchange longitude and latitude of rows; they are those of EPSG:4326."""
    if not rows.any():
        return stations
    lonlat = stations.geometry[rows].to_crs("EPSG:4326")
    turned = gpd.GeoSeries.from_xy(lonlat.y, lonlat.x, index=lonlat.index, crs="EPSG:4326")
    points = stations.geometry.copy()
    points[rows] = turned.to_crs(stations.crs)
    return stations.set_geometry(points.rename(stations.geometry.name))


def _name_faults(
    flags: pd.DataFrame, actions: pd.Series[Any], wanted: tuple[str, ...]
) -> pd.Series[Any]:
    """Name the faults of each row that lead to some actions."""
    some = flags.loc[:, actions.isin(wanted).to_numpy(dtype=bool)]
    rows, columns = np.nonzero(some.to_numpy())
    names = pd.Series(some.columns.to_numpy()[columns], index=some.index[rows], dtype="string")
    return names.groupby(level=0, sort=False).agg("; ".join).reindex(flags.index)
