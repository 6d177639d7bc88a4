"""France's register (IRVE): schemas 1.0, 2.x and 3.0, tables grouped by station, and states."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.delimited import TextTable, join_tables
from ocm_geo.registers.draft import Draft
from ocm_geo.registers.states import add_states, keep_newest
from ocm_geo.registers.values import MOMENT, map_texts, parse_flags, parse_numbers, parse_times
from ocm_geo.sources.records import Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocm_geo.registers.content import Content

__all__ = ["draft_irve", "recognise_irve"]

_ZONE = "Europe/Paris"
_FLAGS = {
    "prise_type_ef": "ef", "prise_type_2": "t2", "prise_type_combo_ccs": "combo_ccs",
    "prise_type_chademo": "chademo", "prise_type_mcs": "mcs", "prise_type_autre": "autre",
}  # fmt: skip
_GROUPED = {"EF": "ef", "T2": "t2", "combo": "combo_ccs", "combo_ccs": "combo_ccs",
            "chademo": "chademo", "T3": "t3", "autre": "autre"}  # fmt: skip
_FIRST_KNOWN = {
    "title": ("nom_station", "n_station"),
    "address": ("adresse_station", "ad_station"),
    "town": ("consolidated_commune", "commune"),
    "postcode": ("consolidated_code_postal", "code_postal"),
    "operator": ("nom_operateur", "n_operateur", "nom_enseigne", "n_enseigne"),
    "access_comments": ("horaires", "accessibilité", "horaires_grouped", "accessibilité_grouped"),
    "general_comments": ("observations",),
    "usage_cost": ("tarification", "acces_recharge", "acces_recharge_grouped"),
}  # fmt: skip
_STATION_IDS = ("id_station_itinerance", "id_station", "id_station_local")
_POINT_IDS = ("id_pdc_itinerance", "id_pdc")
_POWERS = ("puissance_nominale", "puissance_nominale_kw", "puiss_max")
_LONGITUDES = ("consolidated_longitude", "longitude", "station_longitude", "Xlongitude")
_LATITUDES = ("consolidated_latitude", "latitude", "station_latitude", "Ylatitude")
_DATES = ("date_maj", "horodatage_maj", "updated_at", "last_modified")
_USED = frozenset(
    {
        *_FLAGS, *_STATION_IDS[:2], *_POINT_IDS, *_POWERS, *_LONGITUDES, *_LATITUDES, *_DATES,
        *(name for names in _FIRST_KNOWN.values() for name in names), "coordonneesXY",
        "type_prise", "date_mise_en_service", "condition_acces", "cable_t2_attache",
        "puissance_maximale_station_kw", "courant_ac", "courant_dc", "telephone_operateur",
        "gabarit_longueur_max_m", "type_vehicule", "id_pdc_local",
        # Persons' addresses are not read.
        "contact_amenageur", "contact_operateur", "\0origin", "\0position",
    }
)  # fmt: skip
_TOKEN = re.compile("\\s*[-\N{EN DASH}\N{EM DASH}+,;]\\s*|\\s*/\\s*(?![fF]\\b)|\\s+et\\s+")
_NO_ID = ("", "-", "_", "n/a", "na", "null", "non concerné", "non concerne", "inconnu", "0")
_ONE_PHASE_KW, _DOMESTIC_KW, _AC_KW = 7.4, 3.7, 43.0
_AC_ONE_PHASE, _AC_THREE_PHASE, _DC = 10, 20, 30
_SOCKET, _CABLE = 25, 1036
_DC_TYPES, _TYPE_2, _DOMESTIC = (33, 2), (25, 1036), (23, 28)
_HEAVY = re.compile(r"\bN[23]\b")


def recognise_irve(content: Content) -> bool:
    """Return whether a file is of the French register."""
    if not isinstance(content, TextTable):
        return False
    points = any(content.has(name) for name in _POINT_IDS)
    grouped = any(name.endswith("_grouped") for name in content.header)
    stations = any(content.has(name) for name in _STATION_IDS)
    return (points and (stations or content.has("etat_pdc"))) or (grouped and stations)


def draft_irve(contents: Sequence[Content]) -> Draft:
    """Read the charging points of the French register, and their states."""
    tables = [content for content in contents if isinstance(content, TextTable)]
    dynamic = [table for table in tables if table.has("etat_pdc")]
    static = [table for table in tables if not table.has("etat_pdc")]
    wrong: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    states = _read_irve_states(join_tables(dynamic), wrong, unknown) if dynamic else None
    if not static:
        assert states is not None  # noqa: S101 - there is one table or more
        return states
    table = _latest_first(join_tables(static), wrong)
    draft = _draft_static(table, wrong, unknown)
    return draft if states is None else add_states(draft, states)


def _latest_first(table: TextTable, wrong: Counter[str]) -> TextTable:
    """Put rows that were changed later first: of repeats of one day they are kept."""
    if not table.has("last_modified"):
        return table
    changed = parse_times(table.column("last_modified"), wrong, "last_modified", zone=_ZONE)
    age = -changed.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    order = pa.array(np.argsort(age, kind="stable"))
    return TextTable(
        table.origin, table.header, table.table.take(order), table.preamble, table.bad_rows
    )


def _draft_static(table: TextTable, wrong: Counter[str], unknown: Counter[str]) -> Draft:
    """Make a draft of the static file: one row for each charging point."""
    n = len(table)
    sites = _read_irve_sites(table, wrong, unknown)
    power = parse_numbers(_first_known(table, _POWERS), wrong, "power_kw")
    connectors = _read_irve_connectors(table, power, wrong, unknown)
    points = {
        "site": np.arange(n),
        "evse_id": _given_ids(_first_known(table, _POINT_IDS)),
        "device_id": table.column("id_pdc_local"),
        "power_kw": power,
        "quantity": _numbers_of_grouped(table, wrong),
        "heavy_vehicle_bay": _read_heavy(table),
        "bay_length_m": parse_numbers(
            table.column("gabarit_longueur_max_m"), wrong, "bay_length_m"
        ),
        "updated": sites["updated"],
    }
    is_grouped = any(name.endswith("_grouped") for name in table.header)
    extra = {k: v for k, v in table.rest(_USED).items() if not k.startswith("nb_")}
    rejects = [Reject(table.origin, row, None, reason, "") for row, reason in table.bad_rows]
    notes = {} if is_grouped else _compare_counts(table, sites["station_id"], wrong)
    has_position = table.has("coordonneesXY") or any(map(table.has, _LONGITUDES))
    notes |= {} if has_position else {"without_positions": True}
    return Draft(
        "station" if is_grouped else "point",
        table.n_read, sites, points, connectors, rejects, wrong, unknown, notes,
        country="FR", extra=extra, unique_evse_ids=not is_grouped,
    )  # fmt: skip


def _first_known(table: TextTable, names: Sequence[str]) -> pa.Array:
    """Return the first of some columns that is not empty, row by row."""
    found = [table.column(name) for name in names if table.has(name)]
    return pc.coalesce(*found) if found else pa.nulls(len(table), pa.string())


def _read_irve_sites(
    table: TextTable, wrong: Counter[str], unknown: Counter[str]
) -> dict[str, Any]:
    """Read the columns that belong to the station, from every row."""
    lon, lat = _read_positions(table, wrong)
    access = load_codes("irve").map("access", table.column("condition_acces"), unknown)
    found: dict[str, Any] = {
        name: _first_known(table, names) for name, names in _FIRST_KNOWN.items()
    }
    dates = [
        parse_times(table.column(name), wrong, "date_last_status_update", zone=_ZONE)
        for name in _DATES if table.has(name)
    ]  # fmt: skip
    return found | {
        "station_id": _read_station_ids(table),
        "lon": lon,
        "lat": lat,
        "usage_type_id": access,
        "site_power_kw": parse_numbers(
            table.column("puissance_maximale_station_kw"), wrong, "site_power_kw"
        ),
        "n_points": parse_numbers(table.column("nbre_pdc"), wrong, "n_points")
        if "id_pdc_itinerance" not in table.header and "id_pdc" not in table.header
        else None,
        "updated": pc.coalesce(*dates) if dates else pa.nulls(len(table), MOMENT),
        "created": parse_times(
            table.column("date_mise_en_service"), wrong, "date_created", zone=_ZONE
        ),
        "phone": table.column("telephone_operateur"),
        "origin": table.column("\0origin"),
        "position": table.column("\0position"),
    }


def _read_station_ids(table: TextTable) -> pa.Array:
    """Return the ids of stations; of a row without one, its charging point is the station."""
    ids = [_given_ids(table.column(name)) for name in (*_STATION_IDS, *_POINT_IDS)]
    return pc.coalesce(*ids)


def _given_ids(texts: pa.Array) -> pa.Array:
    """Make missing what is written where there is no id."""
    plain = pc.utf8_trim_whitespace(texts)
    blank = pc.is_in(pc.utf8_lower(plain), pa.array(_NO_ID))
    return pc.if_else(blank, pa.scalar(None, pa.string()), plain)


def _read_positions(
    table: TextTable, wrong: Counter[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read positions, as the consolidation found them where it did."""
    lon = parse_numbers(_first_known(table, _LONGITUDES), wrong, "lon")
    lat = parse_numbers(_first_known(table, _LATITUDES), wrong, "lat")
    pairs = table.column("coordonneesXY")
    rows = np.flatnonzero(
        (np.isnan(lon) | np.isnan(lat)) & pairs.is_valid().to_numpy(zero_copy_only=False)
    )
    if rows.size:
        found = pc.extract_regex(
            pairs.take(pa.array(rows)),
            r"^\s*\[?\s*(?P<x>[-+0-9.]+)\s*[,;]\s*(?P<y>[-+0-9.]+)\s*\]?\s*$",
        )
        wrong["coordonneesXY"] += found.null_count
        lon[rows] = parse_numbers(pc.struct_field(found, "x"), wrong, "lon")
        lat[rows] = parse_numbers(pc.struct_field(found, "y"), wrong, "lat")
    return lon, lat


