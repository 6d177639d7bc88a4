"""Questions of manner ``exact``: what was asked for, correctly, or an error."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo import geodesy
from ocm_geo.errors import QueryError, RouteError
from ocm_geo.geodesy.short_edges import find_near_line
from ocm_geo.server.choosing import ConnectionFilters, Found, Order, Question
from ocm_geo.server.parameters import OF_FILTERS
from ocm_geo.server.plain import show_text
from ocm_geo.server.store import microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.server.dotnet import Points
    from ocm_geo.server.store import Store

__all__ = ["CODES", "MILES_PER_KM", "ask_exactly"]

MILES_PER_KM = 0.621371192
_POINT_KM = 50.0
_ROUTE_KM = 5.0
_HALF_TURN = 180.0
_MIN_CORNERS = 3

CODES = {
    "countryid": "country_id",
    "operatorid": "operator_id",
    "usagetypeid": "usage_type_id",
    "statustypeid": "status_type_id",
    "dataproviderid": "data_provider_id",
}
"""The columns of the parameters that name codes of stations."""

_TITLED = {"operatorname": ("operators", "operator_id")}
_TITLED |= {"dataprovidername": ("data_providers", "data_provider_id")}
_SINCE = {"modifiedsince": "date_last_status_update", "createdsince": "date_created"}
_HAS = {"hasmedia": "has_media", "hascomment": "has_comment", "hascheckins": "has_checkin"}
_LEAST_DETAIL, _MOST_DETAIL = 2, 3


def ask_exactly(store: Store, values: dict[str, Any]) -> Question:
    """
    Make a question of parameters that were read strictly.

    Parameters
    ----------
    store : Store
        The stations.
    values : dict
        As `read_strictly` returns them.

    Returns
    -------
    Question
        The question; all conditions hold together, several places included.

    Raises
    ------
    QueryError
        If a place is none, or a name is unknown.
    """
    place = _find_places(store, values)
    order: Order = "newest" if place is None or place.distance is None else "distance"
    detail = values.get("levelofdetail", 0)
    postcodes = values.get("postcodes")
    return Question(
        place=place,
        ids=values.get("chargepointid"),
        after_id=values.get("greaterthanid"),
        codes=_list_codes_asked(store, values),
        since={c: microseconds(values[p]) for p, c in _SINCE.items() if p in values},
        connections=_read_connections(store, values),
        is_open=values.get(OF_FILTERS["open_data"]),
        statuses=values.get("submissionstatustypeid"),
        detail=(2 if detail <= _MOST_DETAIL else 1) if detail >= _LEAST_DETAIL else None,
        postcodes=None if postcodes is None else frozenset(p.lower() for p in postcodes),
        has={c: values[p] for p, c in _HAS.items() if p in values},
        order=values.get("sortby", order),
        limit=values.get("maxresults"),
    )


def _list_codes_asked(store: Store, values: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """List accepted codes by column; conditions on one column hold together."""
    asked = [(column, values[p]) for p, column in CODES.items() if p in values]
    if "countrycode" in values:
        asked.append(("country_id", _find_country(store, values["countrycode"])))
    for parameter, (table, column) in _TITLED.items():
        if parameter in values:
            asked.append((column, _find_titled(store, table, parameter, values[parameter])))
    codes: dict[str, tuple[int, ...]] = {}
    for column, ids in asked:
        codes[column] = tuple(sorted({*ids} & {*codes.get(column, ids)}))
    return codes


def _find_country(store: Store, code: str) -> tuple[int, ...]:
    """Find the country of an ISO code."""
    codes = store.reference.countries["iso_code"]
    found = codes.index[codes == code.upper()]
    if not len(found):
        hint = "; the United Kingdom is GB" if code.upper() == "UK" else ""
        raise QueryError(
            f"countrycode must be one ISO 3166 code of two letters, not {show_text(code)}{hint}; "
            "countryid takes several countries"
        )
    return tuple(int(i) for i in found)


def _find_titled(store: Store, table: str, parameter: str, title: str) -> tuple[int, ...]:
    """Find the ids of a title; titles need not be unique."""
    titles = store.reference.titles(table)
    found = titles.index[titles.str.casefold() == title.casefold()]
    if not len(found):
        raise QueryError(f"{parameter}: there is no {show_text(title)} in the reference data")
    return tuple(int(i) for i in found)


def _read_connections(store: Store, values: dict[str, Any]) -> ConnectionFilters:
    """Read what one and the same connection must be."""
    types = values.get("connectiontypeid")
    if "connectiontype" in values:
        named = _find_titled(store, "connection_types", "connectiontype", values["connectiontype"])
        types = named if types is None else tuple({*types} & {*named})
    low, high = values.get("minpowerkw"), values.get("maxpowerkw")
    if low is not None and high is not None and low > high:
        raise QueryError(f"minpowerkw={low:g} is more than maxpowerkw={high:g}")
    return ConnectionFilters(types, values.get("levelid"), low, high)


def _find_places(store: Store, values: dict[str, Any]) -> Found | None:
    """Find the stations of all places that are given."""
    in_miles = values.get("distanceunit", "miles") == "miles"
    km = values.get("distance")
    km = km / MILES_PER_KM if km is not None and in_miles else km
    inside = _find_in_shapes(store, values, km)
    given = [name for name in ("latitude", "longitude") if name in values]
    if not given:
        if km is not None and "polyline" not in values:
            raise QueryError("distance needs latitude and longitude, or a polyline")
        return None if inside is None else Found(inside)
    if len(given) == 1:
        raise QueryError("latitude and longitude must be given together")
    # Beside a route the distance is the route's; beside another shape the point is measured from.
    radius_km = None if "polyline" in values else km
    if inside is None:
        radius_km = radius_km or _POINT_KM
    lonlat = values["longitude"], values["latitude"]
    positions = _find_about(store, lonlat, radius_km, inside)
    distance = geodesy.distance_km(*lonlat, store.lon[positions], store.lat[positions])
    return Found(positions, distance * (MILES_PER_KM if in_miles else 1.0))


def _find_in_shapes(
    store: Store, values: dict[str, Any], km: float | None
) -> NDArray[np.intp] | None:
    """Find the stations of box, polygon and route together; None where none is given."""
    shapes = []
    if "boundingbox" in values:
        shapes.append(_find_in_box(store, values["boundingbox"]))
    if "polygon" in values:
        shapes.append(_find_in_polygon(store, values["polygon"]))
    if "polyline" in values:
        shapes.append(_find_along(store, values["polyline"], km or _ROUTE_KM))
    return functools.reduce(np.intersect1d, shapes) if shapes else None


def _find_about(
    store: Store,
    lonlat: tuple[float, float],
    radius_km: float | None,
    inside: NDArray[np.intp] | None,
) -> NDArray[np.intp]:
    """Find the stations within a distance of a point, among those of the shapes, if any."""
    if radius_km is None:
        return np.arange(len(store)) if inside is None else inside
    near = store.points.within_km(*lonlat, radius_km)
    return near if inside is None else np.intersect1d(near, inside)


def _find_in_box(store: Store, points: Points) -> NDArray[np.intp]:
    """
    Find the stations in a box, its border included.

    The first corner is the left one, as Open Charge Map documents it. Where it lies east of the
    second, the box crosses the antimeridian if it is at most half a turn wide; else the corners
    are the wrong way round, which Open Charge Map takes as well.
    """
    if len(points) != 2:  # noqa: PLR2004 - corners
        raise QueryError(
            f"boundingbox must be two corners, (lat,lng),(lat,lng), not {len(points)} points"
        )
    (lat_a, west), (lat_b, east) = points
    if west > east and west - east < _HALF_TURN:
        west, east = east, west
    return store.points.in_box(west, min(lat_a, lat_b), east, max(lat_a, lat_b))


def _find_in_polygon(store: Store, points: Points) -> NDArray[np.intp]:
    """Find the stations in a polygon, its border included; edges are straight in lon/lat."""
    if len(points) < _MIN_CORNERS:
        raise QueryError(f"polygon must have 3 points or more, not {len(points)}")
    try:
        area = geodesy.as_polygons(shapely.Polygon([(lon, lat) for lat, lon in points]))
    except QueryError as error:
        raise QueryError(f"polygon: {error}") from error
    candidates = store.points.in_box(*area.bounds)
    inside = geodesy.contains_lonlat(area, store.lon[candidates], store.lat[candidates])
    return np.asarray(candidates[inside])


def _find_along(store: Store, points: Points, within_km: float) -> NDArray[np.intp]:
    """Find the stations within a distance of a route whose edges are geodesics."""
    try:
        return find_near_line(store.points, np.array([(x, y) for y, x in points]), within_km)
    except RouteError as error:
        raise QueryError(f"polyline: {error}") from error
