"""The nearest stations of points."""

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
"""Points times neighbours at once."""


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
    Find the nearest stations of each point, by geodesic distance on WGS84.

    Parameters
    ----------
    points : geopandas.GeoDataFrame, geopandas.GeoSeries, path or dask_geopandas.GeoDataFrame
        Points in any coordinate reference system. A path of (partitioned) GeoParquet and a
        dask collection may be larger than memory.
    stations : geopandas.GeoDataFrame
        A station table, index ``ocm_id`` or ``station_id``.
    k : int
        How many for each point.
    max_km : float, optional
        Farthest distance that counts, inclusive, in km.
    by : str, optional
        A column of the stations, such as ``operator_id``: the k nearest of each of its values.
        Stations where it is missing are left out.
    bounds : bool
        Also with every uncertain station out (``_low``) and with all in (``_high``): here
        ``nearest_km_low`` is the longer distance, and where ``ocm_id_low`` and
        ``ocm_id_high`` differ, the latter is the station that makes the difference.
    qualifying : Qualifying, optional
        Which stations count; without it all given.
    client : distributed.Client, optional
        With points larger than memory: the cluster that gets the stations.

    Returns
    -------
    geopandas.GeoDataFrame
        ``k=1``: the points, in EPSG:4326, with ``ocm_id`` (``station_id`` for stations of
        another register) and ``nearest_km`` (both missing where there is none). ``k>1`` or
        ``by``: a row for each point and station found, with ``rank`` from 1 (and the column
        ``by``), nearest first; points without any keep one row with all missing. With bounds,
        rows of one rank are the stations of that rank at each level. Partitioned points give a
        dask collection, computed when it is asked for.

    Raises
    ------
    QueryError
        If ``k``, ``max_km`` or ``by`` is wrong, the points are not points, or already have a
        column that the result adds.
    MissingDependency
        If points larger than memory need the extra ``scale``.

    Warns
    -----
    OutsideData
        If a part of the points lies in countries of which the source holds no station.

    Notes
    -----
    A KD-tree of earth-centred positions gives candidates. Where two are so nearly equally far
    that the straight line through the Earth does not decide, the geodesic does (Karney 2013).

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
    find = _Finder(
        {suffix: _grouped(table, by) for suffix, table in levels.tables.items()},
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
    Put ids of the points themselves into their index, where the result has a column of that name.

    Parameters
    ----------
    points : geopandas.GeoDataFrame
        The points.
    name : str
        Column of ids of the result.

    Returns
    -------
    geopandas.GeoDataFrame
        The points: with other ids, by the ids that stood beside plain row numbers.
    """
    if name not in points or not isinstance(points.index, pd.RangeIndex):
        return points
    own = points[name]
    return points if own.isna().any() or not own.is_unique else points.set_index(name)


@dataclass(frozen=True)
class _Group:
    """Stations that are ranked among themselves."""

    value: Any
    ids: pd.Index
    index: PointIndex


def _labels(groups: list[_Group]) -> pd.Index[Any]:
    if not groups:
        return pd.Index([], dtype="int64")
    return groups[0].ids.append([group.ids for group in groups[1:]])


def _grouped(stations: gpd.GeoDataFrame, by: str | None) -> list[_Group]:
    lon, lat = check_stations(stations)
    if by is None:
        return [_Group(None, stations.index, PointIndex(lon, lat))]
    require_columns(stations, [by], "stations", "by")
    rows = stations.groupby(by).indices
    return [
        _Group(value, stations.index[at], PointIndex(lon[at], lat[at]))
        for value, at in rows.items()
    ]


@dataclass(frozen=True)
class _Finder:
    """The whole question but for the points: it can be sent to workers."""

    levels: dict[str, list[_Group]]
    k: int
    limit: float | None
    by: str | None
    id_name: str
    origin: pd.DataFrame
    """Empty; it has the provenance."""
    workers: int
    unmarked: bool
    """Whether the points still have to be compared with what the stations cover."""

    def __call__(self, points: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
        """Find the nearest stations of some points."""
        points = points_with_own_ids(lonlat_frame(points, "points"), self.id_name)
        check_new_columns(points, self._new_columns(), "points")
        lon, lat = point_lonlat(points, "points")
        wide = sum(len(groups) for groups in self.levels.values()) * self.k
        step = max(_MAX_CELLS // max(wide, 1), 1)
        parts = [
            self._of_block(points.iloc[i : i + step], *(v[i : i + step] for v in (lon, lat)))
            for i in range(0, max(len(points), 1), step)
        ]
        found = parts[0] if len(parts) == 1 else pd.concat(parts)
        widest = "_high" if "_high" in self.levels else ""
        if not (found[f"nearest_km{widest}"] < SUSPECT_KM).any():
            groups = [np.column_stack([g.index.lon, g.index.lat]) for g in self.levels[widest]]
            known = np.concatenate([*groups, np.empty((0, 2))])
            warn_if_far("points", np.column_stack([lon, lat]), PointIndex(*known.T))
        origin = mark_points(self.origin, (lon, lat)) if self.unmarked else self.origin
        return carry(found, origin)

    def _new_columns(self) -> list[str]:
        """List the columns that the result adds to the points."""
        names = [
            f"{name}{suffix}" for suffix in self.levels for name in (self.id_name, "nearest_km")
        ]
        if self.by is not None:
            names.append(self.by)
        return [*names, "rank"] if self.k > 1 or self.by is not None else names

    def _of_block(
        self, points: gpd.GeoDataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> gpd.GeoDataFrame:
        values = list(dict.fromkeys(g.value for gs in self.levels.values() for g in gs)) or [None]
        # More neighbours than stations cannot be: ask for what there is, so that rows stay few.
        most = max((len(g.index) for gs in self.levels.values() for g in gs), default=1)
        k = int(min(self.k, max(most, 1)))
        found = {
            suffix: self._search(groups, values, (lon, lat), k)
            for suffix, groups in self.levels.items()
        }
        # Ties are measured by `Geod`, the rest by a closed form: no rounding sets bounds wrong.
        away = order_bounds({suffix: km for suffix, (_, km) in found.items()}, more=False)
        found = {suffix: (ids, away[suffix]) for suffix, (ids, _) in found.items()}
        keep = np.any([np.isfinite(km) for _, km in found.values()], axis=0)
        keep[~keep.any(axis=1), 0] = True  # a point without any station keeps one row
        row, column = np.nonzero(keep)
        if self.by is not None:
            # Nearest first, whatever the group.
            order = np.lexsort((column, found[""][1][row, column], row))
            row, column = row[order], column[order]
        result = points.iloc[row].copy()
        for suffix, (ids, km) in found.items():
            labels = _labels(self.levels[suffix])
            result[f"{self.id_name}{suffix}"] = take_ids(labels, ids[row, column])
            missing = ids[row, column] < 0
            known = np.where(missing, 0.0, km[row, column])
            result[f"nearest_km{suffix}"] = pd.arrays.FloatingArray(known, missing)
        hit = np.any([np.isfinite(km[row, column]) for _, km in found.values()], axis=0)
        if self.by is not None:
            named = pd.Series(values).take(column // k).convert_dtypes()
            result[self.by] = named.mask(~hit).array
        if self.k > 1 or self.by is not None:
            result["rank"] = pd.arrays.IntegerArray((column % k + 1).astype("int64"), ~hit)
        return result

    def _search(
        self,
        groups: list[_Group],
        values: list[Any],
        lonlat: tuple[NDArray[np.float64], NDArray[np.float64]],
        k: int,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Give positions among all stations of a level, k columns a group, and kilometres."""
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
