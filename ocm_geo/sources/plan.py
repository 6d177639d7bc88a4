"""From a question to requests that lose nothing to the server's inexact answers.

The server takes box edges for great circles, polygons for their convex hull and half the distance
of a corridor in degrees; circles ignore the sort order that paging needs. So more is asked for
than is wanted, and the question's own mask decides. Filters are sent only where the server can
lose nothing by them: powers, levels and the licence flag are not, since its fallback database
tests raw values, and flags change.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polyline
import shapely

from ocm_geo.query import FILTERS, Area, Box, Circle, Corridor, Ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from ocm_geo.geodesy import Line
    from ocm_geo.query import StationQuery, Where

__all__ = ["MAX_URL_TEXT", "plan_requests"]

Bounds = tuple[float, float, float, float]

MAX_URL_TEXT = 1500
MAX_IDS = 100
MAX_BOXES = 6
_MAX_BOX_DEG = 60.0
_PAD_DEG = 1e-4
_KM_PER_DEG = 110.57
"""A degree of latitude is nowhere shorter."""
_MIN_RADIUS_KM = 6335.4
_POLE = 89.9999

_MAX_CORRIDOR_LAT = 78.0
_MAX_CORRIDOR_KM = 60.0
_MAX_PIECE_DEG = 3.0
_STEP_KM = 30.0


def plan_requests(query: StationQuery) -> list[dict[str, str]]:
    """
    Plan the requests whose answers together hold every station of an answer.

    Parameters
    ----------
    query : StationQuery
        The question.

    Returns
    -------
    list of dict
        Parameters of each request, without those of paging.
    """
    common = {"output": "json", "compact": "true", "verbose": "false", **_plan_filters(query)}
    if query.include_comments:
        common["includecomments"] = "true"
    return [common | place for place in _plan_places(query.where)]


def _plan_filters(query: StationQuery) -> dict[str, str]:
    """Return the parameters of the filters by which the server can lose nothing."""
    params = {}
    for name, value in query.given.items():
        if parameter := FILTERS[name].api:
            is_date = FILTERS[name].kind == "date"
            params[parameter] = (
                _format_minute_before(value) if is_date else ",".join(map(str, value))
            )
    return params


def _format_minute_before(instant: pd.Timestamp) -> str:
    """Ask from the minute before: the server rounds to minutes."""
    import pandas as pd  # noqa: PLC0415 - used here alone

    return (instant.floor("min") - pd.Timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plan_places(where: Where) -> Iterator[dict[str, str]]:
    """Yield the parameters of the requests that a place needs."""
    match where:
        case Box():
            yield from _plan_boxes([where.as_tuple()])
        case Circle():
            yield from _plan_boxes([_widen_box((where.lon, where.lat) * 2, where.radius_km)])
        case Area():
            yield from _plan_boxes(
                _join_nearest_boxes(shapely.bounds(shapely.get_parts(where.geometry)))
            )
        case Corridor():
            yield from _plan_corridor(where.line, where.within_km)
        case Ids():
            for start in range(0, len(where.ids), MAX_IDS):
                ids = where.ids[start : start + MAX_IDS]
                yield {"chargepointid": ",".join(map(str, ids))}
        case _:
            yield {}


def _plan_boxes(boxes: Iterable[Bounds]) -> Iterator[dict[str, str]]:
    """Yield a request for each piece of each box."""
    for box in boxes:
        for west, south, east, north in _cut_box(*box):
            yield {"boundingbox": f"({north:.6f},{west:.6f}),({south:.6f},{east:.6f})"}


def _cut_box(west: float, south: float, east: float, north: float) -> Iterator[Bounds]:
    """Cut a box at the antimeridian and into pieces whose edges the server cannot take wrongly."""
    if west > east:
        yield from _cut_box(west, south, 180.0, north)
        yield from _cut_box(-180.0, south, east, north)
        return
    edges = np.linspace(west, east, max(1, math.ceil((east - west) / _MAX_BOX_DEG)) + 1)
    for start, end in pairwise(edges):
        yield _widen_for_bulge(float(start), south, float(end), north)
    # 180 and -180 are one meridian: stations may stand under either name.
    if east >= 180 and west > -180:  # noqa: PLR2004
        yield _widen_for_bulge(-180.0, south, -180.0 + _PAD_DEG, north)
    if west <= -180 and east < 180:  # noqa: PLR2004
        yield _widen_for_bulge(180.0 - _PAD_DEG, south, 180.0, north)


def _widen_for_bulge(west: float, south: float, east: float, north: float) -> Bounds:
    """
    Move edges so that the great circles between the corners leave the whole box inside.

    An edge at latitude φ and half width h reaches atan(tan φ / cos h) in its middle, towards the
    pole. The edge on the side of the equator loses by that, and is moved to atan(tan φ cos h).
    """
    west, east = max(west - _PAD_DEG, -180.0), min(east + _PAD_DEG, 180.0)
    shrink = math.cos(math.radians((east - west) / 2))
    south, north = max(south - _PAD_DEG, -_POLE), min(north + _PAD_DEG, _POLE)
    if south > 0:
        south = math.degrees(math.atan(math.tan(math.radians(south)) * shrink)) - _PAD_DEG
    if north < 0:
        north = math.degrees(math.atan(math.tan(math.radians(north)) * shrink)) + _PAD_DEG
    return west, south, east, north


def _widen_box(bounds: Bounds, km: float) -> Bounds:
    """Widen a box by a distance on all sides; it may go over the antimeridian or a pole."""
    west, south, east, north = bounds
    d_lat = km / _KM_PER_DEG
    low, high = max(south - d_lat, -90.0), min(north + d_lat, 90.0)
    reach = math.sin(min(km / _MIN_RADIUS_KM, math.pi / 2))
    flat = math.cos(math.radians(max(abs(south), abs(north))))
    if reach >= flat:
        return -180.0, low, 180.0, high
    d_lon = math.degrees(math.asin(reach / flat)) * 1.01
    if east - west + 2 * d_lon >= 360:  # noqa: PLR2004 - a full turn
        return -180.0, low, 180.0, high
    return _wrap_longitude(west - d_lon), low, _wrap_longitude(east + d_lon), high


def _wrap_longitude(lon: float) -> float:
    return lon if -180 <= lon <= 180 else (lon + 180) % 360 - 180  # noqa: PLR2004


def _join_nearest_boxes(boxes: NDArray[np.float64]) -> list[Bounds]:
    """Join the boxes of parts, those first that add the least, until few requests are left."""
    kept = [tuple(map(float, box)) for box in boxes]
    if len(kept) > 8 * MAX_BOXES:
        west = [b for b in kept if b[0] < 0]
        east = [b for b in kept if b[0] >= 0]
        kept = [_join_boxes(side) for side in (west, east) if side]
    while len(kept) > 1:
        pairs = [(i, j) for i in range(len(kept)) for j in range(i + 1, len(kept))]
        i, j = min(pairs, key=lambda pair: _measure_added_area(kept[pair[0]], kept[pair[1]]))
        if len(kept) <= MAX_BOXES and _measure_added_area(kept[i], kept[j]) > 0:
            break
        joined = _join_boxes([kept[i], kept[j]])
        kept = [box for rank, box in enumerate(kept) if rank not in (i, j)] + [joined]
    return kept  # type: ignore[return-value] # four numbers each


def _join_boxes(boxes: Iterable[tuple[float, ...]]) -> Bounds:
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _measure_added_area(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Return how much area joining two boxes adds, in square degrees."""
    return _measure_box(_join_boxes([a, b])) - _measure_box(a) - _measure_box(b)


