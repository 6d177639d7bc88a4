from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nbformat
import pytest
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo import teaching
from ocm_geo.cli import app
from ocm_geo.teaching.lessons import LESSONS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teach") / "course"
    assert len(teaching.write_editions(folder, data="our/mirror")) == 30
    return folder


def sources(path: Path, kind: str = "code") -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.page)
def test_students_get_no_solution_and_teachers_get_all(course: Path, lesson: object) -> None:
    assert isinstance(lesson, type(LESSONS[0]))
    student = "\n".join(sources(course / "student" / lesson.file))
    teacher = "\n".join(sources(course / "teacher" / lesson.file))
    told = "\n".join(sources(course / "teacher" / lesson.file, "markdown"))
    for exercise in lesson.exercises:
        last = teaching.solution(exercise.name).splitlines()[-1]
        assert last not in student
        assert last in teacher
        assert f"answer_{exercise.name} = None" in student
        assert all(mistake.advice in told for mistake in exercise.mistakes)
    assert f"{lesson.minutes} minutes" in told
    assert all(f"exercise {name}" not in student for name in ("1a", "{{"))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.page)
def test_masters_have_the_blocks_of_otter_in_their_order(course: Path, lesson: object) -> None:
    assert isinstance(lesson, type(LESSONS[0]))
    raw = sources(course / "otter" / lesson.file, "raw")
    assert raw[0].startswith("# ASSIGNMENT CONFIG")
    heads = [text.splitlines()[0] for text in raw[1:]]
    block = [
        f"# {edge} {what}"
        for edge, what in (
            ("BEGIN", "QUESTION"),
            ("BEGIN", "SOLUTION"),
            ("END", "SOLUTION"),
            ("BEGIN", "TESTS"),
            ("END", "TESTS"),
            ("END", "QUESTION"),
        )
    ]
    assert heads == block * len(lesson.exercises)
    code = "\n".join(sources(course / "otter" / lesson.file))
    assert code.count("# BEGIN SOLUTION NO PROMPT") == code.count("# END SOLUTION")
    assert code.count("# BEGIN PROMPT") == code.count("# END PROMPT") == len(lesson.exercises)


def test_the_data_of_the_teacher_are_named(course: Path) -> None:
    assert "ocm.Mirror('our/mirror')" in sources(course / "student" / "10_real_data.ipynb")[0]


def test_work_is_not_overwritten(course: Path) -> None:
    before = (course / "student" / LESSONS[0].file).read_text(encoding="utf-8")
    with pytest.raises(ocm.QueryError, match=r"exists: choose an empty folder"):
        teaching.write_editions(course)
    assert (course / "student" / LESSONS[0].file).read_text(encoding="utf-8") == before
    assert len({json.dumps(cell["id"]) for cell in json.loads(before)["cells"]}) == len(
        json.loads(before)["cells"]
    )


def test_the_command_writes_the_editions(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["teach", str(tmp_path / "course")])
    assert result.exit_code == 0
    assert "10 notebooks in" in result.output
    assert "ocm-export" in result.output
