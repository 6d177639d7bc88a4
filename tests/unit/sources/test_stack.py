"""Tables that are piled up and come back in another order, in memory or by way of the disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

import ocm_geo as ocm
from ocm_geo.sources import stack as under_test
from ocm_geo.sources.gathering import Gathered
from ocm_geo.sources.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = pa.schema([("number", pa.int64()), ("text", pa.string())])


def _pile_up(folder: Path, n_rows: int, n_parts: int) -> Stack:
    """Return a pile of numbered rows; every fifth text is missing."""
    stack = Stack(SCHEMA, folder)
    for part in np.array_split(np.arange(n_rows), n_parts):
        texts = [None if n % 5 == 0 else f"row {n}" for n in part.tolist()]
        stack.add(pa.table({"text": pa.array(texts, pa.string()), "number": part}))
    return stack


@pytest.fixture(params=["memory", "disk"])
def stack(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    if request.param == "disk":
        monkeypatch.setattr(under_test, "_PLAIN_BYTES", 3000)
    stack = _pile_up(tmp_path, 1000, 7)
    yield stack
    stack.close()


@pytest.mark.parametrize("n_rows", [1, 30, 333, 5000])
def test_rows_come_back_in_the_order_that_was_asked_for(stack: Stack, n_rows: int) -> None:
    order = np.random.default_rng(3).permutation(1000)[:700]
    pieces = list(stack.pieces(order, n_rows))
    assert [len(piece) for piece in pieces[:-1]] == [n_rows] * (len(pieces) - 1)
    rows = pa.concat_tables(pieces).to_pylist()
    assert [row["number"] for row in rows] == order.tolist()
    assert [row["text"] for row in rows] == [None if n % 5 == 0 else f"row {n}" for n in order]


def test_a_column_is_in_the_order_of_the_pile(stack: Stack) -> None:
    assert stack.column("number").to_pylist() == list(range(1000))


def test_no_rows_are_one_empty_piece(stack: Stack) -> None:
    (piece,) = stack.pieces(np.empty(0, np.int64), 10)
    assert len(piece) == 0
    assert piece.schema == SCHEMA


def test_what_is_spilled_is_gone_when_the_pile_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "_PLAIN_BYTES", 3000)
    stack = _pile_up(tmp_path, 1000, 7)
    assert not any(isinstance(part, pa.Table) for part in stack._parts)
    stack.close()
    assert list(tmp_path.iterdir()) == []


def test_connections_follow_their_stations(tmp_path: Path) -> None:
    counts = np.array([2, 0, 3, 1])
    with Gathered(tmp_path) as gathered:
        gathered._counts.append(counts)
        order = np.array([3, 2, 1])
        assert gathered.order_connections(order).tolist() == [5, 2, 3, 4]
        assert gathered.count_connections(order) == 4


def test_a_build_is_the_same_by_way_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("stations.parquet", "connections.parquet", "rejects.jsonl")
    stations = [
        {
            "ID": 7 * i % 1009 + 1,
            "AddressInfo": {"Latitude": i % 90, "Longitude": i % 170, "Title": f"t{i}"},
            "Connections": [{"ID": n, "PowerKW": 11} for n in range(i % 4)],
        }
        for i in range(1500)
    ]
    path = tmp_path / "stations.jsonl"
    path.write_text("\n".join(map(json.dumps, stations)))
    first = ocm.Mirror.build(tmp_path / "in_memory", path)
    monkeypatch.setattr(under_test, "_PLAIN_BYTES", 10_000)
    second = ocm.Mirror.build(tmp_path / "by_disk", path)
    assert second.loaded.manifest["content"] == first.loaded.manifest["content"]
    for name in names:
        one, other = (mirror.loaded.folder / name for mirror in (first, second))
        assert one.read_bytes() == other.read_bytes()
