"""Write the report of a study: one HTML file with figures, numbers, quality and credit."""

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
    "coverage": "Share of the area (and of its population, where it is known) within reach.",
    "route": "Stations along the route by kilometre, and gaps.",
    "distances": "Share of the population ({places}) by distance to the nearest station, {unit}, "
    "within {search}.",
    "lorenz": "Distribution of access ({supply} within reach, {method}) over the population "
    "({places}): the nearer to the line of equal shares, the more equal.",
}


def write_report(result: StudyResult) -> Path:
    """
    Write ``report.html``, which is self-contained and needs no network.

    Parameters
    ----------
    result : StudyResult
        The finished study with its figures.

    Returns
    -------
    pathlib.Path
        The report.
    """
    loader = jinja2.PackageLoader("ocm_geo.study", "templates")
    # Anyone can contribute texts of stations: everything is escaped.
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    template = environment.get_template("report.html.j2")
    page = template.render(**_collect_facts(result))
    return write_whole(result.report, page)


def _collect_facts(result: StudyResult) -> dict[str, Any]:
    """Collect all values of the template."""
    route = result.config.route
    return {
        "title": result.config.title,
        "note": result.config.note,
        "provenance": read_attrs(result.stations),
        "headline": _build_headline(result),
        "groups": _describe_groups(result),
        "dropped": result.config.drop_status,
        "country": result.config.area.country,
        "border": result.border.note if result.border else None,
        "figures": _embed_figures(result),
        "coverage": _sum_coverage(result),
        "people_rule": _describe_population(result),
        "gaps": _summarise_gaps(result),
        "reach": _summarise_access(result),
        "access": result.config.access,
        "route": route,
        "quality": result.quality.to_dict("records"),
        "outside": _describe_outside_data(result),
        "credit": attribution(result.stations, result.reference),
        "files": sorted(path.name for path in result.written),
    }


def _describe_outside_data(result: StudyResult) -> list[str]:
    """Return the sentences about countries without data, each once."""
    tables = [result.stations, result.route_stations]
    found = [describe_outside(read_attrs(table)) for table in tables if table is not None]
    return [sentence for sentence in dict.fromkeys(found) if sentence]


def _build_headline(result: StudyResult) -> list[tuple[str, str]]:
    """Return the key figures with their labels."""
    stations = result.stations
    newest = stations["date_last_status_update"].max()
    return [
        ("stations", f"{len(stations):,}"),
        ("connectors (missing quantities count 1)", f"{int(stations['n_connectors'].sum()):,}"),
        ("total known power", _format_total_power(stations)),
        ("newest change in the data", "unknown" if newest is pd.NaT else f"{newest:%Y-%m-%d}"),
        *(
            (f"share of all stations in the data, {name}", _format_share_held(one.table))
            for name, one in result.missing.items()
        ),
    ]


def _format_share_held(table: pd.DataFrame) -> str:
    """Return the share of all stations that the source has, with both intervals."""
    total = table.iloc[-1]
    low, high = total["share_a_low"], total["share_a_high"]
    least, most = total["share_a_dependent_low"], total["share_a_dependent_high"]
    return (
        f"{100 * total['share_a']:.0f} % ({100 * low:.0f} to {100 * high:.0f} % if the second "
        f"source is independent, else {100 * least:.0f} to {100 * most:.0f} %)"
    )


def _format_total_power(stations: gpd.GeoDataFrame) -> str:
    """Return the total power, with the number of connections left out."""
    total = f"{stations['total_power_kw'].sum() / 1000:,.1f} MW"
    n = int(stations["n_power_implausible"].sum())
    what = "connection" if n == 1 else "connections"
    return f"{total} (without {n:,} {what} of implausible power)" if n else total


def _embed_figures(result: StudyResult) -> list[dict[str, str]]:
    """Return the figures as base64, with captions."""
    drawn = [path for path in result.written if path.suffix == ".png"]
    words = _fill_captions(result)
    return [
        {
            "data": base64.b64encode(path.read_bytes()).decode("ascii"),
            "caption": caption.format_map(words),
        }
        for kind, caption in _FIGURES.items()
        for path in drawn
        if path.stem.partition("_")[0] == kind
    ]


