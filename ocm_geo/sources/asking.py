"""Asking a source: labels looked up where they are known, and a hint where axes are swapped."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import shapely

from ocm_geo.errors import QueryError, RouteError, SourceError, StaleData, SuspectInput
from ocm_geo.outside.questions import mark_answer, mark_missing_ids
from ocm_geo.provenance import attach, read_attrs
from ocm_geo.query import Area, Box, Circle, Corridor, Ids, StationQuery, Where
from ocm_geo.query.checking import list_filters
from ocm_geo.reference import bundled, register_reference
from ocm_geo.reference.finding import find_ids, read_id
from ocm_geo.reference.registry import REFERENCE_KEY, reference_key
from ocm_geo.sources.base import Source, SourceLike, resolve_source

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from ocm_geo.query import StationFilters
    from ocm_geo.reference import ReferenceData

__all__ = ["Outside", "ask_source", "reference_data"]


def reference_data(source: SourceLike | None = None) -> ReferenceData:
    """
    Get the reference data of a source: the objects that ids refer to.

    Parameters
    ----------
    source : Source, path, "sample" or "api", optional
        As for `stations`; where there is none at all, the bundled snapshot.

    Returns
    -------
    ReferenceData
        One table for each kind of code.

    Raises
    ------
    SourceError
        If the source cannot answer.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.reference_data(ocm.sample()).connection_types.loc[33, "title"]
    'CCS (Type 2)'
    """
    try:
        chosen = resolve_source(source)
    except SourceError:
        if source is not None:
            raise
        return bundled()
    return chosen.reference_data()


Outside: TypeAlias = Literal["warn", "mark", "ignore"]


def ask_source(
    where: Where,
    source: SourceLike | None,
    filters: StationFilters | dict[str, Any],
    *,
    outside: Outside = "warn",
) -> gpd.GeoDataFrame:
    """
    Ask a source for the stations of a place.

    Parameters
    ----------
    where : Box, Circle, Area, Corridor, Ids or Everywhere
        The place.
    source : Source, path, "sample" or "api", optional
        The configured one by default.
    filters : dict
        As `StationFilters`, unchecked.
    outside : {"warn", "mark", "ignore"}
        Where the place lies outside what the source holds: warn, and note it in the provenance;
        only note it; or neither, for a place that is only a frame about what is measured.

    Returns
    -------
    geopandas.GeoDataFrame
        The stations, with the key of their reference data in the provenance.

    Raises
    ------
    QueryError
        If a filter is wrong; nothing was sent.
    SourceError
        If the source cannot answer.

    Warns
    -----
    SuspectInput
        If nothing is there, but would be with latitude and longitude swapped.
    OutsideData
        If a part of the place lies in countries of which the source has no station, or if it
        has no station with some of the ids.
    """
    chosen = resolve_source(source)
    given: dict[str, Any] = list_filters(filters)
    reference = _find_reference_for(chosen, given)
    query = StationQuery.build(where, reference=reference, **given)
    found = _attach_reference(chosen.fetch(query), reference)
    if found.empty:
        _hint_at_swap(chosen, query)
    if isinstance(where, Ids):
        return mark_missing_ids(found, _missing_ids(chosen, query, where, found.index))
    if outside == "ignore":
        return found
    return mark_answer(found, query, warn=outside == "warn")


def _missing_ids(source: Source, query: StationQuery, asked: Ids, found: pd.Index) -> list[int]:
    """Find the ids that the source does not have, filters or not."""
    missing = sorted(set(asked.ids) - set(found))
    if not missing or query == StationQuery(where=asked):
        return missing
    if getattr(source, "is_remote", False):
        # The filters may have left them out, and asking once more is not worth it.
        return []
    known = source.fetch(StationQuery(where=replace(asked, ids=tuple(missing)))).index
    return sorted(set(missing) - set(known))


def _attach_reference(found: gpd.GeoDataFrame, reference: ReferenceData) -> gpd.GeoDataFrame:
    """Let the answer of a user's own source find its reference data, as those of ours do."""
    if REFERENCE_KEY not in read_attrs(found) and reference is not bundled():
        key = register_reference(reference_key(reference), reference)
        attach(found, **{REFERENCE_KEY: key})
    return found


def _find_reference_for(source: Source, given: dict[str, Any]) -> ReferenceData:
    """Find labels where they are: over the network only if the bundled tables cannot know."""
    if not getattr(source, "is_remote", False):
        return source.reference_data()
    if not _needs_live_reference(given):
        return bundled()
    try:
        return source.reference_data()
    except SourceError as error:
        if any(read_id(code) is None for code in given.get("operators", ())):
            raise
        warnings.warn(
            f"the server gives no reference data ({error}); licence flags and codes are those "
            f"of {bundled().date}",
            StaleData,
            stacklevel=4,
        )
        return bundled()


def _needs_live_reference(given: dict[str, Any]) -> bool:
    """Return whether only the server may know the codes of some filters."""
    if given.get("open_data") is not None:
        return True
    codes = [*given.get("operators", ()), *given.get("data_providers", ())]
    if any(read_id(code) is None for code in codes):
        return True
    types = given.get("connection_types", ())
    return any(not _is_bundled_type(code) for code in types)


def _is_bundled_type(code: object) -> bool:
    """Return whether the bundled tables know a connection type; a server may know newer ones."""
    number = read_id(code)
    if number is not None:
        return number in bundled().connection_types.index
    return not isinstance(code, str) or bool(
        find_ids(bundled().connection_types, "connection_types", code)
    )


def _hint_at_swap(source: Source, query: StationQuery) -> None:
    """Nothing here, stations there: latitude and longitude were probably swapped."""
    swapped = _swap_axes(query.where)
    try:
        is_swapped = (
            swapped is not None
            and not source.has_any(StationQuery(where=query.where))
            and source.has_any(StationQuery(where=swapped))
        )
    except SourceError:
        # The answer is whole without the hint.
        return
    if is_swapped:
        warnings.warn(
            "no stations here, but there are some where latitude and longitude are swapped: "
            "positions are (lon, lat), boxes (west, south, east, north)",
            SuspectInput,
            stacklevel=4,
        )


def _swap_axes(where: Where) -> Where | None:
    """Exchange the axes, where the result is a possible place."""
    try:
        match where:
            case Box():
                return Box(where.south, where.west, where.north, where.east)
            case Circle():
                return Circle(where.lat, where.lon, where.radius_km)
            case Area():
                return replace(where, geometry=_flip_coordinates(where.geometry))
            case Corridor():
                return Corridor(
                    _flip_coordinates(shapely.LineString(where.line.coords)), where.within_km
                )
    except (QueryError, RouteError):
        return None
    return None


def _flip_coordinates(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(geometry, lambda xy: xy[:, ::-1])
