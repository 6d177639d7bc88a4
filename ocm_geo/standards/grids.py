"""Square grids over an area, in every place and direction that a rule leaves open.

A rule that asks for a station in each cell seldom says where the grid lies. So it is laid in
`N_ORIGINS` x `N_ORIGINS` places and `len(ANGLES)` directions, evenly spread over all there are: a
square grid repeats itself after one cell and after a quarter turn. All of them together are one
finer lattice for each direction, which is tested once.

The plane is Lambert's azimuthal equal-area projection about the middle of the area: cells have
equal areas on the ellipsoid, and their sides are right at the middle, `side_error` off at the rim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from shapely.affinity import rotate

from ocm_geo.errors import QueryError
from ocm_geo.geodesy.antimeridian import continuous, polygon_of_ring
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["ANGLES", "N_ORIGINS", "GridPlace", "Plane", "draw_cells", "lay_grids"]

N_ORIGINS = 5
ANGLES = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0)
_MAX_CELLS = 100_000
_EARTH_M = 6_371_000.0
_HALF_TURN = 180.0
_WIDE = 2**31


class Plane(NamedTuple):
    """
    An area in a plane of equal areas.

    Parameters
    ----------
    crs : str
        The projection, metres.
    shape : shapely.Geometry
        The area in it.
    """

    crs: str
    shape: shapely.Geometry

    @classmethod
    def of(cls, shapes: NDArray[np.object_]) -> Plane:
        """Project polygons in lon/lat, united; over the antimeridian they come together."""
        parts = gpd.GeoSeries(shapely.get_parts(shapes), crs=CRS)
        inside = parts.representative_point()
        lon = continuous(np.column_stack([inside.x, np.zeros(len(parts))]))[:, 0]
        turn = lon - inside.x.to_numpy()
        west = parts.bounds["minx"].to_numpy() + turn
        east = parts.bounds["maxx"].to_numpy() + turn
        lon0 = float(np.min(west) + np.max(east)) / 2.0
        lat0 = float(parts.bounds["miny"].min() + parts.bounds["maxy"].max()) / 2.0
        crs = f"+proj=laea +lon_0={lon0} +lat_0={lat0} +ellps=WGS84 +units=m"
        return cls(crs, parts.segmentize(0.1).to_crs(crs).make_valid().union_all())

    def project(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project positions."""
        points = gpd.GeoSeries(gpd.points_from_xy(*lonlat.T), crs=CRS).to_crs(self.crs)
        return np.column_stack([points.x, points.y]).reshape(-1, 2)

    @property
    def side_error(self) -> float:
        """The greatest relative error of the side of a cell, at the rim of the area."""
        corners = shapely.get_coordinates(shapely.envelope(self.shape))
        angle = 2.0 * np.arcsin(np.hypot(*corners.T).max() / (2.0 * _EARTH_M))
        return float(1.0 / np.cos(angle / 2.0) - 1.0)


class GridPlace(NamedTuple):
    """
    A grid in one of its places.

    Parameters
    ----------
    angle : float
        How far it is turned against the plane, degrees.
    origin_m : tuple of float
        The centre of the cell (0, 0) in the turned plane, metres.
    side_m : float
        The side of a cell, metres.
    cells : numpy.ndarray of int, shape (n,)
        The cells that count: those whose centre lies in the area, as `keys` numbers them.
    """

    angle: float
    origin_m: tuple[float, float]
    side_m: float
    cells: NDArray[np.int64]

    def keys(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the numbers of the cells that hold positions of the plane."""
        # Cells are half open: a position on the line between two belongs to one of them.
        turned = _rotate_positions(xy, -self.angle)
        column, row = np.floor((turned - self.origin_m) / self.side_m + 0.5).astype(np.int64).T
        return np.asarray(column * _WIDE + row)


def lay_grids(plane: Plane, side_km: float) -> Iterator[GridPlace]:
    """
    Lay a grid over an area in all its places.

    Parameters
    ----------
    plane : Plane
        The area.
    side_km : float
        The side of a cell, km.

    Yields
    ------
    GridPlace
        Each with the cells whose centre lies in the area; where none does, with the cell that
        holds a point inside it.

    Raises
    ------
    QueryError
        If there would be more than 100,000 cells.
    """
    side = 1000.0 * side_km
    count = plane.shape.area / side**2
    if count > _MAX_CELLS:
        raise QueryError(
            f"the area has {count:,.0f} cells of {side_km:g} km, more than {_MAX_CELLS:,}: such a "
            "rule is about cities; assess them one by one"
        )
    step = side / N_ORIGINS
    for angle in ANGLES:
        fine = _list_lattice_points(rotate(plane.shape, -angle, origin=(0, 0)), step)
        inner = _rotate_positions(
            shapely.get_coordinates(plane.shape.representative_point()), -angle
        )[0]
        for origin in np.ndindex(N_ORIGINS, N_ORIGINS):
            # Every fifth point of the fine lattice is the centre of a cell of this grid.
            here = fine[(fine % N_ORIGINS == origin).all(axis=1)] // N_ORIGINS
            shift = (origin[0] * step, origin[1] * step)
            if not len(here):
                here = np.floor((inner - shift) / side + 0.5).astype(np.int64)[None]
            yield GridPlace(angle, shift, side, here[:, 0] * _WIDE + here[:, 1])


def _list_lattice_points(shape: shapely.Geometry, step: float) -> NDArray[np.int64]:
    """List the points of a lattice that lie in a shape: column and row."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for part in shapely.get_parts(shape):
        west, south, east, north = np.array(part.bounds) / step
        columns = np.arange(np.ceil(west), np.floor(east) + 1, dtype=np.int64)
        rows = np.arange(np.ceil(south), np.floor(north) + 1, dtype=np.int64)
        # Parts are tested one by one: the box of all may be much larger than theirs together.
        shapely.prepare(part)
        column, row = (side.ravel() for side in np.meshgrid(columns, rows))
        inside = shapely.intersects_xy(part, column * step, row * step)
        found.append(np.column_stack([column[inside], row[inside]]))
    return np.unique(np.concatenate(found), axis=0)


def _rotate_positions(xy: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Turn positions about the origin, anticlockwise."""
    angle = np.radians(degrees)
    x, y = xy.T
    return np.column_stack(
        [x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)]
    )


def draw_cells(plane: Plane, place: GridPlace) -> NDArray[np.object_]:
    """
    Draw the cells of a grid.

    Parameters
    ----------
    plane : Plane
        The area.
    place : GridPlace
        The grid.

    Returns
    -------
    numpy.ndarray of shapely.Polygon
        In lon/lat, in the order of its cells.
    """
    # Back from one number to column and row, which may be negative.
    row = (place.cells + _WIDE // 2) % _WIDE - _WIDE // 2
    column = (place.cells - row) // _WIDE
    centre = np.column_stack([column, row]) * place.side_m + place.origin_m
    ring = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) * place.side_m / 2.0
    corners = _rotate_positions((centre[:, None] + ring[None]).reshape(-1, 2), place.angle)
    flat = gpd.GeoSeries(shapely.polygons(corners.reshape(-1, 5, 2)), crs=plane.crs)
    shapes = flat.to_crs(CRS).to_numpy().copy()
    west, _, east, _ = np.reshape(shapely.bounds(shapes), (-1, 4)).T
    # Only over the antimeridian is a cell wider than half the Earth in degrees.
    for at in np.flatnonzero(east - west > _HALF_TURN):
        shapes[at] = polygon_of_ring(shapely.get_coordinates(shapes[at]))
    return np.asarray(shapes)
