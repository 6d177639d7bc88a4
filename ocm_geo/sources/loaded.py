"""One snapshot opened: its tables and its index of positions, each loaded when first needed."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ocm_geo import reference as ref
from ocm_geo.geodesy import PointIndex
from ocm_geo.query import Area, Box, Circle, Corridor, Ids, columns_of
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, to_pandas
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.parts import read_live

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from ocm_geo.query import StationQuery, Where
    from ocm_geo.reference import ReferenceData

__all__ = ["LoadedSnapshot"]

_STATE = ["ocm_id", "submission_status_id", "status_type_id"]
_STATION_FILTERS = list(dict.fromkeys([*_STATE, *columns_of("station")]))
_CONNECTION_FILTERS = ["ocm_id", *columns_of("connection")]


class LoadedSnapshot:
    """
    A snapshot of a mirror in memory; it is immutable, and safe to use from several threads.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.
    snapshot : str, optional
        Id; the current one by default.

    Raises
    ------
    MirrorMissing
        If there is no mirror, or no such snapshot.
    MirrorCorrupt
        If a file is missing or damaged.
    """

    def __init__(self, root: Path, snapshot: str | None) -> None:
        self.folder, self.manifest = disk.open_manifest(root, snapshot)
        disk.check_files(self.folder, self.manifest)
        self._loading = threading.RLock()
        self._checked: set[str] = set()
        self.register_reference()

    @property
    def name(self) -> str:
        """The id of the snapshot."""
        return str(self.manifest["snapshot"])

    def find_candidates(self, query: StationQuery) -> NDArray[np.intp]:
        """
        Find the stations that may lie in the place of a question and meet its filters.

        Parameters
        ----------
        query : StationQuery
            The question.

        Returns
        -------
        numpy.ndarray of int
            Positions: every station of the answer, and few others.
        """
        positions = self._find_positions_near(query.where)
        return positions[query.site_mask(self._filter_columns.iloc[positions])]

    def _find_positions_near(self, where: Where) -> NDArray[np.intp]:
        """Find the positions that may lie in a place, and few others."""
        points = self.points
        match where:
            case Box():
                return points.in_box(*where.as_tuple())
            case Circle():
                return points.within_km(where.lon, where.lat, where.radius_km)
            case Area():
                return points.in_box(*where.geometry.bounds)
            case Corridor():
                return points.near_line(where.line, where.within_km)
            case Ids():
                ids = self.rows["provider_reference" if where.are_texts else "ocm_id"].to_pandas()
                return np.asarray(np.flatnonzero(ids.isin(where.ids)))
        return np.arange(len(points))

    def find_connections(self, positions: NDArray[np.intp]) -> pd.DataFrame:
        """
        Return the connections of stations.

        Parameters
        ----------
        positions : numpy.ndarray of int
            Positions of the stations.

        Returns
        -------
        pandas.DataFrame
            The columns that filters of connections need, stations in the order given.
        """
        first, last = self._connection_bounds[positions], self._connection_bounds[positions + 1]
        size = last - first
        ends = np.cumsum(size)
        total = int(ends[-1]) if size.size else 0
        rows = np.arange(total) - np.repeat(ends - size - first, size)
        found: pd.DataFrame = self._filter_connections.iloc[rows]
        return found

    def register_reference(self) -> str:
        """
        Register the reference data, by content, so that tables find them without the mirror.

        Returns
        -------
        str
            The key for the provenance.
        """
        folder, sha256 = self.folder, str(self.manifest["files"][ref.FILE]["sha256"])
        return ref.register_reference(sha256[:16], lambda: _read_reference(folder, sha256))

    @cached_property
    def reference(self) -> ReferenceData:
        """The reference data of the snapshot."""
        # Registered again: the registry keeps the latest only.
        key = self.register_reference()
        sha256 = self.manifest["files"][ref.FILE]["sha256"]
        return ref.find_reference(key) or _read_reference(self.folder, sha256)

    @cached_property
    def rows(self) -> pa.Table:
        """All stations, in one piece, so that rows are picked out without searching chunks."""
        with self._loading:
            names = [column.name for column in STATION_COLUMNS]
            table = read_live(self.folder, self.manifest, [*names, "bbox"], self._check_once)
            box = table["bbox"].combine_chunks()
            table = table.drop_columns(["bbox"])
            table = table.append_column("lon", box.field("xmin"))
            return table.append_column("lat", box.field("ymin")).combine_chunks()

    def read_connections(self) -> pa.Table:
        """
        Read all columns of the connections.

        Returns
        -------
        pyarrow.Table
            The columns of `CONNECTION_COLUMNS`, in the order of the stations.
        """
        names = [column.name for column in CONNECTION_COLUMNS]
        return read_live(self.folder, self.manifest, names, self._check_once, connections=True)

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """The id of each station."""
        return np.asarray(self.rows["ocm_id"].to_numpy())

    @cached_property
    def points(self) -> PointIndex:
        """The positions of the stations."""
        with self._loading:
            return PointIndex(self.rows["lon"].to_numpy(), self.rows["lat"].to_numpy())

    @cached_property
    def _filter_columns(self) -> pd.DataFrame:
        return to_pandas(self.rows.select(_STATION_FILTERS))

    @cached_property
    def _filter_connections(self) -> pd.DataFrame:
        """The columns of connections that filters need."""
        with self._loading:
            table = read_live(
                self.folder, self.manifest, _CONNECTION_FILTERS, self._check_once, connections=True
            )
            return to_pandas(table)

    @cached_property
    def _connection_bounds(self) -> NDArray[np.intp]:
        """Return where the connections of each station begin; one more, for the end."""
        sizes = self.count_connections(self._filter_connections["ocm_id"].to_numpy())
        return np.concatenate([[0], np.cumsum(sizes)])

    def count_connections(self, station_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """
        Count the connections of each station.

        Parameters
        ----------
        station_ids : numpy.ndarray of int
            The station of each connection; those of a station stand side by side.

        Returns
        -------
        numpy.ndarray of int
            One number a station.
        """
        changes = np.flatnonzero(np.diff(station_ids)) + 1
        firsts = np.concatenate([[0], changes]) if station_ids.size else np.empty(0, np.intp)
        by_id = np.argsort(self.ids)
        where = by_id[np.searchsorted(self.ids, station_ids[firsts], sorter=by_id)]
        sizes = np.zeros(len(self.ids), dtype=np.int64)
        sizes[where] = np.diff(np.append(firsts, station_ids.size))
        return sizes

    def _check_once(self, name: str) -> None:
        """Compare a file with its checksum before it is first used."""
        if name not in self._checked:
            disk.check_hash(self.folder / name, self.manifest["files"][name]["sha256"])
            self._checked.add(name)


def _read_reference(folder: Path, sha256: str) -> ReferenceData:
    """Read the reference data of a snapshot, if they are as they were written."""
    disk.check_hash(folder / ref.FILE, sha256)
    return ref.read(folder)
