"""Write a result table as a table of a paper: LaTeX with the rules of booktabs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import pandas as pd

from ocm_geo.checks import check_flag, check_whole, short_form
from ocm_geo.errors import QueryError
from ocm_geo.files.columns import pack
from ocm_geo.headings import Heading, find_heading, format_numbers, format_times
from ocm_geo.outside import describe_origin
from ocm_geo.provenance import carry, credit_line, read_attrs
from ocm_geo.schema import STATION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["to_latex"]

_MISSING = "--"
_WIDE_TEXT = 32
_NAMES = (
    *("group", "title", "name", "area", "region", "operator", "town", "state", "country"),
    *("country_code", "standard", "reading", "label", "measure"),
)
"""Columns that name a row, in their order in a table."""
_SHORT = ("title", "town", "country_code", "n_points", "n_connectors", "max_power_kw")
"""The columns of a station table that fit on a page."""
_LABELS = (
    *("usage_type", "is_public", "is_pay_at_location", "is_membership_required", "status"),
    *("is_operational", "submission_status", "data_provider", "license", "is_open_data"),
)
"""Columns of `add_labels` beside the names of country and operator."""
_NOT_SHOWN = ({c.name for c in STATION_COLUMNS} | set(_LABELS)) - {*_SHORT, "ocm_id"}
_FULL = 0.8
"""Share of the columns of a station table from which a table is one."""
_NUMBERS = ("int", "float", "span")
"""Kinds of columns that contain numbers; durations are in minutes."""
_ESCAPED = str.maketrans(
    {
        **{sign: rf"\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"{\char34}",
        "`": r"\textasciigrave{}",
        # After the end of a row these would be its options.
        "[": "{[}",
        "]": "{]}",
        "*": "{*}",
        "²": "$^2$",
        "°": r"\textdegree{}",
        "·": r"\textperiodcentered{}",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "→": r"$\rightarrow$",
        "\N{MINUS SIGN}": "$-$",
        "\N{MULTIPLICATION SIGN}": r"$\times$",
    }
)
_DASHES = re.compile("-(?=-)")
"""Two hyphens in a row, which LaTeX would join."""


class _Column(NamedTuple):
    """A column as text, with its heading and its alignment."""

    heading: str
    cells: list[str]
    align: str


def to_latex(
    table: pd.DataFrame | pd.Series[Any],
    *,
    caption: str | None = None,
    label: str | None = None,
    columns: Sequence[str] | None = None,
    headings: Mapping[str, str] | None = None,
    decimals: int | Mapping[str, int] | None = None,
    credit: bool = True,
    long: bool = False,
) -> str:
    r"""
    Return a result table as LaTeX, with units in the header and the credit as a note.

    Parameters
    ----------
    table : pandas.DataFrame, geopandas.GeoDataFrame or pandas.Series
        Any result table. Geometry and columns without a value are left out; of a full station
        table only names, country, powers and numbers of points and connectors are shown, unless
        ``columns`` names others.
    caption : str, optional
        The caption, as plain text.
    label : str, optional
        The label for ``\ref``, such as ``tab:coverage``.
    columns : sequence of str, optional
        The columns to show, in this order; levels of the index by their names. By default all,
        those that name a row first, ids after them.
    headings : mapping, optional
        Your headings of columns, with their units, as plain text.
    decimals : int or mapping, optional
        Number of decimals, for all columns of numbers or by column.
    credit : bool
        Add the source of the data, its date and snapshot, and its licence below the table.
    long : bool
        Write a ``longtable``, which continues on the next page.

    Returns
    -------
    str
        A ``table`` (or ``longtable``); it needs ``\usepackage{booktabs}`` (and ``longtable``).

    Raises
    ------
    QueryError
        If it is not a table, a column is missing or cannot be written, or a label contains
        characters with a meaning in LaTeX.

    Notes
    -----
    Units are those at the end of the names of columns: km, km², m, kW, min. Shares from 0 to 1
    are shown in percent. Numbers have at most the decimals that their unit deserves; a value that
    would be rounded to 0, or a share to 100 %, is written as a bound (``<0.1``, ``>99.9``). Times
    are UTC. All texts are escaped. Letters beyond those of European languages need XeLaTeX or
    LuaLaTeX.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> areas = ocm.sample_areas().set_index("name").head(1)
    >>> covered = ocm.coverage(areas, stations, [5])
    >>> text = ocm.to_latex(covered, columns=["name", "within_km", "area_share"], credit=False)
    >>> print(text.split(r"\toprule")[1].split(r"\midrule")[0].strip())
    Name & Within (km) & Area share (\%) \\
    """
    if isinstance(table, pd.Series):
        table = carry(table.to_frame(name="value" if table.name is None else table.name), table)
    if not isinstance(table, pd.DataFrame):
        raise QueryError(
            f"table must be a DataFrame, not {short_form(table)}; of a result with several tables "
            "pass one, such as verdict.readings or equity.intervals"
        )
    check_flag(credit, "credit")
    check_flag(long, "long")
    plain, kinds = _flatten_table(table)
    chosen = _choose_latex_columns(plain, columns)
    if not chosen:
        raise QueryError("the table has no column to show: geometry and empty columns are left out")
    places, words = _check_decimals(decimals, plain), _check_headings(headings, plain)
    built = [
        _build_latex_column(plain[name], kinds[name], words.get(name), places.get(name))
        for name in chosen
    ]
    note = _write_credit_note(table) if credit else ""
    head = _write_caption(caption, label)
    return (_write_long if long else _write_floating)(built, head, note)


def _flatten_table(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a table in plain columns without geometry, levels of the index first."""
    shapes = [n for n, t in table.dtypes.items() if isinstance(t, gpd.array.GeometryDtype)]
    flat = pd.DataFrame(table.drop(columns=shapes)).copy()
    spans = [n for n, t in flat.dtypes.items() if pd.api.types.is_timedelta64_dtype(t)]
    for name in spans:
        flat[name] = flat[name].dt.total_seconds() / 60
    packed = pack(flat)
    kinds = {fact["name"]: str(fact["kind"]) for fact in packed.facts["columns"]}
    kinds |= dict.fromkeys(map(str, spans), "span")
    return packed.columns, kinds


