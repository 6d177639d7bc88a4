"""Measures that reach beyond what a source covers: the warning, and what results carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.borders import countries, find_countries
from ocm_geo.checks import warn_user
from ocm_geo.errors import OutsideData
from ocm_geo.geodesy import distance_km, wrap_lon
from ocm_geo.geodesy.antimeridian import continuous
from ocm_geo.outside.demand import Areas, Demand, Points, box_about, points_of_lines
from ocm_geo.outside.known import (
    Known,
    alone_in,
    asked_box,
    has_unfiled_stations,
    known_of,
    lonlat_of,
)
from ocm_geo.provenance import attach, read_attrs
from ocm_geo.reference import bundled
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ocm_geo.geodesy import Line

__all__ = [
    "country_names",
    "describe_origin",
    "describe_outside",
    "mark_areas",
    "mark_demand",
    "mark_line",
    "mark_outside",
    "mark_points",
    "mark_roads",
    "name_outside",
    "percent",
]

_MOST_NAMES = 6
_MOST_CODES = 60
_FAR_KM = 100.0

Stations = TypeVar("Stations", bound="gpd.GeoDataFrame | gpd.GeoSeries")


def mark_points(
    stations: Stations,
    lonlat: tuple[NDArray[np.float64], NDArray[np.float64]],
    weight: NDArray[np.float64] | None = None,
    what: str = "the points",
) -> Stations:
    """
    Mark stations that a measure looks for near points; see `mark_outside`.

    `lonlat` are the positions of the points in degrees, `weight` is the population at each, and
    `what` names the sum of the weights in the message.
    """
    return mark_outside(stations, Points(*lonlat, what, weight))


def mark_areas(
    stations: Stations,
    shapes: NDArray[np.object_],
    population: NDArray[np.float64] | None = None,
) -> Stations:
    """
    Mark stations that a measure looks for in areas; see `mark_outside`.

    `shapes` are polygons in lon/lat within ±180, `population` is the number of each.
    """
    what = "the area" if population is None else "the population"
    return mark_outside(stations, Areas(shapes, what, population))


def mark_demand(
    stations: Stations,
    demand: gpd.GeoDataFrame | gpd.GeoSeries,
    population: NDArray[np.float64] | None = None,
) -> Stations:
    """
    Mark stations that a measure looks for near demand; see `mark_outside`.

    `demand` are points or areas with the `population` of each. Demand without positions, as it
    may be with a table of costs, is not checked.
    """
    placed = isinstance(demand, gpd.GeoDataFrame | gpd.GeoSeries) and demand.crs is not None
    if not placed or not _shows_coverage(stations):
        return stations
    points = shapely.point_on_surface(demand.geometry.to_crs(CRS).to_numpy())
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    known = np.isfinite(lon) & np.isfinite(lat)
    weight = None if population is None else population[known]
    what = "the demand" if population is None else "the population"
    return mark_points(stations, (wrap_lon(lon[known]), lat[known]), weight, what)


def mark_line(
    stations: Stations, line: Line, what: str = "the length of the route", *, warn: bool = True
) -> Stations:
    """
    Mark stations that a measure looks for along a route; see `mark_outside`.

    `what` names the length of `line` in the message.
    """
    if not _shows_coverage(stations):
        return stations
    route = shapely.LineString(continuous(line.parts.knots))
    return mark_outside(stations, points_of_lines(np.array([route]), what), warn=warn)


def mark_roads(stations: Stations, shapes: NDArray[np.object_]) -> Stations:
    """
    Mark stations that a measure looks for along roads; see `mark_outside`.

    `shapes` are lines in lon/lat, split at the antimeridian.
    """
    if not _shows_coverage(stations):
        return stations
    return mark_outside(stations, points_of_lines(shapes, "the length of the roads"))


def mark_outside(stations: Stations, demand: Demand, *, warn: bool = True) -> Stations:
    """
    Return the stations, marked if a measure looks for them where the source covers nothing.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    demand : Points or Areas
        Where the measure looks for stations.
    warn : bool
        Issue the warning, too.

    Returns
    -------
    geopandas.GeoDataFrame
        The same table, or if a part of the demand lies outside, a copy with that in its
        provenance (``complete`` False, ``outside`` with countries and share), which results
        carry on.

    Warns
    -----
    OutsideData
        If a part of the demand lies outside what the table covers.
    """
    if not _shows_coverage(stations) or not len(demand):
        return stations
    found = _find_outside(stations, demand)
    if found is None:
        return stations
    message, outside = found
    if warn:
        warn_user(message, OutsideData)
    copy: Stations = stations.copy(deep=False)
    copy.attrs = dict(stations.attrs)
    return attach(copy, complete=False, outside=outside)


def _find_outside(
    stations: gpd.GeoDataFrame | gpd.GeoSeries, demand: Demand
) -> tuple[str, dict[str, Any]] | None:
    """Return warning and provenance of what a table cannot know; None if nothing."""
    facts = read_attrs(stations)
    # In the order of certainty: the countries covered, the location that the question was about,
    # and for tables without provenance the extent of the stations themselves.
    known = known_of(facts)
    if known is not None and (shares := _share_beyond(stations, demand, known)):
        return _build_message(
            demand.what, shares, _explain_countries(known, facts), min(sum(shares.values()), 1.0)
        )
    if (box := asked_box(facts)) is not None and not demand.meets(box):
        why = "which is outside the location these stations were requested for"
        return _build_message(demand.what, _share_by_country(demand), why, 1.0)
    if not facts and (why := _explain_far_away(stations, demand)):
        return _build_message(demand.what, _share_by_country(demand), why, 1.0)
    return None


def _shows_coverage(stations: object) -> bool:
    """Return whether a table states, or shows by its extent, what it covers."""
    facts = getattr(stations, "attrs", None)
    if facts is None:
        return False
    own = read_attrs(stations)  # type: ignore[arg-type]
    return not own or "covers" in own or bool(own.get("query"))


def _share_beyond(
    stations: gpd.GeoDataFrame | gpd.GeoSeries, demand: Demand, known: Known
) -> dict[int, float]:
    """Return the share of demand in each country that is not covered."""
    beyond = demand.find_beyond(known.covered)
    rows = [int(row) for row in beyond if not has_unfiled_stations(stations, int(row))]
    return demand.share_in(rows) if rows else {}


def _share_by_country(demand: Demand) -> dict[int, float]:
    """Return the share of demand in each country, each position counted once."""
    rows, count = np.unique(find_countries(*demand.places()), return_counts=True)
    whole = float(count.sum())
    return {int(r): float(n) / whole for r, n in zip(rows, count, strict=True) if r >= 0}


def _explain_far_away(stations: gpd.GeoDataFrame | gpd.GeoSeries, demand: Demand) -> str:
    """Return why a table without provenance certainly has no stations there, or nothing."""
    lon, lat = lonlat_of(stations)
    if not len(lon):
        return ""
    west, south, east, north = box_about(lon, lat)
    if demand.meets((west - 1.0, south - 1.0, east + 1.0, north + 1.0)):
        return ""
    where = set(_share_by_country(demand))
    west, south, east, north = demand.bounds()
    x, y = np.clip(lon, west, east), np.clip(lat, south, north)
    if not where or float(np.min(distance_km(lon, lat, x, y))) < _FAR_KM:
        return ""
    home = alone_in(lon, lat)
    if home is None or home in where:
        return ""
    return f"and all {len(lon):,} stations lie in {country_names([home])}, over {_FAR_KM:g} km away"


def _explain_countries(known: Known, facts: dict[str, Any]) -> str:
    """Return why countries outside the coverage have no stations."""
    held = country_names(codes=sorted(known.codes))
    if known.by_filter:
        return f"and these stations were requested with countries={sorted(known.codes)} only"
    return f"where the source ({facts.get('source', 'unknown')}) has no stations: it covers {held}"


def _build_message(
    what: str, shares: Mapping[int, float], why: str, share: float
) -> tuple[str, dict[str, Any]]:
    """Return the warning, and what the provenance keeps."""
    rows = sorted(shares, key=lambda row: -shares[row])
    where = country_names(rows) if rows else "the open sea"
    message = (
        f"{percent(share)} of {what} lies in {where}, {why}. Results there reveal nothing about "
        "charging: use a source that covers it, or remove that part"
    )
    codes = [str(code) for code in countries()["code"].iloc[rows[:_MOST_CODES]]]
    kept = {"countries": " ".join(codes), "share": round(float(share), 4), "of": what}
    return message, kept if len(rows) <= _MOST_CODES else {**kept, "n_countries": len(rows)}


def country_names(rows: Iterable[int] = (), codes: Iterable[str] = ()) -> str:
    """
    Return the names of countries, of many only the first.

    Parameters
    ----------
    rows : iterable of int
        Rows of `countries`.
    codes : iterable of str
        ISO 3166 alpha-2 codes, in place of rows.

    Returns
    -------
    str
        For example ``"Germany, Austria and 2 more countries"``.
    """
    wanted = [str(code) for code in countries()["code"].iloc[list(rows)]] or list(codes)
    titles = bundled().countries.set_index("iso_code")["title"]
    names = list(dict.fromkeys(str(titles.get(code, code)) for code in wanted))
    more = len(names) - _MOST_NAMES
    if more > 1:
        return f"{', '.join(names[:_MOST_NAMES])} and {more} more countries"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def describe_outside(facts: Mapping[str, Any]) -> str | None:
    """Return a sentence on what lies outside by ``attrs["ocm"]``, for reports; None if nothing."""
    outside = facts.get("outside")
    if not isinstance(outside, dict):
        return None
    share, names = outside.get("share"), name_outside(facts)
    part = "A part" if share is None else percent(float(share))
    where = f" ({names})" if names else ""
    return (
        f"{part} of {outside.get('of')} lies outside what the source covers{where}. Zero coverage, "
        "gaps and distances there come from missing data."
    )


def name_outside(facts: Mapping[str, Any]) -> str:
    """Return the names of the first countries outside by ``attrs["ocm"]``; empty if none."""
    outside = facts.get("outside")
    codes = str(outside.get("countries", "")).split() if isinstance(outside, dict) else []
    return country_names(codes=codes)


def describe_origin(facts: Mapping[str, Any]) -> list[str]:
    """
    Return the facts of the provenance that a reader must know: dates, and what is left out.

    Parameters
    ----------
    facts : mapping
        ``attrs["ocm"]`` of a table.

    Returns
    -------
    list of str
        Such as ``["data to 2024-05-01", "snapshot 2024-05-01-a1b2"]``.
    """
    said = []
    if date := facts.get("data_date"):
        said.append(f"data to {date}")
    elif retrieved := facts.get("retrieved"):
        said.append(f"retrieved {retrieved[:10]}")
    if snapshot := facts.get("snapshot"):
        said.append(f"snapshot {snapshot}")
    if facts.get("truncated"):
        said.append("truncated: more stations match")
    if names := name_outside(facts):
        said.append(f"no data: {names}")
    return said


def percent(share: float) -> str:
    """
    Return a share as text that is 0 % or 100 % only if that is exact.

    Parameters
    ----------
    share : float
        0 to 1.

    Returns
    -------
    str
        For example ``"12 %"`` or ``"less than 1 %"``.
    """
    if 0.0 < share < 0.01:  # noqa: PLR2004
        return "less than 1 %"
    if 0.99 < share < 1.0:  # noqa: PLR2004
        return "more than 99 %"
    return f"{100 * share:.0f} %"
