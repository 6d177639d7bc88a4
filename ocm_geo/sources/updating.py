"""Updating a mirror: a new snapshot that shares with the one before what did not change."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from ocm_geo import reference as ref
from ocm_geo.errors import MirrorError, MirrorShrunk
from ocm_geo.query import published_mask
from ocm_geo.reference.credit import ATTRIBUTION
from ocm_geo.schema import to_pandas
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.build import (
    find_newest,
    merge_reference,
    order_in_space,
    write_full,
    write_manifest,
)
from ocm_geo.sources.comparing import find_differences
from ocm_geo.sources.content import hash_content
from ocm_geo.sources.exclusive import lock_mirror, scratch_folder, switch_snapshot
from ocm_geo.sources.gathering import Gathered
from ocm_geo.sources.history import next_number
from ocm_geo.sources.incoming import wrap_tables
from ocm_geo.sources.judging import check_content, count_content, count_unnamed, tell_user
from ocm_geo.sources.loaded import LoadedSnapshot
from ocm_geo.sources.parts import MOST_PARTS, link_parts, link_unchanged, name_part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.sources.incoming import Incoming

    Take = Callable[[dict[str, Any], str], Incoming]

__all__ = ["UpdateReport", "update_snapshot"]

_MOST_VANISHED = 1000
_VANISHED_SHARE = 0.2
_STORAGE = ("parts", "n_rows", "content")
_STATUSES = ("submission_status_id", "status_type_id")


@dataclass(frozen=True)
class UpdateReport:
    """
    What an update of a mirror found; stations are counted as questions find them.

    Parameters
    ----------
    snapshot : str
        The new snapshot.
    n_requests : int
        Requests that were sent to a server.
    n_added : int
        Stations that are published now and were not, or not there, before.
    n_removed : int
        Stations that were published before and are not, or not there, now.
    n_changed : int
        Stations of which anything but what the server computes for each answer changed.
    n_unchanged : int
        The other stations: ``n_added + n_changed + n_unchanged`` are published now.
    complete : bool
        Whether all that was asked for was read. False where a file ends too early, or a server
        may hide stations; nothing is taken for gone then.
    """

    snapshot: str
    n_requests: int
    n_added: int
    n_removed: int
    n_changed: int
    n_unchanged: int
    complete: bool

    def __str__(self) -> str:
        told = (
            f"snapshot {self.snapshot}: added {self.n_added:,}, removed {self.n_removed:,}, "
            f"changed {self.n_changed:,}, unchanged {self.n_unchanged:,}"
        )
        if self.n_requests:
            told += f"\n  requests {self.n_requests:,}"
        return told if self.complete else f"{told}\n  NOT COMPLETE"


class _State(NamedTuple):
    """The new state: where its stations are in what was gathered, and which of them are new."""

    kept: NDArray[np.int64]
    fresh: NDArray[np.int64]
    removed: NDArray[np.int64]
    counts: dict[str, int]


def update_snapshot(root: Path, take: Take, *, force: bool = False) -> UpdateReport:
    """
    Update a mirror, or make its first snapshot.

    Parameters
    ----------
    root : pathlib.Path
        The mirror; made if it does not exist.
    take : callable
        Takes what the last update left and the id of the current snapshot (empty without one),
        and returns what is to be taken in.
    force : bool
        Allow a snapshot without stations, or with far fewer than the current one's.

    Returns
    -------
    UpdateReport
        What changed.

    Raises
    ------
    MirrorLocked
        If another process is building.
    MirrorShrunk
        If many stations would be lost.
    MirrorError
        If nothing can be kept, or writing fails; earlier snapshots stay as they were.
    """
    try:
        (root / disk.SNAPSHOTS).mkdir(parents=True, exist_ok=True)
        with lock_mirror(root), scratch_folder(root) as folder:
            old = LoadedSnapshot(root, None) if (root / disk.CURRENT).is_file() else None
            incoming = take(
                {} if old is None else old.manifest.get("origin", {}), old.name if old else ""
            )
            try:
                report, tell = _write_update(root, folder, old, incoming, force=force)
            except MirrorError:
                # What was refused must not be taken up by the next update.
                incoming.finish()
                raise
            incoming.finish()
    except (OSError, pa.ArrowException) as error:
        raise MirrorError(
            f"the mirror {root} could not be updated ({error}); earlier snapshots are untouched"
        ) from error
    tell()
    return report


def _write_update(
    root: Path, folder: Path, old: LoadedSnapshot | None, incoming: Incoming, *, force: bool
) -> tuple[UpdateReport, Callable[[], None]]:
    """Write the new snapshot and make it the current one; what to tell the user comes after."""
    with Gathered(folder) as gathered:
        chosen = gathered.take_all(incoming.batches)
        complete = incoming.is_complete() and not incoming.account.cut
        state = _merge_states(gathered, chosen, old, incoming, complete=complete)
        report, countries = count_content(gathered, state.kept, incoming.account)
        report = replace(report, n_read=report.n_kept + report.n_rejected)
        check_content(root, report, incoming.account, force=force)
        _check_vanished(root, state, force=force)
        newest = find_newest(gathered, state.kept)
        base = ref.bundled() if old is None else old.reference
        tables = merge_reference(base, gathered, incoming.reference(), newest)
        unnamed = count_unnamed(gathered, state.kept, tables)
        facts = {
            "number": next_number(root),
            "data_date": newest,
            "attribution": ATTRIBUTION if old is None else old.manifest["attribution"],
            "complete": complete,
            "report": replace(report, n_unnamed_operators=unnamed[0]).as_dict(),
            "countries": countries,
            "origin": incoming.origin(),
        }
        if old is not None and "register" in old.manifest:
            facts["register"] = old.manifest["register"]
        shared = _write_tables(folder, gathered, state, old, facts=facts)
    shared |= _write_reference(folder, tables, old)
    name = write_manifest(folder, facts, shared)
    switch_snapshot(root, folder, name)
    counted = UpdateReport(name, incoming.count_requests(), **state.counts, complete=complete)
    return counted, lambda: tell_user(root, gathered, incoming.account, unnamed)


def _merge_states(
    gathered: Gathered,
    chosen: NDArray[np.int64],
    old: LoadedSnapshot | None,
    incoming: Incoming,
    *,
    complete: bool,
) -> _State:
    """
    Lay what came in over what the mirror has.

    A record that came in unchanged gives way to the row that the mirror has, so that files can be
    shared; the rows of the mirror that stay are added to what was gathered.
    """
    ids = gathered.stations.column("ocm_id").to_numpy()[chosen]
    published = _mask_published(gathered, chosen)
    if old is None:
        kept = chosen[published] if incoming.published_only else chosen
        n_published = int(published.sum())
        return _State(kept, kept, np.empty(0, np.int64), _name_counts(n_published, 0, 0, 0))
    if incoming.published_only:
        known = published | np.isin(ids, old.ids)
        ids, chosen, published = ids[known], chosen[known], published[known]
    changed = _find_changed_rows(gathered, chosen, ids, old)
    was_published = published_mask(to_pandas(old.rows.select(_STATUSES)))
    stays = ~np.isin(old.ids, ids[changed])
    if incoming.is_whole and complete:
        named = np.isin(old.ids, ids)
        stays &= named | ~was_published if incoming.published_only else named
    gone = [*incoming.gone, *(() if incoming.is_whole else gathered.rejected_ids)]
    stays &= ~np.isin(old.ids, np.setdiff1d(np.array(gone, np.int64), ids))
    offset = len(gathered.stations)
    _add_old_rows(gathered, old)
    kept = np.concatenate([chosen[changed], offset + np.flatnonzero(stays)])
    removed = np.setdiff1d(old.ids[~stays], ids[changed])
    before, now = old.ids[was_published], ids[changed & published]
    n_changed = int(np.isin(now, before).sum())
    n_same = int((stays & was_published).sum())
    counts = _name_counts(len(now) - n_changed, len(before) - n_changed - n_same, n_changed, n_same)
    return _State(kept, chosen[changed], removed, counts)


def _name_counts(n_added: int, n_removed: int, n_changed: int, n_unchanged: int) -> dict[str, int]:
    """Name the counts of an update as its report does."""
    return {
        "n_added": n_added,
        "n_removed": n_removed,
        "n_changed": n_changed,
        "n_unchanged": n_unchanged,
    }


def _mask_published(gathered: Gathered, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of the gathered rows are published."""
    columns = {n: gathered.stations.column(n).take(pa.array(rows)) for n in _STATUSES}
    return published_mask(to_pandas(pa.table(columns)))


