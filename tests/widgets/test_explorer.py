from __future__ import annotations

import asyncio
import gc
import io
import threading
import time
import weakref
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import shapely
import traitlets
from ipywidgets.widgets.widget import _instances

import ocm_geo as ocm
from ocm_geo.widgets.asking import Answer, Asker, Question
from ocm_geo.widgets.downloads import pack_csv, pack_geopackage
from ocm_geo.widgets.selecting import one_turn

if TYPE_CHECKING:
    import ipyleaflet

    from ocm_geo.query import StationQuery

BOX = (4.0, 51.5, 6.5, 53.0)


class Counted:
    """The sample, with a memory of what it was asked."""

    def __init__(self, *, remote: bool = False) -> None:
        self.is_remote = remote
        self.asked: list[StationQuery] = []
        self.error: Exception | None = None
        self._sample = ocm.sample()

    def fetch(self, query: StationQuery) -> Any:
        self.asked.append(query)
        if self.error is not None:
            raise self.error
        return self._sample.fetch(query)

    def has_any(self, query: StationQuery) -> bool:
        return self._sample.has_any(query)

    def reference_data(self) -> ocm.ReferenceData:
        return self._sample.reference_data()


def explorer(source: Any = None, **options: Any) -> ocm.StationExplorer:
    options = {"bbox": BOX, "basemap": "none", "debounce_s": 0, **options}
    return ocm.StationExplorer(source or ocm.sample(), **options)


def move(shown: ipyleaflet.Map, box: tuple[float, float, float, float]) -> None:
    shown.set_state(dict(zip(("west", "south", "east", "north"), box, strict=True)))


def status(shown: ocm.StationExplorer) -> str:
    return str(shown._status.text)


def test_what_is_in_view_is_what_the_question_says() -> None:
    shown = explorer()
    move(shown.map, BOX)
    assert shown.wait()
    expected = ocm.stations_from_bbox(BOX, source=ocm.sample())
    assert sorted(shown.visible.index) == sorted(expected.index)
    assert shown.visible.attrs["ocm"]["attribution"]
    assert f"{len(expected):,} of {len(expected):,} stations in view shown" in status(shown)


def test_no_question_is_asked_twice() -> None:
    source = Counted()
    shown = explorer(source)
    move(shown.map, BOX)
    assert shown.wait()
    before = len(source.asked)
    for box in ((4.1, 51.6, 6.4, 52.9), BOX, (4.05, 51.5, 6.55, 53.0)):
        move(shown.map, box)
        assert shown.wait()
    shown.filters.controls["min_power_kw"].index = 7
    assert shown.wait()
    shown.filters.controls["min_power_kw"].index = 0
    assert shown.wait()
    shown.filters.controls["min_power_kw"].index = 7
    assert shown.wait()
    asked = [repr(query) for query in source.asked]
    assert len(asked) == len(set(asked)) == before + 1


@pytest.mark.parametrize(
    ("control", "trait", "value", "filters"),
    [
        ("min_power_kw", "index", 6, {"min_power_kw": 50}),
        ("connection_types", "value", (33,), {"connection_types": 33}),
        ("usage_types", "value", (1,), {"usage_types": 1}),
        ("status_types", "label", "not working", {"status_types": [100, 150]}),
    ],
)
def test_filters(control: str, trait: str, value: object, filters: dict[str, Any]) -> None:
    shown = explorer()
    move(shown.map, BOX)
    setattr(shown.filters.controls[control], trait, value)
    assert shown.wait()
    expected = ocm.stations_from_bbox(BOX, source=ocm.sample(), **filters)
    assert len(expected)
    assert sorted(shown.visible.index) == sorted(expected.index)


def test_age_is_a_whole_day() -> None:
    shown = explorer()
    shown.filters.controls["modified_since"].index = 2
    ((name, value),) = shown.filters.values()
    assert name == "modified_since"
    assert len(str(value)) == len("2024-05-31")


