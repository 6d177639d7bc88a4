"""Reading the bulk exports from disk, in batches, never a whole file at once.

A file may hold one record a line, an array, a GeoJSON collection or one record, gzipped or
not: its content decides, not its name. A folder holds a file for each record, as in
``data/<ISO2>/OCM-<id>.json``.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ocm_geo.errors import QueryError, SourceError
from ocm_geo.sources.decode import (
    BOM,
    FEATURE_START,
    HEAD,
    LONGEST_RECORD,
    PIECE,
    RECORD_START,
    WHITE,
    decode_elements,
    decode_lines,
    decode_one,
    pieces,
    start_of,
)
from ocm_geo.sources.lenient import Unusable, parse_object
from ocm_geo.sources.records import Records
from ocm_geo.sources.tables import Parsed, TableBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["read_batches"]

BLOCK = 4 * 2**20
FILES_AT_ONCE = 500

PathLike = str | os.PathLike[str]

_POI_FILE = re.compile(r"OCM-(\d+)\.json(?:\.gz)?")
_FEATURES = re.compile(rb'"features"\s*:\s*\[')
_FEATURES_END = re.compile(rb"\]\s*\}\s*\Z")


class Layout(NamedTuple):
    """How a file is laid out: by lines, or as elements that begin with ``start`` after ``skip``."""

    start: re.Pattern[bytes] | None = None
    skip: int = 0


def read_batches(
    data: PathLike | Iterable[PathLike], *, batch_rows: int = 20_000
) -> Iterator[Parsed]:
    """
    Read records from disk, batch by batch.

    Parameters
    ----------
    data : path, or iterable of paths
        Files (JSON lines, JSON array, GeoJSON, one record; gzipped or not), or folders with a
        file for each record (``OCM-<id>.json``, at any depth; other files are passed over).
    batch_rows : int
        Records in a batch; the last one may be smaller.

    Yields
    ------
    Parsed
        One batch. Rejects name their file; positions are line numbers from 1 in a file of
        lines, indices from 0 in an array. Of equal ids the first is kept.

    Raises
    ------
    QueryError
        If there is no such file or folder, or a folder has no ``OCM-<id>.json``.
    SourceError
        If a file cannot be read, or its compressed data are damaged or cut off.
    """
    if batch_rows < 1:
        raise QueryError(f"batch_rows must be 1 or more, not {batch_rows}")
    paths = [data] if isinstance(data, str | os.PathLike) else list(data)
    seen: set[int] = set()
    builder = TableBuilder(seen)
    for block in chain.from_iterable(_blocks_of(Path(path)) for path in paths):
        while len(builder) + len(block.rows) >= batch_rows:
            builder.add(block.split_off(batch_rows - len(builder)))
            yield builder.parsed()
            builder = TableBuilder(seen)
        builder.add(block)
    if builder.n_read:
        yield builder.parsed()


def _blocks_of(path: Path) -> Iterator[Records]:
    """Decode a file or folder in blocks small enough for the processor's cache."""
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise QueryError(f"no such file or folder: {path}")
    return _read_file(path)


def _read_folder(folder: Path) -> Iterator[Records]:
    paths = _poi_files(folder)
    n_files = 0
    while some := list(islice(paths, FILES_AT_ONCE)):
        n_files += len(some)
        records = Records()
        for path in some:
            _read_poi_file(path, records)
        yield records
    if not n_files:
        raise QueryError(f"no OCM-<id>.json below {folder}: give the file itself, if it is one")


def _read_poi_file(path: Path, records: Records) -> None:
    place = (str(path), 0)
    try:
        text = _whole(path)
    except (OSError, EOFError, zlib.error) as error:
        records.reject(place, None, f"cannot be read: {error}", "")
    else:
        decode_one(text, records, place)


def _whole(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _poi_files(folder: Path) -> Iterator[Path]:
    """Walk a folder in a fixed order: by folder, then by number."""
    for parent, folders, files in os.walk(folder):
        folders.sort()
        numbered = [(int(m[1]), name) for name in files if (m := _POI_FILE.fullmatch(name))]
        for _, name in sorted(numbered):
            yield Path(parent, name)


def _read_file(path: Path) -> Iterator[Records]:
    blocks = _blocks(path)
    head = next(blocks, b"").removeprefix(BOM)
    layout = _layout(head)
    text = chain([head[layout.skip :]], blocks)
    if layout.start is None:
        return _read_lines(text, str(path))
    return _read_elements(text, str(path), layout.start)


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            with gzip.GzipFile(fileobj=raw) if packed else raw as stream:
                while block := stream.read(BLOCK):
                    yield block
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} cannot be read to its end: {error}") from error


def _layout(head: bytes) -> Layout:
    """Tell from its beginning how a file is laid out."""
    text = head[:HEAD].lstrip(WHITE)
    offset = len(head[:HEAD]) - len(text)
    if text.startswith(b"["):
        return Layout(start_of(text[1:]), offset + 1)
    if not text.startswith(b"{"):
        return Layout()
    if b'"FeatureCollection"' in text and (match := _FEATURES.search(text)):
        return Layout(FEATURE_START, offset + match.end())
    first, _, others = text.partition(b"\n")
    if others.lstrip(WHITE)[:1] in (b"", b"{", b"[", b"]") or _is_object(first):
        return Layout()
    return Layout(RECORD_START)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse_object(line), dict)
    except Unusable:
        return False


def _read_lines(blocks: Iterable[bytes], origin: str) -> Iterator[Records]:
    number = 1
    for lines in _whole_lines(blocks):
        records = Records()
        decode_lines(lines, records, (origin, number))
        number += lines.count(b"\n")
        yield records


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        text, begin = rest + block, 0
        while end := text.find(b"\n", begin + PIECE) + 1:
            yield text[begin:end]
            begin = end
        rest = text[begin:]
        if len(rest) > LONGEST_RECORD:
            yield rest
            rest = b""
    if rest:
        yield rest


def _read_elements(
    blocks: Iterable[bytes], origin: str, start: re.Pattern[bytes]
) -> Iterator[Records]:
    index = 0
    for piece in pieces(blocks, start):
        records = Records()
        text = _FEATURES_END.sub(b"", piece) if start is FEATURE_START else piece
        decode_elements(text, records, (origin, index), start)
        index += len(records.rows) + len(records.rejects)
        yield records
