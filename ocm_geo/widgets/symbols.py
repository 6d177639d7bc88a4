"""Symbols of stations on maps: colour by power or another column, outline by status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.plots.station_groups import POWER_GROUPS, StationGroups
from ocm_geo.plots.style import INK, UNKNOWN, UNKNOWN_EDGE, power_class
from ocm_geo.reference import ReferenceData, reference_of
from ocm_geo.widgets.legends import Row

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["RING_LABEL", "STATES", "legend_rows", "symbol_codes", "symbol_style"]

STATES = ("working", "not working", "status not known")
_WORKING, _IDLE, _UNKNOWN = range(3)

RING_LABEL = "group: number of stations, share of each class"


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


def legend_rows(groups: StationGroups = POWER_GROUPS, *, rings: bool = True) -> list[Row]:
    """
    Return the legend of groups and status.

    Parameters
    ----------
    groups : StationGroups
        The groups; classes of power by default.
    rings : bool
        Whether the map shows rings where stations are many.

    Returns
    -------
    list of Row
        The rows.
    """
    codes = [(3 * (rank + 1) + _WORKING, label) for rank, label in enumerate(groups.labels)]
    # Classes are listed from the highest, as they lie on the map; other groups by size.
    rows = [*(codes[::-1] if groups.is_ordered else codes), (_WORKING, groups.missing)]
    middle = 3 * min(3, len(groups.labels))
    states = [(middle + state, label) for state, label in enumerate(STATES)]
    lines = [Row("circle", label, symbol_style(code, groups)) for code, label in rows]
    status = [Row("circle", label, symbol_style(code, groups)) for code, label in states]
    ring = [Row("ring", RING_LABEL)] if rings else []
    return [Row("head", groups.heading), *lines, *ring, Row("head", "Status"), *status]
