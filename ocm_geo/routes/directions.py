"""Read the answers of routing engines and map matching, in the formats of seven engines.

OSRM (route, match, trip), Valhalla, Mapbox, Google (Directions, Routes), openrouteservice (JSON,
GeoJSON) and GraphHopper. The detailed geometry of the steps is joined, not the coarse overview.
An encoded geometry states neither its precision nor whether it contains heights: the reading whose
length agrees with the distance printed by the engine is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.checks import warn_user
from ocm_geo.errors import InexactMethod, RouteError, SuspectInput
from ocm_geo.routes.joining import join
from ocm_geo.routes.plausibility import edge_km, out_of_range, suspicion
from ocm_geo.routes.polylines import PRECISIONS, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Directions", "directions_lonlat", "is_directions", "list_routes", "read_directions"]

ENGINES = "OSRM, Valhalla, Mapbox, Google, openrouteservice and GraphHopper"
_LISTS = ("routes", "matchings", "trips", "paths")
_SIGNS = (*_LISTS, "trip", "code", "error_code", "error_message", "error", "hints")
_AGREES = 0.003
# With heights, GraphHopper prints the length along the slope.
_AGREES_WITH_HEIGHTS = 0.02
_ROUNDING_KM = 0.002
_KM_PER_UNIT = {"m": 0.001, "km": 1.0, "kilometers": 1.0, "mi": 1.609344, "miles": 1.609344}
# At 5 decimals the ends of two steps are up to 1.6 m apart; a wrong piece changes the length.
_STEP_JOIN_KM = 0.1


@dataclass(frozen=True)
class Directions:
    """
    One route of an engine's answer.

    Parameters
    ----------
    pieces : tuple
        Encoded texts, or GeoJSON line strings, in order.
    printed_km : float or None
        The length that the engine printed; None if it printed none.
    detailed : bool
        Whether the pieces are those of the steps or legs and not an overview.
    precisions : tuple of int
        Precisions that encoded texts may have.
    heights : tuple of bool
        Whether encoded texts may contain heights.
    """

    pieces: tuple[str | dict[str, Any], ...]
    printed_km: float | None
    detailed: bool
    precisions: tuple[int, ...] = PRECISIONS
    heights: tuple[bool, ...] = (False,)


def is_directions(document: object) -> bool:
    """
    Return whether a JSON document looks like an answer of a routing engine.

    Parameters
    ----------
    document : object
        Decoded JSON.

    Returns
    -------
    bool
        Whether it has routes in one of the formats, or a reason why there is none.
    """
    if not isinstance(document, dict):
        return False
    if "type" in document and "features" in document:
        return isinstance(document.get("metadata"), dict) and "query" in document["metadata"]
    return any(key in document for key in _SIGNS)


def list_routes(document: dict[str, Any]) -> list[Any]:
    """
    Return the routes of an engine's answer.

    Parameters
    ----------
    document : dict
        Decoded JSON.

    Returns
    -------
    list
        The routes as the engine wrote them, the best first; at least one.

    Raises
    ------
    RouteError
        If there is none.
    """
    if "features" in document:
        routes = document["features"]
    elif "trip" in document:
        routes = _list_valhalla_trips(document)
    else:
        routes = next((document[key] for key in _LISTS if document.get(key)), None)
    if not isinstance(routes, list) or not routes:
        raise RouteError(f"the directions contain no route{_quote_engine(document)}")
    return routes


def read_directions(document: dict[str, Any], choice: int = 0) -> Directions:
    """
    Return the geometry and the printed length of a route in an engine's answer.

    Parameters
    ----------
    document : dict
        Decoded JSON of one of the engines.
    choice : int
        Which of the alternatives.

    Returns
    -------
    Directions
        The route.

    Raises
    ------
    RouteError
        If the engine found no route, there is no such alternative, or keys are missing.
    """
    try:
        routes = list_routes(document)
    except (AttributeError, KeyError, TypeError) as error:
        raise RouteError(f"the directions contain no route{_quote_engine(document)}") from error
    if not 0 <= choice < len(routes):
        raise RouteError(f"there is no route {choice}: the directions contain {len(routes)}")
    try:
        return _read_route(document, routes[choice])
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise RouteError(
            f"the directions lack keys of the formats of {ENGINES} "
            f"({type(error).__name__}: {error})"
        ) from error


def _read_route(document: dict[str, Any], route: dict[str, Any]) -> Directions:
    """Read a route in its engine's format."""
    if "trip" in document:
        return _read_valhalla(route)
    if "features" in document:
        summary = route["properties"]["summary"]
        km = _read_openrouteservice_km(document, summary)
        return Directions((route["geometry"],), km, detailed=True)
    if "paths" in document:
        return _read_graphhopper(route)
    if "summary" in route and isinstance(route["summary"], dict):
        km = _read_openrouteservice_km(document, route["summary"])
        pieces = tuple(_check_pieces([route["geometry"]]))
        return Directions(pieces, km, detailed=True, heights=(False, True))
    return _read_legs(route)


