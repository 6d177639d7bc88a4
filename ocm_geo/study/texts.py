"""Read text files as editors and spreadsheets save them: configurations and tables."""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING

import pandas as pd

from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["parse_numbers", "read_text", "read_text_table"]

# UTF-32 first: its little-endian mark begins with the mark of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = ",;\t"
_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Texts that mean a missing number; in a column of names they are names."""


def read_text(path: Path, what: str) -> str:
    """
    Read a text in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    what : str
        Name of the file, for messages.

    Returns
    -------
    str
        The text, without a byte order mark.

    Raises
    ------
    QueryError
        If the file cannot be read or has another encoding: encodings of one byte per character
        cannot be distinguished, and a guess could change names silently.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise QueryError(f"{what} {path} cannot be read: {error.strerror}") from error
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise QueryError(
            f"{what} {path} is not in UTF-8: byte 0x{data[error.start]:02x} in line {line}. "
            "Save it with the encoding UTF-8 (in Excel: 'CSV UTF-8')"
        ) from error
    if "\0" in text:
        raise QueryError(
            f"{what} {path} is not a text in UTF-8: it contains zero bytes, as UTF-16 without a "
            "byte order mark does. Save it with the encoding UTF-8"
        )
    return text


def read_text_table(path: Path, what: str) -> pd.DataFrame:
    """
    Read a table separated by commas, semicolons or tabs, every value as text.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    what : str
        Name of the file, for messages.

    Returns
    -------
    pandas.DataFrame
        Texts as they are in the file: ``NA`` and ``01067`` too.

    Raises
    ------
    QueryError
        If the file cannot be read as a table.
    """
    text = read_text(path, what)
    header = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    try:
        table = pd.read_csv(
            io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, index_col=False
        )
    except (ValueError, csv.Error) as error:
        raise QueryError(f"{what} {path} cannot be read as a table: {error}") from error
    return table.rename(columns=str.strip)


def parse_numbers(values: pd.Series, decimal: str = ".") -> pd.Series:
    """
    Parse texts as numbers.

    Parameters
    ----------
    values : pandas.Series of str
        A column of a text table.
    decimal : str
        The decimal sign of the table, ``.`` or ``,``. A text with the other sign is not a number:
        it could separate thousands or decimals.

    Returns
    -------
    pandas.Series of float
        Missing if a text is not a number.
    """
    texts = values.str.strip()
    texts = texts.mask(texts.isin(_MISSING))
    if decimal == ",":
        texts = texts.mask(texts.str.contains(".", regex=False, na=False))
        texts = texts.str.replace(",", ".", regex=False)
    return pd.to_numeric(texts, errors="coerce").astype(float)
