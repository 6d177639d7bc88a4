"""Coverage: how far the nearest stations are, and which area and population are within reach."""

from ocm_geo.coverage.areas import coverage
from ocm_geo.coverage.areas_by_road import coverage_by_road
from ocm_geo.coverage.by_road import nearest_by_road
from ocm_geo.coverage.densities import density
from ocm_geo.coverage.grid import coverage_grid
from ocm_geo.coverage.nearest import nearest_stations
from ocm_geo.coverage.population import population_coverage
from ocm_geo.coverage.rasters import PopulationRaster
from ocm_geo.coverage.reach import service_areas

__all__ = [
    "PopulationRaster",
    "coverage",
    "coverage_by_road",
    "coverage_grid",
    "density",
    "nearest_by_road",
    "nearest_stations",
    "population_coverage",
    "service_areas",
]
