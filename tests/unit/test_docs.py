"""The code of the documentation's gallery runs, and each figure stands below its code."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import pytest
from mkdocs.exceptions import PluginError

import ocm_geo as ocm

DOCS = Path(__file__).parents[2] / "docs"
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def hooks() -> Any:
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_gallery_draws_every_kind_of_figure(hooks: Any) -> None:
    text = (DOCS / "figures.md").read_text(encoding="utf-8")
    kinds = [name for name in ocm.__all__ if name.startswith("plot_")]
    assert not [kind for kind in kinds if f"ocm.{kind}(" not in text]
    pictures = hooks.draw(text)
    assert all(picture.startswith(PNG) for picture in pictures.values())
    assert not plt.get_fignums()
    page = SimpleNamespace(file=SimpleNamespace(src_uri="figures.md"))
    shown = hooks.on_page_markdown(text, page=page)
    assert all(f"(figures/{number}.png)" in shown for number in pictures)
    assert shown.count("![") == len(pictures)


def test_every_public_name_is_in_the_reference_once(hooks: Any) -> None:
    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    listed = re.findall(r"^::: (\w+)$", text, re.MULTILINE)
    assert sorted([*listed, "__version__"]) == sorted(ocm.__all__)
    page = SimpleNamespace(file=SimpleNamespace(src_uri="reference.md"))
    shown = hooks.on_page_markdown(text, page=page)
    paths = re.findall(r"^::: (\S+)$", shown, re.MULTILINE)
    for name, path in zip(listed, paths, strict=False):
        module = importlib.import_module(path.rpartition(".")[0])
        assert getattr(module, path.rpartition(".")[2]) is getattr(ocm, name)


def test_a_public_name_without_an_anchor_stops_the_build(hooks: Any) -> None:
    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    page = SimpleNamespace(file=SimpleNamespace(src_uri="reference.md"))
    shown = hooks.on_page_markdown(text, page=page)
    built = re.sub(r"^::: (\S+)$", r'<h3 id="\1">', shown, flags=re.MULTILINE)
    hooks.check_anchors(built)
    with pytest.raises(PluginError, match="no anchor for density"):
        hooks.check_anchors(built.replace('id="ocm.density"', ""))


def test_the_filters_are_documented_from_their_rows(hooks: Any) -> None:
    text = (DOCS / "exactness.md").read_text(encoding="utf-8")
    page = SimpleNamespace(file=SimpleNamespace(src_uri="exactness.md"))
    shown = hooks.on_page_markdown(text, page=page)
    assert "{{" not in shown
    assert all(f"| `{name}` | `--" in shown for name in ocm.StationFilters.__annotations__)
