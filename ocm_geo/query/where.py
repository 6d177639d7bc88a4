"""Define the shapes of questions, with their checks and exact membership."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from ocm_geo import geodesy
from ocm_geo.checks import check_km, check_number, check_ocm_id, is_missing, short_form
from ocm_geo.errors import QueryError
from ocm_geo.provenance import geometry_summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    import shapely
    from numpy.typing import NDArray

__all__ = [
    "Area",
    "Box",
    "Circle",
    "Corridor",
    "Everywhere",
    "Ids",
    "Selection",
    "Where",
]

_MAX_LON = 540.0


@dataclass(frozen=True)
class Selection:
    """
    The members of a shape among some points.

    Parameters
    ----------
    positions : numpy.ndarray of int
        Positions of the members, each at most once.
    measures : mapping of str to numpy.ndarray
        Columns measured by the shape (``distance_km``; ``along_km``, ``offset_km``, ``side``),
        one value for each member.
    """

    positions: NDArray[np.intp]
    measures: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Everywhere:
    """The whole world."""

    order_by = None

    def select(
        self, ids: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> Selection:
        """Return all points."""
        del lon, lat
        return Selection(np.arange(len(ids)))

    def describe(self) -> dict[str, Any]:
        """Return the shape as plain JSON."""
        return {}


@dataclass(frozen=True)
class Box:
    """
    A box of longitudes and latitudes, borders included.

    Parameters
    ----------
    west, south, east, north : float
        Degrees. Longitudes beyond ±180 are wrapped; ``west > east`` crosses the antimeridian;
        360° or more is every longitude.

    Raises
    ------
    QueryError
        If a number is not finite or out of range, or south is greater than north.
    """

    west: float
    south: float
    east: float
    north: float

    order_by = None

    def __post_init__(self) -> None:
        west, south, east, north = (
            check_number(getattr(self, name), f"bbox: {name}", unit="degrees")
            for name in ("west", "south", "east", "north")
        )
        for name, lat in (("south", south), ("north", north)):
            if not -90 <= lat <= 90:  # noqa: PLR2004 - the poles
                raise QueryError(
                    f"bbox: {name}={lat:g} is not a latitude (-90 to 90); the order is "
                    "(west, south, east, north)"
                )
        for name, lon in (("west", west), ("east", east)):
            if abs(lon) > _MAX_LON:
                raise QueryError(f"bbox: {name}={lon:g} is not a longitude (-180 to 180)")
        if south > north:
            raise QueryError(
                f"bbox: south={south:g} is greater than north={north:g}; the order is "
                "(west, south, east, north)"
            )
        width = east - west if east >= west else (east - west) % 360
        start = -180.0 if width >= 360 else _wrap_west(west)  # noqa: PLR2004 - a full turn
        end = 180.0 if width >= 360 else _wrap_east(start + width)  # noqa: PLR2004
        for name, value in zip(
            ("west", "south", "east", "north"), (start, south, end, north), strict=True
        ):
            object.__setattr__(self, name, value)

    def as_tuple(self) -> tuple[float, float, float, float]:
        """Return (west, south, east, north)."""
        return self.west, self.south, self.east, self.north

    def select(
        self, ids: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> Selection:
        """Return the points with ``west <= lon <= east`` and ``south <= lat <= north``."""
        del ids
        inside = (lat >= self.south) & (lat <= self.north)
        if self.west <= self.east:
            columns = (lon >= self.west) & (lon <= self.east)
        else:
            columns = (lon >= self.west) | (lon <= self.east)
        # 180 and -180 are one meridian.
        if self.east == 180:  # noqa: PLR2004
            columns |= lon == -180  # noqa: PLR2004
        if self.west == -180:  # noqa: PLR2004
            columns |= lon == 180  # noqa: PLR2004
        return Selection(np.flatnonzero(inside & columns))

    def describe(self) -> dict[str, Any]:
        """Return the shape as plain JSON."""
        return {"bbox": list(self.as_tuple())}


@dataclass(frozen=True)
class Circle:
    """
    All points within a geodesic distance of a point.

    Parameters
    ----------
    lon, lat : float
        Centre, degrees.
    radius_km : float
        Distance on the WGS84 ellipsoid, inclusive.

    Raises
    ------
    QueryError
        If the centre is out of range, or the radius is not a positive number of kilometres.
    """

    lon: float
    lat: float
    radius_km: float

    order_by = "distance_km"

    def __post_init__(self) -> None:
        lon, lat = geodesy.check_lonlat(self.lon, self.lat)
        object.__setattr__(self, "lon", lon)
        object.__setattr__(self, "lat", lat)
        object.__setattr__(self, "radius_km", check_km(self.radius_km, "radius_km"))

    def select(
        self, ids: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> Selection:
        """Return the points within the radius, with ``distance_km``."""
        del ids
        chord = np.linalg.norm(
            geodesy.to_ecef_km(lon, lat) - geodesy.to_ecef_km(self.lon, self.lat), axis=-1
        )
        # A chord is never longer than the geodesic; the margin is for rounding.
        near = np.flatnonzero(chord <= self.radius_km + 1e-6)
        distance = geodesy.distance_km(self.lon, self.lat, lon[near], lat[near])
        inside = distance <= self.radius_km
        return Selection(near[inside], {"distance_km": distance[inside]})

    def describe(self) -> dict[str, Any]:
        """Return the shape as plain JSON."""
        return {"point": [self.lon, self.lat], "radius_km": self.radius_km}


@dataclass(frozen=True)
class Area:
    """
    A polygon whose edges are straight in longitude and latitude (RFC 7946), borders included.

    Parameters
    ----------
    geometry : shapely.Polygon or shapely.MultiPolygon or geopandas.GeoDataFrame
        Holes are respected; the rows of a frame are merged.

    Raises
    ------
    QueryError
        If it is empty or invalid, or has no coordinate reference system.
    """

    geometry: shapely.Geometry

    order_by = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "geometry", geodesy.as_polygons(self.geometry))

    def select(
        self, ids: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> Selection:
        """Return the points inside or on the border."""
        del ids
        return Selection(np.flatnonzero(geodesy.contains_lonlat(self.geometry, lon, lat)))

    def describe(self) -> dict[str, Any]:
        """Return the shape as plain JSON."""
        return {"polygon": geometry_summary(self.geometry)}


@dataclass(frozen=True)
class Corridor:
    """
    All points within a geodesic distance of a route whose edges are geodesics.

    Parameters
    ----------
    route : shapely.LineString or geopandas.GeoDataFrame or ocm_geo.geodesy.Line
        The route; a frame or series has one row.
    within_km : float
        Distance on the WGS84 ellipsoid, inclusive.

    Raises
    ------
    QueryError
        If the distance is not a positive number of kilometres.
    RouteError
        If the geometry is not a route.
    """

    route: Any
    within_km: float
    line: geodesy.Line = field(init=False, repr=False, compare=False)

    order_by = "along_km"

    def __post_init__(self) -> None:
        is_line = isinstance(self.route, geodesy.Line)
        line = self.route if is_line else geodesy.Line(geodesy.as_line(self.route))
        object.__setattr__(self, "line", line)
        object.__setattr__(self, "route", geodesy.as_line(line.coords) if is_line else self.route)
        object.__setattr__(self, "within_km", check_km(self.within_km, "within_km"))

    def select(
        self, ids: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> Selection:
        """Return the points within the distance, with ``along_km``, ``offset_km``, ``side``."""
        del ids
        hits = self.line.locate(lon, lat, within_km=self.within_km)
        measures = {"along_km": hits.along_km, "offset_km": hits.offset_km, "side": hits.side}
        return Selection(hits.position, measures)

    def describe(self) -> dict[str, Any]:
        """Return the shape as plain JSON."""
        return {
            "route": geometry_summary(geodesy.as_line(self.line.coords)),
            "length_km": round(float(self.line.length_km), 3),
            "within_km": self.within_km,
        }


@dataclass(frozen=True)
class Ids:
    """
    Stations by the ids of Open Charge Map.

    Parameters
    ----------
    ids : iterable of int
        Positive whole numbers; repeated ids are dropped.
    are_texts : bool
        Whether they are ids of a register instead, whose ids are texts.

    Raises
    ------
    QueryError
        If there is none, or one is not a positive whole number (for example, a UUID).
    """

    ids: tuple[Any, ...]
    are_texts: bool = False

    order_by = None

    def __post_init__(self) -> None:
        check = _check_text_ids if self.are_texts else _check_ocm_ids
        object.__setattr__(self, "ids", check(self.ids))

    def select(
        self, ids: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> Selection:
        """Return the points with these numbers."""
        del lon, lat
        return Selection(np.flatnonzero(pd.Index(ids).isin(self.ids)))

    def describe(self) -> dict[str, Any]:
        """Return the shape as plain JSON."""
        shown = 20
        rest = {"n_ids": len(self.ids)} if len(self.ids) > shown else {}
        return {"ids": list(self.ids[:shown]), **rest}


Where: TypeAlias = Everywhere | Box | Circle | Area | Corridor | Ids


def _wrap_west(lon: float) -> float:
    return float(geodesy.wrap_lon(lon))


def _wrap_east(lon: float) -> float:
    """Wrap an eastern border; one at the antimeridian is 180, not -180."""
    wrapped = _wrap_west(lon)
    return 180.0 if wrapped == -180 else wrapped  # noqa: PLR2004


def _check_text_ids(ids: Any) -> tuple[str, ...]:  # noqa: ANN401 - one or several
    """Check ids of a register whose ids are texts."""
    values = [ids] if isinstance(ids, str) or not isinstance(ids, Iterable) else list(ids)
    wrong = [value for value in values if not isinstance(value, str)]
    if wrong or not values:
        raise QueryError(
            f"ids of this register are texts, such as '02001', not {short_form(wrong[0])}"
            if wrong else "no ids were given: pass at least one"
        )  # fmt: skip
    return tuple(sorted(set(values)))


def _check_ocm_ids(ids: Any) -> tuple[int, ...]:  # noqa: ANN401 - one or several
    """Check OCM ids; a missing value or an empty list is an error."""
    if isinstance(ids, pd.DataFrame):
        raise QueryError(f"ids must be OCM ids, not {short_form(ids)}: pass its index")
    one = is_missing(ids) or isinstance(ids, int | float | np.number | str)
    values = [ids] if one else list(ids)
    if not values or is_missing(ids):
        raise QueryError("no ids were given: pass at least one OCM id")
    return tuple(sorted({check_ocm_id(value, "ids") for value in values}))
