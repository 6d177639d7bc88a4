"""Assess the power for a fleet of vehicles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from ocm_geo.checks import check_number
from ocm_geo.levels import LEVELS
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS
from ocm_geo.standards.catalogue import joined_rule, rule_of
from ocm_geo.standards.found import Shares, shares_table
from ocm_geo.standards.missing_stations import bound_verdict
from ocm_geo.standards.options import AssessmentOptions, check_unused
from ocm_geo.standards.pool_rules import PoolRules
from ocm_geo.standards.pools import Pools
from ocm_geo.standards.tally import decide_between
from ocm_geo.standards.verdict import Verdict, describe_rule

if TYPE_CHECKING:
    import pandas as pd

    from ocm_geo.quality.missing import MissingStations
    from ocm_geo.standards.rule import Rule

__all__ = ["assess_fleet"]

_READINGS = {
    "points up to the number that a station states": True,
    "every connection a point of its own": False,
}


def assess_fleet(
    stations: gpd.GeoDataFrame,
    standard: str | Rule,
    *,
    n_bev: float,
    n_phev: float,
    options: AssessmentOptions | None = None,
    completeness: pd.DataFrame | MissingStations | None = None,
) -> Verdict:
    """
    Assess the power of all public stations by a rule on the vehicles registered.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        All stations of the territory, and no others.
    standard : str or Rule
        A rule of the kind ``fleet``: ``"afir-fleet"``, or your own.
    n_bev, n_phev : float
        The battery-electric vehicles and the plug-in hybrids registered in the territory.
    options : AssessmentOptions, optional
        Only ``pool_rules``.
    completeness : pandas.DataFrame or MissingStations, optional
        What `completeness` estimated from the stations and a second register: ``share_high`` then
        contains the stations that are missing (see `MissingStations`). What is on record decides.

    Returns
    -------
    Verdict
        ``share`` is the power on record over the power required, at most 1; ``report`` has
        ``required_kw``, ``provided_kw``, ``provided_low_kw`` and ``provided_high_kw``, which is
        infinite where a power is missing; ``segments`` the two kinds of vehicle.

    Raises
    ------
    QueryError
        If the rule is not about fleets, or a number is wrong.

    Notes
    -----
    Regulation (EU) 2023/1804, Art 3(1): 1.3 kW for each battery-electric light vehicle and
    0.80 kW for each plug-in hybrid, cumulatively, at the end of each year.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> verdict = ocm.assess_fleet(stations, "afir-fleet", n_bev=1000, n_phev=500)
    >>> verdict.report["required_kw"]
    1700.0
    """
    rule = joined_rule(rule_of(standard, ("fleet",)))
    options = check_unused(options, ("pool_rules",), "a fleet")
    numbers = {
        "BEV": (check_number(n_bev, "n_bev", low=0.0), rule.kw_per_bev or 0.0),
        "PHEV": (check_number(n_phev, "n_phev", low=0.0), rule.kw_per_phev or 0.0),
    }
    rules = options.pool_rules or PoolRules()
    return bound_verdict(
        lambda table: _assess_power(table, rule, rules, numbers), stations, completeness
    )


def _assess_power(
    stations: gpd.GeoDataFrame,
    rule: Rule,
    rules: PoolRules,
    numbers: dict[str, tuple[float, float]],
) -> Verdict:
    """Assess the power of stations for the vehicles of each kind."""
    required = sum(count * kw for count, kw in numbers.values())
    readings, provided = {}, []
    for name, capped in _READINGS.items():
        made = Pools(stations, rule, replace(rules, cap_at_points=capped), strict_power=False)
        power = [made.total_power_kw(level) for level in LEVELS]
        readings[name] = Shares(*(_compute_provided_share(kw, required) for kw in power))
        if capped == rules.cap_at_points:
            pools, provided = made, power
            shares = readings[name]
    # Decided by what is on record, as every verdict; the bounds are given beside it.
    passes, why = decide_between(rule, 1.0, (shares.recorded, shares.recorded), "")
    segments = _list_vehicles(numbers, passes=passes)
    report: dict[str, object] = {
        "required_kw": required,
        **dict(zip(("provided_low_kw", "provided_kw", "provided_high_kw"), provided, strict=True)),
        "merge_m": rules.merge_m,
    }
    return Verdict(
        rule,
        passes,
        shares.recorded,
        shares.low,
        shares.high,
        carry(segments, stations, standard=rule.id),
        pools.table(rule, 1),
        describe_rule(
            *(rule, []),
            [
                _describe_fleet(numbers),
                *_describe_power(required, provided, rules),
                *pools.clauses,
            ],
        ),
        carry(shares_table(readings), stations),
        report,
        why,
        "of the power required is on record",
    )


def _compute_provided_share(provided: float, required: float) -> float:
    """Return the share of a requirement that is met, at most 1."""
    return min(provided / required, 1.0) if required > 0 else 1.0


def _list_vehicles(
    numbers: dict[str, tuple[float, float]], *, passes: bool | None
) -> gpd.GeoDataFrame:
    """List the kinds of vehicle with the power that the rule asks for."""
    word = {True: "passes", False: "fails", None: "not decided"}[passes]
    count, kw = np.array(list(numbers.values())).T
    table = {
        "vehicles": list(numbers),
        "n_vehicles": count,
        "kw_per_vehicle": kw,
        "required_kw": count * kw,
        "status": word,
        "reason": "both kinds of vehicle are one requirement",
    }
    return gpd.GeoDataFrame(table, geometry=[None] * len(count), crs=CRS)


def _describe_fleet(numbers: dict[str, tuple[float, float]]) -> str:
    """Describe the vehicles and what each needs."""
    kinds = [f"{count:,.0f} {name} at {kw:g} kW" for name, (count, kw) in numbers.items()]
    return f"vehicles registered: {' and '.join(kinds)}"


def _describe_power(required: float, provided: list[float], rules: PoolRules) -> list[str]:
    """Describe what was required, provided and counted."""
    low, recorded, high = provided
    most = "without upper bound" if np.isinf(high) else f"up to {high:,.0f} kW"
    public = "stations known not to be public" if rules.public_only else "no station by its access"
    working = " and known not to be in operation" if rules.operational_only else ""
    return [
        (
            f"required: {required:,.1f} kW; on record: {recorded:,.0f} kW; by what is missing on "
            f"record from {low:,.0f} kW, {most}"
        ),
        f"left out: {public}{working}; stations for customers count as public",
        "all stations given count: they must be those of the territory, each once",
    ]
