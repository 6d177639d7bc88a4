"""Notebooks made from the pages of the lessons: text, code, and exercises in three forms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocm_geo.teaching.exercise import write_solution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ocm_geo.teaching.exercise import Exercise, Lesson

__all__ = ["EDITIONS", "make_notebook"]

_PAGES = Path(__file__).parent / "pages"
_PART = re.compile(r"```python\n(?P<code>.*?)```|\{\{exercise (?P<name>\w+)\}\}", re.DOTALL)
_DATA = "{{data}}"
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
Cells = list[tuple[str, str]]


def make_notebook(lesson: Lesson, edition: str, *, data: str = "my-mirror") -> dict[str, Any]:
    """
    Make the notebook of a lesson.

    Parameters
    ----------
    lesson : Lesson
        The lesson.
    edition : str
        A key of `EDITIONS`.
    data : str
        Path of the mirror for the lesson on real data.

    Returns
    -------
    dict
        A notebook of format 4.5, without outputs; ids of cells depend on their number alone.
    """
    exercises = {exercise.name: exercise for exercise in lesson.exercises}
    page = (_PAGES / lesson.file).with_suffix(".md").read_text(encoding="utf-8")
    parts = _split_page(page.replace(_DATA, repr(data)))
    cells: Cells = []
    for kind, text in parts:
        cells += EDITIONS[edition](exercises[text]) if kind == "exercise" else [(kind, text)]
    start = [_introduce_lesson(lesson, edition)]
    if edition == "otter":
        start.insert(0, ("raw", f"# ASSIGNMENT CONFIG\nname: {lesson.page}\ninit_cell: false"))
    made = [_make_cell(lesson, rank, *cell) for rank, cell in enumerate([*start, *cells])]
    return {"cells": made, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}


def _split_page(page: str) -> Iterator[tuple[str, str]]:
    """Return the cells of a page: its text, its code, and its exercises by name."""
    end = 0
    for part in _PART.finditer(page):
        if text := page[end : part.start()].strip():
            yield "markdown", text
        yield ("code", part["code"].rstrip()) if part["code"] else ("exercise", part["name"])
        end = part.end()
    if text := page[end:].strip():
        yield "markdown", text


def _introduce_lesson(lesson: Lesson, edition: str) -> tuple[str, str]:
    """Return a first cell: how long it takes, and what it needs."""
    needs = "a mirror of real data" if lesson.on_real_data else "neither key nor network"
    names = ", ".join(exercise.name for exercise in lesson.exercises)
    text = (
        f"**Lesson {lesson.number}: {lesson.title}** · {lesson.minutes} minutes · needs {needs} · "
        f"exercises {names}"
    )
    if edition == "teacher":
        text += (
            "\n\n**Teacher edition**, with solutions and common mistakes. Allow about "
            f"{lesson.minutes + 10 * len(lesson.exercises)} minutes in class, exercises included."
        )
    return "markdown", text


def _make_cell(lesson: Lesson, rank: int, kind: str, source: str) -> dict[str, Any]:
    """Return a cell of the notebook format."""
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"lesson-{lesson.number}-{rank:02d}",
        "metadata": {},
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": source.splitlines(keepends=True)}


def _ask_question(exercise: Exercise) -> tuple[str, str]:
    return "markdown", f"**Exercise {exercise.name}** ({exercise.unit}). {exercise.question}"


def _write_for_students(exercise: Exercise) -> Cells:
    """Return a question and a cell for its answer."""
    name = exercise.name
    code = (
        f"answer_{name} = None  # or: print(teaching.hint({name!r}))\n"
        f"teaching.check({name!r}, answer_{name}{_pass_source(exercise)})"
    ).replace("'", '"')
    return [_ask_question(exercise), ("code", code)]


def _write_for_teachers(exercise: Exercise) -> Cells:
    """Return a question, its solution, and the mistakes that its check recognises."""
    name = exercise.name
    check = f'teaching.check("{name}", answer_{name}{_pass_source(exercise)})'
    listed = "\n".join(f"- {mistake.advice}" for mistake in exercise.mistakes)
    return [
        _ask_question(exercise),
        ("code", f"{write_solution(exercise)}\n{check}"),
        ("markdown", f"**Hint.** {exercise.hint}\n\n**Common mistakes**\n\n{listed}"),
    ]


def _write_for_otter(exercise: Exercise) -> Cells:
    """Return a question in the format of otter assign: delimiters in raw cells, then a test."""
    name = exercise.name
    solved = (
        f'""" # BEGIN PROMPT\nanswer_{name} = ...\n"""; # END PROMPT\n'
        f"# BEGIN SOLUTION NO PROMPT\n{write_solution(exercise)}\n# END SOLUTION"
    )
    # A test reads only the answer, so that nothing of the solution is in the students' copy.
    test = f'assert teaching.check("{name}", answer_{name}{_pass_source(exercise)})'
    return [
        ("raw", f"# BEGIN QUESTION\nname: q{name}\npoints: 1"),
        _ask_question(exercise),
        ("raw", "# BEGIN SOLUTION"),
        ("code", solved),
        ("raw", "# END SOLUTION"),
        ("raw", "# BEGIN TESTS"),
        ("code", test),
        ("raw", "# END TESTS"),
        ("raw", "# END QUESTION"),
    ]


def _pass_source(exercise: Exercise) -> str:
    """Return the argument that an exercise on real data needs."""
    return ", source=source" if exercise.solve.__code__.co_argcount else ""


EDITIONS: dict[str, Callable[[Exercise], Cells]] = {
    "student": _write_for_students,
    "teacher": _write_for_teachers,
    "otter": _write_for_otter,
}
"""The editions, and how each writes an exercise."""
