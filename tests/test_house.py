"""The rules of the house: layers, sizes, names, docstrings, language, examples, imports."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from numpydoc.validate import validate

import ocm_geo

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ocm_geo"
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = (
    *(
        "_version",
        "errors",
        "checks",
        "paths",
        "settings",
        "schema",
        "headings",
        "cards",
        "palette",
        "provenance",
        "geodesy",
        "frames",
        "ids",
        "suspects",
        "power_limits",
        "reference",
        "evse_ids",
        "connections",
        "levels",
        "qualifying",
        "borders",
        "own_tables",
    ),
    *("files", "query", "outside", "sources", "registers", "stations", "history", "quality"),
    "latex",
    *("routes", "corridors", "roads"),
    *("routing", "coverage", "access", "uncertainty", "standards", "plots"),
    *("widgets", "server", "advice", "study", "teaching", "doctor", "app", "cli"),
)
FUNCTIONS = [
    name
    for name in ocm_geo.__all__
    if callable(getattr(ocm_geo, name)) and not isinstance(getattr(ocm_geo, name), type)
]
# What numpydoc asks and we do not: see pyproject.toml.
NOT_ASKED = {"ES01", "EX01", "GL01", "SA01", "YD01", "GL08"}


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("ocm_geo"):
            parts = node.module.split(".")
            names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {a.name.split(".")[1] for a in node.names if a.name.startswith("ocm_geo.")}
    return names & set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_layer_imports_only_those_below(path: Path) -> None:
    layer = layer_of(path)
    if layer == "__init__":
        return
    above = set(LAYERS[LAYERS.index(layer) + 1 :])
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = imports_of(tree)
    # The two sources that need no import of their layer are opened from stations' own.
    assert not imported & above, f"{path.name} imports {sorted(imported & above)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = {n.lineno for part in body for n in ast.walk(part) if hasattr(n, "lineno")}
            assert len(lines) <= 50, f"{path.name}: {node.name} has {len(lines)} lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_and_what_is_public(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(
        module.__all__, key=lambda n: (not n.isupper(), n[:1].islower(), n)
    ) or list(module.__all__) == sorted(module.__all__)
    assert all(hasattr(module, public) for public in module.__all__)


def test_public_names_are_there() -> None:
    assert len(set(ocm_geo.__all__)) == len(ocm_geo.__all__)
    for name in ocm_geo.__all__:
        assert getattr(ocm_geo, name) is not None
    assert dir(ocm_geo) == sorted(ocm_geo.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ocm_geo.nothing


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_are_documented(name: str) -> None:
    found = getattr(ocm_geo, name)
    faults = [
        (code, text)
        for code, text in validate(f"{found.__module__}.{name}")["errors"]
        if code not in NOT_ASKED
    ]
    assert not faults
    assert ">>>" in (found.__doc__ or "")


@pytest.mark.parametrize("name", [n for n in ocm_geo.__all__ if not n.startswith("__")])
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = getattr(ocm_geo, name)
    for test in doctest.DocTestFinder(recurse=False).find(found, name, globs={}):
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test)
        plt.close("all")
        assert not runner.failures


HEAVY = (
    *("matplotlib", "ipyleaflet", "rasterio", "networkx", "mapclassify", "typer", "dask", "tqdm"),
    *("pulp", "highspy", "spopt", "starlette", "uvicorn"),
)


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, ocm_geo; print(*sys.modules)"
    loaded = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(HEAVY) & set(loaded)


def test_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["version"]["path"] == "ocm_geo/_version.py"
    assert importlib.metadata.version("ocm_geo") == ocm_geo.__version__
    assert f"version: {ocm_geo.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"[{ocm_geo.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


TREES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES
}
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
BANNED = {
    r"(?<!here )\bis no [a-z`]": "is not a",
    r"\bholds? no\b": "contains no",
    r"\bso many\b": "this many",
    r"\b(goes|go) before\b": "takes precedence over",
    r"\bstands? (in|for|beside|here|there)\b": "is in, means",
    r"\bthe ground\b": "the area",
    r"\bplugs?\b(?!-in)": "connection",
    r"\bstrangers\b": "contributors",
    r"\bdoubt(s|ful)?\b": "uncertain",
    r"\bfrom (this|that) \w+ on\b": "from",
}
SUMMARY = re.compile(r"\A\s*(Give|Say|Tell|What|Whether|How|Where|Who)\b")


def private_functions() -> list[tuple[str, ast.FunctionDef]]:
    return [
        (name, node)
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("_")
        and not node.name.startswith("__")
    ]


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
    top = {id(node) for tree in TREES.values() for node in tree.body}
    short = [
        f"{module}: {node.name}"
        for module, node in private_functions()
        if id(node) in top and "_" not in node.name.strip("_")
    ]
    assert not short


def test_no_two_private_functions_share_a_name() -> None:
    named: dict[str, list[str]] = {}
    for module, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and re.match("_[^_]", node.name):
                named.setdefault(node.name, []).append(module)
    shared = {name: modules for name, modules in named.items() if len(modules) > 1}
    assert not shared


def test_private_functions_of_three_lines_have_a_docstring() -> None:
    bare = [
        f"{module}:{node.lineno} {node.name}"
        for module, node in private_functions()
        if not ast.get_docstring(node) and (node.end_lineno or 0) - node.body[0].lineno >= 2
    ]
    assert not bare


@pytest.mark.parametrize("module", list(TREES))
def test_docstrings_and_messages_are_plain_english(module: str) -> None:
    tree = TREES[module]
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
