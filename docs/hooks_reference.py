"""Make the reference: a page for each public name, an index, and links to them."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

import ocm_geo
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

DOCS = Path(__file__).parent
INDEX = "reference.md"
COLUMNS = "reference/columns.md"
_GROUP = re.compile(r"^## (.+)$")
_ENTRY = re.compile(r"^::: (\w+)$")
_RETURNS = re.compile(r"(?ms)^(?:Returns|Yields)\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)")
_COLUMN = re.compile(r"``([a-z…][\w…]*)``")
_CODE = re.compile(r"<code>(?:(ocm|ocm_geo(?:\.\w+)*)\.)?(\w+)((?:\([^<]*\))?)</code>")
# Words in the same type in these docstrings that are values or parameters.
_VALUES = frozenset(
    {
        *("all", "by", "changed", "drop", "error", "forward", "keep", "left", "none", "on"),
        *("one", "recorded", "research", "reverse", "right", "step_km", "strict", "swap"),
        *("unset", "warning"),
    }
)
# Parts of a page in which no link is made.
_FIXED = re.compile(r"(<(a|h\d|pre|summary)\b.*?</\2>)", re.DOTALL)


class Entry(NamedTuple):
    """One public name in the list of the reference."""

    name: str
    group: str
    options: tuple[str, ...]


def list_entries(text: str) -> list[Entry]:
    """
    Return the names listed in the reference, in order.

    Parameters
    ----------
    text : str
        The text of docs/reference.md.

    Returns
    -------
    list of Entry
        Each with its group and its options of mkdocstrings.
    """
    entries: list[Entry] = []
    group = ""
    for line in text.splitlines():
        if match := _GROUP.match(line):
            group = match[1]
        elif match := _ENTRY.match(line):
            entries.append(Entry(match[1], group, ()))
        elif line.startswith("    ") and entries:
            entries[-1] = entries[-1]._replace(options=(*entries[-1].options, line))
    return entries


def check_entries(entries: list[Entry]) -> None:
    """
    Check that the reference lists every public name once.

    Parameters
    ----------
    entries : list of Entry
        Those of docs/reference.md.

    Raises
    ------
    mkdocs.exceptions.PluginError
        A name is missing, unknown, repeated or without a group; the build fails.
    """
    listed = Counter(entry.name for entry in entries)
    public = set(ocm_geo.__all__) - {"__version__"}
    faults = {
        "missing": public - set(listed),
        "not public": set(listed) - public,
        "repeated": {name for name, n in listed.items() if n > 1},
        "without a group": {entry.name for entry in entries if not entry.group},
    }
    found = "; ".join(
        f"{what}: {', '.join(sorted(names))}" for what, names in faults.items() if names
    )
    if found:
        raise PluginError(f"docs/reference.md: {found}")


def page_of(name: str) -> str:
    """
    Return the page of a public name.

    Parameters
    ----------
    name : str
        The public name.

    Returns
    -------
    str
        Its page in docs/. A class beside a function of the same letters (`Equity`, `equity`) has
        a name of its own, because some file systems do not distinguish capitals.
    """
    twin = name[0].isupper() and name.lower() in ocm_geo.__all__
    return f"reference/{name}_class.md" if twin else f"reference/{name}.md"


def summarise(name: str) -> str:
    """
    Return the first sentence of the docstring of a public name.

    Parameters
    ----------
    name : str
        The public name.

    Returns
    -------
    str
        One line of Markdown.
    """
    text = inspect.getdoc(getattr(ocm_geo, name)) or ""
    line = " ".join(text.partition("\n\n")[0].split())
    return line.replace("``", "`").replace("|", "\\|")


def _locate(name: str) -> str:
    """Return the place where a public name is defined: some share theirs with a module."""
    found = getattr(ocm_geo, name)
    return (
        found.__name__
        if isinstance(found, ModuleType)
        else f"{found.__module__}.{found.__qualname__}"
    )


def result_columns(name: str) -> list[str]:
    """
    Return the columns that the docstring of a function names in its result.

    Parameters
    ----------
    name : str
        The public name.

    Returns
    -------
    list of str
        In order; empty if the result is not a table.
    """
    match = _RETURNS.search(inspect.getdoc(getattr(ocm_geo, name)) or "")
    if match is None or "DataFrame" not in match[1].partition("\n")[0]:
        return []
    return [name for name in dict.fromkeys(_COLUMN.findall(match[1])) if name not in _VALUES]


def _write_schema(name: str) -> str:
    """Return the table of the schema that a function's result has."""
    match = _RETURNS.search(inspect.getdoc(getattr(ocm_geo, name)) or "")
    result = match[1] if match else ""
    if "CONNECTION_COLUMNS" in result:
        columns = CONNECTION_COLUMNS
    elif "STATION_COLUMNS" in result or name.startswith("stations") or name == "sample":
        columns = STATION_COLUMNS
    else:
        return ""
    rows = [f"| `{c.name}` | {c.kind} | {c.meaning} |" for c in columns]
    head = ["", "## Columns", "", "| column | type | meaning |", "|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _list_guides(name: str) -> str:
    """Return links to the pages that use a public name."""
    using = re.compile(rf"\bocm\.{name}\b")
    links = []
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        title = re.search(r"^# (.+)$", text, re.MULTILINE)
        if title and path.name != INDEX and using.search(text):
            links.append(f"[{title[1]}](../{path.relative_to(DOCS).as_posix()})")
    return f"\n**In the guides:** {', '.join(links)}\n" if links else ""


def write_page(entry: Entry) -> str:
    """
    Return the page of one public name.

    Parameters
    ----------
    entry : Entry
        The name and its group.

    Returns
    -------
    str
        Markdown.
    """
    options = entry.options or ("    options:",)
    members = "" if _has_members(entry.name) else "\n      members: false"
    return (
        f"---\ntitle: {entry.name}\nsearch: {{boost: 2}}\n---\n"
        f'<p id="ocm.{entry.name}" markdown data-search-exclude>'
        f"[Reference](../{INDEX}) · {entry.group}</p>\n\n"
        f"::: {_locate(entry.name)}\n" + "\n".join(options) + f"\n      heading_level: 1{members}\n"
        f"{_write_schema(entry.name)}{_list_guides(entry.name)}"
    )


def _has_members(name: str) -> bool:
    return isinstance(getattr(ocm_geo, name), type | ModuleType)


def write_columns(entries: list[Entry]) -> str:
    """
    Return the page that lists the columns of all results.

    Parameters
    ----------
    entries : list of Entry
        The names of the reference.

    Returns
    -------
    str
        Markdown: each column with the functions whose result has it.
    """
    found: dict[str, list[str]] = {}
    for entry in entries:
        for column in result_columns(entry.name):
            found.setdefault(column, []).append(entry.name)
    rows = [
        f"| `{column}` | {', '.join(f'[`{n}`]({Path(page_of(n)).name})' for n in names)} |"
        for column, names in sorted(found.items())
    ]
    return "\n".join(
        [
            "# Columns of results",
            "",
            "The columns that functions add or return, and where their meaning and units are",
            "described. Those of station tables and of connections are in",
            "[tables](../tables.md#stations).",
            "",
            "| column | returned by |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def write_index(text: str) -> str:
    """
    Return the index: each name with its summary.

    Parameters
    ----------
    text : str
        The text of docs/reference.md.

    Returns
    -------
    str
        Markdown, with an address for each name that stays when its definition moves.
    """
    lines: list[str] = []
    in_table = False
    for line in text.splitlines():
        match = _ENTRY.match(line)
        if match:
            if not in_table:
                lines += ["| name | |", "|---|---|"]
            name = match[1]
            link = f'<a id="ocm.{name}"></a>[`{name}`]({page_of(name)})'
            lines.append(f"| {link} | {summarise(name)} |")
        elif not (in_table and (not line.strip() or line.startswith("    "))):
            lines += ["", line] if in_table else [line]
        in_table = bool(match) or (in_table and (not line.strip() or line.startswith("    ")))
    return "\n".join(lines)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """
    Check the list of names and put their pages into the navigation.

    Parameters
    ----------
    config : mkdocs.config.defaults.MkDocsConfig
        The settings of the documentation.

    Returns
    -------
    mkdocs.config.defaults.MkDocsConfig
        The same, with a navigation by groups.
    """
    entries = list_entries((DOCS / INDEX).read_text(encoding="utf-8"))
    check_entries(entries)
    groups: dict[str, list[dict[str, str]]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append({entry.name: page_of(entry.name)})
    section = next(item["Reference"] for item in config.nav or [] if "Reference" in item)
    section += [{group: pages} for group, pages in groups.items()]
    section.append({"Columns of results": COLUMNS})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """
    Add a page for each public name, and the one of the columns.

    Parameters
    ----------
    files : mkdocs.structure.files.Files
        Those of the documentation.
    config : mkdocs.config.defaults.MkDocsConfig
        Its settings.

    Returns
    -------
    mkdocs.structure.files.Files
        With the pages.
    """
    entries = list_entries((DOCS / INDEX).read_text(encoding="utf-8"))
    for entry in entries:
        files.append(File.generated(config, page_of(entry.name), content=write_page(entry)))
    files.append(File.generated(config, COLUMNS, content=write_columns(entries)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:  # noqa: ANN401 - what mkdocs hands over
    """
    Replace the list of names by the index.

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
        The text.
    """
    return write_index(markdown) if page.file.src_uri == INDEX else markdown


def on_page_content(html: str, page: Page, **_: Any) -> str:  # noqa: ANN401 - what mkdocs hands over
    """
    Link public names in code to their pages.

    Parameters
    ----------
    html : str
        A page.
    page : mkdocs.structure.pages.Page
        The page.
    **_ : object
        The rest of what mkdocs hands over.

    Returns
    -------
    str
        The page with links.
    """
    return link_names(html, page.file.src_uri, page.url)


def link_names(html: str, source: str, url: str) -> str:
    """
    Link public names in code to their pages.

    Parameters
    ----------
    html : str
        A page.
    source : str
        The file it is made from. In the reference names need no ``ocm.``, unless they may be
        those of parameters.
    url : str
        The address of the page.

    Returns
    -------
    str
        The page with links; headings, code blocks and existing links are unchanged.
    """
    in_reference = source.startswith("reference/")

    def link(match: re.Match[str]) -> str:
        prefix, name, call = match.groups()
        known = name in ocm_geo.__all__ and page_of(name) != source
        plain = in_reference and (call or "_" in name or name[0].isupper())
        if not (known and (prefix or plain)):
            return match[0]
        target = get_relative_url(page_of(name).removesuffix(".md") + ".html", url)
        return f'<a href="{target}">{match[0]}</a>'

    # Of three pieces, split() returns: free text, a fixed part, its tag.
    pieces = _FIXED.split(html)
    pieces[::3] = [_CODE.sub(link, piece) for piece in pieces[::3]]
    del pieces[2::3]
    return "".join(pieces)


def on_post_build(config: MkDocsConfig) -> None:
    """
    Check that every public name has its page.

    Parameters
    ----------
    config : mkdocs.config.defaults.MkDocsConfig
        The settings of the documentation.
    """
    names = [name for name in ocm_geo.__all__ if name != "__version__"]
    check_pages({name: Path(config.site_dir, page_of(name)).with_suffix(".html") for name in names})


def check_pages(pages: dict[str, Path]) -> None:
    """
    Check that each page describes its public name.

    Parameters
    ----------
    pages : dict of str to pathlib.Path
        The built page of each name.

    Raises
    ------
    mkdocs.exceptions.PluginError
        A page or its heading is missing; the build fails.
    """
    bad = [
        name
        for name, path in pages.items()
        if not path.is_file()
        or not re.search(rf'<h1 id="ocm_geo\.[\w.]*{name}"', path.read_text(encoding="utf-8"))
    ]
    if bad:
        raise PluginError(f"the reference does not describe {', '.join(bad)}")
