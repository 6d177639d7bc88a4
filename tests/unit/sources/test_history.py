"""Snapshots: their order, the one of a date, what differs between two, and what pruning leaves."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyproj
import pytest

import ocm_geo as ocm
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Update = Callable[..., ocm.Mirror]


@pytest.fixture
def update(tmp_path: Path) -> Update:
    """Build, or update, one mirror from records."""

    def to_mirror(*records: dict[str, Any], **options: Any) -> ocm.Mirror:
        path = tmp_path / "pois.json"
        path.write_text(json.dumps(records), encoding="utf-8")
        if not (tmp_path / "m" / "current").exists():
            return ocm.Mirror.build(tmp_path / "m", path)
        mirror = ocm.Mirror(tmp_path / "m")
        mirror.update(data=path, **options)
        return mirror

    return to_mirror


def dated(ocm_id: int, day: str, **more: Any) -> dict[str, Any]:
    return poi(ocm_id, DateLastStatusUpdate=f"{day}T10:00:00Z", **more)


def moved(record: dict[str, Any], **to: Any) -> dict[str, Any]:
    record = copy.deepcopy(record)
    record["AddressInfo"] |= to
    return record


def test_snapshots_come_in_the_order_of_building_whatever_the_clock_says(
    update: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    names = [update(*(poi(i) for i in range(1, n + 2))).snapshot for n in range(9)]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    mirror = update(poi(1), *(poi(i) for i in range(20, 26)))
    table = mirror.snapshots()
    assert table["snapshot"].tolist() == [*names, mirror.snapshot]
    assert table["n_stations"].tolist() == [*range(1, 10), 7]
    assert table["current"].tolist() == [False] * 9 + [True]
    assert list(table) == [
        *("snapshot", "built", "data_date", "n_stations", "n_published", "size_bytes", "current")
    ]


def test_the_sizes_add_up_to_the_disk(update: Update) -> None:
    for n in range(1, 6):
        mirror = update(*(poi(i, NumberOfPoints=n if i == n else 1) for i in range(1, 60)))
    files = {f.stat().st_ino: f.stat().st_size for f in mirror.path.rglob("snapshots/*/*")}
    folders = {f.stat().st_ino for f in mirror.path.rglob("snapshots/*")}
    assert mirror.snapshots()["size_bytes"].sum() == sum(
        size for inode, size in files.items() if inode not in folders
    )


def test_equal_stations_have_an_equal_hash_however_they_came_in(
    update: Update, tmp_path: Path
) -> None:
    update(poi(1), poi(2), poi(3, Title="x"))
    by_update = update(poi(3), poi(4), poi(2))
    path = tmp_path / "other.json"
    path.write_text(json.dumps([poi(2), poi(4), poi(3)]), encoding="utf-8")
    built = ocm.Mirror.build(tmp_path / "other", path)
    assert by_update.snapshot.split("-")[1] == built.snapshot.split("-")[1]
    assert ocm.stations(source=by_update).equals(ocm.stations(source=built))


@pytest.mark.parametrize(
    ("at", "n"),
    [
        ("2023-10-09", 1),
        ("2023-10-31", 1),
        ("2024-01-01", 2),
        (dt.date(2030, 1, 1), 3),
        (pd.Timestamp("2024-01-02T03:00"), 2),
    ],
)
def test_a_date_names_the_newest_snapshot_not_later(
    update: Update, tmp_path: Path, at: Any, n: int
) -> None:
    for number, day in enumerate(["2023-10-09", "2024-01-01", "2024-06-01"], 1):
        update(*(dated(i, day) for i in range(number)), dated(9, day))
    assert len(ocm.Mirror(tmp_path / "m", at=at)) == n


def test_a_date_that_no_snapshot_reaches(update: Update, tmp_path: Path) -> None:
    mirror = update(dated(1, "2023-10-09"))
    with pytest.raises(ocm.MirrorMissing, match="oldest data are of 2023-10-09"):
        ocm.Mirror(tmp_path / "m", at="2023-10-08")
    for wrong in ("09/10/2023", "", None, 2023, float("nan"), pd.NaT):
        if wrong is not None:
            with pytest.raises(ocm.QueryError, match="ISO 8601"):
                ocm.Mirror(tmp_path / "m", at=wrong)  # type: ignore[arg-type]
    with pytest.raises(ocm.QueryError, match="not both"):
        ocm.Mirror(tmp_path / "m", mirror.snapshot, at="2023-10-09")


def test_diff_says_precisely_what_changed(update: Update) -> None:
    old = [poi(i, UsageCost="1") for i in range(1, 9)]
    first = update(*old)
    new = copy.deepcopy(old)
    new[0]["UsageCost"] = "2"
    new[1] = moved(new[1], Latitude=52.01)
    new[2]["SubmissionStatusTypeID"] = 1000
    new[3]["StatusTypeID"] = 210
    del new[4]["UsageCost"]
    new[5]["Connections"][0]["PowerKW"] = 60.0
    new[6]["IsRecentlyVerified"] = True
    del new[7]
    second = update(*new, poi(20))
    told = second.diff(first.snapshot)
    assert isinstance(told, gpd.GeoDataFrame)
    assert list(told) == ["ocm_id", "change", "column", "old", "new", "moved_m", "geometry"]
    rows = [
        (r.ocm_id, r.change, r.column, r.old, r.new)
        for r in told.itertuples()
        if r.column not in {"connections", "geometry", pd.NA} or r.change != "changed"
    ]
    assert [row[:2] for row in rows] == [
        *((1, "changed"), (2, "moved"), (3, "removed"), (4, "removed"), (5, "changed")),
        *((6, "changed"), (6, "changed"), (8, "removed"), (20, "added")),
    ]
    assert rows[0][2:] == ("usage_cost", "1", "2")
    assert rows[2][2:] == ("submission_status_id", 200, 1000)
    assert rows[3][2:] == ("status_type_id", 50, 210)
    assert rows[4][2:] == ("usage_cost", "1", None)
    assert rows[5][2:] == ("max_power_kw", 50.0, 60.0)
    metres = pyproj.Geod(ellps="WGS84").inv(5, 52, 5, 52.01)[2]
    assert told.loc[told["change"] == "moved", "moved_m"].item() == pytest.approx(metres, abs=0.01)
    assert told.crs.to_epsg() == 4326
    back = second.diff(second.snapshot, first.snapshot)
    assert (back["change"] == "added").sum() == 3
    assert told.attrs["ocm"]["compared_with"] == first.snapshot


def test_a_diff_can_be_written_and_read(update: Update, tmp_path: Path) -> None:
    first = update(poi(1), poi(2), dated(3, "2024-01-01"))
    second = update(poi(1, NumberOfPoints=3), moved(poi(2), Latitude=52.5), dated(3, "2024-01-02"))
    told = second.diff(first.snapshot)
    for suffix in ("parquet", "gpkg", "csv"):
        ocm.write(told, tmp_path / f"d.{suffix}")
        again = ocm.read(tmp_path / f"d.{suffix}")
        assert again["ocm_id"].tolist() == told["ocm_id"].tolist() == [1, 2, 3]
        assert again["change"].tolist() == ["changed", "moved", "changed"]


def test_without_any_change_a_snapshot_costs_its_manifest(update: Update) -> None:
    records = [poi(i) for i in range(1, 300)]
    update(*records)
    mirror = update(*records)
    assert len(mirror.diff(mirror.snapshots()["snapshot"][0])) == 0
    assert mirror.snapshots()["size_bytes"].iloc[-1] < 4000
    # It can still be read as today.
    path = mirror.path / "snapshots" / mirror.snapshot / "stations.parquet"
    assert len(gpd.read_parquet(path)) == 299


def test_one_call_makes_a_file_for_other_programs(update: Update, tmp_path: Path) -> None:
    update(*(poi(i) for i in range(1, 50)))
    mirror = update(*(poi(i, NumberOfPoints=i % 3) for i in range(3, 55)))
    table = gpd.read_parquet(mirror.to_parquet(tmp_path / "s.parquet"), bbox=(4, 51, 6, 53))
    assert sorted(table["ocm_id"]) == list(range(3, 55))
    assert (table["n_points"] == table["ocm_id"] % 3).all()
    rows = pd.read_parquet(mirror.to_parquet(tmp_path / "c.parquet", connections=True))
    assert sorted(rows["ocm_id"]) == list(range(3, 55))


def test_pruning_keeps_the_newest_and_what_they_share(update: Update, tmp_path: Path) -> None:
    for n in range(1, 7):
        mirror = update(*(poi(i, NumberOfPoints=n if i == n else 0) for i in range(1, 30)))
    names = mirror.snapshots()["snapshot"].tolist()
    left = mirror.path / "snapshots" / ".building-99"
    left.mkdir()
    assert mirror.prune(2) == names[:4]
    assert mirror.snapshots()["snapshot"].tolist() == names[4:]
    assert not left.exists()
    for name in names[4:]:
        ocm.Mirror(tmp_path / "m", name).verify()
    assert ocm.stations(source=ocm.Mirror(tmp_path / "m")).loc[6, "n_points"] == 6
    assert mirror.prune([names[4]]) == []
    for wrong in (0, -1, "x", 1.5, None, ["x"], True):
        with pytest.raises(ocm.QueryError, match="keep"):
            mirror.prune(wrong)  # type: ignore[arg-type]


def test_readers_are_not_disturbed(update: Update) -> None:
    reader = update(poi(1), poi(2))
    update(poi(1), poi(2), poi(3))
    assert len(ocm.stations(source=reader)) == 2
    assert len(reader) == 2


def test_what_builds_left_behind_goes_with_the_next_update(update: Update) -> None:
    mirror = update(poi(1))
    left = [mirror.path / "snapshots" / ".building-1", mirror.path / "snapshots" / ".building-2"]
    for folder in left:
        folder.mkdir()
        (folder / "stations.parquet").write_bytes(b"half")
    update(poi(1), poi(2))
    assert not any(folder.exists() for folder in left)
