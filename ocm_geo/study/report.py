"""The report of a study: one HTML file of figures, numbers, uncertainty, credit and recipe."""

from __future__ import annotations

import base64
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd

from ocm_geo.outside import describe_outside
from ocm_geo.paths import write_whole
from ocm_geo.provenance import read_attrs
from ocm_geo.reference import attribution
from ocm_geo.study.access import class_names
from ocm_geo.study.tables import Tier, UsageClass

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.study.result import StudyResult

__all__ = ["write_report"]

_PER = 10_000
_FEW_ROWS = 60
_FIGURES = {
    "stations": "Charging stations in the area of study, by highest power of a connection.",
    "coverage": "Share of the area (and of its people, where they are known) within reach.",
    "route": "Stations along the route by kilometre, and gaps.",
    "distances": "Share of people ({places}) by their way to the nearest station, {unit}, "
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
    return write_whole(result.report, page)


def _facts(result: StudyResult) -> dict[str, Any]:
    route = result.config.route
    return {
        "title": result.config.title,
        "note": result.config.note,
        "provenance": read_attrs(result.stations),
        "headline": _headline(result),
        "groups": _groups(result),
        "dropped": result.config.drop_status,
        "country": result.config.area.country,
        "border": result.border.note if result.border else None,
        "figures": _figures(result),
        "coverage": _coverage_rows(result),
        "people_rule": _people_rule(result),
        "gaps": _gap_rows(result),
        "reach": _reach(result),
        "access": result.config.access,
        "route": route,
        "quality": result.quality.to_dict("records"),
        "outside": _outside(result),
        "credit": attribution(result.stations, result.reference),
        "files": sorted(path.name for path in result.written),
    }


def _outside(result: StudyResult) -> list[str]:
    tables = [result.stations, result.route_stations]
    found = [describe_outside(read_attrs(table)) for table in tables if table is not None]
    return [sentence for sentence in dict.fromkeys(found) if sentence]


def _headline(result: StudyResult) -> list[tuple[str, str]]:
    stations = result.stations
    newest = stations["date_last_status_update"].max()
    return [
        ("stations", f"{len(stations):,}"),
        ("connectors (missing quantities count 1)", f"{int(stations['n_connectors'].sum()):,}"),
        ("known power in all", _total_power(stations)),
        ("newest change in the data", "unknown" if newest is pd.NaT else f"{newest:%Y-%m-%d}"),
    ]


def _total_power(stations: gpd.GeoDataFrame) -> str:
    total = f"{stations['total_power_kw'].sum() / 1000:,.1f} MW"
    n = int(stations["n_power_implausible"].sum())
    what = "connection" if n == 1 else "connections"
    return f"{total} (without {n:,} {what} of implausible power)" if n else total


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
    people = found.means["population"].iloc[0]
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


def _people_rule(result: StudyResult) -> str | None:
    """Say where in the areas people are counted."""
    if result.areas is not None and "population" in result.areas:
        return "evenly over each area"
    return None if result.access is None else "at the places of the demand, each in reach or not"


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
    demand = result.config.demand
    file = None if demand is None else demand.file
    places = found.access[found.access["group"] == rows[0]["group"]]
    return {
        "unit": found.means["unit"].iloc[0],
        "classes": next(iter(classes))[1][["from", "to"]].iloc[:-1].to_dict("records"),
        "rows": rows,
        "n_places": len(places),
        "people_file": Path(file).name if file else "the areas, each at a point inside",
        "people": places["population"].sum(),
        "people_outside": places.loc[~places["in_area"], "population"].sum(),
        **_points(result),
    }


def _points(result: StudyResult) -> dict[str, Any]:
    """Give points for people by area where these are few, and the areas of each class."""
    table = None if result.access is None else result.access.points
    if table is None or result.config.access is None:
        return {"points": [], "point_classes": [], "point_sums": []}
    names = class_names(result.config.access.points_classes)
    sums = []
    for group, part in table.groupby("group", sort=False):
        people, supply = part["population"].sum(), part["n_points"].sum()
        counts = part["class"].value_counts()
        sums.append(
            {
                "group": group,
                "n_sites": int(part["n_sites"].sum()),
                "n_points": supply,
                "ratio": _PER * supply / people if people else None,
                "areas": [int(counts.get(name, 0)) for name in names],
            }
        )
    few = table if len(table) <= _FEW_ROWS else table.head(0)
    points = [_known(row) for row in few.to_dict("records")]
    return {
        "points": points,
        "points_of": table["population_of"].iloc[0] if len(table) else "",
        "point_classes": names,
        "point_sums": sums if len(table) > len(sums) else [],
    }


def _groups(result: StudyResult) -> list[dict[str, Any]]:
    """Say what the name of each group stands for, and how many stations it has."""
    config = result.config
    said = [_filters_said(group.filters) for group in config.groups]
    if config.tiers or config.usages:
        parts = product(config.usages or [UsageClass(name="")], config.tiers or [Tier(name="")])
        said = ["; ".join(filter(None, (_usage_said(u), _tier_said(t)))) for u, t in parts]
    sizes = ((name, len(members)) for name, members in result.groups.items())
    return [
        {"name": name, "n": n, "said": text or "all"}
        for (name, n), text in zip(sizes, said, strict=True)
    ]


def _filters_said(filters: dict[str, Any]) -> str:
    return "; ".join(f"{key} = {value}" for key, value in filters.items())


def _usage_said(usage: UsageClass) -> str:
    return "usage types " + ", ".join(map(str, usage.usage_types)) if usage.usage_types else ""


def _tier_said(tier: Tier) -> str:
    if tier.above_kw is not None:
        return f"a connection of more than {tier.above_kw:g} kW"
    return f"a connection of {tier.min_power_kw:g} kW or more" if tier.min_power_kw else ""


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
