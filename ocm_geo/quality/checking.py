"""Check stations for faults, all of which are defined in `quality_checks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.frames import check_table
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.quality.faults import lacks_columns, quality_checks
from ocm_geo.quality.positions import check_positions
from ocm_geo.quality.records import (
    check_connections,
    check_dates,
    check_licences,
    check_texts,
    check_usage,
    read_data_date,
)
from ocm_geo.quality.repeats import group_duplicates

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["check_stations"]


def check_stations(
    stations: gpd.GeoDataFrame, *, borders: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """
    Check stations for faults.

    The faults, each with its definition, severity and source, are those of `quality_checks`.
    Nothing is changed; `clean` acts on them.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table, of any source. Columns other than the geometry may be missing.
    borders : geopandas.GeoDataFrame, optional
        Areas of countries, with their codes (ISO 3166 alpha-2) in a column ``country_code``. By
        default the bundled borders. Both count with a tolerance of 5 km, for quays, islands
        and generalised lines.

    Returns
    -------
    pandas.DataFrame
        One row a station, with the index of `stations`; one boolean column a fault, in the order
        of `quality_checks`. A column is missing (``NA``) throughout if the table lacks what its
        check reads. ``attrs["ocm"]`` records these as ``not_checked``, and the date to which
        ages refer as ``checked_as_of``.

    Raises
    ------
    QueryError
        If it is not a table of points, or the borders have no codes of countries.

    Warns
    -----
    DroppedRows
        If rows repeat a station; each is checked once.

    Notes
    -----
    Ages refer to the date of the data in ``attrs["ocm"]``; without one, to the newest date of the
    table.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> faults = ocm.check_stations(stations)
    >>> faults.index.equals(stations.index)
    True
    """
    check_table(stations, "stations")
    table = station_table(stations, "stations")
    as_of = read_data_date(table)
    found = check_positions(table, borders)
    if "connections" in table:
        found |= check_connections(table)
    found |= check_dates(table, as_of) | check_usage(table, as_of)
    found |= check_texts(table) | check_licences(table)
    found["duplicate"] = _check_duplicates(table, ~found["no_position"])
    columns: dict[str, Any] = {}
    absent: list[str] = []
    for fault, needs in quality_checks()["needs"].items():
        if lacks_columns(needs, table.columns):
            absent.append(str(fault))
            columns[str(fault)] = pd.array([pd.NA] * len(table), dtype="boolean")
        else:
            columns[str(fault)] = found[str(fault)]
    day = None if str(as_of) == "NaT" else f"{as_of:%Y-%m-%d}"
    faults = pd.DataFrame(columns, index=table.index)
    return carry(faults, stations, checked_as_of=day, not_checked=absent or None)


def _check_duplicates(stations: gpd.GeoDataFrame, placed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which stations another row of the table describes as well."""
    return np.asarray(stations.index.isin(group_duplicates(stations, placed).index))
