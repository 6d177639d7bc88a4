"""Fill pages from the package itself, so that they cannot differ from it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

import ocm_geo
from ocm_geo.power_limits import power_limits
from ocm_geo.query import FILTERS
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, Column

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
GALLERY = "figures.md"
REFERENCE = "reference.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^::: (\w+)$", re.MULTILINE)
_DPI = 110


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """
    Run the code of the gallery and add what it draws.

    Parameters
    ----------
    files : mkdocs.structure.files.Files
        Those of the documentation.
    config : mkdocs.config.defaults.MkDocsConfig
        Its settings.

    Returns
    -------
    mkdocs.structure.files.Files
        With the pictures.
    """
    text = (ROOT / "docs" / GALLERY).read_text(encoding="utf-8")
    for number, picture in draw(text).items():
        files.append(File.generated(config, f"figures/{number}.png", content=picture))
    return files


def draw(markdown: str) -> dict[int, bytes]:
    """
    Run the blocks of Python on a page, one after the other.

    Parameters
    ----------
    markdown : str
        The page.

    Returns
    -------
    dict of int to bytes
        The picture, as PNG, of each block that draws one, by its number on the page.
    """
    import matplotlib as mpl  # noqa: PLC0415 - only where pages are made

    mpl.use("agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    plt.close("all")
    names: dict[str, Any] = {}
    pictures = {}
    for number, match in enumerate(_BLOCK.finditer(markdown)):
        exec(match[1], names)  # noqa: S102 - our own page
        if plt.get_fignums():
            target = io.BytesIO()
            plt.gcf().savefig(target, dpi=_DPI)
            pictures[number] = target.getvalue()
            plt.close("all")
    return pictures


def _with_pictures(markdown: str) -> str:
    """Put each picture below the block that draws it: those that call a figure's function."""
    numbers = {match.start(): n for n, match in enumerate(_BLOCK.finditer(markdown))}

    def shown(match: re.Match[str]) -> str:
        if "ocm.plot_" not in match[1]:
            return match[0]
        return f"{match[0]}\n![What the code above draws](figures/{numbers[match.start()]}.png)\n"

    return _BLOCK.sub(shown, markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """
    Check that the reference has an anchor for every public name.

    Parameters
    ----------
    config : mkdocs.config.defaults.MkDocsConfig
        The settings of the documentation.
    """
    page = Path(config.site_dir) / "reference" / "index.html"
    check_anchors(page.read_text(encoding="utf-8"))


def check_anchors(html: str) -> None:
    """
    Check that a page has an anchor and a heading for every public name.

    Parameters
    ----------
    html : str
        The built page of the reference.

    Raises
    ------
    mkdocs.exceptions.PluginError
        A public name is missing; the build fails.
    """
    missing = [
        name
        for name in ocm_geo.__all__
        if name != "__version__"
        and not (f'id="ocm.{name}"' in html and re.search(rf'<h3 id="ocm_geo\.[\w.]*{name}"', html))
    ]
    if missing:
        raise PluginError(f"docs/reference.md: no anchor for {', '.join(missing)}")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:  # noqa: ANN401 - what mkdocs hands over
    """
    Put tables of the schema, the README and pictures where pages ask for them.

    Parameters
    ----------
    markdown : str
        Text of a page.
    page : mkdocs.structure.pages.Page
        The page.
    **_ : object
        The rest of what mkdocs hands over.

    Returns
    -------
    str
        Text with the tables.
    """
    if page.file.src_uri == GALLERY:
        return _with_pictures(markdown)
    if page.file.src_uri == REFERENCE:
        return _NAME.sub(_name_definition, markdown)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    readme = re.sub(
        r"\]\((LICENSE|CITATION\.cff|CONTRIBUTING\.md)\)", "]", readme.replace("(docs/", "(")
    )
    filled = markdown.replace("{{ readme }}", readme)
    filled = filled.replace("{{ station_columns }}", _rows(STATION_COLUMNS))
    filled = filled.replace("{{ power_limits }}", _limits())
    filled = filled.replace("{{ filters }}", _filters())
    return filled.replace("{{ connection_columns }}", _rows(CONNECTION_COLUMNS))


def _name_definition(match: re.Match[str]) -> str:
    """Name the place where a public name is defined: some share theirs with a module."""
    found = getattr(ocm_geo, match[1])
    is_module = isinstance(found, ModuleType)
    path = found.__name__ if is_module else f"{found.__module__}.{found.__qualname__}"
    # An address that stays when the definition moves.
    return f'<a id="ocm.{match[1]}"></a>\n\n::: {path}\n'


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


def _limits() -> str:
    """Return the table of the highest powers."""
    table = power_limits().reset_index().astype("string").fillna("")
    lines = ["| " + " | ".join(row) + " |" for row in (table.columns, *table.to_numpy())]
    return "\n".join([lines[0], "|---" * len(table.columns) + "|", *lines[1:]])
