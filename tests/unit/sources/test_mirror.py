from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pyarrow.parquet as pq
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.sources import snapshot
from ocm_geo.sources.exclusive import lock_mirror
from ocm_geo.sources.snapshot import seal_of
from tests.mutations import EFFORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def poi(ocm_id: int, lon: float = 5.0, lat: float = 52.0, **more: Any) -> dict[str, Any]:
    place = {
        "ID": ocm_id,
        "Title": f"S{ocm_id}",
        "Latitude": lat,
        "Longitude": lon,
        "CountryID": 159,
    }
    record = {"ID": ocm_id, "SubmissionStatusTypeID": 200, "AddressInfo": place}
    return {**record, "Connections": [{"ID": ocm_id, "PowerKW": 50.0}], **more}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(*records: Any, name: str = "pois.jsonl") -> Path:
        lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
        path = tmp_path / name
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return to_file


def test_every_record_is_kept_or_rejected_with_a_reason(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    data = write(poi(1), poi(2), '{"ID": 3, "Addr', poi(4, lat=95.0), poi(1, lon=9.0))
    mirror = ocm.Mirror.build(tmp_path / "m", data)
    report = mirror.report
    assert (report.n_read, report.n_kept, report.n_rejected) == (5, 2, 3)
    rejects = [json.loads(line) for line in mirror.rejects.read_text().splitlines()]
    assert len(rejects) == 3
    assert all(reject["reason"] for reject in rejects)
    found = ocm.stations(source=mirror)
    assert found.index.tolist() == [1, 2]
    assert found.geometry.x.tolist() == [5.0, 5.0]
    assert "repeats the ID" in rejects[-1]["reason"]


def test_doubles_across_files_are_rejected_too(tmp_path: Path, write: Callable[..., Path]) -> None:
    files = [write(poi(1), poi(2), name="a.jsonl"), write(poi(2, lon=9.0), poi(3), name="b.jsonl")]
    mirror = ocm.Mirror.build(tmp_path / "m", files)
    assert mirror.report.n_rejected == 1
    assert ocm.stations_from_ids([2], source=mirror).geometry.x.tolist() == [5.0]
    assert len(ocm.connections(ocm.stations(source=mirror))) == 3


def test_unpublished_and_removed_sites_are_kept_and_never_answered(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    data = write(poi(1), poi(2, SubmissionStatusTypeID=1000), poi(3, StatusTypeID=210))
    mirror = ocm.Mirror.build(tmp_path / "m", data)
    assert len(mirror) == 3
    assert ocm.stations(source=mirror).index.tolist() == [1]


def test_other_tools_can_read_it(tmp_path: Path, write: Callable[..., Path]) -> None:
    data = write(*[poi(i, lon=i / 10, lat=i / 20) for i in range(1, 200)])
    mirror = ocm.Mirror.build(tmp_path / "m", data)
    path = mirror.path / "snapshots" / mirror.snapshot / "stations.parquet"
    table = gpd.read_parquet(path, bbox=(5, 0, 6, 10))
    assert sorted(table["ocm_id"]) == list(range(50, 61))
    assert table.crs.to_epsg() == 4326
    metadata = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert metadata["version"] == "1.1.0"
    assert metadata["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]


def test_snapshots_are_kept_and_can_be_opened(
    tmp_path: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = ocm.Mirror.build(tmp_path / "m", write(poi(1)))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    second = ocm.Mirror.build(tmp_path / "m", write(poi(1), poi(2)))
    assert second.snapshots()["snapshot"].tolist() == [first.snapshot, second.snapshot]
    assert len(ocm.Mirror(tmp_path / "m")) == 2
    assert len(ocm.Mirror(tmp_path / "m", first.snapshot)) == 1
    assert len(pickle.loads(pickle.dumps(first))) == 1  # noqa: S301 - our own


def test_the_same_data_can_be_built_twice_in_a_second(
    tmp_path: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    path = write(poi(1))
    mirrors = [ocm.Mirror.build(tmp_path / "m", path) for _ in range(3)]
    assert mirrors[2].snapshot == f"{mirrors[0].snapshot}-3"
    listed = mirrors[0].snapshots()
    assert listed["snapshot"].tolist() == [mirror.snapshot for mirror in mirrors]
    assert listed["current"].tolist() == [False, False, True]
    assert ocm.Mirror(tmp_path / "m").snapshot == mirrors[2].snapshot


def test_a_failed_build_leaves_what_was_there(
    tmp_path: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ocm.Mirror.build(tmp_path / "m", write(poi(1)))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot, "write_connections", full)
    with pytest.raises(ocm.MirrorError, match="No space left"):
        ocm.Mirror.build(tmp_path / "m", write(poi(1), poi(2)))
    assert len(ocm.Mirror(tmp_path / "m")) == 1
    assert [p.name for p in (tmp_path / "m" / "snapshots").iterdir()] == [
        ocm.Mirror(tmp_path / "m").snapshot
    ]


def test_a_killed_build_leaves_what_was_there(tmp_path: Path, write: Callable[..., Path]) -> None:
    ocm.Mirror.build(tmp_path / "m", write(poi(1)))
    code = (
        "import os, ocm_geo as ocm\n"
        "from ocm_geo.sources import snapshot\n"
        "snapshot.write_connections = lambda *a: os._exit(9)\n"
        f"ocm.Mirror.build({str(tmp_path / 'm')!r}, {str(write(poi(1), poi(2)))!r})\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9  # noqa: S603
    assert len(ocm.Mirror(tmp_path / "m")) == 1
    assert len(ocm.Mirror.build(tmp_path / "m", write(poi(1), poi(2)))) == 2


def test_two_builders_do_not_meet(tmp_path: Path, write: Callable[..., Path]) -> None:
    root = tmp_path / "m"
    root.mkdir()
    with lock_mirror(root), pytest.raises(ocm.MirrorLocked, match="another process"):
        ocm.Mirror.build(root, write(poi(1)))
    # The file of a lock says nothing, whoever left it and whatever is in it.
    (root / ".lock").write_text(str(os.getppid()))
    assert len(ocm.Mirror.build(root, write(poi(1)))) == 1


def test_missing_and_damaged_mirrors(tmp_path: Path, write: Callable[..., Path]) -> None:
    with pytest.raises(ocm.MirrorMissing, match=r"Mirror\.build"):
        ocm.Mirror(tmp_path / "none")
    mirror = ocm.Mirror.build(tmp_path / "m", write(poi(1)))
    with pytest.raises(ocm.MirrorMissing, match="no snapshot 'x'"):
        ocm.Mirror(tmp_path / "m", "x")
    folder = mirror.path / "snapshots" / mirror.snapshot
    stations = folder / "stations.parquet"
    content = stations.read_bytes()
    stations.write_bytes(content[:-1])
    with pytest.raises(ocm.MirrorCorrupt, match="damaged"):
        ocm.Mirror(tmp_path / "m")
    stations.write_bytes(content[:-1] + b"x")
    damaged = ocm.Mirror(tmp_path / "m")
    with pytest.raises(ocm.MirrorCorrupt, match="checksum"):
        damaged.verify()
    with pytest.raises(ocm.MirrorCorrupt, match="checksum"):
        ocm.stations(source=damaged)
    stations.unlink()
    with pytest.raises(ocm.MirrorCorrupt, match="missing"):
        ocm.Mirror(tmp_path / "m")
    manifest = json.loads((folder / "manifest.json").read_text())
    changed = (
        ("{", "manifest"),
        (json.dumps({**manifest, "data_date": "2031-01-01"}), "checksum"),
        (json.dumps({**manifest, "format": 2}), "has format 2; .*: build it again"),
    )
    for text, words in changed:
        (folder / "manifest.json").write_text(text)
        with pytest.raises(ocm.MirrorCorrupt, match=words):
            ocm.Mirror(tmp_path / "m")


def test_a_manifest_that_lacks_a_part_is_damaged(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    path = ocm.Mirror.build(tmp_path / "m", write(poi(1))).loaded.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["seal"]
    for key in ("snapshot", "built", "data_date", "report", "countries", "files", "complete"):
        for part in ({k: v for k, v in manifest.items() if k != key}, {**manifest, key: 1}):
            path.write_text(json.dumps({**part, "seal": seal_of(part)}))
            with pytest.raises(ocm.MirrorCorrupt, match="manifest"):
                ocm.Mirror(tmp_path / "m")


def test_reference_objects_in_records_are_harvested(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    record = poi(1, OperatorID=3387, OperatorInfo={"ID": 3387, "Title": "Latest Power"})
    mirror = ocm.Mirror.build(tmp_path / "m", write(record))
    found = ocm.stations(source=mirror, operators="latest power")
    labelled = ocm.add_labels(found, ocm.reference_data(mirror))
    assert labelled["operator"].tolist() == ["Latest Power"]


def test_an_empty_mirror_has_to_be_asked_for(tmp_path: Path, write: Callable[..., Path]) -> None:
    data = write("[]")
    with pytest.raises(ocm.MirrorError, match=r"nothing to keep in .*pois\.jsonl.*force=True"):
        ocm.Mirror.build(tmp_path / "m", data)
    mirror = ocm.Mirror.build(tmp_path / "m", data, force=True)
    assert len(mirror) == 0
    assert len(ocm.stations_from_route(shapely.LineString([(0, 0), (1, 1)]), source=mirror)) == 0


def test_the_provenance_is_told(tmp_path: Path, write: Callable[..., Path]) -> None:
    record = poi(1, DateLastStatusUpdate="2024-05-06T07:08:00Z")
    mirror = ocm.Mirror.build(tmp_path / "m", write(record))
    facts = ocm.stations_from_bbox((4.5, 52, 6, 53), source=mirror).attrs["ocm"]
    assert facts["snapshot"] == mirror.snapshot
    assert facts["data_date"] == "2024-05-06"
    assert facts["query"] == {"bbox": [4.5, 52, 6, 53]}
    assert facts["complete"] is True
    assert "Open Charge Map" in facts["attribution"]


def test_no_flipped_bit_is_an_answer(tmp_path: Path, write: Callable[..., Path]) -> None:
    data = write(*[poi(i, lon=i / 10, OperatorID=1) for i in range(1, 50)])
    mirror = ocm.Mirror.build(tmp_path / "m", data)
    right = ocm.stations(source=mirror, min_power_kw=1)
    folder = mirror.path / "snapshots" / mirror.snapshot
    names = ["stations.parquet", "connections.parquet", "manifest.json"]
    for path in [mirror.path / "current", *(folder / name for name in names)]:
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // (20 * EFFORT))):
            flipped = bytearray(content)
            flipped[place] ^= 1 << place % 8
            path.write_bytes(flipped)
            try:
                found = ocm.stations(source=ocm.Mirror(mirror.path), min_power_kw=1)
            except ocm.MirrorError:
                continue
            # White space at the end of a text says nothing.
            assert found.equals(right)
            assert found.attrs == right.attrs
        path.write_bytes(content)
    assert len(ocm.Mirror(mirror.path)) == 49
