"""Leave out what may not be published freely."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocm_geo.frames import require_columns
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.quality.records import check_licences

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["open_only"]


def open_only(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Return the stations that are open data: anybody may use and publish them for any purpose.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows without the faults ``licence_noncommercial`` and ``licence_unknown`` of
        `quality_checks`; ``attrs["ocm"]["n_not_open"]`` is the number of the others.

    Raises
    ------
    QueryError
        If it is not a station table, or the column ``data_provider_id`` is missing.

    Notes
    -----
    The filter ``open_data=True`` of the questions follows the flag of Open Charge Map alone,
    which also marks a provider whose licence forbids commercial use. Stations that are closed to
    the public or out of service are another matter: see `clean` and `Qualifying`.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> len(ocm.open_only(stations)) <= len(stations)
    True
    """
    table = station_table(stations, "stations")
    require_columns(table, ["data_provider_id"], "stations")
    found = check_licences(table)
    is_open = ~(found["licence_noncommercial"] | found["licence_unknown"])
    return carry(table[is_open], stations, n_not_open=int((~is_open).sum()))
