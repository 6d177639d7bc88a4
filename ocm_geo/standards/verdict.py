"""The result of an assessment, with the words of the law that it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocm_geo.reference import bundled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd

    from ocm_geo.standards.rule import Derogation, Rule

__all__ = ["Verdict", "clauses_of"]


@dataclass(frozen=True)
class Verdict:
    """
    An assessment of a road by a rule.

    Parameters
    ----------
    rule : Rule
        The rule, as derogations left it.
    passes : bool or None
        Whether the road meets the rule. True: the share between pools is enough. False: even
        pools right behind all ends that are at most the spacing long could not make it so. None:
        not decided, see ``reason``.
    share : float
        Share of the length that passes, by the reading that was asked for.
    share_low, share_high : float
        The same with whatever is missing on record at its worst, and at its best.
    segments : geopandas.GeoDataFrame
        One row a segment: ``start_km``/``end_km`` (routes), or ``line`` and ``segment`` (networks:
        the row of the input, and the number of the stretch between junctions and pools of which
        it is a part), ``direction``, ``length_km``, ``between_km`` (distance between the pools
        that decide), ``status`` (``passes``, ``fails``, ``end`` or ``unserved``), ``reason``,
        ``geometry``.
    pools : geopandas.GeoDataFrame
        The pools (of a route, those near it): ``pool_power_kw``, ``n_points``, ``n_stations``,
        ``qualifies``, ``ocm_ids`` or ``station_ids``, ``geometry``.
    clauses : list of str
        The rule in words, how well it is known, and what the data could not show.
    readings : pandas.DataFrame
        Every reading side by side: ``reading``, ``pools_serve``, ``derogations``, ``share``,
        ``share_low``, ``share_high``. Where traffic could permit relaxations, the last rows use
        all of them at once: with the first they bound what counts of traffic would tell.
    report : dict
        How it was made: lengths, tolerances, counts.
    reason : str
        Why it is not decided; empty where it is.
    """

    rule: Rule
    passes: bool | None
    share: float
    share_low: float
    share_high: float
    segments: gpd.GeoDataFrame
    pools: gpd.GeoDataFrame
    clauses: list[str]
    readings: pd.DataFrame
    report: dict[str, object]
    reason: str = ""

    @property
    def word(self) -> str:
        """The verdict in a word: ``passes``, ``fails`` or ``not decided``."""
        return {True: "passes", False: "fails", None: "not decided"}[self.passes]

    def __repr__(self) -> str:
        """Describe it in a few lines."""
        share = f"{100 * self.share:.1f} % of the length between pools near enough"
        if self.report.get("ends") == "closed":
            share = f"{100 * self.share:.1f} % of the length, each end taken as a pool"
        bounds = f"{100 * self.share_low:.1f} to {100 * self.share_high:.1f} %"
        if math.isnan(self.share_low):
            bounds = "no bounds for this reading"
        else:
            bounds += " by what is uncertain"
        why = f"\nnot decided: {self.reason}" if self.passes is None else ""
        return (
            f"<Verdict {self.rule.id}: {self.word}, {share} ({bounds})>{why}"
            f"\n{self.rule.citation} {self.rule.evidence_note}"
        )


def clauses_of(rule: Rule, used: Sequence[Derogation], facts: Sequence[str]) -> list[str]:
    """
    Put a rule into words.

    Parameters
    ----------
    rule : Rule
        The rule.
    used : sequence of Derogation
        The derogations used.
    facts : sequence of str
        What else the reader must know.

    Returns
    -------
    list of str
        One clause each.
    """
    point = f" of at least {rule.point_power_kw:g} kW" if rule.point_power_kw else ""
    kinds = _name_connectors(rule)
    pool = f"; at least {rule.pool_power_kw:g} kW in all" if rule.pool_power_kw else ""
    share = (
        f" on at least {100 * rule.share_of_length:g} % of the length"
        if (rule.share_of_length)
        else ""
    )
    clauses = [
        f"{rule.citation}: {rule.network}, {rule.vehicle_class}; evidence {rule.evidence_note}",
        f"a qualifying pool at most every {rule.spacing_km:g} km{share}",
        f"a pool qualifies with at least {rule.n_points or 1} point(s){point}{kinds}{pool}",
    ]
    if rule.share_of_length and not rule.ratio:
        clauses.append("the share is the analyst's figure: the text defines no ratio")
    if rule.spacing_counts_only:
        clauses.append("the duty names no spacing: it only limits which sections count")
    if rule.share_with:
        clauses.append(f"the text has one share together with {rule.share_with}")
    if rule.pool_power_kw:
        clauses.append(
            "the power of a pool is the sum over its connections: an upper bound; whether all "
            "points deliver it at once is not recorded"
        )
    clauses += [f"not testable with these data: {need}" for need in rule.needs]
    clauses += [f"used {d.id} ({d.citation}): {d.relaxes}; only if: {d.trigger}" for d in used]
    clauses += [f"note: {rule.notes}"] if rule.notes else []
    return [*clauses, *facts]


def _name_connectors(rule: Rule) -> str:
    if not rule.connectors:
        return ""
    label = bundled().connection_types["title"]
    groups = [" or ".join(str(label.get(one, one)) for one in group) for group in rule.connectors]
    return f", {'each' if rule.connectors_on_each else 'the pool'} with {' and '.join(groups)}"
