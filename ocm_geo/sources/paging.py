"""Walking the server's pages to a proven end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from ocm_geo.errors import PagingError, QueryError
from ocm_geo.sources.decode import parse_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocm_geo.sources.http import ApiAnswer
    from ocm_geo.sources.tables import Parsed

__all__ = ["MAX_PAGES", "PAGE_SIZE", "walk_pages"]

PAGE_SIZE = 1000
MAX_PAGES = 20
WHOLE = 1_000_000
"""More than the register holds: one request for all of it, when paging fails."""


class Ask(Protocol):
    """Sends parameters; ``fresh`` asks past the cache."""

    def __call__(self, params: Mapping[str, str], *, fresh: bool) -> ApiAnswer:
        """Send them."""
        ...


def walk_pages(
    ask: Ask, params: Mapping[str, str], *, allow_bulk: bool
) -> Iterator[tuple[ApiAnswer, Parsed]]:
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

    Yields
    ------
    ApiAnswer
        The page.
    Parsed
        Its records; every record of the answer is in at least one of them.

    Raises
    ------
    QueryError
        If it takes more than 20 pages.
    PagingError
        If pages do not join up, and one request for all does not help.
    """
    last, seen = 0, 0
    for number in range(1_000_000):
        if number == MAX_PAGES and not allow_bulk:
            raise QueryError(
                f"the question takes more than {MAX_PAGES} pages of {PAGE_SIZE} records; narrow "
                "it, or build a local copy with Mirror.build, or pass allow_bulk=True"
            )
        page = _page(ask, params, last)
        if page is None:
            yield _whole(ask, params, seen)
            return
        parsed = page[1]
        if not parsed.n_read:
            return
        yield page
        seen += len(parsed.stations)
        last = _last_id(parsed, last)


def _page(ask: Ask, params: Mapping[str, str], last: int) -> tuple[ApiAnswer, Parsed] | None:
    """Get the page after an id; None if it comes out of order twice."""
    paged = {**params, "sortby": "id_asc", "maxresults": str(PAGE_SIZE)}
    if last:
        paged["greaterthanid"] = str(last)
    for fresh in (False, True):
        answer = ask(paged, fresh=fresh)
        parsed = parse_body(answer.body, origin=answer.url)
        if _in_order(parsed, last):
            return answer, parsed
    return None


def _in_order(parsed: Parsed, last: int) -> bool:
    ids = _ids(parsed)
    # A page of nothing but rejects has no order to go on by.
    if not len(ids):
        return not parsed.n_read
    return bool(ids[0] > last and (np.diff(ids) > 0).all())


def _ids(parsed: Parsed) -> np.ndarray:
    return np.asarray(parsed.stations["ocm_id"].to_numpy())


def _last_id(parsed: Parsed, last: int) -> int:
    rejected = [reject.ocm_id for reject in parsed.rejects if reject.ocm_id is not None]
    return max([last, int(_ids(parsed)[-1]), *rejected])


def _whole(ask: Ask, params: Mapping[str, str], seen: int) -> tuple[ApiAnswer, Parsed]:
    """Ask for everything at once; the answer must hold no less than the pages did."""
    answer = ask({**params, "maxresults": str(WHOLE)}, fresh=True)
    parsed = parse_body(answer.body, origin=answer.url)
    if len(parsed.stations) < seen or _looks_cut(parsed):
        raise PagingError(
            "the server's pages come out of order, and one request for all gives "
            f"{len(parsed.stations)} stations, which need not be all; try again later, or use a "
            "Mirror"
        )
    return answer, parsed


def _looks_cut(parsed: Parsed) -> bool:
    """Suspect a silent limit behind a round number of records."""
    return parsed.n_read % 50 == 0
