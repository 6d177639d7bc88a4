"""Tables piled up while bulk data are read, and given back in another order, piece by piece.

What does not fit into a small part of the memory is spilled to a file: the memory taken does not
grow with the rows, but for some bytes a row for their order.

Rows come back in an order that has nothing to do with the one they came in. The file is read once
for all of them: every table is dealt to buckets, a bucket being the rows that come back one after
the other and fit into memory, and the buckets are then sorted one by one.

Invariant: a bucket has its rows in the order of the pile, since tables are dealt in that order and
dealing is stable. So the order within a bucket follows from the wanted positions alone.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from itertools import pairwise
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Stack"]

_PLAIN_BYTES = 2**26
"""Bytes of rows that are kept in memory, and of a bucket."""
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


class _Extent(NamedTuple):
    """A table in a file, compressed, in the stream format of Arrow."""

    file: IO[bytes]
    offset: int
    n_bytes: int

    def select(self, columns: list[int] | None = None) -> pa.Table:
        """Read the table, or some columns of it."""
        self.file.seek(self.offset)
        options = pa.ipc.IpcReadOptions(included_fields=columns or [])
        return pa.ipc.open_stream(self.file.read(self.n_bytes), options=options).read_all()


def _spill_table(table: pa.Table, file: IO[bytes]) -> _Extent:
    """Write a table at the end of a file."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_PACKED) as writer:
        writer.write_table(table)
    packed = sink.getvalue()
    extent = _Extent(file, file.seek(0, os.SEEK_END), packed.size)
    file.write(packed)
    return extent


class Stack:
    """
    Tables of one schema, piled up.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of all of them.
    folder : pathlib.Path
        Where to spill what is too large for memory.
    """

    def __init__(self, schema: pa.Schema, folder: Path) -> None:
        self.schema = schema
        self._folder = folder
        self._parts: list[pa.Table | _Extent] = []
        self._ends = [0]
        self._n_bytes = 0
        self._file: IO[bytes] | None = None
        self._closing = contextlib.ExitStack()

    def __len__(self) -> int:
        return self._ends[-1]

    def close(self) -> None:
        """Remove what was spilled; the rows are gone then."""
        self._parts.clear()
        self._closing.close()

    def add(self, table: pa.Table) -> None:
        """
        Put a table on top.

        Parameters
        ----------
        table : pyarrow.Table
            Columns of the schema, in any order.
        """
        table = table.select(self.schema.names).cast(self.schema)
        self._n_bytes += table.nbytes
        self._parts.append(table)
        self._ends.append(len(self) + len(table))
        if self._file is None and self._n_bytes > _PLAIN_BYTES:
            # Nobody else sees the file, and the system removes it too if the process is killed.
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - `close` closes it
            self._file = self._closing.enter_context(file)
        if self._file is not None:
            self._parts = [
                _spill_table(part, self._file) if isinstance(part, pa.Table) else part
                for part in self._parts
            ]

    def column(self, name: str) -> pa.ChunkedArray:
        """
        Return a column of all tables.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        pyarrow.ChunkedArray
            In the order of the pile.
        """
        number = self.schema.get_field_index(name)
        chunks = [c for part in self._parts for c in part.select([number])[name].chunks]
        return pa.chunked_array(chunks, self.schema.field(number).type)

    def pieces(self, order: NDArray[np.int64], n_rows: int) -> Iterator[pa.Table]:
        """
        Return all rows in another order, some at a time.

        Parameters
        ----------
        order : numpy.ndarray of int
            Positions in the pile, each at most once.
        n_rows : int
            Rows of a piece.

        Yields
        ------
        pyarrow.Table
            A piece; at least one, which may be empty.
        """
        n_fit = _PLAIN_BYTES * len(self) // max(self._n_bytes, 1)
        # A bucket is whole pieces, so that the pieces do not depend on its size.
        size = n_rows * max(1, n_fit // n_rows)
        wanted = [order[start : start + size] for start in range(0, max(len(order), 1), size)]
        for positions, rows in zip(wanted, self._sort_out(wanted), strict=True):
            place = np.empty_like(positions)
            place[np.argsort(positions)] = np.arange(len(positions))
            for first in range(0, max(len(rows), 1), n_rows):
                yield rows.take(place[first : first + n_rows])

    def _sort_out(self, wanted: list[NDArray[np.int64]]) -> Iterator[pa.Table]:
        """Yield the rows of each bucket, in the order of the pile."""
        bucket = np.full(len(self), len(wanted), np.int32)
        for number, positions in enumerate(wanted):
            bucket[positions] = number
        if self._file is None:
            whole = pa.concat_tables([self.schema.empty_table(), *self._parts]).combine_chunks()
            for number in range(len(wanted)):
                yield whole.filter(pa.array(bucket == number))
            return
        with tempfile.TemporaryFile(dir=self._folder) as dealt:
            for extents in self._deal_rows(bucket, len(wanted), dealt):
                rows = [self.schema.empty_table(), *(extent.select() for extent in extents)]
                yield pa.concat_tables(rows).combine_chunks()

    def _deal_rows(
        self, bucket: NDArray[np.int32], n_buckets: int, dealt: IO[bytes]
    ) -> list[list[_Extent]]:
        """Write the rows of each table to the buckets that they are in."""
        extents: list[list[_Extent]] = [[] for _ in range(n_buckets)]
        for part, (start, end) in zip(self._parts, pairwise(self._ends), strict=True):
            numbers = bucket[start:end]
            # Numbers past the last bucket are of rows that nobody wants.
            if not (numbers < n_buckets).any():
                continue
            by_bucket = np.argsort(numbers, kind="stable")
            bounds = np.searchsorted(numbers[by_bucket], np.arange(n_buckets + 1))
            rows = part.select().combine_chunks().take(by_bucket[: bounds[-1]])
            for number, (first, last) in enumerate(pairwise(bounds.tolist())):
                if last > first:
                    extents[number].append(_spill_table(rows.slice(first, last - first), dealt))
        return extents
