"""Verdicts whose bounds contain the stations that are missing from the register."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.errors import OCMWarning
from ocm_geo.ids import station_table
from ocm_geo.provenance import attach
from ocm_geo.quality.missing import find_missing
from ocm_geo.standards.verdict import format_share

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from ocm_geo.standards.verdict import Verdict

__all__ = ["bound_verdict"]

_HIGH = "share_high"
_BY = "by what is uncertain and by stations that are missing"


def bound_verdict(
    ask: Callable[[gpd.GeoDataFrame], Verdict],
    stations: gpd.GeoDataFrame,
    completeness: Any,  # noqa: ANN401 - checked here
) -> Verdict:
    """
    Assess with the stations on record, and widen the bounds by those that are missing.

    Parameters
    ----------
    ask : callable
        Takes stations and returns the verdict.
    stations : geopandas.GeoDataFrame
        A station table.
    completeness : pandas.DataFrame, MissingStations or None
        What is known of missing stations.

    Returns
    -------
    Verdict
        Decided by what is on record; ``share_high`` and that of the readings is the greatest with
        the stations of the other register and with each draw of unseen ones. ``report`` has
        ``completeness``, ``share_high_recorded`` and the share of draws that pass.
    """
    missing = find_missing(stations, completeness)
    verdict = ask(stations)
    if missing is None:
        return verdict
    recorded = station_table(stations)
    with warnings.catch_warnings():
        # The question has warned once, for the stations on record.
        warnings.simplefilter("ignore", OCMWarning)
        tables = [missing.other(), *missing.draws()]
        others = [ask(missing.add_to(recorded, more)) for more in tables]
    readings = verdict.readings.copy()
    readings[_HIGH] = np.max([one.readings[_HIGH] for one in (verdict, *others)], axis=0)
    readings.attrs = dict(verdict.readings.attrs)
    attach(readings, completeness=missing.facts)
    attach(verdict.segments, completeness=missing.facts)
    high = float(np.max([one.share_high for one in (verdict, *others)]))
    n_pass = sum(one.passes is True for one in others[1:])
    report = {
        **verdict.report,
        **{
            name: _find_greatest(name, verdict, others)
            for name in verdict.report
            if "_high_" in name
        },
        "share_high_recorded": verdict.share_high,
        "draws_that_pass": n_pass,
        "completeness": missing.facts,
    }
    clauses = [*verdict.clauses, _describe_missing(missing.facts, high, n_pass, len(others) - 1)]
    return replace(
        verdict,
        share_high=high,
        readings=readings,
        report=report,
        clauses=clauses,
        bounds_by=_BY,
    )


def _find_greatest(name: str, verdict: Verdict, others: list[Verdict]) -> float:
    """Find the greatest value of a number of the reports."""
    return max(float(str(one.report[name])) for one in (verdict, *others))


def _describe_missing(facts: dict[str, Any], high: float, n_pass: int, n_draws: int) -> str:
    """Describe what was added, and what it did."""
    share = (
        "no bounds for this reading" if np.isnan(high) else f"share at most {format_share(high)}"
    )
    return (
        f"missing stations: {facts['n_only_in_other']:,} only in the other register and up to "
        f"{facts['n_unseen_high']:,} in neither, placed {facts['model']} (seed {facts['seed']}): "
        f"{share}; {n_pass} of {n_draws} draws pass. Assumes {facts['assumes']} "
        f"({facts['odds_ratios']}); {facts['strata_without_bound']} strata without bound"
    )
