"""Two states of the real Dutch stations: what was edited is what `diff` lists, and nothing else."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

import pyproj
import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.filterwarnings("ignore:operators without a name"),
]


def test_diff_lists_precisely_what_was_edited(data_dir: Path, tmp_path: Path) -> None:
    (source,) = (data_dir / "ocm" / "nl_2023-10").glob("*.json")
    old = json.loads(source.read_text(encoding="utf-8"))
    rng = random.Random(9)  # noqa: S311 - edits, not secrets
    picked = rng.sample(old, 17)
    gone, moved, dated = picked[0]["ID"], picked[1:5], picked[5:]
    new: list[dict[str, Any]] = [copy.deepcopy(r) for r in old if r["ID"] != gone]
    by_id = {record["ID"]: record for record in new}
    metres = {}
    for record in moved:
        place = by_id[record["ID"]]["AddressInfo"]
        lon, lat = place["Longitude"], place["Latitude"]
        place["Longitude"] += rng.uniform(-0.01, 0.01)
        metres[record["ID"]] = pyproj.Geod(ellps="WGS84").inv(lon, lat, place["Longitude"], lat)[2]
    for record in dated:
        by_id[record["ID"]]["DateLastStatusUpdate"] = "2024-02-03T04:05:00Z"
    for record in new:
        # What the server computes anew for every answer.
        record["IsRecentlyVerified"] = not record["IsRecentlyVerified"]
    born = [{**copy.deepcopy(old[0]), "ID": 9_000_000 + i} for i in range(32)]
    rng.shuffle(new)
    (tmp_path / "new.json").write_text(json.dumps(new + born), encoding="utf-8")
    first = ocm.Mirror.build(tmp_path / "m", source)
    mirror = ocm.Mirror(tmp_path / "m")
    report = mirror.update(data=tmp_path / "new.json")
    assert (report.n_added, report.n_removed, report.n_changed) == (32, 1, 16)
    told = mirror.diff(first.snapshot)
    assert len(told) == 32 + 1 + 4 + 12
    rows = {kind: part.set_index("ocm_id") for kind, part in told.groupby("change")}
    assert sorted(rows["added"].index) == [record["ID"] for record in born]
    assert rows["removed"].index.tolist() == [gone]
    assert rows["moved"]["moved_m"].to_dict() == pytest.approx(metres, abs=0.001)
    assert sorted(rows["changed"].index) == sorted(record["ID"] for record in dated)
    assert set(rows["changed"]["column"]) == {"date_last_status_update"}
    was = {record["ID"]: record["DateLastStatusUpdate"][:10] for record in dated}
    assert {i: str(value.date()) for i, value in rows["changed"]["old"].items()} == was
    assert ocm.Mirror(tmp_path / "m", at="2023-10-31").snapshot == first.snapshot
    assert ocm.Mirror(tmp_path / "m", at="2024-02-03").snapshot == mirror.snapshot
