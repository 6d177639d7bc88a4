"""NOBIL, the register of Norway and Sweden: JSON of its API, version 3."""

from __future__ import annotations

import csv
import html
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.content import Document
from ocm_geo.registers.draft import Connector, Draft, Point, Site, transpose
from ocm_geo.registers.jsons import Excerpts, other_fields
from ocm_geo.registers.making import find_country_code
from ocm_geo.registers.values import Cleaner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocm_geo.registers.content import Content

__all__ = ["draft_nobil", "recognise_nobil"]

_USED = frozenset(
    {
        "id", "name", "Street", "House_number", "Zipcode", "City", "County", "Position",
        "Number_charging_points", "Created", "Updated", "Station_status", "Land_code",
        "International_id", "Operator", "User_comment", "Description_of_location", "Owned_by",
        # Written by hand, persons among them.
        "Contact_info",
    }
)  # fmt: skip
_POSITION = re.compile(r"\(?\s*([-+]?\d+(?:\.\d+)?)\s*,\s*([-+]?\d+(?:\.\d+)?)\s*\)?")
_TOLD_POWER = re.compile(r"(\d+(?:[.,]\d+)?)\s*kW(.*)", re.IGNORECASE)
_TOLD_CURRENTS = (("dc", 30), ("3-phase", 20), ("1-phase", 10))
_ELECTRIC, _LORRY, _FIXED = "1", "10", "1"


def recognise_nobil(content: Content) -> bool:
    """Return whether a file is an answer or a dump of NOBIL."""
    return isinstance(content, Document) and _find_stations(content.value) is not None


def _find_stations(value: Any) -> list[Any] | None:  # noqa: ANN401 - any JSON
    """Return the list of stations of any envelope."""
    if isinstance(value, dict):
        found = value.get("chargerstations")
        if isinstance(found, list):
            return found
        return [value] if "csmd" in value else None
    is_dump = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    return value if is_dump and "csmd" in value[0] else None


