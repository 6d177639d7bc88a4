"""What a mirror takes from the live API: everything by id, or what changed since the last time.

Pages go by ascending id, never by date: many records share a minute, and a page that ends among
them would lose some. A change is asked for from an hour before the newest one known, since dates
are rounded to minutes, clocks differ and the server's own cache lags. Stations that are delisted
vanish from its answers and are asked for by their status; those that vanish otherwise (removed,
deleted, made private) are found by the next walk through all ids.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from ocm_geo import reference as ref
from ocm_geo.errors import SourceError
from ocm_geo.sources.decode import parse_body
from ocm_geo.sources.incoming import Incoming
from ocm_geo.sources.journal import Journal
from ocm_geo.sources.paging import MAX_PAGES, walk_pages
from ocm_geo.sources.progress import tell_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.http import ApiAnswer, Transport
    from ocm_geo.sources.paging import Page
    from ocm_geo.sources.tables import Parsed

__all__ = ["take_api"]

WALK_ROWS = 5000
"""Records of a page: some 10 MB. The server's own mirrors ask for 10,000."""

_RECONCILE = dt.timedelta(days=30)
_OVERLAP = dt.timedelta(hours=1)
_DELISTED = "1000,1001,1002,1005,1020"
_COMPACT = {"output": "json", "compact": "true", "verbose": "false", "includecomments": "true"}


def take_api(
    transport: Transport, root: Path, origin: Mapping[str, Any], base: str, *, full: bool
) -> Incoming:
    """
    Take the stations of the live API: all of them, or those that changed.

    Parameters
    ----------
    transport : Transport
        Sends the questions.
    root : pathlib.Path
        The mirror, whose lock is held.
    origin : mapping
        What the last update left.
    base : str
        The snapshot that the update is based on; empty for a new mirror.
    full : bool
        Walk through all ids. This is done in any case if the mirror was not made from this
        server, and 30 days after the last time.

    Returns
    -------
    Incoming
        The records.
    """
    walk = _Walk(transport, origin)
    known = origin.get("kind") == "api" and origin.get("url") == transport.base_url
    walked = origin.get("walked") if known else None
    is_full = full or walked is None or _read_time(walked) < walk.started - _RECONCILE
    if is_full:
        journal = Journal(root, transport.base_url, base, walk.started)
        batches = walk.walk_all(journal, has_base=known)
    else:
        journal = None
        batches = walk.walk_changes()
    return Incoming(
        batches,
        is_whole=is_full,
        published_only=True,
        origin=lambda: walk.describe(None if is_full else walked),
        reference=walk.get_reference if is_full else (lambda: None),
        is_complete=lambda: walk.is_proven,
        count_requests=lambda: transport.n_sent - walk.sent_before,
        finish=journal.remove if journal is not None else (lambda: None),
    )


class _Walk:
    """One walk: when it began, and how far the dates of its records go."""

    def __init__(self, transport: Transport, origin: Mapping[str, Any]) -> None:
        self.started = dt.datetime.now(dt.UTC)
        self.is_proven = True
        self.sent_before = transport.n_sent
        self._transport = transport
        self._since = _read_time(origin["since"]) if origin.get("kind") == "api" else None
        self._newest: dt.datetime | None = self._since

    def walk_all(self, journal: Journal, *, has_base: bool) -> Iterator[Parsed]:
        """Walk through all ids; pages of a walk that was interrupted are not asked for again."""
        self.started, self._newest = journal.started, None
        for parsed in journal.read_pages():
            yield self._note_newest(parsed)
        self._announce_walk(journal)
        for page in self._ask_walk({}, after=journal.last_id):
            journal.add(page)
            yield self._note_newest(page.parsed)
        if has_base:
            yield from self._walk_delisted()

    def walk_changes(self) -> Iterator[Parsed]:
        """Ask for what was changed, and for what was delisted, since the last time."""
        for page in self._ask_walk(self._build_since_params()):
            yield self._note_newest(page.parsed)
        yield from self._walk_delisted()

    def _walk_delisted(self) -> Iterator[Parsed]:
        """Ask for the stations that are no longer published."""
        for page in self._ask_walk(
            {"submissionstatustypeid": _DELISTED, **self._build_since_params()}
        ):
            yield page.parsed

    def _build_since_params(self) -> dict[str, str]:
        """Return the parameter that asks for changes, with the overlap."""
        if self._since is None:
            return {}
        return {"modifiedsince": (self._since - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _ask_walk(self, params: Mapping[str, str], after: int = 0) -> Iterator[Page]:
        """Ask pages by ascending id, past the cache."""

        def ask(params: Mapping[str, str], *, fresh: bool) -> ApiAnswer:  # noqa: ARG001 - always
            return self._transport.get("poi", params, keep=False)

        asked = {**_COMPACT, **params}
        for page in walk_pages(ask, asked, allow_bulk=True, page_size=WALK_ROWS, after=after):
            self.is_proven = self.is_proven and page.is_proven
            yield page

    def _announce_walk(self, journal: Journal) -> None:
        """Announce how many requests are to come, before they are sent."""
        answer = self._transport.get("poi", {**_COMPACT, "maxresults": "1"}, keep=False)
        ids = parse_body(answer.body, origin=answer.url).stations["ocm_id"].to_pylist()
        left = max(0, max(ids, default=0) - journal.last_id)
        n_requests = -(-left // WALK_ROWS) + 1
        resumed = f"; {journal.n_pages} pages are there already" if journal.n_pages else ""
        told = (
            f"walking all stations of {self._transport.base_url}; requests: at most {n_requests}, "
            f"for {WALK_ROWS:,} stations each, if the server does not cap them{resumed}"
        )
        if n_requests > MAX_PAGES:
            told += (
                ". That is much for a server that volunteers pay for: to copy the world, clone "
                "https://github.com/openchargemap/ocm-export and pass it as data= (--data)"
            )
        tell_progress(told)

    def _note_newest(self, parsed: Parsed) -> Parsed:
        """Note how far the dates of published records go."""
        newest = pc.max(parsed.stations["date_last_status_update"]).as_py()
        if newest is not None:
            self._newest = newest if self._newest is None else max(newest, self._newest)
        return parsed

    def describe(self, walked: str | None) -> dict[str, Any]:
        """Return what the next update has to know."""
        # Records are dated into the future by mistake: no later than when this walk began.
        since = self.started if self._newest is None else min(self._newest, self.started)
        return {
            "kind": "api",
            "url": self._transport.base_url,
            "since": since.isoformat(),
            "walked": walked or self.started.isoformat(),
        }

    def get_reference(self) -> ReferenceData | None:
        """Get the server's reference data; without them, those of the mirror do."""
        try:
            answer = self._transport.get("referencedata", {"output": "json"}, keep=False)
            date = answer.retrieved.date().isoformat()
            return ref.from_json(answer.body, origin="live API", date=date)
        except SourceError:
            # Stations are what counts; operators without a name are counted and warned of.
            return None


def _read_time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
