"""Access: how much charging a population can reach, how equally, and where more would help."""

from ocm_geo.access.accessibility import AccessOptions, accessibility
from ocm_geo.access.inequality import Equity, equity
from ocm_geo.access.siting import suggest_sites
from ocm_geo.access.solvers import SolverOptions

__all__ = [
    "AccessOptions",
    "Equity",
    "SolverOptions",
    "accessibility",
    "equity",
    "suggest_sites",
]
