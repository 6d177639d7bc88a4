"""What a register states of a station beyond its connections: its power, and bays for lorries.

Registers state the power that a site delivers at once, which is what the law asks for; the sum over
connections is only an upper bound of it. Some repeat the figure of a site on each row of the site.

Invariant. A figure counts once in a pool: rows with one ``parent_id`` and equal figures, and rows
with equal figures that are more than their own connections deliver, state that of one site. The
decision is made by what is on record, so that it is the same at each level of uncertainty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["Stated", "read_stated"]

_TOLERANCE_KW = 0.5


class _Extra(msgspec.Struct):
    """The members of a station's ``extra`` that verdicts use."""

    site_power_kw: object = None
    n_heavy_vehicle_bays: object = None


class Stated(NamedTuple):
    """
    What a register states, by station; NaN where it states nothing.

    Parameters
    ----------
    power_kw : numpy.ndarray
        The power of the site.
    n_bays : numpy.ndarray
        Bays for heavy-duty vehicles.
    site : numpy.ndarray of int
        Rows with the same number state the figure of one site.
    """

    power_kw: NDArray[np.float64]
    n_bays: NDArray[np.float64]
    site: NDArray[np.intp]

    def limit_power(
        self,
        summed_kw: NDArray[np.float64],
        label: NDArray[np.intp],
        rows: NDArray[np.intp],
        *,
        is_partial: bool,
    ) -> NDArray[np.float64]:
        """
        Return the power of stations: as stated, each figure once in a pool, else the sum.

        Parameters
        ----------
        summed_kw : numpy.ndarray
            The sum over the connections of each station, kW.
        label : numpy.ndarray of int
            The pool of each.
        rows : numpy.ndarray of int
            Which stations these are.
        is_partial : bool
            Whether the sum is over a part of the connections only, such as those of direct
            current: then a figure is a limit of it.

        Returns
        -------
        numpy.ndarray
            By station, kW.
        """
        stated = self.power_kw[rows]
        known = ~np.isnan(stated)
        if not known.any():
            return summed_kw
        keys = pd.MultiIndex.from_arrays([label, self.site[rows]])
        group, _ = pd.factorize(keys)
        each = stated / np.bincount(group[known], minlength=int(np.max(group)) + 1)[group]
        if is_partial:
            # Rows of one site have one limit together.
            total = np.bincount(group[known], summed_kw[known], int(np.max(group)) + 1)[group]
            with np.errstate(invalid="ignore", divide="ignore"):
                part = np.where(np.isinf(total), each, summed_kw * np.minimum(1.0, stated / total))
            each = np.where(total > 0, part, 0.0)
        return np.where(known, each, summed_kw)

    def find_without_bays(
        self, label: NDArray[np.intp], rows: NDArray[np.intp], n: int
    ) -> NDArray[np.bool_]:
        """
        Find the pools of which every station states that it has no bay for heavy vehicles.

        Parameters
        ----------
        label : numpy.ndarray of int
            The pool of each station.
        rows : numpy.ndarray of int
            Which stations these are.
        n : int
            Number of pools.

        Returns
        -------
        numpy.ndarray of bool
            By pool.
        """
        may_have = np.bincount(label, self.n_bays[rows] != 0, n)
        return np.asarray((may_have == 0) & (np.bincount(label, minlength=n) > 0))


def read_stated(stations: gpd.GeoDataFrame, summed_kw: NDArray[np.float64]) -> Stated:
    """
    Read what a register states of stations, from their column ``extra``.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    summed_kw : numpy.ndarray
        The power on record of the connections of each station, kW.

    Returns
    -------
    Stated
        By station; a number that is not finite, or a power of 0, states nothing.
    """
    n = len(stations)
    power, bays = np.full((2, n), np.nan)
    if "extra" in stations:
        texts = stations["extra"].astype("string")
        told = texts.str.contains("site_power_kw|n_heavy_vehicle_bays").fillna(value=False)
        for row in np.flatnonzero(told.to_numpy(dtype=bool)):
            power[row], bays[row] = _read_extra(texts.iloc[row])
    power[~(power > 0)] = np.nan
    site = -2 - np.arange(n)
    # A station cannot deliver more than its connections: such a figure is that of the whole site.
    rounded, figure = np.unique(np.nan_to_num(power), return_inverse=True)
    whole = power > summed_kw + _TOLERANCE_KW
    site[whole] = figure[whole]
    if "parent_id" in stations:
        parent, _ = pd.factorize(stations["parent_id"])
        pair = len(rounded) * (1 + parent) + figure
        site[parent >= 0] = pair[parent >= 0]
    return Stated(power, bays, site.astype(np.intp))


def _read_extra(text: str) -> tuple[float, float]:
    """Read power and bays; NaN for what is not a number."""
    try:
        found = msgspec.json.decode(text, type=_Extra)
    except msgspec.DecodeError:
        return np.nan, np.nan
    values = (found.site_power_kw, found.n_heavy_vehicle_bays)
    is_number = [isinstance(v, int | float) and not isinstance(v, bool) for v in values]
    power, bays = (
        float(v) if ok else np.nan  # type: ignore[arg-type] # checked in the line above
        for v, ok in zip(values, is_number, strict=True)
    )
    return power, bays
