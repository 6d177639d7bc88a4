"""Legends of maps as rows: written as HTML for the live map, and drawn in its picture."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ocm_geo.plots.style import GREY, POWER_CLASSES, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Row", "legend_html"]

_RIM = "#999999"
_ROW = "padding-left:22px;text-indent:-22px"
_WHITE = "#ffffff"
_HATCHES = {
    UNKNOWN: "M-2 8L8-2M2 14L14 2M10 14L20 4",
    _WHITE: "M0 0L12 12M6 0L18 12M0 12L12 0M6 12L18 0",
}
"""Hatches of swatches 18 by 12 pixels: no value, and outside the data."""
_ARCS = tuple(zip((c for *_, c in POWER_CLASSES), ("0", "-30", "-55", "-80"), strict=True))
"""Colours and starts of the example ring, percent of its circumference."""


class Row(NamedTuple):
    """
    A row of a legend.

    Parameters
    ----------
    kind : {"head", "text", "circle", "ring", "area", "line"}
        What stands before the label: nothing, or a symbol.
    label : str
        Plain text.
    style : dict
        Style of the symbol, in Leaflet's terms.
    """

    kind: Literal["head", "text", "circle", "ring", "area", "line"]
    label: str
    style: dict[str, Any] = {}  # noqa: RUF012 - never changed


def legend_html(rows: Sequence[Row]) -> str:
    """
    Write a legend as HTML.

    Parameters
    ----------
    rows : sequence of Row
        The rows.

    Returns
    -------
    str
        HTML in which labels are escaped.
    """
    return "".join(map(_write_legend_row, rows))


def _write_legend_row(row: Row) -> str:
    """Write a row, with its symbol as SVG."""
    label = html.escape(row.label)
    if row.kind == "head":
        return f"<b style='display:block'>{label}</b>"
    if row.kind == "text":
        return f"<div>{label}</div>"
    symbol = {"circle": _draw_circle, "ring": _draw_ring, "area": _draw_area, "line": _draw_bar}
    # A long label goes on under itself, not under the symbol.
    return f"<div style='{_ROW}'>{symbol[row.kind](row.style)} {label}</div>"


def _draw_circle(style: dict[str, Any]) -> str:
    """Return the symbol of a station as SVG."""
    dashes = f" stroke-dasharray='{style['dashArray']}'" if "dashArray" in style else ""
    # A white outline on the white legend would be invisible: thin grey shows the shape.
    edge = _RIM if style["color"] == _WHITE else style["color"]
    return (
        "<svg width='18' height='18' aria-hidden='true' style='vertical-align:middle'>"
        f"<circle cx='9' cy='9' r='{min(style['radius'], 7)}' fill='{style['fillColor']}' "
        f"stroke='{edge}' stroke-width='{min(style['weight'], 2)}'{dashes}/></svg>"
    )


def _draw_ring(_: dict[str, Any]) -> str:
    """Return a group of stations as SVG: the share of each class, around their number."""
    arcs = "".join(
        f"<circle cx='9' cy='9' r='7' fill='none' stroke='{colour}' stroke-width='3' "
        f"pathLength='100' stroke-dasharray='30 70' stroke-dashoffset='{start}'/>"
        for colour, start in _ARCS
    )
    return (
        "<svg width='18' height='18' aria-hidden='true' style='vertical-align:middle'>"
        f"<circle cx='9' cy='9' r='8' fill='#fff'/>{arcs}"
        "<text x='9' y='12' font-size='8' fill='#222' text-anchor='middle'>9</text></svg>"
    )


def _draw_area(style: dict[str, Any]) -> str:
    """Return a swatch as SVG; what has no class is hatched, as in the figures."""
    colour = style["fillColor"]
    hatch = f"<path d='{_HATCHES[colour]}' stroke='{GREY}'/>" if colour in _HATCHES else ""
    return (
        "<svg width='18' height='12' aria-hidden='true' style='vertical-align:middle'>"
        f"<rect width='18' height='12' fill='{colour}' stroke='{_RIM}'/>{hatch}</svg>"
    )


def _draw_bar(style: dict[str, Any]) -> str:
    """Return a piece of a line as SVG."""
    rim = " stroke='#666' stroke-dasharray='2 2'" if "dashArray" in style else ""
    return (
        "<svg width='18' height='10' aria-hidden='true' style='vertical-align:middle'>"
        f"<rect y='3' width='18' height='5' fill='{style['color']}'{rim}/></svg>"
    )
