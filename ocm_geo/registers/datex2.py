"""DATEX II energy infrastructure: JSON and XML, static tables and states of charging points."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.content import Document, Markup
from ocm_geo.registers.draft import Connector, Draft, Point, Site, transpose
from ocm_geo.registers.jsons import Excerpts
from ocm_geo.registers.making import find_country_code
from ocm_geo.registers.powers import FROM_V_A, power_from_volts
from ocm_geo.registers.states import add_states, keep_newest
from ocm_geo.registers.trees import find_first, iterate_elements, plain_tree, root_words
from ocm_geo.registers.values import MOMENT, Cleaner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocm_geo.registers.content import Content

__all__ = ["draft_datex2", "recognise_datex2"]

_SITE, _SITE_STATUS = "energyInfrastructureSite", "energyInfrastructureSiteStatus"
_MARK = "nergyInfrastructure"
_EVSE_ID = re.compile(r"[A-Za-z]{2}[*.\-]?[A-Za-z0-9]{3}[*.\-]?[Ee][A-Za-z0-9*.\-_]{1,36}")
_HEAVY = re.compile(
    r"\b(n2|n3|lorry|heavygoodsvehicle|heavyvehicle|articulatedvehicle|truck)", re.IGNORECASE
)
_LABEL = re.compile(r"\s*(\w+)\s*:\s*(.*)", re.DOTALL)
_DIGITS = re.compile(r"\d{5,}")
_LABELS = {
    "dirección": "street", "direccion": "street", "municipio": "city", "provincia": "state",
    "address": "street", "localidad": "city",
}  # fmt: skip
_ONE_PHASE_KW, _LINE_VOLTS = 7.4, 380.0
_SMALLEST_W = 1000.0
_DC_TYPES, _TYPE_2 = (2, 32, 33), (25, 1036)
_AC_ONE_PHASE, _AC_THREE_PHASE, _DC = 10, 20, 30


def recognise_datex2(content: Content) -> bool:
    """Return whether a file is DATEX II of energy infrastructure."""
    if isinstance(content, Markup):
        return _MARK in root_words(content.data) and "d2LogicalModel" not in root_words(
            content.data
        )
    return isinstance(content, Document) and bool(_names_within(content.value, 5))


def _names_within(value: Any, depth: int) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a name of energy infrastructure stands near the root."""
    if isinstance(value, list):
        return any(_names_within(member, depth - 1) for member in value[:3])
    if not isinstance(value, dict) or depth == 0:
        return False
    return any(_MARK in key for key in value) or any(
        _names_within(member, depth - 1) for member in value.values()
    )


def _sites_of(content: Content) -> Iterator[tuple[str, Any]]:
    """Yield the sites and the states of sites of a document, and the times of publication."""
    if isinstance(content, Markup):
        names = {_SITE, _SITE_STATUS, "publicationTime"}
        yield from iterate_elements(content.data, names, content.origin)
    elif isinstance(content, Document):
        tree = plain_tree(content.value)
        yield "publicationTime", find_first(tree, "publicationTime")
        for name in (_SITE, _SITE_STATUS):
            for site in _iter_members(tree, name):
                yield name, site


def _iter_members(tree: Any, name: str) -> Iterator[Any]:  # noqa: ANN401 - any tree
    """Yield the members of a name at any depth, one by one where they are lists."""
    if isinstance(tree, list):
        for member in tree:
            yield from _iter_members(member, name)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key == name:
                yield from value if isinstance(value, list) else [value]
            else:
                yield from _iter_members(value, name)


