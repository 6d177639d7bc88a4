"""The rules as dated data: what each asks for, by which text, and how well that is known."""

from __future__ import annotations

import difflib
import re
from datetime import date  # noqa: TC003 - msgspec reads the annotations
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import pandas as pd

from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = [
    "Derogation",
    "Rule",
    "derogations",
    "load_standards",
    "most_relaxed",
    "relaxed",
    "rule_of",
    "standards",
]

RULE_FILES = ("afir.toml", "us.toml", "uk.toml")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One requirement.

    Parameters
    ----------
    id, jurisdiction, citation, network, vehicle_class, notes : str
        What it is called, where it holds, where it is written, which roads or sites it is about,
        whose vehicles, and what else the text says.
    applies_from, applies_until : str, optional
        Days by which the state must exist, and from which the rule no longer holds (ISO 8601).
    kind : {"road", "site", "fleet", "uptime", "total"}
        What it tests. Only ``road`` has a test on a line.
    spacing_km : float, optional
        Greatest distance between two qualifying pools, along the road.
    spacing_counts_only : bool
        The duty names no spacing; it only limits which sections count for the share.
    offset_km : float, optional
        Greatest distance of a pool from the road.
    offset_measure : str
        How the text measures it.
    pool_power_kw, point_power_kw, station_power_kw, total_power_kw : float, optional
        Least power of a pool, of each point that counts, of a station, and of all together, kW.
    n_points, n_stations : int, optional
        Least number of points of that power in a pool, and of stations on a site.
    connectors : list of list of int
        Open Charge Map's connection types: of each inner list the pool must have one.
    connectors_on_each : bool
        Whether each point that counts must have them, not just the pool.
    current_types : list of int
        Only these kinds of current count (30: DC); none: all.
    share_of_length : float, optional
        The share of the length that must pass.
    ratio : bool
        Whether the text itself defines that share.
    share_with : str, optional
        The rule with which it has one share together.
    per_direction : bool
        Whether the requirement holds in each direction of travel.
    needs : list of str
        Facts that neither stations nor lines hold.
    unverified : list of str
        Fields that rest on memory, not on a source.
    evidence : str
        S: the text was read; S2: from secondary accounts; R: unverified.
    """

    id: str
    jurisdiction: str
    citation: str
    network: str
    vehicle_class: str
    kind: Literal["road", "site", "fleet", "uptime", "total"] = "road"
    evidence: str
    applies_from: str | None = None
    applies_until: str | None = None
    spacing_km: float | None = None
    spacing_counts_only: bool = False
    offset_km: float | None = None
    offset_measure: str = ""
    pool_power_kw: float | None = None
    n_points: int | None = None
    point_power_kw: float | None = None
    n_stations: int | None = None
    station_power_kw: float | None = None
    total_power_kw: float | None = None
    connectors: list[list[int]] = []
    connectors_on_each: bool = False
    current_types: list[int] = []
    share_of_length: float | None = None
    ratio: bool = False
    share_with: str | None = None
    per_direction: bool = False
    needs: list[str] = []
    unverified: list[str] = []
    notes: str = ""

    @property
    def evidence_note(self) -> str:
        """The evidence in words."""
        marks = {"S": "the text was read", "S2": "from secondary accounts", "R": "unverified"}
        given = re.findall(r"S2|S|R", self.evidence)
        words = [word for mark, word in marks.items() if mark in given]
        own = f"; unverified: {', '.join(self.unverified)}" if self.unverified else ""
        return f"[{self.evidence}] {', '.join(words)}{own}"


class Derogation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    A permitted relaxation of rules.

    Parameters
    ----------
    id, citation, trigger, relaxes, stays, conditions, evidence : str
        What it is called, where it is written, what it needs, what it relaxes, what stays as it
        is, under which conditions, and how well that is known.
    rules : list of str
        The rules it is about; ``*`` stands for any text.
    aadt_below : int, optional
        Vehicles a day, both directions together, below which it may be used (strictly).
    spacing_km : float, optional
        The spacing it permits.
    spacing_rules : list of str
        The rules whose spacing that is, if not all.
    pool_power_factor : float, optional
        The share of the pool's power that must remain.
    pools_serve : {"both-double", "both-single"}, optional
        One pool may serve both directions, at twice or once the requirement.
    excludes : list of str
        Derogations that cannot be used with it.
    """

    id: str
    citation: str
    rules: list[str]
    trigger: str
    relaxes: str
    stays: str = ""
    conditions: str = ""
    evidence: str
    aadt_below: int | None = None
    spacing_km: float | None = None
    spacing_rules: list[str] = []
    pool_power_factor: float | None = None
    pools_serve: Literal["both-double", "both-single"] | None = None
    excludes: list[str] = []

    def is_about(self, rule: Rule) -> bool:
        """Say whether it can be used with a rule."""
        return any(fnmatchcase(rule.id, pattern) for pattern in self.rules)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    rule: list[Rule] = []
    derogation: list[Derogation] = []


@cache
def _bundled() -> _File:
    folder = files("ocm_geo.standards") / "rules"
    read = [msgspec.toml.decode((folder / name).read_bytes(), type=_File) for name in RULE_FILES]
    return _File(
        [rule for file in read for rule in file.rule],
        [derogation for file in read for derogation in file.derogation],
    )


