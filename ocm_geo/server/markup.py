"""Answers as KML and XML, written by a library that escapes."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from ocm_geo.server.escaping import strip_for_xml
from ocm_geo.server.records import RecordWriter
from ocm_geo.server.summaries import SITE_URL, describe_connection, join_address

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from ocm_geo.server.choosing import Choice
    from ocm_geo.server.forms import Form
    from ocm_geo.server.lookups import Lookups
    from ocm_geo.server.store import Store

__all__ = ["KML_END", "KML_START", "XML_END", "XML_START", "encode_elements"]

_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
KML_START = _DECLARATION + (
    b'<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
    b"<name>Open Charge Map - Electric Vehicle Charging Locations</name>\n"
    b"<description>Data from https://openchargemap.org/</description>\n"
)
KML_END = b"</Document>\n</kml>\n"
XML_START = _DECLARATION + b"<ChargePoints>\n"
XML_END = b"</ChargePoints>\n"

_UNITS = ("", "KM", "Miles")
_TEXTS = (
    *("AddressLine1", "AddressLine2", "Town", "StateOrProvince", "Postcode"),
    *("ContactTelephone1", "ContactTelephone2", "ContactEmail", "AccessComments", "RelatedURL"),
)


def encode_elements(
    store: Store, lookups: Lookups, form: Form, *, choice: Choice, now: dt.datetime
) -> list[bytes]:
    """
    Encode stations as elements.

    Parameters
    ----------
    store : Store
        The stations.
    lookups : Lookups
        The objects that ids refer to.
    form : Form
        The form; its output is ``kml`` or ``xml``.
    choice : Choice
        The stations.
    now : datetime.datetime
        The time of the request.

    Returns
    -------
    list of bytes
        A ``Placemark`` or ``ChargePoint`` each.
    """
    plain = replace(form, verbose=True, camel=False)
    records = RecordWriter(store, lookups, plain, now).describe(choice)
    if form.output == "xml":
        make: Callable[..., ET.Element] = _make_charge_point
    else:
        make = _make_placemark if store.manner == "exact" else _make_doubly_escaped
    return [_write_element(make(record, lookups, form)) for record in records]


def _write_element(element: ET.Element) -> bytes:
    """Write an element on a line."""
    return strip_for_xml(ET.tostring(element, encoding="unicode")).encode() + b"\n"


def _add_element(parent: ET.Element, name: str, text: Any = None, **attributes: Any) -> ET.Element:  # noqa: ANN401
    """Add an element; values that are missing are left out."""
    given = {key: _write_value(value) for key, value in attributes.items() if value is not None}
    child = ET.SubElement(parent, name, given)
    child.text = None if text is None else _write_value(text)
    return child


def _write_value(value: Any) -> str:  # noqa: ANN401 - a text, number or flag
    return strip_for_xml(str(value).lower() if isinstance(value, bool) else str(value))


def _make_placemark(record: dict[str, Any], lookups: Lookups, form: Form) -> ET.Element:
    """Make a placemark whose balloon no contributor can turn into a page of their own."""
    address = record["AddressInfo"]
    placemark = ET.Element("Placemark", id=f"OCM-{record['ID']}")
    _add_element(placemark, "name", address["Title"] or "")
    lines = [html.escape(line) for line in _list_lines(record, lookups, form)]
    link = f'<a href="{SITE_URL}{record["ID"]}">OCM-{record["ID"]}</a>'
    _add_element(placemark, "description", "<br/>".join([*lines, link]))
    point = _add_element(placemark, "Point")
    _add_element(point, "coordinates", f"{address['Longitude']},{address['Latitude']}")
    return placemark


def _make_doubly_escaped(record: dict[str, Any], lookups: Lookups, form: Form) -> ET.Element:
    """Make a placemark whose texts are escaped once too often, as Open Charge Map's are."""
    placemark = _make_placemark(record, lookups, form)
    for name in ("name", "description"):
        element = placemark.find(name)
        if element is not None:
            element.text = html.escape(element.text or "", quote=False)
    return placemark


