"""Keep the defaults of the process: the source, the API key, and the cache of answers."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from ocm_geo.checks import check_number, check_whole, is_duration, minutes_of, short_form
from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "API_KEY_VARIABLE",
    "LIMITS",
    "Settings",
    "configure",
    "current",
    "name_limit",
    "register_source_check",
    "using",
]

API_KEY_VARIABLE = "OCM_API_KEY"


@dataclass(frozen=True)
class Settings:
    """
    The current defaults.

    Parameters
    ----------
    source : Source, path, "sample" or "api", optional
        The source of functions without ``source``; it is checked, and a mirror opened, when it
        is set.
    api_key : str, optional
        Open Charge Map API key; never shown in the representation. Without it, the
        environment variable ``OCM_API_KEY`` is read when the key is needed.
    cache_dir : pathlib.Path
        Folder of the cached answers of the live API.
    cache_hours : float
        How long an identical question is answered from the cache; 0 disables the cache.
    contact : str, optional
        Mail address or web page for the ``User-Agent``, as Open Charge Map requests.
    max_answer_mib : float
        Largest answer of the live API, decompressed (MiB).
    max_unpacked_gib : float
        Most text that a compressed file or an archive of bulk data may hold (GiB).
    max_record_mib : float
        Longest record of bulk data (MiB).
    max_text_mib : float
        Longest bulk data in CSV, or in a string of JSON, which are read at once (MiB).
    max_nesting : int
        Levels of a value that is kept as JSON, 200 at most; a deeper value is made missing.
    max_connections : int
        Most connections of a record.
    """

    source: Any = None
    api_key: str | None = field(default=None, repr=False)
    cache_dir: Path = field(default_factory=lambda: Path(platformdirs.user_cache_dir("ocm_geo")))
    cache_hours: float = 24.0
    contact: str | None = None
    max_answer_mib: float = 512.0
    max_unpacked_gib: float = 16.0
    max_record_mib: float = 16.0
    max_text_mib: float = 256.0
    max_nesting: int = 50
    max_connections: int = 10_000

    def key(self) -> str | None:
        """
        Return the API key: the configured one, else that of the environment.

        Returns
        -------
        str or None
            The key; None without one.
        """
        return self.api_key or os.environ.get(API_KEY_VARIABLE) or None

    def __getstate__(self) -> dict[str, Any]:
        # Pickles reach workers and log files: they must not contain the key.
        return {**self.__dict__, "api_key": None}


_source_check: Callable[[object], object] | None = None


def register_source_check(check: Callable[[object], object]) -> None:
    """Register the check of a configured source, which belongs to a layer above."""
    global _source_check  # noqa: PLW0603 - set once, when the sources are loaded
    _source_check = check


_process = Settings()
_block: ContextVar[dict[str, Any] | None] = ContextVar("ocm_geo_settings", default=None)


def current() -> Settings:
    """
    Return the current settings: those of the block, else those of the process.

    Returns
    -------
    Settings
        The current defaults.
    """
    # A block changes only its own fields: other defaults of the process may change meanwhile.
    changes = _block.get()
    return replace(_process, **changes) if changes else _process


def name_limit(name: str) -> str:
    """
    Name a limit in a message: its value, and what raises it.

    Parameters
    ----------
    name : str
        One of `LIMITS`.

    Returns
    -------
    str
        Words for the end of a sentence, without a colon.
    """
    return f"{name}={getattr(current(), name):,g} (configure({name}=…) raises the limit)"


def configure(**changes: Any) -> Settings:  # noqa: ANN401 - the fields of Settings, checked below
    """
    Set defaults for the whole process.

    Parameters
    ----------
    **changes : object
        Any of ``source``, ``api_key``, ``cache_dir``, ``cache_hours``, ``contact``, and the
        limits on the size of foreign data: ``max_answer_mib``, ``max_unpacked_gib``,
        ``max_record_mib``, ``max_text_mib``, ``max_nesting``, ``max_connections``. `Settings`
        describes them.

    Returns
    -------
    Settings
        The new defaults.

    Raises
    ------
    QueryError
        If a name or a value is invalid.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.configure(source=ocm.sample(), cache_hours=24).cache_hours
    24.0
    >>> _ = ocm.configure(source=None)
    """
    global _process  # noqa: PLW0603 - the one place where the process default changes
    _process = replace(_process, **_check_settings(changes))
    return current()


@contextmanager
def using(**changes: Any) -> Iterator[Settings]:  # noqa: ANN401 - as configure
    """
    Set defaults for a ``with`` block, only in this thread or task.

    Parameters
    ----------
    **changes : object
        As for `configure`.

    Yields
    ------
    Settings
        The defaults of the block.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> with ocm.using(source=ocm.sample()):
    ...     stations = ocm.stations(max_results=None)
    """
    token = _block.set({**(_block.get() or {}), **_check_settings(changes)})
    try:
        yield current()
    finally:
        _block.reset(token)


def _check_settings(changes: dict[str, Any]) -> dict[str, Any]:
    """Check settings by name; a source is opened at once, so that a wrong path fails here."""
    checked = {}
    for name, value in changes.items():
        if name not in _CHECKS:
            raise QueryError(f"unknown setting {name!r}: choose from {sorted(_CHECKS)}")
        checked[name] = _CHECKS[name](name, value)
    return checked


def _check_source_setting(_: str, value: object) -> object:
    return value if _source_check is None else _source_check(value)


def _check_text_setting(name: str, value: object) -> str | None:
    """Check an optional text; a wrong value is not repeated, because it may be a key."""
    if value is None or isinstance(value, str):
        return value or None
    raise QueryError(f"{name} must be a text or None, not of type {type(value).__name__}")


def _check_folder_setting(name: str, value: object) -> Path:
    """Check the path of a folder, which need not exist."""
    if not isinstance(value, str | os.PathLike) or value == "":
        raise QueryError(f"{name} must be the path of a folder, not {short_form(value)}")
    return Path(value).expanduser()


def _check_hours_setting(name: str, value: Any) -> float:  # noqa: ANN401 - checked here
    """Check a number of hours; a timedelta is converted."""
    hours = minutes_of(value) / 60 if is_duration(value) else value
    return check_number(hours, name, low=0.0, unit="hours")


def _check_limit_setting(name: str, value: object) -> float:
    """Check a limit in MiB or GiB; a smaller one would refuse real data."""
    return check_number(value, name, low=1.0, unit="GiB" if name.endswith("gib") else "MiB")


def _check_nesting(name: str, value: object) -> int:
    """Check a limit of nesting: deeper values would need more stack than Python has."""
    return check_whole(value, name, high=200)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "source": _check_source_setting,
    "api_key": _check_text_setting,
    "cache_dir": _check_folder_setting,
    "cache_hours": _check_hours_setting,
    "contact": _check_text_setting,
    "max_answer_mib": _check_limit_setting,
    "max_unpacked_gib": _check_limit_setting,
    "max_record_mib": _check_limit_setting,
    "max_text_mib": _check_limit_setting,
    "max_nesting": _check_nesting,
    "max_connections": lambda name, value: check_whole(value, name),
}

LIMITS = tuple(name for name in _CHECKS if name.startswith("max_"))
"""Settings that limit the size of foreign data."""
