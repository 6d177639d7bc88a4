"""Of the records of one station the newest is used."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

import ocm_geo as ocm
from ocm_geo.sources.repeats import split_repeats
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from pathlib import Path

STATES = [("2019-01-01T00:00:00Z", 11.0), ("2024-06-01T00:00:00Z", 150.0), (None, 22.0)]


def state(date: str | None, power: float, ocm_id: int = 1) -> dict[str, Any]:
    plugs = [{"ID": n, "PowerKW": power} for n in range(int(power) % 4 + 1)]
    return poi(ocm_id, DateLastStatusUpdate=date, Connections=plugs)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [False, True])
def test_the_newest_state_is_kept(
    order: tuple[int, ...], *, together: bool, tmp_path: Path
) -> None:
    records = [state(*STATES[i]) for i in order]
    parts = [records] if together else [[record] for record in records]
    files = []
    for number, part in enumerate(parts):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps([*part, poi(10 + number)]))
    mirror = ocm.Mirror.build(tmp_path / "m", files)
    found = ocm.stations_from_ids([1], source=mirror)
    assert found["max_power_kw"].tolist() == [150.0]
    # Its own connections came along, and those of the other states are gone.
    assert len(ocm.connections(found)) == found["n_connectors"].item() == 3
    assert mirror.report.n_connections == 3 + len(parts)
    reasons = [json.loads(line)["reason"] for line in mirror.rejects.read_text().splitlines()]
    assert reasons == ["older than another record of the same ID, which is kept"] * 2
    assert mirror.report.n_read == mirror.report.n_kept + mirror.report.n_rejected


def test_of_equal_states_the_first_is_kept_and_the_other_told_with_its_place(
    tmp_path: Path,
) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.jsonl"]
    files[0].write_text(json.dumps([poi(1, lon=4.0), poi(2)]))
    files[1].write_text("\n".join(json.dumps(r) for r in (poi(3), poi(1, lon=6.0))))
    mirror = ocm.Mirror.build(tmp_path / "m", files)
    assert ocm.stations_from_ids([1], source=mirror).geometry.x.tolist() == [4.0]
    (reject,) = map(json.loads, mirror.rejects.read_text().splitlines())
    assert (reject["origin"], reject["position"], reject["ocm_id"]) == (str(files[1]), 2, 1)
    assert reject["reason"].startswith("repeats the ID")


def test_the_choice_equals_a_plain_one() -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 50, 300)
    dates = [None if d == 0 else int(d) for d in rng.integers(0, 5, 300)]
    updated = pa.chunked_array([pa.array(dates, pa.timestamp("us", tz="UTC"))])
    best: dict[int, int] = {}
    for row, ocm_id in enumerate(ids.tolist()):
        old = best.get(ocm_id)
        if old is None or (dates[row] or 0) > (dates[old] or 0):
            best[ocm_id] = row
    kept, left_out, older = split_repeats(ids, updated)
    assert kept.tolist() == sorted(best.values())
    assert sorted([*kept, *left_out]) == list(range(300))
    expected = [(dates[r] or 0) < (dates[best[int(ids[r])]] or 0) for r in left_out]
    assert older.tolist() == expected


def test_nothing_is_chosen_from_nothing() -> None:
    empty = pa.chunked_array([], pa.timestamp("us", tz="UTC"))
    assert [len(part) for part in split_repeats(np.empty(0, np.int64), empty)] == [0, 0, 0]