def _list_lines(record: dict[str, Any], lookups: Lookups, form: Form) -> list[str]:
    """List what a balloon says of a station."""
    address = record["AddressInfo"]
    lines = [join_address(address, lookups, form, is_exact=True)]
    lines += [text for text in (address["AccessComments"], record["GeneralComments"]) if text]
    lines += [describe_connection(item, lookups) for item in record["Connections"]]
    if not form.compact:
        lines += [
            lookups.title(table, record[key])
            for table, key in (
                ("status_types", "StatusTypeID"),
                ("usage_types", "UsageTypeID"),
                ("operators", "OperatorID"),
            )
        ]
    provider = lookups.find("data_providers", record["DataProviderID"]) or {}
    lines.append(f"{provider.get('Title') or ''} {provider.get('License') or ''}".strip())
    return [line for line in lines if line]


def _make_charge_point(record: dict[str, Any], lookups: Lookups, form: Form) -> ET.Element:
    """Make the element of a station; compact leaves out what comes from the objects of ids."""
    is_full = not form.compact
    point = ET.Element("ChargePoint")
    facts = {key: record[key] for key in ("ID", "UUID", "DateLastConfirmed")}
    if is_full:
        facts["OperatorID"] = record["OperatorID"]
        facts["OperatorTitle"] = lookups.title("operators", record["OperatorID"]) or None
        facts["DataProviderID"] = record["DataProviderID"]
    facts |= {key: record[key] for key in ("NumberOfPoints", "DataQualityLevel")}
    point.attrib.update({k: _write_value(v) for k, v in facts.items() if v is not None})
    _add_element(point, "GeneralComments", record["GeneralComments"])
    _add_address(point, record["AddressInfo"], lookups, form)
    _add_connections(point, record["Connections"], lookups, form)
    _add_element(point, "ChargerTypes")
    title = lookups.title("usage_types", record["UsageTypeID"]) if is_full else None
    _add_element(point, "UsageType", title or None, ID=record["UsageTypeID"] if is_full else None)
    _add_element(point, "UsageCost", record["UsageCost"])
    status = {"DateLastStatusUpdate": record["DateLastStatusUpdate"]}
    if is_full:
        title = lookups.title("status_types", record["StatusTypeID"])
        status = {"ID": record["StatusTypeID"], "Title": title or None, **status}
    _add_element(point, "StatusType", **status)
    comments = _add_element(point, "UserComments")
    for comment in record["UserComments"] or ():
        kept = ("ID", "CommentTypeID", "UserName", "Rating", "RelatedURL", "DateCreated")
        _add_element(
            comments, "UserComment", comment["Comment"], **{key: comment[key] for key in kept}
        )
    return point


def _add_address(point: ET.Element, address: dict[str, Any], lookups: Lookups, form: Form) -> None:
    """Add the address of a station."""
    element = _add_element(point, "AddressInfo")
    _add_element(element, "LocationTitle", address["Title"])
    for key in _TEXTS:
        _add_element(element, key, address[key])
    country = "" if form.compact else lookups.title("countries", address["CountryID"])
    _add_element(element, "Country", country or None)
    _add_element(element, "Latitude", address["Latitude"])
    _add_element(element, "Longitude", address["Longitude"])
    if address["Distance"] is not None:
        _add_element(
            element, "Distance", Unit=_UNITS[address["DistanceUnit"]], Value=address["Distance"]
        )


def _add_connections(
    point: ET.Element, connections: list[dict[str, Any]], lookups: Lookups, form: Form
) -> None:
    """Add the connections of a station."""
    element = _add_element(point, "Connections")
    for item in connections:
        facts = {"ID": item["ID"]}
        if not form.compact:
            facts["TypeID"] = item["ConnectionTypeID"]
            facts["TypeName"] = lookups.title("connection_types", item["ConnectionTypeID"]) or None
            facts["LevelID"] = item["LevelID"]
            facts["LevelName"] = lookups.title("levels", item["LevelID"]) or None
            facts["Status"] = lookups.title("status_types", item["StatusTypeID"]) or None
        facts |= {key: item[key] for key in ("Amps", "Voltage", "Quantity", "Reference")}
        _add_element(element, "ConnectionInfo", **facts)
