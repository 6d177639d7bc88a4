"""The stations whose missing or implausible data set the bounds of a measure apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.frames import add_columns
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.qualifying import judge_stations

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.qualifying import Qualifying

__all__ = ["uncertain_stations"]


def uncertain_stations(
    stations: gpd.GeoDataFrame, qualifying: Qualifying | None = None
) -> gpd.GeoDataFrame:
    """
    Return the stations whose uncertain data set low and high bounds apart.

    A station is uncertain where its access or status is missing or unknown, or where no
    connection certainly has the required power, but one may have it: its power is missing,
    marked as an estimate by the import, or implausible (more than its connector can deliver).

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    qualifying : Qualifying, optional
        Which stations count. Without it every uncertainty counts.

    Returns
    -------
    geopandas.GeoDataFrame
        The uncertain rows with ``uncertain_power``, ``uncertain_access``, ``uncertain_status``
        and ``counts``: whether the central value includes the station.

    Raises
    ------
    QueryError
        If `stations` is not a station table.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> uncertain = ocm.uncertain_stations(stations, ocm.Qualifying(min_power_kw=50))
    >>> reasons = ["uncertain_power", "uncertain_access", "uncertain_status"]
    >>> bool(uncertain[reasons].any(axis=1).all())
    True
    """
    stations = station_table(stations, placed=False)
    judged = judge_stations(stations, qualifying)
    rows = judged.high & np.any(list(judged.reasons.values()), axis=0)
    new = {f"uncertain_{name}": reason[rows] for name, reason in judged.reasons.items()}
    found = add_columns(stations[rows], {**new, "counts": judged.central[rows]}, "stations")
    return carry(found, stations)
