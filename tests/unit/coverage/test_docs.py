from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).parents[3] / "docs" / "access.md"


def test_the_page_on_access_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)  # noqa: S102 - our own page
    assert len(names["sites"]) == 3
    assert names["found"].table.notna().all().all()
    assert np.isfinite(names["moran"].I)
    assert len(names["hot"].Zs) == len(names["towns"])
