"""Which way stations come into a mirror: each kind of source has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocm_geo.sources.api import BASE_URL, OpenChargeMap
from ocm_geo.sources.base import resolve_source
from ocm_geo.sources.incoming import take_snapshot, take_source
from ocm_geo.sources.loaded import LoadedSnapshot
from ocm_geo.sources.walks import take_api

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ocm_geo.sources.base import SourceLike
    from ocm_geo.sources.http import Transport
    from ocm_geo.sources.incoming import Incoming

__all__ = ["choose_intake"]


def choose_intake(
    root: Path, source: SourceLike | None, *, full: bool
) -> Callable[[dict[str, Any], str], Incoming]:
    """
    Choose how the stations of a source come into a mirror.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.
    source : Source, path, "sample" or "api", optional
        The source; by default the server that the mirror was made from, else the live API.
    full : bool
        Take everything.

    Returns
    -------
    callable
        Takes what the last update left and the id of the current snapshot, and returns what comes
        in.

    Raises
    ------
    QueryError, SourceError
        If it is not a source.
    """
    if source is None:
        return lambda origin, base: take_api(_open_api(origin), root, origin, base, full=full)
    chosen = resolve_source(source)
    if isinstance(chosen, OpenChargeMap):
        return lambda origin, base: take_api(chosen.transport, root, origin, base, full=full)
    loaded = getattr(chosen, "loaded", None)
    if isinstance(loaded, LoadedSnapshot):
        return lambda _origin, _base: take_snapshot(loaded)
    return lambda _origin, _base: take_source(chosen)


def _open_api(origin: dict[str, Any]) -> Transport:
    """Open the server that the last update asked; a mirror of bulk data has none."""
    return OpenChargeMap(base_url=origin.get("url", BASE_URL)).transport