def test_selecting_an_area_a_route_and_a_click() -> None:
    shown = explorer()
    area = shapely.box(4.7, 52.3, 5.1, 52.5)
    shown.select(area)
    assert shown.wait()
    expected = ocm.stations_from_polygon(area, source=ocm.sample())
    assert shown.selected.index.tolist() == expected.index.tolist()
    shown.select(shapely.transform(area, lambda xy: np.add(xy, (360, 0))))
    assert shown.wait()
    assert shown.selected.index.tolist() == expected.index.tolist()
    shown.select(ocm.sample_route())
    assert shown.wait()
    along = ocm.stations_from_route(ocm.sample_route(), 5, source=ocm.sample())
    assert shown.selected.index.tolist() == along.index.tolist()
    shown.layer.select([int(expected.index[0])])
    assert shown.selected.index.tolist() == [expected.index[0]]
    shown._tools.clear()
    assert shown.selected.empty
    with pytest.raises(ocm.QueryError, match="Point"):
        shown.select(shapely.Point(5, 52))


def test_a_corner_on_a_station_does_not_open_it() -> None:
    shown = explorer()
    assert shown.wait()
    point = shown.visible.geometry.iloc[0]
    feature = shown.layer._points.data["features"][0]
    shown._tools._start_drawing("draw:Polygon")
    shown.layer._open_clicked([point.y, point.x], feature)
    assert shown.selected.empty
    square = shapely.geometry.mapping(point.buffer(0.01))
    shown._tools._end_drawing(None, action="create", geo_json=[{"geometry": square}])
    assert shown.wait()
    assert shown.visible.index[0] in shown.selected.index
    shown.layer._open_clicked([point.y, point.x], feature)
    assert shown.selected.index[0] == shown.visible.index[0]


def test_an_error_is_told_escaped_and_tried_again_when_asked() -> None:
    source = Counted()
    source.error = ocm.ConnectionFailed("<img src=x onerror=alert(1)>")
    shown = explorer(source)
    assert shown.wait()
    assert shown._status.failed
    # The line of text is never HTML: see the test in a browser.
    assert "<img" in status(shown)
    asked = len(source.asked)
    shown.refresh()
    assert shown.wait()
    assert len(source.asked) == asked
    source.error = None
    shown._again.click()
    assert shown.wait()
    assert "stations in view shown" in status(shown)


def test_a_server_is_not_asked_for_wide_views() -> None:
    source = Counted(remote=True)
    shown = explorer(source, bbox=None)
    assert shown.wait()
    assert not source.asked
    assert "zoom in" in status(shown)
    move(shown.map, (4.7, 52.2, 5.3, 52.5))
    assert shown.wait()
    assert len(source.asked) == 1
    assert len(shown.visible)
    move(shown.map, (-10, 40, 20, 60))
    assert shown.wait()
    assert len(source.asked) == 1
    assert status(shown).startswith(f"{len(shown.visible):,} stations of earlier views shown")


def test_without_a_box_all_of_a_local_source_is_shown() -> None:
    shown = explorer(bbox=None)
    assert shown.wait()
    assert shown.map.zoom >= 6
    assert len(shown.visible) > 1400


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("bbox", (4, 5)),
        ("bbox", (4, 53, 5, 52)),
        ("basemap", "satellite"),
        ("height", "tall"),
        ("debounce_s", -1),
        ("within_km", 0),
        ("max_markers", 0),
    ],
)
def test_options_are_checked(option: str, value: object) -> None:
    with pytest.raises(ocm.QueryError):
        explorer(**{option: value})
    with pytest.raises(TypeError, match="unexpected"):
        ocm.StationExplorer(ocm.sample(), zom=4)  # type: ignore[call-arg]


def test_an_overtaken_question_is_dropped() -> None:
    gate, started, asked = threading.Event(), threading.Event(), []
    got: list[Answer] = []

    def ask(question: Question) -> Any:
        asked.append(question.where)
        started.set()
        assert gate.wait(10)
        return ocm.stations(source=ocm.sample()).head(1)

    asker = Asker(ask, got.append, debounce_s=0)
    first, second, third = (Question((i, 0, i + 1, 1)) for i in range(3))
    asker.want(first)
    assert started.wait(10)
    asker.want(second)
    asker.want(third)
    gate.set()
    assert asker.wait(10)
    assert asked == [first.where, third.where]
    assert [answer.question for answer in got] == [third]
    # Its answer was kept: wanted again, it is there at once.
    assert asker.want(first)
    assert len(asked) == 2


