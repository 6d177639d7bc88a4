"""The shape of one Open Charge Map record: its fields, and the typed structs made from them.

The structs know every field that Open Charge Map writes, in both spellings (``CountryID`` and
``countryID``). They forbid all others, so that what is decoded by them has lost nothing; a
record that does not fit is read field by field in `ocm_geo.sources.lenient`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from ocm_geo.connections import Int64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "ADDRESS_FIELDS",
    "CONNECTION_FIELDS",
    "EMPTY",
    "POI_FIELDS",
    "REFERENCES",
    "CamelPoi",
    "Field",
    "ObjectId",
    "Place",
    "Poi",
    "PoiAddress",
    "PoiConnection",
    "Records",
    "Reference",
    "Reject",
    "Stamp",
    "TooLong",
    "camel",
]

Place = tuple[str, int]
EXCERPT_LENGTH = 200

UNKNOWN_KEY = "\N{SYMBOL FOR NULL}unknown"
"""The key of a field of ours, which no record has: what did not fit into the known fields."""

EMPTY = msgspec.Raw()
"""What a reference object or JSON column holds when the record has none."""


class TooLong(bytes):
    """The beginning of a record that is longer than the limit; the rest was passed over."""


@dataclass(frozen=True)
class Reject:
    """
    A record that could not be used.

    Parameters
    ----------
    origin : str
        The file or request it came from.
    position : int
        Line number (from 1) in a file of lines, index (from 0) in an array, 0 in a file of its
        own.
    ocm_id : int or None
        The site, if the record says.
    reason : str
        Why it was not kept.
    excerpt : str
        The beginning of the record.
    """

    origin: str
    position: int
    ocm_id: int | None
    reason: str
    excerpt: str


@dataclass
class Records:
    """
    Decoded records on their way into tables.

    Parameters
    ----------
    rows : list of Poi
        The records.
    places : list of tuple of (str, int)
        Origin and position of each record.
    rejects : list of Reject
        What could not be decoded.
    coerced : collections.Counter
        How many values of each column were of a wrong type, and are missing now.
    """

    rows: list[Any] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    coerced: Counter[str] = field(default_factory=Counter)

    def add(self, rows: Sequence[Any], places: Iterable[Place]) -> None:
        """
        Add decoded records.

        Parameters
        ----------
        rows : sequence of Poi
            The records.
        places : iterable of tuple of (str, int)
            Origin and position of each.
        """
        self.rows.extend(rows)
        self.places.extend(places)

    def reject(self, place: Place, ocm_id: int | None, reason: str, excerpt: str) -> None:
        """
        Note a record that could not be used.

        Parameters
        ----------
        place : tuple of (str, int)
            Its origin and position.
        ocm_id : int or None
            The site, if known.
        reason : str
            Why.
        excerpt : str
            The record; its beginning is kept.
        """
        self.rejects.append(Reject(*place, ocm_id, reason, excerpt[:EXCERPT_LENGTH]))

    def split_off(self, n_rows: int) -> Records:
        """
        Take the first records out, with all rejects so far.

        Parameters
        ----------
        n_rows : int
            How many records to take.

        Returns
        -------
        Records
            The first records; the others stay.
        """
        first = Records(self.rows[:n_rows], self.places[:n_rows], self.rejects, self.coerced)
        self.rows, self.places = self.rows[n_rows:], self.places[n_rows:]
        self.rejects, self.coerced = [], Counter()
        return first


class Stamp(msgspec.Struct, gc=False):
    """A date of the Mongo export: ISO text, or milliseconds since 1970."""

    date: str | int = msgspec.field(name="$date")


class ObjectId(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The key of a record in the Mongo export."""

    value: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]+$")] = msgspec.field(name="$oid")


class Field(NamedTuple):
    """One field of a record: the name we use, Open Charge Map's key, and its kind."""

    name: str
    key: str
    kind: str


class Reference(NamedTuple):
    """A reference object: the field that holds it, the field of its id, and its table."""

    name: str
    id_name: str
    table: str


REFERENCES: dict[str, tuple[Reference, ...]] = {
    "poi": (
        Reference("data_provider", "data_provider_id", "data_providers"),
        Reference("operator", "operator_id", "operators"),
        Reference("usage_type", "usage_type_id", "usage_types"),
        Reference("status_type", "status_type_id", "status_types"),
        Reference("submission_status", "submission_status_id", "submission_status_types"),
    ),
    "address": (Reference("country", "country_id", "countries"),),
    "connection": (
        Reference("connection_type", "connection_type_id", "connection_types"),
        Reference("current_type", "current_type_id", "current_types"),
        Reference("level", "level_id", "levels"),
        Reference("status_type", "status_type_id", "status_types"),
    ),
}


