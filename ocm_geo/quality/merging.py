"""Merge registers: one row a station, each value with the source that it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.frames import check_new_columns, lonlat_frame
from ocm_geo.ids import station_table
from ocm_geo.provenance import attach, credit_line, read_attrs
from ocm_geo.quality.grouping import find_pairs, group_records
from ocm_geo.reference.registry import (
    REFERENCE_KEY,
    reference_key,
    reference_of,
    register_reference,
)
from ocm_geo.schema import CRS, STATION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["merge_stations"]

NEWEST = "newest"
_LINEAGE = ("sources", "source_ids", "lineage")
_TOGETHER = {
    "n_connectors": (
        "connections",
        "n_connectors",
        "n_points",
        "max_power_kw",
        "total_power_kw",
        "n_power_missing",
        "n_power_implausible",
        "has_dc",
    ),
    "operator_id": ("operator_id", "operator_reference"),
    "country_code": ("country_code", "country_id"),
    "data_provider_id": ("data_provider_id", "provider_reference"),
}
"""Columns that describe one thing: they are taken from one source, the first that has the leading
one. Half of one record's connections with another's sums would be wrong."""
_UNKNOWN_OPERATOR = 1


def merge_stations(
    tables: Mapping[str, gpd.GeoDataFrame],
    *,
    prefer: str | Sequence[str],
    matches: pd.DataFrame | Mapping[tuple[str, str], pd.DataFrame] | None = None,
) -> gpd.GeoDataFrame:
    """
    Merge the stations of several registers into one table, one row a station.

    Parameters
    ----------
    tables : mapping of str to geopandas.GeoDataFrame
        Station tables by the name of their source: ``{"ocm": a, "irve": b}``. Names are words of
        letters, digits and underscores.
    prefer : str or sequence of str
        Where sources disagree: the name of the one to believe, names in order of preference
        (sources not named follow in the order of `tables`), or ``"newest"``: for each station the
        record with the latest ``date_last_status_update``.
    matches : pandas.DataFrame or mapping, optional
        Which stations are the same: for two tables the pairs ``id_a`` (of the first) and
        ``id_b``; for more a mapping such as ``{("ocm", "irve"): pairs}``. By default each table
        is matched to those before it with `match_stations`.

    Returns
    -------
    geopandas.GeoDataFrame
        A station table, index ``station_id``: ``"ocm:4621"``, the source whose position is taken
        and its id. A value that is missing in the preferred record is taken from the next; the
        connections with their sums and the number of points come from one record. Besides:
        ``sources`` (names, separated by spaces), ``source_ids`` (JSON: the id in each source) and
        ``lineage`` (JSON: for each column in which the sources disagree, the source taken;
        missing where they agree). As a source: ``TableSource(merged)``.

    Raises
    ------
    QueryError
        If a table, a name, `prefer` or the matches do not fit, or a table has a column that the
        result adds.

    Notes
    -----
    Every record is in exactly one row. Credits and licences of all sources are in the
    provenance; a licence that demands sharing alike (ODbL) then holds for the merged table.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source="sample")
    >>> a, b = stations.iloc[:60], stations.iloc[40:100]
    >>> merged = ocm.merge_stations({"first": a, "second": b}, prefer="first")
    >>> int((merged["sources"] == "first second").sum())
    20
    """
    checked = {name: _check_table(name, table) for name, table in _check_tables(tables).items()}
    order = _order_sources(list(checked), prefer)
    groups = group_records(checked, find_pairs(checked, matches))
    records = pd.concat([pd.DataFrame(t) for t in checked.values()], ignore_index=True)
    names = np.repeat(np.array(list(checked), dtype=object), [len(t) for t in checked.values()])
    ranked = _rank_records(groups, records, [list(checked).index(name) for name in order], prefer)
    merged, lineage = _choose_values(records, names, ranked)
    ids = np.array([i for t in checked.values() for i in t.index], dtype=object)
    first = ranked[:, 0]
    merged["sources"] = pd.array(_list_sources(groups, list(checked)), dtype="string")
    merged["source_ids"] = pd.array(_list_ids(groups, names, ids), dtype="string")
    merged["lineage"] = pd.array(lineage, dtype="string")
    merged.index = pd.Index([f"{names[r]}:{ids[r]}" for r in first], name="station_id")
    points = gpd.GeoSeries(records["geometry"].to_numpy()[first], index=merged.index, crs=CRS)
    return _credit_merged(gpd.GeoDataFrame(merged, geometry=points), checked, order, prefer)


def _check_tables(tables: Any) -> Mapping[str, Any]:  # noqa: ANN401 - checked here
    """Check the names of the sources and that there are at least two."""
    if not isinstance(tables, Mapping) or len(tables) < 2:  # noqa: PLR2004 - two to merge
        raise QueryError(
            "tables must be a mapping of two or more names to station tables, such as "
            f'{{"ocm": a, "irve": b}}, not {short_form(tables)}'
        )
    for name in tables:
        if not isinstance(name, str) or not name.isidentifier():
            raise QueryError(
                "names of sources must be words of letters, digits and underscores, not "
                f"{short_form(name)}"
            )
    return tables


def _check_table(name: str, table: Any) -> gpd.GeoDataFrame:  # noqa: ANN401 - checked here
    """Return a station table in longitude and latitude, with the columns that merging needs."""
    what = f"tables[{name!r}]"
    stations = station_table(table, what, columns=["connections", "n_connectors"])
    check_new_columns(stations, _LINEAGE, what)
    checked = lonlat_frame(stations, what)
    checked.attrs = dict(table.attrs)
    return checked


def _order_sources(names: list[str], prefer: Any) -> list[str]:  # noqa: ANN401 - checked here
    """Return the sources by preference; those that are not named follow."""
    if isinstance(prefer, str) and prefer == NEWEST and NEWEST not in names:
        return names
    wanted = [prefer] if isinstance(prefer, str) else prefer
    unknown = (
        [n for n in wanted if n not in names] if isinstance(wanted, list | tuple) else [prefer]
    )
    if unknown:
        raise QueryError(
            f"prefer must be {NEWEST!r} or names of the tables ({', '.join(names)}), not "
            f"{short_form(unknown[0])}"
        )
    return list(dict.fromkeys([*wanted, *names]))


def _rank_records(
    groups: NDArray[np.intp], records: pd.DataFrame, order: list[int], prefer: object
) -> NDArray[np.intp]:
    """Return the records of each group by preference, -1 after the last."""
    ranked = groups[:, order]
    if prefer == NEWEST and "date_last_status_update" in records:
        dates = pd.to_datetime(records["date_last_status_update"], utc=True)
        # Records without a date come last, as -1 does; ties stay in the order of the sources.
        age = -dates.astype("int64").to_numpy().astype(np.float64)
        age[dates.isna().to_numpy()] = np.inf
        columns = np.argsort(np.where(ranked >= 0, age[ranked], np.inf), axis=1, kind="stable")
        ranked = np.take_along_axis(ranked, columns, axis=1)
    absent_last = np.argsort(ranked < 0, axis=1, kind="stable")
    return np.take_along_axis(ranked, absent_last, axis=1)


def _choose_values(
    records: pd.DataFrame, names: NDArray[np.object_], ranked: NDArray[np.intp]
) -> tuple[pd.DataFrame, list[str | None]]:
    """Choose each value from the first record that has one, and note where others differ."""
    leaders = {column: leader for leader, group in _TOGETHER.items() for column in group}
    known = [c.name for c in STATION_COLUMNS if c.name in records]
    columns = known + [c for c in records.columns if c not in {*known, "geometry"}]
    chosen: dict[str, Any] = {}
    notes: list[dict[str, str]] = [{} for _ in ranked]
    taken: dict[str, NDArray[np.intp]] = {}
    for column in columns:
        leader = leaders.get(column, column)
        if leader not in records:
            leader = column
        if leader not in taken:
            taken[leader] = _choose_record(records[leader], leader, ranked)
        chosen[column] = records[column].take(taken[leader]).reset_index(drop=True)
        for row in _find_disagreeing(records[column], ranked, taken[leader]):
            notes[row][column] = str(names[taken[leader][row]])
    texts = [json.dumps(note) if note else None for note in notes]
    return pd.DataFrame(chosen), texts


def _choose_record(
    values: pd.Series[Any], column: str, ranked: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return for each group its first record that has a value; its first where none has."""
    has = values.notna().to_numpy()
    if column == "n_connectors":
        has = has & (values > 0).fillna(value=False).to_numpy(dtype=bool)
    elif column == "operator_id":
        has = has & (values != _UNKNOWN_OPERATOR).fillna(value=False).to_numpy(dtype=bool)
    usable = (ranked >= 0) & has[ranked]
    return np.take_along_axis(ranked, np.argmax(usable, axis=1)[:, None], axis=1)[:, 0]


