"""Figures with matplotlib: they take finished tables, fetch nothing and return their axes."""

from ocm_geo.plots.coverage import plot_coverage
from ocm_geo.plots.route import plot_route
from ocm_geo.plots.stations import plot_stations

__all__ = ["plot_coverage", "plot_route", "plot_stations"]
