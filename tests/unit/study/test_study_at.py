"""A study on a named snapshot gives the same files to the last bit, whatever came after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ocm_geo as ocm
from tests.unit.sources.records import array

if TYPE_CHECKING:
    from pathlib import Path

STUDY = {"area": {"country": "NL"}, "coverage": {"within_km": [5]}}


def test_a_study_runs_again_on_its_snapshot(tmp_path: Path) -> None:
    mirror = ocm.Mirror.from_source(tmp_path / "m", "sample")
    first = mirror.snapshot
    # The same folder both times: the report names it.
    runs = []
    for _ in range(2):
        folder = tmp_path / "out"
        result = ocm.run_study(STUDY, folder, source=tmp_path / "m", changes={"at": first})
        runs.append({path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()})
        assert first in result.report.read_text(encoding="utf-8")
        (tmp_path / "new.json").write_bytes(array(900))
        ocm.Mirror(tmp_path / "m").update(data=tmp_path / "new.json", force=True)
    assert runs[0].keys() == runs[1].keys()
    assert [name for name in runs[0] if runs[0][name] != runs[1][name]] == []


def test_a_snapshot_needs_a_mirror_that_has_it(tmp_path: Path) -> None:
    mirror = ocm.Mirror.from_source(tmp_path / "m", "sample")
    with pytest.raises(ocm.MirrorMissing, match="oldest data are of 2025-12-31"):
        ocm.run_study(STUDY, tmp_path / "out", source=mirror, changes={"at": "2020-01-01"})
    with pytest.raises(ocm.QueryError, match="not a mirror"):
        ocm.run_study(STUDY, tmp_path / "out", source=ocm.OpenChargeMap("k"), changes={"at": "x"})
