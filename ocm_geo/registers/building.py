"""From a draft to the tables of a register, with an account of every record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.connections import clean_text
from ocm_geo.registers import choosing
from ocm_geo.registers.evse_ids import read_evse_ids
from ocm_geo.registers.layouts import CONNECTOR_LAYOUT, POINT_LAYOUT, SITE_LAYOUT, lay_out
from ocm_geo.registers.making import connection_texts, make_connections, make_stations
from ocm_geo.registers.powers import check_powers, rate_points
from ocm_geo.registers.values import quote_texts
from ocm_geo.schema import REMOVED
from ocm_geo.sources.records import Reject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.registers.draft import Draft

__all__ = ["Built", "build_tables"]

_UNKNOWN = 0
_DUPLICATE = 210
_REPEATED_EVSE = "repeats an EVSE id"


@dataclass(frozen=True)
class Built:
    """
    The tables of a register.

    Parameters
    ----------
    ids : pandas.Index
        The ids of the stations, ascending.
    stations : pyarrow.Table
        The columns of `ocm_geo.schema.STATION_COLUMNS`, ``lon`` and ``lat``; ``ocm_id`` is the id
        where ids are positive whole numbers, else the rank of the station from 1.
    connections : pyarrow.Table
        The columns of `ocm_geo.schema.CONNECTION_COLUMNS`, station by station.
    counts : numpy.ndarray of int
        How many connections each station has.
    points : pyarrow.Table
        The charging points, station by station; empty where they were not asked for.
    rejects : list of Reject
        Records that were not kept.
    report : dict
        The account.
    data_date : str
        What the file says of its date, else the newest update.
    """

    ids: pd.Index[Any]
    stations: pa.Table
    connections: pa.Table
    counts: NDArray[np.int64]
    points: pa.Table
    rejects: list[Reject]
    report: dict[str, Any]
    data_date: str


def build_tables(draft: Draft, attribution: str, *, evses: bool = False) -> Built:
    """
    Build the tables of a register.

    Parameters
    ----------
    draft : Draft
        What was read; its counters are changed.
    attribution : str
        Whom to credit.
    evses : bool
        Whether the table of charging points is wanted.

    Returns
    -------
    Built
        The tables and the account.
    """
    sites, points, connectors = _lay_out_draft(draft)
    placed = not draft.notes.get("without_positions", False)
    chosen = choosing.choose_sites(
        sites, merge=draft.unique_evse_ids, unit=draft.unit, placed=placed
    )
    rejects = [*draft.rejects, *_make_rejects(sites, chosen.faults)]
    evse_ids, n_repaired = read_evse_ids(points["evse_id"].combine_chunks())
    points = _with_new_sites(points, chosen.new_row).append_column("id", evse_ids)
    kept = choosing.choose_points(points, evse_ids, unique=draft.unique_evse_ids)
    rejects += _reject_points(sites, points, kept, draft)
    emptied = _find_emptied(points, kept, len(chosen.rows))
    points, connectors = _take_kept(points, connectors, kept)
    connectors = check_powers(connectors, draft.wrong)
    points = rate_points(points, connectors, draft.wrong)
    sites = _mark_copies(sites.take(pa.array(chosen.rows)), emptied, draft)
    if not placed:
        nowhere = pa.array(np.zeros(len(sites)))
        sites = sites.set_column(1, "lon", nowhere).set_column(2, "lat", nowhere)
    extra = _take_extra(draft, chosen.rows)
    living, live_connectors = _without_removed(points, connectors)
    made = make_stations(
        draft, sites, living, live_connectors, extra=extra, attribution=attribution
    )
    listed = _finish_points(points, connectors, draft) if evses else points.slice(0, 0)
    report = _make_report(draft, rejects, n_repaired)
    report |= {
        "n_stations": len(made.ids),
        "n_evses": int(pc.sum(points["quantity"]).as_py() or 0) if draft.has_points else None,
        "n_connections": len(connectors),
    }
    n_removed = len(points) - len(living)
    report |= {"n_evses_removed": n_removed} if n_removed else {}
    report |= {"n_positions_swapped": made.n_swapped} if made.n_swapped else {}
    newest = pc.max(sites["updated"]).as_py() if len(sites) else None
    date = draft.data_date or ("" if newest is None else newest.date().isoformat())
    return Built(
        made.ids, made.stations, made.connections, made.counts, listed, rejects, report, date
    )


def _lay_out_draft(draft: Draft) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Bring a draft into Arrow tables of sites, charging points and connectors."""
    n_sites, n_points, n_connectors = (
        len(columns[name])
        for columns, name in (
            (draft.sites, "station_id"),
            (draft.points, "site"),
            (draft.connectors, "point"),
        )
    )
    ids = draft.sites["station_id"]
    if not isinstance(ids, pa.Array | pa.ChunkedArray):
        is_whole = all(isinstance(value, int) for value in ids if value is not None)
        ids = pa.array(ids, pa.int64() if is_whole and n_sites else pa.string())
    layout = SITE_LAYOUT.set(0, pa.field("station_id", ids.type))
    sites = lay_out({**draft.sites, "station_id": ids}, layout, n_sites)
    for name in ("title", "address", "town", "state", "postcode", "operator", "station_id"):
        column = clean_text(sites[name].combine_chunks())
        sites = sites.set_column(sites.schema.get_field_index(name), name, column)
    points = lay_out(draft.points, POINT_LAYOUT, n_points)
    connectors = lay_out(draft.connectors, CONNECTOR_LAYOUT, n_connectors)
    return sites, points, connectors


