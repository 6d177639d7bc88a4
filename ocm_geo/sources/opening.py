"""From a file to the UTF-8 text in it: packing, archives and encodings peeled off in streams."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ocm_geo.errors import MirrorError
from ocm_geo.settings import current, name_limit
from ocm_geo.sources.decode import BOM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ocm_geo.sources.account import Account

__all__ = ["BLOCK", "POI_FILE", "Text", "open_texts"]

BLOCK = 4 * 2**20
POI_FILE = re.compile(r"OCM-(\d+)\.json(?:\.gz)?")

_DEEPEST = 4
_GIB = 2**30
_UNREADABLE = (OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)
# Encrypted members, and ways of packing that the standard library does not know.
_UNUSABLE = (RuntimeError, NotImplementedError)
_PACKINGS: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MARK = slice(257, 262)
_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DATA_FILE = re.compile(
    r"(?!.*\breference(?:data)?\.json)[^.].*\.(?:json|jsonl|ndjson|geojson|csv)(?:\.(?:gz|bz2|xz))?",
    re.IGNORECASE,
)
_OFFICE = {"xl/workbook.xml": "an Excel table", "word/document.xml": "a Word document",
           "content.xml": "an OpenDocument file", "doc.kml": "a KMZ file"}  # fmt: skip


class Text(NamedTuple):
    """A text: where it comes from, its blocks, and whether it is one record of an export."""

    origin: str
    blocks: Iterator[bytes]
    is_record: bool = False


def open_texts(stream: IO[bytes], origin: str, account: Account, depth: int = 0) -> Iterator[Text]:
    """
    Open the texts of a file: one, or those in the archive that it is.

    Parameters
    ----------
    stream : binary file
        The file, open; compressed, an archive or plain.
    origin : str
        What errors call it.
    account : Account
        Takes the files whose compressed data end too early.
    depth : int
        How many layers are around it.

    Yields
    ------
    Text
        To be read before the next one is asked for.

    Raises
    ------
    MirrorError
        If the file is damaged, or is an archive without data files.
    """
    head = _peek_stream(stream, origin, account)
    if depth > _DEEPEST:
        raise MirrorError(f"{origin} is packed more than {_DEEPEST} times: unpack it first")
    for magic, opener in _PACKINGS:
        if head.startswith(magic):
            yield from open_texts(opener(stream), origin, account, depth + 1)
            return
    if head.startswith(_ZIP):
        yield from _open_zip(stream, origin, account, depth)
    elif head[_TAR_MARK] == b"ustar":
        yield from _open_tar(stream, origin, account, depth)
    else:
        blocks = _read_blocks(stream, origin, account)
        if depth:
            blocks = _limit_blocks(blocks, origin, account)
        yield Text(origin, _recode_text(head, blocks))


def _peek_stream(stream: Any, origin: str, account: Account) -> bytes:  # noqa: ANN401 - any with peek
    """Look at the beginning of a stream without taking it."""
    try:
        return bytes(stream.peek(512)[:512])
    except EOFError:
        account.cut[origin] = "ends inside its compressed data"
        return b""
    except _UNREADABLE as error:
        raise _make_damage_error(origin, error) from error


def _read_blocks(stream: Any, origin: str, account: Account) -> Iterator[bytes]:  # noqa: ANN401
    """Yield the blocks of a stream; one that ends too early is noted."""
    try:
        # Not read(): of what it has when the data end too early, nothing would come out.
        while block := stream.read1(BLOCK):
            yield block
    except EOFError:
        account.cut[origin] = "ends inside its compressed data"
    except (*_UNREADABLE, *_UNUSABLE) as error:
        raise _make_damage_error(origin, error) from error


def _limit_blocks(blocks: Iterator[bytes], origin: str, account: Account) -> Iterator[bytes]:
    """Count what a file unpacks to, all its members together, and stop at the limit."""
    most_bytes = current().max_unpacked_gib * _GIB
    for block in blocks:
        account.n_unpacked += len(block)
        if account.n_unpacked > most_bytes:
            raise MirrorError(
                f"{origin} unpacks to more than {name_limit('max_unpacked_gib')}; the mirror was "
                "not changed"
            )
        yield block


def _make_damage_error(origin: str, error: Exception) -> MirrorError:
    return MirrorError(f"{origin} cannot be read ({error}): it is damaged; get it again")


def _recode_text(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Recode a text in UTF-16 or UTF-32 as UTF-8; leave out the mark of the byte order."""
    encoding = _find_encoding(head)
    if encoding is None:
        first = next(blocks, b"")
        yield first.removeprefix(BOM)
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _find_encoding(head: bytes) -> str | None:
    """Return the encoding of a text that is not UTF-8."""
    for mark, encoding in _ENCODINGS:
        if head.startswith(mark):
            return encoding
    if head[:1] in b'[{<"' and head[1:2] == b"\x00":
        return "utf-16-le"
    return "utf-16-be" if head[:1] == b"\x00" and head[1:2] in b'[{<"' else None


def _open_zip(stream: IO[bytes], origin: str, account: Account, depth: int) -> Iterator[Text]:
    """Open the data files of a zip archive, one after the other."""
    try:
        archive = zipfile.ZipFile(stream)
    except _UNREADABLE as error:
        raise MirrorError(
            f"{origin} is a zip archive that is cut off or damaged ({error}): get it again"
        ) from error
    with archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        for member, kind in _OFFICE.items():
            if member in names:
                raise MirrorError(
                    f"{origin} is {kind}, not JSON: ask the API with output=json; tables of other "
                    "origin are read by stations_from_table"
                )
        for name in _choose_members(names, origin):
            try:
                inner = archive.open(name)
            except (*_UNREADABLE, *_UNUSABLE) as error:
                raise _make_damage_error(f"{origin}/{name}", error) from error
            with inner:
                yield from _open_member(inner, f"{origin}/{name}", account, depth)


def _open_tar(stream: IO[bytes], origin: str, account: Account, depth: int) -> Iterator[Text]:
    """Open the data files of a tar archive, one after the other."""
    n_files = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if not (member.isfile() and _is_data_file(member.name)):
                    continue
                n_files += 1
                if inner := archive.extractfile(member):
                    yield from _open_member(inner, f"{origin}/{member.name}", account, depth)
    except EOFError:
        account.cut[origin] = "ends inside its compressed data"
    except _UNREADABLE as error:
        raise _make_damage_error(origin, error) from error
    if not n_files:
        raise MirrorError(f"{origin} is a tar archive without a file of JSON")


def _open_member(stream: IO[bytes], origin: str, account: Account, depth: int) -> Iterator[Text]:
    """Open a file of an archive, whatever is packed in it."""
    is_record = POI_FILE.fullmatch(origin.rpartition("/")[2]) is not None
    for text in open_texts(stream, origin, account, depth + 1):
        yield text._replace(is_record=is_record)


def _choose_members(names: list[str], origin: str) -> list[str]:
    """Choose the members to read: the data files, or the only file there is."""
    chosen = [name for name in names if _is_data_file(name)]
    if not chosen and len(names) != 1:
        listed = ", ".join(names[:3]) or "nothing"
        raise MirrorError(f"{origin} is a zip archive without a file of JSON: it holds {listed}")
    return chosen or names


def _is_data_file(name: str) -> bool:
    """Distinguish data files from readmes, reference data and what macOS adds to archives."""
    return "__MACOSX" not in name and bool(_DATA_FILE.fullmatch(name.rpartition("/")[2]))
