"""The snapshots of a mirror: in which order they were built, which one is meant, which ones go."""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import check_whole, is_missing, short_form
from ocm_geo.errors import MirrorError, MirrorMissing, QueryError
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.exclusive import clear_leftovers, lock_mirror

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "date_of_data",
    "find_snapshot_at",
    "has_snapshot",
    "list_manifests",
    "next_number",
    "prune_snapshots",
    "tabulate_snapshots",
]


def list_manifests(root: Path) -> list[dict[str, Any]]:
    """
    Read the manifests of all snapshots.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.

    Returns
    -------
    list of dict
        Oldest first by the time of building. Snapshots carry a number that grows from build to
        build, since several can be built within one tick of the clock, and clocks are set back.
        A snapshot whose manifest is damaged is left out.
    """
    found = []
    for folder in (root / disk.SNAPSHOTS).iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            with suppress(MirrorError):
                found.append(disk.open_manifest(root, folder.name)[1])
    return sorted(found, key=lambda m: (m.get("number", 0), m["built"], m["snapshot"]))


def next_number(root: Path) -> int:
    """
    Return the number of the snapshot that is built next.

    Parameters
    ----------
    root : pathlib.Path
        The mirror, whose lock is held.

    Returns
    -------
    int
        More than that of any snapshot.
    """
    manifests = list_manifests(root)
    return max([len(manifests), *(int(m.get("number", 0)) for m in manifests)]) + 1


def has_snapshot(root: Path, name: str) -> bool:
    """
    Return whether a mirror has a snapshot.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.
    name : str
        Its id.

    Returns
    -------
    bool
        True if there is one.
    """
    try:
        names = [folder.name for folder in (root / disk.SNAPSHOTS).iterdir()]
    except OSError:
        return False
    return name in names and not name.startswith(".")


def find_snapshot_at(root: Path, at: object) -> str:
    """
    Find the newest snapshot whose data date is not later than a date.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.
    at : str, date or timestamp
        ISO 8601 date, such as ``"2023-10-09"``.

    Returns
    -------
    str
        Its id.

    Raises
    ------
    QueryError
        If it is not a date.
    MirrorMissing
        If all snapshots are newer, or there is no mirror.
    """
    day = _check_day(at)
    if not (root / disk.CURRENT).is_file():
        disk.open_manifest(root, None)
    manifests = list_manifests(root)
    known = [m for m in manifests if date_of_data(m) <= day]
    if not known:
        first = min(map(date_of_data, manifests), default="none")
        raise MirrorMissing(
            f"the mirror {root} has no snapshot with data of {day} or earlier: the oldest data are "
            f"of {first}"
        )
    # Of equally dated data, the snapshot that was built last.
    newest = max(range(len(known)), key=lambda i: (date_of_data(known[i]), i))
    return str(known[newest]["snapshot"])


def date_of_data(manifest: dict[str, Any]) -> str:
    """Return the ISO date of the data of a snapshot; without dates in them, that of the build."""
    return str(manifest["data_date"] or manifest["built"])[: len("2023-10-09")]


def _check_day(at: object) -> str:
    """Check a date and return it in ISO form."""
    wrong = f"at must be an ISO 8601 date such as '2023-10-09', not {short_form(at)}"
    if is_missing(at) or not isinstance(at, str | dt.date | np.datetime64):
        raise QueryError(wrong)
    try:
        moment = dt.datetime.fromisoformat(at.strip()) if isinstance(at, str) else at
        return pd.Timestamp(moment).date().isoformat()
    except (ValueError, TypeError, OverflowError) as error:
        raise QueryError(wrong) from error


def tabulate_snapshots(root: Path) -> pd.DataFrame:
    """
    Return the snapshots of a mirror as a table.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.

    Returns
    -------
    pandas.DataFrame
        As `Mirror.snapshots` documents it.
    """
    manifests = list_manifests(root)
    current = disk.open_manifest(root, None)[1]["snapshot"]
    counts = [disk.ImportReport(**m["report"]) for m in manifests]
    return pd.DataFrame(
        {
            "snapshot": pd.array([m["snapshot"] for m in manifests], dtype="string"),
            "built": pd.to_datetime([m["built"] for m in manifests], utc=True, format="ISO8601"),
            "data_date": pd.to_datetime(pd.Series([m["data_date"] or None for m in manifests])),
            "n_stations": pd.array([c.n_kept for c in counts], dtype="Int64"),
            "n_published": pd.array([c.n_published for c in counts], dtype="Int64"),
            "size_bytes": pd.array(_measure_folders(root, manifests), dtype="Int64"),
            "current": [m["snapshot"] == current for m in manifests],
        }
    )


def _measure_folders(root: Path, manifests: Iterable[dict[str, Any]]) -> list[int]:
    """Return the bytes of the files that no older snapshot has too: together, all on the disk."""
    seen: set[tuple[int, int]] = set()
    sizes = []
    for manifest in manifests:
        facts = [f.stat() for f in (root / disk.SNAPSHOTS / manifest["snapshot"]).iterdir()]
        new = [fact for fact in facts if (fact.st_dev, fact.st_ino) not in seen]
        seen.update((fact.st_dev, fact.st_ino) for fact in new)
        sizes.append(sum(fact.st_size for fact in new))
    return sizes


def prune_snapshots(root: Path, keep: Any, in_use: str) -> list[str]:  # noqa: ANN401 - checked here
    """
    Remove snapshots, and what killed builds left behind.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.
    keep : int or iterable of str
        How many of the newest snapshots to keep, or which.
    in_use : str
        A snapshot that is kept in any case, as the current one is.

    Returns
    -------
    list of str
        Ids of the removed snapshots, oldest first.

    Raises
    ------
    QueryError
        If ``keep`` is neither, or names a snapshot that there is not.
    MirrorLocked
        If another process is building.
    """
    with lock_mirror(root):
        clear_leftovers(root)
        names = [str(m["snapshot"]) for m in list_manifests(root)]
        kept = _choose_kept(names, keep)
        current = (root / disk.CURRENT).read_text(encoding="utf-8").strip()
        removed = [name for name in names if name not in {*kept, in_use, current}]
        for name in removed:
            folder = root / disk.SNAPSHOTS / name
            # Renamed first: a removal that is interrupted leaves no half snapshot.
            doomed = folder.with_name(f".building-{name}")
            try:
                folder.rename(doomed)
                shutil.rmtree(doomed)
            except OSError as error:
                raise MirrorError(f"the snapshot {folder} cannot be removed: {error}") from error
    return removed


def _choose_kept(names: list[str], keep: Any) -> list[str]:  # noqa: ANN401 - checked here
    """Return the snapshots to keep."""
    if isinstance(keep, str):
        keep = [keep]
    if isinstance(keep, list | tuple | set | frozenset | pd.Series | pd.Index):
        kept = list(keep)
        if unknown := [name for name in kept if name not in names]:
            raise QueryError(f"keep names {unknown[0]!r}, which is not a snapshot of the mirror")
        return kept
    return names[-check_whole(keep, "keep") :]