def _make_rejects(sites: pa.Table, faults: list[tuple[int, str]]) -> list[Reject]:
    """Make an entry of each record that is not kept; of a point register each row is one."""
    if not faults:
        return []
    rows = pa.array([row for row, _ in faults])
    found = sites.select(["station_id", "title", "origin", "position"]).take(rows).to_pylist()
    return [
        Reject(
            row["origin"] or "",
            row["position"] or 0,
            None,
            reason,
            f"{row['station_id']} {row['title'] or ''}".strip()[:200],
        )
        for row, (_, reason) in zip(found, faults, strict=True)
    ]


def _reject_points(
    sites: pa.Table, points: pa.Table, kept: NDArray[np.bool_], draft: Draft
) -> list[Reject]:
    """Make an entry of each repeated charging point, where these are what is counted."""
    repeats = np.flatnonzero(~kept & (points["site"].to_numpy() != choosing.NOT_KEPT))
    if not repeats.size:
        return []
    if draft.unit != "point":
        draft.notes["n_evses_read"] = len(points)
        draft.notes["n_evses_repeated"] = int(repeats.size)
        return []
    rows = points["draft_site"].take(pa.array(repeats))
    return _make_rejects(sites, [(row, _REPEATED_EVSE) for row in rows.to_pylist()])


