"""Decode and encode polylines: Google's format, latitude first, with 5 or 6 decimals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polyline
import shapely

from ocm_geo.checks import warn_user
from ocm_geo.errors import QueryError, RouteError, SuspectInput
from ocm_geo.geodesy import as_line
from ocm_geo.routes.encoding import holds_heights, lacks_heights, numbers_of, positions_of
from ocm_geo.routes.plausibility import edge_km, out_of_range, suspicion

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["PRECISIONS", "check_precision", "decode", "route_from_polyline", "route_to_polyline"]

PRECISIONS = (5, 6)
"""Decimals of the encoded degrees: 5 (Google, OSRM, Mapbox), 6 (Valhalla, Mapbox's polyline6)."""

_FOREIGN = re.compile(r"[^?-~]")
_BACKSLASHES = re.compile(r"\\+")
_NOT_DECODED = "the polyline of {n} characters is not a route at precision {precision}: "


def route_from_polyline(
    text: str, precision: int = 5, *, has_height: bool = False
) -> shapely.LineString:
    r"""
    Decode an encoded polyline.

    Parameters
    ----------
    text : str
        Google's encoded polyline format: characters ``?`` to ``~``, latitude first.
    precision : int
        Decimals of the encoded degrees, 5 or 6. The text does not say which.
    has_height : bool
        Whether every point has a height, as openrouteservice and GraphHopper encode them on
        request. The route has no heights.

    Returns
    -------
    shapely.LineString
        The route in lon/lat, repeated points dropped.

    Raises
    ------
    RouteError
        If the text is cut off, contains characters outside the format, or gives positions that
        are not on Earth; the message states whether the other precision or single backslashes
        would give a route.
    QueryError
        If ``precision`` is neither 5 nor 6, or ``text`` is not a string.

    Warns
    -----
    SuspectInput
        If the route is possible but improbable: far jumps, a region where texts of the other
        precision end up, backslashes that all come in pairs, or numbers that look like points
        with heights although ``has_height`` is False, or the reverse.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.route_from_polyline(r"_p~iF~ps|U_ulLnnqC_mqNvxq`@").wkt
    'LINESTRING (-120.2 38.5, -120.95 40.7, -126.453 43.252)'
    """
    body = _check_polyline_text(text)
    lonlat = decode(body, check_precision(precision), has_height=has_height)
    route = as_line(lonlat)
    if not has_height and (heights := _hint_heights(body, precision)):
        warn_user(
            f"the polyline decodes at precision {precision}, but its numbers look like points "
            f"with heights{heights}",
            SuspectInput,
        )
    elif has_height and _seems_without_heights(body):
        warn_user(
            "the polyline decodes with heights, but its numbers look like points without: try "
            "has_height=False",
            SuspectInput,
        )
    elif reason := suspicion(lonlat, precision) or _describe_doubled(body):
        hint = _hint_other_precision(body, precision)
        warn_user(
            f"the polyline decodes at precision {precision}, but {reason}{hint}",
            SuspectInput,
        )
    return route


def route_to_polyline(
    route: shapely.LineString | gpd.GeoDataFrame | gpd.GeoSeries, precision: int = 5
) -> str:
    """
    Encode a route as a polyline.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    precision : int
        Decimals of the encoded degrees, 5 (about 1 m) or 6 (about 0.1 m).

    Returns
    -------
    str
        The text; its coordinates are the route's, rounded half away from zero.

    Raises
    ------
    RouteError
        If the geometry is not a route, or all of its points round to one.
    QueryError
        If ``precision`` is neither 5 nor 6.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> ocm.route_to_polyline(shapely.LineString([(-120.2, 38.5), (-120.95, 40.7)]))
    '_p~iF~ps|U_ulLnnqC'
    """
    check_precision(precision)
    lonlat = shapely.get_coordinates(as_line(route))
    if (np.ptp(np.round(lonlat, precision), axis=0) == 0).all():
        raise RouteError(
            f"all points of the route are equal at {precision} decimals: it is too short to encode"
        )
    text: str = polyline.encode(lonlat.tolist(), precision, geojson=True)
    return text


def check_precision(precision: int) -> int:
    """
    Check the precision of a polyline.

    Parameters
    ----------
    precision : int
        The value to check.

    Returns
    -------
    int
        The precision.

    Raises
    ------
    QueryError
        If it is neither 5 nor 6.
    """
    if isinstance(precision, bool) or precision not in PRECISIONS:
        raise QueryError(
            f"precision must be 5 (Google, OSRM, Mapbox) or 6 (Valhalla, polyline6), "
            f"not {precision!r}"
        )
    return int(precision)


def decode(text: str, precision: int, *, has_height: bool = False) -> NDArray[np.float64]:
    """
    Decode a polyline and check that its positions are on Earth.

    Parameters
    ----------
    text : str
        The encoded polyline.
    precision : int
        5 or 6.
    has_height : bool
        Whether every point has a height.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        Longitude and latitude; longitudes may continue beyond ±180.

    Raises
    ------
    RouteError
        If the text is cut off or gives positions that are not on Earth.
    """
    told = _NOT_DECODED.format(n=len(text), precision=precision)
    lonlat = _decode_positions(text, precision, has_height=has_height)
    if lonlat is None:
        hint = _hint_doubled_backslashes(text) or (
            "" if has_height else _hint_heights(text, precision)
        )
        raise RouteError(f"{told}it ends in the middle of a point{hint}")
    wrong = out_of_range(lonlat)
    if wrong is not None:
        lon, lat = lonlat[wrong]
        hint = (
            _hint_doubled_backslashes(text)
            or _hint_heights(text, precision)
            or _hint_other_precision(text, precision)
        )
        raise RouteError(
            f"{told}its point {wrong} has latitude {lat:g} and longitude {lon:g}{hint}"
            f"{_hint_swapped(lonlat)}"
        )
    return lonlat


def _check_polyline_text(text: object) -> str:
    """Check an encoded text and return it without blanks around it."""
    if not isinstance(text, str):
        raise QueryError(f"a polyline must be a string, not {type(text).__name__}")
    body = text.strip()
    if not body:
        raise RouteError("the polyline is empty")
    foreign = _FOREIGN.search(body)
    if foreign is None:
        return body
    hint = ""
    if foreign.group() == "%":
        hint = "; it seems to be percent-encoded: decode it with urllib.parse.unquote first"
    elif body.startswith("("):
        hint = "; coordinates are not an encoded text: use shapely.LineString([(lon, lat), ...])"
    elif foreign.group() in "\n\t\r\b\f\a\v":
        hint = r"; a backslash was read as an escape: write the text as r'...'"
    raise RouteError(
        f"the polyline contains {foreign.group()!r} at position {foreign.start()}: "
        f"only '?' to '~' (codes 63 to 126) are allowed{hint}"
    )


def _decode_positions(
    text: str, precision: int, *, has_height: bool = False
) -> NDArray[np.float64] | None:
    """Return the decoded positions; None if the text ends inside a point."""
    numbers = numbers_of(text)
    if numbers is None or len(numbers) % (3 if has_height else 2):
        return None
    return positions_of(numbers, precision, has_height=has_height)


def _seems_without_heights(text: str) -> bool:
    """Return whether a text decoded with heights seems to have none."""
    numbers = numbers_of(text)
    return numbers is not None and len(numbers) > 6 and lacks_heights(numbers)  # noqa: PLR2004


def _hint_heights(text: str, precision: int) -> str:
    """Return a hint if a text seems to encode heights."""
    numbers = numbers_of(text)
    if numbers is None:
        return ""
    for candidate in (precision, 11 - precision):
        lonlat = None
        if holds_heights(numbers, candidate):
            lonlat = positions_of(numbers, candidate, has_height=True)
        if lonlat is not None and suspicion(lonlat, candidate) is None:
            other = "" if candidate == precision else f", precision={candidate}"
            km = edge_km(lonlat).sum()
            lon, lat = lonlat[0]
            return (
                f"; has_height=True{other} makes it a route of {km:.4g} km from "
                f"({lon:.4f}, {lat:.4f})"
            )
    return ""


def _describe_plausible(text: str, precision: int) -> str | None:
    """Describe the route that a text encodes; None if it is not plausible."""
    lonlat = _decode_positions(text, precision)
    if lonlat is None or len(lonlat) < 2 or out_of_range(lonlat) is not None:  # noqa: PLR2004
        return None
    if suspicion(lonlat, precision):
        return None
    lon, lat = lonlat[0]
    return f"a route of {edge_km(lonlat).sum():.4g} km from ({lon:.4f}, {lat:.4f})"


def _hint_other_precision(text: str, precision: int) -> str:
    """Return a hint if the other precision gives a plausible route."""
    other = 11 - precision
    route = _describe_plausible(text, other)
    return f"; precision={other} makes it {route}" if route else ""


def _hint_doubled_backslashes(text: str) -> str:
    """Return a hint if a text with single backslashes gives a plausible route."""
    single = text.replace("\\\\", "\\")
    if single == text:
        return ""
    for precision in PRECISIONS:
        if route := _describe_plausible(single, precision):
            return (
                "; its backslashes are doubled, as JSON and source code show them: "
                rf"text.replace('\\\\', '\\') is {route} at precision {precision}"
            )
    return ""


def _describe_doubled(text: str) -> str | None:
    """Return a description if all backslashes are doubled; a single pair may be intended."""
    runs = [len(run) for run in _BACKSLASHES.findall(text)]
    if len(runs) > 1 and all(n % 2 == 0 for n in runs) and _hint_doubled_backslashes(text):
        return f"all {len(runs)} runs of backslashes are even{_hint_doubled_backslashes(text)}"
    return None


def _hint_swapped(lonlat: NDArray[np.float64]) -> str:
    """Return a hint if swapped axes would be in range."""
    if out_of_range(lonlat[:, ::-1]) is None:
        return "; or longitude and latitude were swapped when it was encoded (latitude comes first)"
    return ""
