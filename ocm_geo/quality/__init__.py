"""Quality of station tables: faults, cleaning, matching, merging, and how many are missing."""

from ocm_geo.quality.checking import check_stations
from ocm_geo.quality.dual_system import completeness
from ocm_geo.quality.duplicates import find_duplicates
from ocm_geo.quality.faults import quality_checks
from ocm_geo.quality.matching import match_stations
from ocm_geo.quality.merging import merge_stations
from ocm_geo.quality.missing import MissingStations, place_missing

__all__ = [
    "MissingStations",
    "check_stations",
    "completeness",
    "find_duplicates",
    "match_stations",
    "merge_stations",
    "place_missing",
    "quality_checks",
]
