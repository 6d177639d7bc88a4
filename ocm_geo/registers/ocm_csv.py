"""Open Charge Map in flat CSV: answers of the API, and extracts with a row a station."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.reference import bundled
from ocm_geo.registers.delimited import TextTable, join_tables
from ocm_geo.registers.draft import Connector, Draft, transpose
from ocm_geo.registers.making import find_country_code
from ocm_geo.registers.values import map_texts, parse_numbers, parse_times
from ocm_geo.sources.records import Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ocm_geo.registers.content import Content

__all__ = ["draft_ocm_csv", "recognise_ocm_csv"]

_NAMES: dict[str, tuple[str, ...]] = {
    "station_id": ("id", "ocmid", "ocm_id", "poi_id", "chargepointid"),
    "lon": ("longitude", "lon", "lng", "addressinfo.longitude", "addressinfo_longitude"),
    "lat": ("latitude", "lat", "addressinfo.latitude", "addressinfo_latitude"),
    "title": ("title", "locationtitle", "addressinfo.title", "addressinfo_title", "name"),
    "address": ("addressline1", "address", "addressinfo.addressline1"),
    "town": ("town", "city", "addressinfo.town"),
    "state": ("stateorprovince", "state", "addressinfo.stateorprovince"),
    "postcode": ("postcode", "addressinfo.postcode"),
    "country": ("country", "countrycode", "country_code", "addressinfo.country.isocode"),
    "operator": ("operator", "operatorinfo.title", "operatortitle"),
    "usage": ("usage_type", "usagetype", "usagetype.title"),
    "status": ("status", "statustype", "status_type", "statustype.title"),
    "points": ("numberofpoints", "n_points", "number_of_points"),
    "connectors": ("connection_types", "connectiontype", "connection_type", "connectiontypes"),
    "power": ("power_kw", "powerkw", "max_power_kw", "kw"),
    "quantity": ("quantity",),
    "updated": ("datelaststatusupdate", "date_last_status_update", "date_last_updated"),
    "created": ("datecreated", "date_created"),
    "confirmed": ("datelastconfirmed",),
    "usage_cost": ("usagecost", "usage_cost"),
    "access_comments": ("addr_accesscomments", "accesscomments", "access_comments"),
    "general_comments": ("generalcomments", "general_comments"),
    "phone": ("addr_contacttelephone1", "contacttelephone1", "phone"),
    "url": ("addr_relatedurl", "relatedurl", "url"),
}
_NEEDED = ("station_id", "lon", "lat", "title", "connectors")
_TEXTS = ("title", "address", "town", "state", "postcode", "operator", "usage_cost",
          "access_comments", "general_comments", "phone", "url")  # fmt: skip
_DC_TYPES = (2, 32, 33, 27, 1040)


def recognise_ocm_csv(content: Content) -> bool:
    """Return whether a table has the columns of a flat extract of Open Charge Map."""
    if not isinstance(content, TextTable):
        return False
    return all(_find_column(content, name) for name in _NEEDED)


def _find_column(table: TextTable, name: str) -> str | None:
    """Return the column that holds a fact, whatever its spelling."""
    folded = {column.strip().casefold(): column for column in reversed(table.table.schema.names)}
    return next((folded[word] for word in _NAMES[name] if word in folded), None)


def draft_ocm_csv(contents: Sequence[Content]) -> Draft:
    """Read stations of flat extracts."""
    table = join_tables([content for content in contents if isinstance(content, TextTable)])
    wrong: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    columns = {name: _find_column(table, name) for name in _NAMES}
    given = {name: table.column(column) if column else None for name, column in columns.items()}
    used = [column for column in columns.values() if column]
    return Draft(
        "station", len(table) + len(table.bad_rows),
        _read_ocm_sites(table, given, (wrong, unknown)),
        *_read_ocm_connectors(given, wrong, unknown),
        [Reject(table.origin, row, None, reason, "") for row, reason in table.bad_rows],
        wrong, unknown, has_points=False, unique_evse_ids=False,
        extra=table.rest([*used, "\0origin", "\0position"]),
    )  # fmt: skip


def _read_ocm_sites(
    table: TextTable, given: dict[str, pa.Array | None], counters: tuple[Counter[str], Counter[str]]
) -> dict[str, Any]:
    """Read the columns of stations."""
    wrong, unknown = counters
    found: dict[str, Any] = {name: given[name] for name in _TEXTS}
    ids = parse_numbers(_find_named_column(given, "station_id"), wrong, "station_id")
    ids = np.where(ids == np.round(ids), ids, np.nan)
    usage, status = (
        _read_labels(given[name], f"{name}_types", unknown) for name in ("usage", "status")
    )
    times = {
        name: None
        if given[name] is None
        else parse_times(_find_named_column(given, name), wrong, name)
        for name in ("updated", "created", "confirmed")
    }
    return found | times | {
        "station_id": pa.array(ids, from_pandas=True).cast(pa.int64(), safe=False),
        "lon": parse_numbers(_find_named_column(given, "lon"), wrong, "lon"),
        "lat": parse_numbers(_find_named_column(given, "lat"), wrong, "lat"),
        "country_code": None if given["country"] is None
        else map_texts(_find_named_column(given, "country"), find_country_code, pa.string()),
        "usage_type_id": usage,
        "status_type_id": status,
        "n_points": None if given["points"] is None
        else parse_numbers(_find_named_column(given, "points"), wrong, "n_points"),
        "origin": table.column("\0origin"),
        "position": table.column("\0position"),
    }  # fmt: skip


def _find_named_column(given: dict[str, pa.Array | None], name: str) -> pa.Array:
    """Return a column that the recognised layout must have."""
    column = given[name]
    assert column is not None  # noqa: S101 - asked for only where it is there
    return column


def _read_labels(texts: pa.Array | None, table: str, unknown: Counter[str]) -> pa.Array | None:
    """Read labels or ids of Open Charge Map."""
    if texts is None:
        return None
    find = _make_finder(table, unknown)
    return map_texts(texts, find, pa.int64())


def _make_finder(table: str, unknown: Counter[str]) -> Callable[[str], int | None]:
    """Make a function that finds the id of a label or number; others are counted."""
    titles = bundled().titles(table).dropna()
    ids = {str(title).strip().casefold(): int(str(i)) for i, title in titles.items()}

    def find(text: str) -> int | None:
        word = text.strip().casefold()
        if not word:
            return None
        if word.isdecimal() and int(word) in titles.index:
            return int(word)
        found = ids.get(word)
        if found is None:
            unknown[f"{table} {text.strip()[:40]}"] += 1
        return 0 if found is None else found

    return find


def _read_ocm_connectors(
    given: dict[str, pa.Array | None], wrong: Counter[str], unknown: Counter[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the list of connectors of each station; a power belongs to the strongest of them."""
    coded = _find_named_column(given, "connectors").dictionary_encode()
    find = _make_finder("connection_types", unknown)
    lists = [
        [find(part) for part in _split_connections(text)] for text in coded.dictionary.to_pylist()
    ]
    power, number = (
        None
        if given[name] is None
        else parse_numbers(_find_named_column(given, name), wrong, f"connections.{name}")
        for name in ("power", "quantity")
    )
    rows = pc.indices_nonzero(coded.indices.is_valid()).to_pylist()
    sites: list[int] = []
    connectors: list[Connector] = []
    for row in rows:
        kinds = [kind for kind in lists[coded.indices[row].as_py()] if kind is not None]
        fast = [kind for kind in kinds if kind in _DC_TYPES] or kinds
        for kind in kinds:
            quantity = _find_value(number, row) if len(kinds) == 1 else None
            connectors.append(
                Connector(
                    len(sites), kind, power_kw=_find_value(power, row) if kind in fast else None,
                    quantity=int(quantity) if quantity and quantity > 0 else None,
                )
            )  # fmt: skip
            sites.append(row)
    return {"site": np.array(sites, dtype=np.int64)}, transpose(connectors, Connector)


def _split_connections(text: str) -> list[str]:
    """Split a list of labels; commas in brackets part nothing."""
    return [part.strip() for part in re.split(r";|,(?![^()]*\))", text) if part.strip()]


def _find_value(values: NDArray[np.float64] | None, row: int) -> float | None:
    return None if values is None or np.isnan(values[row]) else float(values[row])
