"""The cache is an aid: whatever happens to its folder, the question is answered."""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import stat
from typing import TYPE_CHECKING, Any

import pytest

import ocm_geo as ocm
from ocm_geo.settings import current
from ocm_geo.sources.answers import _AnswerFiles
from ocm_geo.sources.responses import KEY_HEADER
from tests.live.conftest import scattered
from tests.live.stand_in import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Ask = Callable[..., tuple[Any, ocm.OpenChargeMap]]

BOX = (3, 50, 7, 54)
POIS = scattered(20, (5, 52), 1, n=100)


@pytest.fixture(autouse=True)
def _untold() -> Iterator[None]:
    _AnswerFiles._told.clear()
    yield
    _AnswerFiles._told.clear()


def kept() -> list[Path]:
    return sorted(current().cache_dir.rglob("*.answer.json"))


def test_answers_are_private_json_without_the_key(ask: Ask) -> None:
    ocm.stations_from_bbox(BOX, source=ask(POIS)[1])
    assert kept()
    for path in kept():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text().partition("\n")[2])["status_code"] == 200
        assert KEY.encode() not in path.read_bytes()
        assert KEY not in path.name
    assert stat.S_IMODE(kept()[0].parent.stat().st_mode) == 0o700


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda _: b"\n[]", lambda _: b"\xff\xfe", lambda c: c[: len(c) // 2], flipped],
    ids=["empty", "a list", "no text", "cut", "one bit"],
)
def test_a_damaged_answer_is_asked_for_again(ask: Ask, damage: Callable[[bytes], bytes]) -> None:
    server, api = ask(POIS)
    first = ocm.stations_from_bbox(BOX, source=api)
    n_asked = len(server.seen)
    for path in kept():
        path.write_bytes(damage(path.read_bytes()))
    again = ocm.stations_from_bbox(BOX, source=api)
    assert again.index.equals(first.index)
    assert len(server.seen) == 2 * n_asked
    ocm.stations_from_bbox(BOX, source=api)
    assert len(server.seen) == 2 * n_asked


def test_a_wrong_key_does_not_see_the_answers_of_another(ask: Ask) -> None:
    server, api = ask(POIS)
    ocm.stations_from_bbox(BOX, source=api)
    other = ocm.OpenChargeMap("wrong", base_url=server.url, min_interval_s=0)
    with pytest.raises(ocm.ApiKeyError):
        ocm.stations_from_bbox(BOX, source=other)


@pytest.mark.parametrize("below", ["", "cache"])
def test_a_folder_that_cannot_be_made_costs_one_warning(
    ask: Ask, tmp_path: Path, below: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    server, _ = ask(POIS)
    with ocm.using(cache_dir=tmp_path / "file" / below, api_key=KEY):
        api = ocm.OpenChargeMap(base_url=server.url, min_interval_s=0)
        with pytest.warns(ocm.OCMWarning, match="cache"):
            found = ocm.stations_from_bbox(BOX, source=api)
        ocm.stations_from_bbox((3, 50, 6, 54), source=api)
    assert len(found)


def test_a_full_disk_costs_one_warning(ask: Ask) -> None:
    api = ask(POIS)[1]
    api.request("system/status")
    folder = current().cache_dir / "answers"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.warns(ocm.OCMWarning, match="cache"):
            found = ocm.stations_from_bbox(BOX, source=api)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert len(found)
    assert [path.name for path in folder.iterdir()] == [path.name for path in kept()]


def test_old_answers_are_removed_when_a_session_begins(ask: Ask) -> None:
    server, api = ask(POIS)
    ocm.stations_from_bbox(BOX, source=api)
    for path in kept():
        os.utime(path, (1, 1))
    again = ocm.OpenChargeMap(base_url=server.url, min_interval_s=0)
    again.request("poi", id=1)
    assert len(kept()) == 1


def test_a_pickled_source_finds_its_key_where_it_wakes(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = ask(POIS)
    api = ocm.OpenChargeMap(KEY, base_url=server.url, min_interval_s=0)
    packed = pickle.dumps(api)
    assert KEY.encode() not in packed
    with ocm.using(api_key=None):
        monkeypatch.setenv("OCM_API_KEY", KEY)
        woken: ocm.OpenChargeMap = pickle.loads(packed)  # noqa: S301 - made above
    assert len(ocm.stations_from_bbox(BOX, source=woken))
    assert server.headers[-1][KEY_HEADER] == KEY
