"""Questions and measures that reach beyond what a source covers."""

from ocm_geo.outside.drawing import (
    NO_DATA,
    NoData,
    no_data_countries,
    no_data_in,
    no_data_rows,
    split_by_data,
    stretches_without,
)
from ocm_geo.outside.judging import (
    describe_origin,
    describe_outside,
    mark_areas,
    mark_demand,
    mark_line,
    mark_points,
    mark_roads,
    name_outside,
)

__all__ = [
    "NO_DATA",
    "NoData",
    "describe_origin",
    "describe_outside",
    "mark_areas",
    "mark_demand",
    "mark_line",
    "mark_points",
    "mark_roads",
    "name_outside",
    "no_data_countries",
    "no_data_in",
    "no_data_rows",
    "split_by_data",
    "stretches_without",
]
