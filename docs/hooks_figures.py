"""Run the code of pages, and put its tables, figures and maps below it."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import pprint
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
# A map written by ocm.to_html(table, "name.html") or by a map's to_png("name.png").
_MAP = re.compile(r"""\bto_(?:html|png)\((?:[^()]*, )?"([\w-]+\.(?:html|png))\"""")
_DPI = 110
_ROWS = 8


@contextlib.contextmanager
def _enter_empty_folder() -> Iterator[Path]:
    """Work in a folder of its own, for the files that a page writes."""
    before = os.getcwd()  # noqa: PTH109 - for os.chdir
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


class Shown(NamedTuple):
    """What a block of code shows."""

    text: str
    """Its printed text and the value of its last line, as Markdown."""
    suffix: str = ""
    """Of the file that it draws: a figure, or a map that it writes."""
    content: bytes = b""


def draw(markdown: str) -> dict[int, Shown]:
    """
    Run the blocks of Python on a page, one after the other.

    Parameters
    ----------
    markdown : str
        The page.

    Returns
    -------
    dict of int to Shown
        What each block shows, by its number on the page. Maps are those that it writes
        with `to_html` or `to_png`.
    """
    import matplotlib as mpl  # noqa: PLC0415 - only where pages are made

    mpl.use("agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    plt.close("all")
    names: dict[str, Any] = {}
    shown = {}
    with _enter_empty_folder() as folder:
        for number, match in enumerate(_BLOCK.finditer(markdown)):
            text = _run_block(match[1], names)
            if plt.get_fignums():
                target = io.BytesIO()
                plt.gcf().savefig(target, dpi=_DPI)
                shown[number] = Shown(text, ".png", target.getvalue())
                plt.close("all")
            elif written := _MAP.search(match[1]):
                path = folder / written[1]
                shown[number] = Shown(text, path.suffix, path.read_bytes())
            elif text:
                shown[number] = Shown(text)
    return shown


def _run_block(code: str, names: dict[str, Any]) -> str:
    """Run a block and return what it prints and the value of its last line, as Markdown."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "page", "exec"), names)  # noqa: S102 - our own page
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "page", "eval"), names)  # noqa: S307
    text = f"```text\n{printed.getvalue().rstrip()}\n```\n" if printed.getvalue() else ""
    return text + _show_value(value)


def _show_value(value: object) -> str:
    """Return a value as Markdown: tables, numbers and texts; nothing for other objects."""
    if isinstance(value, pd.DataFrame):
        plain = pd.DataFrame(value).drop(columns="geometry", errors="ignore")
        html = plain.to_html(max_rows=_ROWS, border=0, float_format="{:.4g}".format)
        lines = [line.strip() for line in html.replace(' class="dataframe"', "").splitlines()]
        return '<div class="output">\n' + "\n".join(lines) + "\n</div>\n"
    if html := getattr(value, "_repr_html_", lambda: None)():
        lines = [line for line in html.splitlines() if line.strip()]
        return '<div class="output">\n' + "\n".join(lines) + "\n</div>\n"
    if isinstance(value, str | int | float | list | dict | tuple):
        return f"```text\n{pprint.pformat(value, width=88, sort_dicts=False)}\n```\n"
    return ""


def put_below(markdown: str, additions: dict[int, str]) -> str:
    """
    Put what each block shows below it.

    Parameters
    ----------
    markdown : str
        The page.
    additions : dict of int to str
        Markdown, by the number of the block.

    Returns
    -------
    str
        The page.
    """
    numbers = {match.start(): n for n, match in enumerate(_BLOCK.finditer(markdown))}

    def extend(match: re.Match[str]) -> str:
        addition = additions.get(numbers[match.start()])
        return f"{match[0]}\n{addition}\n" if addition else match[0]

    return _BLOCK.sub(extend, markdown)


def link_picture(address: str) -> str:
    """
    Return the Markdown of a figure or a map.

    Parameters
    ----------
    address : str
        Its address.

    Returns
    -------
    str
        A picture, or a frame with a page.
    """
    if address.endswith(".html"):
        return f'<iframe class="map" src="{address}" title="Map" loading="lazy"></iframe>\n'
    return f"![What the code above draws]({address})\n"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """
    Run the code of a page that asks for it (``run: true`` in its first lines).

    Parameters
    ----------
    markdown : str
        Text of the page.
    page : mkdocs.structure.pages.Page
        The page.
    config : mkdocs.config.defaults.MkDocsConfig
        The settings of the documentation.
    files : mkdocs.structure.files.Files
        Its files, to which figures and maps are added.

    Returns
    -------
    str
        The text with tables, figures and maps.
    """
    if not page.meta.get("run"):
        return markdown
    up = "../" * page.file.src_uri.count("/")
    additions = {}
    for number, shown in draw(markdown).items():
        additions[number] = shown.text
        if shown.suffix:
            address = f"figures/{page.file.name}-{number}{shown.suffix}"
            files.append(File.generated(config, address, content=shown.content))
            additions[number] += "\n" + link_picture(up + address)
    return put_below(markdown, additions)
