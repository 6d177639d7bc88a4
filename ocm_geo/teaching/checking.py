"""Check an answer, show a hint or the solution of an exercise."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.provenance import attach
from ocm_geo.teaching.exercise import write_solution
from ocm_geo.teaching.judging import (
    AnswerOfOtherKind,
    are_equal,
    explain_difference,
    read_answer,
)
from ocm_geo.teaching.lessons import LESSONS

if TYPE_CHECKING:
    from ocm_geo.sources.base import Source
    from ocm_geo.teaching.exercise import Exercise, Lesson

__all__ = ["Feedback", "check", "exercises", "hint", "solution"]


@dataclass(frozen=True)
class Feedback:
    """
    What `check` says about an answer; true if the answer is right.

    Parameters
    ----------
    exercise : str
        The exercise.
    right : bool or None
        Whether the answer is right; None if there is no answer yet.
    message : str
        Praise or advice.
    """

    exercise: str
    right: bool | None
    message: str

    def __bool__(self) -> bool:
        return self.right is True

    def __repr__(self) -> str:
        return f"{self.exercise}: {self.message}"


def check(exercise: str, answer: Any, *, source: Source | None = None) -> Feedback:  # noqa: ANN401
    """
    Check an answer to an exercise, and name the classic mistake that it comes from.

    Parameters
    ----------
    exercise : str
        The name of the exercise, such as ``"4b"``.
    answer : object
        A number in the unit of the question or a text with a unit (``"12.3 km"``), a name, a
        series, a station table or a list of its ids, or a geometry, as the question asks.
    source : Source, optional
        The real data, for the exercises of the lesson on real data only.

    Returns
    -------
    Feedback
        True if the answer is right; its text never contains the right answer.

    Raises
    ------
    QueryError
        If there is no such exercise, or if it needs real data.

    Notes
    -----
    Measured numbers are accepted within 0.5 %, counts to the last one, and areas if they differ by
    at most 0.2 %. The expected answer is computed on the first check.

    Examples
    --------
    >>> from ocm_geo import teaching
    >>> teaching.check("1a", None)
    1a: no answer yet
    """
    found, lesson = _find_exercise(exercise)
    if answer is None or answer is Ellipsis:
        return Feedback(found.name, None, "no answer yet")
    expected, *wrong = _compute_answers(found, lesson, source)
    try:
        read = read_answer(expected, answer, found.unit)
    except AnswerOfOtherKind as advice:
        return Feedback(found.name, False, f"not yet: {advice}")  # noqa: FBT003
    if are_equal(expected, read, found.unit, found.tolerance):
        return Feedback(found.name, True, "right")  # noqa: FBT003
    for mistake, value in zip(found.mistakes, wrong, strict=True):
        if are_equal(value, read, found.unit, found.tolerance):
            return Feedback(found.name, False, f"not yet: {mistake.advice}")  # noqa: FBT003
    why = explain_difference(expected, read, found.unit, found.tolerance)
    advice_text = why or f"see teaching.hint({found.name!r})"
    return Feedback(found.name, False, f"not yet: {advice_text}")  # noqa: FBT003


def hint(exercise: str) -> str:
    """
    Return a hint to an exercise.

    Parameters
    ----------
    exercise : str
        The name of the exercise, such as ``"4b"``.

    Returns
    -------
    str
        The way to the answer, without code.

    Examples
    --------
    >>> from ocm_geo import teaching
    >>> len(teaching.hint("1a")) > 20
    True
    """
    return _find_exercise(exercise)[0].hint


def solution(exercise: str) -> str:
    """
    Return the code that solves an exercise: the code that `check` itself runs.

    Parameters
    ----------
    exercise : str
        The name of the exercise, such as ``"4b"``.

    Returns
    -------
    str
        Python code; print it, or run it in a cell.

    Examples
    --------
    >>> from ocm_geo import teaching
    >>> "answer_1a" in teaching.solution("1a")
    True
    """
    return write_solution(_find_exercise(exercise)[0])


def exercises() -> pd.DataFrame:
    """
    Return all exercises.

    Returns
    -------
    pandas.DataFrame
        Index ``exercise``; ``lesson``, ``title`` of the lesson, its ``minutes``, ``question`` and
        ``unit`` (unit or kind of the answer).

    Examples
    --------
    >>> from ocm_geo import teaching
    >>> teaching.exercises().columns.tolist()
    ['lesson', 'title', 'minutes', 'question', 'unit']
    """
    rows = [
        (found.name, lesson.number, lesson.title, lesson.minutes, found.question, found.unit)
        for lesson in LESSONS
        for found in lesson.exercises
    ]
    columns = ["exercise", "lesson", "title", "minutes", "question", "unit"]
    table = pd.DataFrame(rows, columns=columns).set_index("exercise")
    return attach(table, source="ocm_geo.teaching", attribution="ocm_geo")


def _find_exercise(name: object) -> tuple[Exercise, Lesson]:
    """Return the exercise of a name, and its lesson."""
    known = {found.name: (found, lesson) for lesson in LESSONS for found in lesson.exercises}
    text = str(name).strip().lower()
    if text in known:
        return known[text]
    close = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
    advice = f"did you mean {close[0]!r}? " if close else ""
    raise QueryError(
        f"{short_form(name)} is not an exercise: {advice}the exercises are {', '.join(known)}"
    )


def _compute_answers(found: Exercise, lesson: Lesson, source: Source | None) -> list[Any]:
    """Return the right answer and then the classic wrong ones."""
    if not lesson.on_real_data:
        if source is not None:
            raise QueryError(f"exercise {found.name} is on the bundled sample: leave source= out")
        return _compute_on_sample(found.name)
    if source is None:
        raise QueryError(f"exercise {found.name} is on real data: pass source=, such as a Mirror")
    return [found.run(solve, source) for solve in _list_solvers(found)]


@cache
def _compute_on_sample(name: str) -> list[Any]:
    found, _ = _find_exercise(name)
    return [found.run(solve) for solve in _list_solvers(found)]


def _list_solvers(found: Exercise) -> list[Any]:
    return [found.solve, *(mistake.solve for mistake in found.mistakes)]
