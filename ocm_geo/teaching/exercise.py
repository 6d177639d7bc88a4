"""What an exercise is: a question, the code that answers it, and the classic mistakes."""

from __future__ import annotations

import ast
import inspect
import textwrap
import warnings
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COUNT", "Exercise", "Lesson", "Mistake", "write_solution"]

COUNT = "number"
"""The unit of answers that are counted: they are right to the last one."""


@dataclass(frozen=True)
class Mistake:
    """A classic mistake: how it computes its wrong answer, and what to tell the learner."""

    advice: str
    solve: Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """
    An exercise, which contains its code but never its answer.

    Parameters
    ----------
    name : str
        The number of the lesson and a letter, such as ``"4b"``.
    question : str
        The question, in Markdown.
    unit : str
        The unit of the answer, or its kind.
    hint : str
        The way to the answer.
    solve : callable
        The solution; its source is what `solution` shows.
    mistakes : tuple of Mistake
        The classic mistakes, most likely first.
    tolerance : float
        The largest relative difference that is accepted in a measured number.
    """

    name: str
    question: str
    unit: str
    hint: str
    solve: Callable[..., Any] = field(repr=False)
    mistakes: tuple[Mistake, ...] = field(default=(), repr=False)
    tolerance: float = 0.005

    def run(self, solve: Callable[..., Any], source: Any = None) -> Any:  # noqa: ANN401 - any kind
        """Return what a solution or a mistake computes, on real data if its lesson has them."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return solve() if source is None else solve(source)


@dataclass(frozen=True)
class Lesson:
    """A lesson: one notebook with its exercises."""

    number: int
    page: str
    title: str
    minutes: int
    exercises: tuple[Exercise, ...]
    on_real_data: bool = False

    @property
    def file(self) -> str:
        """Return the name of the notebook."""
        return f"{self.number:02d}_{self.page}.ipynb"


def write_solution(exercise: Exercise) -> str:
    """Return the code that solves an exercise: the body of its function, its result named."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(exercise.solve)))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)  # noqa: S101 - solutions are plain functions
    body = function.body[1:] if ast.get_docstring(function) else function.body
    result = body[-1]
    assert isinstance(result, ast.Return)  # noqa: S101 - and end with their answer
    assert result.value is not None  # noqa: S101
    lines = [*_list_imports(exercise, function), *(ast.unparse(part) for part in body[:-1])]
    return "\n".join([*lines, f"answer_{exercise.name} = {ast.unparse(result.value)}"])


def _list_imports(exercise: Exercise, function: ast.FunctionDef) -> list[str]:
    """Return the imports that the code of a solution needs beside that of ocm_geo."""
    known = exercise.solve.__globals__
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} - {"ocm"}
    modules = {
        name: known[name] for name in sorted(names) if isinstance(known.get(name), ModuleType)
    }
    return [
        f"import {module.__name__}" + ("" if module.__name__ == name else f" as {name}")
        for name, module in modules.items()
    ]
