"""Fill pages from the package itself, so that they cannot differ from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, Column

ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401 - what mkdocs hands over
    """
    Put the tables of the schema and the README where pages ask for them.

    Parameters
    ----------
    markdown : str
        Text of a page.
    **_ : object
        The rest of what mkdocs hands over.

    Returns
    -------
    str
        Text with the tables.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    readme = (
        readme.replace("(docs/", "(").replace("](LICENSE)", "]").replace("](CITATION.cff)", "]")
    )
    filled = markdown.replace("{{ readme }}", readme)
    filled = filled.replace("{{ station_columns }}", _rows(STATION_COLUMNS))
    return filled.replace("{{ connection_columns }}", _rows(CONNECTION_COLUMNS))


def _rows(columns: tuple[Column, ...]) -> str:
    lines = ["| column | type | from | meaning |", "|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.kind} | {c.origin} | {c.meaning} |" for c in columns]
    return "\n".join(lines)
