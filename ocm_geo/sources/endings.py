"""Whether a JSON text ends where it should, judged by its last stretch alone."""

from __future__ import annotations

import re

__all__ = ["array_end", "is_closed"]

# A string that does not end takes everything to the end of the text, in one step.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)|[\[{]|[\]}]', re.DOTALL)


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
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = text[token.start() : token.start() + 1]
        if mark == b'"':
            if not token[1]:
                return None
        elif mark in b"[{":
            depth += 1
        elif depth == 0:
            return token.start()
        else:
            depth -= 1
    return None


def is_closed(text: bytes) -> bool:
    """
    Tell whether every bracket and every string of a text is closed.

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
