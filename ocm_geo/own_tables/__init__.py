"""Build station tables from any table of stations or of connections."""

from ocm_geo.own_tables.building import stations_from_table

__all__ = ["stations_from_table"]
