"""Write environment.yml from pyproject.toml: the same requirements under conda-forge's names.

python scripts/make_environment.py
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
# conda-forge calls it otherwise.
NAMES = {"matplotlib": "matplotlib-base"}


def requirements() -> list[str]:
    """
    Give the core requirements and those of the notebooks, in conda's words.

    Returns
    -------
    list of str
        One requirement each, sorted.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["notebooks"]]
    return [f"python {project['requires-python']},<3.14", *sorted(map(in_conda, listed))]


def in_conda(requirement: str) -> str:
    """
    Turn a requirement of pyproject.toml into conda's form.

    Parameters
    ----------
    requirement : str
        Such as ``numpy>=2.0``.

    Returns
    -------
    str
        Such as ``numpy >=2.0``.
    """
    name, bound = re.fullmatch(r"([\w.-]+)(.*)", requirement).groups()  # type: ignore[union-attr]
    return f"{NAMES.get(name, name)} {bound}".strip()


def text() -> str:
    """
    Give the text of environment.yml.

    Returns
    -------
    str
        YAML.
    """
    lines = ["name: ocm_geo", "channels:", "  - conda-forge", "  - nodefaults", "dependencies:"]
    lines += [f"  - {requirement}" for requirement in requirements()]
    return "\n".join([*lines, "  - pip", "  - pip:", "      - ocm_geo", ""])


if __name__ == "__main__":
    (ROOT / "environment.yml").write_text(text(), encoding="utf-8")
