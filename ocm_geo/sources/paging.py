"""Walking the server's pages to a proven end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ocm_geo.errors import PagingError, QueryError
from ocm_geo.sources.decode import parse_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocm_geo.sources.http import ApiAnswer
    from ocm_geo.sources.tables import Parsed

__all__ = ["MAX_PAGES", "PAGE_SIZE", "Page", "walk_pages"]

PAGE_SIZE = 1000
MAX_PAGES = 20
WHOLE = 1_000_000
"""More than the register holds: one request for all of it, when paging fails."""


class Page(NamedTuple):
    """
    A page of an answer.

    Parameters
    ----------
    answer : ApiAnswer
        What the server sent.
    parsed : Parsed
        Its records.
    is_proven : bool
        False if stations may be hidden behind records that could not be used.
    """

    answer: ApiAnswer
    parsed: Parsed
    is_proven: bool = True


class Ask(Protocol):
    """Sends parameters; ``fresh`` asks past the cache."""

    def __call__(self, params: Mapping[str, str], *, fresh: bool) -> ApiAnswer:
        """Send them."""
        ...


def walk_pages(
    ask: Ask,
    params: Mapping[str, str],
    *,
    allow_bulk: bool,
    page_size: int = PAGE_SIZE,
    after: int = 0,
) -> Iterator[Page]:
    """
    Walk the pages of a question by ascending id until one is empty.

    A short page proves nothing: the server may cap or drop ``maxresults`` in silence.

    Parameters
    ----------
    ask : Ask
        Sends parameters.
    params : mapping
        The question.
    allow_bulk : bool
        Go on after 20 pages.
    page_size : int
        Records to ask for at once.
    after : int
        Begin after this id.

    Yields
    ------
    Page
        Every record of the answer is in at least one of them.

    Raises
    ------
    QueryError
        If it takes more than 20 pages.
    PagingError
        If pages do not join up, and one request for all does not help.
    """
    last, seen, is_capped = after, 0, False
    for number in range(1_000_000):
        if number == MAX_PAGES and not allow_bulk:
            raise QueryError(
                f"the question takes more than {MAX_PAGES} pages of {page_size} records; narrow "
                "it, or build a local copy with Mirror.build, or pass allow_bulk=True"
            )
        page = _ask_page(ask, {**params, "maxresults": str(page_size)}, last)
        if page is None:
            yield _ask_whole(ask, params, seen)
            return
        if not page.parsed.n_read:
            return
        ids = _read_page_ids(page.parsed)
        # A rejected record may state any id: only those of kept stations say how far a page
        # reaches. A page without any can hide stations if the server caps its pages.
        yield page._replace(is_proven=bool(len(ids)) or not is_capped)
        seen += len(ids)
        last = int(ids[-1]) if len(ids) else _find_greatest_reject(page.parsed)
        is_capped = is_capped or page.parsed.n_read < page_size


def _ask_page(ask: Ask, params: Mapping[str, str], last: int) -> Page | None:
    """Get the page after an id; None if it comes out of order twice."""
    paged = {**params, "sortby": "id_asc"}
    if last:
        paged["greaterthanid"] = str(last)
    for fresh in (False, True):
        answer = ask(paged, fresh=fresh)
        parsed = parse_body(answer.body, origin=answer.url)
        if _is_in_order(parsed, last):
            return Page(answer, parsed)
    return None


def _is_in_order(parsed: Parsed, last: int) -> bool:
    """Return whether a page goes on after an id, in ascending order."""
    ids = _read_page_ids(parsed)
    if len(ids):
        return bool(ids[0] > last and (np.diff(ids) >= 0).all())
    return not parsed.n_read or _find_greatest_reject(parsed) > last


def _read_page_ids(parsed: Parsed) -> np.ndarray:
    return np.asarray(parsed.stations["ocm_id"].to_numpy())


def _find_greatest_reject(parsed: Parsed) -> int:
    return max((reject.ocm_id or 0 for reject in parsed.rejects), default=0)


def _ask_whole(ask: Ask, params: Mapping[str, str], seen: int) -> Page:
    """Ask for everything at once; the answer must not hold less than the pages did."""
    answer = ask({**params, "maxresults": str(WHOLE)}, fresh=True)
    parsed = parse_body(answer.body, origin=answer.url)
    if len(parsed.stations) < seen or _looks_cut(parsed):
        raise PagingError(
            "the server's pages come out of order, and one request for all gives "
            f"{len(parsed.stations)} stations, which need not be all; try again later, or use a "
            "Mirror"
        )
    return Page(answer, parsed)


def _looks_cut(parsed: Parsed) -> bool:
    """Suspect a silent limit behind a round number of records."""
    return parsed.n_read % 50 == 0
