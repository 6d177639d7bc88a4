"""Answers of the live API kept on disk: an aid that may fail without costing an answer.

requests-cache decides what is kept, under which key and for how long. Its SQLite backend waits
without end for a lock or a full disk, so the storage here is one private file per answer, its
checksum and its JSON, written beside and renamed: nothing is locked, and a damaged file is an
answer that is not there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import requests_cache
from requests_cache.backends import BaseCache, BaseStorage
from requests_cache.cache_keys import create_key
from requests_cache.serializers import json_serializer

from ocm_geo.errors import OCMWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from ocm_geo.settings import Settings

__all__ = ["open_session"]

_SUFFIX = ".answer.json"
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700
_FINGERPRINT = 16


def open_session(
    settings: Settings,
    *,
    api_key: str | None,
    secrets: tuple[str, ...],
    is_complete: Callable[[requests.Response], bool],
) -> requests.Session:
    """
    Open a session that keeps complete answers for `Settings.cache_hours`.

    Parameters
    ----------
    settings : Settings
        Folder and hours of the cache.
    api_key : str or None
        Answers are kept apart by a fingerprint of the key, so that a wrong key is noticed.
    secrets : tuple of str
        Headers and parameters that are removed before an answer is kept.
    is_complete : callable
        Takes a response and returns whether it may be kept.

    Returns
    -------
    requests_cache.CachedSession
        The session.
    """
    # The fingerprint is not the key: keys are random, so that no list of guesses leads back.
    mark = hashlib.sha256((api_key or "").encode()).hexdigest()[:_FINGERPRINT]
    session: requests.Session = requests_cache.CachedSession(
        backend=_AnswerCache(settings.cache_dir / "answers", settings.cache_hours),
        expire_after=dt.timedelta(hours=settings.cache_hours),
        allowable_codes=(200,),
        ignored_parameters=secrets,
        filter_fn=is_complete,
        key_fn=partial(_create_marked_key, mark=mark),
    )
    return session


def _create_marked_key(*arguments: Any, mark: str, **options: Any) -> str:  # noqa: ANN401
    """Return the key of a question asked with one API key."""
    return f"{create_key(*arguments, **options)}-{mark}"


class _AnswerCache(BaseCache):  # type: ignore[misc] # requests-cache has no types
    """A cache of requests-cache whose answers are files of their own."""

    def __init__(self, folder: Path, hours: float) -> None:
        super().__init__(cache_name=str(folder))
        self.responses = _AnswerFiles(folder, hours)


class _AnswerFiles(BaseStorage):  # type: ignore[misc] # likewise
    """One private JSON file per answer; what fails is a miss, with one warning per folder."""

    _told: ClassVar[set[Path]] = set()
    """Folders that were warned about, in this process."""

    def __init__(self, folder: Path, hours: float) -> None:
        super().__init__(serializer=json_serializer)
        self._folder = folder
        self._hours = hours
        with self._warn_on_failure():
            folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
            self._remove_expired()

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - a response, as requests-cache has it
        """Return an answer; KeyError if it is not there or cannot be read."""
        try:
            mark, _, text = self._find_answer_path(key).read_text(encoding="utf-8").partition("\n")
        except (OSError, ValueError):
            raise KeyError(key) from None
        if mark != _hash_answer(text):
            raise KeyError(key)
        found = self.deserialize(key, text)
        if found is None:
            # Kept by another version of requests-cache.
            raise KeyError(key)
        return found

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401
        """Keep an answer; a full or read-only disk costs a warning."""
        with self._warn_on_failure():
            text = self.serialize(value)
            self._write_private(self._find_answer_path(key), f"{_hash_answer(text)}\n{text}")

    def __delitem__(self, key: str) -> None:
        """Remove an answer, if it is there."""
        with self._warn_on_failure():
            self._find_answer_path(key).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys."""
        with suppress(OSError):
            yield from (path.name.removesuffix(_SUFFIX) for path in self._list_answer_files())

    def __len__(self) -> int:
        """Return the number of answers."""
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove all answers."""
        for key in list(self):
            del self[key]

    def _find_answer_path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _list_answer_files(self) -> Iterator[Path]:
        return self._folder.glob(f"*{_SUFFIX}")

    def _write_private(self, path: Path, text: str) -> None:
        """Write beside and rename, so that no reader sees half an answer."""
        handle, scratch = tempfile.mkstemp(dir=self._folder, prefix=".answer-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(scratch).chmod(_PRIVATE_FILE)
            Path(scratch).replace(path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise

    def _remove_expired(self) -> None:
        """Remove answers too old to be used: nobody asks for them again by their key."""
        oldest = time.time() - self._hours * 3600
        for path in self._list_answer_files():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    @contextmanager
    def _warn_on_failure(self) -> Iterator[None]:
        """Go on without the cache after a failure, and warn once per folder."""
        try:
            yield
        except OSError as error:
            if self._folder in self._told:
                return
            self._told.add(self._folder)
            warnings.warn(
                f"answers of the API are not kept: the cache folder {self._folder} cannot be used "
                f"({error}). Set another with configure(cache_dir=...), or turn the cache off with "
                "cache_hours=0",
                OCMWarning,
                stacklevel=2,
            )


def _hash_answer(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
