"""Show the filters in the signature and docstring of the functions that take them."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import TYPE_CHECKING, TypeVar

from ocm_geo.query.filters import FILTERS, Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["show_filters"]

Function = TypeVar("Function", bound="Callable[..., Any]")

_TYPES = {
    "codes": "int, str or list of them",
    "power": "float",
    "date": "str or date",
    "flag": "bool",
    "count": "int",
}
_ENTRY = re.compile(r"^( *)\*\*filters : StationFilters\n(?:\1    .*\n)+", re.MULTILINE)


def show_filters(
    *, answer: bool = True, without: Sequence[str] = ()
) -> Callable[[Function], Function]:
    """
    Return a decorator that lists the filters instead of ``**filters``.

    Tab completion, ``help()`` and `inspect.signature` then show them; type checkers read the
    annotation ``Unpack[StationFilters]``.

    Parameters
    ----------
    answer : bool
        Whether the filters that shape the answer (``max_results``, ...) apply.
    without : sequence of str
        Filters that do not apply.

    Returns
    -------
    callable
        The decorator.
    """
    rows = [
        row
        for row in FILTERS.values()
        if row.name not in without and (answer or row.level != "answer")
    ]

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        plain = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        listed = [
            inspect.Parameter(row.name, inspect.Parameter.KEYWORD_ONLY, default=row.default)
            for row in rows
        ]
        shown = signature.replace(parameters=[*plain, *listed])
        function.__signature__ = shown  # type: ignore[attr-defined] # read by inspect
        if function.__doc__:
            function.__doc__ = _ENTRY.sub(
                lambda match: "".join(_describe_filter(row, match[1]) for row in rows),
                function.__doc__,
            )
        return function

    return decorate


def _describe_filter(row: Filter, indent: str) -> str:
    """Return the docstring entry of a filter."""
    lines = textwrap.wrap(row.meaning, 90 - len(indent))
    body = "".join(f"{indent}    {line}\n" for line in lines)
    return f"{indent}{row.name} : {_TYPES[row.kind]}, optional\n{body}"
