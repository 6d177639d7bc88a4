"""Git clones of the export with a file for each station: what changed since a commit."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocm_geo.paths import expand_path, list_data
from ocm_geo.sources.opening import POI_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CloneChanges", "clone_state", "find_clone_changes"]

# Neither hooks nor programs that a repository names are run: it may come from anywhere.
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_GIT_TIMEOUT_S = 300


@dataclass(frozen=True)
class CloneChanges:
    """
    What changed in a clone.

    Parameters
    ----------
    folder : pathlib.Path
        The clone, or a folder in it.
    changed : list of pathlib.Path
        Files that were added or changed.
    deleted : frozenset of int
        Ids of the stations whose files were deleted.
    """

    folder: Path
    changed: list[Path]
    deleted: frozenset[int]


def clone_state(data: Any) -> dict[str, Any]:  # noqa: ANN401 - checked here
    """
    Return what a later update has to know of a clone.

    Parameters
    ----------
    data : path or iterable of paths
        What is read.

    Returns
    -------
    dict
        ``commit``, if the data are one clone whose files are those of the commit; else nothing.
    """
    folder = _find_clone(data)
    # Ignored files count: git would never tell that they changed.
    status = ("status", "--porcelain", "--ignored", "--", ".")
    if folder is None or _run_git(folder, *status) != "":
        return {}
    commit = _run_git(folder, "rev-parse", "--verify", "HEAD")
    return {"commit": commit.strip()} if commit else {}


def find_clone_changes(data: Any, commit: str | None) -> CloneChanges | None:  # noqa: ANN401
    """
    Find what changed in a clone since a commit.

    Parameters
    ----------
    data : path or iterable of paths
        What is read.
    commit : str or None
        The commit that a mirror was made from.

    Returns
    -------
    CloneChanges or None
        None if it cannot be known, and everything has to be read: the data are not one clone,
        there is no git, or the clone does not have the commit.
    """
    folder = _find_clone(data)
    if folder is None or commit is None:
        return None
    options = ("--name-status", "--no-renames", "--no-ext-diff", "--no-textconv", "--relative")
    listed = _run_git(folder, "diff", *options, "-z", commit, "--", ".")
    new = _run_git(folder, "ls-files", "--others", "-z", "--", ".")
    if listed is None or new is None:
        return None
    words = listed.split("\0")[:-1]
    states = dict(zip(words[1::2], words[::2], strict=True)) | dict.fromkeys(_split_names(new), "A")
    changed = [name for name, state in states.items() if state != "D" and _read_file_number(name)]
    # A file that moved to another country is deleted and added: the station is still there.
    present = {_read_file_number(name) for name in changed}
    deleted = {_read_file_number(name) for name, state in states.items() if state == "D"} - present
    return CloneChanges(
        folder,
        sorted(folder / name for name in changed),
        frozenset(number for number in deleted if number is not None),
    )


def _split_names(text: str) -> Iterable[str]:
    return (name for name in text.split("\0") if name)


def _read_file_number(name: str) -> int | None:
    """Return the id of the station that a file is of; None for other files."""
    match = POI_FILE.fullmatch(Path(name).name)
    return int(match[1]) if match else None


def _find_clone(data: Any) -> Path | None:  # noqa: ANN401 - checked here
    """Return the folder, if the data are one folder under git."""
    paths = list_data(data)
    if len(paths) != 1:
        return None
    folder = expand_path(paths[0], "data")
    if not folder.is_dir() or shutil.which("git") is None:
        return None
    return folder if _run_git(folder, "rev-parse", "--git-dir") else None


def _run_git(folder: Path, *arguments: str) -> str | None:
    """Run git in a folder; None if it fails."""
    call = ["git", *_SAFE, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - git's own words, no shell
            call, capture_output=True, check=False, timeout=_GIT_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