def _fill_captions(result: StudyResult) -> dict[str, str]:
    """Return the population, units and methods for the captions."""
    found, access = result.access, result.config.access
    if found is None or access is None:
        return {}
    people = found.means["population"].iloc[0]
    n = len(found.access) // len(result.groups)
    return {
        "places": f"{people:,.0f} at {n:,} locations",
        "unit": str(found.means["unit"].iloc[0]),
        "search": "the table of costs" if access.costs else f"{access.search_km:g} km",
        "supply": access.supply,
        "method": access.method,
    }


def _sum_coverage(result: StudyResult) -> list[dict[str, Any]]:
    """Sum the areas, so that large areas count by their size."""
    if result.coverage is None:
        return []
    columns = ["area_km2", "covered_km2", "population", "population_covered"]
    table = pd.DataFrame(result.coverage.drop(columns="geometry", errors="ignore"))
    sums = table.groupby(["group", "within_km"], sort=False)[columns].sum(min_count=1)
    sums["area_share"] = sums["covered_km2"] / sums["area_km2"]
    sums["population_share"] = sums["population_covered"] / sums["population"]
    return [_replace_missing(row) for row in sums.reset_index().to_dict("records")]


def _describe_population(result: StudyResult) -> str | None:
    """Return how the population of the areas is distributed."""
    if result.areas is not None and "population" in result.areas:
        return "evenly over each area"
    return (
        None
        if result.access is None
        else "at the locations of the demand, each within reach or not"
    )


def _summarise_access(result: StudyResult) -> dict[str, Any] | None:
    """Return distances to stations and equality of access for each group."""
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
            **_replace_missing(means.loc[group].to_dict()),
            **_replace_missing(gini.loc[group, ["value", "low", "high"]].to_dict()),
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
        **_summarise_points(result),
    }


def _summarise_points(result: StudyResult) -> dict[str, Any]:
    """Return charging points by area if these are few, and the number of areas by class."""
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
    points = [_replace_missing(row) for row in few.to_dict("records")]
    return {
        "points": points,
        "points_of": table["population_of"].iloc[0] if len(table) else "",
        "point_classes": names,
        "point_sums": sums if len(table) > len(sums) else [],
    }


def _describe_groups(result: StudyResult) -> list[dict[str, Any]]:
    """Return the definition and the number of stations of each group."""
    config = result.config
    said = [_format_filters(group.filters) for group in config.groups]
    if config.tiers or config.usages:
        parts = product(config.usages or [UsageClass(name="")], config.tiers or [Tier(name="")])
        said = ["; ".join(filter(None, (_format_usage(u), _format_tier(t)))) for u, t in parts]
    sizes = ((name, len(members)) for name, members in result.groups.items())
    return [
        {"name": name, "n": n, "said": text or "all"}
        for (name, n), text in zip(sizes, said, strict=True)
    ]


def _format_filters(filters: dict[str, Any]) -> str:
    return "; ".join(f"{key} = {value}" for key, value in filters.items())


def _format_usage(usage: UsageClass) -> str:
    return "usage types " + ", ".join(map(str, usage.usage_types)) if usage.usage_types else ""


def _format_tier(tier: Tier) -> str:
    """Return the description of a class of power."""
    if tier.above_kw is not None:
        return f"a connection of more than {tier.above_kw:g} kW"
    return f"a connection of {tier.min_power_kw:g} kW or more" if tier.min_power_kw else ""


def _summarise_gaps(result: StudyResult) -> list[dict[str, Any]]:
    """Return the number of gaps over the limit and the longest gap for each group."""
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


def _replace_missing(row: dict[Any, Any]) -> dict[Any, Any]:
    """Return a row with None for missing values."""
    return {key: None if pd.isna(value) else value for key, value in row.items()}
