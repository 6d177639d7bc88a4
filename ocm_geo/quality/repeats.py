"""Separate the duplicates of a table from posts of one site that a register lists one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ocm_geo.provenance import read_attrs
from ocm_geo.quality.duplicates import find_duplicates
from ocm_geo.reference.own import REGISTER_SOURCE

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["group_duplicates"]

_SHARED = "same identifier"


def group_duplicates(
    stations: gpd.GeoDataFrame, placed: NDArray[np.bool_] | None = None
) -> pd.Series[Any]:
    """
    Group the stations that a table holds more than once.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A checked station table.
    placed : numpy.ndarray of bool, optional
        Which rows have a position; all by default.

    Returns
    -------
    pandas.Series of int
        The group by the id of the station, of stations that have duplicates. Left out, other
        than by `find_duplicates`, are rows that their provider tells apart.
    """
    some = stations if placed is None or placed.all() else stations[placed]
    found = find_duplicates(some).set_index(stations.index.name or "station_id")
    found.index.name = stations.index.name
    rows = some.loc[found.index]
    provider, reference = _read_provider_keys(rows)
    table = pd.DataFrame(
        {
            "group": found["group"].to_numpy(),
            "provider": provider.to_numpy(),
            "reference": reference.to_numpy(),
        }
    )
    named = table["reference"].notna()
    in_group = table.groupby("group")["group"].transform("size")
    of_provider = table[named].groupby(["group", "provider"])["group"].transform("size")
    of_record = table[named].groupby(["group", "provider", "reference"])["group"].transform("size")
    # The other rows of the group, without those that the same provider lists by another key.
    alike = in_group - (of_provider - of_record).reindex(table.index, fill_value=0) - 1
    keyed = found["reasons"].str.contains(_SHARED).to_numpy(dtype=bool, na_value=False)
    kept = (alike.to_numpy() > 0) | keyed
    return found.loc[kept, "group"]


def _read_provider_keys(stations: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return the provider of each row, and its reference there."""
    nothing = pd.Series(pd.NA, index=stations.index, dtype="string")
    provider = stations.get("data_provider_id", nothing)
    if read_attrs(stations).get("source") == REGISTER_SOURCE:
        reference = pd.Series(stations.index.astype(str), index=stations.index, dtype="string")
    elif "provider_reference" in stations:
        reference = stations["provider_reference"].astype("string")
    else:
        reference = nothing
    return provider.astype("string").fillna(""), reference
