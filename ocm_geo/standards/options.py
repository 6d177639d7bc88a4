"""The choices by which a road or network is assessed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from ocm_geo.checks import check_choice, check_km, short_form
from ocm_geo.errors import QueryError
from ocm_geo.roads import NetworkOptions
from ocm_geo.standards.pool_rules import PoolRules

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from ocm_geo.routing import Engine

__all__ = ["AssessmentOptions", "Ends", "Serve", "check_unused"]

Ends: TypeAlias = Literal["between-pools", "closed"]
Serve: TypeAlias = Literal["both-single", "both-double", "by-side"]
Drive: TypeAlias = Literal["right", "left"]


@dataclass(frozen=True, eq=False)
class AssessmentOptions:
    """
    How a road or a network is assessed.

    Parameters
    ----------
    spacing_km, offset_km : float, optional
        Used instead of the rule's; needed where the rule sets none.
    ends : {"between-pools", "closed"}
        What lies before the first and after the last pool. ``between-pools``: it is never part of
        the share. An end longer than the spacing is a failure; a shorter one leaves the verdict
        open where the rest does not decide. ``closed``: as if a pool lay at each dead end.
    pools_serve : {"both-single", "both-double", "by-side"}
        Each pool serves both directions, at once or twice the requirement; or only the direction
        on whose side of the road it lies. Then both directions must pass.
    derogations : sequence of str
        Relaxations to use: see `derogations`.
    pool_rules : PoolRules, optional
        How pools are made of stations.
    strict_power : bool
        Compare power with ``>``; only to reproduce figures that were made so.
    same_pool : bool, optional
        Let one pool serve both ends of a line, in the readings some-path and branch of a network;
        only to reproduce figures that were made so. By default as ``strict_power``: the published
        national study does both.
    exits : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Points where one can leave the roads, service areas among them. With an engine, the offset
        is the driving distance from the nearest one; without, it is the straight line.
    engine : Engine, optional
        What measures it: see `route_between`.
    drive_on : {"right", "left"}
        The side of the road one drives on; only for ``by-side``.
    network : NetworkOptions
        How lines are made into a network.

    Raises
    ------
    QueryError
        If a value is out of range.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.AssessmentOptions(ends="closed", network=ocm.NetworkOptions(snap_m=5)).ends
    'closed'
    """

    spacing_km: float | None = None
    offset_km: float | None = None
    ends: Ends = "between-pools"
    pools_serve: Serve = "both-single"
    derogations: Sequence[str] = ()
    pool_rules: PoolRules | None = None
    strict_power: bool = False
    same_pool: bool | None = None
    exits: gpd.GeoDataFrame | gpd.GeoSeries | None = None
    engine: Engine | None = None
    drive_on: Drive = "right"
    network: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self) -> None:
        """Check the values."""
        for name, allowed in (("ends", Ends), ("pools_serve", Serve), ("drive_on", Drive)):
            check_choice(getattr(self, name), name, get_args(allowed))
        for name in ("spacing_km", "offset_km"):
            value = getattr(self, name)
            if value is not None:
                check_km(value, name)
        if isinstance(self.derogations, str):
            raise QueryError(
                f"derogations must be a list of ids, not {short_form(self.derogations)}"
            )
        for name, kind in (("pool_rules", PoolRules), ("network", NetworkOptions)):
            value = getattr(self, name)
            if not isinstance(value, kind) and not (value is None and name == "pool_rules"):
                raise QueryError(f"{name} must be {kind.__name__}(...), not {short_form(value)}")

    @property
    def power_clauses(self) -> list[str]:
        """Return what a reader must know of how powers were compared."""
        if not self.strict_power:
            return []
        return ["power was compared with >, against the text, which says at least"]


def check_unused(
    options: AssessmentOptions | None, used: Sequence[str], what: str
) -> AssessmentOptions:
    """
    Refuse options that would be ignored.

    Parameters
    ----------
    options : AssessmentOptions or None
        The argument.
    used : sequence of str
        The fields that are used.
    what : str
        What is assessed, for the message.

    Returns
    -------
    AssessmentOptions
        The options; defaults for None.

    Raises
    ------
    QueryError
        If another field is not at its default.
    """
    default = AssessmentOptions()
    if options is None:
        return default
    if not isinstance(options, AssessmentOptions):
        raise QueryError(f"options must be AssessmentOptions(...), not {short_form(options)}")
    for one in fields(options):
        if one.name not in used and getattr(options, one.name) != getattr(default, one.name):
            raise QueryError(
                f"{one.name} is not used when {what} is assessed: leave it out; used are "
                f"{', '.join(used)}"
            )
    return options
