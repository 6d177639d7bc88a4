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
    A station table as a source: it answers questions from memory.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table with the columns of `ocm_geo.schema.STATION_COLUMNS`.

    Raises
    ------
    QueryError
        If it is not a station table.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> belgium = ocm.TableSource(ocm.stations_from_country("BE", source="sample"))
    >>> len(ocm.stations_from_point((4.4, 50.9), 30, source=belgium)) > 0
    True
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
