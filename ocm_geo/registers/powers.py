"""Powers of a register: impossible ones made missing, and what a charging point can deliver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections import Counter

    from numpy.typing import NDArray

__all__ = ["FROM_V_A", "check_powers", "power_from_volts", "rate_points", "sum_ratings"]

FROM_V_A = "power computed from voltage and current"
"""The comment on a connection whose register states no power, but volts and amperes."""

_MOST_KW, _MOST_MCS_KW = 1000.0, 4000.0
_LOW_VOLTAGE, _LINE_VOLTAGE = 260.0, 380.0
_AC_ONE_PHASE, _AC_THREE_PHASE, _DC = 10, 20, 30


def power_from_volts(
    volts: float | None, amps: float | None, current_type_id: int | None
) -> float | None:
    """
    Compute the power of a connector from voltage and current.

    Parameters
    ----------
    volts, amps : float or None
        As the register states them. Up to 260 V three-phase voltages are taken as those of one
        phase, from 380 V as those between phases.
    current_type_id : int or None
        10, 20 or 30.

    Returns
    -------
    float or None
        kW; None where it cannot be told.
    """
    if not volts or not amps or volts <= 0 or amps <= 0:
        return None
    if current_type_id in (_AC_ONE_PHASE, _DC):
        return volts * amps / 1000
    if current_type_id == _AC_THREE_PHASE and volts <= _LOW_VOLTAGE:
        return 3 * volts * amps / 1000
    if current_type_id == _AC_THREE_PHASE and volts >= _LINE_VOLTAGE:
        return round(3**0.5 * volts * amps / 1000, 3)
    return None


def check_powers(connectors: pa.Table, wrong: Counter[str]) -> pa.Table:
    """
    Make powers missing that no connector delivers; the number stays in the comment.

    Parameters
    ----------
    connectors : pyarrow.Table
        The connectors of a draft.
    wrong : collections.Counter
        Counts them; changed in place.

    Returns
    -------
    pyarrow.Table
        The connectors.
    """
    power = connectors["power_kw"].combine_chunks()
    values = _read_float_column(power)
    comments = connectors["comments"].combine_chunks()
    is_mcs = pc.match_substring(comments, "mcs", ignore_case=True).fill_null(fill_value=False)
    most = np.where(is_mcs.to_numpy(zero_copy_only=False), _MOST_MCS_KW, _MOST_KW)
    bad = (values <= 0) | (values > most)
    if not bad.any():
        return connectors
    wrong["connections.power_kw"] += int(bad.sum())
    mask = pa.array(bad)
    told = pc.binary_join_element_wise("stated power ", power.cast(pa.string()), " kW", "")
    both = pc.coalesce(pc.binary_join_element_wise(comments, told, "; "), told)
    names = connectors.schema.names
    power = pc.if_else(mask, pa.scalar(None, pa.float64()), power)
    connectors = connectors.set_column(names.index("power_kw"), "power_kw", power)
    comments = pc.if_else(mask, both, comments)
    return connectors.set_column(names.index("comments"), "comments", comments)


def rate_points(points: pa.Table, connectors: pa.Table, wrong: Counter[str]) -> pa.Table:
    """
    Fill the power of charging points: as stated, else that of the strongest connector.

    Parameters
    ----------
    points, connectors : pyarrow.Table
        Of a draft.
    wrong : collections.Counter
        Counts powers that no charging point delivers; changed in place.

    Returns
    -------
    pyarrow.Table
        The charging points.
    """
    power = _read_float_column(points["power_kw"])
    bad = (power <= 0) | (power > _MOST_MCS_KW)
    wrong["power_kw"] += int(bad.sum())
    power[bad] = np.nan
    best = np.full(len(points), np.nan)
    np.fmax.at(best, connectors["point"].to_numpy(), _read_float_column(connectors["power_kw"]))
    filled = pa.array(np.where(np.isnan(power), best, power), from_pandas=True)
    return points.set_column(points.schema.names.index("power_kw"), "power_kw", filled)


def sum_ratings(points: pa.Table, n: int) -> NDArray[np.float64]:
    """
    Sum the powers of the charging points of each station, each once whatever its connectors.

    Parameters
    ----------
    points : pyarrow.Table
        The charging points; ``site`` is a position below `n`.
    n : int
        How many stations.

    Returns
    -------
    numpy.ndarray of float
        kW; NaN where no power is known.
    """
    power = _read_float_column(points["power_kw"])
    known = ~np.isnan(power)
    site = points["site"].to_numpy()[known]
    number = points["quantity"].fill_null(1).to_numpy()[known]
    total = np.bincount(site, power[known] * number, n)
    return np.where(np.bincount(site, minlength=n) > 0, total, np.nan)


def _read_float_column(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.array(plain.to_numpy(zero_copy_only=False), dtype=np.float64)
