"""One builder at a time, working beside the mirror: its lock, its scratch folder, its switch."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from ocm_geo.errors import MirrorLocked
from ocm_geo.sources import snapshot as disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["clear_leftovers", "lock_mirror", "scratch_folder", "switch_snapshot"]

_LOCK = ".lock"
_SCRATCH = ".building-"


@contextlib.contextmanager
def lock_mirror(root: Path) -> Iterator[None]:
    """
    Hold the lock of a mirror.

    The system frees the lock when the process ends, however it ends; the file itself says nothing.

    Parameters
    ----------
    root : pathlib.Path
        The mirror, which exists.

    Raises
    ------
    MirrorLocked
        If another process, or another thread, holds the lock.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - used here alone

    lock = FileLock(root / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise MirrorLocked(
            f"another process is building the mirror {root}: wait until it has ended"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """
    Work in a folder beside the snapshots that vanishes if the work fails.

    What builds that were killed left behind is removed first.

    Parameters
    ----------
    root : pathlib.Path
        The mirror, whose lock is held.

    Yields
    ------
    pathlib.Path
        The folder.
    """
    clear_leftovers(root)
    folder = root / disk.SNAPSHOTS / f"{_SCRATCH}{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers(root: Path) -> None:
    """
    Remove what builds that were killed left behind.

    Parameters
    ----------
    root : pathlib.Path
        The mirror, whose lock is held: whatever is under construction is of nobody alive.
    """
    snapshots = root / disk.SNAPSHOTS
    for left in [*snapshots.glob(f"{_SCRATCH}*"), *root.glob(f".{disk.CURRENT}-*")]:
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def switch_snapshot(root: Path, folder: Path, name: str) -> None:
    """
    Put a finished snapshot in its place and make it the current one, in one step.

    Everything is on the disk before the step, so that a loss of power leaves the old or the new.

    Parameters
    ----------
    root : pathlib.Path
        The mirror, whose lock is held.
    folder : pathlib.Path
        The finished snapshot.
    name : str
        Its id.
    """
    for path in folder.iterdir():
        _flush_to_disk(path)
    _flush_to_disk(folder)
    folder.rename(root / disk.SNAPSHOTS / name)
    _flush_to_disk(root / disk.SNAPSHOTS)
    beside = root / f".{disk.CURRENT}-{os.getpid()}"
    beside.write_text(name + "\n", encoding="utf-8")
    _flush_to_disk(beside)
    beside.replace(root / disk.CURRENT)
    _flush_to_disk(root)


def _flush_to_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk, where the system has a way to ask."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
