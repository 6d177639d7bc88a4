"""The tables as data: every column with its type, unit, origin and meaning, once.

Parsing, mirrors, empty answers and the documentation are all made from these lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CONNECTION_COLUMNS",
    "CRS",
    "PANDAS_TYPES",
    "POWER_SOURCES",
    "PUBLISHED",
    "REMOVED",
    "STATION_COLUMNS",
    "Column",
    "arrow_schema",
    "empty_connections",
    "empty_stations",
    "stations_from_arrow",
    "to_pandas",
]

CRS = "EPSG:4326"

PUBLISHED = (100, 200)
"""Submission statuses of sites that are shown to the public."""

REMOVED = (200, 210)
"""Site statuses of removed sites (decommissioned, duplicate listing)."""

POWER_SOURCES = ("given", "given_as_formula", "estimated_by_import", "computed")


@dataclass(frozen=True)
class Column:
    """
    One column of a table.

    Parameters
    ----------
    name : str
        Name in the table, with the unit at its end where it has one.
    kind : str
        ``int``, ``float``, ``bool``, ``text``, ``json`` or ``time``.
    origin : str
        Where Open Charge Map keeps it (path inside the record), or ``computed``.
    meaning : str
        What it says, in one line.
    required : bool
        Whether it is never missing.
    """

    name: str
    kind: str
    origin: str
    meaning: str
    required: bool = False


_ARROW: dict[str, pa.DataType] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "text": pa.string(),
    "json": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
}

PANDAS_TYPES: dict[pa.DataType, pd.api.extensions.ExtensionDtype] = {
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype("pyarrow"),
    pa.large_string(): pd.StringDtype("pyarrow"),
}

STATION_COLUMNS: tuple[Column, ...] = (
    Column("ocm_id", "int", "ID", "Open Charge Map's number of the site", required=True),
    Column("uuid", "text", "UUID", "Open Charge Map's surrogate key"),
    Column("title", "text", "AddressInfo.Title", "name of the site"),
    Column("address", "text", "AddressInfo.AddressLine1", "street and number"),
    Column("address2", "text", "AddressInfo.AddressLine2", "second line of the address"),
    Column("town", "text", "AddressInfo.Town", "town, as typed by contributors"),
    Column("state", "text", "AddressInfo.StateOrProvince", "state or province, as typed"),
    Column("postcode", "text", "AddressInfo.Postcode", "postal code"),
    Column("country_id", "int", "AddressInfo.CountryID", "Open Charge Map's own country number"),
    Column("country_code", "text", "AddressInfo.Country.ISOCode", "ISO 3166 alpha-2 code"),
    Column("operator_id", "int", "OperatorID", "who runs the site; 1 is unknown"),
    Column("operator_reference", "text", "OperatorsReference", "the operator's own key"),
    Column("usage_type_id", "int", "UsageTypeID", "who may charge here"),
    Column("usage_cost", "text", "UsageCost", "price, free text in any language and currency"),
    Column("status_type_id", "int", "StatusTypeID", "state of the site; not live occupancy"),
    Column("submission_status_id", "int", "SubmissionStatusTypeID", "published (100, 200) or not"),
    Column("data_provider_id", "int", "DataProviderID", "who supplied the record: the licence"),
    Column("provider_reference", "text", "DataProvidersReference", "the provider's own key"),
    Column("parent_id", "int", "ParentChargePointID", "archived site that this one supersedes"),
    Column("data_quality_level", "int", "DataQualityLevel", "1 to 5, mostly unused"),
    Column("n_points", "int", "NumberOfPoints", "charging bays as the record says"),
    Column(
        "n_connectors",
        "int",
        "computed",
        "sum of the quantities (a missing one counts 1)",
        required=True,
    ),
    Column("max_power_kw", "float", "computed", "highest plausible power of a connection, kW"),
    Column(
        "total_power_kw",
        "float",
        "computed",
        "sum of power x quantity where the power is known and plausible, kW",
    ),
    Column(
        "n_power_missing",
        "int",
        "computed",
        "connections whose power is neither given nor computable",
        required=True,
    ),
    Column(
        "n_power_implausible",
        "int",
        "computed",
        "connections with more power than their connector can deliver; not in the sums above",
        required=True,
    ),
    Column("has_dc", "bool", "computed", "any DC connection; missing where no current is known"),
    Column("date_created", "time", "DateCreated", "when the record was entered in OCM"),
    Column("date_planned", "time", "DatePlanned", "planned opening"),
    Column("date_last_confirmed", "time", "DateLastConfirmed", "last confirmed by a user"),
    Column("date_last_status_update", "time", "DateLastStatusUpdate", "last change of the record"),
    Column("date_last_verified", "time", "DateLastVerified", "as the server computed it"),
    Column("access_comments", "text", "AddressInfo.AccessComments", "how to get in"),
    Column("general_comments", "text", "GeneralComments", "remarks"),
    Column("phone", "text", "AddressInfo.ContactTelephone1", "telephone"),
    Column("phone2", "text", "AddressInfo.ContactTelephone2", "second telephone"),
    Column("email", "text", "AddressInfo.ContactEmail", "mail address"),
    Column("url", "text", "AddressInfo.RelatedURL", "web page, as typed by strangers"),
    Column(
        "connections",
        "json",
        "Connections",
        "the connections as compact JSON in OCM's own keys, reference objects left out",
        required=True,
    ),
    Column("metadata", "json", "MetadataValues", "metadata values, JSON"),
    Column("comments", "json", "UserComments", "user comments, JSON; only where asked for"),
    Column("media", "json", "MediaItems", "photos, JSON; only where asked for"),
    Column("extra", "json", "the rest", "whatever else the record held, JSON"),
)
"""The columns of a station table, before ``geometry``; ``ocm_id`` is the index."""

CONNECTION_COLUMNS: tuple[Column, ...] = (
    Column("ocm_id", "int", "the site's ID", "the site", required=True),
    Column("connection_id", "int", "ID", "Open Charge Map's number of the connection"),
    Column("connection_type_id", "int", "ConnectionTypeID", "plug or socket"),
    Column("current_type_id", "int", "CurrentTypeID", "10 AC one phase, 20 AC three phase, 30 DC"),
    Column("level_id", "int", "LevelID", "1 to 3"),
    Column("status_type_id", "int", "StatusTypeID", "state of the connection"),
    Column("power_kw", "float", "PowerKW, else amps x volts", "peak power of one connector, kW"),
    Column("power_source", "text", "computed", "one of POWER_SOURCES; missing with the power"),
    Column(
        "power_plausible",
        "bool",
        "computed",
        "whether a connector of this type can deliver the power (`power_limits`); missing with it",
    ),
    Column("amps", "int", "Amps", "current, A"),
    Column("voltage", "int", "Voltage", "voltage, V"),
    Column("quantity", "int", "Quantity", "how many of them; missing often means 1"),
    Column("reference", "text", "Reference", "the operator's key of the connector"),
    Column("comments", "text", "Comments", "remarks"),
    Column(
        "evse_id", "text", "Reference", "EVSE id in normal form, where the operator's key is one"
    ),
)
"""The columns of a connection table; one row for each connection of each site."""


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """
    Give the Arrow schema of a list of columns.

    Parameters
    ----------
    columns : sequence of Column
        `STATION_COLUMNS` or `CONNECTION_COLUMNS`.

    Returns
    -------
    pyarrow.Schema
        One field a column; required columns are not nullable.
    """
    return pa.schema([pa.field(c.name, _ARROW[c.kind], nullable=not c.required) for c in columns])


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """
    Turn an Arrow table of ours into pandas with nullable types.

    Parameters
    ----------
    table : pyarrow.Table
        A table whose columns have the types of `arrow_schema`.

    Returns
    -------
    pandas.DataFrame
        ``Int64``, ``Float64``, ``boolean``, ``string`` and UTC timestamp columns; RangeIndex.
    """
    frame: pd.DataFrame = table.to_pandas(types_mapper=PANDAS_TYPES.get, ignore_metadata=True)
    return frame


def stations_from_arrow(table: pa.Table) -> gpd.GeoDataFrame:
    """
    Turn an Arrow table of stations into the public station table.

    Parameters
    ----------
    table : pyarrow.Table
        The columns of `STATION_COLUMNS`, and ``lon`` and ``lat`` (degrees, never null).

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``ocm_id``, the columns of `STATION_COLUMNS`, ``geometry`` in EPSG:4326; rows in
        the order of the input.
    """
    frame = to_pandas(table.select([column.name for column in STATION_COLUMNS[1:]]))
    frame.index = pd.Index(table["ocm_id"].to_numpy().astype("int64"), name="ocm_id")
    points = gpd.points_from_xy(table["lon"].to_numpy(), table["lat"].to_numpy(), crs=CRS)
    return gpd.GeoDataFrame(frame, geometry=points, crs=CRS)


def empty_stations() -> gpd.GeoDataFrame:
    """
    Give a station table without rows.

    Returns
    -------
    geopandas.GeoDataFrame
        All columns of `STATION_COLUMNS` and ``geometry``, EPSG:4326, index ``ocm_id``.

    Examples
    --------
    >>> from ocm_geo.schema import empty_stations
    >>> len(empty_stations())
    0
    """
    position = [pa.field("lon", pa.float64()), pa.field("lat", pa.float64())]
    return stations_from_arrow(pa.schema([*arrow_schema(STATION_COLUMNS), *position]).empty_table())


def empty_connections() -> pd.DataFrame:
    """
    Give a connection table without rows.

    Returns
    -------
    pandas.DataFrame
        All columns of `CONNECTION_COLUMNS`.
    """
    return to_pandas(arrow_schema(CONNECTION_COLUMNS).empty_table())
