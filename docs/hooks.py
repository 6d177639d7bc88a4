"""Fill pages from the package itself, so that they cannot differ from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocm_geo.power_limits import power_limits
from ocm_geo.quality import quality_checks
from ocm_geo.query import FILTERS
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, Column

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401 - what mkdocs hands over
    """
    Put tables of the schema and files of the repository where pages ask for them.

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
    if "{{" not in markdown:
        return markdown
    readme = _read_text("README.md").replace("(docs/", "(")
    readme = re.sub(r"\]\((LICENSE|CITATION\.cff|CONTRIBUTING\.md)\)", "]", readme)
    filled = markdown.replace("{{ readme }}", readme)
    filled = filled.replace("{{ changelog }}", _read_text("CHANGELOG.md"))
    filled = filled.replace("{{ benchmarks }}", _read_text("docs/about/measured.txt"))
    filled = filled.replace("{{ station_columns }}", _rows(STATION_COLUMNS))
    filled = filled.replace("{{ power_limits }}", _table(power_limits()))
    filled = filled.replace("{{ quality_checks }}", _table(quality_checks()))
    filled = filled.replace("{{ filters }}", _filters())
    return filled.replace("{{ connection_columns }}", _rows(CONNECTION_COLUMNS))


def _read_text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _rows(columns: tuple[Column, ...]) -> str:
    lines = ["| column | type | from | meaning |", "|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.kind} | {c.origin} | {c.meaning} |" for c in columns]
    return "\n".join(lines)


def _filters() -> str:
    """Return the table of the filters."""
    lines = ["| filter | option | met by | meaning |", "|---|---|---|---|"]
    for row in FILTERS.values():
        level = "the answer" if row.level == "answer" else f"the {row.level}"
        lines.append(f"| `{row.name}` | `{row.option}` | {level} | {row.meaning} |")
    return "\n".join(lines)


def _table(data: pd.DataFrame) -> str:
    """Return a table of data with its index."""
    table = data.reset_index().astype("string").fillna("")
    # A bar inside a cell would end it.
    lines = [
        "| " + " | ".join(cell.replace("|", " or ") for cell in row) + " |"
        for row in (table.columns, *table.to_numpy())
    ]
    return "\n".join([lines[0], "|---" * len(table.columns) + "|", *lines[1:]])
