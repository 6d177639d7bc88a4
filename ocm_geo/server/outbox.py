"""The outbox: comments that were submitted to a mirror, kept until somebody sends them on.

.. code-block:: text

    outbox/
    ├── waiting/     submitted, not sent
    ├── sending/     being sent, or broken off while they were: never sent again by itself
    └── sent/        accepted by Open Charge Map

A comment is one file, written whole and moved from folder to folder in one step.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout

from ocm_geo.errors import ApiKeyError, MirrorError, MirrorLocked, OCMError, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["STATES", "CommentApi", "Letter", "Outbox", "SendReport"]

STATES = ("waiting", "sending", "sent")
_LOCK = ".lock"


class CommentApi(Protocol):
    """What sends a comment: `OpenChargeMap`, or a test's own."""

    def submit_comment(
        self,
        ocm_id: int,
        *,
        comment_type: int | str,
        checkin_status: int | str,
        comment: str | None = None,
        user_name: str | None = None,
        rating: int | None = None,
        related_url: str | None = None,
        send: bool = False,
    ) -> object:
        """Send a comment."""
        ...


@dataclass(frozen=True)
class Letter:
    """
    A comment of the outbox.

    Parameters
    ----------
    name : str
        Its id here.
    state : {"waiting", "sending", "sent"}
        What became of it.
    received : str
        When it was submitted, ISO 8601.
    comment : dict
        Its fields, as Open Charge Map names them.
    """

    name: str
    state: str
    received: str
    comment: dict[str, Any]


@dataclass(frozen=True)
class SendReport:
    """
    What became of the comments that were to be sent.

    Parameters
    ----------
    n_sent : int
        Accepted.
    refused : dict of str to str
        Reasons by id; these wait on.
    uncertain : dict of str to str
        Reasons by id; these may have arrived, and are not sent again.
    """

    n_sent: int
    refused: dict[str, str]
    uncertain: dict[str, str]


class Outbox:
    """
    A folder of submitted comments.

    Parameters
    ----------
    folder : pathlib.Path
        The folder; made with the first comment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, comment: dict[str, Any]) -> str:
        """
        Keep a comment: when this returns, it is on disk.

        Parameters
        ----------
        comment : dict
            Its fields, as Open Charge Map names them.

        Returns
        -------
        str
            Its id here.

        Raises
        ------
        MirrorError
            If it cannot be written.
        """
        now = dt.datetime.now(dt.UTC)
        name = f"{now:%Y%m%dT%H%M%S.%fZ}-{uuid.uuid4().hex[:12]}"
        document = {"received": now.isoformat(timespec="seconds"), "comment": comment}
        try:
            for state in STATES:
                (self.folder / state).mkdir(parents=True, exist_ok=True)
            _write_durably(self._path("waiting", name), json.dumps(document, indent=1))
        except OSError as error:
            raise MirrorError(f"the outbox {self.folder} cannot be written: {error}") from error
        return name

    def list_letters(self) -> list[Letter]:
        """
        List the comments, oldest first.

        Returns
        -------
        list of Letter
            Waiting, uncertain and sent ones.

        Raises
        ------
        MirrorError
            If a file cannot be read.
        """
        letters = [letter for state in STATES for letter in self._read_state(state)]
        return sorted(letters, key=lambda letter: letter.name)

    def send(self, api: CommentApi) -> SendReport:
        """
        Send the waiting comments, one after the other, each at most once.

        Parameters
        ----------
        api : OpenChargeMap
            Where to.

        Returns
        -------
        SendReport
            What became of them. After a failure that may have come after the comment arrived,
            that comment is set aside and no further one is sent.

        Raises
        ------
        MirrorLocked
            If another process is sending.
        MirrorError
            If the outbox cannot be read or written.
        """
        waiting = list(self._read_state("waiting"))
        if not waiting:
            return SendReport(0, {}, {})
        try:
            with FileLock(self.folder / _LOCK, timeout=0):
                return self._send_all(api, list(self._read_state("waiting")))
        except Timeout as error:
            raise MirrorLocked(f"the outbox {self.folder} is being sent already") from error
        except OSError as error:
            raise MirrorError(f"the outbox {self.folder} cannot be used: {error}") from error

    def _send_all(self, api: CommentApi, waiting: list[Letter]) -> SendReport:
        """Send comments; what is not known to have failed is never sent twice."""
        n_sent, refused, uncertain = 0, {}, {}
        for letter in waiting:
            # Set aside before it is sent: a process that is killed here leaves it there.
            self._move(letter.name, "waiting", "sending")
            try:
                api.submit_comment(**_name_fields(letter.comment), send=True)
            except (QueryError, ApiKeyError) as error:
                refused[letter.name] = str(error)
                self._move(letter.name, "sending", "waiting")
                if isinstance(error, ApiKeyError):
                    break
            except OCMError as error:
                uncertain[letter.name] = str(error)
                break
            else:
                self._move(letter.name, "sending", "sent")
                n_sent += 1
        return SendReport(n_sent, refused, uncertain)

    def _path(self, state: str, name: str) -> Path:
        return self.folder / state / f"{name}.json"

    def _move(self, name: str, old: str, new: str) -> None:
        """Move a comment from one state to another, for good."""
        self._path(old, name).replace(self._path(new, name))
        _sync_folder(self.folder / new)

    def _read_state(self, state: str) -> Iterator[Letter]:
        """Read the comments of a state."""
        for path in sorted((self.folder / state).glob("*.json")):
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
                yield Letter(path.stem, state, document["received"], document["comment"])
            except FileNotFoundError:
                # Another process moved it on.
                continue
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise MirrorError(f"the comment {path} cannot be read: {error}") from error


def _name_fields(comment: dict[str, Any]) -> dict[str, Any]:
    """Name the fields of a comment as `OpenChargeMap.submit_comment` does."""
    return {
        "ocm_id": comment["ChargePointID"],
        "comment_type": comment["CommentTypeID"],
        "checkin_status": comment.get("CheckinStatusTypeID"),
        "comment": comment.get("Comment"),
        "user_name": comment.get("UserName"),
        "rating": comment.get("Rating"),
        "related_url": comment.get("RelatedURL"),
    }


def _write_durably(path: Path, text: str) -> None:
    """Write a file whole, and wait until the disk has it."""
    scratch = path.with_suffix(".part")
    with scratch.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    scratch.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder; Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
