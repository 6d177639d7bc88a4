"""OICP EVSE data, as Switzerland publishes them: one record a charging point, and states."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ocm_geo.geodesy import distance_km
from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.content import Document
from ocm_geo.registers.draft import Connector, Draft, Point, Site, transpose
from ocm_geo.registers.jsons import Excerpts, other_fields
from ocm_geo.registers.making import find_country_code
from ocm_geo.registers.powers import FROM_V_A, power_from_volts
from ocm_geo.registers.states import add_states, keep_newest
from ocm_geo.registers.values import MOMENT, Cleaner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocm_geo.registers.content import Content

__all__ = ["draft_oicp", "recognise_oicp"]

_USED = frozenset(
    {
        "EvseID", "ChargingStationNames", "Address", "GeoCoordinates", "Plugs", "deltaType",
        "ChargingFacilities", "MaxCapacity", "Accessibility", "lastUpdate", "OperatorName",
        "OperatorID", "HotlinePhoneNumber", "IsOpen24Hours", "ChargingStationName", "EvseStatus",
    }
)  # fmt: skip
_BLANK = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s+([-+]?\d+(?:\.\d+)?)\s*")
_COMMA = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*,\s*([-+]?\d+(?:\.\d+)?)\s*")
_SAME_SITE_KM = 0.05
_TEST = "test station"
_LANGUAGES = ("en", "de", "fr", "it")


def recognise_oicp(content: Content) -> bool:
    """Return whether a file holds EVSE data or states of OICP."""
    value = content.value if isinstance(content, Document) else None
    return isinstance(value, dict) and ("EVSEData" in value or "EVSEStatuses" in value)


class _Reader:
    """Gathers the charging points of all files, and joins them to stations."""

    def __init__(self) -> None:
        self.clean, self.unknown, self.seen = Cleaner(), Counter[str](), Excerpts()
        self.codes = load_codes("oicp")
        self.sites: list[Site] = []
        self.points: list[Point] = []
        self.connectors: list[Connector] = []

    def add(self, record: Any, operator: dict[str, Any], place: tuple[str, int]) -> None:  # noqa: ANN401
        """Read a charging point."""
        self.seen.n_read += 1
        if not isinstance(record, dict):
            self.seen.reject(place, "not an object", record)
        elif str(record.get("Accessibility")).casefold() == _TEST:
            self.seen.reject(place, "a test station", record.get("EvseID"))
        elif str(record.get("deltaType")).casefold() == "delete":
            self.seen.reject(place, "deleted", record.get("EvseID"))
        else:
            self._add_site(record, operator, place)
            self._add_point(record)

    def _add_site(
        self, record: dict[str, Any], operator: dict[str, Any], place: tuple[str, int]
    ) -> None:
        """Add the station of a charging point."""
        clean = self.clean
        address = clean.dict(record.get("Address"), "Address")
        lon, lat = self._read_position(record)
        street, number = (clean.text(address.get(k), "address") for k in ("Street", "HouseNum"))
        country = clean.text(address.get("Country"), "country_code")
        self.sites.append(
            Site(
                None,
                lon,
                lat,
                self._read_name(record),
                f"{street} {number}" if street and number else street,
                clean.text(address.get("City"), "town"),
                clean.text(address.get("Region"), "state"),
                clean.text(address.get("PostalCode"), "postcode"),
                find_country_code(country) if country else None,
                clean.text(record.get("OperatorName") or operator.get("OperatorName"), "operator"),
                self.codes.find("access", record.get("Accessibility"), self.unknown),
                updated=clean.time(record.get("lastUpdate"), "date_last_status_update"),
                access_comments="24/7" if record.get("IsOpen24Hours") is True else None,
                phone=clean.text(record.get("HotlinePhoneNumber"), "phone"),
                extra=other_fields(record, _USED),
                origin=place[0],
                position=place[1],
            )
        )

    def _read_position(self, record: dict[str, Any]) -> tuple[float | None, float | None]:
        """Read "lat lon" of today, or "lon,lat" of about 2019: the sign between them tells."""
        given = self.clean.dict(record.get("GeoCoordinates"), "GeoCoordinates")
        text = str(given.get("Google") or "")
        if found := _BLANK.fullmatch(text):
            return float(found[2]), float(found[1])
        if found := _COMMA.fullmatch(text):
            return float(found[1]), float(found[2])
        decimal = given.get("DecimalDegree")
        at = decimal if isinstance(decimal, dict) else {}
        return (
            self.clean.number(at.get("Longitude"), "lon"),
            self.clean.number(at.get("Latitude"), "lat"),
        )

    def _read_name(self, record: dict[str, Any]) -> str | None:
        """Read the name of a station, in the first language that has one."""
        names = record.get("ChargingStationNames")
        if isinstance(names, list | dict):
            by_language = {
                str(n.get("lang")): n.get("value")
                for n in self.clean.list(names, "title") if isinstance(n, dict)
            }  # fmt: skip
            for language in (*_LANGUAGES, *by_language):
                if text := self.clean.text(by_language.get(language), "title"):
                    return text
        return self.clean.text(record.get("ChargingStationName"), "title")

    def _add_point(self, record: dict[str, Any]) -> None:
        """Add a charging point; its connectors and facilities are two lists without a link."""
        clean = self.clean
        connectors = [clean.text(p, "connector") for p in clean.list(record.get("Plugs"), "Plugs")]
        given = clean.list(record.get("ChargingFacilities"), "ChargingFacilities")
        offers = [self._read_facility(facility) for facility in given]
        most = clean.positive(record.get("MaxCapacity"), "power_kw")
        powers = [power for power, *_ in offers if power]
        self.points.append(
            Point(
                len(self.points),
                clean.text(record.get("EvseID"), "evse_id"),
                clean.text(record.get("ChargingStationId"), "device_id"),
                max(powers, default=most),
            )
        )
        if len(connectors) != len(offers):
            best = max(offers, key=lambda offer: offer[0] or 0.0, default=(most, None, None))
            offers = [best] * len(connectors)
        for connector, (power, current, told) in zip(connectors, offers, strict=True):
            kind = self.codes.find("connector", connector, self.unknown)
            comments = f"Unknown ({connector})" if kind == 0 else told
            self.connectors.append(
                Connector(len(self.points) - 1, kind, current, None, power, comments=comments)
            )

    def _read_facility(self, given: Any) -> tuple[float | None, int | None, str | None]:  # noqa: ANN401
        """Return power, current, and how the power was found where it is not stated."""
        clean = self.clean
        facts = given if isinstance(given, dict) else {"power": None}
        keys = {str(key).casefold(): value for key, value in facts.items()}
        current = self.codes.find("current", keys.get("powertype"), self.unknown) or None
        power = clean.positive(keys.get("power"), "connections.power_kw")
        if power is not None:
            return power, current, None
        volts, amps = (clean.number(keys.get(key), key) for key in ("voltage", "amperage"))
        power = power_from_volts(volts, amps, current)
        return power, current, None if power is None else FROM_V_A


def draft_oicp(contents: Sequence[Content]) -> Draft:
    """Read the charging points of OICP, and their states."""
    reader = _Reader()
    documents = [c for c in contents if isinstance(c, Document)]
    static = [d for d in documents if "EVSEData" in d.value]
    for document in static:
        for position, (record, operator) in enumerate(
            _iter_evse_records(document.value, "EVSEData")
        ):
            reader.add(record, operator, (document.origin, position))
    states = _read_oicp_states([d for d in documents if "EVSEStatuses" in d.value], reader)
    if not static:
        assert states is not None  # noqa: S101 - there is one document or more
        return states
    draft = Draft(
        "point", reader.seen.n_read, transpose(_name_sites(reader.sites), Site),
        transpose(reader.points, Point), transpose(reader.connectors, Connector),
        reader.seen.rejects, reader.clean.wrong, reader.unknown,
    )  # fmt: skip
    return draft if states is None else add_states(draft, states)


def _iter_evse_records(value: dict[str, Any], key: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the records of all operators, with their operator."""
    member = {"EVSEData": "EVSEDataRecord", "EVSEStatuses": "EVSEStatusRecord"}[key]
    operators = value[key] if isinstance(value[key], list) else [value[key]]
    for operator in operators:
        facts = operator if isinstance(operator, dict) else {}
        for record in facts.get(member) or ():
            yield record, facts


