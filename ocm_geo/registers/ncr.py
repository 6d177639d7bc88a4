"""The United Kingdom's National Chargepoint Registry: CSV of 6 or all columns, and JSON."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.content import Document
from ocm_geo.registers.delimited import TextTable, join_tables
from ocm_geo.registers.draft import Draft
from ocm_geo.registers.values import parse_flags, parse_numbers, parse_times
from ocm_geo.sources.records import Reject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocm_geo.registers.content import Content

__all__ = ["draft_ncr", "recognise_ncr"]

_ID, _STATUS = "chargeDeviceID", "chargeDeviceStatus"
_ZONE = "Europe/London"
_TYPE = re.compile(r"connector(\d+)Type$")
_TEXTS = {
    "town": ("town",), "postcode": ("postcode",), "state": ("county",), "title": ("name",),
    "operator": ("deviceControllerName", "deviceNetworks", "deviceOwnerName"),
    "access_comments": ("accessRestrictionDetails",), "url": ("deviceControllerWebsite",),
    "usage_cost": ("paymentRequiredDetails", "subscriptionRequiredDetails"),
    "general_comments": ("locationLongDescription", "locationShortDescription"),
    "phone": ("deviceControllerTelephoneNo",),
}  # fmt: skip
_STREET = ("subBuildingName", "buildingName", "buildingNumber", "thoroughfare", "street")
_USED = {
    *(name for names in _TEXTS.values() for name in names), *_STREET, _ID, _STATUS, "latitude",
    "longitude", "countryCode", "publishStatus", "dateCreated", "dateUpdated", "dateDeleted",
    "paymentRequired", "subscriptionRequired", "accessRestrictionFlag",
    # Names of persons are not read.
    "deviceOwnerContactName", "deviceControllerContactName", "\0origin", "\0position",
}  # fmt: skip
_AC_THREE_PHASE, _ONE_PHASE_KW = 20, 7.4


def recognise_ncr(content: Content) -> bool:
    """Return whether a file is of the National Chargepoint Registry."""
    if isinstance(content, TextTable):
        return content.has(_ID)
    value = content.value if isinstance(content, Document) else None
    return isinstance(value, dict) and "ChargeDevice" in value


def draft_ncr(contents: Sequence[Content]) -> Draft:
    """Read the devices of the National Chargepoint Registry."""
    tables = [c if isinstance(c, TextTable) else _to_table(c) for c in contents]
    table = join_tables([t for t in tables if t is not None])
    wrong: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    rejects = [Reject(table.origin, row, None, reason, "") for row, reason in table.bad_rows]
    n_read = table.n_read
    table, withdrawn = _drop_withdrawn(table)
    connectors = _read_ncr_connectors(table, wrong, unknown)
    points = {"site": connectors.pop("site"), "status_type_id": connectors.pop("status")}
    extra = {
        name: column for name, column in table.rest(_USED).items()
        if not re.match(r"connector\d+", name)
    }  # fmt: skip
    return Draft(
        "station", n_read, _read_ncr_sites(table, wrong, unknown), points, connectors,
        rejects + withdrawn, wrong, unknown, has_points=False, unique_evse_ids=False,
        country="GB", extra=extra,
    )  # fmt: skip


def _drop_withdrawn(table: TextTable) -> tuple[TextTable, list[Reject]]:
    """Leave out devices that are deleted or not published."""
    deleted = pc.utf8_trim_whitespace(table.column("dateDeleted"))
    none = pc.or_(
        pc.is_in(pc.utf8_lower(deleted), pa.array(["n/a", "null", ""])),
        pc.starts_with(deleted, "0000"),
    ).fill_null(fill_value=True)
    status = table.column("publishStatus")
    shown = pc.equal(pc.utf8_lower(status), "published").fill_null(fill_value=True)
    rejects = []
    for keep, reason in ((none, "deleted"), (pc.or_(shown, pc.invert(none)), "not published")):
        rows = table.table.filter(pc.invert(keep)).select([_ID, "\0origin", "\0position"])
        rejects += [
            Reject(row["\0origin"], row["\0position"], None, reason, str(row[_ID]))
            for row in rows.to_pylist()
        ]
    kept = table.table.filter(pc.and_(none, shown))
    return TextTable(table.origin, table.header, kept, table.preamble, table.bad_rows), rejects


def _read_ncr_sites(table: TextTable, wrong: Counter[str], unknown: Counter[str]) -> dict[str, Any]:
    """Read the columns of devices."""
    found: dict[str, Any] = {
        name: pc.coalesce(*(_drop_placeholders(table.column(column)) for column in columns))
        for name, columns in _TEXTS.items()
    }
    parts = [_drop_placeholders(table.column(name)) for name in _STREET]
    address = pc.binary_join_element_wise(*(part.fill_null("") for part in parts), ", ")
    address = pc.utf8_trim(pc.replace_substring_regex(address, "(, )+", ", "), ", ")
    restricted, pays, member = (
        parse_flags(table.column(name), wrong, name).fill_null(fill_value=False)
        for name in ("accessRestrictionFlag", "paymentRequired", "subscriptionRequired")
    )
    usage = pc.case_when(
        pc.make_struct(restricted, member, pays), pa.scalar(6), pa.scalar(4), pa.scalar(5)
    )
    return found | {
        "station_id": table.column(_ID),
        "lon": parse_numbers(table.column("longitude"), wrong, "lon"),
        "lat": parse_numbers(table.column("latitude"), wrong, "lat"),
        "address": address,
        "country_code": pc.utf8_upper(_drop_placeholders(table.column("countryCode"))),
        "usage_type_id": usage,
        "status_type_id": load_codes("ncr").map("status", table.column(_STATUS), unknown),
        "updated": parse_times(
            _drop_placeholders(table.column("dateUpdated")),
            wrong,
            "date_last_status_update",
            zone=_ZONE,
        ),
        "created": parse_times(
            _drop_placeholders(table.column("dateCreated")), wrong, "date_created", zone=_ZONE
        ),
        "origin": table.column("\0origin"),
        "position": table.column("\0position"),
    }


def _drop_placeholders(texts: pa.Array) -> pa.Array:
    """Make values that mean nothing missing."""
    plain = pc.utf8_trim_whitespace(texts)
    none = pc.is_in(pc.utf8_lower(plain), pa.array(["", "n/a", "null", "none", "-"]))
    return pc.if_else(none, pa.scalar(None, pa.string()), plain)


def _read_ncr_connectors(
    table: TextTable, wrong: Counter[str], unknown: Counter[str]
) -> dict[str, Any]:
    """Read the connectors of devices: a group of columns each."""
    codes = load_codes("ncr")
    parts = []
    for number in sorted(int(m[1]) for name in table.header if (m := _TYPE.match(name))):
        words = _drop_placeholders(table.column(f"connector{number}Type"))
        rows = pc.indices_nonzero(words.is_valid())
        column = {
            key: _drop_placeholders(table.column(f"connector{number}{key}").take(rows))
            for key in ("Type", "RatedOutputKW", "OutputCurrent", "RatedVoltage", "ChargeMethod",
                        "TetheredCable", "Status", "ID")
        }  # fmt: skip
        tethered = pc.equal(column["TetheredCable"], "1").fill_null(fill_value=False)
        is_type_2 = pc.equal(column["Type"], "Type 2 Mennekes (IEC62196)")
        kind = codes.map("connector", column["Type"], unknown)
        kind = pc.if_else(pc.and_(tethered, is_type_2), pa.scalar(1036, pa.int64()), kind)
        told = pc.binary_join_element_wise("Unknown (", column["Type"], ")", "")
        parts.append(
            pa.table(
                {
                    "site": rows.cast(pa.int64()),
                    "status": codes.map("status", column["Status"], unknown),
                    "connection_type_id": kind,
                    "current_type_id": codes.map("current", column["ChargeMethod"], unknown),
                    "power_kw": parse_numbers(
                        column["RatedOutputKW"], wrong, "connections.power_kw"
                    ),
                    "amps": parse_numbers(column["OutputCurrent"], wrong, "connections.amps"),
                    "voltage": parse_numbers(column["RatedVoltage"], wrong, "connections.voltage"),
                    "reference": column["ID"],
                    "comments": pc.if_else(pc.equal(kind, 0), told, pa.scalar(None, pa.string())),
                }
            )
        )
    joined = pa.concat_tables(parts) if parts else None
    if joined is None:
        return {"site": np.empty(0, np.int64), "status": None, "point": np.empty(0, np.int64)}
    found = {name: joined[name].combine_chunks() for name in joined.schema.names}
    # A connector counts for itself: the registry does not tell charging points.
    return found | {"point": np.arange(len(joined)), "quantity": np.ones(len(joined))}


def _to_table(content: Content) -> TextTable | None:
    """Flatten the JSON form to the columns of the CSV."""
    if not isinstance(content, Document):
        return None
    devices = content.value.get("ChargeDevice")
    rows = [dict(_flatten_device(device)) for device in devices or [] if isinstance(device, dict)]
    names = list(dict.fromkeys(name for row in rows for name in row)) or [_ID]
    table = pa.table({n: pa.array([row.get(n) for row in rows], pa.string()) for n in names})
    return TextTable(content.origin, tuple(names), table)


_RENAMED = {"ChargeDeviceId": _ID, "ChargeDeviceID": _ID, "ChargeDeviceName": "name",
            "ChargeDeviceRef": "reference", "ChargeDeviceStatus": _STATUS}  # fmt: skip
_NUMBERED = {"ConnectorId": "ID", "ConnectorType": "Type", "RatedOutputkW": "RatedOutputKW",
             "RatedOutputCurrent": "OutputCurrent", "RatedOutputVoltage": "RatedVoltage",
             "ChargeMethod": "ChargeMethod", "ChargeMode": "ChargeMode",
             "TetheredCable": "TetheredCable", "ChargePointStatus": "Status",
             "Validated": "Validated"}  # fmt: skip


def _flatten_device(device: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the facts of a device under the names that the CSV gives them."""
    for key, value in device.items():
        if key == "Connector" and isinstance(value, list):
            for number, connector in enumerate(value, 1):
                facts = connector if isinstance(connector, dict) else {}
                for name, fact in facts.items():
                    if isinstance(fact, str | int | float):
                        yield f"connector{number}{_NUMBERED.get(name, name)}", str(fact)
        elif isinstance(value, dict):
            yield from _flatten_device(value)
        elif isinstance(value, str | int | float):
            yield _RENAMED.get(key, key[:1].lower() + key[1:]), str(value)
