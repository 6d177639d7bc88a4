"""How charging grew: the snapshots of a mirror, one after the other."""

from ocm_geo.history.growth import growth
from ocm_geo.history.survival import survival

__all__ = ["growth", "survival"]
