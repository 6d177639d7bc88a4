"""The Alternative Fuels Data Center of the United States: stations, charging units, JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.content import Document
from ocm_geo.registers.delimited import TextTable, join_tables
from ocm_geo.registers.draft import Connector, Draft, Point, Site, transpose
from ocm_geo.registers.jsons import Excerpts, other_fields
from ocm_geo.registers.values import Cleaner, parse_numbers, parse_times
from ocm_geo.sources.records import Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocm_geo.registers.content import Content

__all__ = ["draft_afdc", "recognise_afdc"]

_UNIT_MARK = "EV J1772 Connector Count"
_UNIT_TYPES = ("J1772", "CCS", "CHAdeMO", "J3400", "J3271")
_LEVELS = (
    ("EV Level1 EVSE Num", "connector_1", 1, 10),
    ("EV Level2 EVSE Num", "connector_2", 2, 10),
    ("EV DC Fast Count", "connector_dc", 3, 30),
)
_TEXTS = {
    "title": "Station Name", "address": "Street Address", "town": "City", "state": "State",
    "postcode": "ZIP", "operator": "EV Network", "access_comments": "Access Days Time",
    "usage_cost": "EV Pricing", "phone": "Station Phone", "url": "EV Network Web",
    "general_comments": "EV Other Info",
}  # fmt: skip
_USED = (
    *_TEXTS.values(), "ID", "ID.1", "Fuel Type Code", "Status Code", "Latitude", "Longitude",
    "Access Code", "Access Detail Code", "Groups With Access Code", "Country", "Updated At",
    "Open Date", "Expected Date", "Date Last Confirmed", _LEVELS[0][0], _LEVELS[1][0],
    _LEVELS[2][0], "EV Connector Types", "Maximum Vehicle Class",
)  # fmt: skip
_DESTINATION, _SUPERCHARGER = 30, 27
_FAST_KW = 25.0
_LEVEL_IDS = {"1": 1, "2": 2, "dc_fast": 3}
_HEAVY = ("HD",)
_KEYS = {"state": "state", "town": "city", "address": "street_address", "postcode": "zip"}


def recognise_afdc(content: Content) -> bool:
    """Return whether a file is of the Alternative Fuels Data Center."""
    if isinstance(content, TextTable):
        return content.has("ID", "Station Name", "Latitude", "Longitude")
    value = content.value if isinstance(content, Document) else None
    return isinstance(value, dict) and ("fuel_stations" in value or "alt_fuel_station" in value)


def draft_afdc(contents: Sequence[Content]) -> Draft:
    """Read the stations of the Alternative Fuels Data Center."""
    tables = [content for content in contents if isinstance(content, TextTable)]
    if not tables:
        return _draft_afdc_json([c for c in contents if isinstance(c, Document)])
    table = join_tables(tables)
    is_unit = table.has(_UNIT_MARK)
    wrong: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    electric, rejects = _keep_electric(table)
    sites = _read_afdc_sites(electric, wrong, unknown)
    if is_unit:
        points, connectors = _read_units(electric, wrong)
    else:
        points, connectors = _read_levels(electric, wrong, unknown)
    used = [*_USED, *(name for name in electric.header if is_unit and " Connector Count" in name)]
    used += [name for name in electric.header if "Power Output" in name]
    return Draft(
        "point" if is_unit else "station",
        table.n_read,
        sites,
        points,
        connectors,
        rejects=rejects,
        wrong=wrong,
        unknown=unknown,
        extra=electric.rest([*used, "\0origin", "\0position"]),
        unique_evse_ids=False,
        has_points=True,
        country="US",
    )


def _keep_electric(table: TextTable) -> tuple[TextTable, list[Reject]]:
    """Keep the electric stations, and reject those of other fuels."""
    rejects = [Reject(table.origin, row, None, reason, "") for row, reason in table.bad_rows]
    fuel = table.column("Fuel Type Code")
    electric = pc.equal(pc.utf8_trim_whitespace(fuel), "ELEC").fill_null(
        not table.has("Fuel Type Code")
    )
    rows = table.table.filter(pc.invert(electric))
    rejects += [
        Reject(row["\0origin"], row["\0position"], None, f"not electric: {row['Fuel Type Code']}",
               f"{row.get('ID.1') or row['ID']} {row['Station Name'] or ''}")
        for row in rows.to_pylist()
    ]  # fmt: skip
    kept = TextTable(table.origin, table.header, table.table.filter(electric))
    return kept, rejects


def _read_afdc_sites(
    table: TextTable, wrong: Counter[str], unknown: Counter[str]
) -> dict[str, Any]:
    """Read the columns of stations of the CSV download."""
    codes = load_codes("afdc")
    # The files of 2019 have two columns of that name: the first one is not an id.
    ids = table.column("ID.1" if table.has("ID") and "ID.1" in table.table.schema.names else "ID")
    numbers = parse_numbers(ids, wrong, "station_id")
    access = codes.map("access", table.column("Access Code"), unknown)
    detail = codes.map("access_detail", table.column("Access Detail Code"), unknown)
    private = pc.equal(access, 2).fill_null(fill_value=False)
    status = codes.map("status", table.column("Status Code"), unknown)
    groups = table.column("Groups With Access Code")
    for word, code in (("PLANNED", 150), ("TEMPORARILY UNAVAILABLE", 30)):
        told = pc.starts_with(groups, word).fill_null(fill_value=False)
        status = pc.if_else(pc.and_(told, pc.is_null(status)), pa.scalar(code, pa.int64()), status)
    said = pc.utf8_lower(groups)
    private_group = pc.if_else(pc.match_substring(said, "private"), 2, None)
    public = pc.if_else(pc.match_substring(said, "public"), 1, private_group).cast(pa.int64())
    usage = pc.if_else(private, access, pc.coalesce(detail, access, public))
    found: dict[str, Any] = {name: table.column(column) for name, column in _TEXTS.items()}
    return found | {
        "station_id": pa.array(numbers, from_pandas=True).cast(pa.int64(), safe=False),
        "lon": parse_numbers(table.column("Longitude"), wrong, "lon"),
        "lat": parse_numbers(table.column("Latitude"), wrong, "lat"),
        "country_code": table.column("Country").fill_null("US"),
        "usage_type_id": usage,
        "status_type_id": status,
        "n_points": _count_ports(table, wrong),
        "updated": parse_times(
            table.column("Updated At"), wrong, "date_last_status_update", month_first=True
        ),
        "created": parse_times(table.column("Open Date"), wrong, "date_created", month_first=True),
        "planned": parse_times(
            table.column("Expected Date"), wrong, "date_planned", month_first=True
        ),
        "confirmed": parse_times(
            table.column("Date Last Confirmed"), wrong, "date_last_confirmed", month_first=True
        ),
        "origin": table.column("\0origin"),
        "position": table.column("\0position"),
    }


def _count_ports(table: TextTable, wrong: Counter[str]) -> NDArray[np.float64]:
    """Sum the ports of the levels; missing where none is stated."""
    counts = [parse_numbers(table.column(column), wrong, "n_points") for column, *_ in _LEVELS]
    total = np.nansum(counts, axis=0)
    return np.where(np.isnan(counts).all(axis=0), np.nan, total)


def _read_levels(
    table: TextTable, wrong: Counter[str], unknown: Counter[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read ports by level, and which connectors each level may have."""
    counts = [parse_numbers(table.column(column), wrong, "n_points") for column, *_ in _LEVELS]
    points: list[Point] = []
    connectors: list[Connector] = []
    words = table.column("EV Connector Types").to_pylist()
    networks = table.column("EV Network").to_pylist()
    numbers = [[0 if np.isnan(v) else int(v) for v in row] for row in zip(*counts, strict=True)]
    for row, (text, network, ports) in enumerate(zip(words, networks, numbers, strict=True)):
        _add_levels(
            row,
            named=((text or "").split(), network or ""),
            ports=ports,
            found=(points, connectors),
            unknown=unknown,
        )
    return transpose(points, Point), transpose(connectors, Connector)


