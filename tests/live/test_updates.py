"""A mirror that follows a server: it holds what the server shows, update by update."""

from __future__ import annotations

import copy
import multiprocessing
import random
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

import ocm_geo as ocm
from ocm_geo.sources import walks
from tests.live.conftest import scattered
from tests.live.stand_in import Faults, StandIn
from tests.live.updater import update

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[..., tuple[StandIn, ocm.OpenChargeMap]]
    Poi = dict[str, Any]

pytestmark = pytest.mark.filterwarnings("ignore:operators without a name")


def is_shown(poi: Poi) -> bool:
    return poi["SubmissionStatusTypeID"] in {100, 200} and poi["StatusTypeID"] not in {200, 210}


def truth(pois: list[Poi]) -> dict[int, tuple[Any, ...]]:
    """What the server shows, by brute force."""
    return {
        p["ID"]: (
            p["AddressInfo"]["Title"],
            p["AddressInfo"]["Longitude"],
            p["AddressInfo"]["Latitude"],
            p["OperatorID"],
            len(p["Connections"]),
        )
        for p in pois
        if is_shown(p)
    }


def held(mirror: ocm.Mirror) -> dict[int, tuple[Any, ...]]:
    """What the mirror answers."""
    found = ocm.stations(source=mirror)
    n_connections = ocm.connections(found)["ocm_id"].value_counts()
    return {
        int(row.Index): (
            row.title,
            row.geometry.x,
            row.geometry.y,
            row.operator_id,
            int(n_connections.get(row.Index, 0)),
        )
        for row in found.itertuples()
    }


class Editor:
    """Edits the stations of a server at random, at a time that goes on."""

    def __init__(self, pois: list[Poi], seed: int) -> None:
        self.pois = pois
        self.random = random.Random(seed)  # noqa: S311 - edits, not secrets
        # Years ahead of the invented records, years before the clock of the test.
        self.minutes = 0
        self.next_id = 1_000_000

    def stamp(self, poi: Poi) -> None:
        hours, minutes = divmod(self.minutes, 60)
        poi["DateLastStatusUpdate"] = (
            f"2026-03-{hours // 24 + 1:02}T{hours % 24:02}:{minutes:02}:00Z"
        )

    def edit(self, n: int) -> None:
        """Make n edits within one minute, as imports do."""
        self.minutes += self.random.choice([0, 1, 30, 300])
        for _ in range(n):
            kind = self.random.choice(["add", "change", "change", "move", "delist", "relist"])
            getattr(self, kind)()

    def pick(self) -> Poi:
        return self.random.choice(self.pois)

    def add(self) -> None:
        poi = copy.deepcopy(self.pick())
        self.next_id += self.random.randint(1, 50)
        poi["ID"], poi["SubmissionStatusTypeID"], poi["StatusTypeID"] = self.next_id, 200, 50
        self.stamp(poi)
        self.pois.append(poi)

    def change(self) -> None:
        poi = self.pick()
        poi["AddressInfo"]["Title"] = f"Renamed {self.random.random()}"
        poi["Connections"] = copy.deepcopy(self.pick()["Connections"])
        self.stamp(poi)

    def move(self) -> None:
        poi = self.pick()
        poi["AddressInfo"]["Latitude"] += 0.01
        self.stamp(poi)

    def delist(self) -> None:
        poi = self.pick()
        poi["SubmissionStatusTypeID"] = self.random.choice([1000, 1001, 1002, 1005, 1020])
        self.stamp(poi)

    def relist(self) -> None:
        poi = self.pick()
        poi["SubmissionStatusTypeID"], poi["StatusTypeID"] = 200, 50
        self.stamp(poi)

    def vanish(self) -> None:
        """Take a station away without a trace, in any of the ways that leave none."""
        poi = self.random.choice([p for p in self.pois if is_shown(p)])
        how = self.random.choice(["deleted", "removed", "private"])
        if how == "deleted":
            self.pois.remove(poi)
        elif how == "removed":
            poi["StatusTypeID"] = 210
        else:
            poi["SubmissionStatusTypeID"] = 1010


@pytest.mark.parametrize("seed", range(6))
def test_updates_follow_the_server(ask: Ask, tmp_path: Path, seed: int) -> None:
    server, api = ask(scattered(seed, (5, 52), 1.0, n=150))
    editor = Editor(server.pois, seed)
    mirror = ocm.Mirror.from_source(tmp_path / "m", api)
    assert held(mirror) == truth(server.pois)
    for _ in range(8):
        before = truth(server.pois)
        editor.edit(editor.random.randint(0, 12))
        after = truth(server.pois)
        n_sent = len(server.seen)
        report = mirror.update(api)
        assert held(mirror) == after == held(ocm.Mirror(mirror.path))
        assert report.n_requests == len(server.seen) - n_sent <= 4
        assert report.complete
        assert report.n_added == len(after.keys() - before.keys())
        assert report.n_removed == len(before.keys() - after.keys())
        assert report.n_added + report.n_changed + report.n_unchanged == len(after)
        assert report.n_changed >= sum(before[i] != after[i] for i in before.keys() & after.keys())
    assert len(mirror.snapshots()) == 9


def test_ties_in_one_minute_are_all_found(ask: Ask, tmp_path: Path) -> None:
    server, api = ask(scattered(1, (5, 52), 1.0, n=400))
    mirror = ocm.Mirror.from_source(tmp_path / "m", api)
    for poi in server.pois:
        poi["DateLastStatusUpdate"] = "2026-03-01T10:00:00Z"
        poi["AddressInfo"]["Title"] += " again"
    server.faults = Faults(cap=7)
    report = mirror.update(api)
    assert report.n_changed == len(truth(server.pois)) == len(held(mirror))
    assert held(mirror) == truth(server.pois)


