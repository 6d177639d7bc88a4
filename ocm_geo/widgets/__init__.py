"""Interactive maps: in a notebook with ipyleaflet, and as one HTML file without network."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocm_geo.widgets.changes import changes_map
    from ocm_geo.widgets.coverage import CoverageLayer, coverage_map
    from ocm_geo.widgets.explorer import StationExplorer
    from ocm_geo.widgets.ground import LandLayer
    from ocm_geo.widgets.page import to_html
    from ocm_geo.widgets.panes import side_by_side
    from ocm_geo.widgets.routes import RouteMap, route_map
    from ocm_geo.widgets.station_layer import StationLayer
    from ocm_geo.widgets.stations import station_map
    from ocm_geo.widgets.timed import time_map

__all__ = [
    "CoverageLayer",
    "LandLayer",
    "RouteMap",
    "StationExplorer",
    "StationLayer",
    "changes_map",
    "coverage_map",
    "route_map",
    "side_by_side",
    "station_map",
    "time_map",
    "to_html",
]

# Each map loads only what it needs: classes and figures take longer than a map of stations.
_MODULES = {
    "CoverageLayer": "coverage",
    "LandLayer": "ground",
    "RouteMap": "routes",
    "StationExplorer": "explorer",
    "StationLayer": "station_layer",
    "changes_map": "changes",
    "coverage_map": "coverage",
    "route_map": "routes",
    "side_by_side": "panes",
    "station_map": "stations",
    "time_map": "timed",
    "to_html": "page",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
