"""Groups of stations that are near each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ocm_geo.geodesy import to_ecef_km
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["list_members", "merge_near"]


def merge_near(
    stations: gpd.GeoDataFrame, merge_m: float
) -> tuple[NDArray[np.intp], gpd.GeoSeries]:
    """
    Find the group of each station, near each other or joined by others, and its centre.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        Points in lon/lat.
    merge_m : float
        Greatest distance between neighbours, m.

    Returns
    -------
    label : numpy.ndarray of int
        Number of the group of each station.
    centres : geopandas.GeoSeries
        Mean position of each group.
    """
    lon, lat = stations.geometry.x.to_numpy(), stations.geometry.y.to_numpy()
    if not len(lon):
        return np.empty(0, dtype=np.intp), stations.geometry
    # Stations at one position are one node: their pairs would grow with the square of their number.
    place, _ = pd.factorize(pd.MultiIndex.from_arrays([lon, lat]))
    row = np.unique(place, return_index=True)[1]
    # Earth-centred coordinates: at 100 m the chord is the distance, also at poles and at 180°.
    tree = cKDTree(to_ecef_km(lon[row], lat[row]))
    pairs = tree.query_pairs(merge_m / 1000.0, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(row), len(row)))
    n, of_place = connected_components(links, directed=False)
    label = of_place[place]
    # Longitudes beside the first member's, so that a mean over the antimeridian stays there.
    first, size = np.zeros(n), np.bincount(label, minlength=n)
    first[label[::-1]] = lon[::-1]
    beside = first[label] + (lon - first[label] + 180.0) % 360.0 - 180.0
    x, y = (np.bincount(label, value, n) / size for value in (beside, lat))
    return label.astype(np.intp), gpd.GeoSeries(gpd.points_from_xy(x, y), crs=CRS)


def list_members(ids: NDArray[Any], label: NDArray[np.intp], n: int) -> list[Any]:
    """
    List the ids of the stations of each group.

    Parameters
    ----------
    ids : numpy.ndarray
        Ids of the stations.
    label : numpy.ndarray of int
        Group of each.
    n : int
        Number of groups.

    Returns
    -------
    list of list
        Ids by group.
    """
    order = np.argsort(label, kind="stable")
    parts = np.split(ids[order], np.cumsum(np.bincount(label, minlength=n)))
    return [part.tolist() for part in parts[:n]]
