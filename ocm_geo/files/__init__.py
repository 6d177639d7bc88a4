"""Write tables with their provenance, and read them back unchanged.

GeoParquet, GeoPackage, GeoJSON, KML and Excel workbooks contain the provenance; for CSV it is in
``PATH.meta.json`` beside the file.
"""

from ocm_geo.files.delimited import read_texts
from ocm_geo.files.geojson import to_geojson
from ocm_geo.files.geopackage import naming_warnings
from ocm_geo.files.keyhole import kml_positions
from ocm_geo.files.markup import Node, is_markup, parse_markup
from ocm_geo.files.styles import choose_layer
from ocm_geo.files.tables import SUFFIXES, read, write

__all__ = [
    "SUFFIXES",
    "Node",
    "choose_layer",
    "is_markup",
    "kml_positions",
    "naming_warnings",
    "parse_markup",
    "read",
    "read_texts",
    "to_geojson",
    "write",
]
