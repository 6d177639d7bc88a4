"""Which stations answer a question, and in which order: for both manners."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ocm_geo.schema import PUBLISHED
from ocm_geo.server.store import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ocm_geo.server.store import Store

__all__ = ["Choice", "ConnectionFilters", "Found", "Order", "Question", "choose_stations"]

Order: TypeAlias = Literal["distance", "newest", "id_asc", "modified_asc", "created_asc", "file"]

_PRIVATE = 1010
"""A submission status that is never served: not public information, or a private residence."""


class Found(NamedTuple):
    """Stations of a place: positions, ascending, and their distance from a point, if any."""

    positions: NDArray[np.intp]
    distance: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class ConnectionFilters:
    """
    What connections must be.

    Parameters
    ----------
    types, levels : tuple of int, optional
        Codes.
    min_kw, max_kw : float, optional
        Power, inclusive, kW.
    is_joint : bool
        Whether one connection must meet all of it, and not each condition some connection.
    """

    types: tuple[int, ...] | None = None
    levels: tuple[int, ...] | None = None
    min_kw: float | None = None
    max_kw: float | None = None
    is_joint: bool = True

    @property
    def are_any(self) -> bool:
        """Return whether anything is asked of connections."""
        given = (self.types, self.levels, self.min_kw, self.max_kw)
        return any(value is not None for value in given)


@dataclass(frozen=True)
class Question:
    """
    A question, read and checked.

    Parameters
    ----------
    place : Found, optional
        The stations of the place; all by default.
    ids : tuple of int, optional
        OCM ids.
    after_id : int, optional
        Ids greater than this.
    codes : mapping of str to tuple of int
        Accepted codes by column of the station table.
    since : mapping of str to int
        Earliest time by column, microseconds since 1970.
    connections : ConnectionFilters
        What connections must be.
    is_open : bool, optional
        Whether the provider's data are openly licensed.
    statuses : tuple of int, optional
        Submission statuses; the published ones by default.
    detail : int, optional
        Greatest level of detail.
    postcodes : frozenset of str, optional
        Postal codes, as ``fold`` leaves them.
    fold : bool
        Whether the case of postal codes does not count.
    has : mapping of str to bool
        Required values of ``has_media``, ``has_comment``, ``has_checkin``.
    order : str
        The order of the answer.
    limit : int, optional
        At most this many.
    """

    place: Found | None = None
    ids: tuple[int, ...] | None = None
    after_id: int | None = None
    codes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    since: Mapping[str, int] = field(default_factory=dict)
    connections: ConnectionFilters = field(default_factory=ConnectionFilters)
    is_open: bool | None = None
    statuses: tuple[int, ...] | None = None
    detail: int | None = None
    postcodes: frozenset[str] | None = None
    fold: bool = True
    has: Mapping[str, bool] = field(default_factory=dict)
    order: Order = "newest"
    limit: int | None = None


class Choice(NamedTuple):
    """An answer: positions in order, their distances if measured, and how many match."""

    positions: NDArray[np.intp]
    distance: NDArray[np.float64] | None
    n_matched: int


def choose_stations(store: Store, question: Question) -> Choice:
    """
    Choose the stations of an answer.

    Parameters
    ----------
    store : Store
        The stations.
    question : Question
        The question.

    Returns
    -------
    Choice
        The stations, in order, cut to the limit.
    """
    candidates = _list_candidates(store, question)
    mask = _mask_stations(store, question, candidates)
    positions = np.flatnonzero(mask) if candidates is None else candidates[mask]
    if question.connections.are_any:
        positions = positions[_mask_by_connections(store, question.connections, positions)]
    distance = _measure_question_km(question, positions)
    n_matched, limit = len(positions), question.limit
    if question.order == "newest" and limit is not None and distance is None:
        # The last ones are the newest: the others need not be sorted.
        positions = positions[max(n_matched - limit, 0) :]
    order = _sort_stations(store, question.order, positions, distance)
    kept = order if limit is None else order[:limit]
    return Choice(positions[kept], None if distance is None else distance[kept], n_matched)


def _list_candidates(store: Store, question: Question) -> NDArray[np.intp] | None:
    """List the stations of the place and with the ids; None for all."""
    candidates = None if question.place is None else question.place.positions
    if question.ids is not None:
        listed = store.find_positions(question.ids)
        candidates = listed if candidates is None else np.intersect1d(candidates, listed)
    if question.after_id is not None:
        first = int(np.searchsorted(store.ids, question.after_id, side="right"))
        if candidates is None:
            return np.arange(first, len(store))
        candidates = candidates[np.searchsorted(candidates, first) :]
    return candidates


def _mask_stations(
    store: Store, question: Question, candidates: NDArray[np.intp] | None
) -> NDArray[np.bool_]:
    """Return which candidates meet the conditions on stations."""

    def look(values: NDArray[Any]) -> NDArray[Any]:
        return values if candidates is None else values[candidates]

    if question.statuses is None:
        mask: NDArray[np.bool_] = look(store.shown).copy()
    else:
        mask = _mask_statuses(look(store.codes["submission_status_id"]), question.statuses)
        mask &= ~look(store.are_removed)
    for column, ids in question.codes.items():
        mask &= _are_among(look(store.codes[column]), ids)
    for column, earliest in question.since.items():
        mask &= look(store.times[column]) >= earliest
    if question.is_open is not None:
        open_ids = store.reference.open_provider_ids()
        mask &= _are_among(look(store.codes["data_provider_id"]), open_ids) == question.is_open
    if question.detail is not None:
        detail = look(store.level_of_detail)
        mask &= (detail <= question.detail) & (detail != NONE)
    for name, wanted in question.has.items():
        mask &= look(getattr(store, name)) == wanted
    if question.postcodes is not None:
        # Texts are compared one by one: only those of the stations that are left.
        left = np.flatnonzero(mask)
        codes = look(store.postcodes)[left].tolist()
        folded = [code and code.lower() for code in codes] if question.fold else codes
        mask[left] = [code in question.postcodes for code in folded]
    return mask


def _mask_statuses(column: NDArray[Any], statuses: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which submission statuses are asked for; a missing one counts as published."""
    asked = {*statuses} - {_PRIVATE}
    accepted = (*asked, NONE) if asked.intersection(PUBLISHED) else tuple(asked)
    return _are_among(column, accepted)


