"""The result of an assessment, with the clauses of the law that it applies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocm_geo.cards import build_card
from ocm_geo.provenance import credit_line
from ocm_geo.reference import bundled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    import pandas as pd

    from ocm_geo.standards.rule import Derogation, Rule

__all__ = ["Verdict", "describe_rule", "format_share", "format_span"]

_EXACT = 1e-9
_NO_RATIO = "the text defines no ratio: a share in percent is the analyst's figure"


@dataclass(frozen=True)
class Verdict:
    """
    An assessment of a road, a network, an area or a fleet by a rule.

    Parameters
    ----------
    rule : Rule
        The rule, as derogations left it.
    passes : bool or None
        Whether the rule is met by what is on record. True: the share is enough. False: it is not,
        whatever the rule leaves open (what lies behind the ends of a road, where a grid lies).
        None: not decided, see ``reason``.
    share : float
        The share that passes, by the reading that was asked for: of the length of roads, of the
        cells, settlements, population or area, or of the power required.
    share_low, share_high : float
        The same with whatever is missing on record at its worst, and at its best; for a grid also
        where it lies to serve least and most.
    segments : geopandas.GeoDataFrame
        What was judged, with ``status`` and ``reason``. Roads, one row a segment:
        ``start_km``/``end_km`` (routes), or ``line`` and ``segment`` (networks: the row of the
        input, and the number of the stretch between junctions and pools of which it is a part),
        ``direction``, ``length_km``, ``between_km`` (distance between the pools that decide),
        ``status`` (``passes``, ``fails``, ``end`` or ``unserved``), ``geometry``. Areas: the
        cells, settlements, or served and other parts, with ``area_km2`` and, where it was given,
        ``population``. Fleets: one row a kind of vehicle, without geometry.
    pools : geopandas.GeoDataFrame
        The pools (of a route, those near it): ``pool_power_kw``, ``n_points``, ``n_stations``,
        ``qualifies``, ``ocm_ids`` or ``station_ids``, ``geometry``.
    clauses : list of str
        The rule in words, how well it is known, and what the data could not show.
    readings : pandas.DataFrame
        Every reading side by side: ``reading``, ``share``, ``share_low``, ``share_high``; of roads
        also ``pools_serve`` and ``derogations``. Where traffic could permit relaxations, the last
        rows use all of them at once: with the first they bound what counts of traffic would tell.
    report : dict
        How it was made: lengths, tolerances, counts.
    reason : str
        Why it is not decided; empty where it is.
    share_of : str
        What the share is a share of.
    bounds_by : str
        What its bounds come from.
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
    share_of: str = "of the length"
    bounds_by: str = "by what is uncertain"

    @property
    def word(self) -> str:
        """The verdict in a word: ``passes``, ``fails`` or ``not decided``."""
        return {True: "passes", False: "fails", None: "not decided"}[self.passes]

    @property
    def shares(self) -> str:
        """The share and its bounds in words."""
        bounds = "no bounds for this reading"
        if not math.isnan(self.share_low):
            bounds = f"{format_span(self.share_low, self.share_high)} {self.bounds_by}"
        return f"{format_share(self.share)} {self.share_of} ({bounds})"

    @property
    def headline(self) -> str:
        """The verdict, its share and the bounds in one line."""
        return f"{self.word}, {self.shares}"

    def __repr__(self) -> str:
        """Describe it in a few lines."""
        why = f"\nnot decided: {self.reason}" if self.passes is None else ""
        return (
            f"<Verdict {self.rule.id}: {self.headline}>{why}"
            f"\n{self.rule.citation} {self.rule.evidence_note}"
        )

    def _repr_html_(self) -> str:
        """Describe it with its clauses and readings, for notebooks."""
        return build_card(
            f"{self.rule.id}: {self.headline}",
            lines=[f"Not decided: {self.reason}." if self.passes is None else ""],
            items=self.clauses,
            tables={"Readings": self.readings},
            credit=f"{self.rule.citation}; {credit_line(self.pools)}",
        )


def format_share(share: float) -> str:
    """
    Write a share in percent; 0 % and 100 % only where it is exactly that.

    Parameters
    ----------
    share : float
        From 0 to 1.

    Returns
    -------
    str
        Such as ``"57.9 %"``.
    """
    # "fails, 100.0 %" would be read as a contradiction.
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1.0 - _EXACT:
        return "just under 100 %"
    if text == "0.0" and share > _EXACT:
        return "under 0.1 %"
    return f"{text} %"


