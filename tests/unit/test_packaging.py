from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from rattler import MatchSpec

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

_MODULES = {"pyvalhalla": "valhalla"}


def imported_name(requirement: str) -> str:
    name = re.split(r"[<>=~!;\[ ]", requirement)[0].replace("-", "_")
    return _MODULES.get(name, name)


def conda_specs() -> list[MatchSpec]:
    """Return what conda itself installs, parsed as conda does."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    lines = [line[4:] for line in text.splitlines() if line.startswith("  - ")]
    channels, needed = lines[:2], lines[2:]
    assert channels == ["conda-forge", "nodefaults"]
    assert needed.pop() == "pip:"
    return [MatchSpec(line) for line in needed]


def test_environment_is_up_to_date() -> None:
    """`make environment` changes nothing."""
    spec = importlib.util.spec_from_file_location("make", ROOT / "scripts/make_environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "environment.yml").read_text(encoding="utf-8") == module.build_text()


def test_environment_equals_the_project() -> None:
    specs = {str(spec).split()[0]: str(spec.version) for spec in conda_specs()}
    names = {"matplotlib": "matplotlib-base"}
    extras = PROJECT["optional-dependencies"]
    for requirement in {*PROJECT["dependencies"], *extras["notebooks"], *extras["maps"]}:
        name, bound = re.fullmatch(r"([\w.-]+)(>=[\w.]+)", requirement).groups()  # type: ignore[union-attr]
        assert specs.pop(names.get(name, name)) == bound
    assert specs.pop("python") == f"{PROJECT['requires-python']},<3.14"
    assert list(specs) == ["pip"]


def test_environment_installs_the_clone() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    _, of_pip = text.split("  - pip:\n")
    assert of_pip.split() == ["-", "-e", "."]


def test_every_extra_is_of_use() -> None:
    """Code, tests or configuration use each package that an extra installs."""
    files = [*(ROOT / "ocm_geo").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    files += [ROOT / "mkdocs.yml", ROOT / "Makefile", *(ROOT / "notebooks").glob("*.ipynb")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    unused = [
        name
        for extra in ("excel", "maps", "routing", "scale", "siting", "server")
        for name in map(imported_name, PROJECT["optional-dependencies"].get(extra, []))
        if not re.search(rf"\b{name}\b", text)
    ]
    assert not unused


@pytest.mark.parametrize("name", ["core.txt", "dev.txt"])
def test_locked_requirements_are_hashed_and_name_no_host(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==", text, flags=re.MULTILINE)
    assert len(pinned) > 20
    assert "--hash=sha256:" in text
    assert not re.search(r"https?://|file://|--(extra-)?index|--find-links", text)


def test_every_core_requirement_is_locked() -> None:
    text = (ROOT / "requirements" / "core.txt").read_text(encoding="utf-8").lower()
    for requirement in PROJECT["dependencies"]:
        assert re.search(rf"^{re.split('[>=]', requirement)[0].lower()}==", text, re.MULTILINE)


def test_types_are_shipped() -> None:
    assert (ROOT / "ocm_geo" / "py.typed").is_file()
