"""The choices by which stations become pools."""

from __future__ import annotations

from dataclasses import dataclass

from ocm_geo.checks import check_flag, check_number, check_share
from ocm_geo.errors import QueryError

__all__ = ["PoolRules"]


@dataclass(frozen=True)
class PoolRules:
    """
    How pools are made of stations.

    Parameters
    ----------
    merge_m : float
        Stations this near to each other, or joined by others that are, are one pool, in metres.
    power_sharing : float
        The share of the summed power that a pool delivers when all points are in use. The law
        speaks of the theoretical maximum: 1.
    cap_at_points : bool
        Count no more charging points than the station states (``n_points``), the strongest first:
        two connectors of one charging point are not two points.
    public_only : bool
        Leave out stations known not to be public.
    operational_only : bool
        Leave out stations known not to be in operation.
    """

    merge_m: float = 100.0
    power_sharing: float = 1.0
    cap_at_points: bool = True
    public_only: bool = True
    operational_only: bool = True

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_number(self.merge_m, "merge_m", low=0.0, unit="m")
        if check_share(self.power_sharing, "power_sharing") == 0:
            raise QueryError("power_sharing must be above 0 and at most 1, not 0")
        for name in ("cap_at_points", "public_only", "operational_only"):
            check_flag(getattr(self, name), name)