def _numbers_of_grouped(table: TextTable, wrong: Counter[str]) -> NDArray[np.float64] | None:
    """Return how many charging points a row represents, in tables of stations."""
    if not any(name.endswith("_grouped") for name in table.header):
        return None if len(table) == 0 else np.ones(len(table))
    return parse_numbers(table.column("nbre_pdc"), wrong, "n_points")


def _read_heavy(table: TextTable) -> pa.Array:
    """Return whether the bay of a point is for lorries (N2, N3), where schema 3 says."""
    return map_texts(
        table.column("type_vehicule"),
        lambda text: None if text == "[]" else _HEAVY.search(text) is not None,
        pa.bool_(),
    )


def _compare_counts(table: TextTable, ids: pa.Array, wrong: Counter[str]) -> dict[str, Any]:
    """Count the stations whose stated number of points is not that of their rows."""
    stated = parse_numbers(table.column("nbre_pdc"), wrong, "nbre_pdc")
    coded = ids.dictionary_encode()
    known = coded.indices.is_valid().to_numpy(zero_copy_only=False) & ~np.isnan(stated)
    code = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    n = len(coded.dictionary)
    rows = np.bincount(code[known], minlength=n)
    most = np.zeros(n)
    np.fmax.at(most, code[known], stated[known])
    differ = int(np.sum((rows > 0) & (most != rows)))
    return {"n_stations_points_differ": differ} if differ else {}


