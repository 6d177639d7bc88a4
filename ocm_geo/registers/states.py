"""Files that state only how charging points are just now, alone or beside the static file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.registers.draft import Draft
from ocm_geo.registers.layouts import POINT_LAYOUT, lay_out
from ocm_geo.sources.records import Reject

if TYPE_CHECKING:
    from collections import Counter

__all__ = ["add_states", "keep_newest"]

_OLDER = "an older state of the same charging point"
_NO_ID = "no id of a charging point"


def keep_newest(
    ids: pa.Array,
    *,
    status: pa.Array,
    moment: pa.Array,
    read: tuple[str, int],
    rejects: list[Reject],
    counters: tuple[Counter[str], Counter[str]],
) -> Draft:
    """
    Keep the last state of each charging point.

    Parameters
    ----------
    ids : pyarrow.Array of string
        The EVSE ids as written.
    status : pyarrow.Array of int
        States, as status types of Open Charge Map.
    moment : pyarrow.Array of timestamp
        When each was so.
    read : tuple of (str, int)
        The file, and how many records it has.
    rejects : list of Reject
        Records that were rejected before.
    counters : tuple of collections.Counter
        Wrong values and unknown codes.

    Returns
    -------
    Draft
        Charging points without stations and positions.
    """
    times = moment.cast(pa.int64()).fill_null(np.iinfo(np.int64).min).to_numpy(zero_copy_only=False)
    code, names = pd.factorize(ids.to_pandas())
    order = np.lexsort((np.arange(len(code)), times, code))
    last = np.zeros(len(code), dtype=bool)
    last[order[np.flatnonzero(np.diff(code[order], append=len(names)))]] = True
    last &= code >= 0
    texts = ids.to_pylist()
    rejects = rejects + [
        Reject(read[0], int(row) + 1, None, _OLDER if code[row] >= 0 else _NO_ID, str(texts[row]))
        for row in np.flatnonzero(~last)
    ]
    rows = pa.array(np.flatnonzero(last))
    n = len(rows)
    found = {
        "site": np.arange(n), "quantity": np.ones(n), "evse_id": ids.take(rows),
        "status_type_id": status.take(rows), "updated": moment.take(rows),
    }  # fmt: skip
    sites: dict[str, Any] = {
        "station_id": ids.take(rows), "lon": np.full(n, np.nan), "lat": np.full(n, np.nan),
    }  # fmt: skip
    notes = {"without_positions": True, "without_stations": True}
    return Draft(
        "point", read[1], sites, found, {"point": np.empty(0, np.int64)}, rejects, *counters, notes
    )


def add_states(draft: Draft, states: Draft) -> Draft:
    """
    Add states to the charging points of a static file.

    Parameters
    ----------
    draft : Draft
        What the static file holds; changed.
    states : Draft
        What `keep_newest` returned.

    Returns
    -------
    Draft
        The draft; states of charging points that it does not have are counted.
    """
    from ocm_geo.registers.evse_ids import read_evse_ids  # noqa: PLC0415 - used here alone

    points = lay_out(draft.points, POINT_LAYOUT, len(draft.points["site"]))
    known = lay_out(states.points, POINT_LAYOUT, len(states.points["site"]))
    keys, state_keys = (
        pc.coalesce(read_evse_ids(t["evse_id"].combine_chunks())[0], t["evse_id"].combine_chunks())
        for t in (points, known)
    )
    at = pc.index_in(keys, state_keys)
    for name, key in (("status_type_id", "status_type_id"), ("updated", "updated")):
        newer = known[key].combine_chunks().take(at)
        draft.points[name] = pc.coalesce(newer, points[name].combine_chunks())
    matched = pc.is_in(state_keys, keys)
    draft.notes["n_states"] = len(known)
    draft.notes["n_states_without_point"] = len(known) - (pc.sum(matched).as_py() or 0)
    return draft
