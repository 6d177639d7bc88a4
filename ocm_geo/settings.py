"""Process-wide defaults: which source is asked, with which key, and where answers are kept."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["API_KEY_VARIABLE", "Settings", "configure", "current", "register_source_check", "using"]

API_KEY_VARIABLE = "OCM_API_KEY"


@dataclass(frozen=True)
class Settings:
    """
    The defaults in force.

    Parameters
    ----------
    source : Source, path, "sample" or "api", optional
        Where stations come from when a function is given no ``source``; checked, and a mirror
        opened, when it is set.
    api_key : str, optional
        Open Charge Map API key; never shown in the representation. Without it, the
        environment variable ``OCM_API_KEY`` is read when the key is needed.
    cache_dir : pathlib.Path
        Folder of the answers kept from the live API.
    cache_hours : float
        How long an identical question is answered from the cache; 0 turns the cache off.
    contact : str, optional
        Mail address or web page that the ``User-Agent`` names, as Open Charge Map asks.
    """

    source: Any = None
    api_key: str | None = field(default=None, repr=False)
    cache_dir: Path = field(default_factory=lambda: Path(platformdirs.user_cache_dir("ocm_geo")))
    cache_hours: float = 24.0
    contact: str | None = None

    def key(self) -> str | None:
        """
        Give the API key: the configured one, else the environment's.

        Returns
        -------
        str or None
            The key, or None where there is none.
        """
        return self.api_key or os.environ.get(API_KEY_VARIABLE) or None

    def __getstate__(self) -> dict[str, Any]:
        # A pickle travels to workers and log files: the key stays behind.
        return {**self.__dict__, "api_key": None}


_source_check: Callable[[object], object] | None = None


def register_source_check(check: Callable[[object], object]) -> None:
    """Register the check of a configured source; sources are a layer above the settings."""
    global _source_check  # noqa: PLW0603 - set once, when the sources are loaded
    _source_check = check


_process = Settings()
_block: ContextVar[dict[str, Any] | None] = ContextVar("ocm_geo_settings", default=None)


def current() -> Settings:
    """
    Give the settings in force here: those of the block, else those of the process.

    Returns
    -------
    Settings
        The defaults in force.
    """
    # A block lays its own changes over whatever the process default is by then.
    return replace(_process, **(_block.get() or {}))


def configure(**changes: Any) -> Settings:  # noqa: ANN401 - the fields of Settings, checked below
    """
    Set defaults for the whole process.

    Parameters
    ----------
    **changes : object
        Any of ``source``, ``api_key``, ``cache_dir``, ``cache_hours``, ``contact``.

    Returns
    -------
    Settings
        The defaults now in force.

    Raises
    ------
    QueryError
        If a name is not a setting, or a value cannot be one.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.configure(source=ocm.sample(), cache_hours=24).cache_hours
    24.0
    >>> _ = ocm.configure(source=None)
    """
    global _process  # noqa: PLW0603 - the one place where the process default changes
    _process = replace(_process, **_checked(changes))
    return current()


@contextmanager
def using(**changes: Any) -> Iterator[Settings]:  # noqa: ANN401 - as configure
    """
    Set defaults for a ``with`` block, in this thread or task alone.

    Parameters
    ----------
    **changes : object
        As for `configure`.

    Yields
    ------
    Settings
        The defaults in force in the block.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> with ocm.using(source=ocm.sample()):
    ...     stations = ocm.stations(max_results=None)
    """
    token = _block.set({**(_block.get() or {}), **_checked(changes)})
    try:
        yield current()
    finally:
        _block.reset(token)


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    names = set(Settings.__dataclass_fields__)
    if unknown := sorted(set(changes) - names):
        raise QueryError(f"unknown setting {unknown[0]!r}: choose from {sorted(names)}")
    if "source" in changes and _source_check is not None:
        changes = {**changes, "source": _source_check(changes["source"])}
    if "cache_dir" in changes:
        changes = {**changes, "cache_dir": Path(changes["cache_dir"]).expanduser()}
    if "cache_hours" in changes:
        changes = {**changes, "cache_hours": _hours(changes["cache_hours"])}
    return changes


def _hours(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise QueryError(f"cache_hours must be a number of hours, 0 or more, not {value!r}")
    return float(value)
