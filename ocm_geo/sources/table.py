"""A station table as a source: merged registers, a cleaned table, one of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocm_geo.ids import station_table
from ocm_geo.reference.registry import reference_of

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.query import StationQuery
    from ocm_geo.reference import ReferenceData

__all__ = ["TableSource"]


class TableSource:
    """
    Answer questions from a station table in memory.

    Every parameter ``source`` takes the table itself and makes this of it.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table with the columns of `ocm_geo.schema.STATION_COLUMNS`.

    Raises
    ------
    QueryError
        If it is not a station table.
    """

    def __init__(self, stations: gpd.GeoDataFrame) -> None:
        self._stations = station_table(stations, "source", columns=["connections", "n_points"])

    def __repr__(self) -> str:
        return f"TableSource({len(self._stations):,} stations)"

    def fetch(self, query: StationQuery) -> gpd.GeoDataFrame:
        """Return the stations that answer a question."""
        return query.answer(self._stations)

    def has_any(self, query: StationQuery) -> bool:
        """Return whether any station answers a question."""
        return bool(query.mask(self._stations).any())

    def reference_data(self) -> ReferenceData:
        """Return the reference data that belong to the table."""
        return reference_of(self._stations)
