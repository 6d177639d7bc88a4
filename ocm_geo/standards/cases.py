"""A checked question about a road and a rule, and what all answers share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pandas as pd

from ocm_geo.checks import warn_user
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.standards.catalogue import relax_fully, relax_rule, rule_of
from ocm_geo.standards.exits import EXIT_KM, check_exits, place_at_exits
from ocm_geo.standards.options import AssessmentOptions
from ocm_geo.standards.pool_rules import PoolRules
from ocm_geo.standards.pools import Pools
from ocm_geo.standards.verdict import describe_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.standards.rule import Derogation, Rule
    from ocm_geo.standards.tally import Tally

    IsNear = Callable[[NDArray[np.float64], float], NDArray[np.bool_]]

__all__ = ["EVERY", "TOLERANCE_KM", "Case", "Placed", "make_case", "readings_table", "reason"]

EVERY = "every one that traffic could permit"
TOLERANCE_KM = 1e-6


@dataclass(frozen=True, eq=False)
class Placed:
    """
    Pools that can be reached from a road.

    Parameters
    ----------
    pools : Pools
        All pools.
    number : numpy.ndarray of int, shape (n,)
        The pools that can count.
    lonlat : numpy.ndarray of shape (n, 2)
        Where they lie beside the road: their positions, or their exits.
    within_km : float
        Those this near to the road count.
    """

    pools: Pools
    number: NDArray[np.intp]
    lonlat: NDArray[np.float64]
    within_km: float


@dataclass(frozen=True, eq=False)
class Case:
    """What is asked, checked."""

    rule: Rule
    used: list[Derogation]
    spacing_km: float
    offset_km: float
    serve: str
    options: AssessmentOptions
    exits: NDArray[np.float64] | None

    @property
    def pool_rules(self) -> PoolRules:
        """Return how pools are made of stations."""
        return self.options.pool_rules or PoolRules()

    @property
    def is_closed(self) -> bool:
        """Return whether dead ends count as pools."""
        return self.options.ends == "closed"

    @property
    def share_of(self) -> str:
        """Return what the share of a verdict is a share of."""
        near = f"of the length lies between qualifying pools at most {self.spacing_km:g} km apart"
        return f"{near}, each dead end taken as a pool" if self.is_closed else near

    @property
    def clauses(self) -> list[str]:
        """The rule in words, and what was done that a reader must know."""
        facts = self.options.power_clauses
        if self.rule.per_direction:
            facts.append(self._describe_directions())
        facts += [self._describe_offset()] if self.rule.offset_measure else []
        return describe_rule(self.rule, self.used, facts)

    def _describe_directions(self) -> str:
        """Describe how pools serve the two directions."""
        if self.serve == "by-side":
            return (
                "which direction a pool serves is not recorded: here it is taken to be the one on "
                f"whose side of the road it lies (driving on the {self.options.drive_on})"
            )
        used, other = "'both-single'", "'both-double'"
        how = "at the requirement of one"
        if self.serve == "both-double":
            used, other, how = other, used, "at twice the power and points"
        return (
            "which direction a pool serves is not recorded: here each pool serves both, on either "
            f"carriageway, {how} ({used}); the readings have {other} too"
        )

    def _describe_offset(self) -> str:
        """Describe how the distance from the road was measured."""
        limit = f"at most {self.offset_km:g} km from the road ({self.rule.offset_measure})"
        engine = self.options.engine
        if engine is not None:
            return f"{limit}; measured by {engine!r} from the exits given"
        straight = f"{limit}; measured here as the straight line to the nearest point of the road"
        if "driving" not in self.rule.offset_measure and "travel" not in self.rule.offset_measure:
            return straight
        return f"{straight}: an approximation, since exits and an engine were not given"

    def describe_ends(self, tallies: Sequence[Tally], n_pools: int) -> str:
        """Describe what the ends do."""
        tally = max(tallies, key=lambda one: one.possible + one.long_ends)
        km = tally.possible + tally.long_ends
        if not n_pools:
            taken = "; each dead end is taken as a pool" if self.is_closed else ""
            return (
                f"ends: no qualifying pool is within reach, so that all {km:.1f} km are ends{taken}"
            )
        if self.is_closed:
            return (
                f"ends: {km:.1f} km lie before the first or after the last pool; each dead end is "
                "taken as a pool, and what is at most the spacing long counts in the share"
            )
        if km <= 0:
            return "ends: nothing lies before the first or after the last pool"
        where = f"ends: {km:.1f} km lie before the first or after the last pool, not in the share"
        spacing = f"{self.spacing_km:g} km"
        long = f"{tally.long_ends:.1f} km of them belong to ends longer than {spacing}, which fail"
        if tally.long_ends <= 0:
            long = f"no end is longer than {spacing}"
        if tally.possible <= 0:
            return f"{where}; {long}"
        others = f"{tally.possible:.1f} km pass" if tally.long_ends > 0 else "they pass"
        return (
            f"{where}; {long}; {others} only if a pool lies behind the dead end, which is not known"
        )

    def times(self, serve: str) -> int:
        """Return how often a pool must offer what the rule asks for."""
        return 2 if serve == "both-double" else 1

    def place(self, stations: gpd.GeoDataFrame, is_near: IsNear) -> Placed:
        """
        Make pools, and find where those that may qualify lie along the road.

        Parameters
        ----------
        stations : geopandas.GeoDataFrame
            A station table.
        is_near : callable
            Tests which positions are within some km of the road.

        Returns
        -------
        Placed
            The pools; an engine is asked once for each pool and exit.

        Warns
        -----
        SuspectInput
            If there are stations, and none of them is near the road.
        """
        made = Pools(stations, self.rule, self.pool_rules, strict_power=self.options.strict_power)
        # A pool that fails at its best under the laxest form of the rule never counts: it is not
        # placed, and no engine is asked about it.
        best = made.qualify(relax_fully(self.rule), "high", 1)
        number = np.flatnonzero(best)
        centres = np.column_stack([made.centres.x, made.centres.y]).reshape(-1, 2)
        self._warn_if_none_near(made.positions, is_near)
        lonlat, within_km = centres[number], self.offset_km
        engine = self.options.engine
        if self.exits is not None and engine is not None:
            kept, lonlat = place_at_exits(
                lonlat, is_near, self.exits, engine=engine, within_km=self.offset_km
            )
            number, within_km = number[kept], EXIT_KM
        return Placed(made, number, lonlat, within_km)

    def _warn_if_none_near(self, positions: NDArray[np.float64], is_near: IsNear) -> None:
        """Warn if there are stations, and none is near the road."""
        if len(positions) and not is_near(positions, self.offset_km).any():
            warn_user(
                f"none of the {len(positions):,} stations is within {self.offset_km:g} km of the "
                "road: are the axes of one of them swapped?",
                SuspectInput,
            )

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
        # Derogations that depend on traffic bound the answer from above, for the way of serving
        # that was asked for alone.
        given = ", ".join(derogation.id for derogation in self.used) or "none"
        rule = relax_fully(self.rule)
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


def make_case(standard: str | Rule, options: AssessmentOptions | None) -> Case:
    """
    Check a question.

    Parameters
    ----------
    standard : str or Rule
        The rule.
    options : AssessmentOptions or None
        How it is assessed.

    Returns
    -------
    Case
        The question.

    Raises
    ------
    QueryError
        If something is wrong with it, or the rule needs a number.
    """
    options = AssessmentOptions() if options is None else options
    if not isinstance(options, AssessmentOptions):
        raise QueryError(f"options must be AssessmentOptions(...), not {options!r}")
    rule, used = relax_rule(rule_of(standard), options.derogations)
    spacing_km = _choose_number(options.spacing_km, rule.spacing_km, "spacing_km", rule)
    offset_km = _choose_number(options.offset_km, rule.offset_km, "offset_km", rule)
    own = {name: getattr(options, name, None) for name in rule.needs}
    needs = [need for need, value in own.items() if value is None]
    return Case(
        rule=msgspec.structs.replace(rule, spacing_km=spacing_km, needs=needs),
        used=used,
        spacing_km=spacing_km,
        offset_km=offset_km,
        serve=next((d.pools_serve for d in used if d.pools_serve), options.pools_serve),
        options=options,
        exits=check_exits(options.exits, options.engine),
    )


def _choose_number(own: float | None, ruled: float | None, name: str, rule: Rule) -> float:
    """Return the user's number, else the rule's."""
    if own is None and ruled is None:
        raise QueryError(
            f"{rule.id} sets no {name}: pass options=ocm.AssessmentOptions({name}=...), "
            "and cite its source"
        )
    return float(own if own is not None else ruled)  # type: ignore[arg-type]


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


def reason(status: str, km: float, case: Case, *, end_km: float = np.nan) -> str:
    """
    Explain the status of a segment.

    Parameters
    ----------
    status : str
        ``passes``, ``fails``, ``end`` or ``unserved``.
    km : float
        The distance between the pools that decide; not finite where it is not known.
    case : Case
        The question.
    end_km : float
        For what lies beyond the last pool, the way from the dead end behind it to the next pool.

    Returns
    -------
    str
        A sentence without a full stop.
    """
    if np.isfinite(end_km) or status == "end":
        return _explain_end(status, end_km, case)
    if status == "unserved":
        return "on no shortest way between two qualifying pools"
    if not np.isfinite(km):
        return f"no two qualifying pools at most {case.spacing_km:g} km apart by a way through it"
    verb = "at most" if status == "passes" else "more than"
    return f"{km:.1f} km between qualifying pools, {verb} {case.spacing_km:g} km"


def _explain_end(status: str, end_km: float, case: Case) -> str:
    """Explain the status of what lies beyond the last pool."""
    if not np.isfinite(end_km):
        return "before the first or after the last qualifying pool; none can be reached from it"
    is_long = end_km > case.spacing_km + TOLERANCE_KM
    where = f"before the first or after the last qualifying pool, {end_km:.1f} km to the dead end"
    if status == "end":
        behind = f": more than {case.spacing_km:g} km" if is_long else ", behind which is not known"
        return where + behind
    verb = "more than" if is_long else "at most"
    return f"{where}, taken as a pool: {verb} {case.spacing_km:g} km"
