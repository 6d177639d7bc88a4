"""Measures that reach where the stations cannot be known: the warning, and what results carry."""

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
    Check that stations can be known where points are; see `mark_outside`.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    lonlat : tuple of numpy.ndarray
        Longitudes and latitudes of the points, degrees.
    weight : numpy.ndarray, optional
        People at each.
    what : str
        What the weights add up to, for the message.

    Returns
    -------
    geopandas.GeoDataFrame
        The stations.
    """
    return mark_outside(stations, Points(*lonlat, what, weight))


def mark_areas(
    stations: Stations,
    shapes: NDArray[np.object_],
    population: NDArray[np.float64] | None = None,
) -> Stations:
    """
    Check that stations can be known in areas; see `mark_outside`.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    shapes : numpy.ndarray of shapely geometries
        Polygons in lon/lat, within ±180.
    population : numpy.ndarray, optional
        People of each.

    Returns
    -------
    geopandas.GeoDataFrame
        The stations.
    """
    what = "the area" if population is None else "the population"
    return mark_outside(stations, Areas(shapes, what, population))


def mark_demand(
    stations: Stations,
    demand: gpd.GeoDataFrame | gpd.GeoSeries,
    population: NDArray[np.float64] | None = None,
) -> Stations:
    """
    Check that stations can be known where people live; see `mark_outside`.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    demand : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points, or whatever costs are known of; without positions nothing is checked.
    population : numpy.ndarray, optional
        People of each.

    Returns
    -------
    geopandas.GeoDataFrame
        The stations.
    """
    placed = isinstance(demand, gpd.GeoDataFrame | gpd.GeoSeries) and demand.crs is not None
    if not placed or not _can_judge(stations):
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
    Check that stations can be known along a route; see `mark_outside`.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    line : Line
        The route.
    what : str
        What its length is, for the message.
    warn : bool
        Warn as well as mark.

    Returns
    -------
    geopandas.GeoDataFrame
        The stations.
    """
    if not _can_judge(stations):
        return stations
    route = shapely.LineString(continuous(line.parts.knots))
    return mark_outside(stations, points_of_lines(np.array([route]), what), warn=warn)


def mark_roads(stations: Stations, shapes: NDArray[np.object_]) -> Stations:
    """
    Check that stations can be known along roads; see `mark_outside`.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    shapes : numpy.ndarray of shapely.LineString
        The roads in lon/lat, split at the antimeridian.

    Returns
    -------
    geopandas.GeoDataFrame
        The stations.
    """
    if not _can_judge(stations):
        return stations
    return mark_outside(stations, points_of_lines(shapes, "the length of the roads"))


def mark_outside(stations: Stations, demand: Demand, *, warn: bool = True) -> Stations:
    """
    Check that stations can be known where a measure is about to look for them.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    demand : Points or Areas
        Where the measure looks.
    warn : bool
        Warn as well as mark.

    Returns
    -------
    geopandas.GeoDataFrame
        The same table; where a part of the demand lies outside, a copy whose provenance says so
        (``complete`` False, ``outside`` with countries and share), for the results to carry.

    Warns
    -----
    OutsideData
        If a part lies outside what the table can know.
    """
    if not _can_judge(stations) or not len(demand):
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
    """Find what a table cannot know: by countries, by the place asked for, by its own extent."""
    facts = read_attrs(stations)
    known = known_of(facts)
    if known is not None and (shares := _beyond_countries(stations, demand, known)):
        return _tell(demand.what, shares, _why(known, facts), min(sum(shares.values()), 1.0))
    if (box := asked_box(facts)) is not None and not demand.meets(box):
        why = "for which these stations were not asked: their question was about another place"
        return _tell(demand.what, _by_country(demand), why, 1.0)
    if not facts and (why := _far_from_all(stations, demand)):
        return _tell(demand.what, _by_country(demand), why, 1.0)
    return None


def _can_judge(stations: object) -> bool:
    """Test whether a table says, or shows, what it can know; most results cost nothing more."""
    facts = getattr(stations, "attrs", None)
    if facts is None:
        return False
    own = read_attrs(stations)  # type: ignore[arg-type]
    return not own or "covers" in own or bool(own.get("query"))


