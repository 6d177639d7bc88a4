from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ocm_geo import teaching
from ocm_geo.teaching.lessons import LESSONS
from ocm_geo.teaching.notebooks import make_notebook

FOLDER = Path(__file__).parents[2] / "notebooks"
ON_SAMPLE = [lesson for lesson in LESSONS if not lesson.on_real_data]


def read(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_there_is_a_notebook_for_each_lesson_and_they_are_small() -> None:
    paths = sorted(FOLDER.glob("*.ipynb"))
    assert [path.name for path in paths] == [lesson.file for lesson in ON_SAMPLE]
    assert sum(path.stat().st_size for path in paths) < 3_000_000


@pytest.mark.parametrize("lesson", ON_SAMPLE, ids=lambda lesson: lesson.page)
def test_notebooks_are_those_of_the_package_with_their_outputs(lesson: object) -> None:
    assert isinstance(lesson, type(LESSONS[0]))
    kept, made = read(FOLDER / lesson.file), make_notebook(lesson, "student")
    assert [cell.source for cell in kept.cells] == ["".join(c["source"]) for c in made["cells"]]
    assert [cell.id for cell in kept.cells] == [cell["id"] for cell in made["cells"]]
    shown = [cell for cell in kept.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) >= 5
    outputs = [output for cell in shown for output in cell.outputs]
    assert not any(output.output_type == "error" for output in outputs)
    assert "Invented" in str(outputs[-1])
    # No path of the machine that ran them: the sample, the cache and temporary folders have one.
    assert not re.search(
        r"/(?:home|root|tmp|Users)/|site-packages|/ocm_geo/sources/data", str(outputs)
    )
    assert "/tmp/" not in str(outputs)  # noqa: S108 - a text looked for


@pytest.mark.filterwarnings("ignore")  # the kernel's own
@pytest.mark.parametrize("lesson", ON_SAMPLE, ids=lambda lesson: lesson.page)
def test_the_teachers_notebooks_run_and_their_answers_are_right(
    lesson: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(lesson, type(LESSONS[0]))
    monkeypatch.undo()  # the kernel talks over sockets of its own
    notebook = teaching_edition(lesson.number, tmp_path)
    environment = {**os.environ, "MPLBACKEND": "agg"}
    client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=environment)
    shown = [str(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]
    for exercise in lesson.exercises:
        assert any(f"{exercise.name}: right" in text for text in shown)


def teaching_edition(number: int, folder: Path) -> nbformat.NotebookNode:
    written = teaching.write_editions(folder / "course")
    name = LESSONS[number - 1].file
    return read(
        next(path for path in written if path.parent.name == "teacher" and path.name == name)
    )
