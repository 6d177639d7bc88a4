"""Questions that reach beyond what their source covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.checks import warn_user
from ocm_geo.errors import OutsideData
from ocm_geo.geodesy import circle
from ocm_geo.outside.demand import Areas
from ocm_geo.outside.judging import country_names, mark_line, mark_outside
from ocm_geo.provenance import attach, read_attrs
from ocm_geo.query import Area, Box, Circle, Corridor
from ocm_geo.reference import bundled

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.query import StationQuery, Where

__all__ = ["mark_answer", "mark_missing_ids"]

_MOST_IDS = 10


def mark_answer(
    found: gpd.GeoDataFrame, query: StationQuery, *, warn: bool = True
) -> gpd.GeoDataFrame:
    """
    Return an answer, marked if the source has no stations of countries in the question.

    Parameters
    ----------
    found : geopandas.GeoDataFrame
        The answer.
    query : StationQuery
        The question.
    warn : bool
        Issue the warning, too.

    Returns
    -------
    geopandas.GeoDataFrame
        The answer, or a copy with what lies outside in its provenance.

    Warns
    -----
    OutsideData
        If a part of the question lies in countries of which the source has no stations.
    """
    facts = read_attrs(found)
    covers = str(facts.get("covers") or "").split()
    if not covers:
        return found
    if query.countries is None:
        return _mark_location(found, query.where, warn=warn)
    titles = bundled().countries["iso_code"]
    asked = [str(titles[i]) for i in query.countries if i in titles.index]
    lacking = [code for code in asked if code not in covers]
    if not lacking:
        return found
    message = (
        f"the source ({facts.get('source')}) has no stations in {country_names(codes=lacking)}: "
        f"it covers {country_names(codes=covers)}. Use a source that covers it"
    )
    if warn:
        warn_user(message, OutsideData)
    outside = {"countries": " ".join(lacking), "of": "the countries asked for"}
    return attach(found, complete=False, outside=outside)


def _mark_location(found: gpd.GeoDataFrame, where: Where, *, warn: bool) -> gpd.GeoDataFrame:
    """Return the answer, marked if the location of the question is partly outside."""
    match where:
        case Corridor():
            return mark_line(found, where.line, warn=warn)
        case Box():
            return mark_outside(found, Areas(_draw_box_parts(where), "the box"), warn=warn)
        case Circle():
            shape = circle(where.lon, where.lat, where.radius_km, n_points=64)
            return mark_outside(
                found, Areas(np.array([shape], dtype=object), "the circle"), warn=warn
            )
        case Area():
            return mark_outside(found, Areas(np.array([where.geometry], dtype=object)), warn=warn)
    return found


def _draw_box_parts(box: Box) -> np.ndarray:
    """Return a box as polygons, two across the antimeridian; its width may be 0."""
    sides = [(box.west, box.east)]
    if box.west > box.east:
        sides = [(box.west, 180.0), (-180.0, box.east)]
    return np.array([shapely.box(w, box.south, e, box.north) for w, e in sides], dtype=object)


def mark_missing_ids(found: gpd.GeoDataFrame, missing: list[int]) -> gpd.GeoDataFrame:
    """
    Return an answer, marked and with a warning if ids are missing from the source.

    Parameters
    ----------
    found : geopandas.GeoDataFrame
        The answer.
    missing : list of int
        The missing ids.

    Returns
    -------
    geopandas.GeoDataFrame
        The answer, marked as incomplete.

    Warns
    -----
    OutsideData
        If any id is missing.
    """
    if not missing:
        return found
    named = ", ".join(str(number) for number in missing[:_MOST_IDS])
    more = f" and {len(missing) - _MOST_IDS:,} more" if len(missing) > _MOST_IDS else ""
    count = "1 id" if len(missing) == 1 else f"{len(missing):,} ids"
    message = (
        f"the source ({read_attrs(found).get('source')}) has no published station with {count} "
        f"of those asked for: {named}{more}"
    )
    warn_user(message, OutsideData)
    return attach(found, complete=False, n_ids_missing=len(missing))
