"""Write environment.yml from pyproject.toml: the same requirements under conda-forge's names.

python scripts/make_environment.py
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("notebooks", "maps")
"""What the notebooks need beside the package itself."""

NAMES = {"matplotlib": "matplotlib-base"}
"""Names that conda-forge spells in another way."""

HEAD = """\
# Made by scripts/make_environment.py from pyproject.toml. From the folder of the clone:
#   conda env create -f environment.yml
#   conda activate ocm_geo
name: ocm_geo
channels:
  - conda-forge
  - nodefaults
dependencies:
"""
# The package itself, from the clone: pip finds its requirements already there.
TAIL = """\
  - pip
  - pip:
      - -e .
"""


def list_requirements() -> list[str]:
    """
    List the requirements of the package and of its notebooks in conda's form.

    Returns
    -------
    list of str
        One requirement each, sorted.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    listed = {*project["dependencies"], *(r for extra in EXTRAS for r in extras[extra])}
    return [f"python {project['requires-python']},<3.14", *sorted(map(convert_to_conda, listed))]


def convert_to_conda(requirement: str) -> str:
    """
    Convert a requirement of pyproject.toml to conda's form.

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


def build_text() -> str:
    """
    Build the text of environment.yml.

    Returns
    -------
    str
        YAML.
    """
    return HEAD + "".join(f"  - {requirement}\n" for requirement in list_requirements()) + TAIL


if __name__ == "__main__":
    (ROOT / "environment.yml").write_text(build_text(), encoding="utf-8")
