"""Answers as GeoJSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo.server.escaping import escape_as_dotnet
from ocm_geo.server.plain import drop_nulls, rename_in_camel_case
from ocm_geo.server.records import RecordWriter
from ocm_geo.server.summaries import SITE_URL, join_address

if TYPE_CHECKING:
    import datetime as dt

    from ocm_geo.server.choosing import Choice
    from ocm_geo.server.forms import Form
    from ocm_geo.server.lookups import Lookups
    from ocm_geo.server.store import Store

__all__ = ["encode_features"]


def encode_features(
    store: Store, lookups: Lookups, form: Form, *, choice: Choice, now: dt.datetime
) -> list[bytes]:
    """
    Encode stations as features.

    Parameters
    ----------
    store : Store
        The stations.
    lookups : Lookups
        The objects that ids refer to.
    form : Form
        The form; names are always in camel case.
    choice : Choice
        The stations.
    now : datetime.datetime
        The time of the request.

    Returns
    -------
    list of bytes
        A GeoJSON feature each.
    """
    # Nulls are always left out of the record; verbose decides whether it is there at all.
    writer = RecordWriter(store, lookups, replace(form, verbose=False, camel=False), now)
    encoded = []
    for record in writer.describe(choice):
        feature = _describe_feature(record, lookups, form, is_exact=store.manner == "exact")
        text = msgspec.json.encode(feature)
        encoded.append(escape_as_dotnet(text) if store.manner == "ocm" else text)
    return encoded


def _describe_feature(
    record: dict[str, Any], lookups: Lookups, form: Form, *, is_exact: bool
) -> dict[str, Any]:
    """Describe a station as a feature."""
    address = record["AddressInfo"]
    strongest: dict[str, Any] = max(
        record["Connections"], key=lambda item: item.get("LevelID") or 0, default={}
    )
    level = strongest.get("LevelID")
    title = lookups.title("connection_types", strongest.get("ConnectionTypeID"))
    properties: dict[str, Any] = {
        "name": address.get("Title"),
        "description": join_address(address, lookups, form, is_exact=is_exact),
        "url": f"{SITE_URL}{record['ID']}",
        "level": None if level is None else str(level),
        "connectionType": None if form.compact else title or None,
    }
    if form.verbose:
        properties["poi"] = _spell_record(record)
    return {
        "type": "Feature",
        "id": str(record["ID"]),
        "geometry": {"type": "Point", "coordinates": [address["Longitude"], address["Latitude"]]},
        "properties": properties,
    }


def _spell_record(record: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Spell a record in camel case, the encoded objects in it too."""
    plain = msgspec.json.decode(msgspec.json.encode(record))
    return rename_in_camel_case(drop_nulls(plain))