def _are_among(values: NDArray[Any], ids: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which codes are among some; one is compared faster than it is looked up."""
    return np.asarray(values == ids[0] if len(ids) == 1 else np.isin(values, ids))


def _mask_by_connections(
    store: Store, filters: ConnectionFilters, positions: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Return which stations have the connections that are asked for."""
    table = store.connections
    rows, of = table.rows_of(positions)
    met = []
    if filters.types is not None:
        met.append(_are_among(table.type_id[rows], filters.types))
    if filters.levels is not None:
        met.append(_are_among(table.level_id[rows], filters.levels))
    # NaN, a missing power, compares as False.
    if filters.min_kw is not None:
        met.append(table.power_kw[rows] >= filters.min_kw)
    if filters.max_kw is not None:
        met.append(table.power_kw[rows] <= filters.max_kw)
    groups = [np.all(met, axis=0)] if filters.is_joint else met
    inside = np.ones(len(positions), dtype=bool)
    for group in groups:
        some = np.zeros(len(positions), dtype=bool)
        some[of[group]] = True
        inside &= some
    return inside


def _measure_question_km(
    question: Question, positions: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """Return the distances of the stations that are left."""
    if question.place is None or question.place.distance is None:
        return None
    where = np.searchsorted(question.place.positions, positions)
    return question.place.distance[where]


def _sort_stations(
    store: Store, order: Order, positions: NDArray[np.intp], distance: NDArray[np.float64] | None
) -> NDArray[np.intp]:
    """Return the order of stations whose positions, and so ids, are ascending."""
    match order:
        case "distance" if distance is not None:
            return np.argsort(distance, kind="stable")
        case "id_asc":
            return np.arange(len(positions))
        case "modified_asc":
            return np.argsort(store.times["date_last_status_update"][positions], kind="stable")
        case "created_asc":
            return np.argsort(store.times["date_created"][positions], kind="stable")
        case "file":
            return np.argsort(store.file_position[positions])
    return np.arange(len(positions))[::-1]
