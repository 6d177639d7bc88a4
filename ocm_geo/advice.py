"""Rewrite messages for the caller: options of the command line, or keys of a study.

The messages of the library name arguments of Python. Users of the command line or of a
configuration see the option or the key instead.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ocm_geo.errors import OCMError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["advise_in_keys", "advise_in_options"]

_CALLS = (
    # A call of Python, or words for both languages, and the same for the command line.
    (
        r"OpenChargeMap\(\), Mirror\(path\), TableSource\(table\), the path of a mirror",
        "the path of a mirror",
    ),
    (r",? or (?:by )?configure\(api_key=[^)]*\)", ""),
    (r"configure\((max_\w+)=…\)", r"--limit \1=…"),
    (r"with configure\(cache_dir=[^)]*\), or turn the cache off.*", "in XDG_CACHE_HOME"),
    (r"Mirror\.build\([^)]*\) or (`ocm-geo mirror build`)", r"\1"),
    (r"Mirror\.build\([^)]*\)", "'ocm-geo mirror build FOLDER FILE'"),
    (r"Mirror\.build\b", "'ocm-geo mirror build'"),
    (r"source=(?:sample\(\)|'sample')", "--source sample"),
    (r"source=(?:path|Mirror\(path\))", "--source FOLDER"),
    (r"stations\(countries=\[…\]\)", "--country"),
    (r"force=True or --force", "--force"),
    (r"pass reference= \(on the command line: --reference\) with", "pass --reference with"),
    (r"\bpass (--)", r"use \1"),
)
_SUBJECT = re.compile(r"^([a-z]\w*)(?= must\b|:)")
_KEYWORD = re.compile(r"(?<![\w.\-])([a-z]\w*)=(?!=)(True\b|'[^']*'|\"[^\"]*\"|[\w.]*)")


def advise_in_options(text: str, options: Mapping[str, str]) -> str:
    """
    Rewrite a message for the command line.

    Parameters
    ----------
    text : str
        A message of the library.
    options : mapping
        Names of parameters to the options of the command.

    Returns
    -------
    str
        The message, with options instead of arguments and commands instead of calls.
    """

    def rewrite(match: re.Match[str]) -> str:
        name, *values = match.groups()
        option = options.get(name, match[0])
        value = "".join(values)
        if option == match[0] or value in {"", "True"}:
            return option
        return f"no {option}" if value == "None" else f"{option} {value}"

    for pattern, words in _CALLS:
        text = re.sub(pattern, words, text)
    text = _SUBJECT.sub(rewrite, _KEYWORD.sub(rewrite, text))
    return re.sub(r"\bpass (--)", r"use \1", text)


@contextmanager
def advise_in_keys(table: str, keys: tuple[str, ...]) -> Iterator[None]:
    """
    Rewrite the messages of errors for a configuration.

    Parameters
    ----------
    table : str
        The table that the errors are about.
    keys : tuple of str
        Its keys that have the name of a parameter.

    Yields
    ------
    None
        Errors inside the block contain ``table.key = value`` instead of ``key=value``.
    """

    def rewrite(match: re.Match[str]) -> str:
        name, value = match.groups()
        if name not in keys:
            return match[0]
        return f"{table}.{name} = {value}" if value else f"{table}.{name}"

    try:
        yield
    except OCMError as error:
        rewritten = _KEYWORD.sub(rewrite, str(error))
        if rewritten == str(error):
            raise
        # Errors of invalid values take only a message.
        raise type(error)(rewritten) from error
