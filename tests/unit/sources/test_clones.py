"""A mirror that follows a git clone reads what changed, and everything where it cannot know."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import ocm_geo as ocm
from ocm_geo.sources import incoming, readers
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


class Clone:
    """A clone of an export with a file for each station."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q")

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        call = ["git", "-C", str(self.folder), *who, *arguments]
        subprocess.run(call, check=True, capture_output=True)  # noqa: S603 - our own words

    def write(self, ocm_id: int, country: str = "NL", **more: Any) -> None:
        path = self.folder / "data" / country / f"OCM-{ocm_id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(poi(ocm_id, **more), indent=4), encoding="utf-8")

    def remove(self, ocm_id: int, country: str = "NL") -> None:
        (self.folder / "data" / country / f"OCM-{ocm_id}.json").unlink()

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "export")
    for i in range(1, 9):
        made.write(i)
    made.commit()
    return made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which files are read one by one; a full reading does not pass here."""
    names: list[str] = []
    original = readers.read_record_files

    def note(paths: Any, folder: Path) -> Any:
        names.extend(path.name for path in paths)
        return original(paths, folder)

    monkeypatch.setattr(incoming, "read_record_files", note)
    return names


def counts(report: ocm.UpdateReport) -> tuple[int, int, int, int]:
    return report.n_added, report.n_removed, report.n_changed, report.n_unchanged


def test_only_changed_and_deleted_files_are_read(
    clone: Clone, tmp_path: Path, read: list[str]
) -> None:
    mirror = ocm.Mirror.build(tmp_path / "m", clone.folder)
    clone.write(3, NumberOfPoints=7)
    clone.write(20)
    clone.remove(5)
    # A station that is filed under another country is still there.
    clone.remove(6)
    clone.write(6, "BE")
    clone.commit()
    report = mirror.update(data=clone.folder)
    assert sorted(read) == ["OCM-20.json", "OCM-3.json", "OCM-6.json"]
    assert counts(report) == (1, 1, 1, 6)
    read.clear()
    assert counts(mirror.update(data=clone.folder)) == (0, 0, 0, 8)
    assert read == []
    built = ocm.Mirror.build(tmp_path / "other", clone.folder)
    assert ocm.stations(source=mirror).equals(ocm.stations(source=built))


def test_what_is_not_committed_counts_too(clone: Clone, tmp_path: Path) -> None:
    mirror = ocm.Mirror.build(tmp_path / "m", clone.folder)
    clone.write(3, NumberOfPoints=7)
    clone.write(20)
    clone.remove(5)
    assert counts(mirror.update(data=clone.folder)) == (1, 1, 1, 6)
    # Undone without a trace in the history: the next update reads everything.
    clone.git("checkout", "-q", "--", ".")
    clone.remove(20)
    assert counts(mirror.update(data=clone.folder)) == (1, 1, 1, 6)


def test_ignored_files_are_no_clone(clone: Clone, tmp_path: Path) -> None:
    (clone.folder / ".gitignore").write_text("extra/\n")
    clone.commit()
    extra = clone.folder / "extra"
    extra.mkdir()
    (extra / "OCM-50.json").write_text(json.dumps(poi(50)))
    mirror = ocm.Mirror.build(tmp_path / "m", clone.folder)
    (extra / "OCM-50.json").write_text(json.dumps(poi(50, NumberOfPoints=3)))
    assert counts(mirror.update(data=clone.folder)) == (0, 0, 1, 8)


def test_a_commit_that_is_not_there_means_reading_everything(
    clone: Clone, tmp_path: Path, read: list[str]
) -> None:
    mirror = ocm.Mirror.build(tmp_path / "m", clone.folder)
    other = Clone(tmp_path / "again")
    for i in range(2, 9):
        other.write(i)
    other.commit()
    assert counts(mirror.update(data=other.folder)) == (0, 1, 0, 7)
    assert read == []


def test_a_file_that_breaks_takes_its_station_along(clone: Clone, tmp_path: Path) -> None:
    mirror = ocm.Mirror.build(tmp_path / "m", clone.folder)
    (clone.folder / "data" / "NL" / "OCM-3.json").write_text(json.dumps(poi(3, lat=95.0)))
    clone.commit()
    assert counts(mirror.update(data=clone.folder)) == (0, 1, 0, 7)
    assert "out of range" in mirror.rejects.read_text()


def test_a_plain_folder_is_read_whole(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    for i in range(1, 5):
        (folder / f"OCM-{i}.json").write_text(json.dumps(poi(i)))
    mirror = ocm.Mirror.build(tmp_path / "m", folder)
    (folder / "OCM-1.json").unlink()
    assert counts(mirror.update(data=folder)) == (0, 1, 0, 3)


def test_a_cut_file_takes_nothing_for_gone(tmp_path: Path) -> None:
    path = tmp_path / "pois.json"
    text = json.dumps([poi(i) for i in range(1, 9)])
    path.write_text(text)
    mirror = ocm.Mirror.build(tmp_path / "m", path)
    path.write_text(text[: len(text) * 6 // 8])
    with pytest.warns(ocm.DroppedRows, match="ends inside"):
        report = mirror.update(data=path)
    assert (report.complete, report.n_removed) == (False, 0)
    assert ocm.stations(source=mirror).attrs["ocm"]["complete"] is False


def test_any_source_can_be_followed(tmp_path: Path) -> None:
    class TableSource:
        def __init__(self, stations: Any) -> None:
            self.stations = stations

        def fetch(self, query: ocm.StationQuery) -> Any:
            return query.answer(self.stations)

        def has_any(self, query: ocm.StationQuery) -> bool:
            return len(query.answer(self.stations)) > 0

        def reference_data(self) -> ocm.ReferenceData:
            return ocm.sample().reference_data()

    everything = ocm.stations(source="sample", include_comments=True)
    mirror = ocm.Mirror.from_source(tmp_path / "m", TableSource(everything.iloc[100:]))
    report = mirror.update(TableSource(everything.iloc[:-40]))
    assert counts(report) == (100, 40, 0, len(everything) - 140)
    query: dict[str, Any] = {"min_power_kw": 50, "connection_types": 33}
    expected = ocm.stations(source=TableSource(everything.iloc[:-40]), **query)
    assert ocm.stations(source=mirror, **query).index.equals(expected.index)
    with pytest.raises(ocm.QueryError, match="not both"):
        mirror.update("sample", data="x")
