"""Expand and check the paths of users, and replace files in one step."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["expand_path", "list_data", "replacing", "write_whole"]

# Names that Windows reserves for devices, with any suffix.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))]
)


def expand_path(path: str | os.PathLike[str], name: str = "path") -> Path:
    """
    Return a path with ``~`` expanded.

    Parameters
    ----------
    path : str or path-like
        The argument.
    name : str
        Name of the argument, for the message.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    QueryError
        If it is not a path, is empty, or its home folder cannot be found.
    """
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise QueryError(f"{name} must be a path (text or pathlib.Path), not {short_form(path)}")
    if not text.strip() or "\0" in text:
        raise QueryError(f"{name}={text!r} is not the path of a file or folder")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise QueryError(f"the home folder in {text!r} cannot be found: {error}") from error


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """
    Write a file beside its target, and replace the target with the complete file.

    Parameters
    ----------
    target : pathlib.Path
        The file to write.

    Yields
    ------
    pathlib.Path
        The path to write: a file of the same name in a temporary folder beside the target.

    Raises
    ------
    QueryError
        If the folder does not exist or the file cannot be written; an earlier file is kept.
    """
    try:
        _check_target(target)
        place = target.resolve() if target.is_symlink() else target
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".ocm_geo-") as folder:
            scratch = Path(folder) / place.name
            yield scratch
            scratch.replace(place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise QueryError(f"{target} cannot be written: {reason}") from error


def write_whole(target: Path, text: str) -> Path:
    """
    Replace a text file in one step, in UTF-8.

    Parameters
    ----------
    target : pathlib.Path
        The file to write.
    text : str
        Its text.

    Returns
    -------
    pathlib.Path
        The target.

    Raises
    ------
    QueryError
        If the file cannot be written; an earlier file is kept.
    """
    with replacing(target) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="")
    return target


def _check_target(target: Path) -> None:
    """Check that a file can be written at a path."""
    if target.is_dir():
        raise QueryError(f"{target} cannot be written: it is a folder")
    if not target.parent.is_dir():
        wrong = "is a file" if target.parent.exists() else "does not exist: create it first"
        raise QueryError(f"{target} cannot be written: the folder {target.parent} {wrong}")
    if os.name == "nt" and target.name.partition(".")[0].rstrip().lower() in _DEVICES:
        raise QueryError(f"{target} cannot be written: Windows reserves the name {target.name!r}")


def list_data(data: object) -> list[Any]:
    """
    Return the data of a build as a list.

    Parameters
    ----------
    data : path or iterable of paths
        The argument.

    Returns
    -------
    list
        The paths.

    Raises
    ------
    QueryError
        If it is neither.
    """
    if isinstance(data, str | os.PathLike):
        return [data]
    if not isinstance(data, Iterable):
        raise QueryError(f"data must be a path or a list of paths, not {short_form(data)}")
    return list(data)