def _choose_latex_columns(plain: pd.DataFrame, columns: Sequence[str] | None) -> list[str]:
    """Return the names of the columns to show, in their order."""
    if columns is not None:
        return _check_columns(plain, columns)
    found = [str(name) for name in plain if plain[name].notna().any() or plain.empty]
    schema = [c.name for c in STATION_COLUMNS[1:]]
    if sum(name in plain for name in schema) >= _FULL * len(schema):
        twice = "country_code" if "country" in found else ""
        found = [name for name in found if name not in _NOT_SHOWN and name != twice]
    naming = [name for name in _NAMES if name in found]
    # A name that only its id accompanies (usage_type and usage_type_id) comes before the id, too.
    labelled = [
        name.removesuffix("_id") for name in found
        if name.endswith("_id") and name.removesuffix("_id") in found
    ]  # fmt: skip
    return list(dict.fromkeys([*naming, *labelled, *found]))


def _check_columns(plain: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Check the columns that the caller names."""
    if isinstance(columns, str) or not isinstance(columns, list | tuple | pd.Index):
        raise QueryError(f"columns must be a list of names, not {short_form(columns)}")
    missing = [name for name in columns if name not in plain]
    if missing:
        raise QueryError(
            f"columns: the table has no column {missing[0]!r} to show; its columns: "
            f"{', '.join(map(str, plain.columns))}"
        )
    return [str(name) for name in columns]


def _check_decimals(
    decimals: int | Mapping[str, int] | None, plain: pd.DataFrame
) -> dict[str, int]:
    """Return the caller's decimals by column."""
    if decimals is None:
        return {}
    by_name = decimals if hasattr(decimals, "items") else dict.fromkeys(plain, decimals)
    _check_known_columns(by_name, plain, "decimals")
    return {
        str(name): check_whole(value, "decimals", low=0, high=15) for name, value in by_name.items()
    }


def _check_headings(headings: Mapping[str, str] | None, plain: pd.DataFrame) -> dict[str, str]:
    """Return the caller's headings by column."""
    if headings is None:
        return {}
    if not hasattr(headings, "items"):
        raise QueryError(f"headings must be a dict, not {short_form(headings)}")
    _check_known_columns(headings, plain, "headings")
    return {str(name): str(text) for name, text in headings.items()}


def _check_known_columns(named: Any, plain: pd.DataFrame, what: str) -> None:  # noqa: ANN401
    """Check that a dict of the caller names columns of the table."""
    unknown = [name for name in named if name not in plain]
    if unknown:
        raise QueryError(f"{what}: the table has no column {unknown[0]!r}")


def _build_latex_column(
    values: pd.Series, kind: str, words: str | None, places: int | None
) -> _Column:
    """Return a column as escaped text."""
    name = str(values.name)
    heading = find_heading(name, values)
    if kind == "span":
        heading = Heading(heading.words, "min")
    if kind in _NUMBERS:
        cells = [_write_number(text) for text in format_numbers(values, heading, places)]
    elif kind == "time":
        heading, texts = format_times(values, heading)
        cells = [_MISSING if text is None else _escape_latex(text) for text in texts]
    else:
        found = [_join_list(v) if kind == "json" else _to_text(v, kind) for v in values]
        cells = [_escape_latex(text) or _MISSING for text in found]
    align = "r" if kind in _NUMBERS else "l"
    if align == "l" and any(len(cell) > _WIDE_TEXT for cell in cells):
        align = r"p{0.3\linewidth}"
    return _Column(_escape_latex(str(heading) if words is None else words), cells, align)


def _write_number(text: str | None) -> str:
    """Return a number as LaTeX; signs and infinity need its mathematics."""
    if text is None:
        return _MISSING
    if text[-1] != "∞" and text[0] not in "<>-":
        return text
    return f"${text.replace('∞', chr(92) + 'infty').replace(',', '{,}')}$"


def _to_text(value: Any, kind: str) -> str:  # noqa: ANN401 - a value of any column
    """Return a value as text; empty if it is missing."""
    if pd.isna(value):
        return ""
    return ("yes" if value else "no") if kind == "bool" else str(value)


def _join_list(value: Any) -> str:  # noqa: ANN401 - a JSON text or missing
    """Return the items of a list, joined."""
    if pd.isna(value):
        return ""
    found = json.loads(value)
    return ", ".join(map(str, found)) if isinstance(found, list) else str(value)


def _escape_latex(text: str) -> str:
    """Return any text as LaTeX shows it: in one line, without commands and control characters."""
    shown = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return _DASHES.sub("-{}", shown.translate(_ESCAPED)).strip()


def _write_credit_note(table: pd.DataFrame) -> str:
    """Return the source of the data, with its dates."""
    facts = ["Source: " + credit_line(table), *describe_origin(read_attrs(table))]
    return _escape_latex("; ".join(facts))


def _write_caption(caption: str | None, label: str | None) -> list[str]:
    """Return the commands of caption and label."""
    lines = []
    for value, name in ((caption, "caption"), (label, "label")):
        if value is not None and not isinstance(value, str):
            raise QueryError(f"{name} must be a text, not {short_form(value)}")
    if caption:
        lines.append(rf"\caption{{{_escape_latex(caption)}}}")
    if label:
        if not all(sign.isascii() and (sign.isalnum() or sign in ":-_.+/") for sign in label):
            raise QueryError(f"label {label!r} may contain letters, digits and :-_.+/ only")
        lines.append(rf"\label{{{label}}}")
    return lines


def _write_latex_rows(columns: list[_Column]) -> tuple[str, list[str]]:
    """Return the header and the rows."""
    rows = zip(*(column.cells for column in columns), strict=True)
    header = " & ".join(column.heading for column in columns)
    return rf"{header} \\", [rf"{' & '.join(row)} \\" for row in rows]


def _write_floating(columns: list[_Column], head: list[str], note: str) -> str:
    """Return a table that floats."""
    header, rows = _write_latex_rows(columns)
    end = [rf"\par\smallskip{{\footnotesize {note}\par}}"] if note else []
    lines = [
        *(r"\begin{table}", r"\centering", *head),
        rf"\begin{{tabular}}{{{''.join(c.align for c in columns)}}}",
        *(r"\toprule", header, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"),
        *end,
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _write_long(columns: list[_Column], head: list[str], note: str) -> str:
    """Return a table that continues on the next page, with its header on each."""
    header, rows = _write_latex_rows(columns)
    width = len(columns)
    last = [
        rf"\multicolumn{{{width}}}{{p{{0.9\linewidth}}}}{{\footnotesize {note}}} \\"
    ] if note else []  # fmt: skip
    lines = [
        rf"\begin{{longtable}}{{{''.join(c.align for c in columns)}}}",
        *([*head[:-1], rf"{head[-1]} \\"] if head else []),
        *(r"\toprule", header, r"\midrule", r"\endfirsthead"),
        *(r"\toprule", header, r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"),
        *(r"\bottomrule", *last, r"\endlastfoot", *rows, r"\end{longtable}"),
    ]
    return "\n".join(lines) + "\n"
