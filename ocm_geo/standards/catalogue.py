"""The rules as dated data: what each asks for, by which text, and how well that is known."""

from __future__ import annotations

import difflib
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.paths import expand_path
from ocm_geo.standards.rule import Derogation, Rule

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Sequence

__all__ = [
    "AREA_KINDS",
    "derogations",
    "joined_rule",
    "load_standards",
    "relax_fully",
    "relax_rule",
    "rule_of",
    "standards",
]

RULE_FILES = ("afir.toml", "us.toml", "uk.toml", "world.toml")
AREA_KINDS = ("grid", "radius", "drive-time", "settlement")
_NOT_TESTED = ("station_power_kw", "n_stations", "total_power_kw")
_OF_POOLS = ("pool_power_kw", "n_points", "point_power_kw", "connectors", "current_types")
_ASSESSED_BY = {
    "road": "assess_route or ocm.assess_network",
    "fleet": "assess_fleet",
    **dict.fromkeys(AREA_KINDS, "assess_area"),
}


class _RuleFile(msgspec.Struct, forbid_unknown_fields=True):
    rule: list[Rule] = []
    derogation: list[Derogation] = []


@cache
def _load_bundled_rules() -> _RuleFile:
    """Load the rules and derogations of the package."""
    folder = files("ocm_geo.standards") / "rules"
    read = [
        msgspec.toml.decode((folder / name).read_bytes(), type=_RuleFile) for name in RULE_FILES
    ]
    return _RuleFile(
        [rule for file in read for rule in file.rule],
        [derogation for file in read for derogation in file.derogation],
    )


def standards(on: str | date | None = None) -> pd.DataFrame:
    """
    List the rules on charging, by country and date.

    Parameters
    ----------
    on : str or datetime.date, optional
        Only the rules that apply on this day.

    Returns
    -------
    pandas.DataFrame
        One row a rule, indexed by ``id``: the fields of `ocm_geo.standards.Rule` (km, kW), the
        evidence among them.

    Raises
    ------
    QueryError
        If ``on`` is not a day.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.standards().loc["afir-ldv-core-2025", ["spacing_km", "pool_power_kw"]].tolist()
    [60.0, 400.0]
    >>> "afir-ldv-core-2027" in ocm.standards(on="2026-06-30").index
    False
    """
    table = pd.DataFrame([msgspec.structs.asdict(rule) for rule in _load_bundled_rules().rule])
    table = table.set_index("id").drop(columns="own_derogations")
    for name in ("applies_from", "applies_until"):
        table[name] = pd.to_datetime(table[name])
    if on is None:
        return table
    try:
        day = pd.Timestamp(on)
    except ValueError as error:
        raise QueryError(f"on must be a day such as '2026-06-30', not {on!r}") from error
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
    rows = [msgspec.structs.asdict(derogation) for derogation in _load_bundled_rules().derogation]
    return pd.DataFrame(rows).set_index("id")


