"""Columns in words, with their units."""

from __future__ import annotations

__all__ = ["WAYS", "described", "labelled"]

WAYS = ("nearest_", "road_")
"""What columns of the way to a station begin with: the more stations, the less of it."""

_KNOWN = {
    "nearest_km": ("distance to the nearest station", "km"),
    "road_km": ("road distance to the nearest station", "km"),
    "road_min": ("driving time to the nearest station", "min"),
    "n_sites": ("stations in reach", ""),
    "n_connectors": ("connectors in reach", ""),
    "power_kw": ("known power in reach", "kW"),
    "area_share": ("share of the area within reach", "%"),
    "population_share": ("share of people within reach", "%"),
}
_UNITS = {"km2": "km²", "km": "km", "kw": "kW", "min": "min", "minutes": "minutes"}
_TIMES = {"min", "minutes", "h", "hours"}
_BOUNDS = {"_low": ", every uncertain station out", "_high": ", every uncertain station in"}


def described(column: str) -> tuple[str, str]:
    """
    Give a column in words, and its unit.

    Parameters
    ----------
    column : str
        The name of a column of ours, or of any other.

    Returns
    -------
    tuple of str
        Words, and the unit, empty where there is none.
    """
    bound = next((end for end in _BOUNDS if column.endswith(end)), "")
    base = column.removesuffix(bound)
    words, unit = _KNOWN.get(base) or _read(base)
    return words + _BOUNDS.get(bound, ""), unit


def labelled(column: str) -> str:
    """
    Give the label of an axis.

    Parameters
    ----------
    column : str
        A column.

    Returns
    -------
    str
        Words, comma, unit.
    """
    words, unit = described(column)
    return f"{words}, {unit}" if unit else words


def _read(column: str) -> tuple[str, str]:
    """Read words and a unit out of a name such as ``covered_km2`` or ``sites_per_km2``."""
    *words, last = column.split("_")
    if words == ["nearest"]:
        # Of a study, by the user's own costs.
        way = "travel time" if last in _TIMES else "way"
        return f"{way} to the nearest station", last
    if "share" in column:
        return column.replace("_", " "), "%"
    if not words or last not in _UNITS:
        return column.replace("_", " "), ""
    if words[-1] == "per":
        return " ".join([*words, _UNITS[last]]), ""
    return " ".join(words), _UNITS[last]