def _find_emptied(points: pa.Table, kept: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Find the stations all of whose charging points are those of other stations."""
    site = points["site"].to_numpy()
    placed = site != choosing.NOT_KEPT
    n_before = np.bincount(site[placed], minlength=n)
    emptied: NDArray[np.bool_] = (n_before > 0) & (np.bincount(site[kept], minlength=n) == 0)
    return emptied


def _mark_copies(sites: pa.Table, emptied: NDArray[np.bool_], draft: Draft) -> pa.Table:
    """Mark stations that only repeat others as duplicates: they stay, and count for nothing."""
    if not emptied.any():
        return sites
    draft.notes["n_stations_duplicate"] = int(emptied.sum())
    place = sites.schema.get_field_index("status_type_id")
    status = sites["status_type_id"].combine_chunks()
    marked = pc.if_else(pa.array(emptied), pa.scalar(_DUPLICATE, pa.int64()), status)
    return sites.set_column(place, "status_type_id", marked)


def _with_new_sites(points: pa.Table, new_row: NDArray[np.intp]) -> pa.Table:
    """Let charging points name the stations that are kept."""
    old = points["site"].to_numpy()
    points = points.append_column("draft_site", pa.array(old))
    return points.set_column(0, "site", pa.array(new_row[old], pa.int64()))


def _take_kept(
    points: pa.Table, connectors: pa.Table, kept: NDArray[np.bool_]
) -> tuple[pa.Table, pa.Table]:
    """Take the charging points that are kept, station by station, and their connectors."""
    rows = np.flatnonzero(kept)
    rows = rows[np.argsort(points["site"].to_numpy()[rows], kind="stable")]
    new_row = np.full(len(kept), choosing.NOT_KEPT, dtype=np.int64)
    new_row[rows] = np.arange(len(rows))
    return points.take(pa.array(rows)), _renumber_connectors(connectors, new_row)


def _renumber_connectors(connectors: pa.Table, new_row: NDArray[np.int64]) -> pa.Table:
    """Take the connectors of charging points that moved, in their order."""
    of = new_row[connectors["point"].to_numpy()]
    order = np.argsort(of, kind="stable")
    order = order[np.count_nonzero(of < 0) :]
    return connectors.take(pa.array(order)).set_column(0, "point", pa.array(of[order]))


def _without_removed(points: pa.Table, connectors: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Leave out charging points that the register marks as removed: they count for nothing."""
    status = points["status_type_id"].fill_null(_UNKNOWN).to_numpy()
    alive = ~np.isin(status, REMOVED)
    if alive.all():
        return points, connectors
    # A station whose points are all removed keeps them: its own status says so.
    site = points["site"].to_numpy()
    n_alive = np.bincount(site, alive, int(site.max()) + 1)
    alive |= n_alive[site] == 0
    new_row = np.where(alive, np.cumsum(alive) - 1, choosing.NOT_KEPT)
    return points.filter(pa.array(alive)), _renumber_connectors(connectors, new_row)


def _take_extra(draft: Draft, rows: NDArray[np.intp]) -> dict[str, pa.Array]:
    """Take the columns that have no place in the schema, as JSON."""
    taken = {}
    for name, column in draft.extra.items():
        values = column.take(pa.array(rows))
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        if values.null_count < len(values):
            taken[name] = quote_texts(clean_text(values))
    return taken


def _finish_points(points: pa.Table, connectors: pa.Table, draft: Draft) -> pa.Table:
    """Make the table of charging points: what they offer together with their connectors."""
    n = len(points)
    of = connectors["point"].to_numpy()
    columns = make_connections(points, connectors)
    current = connectors["current_type_id"].fill_null(_UNKNOWN).to_numpy()
    strongest = np.zeros(n, dtype=np.int64)
    np.maximum.at(strongest, of, current)
    number = connectors["quantity"].fill_null(1).to_numpy()
    made = {
        "site": points["site"],
        "evse_id": points["id"],
        "evse_id_raw": points["evse_id"],
        "device_id": points["device_id"],
        "n_points": points["quantity"] if draft.has_points else pa.nulls(n, pa.int64()),
        "power_kw": points["power_kw"],
        "current_type_id": pa.array(strongest, mask=strongest == 0),
        "status_type_id": points["status_type_id"],
        "n_connectors": np.bincount(of, number, n).astype(np.int64),
        "connectors": connection_texts(columns, of, n),
        "heavy_vehicle_bay": points["heavy_vehicle_bay"],
        "bay_length_m": points["bay_length_m"],
        "date_last_status_update": points["updated"],
        "extra": points["extra"],
    }
    return pa.table(made)


def _make_report(draft: Draft, rejects: list[Reject], n_repaired: int) -> dict[str, Any]:
    """Make the account: of the records read each is kept or rejected."""
    # The details after the colon differ from record to record.
    reasons = pd.Series([reject.reason.partition(":")[0] for reject in rejects], dtype=object)
    report = {
        "unit": draft.unit,
        "n_read": draft.n_read,
        "n_kept": draft.n_read - len(rejects),
        "n_rejected": len(rejects),
        "reasons": {str(k): int(v) for k, v in reasons.value_counts().items()},
        "missing": {name: n for name, n in draft.wrong.most_common() if n},
        "unknown_codes": dict(draft.unknown.most_common()),
        **draft.notes,
    }
    if n_repaired:
        report["n_evse_ids_repaired"] = n_repaired
    return report
