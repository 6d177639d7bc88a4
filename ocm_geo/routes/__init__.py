"""Read routes from polylines and files, measure and cut them.

A route is a shapely ``LineString`` in longitude and latitude whose edges are geodesics.
"""

from ocm_geo.routes.editing import (
    route_length_km,
    route_points_every,
    route_reverse,
    route_substring,
)
from ocm_geo.routes.files import route_from_file
from ocm_geo.routes.polylines import route_from_polyline, route_to_polyline
from ocm_geo.routes.simplifying import route_simplify

__all__ = [
    "route_from_file",
    "route_from_polyline",
    "route_length_km",
    "route_points_every",
    "route_reverse",
    "route_simplify",
    "route_substring",
    "route_to_polyline",
]
