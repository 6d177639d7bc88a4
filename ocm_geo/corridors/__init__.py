"""Corridors along routes, positions along them, gaps between stations, and stop plans."""

from ocm_geo.corridors.gaps import route_gaps
from ocm_geo.corridors.positions import corridor, locate_along
from ocm_geo.corridors.stops import StopPlan, plan_stops

__all__ = ["StopPlan", "corridor", "locate_along", "plan_stops", "route_gaps"]
