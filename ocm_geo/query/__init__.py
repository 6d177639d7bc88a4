"""The question: where, and which stations; every filter with its checks and exact meaning."""

from ocm_geo.query.filters import StationFilters
from ocm_geo.query.question import StationQuery, published_mask
from ocm_geo.query.where import Area, Box, Circle, Corridor, Everywhere, Ids, Where

__all__ = [
    "Area",
    "Box",
    "Circle",
    "Corridor",
    "Everywhere",
    "Ids",
    "StationFilters",
    "StationQuery",
    "Where",
    "published_mask",
]
