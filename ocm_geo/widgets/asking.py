"""Asking a source for what a map shows: once the map rests, once, and never twice the same."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocm_geo.errors import OCMError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import shapely

__all__ = ["Answer", "Asker", "Question"]

_MAX_KEPT = 24
_MAX_ROWS = 1_000_000
_TURN = 360.0
_TINY = 1e-9


@dataclass(frozen=True)
class Question:
    """
    A place and filters.

    Parameters
    ----------
    place : tuple of float or shapely.Geometry
        ``(west, south, east, north)``, degrees; or a polygon or line in lon/lat.
    filters : tuple of pairs
        Names and values of `StationFilters`, by name.
    """

    place: tuple[float, float, float, float] | shapely.Geometry
    filters: tuple[tuple[str, object], ...] = ()

    def covers(self, other: Question) -> bool:
        """
        Say whether the answer to this question holds that to another.

        Parameters
        ----------
        other : Question
            The other.

        Returns
        -------
        bool
            True if they are equal, or this one's box is larger and the filters are the same.
        """
        if not isinstance(self.place, tuple) or not isinstance(other.place, tuple):
            return self == other
        (west, south, east, north), (x0, y0, x1, y1) = self.place, other.place
        # The same place may be named on another turn of the Earth.
        start = (x0 - west + _TINY) % _TURN - _TINY
        columns = east - west >= _TURN or start + (x1 - x0) <= east - west + _TINY
        return columns and south <= y0 and y1 <= north and self.filters == other.filters


@dataclass(frozen=True)
class Answer:
    """
    What came of a question: stations, or an error.

    Parameters
    ----------
    question : Question
        The question.
    stations : geopandas.GeoDataFrame, optional
        All of them.
    error : str
        Why there is none.
    """

    question: Question
    stations: gpd.GeoDataFrame | None = None
    error: str = ""


class Asker:
    """
    Asks in a thread of its own, so that the map stays alive.

    A wish waits until no other has come for a moment; one that is overtaken is dropped, and its
    answer, if it had been sent, is kept but not delivered: whether it still is wanted is asked
    once more when it is handed over. A question that an earlier answer holds is not sent. One
    that failed is not sent again before `forget_errors`.

    Parameters
    ----------
    ask : callable
        Answers a `Question` with a table, or raises.
    deliver : callable
        Gets each `Answer` that is still wanted; in a notebook in its main thread.
    debounce_s : float
        The moment, seconds.
    """

    def __init__(
        self,
        ask: Callable[[Question], gpd.GeoDataFrame],
        deliver: Callable[[Answer], None],
        *,
        debounce_s: float,
    ) -> None:
        self._ask = ask
        self._deliver = deliver
        self._debounce_s = debounce_s
        self._changed = threading.Condition()
        # One delivery at a time; taken before, never inside, the other.
        self._delivering = threading.RLock()
        self._kept: list[Answer] = []
        self._ready: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._latest: Question | None = None
        self._wish: Question | None = None
        self._asking: Question | None = None
        self._due = 0.0
        self._working = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.n_asked = 0

    def want(self, question: Question) -> bool:
        """
        Wish for an answer, in place of any earlier wish.

        Parameters
        ----------
        question : Question
            The question.

        Returns
        -------
        bool
            True if the answer was there and has been delivered.
        """
        with self._changed:
            self._latest, self._wish = question, None
            known = self._known(question)
            on_its_way = self._asking is not None and self._asking.covers(question)
            if known is None and not on_its_way:
                self._wish, self._due = question, time.monotonic() + self._debounce_s
                self._start()
            self._changed.notify_all()
        if known is not None:
            self._ready.put(known)
            self._hand_over()
        return known is not None

    def drop(self) -> None:
        """Wish for nothing: what is on its way is kept, and not delivered."""
        with self._changed:
            self._latest = self._wish = None
            self._changed.notify_all()

    def forget_errors(self) -> None:
        """Let questions that failed be asked again."""
        with self._changed:
            self._kept = [answer for answer in self._kept if not answer.error]

    def wait(self, timeout_s: float) -> bool:
        """
        Wait until there is nothing left to ask, and deliver what came.

        Parameters
        ----------
        timeout_s : float
            At most so long.

        Returns
        -------
        bool
            False if the time was over first.
        """
        with self._changed:
            idle = self._changed.wait_for(lambda: not self._working, timeout_s)
        self._hand_over()
        return idle

    def _known(self, question: Question) -> Answer | None:
        for i, answer in enumerate(self._kept):
            covers = (
                answer.question == question if answer.error else answer.question.covers(question)
            )
            if covers:
                self._kept.append(self._kept.pop(i))
                return answer
        return None

    def _start(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        if not self._working:
            self._working = True
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._work,), daemon=True).start()

    def _work(self) -> None:
        while (question := self._next()) is not None:
            answer = self._answer(question)
            with self._changed:
                self._asking = None
                self._keep(answer)
                if wanted := self._is_wanted(question):
                    self._wish = None
                    self._ready.put(answer)
            if wanted:
                self._announce()

    def _next(self) -> Question | None:
        """Wait until the wish has rested; with none left, end the work."""
        with self._changed:
            while self._wish is not None and (rest := self._due - time.monotonic()) > 0:
                self._changed.wait(rest)
            question, self._wish = self._wish, None
            self._asking = question
            if question is None:
                self._working = False
                self._changed.notify_all()
            return question

    def _answer(self, question: Question) -> Answer:
        self.n_asked += 1
        try:
            return Answer(question, self._ask(question))
        except OCMError as error:
            return Answer(question, error=str(error))
        except Exception as error:  # noqa: BLE001 - in a thread it would be seen by nobody
            return Answer(question, error=f"{type(error).__name__}: {error}")

    def _keep(self, answer: Answer) -> None:
        self._kept.append(answer)
        while len(self._kept) > 1 and (
            len(self._kept) > _MAX_KEPT or sum(_rows(kept) for kept in self._kept) > _MAX_ROWS
        ):
            self._kept.pop(0)

    def _announce(self) -> None:
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._hand_over)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        """Deliver what is ready, but for what has been overtaken since it came."""
        with self._delivering:
            while True:
                try:
                    answer = self._ready.get_nowait()
                except queue.Empty:
                    return
                if self._is_wanted(answer.question):
                    self._deliver(answer)

    def _is_wanted(self, question: Question) -> bool:
        with self._changed:
            return self._latest is not None and question.covers(self._latest)


def _rows(answer: Answer) -> int:
    return 0 if answer.stations is None else len(answer.stations)
