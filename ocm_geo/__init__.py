"""Electric-vehicle charging with Open Charge Map: stations, routes and coverage as tables.

>>> import ocm_geo as ocm
>>> stations = ocm.stations_from_country("NL", source=ocm.sample())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ocm_geo._version import __version__
from ocm_geo.access import (
    AccessOptions,
    Equity,
    SolverOptions,
    accessibility,
    equity,
    suggest_sites,
)
from ocm_geo.connections import connections
from ocm_geo.corridors import StopPlan, corridor, locate_along, plan_stops, route_gaps
from ocm_geo.coverage import (
    PopulationRaster,
    coverage,
    coverage_by_road,
    coverage_grid,
    density,
    nearest_by_road,
    nearest_stations,
    population_coverage,
    service_areas,
)
from ocm_geo.errors import (
    ApiKeyError,
    ConnectionFailed,
    DroppedRows,
    InexactMethod,
    MalformedResponse,
    MirrorCorrupt,
    MirrorError,
    MirrorLocked,
    MirrorMissing,
    MirrorShrunk,
    MissingDependency,
    OCMError,
    OCMWarning,
    OutsideData,
    PagingError,
    QueryError,
    RateLimited,
    RegisterError,
    RequestTimeout,
    RouteError,
    ServerError,
    SourceError,
    StaleData,
    SuspectInput,
    TruncatedResult,
    UnknownCode,
)
from ocm_geo.own_tables import stations_from_table
from ocm_geo.power_limits import power_limits
from ocm_geo.qualifying import Qualifying
from ocm_geo.query import StationFilters, StationQuery
from ocm_geo.reference import ReferenceData, add_labels, attribution, links
from ocm_geo.registers import read_register, registers
from ocm_geo.roads import NetworkOptions, Reachability, RoadNetwork, reachability, road_network
from ocm_geo.routes import (
    route_from_file,
    route_from_polyline,
    route_length_km,
    route_points_every,
    route_reverse,
    route_simplify,
    route_substring,
    route_to_polyline,
)
from ocm_geo.settings import Settings, configure, using
from ocm_geo.sources.asking import reference_data
from ocm_geo.sources.base import Source
from ocm_geo.standards import (
    AssessmentOptions,
    Derogation,
    PoolRules,
    Rule,
    Verdict,
    assess_area,
    assess_fleet,
    assess_network,
    assess_route,
    derogations,
    fill_gaps,
    load_standards,
    standards,
)
from ocm_geo.stations import (
    stations,
    stations_from_bbox,
    stations_from_country,
    stations_from_ids,
    stations_from_point,
    stations_from_polygon,
    stations_from_route,
)
from ocm_geo.uncertainty import (
    Scenarios,
    uncertain_stations,
    uncertainty_drivers,
    uncertainty_scenarios,
)

if TYPE_CHECKING:
    from ocm_geo.files import read, to_geojson, write
    from ocm_geo.history import growth, survival
    from ocm_geo.latex import to_latex
    from ocm_geo.plots import (
        plot_bounds,
        plot_changes,
        plot_coverage,
        plot_distances,
        plot_growth,
        plot_lorenz,
        plot_power,
        plot_route,
        plot_stations,
        save_figure,
    )
    from ocm_geo.quality import (
        MissingStations,
        check_stations,
        completeness,
        find_duplicates,
        match_stations,
        merge_stations,
        place_missing,
        quality_checks,
    )
    from ocm_geo.routing import (
        OSRM,
        Engine,
        Valhalla,
        ValhallaTiles,
        build_tiles,
        isochrones,
        road_detours,
        route_between,
    )
    from ocm_geo.sources.api import OpenChargeMap
    from ocm_geo.sources.comments import CommentSubmission
    from ocm_geo.sources.mirror import Mirror
    from ocm_geo.sources.sample import sample, sample_areas, sample_route
    from ocm_geo.sources.table import TableSource
    from ocm_geo.sources.updating import UpdateReport
    from ocm_geo.study import run_study
    from ocm_geo.widgets import (
        CoverageLayer,
        LandLayer,
        RouteMap,
        StationExplorer,
        StationLayer,
        changes_map,
        coverage_map,
        route_map,
        station_map,
        to_html,
    )

__all__ = [
    "OSRM",
    "AccessOptions",
    "ApiKeyError",
    "AssessmentOptions",
    "CommentSubmission",
    "ConnectionFailed",
    "CoverageLayer",
    "Derogation",
    "DroppedRows",
    "Engine",
    "Equity",
    "InexactMethod",
    "LandLayer",
    "MalformedResponse",
    "Mirror",
    "MirrorCorrupt",
    "MirrorError",
    "MirrorLocked",
    "MirrorMissing",
    "MirrorShrunk",
    "MissingDependency",
    "MissingStations",
    "NetworkOptions",
    "OCMError",
    "OCMWarning",
    "OpenChargeMap",
    "OutsideData",
    "PagingError",
    "PoolRules",
    "PopulationRaster",
    "Qualifying",
    "QueryError",
    "RateLimited",
    "Reachability",
    "ReferenceData",
    "RegisterError",
    "RequestTimeout",
    "RoadNetwork",
    "RouteError",
    "RouteMap",
    "Rule",
    "Scenarios",
    "ServerError",
    "Settings",
    "SolverOptions",
    "Source",
    "SourceError",
    "StaleData",
    "StationExplorer",
    "StationFilters",
    "StationLayer",
    "StationQuery",
    "StopPlan",
    "SuspectInput",
    "TableSource",
    "TruncatedResult",
    "UnknownCode",
    "UpdateReport",
    "Valhalla",
    "ValhallaTiles",
    "Verdict",
    "__version__",
    "accessibility",
    "add_labels",
    "assess_area",
    "assess_fleet",
    "assess_network",
    "assess_route",
    "attribution",
    "build_tiles",
    "changes_map",
    "check_stations",
    "completeness",
    "configure",
    "connections",
    "corridor",
    "coverage",
    "coverage_by_road",
    "coverage_grid",
    "coverage_map",
    "density",
    "derogations",
    "equity",
    "fill_gaps",
    "find_duplicates",
    "growth",
    "isochrones",
    "links",
    "load_standards",
    "locate_along",
    "match_stations",
    "merge_stations",
    "nearest_by_road",
    "nearest_stations",
    "place_missing",
    "plan_stops",
    "plot_bounds",
    "plot_changes",
    "plot_coverage",
    "plot_distances",
    "plot_growth",
    "plot_lorenz",
    "plot_power",
    "plot_reachability",
    "plot_route",
    "plot_stations",
    "population_coverage",
    "power_limits",
    "quality_checks",
    "reachability",
    "read",
    "read_register",
    "reference_data",
    "registers",
    "road_detours",
    "road_network",
    "route_between",
    "route_from_file",
    "route_from_polyline",
    "route_gaps",
    "route_length_km",
    "route_map",
    "route_points_every",
    "route_reverse",
    "route_simplify",
    "route_substring",
    "route_to_polyline",
    "run_study",
    "sample",
    "sample_areas",
    "sample_route",
    "save_figure",
    "service_areas",
    "standards",
    "station_map",
    "stations",
    "stations_from_bbox",
    "stations_from_country",
    "stations_from_ids",
    "stations_from_point",
    "stations_from_polygon",
    "stations_from_route",
    "stations_from_table",
    "suggest_sites",
    "survival",
    "to_geojson",
    "to_html",
    "to_latex",
    "uncertain_stations",
    "uncertainty_drivers",
    "uncertainty_scenarios",
    "using",
    "write",
]

# Some functions share the name of their module (stations, coverage, connections): importing
# those modules above, before anything else does, keeps the function in front.
_LAZY = {
    "read": "files",
    "to_geojson": "files",
    "write": "files",
    "plot_bounds": "plots",
    "plot_changes": "plots",
    "plot_coverage": "plots",
    "plot_distances": "plots",
    "plot_growth": "plots",
    "plot_lorenz": "plots",
    "plot_power": "plots",
    "plot_reachability": "plots",
    "plot_route": "plots",
    "plot_stations": "plots",
    "save_figure": "plots",
    "Engine": "routing",
    "OSRM": "routing",
    "Valhalla": "routing",
    "ValhallaTiles": "routing",
    "build_tiles": "routing",
    "isochrones": "routing",
    "road_detours": "routing",
    "route_between": "routing",
    "growth": "history",
    "survival": "history",
    "to_latex": "latex",
    "OpenChargeMap": "sources.api",
    "CommentSubmission": "sources.comments",
    "UpdateReport": "sources.updating",
    "Mirror": "sources.mirror",
    "sample": "sources.sample",
    "TableSource": "sources.table",
    "sample_areas": "sources.sample",
    "sample_route": "sources.sample",
    "MissingStations": "quality",
    "check_stations": "quality",
    "completeness": "quality",
    "find_duplicates": "quality",
    "match_stations": "quality",
    "merge_stations": "quality",
    "place_missing": "quality",
    "quality_checks": "quality",
    "run_study": "study",
    "CoverageLayer": "widgets",
    "LandLayer": "widgets",
    "RouteMap": "widgets",
    "StationExplorer": "widgets",
    "StationLayer": "widgets",
    "changes_map": "widgets",
    "coverage_map": "widgets",
    "route_map": "widgets",
    "station_map": "widgets",
    "to_html": "widgets",
}
"""Names whose modules are loaded when they are first used (PEP 562)."""


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
