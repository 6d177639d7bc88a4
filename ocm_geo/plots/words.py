"""Words and units of columns."""

from __future__ import annotations

__all__ = ["WAYS", "described", "heading_of", "labelled", "split_bound"]

WAYS = ("nearest_", "road_")
"""Prefixes of distances and times to a station: more stations make them shorter."""

_KNOWN = {
    "nearest_km": ("distance to the nearest station", "km"),
    "road_km": ("road distance to the nearest station", "km"),
    "road_min": ("driving time to the nearest station", "min"),
    "n_sites": ("stations within reach", ""),
    "n_connectors": ("connectors within reach", ""),
    "power_kw": ("known power within reach", "kW"),
    "area_share": ("share of the area within reach", "%"),
    "population_share": ("share of the population within reach", "%"),
}
_UNITS = {"km2": "km²", "km": "km", "kw": "kW", "min": "min", "minutes": "minutes"}
_TIMES = {"min", "minutes", "h", "hours"}
_BOUNDS = {"_low": ", every uncertain station out", "_high": ", every uncertain station in"}


def described(column: str) -> tuple[str, str]:
    """
    Return the words and the unit of a column.

    Parameters
    ----------
    column : str
        The name of a column of this package, or of any other.

    Returns
    -------
    tuple of str
        Words, and the unit; the unit is empty if the name shows none.
    """
    base, bound = split_bound(column)
    words, unit = _KNOWN.get(base) or _parse_name(base)
    return words + _BOUNDS.get(bound, ""), unit


def split_bound(column: str) -> tuple[str, str]:
    """
    Separate the name of a value from that of its bound.

    Parameters
    ----------
    column : str
        Such as ``area_share_low``.

    Returns
    -------
    tuple of str
        ``("area_share", "_low")``; the second is empty for the value itself.
    """
    bound = next((end for end in _BOUNDS if column.endswith(end)), "")
    return column.removesuffix(bound), bound


def heading_of(column: str, within: str = "", group: str = "") -> str:
    """
    Return the heading of the classes of a column, for figures and maps alike.

    Parameters
    ----------
    column : str
        A column.
    within : str
        Distance or driving time, with its unit.
    group : str
        Name of the group that is shown.

    Returns
    -------
    str
        Such as ``Share of the area within 5 km``.
    """
    base, bound = split_bound(column)
    words = described(base)[0]
    if within:
        words = words.removesuffix(" within reach") + f" within {within}"
    said = words[:1].upper() + words[1:] + (f", {group}" if group else "")
    return said + _BOUNDS.get(bound, "")


def labelled(column: str) -> str:
    """
    Return the label of an axis.

    Parameters
    ----------
    column : str
        A column.

    Returns
    -------
    str
        Words and unit, separated by a comma.
    """
    words, unit = described(column)
    return f"{words}, {unit}" if unit else words


def _parse_name(column: str) -> tuple[str, str]:
    """Return words and unit from a name such as ``covered_km2`` or ``sites_per_km2``."""
    *words, last = column.split("_")
    if words == ["nearest"]:
        # A column of a study that uses the user's own costs.
        way = "travel time" if last in _TIMES else "way"
        return f"{way} to the nearest station", last
    if "share" in column.split("_"):
        return column.replace("_", " "), "%"
    if not words or last not in _UNITS:
        return column.replace("_", " "), ""
    if words[-1] == "per":
        return " ".join([*words, _UNITS[last]]), ""
    return " ".join(words), _UNITS[last]