class _Reader:
    """Gathers the sites and states of all documents."""

    def __init__(self) -> None:
        self.clean, self.unknown, self.seen = Cleaner(), Counter[str](), Excerpts()
        self.codes = load_codes("datex2")
        self.sites: list[Site] = []
        self.points: list[Point] = []
        self.connectors: list[Connector] = []
        self.states: list[tuple[str | None, int | None, int | None]] = []
        self.n_states = 0
        self.date = ""
        self.notes: Counter[str] = Counter()

    def add(self, site: Any, place: tuple[str, int]) -> None:  # noqa: ANN401 - any tree
        """Read a site with its stations and charging points."""
        self.seen.n_read += 1
        clean = self.clean
        if not isinstance(site, dict):
            self.seen.reject(place, "not an object", site)
            return
        stations = [s for s in clean.list(site.get("energyInfrastructureStation"), "stations")
                    if isinstance(s, dict)]  # fmt: skip
        if not stations:
            self.seen.reject(place, "no station", site.get("id"))
            return
        lon, lat = self._read_position(site, stations)
        address = self._read_address(site, stations)
        caps = [self._watts(s.get("totalMaximumPower"), "site_power_kw") for s in stations]
        names = [self._name_of(tree, "operator") for tree in (site, *stations)]
        open_always = find_first(site, "openAllHours", "operatingHours")
        updated = next(
            (t for t in (site.get("lastUpdated"), site.get("version")) if _is_time(t)), None
        )
        self.sites.append(
            Site(
                clean.text(site.get("id"), "station_id"),
                lon,
                lat,
                self._title(site),
                address.get("street"),
                address.get("city"),
                address.get("state"),
                address.get("postcode"),
                find_country_code(address["country"]) if address.get("country") else None,
                next((name for name in names if name), None),
                self._read_usage(site),
                site_power_kw=None if None in caps else sum(cap or 0.0 for cap in caps),
                n_heavy_vehicle_bays=self._count_heavy([site, *stations]),
                updated=clean.time(updated, "date_last_status_update"),
                access_comments="24/7" if _is_always(open_always) else None,
                extra=_registry_ids(stations),
                origin=place[0],
                position=place[1],
            )
        )
        for station in stations:
            self._add_station(station)

    def _read_position(
        self, site: dict[str, Any], stations: list[dict[str, Any]]
    ) -> tuple[float | None, float | None]:
        """Return the position of a site, else of its first station, else of its entrance."""
        own = {
            k: v for k, v in site.items() if k not in {"energyInfrastructureStation", "entrance"}
        }
        for tree in (own, *stations, site.get("entrance")):
            at = find_first(tree, "pointCoordinates", "coordinatesForDisplay")
            at = at[0] if isinstance(at, list) and at else at
            if isinstance(at, dict):
                lon = self.clean.number(at.get("longitude"), "lon")
                lat = self.clean.number(at.get("latitude"), "lat")
                if lon is not None and lat is not None:
                    return lon, lat
        return None, None

    def _read_address(
        self, site: dict[str, Any], stations: list[dict[str, Any]]
    ) -> dict[str, str | None]:
        """Read the address of a site from its own members, else from its stations'."""
        own = {
            k: v
            for k, v in site.items()
            if k not in {"energyInfrastructureStation", "operator", "helpdesk"}
        }
        given = find_first(own, "address") or find_first(stations, "address")
        facts = given if isinstance(given, dict) else {}
        lines = [line for line in self.clean.list(facts.get("addressLine"), "address")
                 if isinstance(line, dict)]  # fmt: skip
        lines.sort(key=lambda line: str(line.get("order", "")))
        found: dict[str, str | None] = {}
        for line in lines:
            text = self.clean.text(line.get("text"), "address")
            if text is None:
                continue
            label = _LABEL.fullmatch(text)
            kind = str(line.get("type"))
            if label and label[1].casefold() in _LABELS:
                found.setdefault(_LABELS[label[1].casefold()], label[2].strip() or None)
            elif kind == "houseNumber" and found.get("street"):
                found["street"] = f"{found['street']} {text}"
            else:
                found.setdefault("street", text)
        for name, key in (("city", "city"), ("postcode", "postcode"), ("country", "countryCode")):
            found[name] = self.clean.text(facts.get(key), name) or found.get(name)
        return found

    def _name_of(self, tree: dict[str, Any], key: str) -> str | None:
        """Return the name of an organisation, however it is wrapped."""
        name = find_first(tree.get(key), "name", "legalName")
        name = name[0] if isinstance(name, list) and name else name
        return self.clean.text(name, key)

    def _title(self, site: dict[str, Any]) -> str | None:
        """Return the name of a site, else its description."""
        told = (site.get("name"), site.get("additionalInformation"), site.get("description"))
        for value in told:
            first = value[0] if isinstance(value, list) and value else value
            if isinstance(first, str) and first.strip():
                return " ".join(first.split())
        return None

    def _read_usage(self, site: dict[str, Any]) -> int | None:
        """Return the access: who may use a site exclusively, if it says so."""
        users = find_first(site, "exclusiveUsers")
        if users is None:
            return None
        listed = users if isinstance(users, list) else [users]
        return 1 if "allUsers" in listed else 6

    def _count_heavy(self, trees: list[dict[str, Any]]) -> int | None:
        """Count the bays for heavy vehicles; None where no bay says for whom it is."""
        told, heavy = False, 0
        for tree in trees:
            for bay in self.clean.list(tree.get("dedicatedParkingSpaces"), "bays"):
                vehicles = bay.get("applicableForVehicles") if isinstance(bay, dict) else None
                if vehicles is None:
                    continue
                told = True
                if _HEAVY.search(str(vehicles)):
                    heavy += self.clean.whole(bay.get("numberOfSpaces", 1), "bays") or 1
        return heavy if told else None

    def _watts(self, value: Any, name: str) -> float | None:  # noqa: ANN401 - any tree
        """Return a power in kW; below 1 kW the publisher wrote kW where W are due."""
        watts = self.clean.positive(value, name)
        return None if watts is None else watts / 1000 if watts >= _SMALLEST_W else watts

    def _add_station(self, station: dict[str, Any]) -> None:
        """Add a station with its charging points."""
        clean = self.clean
        given = clean.list(station.get("refillPoint"), "refillPoint")
        points = [_unwrap_point(p) for p in given if isinstance(p, dict)]
        stated = clean.whole(station.get("numberOfRefillPoints"), "n_points")
        if stated is not None and stated != len(points):
            self.notes["n_stations_points_differ"] += 1
        heavy = self._count_heavy([station])
        for point in points:
            settings = clean.list(_wrap_in_list(point.get("availableChargingPower")), "power_kw")
            powers = [p for p in (self._watts(v, "power_kw") for v in settings) if p]
            ids = [point, *clean.list(point.get("connector"), "connector")]
            if len(points) == 1:
                ids.append(station)
            self.points.append(
                Point(
                    len(self.sites) - 1,
                    _find_evse_id(ids) or clean.text(point.get("id"), "evse_id"),
                    clean.text(station.get("id"), "device_id"),
                    max(powers, default=None),
                    heavy_vehicle_bay=None if heavy is None else heavy > 0,
                    updated=clean.time(point.get("lastUpdated"), "date_last_status_update"),
                )
            )
            for connector in clean.list(point.get("connector"), "connector"):
                if isinstance(connector, dict):
                    self._add_connector(connector, point)

    def _add_connector(self, given: dict[str, Any], point: dict[str, Any]) -> None:
        """Add a connector of a charging point; those not for cars are counted."""
        clean = self.clean
        word = clean.text(given.get("connectorType"), "connector")
        if word is not None and word.casefold() in self.codes.names("vehicle"):
            self.notes["n_connectors_not_for_cars"] += 1
            return
        form = str(given.get("cableMode", given.get("connectorFormat", "")))
        cable = word is not None and form in {
            "mode2",
            "mode3",
            "cableMode2",
            "cableMode3",
            "fixedCable",
        }
        key = (
            f"{word} cable"
            if cable and f"{word} cable".casefold() in self.codes.names("connector")
            else word
        )
        kind = self.codes.find("connector", key, self.unknown)
        volts = clean.number(given.get("voltage"), "voltage")
        amps = clean.number(given.get("maximumCurrent"), "amps")
        power = self._watts(given.get("maxPowerAtSocket"), "connections.power_kw")
        current = self._read_current(given, point, (power, volts, kind))
        told = None if kind else f"Unknown ({(word or '')[:60]})" if word else None
        if power is None and (power := power_from_volts(volts, amps, current)) is not None:
            told = f"{told}; {FROM_V_A}" if told else FROM_V_A
        self.connectors.append(
            Connector(len(self.points) - 1, kind, current, None, power, amps, volts, comments=told)
        )

    def _read_current(
        self,
        given: dict[str, Any],
        point: dict[str, Any],
        facts: tuple[float | None, float | None, int | None],
    ) -> int | None:
        """Return the current: as the point says, else as the mode of charging does."""
        power, volts, kind = facts
        word = str(given.get("currentType") or point.get("currentType") or "").casefold()
        mode = _take_first_item(given.get("chargingMode") or point.get("chargingMode"))
        by_mode = self.codes.find("mode", mode, Counter()) or None
        if word == "dc" or kind in _DC_TYPES:
            return _DC
        if word == "ac" and by_mode in (None, _DC):
            if (power or 0) > _ONE_PHASE_KW or (volts or 0) >= _LINE_VOLTS:
                return _AC_THREE_PHASE
            return _AC_ONE_PHASE if power else None
        if by_mode is None and kind in _TYPE_2 and power:
            return _AC_THREE_PHASE if power > _ONE_PHASE_KW else _AC_ONE_PHASE
        return by_mode

    def add_states(self, site: Any) -> None:  # noqa: ANN401 - any tree
        """Read the states of the charging points of a site."""
        for point in _iter_members(site, "refillPointStatus"):
            facts = _unwrap_point(point) if isinstance(point, dict) else {}
            reference = facts.get("reference")
            key = reference.get("id") if isinstance(reference, dict) else None
            word = self.clean.text(facts.get("status"), "status_type_id")
            moment = facts.get("lastUpdated") or find_first(site, "lastUpdated")
            self.states.append(
                (
                    self.clean.text(key, "evse_id"),
                    self.codes.find("status", word, self.unknown),
                    self.clean.time(moment, "date_last_status_update"),
                )
            )