def standards(on: str | date | None = None) -> pd.DataFrame:
    """
    List the rules.

    Parameters
    ----------
    on : str or datetime.date, optional
        Only those whose day has come and whose end has not, on this day.

    Returns
    -------
    pandas.DataFrame
        One row a rule, indexed by ``id``: the fields of `ocm_geo.standards.Rule` (km, kW), the
        evidence among them.

    Raises
    ------
    QueryError
        If ``on`` is no day.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.standards().loc["afir-ldv-core-2025", ["spacing_km", "pool_power_kw"]].tolist()
    [60.0, 400.0]
    >>> "afir-ldv-core-2027" in ocm.standards(on="2026-06-30").index
    False
    """
    table = pd.DataFrame([msgspec.structs.asdict(rule) for rule in _bundled().rule])
    table = table.set_index("id")
    for name in ("applies_from", "applies_until"):
        table[name] = pd.to_datetime(table[name])
    if on is None:
        return table
    try:
        day = pd.Timestamp(on)
    except ValueError as error:
        raise QueryError(f"on={on!r} is no day: give one such as '2026-06-30'") from error
    has_come = (table["applies_from"] <= day) | table["applies_from"].isna()
    return table[has_come & ~(table["applies_until"] <= day)]


def derogations() -> pd.DataFrame:
    """
    List the relaxations that the rules permit.

    Returns
    -------
    pandas.DataFrame
        One row each, indexed by ``id``: the fields of `ocm_geo.standards.Derogation`.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.derogations().loc["afir-ldv-3000", "spacing_km"]
    np.float64(100.0)
    """
    rows = [msgspec.structs.asdict(derogation) for derogation in _bundled().derogation]
    return pd.DataFrame(rows).set_index("id")


def load_standards(path: str | os.PathLike[str]) -> list[Rule]:
    """
    Read rules of one's own.

    Parameters
    ----------
    path : str or path
        A TOML file with tables ``[[rule]]`` in the form of the bundled ones: at least ``id``,
        ``jurisdiction``, ``citation``, ``network``, ``vehicle_class`` and ``evidence``.

    Returns
    -------
    list of Rule
        The rules, in their order; give one to `assess_route` or `assess_network`.

    Raises
    ------
    QueryError
        If the file cannot be read, or a field is unknown, missing or of another type.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.load_standards("my_rules.toml")  # doctest: +SKIP
    [Rule(id='my-rule', ...)]
    """
    try:
        read = msgspec.toml.decode(Path(path).read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError) as error:
        raise QueryError(f"{path} holds no rules: {error}") from error
    if not read.rule:
        raise QueryError(f"{path} holds no rules: it has no table [[rule]]")
    return read.rule


def rule_of(standard: str | Rule) -> Rule:
    """
    Give a rule that can be assessed on a line.

    Parameters
    ----------
    standard : str or Rule
        The id of a bundled rule, or a rule.

    Returns
    -------
    Rule
        The rule.

    Raises
    ------
    QueryError
        If there is none of this id, or it is no rule about a road.
    """
    if isinstance(standard, Rule):
        rule = standard
    else:
        rules = {rule.id: rule for rule in _bundled().rule}
        if standard not in rules:
            near = difflib.get_close_matches(str(standard), rules, n=3, cutoff=0.4)
            hint = f": did you mean {' or '.join(near)}?" if near else ""
            raise QueryError(f"there is no standard {standard!r}{hint} See ocm.standards()")
        rule = rules[standard]
    if rule.kind != "road":
        raise QueryError(
            f"{rule.id} cannot be assessed on a road ({rule.network}): it needs "
            f"{', '.join(rule.needs) or 'facts that stations and lines do not hold'}. {rule.notes}"
        )
    return rule


def relaxed(rule: Rule, names: Sequence[str]) -> tuple[Rule, list[Derogation]]:
    """
    Use derogations.

    Parameters
    ----------
    rule : Rule
        The rule.
    names : sequence of str
        Ids of derogations.

    Returns
    -------
    tuple of Rule and list of Derogation
        The rule as they leave it, and the derogations.

    Raises
    ------
    QueryError
        If one is unknown, is not about the rule, or cannot be used with another.
    """
    known = {derogation.id: derogation for derogation in _bundled().derogation}
    used = []
    for name in names:
        if name not in known or not known[name].is_about(rule):
            fitting = [d.id for d in known.values() if d.is_about(rule)]
            raise QueryError(
                f"{name!r} is no derogation from {rule.id}: these are {fitting or 'none'}"
            )
        clash = set(known[name].excludes) & set(names)
        if clash:
            raise QueryError(f"{name} cannot be used together with {', '.join(sorted(clash))}")
        used.append(known[name])
    for derogation in used:
        rule = _with(rule, derogation)
    return rule, used


def most_relaxed(rule: Rule) -> Rule:
    """
    Use every relaxation of spacing and power that traffic could permit.

    Parameters
    ----------
    rule : Rule
        The rule.

    Returns
    -------
    Rule
        With the greatest spacing and the least pool power; the rule itself where none is permitted.
    """
    for derogation in _bundled().derogation:
        if derogation.is_about(rule) and derogation.aadt_below is not None:
            rule = _with(rule, derogation)
    return rule


def _with(rule: Rule, derogation: Derogation) -> Rule:
    spacing, power = rule.spacing_km, rule.pool_power_kw
    if derogation.spacing_km and (
        not derogation.spacing_rules or rule.id in derogation.spacing_rules
    ):
        spacing = max(derogation.spacing_km, spacing or 0.0)
    if derogation.pool_power_factor and power:
        power *= derogation.pool_power_factor
    return msgspec.structs.replace(rule, spacing_km=spacing, pool_power_kw=power)
