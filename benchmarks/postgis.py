"""A PostGIS of our own, for truth and comparison: started for a benchmark, gone after it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Database", "available", "database"]

_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=512MB",
    "work_mem=256MB",
    "jit=off",
    "listen_addresses=",
)


def available() -> bool:
    """
    Say whether PostGIS is installed.

    Returns
    -------
    bool
        True where the programs and the extension of one version are found.
    """
    return _programs() is not None


def _programs() -> Path | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        version = folder.parent.name
        if Path(f"/usr/share/postgresql/{version}/extension/postgis.control").exists():
            return folder
    return None


class Database:
    """
    A running database.

    Parameters
    ----------
    socket : pathlib.Path
        Folder of its socket.
    user : str
        Its owner.
    """

    def __init__(self, socket: Path, user: str) -> None:
        self.socket = socket
        self._psql = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        self._psql += ["-h", str(socket), "-U", user, "-d", "postgres"]

    def run(self, sql: str, rows: Iterable[str] = ()) -> list[str]:
        """
        Run SQL.

        Parameters
        ----------
        sql : str
            One or more statements.
        rows : iterable of str
            Tab-separated lines for a ``copy … from stdin``.

        Returns
        -------
        list of str
            The lines of the answer.
        """
        lines = list(rows)
        end = "\n" + "\n".join(lines) + "\n\\.\n" if lines else "\n"
        done = subprocess.run(  # noqa: S603 - our own words
            self._psql, input=sql + end, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()


@contextmanager
def database() -> Iterator[Database]:
    """
    Start a database in a folder of its own, reached by a socket there.

    Yields
    ------
    Database
        With PostGIS loaded.
    """
    programs = _programs()
    if programs is None:
        raise RuntimeError("PostGIS is not installed: postgresql and its postgis package")
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="ocm-geo-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)

    def call(*command: str) -> None:
        start = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
        subprocess.run(  # noqa: S603 - our own words
            [*start, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder
        )

    data = folder / "data"
    call(str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", user)
    options = " ".join(f"-c {setting}" for setting in _SETTINGS) + f" -k {folder}"
    control = str(programs / "pg_ctl")
    call(control, "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        running = Database(folder, user)
        running.run("create extension postgis;")
        yield running
    finally:
        call(control, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)