def _read_irve_connectors(
    table: TextTable,
    power: NDArray[np.float64],
    wrong: Counter[str],
    unknown: Counter[str],
) -> dict[str, Any]:
    """Read the connectors of points; the power of a point belongs to the one that can carry it."""
    if table.has("type_prise"):
        parts = _read_words(table, unknown)
    elif any(name.endswith("_grouped") for name in table.header):
        parts = _read_grouped(table, wrong)
    else:
        parts = _read_flags(table, wrong, unknown)
    parts = parts or [_make_part(np.empty(0, np.intp), 0)]
    point, kind, comments, number = (np.concatenate(c) for c in zip(*parts, strict=True))
    implied, own = _share_power(point, kind, power)
    current = _settle_current(table, point, implied, wrong)
    return {
        "point": point, "connection_type_id": kind, "current_type_id": current, "power_kw": own,
        "quantity": number, "comments": comments,
    }  # fmt: skip


Part = tuple["NDArray[np.intp]", "NDArray[np.int64]", "NDArray[np.object_]", "NDArray[np.float64]"]


def _make_part(rows: NDArray[np.intp], kind: int, told: str | None = None) -> Part:
    n = len(rows)
    return rows, np.full(n, kind), np.full(n, told, dtype=object), np.ones(n)


def _read_flags(table: TextTable, wrong: Counter[str], unknown: Counter[str]) -> list[Part]:
    """Read schema 2 and 3: a column for each connector."""
    codes = load_codes("irve")
    attached = parse_flags(table.column("cable_t2_attache"), wrong, "cable_t2_attache")
    has_cable = attached.fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    parts: list[Part] = []
    for name, code in _FLAGS.items():
        texts = table.column(name)
        if name == "prise_type_autre":
            texts, others = _split_lists(texts, unknown)
            parts += others
        rows = _true_rows(texts, wrong, name)
        kind = codes.find("connector", code, Counter()) or 0
        parts.append(_make_part(rows, kind, None if kind else f"Unknown ({code})"))
        if code == "t2":
            parts[-1] = (rows, np.where(has_cable[rows], _CABLE, _SOCKET), *parts[-1][2:])
        elif not kind and rows.size:
            unknown[f"connector {code}"] += len(rows)
    return [part for part in parts if len(part[0])]


def _true_rows(texts: pa.Array, wrong: Counter[str], name: str) -> NDArray[np.intp]:
    flags = parse_flags(texts, wrong, name).fill_null(fill_value=False)
    return np.flatnonzero(flags.to_numpy(zero_copy_only=False))


