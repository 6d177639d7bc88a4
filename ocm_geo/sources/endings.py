"""Whether a JSON text ends where it should, judged by its last stretch alone."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["array_end", "is_closed"]

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_QUOTE = ord('"')
_OPENING, _CLOSING = np.frombuffer(b"[{", np.uint8), np.frombuffer(b"]}", np.uint8)


def array_end(text: bytes) -> int | None:
    """
    Find where the array around some elements ends.

    Parameters
    ----------
    text : bytes
        Elements of an array, from the beginning of one of them.

    Returns
    -------
    int or None
        The position of the closing bracket; None if the text ends before it.
    """
    signs = np.frombuffer(_ESCAPED.sub(b"__", text), np.uint8)
    inside = np.bitwise_xor.accumulate(signs == _QUOTE)
    opened = np.isin(signs, _OPENING) & ~inside
    closed = np.isin(signs, _CLOSING) & ~inside
    depth = np.cumsum(opened.view(np.int8) - closed.view(np.int8), dtype=np.int32)
    ends = np.flatnonzero(depth < 0)
    return int(ends[0]) if len(ends) else None


def is_closed(text: bytes) -> bool:
    """
    Return whether every bracket and every string of a text is closed.

    Parameters
    ----------
    text : bytes
        One JSON value, or several.

    Returns
    -------
    bool
        False if the text ends inside one of them.
    """
    return array_end(text + b"]") == len(text)