def load_standards(path: str | os.PathLike[str]) -> list[Rule]:
    """
    Read your own rules from a file.

    Parameters
    ----------
    path : str or path
        A TOML file with tables ``[[rule]]`` in the form of the bundled ones: at least ``id``,
        ``jurisdiction``, ``citation``, ``network``, ``vehicle_class`` and ``evidence``.

    Returns
    -------
    list of Rule
        The rules, in their order, for `assess_route`, `assess_network`, `assess_area` or
        `assess_fleet`.

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
        found = tomllib.loads(expand_path(path).read_bytes().decode("utf-8-sig"))
        read = msgspec.convert(_write_days_as_text(found), _RuleFile)
    except UnicodeDecodeError as error:
        raise QueryError(f"{path} cannot be read as rules: save it in UTF-8 ({error})") from error
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise QueryError(f"{path} cannot be read as rules: {error}") from error
    if not read.rule:
        raise QueryError(f"{path} cannot be read as rules: it has no table [[rule]]")
    own = read.derogation
    return [
        msgspec.structs.replace(rule, own_derogations=[d for d in own if d.is_about(rule)])
        for rule in read.rule
    ]


def _write_days_as_text(found: dict[str, Any]) -> dict[str, Any]:
    """Write the days of a file as text: TOML has them as dates where they are not quoted."""
    tables = {}
    for name, rows in found.items():
        tables[name] = rows
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            tables[name] = [
                {k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()}
                for row in rows
            ]
    return tables


def rule_of(standard: str | Rule, kinds: Collection[str] = ("road",)) -> Rule:
    """
    Return a rule that can be assessed.

    Parameters
    ----------
    standard : str or Rule
        The id of a bundled rule, or a rule.
    kinds : collection of str
        The kinds of rule that the caller can test.

    Returns
    -------
    Rule
        The rule.

    Raises
    ------
    QueryError
        If there is no rule of this id, it is of another kind, or a field would be ignored.
    """
    rule = standard if isinstance(standard, Rule) else _find_rule(standard)
    if rule.kind not in kinds:
        raise QueryError(_explain_other_kind(rule, kinds))
    for name in _NOT_TESTED + (_OF_POOLS if rule.kind == "fleet" else ()):
        if getattr(rule, name):
            raise QueryError(
                f"{name} of {rule.id!r} is not tested: leave it out"
                + ("" if rule.kind == "fleet" else ", or use pool_power_kw and n_points")
            )
    return rule


def _find_rule(standard: object) -> Rule:
    """Find a bundled rule by its id."""
    rules = {rule.id: rule for rule in _load_bundled_rules().rule}
    if isinstance(standard, str) and standard in rules:
        return rules[standard]
    near = difflib.get_close_matches(str(standard), rules, n=3, cutoff=0.4)
    hint = f": did you mean {' or '.join(near)}?" if near else "."
    raise QueryError(f"there is no standard {short_form(standard)}{hint} See ocm.standards()")


def _explain_other_kind(rule: Rule, kinds: Collection[str]) -> str:
    """Explain why a rule cannot be assessed, and name the function that can."""
    here = "a road" if "road" in kinds else "a fleet" if "fleet" in kinds else "an area"
    message = f"{rule.id} cannot be assessed on {here} ({rule.network})"
    if rule.kind in _ASSESSED_BY:
        by = f"ocm.{_ASSESSED_BY[rule.kind]}"
        return f"{message}: it is of the kind {rule.kind!r}, for {by}"
    needs = ", ".join(rule.needs) or "facts that station tables lack"
    return f"{message}: it needs {needs}. {rule.notes}"


def joined_rule(rule: Rule) -> Rule:
    """
    Join a rule on fleets with the one with which the text adds it up.

    Parameters
    ----------
    rule : Rule
        A rule on fleets.

    Returns
    -------
    Rule
        With the power for each vehicle of both; the rule itself where it stands alone.
    """
    if rule.share_with is None:
        return rule
    other = rule_of(rule.share_with, ("fleet",))
    return msgspec.structs.replace(
        rule,
        kw_per_bev=rule.kw_per_bev if rule.kw_per_bev is not None else other.kw_per_bev,
        kw_per_phev=rule.kw_per_phev if rule.kw_per_phev is not None else other.kw_per_phev,
    )


def relax_rule(rule: Rule, names: Sequence[str]) -> tuple[Rule, list[Derogation]]:
    """
    Relax a rule by derogations.

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
        If a derogation is unknown, is not about the rule, or excludes another.
    """
    every = [*_load_bundled_rules().derogation, *rule.own_derogations]
    known = {derogation.id: derogation for derogation in every}
    used = []
    for name in names:
        if name not in known or not known[name].is_about(rule):
            fitting = [d.id for d in known.values() if d.is_about(rule)]
            raise QueryError(
                f"{name!r} is not a derogation from {rule.id}; its derogations: {fitting or 'none'}"
            )
        clash = set(known[name].excludes) & set(names)
        if clash:
            raise QueryError(f"{name} cannot be used together with {', '.join(sorted(clash))}")
        used.append(known[name])
    for derogation in used:
        rule = _apply_derogation(rule, derogation)
    return rule, used


def relax_fully(rule: Rule) -> Rule:
    """
    Relax a rule by all that traffic could permit.

    Parameters
    ----------
    rule : Rule
        The rule.

    Returns
    -------
    Rule
        With the greatest spacing and the least pool power; the rule itself where none is permitted.
    """
    for derogation in [*_load_bundled_rules().derogation, *rule.own_derogations]:
        if derogation.is_about(rule) and derogation.aadt_below is not None:
            rule = _apply_derogation(rule, derogation)
    return rule


def _apply_derogation(rule: Rule, derogation: Derogation) -> Rule:
    """Relax a rule by the spacing and power that a derogation permits."""
    spacing, power = rule.spacing_km, rule.pool_power_kw
    if derogation.spacing_km and (
        not derogation.spacing_rules or rule.id in derogation.spacing_rules
    ):
        spacing = max(derogation.spacing_km, spacing or 0.0)
    if derogation.pool_power_factor and power:
        power *= derogation.pool_power_factor
    return msgspec.structs.replace(rule, spacing_km=spacing, pool_power_kw=power)
