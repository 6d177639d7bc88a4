"""The report of a study: one HTML file with figures, numbers, doubts, credit and how to repeat."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd

from ocm_geo.provenance import read_attrs
from ocm_geo.reference import attribution

if TYPE_CHECKING:
    from pathlib import Path

    from ocm_geo.study.run import StudyResult

__all__ = ["write_report"]

_FIGURES = {
    "stations": "Charging stations in the area of study, by highest power of a connection.",
    "coverage": "Share of the area (and of its people, where they are known) within reach.",
    "route": "Stations along the route by kilometre, and gaps.",
    "distances": "Share of people ({places}) by the distance to the nearest station, {unit}, "
    "within {search}.",
    "lorenz": "How access ({supply} in reach, {method}) is shared among people ({places}): the "
    "nearer to the line of equal shares, the more equally.",
}


def write_report(result: StudyResult) -> Path:
    """
    Write ``report.html``: readable by itself, without network.

    Parameters
    ----------
    result : StudyResult
        The finished study, its figures written.

    Returns
    -------
    pathlib.Path
        The report.
    """
    loader = jinja2.PackageLoader("ocm_geo.study", "templates")
    # Texts of stations are written by strangers: everything is escaped.
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    template = environment.get_template("report.html.j2")
    page = template.render(**_facts(result))
    result.report.write_text(page, encoding="utf-8")
    return result.report


def _facts(result: StudyResult) -> dict[str, Any]:
    route = result.config.route
    return {
        "title": result.config.title,
        "provenance": read_attrs(result.stations),
        "headline": _headline(result),
        "groups": {name: len(members) for name, members in result.groups.items()},
        "figures": _figures(result),
        "coverage": _coverage_rows(result),
        "gaps": _gap_rows(result),
        "reach": _reach(result),
        "access": result.config.access,
        "route": route,
        "quality": result.quality.to_dict("records"),
        "credit": attribution(result.stations, result.reference),
        "files": sorted(path.name for path in result.written),
    }


def _headline(result: StudyResult) -> list[tuple[str, str]]:
    stations = result.stations
    newest = stations["date_last_status_update"].max()
    return [
        ("stations", f"{len(stations):,}"),
        ("connectors (missing quantities count 1)", f"{int(stations['n_connectors'].sum()):,}"),
        ("known power in all", f"{stations['total_power_kw'].sum() / 1000:,.1f} MW"),
        ("newest change in the data", "unknown" if newest is pd.NaT else f"{newest:%Y-%m-%d}"),
    ]


def _figures(result: StudyResult) -> list[dict[str, str]]:
    drawn = [path for path in result.written if path.suffix == ".png"]
    words = _words(result)
    return [
        {
            "data": base64.b64encode(path.read_bytes()).decode("ascii"),
            "caption": caption.format_map(words),
        }
        for kind, caption in _FIGURES.items()
        for path in drawn
        if path.stem.partition("_")[0] == kind
    ]


def _words(result: StudyResult) -> dict[str, str]:
    """Say how many people live where, and in which units, for the captions."""
    found, access = result.access, result.config.access
    if found is None or access is None:
        return {}
    people = found.means["people"].iloc[0]
    n = len(found.access) // len(result.groups)
    return {
        "places": f"{people:,.0f} in {n:,} places",
        "unit": str(found.means["unit"].iloc[0]),
        "search": "the table of costs" if access.costs else f"{access.search_km:g} km",
        "supply": access.supply,
        "method": access.method,
    }


def _coverage_rows(result: StudyResult) -> list[dict[str, Any]]:
    """Sum the areas: covered over whole, so that large areas weigh by their size."""
    if result.coverage is None:
        return []
    columns = ["area_km2", "covered_km2", "population", "population_covered"]
    table = pd.DataFrame(result.coverage.drop(columns="geometry", errors="ignore"))
    sums = table.groupby(["group", "within_km"], sort=False)[columns].sum(min_count=1)
    sums["area_share"] = sums["covered_km2"] / sums["area_km2"]
    sums["population_share"] = sums["population_covered"] / sums["population"]
    return [_known(row) for row in sums.reset_index().to_dict("records")]


def _reach(result: StudyResult) -> dict[str, Any] | None:
    """Give for each group how far its stations are from people, and how equal access is."""
    found = result.access
    if found is None:
        return None
    classes = found.people.groupby("group", sort=False)
    gini = found.equity[found.equity["measure"] == "gini"].set_index("group")
    means = found.means.set_index("group")
    rows = [
        {
            "group": group,
            "shares": part["share"].tolist(),
            **_known(means.loc[group].to_dict()),
            **_known(gini.loc[group, ["value", "low", "high"]].to_dict()),
        }
        for group, part in classes
    ]
    ends = next(iter(classes))[1]["to"].dropna().tolist()
    points = None if found.points is None else list(map(_known, found.points.to_dict("records")))
    return {"unit": found.means["unit"].iloc[0], "ends": ends, "rows": rows, "points": points}


def _gap_rows(result: StudyResult) -> list[dict[str, Any]]:
    """Give for each group the number of gaps over the limit, and the longest."""
    if result.gaps is None or result.config.route is None:
        return []
    limit = result.config.route.limit_km
    rows = []
    for group, gaps in result.gaps.groupby("group", sort=False):
        longest = gaps.loc[gaps["length_km"].idxmax()]
        over = gaps[gaps["length_km"] > limit]
        rows.append(
            {
                "group": group,
                "n_over": len(over),
                "over_km": float(over["length_km"].sum()),
                "longest_km": float(longest["length_km"]),
                "start_km": float(longest["start_km"]),
                "end_km": float(longest["end_km"]),
            }
        )
    return rows


def _known(row: dict[Any, Any]) -> dict[Any, Any]:
    """Show what is missing as missing."""
    return {key: None if pd.isna(value) else value for key, value in row.items()}
