from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ocm_geo as ocm

PAGE = Path(__file__).parents[3] / "docs" / "access.md"


class StraightRoads:
    """An engine without roads: 60 km/h as the crow flies."""

    def matrix(self, sources: Any, targets: Any) -> tuple[Any, Any]:
        km = ocm.geodesy.distance_km(sources[:, :1], sources[:, 1:], targets[:, 0], targets[:, 1])
        return km, km


def test_the_page_on_access_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"engine": StraightRoads()}
    exec("\n".join(blocks), names)  # noqa: S102 - our own page
    assert names["by_road"].to_numpy() == pytest.approx(names["access"].to_numpy())
    assert set(names["east"]) == {"east", "west"}
    assert len(names["sites"]) == 3
    assert names["found"].table.notna().all().all()
    assert np.isfinite(names["moran"].I)
    assert len(names["hot"].Zs) == len(names["towns"])
