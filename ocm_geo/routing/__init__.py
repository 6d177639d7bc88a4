"""Routing: routes, road detours and isochrones from OSRM or Valhalla."""

from ocm_geo.routing.engines import OSRM, Engine, MatrixEngine, Valhalla
from ocm_geo.routing.questions import isochrones, road_detours, route_between
from ocm_geo.routing.tiles import ValhallaTiles, build_tiles

__all__ = [
    "OSRM",
    "Engine",
    "MatrixEngine",
    "Valhalla",
    "ValhallaTiles",
    "build_tiles",
    "isochrones",
    "road_detours",
    "route_between",
]
