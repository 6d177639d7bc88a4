"""Uncertainty: which stations are uncertain, and what difference they make to a measure."""

from ocm_geo.uncertainty.drivers import uncertainty_drivers
from ocm_geo.uncertainty.scenarios import Scenarios, uncertainty_scenarios
from ocm_geo.uncertainty.stations import uncertain_stations

__all__ = ["Scenarios", "uncertain_stations", "uncertainty_drivers", "uncertainty_scenarios"]