def directions_lonlat(directions: Directions, precision: int | None = None) -> NDArray[np.float64]:
    """
    Decode and join the geometry of directions.

    Parameters
    ----------
    directions : Directions
        The route.
    precision : int, optional
        5 or 6. By default the one whose length agrees with the printed length to 0.3 % (or 2 m;
        2 % with heights).

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        Positions.

    Raises
    ------
    RouteError
        If no precision agrees, or pieces do not join.

    Warns
    -----
    SuspectInput
        If the length at the requested precision does not agree.
    InexactMethod
        If there is only an overview, and no length to compare it with.
    """
    # An engine does not state how it encoded: try each combination and keep the one that fits.
    found, told = [], []
    candidates = directions.precisions if precision is None else (precision,)
    for reading in product(candidates, directions.heights):
        name = f"precision {reading[0]}{' with heights' if reading[1] else ''}"
        try:
            lonlat = _join_pieces(directions, *reading)
        except RouteError as error:
            told.append(f"{name}: {error}")
            continue
        length_km = float(edge_km(lonlat).sum())
        if _agrees_with_printed(length_km, directions, has_height=reading[1]):
            return lonlat
        told.append(f"{name}: {length_km:.3f} km")
        found.append((lonlat, length_km, reading))
    if directions.printed_km is None:
        return _choose_unmeasured(directions, found, told, precision)
    if precision is not None and found:
        return _use_requested_precision(directions, found)
    advice = (
        "pass precision= to read it anyway"
        if directions.detailed
        else "this is a coarse overview: request the steps or the full overview from the engine"
    )
    raise RouteError(
        f"the geometry does not have the printed length of {directions.printed_km:.3f} km "
        f"({'; '.join(told)}); {advice}"
    )


Reading = tuple[int, bool]
Found = list[tuple["NDArray[np.float64]", float, Reading]]


def _choose_unmeasured(
    directions: Directions, found: Found, told: list[str], precision: int | None
) -> NDArray[np.float64]:
    """Return the only plausible reading of directions without a printed length."""
    likely = [lonlat for lonlat, _, reading in found if suspicion(lonlat, reading[0]) is None]
    if precision is not None:
        likely = [found[0][0]] if found else []
    if len(likely) != 1:
        raise RouteError(
            f"the directions print no length to choose the precision with ({'; '.join(told)}): "
            "pass precision=5 or precision=6"
        )
    if not directions.detailed:
        warn_user(
            "the directions contain only the overview, a simplified line, and no length to "
            "compare it with: distances along it are approximate",
            InexactMethod,
        )
    return likely[0]


def _use_requested_precision(directions: Directions, found: Found) -> NDArray[np.float64]:
    """Return the reading at the requested precision and warn that its length differs."""
    lonlat, length_km, (precision, _) = found[0]
    warn_user(
        f"at precision {precision} the geometry is {length_km:.3f} km long, but the engine "
        f"printed {directions.printed_km:.3f} km",
        SuspectInput,
    )
    return lonlat


def _agrees_with_printed(length_km: float, directions: Directions, *, has_height: bool) -> bool:
    """Return whether a length agrees with the printed one within the tolerance."""
    if directions.printed_km is None:
        return False
    share = _AGREES_WITH_HEIGHTS if has_height else _AGREES
    tolerance = max(share * directions.printed_km, _ROUNDING_KM)
    return abs(length_km - directions.printed_km) <= tolerance


def _join_pieces(directions: Directions, precision: int, has_height: bool) -> NDArray[np.float64]:  # noqa: FBT001
    """Decode the pieces of directions at a precision and join them."""
    parts = [
        _decode_geometry(piece, precision, has_height=has_height) for piece in directions.pieces
    ]
    lonlat = join(parts, max_join_km=_STEP_JOIN_KM)
    if not np.isfinite(lonlat).all() or out_of_range(lonlat) is not None:
        raise RouteError("a position is out of range")
    return lonlat


