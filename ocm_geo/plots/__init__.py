"""Figures with matplotlib. They take finished tables, fetch nothing and return their axes."""

from ocm_geo.plots.bounds import plot_bounds
from ocm_geo.plots.changes import plot_changes
from ocm_geo.plots.completeness import plot_completeness
from ocm_geo.plots.coverage import plot_coverage
from ocm_geo.plots.distances import plot_distances
from ocm_geo.plots.growth import plot_growth
from ocm_geo.plots.lorenz import plot_lorenz
from ocm_geo.plots.power import plot_power
from ocm_geo.plots.quality import plot_quality
from ocm_geo.plots.reachability import plot_reachability
from ocm_geo.plots.route import plot_route
from ocm_geo.plots.saving import save_figure
from ocm_geo.plots.stations import plot_stations

__all__ = [
    "plot_bounds",
    "plot_changes",
    "plot_completeness",
    "plot_coverage",
    "plot_distances",
    "plot_growth",
    "plot_lorenz",
    "plot_power",
    "plot_quality",
    "plot_reachability",
    "plot_route",
    "plot_stations",
    "save_figure",
]
