"""Where points lie along a line: kilometre, distance and side, exact on the ellipsoid.

Three steps. Straight chords between earth-centred positions find, with a margin that covers
their error, the few parts of the line that can hold the nearest point. On each of these the foot
of the perpendicular is found on the geodesic itself, by Newton's method on the sphere that
touches there (it converges in two or three steps; a foot that is off by 1 m changes a distance of
1 km by 0.5 mm). The distance to that foot is the exact geodesic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from ocm_geo.errors import QueryError
from ocm_geo.geodesy.distance import GEOD, MEAN_RADIUS_KM, to_ecef_km

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ocm_geo.geodesy.lines import Line

__all__ = ["LineHits", "locate"]

ON_LINE_KM = 1e-6
"""Points closer than 1 mm are on the line."""

_CHORD_ERROR_KM = 0.004
"""A chord of 10 km lies at most 2 m below its arc, at either end of a comparison."""

_CHUNK = 16
_BLOCK = 4096
_MAX_STEPS = 12
_CONVERGED_KM = 1e-7


class LineHits(NamedTuple):
    """
    Where points lie along a line; one value a row.

    Parameters
    ----------
    position : numpy.ndarray of int
        Which point, ascending.
    along_km : numpy.ndarray of float
        Kilometres from the start of the line to the foot of the point.
    offset_km : numpy.ndarray of float
        Geodesic distance from the line.
    side : numpy.ndarray of str
        ``left`` or ``right`` in the direction of the line; ``on`` below 1 mm.
    """

    position: NDArray[np.intp]
    along_km: NDArray[np.float64]
    offset_km: NDArray[np.float64]
    side: NDArray[np.str_]


class _Pairs(NamedTuple):
    """Points and parts of the line that are compared."""

    point: NDArray[np.intp]
    part: NDArray[np.intp]
    chord_km: NDArray[np.float64]


def locate(
    line: Line,
    lon: ArrayLike,
    lat: ArrayLike,
    *,
    within_km: float | None = None,
    passages: str = "nearest",
) -> LineHits:
    """
    Find where points lie along a line.

    Parameters
    ----------
    line : Line
        The line.
    lon, lat : array_like
        Points, degrees.
    within_km : float, optional
        Leave out points farther away than this; inclusive.
    passages : {"nearest", "all"}
        ``nearest``: one row a point, at the nearest place (of equally near ones the first along
        the line). ``all``: one row for each passage, that is, each stretch of the line that
        stays within ``within_km`` of the point, at its nearest place.

    Returns
    -------
    LineHits
        By point, then by ``along_km``.

    Raises
    ------
    QueryError
        If ``passages`` is neither, or ``all`` without ``within_km``.
    """
    if passages not in {"nearest", "all"}:
        raise QueryError(f"passages must be 'nearest' or 'all', not {passages!r}")
    if passages == "all" and within_km is None:
        raise QueryError("passages='all' needs within_km: a passage is a stretch within it")
    x = np.atleast_1d(np.asarray(lon, float))
    y = np.atleast_1d(np.asarray(lat, float))
    places = to_ecef_km(x, y)
    limit = np.inf if within_km is None else float(within_km)
    blocks = []
    for start in range(0, len(x), _BLOCK):
        pairs = _candidates(line, places[start : start + _BLOCK], limit, every=passages == "all")
        pairs = pairs._replace(point=pairs.point + start)
        if passages == "nearest":
            blocks.append(_nearest(line, x, y, pairs))
        else:
            blocks.append(_passages(line, x, y, pairs, limit=limit))
    hits = _joined(blocks)
    inside = hits.offset_km <= limit
    return LineHits(
        hits.position[inside], hits.along_km[inside], hits.offset_km[inside], hits.side[inside]
    )


def _candidates(line: Line, places: NDArray[np.float64], limit: float, *, every: bool) -> _Pairs:
    """Pair points with the parts that may be nearest (or, if ``every``, within the limit)."""
    parts = line.parts
    starts, ends = parts.knots_km[:-1], parts.knots_km[1:]
    first = np.arange(0, len(starts), _CHUNK)
    centre, radius = _spheres(parts.knots_km, first, len(starts))
    # No point is farther from the line than from its nearest knot.
    knot_km = np.full(len(places), np.inf) if every else parts.tree.query(places)[0]
    high = np.minimum(knot_km, limit)
    reach = (high + _slack(high))[:, None]
    point, chunk = np.nonzero(cdist(places, centre) - radius <= reach)
    size = np.minimum(_CHUNK, len(starts) - first)[chunk]
    part = np.repeat(first[chunk], size) + _ranks(size)
    point = np.repeat(point, size)
    chord = _chord_to_part(places[point], starts[part], ends[part])
    if not every:
        best = np.full(len(places), np.inf)
        np.minimum.at(best, point, chord)
        high = np.minimum(best, limit)
    near = chord <= (high + _slack(high))[point]
    return _Pairs(point[near], part[near], chord[near])


def _slack(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Bound by how much chords may mislead at a distance.

    Near a line it is the sag of the parts and of the chord itself; far away the flattening of
    the ellipsoid bends geodesics against chords by up to 0.4 %, taken here as 1 %.
    """
    finite = np.where(np.isfinite(distance), distance, 0.0)
    sag = finite**3 / (24 * MEAN_RADIUS_KM**2)
    return _CHORD_ERROR_KM + np.where(finite < 200, 2 * sag, 0.01 * finite)  # noqa: PLR2004


