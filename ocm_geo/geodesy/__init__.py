"""Geometry on the Earth: distances, positions along lines, shapes, and the antimeridian."""

from ocm_geo.geodesy.antimeridian import split_antimeridian, unfolded
from ocm_geo.geodesy.buffers import circle, corridor_polygon
from ocm_geo.geodesy.distance import check_lonlat, distance_km, to_ecef_km, wrap_lon
from ocm_geo.geodesy.lines import Line
from ocm_geo.geodesy.locate import LineHits, locate
from ocm_geo.geodesy.pairs import NearPairs, pairs_within_km
from ocm_geo.geodesy.points import PointIndex
from ocm_geo.geodesy.shapes import area_km2, as_line, as_polygons, contains_lonlat

__all__ = [
    "Line",
    "LineHits",
    "NearPairs",
    "PointIndex",
    "area_km2",
    "as_line",
    "as_polygons",
    "check_lonlat",
    "circle",
    "contains_lonlat",
    "corridor_polygon",
    "distance_km",
    "locate",
    "pairs_within_km",
    "split_antimeridian",
    "to_ecef_km",
    "unfolded",
    "wrap_lon",
]
