"""A build that is killed at any instant leaves the old mirror or the new one, whole."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import ocm_geo as ocm
from tests.mutations import EFFORT
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from pathlib import Path

N_KILLS = min(10 * EFFORT, 300)
SIZES = (300, 200)
# A process that has built once forks builders, so that none spends its life on imports.
BUILDER = """
import os, signal, sys, time, warnings
import ocm_geo as ocm
root, *files = sys.argv[1:]
warnings.simplefilter("ignore")
def build_all():
    for file in files:
        ocm.Mirror.build(root, file)
build_all()
begin = time.monotonic()
build_all()
longest_s = time.monotonic() - begin
for line in sys.stdin:
    child = os.fork()
    if not child:
        build_all()
        os._exit(0)
    time.sleep(longest_s * float(line))
    os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_build_killed_at_any_instant_leaves_a_whole_mirror(tmp_path: Path) -> None:
    root, files, seen = tmp_path / "m", [], []
    for size in SIZES:
        files.append(tmp_path / f"{size}.json")
        files[-1].write_text(json.dumps([poi(i, lon=i / 100) for i in range(1, size + 1)]))
    rng = random.Random(EFFORT)  # noqa: S311 - instants of tests
    command = [sys.executable, "-c", BUILDER, str(root), *map(str, files)]
    with subprocess.Popen(  # noqa: S603 - our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as builder:
        assert builder.stdin is not None
        assert builder.stdout is not None
        for _ in range(N_KILLS):
            builder.stdin.write(f"{rng.random()}\n")
            seen.append((int(builder.stdout.readline()), *check_mirror(root)))
        builder.stdin.close()
    assert any(status == 9 for status, *_ in seen)
    # Which of the two stands depends on the speed of the machine; nothing else may.
    assert {size for _, size, _ in seen} <= set(SIZES)
    last = ocm.Mirror.build(root, files[0])
    left = {path.name for path in (root / "snapshots").iterdir()}
    assert last.snapshot in left
    assert not any(name.startswith(".") for name in left)
    assert {path.name for path in root.iterdir()} <= {"current", "snapshots", ".lock"}


def check_mirror(root: Path) -> tuple[int, str]:
    """Verify a mirror and ask it; return its size and snapshot."""
    mirror = ocm.Mirror(root)
    mirror.verify()
    found = ocm.stations(source=mirror)
    assert found.index.tolist() == list(range(1, len(found) + 1))
    assert len(found) in SIZES
    assert len(ocm.connections(found)) == found["n_connectors"].sum()
    return len(found), mirror.snapshot
