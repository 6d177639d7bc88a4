"""OCPI locations of versions 2.1.1 to 3.0: answers, pages, arrays, single locations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.content import Document
from ocm_geo.registers.draft import Connector, Draft, Point, Site, transpose
from ocm_geo.registers.jsons import Excerpts, other_fields
from ocm_geo.registers.making import find_country_code
from ocm_geo.registers.powers import FROM_V_A, power_from_volts
from ocm_geo.registers.values import Cleaner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocm_geo.registers.content import Content

__all__ = ["draft_ocpi", "recognise_ocpi"]

_ENVELOPES = ("data", "items", "Locations", "locations")
_EVSES = ("evses", "Evses")
_DEVICES = ("charging_stations", "chargingStations", "charging_pool", "charging_pools")
_HEAVY = ("TRUCK", "LORRY", "HEAVY", "DISTRIBUTION_VAN", "TRAILER", "LONG_TRUCK")
_USED = frozenset(
    {
        "id", "locationId", "ocpiId", "country_code", "party_id", "coordinates", "latitude",
        "longitude", "name", "address", "city", "state", "postal_code", "postalCode", "country",
        "operator", "operatorName", "suboperator", "owner", "publish", "publish_allowed_to",
        "last_updated", "lastUpdated", "opening_times", "twentyFourSeven", "evses", "maxPowerKw",
        "help_phone", *_DEVICES,
    }
)  # fmt: skip
_EVSE_USED = frozenset({"uid", "evse_id", "id", "status", "connectors", "last_updated"})
_ONE_PHASE_KW = 7.4
_AC_ONE_PHASE, _AC_THREE_PHASE, _DC = 10, 20, 30


def recognise_ocpi(content: Content) -> bool:
    """Return whether a file holds OCPI locations."""
    if not isinstance(content, Document):
        return False
    for location in _list_locations(content.value):
        return isinstance(location, dict) and any(key in location for key in (*_EVSES, *_DEVICES))
    value = content.value
    # An answer without a location is one all the same.
    return isinstance(value, dict) and any(value.get(key) == [] for key in _ENVELOPES)


def _list_locations(value: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    """Yield the locations of any envelope: an answer, a page, an array, a dictionary, or one."""
    if isinstance(value, list):
        for member in value:
            # Pages that were put into one array.
            is_page = isinstance(member, dict) and isinstance(member.get("data"), list)
            yield from _list_locations(member["data"]) if is_page else [member]
        return
    if not isinstance(value, dict):
        return
    for key in _ENVELOPES:
        if isinstance(value.get(key), list | dict):
            yield from _list_locations(value[key])
            return
    if any(key in value for key in (*_EVSES, *_DEVICES)):
        yield value
    elif value and all(isinstance(member, dict) for member in value.values()):
        yield from value.values()


class _Reader:
    """Gathers the locations of all files."""

    def __init__(self) -> None:
        self.clean = Cleaner()
        self.unknown: Counter[str] = Counter()
        self.seen = Excerpts()
        self.sites: list[Site] = []
        self.points: list[Point] = []
        self.connectors: list[Connector] = []
        self.codes = load_codes("ocpi")
        self.silent: Counter[str] = Counter()
        self._parties: list[str | None] = []

    def add(self, location: Any, place: tuple[str, int]) -> None:  # noqa: ANN401 - any JSON
        """Read a location with its charging points."""
        self.seen.n_read += 1
        if not isinstance(location, dict):
            self.seen.reject(place, "not an object", location)
            return
        clean = self.clean
        at = clean.dict(location.get("coordinates"), "coordinates") or location
        hours = clean.dict(location.get("opening_times"), "opening_times")
        open_always = hours.get("twentyfourseven", location.get("twentyFourSeven"))
        self.sites.append(
            Site(
                self._read_id(location),
                clean.number(at.get("longitude"), "lon"),
                clean.number(at.get("latitude"), "lat"),
                clean.text(location.get("name"), "title"),
                clean.text(location.get("address"), "address"),
                clean.text(location.get("city"), "town"),
                clean.text(location.get("state"), "state"),
                clean.text(location.get("postal_code", location.get("postalCode")), "postcode"),
                self._read_country(location),
                self._read_operator(location),
                self._read_usage(location),
                updated=clean.time(
                    location.get("last_updated", location.get("lastUpdated")),
                    "date_last_status_update",
                ),
                access_comments="24/7" if open_always is True else None,
                phone=clean.text(location.get("help_phone"), "phone"),
                extra=other_fields(location, _USED),
                origin=place[0],
                position=place[1],
            )
        )
        self._add_evses(location, None)
        for key in _DEVICES:
            for device in clean.list(location.get(key), key):
                facts = clean.dict(device, key)
                self._add_evses(facts, clean.text(facts.get("id"), "device_id"))

    def _read_id(self, location: dict[str, Any]) -> str | None:
        """Read the id of a location, and note the party that it belongs to."""
        own = self.clean.text(location.get("id", location.get("locationId")), "station_id")
        country, party = location.get("country_code"), location.get("party_id")
        known = isinstance(country, str) and isinstance(party, str)
        self._parties.append(f"{country}*{party}" if known else None)
        return own

    def take_sites(self) -> list[Site]:
        """Return the stations; ids that several parties use have the party before them."""
        users: dict[str, set[str | None]] = {}
        for site, party in zip(self.sites, self._parties, strict=True):
            users.setdefault(site.station_id, set()).add(party)
        return [
            site._replace(station_id=f"{party}*{site.station_id}")
            if party and len(users[site.station_id]) > 1 else site
            for site, party in zip(self.sites, self._parties, strict=True)
        ]  # fmt: skip

    def _read_country(self, location: dict[str, Any]) -> str | None:
        """Read the country of a location by code or name."""
        word = self.clean.text(
            location.get("country") or location.get("country_code"), "country_code"
        )
        return None if word is None else find_country_code(word)

    def _read_operator(self, location: dict[str, Any]) -> str | None:
        """Read the name of the operator: of the first party that has one."""
        for key in ("operator", "operatorName", "suboperator", "owner"):
            value = location.get(key)
            name = value.get("name") if isinstance(value, dict) else value
            if isinstance(name, str) and name.strip():
                return name.strip()
        return None

    def _read_usage(self, location: dict[str, Any]) -> int | None:
        """Return the access: a location that is not published is not public."""
        if location.get("publish") is False:
            return 2
        return 6 if location.get("publish_allowed_to") else None

    def _add_evses(self, owner: dict[str, Any], device: str | None) -> None:
        """Add the charging points of a location."""
        clean = self.clean
        for given in clean.list(owner.get("evses", owner.get("Evses")), "evses"):
            evse = clean.dict(given, "evses")
            uid = clean.text(evse.get("uid"), "uid")
            status = clean.text(evse.get("status"), "status_type_id")
            bays = evse.get("parking_restrictions") or evse.get("vehicle_types") or ()
            self.points.append(
                Point(
                    len(self.sites) - 1,
                    clean.text(evse.get("evse_id") or evse.get("id"), "evse_id") or uid,
                    device or uid,
                    status_type_id=self.codes.find("status", status, self.unknown),
                    heavy_vehicle_bay=any(str(bay).upper() in _HEAVY for bay in bays) or None
                    if isinstance(bays, list) else None,
                    updated=clean.time(evse.get("last_updated"), "date_last_status_update"),
                    extra=other_fields(evse, _EVSE_USED),
                )
            )  # fmt: skip
            for connector in clean.list(evse.get("connectors"), "connectors"):
                self._add_connector(clean.dict(connector, "connectors"))

    def _add_connector(self, given: dict[str, Any]) -> None:
        """Add a connector; those not for cars are counted."""
        clean = self.clean
        standard = clean.text(given.get("standard"), "connector") or ""
        if standard.casefold() in self.codes.names("vehicle"):
            self.silent[standard] += 1
            return
        form = f"{standard} {str(given.get('format', '')).strip()}"
        with_form = form.casefold() in self.codes.names("connector")
        kind = self.codes.find("connector", form if with_form else standard, self.unknown)
        volts = clean.number(given.get("max_voltage", given.get("voltage")), "voltage")
        amps = clean.number(
            given.get("max_amperage", given.get("amperage", given.get("ampere"))), "amps"
        )
        current = self.codes.find("current", given.get("power_type"), self.unknown)
        power, told = self._read_power(given, volts, amps, current)
        if kind == 0:
            told = f"Unknown ({standard[:60]})" + (f"; {told}" if told else "")
        self.connectors.append(
            Connector(
                len(self.points) - 1, kind, current or None, None, power, amps, volts,
                reference=clean.text(given.get("id"), "reference"), comments=told,
            )
        )  # fmt: skip

    def _read_power(
        self, given: dict[str, Any], volts: float | None, amps: float | None, current: int | None
    ) -> tuple[float | None, str | None]:
        """Return the power of a connector, and how it was found where it is not stated."""
        watts = self.clean.number(given.get("max_electric_power"), "connections.power_kw")
        if watts:
            # Some publishers write kilowatts into this field; no connector has less than 1 kW.
            return (watts / 1000, None) if watts >= 1000 else (watts, None)  # noqa: PLR2004 - W
        kilowatts = self.clean.number(given.get("max_power"), "connections.power_kw")
        if kilowatts:
            return (kilowatts / 1000 if kilowatts > 1000 else kilowatts), None  # noqa: PLR2004 - W
        power = power_from_volts(volts, amps, current)
        return power, None if power is None else FROM_V_A


def draft_ocpi(contents: Sequence[Content]) -> Draft:
    """Read the locations of OCPI."""
    reader = _Reader()
    for content in contents:
        assert isinstance(content, Document)  # noqa: S101 - recognised before
        for position, location in enumerate(_list_locations(content.value)):
            reader.add(location, (content.origin, position))
    notes = {"n_connectors_not_for_cars": sum(reader.silent.values())} if reader.silent else {}
    return Draft(
        "station", reader.seen.n_read, transpose(reader.take_sites(), Site),
        transpose(reader.points, Point), transpose(reader.connectors, Connector),
        reader.seen.rejects, reader.clean.wrong, reader.unknown, notes,
    )  # fmt: skip