def _measure_box(box: tuple[float, ...]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _plan_corridor(line: Line, within_km: float) -> Iterator[dict[str, str]]:
    """Yield a request for each stretch of a route."""
    for lonlat in _open_closed_lines(_cut_route(line, within_km)):
        shape = shapely.LineString(lonlat)
        reach = within_km + _bound_slack_km(shape)
        lat = np.abs(lonlat[:, 1]).max() + reach / _KM_PER_DEG
        far = np.abs(lonlat[:, 0]).max() + reach / _KM_PER_DEG / math.cos(
            math.radians(min(lat, 89))
        )
        text = polyline.encode([(y, x) for x, y in lonlat])
        if lat > _MAX_CORRIDOR_LAT or far > 179 or within_km > _MAX_CORRIDOR_KM:  # noqa: PLR2004
            yield from _plan_boxes([_widen_box(shape.bounds, reach)])
        else:
            yield {
                "polyline": text,
                "distance": f"{_choose_asked_km(reach, lat):.3f}",
                "distanceunit": "KM",
            }


def _open_closed_lines(stretches: Iterable[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
    """Cut closed stretches in two: buffers of closed lines that cross themselves lose ground."""
    for lonlat in stretches:
        if len(lonlat) > 3 and np.allclose(lonlat[0], lonlat[-1], atol=1e-5):  # noqa: PLR2004
            middle = len(lonlat) // 2
            yield lonlat[: middle + 1]
            yield lonlat[middle:]
        else:
            yield lonlat


def _cut_route(line: Line, within_km: float) -> Iterator[NDArray[np.float64]]:
    """Cut a route into stretches that fit an address, on one side of the antimeridian each."""
    path = _thin_route(line, within_km)
    start = 0
    for end in range(1, len(path)):
        stretch = path[start : end + 1]
        jumps = abs(path[end, 0] - path[end - 1, 0]) > 180  # noqa: PLR2004 - over the antimeridian
        wide = np.ptp(stretch[:, 0]) > _MAX_PIECE_DEG
        long = 12 * len(stretch) > MAX_URL_TEXT
        if jumps:
            yield from _double_single_point(path[start:end])
            yield from _split_step_at_antimeridian(path[end - 1], path[end])
            start = end
        elif (wide or long) and end - start > 1:
            yield path[start:end]
            start = end - 1
    yield from _double_single_point(path[start:])


def _double_single_point(path: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Make two positions of one: the server needs a line."""
    if len(path) == 1:
        path = np.vstack([path, path + np.array([0.0, 1e-4])])
    yield path


def _split_step_at_antimeridian(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> Iterator[NDArray[np.float64]]:
    """Bring both ends of a step over the antimeridian up to it, each on its own side."""
    for near, far in ((a, b), (b, a)):
        side = math.copysign(180.0, near[0])
        yield np.array([near, [side, near[1]], [side, far[1]]])


def _thin_route(line: Line, within_km: float) -> NDArray[np.float64]:
    """Return the route with no step over 30 km, and no vertex that matters less than a tenth."""
    n = int(line.length_km / _STEP_KM) + 2
    along = np.union1d(np.linspace(0, line.length_km, n), line.cumulative_km)
    path = line.point_at(along)
    unrolled = np.column_stack([np.unwrap(path[:, 0], period=360.0), path[:, 1]])
    thin = shapely.simplify(shapely.LineString(unrolled), _choose_tolerance_km(within_km) / 111.32)
    coords = shapely.get_coordinates(shapely.segmentize(thin, 0.5))
    return np.column_stack([(coords[:, 0] + 180) % 360 - 180, coords[:, 1]])


def _choose_tolerance_km(within_km: float) -> float:
    return min(0.1 * within_km, 0.5)


def _bound_slack_km(stretch: shapely.LineString) -> float:
    """
    Bound how far the server's ring may be off, in km.

    Thinning; edges of the ring as great circles over the width w of a stretch, which bulge by
    (w² / 8) sin φ cos φ R, at most w² R / 16; and 0.001° of the server's own simplification.
    """
    width = math.radians(stretch.bounds[2] - stretch.bounds[0])
    return 0.5 + 0.25 + width**2 * 6378.0 / 16


def _choose_asked_km(reach_km: float, lat: float) -> float:
    """
    Return the distance to ask for.

    The server buffers by distance / 200 degrees, which east-west is worth 111.32 cos φ km each;
    2-point lines get octagonal ends, up to 7.6 % short.
    """
    return 1.083 * 200 * reach_km / (111.32 * math.cos(math.radians(lat + 0.1))) + 0.25