def _split_lists(texts: pa.Array, unknown: Counter[str]) -> tuple[pa.Array, list[Part]]:
    """Read the lists of other connectors that schema 3 has, in the words of OCPI."""
    is_list = pc.starts_with(texts, "[").fill_null(fill_value=False)
    parts: list[Part] = []
    ocpi = load_codes("ocpi")
    for row in pc.indices_nonzero(is_list).to_pylist():
        try:
            words = msgspec.json.decode(texts[row].as_py(), type=list[str])
        except msgspec.DecodeError:
            words = [texts[row].as_py()]
        for word in words:
            kind = ocpi.find("connector", word, unknown) or 0
            told = None if kind else f"Unknown ({word[:60]})"
            parts.append(_make_part(np.array([row]), kind, told))
    return pc.if_else(is_list, pa.scalar(None, pa.string()), texts), parts


def _read_words(table: TextTable, unknown: Counter[str]) -> list[Part]:
    """Read schema 1: the connectors in one text, as in ``T2 - E/F``."""
    codes = load_codes("irve")
    coded = table.column("type_prise").dictionary_encode()
    rows_of = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    parts: list[Part] = []
    for number, text in enumerate(coded.dictionary.to_pylist()):
        rows = np.flatnonzero(rows_of == number)
        for word in dict.fromkeys(w for w in _TOKEN.split(text.strip()) if w):
            counted: Counter[str] = Counter()
            kind = codes.find("word", word, counted) or 0
            for name in counted:
                unknown[name] += len(rows)
            parts.append(_make_part(rows, kind, None if kind else f"Unknown ({word[:60]})"))
    return parts


def _read_grouped(table: TextTable, wrong: Counter[str]) -> list[Part]:
    """Read tables of stations: how many connectors of each type they have."""
    codes = load_codes("irve")
    parts: list[Part] = []
    for name, code in _GROUPED.items():
        count = parse_numbers(table.column(f"nb_{name}_grouped"), wrong, "connections.quantity")
        rows = np.flatnonzero(count > 0)
        field = "word" if code == "t3" else "connector"
        kind = codes.find(field, code, Counter()) or 0
        made = _make_part(rows, kind, None if kind else f"Unknown ({code})")
        parts.append((*made[:3], count[rows]))
    return [part for part in parts if len(part[0])]


def _share_power(
    point: NDArray[np.intp], kind: NDArray[np.int64], power: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return current and power of connectors: a point states the most that one of them delivers."""
    stated = power[point]
    is_dc, is_type_2 = np.isin(kind, _DC_TYPES), np.isin(kind, _TYPE_2)
    has_dc = np.zeros(len(power), dtype=bool)
    has_dc[point[is_dc]] = True
    n_beside = np.bincount(point, minlength=len(power))
    shared = n_beside[point] > 1
    own = np.where(is_type_2 & has_dc[point] & (stated > _AC_KW), np.nan, stated)
    own = np.where(np.isin(kind, _DOMESTIC) & shared & (stated > _DOMESTIC_KW), np.nan, own)
    three = np.where(stated > _ONE_PHASE_KW, _AC_THREE_PHASE, _AC_ONE_PHASE)
    current = np.select(
        [is_dc, is_type_2, np.isin(kind, (*_DOMESTIC, 1))], [_DC, three, _AC_ONE_PHASE], default=0
    )
    return current, own


def _settle_current(
    table: TextTable, point: NDArray[np.intp], current: NDArray[np.int64], wrong: Counter[str]
) -> NDArray[np.float64]:
    """Return currents; where the connector does not tell, what schema 3 says of the point."""
    found = np.where(current > 0, current, np.nan).astype(np.float64)
    if table.has("courant_dc"):
        is_dc, is_ac = (
            parse_flags(table.column(name), wrong, name).fill_null(fill_value=False)
            .to_numpy(zero_copy_only=False)[point]
            for name in ("courant_dc", "courant_ac")
        )  # fmt: skip
        found = np.where(np.isnan(found) & is_dc & ~is_ac, _DC, found)
    return found


def _read_irve_states(table: TextTable, wrong: Counter[str], unknown: Counter[str]) -> Draft:
    """Read the dynamic file: the last state of each point."""
    codes = load_codes("irve")
    moment = parse_times(table.column("horodatage"), wrong, "date_last_status_update", zone=_ZONE)
    state = codes.map("status", table.column("etat_pdc"), unknown)
    live = codes.map("live", table.column("occupation_pdc"), unknown)
    works = pc.equal(state, 50).fill_null(fill_value=False)
    status = pc.if_else(works, pc.coalesce(live, state), state)
    rejects = [Reject(table.origin, row, None, reason, "") for row, reason in table.bad_rows]
    ids = _first_known(table, _POINT_IDS)
    return keep_newest(
        ids,
        status=status,
        moment=moment,
        read=(table.origin, table.n_read),
        rejects=rejects,
        counters=(wrong, unknown),
    )