def test_what_vanishes_without_a_trace_is_found_by_a_full_walk(ask: Ask, tmp_path: Path) -> None:
    server, api = ask(scattered(2, (5, 52), 1.0, n=200))
    editor = Editor(server.pois, 2)
    mirror = ocm.Mirror.from_source(tmp_path / "m", api)
    for _ in range(9):
        editor.vanish()
    assert mirror.update(api).n_removed == 0
    report = mirror.update(api, full=True)
    assert report.n_removed == 9
    assert held(mirror) == truth(server.pois)


def test_the_walk_through_all_ids_comes_again_after_a_month(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, api = ask(scattered(3, (5, 52), 1.0, n=100))
    mirror = ocm.Mirror.from_source(tmp_path / "m", api)
    Editor(server.pois, 3).vanish()
    assert mirror.update(api).n_removed == 0
    monkeypatch.setattr(walks, "_RECONCILE", walks._OVERLAP * 0)
    assert mirror.update(api).n_removed == 1


def test_a_server_that_shows_few_stations_does_not_empty_the_mirror(
    ask: Ask, tmp_path: Path
) -> None:
    server, api = ask(scattered(4, (5, 52), 1.0, n=200))
    mirror = ocm.Mirror.from_source(tmp_path / "m", api)
    before, pois = held(mirror), list(server.pois)
    for left in (0, 1, 40):
        server.pois[:] = [p for p in pois if is_shown(p)][:left]
        with pytest.raises(ocm.MirrorShrunk, match=r"would be left|nothing to keep"):
            mirror.update(api, full=True)
        assert held(ocm.Mirror(mirror.path)) == before
    assert mirror.update(api, full=True, force=True).n_removed == len(before) - 40


@pytest.mark.parametrize(
    "faults",
    [
        Faults(empty=2),
        Faults(truncated=1),
        Faults(html=1),
        Faults(cut=1),
        Faults(shuffled=1),
        Faults(statuses=[(503, {}), (429, {"Retry-After": "0"})]),
    ],
    ids=["empty", "truncated", "html", "cut", "shuffled", "statuses"],
)
def test_faults_on_the_way_cost_nothing(ask: Ask, tmp_path: Path, faults: Faults) -> None:
    server, api = ask(scattered(5, (5, 52), 1.0, n=100))
    mirror = ocm.Mirror.from_source(tmp_path / "m", api)
    Editor(server.pois, 5).edit(20)
    server.faults = faults
    assert mirror.update(api).complete
    assert held(mirror) == truth(server.pois)


def test_a_server_that_fails_leaves_the_mirror_and_the_next_walk_goes_on(
    ask: Ask, tmp_path: Path
) -> None:
    server, api = ask(scattered(6, (5, 52), 1.0, n=300))
    server.faults = Faults(cap=20)
    pages = StandIn.answer

    def fail_later(params: dict[str, str]) -> list[Poi]:
        if len(server.seen) > 5:
            raise ConnectionAbortedError
        return pages(server, params)

    server.answer = fail_later  # type: ignore[method-assign]
    with pytest.raises(ocm.SourceError):
        ocm.Mirror.from_source(tmp_path / "m", api)
    with pytest.raises(ocm.MirrorMissing):
        ocm.Mirror(tmp_path / "m")
    del server.answer
    server.seen.clear()
    mirror = ocm.Mirror.from_source(tmp_path / "m", api)
    assert held(mirror) == truth(server.pois)
    # Four pages were there already.
    asked = [int(params["greaterthanid"]) for params in server.seen if "greaterthanid" in params]
    assert min(asked) == sorted(truth(server.pois))[79]
    assert not (tmp_path / "m" / ".walk").exists()


def test_updates_leave_nothing_in_the_cache_of_answers(ask: Ask, tmp_path: Path) -> None:
    _, api = ask(scattered(7, (5, 52), 1.0, n=50))
    ocm.Mirror.from_source(tmp_path / "m", api).update(api)
    assert not list((tmp_path / "cache").rglob("*.answer.json"))


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.001)


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_kills_at_any_instant_leave_a_whole_mirror(ask: Ask, tmp_path: Path, n_kills: int) -> None:
    """Each update is killed some time between its beginning and its end; the next one works."""
    server, api = ask(scattered(8, (5, 52), 1.0, n=300))
    server.faults = Faults(cap=60)
    editor = Editor(server.pois, 8)
    mirror = ocm.Mirror.from_source(tmp_path / "m", api)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.live.updater"])
    begun, done = mirror.path / "begun", mirror.path / "done"
    longest, n_killed = 0.0, 0
    states = [truth(server.pois)]
    for turn in range(-1, n_kills):
        editor.edit(5)
        states.append(truth(server.pois))
        options = {"full": turn % 2 == 0}
        child = processes.Process(
            target=update, args=(str(mirror.path), server.url), kwargs=options
        )
        child.start()
        wait_for(begun)
        started = time.monotonic()
        if turn < 0:
            # Nothing is killed yet: this is how long an update takes here.
            wait_for(done)
            longest = time.monotonic() - started
        else:
            time.sleep(editor.random.uniform(0, longest))
            child.kill()
        child.join()
        n_killed += not done.exists()
        begun.unlink()
        done.unlink(missing_ok=True)
        now = ocm.Mirror(mirror.path)
        now.verify()
        assert held(now) in states[-2:]
        mirror.update(api)
        assert held(mirror) == states[-1]
        assert not list((mirror.path / "snapshots").glob(".building-*"))
        mirror.prune(3)
    assert n_killed > n_kills / 4
