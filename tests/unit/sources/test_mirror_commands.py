"""The commands of the mirror: their words and their exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import ocm_geo as ocm
from tests.unit.sources.records import array, poi

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-c", "from ocm_geo.cli import main; main()", *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - our own


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pois.json"
    path.write_bytes(array(6))
    assert run("mirror", "build", tmp_path / "m", path).returncode == 0
    return path


def test_a_cut_file_has_a_status_of_its_own(file: Path, tmp_path: Path) -> None:
    file.write_bytes(array(6)[:-50])
    done = run("mirror", "build", tmp_path / "m", file)
    assert done.returncode == 3
    assert "pois.json ends inside" in done.stderr
    assert "NOT COMPLETE" in done.stdout
    assert "NOT COMPLETE" in run("mirror", "info", tmp_path / "m").stdout


def test_an_error_page_is_an_error_and_the_mirror_stays(file: Path, tmp_path: Path) -> None:
    file.write_text("<html><title>Sign in</title></html>")
    done = run("mirror", "build", tmp_path / "m", file)
    assert done.returncode == 1
    assert "'Sign in'" in done.stderr
    assert "Traceback" not in done.stderr
    assert "6 stations" in run("mirror", "info", tmp_path / "m").stdout


def test_force_is_an_option(file: Path, tmp_path: Path) -> None:
    file.write_bytes(array(1))
    refused = run("mirror", "build", tmp_path / "m", file)
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    assert run("mirror", "build", tmp_path / "m", file, "--force").returncode == 0


def test_info_tells_total_and_published(file: Path, tmp_path: Path) -> None:
    records = [poi(1), poi(2, SubmissionStatusTypeID=1000), poi(3, SubmissionStatusTypeID=None)]
    file.write_text(json.dumps([*records, poi(4), poi(5, OperatorID=77001)]))
    names = tmp_path / "names.json"
    names.write_text(json.dumps({"Operators": [{"ID": 77001, "Title": "Volts"}]}))
    built = run("mirror", "build", tmp_path / "m", file, "--reference", names)
    assert (built.returncode, built.stderr) == (0, "")
    shown = run("mirror", "info", tmp_path / "m").stdout
    assert "5 stations, 4 of them published" in shown
    assert "stations 5, published 4" in shown
    assert "connections 5, published 4" in shown
    assert "without a submission status, as published 1" in shown
    assert "NL 5, published 4" in shown


def test_following_comparing_and_pruning(file: Path, tmp_path: Path) -> None:
    mirror = tmp_path / "m"
    first = ocm.Mirror(mirror).snapshot
    file.write_text(json.dumps([poi(i, NumberOfPoints=2 if i == 3 else None) for i in range(2, 9)]))
    updated = run("mirror", "update", mirror, "--data", file)
    assert (updated.returncode, updated.stderr) == (0, "")
    assert "added 2, removed 1, changed 1, unchanged 4" in updated.stdout
    shown = run("mirror", "info", mirror).stdout
    assert f"{first} data of 2024-05-01, stations 6, published 6" in shown
    assert "(current)" in shown.splitlines()[-1]
    changes = run("mirror", "diff", mirror, "-o", tmp_path / "d.csv").stdout
    assert [line.strip() for line in changes.splitlines()[1:]] == [
        *("added 2", "removed 1", "moved 0", "changed 1", "n_points 1")
    ]
    assert len(ocm.read(tmp_path / "d.csv")) == 4
    assert run("mirror", "verify", mirror, "--all").stdout.count("is intact") == 2
    assert "removed 1" in run("mirror", "prune", mirror, "--keep", "1").stdout
    alone = run("mirror", "diff", mirror)
    assert (alone.returncode, "no snapshot before" in alone.stderr) == (1, True)


def test_an_update_makes_a_mirror_of_any_source(tmp_path: Path) -> None:
    done = run("mirror", "update", tmp_path / "m", "--source", "sample")
    assert done.returncode == 0
    assert "1,450 stations" in done.stdout
