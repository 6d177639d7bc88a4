"""The bundled land as GeoJSON, cut to what a map shows and as fine as it can show."""

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
    # The mouse finds what stands on it, and nothing is sent for the land itself.
    "interactive": False,
}
"""Look of the land."""

_TURN = 360.0
_SMALLEST = 3.0
"""Islands smaller than so many times the tolerance are left out."""


def land_features(
    box: tuple[float, float, float, float], tolerance: float, style: dict[str, Any]
) -> list[dict[str, Any]]:
    """
    Give the bundled land in a box.

    Parameters
    ----------
    box : tuple of float
        ``(west, south, east, north)``, degrees; longitudes may lie any number of turns away.
    tolerance : float
        Detail that may be left out, degrees.
    style : dict
        Look of a feature, in the words of Leaflet.

    Returns
    -------
    list of dict
        GeoJSON, one feature where there is land.
    """
    west, south, east, north = box
    digits = max(1, int(np.floor(-np.log10(tolerance))) + 1)
    parts = _parts()
    found: list[shapely.Geometry] = []
    for turn in range(int((west + 180) // _TURN), int((east + 180) // _TURN) + 1):
        shift = _TURN * turn
        window = (west - shift, south, east - shift, north)
        near = parts.geometries[np.sort(parts.query(shapely.box(*window)))]
        x0, y0, x1, y1 = shapely.bounds(near).T
        near = near[np.maximum(x1 - x0, y1 - y0) >= _SMALLEST * tolerance]
        # A ground to look at may touch itself: keeping it valid would take ten times as long.
        cut = shapely.simplify(
            shapely.clip_by_rect(near, *window), tolerance, preserve_topology=False
        )
        moved = shapely.transform(cut, partial(_moved, shift=shift, digits=digits))
        found += list(shapely.get_parts(moved))
    solid = [shape for shape in found if isinstance(shape, shapely.Polygon) and not shape.is_empty]
    return [feature(shapely.MultiPolygon(solid), style)] if solid else []


@cache
def _parts() -> shapely.STRtree:
    """Give islands and mainlands one by one."""
    return shapely.STRtree(shapely.get_parts(land().geometry.to_numpy()))


def _moved(xy: NDArray[np.float64], *, shift: float, digits: int) -> NDArray[np.float64]:
    return np.asarray(np.round(xy + np.array([shift, 0.0]), digits))


def feature(shape: shapely.Geometry, style: dict[str, Any]) -> dict[str, Any]:
    """
    Make a GeoJSON feature.

    Parameters
    ----------
    shape : shapely.Geometry
        Degrees.
    style : dict
        Look, in the words of Leaflet.

    Returns
    -------
    dict
        The feature.
    """
    geometry = json.loads(shapely.to_geojson(shape))
    return {"type": "Feature", "properties": {"style": style}, "geometry": geometry}


def collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    """
    Make a GeoJSON collection.

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
