"""Look up the highest power of each type of connector, and find powers that exceed it.

The limits are data, each with its source, in ``power_limits.csv``. A record that exceeds its limit
by more than `TOLERANCE` is wrong: watts instead of kilowatts, the total of a station instead of
the power of one connector, a typing error.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "TOLERANCE",
    "highest_power_kw",
    "power_is_plausible",
    "power_limits",
    "usable_amps_volts",
]

TOLERANCE = 1.25
"""A value up to this multiple of the limit is plausible."""

_AC = (10, 20)
_DC = 30
_TEXTS = {"connector": "string", "source": "string"}


def power_limits() -> pd.DataFrame:
    """
    Return the highest power, current and voltage of each type of connector.

    A recorded power is plausible up to 1.25 times the limit. AC with one phase and with three
    phases have one limit, because many records of three-phase connectors say one phase; if a
    connector does not carry the recorded current, its other limit applies.

    Returns
    -------
    pandas.DataFrame
        Index ``connection_type_id``; ``connector``, ``max_ac_kw``, ``max_dc_kw`` (missing if the
        connector does not carry it), ``max_kw`` (if the record does not state the current),
        ``max_amps`` (A), ``max_volts`` (V) and ``source``. A missing or unlisted type of connector
        has the limits of 0, Unknown.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> float(ocm.power_limits().loc[33, "max_dc_kw"])
    800.0
    """
    with (files("ocm_geo") / "power_limits.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, index_col="connection_type_id", dtype=_TEXTS)


class _Limits(NamedTuple):
    """The limits as arrays by connection type id, including ids that are not listed."""

    kw: NDArray[np.float64]
    amps: NDArray[np.float64]
    volts: NDArray[np.float64]


@cache
def _load_limits() -> _Limits:
    """Load the limits, with the other current where a connector does not carry one."""
    table = power_limits()
    either = table["max_dc_kw"].fillna(table["max_ac_kw"])
    table = table.assign(max_dc_kw=either, max_ac_kw=table["max_ac_kw"].fillna(either))
    # One more row than the highest id: ids beyond it are clipped to that row.
    dense = table.reindex(range(int(table.index.max()) + 2)).fillna(table.loc[0].to_dict())
    kw = dense[["max_kw", "max_ac_kw", "max_dc_kw"]].to_numpy(np.float64)
    return _Limits(kw, dense["max_amps"].to_numpy(float), dense["max_volts"].to_numpy(float))


def _find_limit_rows(connection_type_id: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the row of the limits for each type of connector."""
    last = len(_load_limits().amps) - 1
    ids = np.where(np.isnan(connection_type_id), 0, connection_type_id)
    return np.where((ids < 0) | (ids > last), last, ids).astype(np.intp)


def highest_power_kw(
    connection_type_id: NDArray[np.float64], current_type_id: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return the highest power that connectors can deliver.

    Parameters
    ----------
    connection_type_id, current_type_id : numpy.ndarray, shape (n,)
        Codes of Open Charge Map; NaN where missing.

    Returns
    -------
    numpy.ndarray, shape (n,)
        The limits of `power_limits`, kW.
    """
    kind = np.where(np.isin(current_type_id, _AC), 1, np.where(current_type_id == _DC, 2, 0))
    limits: NDArray[np.float64] = _load_limits().kw[_find_limit_rows(connection_type_id), kind]
    return limits


def power_is_plausible(
    power_kw: NDArray[np.float64], highest_kw: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """
    Return which powers a connector can deliver.

    Parameters
    ----------
    power_kw : numpy.ndarray, shape (n,)
        Powers, kW.
    highest_kw : numpy.ndarray, shape (n,)
        Limits from `highest_power_kw`, kW.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        False if the power is more than `TOLERANCE` times the limit, or missing.
    """
    return power_kw <= TOLERANCE * highest_kw


def usable_amps_volts(
    amps: NDArray[np.float64],
    voltage: NDArray[np.float64],
    connection_type_id: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """
    Return where current and voltage are plausible, so that a power can be computed.

    Parameters
    ----------
    amps, voltage, connection_type_id : numpy.ndarray, shape (n,)
        A, V and codes of Open Charge Map; NaN where missing.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        True if both are above 0 and at most `TOLERANCE` times the limit of the connector.
    """
    limits, at = _load_limits(), _find_limit_rows(connection_type_id)
    amps_fit = (amps > 0) & (amps <= TOLERANCE * limits.amps[at])
    return amps_fit & (voltage > 0) & (voltage <= TOLERANCE * limits.volts[at])
