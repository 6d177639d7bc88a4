"""Tables piled up while bulk data are read, and given back in another order, piece by piece."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Stack"]

_PLAIN_BYTES = 2**27
_BLOCK_ROWS = 100_000
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


class Stack:
    """
    Tables of one schema, piled up; what is too large for memory's comfort is kept compressed.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of all of them.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._parts: list[pa.Table | pa.Buffer] = []
        self._ends = [0]
        self._plain_bytes = 0

    def __len__(self) -> int:
        return self._ends[-1]

    def add(self, table: pa.Table) -> None:
        """
        Put a table on top.

        Parameters
        ----------
        table : pyarrow.Table
            Columns of the schema, in any order.
        """
        table = table.select(self.schema.names).cast(self.schema)
        self._plain_bytes += table.nbytes
        self._parts.append(table)
        self._ends.append(len(self) + len(table))
        if self._plain_bytes > _PLAIN_BYTES:
            self._parts = [
                part if isinstance(part, pa.Buffer) else _pack_table(part) for part in self._parts
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
        chunks = [c for part in self._parts for c in _unpack_table(part, [number])[name].chunks]
        return pa.chunked_array(chunks, self.schema.field(number).type)

    def pieces(self, order: NDArray[np.int64], n_rows: int) -> Iterator[pa.Table]:
        """
        Return all rows in another order, some at a time.

        Parameters
        ----------
        order : numpy.ndarray of int
            Positions in the pile.
        n_rows : int
            Rows of a piece.

        Yields
        ------
        pyarrow.Table
            A piece; at least one, which may be empty.
        """
        step = n_rows * max(1, _BLOCK_ROWS // n_rows)
        for start in range(0, max(len(order), 1), step):
            block = self._take_rows(order[start : start + step])
            for first in range(0, max(len(block), 1), n_rows):
                yield block.slice(first, n_rows)

    def _take_rows(self, wanted: NDArray[np.int64]) -> pa.Table:
        """Take rows in an order; only those that are wanted are unpacked at once."""
        if len(wanted) == len(self):
            rows, order = [_unpack_table(part) for part in self._parts], wanted
        else:
            by_place = np.argsort(wanted)
            bounds = np.searchsorted(wanted[by_place], self._ends)
            rows = [
                _unpack_table(part).take(wanted[by_place][a:b] - end)
                for part, end, (a, b) in zip(
                    self._parts, self._ends[:-1], pairwise(bounds), strict=True
                )
                if b > a
            ]
            order = np.empty_like(by_place)
            order[by_place] = np.arange(len(wanted))
        whole = pa.concat_tables(rows) if rows else self.schema.empty_table()
        return whole.combine_chunks().take(order)


def _pack_table(table: pa.Table) -> pa.Buffer:
    """Return a table compressed, in the stream format of Arrow."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_PACKED) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _unpack_table(part: pa.Table | pa.Buffer, columns: list[int] | None = None) -> pa.Table:
    """Return a table, or some columns of it, whether it is compressed or not."""
    if isinstance(part, pa.Table):
        return part if columns is None else part.select(columns)
    options = pa.ipc.IpcReadOptions(included_fields=columns or [])
    return pa.ipc.open_stream(part, options=options).read_all()
