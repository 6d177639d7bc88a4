"""What a source of stations is, and which one is asked when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ocm_geo.errors import QueryError, SourceError
from ocm_geo.settings import API_KEY_VARIABLE, current

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.query import StationQuery
    from ocm_geo.reference import ReferenceData

__all__ = ["Source", "resolve_source"]


@runtime_checkable
class Source(Protocol):
    """
    Anything that answers a `StationQuery` completely and exactly.

    Every source ends with ``query.answer(...)``, so that the same question has the same answer.
    """

    def fetch(self, query: StationQuery) -> gpd.GeoDataFrame:
        """Answer a question, with ``attrs["ocm"]`` saying source, date, licence and query."""
        ...

    def has_any(self, query: StationQuery) -> bool:
        """Say cheaply whether any station is in the place of a question."""
        ...

    def reference_data(self) -> ReferenceData:
        """Give the reference data that belong to the stations."""
        ...


def resolve_source(source: object = None) -> Source:
    """
    Find the source to ask.

    Parameters
    ----------
    source : Source, optional
        The one that the caller named. Without it: the configured one, else the live API where
        a key is configured or in ``OCM_API_KEY``.

    Returns
    -------
    Source
        The source.

    Raises
    ------
    QueryError
        If what was named is no source.
    SourceError
        If none was named and there is none to fall back on.
    """
    settings = current()
    chosen = settings.source if source is None else source
    if chosen is None:
        return _live(settings.key())
    if not isinstance(chosen, Source):
        raise QueryError(
            f"source={chosen!r} is no source: give OpenChargeMap(), Mirror(path) or sample()"
        )
    return chosen


def _live(key: str | None) -> Source:
    if key is None:
        raise SourceError(
            "no source of stations: (1) set an API key, in the environment variable "
            f"{API_KEY_VARIABLE} or by configure(api_key=…), to ask the live API (a key is free: "
            "sign in at openchargemap.org, 'my apps'); (2) build a local copy with "
            "Mirror.build(path, data) and pass source=Mirror(path); or (3) pass source=sample() "
            "for the bundled, invented stations"
        )
    from ocm_geo.sources.api import OpenChargeMap  # noqa: PLC0415 - loaded when needed

    return OpenChargeMap(key)
