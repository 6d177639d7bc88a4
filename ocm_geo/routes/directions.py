"""Answers of routing engines: OSRM, Valhalla, Mapbox and Google directions.

The detailed geometry of the steps is joined, not the coarse overview. Encoded geometries do not
say their precision: the one is taken whose length agrees with the distance that the engine
printed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.errors import RouteError, SuspectInput
from ocm_geo.routes.joining import join
from ocm_geo.routes.plausibility import edge_km, out_of_range
from ocm_geo.routes.polylines import PRECISIONS, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Directions", "directions_lonlat", "is_directions", "read_directions"]

_SIGNS = ("routes", "trip", "code", "error_code", "error_message")
_AGREES = 0.003
_ROUNDING_KM = 0.002
_KM_PER_MILE = 1.609344
# At 5 decimals the ends of two steps are up to 1.6 m apart; a wrong piece shows in the length.
_STEP_JOIN_KM = 0.1


@dataclass(frozen=True)
class Directions:
    """
    One route of an engine's answer.

    Parameters
    ----------
    pieces : tuple
        Encoded texts, or GeoJSON line strings, in order.
    printed_km : float
        The length that the engine printed.
    detailed : bool
        Whether the pieces are those of the steps or legs and not an overview.
    """

    pieces: tuple[str | dict[str, Any], ...]
    printed_km: float
    detailed: bool


def is_directions(document: object) -> bool:
    """
    Say whether a JSON document looks like an answer of a routing engine.

    Parameters
    ----------
    document : object
        Decoded JSON.

    Returns
    -------
    bool
        Whether it has ``routes`` or a ``trip``, or says why there is none.
    """
    return isinstance(document, dict) and any(key in document for key in _SIGNS)


def read_directions(document: dict[str, Any], choice: int = 0) -> Directions:
    """
    Find the geometry and the printed length in an engine's answer.

    Parameters
    ----------
    document : dict
        Decoded JSON of OSRM, Mapbox, Google (Directions or Routes) or Valhalla.
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
    routes = _valhalla_trips(document) if "trip" in document else document.get("routes")
    if not isinstance(routes, list) or not routes:
        raise RouteError(f"the directions hold no route{_complaint(document)}")
    if not 0 <= choice < len(routes):
        raise RouteError(f"there is no route {choice}: the directions hold {len(routes)}")
    try:
        read = _valhalla if "trip" in document else _routes
        return read(routes[choice])
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise RouteError(
            f"the directions lack what OSRM, Valhalla, Mapbox and Google print "
            f"({type(error).__name__}: {error})"
        ) from error


def directions_lonlat(directions: Directions, precision: int | None = None) -> NDArray[np.float64]:
    """
    Decode and join the geometry of directions.

    Parameters
    ----------
    directions : Directions
        The route.
    precision : int, optional
        5 or 6; by default the one whose length agrees with the printed one to 0.3 % (or 2 m).

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
        If the precision that was asked for does not agree.
    """
    if precision is not None:
        return _as_told(directions, precision)
    told = []
    for candidate in PRECISIONS:
        try:
            lonlat = _joined(directions, candidate)
        except RouteError as error:
            told.append(f"precision {candidate}: {error}")
            continue
        length_km = float(edge_km(lonlat).sum())
        if _agrees(length_km, directions):
            return lonlat
        told.append(f"precision {candidate}: {length_km:.3f} km")
    advice = (
        "pass precision= to read it all the same"
        if directions.detailed
        else "this is a coarse overview: ask the engine for the steps or the full overview"
    )
    raise RouteError(
        f"the geometry does not have the printed length of {directions.printed_km:.3f} km "
        f"({'; '.join(told)}); {advice}"
    )


def _as_told(directions: Directions, precision: int) -> NDArray[np.float64]:
    lonlat = _joined(directions, precision)
    length_km = float(edge_km(lonlat).sum())
    if not _agrees(length_km, directions):
        warnings.warn(
            f"at precision {precision} the geometry is {length_km:.3f} km long, but the engine "
            f"printed {directions.printed_km:.3f} km",
            SuspectInput,
            stacklevel=4,
        )
    return lonlat


def _agrees(length_km: float, directions: Directions) -> bool:
    tolerance = max(_AGREES * directions.printed_km, _ROUNDING_KM)
    return abs(length_km - directions.printed_km) <= tolerance


def _joined(directions: Directions, precision: int) -> NDArray[np.float64]:
    parts = [_piece(piece, precision) for piece in directions.pieces]
    lonlat = join(parts, max_join_km=_STEP_JOIN_KM)
    if out_of_range(lonlat) is not None:
        raise RouteError("a position is out of range")
    return lonlat


def _piece(piece: str | dict[str, Any], precision: int) -> NDArray[np.float64]:
    if isinstance(piece, str):
        return decode(piece, precision)
    try:
        return np.array(piece["coordinates"], dtype=float)[:, :2]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RouteError("a geometry of the directions is no line") from error


def _complaint(document: dict[str, Any]) -> str:
    said = [document.get(key) for key in ("code", "status", "message", "error", "error_message")]
    texts = [text for text in said if isinstance(text, str)]
    return f": the engine says {' / '.join(texts)}" if texts else ""


def _routes(route: dict[str, Any]) -> Directions:
    """Read a route of OSRM, Mapbox or Google."""
    legs = route.get("legs", [])
    steps = [_shape(step) for leg in legs for step in leg.get("steps", [])]
    of_legs = [_shape(leg) for leg in legs]
    detailed = next((told for told in (steps, of_legs) if told and all(told)), None)
    pieces = detailed or [_shape(route)]
    return Directions(tuple(_lines(pieces)), _printed_m(route, legs) / 1000, detailed is not None)


def _shape(part: dict[str, Any]) -> Any:  # noqa: ANN401 - text, GeoJSON, or nothing
    """Give the geometry of a step or route under the keys of each engine."""
    geometry = part.get("geometry") or part.get("polyline") or part.get("overview_polyline")
    if not isinstance(geometry, dict):
        return geometry
    keys = ("points", "encodedPolyline", "geoJsonLinestring")
    return next((geometry[key] for key in keys if key in geometry), geometry)


def _lines(pieces: list[Any]) -> Iterator[str | dict[str, Any]]:
    for piece in pieces:
        if not isinstance(piece, str | dict) or not piece:
            raise KeyError("geometry")
        yield piece


def _printed_m(route: dict[str, Any], legs: list[dict[str, Any]]) -> float:
    for key in ("distance", "distanceMeters"):
        if key in route:
            return float(route[key])
    return float(sum(leg.get("distanceMeters") or leg["distance"]["value"] for leg in legs))


def _valhalla_trips(document: dict[str, Any]) -> list[dict[str, Any]]:
    others = document.get("alternates") or []
    return [document["trip"], *(other["trip"] for other in others)]


def _valhalla(trip: dict[str, Any]) -> Directions:
    unit_km = _KM_PER_MILE if str(trip.get("units", "")).startswith("mi") else 1.0
    shapes = tuple(_lines([leg["shape"] for leg in trip["legs"]]))
    return Directions(shapes, float(trip["summary"]["length"]) * unit_km, detailed=True)
