"""Write and read Excel workbooks: the table and, on a second sheet, its provenance."""

from __future__ import annotations

import contextlib
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pandas as pd

from ocm_geo.errors import MissingDependency, QueryError
from ocm_geo.files.keyhole import as_texts
from ocm_geo.files.restoring import parse_facts
from ocm_geo.headings import choose_decimals, find_heading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet


__all__ = ["read_workbook", "write_workbook"]

_MAX_ROWS, _MAX_COLUMNS, _MAX_TEXT = 1_048_576, 16_384, 32_767
_DIGITS = 10**15
_FIRST_DAY = pd.Timestamp("1900-03-01")
_ABOUT, _FACTS = "about", "ocm_geo"
_CHUNK = 30_000
_MEASURED, _WIDEST, _DATE_TEXT = 200, 48, "2024-12-31 23:59"
# Characters that XML does not allow are written as _x0007_, and texts of that form are escaped.
_ESCAPE = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def write_workbook(columns: pd.DataFrame, facts: dict[str, Any], path: Path) -> None:
    """
    Write a table as an Excel workbook.

    Parameters
    ----------
    columns : pandas.DataFrame
        Plain columns, with geometry as columns.
    facts : dict
        The facts that restore the table.
    path : pathlib.Path
        The path to write.

    Raises
    ------
    QueryError
        If it is larger than a sheet, or a text too long for a cell.
    MissingDependency
        If openpyxl is not installed.
    """
    openpyxl = _load_openpyxl()
    if len(columns) >= _MAX_ROWS or len(columns.columns) > _MAX_COLUMNS:
        raise QueryError(
            f"{len(columns):,} rows of {len(columns.columns):,} columns: a sheet of Excel has "
            f"{_MAX_ROWS - 1:,} rows and {_MAX_COLUMNS:,} columns; write .csv or .parquet"
        )
    book = openpyxl.Workbook(write_only=True)
    with _closing_sheets(book):
        _write_table_sheet(book, columns)
        _write_about_sheet(book, facts)
        book.save(path)


@contextlib.contextmanager
def _closing_sheets(book: Workbook) -> Iterator[None]:
    """Close the sheets of a workbook that could not be written."""
    try:
        yield
    except BaseException:
        # A sheet writes to a temporary file through a generator: left suspended, it would fail
        # again when it is collected, where nobody can catch it.
        for sheet in book.worksheets:
            with contextlib.suppress(Exception):
                sheet.close()
        raise


def _write_table_sheet(book: Workbook, columns: pd.DataFrame) -> None:
    """Write the table on the first sheet, with a frozen header."""
    sheet = book.create_sheet("table")
    sheet.freeze_panes = "A2"
    values = [_list_cell_values(columns[name], str(name)) for name in columns]
    _set_column_widths(sheet, [str(name) for name in columns], values)
    sheet.append([_make_text_cell(sheet, str(name)) for name in columns])
    # One cell for each column, with its format: a sheet is written row by row, and keeps none.
    cells = [_make_format_cell(sheet, columns[name]) for name in columns]
    for row in zip(*values, strict=True):
        sheet.append([_fill_cell(sheet, *pair) for pair in zip(cells, row, strict=True)])


def _set_column_widths(sheet: Worksheet, names: list[str], values: list[list[Any]]) -> None:
    """Make columns as wide as their header and their first values, within limits."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - an extra

    for i, (name, found) in enumerate(zip(names, values, strict=True), 1):
        texts = [_DATE_TEXT if hasattr(v, "year") else str(v) for v in found[:_MEASURED]]
        longest = max(map(len, [name, *texts]))
        sheet.column_dimensions[get_column_letter(i)].width = min(longest + 2, _WIDEST)


def _make_format_cell(sheet: Worksheet, values: pd.Series) -> Any:  # noqa: ANN401 - a cell of openpyxl
    """Return a cell with the number format of a column: values stay complete, shown rounded."""
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - an extra

    cell = WriteOnlyCell(sheet)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif pd.api.types.is_float_dtype(values.dtype):
        heading = find_heading(str(values.name), values)
        n = choose_decimals(values, heading.unit)
        form = "0" if heading.is_id else "#,##0"
        cell.number_format = (form + ("." + "0" * n if n else "")) + (
            "%" if heading.unit == "%" else ""
        )
    return cell


def _fill_cell(sheet: Worksheet, cell: Any, value: Any) -> Any:  # noqa: ANN401 - cells of openpyxl
    """Return a value as the cell of its column; texts and missing values need no format."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _make_text_cell(sheet, value)
    # Setting a time would replace the format.
    form, cell.value = cell.number_format, value
    cell.number_format = form
    return cell


def _load_openpyxl() -> Any:  # noqa: ANN401 - a module
    """Import openpyxl, or name the extra to install."""
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingDependency("openpyxl", "excel") from error
    return openpyxl


def _make_text_cell(sheet: Worksheet, text: str) -> Any:  # noqa: ANN401 - a cell of openpyxl
    """Return a text cell, also for a text that begins like a formula."""
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - an extra

    cell = WriteOnlyCell(sheet, _ESCAPE.sub(lambda sign: f"_x{ord(sign[0]):04X}_", text))
    cell.data_type = "s"
    return cell