POI_FIELDS: tuple[Field, ...] = (
    Field("record_id", "_id", "oid"),
    Field("data_provider", "DataProvider", "reference"),
    Field("operator", "OperatorInfo", "reference"),
    Field("usage_type", "UsageType", "reference"),
    Field("status_type", "StatusType", "reference"),
    Field("submission_status", "SubmissionStatus", "reference"),
    Field("comments", "UserComments", "json"),
    Field("percentage_similarity", "PercentageSimilarity", "null"),
    Field("media", "MediaItems", "json"),
    Field("is_recently_verified", "IsRecentlyVerified", "flag"),
    Field("date_last_verified", "DateLastVerified", "time"),
    Field("ocm_id", "ID", "int"),
    Field("uuid", "UUID", "text"),
    Field("parent_id", "ParentChargePointID", "int"),
    Field("data_provider_id", "DataProviderID", "int"),
    Field("provider_reference", "DataProvidersReference", "text"),
    Field("operator_id", "OperatorID", "int"),
    Field("operator_reference", "OperatorsReference", "text"),
    Field("usage_type_id", "UsageTypeID", "int"),
    Field("usage_cost", "UsageCost", "text"),
    Field("address", "AddressInfo", "address"),
    Field("connections", "Connections", "connections"),
    Field("n_points", "NumberOfPoints", "int"),
    Field("general_comments", "GeneralComments", "text"),
    Field("date_planned", "DatePlanned", "time"),
    Field("date_last_confirmed", "DateLastConfirmed", "time"),
    Field("status_type_id", "StatusTypeID", "int"),
    Field("date_last_status_update", "DateLastStatusUpdate", "time"),
    Field("metadata", "MetadataValues", "json"),
    Field("data_quality_level", "DataQualityLevel", "int"),
    Field("date_created", "DateCreated", "time"),
    Field("submission_status_id", "SubmissionStatusTypeID", "int"),
    Field("address_cleaning_required", "AddressCleaningRequired", "flag"),
    Field("level_of_detail", "LevelOfDetail", "null"),
    Field("chargers", "Chargers", "null"),
    Field("metadata_tags", "MetadataTags", "null"),
    Field("spatial_position", "SpatialPosition", "ignored"),
    Field("unknown", UNKNOWN_KEY, "unknown"),
)
"""All fields of a record, in the order in which the API writes them: msgspec is fastest then."""

ADDRESS_FIELDS: tuple[Field, ...] = (
    Field("address_id", "ID", "rest"),
    Field("title", "Title", "text"),
    Field("address", "AddressLine1", "text"),
    Field("address2", "AddressLine2", "text"),
    Field("town", "Town", "text"),
    Field("state", "StateOrProvince", "text"),
    Field("postcode", "Postcode", "text"),
    Field("country_id", "CountryID", "int"),
    Field("country", "Country", "reference"),
    Field("lat", "Latitude", "float"),
    Field("lon", "Longitude", "float"),
    Field("phone", "ContactTelephone1", "text"),
    Field("phone2", "ContactTelephone2", "text"),
    Field("email", "ContactEmail", "text"),
    Field("access_comments", "AccessComments", "text"),
    Field("url", "RelatedURL", "text"),
    Field("distance", "Distance", "ignored"),
    Field("distance_unit", "DistanceUnit", "ignored"),
    Field("address_comments", "GeneralComments", "null"),
)
"""All fields of an address. The distance belongs to the request, not to the site."""

CONNECTION_FIELDS: tuple[Field, ...] = (
    Field("connection_id", "ID", "int"),
    Field("connection_type_id", "ConnectionTypeID", "int"),
    Field("connection_type", "ConnectionType", "reference"),
    Field("reference", "Reference", "text"),
    Field("status_type_id", "StatusTypeID", "int"),
    Field("status_type", "StatusType", "reference"),
    Field("level_id", "LevelID", "int"),
    Field("level", "Level", "reference"),
    Field("amps", "Amps", "int"),
    Field("voltage", "Voltage", "int"),
    Field("power_kw", "PowerKW", "float"),
    Field("current_type_id", "CurrentTypeID", "int"),
    Field("current_type", "CurrentType", "reference"),
    Field("quantity", "Quantity", "int"),
    Field("comments", "Comments", "text"),
    Field("unknown", UNKNOWN_KEY, "unknown"),
)
"""All fields of a connection."""


_TYPES: dict[str, tuple[Any, Any]] = {
    "int": (Int64 | None, None),
    "rest": (Int64 | None, None),
    "float": (float | None, None),
    "text": (str | None, None),
    "flag": (bool | None, None),
    "time": (str | Stamp | None, None),
    "oid": (ObjectId | None, None),
    "json": (msgspec.Raw, EMPTY),
    "reference": (msgspec.Raw, EMPTY),
    "ignored": (msgspec.Raw, EMPTY),
    "null": (None, None),
    "unknown": (None, None),
}


def camel(key: str) -> str:
    """
    Spell a key as the API does when asked for camel case: leading capitals are folded.

    Parameters
    ----------
    key : str
        A key such as ``UUID``, ``ISOCode``, ``PowerKW``.

    Returns
    -------
    str
        ``uuid``, ``isoCode``, ``powerKW``.
    """
    return re.sub(r"^(?:[A-Z]+(?=[A-Z][a-z])|[A-Z]+$|[A-Z])", lambda m: m[0].lower(), key)


def _define_struct(
    name: str,
    fields: Sequence[Field],
    spelling: Callable[[str], str],
    **nested: Any,  # noqa: ANN401 - types
) -> Any:  # noqa: ANN401 - a class made at run time
    """Define a struct with a field for each key, which forbids all other keys."""
    types = {**_TYPES, **{kind: (of | None, None) for kind, of in nested.items()}}
    return msgspec.defstruct(
        name,
        [(f.name, *types[f.kind]) for f in fields],
        rename={f.name: spelling(f.key) for f in fields},
        gc=False,
        omit_defaults=True,
        forbid_unknown_fields=True,
    )


def _define_poi(prefix: str, spelling: Callable[[str], str]) -> tuple[Any, Any, Any]:
    """Define the structs of a record in one spelling of its keys."""
    connection = _define_struct(f"{prefix}Connection", CONNECTION_FIELDS, spelling)
    address = _define_struct(f"{prefix}Address", ADDRESS_FIELDS, spelling)
    poi = _define_struct(
        f"{prefix}Poi",
        POI_FIELDS,
        spelling,
        address=address,
        connections=GenericAlias(list, (connection,)),
    )
    return poi, address, connection


Poi, PoiAddress, PoiConnection = _define_poi("", str)
CamelPoi, _, _ = _define_poi("Camel", camel)
