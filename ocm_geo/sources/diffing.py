"""What differs between two snapshots, as a table with a row for each change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from ocm_geo.geodesy import distance_km
from ocm_geo.provenance import attach
from ocm_geo.query import published_mask
from ocm_geo.schema import CRS, to_pandas
from ocm_geo.sources.comparing import POSITION, find_differences
from ocm_geo.sources.plugged import name_ids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.sources.loaded import LoadedSnapshot

__all__ = ["compare_snapshots"]

_STATUSES = ["submission_status_id", "status_type_id"]
_LEAST_M = 0.001
"""Positions nearer than this are one, written in two ways."""


def compare_snapshots(old: LoadedSnapshot, new: LoadedSnapshot) -> gpd.GeoDataFrame:
    """
    Compare the published stations of two snapshots.

    Parameters
    ----------
    old, new : LoadedSnapshot
        The snapshots.

    Returns
    -------
    geopandas.GeoDataFrame
        As `Mirror.diff` documents it.
    """
    shown_old, shown_new = _find_published_rows(old), _find_published_rows(new)
    ids_old, ids_new = old.ids[shown_old], new.ids[shown_new]
    added = shown_new[~np.isin(ids_new, ids_old)]
    removed = shown_old[~np.isin(ids_old, ids_new)]
    common, at_old, at_new = np.intersect1d(ids_old, ids_new, return_indices=True)
    rows_old, rows_new = shown_old[at_old], shown_new[at_new]
    parts = [
        _make_rows(new.ids[added], "added", _take_points(new, added)),
        _describe_removed(old, new, removed),
        *_describe_changes(common, (old, rows_old), (new, rows_new)),
    ]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    table = _name_stations(table, old, new)
    order = table.sort_values(table.columns[0], kind="stable").index
    found = gpd.GeoDataFrame(table.loc[order].reset_index(drop=True), crs=CRS)
    return attach(
        found,
        source="mirror",
        snapshot=new.name,
        compared_with=old.name,
        data_date=new.manifest["data_date"] or None,
        attribution=new.manifest["attribution"],
        reference=new.register_reference(),
    )


def _name_stations(table: pd.DataFrame, old: LoadedSnapshot, new: LoadedSnapshot) -> pd.DataFrame:
    """Name the stations of a register by its own ids; Open Charge Map's keep their numbers."""
    is_old = ~np.isin(table["ocm_id"].to_numpy(), new.ids)
    names = name_ids(new, table["ocm_id"])
    if names is None:
        return table
    earlier = name_ids(old, table["ocm_id"])
    ids = names if earlier is None else names.where(~is_old, earlier)
    return table.rename(columns={"ocm_id": "station_id"}).assign(station_id=ids)


def _find_published_rows(loaded: LoadedSnapshot) -> NDArray[np.intp]:
    return np.flatnonzero(published_mask(to_pandas(loaded.rows.select(_STATUSES))))


def _take_points(loaded: LoadedSnapshot, rows: NDArray[np.intp]) -> gpd.GeoSeries:
    lon, lat = (loaded.rows[name].to_numpy()[rows] for name in POSITION)
    return gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=CRS)


def _make_rows(
    ids: NDArray[np.int64],
    change: str,
    points: gpd.GeoSeries,
    **values: Any,  # noqa: ANN401 - the columns of a kind of change
) -> pd.DataFrame:
    """Make rows of one kind of change; what does not apply to it is missing."""
    empty = np.full(len(ids), None, dtype=object)
    moved = pd.array(values.get("moved_m", [pd.NA] * len(ids)), dtype="Float64")
    return pd.DataFrame(
        {
            "ocm_id": ids,
            "change": pd.array([change] * len(ids), dtype="string"),
            "column": pd.array([values.get("column")] * len(ids), dtype="string"),
            "old": pd.Series(values.get("old", empty), dtype=object),
            "new": pd.Series(values.get("new", empty), dtype=object),
            "moved_m": moved,
            "geometry": points,
        }
    )


def _describe_removed(
    old: LoadedSnapshot, new: LoadedSnapshot, rows: NDArray[np.intp]
) -> pd.DataFrame:
    """Make rows of stations that are gone; of those that are still listed, with the new status."""
    ids = old.ids[rows]
    table = _make_rows(ids, "removed", _take_points(old, rows))
    _, at, kept = np.intersect1d(ids, new.ids, return_indices=True)
    differences = [(name, *_take_pairs(name, (old, rows[at]), (new, kept))) for name in _STATUSES]
    # The status of the record comes last: it is what counts where both changed.
    for name, before, after in differences[::-1]:
        changed = before != after
        table.loc[at[changed], "column"] = name
        table.loc[at[changed], "old"] = before[changed]
        table.loc[at[changed], "new"] = after[changed]
    return table


def _describe_changes(
    ids: NDArray[np.int64],
    old: tuple[LoadedSnapshot, NDArray[np.intp]],
    new: tuple[LoadedSnapshot, NDArray[np.intp]],
) -> list[pd.DataFrame]:
    """Make rows of stations that moved, and of columns that changed."""
    taken_old, taken_new = pa.array(old[1]), pa.array(new[1])
    differences = find_differences(
        lambda name: old[0].rows[name].take(taken_old),
        lambda name: new[0].rows[name].take(taken_new),
    )
    empty = np.zeros(len(ids), bool)
    moved = np.flatnonzero(np.any([differences.pop(n, empty) for n in POSITION], axis=0))
    parts = [_describe_moves(ids[moved], (old[0], old[1][moved]), (new[0], new[1][moved]))]
    for name, differs in differences.items():
        rows = np.flatnonzero(differs)
        before, after = _take_pairs(name, (old[0], old[1][rows]), (new[0], new[1][rows]))
        points = _take_points(new[0], new[1][rows])
        parts.append(_make_rows(ids[rows], "changed", points, column=name, old=before, new=after))
    return parts


def _describe_moves(
    ids: NDArray[np.int64],
    old: tuple[LoadedSnapshot, NDArray[np.intp]],
    new: tuple[LoadedSnapshot, NDArray[np.intp]],
) -> pd.DataFrame:
    """Make rows of stations that moved: the positions as WKT, and how far they lie apart."""
    before, after = _take_points(*old), _take_points(*new)
    metres = 1000 * distance_km(before.x, before.y, after.x, after.y)
    far = np.flatnonzero(metres >= _LEAST_M)
    return _make_rows(
        ids[far],
        "moved",
        after.iloc[far].reset_index(drop=True),
        column="geometry",
        old=before.iloc[far].to_wkt().to_numpy(dtype=object),
        new=after.iloc[far].to_wkt().to_numpy(dtype=object),
        moved_m=metres[far],
    )


def _take_pairs(
    name: str,
    old: tuple[LoadedSnapshot, NDArray[np.intp]],
    new: tuple[LoadedSnapshot, NDArray[np.intp]],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Take the values of a column in both states as plain Python values; None where missing."""
    before, after = (
        to_pandas(pa.table({name: loaded.rows[name].take(pa.array(rows))}))[name].astype(object)
        for loaded, rows in (old, new)
    )
    return tuple(  # type: ignore[return-value] # a pair
        side.where(side.notna(), None).to_numpy(dtype=object) for side in (before, after)
    )