def _find_changed_rows(
    gathered: Gathered, chosen: NDArray[np.int64], ids: NDArray[np.int64], old: LoadedSnapshot
) -> NDArray[np.bool_]:
    """Return which of the records are new to the mirror or differ from what it has."""
    by_id = np.argsort(old.ids)
    place = np.searchsorted(old.ids, ids, sorter=by_id).clip(max=max(len(old.ids) - 1, 0))
    rows = by_id[place] if len(old.ids) else np.empty(0, np.intp)
    changed = np.ones(len(ids), bool)
    if not len(rows):
        return changed
    known = np.flatnonzero(old.ids[rows] == ids)
    new_rows, old_rows = pa.array(chosen[known]), pa.array(rows[known])
    differences = find_differences(
        lambda name: old.rows[name].take(old_rows),
        lambda name: gathered.stations.column(name).take(new_rows),
    )
    changed[known] = False
    for differs in differences.values():
        changed[known] |= differs
    return changed


def _add_old_rows(gathered: Gathered, old: LoadedSnapshot) -> None:
    """Put the rows of the mirror on top of what was gathered."""
    connections = old.read_connections()
    counts = old.count_connections(connections["ocm_id"].to_numpy())
    n_read = gathered.n_read
    gathered.add(wrap_tables(old.rows, connections, counts))
    gathered.n_read = n_read