def _add_levels(
    row: int,
    *,
    named: tuple[Sequence[str], str],
    ports: Sequence[int],
    found: tuple[list[Point], list[Connector]],
    unknown: Counter[str],
) -> None:
    """Add the ports of a station; a connector type goes to the levels at which it exists."""
    codes = load_codes("afdc")
    points, connectors = found
    types, network = named
    placed: set[str] = set()
    levels = [level for level, n in zip(_LEVELS, ports, strict=True) if n > 0] or list(_LEVELS)
    for _, field, level, current in levels:
        at_level = [t for t in dict.fromkeys(types) if t.upper().casefold() in codes.names(field)]
        n_ports = ports[level - 1]
        if level == 3 and "destination" in network.casefold():  # noqa: PLR2004 - the last level
            at_level = [t for t in at_level if t != "TESLA"]
        if n_ports < 1 and not at_level:
            continue
        placed.update(at_level)
        points.append(Point(row, quantity=n_ports or None))
        for code in at_level or [None]:  # type: ignore[list-item] # a level without a word
            kind = codes.find(field, code, unknown)
            number = n_ports if n_ports and len(at_level) < 2 else None  # noqa: PLR2004 - shared
            connectors.append(Connector(len(points) - 1, kind, current, level, quantity=number))
    for code in dict.fromkeys(types):
        if code not in placed:
            kind = codes.find("unit", code, unknown)
            told = None if kind else f"Unknown ({code})"
            points.append(Point(row, quantity=None))
            connectors.append(Connector(len(points) - 1, kind, quantity=None, comments=told))


