"""Reading the bulk exports from disk, in batches, never a whole file at once.

A file may hold one record a line, an array, a GeoJSON collection or one record, gzipped or
not: its content decides, not its name. A folder holds a file for each record, as in
``data/<ISO2>/OCM-<id>.json``.
"""

from __future__ import annotations

import os
import stat
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from ocm_geo.errors import MirrorError, QueryError
from ocm_geo.paths import expand_path, list_data
from ocm_geo.settings import current, name_limit
from ocm_geo.sources.account import Account
from ocm_geo.sources.csv_answers import find_delimiter, read_csv_answer
from ocm_geo.sources.decode import decode_one
from ocm_geo.sources.formats import name_json, name_other
from ocm_geo.sources.layouts import read_json
from ocm_geo.sources.opening import POI_FILE, open_texts
from ocm_geo.sources.pieces import HEAD, WHITE, reject_long
from ocm_geo.sources.pruning import lenient_decoder
from ocm_geo.sources.records import Records, TooLong
from ocm_geo.sources.tables import Parsed, TableBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocm_geo.sources.opening import Text

__all__ = ["read_batches", "read_record_files"]

FILES_AT_ONCE = 500

PathLike = str | os.PathLike[str]

_LONGEST_ESCAPE = 7
_MIB = 2**20


def read_batches(
    data: PathLike | Iterable[PathLike],
    *,
    batch_rows: int = 20_000,
    account: Account | None = None,
) -> Iterator[Parsed]:
    """
    Read records from disk, batch by batch.

    Parameters
    ----------
    data : path, or iterable of paths
        Files (JSON lines, JSON array, GeoJSON, one record, CSV answers; packed or not), or
        folders with a file for each record (``OCM-<id>.json``, at any depth; other files are
        passed over).
    batch_rows : int
        Records in a batch; the last one may be smaller.
    account : Account, optional
        Takes what is to be told about the files.

    Yields
    ------
    Parsed
        One batch. Rejects name their file; positions are line numbers from 1 in a file of
        lines, indices from 0 in an array. Records of equal id are all there.

    Raises
    ------
    QueryError
        If there is no such file or folder, or a folder has no ``OCM-<id>.json``.
    MirrorError
        If a file cannot be read, is damaged, or holds something else; the message names it.
    """
    if batch_rows < 1:
        raise QueryError(f"batch_rows must be 1 or more, not {batch_rows}")
    paths = list_data(data)
    account = Account() if account is None else account
    blocks = (_open_blocks(expand_path(path, "data"), account) for path in paths)
    yield from _build_batches(chain.from_iterable(blocks), batch_rows)


def read_record_files(
    paths: Iterable[Path], folder: Path, *, batch_rows: int = 20_000
) -> Iterator[Parsed]:
    """
    Read some of the files of a folder that has a file for each record.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        The files.
    folder : pathlib.Path
        The folder.
    batch_rows : int
        Records in a batch; the last one may be smaller.

    Yields
    ------
    Parsed
        One batch, as `read_batches` yields it.
    """
    yield from _build_batches(_read_record_blocks(iter(paths), folder), batch_rows)


def _build_batches(blocks: Iterable[Records], batch_rows: int) -> Iterator[Parsed]:
    """Build tables of blocks of records."""
    builder = TableBuilder()
    for block in blocks:
        while len(builder) + len(block.rows) >= batch_rows:
            builder.add(block.split_off(batch_rows - len(builder)))
            yield builder.parsed()
            builder = TableBuilder()
        builder.add(block)
        if builder.n_read >= batch_rows:
            # Rejects take room too.
            yield builder.parsed()
            builder = TableBuilder()
    if builder.n_read:
        yield builder.parsed()


def _open_blocks(path: Path, account: Account) -> Iterator[Records]:
    """Decode a file or folder in blocks small enough for the processor's cache."""
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise QueryError(f"no such file or folder: {path}")
    return _read_data_file(path, account)


def _read_folder(folder: Path) -> Iterator[Records]:
    """Read a folder with a file for each record."""
    paths = _walk_poi_files(folder)
    first = next(paths, None)
    if first is None:
        raise QueryError(f"no OCM-<id>.json below {folder}: give the file itself, if it is one")
    yield from _read_record_blocks(chain([first], paths), folder)


def _read_record_blocks(paths: Iterator[Path], folder: Path) -> Iterator[Records]:
    """Decode files of one record each, some of them at a time."""
    while some := list(islice(paths, FILES_AT_ONCE)):
        records = Records()
        for path in some:
            _read_poi_file(path, folder, records)
        yield records


def _read_poi_file(path: Path, folder: Path, records: Records) -> None:
    """Read the file of one record; whatever is wrong with it is its own loss."""
    place = (str(path), 0)
    if fault := _find_file_fault(path, folder):
        records.reject(place, None, fault, "")
        return
    account = Account()
    try:
        with path.open("rb") as stream:
            for text in open_texts(stream, str(path), account):
                _decode_record(text._replace(origin=str(path)), records)
    except (OSError, MirrorError) as error:
        records.reject(place, None, f"cannot be read: {error}", "")


