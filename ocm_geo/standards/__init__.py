"""Standards: the law on charging along roads as dated data, and verdicts by it."""

from ocm_geo.standards.catalogue import derogations, load_standards, standards
from ocm_geo.standards.on_area import assess_area
from ocm_geo.standards.on_fleet import assess_fleet
from ocm_geo.standards.on_network import assess_network
from ocm_geo.standards.on_route import assess_route
from ocm_geo.standards.options import AssessmentOptions
from ocm_geo.standards.pool_rules import PoolRules
from ocm_geo.standards.rule import Derogation, Rule
from ocm_geo.standards.sites import fill_gaps
from ocm_geo.standards.verdict import Verdict

__all__ = [
    "AssessmentOptions",
    "Derogation",
    "PoolRules",
    "Rule",
    "Verdict",
    "assess_area",
    "assess_fleet",
    "assess_network",
    "assess_route",
    "derogations",
    "fill_gaps",
    "load_standards",
    "standards",
]
