"""Coverage: who is within reach, how much they can reach, how equal that is, where more helps."""

from ocm_geo.coverage.access import AccessOptions, accessibility
from ocm_geo.coverage.areas import coverage
from ocm_geo.coverage.by_road import nearest_by_road
from ocm_geo.coverage.coverage_by_road import coverage_by_road
from ocm_geo.coverage.density import density
from ocm_geo.coverage.doubt import Qualifying, uncertain_stations
from ocm_geo.coverage.drivers import uncertainty_drivers
from ocm_geo.coverage.equity import Equity, equity
from ocm_geo.coverage.grid import coverage_grid
from ocm_geo.coverage.nearest import nearest_stations
from ocm_geo.coverage.population import population_coverage
from ocm_geo.coverage.rasters import PopulationRaster
from ocm_geo.coverage.scenarios import Scenarios, uncertainty_scenarios
from ocm_geo.coverage.service_areas import service_areas
from ocm_geo.coverage.siting import SolverOptions, suggest_sites

__all__ = [
    "AccessOptions",
    "Equity",
    "PopulationRaster",
    "Qualifying",
    "Scenarios",
    "SolverOptions",
    "accessibility",
    "coverage",
    "coverage_by_road",
    "coverage_grid",
    "density",
    "equity",
    "nearest_by_road",
    "nearest_stations",
    "population_coverage",
    "service_areas",
    "suggest_sites",
    "uncertain_stations",
    "uncertainty_drivers",
    "uncertainty_scenarios",
]
