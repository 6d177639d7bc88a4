"""Germany's register (Ladesäulenregister): the tables of 2022 to 2026 and the web API."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.content import Document
from ocm_geo.registers.delimited import TextTable, join_tables
from ocm_geo.registers.draft import Connector, Draft, Point, Site, transpose
from ocm_geo.registers.jsons import Excerpts, other_fields
from ocm_geo.registers.values import Cleaner, find_time, parse_numbers, parse_times
from ocm_geo.sources.records import Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocm_geo.registers.content import Content

__all__ = ["draft_bnetza", "recognise_bnetza"]

_ZONE = "Europe/Berlin"
_ID = "Ladeeinrichtungs-ID"
_POWERS = ("Nennleistung Ladeeinrichtung [kW]", "Anschlussleistung", "Anschlussleistung [kW]")
_MOST_POINTS = 12
_TEXTS = {
    "town": ("Ort",), "postcode": ("Postleitzahl",), "state": ("Bundesland",),
    "operator": ("Betreiber",), "title": ("Anzeigename (Karte)", "Betreiber"),
    "access_comments": ("Öffnungszeiten",), "general_comments": ("Standortbezeichnung",),
    "usage_cost": ("Bezahlsysteme",),
}  # fmt: skip
_USED = {
    *(name for names in _TEXTS.values() for name in names), *_POWERS, _ID, "Breitengrad",
    "Längengrad", "Status", "Anzahl Ladepunkte", "Inbetriebnahmedatum", "Straße", "Hausnummer",
    "\0origin", "\0position",
}  # fmt: skip
_EDITION = re.compile(r"(?:Aktualisierung|Stand)\D{0,30}(\d{1,2}\.\d{1,2}\.\d{4})")
_SPLIT = re.compile(r"\s*;\s*")
_ONE_PHASE_KW = 7.4
_AC_ONE_PHASE, _AC_THREE_PHASE, _DC = 10, 20, 30


def recognise_bnetza(content: Content) -> bool:
    """Return whether a file is of the German register."""
    if isinstance(content, TextTable):
        return content.has("Betreiber", "Breitengrad", "Längengrad")
    value = content.value if isinstance(content, Document) else None
    return isinstance(value, dict) and "chargingStations" in value


def draft_bnetza(contents: Sequence[Content]) -> Draft:
    """Read the devices of the German register."""
    tables = [content for content in contents if isinstance(content, TextTable)]
    if not tables:
        return _draft_bnetza_json([c for c in contents if isinstance(c, Document)])
    table = join_tables(tables)
    wrong: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    sites = _read_devices(table, wrong, unknown)
    points, connectors, n_differ = _read_device_points(table, wrong, unknown)
    per_point = re.compile(r"(Steckertypen|Nennleistung Stecker|EVSE-ID|P)\s?\d+( \[kW\])?$")
    extra = {
        name: column for name, column in table.rest(_USED).items() if not per_point.match(name)
    }
    edition = _EDITION.search(table.preamble)
    return Draft(
        "station", table.n_read, sites, transpose(points, Point), transpose(connectors, Connector),
        [Reject(table.origin, row, None, reason, "") for row, reason in table.bad_rows],
        wrong, unknown, {"n_stations_points_differ": n_differ} if n_differ else {},
        unique_evse_ids=False, country="DE", extra=extra,
        data_date=_to_date(edition[1]) if edition else "",
    )  # fmt: skip


def _to_date(text: str) -> str:
    day, month, year = text.split(".")
    return f"{year}-{int(month):02}-{int(day):02}"


def _read_devices(table: TextTable, wrong: Counter[str], unknown: Counter[str]) -> dict[str, Any]:
    """Read the columns of devices of the CSV download."""
    found: dict[str, Any] = {
        name: pc.coalesce(*(table.column(column) for column in columns))
        for name, columns in _TEXTS.items()
    }
    for name in ("title", "general_comments"):
        found[name] = pc.replace_substring_regex(found[name], r"\s*[\r\n]+\s*", " ")
    number = table.column("Hausnummer")
    # 0 is what the form writes where a house has no number.
    number = pc.if_else(pc.equal(number, "0"), pa.scalar(None, pa.string()), number)
    street = table.column("Straße")
    powers = [table.column(name) for name in _POWERS]
    status = load_codes("bnetza").map("status", table.column("Status"), unknown)
    parking = pc.utf8_lower(table.column("Informationen zum Parkraum"))
    customers = pc.match_substring(parking, "nur für kunden").fill_null(fill_value=False)
    return found | {
        "station_id": _read_ids(table),
        "lon": parse_numbers(table.column("Längengrad"), wrong, "lon"),
        "lat": parse_numbers(table.column("Breitengrad"), wrong, "lat"),
        "address": pc.coalesce(pc.binary_join_element_wise(street, number, " "), street),
        "usage_type_id": pc.if_else(customers, 6, 1),
        # The tables without that column list devices in operation alone.
        "status_type_id": status if table.has("Status") else pa.array([50] * len(table)),
        "n_points": parse_numbers(table.column("Anzahl Ladepunkte"), wrong, "n_points"),
        "site_power_kw": parse_numbers(pc.coalesce(*powers), wrong, "site_power_kw"),
        "created": parse_times(table.column("Inbetriebnahmedatum"), wrong, "date_created"),
        "origin": table.column("\0origin"),
        "position": table.column("\0position"),
    }


def _read_ids(table: TextTable) -> pa.Array:
    """Return the ids of devices; older tables have none, and theirs are made of what they say."""
    if table.has(_ID):
        return pc.utf8_trim_whitespace(table.column(_ID))
    names = ("Betreiber", "Straße", "Hausnummer", "Postleitzahl", "Breitengrad", "Längengrad",
             "Inbetriebnahmedatum")  # fmt: skip
    columns = [table.column(name).fill_null("") for name in names]
    texts = pc.binary_join_element_wise(*columns, "|").to_pylist()
    seen: Counter[str] = Counter()
    ids = []
    for text in texts:
        seen[text] += 1
        digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        ids.append(f"{digest}-{seen[text]}")
    return pa.array(ids, pa.string())


def _read_device_points(
    table: TextTable, wrong: Counter[str], unknown: Counter[str]
) -> tuple[list[Point], list[Connector], int]:
    """Read the points of devices: a group of columns each, with lists of connectors and powers."""
    points: list[Point] = []
    connectors: list[Connector] = []
    clean = Cleaner()
    n_found = np.zeros(len(table))
    for number in range(1, _MOST_POINTS + 1):
        kinds = table.column(f"Steckertypen{number}")
        powers = pc.coalesce(
            table.column(f"Nennleistung Stecker{number}"), table.column(f"P{number} [kW]")
        )
        ids = table.column(f"EVSE-ID{number}")
        any_told = pc.or_(pc.or_(kinds.is_valid(), powers.is_valid()), ids.is_valid())
        rows = pc.indices_nonzero(any_told)
        n_found[rows.to_numpy()] += 1
        told = zip(*(c.take(rows).to_pylist() for c in (kinds, powers, ids)), strict=True)
        for row, (kind, power, evse_id) in zip(rows.to_pylist(), told, strict=True):
            points.append(Point(row, evse_id, device_id=str(number)))
            connectors += _read_device_connectors(len(points) - 1, kind, power, (clean, unknown))
    stated = parse_numbers(table.column("Anzahl Ladepunkte"), Counter(), "n_points")
    wrong.update(clean.wrong)
    return points, connectors, int(np.sum((n_found > 0) & (stated > 0) & (stated != n_found)))


def _read_device_connectors(
    point: int, kinds: str | None, powers: str | None, tools: tuple[Cleaner, Counter[str]]
) -> list[Connector]:
    """Read the connectors of a point; the same connector twice is one of quantity 2."""
    clean, unknown = tools
    words = [w for w in re.split(r"\s*[;,]\s*", (kinds or "").strip()) if w]
    texts = [t for t in _SPLIT.split((powers or "").strip()) if t]
    numbers = [clean.number(text, "connections.power_kw") for text in texts]
    # One power beside several connectors is that of each.
    numbers = numbers * len(words) if len(numbers) == 1 else numbers
    if len(numbers) > max(len(words), 1):
        clean.wrong["connections.power_kw"] += len(numbers) - len(words)
    pairs = Counter(zip_longest(words, numbers[: max(len(words), 1)])) if words or numbers else {}
    return [
        _make_connector(point, word=word, power=power, quantity=quantity, unknown=unknown)
        for (word, power), quantity in pairs.items()
    ]


def _make_connector(
    point: int, *, word: str | None, power: float | None, quantity: int, unknown: Counter[str]
) -> Connector:
    """Make a connector; one that delivers little is taken as single-phase."""
    kind = load_codes("bnetza").find("connector", word, unknown)
    current = load_codes("bnetza").find("current", (word or "")[:2], Counter()) or None
    if current == _AC_THREE_PHASE and power is not None and power <= _ONE_PHASE_KW:
        current = _AC_ONE_PHASE
    told = f"Unknown ({word})" if kind == 0 else None
    return Connector(point, kind, current, None, power, quantity=quantity, comments=told)


_JSON_USED = frozenset(
    {
        "id", "coordinates", "city", "postal_code", "state", "street", "house_no", "operator",
        "status", "go_live_date", "max_electric_power_station", "evses",
        "opening_hours_specification",
    }
)  # fmt: skip


def _draft_bnetza_json(documents: Sequence[Document]) -> Draft:
    """Read the answers of the web API."""
    clean, unknown, seen = Cleaner(_ZONE), Counter[str](), Excerpts()
    sites: list[Site] = []
    points: list[Point] = []
    connectors: list[Connector] = []
    date = ""
    for document in documents:
        told = find_time(str(document.value.get("documentDate", "")))
        date = max(date, str(np.datetime64(told, "us"))[:10] if told else "")
        for position, station in enumerate(
            clean.list(document.value["chargingStations"], "chargingStations")
        ):
            seen.n_read += 1
            if not isinstance(station, dict):
                seen.reject((document.origin, position), "not an object", station)
                continue
            sites.append(_read_bnetza_site(station, (clean, unknown), (document.origin, position)))
            for evse in clean.list(station.get("evses"), "evses"):
                facts = clean.dict(evse, "evses")
                points.append(Point(len(sites) - 1, clean.text(facts.get("evse_id"), "evse_id")))
                for given in clean.list(facts.get("connectors"), "connectors"):
                    connector = clean.dict(given, "connectors")
                    power = clean.positive(
                        connector.get("max_electric_power_connector"), "connections.power_kw"
                    )
                    word = clean.text(connector.get("connector_type"), "connector_type")
                    connectors.append(
                        _make_connector(
                            len(points) - 1, word=word, power=power, quantity=1, unknown=unknown
                        )
                    )
    return Draft(
        "station", seen.n_read, transpose(sites, Site), transpose(points, Point),
        transpose(connectors, Connector), seen.rejects, clean.wrong, unknown,
        unique_evse_ids=False, country="DE", data_date=date,
    )  # fmt: skip


def _read_bnetza_site(
    station: dict[str, Any], tools: tuple[Cleaner, Counter[str]], place: tuple[str, int]
) -> Site:
    """Read one station of the web API."""
    clean, unknown = tools
    at = clean.dict(station.get("coordinates"), "coordinates")
    operator = clean.dict(station.get("operator"), "operator")
    status = clean.dict(station.get("status"), "status")
    street = clean.text(station.get("street"), "address")
    number = clean.text(station.get("house_no"), "address")
    company = clean.text(operator.get("companyName"), "operator")
    return Site(
        clean.text(station.get("id"), "station_id"),
        clean.number(at.get("longitude"), "lon"),
        clean.number(at.get("latitude"), "lat"),
        title=clean.text(operator.get("displayName"), "title") or company,
        address=f"{street} {number}" if street and number and number != "0" else street,
        town=clean.text(station.get("city"), "town"),
        state=clean.text(station.get("state"), "state"),
        postcode=clean.text(station.get("postal_code"), "postcode"),
        operator=company,
        usage_type_id=1,
        status_type_id=load_codes("bnetza").find("status", status.get("operational"), unknown),
        site_power_kw=clean.positive(station.get("max_electric_power_station"), "site_power_kw"),
        created=clean.time(station.get("go_live_date"), "date_created"),
        access_comments=clean.text(station.get("opening_hours_specification"), "access_comments"),
        extra=other_fields(station, _JSON_USED),
        origin=place[0],
        position=place[1],
    )
