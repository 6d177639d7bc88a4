"""The language of the house: names of private functions, docstrings, and plain English."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ocm_geo"
MODULES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
# Parts whose names and texts are still to be revised. The list only shrinks.
PENDING = ("app.py", "registers/", "server/", "sources/", "roads/", "standards/", "widgets/")
BANNED = {
    r"(?<!here )\bis no [a-z`]": "is not a",
    r"\bholds? no\b": "contains no",
    r"\bso many\b": "this many",
    r"\b(goes|go) before\b": "takes precedence over",
    r"\bstands? (in|for|beside|here|there)\b": "is in, means",
    r"\bthe ground\b": "the area",
    r"\bplugs?\b": "connection",
    r"\bstrangers\b": "contributors",
    r"\bdoubt(s|ful)?\b": "uncertain",
    r"\bfrom (this|that) \w+ on\b": "from",
}
SUMMARY = re.compile(r"\A\s*(Give|Say|Tell|What|Whether|How|Where|Who)\b")


def private_functions() -> list[tuple[str, ast.FunctionDef]]:
    return [
        (name, node)
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("_")
        and not node.name.startswith("__")
    ]


def is_pending(module: str) -> bool:
    return module.startswith(PENDING)


def texts_of(tree: ast.Module) -> list[tuple[int, str]]:
    """Return the texts of several words with their lines; f-strings without their values."""
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            constants = [p.value if isinstance(p, ast.Constant) else "0" for p in node.values]
            found.append((node.lineno, "".join(map(str, constants))))
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        ):
            found.append((node.lineno, node.value))
    return [(line, text) for line, text in found if " " in text]


def faults_of(text: str) -> list[str]:
    return [
        f"{match[0]!r}: write {instead!r}"
        for pattern, instead in BANNED.items()
        for match in re.finditer(pattern, text)
    ]


def test_private_functions_are_named_by_verb_and_object() -> None:
    top = {id(node) for tree in MODULES.values() for node in tree.body}
    short = [
        f"{module}: {node.name}"
        for module, node in private_functions()
        if id(node) in top and "_" not in node.name.strip("_") and not is_pending(module)
    ]
    assert not short


def test_no_two_private_functions_share_a_name() -> None:
    named: dict[str, list[str]] = {}
    for module, tree in MODULES.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and re.match("_[^_]", node.name):
                named.setdefault(node.name, []).append(module)
    shared = {
        name: modules
        for name, modules in named.items()
        if len(modules) > 1 and not all(map(is_pending, modules))
    }
    assert not shared


def test_private_functions_of_three_lines_have_a_docstring() -> None:
    bare = [
        f"{module}:{node.lineno} {node.name}"
        for module, node in private_functions()
        if not ast.get_docstring(node)
        and (node.end_lineno or 0) - node.body[0].lineno >= 2
        and not is_pending(module)
    ]
    assert not bare


@pytest.mark.parametrize("module", [name for name in MODULES if not is_pending(name)])
def test_docstrings_and_messages_are_plain_english(module: str) -> None:
    tree = MODULES[module]
    faults = [f"{line}: {fault}" for line, text in texts_of(tree) for fault in faults_of(text)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            summary = (ast.get_docstring(node) or "").strip().partition("\n")[0]
            if SUMMARY.match(summary):
                faults.append(f"{node.lineno}: {node.name}: {summary}")
    assert not faults


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_are_plain_english(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert not [f"{i}: {fault}" for i, line in enumerate(lines, 1) for fault in faults_of(line)]
