"""The tables of a snapshot, whether they are in one file or in parts.

.. code-block:: text

    snapshots/<id>/
        ├── stations-000001.parquet      all stations of the snapshot that was built first
        ├── connections-000001.parquet   and their connections
        ├── stations-000002.parquet      the stations that a later update added or changed
        ├── connections-000002.parquet   and all their connections
        └── removed-000002.json          ids that it took away

A part is never changed. An update writes one and takes over those before it as hard links, so that
a snapshot costs only what it changed and no snapshot needs another: any of them can be removed.

Invariant: a station is read from the last part that names its id; where that part says "removed",
there is no such station. The connections of a station are those of the same part, in the order of
the stations.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ocm_geo.errors import MirrorCorrupt
from ocm_geo.sources import snapshot as disk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "MOST_PARTS",
    "Part",
    "link_parts",
    "link_unchanged",
    "list_parts",
    "name_part",
    "read_live",
]

MOST_PARTS = 64
"""With more of them, an update writes all stations into one part again."""


class Part(NamedTuple):
    """The files of one part; those that a part does not have are None."""

    stations: str
    connections: str
    removed: str | None = None


def name_part(number: int) -> Part:
    """
    Name the files of a part.

    Parameters
    ----------
    number : int
        The number of the snapshot that wrote it.

    Returns
    -------
    Part
        Their names.
    """
    stem = f"-{number:06d}"
    return Part(f"stations{stem}.parquet", f"connections{stem}.parquet", f"removed{stem}.json")


def list_parts(manifest: Mapping[str, Any]) -> list[Part]:
    """
    List the parts of a snapshot.

    Parameters
    ----------
    manifest : mapping
        Its manifest.

    Returns
    -------
    list of Part
        Oldest first; of a snapshot in one file, that file.
    """
    numbers = manifest.get("parts")
    if not numbers:
        return [Part(disk.STATIONS, disk.CONNECTIONS)]
    files, parts = manifest["files"], map(name_part, numbers)
    return [part if part.removed in files else part._replace(removed=None) for part in parts]


def link_parts(
    folder: Path, manifest: Mapping[str, Any], target: Path, number: int
) -> tuple[list[int], dict[str, Any]]:
    """
    Take over the parts of a snapshot as hard links.

    Parameters
    ----------
    folder : pathlib.Path
        The snapshot.
    manifest : mapping
        Its manifest.
    target : pathlib.Path
        The folder of the new snapshot.
    number : int
        The number that a snapshot in one file gets as a part.

    Returns
    -------
    numbers : list of int
        The parts of the new snapshot.
    files : dict
        What their manifest says about each file.
    """
    numbers = list(manifest.get("parts") or [number])
    files = {}
    for part, given in zip(list_parts(manifest), map(name_part, numbers), strict=True):
        for old, new in zip(part, given, strict=True):
            if old is not None and new is not None:
                _link_file(folder / old, target / new)
                files[new] = manifest["files"][old]
    return numbers, files


def link_unchanged(folder: Path, manifest: Mapping[str, Any], target: Path) -> dict[str, Any]:
    """
    Take over all tables of a snapshot under the names that they have.

    Parameters
    ----------
    folder : pathlib.Path
        The snapshot.
    manifest : mapping
        Its manifest.
    target : pathlib.Path
        The folder of the new snapshot, whose stations are the same.

    Returns
    -------
    dict
        What the manifest says about each file.
    """
    names = [name for part in list_parts(manifest) for name in part if name is not None]
    for name in names:
        _link_file(folder / name, target / name)
    return {name: manifest["files"][name] for name in names}


def _link_file(old: Path, new: Path) -> None:
    """Link a file, or copy it where the file system has no hard links."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)


def read_live(
    folder: Path,
    manifest: Mapping[str, Any],
    columns: Sequence[str],
    check: Callable[[str], None],
    *,
    connections: bool = False,
) -> pa.Table:
    """
    Read the rows of a snapshot that count.

    Parameters
    ----------
    folder : pathlib.Path
        The snapshot.
    manifest : mapping
        Its manifest.
    columns : sequence of str
        Columns to read; ``ocm_id`` among them.
    check : callable
        Takes the name of a file before it is read, and raises if it is damaged.
    connections : bool
        Read connections instead of stations.

    Returns
    -------
    pyarrow.Table
        One table in one chunk; connections are in the order of the stations.

    Raises
    ------
    MirrorCorrupt
        If a file is damaged or cannot be read.
    """
    tables = []
    later = np.empty(0, np.int64)
    parts = list_parts(manifest)
    for part in reversed(parts):
        name = part.connections if connections else part.stations
        table = _read_columns(folder, name, columns, check)
        if later.size:
            table = table.filter(pa.array(~np.isin(table["ocm_id"].to_numpy(), later)))
        tables.append(table)
        if part is not parts[0]:
            later = np.union1d(later, _read_named_ids(folder, part, check))
    return pa.concat_tables(tables[::-1]).combine_chunks()


def _read_named_ids(folder: Path, part: Part, check: Callable[[str], None]) -> NDArray[np.int64]:
    """Return the ids that a part names, removed ones included."""
    ids = _read_columns(folder, part.stations, ["ocm_id"], check)["ocm_id"].to_numpy()
    if part.removed is None:
        return np.asarray(ids)
    check(part.removed)
    removed = json.loads((folder / part.removed).read_text(encoding="utf-8"))
    return np.concatenate([ids, np.array(removed, np.int64)])


def _read_columns(
    folder: Path, name: str, columns: Sequence[str], check: Callable[[str], None]
) -> pa.Table:
    """Read columns of a Parquet file that was checked."""
    check(name)
    try:
        return pq.read_table(folder / name, columns=list(columns))
    except (OSError, pa.ArrowException) as error:
        raise MirrorCorrupt(
            f"{folder / name} cannot be read ({error}): build the mirror again"
        ) from error
