"""A rule about charging, and a relaxation of it, as checked data."""

from __future__ import annotations

import math
import re
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from ocm_geo.errors import QueryError

__all__ = ["Derogation", "Rule"]

_MAY_BE_ZERO = (
    *("offset_km", "pool_power_kw", "point_power_kw", "min_population"),
    *("kw_per_bev", "kw_per_phev"),
)
_RANGES = {
    "spacing_km": (0.0, 40_000.0),
    "offset_km": (0.0, 40_000.0),
    "pool_power_kw": (0.0, math.inf),
    "point_power_kw": (0.0, math.inf),
    "station_power_kw": (0.0, math.inf),
    "total_power_kw": (0.0, math.inf),
    "n_points": (1, math.inf),
    "n_stations": (1, math.inf),
    "share_of_length": (0.0, 1.0),
    "share_served": (0.0, 1.0),
    "cell_km": (0.0, 1_000.0),
    "radius_km": (0.0, 20_000.0),
    "drive_min": (0.0, 1_440.0),
    "min_population": (0.0, math.inf),
    "kw_per_bev": (0.0, math.inf),
    "kw_per_phev": (0.0, math.inf),
}
_AREA_KEYS = ("share_served", "of_population")
_KEYS_OF_KIND = {
    "road": (
        *("spacing_km", "spacing_counts_only", "offset_km", "offset_measure", "share_of_length"),
        *("per_direction",),
    ),
    "grid": ("cell_km", "share_served"),
    "radius": ("radius_km", *_AREA_KEYS),
    "drive-time": ("drive_min", *_AREA_KEYS),
    "settlement": ("min_population", "share_served"),
    "fleet": ("kw_per_bev", "kw_per_phev"),
}
"""The fields that say where or how much, which only rules of one kind have."""
_NEEDED_OF_KIND = {
    "grid": "cell_km",
    "radius": "radius_km",
    "drive-time": "drive_min",
    "settlement": "min_population",
}


