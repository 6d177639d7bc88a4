"""Reading the bulk exports from disk, in batches, never a whole file at once.

A file may hold one record a line, an array, a GeoJSON collection or one record, gzipped or
not: its content decides, not its name. A folder holds a file for each record, as in
``data/<ISO2>/OCM-<id>.json``.
"""

from __future__ import annotations

import os
import re
import stat
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from ocm_geo.errors import MirrorError, QueryError
from ocm_geo.paths import expand_path, list_data
from ocm_geo.settings import current, name_limit
from ocm_geo.sources.account import Account
from ocm_geo.sources.csv_answers import find_delimiter, read_csv_answer
from ocm_geo.sources.decode import decode_elements, decode_lines, decode_one
from ocm_geo.sources.endings import array_end, is_closed
from ocm_geo.sources.formats import name_json, name_other
from ocm_geo.sources.lenient import Unusable, parse_object
from ocm_geo.sources.opening import POI_FILE, open_texts
from ocm_geo.sources.pieces import (
    FEATURE_START,
    HEAD,
    LINE_START,
    RECORD_START,
    SEPARATORS,
    WHITE,
    pieces,
    reject_long,
    start_of,
)
from ocm_geo.sources.pruning import lenient_decoder
from ocm_geo.sources.records import Records, TooLong
from ocm_geo.sources.tables import Parsed, TableBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ocm_geo.sources.opening import Text
    from ocm_geo.sources.records import Place

__all__ = ["read_batches", "read_record_files"]

FILES_AT_ONCE = 500

PathLike = str | os.PathLike[str]

_FEATURES = re.compile(rb'"features"\s*:\s*\[')
_LIST = re.compile(rb'"[^"\\]{1,60}"\s*:\s*\[\s*(?=%b)' % RECORD_START.pattern, re.IGNORECASE)
"""A list of records in an object, as some proxies and programs wrap answers."""

_LONGEST_ESCAPE = 7
_MIB = 2**20


class Layout(NamedTuple):
    """
    How a text is laid out: by lines, or as elements that begin with ``start`` after ``skip``.

    ``array`` is false for records without an array around them; an array that is ``wrapped``
    is in an object, and what comes after it there is no record.
    """

    start: re.Pattern[bytes] | None = None
    skip: int = 0
    array: bool = True
    wrapped: bool = False


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
    return _read_json(head, blocks, text.origin, account)


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


def _read_json(
    head: bytes, blocks: Iterator[bytes], origin: str, account: Account
) -> Iterator[Records]:
    """Read JSON by lines or by elements, as it is laid out."""
    layout = _find_layout(head)
    if layout.start is None:
        return _read_lines(blocks, origin, account)
    return _read_elements(_skip_bytes(blocks, layout.skip), origin, layout, account)


def _skip_bytes(blocks: Iterator[bytes], n_bytes: int) -> Iterator[bytes]:
    yield next(blocks, b"")[n_bytes:]
    yield from blocks


def _find_layout(head: bytes) -> Layout:
    """Find from its beginning how a file is laid out."""
    text = head[:HEAD].lstrip(WHITE)
    offset = len(head) - len(head.lstrip(WHITE))
    if text.startswith(b"["):
        return Layout(start_of(text[1:]), offset + 1)
    if not text.startswith(b"{"):
        return Layout()
    first, _, others = text.partition(b"\n")
    # Before any list is looked for: what stands before a list inside a line would be lost.
    has_lines = _is_object(first) and others.lstrip(WHITE).startswith(b"{")
    if not has_lines and (wrapped := _find_wrapped(text, offset)):
        return wrapped
    if others.lstrip(WHITE)[:1] in (b"{", b"[", b"]") or _is_object(first):
        return Layout()
    return Layout(RECORD_START, array=False)


def _find_wrapped(text: bytes, offset: int) -> Layout | None:
    """Find the list of records in an object."""
    if b'"FeatureCollection"' in text and (match := _FEATURES.search(text)):
        return Layout(FEATURE_START, offset + match.end(), wrapped=True)
    if not RECORD_START.match(text) and (match := _LIST.search(text)):
        return Layout(RECORD_START, offset + match.end(), wrapped=True)
    return None


def _is_object(line: bytes) -> bool:
    """Return whether a line is a JSON object."""
    try:
        return isinstance(parse_object(line), dict)
    except Unusable:
        return False


def _read_lines(blocks: Iterable[bytes], origin: str, account: Account) -> Iterator[Records]:
    """Read records that stand on lines of their own."""
    number = 1
    last = b""
    for lines in pieces(blocks, LINE_START, current().max_record_mib * _MIB):
        records = Records()
        decode_lines(lines, records, (origin, number))
        number += lines.count(b"\n") + isinstance(lines, TooLong)
        last = lines
        yield records
    if isinstance(last, TooLong):
        return
    last_line = last.rstrip(SEPARATORS).rpartition(b"\n")[2]
    if last_line.lstrip(WHITE).startswith(b"{") and not is_closed(last_line):
        account.cut.setdefault(origin, "ends inside a record")


def _read_elements(
    blocks: Iterable[bytes], origin: str, layout: Layout, account: Account
) -> Iterator[Records]:
    """Read the elements of an array; the last piece is kept back to find its end."""
    start = cast("re.Pattern[bytes]", layout.start)
    index = 0
    last = b""
    for piece in pieces(blocks, start, current().max_record_mib * _MIB):
        if last:
            records = _decode_piece(last, (origin, index), start)
            index += len(records.rows) + len(records.rejects)
            yield records
        last = piece
    end = _find_end(last, layout)
    if end is None and not isinstance(last, TooLong):
        account.cut.setdefault(origin, "ends inside a record or list of records")
    is_cut = layout.wrapped and end is not None
    yield _decode_piece(last[:end] if is_cut else last, (origin, index), start)


def _find_end(piece: bytes, layout: Layout) -> int | None:
    """Find the end of the array in its last piece; None if the text ends before it."""
    start = cast("re.Pattern[bytes]", layout.start)
    begin = max((match.start() for match in start.finditer(piece)), default=0)
    if not layout.array:
        return len(piece) if is_closed(piece[begin:]) else None
    end = array_end(piece[begin:])
    return None if end is None else begin + end


def _decode_piece(piece: bytes, first: Place, start: re.Pattern[bytes]) -> Records:
    """Decode the elements of a piece."""
    records = Records()
    decode_elements(piece, records, first, start)
    return records
