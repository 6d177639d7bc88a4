"""The form of an answer: which output, and how much of each record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ocm_geo.errors import QueryError
from ocm_geo.server import dotnet
from ocm_geo.server.parameters import FORMATS
from ocm_geo.server.plain import show_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Form", "RefusedOutputError", "read_form_loosely", "read_form_strictly"]

_CALLBACK = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", re.ASCII)
_REFUSED = ("rss", "carwings")


class RefusedOutputError(Exception):
    """An output that Open Charge Map's server no longer offers."""


@dataclass(frozen=True)
class Form:
    """
    The form of an answer.

    Parameters
    ----------
    output : {"json", "geojson", "csv", "kml", "xml"}
        Format.
    verbose : bool
        Write what is missing as null.
    compact : bool
        Leave out the objects that ids refer to.
    camel : bool
        Names in camel case.
    with_comments : bool
        Write comments and photos.
    callback : str
        Name of a JSONP function; "" for none.
    unit : int
        1 for km, 2 for miles: `DistanceUnit` where a distance is measured.
    """

    output: str = "json"
    verbose: bool = True
    compact: bool = False
    camel: bool = False
    with_comments: bool = False
    callback: str = ""
    unit: int = 2

    @property
    def is_short(self) -> bool:
        """Return whether the prepared bodies can be sent as they are."""
        return self.compact and not self.verbose and not self.camel and not self.with_comments


def read_form_strictly(values: Mapping[str, Any]) -> Form:
    """
    Read the form of an answer of manner ``exact``.

    Parameters
    ----------
    values : mapping
        As `read_strictly` returns them.

    Returns
    -------
    Form
        The form.

    Raises
    ------
    QueryError
        If the callback is not the name of a function, or the output has none.
    """
    output = values.get("output", "json")
    callback = values.get("callback", "")
    if callback and (output not in {"json", "geojson"} or not _CALLBACK.fullmatch(callback)):
        raise QueryError(
            f"callback must be the name of a function, for JSON alone, not {show_text(callback)}"
        )
    return Form(
        output=output,
        verbose=values.get("verbose", True),
        compact=values.get("compact", False),
        camel=values.get("camelcase", False),
        with_comments=values.get("includecomments", False),
        callback=callback,
        unit=2 if values.get("distanceunit", "miles") == "miles" else 1,
    )


def read_form_loosely(texts: Mapping[str, str]) -> Form:
    """
    Read the form of an answer of manner ``ocm``: an unknown output is XML.

    Parameters
    ----------
    texts : mapping of str to str
        As `read_loosely` returns them.

    Returns
    -------
    Form
        The form.

    Raises
    ------
    RefusedOutputError
        If the output is ``rss`` or ``carwings``.
    """
    output = texts.get("output", "json").strip().lower()
    if output in _REFUSED:
        raise RefusedOutputError
    compact = dotnet.parse_bool(texts.get("compact"), default=False)
    asked = dotnet.parse_bool(texts.get("includecomments"), default=False)
    unit = texts.get("distanceunit", "").strip().lower()
    return Form(
        output=output if output in FORMATS else "xml",
        verbose=dotnet.parse_bool(texts.get("verbose"), default=True),
        compact=compact,
        camel=dotnet.parse_bool(texts.get("camelcase"), default=False),
        # The server's cache holds comments and photos, and leaves them out of compact answers.
        with_comments=asked or not compact,
        callback=texts.get("callback", ""),
        unit=1 if unit in {"km", "kilometers"} else 2,
    )
