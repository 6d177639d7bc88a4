"""The bundled land as GeoJSON, cut to a view and simplified to its detail."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.plots.maps import land
from ocm_geo.plots.style import LAND

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BORDER", "LAND_CREDIT", "collection", "feature", "land_features"]

LAND_CREDIT = "Borders: Natural Earth"
BORDER = {
    "color": "#b9b3a6",
    "weight": 1,
    "fillColor": LAND,
    "fillOpacity": 1,
    # Mouse events reach the layers above; nothing is sent for the land itself.
    "interactive": False,
}
"""Look of the land."""

_TURN = 360.0
_SMALLEST = 3.0
"""Islands smaller than this multiple of the tolerance are left out."""


def land_features(
    box: tuple[float, float, float, float], tolerance: float, style: dict[str, Any]
) -> list[dict[str, Any]]:
    """
    Return the bundled land in a box.

    Parameters
    ----------
    box : tuple of float
        ``(west, south, east, north)``, degrees; longitudes may be any number of turns away.
    tolerance : float
        Detail that may be left out, degrees.
    style : dict
        Style of a feature, in Leaflet's terms.

    Returns
    -------
    list of dict
        GeoJSON; one feature, or none if the box contains no land.
    """
    west, south, east, north = box
    # Decimals finer than the tolerance would only make the message longer.
    digits = max(1, int(np.floor(-np.log10(tolerance))) + 1)
    parts = _index_land()
    found: list[shapely.Geometry] = []
    for turn in range(int((west + 180) // _TURN), int((east + 180) // _TURN) + 1):
        shift = _TURN * turn
        window = (west - shift, south, east - shift, north)
        near = parts.geometries[np.sort(parts.query(shapely.box(*window)))]
        x0, y0, x1, y1 = shapely.bounds(near).T
        near = near[np.maximum(x1 - x0, y1 - y0) >= _SMALLEST * tolerance]
        # Land is only drawn, so that it may touch itself: valid shapes would take ten times longer.
        cut = shapely.simplify(
            shapely.clip_by_rect(near, *window), tolerance, preserve_topology=False
        )
        moved = shapely.transform(cut, partial(_shift_and_round, shift=shift, digits=digits))
        found += list(shapely.get_parts(moved))
    solid = [shape for shape in found if isinstance(shape, shapely.Polygon) and not shape.is_empty]
    return [feature(shapely.MultiPolygon(solid), style)] if solid else []


@cache
def _index_land() -> shapely.STRtree:
    """Return an index of islands and mainlands, each by itself."""
    return shapely.STRtree(shapely.get_parts(land().geometry.to_numpy()))


def _shift_and_round(xy: NDArray[np.float64], *, shift: float, digits: int) -> NDArray[np.float64]:
    return np.asarray(np.round(xy + np.array([shift, 0.0]), digits))


def feature(shape: shapely.Geometry, style: dict[str, Any]) -> dict[str, Any]:
    """
    Build a GeoJSON feature.

    Parameters
    ----------
    shape : shapely.Geometry
        Shape in degrees.
    style : dict
        Style, in Leaflet's terms.

    Returns
    -------
    dict
        The feature.
    """
    geometry = json.loads(shapely.to_geojson(shape))
    return {"type": "Feature", "properties": {"style": style}, "geometry": geometry}


def collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    """
    Build a GeoJSON collection.

    Parameters
    ----------
    features : list of dict
        GeoJSON features.

    Returns
    -------
    dict
        The collection.
    """
    return {"type": "FeatureCollection", "features": features}
