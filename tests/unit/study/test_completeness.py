"""Studies with a second source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.filterwarnings("ignore::ocm_geo.OCMWarning")
def test_a_second_source_bounds_coverage_and_is_in_the_headline(tmp_path: Path) -> None:
    stations = ocm.stations_from_country("NL", source="sample")
    kept = np.random.default_rng(0).random(len(stations)) < 0.6
    config = {
        "area": {"country": "NL"},
        "coverage": {"within_km": [10]},
        "completeness": {"source": "sample", "n_draws": 2},
    }
    result = ocm.run_study(config, tmp_path, source=ocm.TableSource(stations[kept]))
    table = ocm.read(tmp_path / "completeness.csv")
    total = table.iloc[-1]
    assert total["n_a"] < total["n_b"]
    assert total["share_a_low"] <= total["share_a"] <= total["share_a_high"]
    assert result.coverage is not None
    assert (result.coverage["area_share_high"] > result.coverage["area_share"]).all()
    assert "share of all stations in the data" in result.report.read_text(encoding="utf-8")
