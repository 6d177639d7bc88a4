"""Gaps between the stations along a route."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.corridors.marks import marks_along, with_power
from ocm_geo.geodesy import Line, as_line
from ocm_geo.provenance import carry
from ocm_geo.query.where import positive_km
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from ocm_geo.corridors.positions import Points
    from ocm_geo.routes.editing import Route

__all__ = ["route_gaps"]

_SHORTEST_KM = 1e-6


def route_gaps(
    route: Route,
    stations: Points,
    *,
    within_km: float = 5.0,
    min_power_kw: float | None = None,
) -> gpd.GeoDataFrame:
    """
    List the gaps between the stations along a route, from its start to its end.

    Every passage of a station counts: one beside a route that comes back to it closes a gap each
    time. For other conditions (connector, access, status, side of the road) filter the table
    first; the side is in the answer of `locate_along`. The opposite direction of travel has the
    same gaps in reverse.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table; which of them are near the route is found here.
    within_km : float
        Greatest geodesic distance of a station from the route, inclusive, in km.
    min_power_kw : float, optional
        Count only stations whose ``max_power_kw`` is at least this. A missing power does not
        count.

    Returns
    -------
    geopandas.GeoDataFrame
        One row more than there are passages, by ``start_km``: ``from_id`` and ``to_id`` (number
        of the station where the gap begins and ends, missing at the ends of the route),
        ``start_km`` and ``end_km`` along the route, ``length_km`` between them, and ``geometry``
        (the piece of the route, EPSG:4326; empty where it is shorter than 1 mm, longitudes
        running on beyond ±180 where it crosses the antimeridian). The lengths add up to that of
        the route.

    Raises
    ------
    QueryError
        If a parameter is wrong, or the table lacks what is needed.
    RouteError
        If the geometry is no route.

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
    limit = positive_km(within_km, "within_km")
    line = Line(as_line(route))
    marks = marks_along(with_power(stations, min_power_kw), line, limit)
    ends = np.concatenate([[0.0], np.minimum(marks.along_km, line.length_km), [line.length_km]])
    start, end = ends[:-1], ends[1:]
    ids = pd.array([pd.NA, *marks.ids, pd.NA], dtype="Int64")
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
    gaps = gpd.GeoDataFrame(table, geometry=pieces, crs=CRS)
    facts = {"within_km": limit, "min_power_kw": min_power_kw, "length_km": line.length_km}
    return carry(gaps, stations, gaps=facts)
