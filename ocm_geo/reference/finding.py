"""Find ids by label: titles, codes and common names, with suggestions for unknown ones."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError

__all__ = [
    "KINDS",
    "OPERATOR_ADVICE",
    "describe_unknown",
    "find_ids",
    "fold_name",
    "has_operators",
    "list_codes",
    "read_id",
]

KINDS = {
    "operators": "operator",
    "connection_types": "connection type",
    "current_types": "current type",
    "levels": "level",
    "usage_types": "usage type",
    "status_types": "status type",
    "submission_status_types": "submission status",
    "comment_types": "comment type",
    "checkin_status_types": "check-in status",
    "countries": "country",
    "data_providers": "data provider",
}
"""Tables, and the name of one of their rows."""

OPERATOR_ADVICE = (
    "the reference data of this source have no operator names. Build the mirror with them, by "
    "Mirror.build(path, data, reference='referencedata.json') or `ocm-geo mirror build PATH DATA "
    "--reference referencedata.json`; the file is the answer of the API to "
    "OpenChargeMap(key).request('referencedata').body, and in the export of Open Charge Map "
    "data/referencedata.json. Ids of operators work without names"
)
"""Advice for reference data without names of operators."""

_ALIASES: dict[str, dict[str, tuple[int, ...]]] = {
    "current_types": {
        **dict.fromkeys(("dc", "direct current"), (30,)),
        **dict.fromkeys(("ac", "alternating current"), (10, 20)),
        **dict.fromkeys(("single phase", "ac single phase", "1 phase"), (10,)),
        **dict.fromkeys(("three phase", "ac three phase", "3 phase"), (20,)),
    },
    "levels": {"level 1": (1,), "level 2": (2,), "level 3": (3,)},
    "connection_types": {
        **dict.fromkeys(("type 1", "j1772", "sae j1772", "iec 62196 2 type 1", "yazaki"), (1,)),
        **dict.fromkeys(
            ("type 2", "mennekes", "type 2 mennekes", "mennekes type 2", "iec 62196 2 type 2"),
            (25, 1036),
        ),
        **dict.fromkeys(("type 2 socket",), (25,)),
        **dict.fromkeys(("type 2 cable", "type 2 tethered"), (1036,)),
        **dict.fromkeys(("type 3", "scame", "iec 62196 2 type 3"), (26, 36)),
        **dict.fromkeys(("type 3c",), (26,)),
        **dict.fromkeys(("type 3a",), (36,)),
        **dict.fromkeys(("ccs", "combo", "ccs combo", "combined charging system"), (32, 33)),
        **dict.fromkeys(
            ("ccs1", "ccs 1", "ccs type 1", "combo 1", "ccs combo 1", "sae combo", "sae ccs"),
            (32,),
        ),
        **dict.fromkeys(
            ("ccs2", "ccs 2", "ccs type 2", "combo 2", "ccs combo 2", "type 2 combo"), (33,)
        ),
        **dict.fromkeys(("nacs", "j3400", "sae j3400", "tesla nacs"), (27, 30)),
        **dict.fromkeys(("tesla",), (8, 27, 30)),
        **dict.fromkeys(("supercharger",), (27,)),
        **dict.fromkeys(("gb t", "gbt"), (1038, 1039, 1040)),
        **dict.fromkeys(("gb t ac", "gbt ac"), (1038, 1039)),
        **dict.fromkeys(("gb t dc", "gbt dc"), (1040,)),
        **dict.fromkeys(("schuko", "type f", "cee 7 4"), (28,)),
        **dict.fromkeys(("type e",), (23,)),
        **dict.fromkeys(("type g", "bs 1363", "bs1363"), (3,)),
        **dict.fromkeys(("type i",), (29,)),
        **dict.fromkeys(("type j",), (1037,)),
        **dict.fromkeys(("wireless", "inductive"), (5, 6, 24)),
    },
}
"""Common names that are not titles of Open Charge Map, folded by `fold_name`."""

_PARTS = {"england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB"}
"""Parts of a country without a code of their own in ISO 3166."""

_GENERIC_OPERATORS = frozenset({1, 44, 45})
"""Unknown operator, private individual, business owner: entries that do not name a company."""

_CLOSE = 0.75
"""Suggestions below this similarity (difflib: 0 to 1) mislead: USA and Belarus have 0.6."""

_MOST = 3
_WORD = 3


def fold_name(text: str) -> str:
    """
    Return a name without case, accents, punctuation and surplus spaces.

    Parameters
    ----------
    text : str
        A name, such as ``"Türkiye"``, ``"U.S.A."`` or ``"The Netherlands"``.

    Returns
    -------
    str
        ``"turkiye"``, ``"usa"``, ``"netherlands"``.
    """
    plain = unicodedata.normalize("NFKD", text).casefold().replace(".", "").replace("&", " and ")
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    words = re.sub(r"[\W_]+", " ", letters).split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)


def has_operators(operators: pd.DataFrame) -> bool:
    """Return whether a table of operators names any company that operates stations."""
    return not set(operators.index) <= _GENERIC_OPERATORS


def list_codes(name: str, values: Any) -> list[Any]:  # noqa: ANN401 - one or many
    """
    Return the codes of an argument that takes one or several.

    Parameters
    ----------
    name : str
        The argument, for the message.
    values : int, str or iterable of them
        Also a NumPy array, a Series or an Index.

    Returns
    -------
    list
        The codes.

    Raises
    ------
    QueryError
        If there is none, or it is a mapping or a table.
    """
    if isinstance(values, Mapping | pd.DataFrame | bytes):
        raise QueryError(f"{name} must be one or several ids or labels, not {short_form(values)}")
    if isinstance(values, str) or not isinstance(values, Iterable):
        return [values]
    listed = list(np.atleast_1d(values)) if isinstance(values, np.ndarray) else list(values)
    if not listed:
        raise QueryError(
            f"{name}: an empty list matches nothing; omit the filter to get all stations"
        )
    return listed


def read_id(value: object) -> int | None:
    """
    Return an id passed as a number, a whole float or digits.

    Parameters
    ----------
    value : object
        A code.

    Returns
    -------
    int or None
        The id; None for anything else.
    """
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\s*[0-9]+\s*", value) else None
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return None
    # pandas converts a column of ids with a missing value to floats.
    return int(float(value)) if value == value // 1 else None


def find_ids(rows: pd.DataFrame, table: str, label: str) -> tuple[int, ...]:
    """
    Return the ids that a label means.

    Parameters
    ----------
    rows : pandas.DataFrame
        The reference table.
    table : str
        Its name.
    label : str
        A title; for a country also a code of two or three letters or a common name; for connection
        and current types also a common name that may mean several.

    Returns
    -------
    tuple of int
        The ids; empty if the label is unknown.
    """
    wanted = _fold_spaces(label)
    for column in ("iso_code", "title") if table == "countries" else ("title",):
        same = rows[column].fillna("").map(_fold_spaces) == wanted
        if wanted and same.any():
            return tuple(int(i) for i in rows.index[same])
    if table == "countries":
        code = _load_country_codes().get(fold_name(label))
        return tuple(int(i) for i in rows.index[rows["iso_code"] == code]) if code else ()
    named = _ALIASES.get(table, {}).get(fold_name(label), ())
    return tuple(i for i in named if i in rows.index)


def describe_unknown(rows: pd.DataFrame, table: str, label: str) -> str:
    """
    Return the message for an unknown label, with similar titles or advice.

    Parameters
    ----------
    rows : pandas.DataFrame
        The reference table.
    table : str
        Its name.
    label : str
        The label.

    Returns
    -------
    str
        The message.
    """
    said = f"unknown {KINDS[table]} {label!r}"
    if table == "countries" and (part := _PARTS.get(fold_name(label))):
        title = rows.loc[rows["iso_code"] == part, "title"].iloc[0]
        return (
            f"{said}: did you mean {title!r} ({part})? Its stations have that country; for "
            f"{label.strip()} alone, use stations_from_polygon"
        )
    if table == "operators" and not has_operators(rows):
        return f"{said}: {OPERATOR_ADVICE}"
    if close := _suggest_titles(label, _list_names(rows, table)):
        return f"{said}: did you mean {' or '.join(map(repr, close))}?"
    return f"{said}; ocm_geo.reference_data(source).{table} lists all titles and ids"


def _list_names(rows: pd.DataFrame, table: str) -> dict[str, str]:
    """Return titles by folded name; countries by all their names."""
    names: dict[str, str] = {}
    for title in rows["title"].dropna():
        names.setdefault(fold_name(title), title)
    if table == "countries":
        by_code = dict(zip(rows["iso_code"], rows["title"], strict=True))
        for name, code in _load_country_codes().items():
            if code in by_code and len(name) > _WORD:
                names.setdefault(name, by_code[code])
    return names


def _suggest_titles(label: str, names: dict[str, str]) -> list[str]:
    """Return titles whose name contains the label as words, else similar ones."""
    wanted = fold_name(label)
    close = [name for name in names if len(wanted) >= _WORD and f" {wanted} " in f" {name} "]
    if not close:
        close = difflib.get_close_matches(wanted, names, n=_MOST, cutoff=_CLOSE)
    return list(dict.fromkeys(names[name] for name in close))[:_MOST]


@cache
def _load_country_codes() -> dict[str, str]:
    """Return ISO alpha-2 codes by folded alpha-3 code and name."""
    text = files("ocm_geo.reference").joinpath("country_names.json").read_text(encoding="utf-8")
    names: dict[str, list[str]] = json.loads(text)["names"]
    return {fold_name(name): code for code, found in names.items() for name in found}


def _fold_spaces(text: str) -> str:
    return " ".join(text.casefold().split())
