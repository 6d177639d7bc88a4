"""The explorer in Voila: filtered, drawn on and failed, by a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import shapely

import ocm_geo as ocm
from tests.widgets.browser.conftest import WAIT_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.widgets.browser.conftest import Seen
    from tests.widgets.browser.jupyter import Server

CELL = """
import dataclasses
import ipywidgets
import ocm_geo as ocm

class Flaky:
    "The sample, while the box is not ticked."
    def __init__(self):
        self.broken = ipywidgets.Checkbox(description="broken")
        self._sample = ocm.sample()
    def fetch(self, query):
        if self.broken.value:
            raise ocm.ConnectionFailed("no answer <img src=x onerror='window.hit=1'>")
        return self._sample.fetch(query)
    def has_any(self, query):
        return self._sample.has_any(query)
    def reference_data(self):
        found = self._sample.reference_data()
        operators = found.operators.copy()
        operators.iloc[0, operators.columns.get_loc("title")] = (
            "</option></select><img src=x onerror='window.hit=2'>")
        return dataclasses.replace(found, operators=operators)

source = Flaky()
explorer = ocm.StationExplorer(source, bbox=(4, 51.5, 6.5, 53), basemap="offline", debounce_s=0.1)
told = ipywidgets.Textarea(description="told", layout=ipywidgets.Layout(width="90%"))
tell = ipywidgets.Button(description="Tell")
def say(_):
    drawn = [d["geometry"] for d in explorer._tools.pen.data]
    told.value = repr((drawn, explorer.selected.index.tolist(), explorer.n_asked))
