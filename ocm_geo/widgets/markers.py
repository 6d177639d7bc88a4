"""Stations and groups as features that can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.widgets.symbols import symbol_style

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.plots.station_groups import StationGroups
    from ocm_geo.widgets.rings import Rings

__all__ = ["build_circles", "build_markers"]

_CHUNK = 25
"""Points in one feature, which the browser sends back whole when the mouse touches it."""


def build_markers(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    codes: NDArray[np.intp],
    looks: StationGroups,
) -> list[dict[str, Any]]:
    """
    Return stations of the same look as features of some points each, lowest power first.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    codes : numpy.ndarray of int
        Made by `symbol_codes`.
    looks : StationGroups
        The classes.

    Returns
    -------
    list of dict
        GeoJSON.
    """
    features = []
    points = np.round(np.column_stack([lon, lat]), 6)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        for start in range(0, len(rows), _CHUNK):
            part = points[rows[start : start + _CHUNK]].tolist()
            style = {"style": symbol_style(int(code), looks)}
            features.append(_build_feature({"type": "MultiPoint", "coordinates": part}, style))
    return features


def build_circles(
    groups: Rings, codes: NDArray[np.intp], looks: StationGroups
) -> list[dict[str, Any]]:
    """
    Return groups as features; a group of one station has the station's symbol.

    Parameters
    ----------
    groups : Rings
        The groups.
    codes : numpy.ndarray of int
        Made by `symbol_codes`.
    looks : StationGroups
        The classes.

    Returns
    -------
    list of dict
        GeoJSON.
    """
    features = []
    for lon, lat, size, first, radius in zip(
        groups.lon, groups.lat, groups.size, groups.first, groups.radius, strict=True
    ):
        style = {"radius": float(radius)} if size > 1 else symbol_style(int(codes[first]), looks)
        point = {"type": "Point", "coordinates": [round(float(lon), 6), round(float(lat), 6)]}
        features.append(_build_feature(point, {"count": int(size), "style": style}))
    return features


def _build_feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}