def format_span(low: float, high: float) -> str:
    """Write two shares in percent, as `format_share`; with one sign where possible."""
    first, last = format_share(low), format_share(high)
    return f"{first.removesuffix(' %') if first[0].isdigit() else first} to {last}"


def describe_rule(rule: Rule, used: Sequence[Derogation], facts: Sequence[str]) -> list[str]:
    """
    Describe a rule and what a reader must know, one clause each.

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
    clauses = [
        f"{rule.citation}: {rule.network}, {rule.vehicle_class}; evidence {rule.evidence_note}",
        *_DUTIES[rule.kind](rule),
    ]
    if rule.pool_power_kw or rule.kind == "fleet":
        clauses.append(
            "the power of a pool is what the register states, else the sum over its connections: "
            "an upper bound; whether all points deliver it at once is not recorded"
        )
    clauses += [f"not testable with these data: {need}" for need in rule.needs]
    clauses += [f"counted by the rule, but not in these data: {one}" for one in rule.also_counts]
    clauses += [f"used {d.id} ({d.citation}): {d.relaxes}; only if: {d.trigger}" for d in used]
    if rule.notes:
        clauses.append(f"note{' on the text without derogations' if used else ''}: {rule.notes}")
    return [*clauses, *facts]


def _describe_pool(rule: Rule) -> str:
    """Describe what a pool needs to qualify."""
    if rule.asks_for_any_station:
        return "each station qualifies, whatever is on record of its charging points"
    point = f" of at least {rule.point_power_kw:g} kW" if rule.point_power_kw else ""
    kinds = _name_connectors(rule)
    pool = f"; at least {rule.pool_power_kw:g} kW in all" if rule.pool_power_kw else ""
    n = rule.n_points or 1
    count = f"{n} charging point{'s' if n > 1 else ''}"
    return f"a pool qualifies with at least {count}{point}{kinds}{pool}"


def _describe_road_duty(rule: Rule) -> list[str]:
    """Describe what a rule asks of roads."""
    share = ""
    if rule.share_of_length:
        part = f"at least {100 * rule.share_of_length:g} %" if rule.share_of_length < 1 else "all"
        share = f" on {part} of the length"
    clauses = [
        f"a qualifying pool at most every {rule.spacing_km:g} km{share}",
        _describe_pool(rule),
    ]
    if rule.share_of_length and not rule.ratio:
        clauses.append(_NO_RATIO)
    if rule.spacing_counts_only:
        clauses.append("the duty names no spacing: it only limits which sections count")
    if rule.share_with:
        clauses.append(f"the text has one share together with {rule.share_with}")
    return clauses


def _describe_area_duty(rule: Rule) -> list[str]:
    """Describe what a rule asks of an area."""
    needed = rule.share_served
    share = "a share that the text does not set" if needed is None else f"{100 * needed:g} %"
    share = f"at least {share}" if needed is not None and needed < 1 else share
    whole = "population must live" if rule.of_population else "area must lie"
    duty = {
        "grid": f"cells of {rule.cell_km or 0:g} km must have",
        "radius": f"{whole} within {rule.radius_km or 0:g} km of",
        "drive-time": f"{whole} within {rule.drive_min or 0:g} minutes' drive of",
        "settlement": f"settlements of {rule.min_population or 0:,.0f} or more must have",
    }[rule.kind]
    clauses = [f"{share} of the {duty} a qualifying pool", _describe_pool(rule)]
    if needed is not None and not rule.ratio:
        clauses.append(_NO_RATIO)
    return clauses


def _describe_fleet_duty(rule: Rule) -> list[str]:
    """Describe what a rule asks for vehicles."""
    kinds = {"battery-electric vehicle": rule.kw_per_bev, "plug-in hybrid": rule.kw_per_phev}
    asked = [f"{kw:g} kW for each {name}" for name, kw in kinds.items() if kw is not None]
    clauses = [f"{' and '.join(asked)} registered, from all publicly accessible stations together"]
    if rule.share_with:
        clauses.append(f"assessed together with {rule.share_with}: the text adds both up")
    return clauses


_DUTIES: dict[str, Callable[[Rule], list[str]]] = {
    "road": _describe_road_duty,
    "fleet": _describe_fleet_duty,
    **dict.fromkeys(("grid", "radius", "drive-time", "settlement"), _describe_area_duty),
}


def _name_connectors(rule: Rule) -> str:
    """Name the connectors that a rule asks for."""
    if not rule.connectors:
        return ""
    label = bundled().connection_types["title"]
    groups = [" or ".join(str(label.get(one, one)) for one in group) for group in rule.connectors]
    return f", {'each' if rule.connectors_on_each else 'the pool'} with {' and '.join(groups)}"
