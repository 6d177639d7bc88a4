"""The bundled sample: invented stations, a route and areas for learning, tests and demonstrations.

Nothing in it is real but the positions of the cities: do not draw conclusions from it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import geopandas as gpd
import shapely

from ocm_geo.provenance import attach
from ocm_geo.schema import CRS
from ocm_geo.sources.mirror import Mirror

__all__ = ["sample", "sample_areas", "sample_route"]

_FOLDER = Path(__file__).parent / "data"
_ATTRIBUTION = "Invented areas, for demonstration only (ocm_geo sample)"


@cache
def sample() -> Mirror:
    """
    Open the bundled sample: about 1,500 invented stations about the Rhine delta.

    It is a mirror like any other, and holds the dirt of real data in known numbers: missing and
    estimated power, double listings, removed, private and stale sites, a wrong country, a
    position at (0, 0), hostile text. Every title says that the station is invented.

    Returns
    -------
    Mirror
        A source that needs neither key nor network.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> bool(stations["title"].str.startswith("Invented").all())
    True
    """
    return Mirror(_FOLDER / "sample")


def sample_route() -> shapely.LineString:
    """
    Return the example route: from Amsterdam to Cologne, in 121 positions.

    Returns
    -------
    shapely.LineString
        Longitude and latitude.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.sample_route().geom_type
    'LineString'
    """
    return shapely.LineString(json.loads((_FOLDER / "route.json").read_text(encoding="utf-8")))


def sample_areas() -> gpd.GeoDataFrame:
    """
    Return the example areas: regions of 22 cities, with an invented population.

    A region is made of hexagons nearest to its city, and ends at the coast and at the border of
    its country (Natural Earth, rounded); regions do not overlap.

    Returns
    -------
    geopandas.GeoDataFrame
        ``name``, ``population`` and ``geometry`` (EPSG:4326).

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.sample_areas().columns.tolist()
    ['name', 'population', 'geometry']
    """
    text = (_FOLDER / "areas.geojson").read_text(encoding="utf-8")
    areas = gpd.GeoDataFrame.from_features(json.loads(text), crs=CRS)
    facts = {"source": "invented sample", "attribution": _ATTRIBUTION}
    return attach(areas[["name", "population", "geometry"]], **facts)
