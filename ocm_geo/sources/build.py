"""Building a snapshot: read, drop doubles, sort in space, write beside, then switch in one step."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import shutil
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyarrow as pa

from ocm_geo import reference as ref
from ocm_geo.errors import MirrorError, MirrorLocked, QueryError
from ocm_geo.query import published_mask
from ocm_geo.reference.credit import ATTRIBUTION
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, arrow_schema, to_pandas
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.countries import count_by_country
from ocm_geo.sources.readers import read_batches
from ocm_geo.sources.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.tables import Parsed

    Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

__all__ = ["build_snapshot"]

_LOCK = ".lock"
_AT_ONCE = 100_000
_REFERENCE_FILE = "referencedata.json"


def build_snapshot(
    root: Path,
    data: Paths,
    *,
    reference: ReferenceData | str | Path | None = None,
    attribution: str = ATTRIBUTION,
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
    MirrorError
        If writing fails; earlier snapshots stay as they were.
    """
    given = _given_reference(data, reference)
    try:
        (root / disk.SNAPSHOTS).mkdir(parents=True, exist_ok=True)
        with _lock(root):
            beside = root / disk.SNAPSHOTS / f".building-{os.getpid()}"
            with _scratch(beside):
                name = _write(beside, _gather(data), given, attribution)
                beside.rename(root / disk.SNAPSHOTS / name)
            _switch(root, name)
    except (OSError, pa.ArrowException) as error:
        raise MirrorError(
            f"the mirror {root} could not be built ({error}); earlier snapshots are untouched"
        ) from error
    return name


def _given_reference(
    data: Paths,
    reference: ReferenceData | str | Path | None,
) -> ReferenceData | None:
    if isinstance(reference, ref.ReferenceData):
        return reference
    if reference is None:
        paths = [data] if isinstance(data, str | os.PathLike) else list(data)
        found = [p for path in paths for p in _reference_files(Path(path))]
        if not found:
            return None
        reference = found[0]
    path = Path(reference)
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


class _Gathered:
    """All that was read, in columns."""

    def __init__(self) -> None:
        position = [("lon", pa.float64()), ("lat", pa.float64())]
        self.stations = Stack(pa.schema([*arrow_schema(STATION_COLUMNS), *position]))
        self.connections = Stack(arrow_schema(CONNECTION_COLUMNS))
        self.rejects: list[dict[str, Any]] = []
        self.coerced: Counter[str] = Counter()
        self.harvest: dict[str, dict[int, Any]] = {}
        self.n_read = 0

    def add(self, parsed: Parsed) -> None:
        """Take a batch."""
        self.stations.add(parsed.stations)
        self.connections.add(parsed.connections)
        self.rejects += [asdict(reject) for reject in parsed.rejects]
        self.coerced.update(parsed.coerced)
        self.n_read += parsed.n_read
        for table, rows in parsed.harvest.items():
            self.harvest.setdefault(table, {}).update(rows)


def _gather(data: Paths) -> _Gathered:
    gathered = _Gathered()
    for parsed in _with_progress(read_batches(data)):
        gathered.add(parsed)
    return gathered


def _with_progress(batches: Iterable[Parsed]) -> Iterator[Parsed]:
    from tqdm.auto import tqdm  # noqa: PLC0415 - loaded when needed

    with tqdm(desc="reading stations", unit=" records", delay=2, leave=False) as bar:
        for parsed in batches:
            bar.update(parsed.n_read)
            yield parsed


def _write(folder: Path, gathered: _Gathered, given: ReferenceData | None, attribution: str) -> str:
    stations, connections = gathered.stations, gathered.connections
    order = _in_space(stations)
    disk.write_stations(folder / disk.STATIONS, stations, order, attribution)
    sites = stations.column("ocm_id").to_numpy()[order]
    plugs = _like(sites, connections.column("ocm_id").to_numpy())
    disk.write_connections(folder / disk.CONNECTIONS, connections, plugs)
    newest = _newest(stations)
    ref.write(_reference(gathered, given, newest), folder)
    with (folder / disk.REJECTS).open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in gathered.rejects)
    report = disk.ImportReport(
        n_read=gathered.n_read,
        n_kept=len(stations),
        n_rejected=len(gathered.rejects),
        n_connections=len(connections),
        reasons=dict(Counter(map(_kind, gathered.rejects))),
        coerced=dict(gathered.coerced),
    )
    facts = {
        "data_date": newest,
        "attribution": attribution,
        "report": report.as_dict(),
        "countries": _countries(stations),
    }
    return _write_manifest(folder, facts)


def _kind(reject: dict[str, Any]) -> str:
    """Give the reason without its details, which stand in the list of rejects."""
    return str(reject["reason"]).partition(":")[0]


def _in_space(stations: Stack) -> NDArray[np.int64]:
    """Order along a Hilbert curve: neighbours in space are neighbours in the file."""
    lon, lat = (stations.column(name).to_numpy() for name in ("lon", "lat"))
    if not len(lon):
        return np.empty(0, dtype=np.int64)
    # Some at a time: as geometries they take far more room than as numbers.
    distance = np.concatenate(
        [
            gpd.GeoSeries(
                gpd.points_from_xy(lon[start : start + _AT_ONCE], lat[start : start + _AT_ONCE])
            )
            .hilbert_distance(total_bounds=(-180, -90, 180, 90), level=16)
            .to_numpy()
            for start in range(0, len(lon), _AT_ONCE)
        ]
    )
    return np.lexsort((stations.column("ocm_id").to_numpy(), distance)).astype(np.int64)


def _like(order: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order connections like their sites, each site's in the order of its record."""
    by_id = np.argsort(order)
    rank = by_id[np.searchsorted(order, ids, sorter=by_id)]
    return np.argsort(rank, kind="stable").astype(np.int64)


def _newest(stations: Stack) -> str:
    import pyarrow.compute as pc  # noqa: PLC0415 - used here alone

    newest = pc.max(stations.column("date_last_status_update")).as_py()
    return "" if newest is None else newest.date().isoformat()


def _countries(stations: Stack) -> list[dict[str, Any]]:
    """Count the stations of each country."""
    statuses = ["submission_status_id", "status_type_id"]
    frame = to_pandas(pa.table({name: stations.column(name) for name in statuses}))
    codes = to_pandas(pa.table({"code": stations.column("country_code")}))["code"]
    lon, lat = (stations.column(name).to_numpy() for name in ("lon", "lat"))
    return count_by_country(codes, published_mask(frame), lon, lat)


def _reference(gathered: _Gathered, given: ReferenceData | None, newest: str) -> ReferenceData:
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
    (folder / disk.MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
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


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """Work in a folder that vanishes if the work fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _switch(root: Path, name: str) -> None:
    beside = root / f".{disk.CURRENT}-{os.getpid()}"
    beside.write_text(name + "\n", encoding="utf-8")
    beside.replace(root / disk.CURRENT)


@contextlib.contextmanager
def _lock(root: Path) -> Iterator[None]:
    path = root / _LOCK
    _clear_if_stale(path)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError as error:
        raise MirrorLocked(
            f"another process is building the mirror {root}; wait for it, or remove {path}"
        ) from error
    try:
        os.write(handle, str(os.getpid()).encode())
        os.close(handle)
        yield
    finally:
        path.unlink(missing_ok=True)


def _clear_if_stale(path: Path) -> None:
    """Take away the lock of a process that is gone."""
    try:
        pid = int(path.read_text(encoding="utf-8"))
        os.kill(pid, 0)
    except ProcessLookupError:
        path.unlink(missing_ok=True)
    except (OSError, ValueError):
        return