def test_what_is_on_its_way_is_not_asked_again() -> None:
    gate, started = threading.Event(), threading.Event()
    got: list[Answer] = []

    def ask(_: Question) -> Any:
        started.set()
        assert gate.wait(10)
        return ocm.stations(source=ocm.sample()).head(1)

    asker = Asker(ask, got.append, debounce_s=0)
    asker.want(Question((0, 0, 9, 9)))
    assert started.wait(10)
    asker.want(Question((1, 1, 2, 2)))
    gate.set()
    assert asker.wait(10)
    assert asker.n_asked == 1
    assert len(got) == 1


def test_many_wishes_in_a_moment_are_one_question() -> None:
    got: list[Answer] = []
    asker = Asker(lambda _: ocm.stations(source=ocm.sample()), got.append, debounce_s=0.2)
    for i in range(20):
        asker.want(Question((i, 0, i + 1, 1)))
    assert asker.wait(20)
    assert asker.n_asked == 1
    assert got[0].question.where == (19, 0, 20, 1)


def test_errors_of_any_kind_reach_the_map() -> None:
    got: list[Answer] = []

    def ask(_: Question) -> Any:
        raise KeyError("column")

    asker = Asker(ask, got.append, debounce_s=0)
    asker.want(Question((0, 0, 1, 1)))
    assert asker.wait(10)
    assert got[0].error == "KeyError: 'column'"


def test_one_turn() -> None:
    assert one_turn(shapely.box(364, 51, 366, 53)).bounds == (4, 51, 6, 53)
    assert one_turn(shapely.box(179, 51, 181, 53)).bounds == (179, 51, 181, 53)


def test_a_late_answer_never_overwrites_a_newer() -> None:
    got: list[Question] = []
    asker = Asker(
        lambda _: ocm.stations(source=ocm.sample()), lambda a: got.append(a.question), debounce_s=0
    )
    old, new = Question((0, 0, 1, 1)), Question((5, 5, 6, 6))

    async def run() -> None:
        asker.want(new)
        while not got:  # noqa: ASYNC110 - it works without a loop, too
            await asyncio.sleep(0.01)
        asker.want(old)
        # Its answer comes while the loop is busy; the map moves on to what is known already.
        while asker._working:
            time.sleep(0.01)  # noqa: ASYNC251 - that is the point
        asker.want(new)
        await asyncio.sleep(0.05)

    # A thread of its own: a browser that other tests opened may have a loop in this one.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, run()).result()
    assert got == [new, new]
    assert asker.n_asked == 2


def test_a_dropped_wish_is_not_delivered() -> None:
    gate, started = threading.Event(), threading.Event()
    got: list[Answer] = []

    def ask(_: Question) -> Any:
        started.set()
        assert gate.wait(10)
        return ocm.stations(source=ocm.sample()).head(1)

    asker = Asker(ask, got.append, debounce_s=0)
    asker.want(Question((0, 0, 1, 1)))
    assert started.wait(10)
    asker.drop()
    gate.set()
    assert asker.wait(10)
    assert not got
    assert asker.want(Question((0, 0, 1, 1)))


def test_clearing_forgets_a_selection_that_is_on_its_way() -> None:
    gate = threading.Event()

    class Slow(Counted):
        def fetch(self, query: StationQuery) -> Any:
            assert gate.wait(10)
            return super().fetch(query)

    shown = explorer(Slow())
    shown.select(shapely.box(4.7, 52.3, 5.1, 52.5))
    shown._tools.clear()
    gate.set()
    assert shown.wait()
    assert shown.selected.empty


def test_a_selection_meets_the_filters_that_are_set_later() -> None:
    shown = explorer()
    area = shapely.box(4.7, 52.3, 5.1, 52.5)
    shown.select(area)
    assert shown.wait()
    shown.filters.controls["min_power_kw"].index = 6
    assert shown.wait()
    expected = ocm.stations_from_polygon(area, source=ocm.sample(), min_power_kw=50)
    assert shown.selected.index.tolist() == expected.index.tolist()
    assert len(expected)


