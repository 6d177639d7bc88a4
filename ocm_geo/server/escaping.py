"""Texts made harmless for what reads them: JSON as .NET escapes it, XML, spreadsheets."""

from __future__ import annotations

import re

__all__ = ["defuse_cell", "escape_as_dotnet", "strip_for_xml"]

# A backslash takes the next sign along, so that an escaped quote is seen as one.
_DOTNET = re.compile(r"\\\\|\\\"|\\[^u]|[^\x00-\x7e]|[<>&'+`]")
_HARMLESS = re.compile(rb"[ !#-%(-*,-;=?-Z\[\]-_a-~\"]*")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = re.compile(r"\s*[=+\-@\t\r|]")
_NUMBER = re.compile(r"[+-]?\d[\d .,()/-]*")
_BMP = 0xFFFF


def escape_as_dotnet(text: bytes) -> bytes:
    """
    Escape JSON as .NET does by default: pure ASCII, without signs that HTML could mistake.

    Parameters
    ----------
    text : bytes
        JSON.

    Returns
    -------
    bytes
        The same values.
    """
    if _HARMLESS.fullmatch(text):
        return text
    return _DOTNET.sub(lambda found: _escape_sign(found[0]), text.decode()).encode()


def _escape_sign(sign: str) -> str:
    """Escape a character as .NET does; those beyond 16 bits as a pair."""
    if sign == '\\"':
        return "\\u0022"
    if sign[0] == "\\":
        return sign
    number = ord(sign)
    if number <= _BMP:
        return f"\\u{number:04X}"
    number -= _BMP + 1
    return f"\\u{0xD800 + (number >> 10):04X}\\u{0xDC00 + (number & 0x3FF):04X}"


def strip_for_xml(text: str) -> str:
    """Remove the characters that no XML document can hold."""
    return _NOT_XML.sub("", text)


def defuse_cell(text: str) -> str:
    """
    Defuse a text that a spreadsheet would run as a formula.

    Parameters
    ----------
    text : str
        The text of a cell.

    Returns
    -------
    str
        The text behind an apostrophe where it begins like a formula; a telephone number does not.
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text.strip()):
        return "'" + text
    return text
