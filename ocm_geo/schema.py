"""Define the tables as data: every column with its type, unit, origin and meaning.

Parsing, mirrors, empty answers and the documentation are derived from these lists.
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
"""Submission statuses of published stations."""

REMOVED = (200, 210)
"""Statuses of removed stations (decommissioned, duplicate listing)."""

POWER_SOURCES = ("given", "given_as_formula", "estimated_by_import", "computed")


@dataclass(frozen=True)
class Column:
    """
    One column of a table.

    Parameters
    ----------
    name : str
        Name in the table, with the unit at its end if it has one.
    kind : str
        ``int``, ``float``, ``bool``, ``text``, ``json`` or ``time``.
    origin : str
        Path inside the record of Open Charge Map, or ``computed``.
    meaning : str
        Its meaning, in one line.
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
    Column("ocm_id", "int", "ID", "id of the station in Open Charge Map", required=True),
    Column("uuid", "text", "UUID", "second key of Open Charge Map"),
    Column("title", "text", "AddressInfo.Title", "name of the station"),
    Column("address", "text", "AddressInfo.AddressLine1", "street and number"),
    Column("address2", "text", "AddressInfo.AddressLine2", "second line of the address"),
    Column("town", "text", "AddressInfo.Town", "town, as typed by contributors"),
    Column("state", "text", "AddressInfo.StateOrProvince", "state or province, as typed"),
    Column("postcode", "text", "AddressInfo.Postcode", "postal code"),
    Column("country_id", "int", "AddressInfo.CountryID", "country id of Open Charge Map"),
    Column("country_code", "text", "AddressInfo.Country.ISOCode", "ISO 3166 alpha-2 code"),
    Column("operator_id", "int", "OperatorID", "operator of the station; 1 is unknown"),
    Column("operator_reference", "text", "OperatorsReference", "the operator's own key"),
    Column("usage_type_id", "int", "UsageTypeID", "who may charge"),
    Column("usage_cost", "text", "UsageCost", "price, free text in any language and currency"),
    Column("status_type_id", "int", "StatusTypeID", "status of the station; not live occupancy"),
    Column("submission_status_id", "int", "SubmissionStatusTypeID", "published (100, 200) or not"),
    Column(
        "data_provider_id",
        "int",
        "DataProviderID",
        "who supplied the record, which decides the licence",
    ),
    Column("provider_reference", "text", "DataProvidersReference", "the provider's own key"),
    Column("parent_id", "int", "ParentChargePointID", "archived station that this one replaces"),
    Column("data_quality_level", "int", "DataQualityLevel", "1 to 5, mostly unused"),
    Column("n_points", "int", "NumberOfPoints", "charging points as recorded"),
    Column(
        "n_connectors",
        "int",
        "computed",
        "sum of the quantities (a missing one counts as 1)",
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
        "connections whose power is neither recorded nor computable",
        required=True,
    ),
    Column(
        "n_power_implausible",
        "int",
        "computed",
        "connections with more power than their connector can deliver; not in the powers above",
        required=True,
    ),
    Column("has_dc", "bool", "computed", "any DC connection; missing if no current is known"),
    Column("date_created", "time", "DateCreated", "when the record was entered in OCM"),
    Column("date_planned", "time", "DatePlanned", "planned opening"),
    Column("date_last_confirmed", "time", "DateLastConfirmed", "last confirmed by a user"),
    Column("date_last_status_update", "time", "DateLastStatusUpdate", "last change of the record"),
    Column(
        "date_last_verified",
        "time",
        "DateLastVerified",
        "last verification, as computed by the server",
    ),
    Column("access_comments", "text", "AddressInfo.AccessComments", "how to get access"),
    Column("general_comments", "text", "GeneralComments", "remarks"),
    Column("phone", "text", "AddressInfo.ContactTelephone1", "telephone"),
    Column("phone2", "text", "AddressInfo.ContactTelephone2", "second telephone"),
    Column("email", "text", "AddressInfo.ContactEmail", "mail address"),
    Column("url", "text", "AddressInfo.RelatedURL", "web page, as typed by contributors"),
    Column(
        "connections",
        "json",
        "Connections",
        "the connections as compact JSON with the keys of OCM, without reference objects",
        required=True,
    ),
    Column("metadata", "json", "MetadataValues", "metadata values, JSON"),
    Column("comments", "json", "UserComments", "user comments, JSON; only on request"),
    Column("media", "json", "MediaItems", "photos, JSON; only on request"),
    Column("extra", "json", "the rest", "all other values of the record, JSON"),
)
"""The columns of a station table, before ``geometry``; ``ocm_id`` is the index."""

CONNECTION_COLUMNS: tuple[Column, ...] = (
    Column("ocm_id", "int", "ID of the station", "the station", required=True),
    Column("connection_id", "int", "ID", "id of the connection in Open Charge Map"),
    Column("connection_type_id", "int", "ConnectionTypeID", "type of connector"),
    Column("current_type_id", "int", "CurrentTypeID", "10 AC one phase, 20 AC three phase, 30 DC"),
    Column("level_id", "int", "LevelID", "1 to 3"),
    Column("status_type_id", "int", "StatusTypeID", "status of the connection"),
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
    Column("quantity", "int", "Quantity", "number of connectors; missing often means 1"),
    Column("reference", "text", "Reference", "the operator's key of the connector"),
    Column("comments", "text", "Comments", "remarks"),
    Column("evse_id", "text", "Reference", "EVSE id in normal form, if the operator's key is one"),
)
"""The columns of a connection table; one row for each connection of each station."""


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """
    Return the Arrow schema of a list of columns.

    Parameters
    ----------
    columns : sequence of Column
        `STATION_COLUMNS` or `CONNECTION_COLUMNS`.

    Returns
    -------
    pyarrow.Schema
        One field for each column; required columns are not nullable.
    """
    return pa.schema([pa.field(c.name, _ARROW[c.kind], nullable=not c.required) for c in columns])


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """
    Convert an Arrow table to pandas with nullable types.

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
    Convert an Arrow table of stations to the public station table.

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
    Return a station table without rows.

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
    Return a connection table without rows.

    Returns
    -------
    pandas.DataFrame
        All columns of `CONNECTION_COLUMNS`.
    """
    return to_pandas(arrow_schema(CONNECTION_COLUMNS).empty_table())