def test_what_is_given_says_where_it_comes_from() -> None:
    shown = explorer()
    assert shown.wait()
    shown.layer.select([int(shown.visible.index[0])])
    clicked = shown.selected
    shown.select(ocm.sample_route())
    assert shown.wait()
    along = shown.selected
    shown._tools.clear()
    for table in (shown.visible, clicked, along, shown.selected):
        assert table.attrs["ocm"]["attribution"]
        assert table.crs == "EPSG:4326"


def test_the_same_place_on_another_turn_is_not_asked_again() -> None:
    source = Counted()
    shown = explorer(source)
    assert shown.wait()
    before = len(source.asked)
    for turn in (360, -360, 720):
        move(shown.map, (4.0 + turn, 51.6, 6.4 + turn, 52.9))
        assert shown.wait()
    assert len(source.asked) == before
    assert len(shown.visible)
    # Over the antimeridian, named from either side.
    for west in (175.0, -185.0, 174.9, 535.1):
        move(shown.map, (west, -18, west + 10, -16))
        assert shown.wait()
    assert len(source.asked) == before + 1
    assert not shown._status.failed


def test_a_view_of_the_world_several_times_counts_each_station_once() -> None:
    shown = explorer()
    assert shown.wait()
    move(shown.map, (-500, -80, 700, 80))
    assert shown.wait()
    assert len(shown.visible) == len(ocm.stations(source=ocm.sample()))


@pytest.mark.parametrize(
    ("mine", "other", "covers"),
    [
        ((170, 0, 190, 9), (-185, 1, -175, 8), True),
        ((-190, 0, -170, 9), (175, 1, 185, 8), True),
        ((170, 0, 190, 9), (175, 1, 185, 9.1), False),
        ((170, 0, 190, 9), (165, 1, 175, 8), False),
        ((-540, -90, 540, 90), (170, 0, 190, 9), True),
        ((0, 0, 10, 10), (-1, 0, 9, 10), False),
    ],
)
def test_a_question_covers_another(
    mine: tuple[float, float, float, float],
    other: tuple[float, float, float, float],
    *,
    covers: bool,
) -> None:
    assert Question(mine).covers(Question(other)) == covers
    assert not Question(mine, (("operators", (1,)),)).covers(Question(other))


def test_a_closed_explorer_leaves_no_widget_and_no_memory_behind() -> None:
    before = set(_instances)
    shown = explorer()
    assert shown.wait()
    shown.layer.select([int(shown.visible.index[0])])
    assert len(set(_instances) - before) > 20
    forgotten = weakref.ref(shown), weakref.ref(shown.map), weakref.ref(shown.layer)
    shown.close()
    shown.close()
    assert set(_instances) == before
    del shown
    gc.collect()
    assert [reference() for reference in forgotten] == [None, None, None]


def test_the_selection_can_be_observed_and_downloaded() -> None:
    shown = ocm.StationExplorer(ocm.sample(), basemap="none")
    assert shown.wait()
    seen: list[tuple[int, int]] = []
    shown.observe(lambda c: seen.append((len(c["old"]), len(c["new"]))), "selected")
    shown.select(shapely.box(4.7, 52.3, 5.1, 52.5))
    assert shown.wait()
    assert seen == [(0, len(shown.selected))]
    with zipfile.ZipFile(io.BytesIO(pack_csv(shown.selected))) as archive:
        assert archive.namelist()[0] == "stations.csv"
        assert len(archive.namelist()) == 2
        table = pd.read_csv(archive.open("stations.csv"))
    assert table["ocm_id"].tolist() == shown.selected.index.tolist()
    assert pack_geopackage(shown.selected).startswith(b"SQLite format 3")
    with pytest.raises(traitlets.TraitError, match="read-only"):
        shown.selected = shown.visible
    assert len(shown._list.options) > 1


def test_a_view_set_in_python_counts_its_own_stations() -> None:
    shown = ocm.StationExplorer(ocm.sample(), basemap="none")
    shown.map.set_state({"west": -140.0, "south": -60.0, "east": -100.0, "north": -20.0})
    assert shown.wait()
    # The browser has not yet reported the view that fits the stations.
    assert len(shown.visible) > 0
    assert not status(shown).startswith("0 ")
