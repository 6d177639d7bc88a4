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
from ocm_geo.sources.clones import clone_state
from ocm_geo.sources.exclusive import lock_mirror, scratch_folder, switch_snapshot
from ocm_geo.sources.gathering import Gathered
from ocm_geo.sources.history import next_number
from ocm_geo.sources.judging import check_content, count_content, count_unnamed, tell_user
from ocm_geo.sources.plugged import open_register
from ocm_geo.sources.readers import read_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.stack import Stack

    Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

__all__ = [
    "build_snapshot",
    "find_newest",
    "merge_reference",
    "order_in_space",
    "read_given_reference",
    "write_full",
    "write_manifest",
]

_AT_ONCE = 100_000
_REFERENCE_FILE = "referencedata.json"


def build_snapshot(
    root: Path,
    data: Paths,
    *,
    reference: ReferenceData | str | Path | None = None,
    attribution: str = ATTRIBUTION,
    force: bool = False,
    register: str | None = None,
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
        Reference data; by default a ``referencedata.json`` beside the data, laid over by
        what the records hold.
    attribution : str
        Credit line that goes into every answer.
    force : bool
        Allow a snapshot without stations, or with less than half of the current one's.
    register : str, optional
        The kind of register that the data are; by default they are Open Charge Map's.

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
    given = read_given_reference(data, reference)
    account = Account()
    try:
        (root / disk.SNAPSHOTS).mkdir(parents=True, exist_ok=True)
        with lock_mirror(root), scratch_folder(root) as folder:
            intake = None if register is None else open_register(register, data, account)
            attribution = attribution if intake is None else intake.attribution
            batches = read_batches(data, account=account) if intake is None else intake.batches
            origin = {"kind": "files", **clone_state(data)}
            with Gathered(folder) as gathered:
                chosen = gathered.take_all(batches)
                report, countries = count_content(gathered, chosen, account)
                check_content(root, report, account, force=force)
                stated = "" if intake is None else intake.data_date
                newest = stated or find_newest(gathered, chosen)
                tables = merge_reference(ref.bundled(), gathered, given, newest)
                unnamed = count_unnamed(gathered, chosen, tables)
                content = write_full(folder, gathered, chosen, attribution)
            ref.write(tables, folder)
            facts = {
                "number": next_number(root),
                "data_date": newest,
                "attribution": attribution,
                "complete": report.complete,
                "report": replace(report, n_unnamed_operators=unnamed[0]).as_dict(),
                "countries": countries,
                "content": content,
                "origin": origin,
            }
            facts |= {} if intake is None else {"register": intake.facts}
            name = write_manifest(folder, facts)
            switch_snapshot(root, folder, name)
    except (OSError, pa.ArrowException) as error:
        raise MirrorError(
            f"the mirror {root} could not be built ({error}); earlier snapshots are untouched"
        ) from error
    tell_user(root, gathered, account, unnamed)
    return name


def read_given_reference(
    data: Paths,
    reference: ReferenceData | str | Path | None = None,
) -> ReferenceData | None:
    """
    Read the reference data that a caller passes, or that lie beside the data.

    Parameters
    ----------
    data : path or iterable of paths
        Files or folders.
    reference : ReferenceData or path, optional
        What was passed.

    Returns
    -------
    ReferenceData or None
        None if there are none.

    Raises
    ------
    QueryError
        If the file cannot be read.
    """
    if isinstance(reference, ref.ReferenceData):
        return reference
    if reference is None:
        paths = list_data(data)
        found = [p for path in paths for p in _find_reference_files(expand_path(path, "data"))]
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


def _find_reference_files(path: Path) -> Iterator[Path]:
    """Yield the files of reference data beside bulk data."""
    for folder in (path, path / "data", path.parent):
        if (folder / _REFERENCE_FILE).is_file():
            yield folder / _REFERENCE_FILE


def write_full(
    folder: Path, gathered: Gathered, chosen: NDArray[np.int64], attribution: str
) -> str:
    """
    Write all stations and connections, each in one file.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    gathered : Gathered
        What was read.
    chosen : numpy.ndarray of int
        Positions of the stations to write.
    attribution : str
        Credit line for the metadata.

    Returns
    -------
    str
        The content hash of the stations.
    """
    order = order_in_space(gathered.stations, chosen)
    content = disk.write_stations(folder / disk.STATIONS, gathered.stations, order, attribution)
    rows = gathered.order_connections(order)
    disk.write_connections(folder / disk.CONNECTIONS, gathered.connections, rows)
    return content


def order_in_space(stations: Stack, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """
    Order stations along a Hilbert curve: neighbours in space are neighbours in the file.

    Parameters
    ----------
    stations : Stack
        The stations.
    chosen : numpy.ndarray of int
        Positions of those to order.

    Returns
    -------
    numpy.ndarray of int
        The positions; stations at one point of the curve by ascending id.
    """
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


def find_newest(gathered: Gathered, chosen: NDArray[np.int64]) -> str:
    """
    Find the date of the data: that of the newest change, and never one to come.

    Parameters
    ----------
    gathered : Gathered
        What was read.
    chosen : numpy.ndarray of int
        Positions of the stations that are kept.

    Returns
    -------
    str
        ISO date; empty if no station has one.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - used here alone

    changed = gathered.stations.column("date_last_status_update").take(pa.array(chosen))
    # Some records are dated into the future by mistake; the data cannot be of then.
    known = changed.filter(pc.less_equal(changed, pa.scalar(dt.datetime.now(dt.UTC), changed.type)))
    newest = pc.max(known).as_py()
    return "" if newest is None else str(newest.date().isoformat())


def merge_reference(
    base: ReferenceData, gathered: Gathered, given: ReferenceData | None, newest: str
) -> ReferenceData:
    """
    Lay the reference data of new data over those that are known.

    Parameters
    ----------
    base : ReferenceData
        What is known.
    gathered : Gathered
        What was read; reference objects in the records win.
    given : ReferenceData or None
        What comes with the data.
    newest : str
        Date of the data, ISO.

    Returns
    -------
    ReferenceData
        The tables.
    """
    tables = base if given is None else base.merged(given)
    if gathered.harvest:
        tables = tables.merged(ref.from_harvest(gathered.harvest, date=newest))
    return tables


def write_manifest(
    folder: Path, facts: dict[str, Any], shared: dict[str, Any] | None = None
) -> str:
    """
    Write the manifest of a snapshot.

    Parameters
    ----------
    folder : pathlib.Path
        The snapshot, all other files in place.
    facts : dict
        What it says beside the files; ``content`` is the hash of the stations.
    shared : dict, optional
        Size and checksum of files that are known, as of links to an older snapshot.

    Returns
    -------
    str
        The id of the snapshot.
    """
    shared = shared or {}
    names = sorted(path.name for path in folder.iterdir())
    files = {name: shared.get(name) or _describe_file(folder / name) for name in names}
    now = _read_clock()
    # The id says when and what: two builds of the same data differ in the time alone.
    name = _find_free_name(folder.parent, f"{now:%Y%m%dT%H%M%SZ}-{facts['content'][:8]}")
    manifest = {
        "format": disk.FORMAT_OF_PARTS if facts.get("parts") else disk.FORMAT,
        "snapshot": name,
        "built": now.isoformat(),
        **facts,
        "files": files,
    }
    sealed = {**manifest, "seal": disk.seal_of(manifest)}
    (folder / disk.MANIFEST).write_text(json.dumps(sealed, indent=1) + "\n", encoding="utf-8")
    return name


def _describe_file(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": disk.checksum(path)}


def _find_free_name(snapshots: Path, name: str) -> str:
    """Return a name that is free: the same data may be built again within one second."""
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(n for n in itertools.chain([name], numbered) if not (snapshots / n).exists())


def _read_clock() -> dt.datetime:
    """Return the time, or that of reproducible-builds.org's variable where it is set."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    return (
        dt.datetime.now(dt.UTC) if fixed is None else dt.datetime.fromtimestamp(int(fixed), dt.UTC)
    )