def _decode_geometry(
    piece: str | dict[str, Any], precision: int, *, has_height: bool
) -> NDArray[np.float64]:
    """Return the positions of an encoded text or a GeoJSON line."""
    if isinstance(piece, str):
        return decode(piece, precision, has_height=has_height)
    try:
        return np.array([position[:2] for position in piece["coordinates"]], dtype=float).reshape(
            -1, 2
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RouteError("a geometry of the directions is not a line") from error


def _quote_engine(document: dict[str, Any]) -> str:
    """Return what the engine reported instead of a route."""
    nested = document.get("error")
    inner = nested if isinstance(nested, dict) else {}
    keys = ("code", "status", "message", "error", "error_message")
    said = [*(document.get(key) for key in keys), inner.get("message")]
    texts = [text for text in said if isinstance(text, str)]
    return f": the engine reports {' / '.join(texts)}" if texts else ""


def _read_legs(route: dict[str, Any]) -> Directions:
    """Read a route of OSRM, Mapbox or Google."""
    legs = route.get("legs", [])
    steps = [_find_part_geometry(step) for leg in legs for step in leg.get("steps", [])]
    of_legs = [_find_part_geometry(leg) for leg in legs]
    detailed = next((told for told in (steps, of_legs) if told and all(told)), None)
    pieces = detailed or [_find_part_geometry(route)]
    metres = _sum_printed_metres(route, legs)
    is_google = any("overview_polyline" in part or "polyline" in part for part in (route, *legs))
    return Directions(
        tuple(_check_pieces(pieces)),
        None if metres is None else metres / 1000,
        detailed is not None,
        # Google documents its precision; for the others only the printed length reveals it.
        PRECISIONS[:1] if is_google and metres is None else PRECISIONS,
    )


def _find_part_geometry(part: dict[str, Any]) -> Any:  # noqa: ANN401 - text, GeoJSON, or nothing
    """Return the geometry of a step or route under the keys of each engine."""
    geometry = part.get("geometry") or part.get("polyline") or part.get("overview_polyline")
    if not isinstance(geometry, dict):
        return geometry
    keys = ("points", "encodedPolyline", "geoJsonLinestring")
    return next((geometry[key] for key in keys if key in geometry), geometry)


def _check_pieces(pieces: list[Any]) -> Iterator[str | dict[str, Any]]:
    """Yield the geometries of steps; a missing one is a KeyError."""
    for piece in pieces:
        if not isinstance(piece, str | dict) or not piece:
            raise KeyError("geometry")
        yield piece


def _sum_printed_metres(route: dict[str, Any], legs: list[dict[str, Any]]) -> float | None:
    """Return the printed length of a route, its legs or its steps; None if one prints none."""
    whole = _read_distance(route)
    if whole is not None:
        return whole
    of_legs = [_read_distance(leg) for leg in legs]
    steps = [step for leg in legs for step in leg.get("steps", [])]
    for lengths in (of_legs, [_read_distance(step) for step in steps]):
        if lengths and None not in lengths:
            return float(sum(length for length in lengths if length is not None))
    return None


def _read_distance(part: dict[str, Any]) -> float | None:
    """Return the metres that a route, leg or step prints."""
    for key in ("distance", "distanceMeters"):
        if key in part:
            printed = part[key]
            return float(printed["value"] if isinstance(printed, dict) else printed)
    return None


def _read_openrouteservice_km(document: dict[str, Any], summary: dict[str, Any]) -> float | None:
    """Return the length that openrouteservice prints; None without one."""
    if "distance" not in summary:
        return None
    query = (document.get("metadata") or {}).get("query") or {}
    return float(summary["distance"]) * _KM_PER_UNIT[query.get("units", "m")]


def _read_graphhopper(path: dict[str, Any]) -> Directions:
    """Read a path of GraphHopper."""
    exponent = round(math.log10(float(path.get("points_encoded_multiplier", 1e5))))
    return Directions(
        tuple(_check_pieces([path["points"]])),
        float(path["distance"]) / 1000,
        detailed=True,
        precisions=(exponent,),
        heights=(False, True),
    )


def _list_valhalla_trips(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the trip and its alternates."""
    others = document.get("alternates") or []
    return [document["trip"], *(other["trip"] for other in others)]


def _read_valhalla(trip: dict[str, Any]) -> Directions:
    """Read a trip of Valhalla."""
    unit_km = _KM_PER_UNIT.get(str(trip.get("units", "km")), 1.0)
    shapes = tuple(_check_pieces([leg["shape"] for leg in trip["legs"]]))
    return Directions(shapes, float(trip["summary"]["length"]) * unit_km, detailed=True)