def _spheres(
    knots: NDArray[np.float64], first: NDArray[np.intp], n_parts: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wrap each run of parts in a sphere."""
    last = np.minimum(first + _CHUNK, n_parts)
    centre = (knots[first] + knots[last]) / 2
    run = np.minimum(np.arange(len(knots)) // _CHUNK, len(first) - 1)
    away = np.linalg.norm(knots - centre[run], axis=1)
    radius = np.maximum.reduceat(away, first)
    # The last knot of a run is the first of the next one.
    radius = np.maximum(radius, np.linalg.norm(knots[last] - centre, axis=1))
    return centre, radius


def _ranks(size: NDArray[np.intp]) -> NDArray[np.intp]:
    """Count 0, 1, 2, … within each run."""
    if not size.size:
        return np.empty(0, dtype=np.intp)
    ends = np.cumsum(size)
    return np.arange(ends[-1]) - np.repeat(ends - size, size)


def _chord_to_part(
    place: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    along = end - start
    from_start = place - start
    share = np.einsum("ij,ij->i", from_start, along) / np.einsum("ij,ij->i", along, along)
    foot = from_start - np.clip(share, 0.0, 1.0)[:, None] * along
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", foot, foot)))


class _Feet(NamedTuple):
    """The nearest place of a part for each pair."""

    along_km: NDArray[np.float64]
    offset_km: NDArray[np.float64]
    turn: NDArray[np.float64]


def _feet(line: Line, lon: NDArray[np.float64], lat: NDArray[np.float64], pairs: _Pairs) -> _Feet:
    """Find the exact nearest place on each part, from its start by Newton's method."""
    parts = line.parts
    edge = parts.edge[pairs.part]
    origin = line.coords[edge]
    low = parts.start_km[pairs.part] - line.cumulative_km[edge]
    high = np.minimum(low + parts.length_km[pairs.part], line.edge_km[edge])
    x, y = lon[pairs.point], lat[pairs.point]
    rest = _first_guess(line, x, y, pairs, low=low)
    offset, turn = np.zeros(len(rest)), np.zeros(len(rest))
    active = np.arange(len(rest))
    for _ in range(_MAX_STEPS):
        at = np.clip(rest[active], low[active], high[active])
        foot_x, foot_y, back = GEOD.fwd(
            origin[active, 0], origin[active, 1], line.azimuth[edge[active]], at * 1000.0
        )
        to_point, _, metres = GEOD.inv(foot_x, foot_y, x[active], y[active])
        km = np.asarray(metres) / 1000.0
        angle = np.radians(np.asarray(to_point) - np.asarray(back) - 180.0)
        offset[active], turn[active] = km, np.sin(angle)
        step = _along_step(km, angle)
        moved = np.clip(at + step, low[active], high[active])
        rest[active] = moved
        active = active[np.abs(moved - at) > _CONVERGED_KM]
        if not active.size:
            break
    return _Feet(line.cumulative_km[edge] + rest, offset, turn)


def _first_guess(
    line: Line,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    pairs: _Pairs,
    *,
    low: NDArray[np.float64],
) -> NDArray[np.float64]:
    parts = line.parts
    start, end = parts.knots_km[pairs.part], parts.knots_km[pairs.part + 1]
    along = end - start
    reach = np.einsum("ij,ij->i", to_ecef_km(lon, lat) - start, along)
    share = np.clip(reach / np.einsum("ij,ij->i", along, along), 0.0, 1.0)
    return np.asarray(low + share * parts.length_km[pairs.part])


def _along_step(km: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve the right-angled spherical triangle: tan(step / R) = tan(km / R) cos(angle)."""
    arc = np.minimum(km / MEAN_RADIUS_KM, np.pi / 2 - 1e-9)
    return MEAN_RADIUS_KM * np.arctan(np.tan(arc) * np.cos(angle))


def _nearest(
    line: Line, lon: NDArray[np.float64], lat: NDArray[np.float64], pairs: _Pairs
) -> LineHits:
    feet = _feet(line, lon, lat, pairs)
    # Ties to a tenth of a millimetre are one distance: a vertex belongs to two parts.
    order = np.lexsort((feet.along_km, np.round(feet.offset_km, 7), pairs.point))
    first = order[np.append(True, np.diff(pairs.point[order]) != 0)] if order.size else order
    return _hits(line, lon, lat, _taken(pairs, feet, first))


class _Found(NamedTuple):
    point: NDArray[np.intp]
    part: NDArray[np.intp]
    along_km: NDArray[np.float64]
    offset_km: NDArray[np.float64]
    turn: NDArray[np.float64]


def _taken(pairs: _Pairs, feet: _Feet, rows: NDArray[np.intp]) -> _Found:
    return _Found(
        pairs.point[rows],
        pairs.part[rows],
        feet.along_km[rows],
        feet.offset_km[rows],
        feet.turn[rows],
    )


def _passages(
    line: Line, lon: NDArray[np.float64], lat: NDArray[np.float64], pairs: _Pairs, *, limit: float
) -> LineHits:
    """Join neighbouring parts whose common knot is within the limit too; keep each run's best."""
    feet = _feet(line, lon, lat, pairs)
    inside = np.flatnonzero(feet.offset_km <= limit)
    order = inside[np.lexsort((pairs.part[inside], pairs.point[inside]))]
    found = _taken(pairs, feet, order)
    if not order.size:
        return _hits(line, lon, lat, found)
    follows = (np.diff(found.point) == 0) & (np.diff(found.part) == 1)
    knot = line.parts.knots[found.part[1:]]
    metres = GEOD.inv(knot[:, 0], knot[:, 1], lon[found.point[1:]], lat[found.point[1:]])[2]
    joined = follows & (np.asarray(metres) / 1000.0 <= limit)
    run = np.concatenate([[0], np.cumsum(~joined)])
    best = np.lexsort((found.along_km, np.round(found.offset_km, 7), run))
    best = best[np.append(True, np.diff(run[best]) != 0)]
    return _hits(line, lon, lat, _Found(*(column[best] for column in found)))


def _hits(
    line: Line, lon: NDArray[np.float64], lat: NDArray[np.float64], found: _Found
) -> LineHits:
    turn = _turn_at_corner(line, lon, lat, found)
    side = np.where(turn > 0, "right", "left")
    side = np.where(found.offset_km < ON_LINE_KM, "on", side)
    return LineHits(found.point, found.along_km, found.offset_km, side)


def _turn_at_corner(
    line: Line, lon: NDArray[np.float64], lat: NDArray[np.float64], found: _Found
) -> NDArray[np.float64]:
    """
    Decide the side where the nearest place is a vertex: a point off a corner lies outside it.

    The directions before and after the vertex can disagree there; the turn of the line cannot.
    """
    turn = found.turn.copy()
    vertex = np.searchsorted(line.cumulative_km, found.along_km - _CONVERGED_KM)
    vertex = np.clip(vertex, 0, len(line.cumulative_km) - 1)
    at_vertex = np.abs(line.cumulative_km[vertex] - found.along_km) <= 2 * _CONVERGED_KM
    inner = (vertex > 0) & (vertex < len(line.cumulative_km) - 1)
    rows = np.flatnonzero(at_vertex & inner)
    if not rows.size:
        return turn
    corner = vertex[rows]
    bend = np.sin(np.radians(line.azimuth[corner] - line.end_azimuth[corner - 1]))
    x, y = line.coords[corner].T
    to_point = GEOD.inv(x, y, lon[found.point[rows]], lat[found.point[rows]])[0]
    before = np.sin(np.radians(np.asarray(to_point) - line.end_azimuth[corner - 1]))
    after = np.sin(np.radians(np.asarray(to_point) - line.azimuth[corner]))
    agree = np.sign(before) == np.sign(after)
    # A bend to the left leaves its outside on the right.
    turn[rows] = np.where(agree, before, -bend)
    return turn


def _joined(blocks: list[LineHits]) -> LineHits:
    if not blocks:
        none = np.empty(0)
        return LineHits(np.empty(0, np.intp), none, none, np.empty(0, dtype="<U5"))
    return LineHits(*(np.concatenate(columns) for columns in zip(*blocks, strict=True)))
