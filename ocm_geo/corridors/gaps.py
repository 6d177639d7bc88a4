"""List the gaps between the stations along a route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.corridors.marks import Marks, marks_along
from ocm_geo.corridors.qualifying import qualifying
from ocm_geo.errors import QueryError
from ocm_geo.geodesy import Line, as_line
from ocm_geo.ids import station_table, take_ids
from ocm_geo.outside import mark_line
from ocm_geo.provenance import carry, choose_within_km
from ocm_geo.query import show_filters
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.corridors.positions import Points
    from ocm_geo.query import StationFilters
    from ocm_geo.routes.editing import Route

__all__ = ["route_gaps"]

_SHORTEST_KM = 1e-6


@show_filters(answer=False)
def route_gaps(
    route: Route,
    stations: Points,
    *,
    within_km: float | None = None,
    min_points: int | None = None,
    drive_on: Literal["right", "left"] | None = None,
    **filters: Unpack[StationFilters],
) -> gpd.GeoDataFrame:
    """
    List the gaps between the stations along a route, from its start to its end.

    Every passage of a station counts: a station that the route passes twice closes two gaps.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table; stations far from the route are ignored.
    within_km : float, optional
        Greatest geodesic distance of a station from the route, inclusive, in km. By default the
        distance within which the stations were fetched along a route, else 5 km.
    min_points : int, optional
        Count only stations with at least this many charging points: ``n_points``, or
        ``n_connectors`` if that is missing.
    drive_on : {"right", "left"}, optional
        The side of the road that traffic uses. Then a station serves only the direction on whose
        side it lies, and the gaps of both directions are listed. By default each station serves
        both directions, whose gaps are the same.
    **filters : StationFilters
        Other filters of the stations that count: ``min_power_kw``, ``connection_types``,
        ``usage_types``, ``status_types``, ... as in `stations`. A missing value does not qualify.

    Returns
    -------
    geopandas.GeoDataFrame
        One row more than there are passages, sorted by ``start_km``: ``from_id`` and ``to_id`` (id
        of the station where the gap begins and ends, missing at the ends of the route),
        ``start_km`` and ``end_km`` along the route, ``length_km`` between them, and ``geometry``
        (the part of the route, EPSG:4326; empty if it is shorter than 1 mm, longitudes
        continue beyond ±180 where it crosses the antimeridian). The lengths add up to that of
        the route. With ``drive_on`` the same for each ``direction``, ``forward`` and ``reverse``,
        both in kilometres from the start of the route.

    Raises
    ------
    QueryError
        If a parameter is invalid, or the table lacks a required column.
    RouteError
        If the geometry is not a route.

    Warns
    -----
    OutsideData
        If a part of the route lies in countries without stations in the source.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> route = shapely.LineString([(5, 0), (6, 0)])
    >>> stations = gpd.GeoSeries([shapely.Point(5.5, 0.01)], index=[7], crs="EPSG:4326")
    >>> gaps = ocm.route_gaps(route, stations)
    >>> gaps[["from_id", "to_id", "length_km"]].round(1).to_numpy().tolist()
    [[<NA>, 7, 55.7], [7, <NA>, 55.7]]
    """
    limit = choose_within_km(within_km, stations)
    stations = station_table(stations)
    line = Line(as_line(route))
    stations = mark_line(stations, line)
    marks = marks_along(qualifying(stations, min_points, **filters), line, limit)
    if drive_on is None:
        gaps = _list_gaps(line, marks.ids, marks.along_km)
    else:
        gaps = _list_gaps_by_direction(line, marks, drive_on)
    asked = {"min_points": min_points, "drive_on": drive_on, **filters}
    told = {name: _to_json_value(value) for name, value in asked.items() if value is not None}
    facts = {"within_km": limit, **told, "length_km": line.length_km}
    return carry(gaps, stations, gaps=facts)


def _to_json_value(value: object) -> object:
    """Return a value that JSON can represent."""
    return value if isinstance(value, str | int | float | bool) else str(value)


def _list_gaps_by_direction(line: Line, marks: Marks, drive_on: str) -> gpd.GeoDataFrame:
    """List the gaps of both directions, each between the stations on its side."""
    other = {"right": "left", "left": "right"}
    if drive_on not in other:
        raise QueryError(f"drive_on must be 'right' or 'left', not {drive_on!r}")
    tables = []
    for direction, side in (("forward", drive_on), ("reverse", other[drive_on])):
        serves = marks.table["side"].isin([side, "on"]).to_numpy()
        table = _list_gaps(line, marks.ids[serves], marks.along_km[serves])
        table.insert(0, "direction", direction)
        tables.append(table)
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=CRS)


def _list_gaps(
    line: Line, station: pd.Index[Any], along_km: NDArray[np.float64]
) -> gpd.GeoDataFrame:
    """List the gaps between sorted stations, with the piece of the route of each."""
    ends = np.concatenate([[0.0], np.minimum(along_km, line.length_km), [line.length_km]])
    start, end = ends[:-1], ends[1:]
    ids = take_ids(station, np.array([-1, *range(len(station)), -1]))
    table = {
        "from_id": ids[:-1],
        "to_id": ids[1:],
        "start_km": start,
        "end_km": end,
        "length_km": end - start,
    }
    pieces = [
        line.substring(a, b) if b - a > _SHORTEST_KM else shapely.LineString()
        for a, b in zip(start, end, strict=True)
    ]
    return gpd.GeoDataFrame(table, geometry=pieces, crs=CRS)
