"""Records of equal id: the newest state is used, and the others are accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OLDER", "REPEATED", "split_repeats"]

OLDER = "older than another record of the same ID, which is kept"
REPEATED = "repeats the ID of an earlier record, which is kept"

_UNDATED = np.iinfo(np.int64).min


def split_repeats(
    ids: NDArray[np.int64], updated: pa.ChunkedArray
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """
    Choose one record of each id: the newest, and of equally new ones the first.

    Parameters
    ----------
    ids : numpy.ndarray of int
        The id of each record.
    updated : pyarrow.ChunkedArray of timestamp
        When each record was last changed; a missing date is older than any other.

    Returns
    -------
    kept : numpy.ndarray of int
        Positions of the chosen records, ascending.
    left_out : numpy.ndarray of int
        Positions of the others, ascending.
    older : numpy.ndarray of bool
        For each of the others, whether the chosen record is newer.
    """
    times = pc.fill_null(updated.cast(pa.int64()), _UNDATED).to_numpy()
    # Ascending by id; within an id the newest last, and of equally new ones the first last.
    order = np.lexsort((-np.arange(len(ids)), times, ids))
    ordered = ids[order]
    is_last = np.append(ordered[1:] != ordered[:-1], True) if len(ids) else np.empty(0, bool)
    chosen = order[is_last]
    left_out = np.sort(order[~is_last])
    best = times[chosen][np.searchsorted(ids[chosen], ids[left_out])]
    return np.sort(chosen), left_out, times[left_out] < best
