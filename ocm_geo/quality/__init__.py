"""Quality of station tables: faults, cleaning, matching, merging, and how many are missing."""

from ocm_geo.quality.checking import check_stations
from ocm_geo.quality.cleaning import clean
from ocm_geo.quality.dual_system import completeness
from ocm_geo.quality.duplicates import find_duplicates
from ocm_geo.quality.estimating import estimate_power
from ocm_geo.quality.faults import quality_checks
from ocm_geo.quality.ledgers import ledger
from ocm_geo.quality.matching import match_stations
from ocm_geo.quality.merging import merge_stations
from ocm_geo.quality.missing import MissingStations, place_missing
from ocm_geo.quality.publishing import open_only
from ocm_geo.quality.reporting import QualityReport, quality_report

__all__ = [
    "MissingStations",
    "QualityReport",
    "check_stations",
    "clean",
    "completeness",
    "estimate_power",
    "find_duplicates",
    "ledger",
    "match_stations",
    "merge_stations",
    "open_only",
    "place_missing",
    "quality_checks",
    "quality_report",
]