def _find_disagreeing(
    values: pd.Series[Any], ranked: NDArray[np.intp], taken: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Find the groups in which another record has another value than the one taken."""
    codes = pd.factorize(values.astype("string"))[0]
    other = (ranked >= 0) & (codes[ranked] >= 0) & (codes[ranked] != codes[taken][:, None])
    return np.flatnonzero(other.any(axis=1) & (codes[taken] >= 0))


def _list_sources(groups: NDArray[np.intp], names: list[str]) -> list[str]:
    return [" ".join(n for n, row in zip(names, rows, strict=True) if row >= 0) for rows in groups]


def _list_ids(
    groups: NDArray[np.intp], names: NDArray[np.object_], ids: NDArray[np.object_]
) -> list[str]:
    """Return the ids of each group's records as JSON."""
    plain = [i if isinstance(i, str) else int(i) for i in ids]
    return [json.dumps({names[r]: plain[r] for r in rows if r >= 0}) for rows in groups]


def _credit_merged(
    merged: gpd.GeoDataFrame,
    tables: dict[str, gpd.GeoDataFrame],
    order: list[str],
    prefer: object,
) -> gpd.GeoDataFrame:
    """Record the sources, licences and reference data of all tables."""
    facts = [read_attrs(table) for table in tables.values()]
    reference = reduce(
        lambda a, b: a.merged(b), [reference_of(tables[n], ask=False) for n in reversed(order)]
    )
    key = register_reference(reference_key(reference), reference)
    covered = [str(f["covers"]).split() for f in facts if f.get("covers")]
    licences = dict.fromkeys(str(f["licence"]) for f in facts if f.get("licence"))
    return attach(
        merged,
        source="merged: " + ", ".join(tables),
        merged={
            "n": {name: len(table) for name, table in tables.items()},
            "prefer": prefer if isinstance(prefer, str) else list(order),
            "from": [f.get("snapshot") or f.get("retrieved") for f in facts],
        },
        attribution=credit_line(*tables.values()),
        licence="; ".join(licences) or None,
        complete=all(f.get("complete") is not False for f in facts),
        covers=" ".join(sorted(set().union(*covered))) if len(covered) == len(facts) else None,
        **{REFERENCE_KEY: key},
    )