tell.on_click(say)
ipywidgets.VBox([explorer, source.broken, tell, told])
"""
STATUS = ".leaflet-container [role=status], .leaflet-container [role=alert]"


@pytest.fixture(scope="module")
def shown(server: Server, open_page: Callable[..., tuple[Any, Seen]]) -> tuple[Any, Seen]:
    server.write("explorer", CELL)
    page, seen = open_page(height=1000)
    page.goto(f"{server.url}/voila/render/explorer.ipynb", wait_until="commit")
    wait_status(page, r"^[\d,]+ of [\d,]+ stations in view shown")
    page.wait_for_selector(".leaflet-overlay-pane path.leaflet-interactive")
    page.set_default_timeout(WAIT_MS)
    return page, seen


def wait_status(page: Any, pattern: str) -> str:
    page.wait_for_function(
        "([where, pattern]) => new RegExp(pattern).test("
        "document.querySelector(where)?.textContent ?? '')",
        arg=[STATUS, pattern],
    )
    return str(page.locator(STATUS).text_content())


def ask_python(page: Any) -> tuple[list[dict[str, Any]], list[int], int]:
    """Let the page say what Python holds."""
    box = page.get_by_label("told")
    box.fill("")
    page.get_by_role("button", name="Tell").click()
    page.wait_for_function("document.querySelector('textarea').value.startsWith('(')")
    drawn, ids, asked = eval(box.input_value(), {})  # noqa: S307 - our own repr
    return drawn, ids, asked


def shown_count(text: str) -> int:
    found = re.match(r"([\d,]+) of", text)
    assert found
    return int(found[1].replace(",", ""))


def test_a_slider_filters(shown: tuple[Any, Seen], picture: Callable[[Any, str], None]) -> None:
    page, _ = shown
    before = page.locator(STATUS).text_content()
    picture(page, "explorer")
    power = page.get_by_role("slider", name="Minimum power")
    power.focus()
    for _ in range(8):
        power.press("ArrowRight")
    page.wait_for_function(
        "([where, old]) => {const t = document.querySelector(where).textContent;"
        "return t !== old && t.includes('shown')}",
        arg=[STATUS, before],
    )
    assert power.get_attribute("aria-valuetext") == "150 kW"
    fast = shown_count(str(page.locator(STATUS).text_content()))
    assert 0 < fast < shown_count(str(before))
    dark = page.locator('.leaflet-overlay-pane path[fill="#2c105c"]').count()
    assert dark > 0
    assert page.locator('.leaflet-overlay-pane path[fill="#f8a13f"]').count() == 0
    picture(page, "explorer-filtered")
    for _ in range(8):
        power.press("ArrowLeft")
    wait_status(page, "^" + re.escape(str(before)) + "$")


def test_a_drawn_polygon_gives_the_stations_in_it(
    shown: tuple[Any, Seen], picture: Callable[[Any, str], None]
) -> None:
    page, _ = shown
    draw(page, "Draw area", [(0.35, 0.3), (0.6, 0.25), (0.55, 0.7), (0.4, 0.6), (0.35, 0.3)])
    wait_status(page, r"[\d,]+ selected")
    drawn, ids, _ = ask_python(page)
    area = shapely.geometry.shape(drawn[0])
    assert isinstance(area, shapely.Polygon)
    everything = ocm.stations(source=ocm.sample())
    expected = everything.index[everything.intersects(area)].tolist()
    assert len(expected) > 5
    assert sorted(ids) == sorted(expected)
    picture(page, "explorer-drawn")


def test_a_drawn_route_gives_the_stations_along_it(shown: tuple[Any, Seen]) -> None:
    page, _ = shown
    page.get_by_role("button", name="Clear").click()
    wait_status(page, r"shown\.(?! .*selected)")
    draw(page, "Draw route", [(0.35, 0.4), (0.5, 0.5), (0.6, 0.45), (0.6, 0.45)])
    wait_status(page, r"[\d,]+ selected")
    drawn, ids, _ = ask_python(page)
    line = shapely.geometry.shape(drawn[0])
    assert isinstance(line, shapely.LineString)
    expected = ocm.stations_from_route(line, 5, source=ocm.sample()).index.tolist()
    assert ids == expected
    page.get_by_role("button", name="Clear").click()
    wait_status(page, r"shown\.(?! .*selected)")


def draw(page: Any, tool: str, corners: list[tuple[float, float]]) -> None:
    box = page.locator(".leaflet-container").bounding_box()
    page.get_by_role("button", name=tool).click()
    page.locator(".leaflet-container.geoman-draw-cursor").wait_for()
    for n, (x, y) in enumerate(corners, 1):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        page.mouse.down()
        page.mouse.up()
        if n < len(corners):
            # The last click is on a corner that is there, and ends the drawing.
            page.wait_for_function(
                "n => document.querySelectorAll('.marker-icon:not(.cursor-marker)').length >= n",
                arg=n,
            )
    page.locator(".leaflet-container.geoman-draw-cursor").wait_for(state="detached")


def test_an_error_is_shown_in_the_map_and_can_be_tried_again(
    shown: tuple[Any, Seen], picture: Callable[[Any, str], None]
) -> None:
    page, seen = shown
    page.get_by_label("broken").check()
    page.get_by_label("Status").select_option("not working")
    text = wait_status(page, "no answer <img")
    assert page.locator(STATUS).get_attribute("role") == "alert"
    assert "onerror" in text
    _, _, asked = ask_python(page)
    picture(page, "explorer-error")
    page.get_by_label("Status").select_option("any")
    wait_status(page, "stations in view shown")
    page.get_by_label("Status").select_option("not working")
    wait_status(page, "no answer <img")
    # A question that failed is not sent again of its own accord.
    assert ask_python(page)[2] == asked
    page.get_by_label("broken").uncheck()
    page.get_by_role("button", name="Try again").click()
    wait_status(page, "stations in view shown")
    assert ask_python(page)[2] == asked + 1
    page.get_by_label("Status").select_option("any")
    wait_status(page, "stations in view shown")
    assert "</select><img\u00a0src=x" in page.get_by_label("Operator").text_content()
    assert page.evaluate("window.hit") is None
    assert not seen.faults


def test_a_small_pan_asks_nothing(shown: tuple[Any, Seen]) -> None:
    page, _ = shown
    _, _, before = ask_python(page)
    the_map = page.locator(".leaflet-container")
    the_map.focus()
    the_map.press("ArrowRight")
    the_map.press("ArrowLeft")
    scale = page.locator(".leaflet-control-scale").text_content()
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function(
        "old => document.querySelector('.leaflet-control-scale').textContent !== old", arg=scale
    )
    wait_status(page, "stations in view shown")
    assert ask_python(page)[2] == before


def test_every_control_has_a_name_and_is_reached_with_the_keyboard(
    shown: tuple[Any, Seen],
) -> None:
    page, _ = shown
    session = page.context.new_cdp_session(page)
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "combobox", "slider", "checkbox", "radio", "link", "textbox", "spinbutton"}
    controls = [n for n in tree if not n["ignored"] and n["role"]["value"] in roles]
    assert len(controls) > 15
    unnamed = [n["role"] for n in controls if not n.get("name", {}).get("value")]
    assert not unnamed
    wanted = {"Minimum power", "Changed within", "Status", "Connector", "Operator", "Access"}
    wanted |= {"Draw box", "Draw area", "Draw route", "Select view", "Clear", "In view", "Zoom in"}
    page.locator("body").press("Home")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(NAME_OF_FOCUS))
    assert wanted <= reached, wanted - reached


NAME_OF_FOCUS = """(() => {
  const e = document.activeElement;
  const label = e.labels?.[0]?.firstChild?.textContent;
  return (e.getAttribute("aria-label") || label || e.textContent || "").trim();
})()"""


def test_a_station_is_opened_from_the_list(
    shown: tuple[Any, Seen], picture: Callable[[Any, str], None]
) -> None:
    page, _ = shown
    listed = page.get_by_label("In view").locator("option")
    name = listed.nth(3).text_content()
    page.get_by_label("In view").select_option(name)
    title = page.locator(".leaflet-popup-content article b").first
    title.wait_for()
    assert str(title.text_content()).strip()[:20] == str(name).replace("\xa0", " ")[:20]
    wait_status(page, "1 selected")
    picture(page, "explorer-popup")
