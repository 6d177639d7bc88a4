"""Credit the providers of stations, with their licences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from ocm_geo.frames import require_columns
from ocm_geo.provenance import NOT_RECORDED, credit_line
from ocm_geo.reference.registry import reference_of

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.reference.tables import ReferenceData

__all__ = ["ATTRIBUTION", "Attribution", "attribution"]

ATTRIBUTION = (
    "Data © Open Charge Map contributors and data providers, openchargemap.org, CC BY 4.0 and "
    "provider licences"
)


@dataclass(frozen=True)
class Attribution:
    """
    Credit for a set of stations.

    Parameters
    ----------
    short : str
        One line for a figure.
    text : str
        A paragraph for a report.
    table : pandas.DataFrame
        One row for each provider: ``data_provider_id``, ``data_provider``, ``n_stations``,
        ``license``, ``is_open_data``, ``is_non_commercial``; most stations first.
    """

    short: str
    text: str
    table: pd.DataFrame

    def __str__(self) -> str:
        return self.text


def attribution(stations: gpd.GeoDataFrame, reference: ReferenceData | None = None) -> Attribution:
    """
    Return the credit that stations require, and their licences.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    reference : ReferenceData, optional
        Names and licences of the providers; by default the reference data of the source that
        the table came from.

    Returns
    -------
    Attribution
        ``short``, ``text`` and ``table``. If the table does not record its source,
        ``short`` is ``source not recorded``, and no provider is named.

    Raises
    ------
    QueryError
        If the table has no column ``data_provider_id``.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> ocm.attribution(stations).short
    'Invented stations, for demonstration only (ocm_geo sample)'
    """
    require_columns(stations, ["data_provider_id"], "stations")
    short = credit_line(stations)
    known = reference or reference_of(stations)
    if short == NOT_RECORDED and reference is None:
        # The ids of an unknown source must not credit a provider of Open Charge Map.
        known = replace(known, data_providers=known.data_providers.iloc[:0])
    table = _count_by_provider(stations, known)
    return Attribution(short, _write_credit(short, table), table)


def _count_by_provider(stations: gpd.GeoDataFrame, reference: ReferenceData) -> pd.DataFrame:
    """Count the stations of each provider, with its name and licence."""
    counts = stations["data_provider_id"].value_counts(dropna=False)
    ids = pd.array(counts.index, dtype="Int64")
    rows = reference.data_providers.reindex(ids.fillna(-1).astype("int64"))
    names = ["Unknown provider" if pd.isna(i) else f"Unknown ({i})" for i in ids]
    license_ = rows["license"].reset_index(drop=True)
    return pd.DataFrame(
        {
            "data_provider_id": ids,
            "data_provider": rows["title"].reset_index(drop=True).fillna(pd.Series(names)),
            "n_stations": counts.to_numpy(),
            "license": license_,
            "is_open_data": rows["is_open_data_licensed"].reset_index(drop=True),
            "is_non_commercial": license_.str.contains(
                r"by-nc|non-?commercial", case=False, regex=True
            ),
        }
    )


def _write_credit(short: str, table: pd.DataFrame) -> str:
    """Return the paragraph of credit for a report."""
    parts = [short[:1].upper() + short[1:] + "."]
    if len(table):
        named = [
            f"{row.data_provider} ({row.n_stations:,} stations; "
            f"{row.license if isinstance(row.license, str) else 'licence not known'})"
            for row in table.itertuples()
        ]
        parts.append("Data providers: " + "; ".join(named) + ".")
    closed = table[~table["is_open_data"].fillna(value=False).astype(bool)]
    if len(closed):
        parts.append(
            f"{closed['n_stations'].sum():,} stations come from providers whose data are not, or "
            "not known to be, openly licensed: ask them before you publish these records."
        )
    restricted = table[table["is_non_commercial"].fillna(value=False).astype(bool)]
    if len(restricted):
        names = ", ".join(restricted["data_provider"])
        parts.append(f"Not for commercial use: the data of {names}.")
    return " ".join(parts)
