"""One-to-one assignment of stations to stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["assign_pairs", "group_pairs"]

_AT_ONCE = 400
_ALONE = 1e-9
"""Gain of a station that stays without a partner: less than any pair's."""


def assign_pairs(
    first: NDArray[np.intp], second: NDArray[np.intp], gain: NDArray[np.float64]
) -> NDArray[np.intp]:
    """
    Choose pairs, each station in one at most, with the greatest sum of gains.

    Parameters
    ----------
    first, second : numpy.ndarray of int, shape (n,)
        Rows of the two tables.
    gain : numpy.ndarray, shape (n,)
        What a pair is worth; those of no positive gain are left out.

    Returns
    -------
    numpy.ndarray of int
        Positions of the chosen pairs, ascending.
    """
    worth = np.flatnonzero(gain > _ALONE)
    if not worth.size:
        return worth
    rows, i = np.unique(first[worth], return_inverse=True)
    columns, j = np.unique(second[worth], return_inverse=True)
    # Pairs that share no station, not even through others, do not compete. The solver takes the
    # square of its size: it is given some hundred pairs at a time, never a block in parts.
    block = group_pairs(i, j + len(rows), len(rows) + len(columns))[i]
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    cuts = starts[np.flatnonzero(np.diff(starts // _AT_ONCE)) + 1]
    chosen = [
        members[_assign_block(i[members], j[members], gain[worth[members]])]
        for members in np.split(order, cuts)
    ]
    return np.sort(worth[np.concatenate(chosen)])


def _assign_block(
    first: NDArray[np.intp], second: NDArray[np.intp], gain: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Choose pairs among those that may compete with each other."""
    rows, i = np.unique(first, return_inverse=True)
    columns, j = np.unique(second, return_inverse=True)
    # A column of its own lets each station stay alone, so that a full matching exists.
    alone = np.arange(len(rows))
    width = len(columns) + len(rows)
    gains = csr_array(
        (
            np.concatenate([gain, np.full(len(rows), _ALONE)]),
            (np.concatenate([i, alone]), np.concatenate([j, len(columns) + alone])),
        ),
        shape=(len(rows), width),
    )
    chosen_i, chosen_j = min_weight_full_bipartite_matching(gains, maximize=True)
    return np.flatnonzero(np.isin(i * width + j, chosen_i.astype(np.intp) * width + chosen_j))


def group_pairs(first: NDArray[np.intp], second: NDArray[np.intp], n_rows: int) -> NDArray[np.intp]:
    """
    Find the groups of rows that pairs connect.

    Parameters
    ----------
    first, second : numpy.ndarray of int, shape (n,)
        Rows of one table.
    n_rows : int
        Rows of the table.

    Returns
    -------
    numpy.ndarray of int, shape (n_rows,)
        The number of each row's group; a row in no pair has one of its own.
    """
    links = coo_array((np.ones(len(first)), (first, second)), shape=(n_rows, n_rows))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)
