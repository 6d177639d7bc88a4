"""Access: how much charging a population can reach, how equally, and where more would help."""

from ocm_geo.access.accessibility import AccessOptions, accessibility
from ocm_geo.access.inequality import Equity, equity
from ocm_geo.access.siting import SolverOptions, suggest_sites

__all__ = [
    "AccessOptions",
    "Equity",
    "SolverOptions",
    "accessibility",
    "equity",
    "suggest_sites",
]
