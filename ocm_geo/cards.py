"""Show results in notebooks: a heading, sentences, tables and the credit, in light and dark."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from ocm_geo.headings import find_heading, format_numbers, format_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["build_card", "build_table"]

_ROWS = 8
_MISSING = "\N{EN DASH}"
_LONGEST = 80
# Colours are those of the page, so that a card is readable in every theme.
_BOX = (
    "border:1px solid rgba(128,128,128,.5);border-radius:4px;padding:.6em .9em;margin:.3em 0;"
    "max-width:60em;color:inherit;background:transparent;overflow-x:auto"
)
_CELL = "padding:.15em .7em;border:0;border-bottom:1px solid rgba(128,128,128,.25);"
_SMALL = "font-size:85%;opacity:.75"
_HIDDEN = ("connections", "metadata", "comments", "media", "extra")


def build_card(
    heading: str,
    *,
    lines: Iterable[str] = (),
    items: Iterable[str] = (),
    tables: Mapping[str, pd.DataFrame] | None = None,
    credit: str = "",
) -> str:
    """
    Return a result as HTML for notebooks.

    Parameters
    ----------
    heading : str
        One line.
    lines : iterable of str
        Sentences.
    items : iterable of str
        Items of a list, folded if there are many.
    tables : mapping, optional
        Tables by their titles; the first rows of each are shown.
    credit : str
        Credit of the data.

    Returns
    -------
    str
        HTML without scripts; all texts are escaped.
    """
    parts = [f'<div style="font-weight:600">{html.escape(heading)}</div>']
    parts += [f'<div style="margin:.3em 0">{html.escape(line)}</div>' for line in lines if line]
    if shown := [f"<li>{html.escape(item)}</li>" for item in items]:
        parts.append(f'<ul style="margin:.3em 0 .3em 1.2em;padding:0">{"".join(shown)}</ul>')
    parts += [build_table(table, title) for title, table in (tables or {}).items()]
    if credit:
        parts.append(f'<div style="{_SMALL}">{html.escape(credit)}</div>')
    return f'<div class="ocm-card" style="{_BOX}">{"".join(parts)}</div>'


def build_table(table: pd.DataFrame, title: str) -> str:
    """
    Return the first rows of a table as HTML, with headings, units and rounded numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table; geometry is left out.
    title : str
        The line above it.

    Returns
    -------
    str
        A folded part with the table; all texts are escaped.
    """
    head = table.head(_ROWS)
    names = [n for n in head if n not in _HIDDEN]
    flat = pd.DataFrame(head[names])
    shapes = [n for n, t in flat.dtypes.items() if isinstance(t, gpd.array.GeometryDtype)]
    flat = flat.drop(columns=shapes)
    if not isinstance(flat.index, pd.RangeIndex):
        # A column of the same name has precedence: it contains the same ids.
        flat = flat.reset_index(drop=flat.index.name in flat)
    columns = [_build_card_column(str(name), flat[name]) for name in flat]
    rows = zip(*(cells for _, cells in columns), strict=True)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    header = "".join(heading for heading, _ in columns)
    rest = f", the first {_ROWS}" if len(table) > _ROWS else ""
    n = f"{len(table):,} {'row' if len(table) == 1 else 'rows'}{rest}"
    return (
        f'<details open><summary style="margin:.4em 0 .2em">{html.escape(title)} ({n})</summary>'
        f'<table style="border-collapse:collapse;margin:0"><thead><tr>{header}</tr></thead>'
        f"<tbody>{body}</tbody></table></details>"
    )


def _build_card_column(name: str, values: pd.Series) -> tuple[str, list[str]]:
    """Return the header and the cells of a column."""
    heading, types = find_heading(name, values), pd.api.types
    number = types.is_numeric_dtype(values.dtype) and not types.is_bool_dtype(values.dtype)
    if number:
        texts = format_numbers(values, heading)
    elif types.is_datetime64_any_dtype(values.dtype):
        heading, texts = format_times(values, heading)
    else:
        texts = [_shorten_card_value(value) for value in values]
    side = "right" if number else "left"
    shown = (html.escape(_MISSING if text is None else text) for text in texts)
    cells = [f'<td style="{_CELL}text-align:{side}">{text}</td>' for text in shown]
    style = f"{_CELL}text-align:{side};font-weight:600;vertical-align:bottom"
    return f'<th style="{style}">{html.escape(str(heading))}</th>', cells


def _shorten_card_value(value: Any) -> str | None:  # noqa: ANN401 - a value of any column
    """Return a value as text of a moderate length."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        value = ", ".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in value)
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
