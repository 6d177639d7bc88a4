"""How charging grew: the snapshots of a mirror, one after the other."""

from ocm_geo.history.lifetimes import survival
from ocm_geo.history.measuring import growth

__all__ = ["growth", "survival"]
