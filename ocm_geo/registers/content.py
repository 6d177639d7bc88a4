"""From a path to its content: a table, a JSON document, XML or a file of OpenStreetMap."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ocm_geo.errors import MirrorError, MissingDependency, QueryError, RegisterError
from ocm_geo.paths import expand_path, list_data
from ocm_geo.registers.delimited import TextTable, read_delimited, table_of_rows
from ocm_geo.sources.formats import name_other
from ocm_geo.sources.opening import open_texts

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ocm_geo.sources.account import Account

__all__ = ["Content", "Document", "Markup", "OsmFile", "read_contents"]

_PBF_MARK = b"OSMHeader"
_WORKBOOK = "xl/workbook.xml"
_ENDINGS = (".csv", ".json", ".geojson", ".jsonl", ".ndjson", ".xml", ".xlsx", ".pbf", ".txt")
_PACKED = (".gz", ".bz2", ".xz", ".zip")


@dataclass(frozen=True)
class Document:
    """A JSON document: where it comes from and its value."""

    origin: str
    value: Any


@dataclass(frozen=True)
class Markup:
    """A document in XML: where it comes from and its bytes."""

    origin: str
    data: bytes


@dataclass(frozen=True)
class OsmFile:
    """A file of OpenStreetMap in PBF."""

    origin: str
    path: Path


Content: TypeAlias = TextTable | Document | Markup | OsmFile


def read_contents(
    data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], account: Account
) -> list[Content]:
    """
    Read the files of a register.

    Parameters
    ----------
    data : path or iterable of paths
        Files, plain, compressed or in archives, or folders of files.
    account : Account
        Takes the files whose compressed data end too early.

    Returns
    -------
    list of Content
        What is in them.

    Raises
    ------
    QueryError
        If a path does not exist, or there is no file.
    RegisterError
        If a file is damaged, or is none of these.
    """
    paths = [path for given in list_data(data) for path in _list_files(expand_path(given))]
    if not paths:
        raise QueryError("there is no file to read: pass the path of a register, or of its folder")
    return [content for path in paths for content in _read_file(path, account)]


def _list_files(path: Path) -> list[Path]:
    """List the files of a register: one, or those of a folder with a known ending."""
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
    return [p for p in found if _ending_of(p) in _ENDINGS]


def _ending_of(path: Path) -> str:
    """Return the ending of a file without those of compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    plain = [suffix for suffix in suffixes if suffix not in _PACKED]
    return plain[-1] if plain else suffixes[-1] if suffixes else ""


def _read_file(path: Path, account: Account) -> Iterator[Content]:
    """Read a file by what it begins with: an extract, a workbook, or text."""
    try:
        with path.open("rb") as stream:
            head = stream.peek(512)[:512]
            if _PBF_MARK in head[:64]:
                yield OsmFile(path.name, path)
                return
            if head.startswith(b"PK") and zipfile.is_zipfile(path) and _is_workbook(path):
                yield _read_workbook(path)
                return
            for text in open_texts(stream, path.name, account):
                blocks = list(text.blocks)
                yield _parse_text(blocks[0] if len(blocks) == 1 else b"".join(blocks), text.origin)
    except MirrorError as error:
        raise RegisterError(str(error)) from error
    except FileNotFoundError as error:
        raise QueryError(f"there is no file {path}") from error
    except OSError as error:
        raise QueryError(f"{path} cannot be read: {error.strerror or error}") from error


def _is_workbook(path: Path) -> bool:
    """Return whether a zip archive is an Excel workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _WORKBOOK in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def _read_workbook(path: Path) -> TextTable:
    """Read the first sheet of a workbook that is a table with a header."""
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingDependency("openpyxl", "excel") from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        with_rows = (table_of_rows(sheet.iter_rows(values_only=True), path.name) for sheet in book)
        found = next((table for table in with_rows if table is not None), None)
        book.close()
    except Exception as error:  # openpyxl raises what it likes on damaged files
        raise RegisterError(f"{path.name} is a workbook that cannot be read ({error})") from error
    if found is None:
        raise RegisterError(f"{path.name} is a workbook, and no sheet of it is a known register")
    return found


def _parse_text(data: bytes, origin: str) -> Content:
    """Recognise JSON, XML and tables by how they begin."""
    start = data[:4096].lstrip()
    if not start:
        raise RegisterError(f"{origin} is empty: the download failed; get it again")
    if start[:1] in b"[{":
        return Document(origin, _decode_json(data, origin))
    if start[:1] == b"<":
        named = name_other(start)
        if named is not None and "HTML" in named[0]:
            raise RegisterError(f"{origin} is {named[0]}: {named[1]}")
        return Markup(origin, data)
    table = read_delimited(data, origin)
    if table is None:
        named = name_other(start) or ("not JSON, XML or a table", "")
        raise RegisterError(
            f"{origin} is {named[0]}: a register is CSV, Excel, JSON, XML or OpenStreetMap's PBF"
        )
    return table


def _decode_json(data: bytes, origin: str) -> Any:  # noqa: ANN401 - any JSON
    """Decode JSON, or one JSON value a line."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fault = error
    try:
        return (
            msgspec.json.decode_lines(data)
            if hasattr(msgspec.json, "decode_lines")
            else [msgspec.json.decode(line) for line in data.splitlines() if line.strip()]
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RegisterError(
            f"{origin} is JSON that is cut off or damaged ({fault}): get it again"
        ) from fault
