"""Lines made into a road network whose lengths and junctions do not depend on how it was cut."""

from ocm_geo.roads.network import RoadNetwork, make_network, road_network
from ocm_geo.roads.options import NetworkOptions
from ocm_geo.roads.reachability import Reachability, reachability

__all__ = [
    "NetworkOptions",
    "Reachability",
    "RoadNetwork",
    "make_network",
    "reachability",
    "road_network",
]
