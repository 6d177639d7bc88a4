"""Lines made into a road network whose lengths and junctions do not depend on how it was cut."""

from ocm_geo.roads.network import RoadNetwork, make_network, road_network
from ocm_geo.roads.options import NetworkOptions

__all__ = ["NetworkOptions", "RoadNetwork", "make_network", "road_network"]
