"""Questions and measures that reach where a source holds no station."""

from ocm_geo.outside.judging import (
    describe_outside,
    mark_areas,
    mark_demand,
    mark_line,
    mark_points,
    mark_roads,
    name_outside,
)

__all__ = [
    "describe_outside",
    "mark_areas",
    "mark_demand",
    "mark_line",
    "mark_points",
    "mark_roads",
    "name_outside",
]
