"""Tables of registers in CSV or Excel: header, separator and encoding found, values as texts."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from ocm_geo.errors import RegisterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["TextTable", "join_tables", "read_delimited", "table_of_rows"]

_HEAD = 256 * 1024
_SEPARATORS = ",;\t|"
_MOST_PREAMBLE = 30
_BLOCK = 16 * 2**20
# What marks the header of a register behind lines of explanation.
_MARKS = ("breitengrad", "latitude", "id_pdc", "id_station")


@dataclass(frozen=True)
class TextTable:
    """
    A table whose values are texts.

    Parameters
    ----------
    origin : str
        The file.
    header : tuple of str
        The names of the columns as written, repeated ones included.
    table : pyarrow.Table
        The columns, all of them texts; a repeated name has its number behind it, as in ``ID.1``.
    preamble : str
        What stands above the header.
    bad_rows : list of (int, str)
        Rows that have more or fewer fields than the header, and how that shows.
    """

    origin: str
    header: tuple[str, ...]
    table: pa.Table
    preamble: str = ""
    bad_rows: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def n_read(self) -> int:
        """Rows met, bad ones included."""
        return len(self.table) + len(self.bad_rows)

    def has(self, *names: str) -> bool:
        """Return whether all of some columns are there."""
        return set(names) <= set(self.header)

    def column(self, name: str) -> pa.Array:
        """Return a column as one array; nulls where there is none of that name."""
        if name not in self.table.schema.names:
            return pa.nulls(len(self.table), pa.string())
        return self.table[name].combine_chunks()

    def rest(self, used: Iterable[str]) -> dict[str, pa.ChunkedArray]:
        """Return the columns that were not used."""
        taken = set(used)
        return {name: self.table[name] for name in self.table.schema.names if name not in taken}


def read_delimited(data: bytes, origin: str) -> TextTable | None:
    """
    Read a table in CSV.

    Parameters
    ----------
    data : bytes
        The file, in UTF-8 or, where it is not, Latin-1 (Windows-1252).
    origin : str
        The file.

    Returns
    -------
    TextTable or None
        The table; None if the text is not a table of three columns or more.

    Raises
    ------
    RegisterError
        If quotes do not close, so that rows cannot be told apart.
    """
    data = _to_utf8(data)
    head = data[:_HEAD].decode("utf-8", "ignore")
    found = _find_header(head)
    if found is None:
        return None
    n_lines, separator, names = found
    start = len("".join(head.splitlines(keepends=True)[:n_lines]).encode())
    bad_rows: list[tuple[int, str]] = []

    def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
        told = f"{row.actual_columns} fields, not {row.expected_columns}"
        bad_rows.append((row.number or 0, f"wrong number of fields: {told}"))
        return "skip"

    unique = _number_repeats(names)
    try:
        table = pacsv.read_csv(
            pa.py_buffer(data)[start:] if start < len(data) else pa.py_buffer(b"\n"),
            read_options=pacsv.ReadOptions(column_names=unique, block_size=_BLOCK),
            parse_options=pacsv.ParseOptions(
                delimiter=separator, newlines_in_values=b'"' in data, invalid_row_handler=skip
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(unique, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise RegisterError(
                f"{origin} is a table whose rows cannot be told apart ({error}): does a quote "
                "stay open? Get the file again"
            ) from error
        table = pa.table({name: pa.array([], pa.string()) for name in unique})
    preamble = "\n".join(head.splitlines()[: n_lines - 1])
    return TextTable(origin, tuple(names), table, preamble, bad_rows)


def _to_utf8(data: bytes) -> bytes:
    """Return a text in UTF-8; what is not is in the code page of Windows, or Latin-1."""
    for encoding in ("utf-8", "windows-1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return data if encoding == "utf-8" else text.encode()
    return data.decode("latin-1").encode()


def _find_header(head: str) -> tuple[int, str, list[str]] | None:
    """Find the header: the number of lines up to its end, the separator and the names."""
    lines = head.splitlines()
    n_before = 0
    for number, line in enumerate(lines[:_MOST_PREAMBLE]):
        if any(mark in line.casefold() for mark in _MARKS):
            n_before = number
            break
    for separator in sorted(
        _SEPARATORS, key=lines[n_before].count if lines else None, reverse=True
    ):
        reader = csv.reader(io.StringIO("\n".join(lines[n_before:])), delimiter=separator)
        try:
            names = [" ".join(name.split()) for name in next(reader, [])]
        except csv.Error:
            return None
        if len(names) >= 3:  # noqa: PLR2004 - one or two columns are not a register
            return n_before + reader.line_num, separator, names
        break
    return None


def _number_repeats(names: Sequence[str]) -> list[str]:
    """Make names unique: the second ``ID`` is ``ID.1``."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        unique.append(f"{name}.{count}" if count else name)
    return unique


def table_of_rows(rows: Iterable[Sequence[Any]], origin: str) -> TextTable | None:
    """
    Make a table of the rows of a worksheet.

    Parameters
    ----------
    rows : iterable of sequence
        The values of the cells.
    origin : str
        The file.

    Returns
    -------
    TextTable or None
        The table; None if no row looks like a header.
    """
    preamble: list[str] = []
    iterator = iter(rows)
    for row in iterator:
        words = [_cell_text(value) or "" for value in row]
        if any(mark in word.casefold() for word in words for mark in _MARKS):
            break
        preamble.append(" ".join(word for word in words if word))
        if len(preamble) > _MOST_PREAMBLE:
            return None
    else:
        return None
    while words and not words[-1]:
        words.pop()
    names = [" ".join(word.split()) for word in words]
    unique = _number_repeats(names)
    cells = [[_cell_text(v) for v in row[: len(unique)]] for row in iterator]
    kept = [row + [None] * (len(unique) - len(row)) for row in cells if any(row)]
    columns = zip(*kept, strict=True) if kept else [()] * len(unique)
    table = pa.table(
        {name: pa.array(values, pa.string()) for name, values in zip(unique, columns, strict=True)}
    )
    return TextTable(origin, tuple(names), table, "\n".join(preamble))


def _cell_text(value: Any) -> str | None:  # noqa: ANN401 - a value of a cell
    """Return the value of a cell as the text that a CSV file would have."""
    if value is None or value == "":
        return None
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return repr(value) if isinstance(value, float) else str(value)


def join_tables(tables: Sequence[TextTable]) -> TextTable:
    r"""
    Join tables of one register that was split; columns that one lacks are missing there.

    Parameters
    ----------
    tables : sequence of TextTable
        One or more.

    Returns
    -------
    TextTable
        All rows, with the columns ``\x00origin`` and ``\x00position``.
    """
    parts = []
    for table in tables:
        n = len(table.table)
        part = table.table.append_column("\0origin", pa.array([table.origin] * n, pa.string()))
        parts.append(part.append_column("\0position", pa.array(range(1, n + 1)).cast(pa.int64())))
    joined = pa.concat_tables(parts, promote_options="default")
    header = tuple(dict.fromkeys(name for table in tables for name in table.header))
    bad = [row for table in tables for row in table.bad_rows]
    return TextTable(tables[0].origin, header, joined, tables[0].preamble, bad)
