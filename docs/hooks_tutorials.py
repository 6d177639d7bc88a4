"""Make a page of each notebook, with the outputs that are stored in it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
_STYLE = re.compile(r"<style.*?</style>|<script.*?</script>", re.DOTALL)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Tutorial(NamedTuple):
    """A page made from a notebook, and the pictures on it."""

    name: str
    markdown: str
    pictures: dict[str, bytes]


def convert(name: str, notebook: Any) -> Tutorial:  # noqa: ANN401 - a notebook
    """
    Return the page of a notebook.

    Parameters
    ----------
    name : str
        Its name, without the suffix.
    notebook : nbformat.NotebookNode
        The notebook, with outputs.

    Returns
    -------
    Tutorial
        Markdown and pictures.
    """
    pictures: dict[str, bytes] = {}
    source = f"`notebooks/{name}.ipynb`"
    note = f'!!! note ""\n    This page is the notebook {source} with its outputs.'
    parts: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(_adapt_text(cell.source))
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(f"```python\n{cell.source.rstrip()}\n```")
            for output in cell.outputs:
                parts += _show_output(output, name, pictures)
    parts.insert(1, note)
    return Tutorial(name, "\n\n".join(parts) + "\n", pictures)


def _adapt_text(text: str) -> str:
    """Return the text of a notebook with the links and the folded parts of a page."""
    text = text.replace("<details>", '<details markdown="1">')
    text = re.sub(r"\]\((?:\.\./)?docs/([\w/]+\.md)", r"](../\1", text)
    return re.sub(r"\]\(([\w]+)\.ipynb", r"](\1.md", text)


def _show_output(output: Any, name: str, pictures: dict[str, bytes]) -> Iterator[str]:  # noqa: ANN401
    """Yield the Markdown of an output: a picture, else a table, else text."""
    if output.output_type == "stream":
        if output.name == "stdout":
            yield _fence(output.text)
        return
    data = output.get("data", {})
    if "image/png" in data:
        address = f"{name}-{len(pictures)}.png"
        pictures[address] = base64.b64decode(data["image/png"])
        yield f"![Output of the cell above]({address})"
    elif "application/vnd.jupyter.widget-view+json" in data:
        yield "*Here the notebook shows an interactive map.*"
    elif "text/html" in data:
        yield _show_html(data["text/html"])
    elif "text/plain" in data and not data["text/plain"].startswith("<Axes"):
        yield _fence(data["text/plain"])


def _show_html(html: str) -> str:
    """Return HTML as one block of Markdown: without styles of its own or empty lines."""
    plain = _STYLE.sub("", html).replace(' border="1" class="dataframe"', "")
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return '<div class="output">\n' + "\n".join(lines) + "\n</div>"


def _fence(text: str) -> str:
    """Return text as a block, without colours and the folder of this clone."""
    plain = _COLOURS.sub("", text).replace(f"{NOTEBOOKS.parent}/", "").rstrip()
    return f"```text\n{plain}\n```"


def list_notebooks() -> list[Path]:
    """
    Return the notebooks, in order.

    Returns
    -------
    list of pathlib.Path
        Those of notebooks/.
    """
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def get_title(path: Path) -> str:
    """
    Return the title of a notebook.

    Parameters
    ----------
    path : pathlib.Path
        The notebook.

    Returns
    -------
    str
        Its first heading, else its name.
    """
    import nbformat  # noqa: PLC0415 - only where pages are made

    for cell in nbformat.read(path, as_version=4).cells:
        if match := re.search(r"^# (.+)$", cell.source, re.MULTILINE):
            return str(match[1])
    return path.stem


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """
    Put the notebooks into the navigation.

    Parameters
    ----------
    config : mkdocs.config.defaults.MkDocsConfig
        The settings of the documentation.

    Returns
    -------
    mkdocs.config.defaults.MkDocsConfig
        The same, with their pages.
    """
    section = next(item["Tutorials"] for item in config.nav or [] if "Tutorials" in item)
    section += [{get_title(path): f"tutorials/{path.stem}.md"} for path in list_notebooks()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """
    Add the pages of the notebooks.

    The tests run every notebook: running them again here would take most of the build.

    Parameters
    ----------
    files : mkdocs.structure.files.Files
        Those of the documentation.
    config : mkdocs.config.defaults.MkDocsConfig
        Its settings.

    Returns
    -------
    mkdocs.structure.files.Files
        With the pages and their pictures.
    """
    import nbformat  # noqa: PLC0415 - only where pages are made

    for path in list_notebooks():
        page = convert(path.stem, nbformat.read(path, as_version=4))
        address = f"tutorials/{page.name}.md"
        files.append(File.generated(config, address, content=page.markdown))
        for name, picture in page.pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=picture))
    return files
