"""The pages of a long walk, kept until it is done: a walk that was killed goes on where it was."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import shutil
import zlib
from typing import TYPE_CHECKING

from ocm_geo.errors import SourceError
from ocm_geo.sources.decode import parse_body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ocm_geo.sources.paging import Page
    from ocm_geo.sources.tables import Parsed

__all__ = ["Journal"]

_FOLDER = ".walk"
_FACTS = "walk.json"
_LONGEST = dt.timedelta(days=2)


class Journal:
    """
    The pages of a walk through all ids of a server.

    A journal is used again only for the same server and the same current snapshot: what a finished
    update left behind by accident must not bring back an older state.

    Parameters
    ----------
    root : pathlib.Path
        The mirror, whose lock is held.
    url : str
        The server.
    base : str
        The current snapshot of the mirror.
    started : datetime.datetime
        When the walk begins, if there is none to go on with.
    """

    def __init__(self, root: Path, url: str, base: str, started: dt.datetime) -> None:
        self._folder = root / _FOLDER
        self.started = started
        self.last_id = 0
        self.n_pages = 0
        facts = {"url": url, "base": base}
        kept = self._read_journal_facts()
        if kept is not None and {name: kept.get(name) for name in facts} == facts:
            self.started = dt.datetime.fromisoformat(kept["started"])
            if started - self.started < _LONGEST:
                return
        self.started = started
        self.remove()
        self._folder.mkdir(parents=True)
        self._write_page(_FACTS, json.dumps({**facts, "started": started.isoformat()}).encode())

    def _read_journal_facts(self) -> dict[str, str] | None:
        """Read what the journal is of; None if it cannot be used."""
        try:
            facts = json.loads((self._folder / _FACTS).read_text(encoding="utf-8"))
            dt.datetime.fromisoformat(facts["started"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return dict(facts)

    def read_pages(self) -> Iterator[Parsed]:
        """
        Read the pages that an earlier walk left.

        Yields
        ------
        Parsed
            One page. What cannot be read, and all after it, is asked for again.
        """
        while True:
            path = self._folder / self._name_page(self.n_pages)
            try:
                parsed = parse_body(gzip.decompress(path.read_bytes()), origin=path.name)
            except (OSError, EOFError, zlib.error, SourceError):
                return
            ids = parsed.stations["ocm_id"].to_numpy()
            if not len(ids):
                return
            self.last_id = int(ids[-1])
            self.n_pages += 1
            yield parsed

    def add(self, page: Page) -> None:
        """
        Keep a page.

        Parameters
        ----------
        page : Page
            The next one.
        """
        self._write_page(self._name_page(self.n_pages), gzip.compress(page.answer.body, 1))
        self.n_pages += 1

    @staticmethod
    def _name_page(number: int) -> str:
        return f"page-{number:06d}.json.gz"

    def _write_page(self, name: str, content: bytes) -> None:
        """Write beside and rename, so that no page is half there."""
        scratch = self._folder / f".{name}-{os.getpid()}"
        scratch.write_bytes(content)
        scratch.replace(self._folder / name)

    def remove(self) -> None:
        """Remove the journal: the walk is done."""
        shutil.rmtree(self._folder, ignore_errors=True)
