"""Take back powers of connections, and summarise the stations again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ocm_geo.connections import LAYOUT, connection_rows, summaries
from ocm_geo.quality.records import find_imputed

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["unset_powers"]

_POWER_KEYS = ("PowerKW", "Amps", "Voltage")


def unset_powers(
    stations: gpd.GeoDataFrame, rows: NDArray[np.bool_], faults: set[str]
) -> gpd.GeoDataFrame:
    """
    Make powers missing that no connector delivers, or that an import invented.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    rows : numpy.ndarray of bool
        The stations that may have such powers.
    faults : set of str
        ``power_implausible``, ``power_imputed`` or both.

    Returns
    -------
    geopandas.GeoDataFrame
        A new table; the summaries of its connections that it has are computed again. Amps and
        volts are made missing too: they would bring the power back.
    """
    some = stations[rows]
    station, table = connection_rows(some)
    wrong = np.zeros(len(table), dtype=bool)
    if "power_imputed" in faults:
        wrong |= find_imputed(some, station, table)
    if "power_implausible" in faults:
        wrong |= ~table["power_plausible"].to_numpy(dtype=bool, na_value=True)
    texts = some["connections"].to_numpy(dtype=object).copy()
    # Connections are in the order of their records.
    rank = np.arange(len(station)) - np.searchsorted(station, station)
    for row, taken in pd.Series(rank[wrong]).groupby(station[wrong]):
        texts[row] = _drop_powers(texts[row], set(taken))
    result = stations.copy()
    result.loc[rows, "connections"] = pd.array(texts, dtype=stations["connections"].dtype)
    return _summarise_again(result, rows)


def _drop_powers(text: str, ranks: set[int]) -> str:
    """Drop the powers of some of the connections of a record."""
    kept = [
        {k: v for k, v in item.items() if rank not in ranks or k not in _POWER_KEYS}
        for rank, item in enumerate(json.loads(text))
    ]
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def _summarise_again(stations: gpd.GeoDataFrame, rows: NDArray[np.bool_]) -> gpd.GeoDataFrame:
    """Summarise the connections of some stations again."""
    some = stations[rows]
    station, table = connection_rows(some)
    counts = np.bincount(station, minlength=len(some)).astype(np.int64)
    fields = [LAYOUT.field(name) for name in table.columns]
    arrow = pa.Table.from_pandas(table, schema=pa.schema(fields), preserve_index=False)
    for name, values in summaries(arrow, counts).items():
        if name in stations:
            _set_rows(stations, rows, name, values)
    return stations


def _set_rows(
    stations: gpd.GeoDataFrame, rows: NDArray[np.bool_], name: str, values: pa.Array
) -> None:
    """Set some values of a column, and keep its type."""
    new: Any = pd.array(values.to_pylist(), dtype=stations[name].dtype)
    stations.loc[rows, name] = new
