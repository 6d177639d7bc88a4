"""Building a snapshot: read, drop doubles, sort in space, write beside, then switch in one step."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyarrow as pa

from ocm_geo import reference as ref
from ocm_geo.errors import MirrorError, QueryError
from ocm_geo.paths import expand_path, list_data
from ocm_geo.reference.credit import ATTRIBUTION
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.account import Account
from ocm_geo.sources.exclusive import lock_mirror, scratch_folder, switch_snapshot
from ocm_geo.sources.gathering import Gathered
from ocm_geo.sources.judging import check_content, count_content, count_unnamed, tell_user
from ocm_geo.sources.progress import with_progress
from ocm_geo.sources.readers import read_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.stack import Stack

    Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

__all__ = ["build_snapshot"]

_AT_ONCE = 100_000
_REFERENCE_FILE = "referencedata.json"


def build_snapshot(
    root: Path,
    data: Paths,
    *,
    reference: ReferenceData | str | Path | None = None,
    attribution: str = ATTRIBUTION,
    force: bool = False,
) -> str:
    """
    Build a snapshot from bulk data and make it the current one.

    Parameters
    ----------
    root : pathlib.Path
        The mirror; made if it does not exist.
    data : path or iterable of paths
        Files or folders.
    reference : ReferenceData or path, optional
        What ids stand for; by default a ``referencedata.json`` beside the data, laid over by
        what the records hold.
    attribution : str
        Credit line that goes into every answer.
    force : bool
        Allow a snapshot without stations, or with less than half of the current one's.

    Returns
    -------
    str
        The id of the snapshot.

    Raises
    ------
    QueryError
        If there is nothing to read.
    MirrorLocked
        If another process is building.
    MirrorShrunk
        If most stations of the current snapshot would be lost.
    MirrorError
        If a file cannot be read, no record can be kept, or writing fails; earlier snapshots
        stay as they were.
    """
    given = _given_reference(data, reference)
    account = Account()
    try:
        (root / disk.SNAPSHOTS).mkdir(parents=True, exist_ok=True)
        with lock_mirror(root), scratch_folder(root) as folder:
            gathered, chosen = _gather(data, folder, account)
            report, countries = count_content(gathered, chosen, account)
            check_content(root, report, account, force=force)
            newest = _newest(gathered.stations)
            tables = _reference(gathered, given, newest)
            unnamed = count_unnamed(gathered, chosen, tables)
            _write(folder, gathered, chosen, attribution)
            ref.write(tables, folder)
            facts = {
                "data_date": newest,
                "attribution": attribution,
                "complete": report.complete,
                "report": replace(report, n_unnamed_operators=unnamed[0]).as_dict(),
                "countries": countries,
            }
            name = _write_manifest(folder, facts)
            switch_snapshot(root, folder, name)
    except (OSError, pa.ArrowException) as error:
        raise MirrorError(
            f"the mirror {root} could not be built ({error}); earlier snapshots are untouched"
        ) from error
    tell_user(root, gathered, account, unnamed)
    return name


def _given_reference(
    data: Paths,
    reference: ReferenceData | str | Path | None,
) -> ReferenceData | None:
    if isinstance(reference, ref.ReferenceData):
        return reference
    if reference is None:
        paths = list_data(data)
        found = [p for path in paths for p in _reference_files(expand_path(path, "data"))]
        if not found:
            return None
        reference = found[0]
    path = expand_path(reference, "reference")
    try:
        body = path.read_bytes()
    except OSError as error:
        raise QueryError(f"the reference data {path} cannot be read: {error.strerror}") from error
    written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date().isoformat()
    return ref.from_json(body, origin=path.name, date=written)


def _reference_files(path: Path) -> Iterator[Path]:
    for folder in (path, path / "data", path.parent):
        if (folder / _REFERENCE_FILE).is_file():
            yield folder / _REFERENCE_FILE


def _gather(data: Paths, folder: Path, account: Account) -> tuple[Gathered, NDArray[np.int64]]:
    """Read everything and choose the newest record of each id."""
    with (folder / disk.REJECTS).open("w", encoding="utf-8") as stream:
        gathered = Gathered(stream)
        batches = read_batches(data, account=account)
        for parsed in with_progress(batches, "reading stations", lambda batch: batch.n_read):
            gathered.add(parsed)
        return gathered, gathered.choose_newest()


def _write(folder: Path, gathered: Gathered, chosen: NDArray[np.int64], attribution: str) -> None:
    order = _order_in_space(gathered.stations, chosen)
    disk.write_stations(folder / disk.STATIONS, gathered.stations, order, attribution)
    plugs = gathered.order_connections(order)
    disk.write_connections(folder / disk.CONNECTIONS, gathered.connections, plugs)


def _order_in_space(stations: Stack, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order along a Hilbert curve: neighbours in space are neighbours in the file."""
    lon, lat, ids = (stations.column(name).to_numpy()[chosen] for name in ("lon", "lat", "ocm_id"))
    # Some at a time: as geometries they take far more room than as numbers.
    distances = [
        gpd.GeoSeries(gpd.points_from_xy(lon[start:end], lat[start:end]))
        .hilbert_distance(total_bounds=(-180, -90, 180, 90), level=16)
        .to_numpy()
        for start, end in itertools.pairwise([*range(0, len(lon), _AT_ONCE), len(lon)])
    ]
    distance = np.concatenate([np.empty(0, np.uint32), *distances])
    return np.asarray(chosen[np.lexsort((ids, distance))])


def _newest(stations: Stack) -> str:
    import pyarrow.compute as pc  # noqa: PLC0415 - used here alone

    newest = pc.max(stations.column("date_last_status_update")).as_py()
    return "" if newest is None else newest.date().isoformat()


def _reference(gathered: Gathered, given: ReferenceData | None, newest: str) -> ReferenceData:
    tables = ref.bundled()
    if given is not None:
        tables = tables.merged(given)
    if gathered.harvest:
        tables = tables.merged(ref.from_harvest(gathered.harvest, date=newest))
    return tables


def _write_manifest(folder: Path, facts: dict[str, Any]) -> str:
    names = sorted(path.name for path in folder.iterdir())
    hashes = {name: disk.checksum(folder / name) for name in names}
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": hashes[name]} for name in names
    }
    now = _now()
    # The id says when and what: two builds of the same data differ in the time alone.
    name = _free(folder.parent, f"{now:%Y%m%dT%H%M%SZ}-{hashes[disk.STATIONS][:8]}")
    manifest = {
        "format": disk.FORMAT,
        "snapshot": name,
        "built": now.isoformat(timespec="seconds"),
        **facts,
        "files": files,
    }
    sealed = {**manifest, "seal": disk.seal_of(manifest)}
    (folder / disk.MANIFEST).write_text(json.dumps(sealed, indent=1) + "\n", encoding="utf-8")
    return name


def _free(snapshots: Path, name: str) -> str:
    """Give a name that is free: the same data may be built again within one second."""
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(n for n in itertools.chain([name], numbered) if not (snapshots / n).exists())


def _now() -> dt.datetime:
    """Give the time, or that of reproducible-builds.org's variable where it is set."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    return (
        dt.datetime.now(dt.UTC) if fixed is None else dt.datetime.fromtimestamp(int(fixed), dt.UTC)
    )
