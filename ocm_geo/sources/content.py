"""The hash of what a snapshot holds, however and in how many files it is written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.schema import STATION_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.sources.stack import Stack

__all__ = ["PIECE_ROWS", "ContentHash", "hash_content"]

PIECE_ROWS = 20_000
"""Rows that are hashed, and written, at once. Another number gives other hashes."""


class ContentHash:
    """
    A hash of station rows.

    The columns are hashed as Arrow lays them out, so that neither the version of the Parquet
    writer nor its compression counts: equal stations have an equal hash on every machine.
    """

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, rows: pa.Table) -> None:
        """
        Add rows.

        Parameters
        ----------
        rows : pyarrow.Table
            The columns of `STATION_COLUMNS`, ``lon`` and ``lat``.
        """
        for name in (*(column.name for column in STATION_COLUMNS), "lon", "lat"):
            column = rows[name].combine_chunks()
            self._sha256.update(column.is_valid().to_numpy(zero_copy_only=False).tobytes())
            # What is in the slots of missing values is arbitrary: only the others count.
            self._add_values(column.drop_null())

    def _add_values(self, values: pa.Array) -> None:
        """Add the values of one column, none of them missing."""
        if not len(values):
            return
        if not pa.types.is_string(values.type):
            plain = values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values
            self._sha256.update(plain.to_numpy(zero_copy_only=False).tobytes())
            return
        self._sha256.update(pc.binary_length(values).to_numpy().tobytes())
        _, positions, text = values.buffers()
        bounds = np.frombuffer(positions, np.int32)[values.offset :][: len(values) + 1]
        if text is not None:
            self._sha256.update(memoryview(text)[bounds[0] : bounds[-1]])

    def digest(self) -> str:
        """
        Return the hash of the rows so far.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        return self._sha256.hexdigest()


def hash_content(table: Stack, order: NDArray[np.int64]) -> str:
    """
    Hash stations that are not written.

    Parameters
    ----------
    table : Stack
        The columns of `STATION_COLUMNS`, ``lon`` and ``lat``.
    order : numpy.ndarray of int
        The rows, in the order that follows from their content (along the Hilbert curve).

    Returns
    -------
    str
        SHA-256, hexadecimal; what `write_stations` returns for the same rows.
    """
    content = ContentHash()
    for rows in table.pieces(order, PIECE_ROWS):
        content.add(rows)
    return content.digest()
