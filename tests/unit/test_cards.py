"""How results show in notebooks."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.cards import build_card

HOSTILE = "<script>alert('&')</script><img src=x onerror=1>"


class Reader(HTMLParser):
    """Collects tags and text, and checks that tags close in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"style", "class", "open"}
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    source, route = ocm.sample(), ocm.sample_route()
    stations, areas = ocm.stations(source=source), ocm.sample_areas()
    values = [1.0, 2.0, 5.0]
    folder = tmp_path_factory.mktemp("study")
    made: dict[str, Any] = {
        "verdict": ocm.assess_route(route, stations, "afir-ldv-core-2025"),
        "equity": ocm.equity(values, [10, 20, 30], groups=["a", "a", "b"], n_boot=20),
        "plan": ocm.plan_stops(route, stations, range_km=100),
        "mirror": source,
        "study": ocm.run_study(Path(ocm.__file__).parent / "study" / "demo.toml", folder),
        "scenarios": ocm.uncertainty_scenarios(
            lambda table: ocm.coverage(areas.head(1), table, [5])["area_share"].iloc[0],
            stations.head(30),
            n_draws=2,
            n_drivers=2,
        ),
        "network": ocm.road_network(route),
        "reachability": ocm.reachability(route, stations, [20, 60]),
    }
    for name, result in made.items():
        assert len(repr(result)) < 1000, name
    return {name: result._repr_html_() for name, result in made.items()}


def test_every_result_has_a_card(shown: dict[str, str]) -> None:
    for name, text in shown.items():
        read = Reader(text)
        assert len(text) < 40_000, name
        assert "table" in read.tags, name
        # The page decides the colours: a card with its own background is unreadable in the dark.
        assert "background:transparent" in text
        assert "#" not in "".join(part for part in text.split('"') if "color:" in part)


def test_cards_say_what_counts(shown: dict[str, str]) -> None:
    assert "afir-ldv-core-2025" in shown["verdict"]
    assert "Readings" in shown["verdict"]
    assert "Gini" in shown["equity"]
    assert "Groups (2 rows)" in shown["equity"]
    assert "Arrival state of charge (%)" in shown["plan"]
    assert "Invented stations" in shown["plan"]
    assert "Countries (" in shown["mirror"]
    assert "report.html" in shown["study"]
    assert "Critical stations" in shown["reachability"]


def test_hostile_texts_are_texts() -> None:
    table = pd.DataFrame({HOSTILE: [HOSTILE, None], "x": [[HOSTILE], ["y" * 500]]}, index=[5, 6])
    text = build_card(
        HOSTILE, lines=[HOSTILE], items=[HOSTILE], tables={HOSTILE: table}, credit=HOSTILE
    )
    read = Reader(text)
    assert not read.tags & {"script", "img"}
    assert HOSTILE in read.texts
    assert len(text) < 6_000


def test_long_tables_are_cut_and_say_so() -> None:
    text = build_card("x", tables={"Rows": pd.DataFrame({"a_km": [1.2345] * 30})})
    assert "30 rows, the first 8" in text
    assert text.count("<tr>") == 9
    assert text.count(">1.23<") == 8
    assert "A (km)" in text
