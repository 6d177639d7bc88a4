"""Describe questions for stations: where, and which; every filter with its exact meaning."""

from ocm_geo.query.filters import FILTERS, StationFilters, columns_of
from ocm_geo.query.question import StationQuery, published_mask
from ocm_geo.query.showing import show_filters
from ocm_geo.query.where import Area, Box, Circle, Corridor, Everywhere, Ids, Where

__all__ = [
    "FILTERS",
    "Area",
    "Box",
    "Circle",
    "Corridor",
    "Everywhere",
    "Ids",
    "StationFilters",
    "StationQuery",
    "Where",
    "columns_of",
    "published_mask",
    "show_filters",
]
