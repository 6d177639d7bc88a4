"""Records in every form of the API's JSON, made from the bodies of the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ocm_geo.server.bodies import CONNECTION_KEYS, DISTANCE, write_times
from ocm_geo.server.escaping import escape_as_dotnet
from ocm_geo.server.plain import drop_nulls, encode_plain, plain_number, rename_in_camel_case
from ocm_geo.server.store import HALF_YEAR, NONE, microseconds

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from ocm_geo.server.choosing import Choice
    from ocm_geo.server.forms import Form
    from ocm_geo.server.lookups import Lookups
    from ocm_geo.server.store import Store

__all__ = ["ADDRESS_KEYS", "POI_KEYS", "RecordWriter"]

POI_KEYS = (
    *("DataProvider", "OperatorInfo", "UsageType", "StatusType", "SubmissionStatus"),
    *("UserComments", "PercentageSimilarity", "MediaItems", "IsRecentlyVerified"),
    *("DateLastVerified", "ID", "UUID", "ParentChargePointID", "DataProviderID"),
    *("DataProvidersReference", "OperatorID", "OperatorsReference", "UsageTypeID", "UsageCost"),
    *("AddressInfo", "Connections", "NumberOfPoints", "GeneralComments", "DatePlanned"),
    *("DateLastConfirmed", "StatusTypeID", "DateLastStatusUpdate", "MetadataValues"),
    *("DataQualityLevel", "DateCreated", "SubmissionStatusTypeID"),
)
ADDRESS_KEYS = (
    *("ID", "Title", "AddressLine1", "AddressLine2", "Town", "StateOrProvince", "Postcode"),
    *("CountryID", "Country", "Latitude", "Longitude", "ContactTelephone1", "ContactTelephone2"),
    *("ContactEmail", "AccessComments", "RelatedURL", "Distance", "DistanceUnit"),
)
_COMMENT_KEYS = (
    *("ID", "ChargePointID", "CommentTypeID", "CommentType", "UserName", "Comment", "Rating"),
    *("RelatedURL", "DateCreated", "User", "CheckinStatusTypeID", "CheckinStatusType"),
    "IsActionedByEditor",
)
_MEDIA_KEYS = (
    *("ID", "ChargePointID", "ItemURL", "ItemThumbnailURL", "Comment", "IsEnabled", "IsVideo"),
    *("IsFeaturedItem", "IsExternalResource", "MetadataValue", "User", "DateCreated"),
)
_METADATA_KEYS = (
    *("ID", "MetadataFieldID", "ItemValue", "MetadataFieldOption", "MetadataFieldOptionID"),
)
_POI_OBJECTS = (
    ("DataProvider", "DataProviderID", "data_providers"),
    ("OperatorInfo", "OperatorID", "operators"),
    ("UsageType", "UsageTypeID", "usage_types"),
    ("StatusType", "StatusTypeID", "status_types"),
    ("SubmissionStatus", "SubmissionStatusTypeID", "submission_status_types"),
)
_CONNECTION_OBJECTS = (
    ("ConnectionType", "ConnectionTypeID", "connection_types"),
    ("StatusType", "StatusTypeID", "status_types"),
    ("Level", "LevelID", "levels"),
    ("CurrentType", "CurrentTypeID", "current_types"),
)
_COMMENT_OBJECTS = (
    ("CommentType", "CommentTypeID", "comment_types"),
    ("CheckinStatusType", "CheckinStatusTypeID", "checkin_status_types"),
)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class RecordWriter:
    """
    Writes the records of an answer.

    Parameters
    ----------
    store : Store
        The stations.
    lookups : Lookups
        The objects that ids refer to.
    form : Form
        The form of the answer.
    now : datetime.datetime
        The time of the request: whether a station was verified recently depends on it.
    """

    def __init__(self, store: Store, lookups: Lookups, form: Form, now: dt.datetime) -> None:
        self._store = store
        self._lookups = lookups
        self._form = form
        self._half_year_ago = microseconds(now - HALF_YEAR)

    def encode(self, choice: Choice) -> list[bytes]:
        """Encode records, each as one line of JSON."""
        if self._form.is_short:
            return self._join_bodies(choice)
        records = map(_encode, self.describe(choice))
        return list(map(escape_as_dotnet, records) if self._store.manner == "ocm" else records)

    def describe(self, choice: Choice) -> list[dict[str, Any]]:
        """Describe records as plain objects; those that ids refer to may be encoded already."""
        recent, verified = self._list_verified(choice.positions)
        bodies = self._store.bodies.take(choice.positions)
        distances = [None] * len(bodies) if choice.distance is None else choice.distance.tolist()
        records = []
        for body, position, distance, *dates in zip(
            bodies, choice.positions.tolist(), distances, recent, verified, strict=True
        ):
            record = self._complete(_decode(b"{" + body), position, distance)
            record["IsRecentlyVerified"], record["DateLastVerified"] = dates
            records.append(self._finish(record))
        return records

    def _join_bodies(self, choice: Choice) -> list[bytes]:
        """Encode compact records without nulls from the prepared bodies."""
        recent, verified = self._list_verified(choice.positions)
        bodies = self._store.bodies.take(choice.positions)
        heads = [
            b'{"IsRecentlyVerified":true,' if is_recent else b'{"IsRecentlyVerified":false,'
            for is_recent in recent
        ]
        dates = [b"" if d is None else b'"DateLastVerified":"%b",' % d.encode() for d in verified]
        if choice.distance is not None:
            unit = self._form.unit
            bodies = [
                body.replace(DISTANCE, b'"Distance":%b,"DistanceUnit":%d' % (encode_plain(d), unit))
                for body, d in zip(bodies, choice.distance.tolist(), strict=True)
            ]
        return [b"".join(parts) for parts in zip(heads, dates, bodies, strict=True)]

    def _list_verified(self, positions: NDArray[np.intp]) -> tuple[list[bool], list[str | None]]:
        """List whether and when stations were verified: by OCM's formula, or as recorded."""
        times = self._store.times
        if self._store.manner == "ocm":
            created = times["date_created"][positions]
            latest = np.where(created > self._half_year_ago, created, NONE)
            for name in ("date_last_status_update", "date_last_confirmed"):
                latest = np.maximum(latest, times[name][positions])
        else:
            latest = times["date_last_verified"][positions]
        dates = [None if time == NONE else time for time in latest.tolist()]
        return (latest > self._half_year_ago).tolist(), write_times(dates)

    def _complete(
        self, body: dict[str, Any], position: int, distance: float | None
    ) -> dict[str, Any]:
        """Bring a record into its full form, nulls included."""
        record = {**dict.fromkeys(POI_KEYS), **body}
        address = {**dict.fromkeys(ADDRESS_KEYS), **record["AddressInfo"]}
        if distance is not None:
            address["Distance"], address["DistanceUnit"] = plain_number(distance), self._form.unit
        connections = [
            {**dict.fromkeys(CONNECTION_KEYS), **item} for item in record["Connections"] or ()
        ]
        if record["MetadataValues"]:
            record["MetadataValues"] = [
                {**dict.fromkeys(_METADATA_KEYS), **item} for item in record["MetadataValues"]
            ]
        comments = self._list_comments(position)
        record.update(comments, AddressInfo=address, Connections=connections)
        if not self._form.compact:
            self._add_objects(record, _POI_OBJECTS)
            address["Country"] = self._object_of("countries", address["CountryID"])
            for connection in connections:
                self._add_objects(connection, _CONNECTION_OBJECTS)
        return record

    def _list_comments(self, position: int) -> dict[str, Any]:
        """List comments and photos of a station, where they are wanted."""
        found: dict[str, Any] = {"UserComments": None, "MediaItems": None}
        if not self._form.with_comments:
            return found
        if text := self._store.text_of("comments", position):
            comments = [{**dict.fromkeys(_COMMENT_KEYS), **item} for item in json.loads(text)]
            if not self._form.compact:
                for comment in comments:
                    self._add_objects(comment, _COMMENT_OBJECTS)
            found["UserComments"] = comments
        if text := self._store.text_of("media", position):
            found["MediaItems"] = [
                {**dict.fromkeys(_MEDIA_KEYS), **item} for item in json.loads(text)
            ]
        return found

    def _add_objects(
        self, record: dict[str, Any], objects: tuple[tuple[str, str, str], ...]
    ) -> None:
        """Add the objects that ids refer to."""
        for key, id_key, table in objects:
            record[key] = self._object_of(table, record[id_key])

    def _object_of(self, table: str, code: int | None) -> msgspec.Raw | None:
        """Return the object of an id, encoded in the form of the answer."""
        form = self._form
        return self._lookups.encode(table, code, verbose=form.verbose, in_camel_case=form.camel)

    def _finish(self, record: dict[str, Any]) -> dict[str, Any]:
        """Leave out nulls, and spell names, as the form wants it."""
        finished: Any = record if self._form.verbose else drop_nulls(record)
        described: dict[str, Any] = rename_in_camel_case(finished) if self._form.camel else finished
        return described
