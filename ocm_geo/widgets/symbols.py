"""Symbols of stations on maps: colour by power or another column, outline by status."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.plots.station_groups import POWER_GROUPS, StationGroups
from ocm_geo.plots.style import INK, UNKNOWN, UNKNOWN_EDGE, power_class
from ocm_geo.reference import ReferenceData, reference_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["CLUSTER", "STATES", "legend_html", "symbol_codes", "symbol_style"]

CLUSTER = "#44403a"
STATES = ("working", "not working", "status not known")
_WORKING, _IDLE, _UNKNOWN = range(3)

_GROUP_ROW = (
    "<div style='white-space:nowrap'><svg width='18' height='18' aria-hidden='true' "
    f"style='vertical-align:middle'><circle cx='9' cy='9' r='8' fill='{CLUSTER}'/>"
    "<text x='9' y='12.5' font-size='10' fill='white' text-anchor='middle'>9</text></svg> "
    "group with its number of stations</div>"
)


def symbol_codes(
    stations: gpd.GeoDataFrame,
    reference: ReferenceData | None = None,
    ranks: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """
    Return the code of each station's symbol.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    reference : ReferenceData, optional
        Meaning of status ids.
    ranks : numpy.ndarray of int, optional
        Group of each station; the class of its highest power by default.

    Returns
    -------
    numpy.ndarray of int
        ``3 * (group + 1) + state``; the group is -1 where the value is missing, the state a
        position in `STATES`.
    """
    if ranks is None:
        ranks = power_class(stations["max_power_kw"])
    return np.asarray(3 * (ranks + 1) + _read_operation(stations, reference))


def _read_operation(
    stations: gpd.GeoDataFrame, reference: ReferenceData | None
) -> NDArray[np.intp]:
    """Return the state of each station, as a position in `STATES`."""
    if "is_operational" in stations:
        works = stations["is_operational"]
    elif "status_type_id" in stations:
        known = (reference or reference_of(stations, ask=False)).status_types["is_operational"]
        works = stations["status_type_id"].map(known.dropna())
    else:
        return np.full(len(stations), _UNKNOWN)
    # Status types without the flag, and stations without a status, are not known to work.
    values = works.astype("boolean").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isnan(values), _UNKNOWN, np.where(values > 0, _WORKING, _IDLE))


def symbol_style(code: int, groups: StationGroups = POWER_GROUPS) -> dict[str, Any]:
    """
    Return the style of a station's symbol.

    Parameters
    ----------
    code : int
        Made by `symbol_codes`.
    groups : StationGroups
        The groups of the codes.

    Returns
    -------
    dict
        Style of a circle marker, in Leaflet's terms.
    """
    rank, state = code // 3 - 1, code % 3
    face, rim = (groups.colours[rank], "#ffffff") if rank >= 0 else (UNKNOWN, UNKNOWN_EDGE)
    radius = 6 + max(rank, 0) if groups.is_ordered else 7
    if state == _IDLE:
        # A hollow symbol with a dashed outline means "out of use" without a further colour.
        return {
            "radius": radius,
            "color": face if rank >= 0 else rim,
            "weight": 2.5,
            "dashArray": "3 3",
            "fillColor": "#ffffff",
            "fillOpacity": 0.8,
        }
    return {
        "radius": radius,
        "color": rim if state == _WORKING else INK,
        "weight": 1.5 if state else 1,
        "fillColor": face,
        "fillOpacity": 0.95,
    }


def legend_html(groups: StationGroups = POWER_GROUPS) -> str:
    """
    Return the legend of groups and status.

    Parameters
    ----------
    groups : StationGroups
        The groups; classes of power by default.

    Returns
    -------
    str
        Escaped HTML.
    """
    codes = [(3 * (rank + 1) + _WORKING, label) for rank, label in enumerate(groups.labels)]
    # Classes are listed from the highest, as they lie on the map; other groups by size.
    rows = [*(codes[::-1] if groups.is_ordered else codes), (_WORKING, groups.missing)]
    middle = 3 * min(3, len(groups.labels))
    states = [(middle + state, label) for state, label in enumerate(STATES)]
    lines = [*_write_rows(rows, groups), _GROUP_ROW, "<b>Status</b>", *_write_rows(states, groups)]
    return f"<b>{html.escape(groups.heading)}</b>" + "".join(lines)


def _write_rows(entries: list[tuple[int, str]], groups: StationGroups) -> list[str]:
    """Return the rows of a legend as HTML."""
    return [
        f"<div style='white-space:nowrap'>{_draw_swatch(code, groups)} {html.escape(label)}</div>"
        for code, label in entries
    ]


def _draw_swatch(code: int, groups: StationGroups) -> str:
    """Return a symbol as SVG for the legend."""
    style = symbol_style(code, groups)
    dashes = f" stroke-dasharray='{style['dashArray']}'" if "dashArray" in style else ""
    # A white outline on the white legend would be invisible: thin grey shows the shape.
    edge = "#999999" if style["color"] == "#ffffff" else style["color"]
    return (
        "<svg width='18' height='18' aria-hidden='true' style='vertical-align:middle'>"
        f"<circle cx='9' cy='9' r='{min(style['radius'], 7)}' fill='{style['fillColor']}' "
        f"stroke='{edge}' stroke-width='{min(style['weight'], 2)}'{dashes}/></svg>"
    )
