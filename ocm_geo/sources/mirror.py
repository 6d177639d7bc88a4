"""A local copy of the bulk data, asked without network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ocm_geo.cards import build_card
from ocm_geo.errors import QueryError
from ocm_geo.paths import expand_path
from ocm_geo.sources.answering import SnapshotSource
from ocm_geo.sources.build import build_snapshot
from ocm_geo.sources.diffing import compare_snapshots
from ocm_geo.sources.history import (
    find_snapshot_at,
    has_snapshot,
    prune_snapshots,
    tabulate_snapshots,
)
from ocm_geo.sources.incoming import take_bulk
from ocm_geo.sources.intake import choose_intake
from ocm_geo.sources.loaded import LoadedSnapshot
from ocm_geo.sources.updating import UpdateReport, update_snapshot

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Iterable

    import geopandas as gpd
    import pandas as pd

    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.base import SourceLike
    from ocm_geo.sources.incoming import Incoming

__all__ = ["Mirror"]

_BUNDLED = Path(__file__).parent / "data" / "sample"


class Mirror(SnapshotSource):
    """
    A local copy of Open Charge Map: a source that needs neither key nor network.

    Parameters
    ----------
    path : path
        The folder that `Mirror.build` made.
    snapshot : str, optional
        Id of the snapshot to use; the current one by default.
    at : str or date, optional
        ISO date: use the newest snapshot whose data date is not later.

    Raises
    ------
    QueryError
        If both ``snapshot`` and ``at`` are given, or ``at`` is not a date.
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

    def __init__(
        self,
        path: str | os.PathLike[str],
        snapshot: str | None = None,
        *,
        at: str | dt.date | None = None,
    ) -> None:
        self.path = expand_path(path)
        if at is not None:
            if snapshot is not None:
                raise QueryError("pass snapshot= or at=, not both")
            snapshot = find_snapshot_at(self.path, at)
        # Replaced in one step by an update, so that questions that are being answered go on with
        # the snapshot that they began with.
        self.loaded = LoadedSnapshot(self.path, snapshot)

    @classmethod
    def build(
        cls,
        path: str | os.PathLike[str],
        data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        register: str | None = None,
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
        register : str, optional
            The kind of register that the data are, such as ``"irve"``: `registers` lists them. The
            mirror then answers with the stations of the register, by ``station_id``.
        reference : ReferenceData or path, optional
            Reference data; by default a ``referencedata.json`` beside the data, laid over
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
            If there is nothing to read, or no such register.
        RegisterError
            If the data are not that register, or state no positions.
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
        name = build_snapshot(
            expand_path(path), data, reference=reference, force=force, register=register
        )
        return cls(path, name)

    @classmethod
    def from_source(
        cls, path: str | os.PathLike[str], source: SourceLike, *, full: bool = True
    ) -> Self:
        """
        Make a mirror of a source: a first copy straight from the API, or of another mirror.

        Parameters
        ----------
        path : path
            Folder of the mirror; earlier snapshots in it are kept.
        source : Source, path, "sample" or "api"
            Where the stations come from. The live API is walked through by ascending id, in pages
            of 5,000 stations; how many requests that means is told before. To copy the world,
            `build` it from the bulk export instead. A walk that was interrupted goes on where it
            was for two days.
        full : bool
            Take everything, also if there is a mirror of this source already; without it, such a
            mirror is updated by what changed.

        Returns
        -------
        Mirror
            The mirror. Of a server it holds the published stations alone.

        Raises
        ------
        QueryError
            If it is not a source.
        SourceError
            If the source cannot answer completely; the mirror is as it was.
        MirrorLocked
            If another process is building.
        MirrorShrunk
            If many stations of a mirror that is there would be lost.

        Examples
        --------
        >>> import ocm_geo as ocm
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     len(ocm.Mirror.from_source(folder, "sample")) == len(ocm.sample())
        True
        """
        root = expand_path(path)
        report = update_snapshot(root, choose_intake(root, source, full=full))
        return cls(root, report.snapshot)

    def update(
        self,
        source: SourceLike | None = None,
        *,
        data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
        full: bool = False,
        force: bool = False,
    ) -> UpdateReport:
        """
        Bring the mirror up to date: a new snapshot, which this object uses from now on.

        From the live API, the first update walks through all stations; later ones ask for what
        was changed or delisted since, from an hour before the newest change known. Every 30 days,
        and with ``full``, all ids are walked through again, which finds stations that vanished
        without a trace. A snapshot takes the place of what changed alone: it shares all else with
        the one before. Other processes that read the mirror go on with the snapshot they have.

        Parameters
        ----------
        source : Source, path, "sample" or "api", optional
            Where the stations come from; without it and without ``data``, the server that the
            mirror was made from, else the live API.
        data : path or iterable of paths, optional
            Bulk data instead, as for `build`: they are the new state as a whole. Of a git clone of
            the export with a file for each station, only the files are read that changed since the
            commit that the mirror was made from.
        full : bool
            Take everything.
        force : bool
            Allow that many stations are lost.

        Returns
        -------
        UpdateReport
            The new snapshot, and how many stations were added, removed, changed or not.

        Raises
        ------
        QueryError
            If both ``source`` and ``data`` are given, or one is not what it should be.
        SourceError
            If the source cannot answer completely; the mirror is as it was.
        MirrorLocked
            If another process is building.
        MirrorShrunk
            If less than half of the stations would be left, or more than 1,000 and a fifth of
            them would vanish.
        MirrorError
            If a file is not what it should be, or writing fails. After every error the mirror is
            as it was.

        Warns
        -----
        DroppedRows
            If a file ends too early; no station is taken for gone then.
        UnknownCode
            If operators have no name in the reference data.
        """
        if data is None:
            take = choose_intake(self.path, source, full=full)
        elif source is None:
            register = self.loaded.manifest.get("register")

            def take(origin: dict[str, Any], _: str) -> Incoming:
                return take_bulk(data, origin, full=full, register=register)

        else:
            raise QueryError("pass source= or data=, not both")
        report = update_snapshot(self.path, take, force=force)
        self.loaded = LoadedSnapshot(self.path, report.snapshot)
        return report

    def __repr__(self) -> str:
        report = self.report
        return (
            f"Mirror({self._name_path()!r}: {report.n_kept:,} stations, {report.n_published:,} of "
            f"them published, snapshot {self.snapshot})"
        )

    def _name_path(self) -> str:
        """Return the path as text; the bundled sample by the name that ``source=`` takes."""
        return "sample" if self.path == _BUNDLED else str(self.path)

    def _repr_html_(self) -> str:
        """Show the countries and snapshots, for notebooks."""
        n, published = self.report.n_kept, self.report.n_published
        line = f"Snapshot {self.snapshot}: {n:,} stations, {published:,} of them published"
        return build_card(
            f"Mirror {self._name_path()}",
            lines=[line],
            tables={"Countries": self.coverage, "Snapshots": self.snapshots()},
            credit=str(self.loaded.manifest.get("attribution", "")),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.snapshot)

    def snapshots(self) -> pd.DataFrame:
        """
        List the snapshots of the mirror.

        Returns
        -------
        pandas.DataFrame
            Oldest first by the time of building: ``snapshot`` (its id), ``built`` (UTC),
            ``data_date`` (of the newest change in the data), ``n_stations``, ``n_published``,
            ``size_bytes`` (of the files that no older snapshot shares: their sum is what the
            mirror takes on disk) and ``current``.

        Examples
        --------
        >>> import ocm_geo as ocm
        >>> ocm.sample().snapshots()["current"].tolist()
        [True]
        """
        return tabulate_snapshots(self.path)

    def diff(self, old: str, new: str | None = None) -> gpd.GeoDataFrame:
        """
        List what changed between two snapshots, as far as questions can find it.

        Parameters
        ----------
        old, new : str
            Ids of snapshots, or ISO dates as for ``Mirror(path, at=...)``; without ``new``, the
            snapshot in use.

        Returns
        -------
        geopandas.GeoDataFrame
            One row a change, by ``ocm_id``: ``change`` (``"added"``; ``"removed"``, also a station
            that is listed but no longer published; ``"moved"``; ``"changed"``), ``column`` (what
            changed; the status for a station no longer published), ``old`` and ``new`` (its
            values, None where missing; WKT of positions), ``moved_m`` (metres, on the WGS84
            ellipsoid) and ``geometry`` (EPSG:4326; the last position). What a server computes
            anew for each answer is not a change.

        Raises
        ------
        MirrorMissing
            If there is no such snapshot.

        Examples
        --------
        >>> import ocm_geo as ocm
        >>> mirror = ocm.sample()
        >>> len(mirror.diff(mirror.snapshot))
        0
        """
        states = [self if name is None else self.open_snapshot(name) for name in (old, new)]
        return compare_snapshots(*(state.loaded for state in states))

    def open_snapshot(self, name: str | dt.date) -> Self:
        """
        Open a snapshot of the same mirror.

        Parameters
        ----------
        name : str or date
            Its id, or an ISO date: the newest snapshot whose data date is not later.

        Returns
        -------
        Mirror
            The mirror at that snapshot.

        Raises
        ------
        QueryError
            If it is neither.
        MirrorMissing
            If there is no such snapshot.
        """
        if isinstance(name, str) and has_snapshot(self.path, name):
            return self if name == self.snapshot else type(self)(self.path, name)
        return type(self)(self.path, at=name)

    def prune(self, keep: int | Iterable[str]) -> list[str]:
        """
        Remove old snapshots, and what killed builds left behind.

        Parameters
        ----------
        keep : int or iterable of str
            How many of the newest snapshots to keep, or the ids of those to keep. The current
            snapshot and the one in use here are kept in any case.

        Returns
        -------
        list of str
            Ids of the removed snapshots, oldest first. Files that other snapshots share stay.

        Raises
        ------
        QueryError
            If ``keep`` is neither a number from 1 on nor ids of snapshots.
        MirrorLocked
            If another process is building.
        """
        return prune_snapshots(self.path, keep, self.snapshot)
