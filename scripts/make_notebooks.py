"""Make the notebooks of the repository: the student edition, executed, with outputs.

    python scripts/make_notebooks.py [LESSON ...]

Without numbers of lessons all are made, but the one on real data.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from ocm_geo.teaching.lessons import LESSONS
from ocm_geo.teaching.notebooks import make_notebook

FOLDER = Path(__file__).parents[1] / "notebooks"


def run_notebook(notebook: Any, folder: Path) -> Any:  # noqa: ANN401 - nbformat has no types
    """Execute a notebook in a folder, without the state of widgets."""
    client = NotebookClient(
        notebook,
        timeout=240,
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
    )
    client.execute(env={**os.environ})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    for key in set(notebook.metadata) - {"kernelspec", "language_info"}:
        del notebook.metadata[key]
    notebook.metadata["language_info"] = nbformat.from_dict({"name": "python"})
    return notebook


def main() -> None:
    """Write the notebooks."""
    chosen = {int(text) for text in sys.argv[1:]}
    FOLDER.mkdir(exist_ok=True)
    for lesson in LESSONS:
        if lesson.on_real_data or (chosen and lesson.number not in chosen):
            continue
        notebook = nbformat.reads(json.dumps(make_notebook(lesson, "student")), as_version=4)
        with tempfile.TemporaryDirectory() as scratch:
            made = run_notebook(notebook, Path(scratch))
        nbformat.validate(made)
        nbformat.write(made, FOLDER / lesson.file)
        print(lesson.file, (FOLDER / lesson.file).stat().st_size)


if __name__ == "__main__":
    main()