def _check_vanished(root: Path, state: _State, *, force: bool) -> None:
    """Refuse an answer that lacks many stations: a server that rebuilds its cache has some."""
    n_lost = state.counts["n_removed"]
    n_before = n_lost + state.counts["n_changed"] + state.counts["n_unchanged"]
    if not force and n_lost > max(_MOST_VANISHED, _VANISHED_SHARE * n_before):
        raise MirrorShrunk(
            f"{n_lost:,} of {n_before:,} published stations of the mirror {root} would be gone: it "
            "was not changed. Is the source complete? Try again later, or pass force=True (--force)"
        )


def _write_tables(
    folder: Path,
    gathered: Gathered,
    state: _State,
    old: LoadedSnapshot | None,
    *,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Write stations and connections, as a part beside the old ones where that is less."""
    numbers = [] if old is None else old.manifest.get("parts") or [old.manifest.get("number", 0)]
    n_rows = 0 if old is None else old.manifest.get("n_rows", len(old.ids))
    # Rows that count no more make questions slower to begin: half as many as stations are enough.
    is_small = n_rows + len(state.fresh) <= 1.5 * len(state.kept)
    if old is None or len(numbers) >= MOST_PARTS or not is_small:
        facts["content"] = write_full(folder, gathered, state.kept, facts["attribution"])
        return {}
    if not state.fresh.size and not state.removed.size:
        facts |= {name: old.manifest[name] for name in _STORAGE if name in old.manifest}
        return link_unchanged(old.folder, old.manifest, folder)
    parts, shared = link_parts(old.folder, old.manifest, folder, numbers[0])
    part = name_part(facts["number"])
    order = order_in_space(gathered.stations, state.fresh)
    disk.write_stations(folder / part.stations, gathered.stations, order, facts["attribution"])
    rows = gathered.order_connections(order)
    disk.write_connections(folder / part.connections, gathered.connections, rows)
    if state.removed.size and part.removed is not None:
        text = json.dumps(state.removed.tolist())
        (folder / part.removed).write_text(text, encoding="utf-8")
    facts["parts"] = [*parts, facts["number"]]
    facts["n_rows"] = n_rows + len(state.fresh)
    facts["content"] = hash_content(
        gathered.stations, order_in_space(gathered.stations, state.kept)
    )
    return shared


def _write_reference(
    folder: Path, tables: ref.ReferenceData, old: LoadedSnapshot | None
) -> Mapping[str, Any]:
    """Write the reference data, or share those of the snapshot before if they are the same."""
    path = ref.write(tables, folder)
    if old is None:
        return {}
    facts = old.manifest["files"][ref.FILE]
    if disk.checksum(path) != facts["sha256"]:
        return {}
    path.unlink()
    try:
        os.link(old.folder / ref.FILE, path)
    except OSError:
        ref.write(tables, folder)
    return {ref.FILE: facts}
