"""What a release promises: public names, the content of the wheel, and how it is cited."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from types import ModuleType

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
NAMES = ROOT / "tests" / "public_names.txt"


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_promises(text: str) -> dict[str, set[str]]:
    """Return the arguments of each name; members are named after their class."""
    found, owner = {}, ""
    for line in text.splitlines():
        name, _, rest = line.strip().removeprefix("class ").partition("(")
        if line.startswith("    "):
            name = owner + name
        else:
            owner = name
        found[name] = set(re.split(r", (?![^(\[{]*[)\]}])", rest.removesuffix(")"))) - {"", "*"}
    return found


def test_no_promised_name_or_argument_is_gone() -> None:
    """Additions are free; what goes away needs `python scripts/make_public_names.py`."""
    promised = read_promises(NAMES.read_text(encoding="utf-8"))
    present = read_promises(load_script("make_public_names").build_text())
    assert len(promised) > 300
    assert "within_km=None" in promised["plot_route"]
    assert not [name for name in promised if name not in present]
    lost = {name: gone for name, old in promised.items() if (gone := old - present[name])}
    assert not lost


@cache
def build_release(folder: Path) -> tuple[set[str], set[str]]:
    """Build both archives, and return their files."""
    pytest.importorskip("hatchling")
    for target in ("sdist", "wheel"):
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    with tarfile.open(sdist) as packed:
        in_sdist = {name.partition("/")[2] for name in packed.getnames()}
    return in_wheel, in_sdist


def test_the_wheel_has_the_package_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    in_wheel, in_sdist = build_release(tmp_path_factory.mktemp("dist"))
    package = {
        str(path.relative_to(ROOT)).replace("\\", "/")
        for path in (ROOT / "ocm_geo").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    inside = {name for name in in_wheel if ".dist-info/" not in name}
    assert inside == package
    assert {"ocm_geo/py.typed", "ocm_geo/sources/data/sample/current"} <= inside
    assert any(name.endswith("licenses/LICENSE") for name in in_wheel)
    assert {"pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "CHANGELOG.md"} <= in_sdist
    assert package <= in_sdist
    assert not [name for name in in_sdist if name.startswith((".venv", "site/", ".make/"))]


def test_the_citation_is_complete() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    needed = {"cff-version", "message", "title", "abstract", "type", "authors", "license"}
    assert needed | {"version", "date-released", "keywords"} <= set(cited)
    assert cited["version"] == ocm.__version__


def test_the_paper_cites_what_its_list_has() -> None:
    paper = (ROOT / "paper" / "paper.md").read_text(encoding="utf-8")
    list_text = (ROOT / "paper" / "paper.bib").read_text(encoding="utf-8")
    listed = set(re.findall(r"^@\w+\{([\w-]+),", list_text, re.MULTILINE))
    cited = set(re.findall(r"@([\w-]+)", paper.split("---", 2)[2]))
    assert cited == listed
    head = yaml.safe_load(paper.split("---", 2)[1])
    assert {"title", "tags", "authors", "affiliations", "date", "bibliography"} <= set(head)
    words = len(paper.split("---", 2)[2].split())
    assert 500 < words < 1500
    assert "# Summary" in paper
    assert "# Statement of need" in paper


def test_the_recipe_equals_the_project() -> None:
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))
    assert recipe["context"]["version"] == ocm.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.sub("(>|<)", r" \1", need, count=1) for need in project["dependencies"]}
    wanted = {need.replace("matplotlib ", "matplotlib-base ") for need in wanted}
    run = set(recipe["requirements"]["run"])
    assert run - {f"python {project['requires-python']}"} == wanted
    assert recipe["about"]["license"] == project["license"]
