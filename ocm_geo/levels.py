"""What the register states about stations: one definition of uncertainty for all measures.

Every record is read at three levels. ``recorded`` takes it literally: a connection of missing or
implausible power has none, a missing access or status excludes nothing. ``low`` leaves out
everything uncertain. ``high`` takes everything uncertain in, an implausible power as the most that
its connector can deliver. Uncertain is what is missing, unknown or implausible, and a power that
the import itself marks as an estimate.
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
    Read whether the public may charge.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table: the column ``usage_type_id``.

    Returns
    -------
    pandas.Series of boolean
        Missing where the usage is missing, unknown, or both for staff and for customers.
    """
    public = bundled().usage_types["is_public"].drop(_FOR_CUSTOMERS, errors="ignore")
    return _said(stations["usage_type_id"], public)


def says_operational(stations: gpd.GeoDataFrame) -> pd.Series:
    """
    Read whether sites are in operation.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table: the column ``status_type_id``.

    Returns
    -------
    pandas.Series of boolean
        Missing where the status is missing or unknown; temporarily unavailable is not in
        operation.
    """
    working = bundled().status_types["is_operational"].copy()
    working[_TEMPORARILY_UNAVAILABLE] = False
    return _said(stations["status_type_id"], working)


def _said(codes: pd.Series, known: pd.Series) -> pd.Series:
    return codes.map(known.drop(_UNKNOWN, errors="ignore")).astype("boolean")


def is_known(stations: gpd.GeoDataFrame, column: str) -> NDArray[np.bool_]:
    """
    Say where a usage or status is given at all.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    column : {"usage_type_id", "status_type_id"}
        Which.

    Returns
    -------
    numpy.ndarray of bool
        False where it is missing or unknown.
    """
    return np.asarray(stations[column].to_numpy(dtype=float, na_value=_UNKNOWN) != _UNKNOWN)


def power_is_uncertain(plugs: pd.DataFrame) -> NDArray[np.bool_]:
    """
    Return which connections have an uncertain power.

    Parameters
    ----------
    plugs : pandas.DataFrame
        As `ocm_geo.connections` returns it.

    Returns
    -------
    numpy.ndarray of bool
        True where the power is missing, implausible or the import's own estimate.
    """
    estimated = plugs["power_source"] == "estimated_by_import"
    plausible = plugs["power_plausible"].to_numpy(dtype=bool, na_value=False)
    return ~plausible | estimated.to_numpy(dtype=bool, na_value=False)


def power_at(plugs: pd.DataFrame, level: Level) -> NDArray[np.float64]:
    """
    Return the power of connections as a level reads it.

    Parameters
    ----------
    plugs : pandas.DataFrame
        As `ocm_geo.connections` returns it.
    level : {"low", "recorded", "high"}
        The level.

    Returns
    -------
    numpy.ndarray of float
        kW; NaN where the level counts no power. In ``high``, infinite where the power is missing or
        an estimate, and the most that the connector can deliver where it is implausible.
    """
    power = _floats(plugs["power_kw"])
    uncertain = power_is_uncertain(plugs)
    implausible = ~plugs["power_plausible"].to_numpy(dtype=bool, na_value=True)
    if level == "recorded":
        return np.where(implausible, np.nan, power)
    if level == "low":
        return np.where(uncertain, np.nan, power)
    highest = highest_power_kw(
        _floats(plugs["connection_type_id"]), _floats(plugs["current_type_id"])
    )
    return np.where(implausible, highest, np.where(uncertain, np.inf, power))


def _floats(column: pd.Series) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.to_numpy(np.float64, na_value=np.nan)
    return values
