"""The example of a served mirror runs, and shows what changed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/served_mirror.py"


def test_the_sample_is_served_asked_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("served_mirror", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path)
    told = capsys.readouterr().out
    assert "105 stations within 10 km of Amsterdam" in told
    assert "added 0, removed 1, changed 2" in told
    assert "680." in told
