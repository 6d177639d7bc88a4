"""Questions that reach where their source holds no station."""

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
    Check that a source holds stations of the countries that a question is about.

    Parameters
    ----------
    found : geopandas.GeoDataFrame
        The answer.
    query : StationQuery
        The question.
    warn : bool
        Warn as well as mark.

    Returns
    -------
    geopandas.GeoDataFrame
        The answer, or a copy whose provenance says what lies outside.

    Warns
    -----
    OutsideData
        If a part lies in countries of which the source holds no station.
    """
    facts = read_attrs(found)
    covers = str(facts.get("covers") or "").split()
    if not covers:
        return found
    if query.countries is None:
        return _mark_place(found, query.where, warn=warn)
    titles = bundled().countries["iso_code"]
    asked = [str(titles[i]) for i in query.countries if i in titles.index]
    lacking = [code for code in asked if code not in covers]
    if not lacking:
        return found
    message = (
        f"the source ({facts.get('source')}) holds no station of {country_names(codes=lacking)}: "
        f"it covers {country_names(codes=covers)}. Use a source that holds it"
    )
    if warn:
        warn_user(message, OutsideData)
    outside = {"countries": " ".join(lacking), "of": "the countries asked for"}
    return attach(found, complete=False, outside=outside)


def _mark_place(found: gpd.GeoDataFrame, where: Where, *, warn: bool) -> gpd.GeoDataFrame:
    match where:
        case Corridor():
            return mark_line(found, where.line, warn=warn)
        case Box():
            return mark_outside(found, Areas(_box_shapes(where), "the box"), warn=warn)
        case Circle():
            shape = circle(where.lon, where.lat, where.radius_km, n_points=64)
            return mark_outside(
                found, Areas(np.array([shape], dtype=object), "the circle"), warn=warn
            )
        case Area():
            return mark_outside(found, Areas(np.array([where.geometry], dtype=object)), warn=warn)
    return found


def _box_shapes(box: Box) -> np.ndarray:
    """Draw a box; over the antimeridian it is two. One without a width is drawn as narrow."""
    sides = [(box.west, box.east)]
    if box.west > box.east:
        sides = [(box.west, 180.0), (-180.0, box.east)]
    return np.array([shapely.box(w, box.south, e, box.north) for w, e in sides], dtype=object)


def mark_missing_ids(found: gpd.GeoDataFrame, missing: list[int]) -> gpd.GeoDataFrame:
    """
    Warn of ids that a source does not have.

    Parameters
    ----------
    found : geopandas.GeoDataFrame
        The answer.
    missing : list of int
        The ids.

    Returns
    -------
    geopandas.GeoDataFrame
        The answer, marked as not complete.

    Warns
    -----
    OutsideData
        If there is any.
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
