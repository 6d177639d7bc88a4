"""Files of tables: written with their provenance, and read back as they were.

GeoParquet, GeoPackage, GeoJSON, KML and Excel workbooks hold the provenance inside; for CSV it is
beside, in ``PATH.meta.json``.
"""

from ocm_geo.files.geojson import to_geojson
from ocm_geo.files.tables import SUFFIXES, read, write

__all__ = ["SUFFIXES", "read", "to_geojson", "write"]