class Derogation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    A permitted relaxation of rules.

    Attributes
    ----------
    id, citation, trigger, relaxes, stays, conditions, evidence : str
        Its name, source, condition, what it relaxes, what it leaves as it is, further conditions,
        and how well it is known.
    rules : list of str
        The rules it is about; ``*`` matches any text.
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
        """Test whether it can be used with a rule."""
        return any(fnmatchcase(rule.id, pattern) for pattern in self.rules)


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One requirement.

    Attributes
    ----------
    id, jurisdiction, citation, network, vehicle_class, notes : str
        Its name, where it applies, its source, the roads, areas or sites it is about, the vehicles,
        and what else the text says.
    applies_from, applies_until : str, optional
        The day by which the rule must be met, and the day from which it no longer applies
        (ISO 8601).
    kind : str
        What it tests. ``road``: lines, by `assess_route` and `assess_network`. ``grid``,
        ``radius``, ``drive-time`` and ``settlement``: areas, by `assess_area`. ``fleet``: vehicles,
        by `assess_fleet`. ``site``, ``uptime`` and ``total`` need facts that station tables lack.
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
        The rule with which it is one requirement together.
    per_direction : bool
        Whether the requirement holds in each direction of travel.
    cell_km : float, optional
        The side of the square cells of which each needs a pool; only for ``grid``.
    radius_km : float, optional
        Greatest distance to a pool; only for ``radius``.
    drive_min : float, optional
        Greatest driving time to a pool, minutes; only for ``drive-time``.
    min_population : float, optional
        The inhabitants from which on a settlement needs a pool; only for ``settlement``.
    share_served : float, optional
        The share of cells, of settlements, of the population or of the area that must be served.
    of_population : bool
        Whether the text speaks of people, not of an area; only for ``radius`` and ``drive-time``.
    kw_per_bev, kw_per_phev : float, optional
        Power for each battery-electric vehicle and each plug-in hybrid, kW; only for ``fleet``.
    needs : list of str
        Facts that neither stations nor lines have: without them the rule is never found to pass.
    also_counts : list of str
        What the text counts and station tables lack: without it no failure is certain.
    unverified : list of str
        Fields that rest on memory, not on a source.
    evidence : str
        S: the text was read; S2: from secondary accounts; A: only an abstract or an account in the
        press was read; R: unverified.
    own_derogations : list of Derogation
        Relaxations of your own rule, from the tables ``[[derogation]]`` of its file.
    """

    id: str
    jurisdiction: str
    citation: str
    network: str
    vehicle_class: str
    kind: Literal[
        "road", "grid", "radius", "drive-time", "settlement", "fleet", "site", "uptime", "total"
    ] = "road"
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
    cell_km: float | None = None
    radius_km: float | None = None
    drive_min: float | None = None
    min_population: float | None = None
    share_served: float | None = None
    of_population: bool = False
    kw_per_bev: float | None = None
    kw_per_phev: float | None = None
    needs: list[str] = []
    also_counts: list[str] = []
    unverified: list[str] = []
    notes: str = ""
    own_derogations: list[Derogation] = []

    def __post_init__(self) -> None:
        """Check the numbers, the days, and that the fields fit the kind."""
        self._check_ranges()
        for name in ("applies_from", "applies_until"):
            _check_rule_day(getattr(self, name), f"{name} of {self.id!r}")
        if self.applies_from and self.applies_until and self.applies_until <= self.applies_from:
            raise QueryError(
                f"applies_until of {self.id!r} ({self.applies_until}) must come after applies_from "
                f"({self.applies_from})"
            )
        self._check_keys()

    def _check_ranges(self) -> None:
        """Check that each number is in its range."""
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            above = least == 0 and name not in _MAY_BE_ZERO
            if value is None or (least <= value <= most and not (above and value == 0)):
                continue
            raise QueryError(
                f"{name} of {self.id!r} must be {'above' if above else 'at least'} {least:g}"
                f"{f' and at most {most:g}' if most < math.inf else ''}, not {value!r}"
            )

    def _check_keys(self) -> None:
        """Check that the rule has the fields of its kind, and no others."""
        if self.kind in {"site", "uptime", "total"}:
            return
        # A field that this kind of rule does not test would be ignored in silence.
        own = _KEYS_OF_KIND[self.kind]
        for name in sorted({key for keys in _KEYS_OF_KIND.values() for key in keys} - {*own}):
            if getattr(self, name):
                raise QueryError(
                    f"{name} of {self.id!r} is not tested by a rule of the kind {self.kind!r}: "
                    f"leave it out; such a rule has {', '.join(own)}"
                )
        needed = _NEEDED_OF_KIND.get(self.kind)
        if needed and getattr(self, needed) is None:
            raise QueryError(f"{self.id!r} is a rule of the kind {self.kind!r}: it needs {needed}")
        if self.kind == "fleet" and self.kw_per_bev is None and self.kw_per_phev is None:
            raise QueryError(f"{self.id!r} is a rule on fleets: it needs kw_per_bev or kw_per_phev")

    @property
    def asks_for_any_station(self) -> bool:
        """Return whether any station of an area will do, also one without connections on record."""
        asked = (self.n_points, self.point_power_kw, self.pool_power_kw)
        kinds = (self.connectors, self.current_types)
        is_open = self.kind in {"grid", "radius", "drive-time", "settlement"}
        return is_open and not any(asked) and not any(kinds)

    @property
    def evidence_note(self) -> str:
        """The evidence in words."""
        marks = {
            "S": "the text was read",
            "S2": "from secondary accounts",
            "A": "not read in the primary source, only in an abstract or an account in the press",
            "R": "unverified",
        }
        given = re.findall(r"S2|S|A|R", self.evidence)
        words = [word for mark, word in marks.items() if mark in given]
        own = f"; unverified: {', '.join(self.unverified)}" if self.unverified else ""
        return f"[{self.evidence}] {', '.join(words)}{own}"


def _check_rule_day(day: str | None, name: str) -> None:
    """Check a day in ISO 8601."""
    if day is None:
        return
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise QueryError(f"{name} must be a day such as '2026-06-30', not {day!r}") from error
