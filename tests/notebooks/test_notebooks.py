from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


WITH_EXERCISES = [path for path in NOTEBOOKS if not path.name.startswith("01")]
SOLUTION = re.compile(r"<summary>Solution</summary>\n\n```python\n(.*?)```", re.DOTALL)


def run(notebook: nbformat.NotebookNode, folder: Path) -> list[str]:
    """Give what each cell of code shows."""
    environment = {**os.environ, "MPLBACKEND": "agg"}
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    return [str(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]


def solved(notebook: nbformat.NotebookNode) -> int:
    """Put the solutions into the cells of their exercises, and give how many there are."""
    count = 0
    for exercise, below in pairwise(notebook.cells):
        if solution := SOLUTION.search(below.source):
            before, _, after = exercise.source.partition(" = None\n")
            assert before.startswith("answer_")
            exercise.source = solution[1] + after
            count += 1
    return count


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_are_kept_without_output(path: Path) -> None:
    for cell in read(path).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.filterwarnings("ignore")  # the kernel's own
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the kernel talks over sockets of its own
    shown = run(read(path), tmp_path)
    assert "Invented" in shown[-1]
    assert "'right'" not in "".join(shown)  # nothing is answered yet


@pytest.mark.filterwarnings("ignore")  # the kernel's own
@pytest.mark.parametrize("path", WITH_EXERCISES, ids=lambda p: p.name)
def test_the_solutions_are_right(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    notebook = read(path)
    count = solved(notebook)
    assert count == sum("check(answer_" in cell.source for cell in notebook.cells) >= 4
    assert "".join(run(notebook, tmp_path)).count("'right'") == count