def _take_first_item(value: Any) -> Any:  # noqa: ANN401 - any tree
    return value[0] if isinstance(value, list) and value else value


def _wrap_in_list(value: Any) -> list[Any]:  # noqa: ANN401 - any tree
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_time(value: object) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) is not None


def _is_always(hours: object) -> bool:
    """Return whether hours say that a site is always open."""
    return hours == {} or "24/7" in str(hours)[:200] or "openAllHours" in str(hours)[:200]


def _unwrap_point(point: dict[str, Any]) -> dict[str, Any]:
    """Return a charging point without the member that names its kind."""
    inner = [v for k, v in point.items() if isinstance(v, dict) and k.endswith(
        ("hargingPoint", "efillPoint", "PointStatus", "hargingPointStatus"))]  # fmt: skip
    return (
        inner[0]
        if len(inner) == 1 and "connector" not in point and "status" not in point
        else point
    )


def _find_evse_id(trees: Sequence[Any]) -> str | None:
    """Return the EVSE id of a point: an identifier of that kind, else an id or name in its form."""
    for tree in trees:
        if isinstance(tree, dict) and isinstance(tree.get("evseId"), str):
            return str(tree["evseId"]).strip() or None
        for given in _wrap_in_list(
            tree.get("externalIdentifier") if isinstance(tree, dict) else None
        ):
            if isinstance(given, str) and _EVSE_ID.fullmatch(given.strip()):
                return given.strip()
            if (
                isinstance(given, dict)
                and str(given.get("typeOfIdentifier")).casefold() == "evseid"
            ):
                return str(given.get("identifier"))
    for tree in trees:
        for key in ("id", "name", "identifier"):
            value = tree.get(key) if isinstance(tree, dict) else None
            if isinstance(value, str) and _EVSE_ID.fullmatch(value.strip()):
                return value.strip()
    return None


