"""Interactive maps: in a notebook with ipyleaflet, and as one HTML file without network."""

from ocm_geo.widgets.explorer import StationExplorer
from ocm_geo.widgets.page import to_html
from ocm_geo.widgets.station_layer import StationLayer
from ocm_geo.widgets.stations import station_map

__all__ = ["StationExplorer", "StationLayer", "station_map", "to_html"]
