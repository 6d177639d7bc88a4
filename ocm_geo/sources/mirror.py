"""A local copy of the bulk data, asked without network."""

from __future__ import annotations

import importlib
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ocm_geo import reference as ref
from ocm_geo.errors import MirrorCorrupt
from ocm_geo.geodesy import PointIndex
from ocm_geo.paths import expand_path
from ocm_geo.provenance import attach
from ocm_geo.query import Area, Box, Circle, Corridor, Ids, StationQuery, columns_of
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, stations_from_arrow, to_pandas
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.build import build_snapshot
from ocm_geo.sources.countries import coverage_table, covered_codes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from ocm_geo.query import Where
    from ocm_geo.reference import ReferenceData

__all__ = ["Mirror"]

_STATE = ["ocm_id", "submission_status_id", "status_type_id"]
_SITE_FILTERS = list(dict.fromkeys([*_STATE, *columns_of("station")]))
"""The column that snapshots of earlier versions lack."""
_PLUG_FILTERS = ["ocm_id", *columns_of("connection")]


class RunningServer(Protocol):
    """A server that was started: see `ocm_geo.server.RunningServer`."""

    url: str

    def stop(self) -> None:
        """Stop it."""
        ...


class Mirror:
    """
    A local copy of Open Charge Map: a source that needs neither key nor network.

    Parameters
    ----------
    path : path
        The folder that `Mirror.build` made.
    snapshot : str, optional
        Id of the snapshot to use; the current one by default.

    Raises
    ------
    MirrorMissing
        If there is no mirror, or no such snapshot.
    MirrorCorrupt
        If a file is missing or damaged.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> mirror = ocm.sample()
    >>> mirror.report.n_read == mirror.report.n_kept + mirror.report.n_rejected
    True
    """

    def __init__(self, path: str | os.PathLike[str], snapshot: str | None = None) -> None:
        self.path = expand_path(path)
        self._folder, self._manifest = disk.open_manifest(self.path, snapshot)
        disk.check_files(self._folder, self._manifest)
        self._loading = threading.RLock()
        self._checked: set[str] = set()
        self._register_reference()

    @classmethod
    def build(
        cls,
        path: str | os.PathLike[str],
        data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        reference: ReferenceData | str | Path | None = None,
        force: bool = False,
    ) -> Self:
        """
        Build a snapshot from bulk data and make it the current one.

        Parameters
        ----------
        path : path
            Folder of the mirror; earlier snapshots in it are kept.
        data : path or iterable of paths
            Files (JSON lines, JSON arrays, GeoJSON or CSV answers of the API; compressed, in zip
            or tar archives, or plain) or folders of files, as the API and the two bulk exports
            write them. Of equal ids the newest by ``date_last_status_update`` is kept.
        reference : ReferenceData or path, optional
            What ids stand for; by default a ``referencedata.json`` beside the data, laid over
            by what the records hold.
        force : bool
            Allow a snapshot without stations, or with less than half of the current one's.

        Returns
        -------
        Mirror
            The mirror; ``report`` counts what was kept and what was not, and why.

        Raises
        ------
        QueryError
            If there is nothing to read.
        MirrorLocked
            If another process is building.
        MirrorShrunk
            If less than half of the stations of the current snapshot would be left.
        MirrorError
            If a file is not what it should be, no record can be kept, or writing fails. After
            every error the mirror is as it was.

        Warns
        -----
        DroppedRows
            If a file ends too early (``report.complete`` is False then), or nothing of a file
            could be kept.
        SuspectInput
            If a file is an answer in CSV, which leaves most out.
        UnknownCode
            If operators have no name in the reference data.
        """
        name = build_snapshot(expand_path(path), data, reference=reference, force=force)
        return cls(path, name)

    def __repr__(self) -> str:
        report = self.report
        return (
            f"Mirror({str(self.path)!r}: {report.n_kept:,} stations, {report.n_published:,} of "
            f"them published, snapshot {self.snapshot})"
        )

    def __len__(self) -> int:
        return self.report.n_kept

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.snapshot)

    @property
    def snapshot(self) -> str:
        """The id of the snapshot in use."""
        return str(self._manifest["snapshot"])

    @property
    def report(self) -> disk.ImportReport:
        """What became of the records: ``n_read == n_kept + n_rejected``."""
        return disk.ImportReport(**self._manifest["report"])

    @property
    def coverage(self) -> pd.DataFrame:
        """
        The countries of the stations: what the mirror can answer questions about.

        ``country_code`` (ISO 3166 alpha-2; missing for the stations whose record has no country),
        ``n_stations``, ``n_published`` and the bounding box of the published stations (``west``,
        ``south``, ``east``, ``north``, degrees; west > east crosses the antimeridian). The
        country is the one that the record names.
        """
        return coverage_table(self._manifest["countries"])

    @property
    def rejects(self) -> Path:
        """The file of the records that could not be kept: JSON lines with reason and place."""
        return self._folder / disk.REJECTS

    def snapshots(self) -> list[str]:
        """
        List the snapshots of the mirror.

        Returns
        -------
        list of str
            Ids, oldest first.
        """
        folders = (self.path / disk.SNAPSHOTS).iterdir()
        return sorted(f.name for f in folders if not f.name.startswith("."))

    def verify(self) -> None:
        """
        Compare every file with its checksum.

        Raises
        ------
        MirrorCorrupt
            If one differs.
        """
        disk.check_files(self._folder, self._manifest, fully=True)

    def reference_data(self) -> ReferenceData:
        """
        Give the reference data that belong to the stations.

        Returns
        -------
        ReferenceData
            The tables.
        """
        return self._reference

    def arrow_tables(self) -> tuple[pa.Table, pa.Table]:
        """
        Return everything that the snapshot holds, unpublished stations included.

        Returns
        -------
        stations : pyarrow.Table
            The columns of `ocm_geo.schema.STATION_COLUMNS`, ``lon`` and ``lat``.
        connections : pyarrow.Table
            The columns of `ocm_geo.schema.CONNECTION_COLUMNS`, each station's in the order of its
            record.
        """
        names = [column.name for column in CONNECTION_COLUMNS]
        return self._rows, self._read(disk.CONNECTIONS, names)

    def fetch(self, query: StationQuery) -> gpd.GeoDataFrame:
        """
        Answer a question.

        Parameters
        ----------
        query : StationQuery
            The question.

        Returns
        -------
        geopandas.GeoDataFrame
            The stations, as ``query.answer`` gives them.
        """
        positions = self._candidates(query.where)
        positions = positions[query.site_mask(self._sites.iloc[positions])]
        plugs = None
        if query.needs_connections:
            rows = self._plug_rows(positions)
            plugs = self._plugs.iloc[rows]
            matching = plugs["ocm_id"].to_numpy()[query.connection_mask(plugs)]
            positions = positions[np.isin(self._ids[positions], matching)]
        found = stations_from_arrow(self._rows.take(pa.array(positions)))
        attach(found, **self._facts())
        return query.answer(found, plugs)

    def has_any(self, query: StationQuery) -> bool:
        """
        Say whether any station is in the place of a question.

        Parameters
        ----------
        query : StationQuery
            The question.

        Returns
        -------
        bool
            True if there is one.
        """
        positions = self._candidates(query.where)
        positions = positions[query.site_mask(self._sites.iloc[positions])]
        points = self._points
        found = query.where.select(
            self._ids[positions], points.lon[positions], points.lat[positions]
        )
        return bool(found.positions.size)

    def serve(
        self,
        port: int = 8800,
        *,
        manner: Literal["exact", "ocm"] = "exact",
        block: bool | None = None,
    ) -> RunningServer:
        """
        Serve the snapshot as version 3 of the Open Charge Map API, to this machine alone.

        Parameters
        ----------
        port : int
            Port; 0 for a free one.
        manner : {"exact", "ocm"}
            ``exact``: what was asked for, correctly; a bad parameter is an error. ``ocm``: as Open
            Charge Map's own server answers, with its faults.
        block : bool, optional
            Serve until Ctrl+C. By default so, but in a notebook, where the server runs in the
            background until its ``stop()``.

        Returns
        -------
        RunningServer
            The server; ``url`` is what ``OpenChargeMap(base_url=...)`` takes.

        Raises
        ------
        QueryError
            If the port is taken.
        MissingDependency
            If the packages of the extra ``server`` are not installed.

        Examples
        --------
        >>> import ocm_geo as ocm
        >>> with ocm.sample().serve(0, block=False) as server:
        ...     api = ocm.OpenChargeMap(base_url=server.url, min_interval_s=0)
        ...     len(ocm.stations_from_ids([9000001], source=api))
        1
        """
        # A layer above: found when it is needed.
        server = importlib.import_module("ocm_geo.server")
        options = server.ServerOptions(manner=manner)
        running: RunningServer = server.serve_mirror(self, port, options=options, block=block)
        return running

    def _facts(self) -> dict[str, Any]:
        return {
            "source": "mirror",
            "snapshot": self.snapshot,
            "data_date": self._manifest["data_date"] or None,
            "attribution": self._manifest["attribution"],
            "reference": self._register_reference(),
            "complete": self._manifest["complete"],
            "covers": covered_codes(self._manifest["countries"]),
        }

    def _candidates(self, where: Where) -> NDArray[np.intp]:
        """Find the positions that may lie in a place, and few others."""
        points = self._points
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
                return np.asarray(np.flatnonzero(np.isin(self._ids, where.ids)))
        return np.arange(len(points))

    def _plug_rows(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Find the connections of sites: they stand in the order of the sites."""
        first, last = self._plug_bounds[positions], self._plug_bounds[positions + 1]
        size = last - first
        ends = np.cumsum(size)
        total = int(ends[-1]) if size.size else 0
        return np.asarray(np.arange(total) - np.repeat(ends - size - first, size))

    def _register_reference(self) -> str:
        """Register the reference data, by content, so that tables find them without the mirror."""
        folder, sha256 = self._folder, str(self._manifest["files"][ref.FILE]["sha256"])
        return ref.register_reference(sha256[:16], lambda: _read_reference(folder, sha256))

    @cached_property
    def _reference(self) -> ReferenceData:
        # Registered again: the registry keeps the latest only.
        key = self._register_reference()
        sha256 = self._manifest["files"][ref.FILE]["sha256"]
        return ref.find_reference(key) or _read_reference(self._folder, sha256)

    @cached_property
    def _rows(self) -> pa.Table:
        """All stations, in one piece, so that rows are picked out without searching chunks."""
        with self._loading:
            names = [column.name for column in STATION_COLUMNS]
            table = self._read(disk.STATIONS, [*names, "bbox"])
            box = table["bbox"].combine_chunks()
            table = table.drop_columns(["bbox"])
            table = table.append_column("lon", box.field("xmin"))
            return table.append_column("lat", box.field("ymin")).combine_chunks()

    @cached_property
    def _sites(self) -> pd.DataFrame:
        return to_pandas(self._rows.select(_SITE_FILTERS))

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        return np.asarray(self._rows["ocm_id"].to_numpy())

    @cached_property
    def _points(self) -> PointIndex:
        with self._loading:
            return PointIndex(self._rows["lon"].to_numpy(), self._rows["lat"].to_numpy())

    @cached_property
    def _plugs(self) -> pd.DataFrame:
        with self._loading:
            return to_pandas(self._read(disk.CONNECTIONS, _PLUG_FILTERS))

    @cached_property
    def _plug_bounds(self) -> NDArray[np.intp]:
        """Where the connections of each site begin; one more, for the end."""
        sizes = _count_connections(self._ids, self._plugs["ocm_id"].to_numpy())
        return np.concatenate([[0], np.cumsum(sizes)])

    def _check_once(self, name: str) -> None:
        """Compare a file with its checksum before it is first used."""
        if name not in self._checked:
            disk.check_hash(self._folder / name, self._manifest["files"][name]["sha256"])
            self._checked.add(name)

    def _read(self, name: str, columns: list[str]) -> pa.Table:
        self._check_once(name)
        try:
            return pq.read_table(self._folder / name, columns=columns)
        except (OSError, pa.ArrowException) as error:
            raise MirrorCorrupt(
                f"{self._folder / name} cannot be read ({error}): build the mirror again"
            ) from error


def _count_connections(ids: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the connections of each station; those of a station stand side by side."""
    changes = np.flatnonzero(np.diff(of)) + 1
    firsts = np.concatenate([[0], changes]) if of.size else np.empty(0, np.intp)
    by_id = np.argsort(ids)
    where = by_id[np.searchsorted(ids, of[firsts], sorter=by_id)]
    sizes = np.zeros(len(ids), dtype=np.int64)
    sizes[where] = np.diff(np.append(firsts, of.size))
    return sizes


def _read_reference(folder: Path, sha256: str) -> ReferenceData:
    """Read the reference data of a snapshot, if they are as they were written."""
    disk.check_hash(folder / ref.FILE, sha256)
    return ref.read(folder)
