"""The objects that ids refer to, in the form of the API: in records and as reference data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ocm_geo.server.plain import drop_nulls, rename_in_camel_case
from ocm_geo.server.store import NONE

if TYPE_CHECKING:
    from ocm_geo.reference import ReferenceData
    from ocm_geo.server.store import Store

__all__ = ["REFERENCE_KEYS", "Lookups", "list_reference_data"]

_CONNECTION_TYPES = "connection_types"

_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "data_providers": (
        ("WebsiteURL", "website_url"),
        ("Comments", ""),
        ("DataProviderStatusType", ""),
        ("IsRestrictedEdit", "is_restricted_edit"),
        ("IsOpenDataLicensed", "is_open_data_licensed"),
        ("IsApprovedImport", ""),
        ("License", "license"),
        ("DateLastImported", ""),
    ),
    "operators": (
        ("WebsiteURL", "website_url"),
        ("Comments", ""),
        ("PhonePrimaryContact", "phone"),
        ("PhoneSecondaryContact", ""),
        ("IsPrivateIndividual", "is_private_individual"),
        ("AddressInfo", ""),
        ("BookingURL", ""),
        ("ContactEmail", "contact_email"),
        ("FaultReportEmail", ""),
        ("IsRestrictedEdit", ""),
    ),
    "usage_types": (
        ("IsPayAtLocation", "is_pay_at_location"),
        ("IsMembershipRequired", "is_membership_required"),
        ("IsAccessKeyRequired", "is_access_key_required"),
    ),
    "status_types": (
        ("IsOperational", "is_operational"),
        ("IsUserSelectable", "is_user_selectable"),
    ),
    "submission_status_types": (("IsLive", "is_live"),),
    "countries": (("ISOCode", "iso_code"), ("ContinentCode", "continent_code")),
    "connection_types": (
        ("FormalName", "formal_name"),
        ("IsDiscontinued", "is_discontinued"),
        ("IsObsolete", "is_obsolete"),
    ),
    "current_types": (("Description", "description"),),
    "levels": (("Comments", "comments"), ("IsFastChargeCapable", "is_fast_charge_capable")),
    "comment_types": (),
    "checkin_status_types": (
        ("IsPositive", "is_positive"),
        ("IsAutomatedCheckin", "is_automated"),
    ),
}
"""The fields of each object in the order of the API; "" where reference data do not keep one."""

REFERENCE_KEYS = {
    "ChargerTypes": "levels",
    "ConnectionTypes": "connection_types",
    "CurrentTypes": "current_types",
    "Countries": "countries",
    "DataProviders": "data_providers",
    "Operators": "operators",
    "StatusTypes": "status_types",
    "SubmissionStatusTypes": "submission_status_types",
    "UsageTypes": "usage_types",
    "UserCommentTypes": "comment_types",
    "CheckinStatusTypes": "checkin_status_types",
}
"""The tables of ``/v3/referencedata``."""

_DATA_TYPES = {
    1: "Single Line Text",
    2: "Multi Line Text",
    3: "Number",
    4: "Date",
    5: "Boolean",
    10: "Option List",
}


class Lookups:
    """
    The objects that ids refer to.

    Parameters
    ----------
    reference : ReferenceData
        The tables.
    """

    def __init__(self, reference: ReferenceData) -> None:
        self._tables = {name: _list_objects(reference, name) for name in _FIELDS}
        self._encoded: dict[tuple[str, int, bool, bool], msgspec.Raw] = {}

    def find(self, table: str, code: int | None) -> dict[str, Any] | None:
        """Return the object of an id, nulls included; None for an unknown or missing id."""
        return None if code is None else self._tables[table].get(code)

    def encode(
        self, table: str, code: int | None, *, verbose: bool, in_camel_case: bool
    ) -> msgspec.Raw | None:
        """Return the object of an id as JSON; each is made once."""
        found: Any = self.find(table, code)
        if found is None or code is None:
            return None
        key = (table, code, verbose, in_camel_case)
        if key not in self._encoded:
            found = found if verbose else drop_nulls(found)
            found = rename_in_camel_case(found) if in_camel_case else found
            self._encoded[key] = msgspec.Raw(msgspec.json.encode(found))
        return self._encoded[key]

    def title(self, table: str, code: int | None) -> str:
        """Return the title of an id; "" for an unknown or missing one."""
        found = self.find(table, code)
        return "" if found is None else found["Title"] or ""

    def list_all(self, table: str) -> list[dict[str, Any]]:
        """Return all objects of a table; operators by title, as the server sorts them."""
        found = list(self._tables[table].values())
        return sorted(found, key=lambda o: o["Title"] or "") if table == "operators" else found


def _list_objects(reference: ReferenceData, name: str) -> dict[int, dict[str, Any]]:
    """Make the objects of a table."""
    table = reference.table(name)
    plain = table.astype(object).where(table.notna(), None)
    columns = {key: plain[column].tolist() for key, column in _FIELDS[name] if column}
    objects = {}
    for row, (code, title) in enumerate(zip(table.index.tolist(), plain["title"], strict=True)):
        fields = {key: columns[key][row] if column else None for key, column in _FIELDS[name]}
        objects[int(code)] = {**fields, "ID": int(code), "Title": title}
    return objects


def list_reference_data(
    store: Store, lookups: Lookups, countries: tuple[int, ...] | None
) -> dict[str, Any]:
    """
    List the reference data as ``/v3/referencedata`` does.

    Parameters
    ----------
    store : Store
        The stations.
    lookups : Lookups
        The objects.
    countries : tuple of int, optional
        Country ids: connection types are then those of their published stations.

    Returns
    -------
    dict
        Tables by name, and templates of what is submitted.
    """
    document: dict[str, Any] = {
        key: lookups.list_all(table) for key, table in REFERENCE_KEYS.items()
    }
    if countries is not None:
        used = _find_types_used(store, countries)
        document["ConnectionTypes"] = [t for t in document["ConnectionTypes"] if t["ID"] in used]
    document["DataTypes"] = [{"ID": i, "Title": title} for i, title in _DATA_TYPES.items()]
    document["MetadataGroups"] = []
    document |= {"UserProfile": None, "ChargePoint": None, "UserComment": None}
    return document


def _find_types_used(store: Store, countries: tuple[int, ...]) -> set[int]:
    """Find the connection types of the published stations of some countries."""
    inside = store.shown & np.isin(store.codes["country_id"], countries)
    rows, _ = store.connections.rows_of(np.flatnonzero(inside))
    return set(np.unique(store.connections.type_id[rows]).tolist()) - {NONE}
