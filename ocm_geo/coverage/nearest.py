"""The nearest stations of points, by geodesic distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import SUSPECT_KM, check_km, check_whole
from ocm_geo.coverage.inputs import check_stations
from ocm_geo.coverage.parts import is_partitioned, map_parts
from ocm_geo.frames import check_new_columns, lonlat_frame, point_lonlat, require_columns
from ocm_geo.geodesy import PointIndex
from ocm_geo.ids import id_name, take_ids
from ocm_geo.outside import mark_points
from ocm_geo.provenance import carry
from ocm_geo.qualifying import levels_of, order_bounds
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import geopandas as gpd
    from distributed import Client
    from numpy.typing import NDArray

    from ocm_geo.qualifying import Qualifying

__all__ = ["nearest_stations", "points_with_own_ids"]

_MAX_CELLS = 4_000_000
"""Largest number of points times neighbours that is searched at once."""


def nearest_stations(
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    k: int = 1,
    *,
    max_km: float | None = None,
    by: str | None = None,
    bounds: bool = False,
    qualifying: Qualifying | None = None,
    client: Client | None = None,
) -> gpd.GeoDataFrame:
    """
    Return the nearest stations of each point, by geodesic distance on WGS84.

    Parameters
    ----------
    points : geopandas.GeoDataFrame, geopandas.GeoSeries, path or dask_geopandas.GeoDataFrame
        Points in any coordinate reference system. A path of (partitioned) GeoParquet and a
        dask collection may be larger than memory.
    stations : geopandas.GeoDataFrame
        A station table, index ``ocm_id`` or ``station_id``.
    k : int
        Number of stations for each point.
    max_km : float, optional
        Largest distance that counts, inclusive, in km.
    by : str, optional
        A column of the stations, such as ``operator_id``: return the k nearest stations for
        each of its values. Stations where it is missing are left out.
    bounds : bool
        Add the stations found with all uncertain stations left out (columns ``_low``) and with
        all of them included (``_high``): ``nearest_km_low`` is the longer distance, and where
        ``ocm_id_low`` and ``ocm_id_high`` differ, the latter is the station that makes the
        difference.
    qualifying : Qualifying, optional
        Which stations count; by default all.
    client : distributed.Client, optional
        With points larger than memory: the cluster to which the stations are sent.

    Returns
    -------
    geopandas.GeoDataFrame
        ``k=1``: the points, in EPSG:4326, with ``ocm_id`` (``station_id`` for stations of
        another register) and ``nearest_km``, both missing where no station is found. ``k>1`` or
        ``by``: a row for each point and station found, with ``rank`` from 1 (and the column
        ``by``), nearest first; points without a station keep one row with missing values. With
        bounds, each row has the stations of its rank at each level. For partitioned points the
        result is a lazy dask collection.

    Raises
    ------
    QueryError
        If ``k``, ``max_km`` or ``by`` is wrong, or the points are not points or already have a
        column that the result adds.
    MissingDependency
        If the points are larger than memory and the extra ``scale`` is not installed.

    Warns
    -----
    OutsideData
        If some points lie in countries of which the source has no station.

    Notes
    -----
    Candidates come from a KD-tree of earth-centred positions. Where two distances are so nearly
    equal that the straight line through the Earth does not decide, the geodesic does (Karney
    2013).

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> near = ocm.nearest_stations(stations.head(3), stations)
    >>> near["nearest_km"].tolist()
    [0.0, 0.0, 0.0]
    """
    limit = None if max_km is None else check_km(max_km, "max_km")
    levels = levels_of(stations, qualifying, bounds=bounds)
    in_parts = is_partitioned(points)
    if not in_parts:
        stations = mark_points(stations, point_lonlat(points, "points"))
    find = _NearestFinder(
        {suffix: _group_stations(table, by) for suffix, table in levels.tables.items()},
        check_whole(k, "k"),
        limit,
        by,
        id_name(levels.tables[""].index),
        carry(pd.DataFrame(), stations, **levels.facts),
        workers=1 if client is not None and in_parts else -1,
        unmarked=in_parts,
    )
    if in_parts:
        return map_parts(points, find, client)
    return find(points)


def points_with_own_ids(points: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """
    Return points with their own ids as index if the result has a column of that name.

    Parameters
    ----------
    points : geopandas.GeoDataFrame
        The points.
    name : str
        Name of the column of ids in the result.

    Returns
    -------
    geopandas.GeoDataFrame
        The points; ids in a column beside plain row numbers become the index.
    """
    if name not in points or not isinstance(points.index, pd.RangeIndex):
        return points
    own = points[name]
    return points if own.isna().any() or not own.is_unique else points.set_index(name)


@dataclass(frozen=True)
class _StationGroup:
    """Stations that are ranked among themselves."""

    value: Any
    ids: pd.Index
    index: PointIndex


def _join_ids(groups: list[_StationGroup]) -> pd.Index[Any]:
    """Return the ids of all groups, one after the other."""
    if not groups:
        return pd.Index([], dtype="int64")
    return groups[0].ids.append([group.ids for group in groups[1:]])


def _group_stations(stations: gpd.GeoDataFrame, by: str | None) -> list[_StationGroup]:
    """Return the stations in groups of one value each, or in a single group."""
    lon, lat = check_stations(stations)
    if by is None:
        return [_StationGroup(None, stations.index, PointIndex(lon, lat))]
    require_columns(stations, [by], "stations", "by")
    rows = stations.groupby(by).indices
    return [
        _StationGroup(value, stations.index[at], PointIndex(lon[at], lat[at]))
        for value, at in rows.items()
    ]


@dataclass(frozen=True)
class _NearestFinder:
    """The whole question except the points; it can be sent to workers."""

    levels: dict[str, list[_StationGroup]]
    k: int
    limit: float | None
    by: str | None
    id_name: str
    origin: pd.DataFrame
    """Empty; carries the provenance."""
    workers: int
    unmarked: bool
    """Whether the points are still to be compared with what the source covers."""

    def __call__(self, points: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
        """Return the nearest stations of some points."""
        points = points_with_own_ids(lonlat_frame(points, "points"), self.id_name)
        check_new_columns(points, self._list_new_columns(), "points")
        lon, lat = point_lonlat(points, "points")
        wide = sum(len(groups) for groups in self.levels.values()) * self.k
        step = max(_MAX_CELLS // max(wide, 1), 1)
        parts = [
            self._answer_block(points.iloc[i : i + step], *(v[i : i + step] for v in (lon, lat)))
            for i in range(0, max(len(points), 1), step)
        ]
        found = parts[0] if len(parts) == 1 else pd.concat(parts)
        self._warn_if_points_far(found, lon, lat)
        origin = mark_points(self.origin, (lon, lat)) if self.unmarked else self.origin
        return carry(found, origin)

    def _warn_if_points_far(
        self, found: gpd.GeoDataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> None:
        """Warn if no point is anywhere near a station."""
        widest = "_high" if "_high" in self.levels else ""
        if not (found[f"nearest_km{widest}"] < SUSPECT_KM).any():
            groups = [np.column_stack([g.index.lon, g.index.lat]) for g in self.levels[widest]]
            known = np.concatenate([*groups, np.empty((0, 2))])
            warn_if_far("points", np.column_stack([lon, lat]), PointIndex(*known.T))

    def _list_new_columns(self) -> list[str]:
        """Return the columns that the result adds to the points."""
        names = [
            f"{name}{suffix}" for suffix in self.levels for name in (self.id_name, "nearest_km")
        ]
        if self.by is not None:
            names.append(self.by)
        return [*names, "rank"] if self._is_ranked else names

    @property
    def _is_ranked(self) -> bool:
        """Return whether the result can have several rows for a point."""
        return self.k > 1 or self.by is not None

    def _answer_block(
        self, points: gpd.GeoDataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> gpd.GeoDataFrame:
        """Return the rows of some points with the stations found."""
        values = list(dict.fromkeys(g.value for gs in self.levels.values() for g in gs)) or [None]
        k = self._clip_k()
        found = self._search_levels(values, (lon, lat), k)
        row, column = self._choose_cells(found)
        result = points.iloc[row].copy()
        for suffix, (at, km) in found.items():
            self._add_stations(result, suffix, at[row, column], km[row, column])
        hit = np.any([np.isfinite(km[row, column]) for _, km in found.values()], axis=0)
        if self.by is not None:
            named = pd.Series(values).take(column // k).convert_dtypes()
            result[self.by] = named.mask(~hit).array
        if self._is_ranked:
            result["rank"] = pd.arrays.IntegerArray((column % k + 1).astype("int64"), ~hit)
        return result

    def _clip_k(self) -> int:
        """Return the number of neighbours to search: no more than there are stations."""
        most = max((len(g.index) for gs in self.levels.values() for g in gs), default=1)
        return int(min(self.k, max(most, 1)))

    def _search_levels(
        self,
        values: list[Any],
        lonlat: tuple[NDArray[np.float64], NDArray[np.float64]],
        k: int,
    ) -> dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]]:
        """Return positions and kilometres for each level, the bounds in order."""
        found = {
            suffix: self._search_groups(groups, values, lonlat, k)
            for suffix, groups in self.levels.items()
        }
        # Ties are measured by `Geod`, the rest in closed form: without this, rounding could set
        # a bound on the wrong side of the central value.
        km = order_bounds({suffix: away for suffix, (_, away) in found.items()}, more=False)
        return {suffix: (at, km[suffix]) for suffix, (at, _) in found.items()}

    def _choose_cells(
        self, found: dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the cells (point, neighbour) with a station at any level, nearest first."""
        keep = np.any([np.isfinite(km) for _, km in found.values()], axis=0)
        keep[~keep.any(axis=1), 0] = True  # a point without any station keeps one row
        row, column = np.nonzero(keep)
        if self.by is None:
            return row, column
        # Nearest first, whatever the group.
        order = np.lexsort((column, found[""][1][row, column], row))
        return row[order], column[order]

    def _add_stations(
        self,
        result: gpd.GeoDataFrame,
        suffix: str,
        at: NDArray[np.intp],
        km: NDArray[np.float64],
    ) -> None:
        """Add the columns of id and distance of one level to the result."""
        missing = at < 0
        result[f"{self.id_name}{suffix}"] = take_ids(_join_ids(self.levels[suffix]), at)
        result[f"nearest_km{suffix}"] = pd.arrays.FloatingArray(np.where(missing, 0.0, km), missing)

    def _search_groups(
        self,
        groups: list[_StationGroup],
        values: list[Any],
        lonlat: tuple[NDArray[np.float64], NDArray[np.float64]],
        k: int,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return positions among all stations of a level, k columns per group, and km."""
        at = np.full((len(lonlat[0]), k * len(values)), -1, dtype=np.intp)
        km = np.full(at.shape, np.inf)
        before = 0
        for group in groups:
            position, away = group.index.nearest(
                *lonlat, k, max_km=self.limit, workers=self.workers
            )
            first = k * values.index(group.value)
            at[:, first : first + k] = np.where(position >= 0, position + before, -1)
            km[:, first : first + k] = away
            before += len(group.index)
        return at, km
