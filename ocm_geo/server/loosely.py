"""Questions of manner ``ocm``: what Open Charge Map's server makes of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.server import dotnet
from ocm_geo.server.choosing import ConnectionFilters, Found, Order, Question
from ocm_geo.server.exactly import CODES
from ocm_geo.server.parameters import SORTS
from ocm_geo.server.rings import (
    PlaceError,
    corridor_ring,
    find_in_ring,
    find_near,
    hull_ring,
)
from ocm_geo.server.store import microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocm_geo.server.dotnet import Points
    from ocm_geo.server.store import Store

__all__ = ["ask_like_ocm", "read_loosely"]

_POINT_KM = 50.0
_ROUTE_KM = 5.0
_KM_PER_MILE = 1 / 0.621371192
_DEFAULT_LIMIT = 100
_LONGEST = 100
_WHOLE_TEXTS = ("polyline", "polygon", "boundingbox")
_LISTS = ("id", "ids", "postcodes", "submissionstatustypeid")
_LEAST_KW = 1.0
_TITLED = {"operatorname": ("operators", "operator_id")}
_TITLED |= {"dataprovidername": ("data_providers", "data_provider_id")}
_NOBODY = (-1,)


def read_loosely(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """
    Read parameters as ASP.NET does: names in any case, repeated values joined by commas.

    Parameters
    ----------
    pairs : iterable of tuple of str
        Names and values.

    Returns
    -------
    dict of str to str
        Texts by name; empty ones are left out, and those that are no lists are cut after 100
        characters.
    """
    joined: dict[str, list[str]] = {}
    for name, text in pairs:
        joined.setdefault(name.lower(), []).append(text)
    texts = {name: ",".join(parts) for name, parts in joined.items()}
    return {
        name: text
        if name in _WHOLE_TEXTS or name.endswith("id") or name in _LISTS
        else text[:_LONGEST]
        for name, text in texts.items()
        if text
    }


def ask_like_ocm(store: Store, texts: dict[str, str]) -> Question:
    """
    Make a question as Open Charge Map's server does: what cannot be read is dropped.

    Parameters
    ----------
    store : Store
        The stations.
    texts : dict of str to str
        As `read_loosely` returns them.

    Returns
    -------
    Question
        The question.

    Raises
    ------
    PlaceError
        If the server's databases would refuse the place.
    """
    place, order = _find_place(store, texts)
    sort = texts.get("sortby", "").strip().lower()
    limit = dotnet.parse_int(texts.get("maxresults"))
    statuses = dotnet.parse_ints(texts.get("submissionstatustypeid")) or []
    is_given = any(status > 0 for status in statuses)
    ids = dotnet.parse_ints(texts.get("chargepointid")) or dotnet.parse_ints(texts.get("id"))
    postcodes = texts.get("postcodes")
    detail = dotnet.parse_int(texts.get("levelofdetail")) or 0
    return Question(
        place=place,
        ids=None if ids is None else tuple(ids),
        after_id=dotnet.parse_int(texts.get("greaterthanid")),
        codes=_list_codes(store, texts),
        since=_list_times(texts),
        connections=_read_conditions(store, texts),
        is_open=dotnet.parse_nullable_bool(texts.get("opendata")),
        statuses=tuple(statuses) if is_given else None,
        detail=(2 if detail <= 3 else 1) if detail > 1 else None,  # noqa: PLR2004 - levels
        postcodes=None if postcodes is None else frozenset(_lower_postcodes(postcodes)),
        fold=False,
        has=_list_flags(texts),
        order=sort if sort in SORTS and order != "distance" else order,  # type: ignore[arg-type] # a sort is an order
        limit=_DEFAULT_LIMIT if limit is None else max(limit, 0),
    )


def _lower_postcodes(text: str) -> list[str]:
    """Return postal codes in lower case: stored ones are not, so that letters never match."""
    return [code.strip().lower() for code in text.split(",")]


def _list_flags(texts: dict[str, str]) -> dict[str, bool]:
    """List the flags that can be read."""
    names = {"hasmedia": "has_media", "hascomment": "has_comment", "hascheckins": "has_checkin"}
    read = {column: dotnet.parse_nullable_bool(texts.get(name)) for name, column in names.items()}
    return {column: value for column, value in read.items() if value is not None}


def _list_times(texts: dict[str, str]) -> dict[str, int]:
    """List the earliest times that can be read."""
    names = {"modifiedsince": "date_last_status_update", "createdsince": "date_created"}
    read = {column: dotnet.parse_date(texts.get(name)) for name, column in names.items()}
    return {column: microseconds(value) for column, value in read.items() if value is not None}


def _list_codes(store: Store, texts: dict[str, str]) -> dict[str, tuple[int, ...]]:
    """List the codes that can be read; a known country code replaces country ids."""
    read = {column: dotnet.parse_ints(texts.get(name)) for name, column in CODES.items()}
    codes = {column: tuple(ids) for column, ids in read.items() if ids}
    iso = store.reference.countries["iso_code"]
    countries = iso.index[iso == texts.get("countrycode", "").upper()]
    if len(countries):
        codes["country_id"] = tuple(int(i) for i in countries)
    for name, (table, column) in _TITLED.items():
        if name in texts:
            titles = store.reference.titles(table)
            named = tuple(int(i) for i in titles.index[titles == texts[name]])
            codes[column] = tuple({*named} & {*codes.get(column, named)}) or _NOBODY
    return codes


def _read_conditions(store: Store, texts: dict[str, str]) -> ConnectionFilters:
    """Read the conditions on connections, each of which any connection may meet."""
    types = dotnet.parse_ints(texts.get("connectiontypeid"))
    if "connectiontype" in texts:
        titles = store.reference.titles("connection_types")
        named = [int(i) for i in titles.index[titles == texts["connectiontype"]]]
        types = [i for i in named if types is None or i in types] or [*_NOBODY]
    levels = dotnet.parse_ints(texts.get("levelid"))
    powers = [dotnet.parse_double(texts.get(name)) for name in ("minpowerkw", "maxpowerkw")]
    low, high = (kw if kw is not None and kw >= _LEAST_KW else None for kw in powers)
    return ConnectionFilters(
        types=None if types is None else tuple(types),
        levels=None if levels is None else tuple(levels),
        min_kw=low,
        max_kw=high,
        is_joint=False,
    )


def _find_place(store: Store, texts: dict[str, str]) -> tuple[Found | None, Order]:
    """Find the stations of the first place that can be read, and their order."""
    unit = texts.get("distanceunit", "").strip().lower()
    in_miles = unit not in {"km", "kilometers"}
    distance = dotnet.parse_double(texts.get("distance"))
    if points := dotnet.parse_points(texts.get("polyline")):
        km = _ROUTE_KM if distance is None else distance * (_KM_PER_MILE if in_miles else 1.0)
        return Found(_find_in_corridor(store, points, km)), "newest"
    if len(points := dotnet.parse_points(texts.get("boundingbox"))) > 1:
        return _find_in_envelope(store, points)
    if points := dotnet.parse_points(texts.get("polygon")):
        return Found(find_in_ring(store, hull_ring(points))), "newest"
    lat, lon = (dotnet.parse_double(texts.get(name)) for name in ("latitude", "longitude"))
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:  # noqa: PLR2004 - the Earth
        return None, "newest"
    if distance is None:
        # Fifty kilometres, whatever the unit is.
        distance = _POINT_KM / (_KM_PER_MILE if in_miles else 1.0)
    if distance < 0:
        raise PlaceError
    return Found(*find_near(store, lat, lon, distance=distance, in_miles=in_miles)), "distance"


def _find_in_corridor(store: Store, points: Points, km: float) -> np.ndarray:
    """Find the stations in the buffer about a route."""
    if len(points) < 2:  # noqa: PLR2004 - a line
        raise PlaceError
    return find_in_ring(store, corridor_ring(points, km))


def _find_in_envelope(store: Store, points: Points) -> tuple[Found, Order]:
    """Find the stations in the envelope of two points; a flat one goes to the other database."""
    lat, lon = np.array(points[:2]).T
    west, south, east, north = lon.min(), lat.min(), lon.max(), lat.max()
    ring = np.array([[west, south], [east, south], [east, north], [west, north]])
    try:
        return Found(find_in_ring(store, ring)), "file"
    except PlaceError:
        return Found(store.points.in_box(west, south, east, north)), "newest"