def _registry_ids(stations: list[dict[str, Any]]) -> str | None:
    """Return the ids that the German register gives the devices of a site, as JSON."""
    found = [
        str(given.get("identifier"))
        for station in stations
        for given in _wrap_in_list(station.get("externalIdentifier"))
        if isinstance(given, dict) and "bnetza" in str(given.get("typeOfIdentifier")).casefold()
        and _DIGITS.fullmatch(str(given.get("identifier")))
    ]  # fmt: skip
    return '{"bnetza_ids":["' + '","'.join(found) + '"]}' if found else None


def draft_datex2(contents: Sequence[Content]) -> Draft:
    """Read the sites of DATEX II, and the states of their charging points."""
    reader = _Reader()
    for content in contents:
        position = 0
        for name, tree in _sites_of(content):
            if name == "publicationTime":
                reader.date = max(reader.date, tree[:10] if _is_time(tree) else "")
            elif name == _SITE:
                reader.add(tree, (content.origin, position))
                position += 1
            else:
                reader.add_states(tree)
    states = _draft_states(reader, contents[0].origin) if reader.states else None
    if states is not None and not reader.seen.n_read:
        return states
    draft = Draft(
        "station", reader.seen.n_read, transpose(reader.sites, Site),
        transpose(reader.points, Point), transpose(reader.connectors, Connector),
        reader.seen.rejects, reader.clean.wrong, reader.unknown, dict(reader.notes),
        data_date=reader.date,
    )  # fmt: skip
    return draft if states is None else add_states(draft, states)


def _draft_states(reader: _Reader, origin: str) -> Draft:
    """Make a draft of a status publication: states of points without positions."""
    ids, status, moments = zip(*reader.states, strict=True)
    draft = keep_newest(
        pa.array(ids, pa.string()),
        status=pa.array(status, pa.int64()),
        moment=pa.array(moments, MOMENT),
        read=(origin, len(ids)),
        rejects=[],
        counters=(reader.clean.wrong, reader.unknown),
    )
    draft.data_date = reader.date
    return draft