class _Reader:
    """Gathers the stations of all files."""

    def __init__(self) -> None:
        self.clean, self.unknown, self.seen = Cleaner("Europe/Oslo"), Counter[str](), Excerpts()
        self.codes = load_codes("nobil")
        self.sites: list[Site] = []
        self.points: list[Point] = []
        self.connectors: list[Connector] = []
        self.n_other_fuels = 0

    def add(self, station: Any, place: tuple[str, int]) -> None:  # noqa: ANN401 - any JSON
        """Read a station with its connectors."""
        self.seen.n_read += 1
        if not isinstance(station, dict):
            self.seen.reject(place, "not an object", station)
            return
        clean = self.clean
        facts = clean.dict(station.get("csmd"), "csmd")
        attr = clean.dict(station.get("attr"), "attr")
        at_station = self._attributes(attr.get("st"))
        open_always = at_station.get("24", {}).get("attrvalid")
        at = _POSITION.fullmatch(str(facts.get("Position") or "").strip())
        street = self._text(facts, "Street", "address")
        number = self._text(facts, "House_number", "address")
        country = self._text(facts, "Land_code", "country_code")
        self.sites.append(
            Site(
                self._text(facts, "International_id", "station_id")
                or self._text(facts, "id", "station_id"),
                float(at[2]) if at else None,
                float(at[1]) if at else None,
                self._text(facts, "name", "title"),
                f"{street} {number}" if street and number else street,
                self._text(facts, "City", "town"),
                self._text(facts, "County", "state"),
                self._text(facts, "Zipcode", "postcode"),
                find_country_code(country) if country else None,
                self._text(facts, "Operator", "operator")
                or self._text(facts, "Owned_by", "operator"),
                self.codes.find("access", at_station.get("2", {}).get("attrvalid"), self.unknown),
                self.codes.find("status", facts.get("Station_status"), self.unknown),
                clean.whole(facts.get("Number_charging_points"), "n_points"),
                updated=clean.time(facts.get("Updated"), "date_last_status_update"),
                created=clean.time(facts.get("Created"), "date_created"),
                access_comments="24/7" if open_always == "1" else None,
                general_comments=self._text(facts, "Description_of_location", "general_comments"),
                extra=other_fields(facts, _USED),
                origin=place[0],
                position=place[1],
            )
        )  # fmt: skip
        given = attr.get("conn")
        numbered = given.values() if isinstance(given, dict) else clean.list(given, "conn")
        for connector in numbered:
            self._add_connector(self._attributes(connector))

    def _text(self, facts: dict[str, Any], key: str, name: str) -> str | None:
        found = self.clean.text(facts.get(key), name)
        return None if found is None else html.unescape(found).strip() or None

    def _attributes(self, given: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - any JSON
        """Return attributes by the number of their type."""
        rows = given.values() if isinstance(given, dict) else self.clean.list(given, "attr")
        found = [row for row in rows if isinstance(row, dict)]
        return {
            str(row.get("attrtypeid")): {**row, "attrvalid": str(row.get("attrvalid"))}
            for row in found
        }

    def _add_connector(self, attributes: dict[str, dict[str, Any]]) -> None:
        """Add a connector: a charging point of its own, unless it is for another fuel."""
        code = attributes.get("4", {}).get("attrvalid")
        carrier = attributes.get("26", {}).get("attrvalid", _ELECTRIC)
        if carrier not in {_ELECTRIC, "0"} or code in self.codes.names("not_electric"):
            self.n_other_fuels += 1
            return
        power, current = self._read_power(attributes.get("5", {}))
        evse = next((t for a in attributes.values() if (t := _evse_id_of(a))), None)
        heavy = attributes.get("17", {}).get("attrvalid")
        self.points.append(
            Point(len(self.sites) - 1, evse, power_kw=power,
                  heavy_vehicle_bay=None if heavy is None else heavy == _LORRY)
        )  # fmt: skip
        fixed = f"{code} fixed"
        if attributes.get("25", {}).get("attrvalid") == _FIXED and fixed in self.codes.names(
            "connector"
        ):
            code = fixed
        for kind in self.codes.find_all("connector", code, self.unknown):
            told = str(attributes.get("4", {}).get("trans") or code)
            comments = None if kind else f"Unknown ({html.unescape(told)[:60]})"
            self.connectors.append(
                Connector(len(self.points) - 1, kind, current, None, power, comments=comments)
            )

    def _read_power(self, capacity: dict[str, Any]) -> tuple[float | None, int | None]:
        """Return power and current: of the class of capacity, else as its text says."""
        code = str(capacity.get("attrvalid"))
        if code in _load_powers():
            return _load_powers()[code]
        told = _TOLD_POWER.search(str(capacity.get("trans") or ""))
        if told is None:
            if code not in {"None", "0"}:
                self.unknown[f"capacity {code[:40]}"] += 1
            return None, None
        word = told[2].casefold()
        current = next((code for sign, code in _TOLD_CURRENTS if sign in word), None)
        return float(told[1].replace(",", ".")), current


def _evse_id_of(attribute: dict[str, Any]) -> str | None:
    """Return the EVSE id that an attribute holds, if it is one of that kind."""
    is_one = "evse" in str(attribute.get("attrname")).casefold()
    return str(attribute.get("attrval") or "") if is_one else None


@cache
def _load_powers() -> dict[str, tuple[float | None, int | None]]:
    """Return the power and current that each class of capacity means."""
    path = files("ocm_geo.registers") / "codes" / "nobil_power.csv"
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {row["code"]: (float(row["power_kw"]), int(row["current_type_id"])) for row in rows}


def draft_nobil(contents: Sequence[Content]) -> Draft:
    """Read the stations of NOBIL."""
    reader = _Reader()
    for content in contents:
        assert isinstance(content, Document)  # noqa: S101 - recognised before
        for position, station in enumerate(_find_stations(content.value) or []):
            reader.add(station, (content.origin, position))
    notes = {"n_connectors_other_fuels": reader.n_other_fuels} if reader.n_other_fuels else {}
    return Draft(
        "station", reader.seen.n_read, transpose(reader.sites, Site),
        transpose(reader.points, Point), transpose(reader.connectors, Connector),
        reader.seen.rejects, reader.clean.wrong, reader.unknown, notes, unique_evse_ids=False,
    )  # fmt: skip
