"""Warn about input that is possible but probably wrong: swapped axes, watts instead of kW."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.checks import SUSPECT_KM, warn_user
from ocm_geo.errors import SuspectInput
from ocm_geo.frames import point_lonlat
from ocm_geo.geodesy import PointIndex

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["warn_if_far", "warn_if_watts"]

_SAMPLE = 5_000
_MAX_LAT = 90.0
_WATTS = 3_000.0
"""The median power of stations is far below this in kW, and above it in W."""


def warn_if_far(
    what: str,
    lonlat: NDArray[np.float64],
    stations: gpd.GeoDataFrame | gpd.GeoSeries | PointIndex,
    one: str = "station",
) -> None:
    """
    Warn if all positions are far from every station, as with swapped axes.

    Call it only after a measure has found no station, so that usual input costs nothing.

    Parameters
    ----------
    what : str
        Name of the argument.
    lonlat : numpy.ndarray of shape (n, 2)
        Its positions, degrees; of many, about 5,000 are checked.
    stations : geopandas.GeoDataFrame, geopandas.GeoSeries or PointIndex
        All stations.
    one : str
        Name of one of them.

    Warns
    -----
    SuspectInput
        If every position is farther than `ocm_geo.checks.SUSPECT_KM` from every station.
    """
    if not len(lonlat) or not len(stations):
        return
    is_index = isinstance(stations, PointIndex)
    index = stations if is_index else PointIndex(*point_lonlat(stations, "stations"))
    x, y = lonlat[:: -(-len(lonlat) // _SAMPLE)].T
    if _has_near_station(index, x, y):
        return
    exchanged = np.all(np.abs(x) <= _MAX_LAT) and _has_near_station(index, y, x)
    remedy = (
        f"with swapped axes they are near, so that the axes of {what} or of "
        f"the {one}s are probably swapped: positions are (lon, lat)"
        if exchanged
        else "check the positions and the coordinate reference systems of both"
    )
    warn_user(
        f"{what}: every position is more than {SUSPECT_KM:,.0f} km from every {one}; {remedy}",
        SuspectInput,
    )


def _has_near_station(
    index: PointIndex, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> bool:
    """Return whether any position has a station within the suspect distance."""
    position, _ = index.nearest(lon, lat, 1, max_km=SUSPECT_KM)
    return bool((position >= 0).any())


def warn_if_watts(table: pd.DataFrame, column: str, what: str = "stations") -> None:
    """
    Warn if the powers of a table seem to be in W.

    Parameters
    ----------
    table : pandas.DataFrame
        A table with powers in kW.
    column : str
        The column.
    what : str
        Name of the argument.

    Warns
    -----
    SuspectInput
        If the median of the powers above 0 is more than 3,000.
    """
    if not column.endswith("power_kw") or column not in table:
        return
    some = table[column].iloc[:: -(-len(table) // _SAMPLE) or 1]
    values = pd.to_numeric(some, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    known = values[values > 0]
    if len(known) and (median := float(np.median(known))) > _WATTS:
        warn_user(
            f"{what}: the median of {column!r} is {median:,.0f} kW, more than stations have; if "
            "the values are in W, divide them by 1,000",
            SuspectInput,
        )
