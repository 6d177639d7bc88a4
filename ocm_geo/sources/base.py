"""What a source of stations is, and which one is asked when none is named."""

from __future__ import annotations

import os
from collections.abc import Sized
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from ocm_geo.errors import MirrorMissing, QueryError, SourceError
from ocm_geo.paths import expand_path
from ocm_geo.settings import API_KEY_VARIABLE, current, register_source_check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from ocm_geo.query import StationQuery
    from ocm_geo.reference import ReferenceData

__all__ = ["Source", "SourceLike", "check_setting", "resolve_source"]


_CHOICES = (
    "OpenChargeMap(), Mirror(path), TableSource(table), the path of a mirror, 'sample' or 'api'"
)
_METHODS = ("fetch", "has_any", "reference_data")
_LONGEST = 60


@runtime_checkable
class Source(Protocol):
    """
    Anything that answers a `StationQuery` completely and exactly.

    `OpenChargeMap`, `Mirror` and `sample` are sources. Any object with these three methods is one,
    and every function with a parameter ``source`` takes it.

    Methods
    -------
    fetch(query)
        Answer a question with a station table. It ends with ``query.answer(stations)``, which
        applies the filters and the order exactly and records the question, so that all sources
        answer alike. ``attrs["ocm"]`` holds at least ``source`` and ``attribution``; ``covers``
        (codes of the countries it holds, ``"BE NL"``) lets questions beyond them warn.
    has_any(query)
        Return whether any station lies in the place of a question, without reading them all.
    reference_data()
        Return the `ReferenceData` that the ids of its stations belong to.

    Notes
    -----
    A source that asks a server over the network has an attribute ``is_remote = True``: maps then
    ask it in the background.

    Examples
    --------
    A source that leaves out what is planned:

    >>> import ocm_geo as ocm
    >>> class Opened:
    ...     def __init__(self, source):
    ...         self.source = source
    ...
    ...     def fetch(self, query):
    ...         stations = self.source.fetch(query)
    ...         return stations[stations["status_type_id"] != 150]
    ...
    ...     def has_any(self, query):
    ...         return len(self.fetch(query)) > 0
    ...
    ...     def reference_data(self):
    ...         return self.source.reference_data()
    >>> opened = Opened(ocm.sample())
    >>> isinstance(opened, ocm.Source)
    True
    >>> len(ocm.stations(source=opened)) <= len(ocm.stations(source="sample"))
    True
    """

    def fetch(self, query: StationQuery) -> gpd.GeoDataFrame:
        """Answer a question, with ``attrs["ocm"]`` saying source, date, licence and query."""
        ...

    def has_any(self, query: StationQuery) -> bool:
        """Return whether any station is in the place of a question."""
        ...

    def reference_data(self) -> ReferenceData:
        """Return the reference data that belong to the stations."""
        ...


SourceLike: TypeAlias = Source | str | os.PathLike[str]
"""What a parameter ``source`` takes: a source, the path of a mirror, ``"sample"`` or ``"api"``."""


def resolve_source(source: object = None) -> Source:
    """
    Find the source to ask.

    Parameters
    ----------
    source : Source, path, "sample" or "api", optional
        The one that the caller named: an object that answers questions, the folder of a mirror,
        the bundled sample or the live API. Without it: the configured one,
        else the live API where a key is configured or in ``OCM_API_KEY``.

    Returns
    -------
    Source
        The source.

    Raises
    ------
    QueryError
        If what was named is not a source.
    SourceError
        If none was named and there is none to fall back on, or there is no mirror at the path.
    """
    settings = current()
    chosen = settings.source if source is None else source
    if chosen is None or _is_api(chosen):
        return _open_live_api(settings.key())
    if isinstance(chosen, str | os.PathLike):
        return _open_named(os.fspath(chosen))
    if isinstance(chosen, type) or not isinstance(chosen, Source):
        raise QueryError(f"source must be {_CHOICES}, not {_describe_non_source(chosen)}")
    return chosen


def check_setting(source: object) -> object:
    """Check a source that is configured, and open it at once; the live API may wait for its key."""
    return source if source is None or _is_api(source) else resolve_source(source)


register_source_check(check_setting)


def _is_api(source: object) -> bool:
    return isinstance(source, str) and source == "api"


def _load_kind(module: str, name: str) -> Callable[..., Source]:
    """
    Load a kind of source when it is first opened.

    By name, since a mirror is updated from any source: the modules of sources resolve sources, and
    could not be imported from here.
    """
    opener: Callable[..., Source] = getattr(import_module(f"ocm_geo.sources.{module}"), name)
    return opener


def _open_named(name: str) -> Source:
    """Open the sample or the mirror of a folder."""
    if name == "sample":
        return _load_kind("sample", "sample")()
    folder = expand_path(name, "source").absolute()
    if (folder / "current").is_file():
        return _open_mirror_folder(folder, (folder / "current").read_text(encoding="utf-8").strip())
    raise MirrorMissing(f"source={name!r}: {_explain_unopened(name, folder)}")


def _explain_unopened(name: str, folder: Path) -> str:
    """Explain why a text or path names no source, and what to do."""
    if near := get_close_matches(name.strip().casefold(), ("sample", "api"), cutoff=0.6):
        return f"there is no such mirror; did you mean {near[0]!r}?"
    if folder.is_file():
        return (
            "this is a file, and a source is the folder of a mirror: build one from the file with "
            "Mirror.build(folder, file)"
        )
    found = "this folder is not a mirror" if folder.is_dir() else "there is no such folder"
    return f"{found}: pass {_CHOICES}; Mirror.build(folder, data) builds a mirror"


@lru_cache(maxsize=4)
def _open_mirror_folder(folder: Path, snapshot: str) -> Source:
    """Open a mirror once for each snapshot, so that a path is as fast as the object."""
    return _load_kind("mirror", "Mirror")(folder, snapshot)


def _describe_non_source(value: object) -> str:
    """Return the type and a short form of a value that is not a source, and the remedy."""
    if isinstance(value, type):
        return f"the class {value.__name__}: call it, {value.__name__}(...)"
    if callable(value):
        name = getattr(value, "__name__", type(value).__name__)
        return f"the function {name}: call it, {name}()"
    if hasattr(value, "columns"):
        size = f" of {len(value)} rows" if isinstance(value, Sized) else ""
        return (
            f"a {type(value).__name__}{size}: a table answers questions as TableSource(table); "
            "StationQuery.build(...).mask(table) filters it"
        )
    missing = [name for name in _METHODS if not hasattr(value, name)]
    lacks = f", which has no {missing[0]}()" if len(missing) < len(_METHODS) else ""
    return f"the {type(value).__name__} {_shorten_repr(value)}{lacks}"


def _shorten_repr(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _open_live_api(key: str | None) -> Source:
    """Open the live API; without a key, explain which sources there are."""
    if key is None:
        raise SourceError(
            "no source of stations: (1) set an API key, in the environment variable "
            f"{API_KEY_VARIABLE} or by configure(api_key=…), to ask the live API (a key is free: "
            "sign in at openchargemap.org, 'my apps'); (2) build a local copy with "
            "Mirror.build(path, data) and pass source=path; or (3) pass source=sample() "
            "for the bundled, invented stations"
        )
    return _load_kind("api", "OpenChargeMap")(key)
