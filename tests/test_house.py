"""The rules of the house: layers, sizes, public names, docstrings, examples, imports."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
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
    *("routes", "corridors", "roads"),
    *("routing", "coverage", "access", "uncertainty", "standards", "plots"),
    *("widgets", "server", "advice", "study", "app", "cli"),
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
