"""Interactive maps: in a notebook with ipyleaflet, and as one HTML file without network."""

from ocm_geo.widgets.coverage import CoverageLayer, coverage_map
from ocm_geo.widgets.explorer import StationExplorer
from ocm_geo.widgets.ground import LandLayer
from ocm_geo.widgets.page import to_html
from ocm_geo.widgets.routes import RouteMap, route_map
from ocm_geo.widgets.station_layer import StationLayer
from ocm_geo.widgets.stations import station_map

__all__ = [
    "CoverageLayer",
    "LandLayer",
    "RouteMap",
    "StationExplorer",
    "StationLayer",
    "coverage_map",
    "route_map",
    "station_map",
    "to_html",
]
