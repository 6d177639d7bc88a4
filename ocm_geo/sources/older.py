"""Snapshots written by earlier versions: the columns they lack are computed when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.connections import Connection, connection_table, summaries
from ocm_geo.schema import STATION_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["connections_per_station", "judge_connections", "judge_stations"]


def judge_connections(table: pa.Table) -> pa.Table:
    """
    Add ``power_plausible`` to stored connections, and compute the powers again by today's rule.

    Parameters
    ----------
    table : pyarrow.Table
        The connections of an earlier version: all columns but ``power_plausible``.

    Returns
    -------
    pyarrow.Table
        The columns of `ocm_geo.schema.CONNECTION_COLUMNS`.
    """
    computed = pc.equal(table["power_source"], "computed").fill_null(fill_value=False)
    given = pc.if_else(computed, pa.scalar(None, pa.float64()), table["power_kw"])
    columns = {name: table[name] for name in Connection.__struct_fields__} | {"power_kw": given}
    whole = {name: pa.array(column.combine_chunks()) for name, column in columns.items()}
    return connection_table(whole, table["ocm_id"].to_numpy())


def judge_stations(stations: pa.Table, connections: pa.Table) -> pa.Table:
    """
    Add ``n_power_implausible`` to stored stations, and sum up their powers without those.

    Parameters
    ----------
    stations : pyarrow.Table
        The stations of an earlier version.
    connections : pyarrow.Table
        Their connections, as `judge_connections` returns them, in the order of the stations.

    Returns
    -------
    pyarrow.Table
        The columns of `ocm_geo.schema.STATION_COLUMNS`, then those that are none of them.
    """
    ids = stations["ocm_id"].to_numpy()
    counts = connections_per_station(ids, connections["ocm_id"].to_numpy())
    sums = summaries(connections, counts)
    ours = [column.name for column in STATION_COLUMNS]
    others = [name for name in stations.column_names if name not in ours]
    columns = {name: stations[name] for name in stations.column_names} | sums
    return pa.table({name: columns[name] for name in (*ours, *others)})


def connections_per_station(ids: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.int64]:
    """
    Count the connections of each station.

    Parameters
    ----------
    ids : numpy.ndarray
        The ids of the stations.
    of : numpy.ndarray
        The station of each connection, those of a station side by side.

    Returns
    -------
    numpy.ndarray
        One number a station.
    """
    changes = np.flatnonzero(np.diff(of)) + 1
    firsts = np.concatenate([[0], changes]) if of.size else np.empty(0, np.intp)
    by_id = np.argsort(ids)
    where = by_id[np.searchsorted(ids, of[firsts], sorter=by_id)]
    sizes = np.zeros(len(ids), dtype=np.int64)
    sizes[where] = np.diff(np.append(firsts, of.size))
    return sizes