def _list_cell_values(values: pd.Series, name: str) -> list[Any]:
    """Return the values of a plain column for cells, without loss."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _convert_times(values)
    if pd.api.types.is_string_dtype(values.dtype):
        return _check_cell_lengths(as_texts(values), name)
    if pd.api.types.is_integer_dtype(values.dtype) and (values.abs() >= _DIGITS).any():
        return as_texts(values)
    found = values.astype(object).where(values.notna(), None).tolist()
    if pd.api.types.is_float_dtype(values.dtype):
        return [str(v) if v in (float("inf"), float("-inf")) else v for v in found]
    return found


def _convert_times(values: pd.Series) -> list[Any]:
    """Return times as those of Excel (UTC, no zone), or as ISO 8601 if these would differ."""
    plain = values.dt.tz_convert(None) if values.dt.tz is not None else values
    known = plain.dropna()
    if (known != known.dt.floor("s")).any() or (known < _FIRST_DAY).any():
        return as_texts(values)
    return [None if pd.isna(time) else time.to_pydatetime() for time in plain]


def _check_cell_lengths(texts: list[str | None], name: str) -> list[str | None]:
    """Check that the texts fit a cell."""
    longest = max((len(text) for text in texts if text is not None), default=0)
    if longest > _MAX_TEXT:
        raise QueryError(
            f"column {name!r} has a text of {longest:,} characters, a cell of Excel has at most "
            f"{_MAX_TEXT:,}: drop the column, or write .csv or .parquet"
        )
    return texts


def _write_about_sheet(book: Workbook, facts: dict[str, Any]) -> None:
    """Write the provenance on a sheet of its own, for readers and for `read`."""
    sheet = book.create_sheet(_ABOUT)
    for key, value in facts["provenance"].items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        sheet.append([_make_text_cell(sheet, key), _make_text_cell(sheet, text)])
    text = json.dumps(facts)
    for start in range(0, len(text), _CHUNK):
        sheet.append([_FACTS, _make_text_cell(sheet, text[start : start + _CHUNK])])


def read_workbook(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """
    Read the first sheet of an Excel workbook.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple
        Columns and the facts of `write_workbook`.

    Raises
    ------
    QueryError
        If it is not a workbook or is damaged.
    MissingDependency
        If openpyxl is not installed.
    """
    openpyxl = _load_openpyxl()
    if not zipfile.is_zipfile(path):
        raise QueryError(f"{path.name} is not an Excel workbook (.xlsx) or is cut off")
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged:
        raise QueryError(f"{path.name} is damaged: its part {damaged} cannot be read")
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        facts = _read_about_facts(book)
        rows = list(book.worksheets[0].iter_rows(values_only=True))
    finally:
        book.close()
    return _build_sheet_table(rows, path.name, own=bool(facts)), facts


def _build_sheet_table(rows: list[tuple[Any, ...]], file: str, *, own: bool) -> pd.DataFrame:
    """Return the rows of a sheet as a table."""
    if not rows:
        raise QueryError(f"{file} is empty: its first sheet has no header")
    names = _read_sheet_header(rows[0], file)
    kept = [row for row in rows[1:] if own or any(value is not None for value in row)]
    columns = {
        name: _build_sheet_column(
            [_unescape_text(row[i]) if i < len(row) else None for row in kept]
        )
        for i, name in enumerate(names)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(len(kept)))


def _read_sheet_header(row: tuple[Any, ...], file: str) -> list[Any]:
    """Return the names of the columns, without empty ones at the end."""
    names = ["" if name is None else _unescape_text(name) for name in row]
    while names and not names[-1]:
        names.pop()
    if len(set(names)) < len(names):
        raise QueryError(f"{file}: several columns of the first sheet have the same name")
    return names


def _build_sheet_column(values: list[Any]) -> pd.Series:
    """Return the cells of a column in their common type; mixed ones as texts."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {str}:
        return pd.Series(values, dtype="string")
    if kinds in ({int}, {float}, {int, float}):
        dtype = "Int64" if kinds == {int} else "Float64"
        return pd.Series(values, dtype=dtype)
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if len(kinds) == 1:
        return pd.Series(values)
    return pd.Series([None if v is None else str(v) for v in values], dtype="string")


def _unescape_text(value: Any) -> Any:  # noqa: ANN401 - a value of a cell
    """Return a text without the escapes of characters that XML does not allow."""
    if not isinstance(value, str):
        return value
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


def _read_about_facts(book: Workbook) -> dict[str, Any]:
    """Return the facts on the second sheet."""
    rows: Iterator[tuple[Any, ...]] = iter(())
    if _ABOUT in book.sheetnames:
        rows = book[_ABOUT].iter_rows(max_col=2, values_only=True)
    chunks = [row[1] for row in rows if len(row) > 1 and row[0] == _FACTS]
    if not all(isinstance(chunk, str) for chunk in chunks):
        return {}
    return parse_facts("".join(map(_unescape_text, chunks)))
