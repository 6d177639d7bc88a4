"""The explorer over the live source: what it asks a server, and how often."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import shapely

import ocm_geo as ocm
from tests.live.conftest import scattered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live.stand_in import StandIn


def move(shown: ocm.StationExplorer, box: tuple[float, float, float, float]) -> None:
    shown.map.set_state(dict(zip(("west", "south", "east", "north"), box, strict=True)))
    assert shown.wait()


def asked(server: StandIn) -> list[str]:
    return [json.dumps(params, sort_keys=True) for params in server.seen]


def explorer(client: ocm.OpenChargeMap) -> ocm.StationExplorer:
    box = (5.0, 52.0, 5.4, 52.2)
    shown = ocm.StationExplorer(client, bbox=box, basemap="none", debounce_s=0)
    move(shown, box)
    return shown


def test_an_empty_view_is_one_question(
    ask: Callable[..., tuple[StandIn, ocm.OpenChargeMap]],
) -> None:
    server, client = ask(scattered(1, (5.2, 52.1), 0.05))
    shown = explorer(client)
    assert len(shown.visible)
    before = len(server.seen)
    move(shown, (8.0, 52.0, 8.4, 52.2))
    assert shown.visible.empty
    assert not shown._status.failed
    assert len(server.seen) == before + 1


def test_no_request_is_sent_twice(ask: Callable[..., tuple[StandIn, ocm.OpenChargeMap]]) -> None:
    server, client = ask(scattered(2, (5.2, 52.1), 0.05))
    shown = explorer(client)
    shown.filters.controls["min_power_kw"].index = 6
    assert shown.wait()
    move(shown, (8.0, 52.0, 8.4, 52.2))
    shown.filters.controls["min_power_kw"].index = 0
    assert shown.wait()
    move(shown, (5.0, 52.0, 5.4, 52.2))
    for _ in range(2):
        shown.select(shapely.box(5.1, 52.0, 5.3, 52.2))
        assert shown.wait()
    assert len(shown.selected)
    assert len(set(asked(server))) == len(server.seen)


def test_a_view_over_the_antimeridian(
    ask: Callable[..., tuple[StandIn, ocm.OpenChargeMap]],
) -> None:
    pois = scattered(3, (180.0, -17.0), 0.1)
    server, client = ask(pois)
    shown = explorer(client)
    move(shown, (179.5, -17.3, 180.5, -16.7))
    box = (179.5, -17.3, -179.5, -16.7)
    expected = ocm.stations_from_bbox(box, source=client)
    assert len(expected) > 100
    assert sorted(shown.visible.index) == sorted(expected.index)
    n = len(server.seen)
    move(shown, (-180.5, -17.3, -179.5, -16.7))
    assert sorted(shown.visible.index) == sorted(expected.index)
    assert len(server.seen) == n