def _beyond_countries(
    stations: gpd.GeoDataFrame | gpd.GeoSeries, demand: Demand, known: Known
) -> dict[int, float]:
    """Measure the share in each country outside; empty where there is none."""
    beyond = demand.find_beyond(known.covered)
    rows = [int(row) for row in beyond if not has_unfiled_stations(stations, int(row))]
    return demand.share_in(rows) if rows else {}


def _by_country(demand: Demand) -> dict[int, float]:
    rows, count = np.unique(find_countries(*demand.places()), return_counts=True)
    whole = float(count.sum())
    return {int(r): float(n) / whole for r, n in zip(rows, count, strict=True) if r >= 0}


def _far_from_all(stations: gpd.GeoDataFrame | gpd.GeoSeries, demand: Demand) -> str:
    """Explain why a table without provenance knows nothing there, where that is certain."""
    lon, lat = lonlat_of(stations)
    if not len(lon):
        return ""
    west, south, east, north = box_about(lon, lat)
    if demand.meets((west - 1.0, south - 1.0, east + 1.0, north + 1.0)):
        return ""
    where = set(_by_country(demand))
    west, south, east, north = demand.bounds()
    x, y = np.clip(lon, west, east), np.clip(lat, south, north)
    if not where or float(np.min(distance_km(lon, lat, x, y))) < _FAR_KM:
        return ""
    home = alone_in(lon, lat)
    if home is None or home in where:
        return ""
    return f"and all {len(lon):,} stations lie in {country_names([home])}, over {_FAR_KM:g} km away"


def _why(known: Known, facts: dict[str, Any]) -> str:
    held = country_names(codes=sorted(known.codes))
    if known.by_filter:
        return f"and these stations were asked for with countries={sorted(known.codes)} only"
    return (
        f"of which the source ({facts.get('source', 'unknown')}) holds no station: it covers {held}"
    )


def _tell(
    what: str, shares: Mapping[int, float], why: str, share: float
) -> tuple[str, dict[str, Any]]:
    """Return the message, and what the provenance keeps."""
    rows = sorted(shares, key=lambda row: -shares[row])
    where = country_names(rows) if rows else "the open sea"
    message = (
        f"{percent(share)} of {what} lies in {where}, {why}. Results there say nothing about "
        "charging: use a source that holds it, or cut that part off"
    )
    codes = [str(code) for code in countries()["code"].iloc[rows[:_MOST_CODES]]]
    kept = {"countries": " ".join(codes), "share": round(float(share), 4), "of": what}
    return message, kept if len(rows) <= _MOST_CODES else {**kept, "n_countries": len(rows)}


def country_names(rows: Iterable[int] = (), codes: Iterable[str] = ()) -> str:
    """
    Name countries, the first few.

    Parameters
    ----------
    rows : iterable of int
        Rows of `countries`.
    codes : iterable of str
        ISO 3166 alpha-2 codes, in place of rows.

    Returns
    -------
    str
        Such as ``"Germany, Austria and 2 more countries"``.
    """
    wanted = [str(code) for code in countries()["code"].iloc[list(rows)]] or list(codes)
    titles = bundled().countries.set_index("iso_code")["title"]
    names = list(dict.fromkeys(str(titles.get(code, code)) for code in wanted))
    more = len(names) - _MOST_NAMES
    if more > 1:
        return f"{', '.join(names[:_MOST_NAMES])} and {more} more countries"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def describe_outside(facts: Mapping[str, Any]) -> str | None:
    """
    Describe what lies outside, for reports.

    Parameters
    ----------
    facts : mapping
        ``attrs["ocm"]``.

    Returns
    -------
    str or None
        A sentence; None where nothing lies outside.
    """
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
    """
    Name the countries that lie outside.

    Parameters
    ----------
    facts : mapping
        ``attrs["ocm"]``.

    Returns
    -------
    str
        The first few; empty where there is none.
    """
    outside = facts.get("outside")
    codes = str(outside.get("countries", "")).split() if isinstance(outside, dict) else []
    return country_names(codes=codes)


def percent(share: float) -> str:
    """
    Write a share as a text that is never 0 % or 100 % unless that is exact.

    Parameters
    ----------
    share : float
        0 to 1.

    Returns
    -------
    str
        Such as ``"12 %"`` or ``"less than 1 %"``.
    """
    if 0.0 < share < 0.01:  # noqa: PLR2004
        return "less than 1 %"
    if 0.99 < share < 1.0:  # noqa: PLR2004
        return "more than 99 %"
    return f"{100 * share:.0f} %"
