"""Reduce stations to kilometre marks along a route, the basis of gaps and stop plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ocm_geo.corridors.positions import Points, around, locate, located
from ocm_geo.frames import point_frame
from ocm_geo.geodesy import LineHits
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.geodesy import Line

__all__ = ["Marks", "marks_along"]


class Marks(NamedTuple):
    """
    Passages of stations in the order of the route; at equal distances the nearer one first.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        The rows of the stations, with ``along_km``, ``offset_km`` and ``side``.
    ids : pandas.Index
        Id of the station.
    along_km : numpy.ndarray of float
        Kilometre of the route.
    offset_km : numpy.ndarray of float
        Distance from the route.
    """

    table: gpd.GeoDataFrame
    ids: pd.Index[Any]
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
        Points whose index holds the ids, as `ocm_geo.frames.station_table` returns them.
    line : Line
        The route.
    within_km : float
        Maximum distance from the route of stations with a mark for each passage, km.
    far_km : float, optional
        Maximum distance of farther stations, which get one mark at their nearest point.

    Returns
    -------
    Marks
        One mark for each passage.

    Raises
    ------
    QueryError
        If a row is not a point.
    """
    reach = within_km if far_km is None else max(within_km, far_km)
    frame = point_frame(around(stations, line, reach, "stations"), "stations")
    hits = locate(frame, line, within_km=within_km, passages="all")
    if far_km is not None:
        hits = _add_far_hits(hits, locate(frame, line, within_km=far_km, passages="nearest"))
    if not len(hits.position):
        warn_if_far("route", line.coords, stations)
    table = located(frame, hits)
    ids = table.index
    # At equal positions the lower id is first; ids of other types are sorted by their row.
    by_id = pd.api.types.is_integer_dtype(ids.dtype)
    rank = ids.to_numpy() if by_id else hits.position
    along, offset = table["along_km"].to_numpy(), table["offset_km"].to_numpy()
    order = np.lexsort((rank, offset, along))
    return Marks(table.iloc[order], ids[order], along[order], offset[order])


def _add_far_hits(near: LineHits, far: LineHits) -> LineHits:
    """Add the far hits of points without a near one."""
    other = ~np.isin(far.position, near.position)
    return LineHits(*(np.concatenate([a, b[other]]) for a, b in zip(near, far, strict=True)))