def _find_file_fault(path: Path, folder: Path) -> str | None:
    """Return why a file of a folder is not to be opened: a device or pipe would never end."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            return "a link that leaves the folder"
        return None if stat.S_ISREG(path.stat().st_mode) else "not a regular file"
    except (OSError, RuntimeError) as error:
        return f"cannot be read: {error}"


def _decode_record(text: Text, records: Records) -> None:
    """Decode the record of a file of its own; what is not JSON is named."""
    place = (text.origin, 0)
    most_bytes = current().max_record_mib * _MIB
    content = b""
    for block in text.blocks:
        content += block
        if len(content) > most_bytes:
            reject_long(TooLong(content), records, place)
            return
    if other := name_other(content[:HEAD]):
        excerpt = content[:400].decode("utf-8", "replace")
        records.reject(place, None, f"not JSON: {other[0]}", excerpt)
    else:
        decode_one(content, records, place)


def _walk_poi_files(folder: Path) -> Iterator[Path]:
    """Walk a folder in a fixed order: by folder, then by number."""
    for parent, folders, files in os.walk(folder):
        folders.sort()
        numbered = [(int(m[1]), name) for name in files if (m := POI_FILE.fullmatch(name))]
        for _, name in sorted(numbered):
            yield Path(parent, name)


def _read_data_file(path: Path, account: Account) -> Iterator[Records]:
    """Read a file of any kind that can hold records."""
    if not path.is_file():
        raise MirrorError(f"{path} is a pipe or device, not a file: save what it gives first")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise MirrorError(f"{path} cannot be read: {error.strerror}") from error
    account.n_unpacked = 0
    with stream:
        for text in open_texts(stream, str(path), account):
            for records in _read_opened_text(text, account):
                account.n_read[text.origin] += len(records.rows) + len(records.rejects)
                yield records


def _read_opened_text(text: Text, account: Account) -> Iterator[Records]:
    """Read a text by its content; what contains no records is named in an error."""
    account.n_read[text.origin] += 0
    if text.is_record:
        records = Records()
        _decode_record(text, records)
        return iter([records])
    head = _take_head(text.blocks, text.origin)
    if mark := find_delimiter(head):
        content = _join_whole_text(chain([head], text.blocks), text.origin)
        return read_csv_answer(content, text.origin, mark, account)
    if (other := name_other(head)) and text.origin not in account.cut:
        kind, advice = other
        raise MirrorError(f"{text.origin} is {kind}: {advice}; the mirror was not changed")
    if told := name_json(head[:HEAD]):
        account.kinds[text.origin] = told
    blocks: Iterator[bytes] = chain([head], text.blocks)
    if head.lstrip(WHITE).startswith(b'"'):
        blocks = _unquote_json(_join_whole_text(blocks, text.origin), text.origin, account)
        head = _take_head(blocks, text.origin)
        blocks = chain([head], blocks)
    return read_json(head, blocks, text.origin, account)


def _join_whole_text(blocks: Iterator[bytes], origin: str) -> bytes:
    """Take a text as a whole: one that is not laid out as records of JSON."""
    content = bytearray()
    for block in blocks:
        content += block
        if len(content) > current().max_text_mib * _MIB:
            raise MirrorError(
                f"{origin} is CSV, or JSON in a string, which is read at once, and longer than "
                f"{name_limit('max_text_mib')}: ask the API with output=json"
            )
    return bytes(content)


def _take_head(blocks: Iterator[bytes], origin: str) -> bytes:
    """Take blocks until there is something to judge by."""
    head = b""
    for block in blocks:
        head += block
        if len(head.lstrip(WHITE)) >= HEAD:
            break
        if len(head) > current().max_record_mib * _MIB:
            blanks = f"{origin} begins with blanks longer than {name_limit('max_record_mib')}"
            raise MirrorError(f"{blanks}: it contains no data")
    return head


def _unquote_json(text: bytes, origin: str, account: Account) -> Iterator[bytes]:
    """Take out the JSON that stands as strings inside JSON: one string, or one a line."""
    decoded = text.decode("utf-8", "replace").strip()
    position = 0
    while position < len(decoded):
        try:
            value, end = lenient_decoder.raw_decode(decoded, position)
        except ValueError:
            account.cut[origin] = "ends inside a string of JSON"
            value, end = _read_open_string(decoded[position:]), len(decoded)
        yield f"{value}\n".encode("utf-8", "replace")
        position = len(decoded) - len(decoded[end:].lstrip(", \t\r\n"))


def _read_open_string(text: str) -> str:
    """Read a string that does not end, as far as it goes."""
    for n_lost in range(_LONGEST_ESCAPE):
        try:
            return str(lenient_decoder.decode(text[: len(text) - n_lost] + '"'))
        except ValueError:
            continue
    return ""