def _name_sites(sites: list[Site]) -> list[Site]:
    """Let charging points of one operator within 50 m be one station; OICP's own ids tell none."""
    cells: dict[tuple[str | None, int, int], list[int]] = {}
    names: list[str | None] = []
    order = sorted(range(len(sites)), key=lambda i: (str(sites[i].lon), str(sites[i].lat), i))
    of: dict[int, str] = {}
    for row in order:
        site = sites[row]
        if site.lon is None or site.lat is None:
            of[row] = f"nowhere-{row}"
            continue
        x, y = round(site.lon * 1000), round(site.lat * 1000)
        near = [other for dx in (-1, 0, 1) for dy in (-1, 0, 1)
                for other in cells.get((site.operator, x + dx, y + dy), ())]  # fmt: skip
        same = next((other for other in near if _is_near(sites[other], site)), None)
        if same is None:
            cells.setdefault((site.operator, x, y), []).append(row)
        of[row] = of[same] if same is not None else _make_id(site)
    names = [of[row] for row in range(len(sites))]
    return [site._replace(station_id=name) for site, name in zip(sites, names, strict=True)]


def _is_near(first: Site, second: Site) -> bool:
    assert first.lon is not None  # noqa: S101 - only placed ones are kept in cells
    return bool(distance_km(first.lon, first.lat, second.lon, second.lat) <= _SAME_SITE_KM)


def _make_id(site: Site) -> str:
    text = f"{site.operator}|{site.lon}|{site.lat}"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _read_oicp_states(documents: Sequence[Document], reader: _Reader) -> Draft | None:
    """Read the states of charging points."""
    if not documents:
        return None
    records = [r for d in documents for r, _ in _iter_evse_records(d.value, "EVSEStatuses")]
    rows = [record if isinstance(record, dict) else {} for record in records]
    ids = [reader.clean.text(row.get("EvseID") or row.get("EvseId"), "evse_id") for row in rows]
    words = [row.get("EVSEStatus") or row.get("EvseStatus") for row in rows]
    status = [reader.codes.find("status", word, reader.unknown) for word in words]
    return keep_newest(
        pa.array(ids, pa.string()),
        status=pa.array(status, pa.int64()),
        moment=pa.nulls(len(rows), MOMENT),
        read=(documents[0].origin, len(rows)),
        rejects=[],
        counters=(reader.clean.wrong, reader.unknown),
    )
