"""The README's Python runs as it stands, one block after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

import ocm_geo as ocm

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - our own text
    plt.close("all")
    return names


def test_the_first_example_leaves_a_figure(run: dict[str, Any], tmp_path: Path) -> None:
    assert (tmp_path / "route.png").read_bytes().startswith(b"\x89PNG")
    assert (run["along"]["max_power_kw"] >= 150).all()


def test_the_table_of_ones_own_reads_as_words(run: dict[str, Any]) -> None:
    mine = run["mine"]
    assert mine.index.tolist() == ["A-1"]
    assert ocm.add_labels(mine)["operator"].tolist() == ["Volt & Co"]
    assert "Register of my city" in mine.attrs["ocm"]["attribution"]
