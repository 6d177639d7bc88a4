"""Stations as kilometre marks of a route: what gaps and stop plans are made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ocm_geo.corridors.positions import Points, around, in_lonlat, locate, located
from ocm_geo.errors import QueryError
from ocm_geo.geodesy import LineHits

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.geodesy import Line

__all__ = ["Marks", "check_number", "marks_along"]


class Marks(NamedTuple):
    """
    Passages of stations, in the order of the route; of those at one place the nearer first.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        The rows of the stations, with ``along_km``, ``offset_km`` and ``side``.
    ids : numpy.ndarray of int
        Number of the station.
    along_km : numpy.ndarray of float
        Kilometre of the route.
    offset_km : numpy.ndarray of float
        Distance from the route.
    """

    table: gpd.GeoDataFrame
    ids: NDArray[np.int64]
    along_km: NDArray[np.float64]
    offset_km: NDArray[np.float64]


def marks_along(
    stations: Points, line: Line, within_km: float, *, far_km: float | None = None
) -> Marks:
    """
    Find every passage of the route by every station.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame or geopandas.GeoSeries
        A station table, or any points whose index, or column ``ocm_id``, holds whole numbers.
    line : Line
        The route.
    within_km : float
        Greatest distance from the route of stations with a mark for each passage, km.
    far_km : float, optional
        Greatest distance of those that lie farther off and get one mark, at the nearest place.

    Returns
    -------
    Marks
        One mark a passage.

    Raises
    ------
    QueryError
        If a row is no point, or has no number.
    """
    reach = within_km if far_km is None else max(within_km, far_km)
    frame = in_lonlat(around(stations, line, reach, "stations"), "stations")
    ids = _ids(frame)
    hits = locate(frame, line, within_km=within_km, passages="all")
    if far_km is not None:
        hits = _with_far(hits, locate(frame, line, within_km=far_km, passages="nearest"))
    table = located(frame, hits)
    ids = ids[hits.position]
    along, offset = table["along_km"].to_numpy(), table["offset_km"].to_numpy()
    order = np.lexsort((ids, offset, along))
    return Marks(table.iloc[order], ids[order], along[order], offset[order])


def _with_far(near: LineHits, far: LineHits) -> LineHits:
    """Add the far hits of points that have no near one."""
    other = ~np.isin(far.position, near.position)
    return LineHits(*(np.concatenate([a, b[other]]) for a, b in zip(near, far, strict=True)))


def check_number(
    value: object, name: str, *, low: float = -math.inf, high: float = math.inf
) -> float:
    """
    Check a number.

    Parameters
    ----------
    value : object
        What the caller gave.
    name : str
        Name of the parameter, for the message.
    low, high : float
        Least and greatest value, inclusive.

    Returns
    -------
    float
        The number.

    Raises
    ------
    QueryError
        If it is no number, or out of range.
    """
    number = isinstance(value, int | float | np.integer | np.floating)
    if not number or isinstance(value, bool) or not low <= float(value) <= high:  # type: ignore[arg-type]
        raise QueryError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)  # type: ignore[arg-type]


def _ids(frame: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Give the numbers of stations: the column where a file was read back without its index."""
    as_column = frame.index.name != "ocm_id" and "ocm_id" in frame
    values = pd.Series(frame["ocm_id"] if as_column else frame.index.to_series())
    if not len(values):
        return np.empty(0, dtype=np.int64)
    if not pd.api.types.is_integer_dtype(values.dtype) or values.isna().any():
        raise QueryError(
            "stations must be numbered: the index, or the column 'ocm_id', holds whole numbers"
        )
    return values.to_numpy(dtype=np.int64)
