"""The parts of a measure without data, as shapes and stretches for figures and maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.borders import countries, find_countries, territory
from ocm_geo.geodesy import wrap_lon
from ocm_geo.geodesy.antimeridian import continuous
from ocm_geo.outside.known import known_of
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ocm_geo.geodesy import Line

__all__ = [
    "NO_DATA",
    "NoData",
    "no_data_countries",
    "no_data_in",
    "no_data_rows",
    "split_by_data",
    "stretches_without",
]

NO_DATA = "no data"
"""Status of a stretch of a route outside what the source covers; also its label in legends."""

_ALL = 0.99995
_WHOLE = 0.8
"""Areas outside to this share count as outside: borders and islands are off by a few km."""
_MOST_CUT = 3000
_STEP_KM, _MOST_STEPS = 0.5, 4000
_LEAST_KM = 0.5


class NoData(NamedTuple):
    """
    Areas, or parts of them, outside what the source covers.

    Parameters
    ----------
    whole : numpy.ndarray of bool
        Which areas lie outside, entirely or to at least 80 %.
    parts : numpy.ndarray of shapely geometries
        The parts of the areas that lie outside.
    """

    whole: NDArray[np.bool_]
    parts: NDArray[np.object_]


def no_data_rows(facts: Mapping[str, Any]) -> NDArray[np.intp]:
    """Return the countries (rows of `countries`) of which a result has no data, by its facts."""
    outside = facts.get("outside")
    if not isinstance(outside, dict):
        return np.empty(0, dtype=np.intp)
    known = known_of(dict(facts))
    if "n_countries" in outside and known is not None:
        # The list of codes was shortened.
        return np.flatnonzero(~known.covered)
    codes = str(outside.get("countries", "")).split()
    return np.flatnonzero(countries()["code"].isin(codes).to_numpy())


def no_data_in(facts: Mapping[str, Any], shapes: NDArray[np.object_]) -> NoData:
    """
    Return the parts of areas that lie outside what the source covers.

    Parameters
    ----------
    facts : mapping
        ``attrs["ocm"]``.
    shapes : numpy.ndarray of shapely geometries
        Polygons in lon/lat; if there are thousands, each is in or out by a point inside it.

    Returns
    -------
    NoData
        Which areas, and the parts of areas.
    """
    rows = no_data_rows(facts)
    whole = np.zeros(len(shapes), dtype=bool)
    if _is_all_outside(facts):
        return NoData(~whole, shapes)
    if not len(rows):
        return NoData(whole, shapes[:0])
    real = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    if len(shapes) > _MOST_CUT:
        points = shapely.point_on_surface(shapes[real])
        lon, lat = wrap_lon(shapely.get_x(points)), shapely.get_y(points)
        whole[real[np.isin(find_countries(lon, lat), rows)]] = True
        return NoData(whole, shapes[whole])
    valid = shapely.make_valid(shapes[real])
    cut = np.full(len(real), shapely.Polygon(), dtype=object)
    for row in rows:
        claim = territory(int(row))
        touched = np.flatnonzero(shapely.intersects(claim, valid))
        cut[touched] = shapely.union(cut[touched], shapely.intersection(claim, valid[touched]))
    size = shapely.area(valid)
    whole[real] = shapely.area(cut) > _WHOLE * np.where(size > 0, size, np.inf)
    parts = np.where(whole[real], valid, cut)
    return NoData(whole, parts[shapely.area(parts) > 0])


def _is_all_outside(facts: Mapping[str, Any]) -> bool:
    """Return whether everything lies outside what the source covers."""
    outside = facts.get("outside")
    share = outside.get("share") if isinstance(outside, dict) else None
    return share is not None and float(share) > _ALL


def no_data_countries(facts: Mapping[str, Any]) -> NDArray[np.object_]:
    """Return the countries without data, with the sea near their coasts, as polygons in lon/lat."""
    shapes = [territory(int(row)) for row in no_data_rows(facts)]
    return np.array(shapes, dtype=object)


def stretches_without(facts: Mapping[str, Any], line: Line) -> list[tuple[float, float]]:
    """
    Return the stretches of a route that lie outside what the source covers.

    Parameters
    ----------
    facts : mapping
        ``attrs["ocm"]``.
    line : Line
        The route.

    Returns
    -------
    list of tuple of float
        Start and end of each, km, to 0.5 km or 1/4000 of the route.
    """
    if _is_all_outside(facts):
        return [(0.0, line.length_km)]
    rows = no_data_rows(facts)
    if not len(rows):
        return []
    # The middle of each short step decides for the step.
    count = int(np.clip(line.length_km / _STEP_KM, 1, _MOST_STEPS))
    ends = np.linspace(0.0, line.length_km, count + 1)
    middle = (ends[1:] + ends[:-1]) / 2.0
    knots = continuous(line.parts.knots)
    lon, lat = (np.interp(middle, line.parts.along_km, values) for values in knots.T)
    outside = np.isin(find_countries(wrap_lon(lon), lat), rows)
    change = np.flatnonzero(np.diff(outside, prepend=False, append=False))
    return [(float(a), float(b)) for a, b in ends[change].reshape(-1, 2)]


def split_by_data(
    table: gpd.GeoDataFrame, line: Line, facts: Mapping[str, Any]
) -> gpd.GeoDataFrame:
    """
    Split gaps or sections of a route where the data end.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        ``start_km``, ``length_km``, ``status`` and ``geometry``.
    line : Line
        The route.
    facts : mapping
        ``attrs["ocm"]``.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows, those that extend outside split into pieces, of which the outer ones have the
        status `NO_DATA`; the table itself if nothing lies outside.
    """
    outside = stretches_without(facts, line)
    if not outside or table.empty:
        return table
    pieces = []
    for at, (start, km) in enumerate(zip(table["start_km"], table["length_km"], strict=True)):
        row = table.iloc[[at]]
        cuts = _split_stretch(float(start), float(start + km), outside)
        if [is_out for _, _, is_out in cuts] == [False]:
            pieces.append(row)
            continue
        for a, b, is_out in cuts:
            shape = line.substring(a, b)
            status = NO_DATA if is_out else row["status"].iloc[0]
            new = {"start_km": a, "end_km": b, "length_km": b - a, "status": status}
            pieces.append(row.assign(**new, geometry=[shape]))
    return gpd.GeoDataFrame(pd.concat(pieces), geometry="geometry", crs=CRS)


def _split_stretch(
    start: float, end: float, outside: list[tuple[float, float]]
) -> list[tuple[float, float, bool]]:
    """Return the pieces of a stretch inside and outside; slivers join what follows."""
    cuts = [(max(a, start), min(b, end)) for a, b in outside if b > start and a < end]
    cuts = [(a, b) for a, b in cuts if b - a > _LEAST_KM or (a, b) == (start, end)]
    # Alternate from the start; a piece shorter than the least is merged into its successor.
    pieces, at = [], start
    for a, b in cuts:
        if a - at > _LEAST_KM:
            pieces.append((at, a, False))
        else:
            a = at  # noqa: PLW2901 - the sliver joins what follows
        pieces.append((a, b, True))
        at = b
    if end - at > _LEAST_KM or not pieces:
        pieces.append((at, end, False))
    return pieces
