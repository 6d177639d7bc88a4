"""The command ``ocm-geo teach``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from ocm_geo.teaching.editions import write_editions

__all__ = ["teach"]


def teach(
    folder: Annotated[Path, typer.Argument(help="A new folder for the notebooks.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Mirror of real data for lesson 10, as students will find it."),
    ] = None,
) -> None:
    """Write the notebooks: for students, for teachers, and masters for otter-grader."""
    written = write_editions(folder, data=data)
    for edition in ("student", "teacher", "otter"):
        n = sum(path.parent.name == edition for path in written)
        typer.echo(f"{n} notebooks in {folder / edition}")
    if data is None:
        typer.echo(
            "Lesson 10 opens the mirror my-mirror: build it with ocm-geo mirror build my-mirror "
            "DATA, from https://github.com/openchargemap/ocm-export"
        )
