"""Write the notebooks of all lessons: for students, for teachers, and masters for otter-grader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ocm_geo.errors import QueryError
from ocm_geo.paths import expand_path, write_whole
from ocm_geo.teaching.lessons import LESSONS
from ocm_geo.teaching.notebooks import EDITIONS, make_notebook

if TYPE_CHECKING:
    import os
    from pathlib import Path

__all__ = ["write_editions"]


def write_editions(
    folder: str | os.PathLike[str], *, data: str | os.PathLike[str] | None = None
) -> list[Path]:
    """
    Write the student edition, the teacher edition and the otter-grader masters of all notebooks.

    Parameters
    ----------
    folder : path
        Gets the folders ``student``, ``teacher`` and ``otter``. Notebooks that exist are kept.
    data : path, optional
        A mirror of real data for lesson 10, under the path that students will use.

    Returns
    -------
    list of pathlib.Path
        The notebooks written.

    Raises
    ------
    QueryError
        If a notebook exists already: students' work is not overwritten.

    Examples
    --------
    >>> from ocm_geo import teaching
    >>> len(teaching.write_editions("course"))
    30
    """
    root = expand_path(folder, "folder")
    named = "my-mirror" if data is None else str(expand_path(data, "data"))
    planned = {
        root / edition / lesson.file: make_notebook(lesson, edition, data=named)
        for edition in EDITIONS
        for lesson in LESSONS
    }
    existing = [path for path in planned if path.exists()]
    if existing:
        raise QueryError(f"{existing[0]} exists: choose an empty folder, work is not overwritten")
    for path, notebook in planned.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(notebook, indent=1, ensure_ascii=False)
        write_whole(path, text + "\n")
    return list(planned)
