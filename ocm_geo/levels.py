"""Define what is uncertain in the records of stations, once for all measures.

Every record is read at three levels. ``recorded`` takes it literally: a connection of missing or
implausible power has none, a missing access or status excludes nothing. ``low`` excludes
everything uncertain. ``high`` includes everything uncertain, with the highest power of the
connector for an implausible power. Uncertain are missing, unknown and implausible values, and
powers that the import marks as estimates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ocm_geo.power_limits import highest_power_kw
from ocm_geo.reference import bundled

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "LEVELS",
    "Level",
    "is_known",
    "power_at",
    "power_is_uncertain",
    "says_operational",
    "says_public",
]

Level = Literal["low", "recorded", "high"]
LEVELS: tuple[Level, ...] = ("low", "recorded", "high")

_FOR_CUSTOMERS = 6
"""'Private - for staff, visitors or customers': customers are the public, staff are not."""
_UNKNOWN = 0
_TEMPORARILY_UNAVAILABLE = 30


def says_public(stations: gpd.GeoDataFrame) -> pd.Series:
    """
    Return whether the public may charge.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table: the column ``usage_type_id``.

    Returns
    -------
    pandas.Series of boolean
        Missing if the usage is missing, unknown, or for staff as well as for customers.
    """
    public = bundled().usage_types["is_public"].drop(_FOR_CUSTOMERS, errors="ignore")
    return _look_up_flags(stations["usage_type_id"], public)


def says_operational(stations: gpd.GeoDataFrame) -> pd.Series:
    """
    Return whether stations are in operation.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table: the column ``status_type_id``.

    Returns
    -------
    pandas.Series of boolean
        Missing if the status is missing or unknown; False if temporarily unavailable.
    """
    working = bundled().status_types["is_operational"].copy()
    working[_TEMPORARILY_UNAVAILABLE] = False
    return _look_up_flags(stations["status_type_id"], working)


def _look_up_flags(codes: pd.Series, known: pd.Series) -> pd.Series:
    """Return the flags of codes; missing for unknown codes."""
    return codes.map(known.drop(_UNKNOWN, errors="ignore")).astype("boolean")


def is_known(stations: gpd.GeoDataFrame, column: str) -> NDArray[np.bool_]:
    """
    Return whether a usage or status is recorded.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    column : {"usage_type_id", "status_type_id"}
        The column.

    Returns
    -------
    numpy.ndarray of bool
        False if it is missing or unknown.
    """
    return np.asarray(stations[column].to_numpy(dtype=float, na_value=_UNKNOWN) != _UNKNOWN)


def power_is_uncertain(connections: pd.DataFrame) -> NDArray[np.bool_]:
    """
    Return which connections have an uncertain power.

    Parameters
    ----------
    connections : pandas.DataFrame
        A table from `ocm_geo.connections`.

    Returns
    -------
    numpy.ndarray of bool
        True if the power is missing, implausible or an estimate of the import.
    """
    estimated = connections["power_source"] == "estimated_by_import"
    plausible = connections["power_plausible"].to_numpy(dtype=bool, na_value=False)
    return ~plausible | estimated.to_numpy(dtype=bool, na_value=False)


def power_at(connections: pd.DataFrame, level: Level) -> NDArray[np.float64]:
    """
    Return the power of connections at a level.

    Parameters
    ----------
    connections : pandas.DataFrame
        A table from `ocm_geo.connections`.
    level : {"low", "recorded", "high"}
        The level.

    Returns
    -------
    numpy.ndarray of float
        kW; NaN if the level counts no power. At ``high``, infinite if the power is missing or an
        estimate, and the highest power of the connector if it is implausible.
    """
    power = _column_floats(connections["power_kw"])
    uncertain = power_is_uncertain(connections)
    implausible = ~connections["power_plausible"].to_numpy(dtype=bool, na_value=True)
    if level == "recorded":
        return np.where(implausible, np.nan, power)
    if level == "low":
        return np.where(uncertain, np.nan, power)
    highest = highest_power_kw(
        _column_floats(connections["connection_type_id"]),
        _column_floats(connections["current_type_id"]),
    )
    return np.where(implausible, highest, np.where(uncertain, np.inf, power))


def _column_floats(column: pd.Series) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.to_numpy(np.float64, na_value=np.nan)
    return values
