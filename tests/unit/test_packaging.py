from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from rattler import MatchSpec

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def conda_lines() -> list[str]:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    lines = [line[4:] for line in text.splitlines() if line.startswith("  - ")]
    return [line for line in lines if not line.endswith(":")]


def test_environment_equals_the_project() -> None:
    specs = {
        str(spec).split()[0]: str(spec.version)
        for spec in map(MatchSpec, conda_lines())
        if spec.version is not None
    }
    names = {"matplotlib": "matplotlib-base"}
    listed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["notebooks"]]
    for requirement in listed:
        name, bound = re.fullmatch(r"([\w.-]+)(>=[\w.]+)", requirement).groups()  # type: ignore[union-attr]
        assert specs.pop(names.get(name, name)) == bound
    assert list(specs) == ["python"]
    assert PROJECT["requires-python"] in conda_lines()[2]


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