def _read_units(table: TextTable, wrong: Counter[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read charging units: a row each, with connectors of several types and their powers."""
    n = len(table)
    most = np.ones(n)
    parts: list[dict[str, NDArray[Any]]] = []
    codes, silent = load_codes("afdc"), Counter[str]()
    network = table.column("EV Network")
    is_destination = pc.equal(network, "Tesla Destination").fill_null(fill_value=False)
    destination = is_destination.to_numpy(zero_copy_only=False)
    for name in _UNIT_TYPES:
        count = parse_numbers(
            table.column(f"EV {name} Connector Count"), wrong, "connections.quantity"
        )
        power = parse_numbers(
            table.column(f"EV {name} Power Output (kW)"), wrong, "connections.power_kw"
        )
        rows = np.flatnonzero(count > 0)
        most = np.fmax(most, count)
        kind = np.full(len(rows), codes.find("unit", name, silent) or 0)
        current = np.full(len(rows), codes.find("current", name, silent) if name != "J3400" else 30)
        if name == "J3400":
            # The same connector carries AC in hotels and DC on the road.
            is_ac = destination[rows] | (power[rows] < _FAST_KW)
            kind = np.where(destination[rows], _DESTINATION, _SUPERCHARGER)
            current = np.where(is_ac, 10, 30)
        parts.append(
            {
                "point": rows, "connection_type_id": kind, "current_type_id": current,
                "level_id": np.where(current == 30, 3, 2), "power_kw": power[rows],  # noqa: PLR2004 - DC
                "quantity": count[rows],
                "comments": np.full(len(rows), "Unknown (J3271, MCS)" if name == "J3271" else None),
            }
        )  # fmt: skip
    connectors = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    heavy = pc.is_in(table.column("Maximum Vehicle Class"), pa.array(_HEAVY))
    told = table.column("Maximum Vehicle Class").is_valid()
    points = {
        "site": np.arange(n),
        "quantity": most,
        "heavy_vehicle_bay": pc.if_else(told, heavy, pa.scalar(None, pa.bool_())),
    }
    return points, connectors


def _draft_afdc_json(documents: Sequence[Document]) -> Draft:
    """Read the answers of the API."""
    clean, unknown = Cleaner(), Counter[str]()
    sites: list[Site] = []
    points: list[Point] = []
    connectors: list[Connector] = []
    seen = Excerpts()
    for document in documents:
        stations = document.value.get("fuel_stations", document.value.get("alt_fuel_station"))
        for position, station in enumerate(clean.list(stations, "fuel_stations")):
            place = (document.origin, position)
            seen.n_read += 1
            if not isinstance(station, dict):
                seen.reject(place, "not an object", station)
            elif station.get("fuel_type_code", "ELEC") != "ELEC":
                seen.reject(
                    place, f"not electric: {station.get('fuel_type_code')}", station.get("id")
                )
            else:
                sites.append(_read_afdc_site(station, clean, unknown, place))
                _read_json_units(station, len(sites) - 1, (points, connectors), (clean, unknown))
    return Draft(
        "station", seen.n_read, transpose(sites, Site), transpose(points, Point),
        transpose(connectors, Connector), seen.rejects, clean.wrong, unknown,
        unique_evse_ids=False, country="US",
    )  # fmt: skip


_JSON_USED = frozenset(
    {
        *_KEYS.values(), "id", "latitude", "longitude", "station_name", "country", "status_code",
        "access_code", "access_detail_code", "ev_network", "access_days_time", "ev_pricing",
        "station_phone", "ev_network_web", "ev_other_evse", "updated_at", "open_date",
        "expected_date", "date_last_confirmed", "ev_level1_evse_num", "ev_level2_evse_num",
        "ev_dc_fast_num", "ev_connector_types", "ev_charging_units", "fuel_type_code",
        "maximum_vehicle_class",
    }
)  # fmt: skip


def _read_afdc_site(
    station: dict[str, Any], clean: Cleaner, unknown: Counter[str], place: tuple[str, int]
) -> Site:
    """Read one station of the JSON API."""
    codes = load_codes("afdc")
    access = codes.find("access", station.get("access_code"), unknown)
    detail = codes.find("access_detail", station.get("access_detail_code"), unknown)
    ports = [clean.whole(station.get(key), "n_points") for key in
             ("ev_level1_evse_num", "ev_level2_evse_num", "ev_dc_fast_num")]  # fmt: skip
    # Any: the members named in _KEYS are texts, which a dict cannot say of each.
    texts: dict[str, Any] = {n: clean.text(station.get(k), n) for n, k in _KEYS.items()}
    return Site(
        station_id=clean.whole(station.get("id"), "station_id"),
        lon=clean.number(station.get("longitude"), "lon"),
        lat=clean.number(station.get("latitude"), "lat"),
        title=clean.text(station.get("station_name"), "title"),
        **texts,
        country_code=clean.text(station.get("country"), "country_code"),
        operator=clean.text(station.get("ev_network"), "operator"),
        usage_type_id=access if access == 2 or detail is None else detail,  # noqa: PLR2004 - private
        status_type_id=codes.find("status", station.get("status_code"), unknown),
        n_points=None if ports.count(None) == len(ports) else sum(n or 0 for n in ports),
        updated=clean.time(station.get("updated_at"), "date_last_status_update"),
        created=clean.time(station.get("open_date"), "date_created"),
        planned=clean.time(station.get("expected_date"), "date_planned"),
        confirmed=clean.time(station.get("date_last_confirmed"), "date_last_confirmed"),
        access_comments=clean.text(station.get("access_days_time"), "access_comments"),
        usage_cost=clean.text(station.get("ev_pricing"), "usage_cost"),
        phone=clean.text(station.get("station_phone"), "phone"),
        url=clean.text(station.get("ev_network_web"), "url"),
        extra=other_fields(station, _JSON_USED),
        origin=place[0],
        position=place[1],
    )  # fmt: skip


def _read_json_units(
    station: dict[str, Any],
    row: int,
    found: tuple[list[Point], list[Connector]],
    tools: tuple[Cleaner, Counter[str]],
) -> None:
    """Read the charging units nested in a station; where there are none, its ports by level."""
    clean, unknown = tools
    codes = load_codes("afdc")
    points, connectors = found
    units = clean.list(station.get("ev_charging_units"), "ev_charging_units")
    if not units:
        words = [str(t) for t in clean.list(station.get("ev_connector_types"), "connectors")]
        ports = [clean.whole(station.get(key), "n_points") or 0 for key in
                 ("ev_level1_evse_num", "ev_level2_evse_num", "ev_dc_fast_num")]  # fmt: skip
        named = (words, str(station.get("ev_network") or ""))
        _add_levels(row, named=named, ports=ports, found=found, unknown=unknown)
        return
    for unit in units:
        unit = clean.dict(unit, "ev_charging_units")  # noqa: PLW2901 - the same, checked
        n_ports = clean.whole(unit.get("port_count"), "n_points")
        points.append(Point(row, quantity=n_ports or 1))
        level = str(unit.get("charging_level") or "").casefold()
        for code, facts in clean.dict(unit.get("connectors"), "connectors").items():
            facts = clean.dict(facts, "connectors")  # noqa: PLW2901 - the same, checked
            kind = codes.find("unit", code, unknown)
            power = clean.positive(facts.get("power_kw"), "connections.power_kw")
            current = codes.find(
                "current", level if level in codes.names("current") else code, Counter()
            )
            if kind == _SUPERCHARGER and "destination" in str(unit.get("network")).casefold():
                kind, current = _DESTINATION, 10
            connectors.append(
                Connector(
                    len(points) - 1, kind, current or None, _LEVEL_IDS.get(level), power,
                    quantity=clean.whole(facts.get("port_count"), "quantity") or 1,
                    comments=None if kind else f"Unknown ({code})",
                )
            )  # fmt: skip
