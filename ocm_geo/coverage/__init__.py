"""Coverage: distance to stations, areas within reach, people within reach, density."""

from ocm_geo.coverage.areas import coverage
from ocm_geo.coverage.by_road import nearest_by_road
from ocm_geo.coverage.density import density
from ocm_geo.coverage.doubt import Qualifying, doubtful_stations
from ocm_geo.coverage.grid import coverage_grid
from ocm_geo.coverage.nearest import nearest_stations
from ocm_geo.coverage.population import population_coverage
from ocm_geo.coverage.rasters import PopulationRaster
from ocm_geo.coverage.service_areas import service_areas

__all__ = [
    "PopulationRaster",
    "Qualifying",
    "coverage",
    "coverage_grid",
    "density",
    "doubtful_stations",
    "nearest_by_road",
    "nearest_stations",
    "population_coverage",
    "service_areas",
]
