"""Parse XML as a small tree, without trusting the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from ocm_geo.errors import QueryError
from ocm_geo.files.delimited import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Node", "is_markup", "parse_markup", "xml_text"]

_DECLARATION = re.compile(r"\A\s*<\?xml([^>]*)\?>")
_ENCODING = re.compile(rb"""\A\s*<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")
_PAGE = re.compile(r"\A\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_DEPTH = 200
_START = 200


@dataclass(slots=True)
class Node:
    """
    An element of XML, its name without prefix or namespace.

    Parameters
    ----------
    tag : str
        Local name.
    attributes : dict
        By local name.
    text : str
        Text directly inside.
    children : list
        Elements directly inside.
    """

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, *tags: str) -> list[Node]:
        """Return the children with one of these names."""
        return [child for child in self.children if child.tag in tags]

    def first(self, tag: str) -> Node | None:
        """Return the first child of this name."""
        return next((child for child in self.children if child.tag == tag), None)

    def text_of(self, tag: str) -> str:
        """Return the text of the first child of this name."""
        child = self.first(tag)
        return "" if child is None else child.text.strip()

    def every(self, tag: str) -> Iterator[Node]:
        """Yield all elements of this name below, in order."""
        for child in self.children:
            if child.tag == tag:
                yield child
            yield from child.every(tag)


def is_markup(content: bytes) -> bool:
    """
    Return whether a file begins like XML or HTML.

    Parameters
    ----------
    content : bytes
        The file or its beginning.

    Returns
    -------
    bool
        Whether its first character is ``<``.
    """
    start = content[:_START].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith(b"<")


def parse_markup(content: bytes, file: str) -> Node:
    """
    Parse an XML file.

    Parameters
    ----------
    content : bytes
        The file, in any usual encoding, even if its declaration is wrong.
    file : str
        Its name, for messages.

    Returns
    -------
    Node
        The root.

    Raises
    ------
    QueryError
        If it is a web page, broken, cut off, nested too deep or declares entities.
    """
    text = _decode_markup(content, file)
    if _PAGE.match(text):
        title = _TITLE.search(text)
        named = f", {title.group(1)[:80]!r}" if title and title.group(1) else ""
        raise QueryError(f"{file} is a web page{named}: download the file itself")
    builder = _Builder(file)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = builder.refuse_entity
    declaration = _DECLARATION.match(text)
    # Remove the declaration, whose encoding may be wrong; line numbers of errors are corrected.
    body = text[declaration.end() :] if declaration else text.lstrip()
    skipped = text[: len(text) - len(body)]
    try:
        parser.Parse(body, True)  # noqa: FBT003 - of expat
    except expat.ExpatError as error:
        line = error.lineno + skipped.count("\n")
        raise QueryError(
            f"{file} is broken XML at line {line}, column {error.offset + 1}: "
            f"{expat.ErrorString(error.code)}"
        ) from error
    except (ValueError, UnicodeError) as error:
        raise QueryError(f"{file} is broken XML: {error}") from error
    return builder.root


def xml_text(value: str) -> str:
    """
    Return a text escaped for XML.

    Parameters
    ----------
    value : str
        Any text.

    Returns
    -------
    str
        The escaped text, with U+FFFD for characters that XML does not allow.
    """
    clean = _NOT_XML.sub("\ufffd", value)
    return (
        clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )


def _decode_markup(content: bytes, file: str) -> str:
    """Decode by byte order mark, declaration, UTF-8 or Windows-1252, in this order."""
    named = _ENCODING.match(content)
    if named:
        encoding = named.group(1).decode("ascii").lower()
        if not encoding.startswith(("utf-8", "utf8", "utf-16", "utf16", "utf-32", "ucs")):
            try:
                return content.decode(encoding)
            except (LookupError, UnicodeDecodeError):
                pass
    return decode_text(content, file)


class _Builder:
    """Handlers that build a tree of nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root = Node("", {})
        self._open: list[Node] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        local = {name.rpartition(":")[2]: value for name, value in attributes.items()}
        node = Node(tag.rpartition(":")[2], local)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)
        if len(self._open) > _MAX_DEPTH:
            raise QueryError(f"{self.file} is nested more than {_MAX_DEPTH} elements deep")

    def end(self, _: str) -> None:
        """Close an element."""
        self._open.pop()

    def data(self, text: str) -> None:
        """Add text to the open element."""
        self._open[-1].text += text

    def refuse_entity(self, *_: object) -> None:
        """Refuse entities, which can grow without bound or name other files."""
        raise QueryError(f"{self.file} declares XML entities, which are not read: remove them")
