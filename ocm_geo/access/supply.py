"""The supply of stations: one each, or a column of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.frames import check_numeric

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["supply_of"]


def supply_of(
    stations: gpd.GeoDataFrame, supply: str, missing: float | None = None
) -> tuple[NDArray[np.float64], int]:
    """
    Return the supply of each station.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    supply : str
        ``sites``, or a column.
    missing : float, optional
        Value for a missing supply.

    Returns
    -------
    amounts : numpy.ndarray
        One value per station.
    n_missing : int
        Number of missing values.

    Raises
    ------
    QueryError
        If `stations` is not a table, the column does not exist, or a value is negative, infinite
        or missing without a value for that.
    """
    if not isinstance(stations, pd.DataFrame):
        raise QueryError(f"stations must be a station table, not {short_form(stations)}")
    if supply == "sites":
        return np.ones(len(stations)), 0
    if supply not in stations:
        raise QueryError(
            f"supply={supply!r}: choose 'sites' or a column of the stations, such as "
            "'n_connectors', 'n_points' or 'total_power_kw'"
        )
    amounts = _read_supply(stations[supply])
    gone = np.isnan(amounts)
    if gone.any() and missing is None:
        raise QueryError(
            f"supply {supply!r} is missing for {gone.sum():,} of {len(gone):,} stations (first: "
            f"{stations.index[np.flatnonzero(gone)[0]]}): set the value of such a station, e.g. "
            "missing_supply=1, or 0 to leave it out"
        )
    amounts = np.where(gone, 0.0 if missing is None else missing, amounts)
    wrong = np.flatnonzero(~(np.isfinite(amounts) & (amounts >= 0)))
    if wrong.size:
        raise QueryError(
            f"supply {supply!r} must be finite and 0 or more; station "
            f"{stations.index[wrong[0]]} has {amounts[wrong[0]]:g}"
        )
    return amounts, int(gone.sum())


def _read_supply(column: pd.Series[Any]) -> NDArray[np.float64]:
    """Return the supply as numbers; text that is not a number is an error, not missing."""
    check_numeric(column, f"supply {column.name!r}")
    try:
        return np.asarray(pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise QueryError(f"supply {column.name!r} must be a column of numbers: {error}") from error
