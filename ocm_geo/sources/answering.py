"""A snapshot as a source: it answers questions without network."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np
import pyarrow as pa

from ocm_geo.paths import expand_path, replacing
from ocm_geo.provenance import attach
from ocm_geo.schema import stations_from_arrow
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.countries import coverage_table, covered_codes
from ocm_geo.sources.exporting import export_table
from ocm_geo.sources.plugged import name_ids

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from ocm_geo.query import StationQuery
    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.loaded import LoadedSnapshot

__all__ = ["RunningServer", "SnapshotSource"]


class RunningServer(Protocol):
    """A server that was started: see `ocm_geo.server.RunningServer`."""

    url: str

    def stop(self) -> None:
        """Stop it."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class SnapshotSource:
    """What a `Mirror` answers and tells of the snapshot in use."""

    loaded: LoadedSnapshot

    def __len__(self) -> int:
        return self.report.n_kept

    @property
    def snapshot(self) -> str:
        """The id of the snapshot in use."""
        return self.loaded.name

    @property
    def report(self) -> disk.ImportReport:
        """Return what became of the records: ``n_read == n_kept + n_rejected``."""
        return disk.ImportReport(**self.loaded.manifest["report"])

    @property
    def coverage(self) -> pd.DataFrame:
        """
        The countries of the stations: what the mirror can answer questions about.

        ``country_code`` (ISO 3166 alpha-2; missing for the stations whose record has no country),
        ``n_stations``, ``n_published`` and the bounding box of the published stations (``west``,
        ``south``, ``east``, ``north``, degrees; west > east crosses the antimeridian). The
        country is the one that the record names.
        """
        return coverage_table(self.loaded.manifest["countries"])

    @property
    def rejects(self) -> Path:
        """The file of the records that could not be kept: JSON lines with reason and place."""
        return self.loaded.folder / disk.REJECTS

    def to_parquet(self, path: str | os.PathLike[str], *, connections: bool = False) -> Path:
        """
        Write all stations of the snapshot, published or not, into one GeoParquet file.

        A snapshot that `build` made has this file, ``stations.parquet``, already; that of an
        update is in parts. The file is for geopandas, DuckDB, QGIS and others.

        Parameters
        ----------
        path : path
            The file; it is replaced when the new one is complete.
        connections : bool
            Write the connections instead, one row each.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        QueryError
            If the file cannot be written.

        Examples
        --------
        >>> import geopandas as gpd
        >>> import ocm_geo as ocm
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = ocm.sample().to_parquet(f"{folder}/stations.parquet")
        ...     len(gpd.read_parquet(file)) == len(ocm.sample())
        True
        """
        target = expand_path(path)
        with replacing(target) as scratch:
            export_table(self.loaded, scratch, connections=connections)
        return target

    @property
    def has_text_ids(self) -> bool:
        """Return whether the ids of the stations are texts, as those of most registers are."""
        return bool(self.loaded.manifest.get("register", {}).get("text_ids"))

    def verify(self) -> None:
        """
        Compare every file of the snapshot in use with its checksum.

        Raises
        ------
        MirrorCorrupt
            If one differs.
        """
        disk.check_files(self.loaded.folder, self.loaded.manifest, fully=True)

    def reference_data(self) -> ReferenceData:
        """
        Return the reference data that belong to the stations.

        Returns
        -------
        ReferenceData
            The tables.
        """
        return self.loaded.reference

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
        return self.loaded.rows, self.loaded.read_connections()

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
        loaded = self.loaded
        positions = loaded.find_candidates(query)
        connections = None
        if query.needs_connections:
            connections = loaded.find_connections(positions)
            matching = connections["ocm_id"].to_numpy()[query.connection_mask(connections)]
            positions = positions[np.isin(loaded.ids[positions], matching)]
        found = stations_from_arrow(loaded.rows.take(pa.array(positions)))
        names = name_ids(loaded, found.index)
        if names is not None:
            # The connections that are at hand know the numbers alone, and were used above.
            found, connections = found.set_axis(names), None
        attach(found, **_describe_snapshot(loaded))
        return query.answer(found, connections)

    def has_any(self, query: StationQuery) -> bool:
        """
        Return whether any station is in the place of a question.

        Parameters
        ----------
        query : StationQuery
            The question.

        Returns
        -------
        bool
            True if there is one.
        """
        loaded = self.loaded
        positions = loaded.find_candidates(query)
        lon, lat = loaded.points.lon[positions], loaded.points.lat[positions]
        return bool(query.where.select(loaded.ids[positions], lon, lat).positions.size)

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


def _describe_snapshot(loaded: LoadedSnapshot) -> dict[str, Any]:
    """Return the provenance of the answers of a snapshot."""
    manifest = loaded.manifest
    register = manifest.get("register", {})
    return {
        "source": "mirror",
        "snapshot": loaded.name,
        "data_date": manifest["data_date"] or None,
        "attribution": manifest["attribution"],
        "reference": loaded.register_reference(),
        "complete": manifest["complete"],
        "covers": covered_codes(manifest["countries"]),
        "register": register.get("kind"),
        "licence": register.get("licence"),
    }
