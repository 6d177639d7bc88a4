"""Powers and levels as Open Charge Map's server derives them when it fills its cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["derive_connections"]

_AC_ONE, _AC_THREE, _DC = 10, 20, 30
_THREE_PHASE_FACTOR = 1.732


def derive_connections(table: pa.Table) -> pa.Table:
    """
    Derive power and level of each connection.

    Parameters
    ----------
    table : pyarrow.Table
        The columns of `ocm_geo.schema.CONNECTION_COLUMNS`.

    Returns
    -------
    pyarrow.Table
        ``power_kw`` and ``level_id`` as the server shows and filters them, and ``changed``:
        whether either differs from what the record holds.
    """
    amps, voltage, current, level = (
        _read_floats(table, name) for name in ("amps", "voltage", "current_type_id", "level_id")
    )
    is_given = pc.not_equal(table["power_source"], "computed").fill_null(fill_value=False)
    given = np.where(is_given.to_numpy(), _read_floats(table, "power_kw"), np.nan)
    power = np.where(given > 0, given, _compute_power(amps, voltage, current))
    derived = np.where(
        power > 0, _compute_level(power, amps, voltage, current=current, level=level), level
    )
    changed = ~_are_same(power, given) | ~_are_same(derived, level)
    return pa.table(
        {
            "power_kw": pa.array(power, mask=np.isnan(power)),
            "level_id": pa.array(np.nan_to_num(derived).astype(np.int64), mask=np.isnan(derived)),
            "changed": changed,
        }
    )


def _read_floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Read a column as floats; NaN where missing."""
    values: NDArray[np.float64] = table[name].cast(pa.float64(), safe=False).to_numpy()
    return values


def _compute_power(
    amps: NDArray[np.float64], voltage: NDArray[np.float64], current: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute power from amperes and volts, to one decimal; NaN where either is missing or 0."""
    phases = np.where(current == _AC_THREE, _THREE_PHASE_FACTOR, 1.0)
    usable = (amps > 0) & (voltage > 0)
    return np.asarray(np.round(np.where(usable, amps * voltage / 1000 * phases, np.nan), 1))


def _compute_level(
    power: NDArray[np.float64],
    amps: NDArray[np.float64],
    voltage: NDArray[np.float64],
    *,
    current: NDArray[np.float64],
    level: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Compute the level; the first condition that holds decides, and a missing value meets none."""
    is_low = (power < 2.4) | (voltage <= 120)  # noqa: PLR2004 - the server's limits
    is_one = (current == _AC_ONE) | np.isnan(current) | (current == 0)
    is_three = current == _AC_THREE
    is_weak = (power < 40) | (amps < 60)  # noqa: PLR2004
    is_strong_dc = (current == _DC) & ((power > 19.2) | (amps > 80) | (voltage > 400))  # noqa: PLR2004
    conditions = [is_low, is_one, is_three & is_weak, is_three, is_strong_dc]
    return np.select(conditions, [1.0, 2.0, 2.0, 3.0, 3.0], default=level)


def _are_same(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Compare values; two missing ones are the same."""
    return np.asarray((a == b) | (np.isnan(a) & np.isnan(b)))
