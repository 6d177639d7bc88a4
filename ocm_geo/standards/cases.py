"""A question about a road and a rule, checked, and what all answers share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import pandas as pd

from ocm_geo.checks import check_km
from ocm_geo.errors import QueryError
from ocm_geo.standards.catalogue import Derogation, Rule, most_relaxed, relaxed, rule_of
from ocm_geo.standards.exits import EXIT_KM, at_exits, check_exits
from ocm_geo.standards.pools import Level, PoolRules, pools
from ocm_geo.standards.verdict import clauses_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray

    from ocm_geo.routing import Engine

__all__ = [
    "EVERY",
    "TOLERANCE_KM",
    "Case",
    "Ends",
    "Serve",
    "case_of",
    "reaches",
    "readings_table",
    "reason",
]

Ends: TypeAlias = Literal["between-pools", "closed"]
Serve: TypeAlias = Literal["both-single", "both-double", "by-side"]

EVERY = "every one that traffic could permit"
TOLERANCE_KM = 1e-6
_SHARE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Case:
    """What is asked, checked."""

    rule: Rule
    used: list[Derogation]
    spacing_km: float
    offset_km: float
    ends: Ends
    serve: Serve
    pool_rules: PoolRules
    strict_power: bool
    exits: NDArray[np.float64] | None
    engine: Engine | None

    @property
    def clauses(self) -> list[str]:
        """The rule in words, and what was done that a reader must know."""
        facts = []
        if self.strict_power:
            facts.append("power was compared with >, against the text, which says at least")
        if self.rule.per_direction and self.serve != "by-side":
            facts.append(
                "which direction a pool serves is not recorded: 'both-single' lets each pool "
                "serve both at the requirement of one, 'both-double' asks for twice the power "
                "and points"
            )
        facts += [self._offset_clause()] if self.rule.offset_measure else []
        return clauses_of(self.rule, self.used, facts)

    def _offset_clause(self) -> str:
        limit = f"at most {self.offset_km:g} km from the road ({self.rule.offset_measure})"
        if self.engine is None:
            return (
                f"{limit}; measured here as the straight line to the nearest place of the road: an "
                "approximation, since exits and an engine were not given"
            )
        return f"{limit}; measured by {self.engine!r} from the exits given"

    def pools(self, stations: gpd.GeoDataFrame, level: Level, serve: str) -> gpd.GeoDataFrame:
        """Make pools, as `ocm_geo.standards.pools.pools` does."""
        times = 2 if serve == "both-double" else 1
        return pools(
            stations,
            self.rule,
            self.pool_rules,
            level=level,
            times=times,
            strict_power=self.strict_power,
        )

    def places(
        self, good: gpd.GeoDataFrame, roads: NDArray[np.object_]
    ) -> tuple[gpd.GeoSeries, float]:
        """
        Say where pools stand beside a road.

        Parameters
        ----------
        good : geopandas.GeoDataFrame
            Pools that qualify.
        roads : numpy.ndarray of shapely.LineString
            The road.

        Returns
        -------
        places : geopandas.GeoSeries
            Their positions; with exits, those of the pools that can be reached from one, there.
        within_km : float
            Those this near to the road count.
        """
        if self.exits is None or self.engine is None:
            return good.geometry, self.offset_km
        placed = at_exits(
            good.geometry, roads, self.exits, engine=self.engine, within_km=self.offset_km
        )
        return placed, EXIT_KM

    def questions(self) -> list[tuple[str, Case, list[str]]]:
        """
        List what is asked beside the question itself.

        Returns
        -------
        list of tuple
            What relaxations are used, the case, and how pools may serve: the question as it is;
            then, where traffic that is not known here could permit relaxations, all of them at
            once, which bounds the answer.
        """
        given = ", ".join(derogation.id for derogation in self.used) or "none"
        rule = most_relaxed(self.rule)
        asked = [(given, self, self.serves())]
        if rule != self.rule:
            relaxed_case = replace(self, rule=rule, spacing_km=rule.spacing_km or self.spacing_km)
            asked.append((EVERY, relaxed_case, [self.serve]))
        return asked

    def serves(self) -> list[str]:
        """List the ways in which pools may serve two directions, the one asked for first."""
        if self.serve == "by-side" or not self.rule.per_direction:
            return [self.serve]
        other = "both-single" if self.serve == "both-double" else "both-double"
        return [self.serve, other]


def case_of(
    standard: str | Rule,
    derogations: Sequence[str],
    serves: Sequence[str],
    **asked: Any,  # noqa: ANN401 - the fields of Case
) -> Case:
    """
    Check a question.

    Parameters
    ----------
    standard : str or Rule
        The rule.
    derogations : sequence of str
        Relaxations to use.
    serves : sequence of str
        The ways pools may serve that are allowed here.
    **asked
        ``spacing_km``, ``offset_km``, ``ends``, ``serve``, ``pool_rules``, ``strict_power``,
        ``exits``, ``engine``.

    Returns
    -------
    Case
        The question.

    Raises
    ------
    QueryError
        If something is wrong with it, or the rule needs a number.
    """
    ends, serve = asked["ends"], asked["serve"]
    if ends not in {"between-pools", "closed"}:
        raise QueryError(f"ends must be 'between-pools' or 'closed', not {ends!r}")
    if serve not in serves:
        raise QueryError(f"pools_serve must be one of {', '.join(serves)}, not {serve!r}")
    rule, used = relaxed(rule_of(standard), derogations)
    asked["serve"] = next((d.pools_serve for d in used if d.pools_serve), serve)
    asked["spacing_km"] = _given(asked["spacing_km"], rule.spacing_km, "spacing_km", rule)
    asked["offset_km"] = _given(asked["offset_km"], rule.offset_km, "offset_km", rule)
    asked["pool_rules"] = asked["pool_rules"] or PoolRules()
    asked["exits"] = check_exits(asked["exits"], asked["engine"])
    needs = [need for need in rule.needs if asked.get(need) is None]
    rule = msgspec.structs.replace(rule, spacing_km=asked["spacing_km"], needs=needs)
    return Case(rule=rule, used=used, **asked)


def _given(own: float | None, ruled: float | None, name: str, rule: Rule) -> float:
    if own is None and ruled is None:
        raise QueryError(f"{rule.id} sets no {name}: give one, and say where it is from")
    return check_km(own if own is not None else ruled, name)


def reaches(rule: Rule, share: float) -> bool | None:
    """
    Say whether a share is enough.

    Parameters
    ----------
    rule : Rule
        The rule.
    share : float
        The share that passes.

    Returns
    -------
    bool or None
        None if the rule asks for no share, or for what the data do not show beside enough of it.
    """
    if rule.share_of_length is None:
        return None
    enough = bool(share >= rule.share_of_length - _SHARE_TOLERANCE)
    return None if enough and rule.needs else enough


def readings_table(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """
    Set readings side by side.

    Parameters
    ----------
    rows : sequence of tuple
        Reading, how pools serve, derogations used, share, low, high.

    Returns
    -------
    pandas.DataFrame
        One row each.
    """
    names = ["reading", "pools_serve", "derogations", "share", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=names)


def reason(status: str, km: float, case: Case) -> str:
    """
    Say why a segment has its status.

    Parameters
    ----------
    status : str
        ``passes``, ``fails``, ``end`` or ``unserved``.
    km : float
        The distance between the pools that decide.
    case : Case
        The question.

    Returns
    -------
    str
        A sentence without a full stop.
    """
    if status == "end":
        return f"{km:.1f} km before the first or after the last qualifying pool"
    if status == "unserved":
        return "on no shortest way between two qualifying pools"
    if math.isinf(km):
        return f"no two qualifying pools at most {case.spacing_km:g} km apart by a way through it"
    verb = "at most" if status == "passes" else "more than"
    return f"{km:.1f} km between qualifying pools, {verb} {case.spacing_km:g} km"
