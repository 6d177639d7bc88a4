"""Run the code of pages that draw, and put each figure below its code."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_DPI = 110


@contextlib.contextmanager
def _enter_empty_folder() -> Iterator[None]:
    """Work in a folder of its own, for the files that a page writes."""
    before = os.getcwd()  # noqa: PTH109 - for os.chdir
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


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
    with _enter_empty_folder():
        for number, match in enumerate(_BLOCK.finditer(markdown)):
            exec(match[1], names)  # noqa: S102 - our own page
            if plt.get_fignums():
                target = io.BytesIO()
                plt.gcf().savefig(target, dpi=_DPI)
                pictures[number] = target.getvalue()
                plt.close("all")
    return pictures


def put_pictures(markdown: str, addresses: dict[int, str]) -> str:
    """
    Put each picture below the block that draws it.

    Parameters
    ----------
    markdown : str
        The page.
    addresses : dict of int to str
        The address of the picture of each block that draws.

    Returns
    -------
    str
        The page with pictures.
    """
    numbers = {match.start(): n for n, match in enumerate(_BLOCK.finditer(markdown))}

    def shown(match: re.Match[str]) -> str:
        address = addresses.get(numbers[match.start()])
        picture = f"\n![What the code above draws]({address})\n" if address else ""
        return f"{match[0]}{picture}"

    return _BLOCK.sub(shown, markdown)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """
    Draw the figures of a page that asks for it (``figures: true`` in its first lines).

    Parameters
    ----------
    markdown : str
        Text of the page.
    page : mkdocs.structure.pages.Page
        The page.
    config : mkdocs.config.defaults.MkDocsConfig
        The settings of the documentation.
    files : mkdocs.structure.files.Files
        Its files, to which the pictures are added.

    Returns
    -------
    str
        The text with pictures.
    """
    if not page.meta.get("figures"):
        return markdown
    addresses = {}
    for number, picture in draw(markdown).items():
        address = f"figures/{page.file.name}-{number}.png"
        files.append(File.generated(config, address, content=picture))
        addresses[number] = get_address(address, page.file.src_uri)
    return put_pictures(markdown, addresses)


def get_address(target: str, page: str) -> str:
    """
    Return the address of a file, as seen from a page.

    Parameters
    ----------
    target : str
        The file, from docs/.
    page : str
        The page, from docs/.

    Returns
    -------
    str
        The relative address.
    """
    return "../" * page.count("/") + target
