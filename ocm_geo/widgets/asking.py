"""Questions of a map to its source: sent when the map rests, and never twice."""

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
    A question to a source: where, and which filters.

    Parameters
    ----------
    where : tuple of float or shapely.Geometry
        ``(west, south, east, north)``, degrees; or a polygon or line in lon/lat.
    filters : tuple of pairs
        Names and values of `StationFilters`, by name.
    """

    where: tuple[float, float, float, float] | shapely.Geometry
    filters: tuple[tuple[str, object], ...] = ()

    def covers(self, other: Question) -> bool:
        """
        Return whether the answer to this question contains the answer to another.

        Parameters
        ----------
        other : Question
            The other question.

        Returns
        -------
        bool
            True if they are equal, or this box contains the other and the filters are the same.
        """
        if not isinstance(self.where, tuple) or not isinstance(other.where, tuple):
            return self == other
        (west, south, east, north), (x0, y0, x1, y1) = self.where, other.where
        # A map that was dragged around the Earth has the same box at another turn.
        start = (x0 - west + _TINY) % _TURN - _TINY
        columns = east - west >= _TURN or start + (x1 - x0) <= east - west + _TINY
        return columns and south <= y0 and y1 <= north and self.filters == other.filters


@dataclass(frozen=True)
class Answer:
    """
    The answer to a question: stations, or an error.

    Parameters
    ----------
    question : Question
        The question.
    stations : geopandas.GeoDataFrame, optional
        All stations of the answer.
    error : str
        Message, if the question failed.
    """

    question: Question
    stations: gpd.GeoDataFrame | None = None
    error: str = ""


class Asker:
    """
    Asks a source in a thread of its own, so that the map stays responsive.

    A question is sent when no other has followed for a while. A question that was replaced is
    dropped; if it had been sent already, its answer is kept but not delivered. A question whose
    answer is contained in an earlier one is not sent, and one that failed is not sent again
    before `forget_errors`.

    Parameters
    ----------
    ask : callable
        Answers a `Question` with a table, or raises.
    deliver : callable
        Receives each `Answer` that is still wanted; in a notebook in its main thread.
    debounce_s : float
        How long to wait for a further question, seconds.
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
        # One delivery at a time. This lock is always taken before the other: no deadlock.
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
        Ask a question that replaces the one before.

        Parameters
        ----------
        question : Question
            The question.

        Returns
        -------
        bool
            True if the answer was known and has been delivered.
        """
        with self._changed:
            self._latest, self._wish = question, None
            known = self._find_answer(question)
            on_its_way = self._asking is not None and self._asking.covers(question)
            if known is None and not on_its_way:
                self._wish, self._due = question, time.monotonic() + self._debounce_s
                self._start_thread()
            self._changed.notify_all()
        if known is not None:
            self._ready.put(known)
            self._deliver_ready()
        return known is not None

    def drop(self) -> None:
        """Drop the current question: its answer is kept, and not delivered."""
        with self._changed:
            self._latest = self._wish = None
            self._changed.notify_all()

    def forget_errors(self) -> None:
        """Allow questions that failed to be sent again."""
        with self._changed:
            self._kept = [answer for answer in self._kept if not answer.error]

    def wait(self, timeout_s: float) -> bool:
        """
        Wait until every question is answered, and deliver the answers.

        Parameters
        ----------
        timeout_s : float
            Longest wait, seconds.

        Returns
        -------
        bool
            False if the time ran out.
        """
        with self._changed:
            idle = self._changed.wait_for(lambda: not self._working, timeout_s)
        self._deliver_ready()
        return idle

    def _find_answer(self, question: Question) -> Answer | None:
        """Return the kept answer that contains the one asked for, and keep it longest."""
        for i, answer in enumerate(self._kept):
            covers = (
                answer.question == question if answer.error else answer.question.covers(question)
            )
            if covers:
                self._kept.append(self._kept.pop(i))
                return answer
        return None

    def _start_thread(self) -> None:
        """Start the thread, unless it runs, and remember the loop to which it delivers."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        if not self._working:
            self._working = True
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._answer_all,), daemon=True).start()

    def _answer_all(self) -> None:
        """Answer questions until none is left; this runs in the thread."""
        while (question := self._await_next()) is not None:
            answer = self._ask_source(question)
            with self._changed:
                self._asking = None
                self._keep_answer(answer)
                if wanted := self._is_wanted(question):
                    self._wish = None
                    self._ready.put(answer)
            if wanted:
                self._schedule_delivery()

    def _await_next(self) -> Question | None:
        """Return the question once no other has followed for a while; None ends the thread."""
        with self._changed:
            while self._wish is not None and (rest := self._due - time.monotonic()) > 0:
                self._changed.wait(rest)
            question, self._wish = self._wish, None
            self._asking = question
            if question is None:
                self._working = False
                self._changed.notify_all()
            return question

    def _ask_source(self, question: Question) -> Answer:
        """Return the answer of the source, or its error."""
        self.n_asked += 1
        try:
            return Answer(question, self._ask(question))
        except OCMError as error:
            return Answer(question, error=str(error))
        except Exception as error:  # noqa: BLE001 - nobody sees errors of a thread
            return Answer(question, error=f"{type(error).__name__}: {error}")

    def _keep_answer(self, answer: Answer) -> None:
        """Keep an answer, and drop the oldest beyond a number of answers or rows."""
        self._kept.append(answer)
        while len(self._kept) > 1 and (
            len(self._kept) > _MAX_KEPT or sum(_count_rows(kept) for kept in self._kept) > _MAX_ROWS
        ):
            self._kept.pop(0)

    def _schedule_delivery(self) -> None:
        """Deliver in the notebook's main thread, where there is one."""
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._deliver_ready)
        else:
            self._deliver_ready()

    def _deliver_ready(self) -> None:
        """Deliver the answers that are still wanted; some were replaced since they arrived."""
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


def _count_rows(answer: Answer) -> int:
    return 0 if answer.stations is None else len(answer.stations)
