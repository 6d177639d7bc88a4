"""Stations and roads made for tests: a station table by the real parser, places by Geod."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import shapely
from pyproj import Geod

from ocm_geo.sources.decode import parse_body
from ocm_geo.sources.tables import to_geodataframe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

GEOD = Geod(ellps="WGS84")
HUB = (5.0, 52.0)


def away(km: float, azimuth: float, start: tuple[float, float] = HUB) -> tuple[float, float]:
    """Go some way."""
    lon, lat, _ = GEOD.fwd(*start, azimuth, km * 1000)
    return lon, lat


def road(km: float, azimuth: float, start: tuple[float, float] = HUB) -> shapely.LineString:
    """Make a straight road with a vertex every kilometre or so."""
    n = max(int(km), 2)
    return shapely.LineString([away(km * i / n, azimuth, start) for i in range(n + 1)])


def site(ocm_id: int, at: tuple[float, float], *plugs: dict[str, Any], **more: Any) -> Any:
    """Make a record; without plugs, one of 400 kW with DC."""
    plugs = plugs or ({"PowerKW": 400.0, "CurrentTypeID": 30, "ConnectionTypeID": 33},)
    return {
        "ID": ocm_id,
        "SubmissionStatusTypeID": 200,
        "UsageTypeID": 1,
        "StatusTypeID": 50,
        "AddressInfo": {"Title": "x", "Longitude": at[0], "Latitude": at[1], "CountryID": 159},
        "Connections": [{"ID": i + 1, **plug} for i, plug in enumerate(plugs)],
        **more,
    }


def table(records: Sequence[Any]) -> gpd.GeoDataFrame:
    """Parse records."""
    return to_geodataframe(parse_body(json.dumps(list(records)).encode(), origin="test"))
