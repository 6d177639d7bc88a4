"""Maps in Voila: seen, clicked and zoomed by a real browser that has no network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.widgets.browser.conftest import WAIT_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.widgets.browser.conftest import Seen
    from tests.widgets.browser.jupyter import Server

HOSTILE = """
import numpy as np, pandas as pd, geopandas as gpd, shapely
import ocm_geo as ocm
source = ocm.sample()
sample = ocm.stations(source=source)
few = sample.iloc[:3].copy()
few["title"] = ["<script>window.hit = 1</script>", "<img src=x onerror='window.hit = 2'>",
                "</div></b>&lt;b&gt; javascript:window.hit = 3"]
few["url"] = ["javascript:window.hit=4", "data:text/html,<script>window.hit=5</script>",
              "https://example.org/'onmouseover='window.hit=6"]
few["operator"] = "]]></style></script><script>window.hit = 7</script>"
few["usage_type"] = "<svg onload='window.hit = 8'>"
few["status"] = chr(0x202e) + "</b><b onmouseover='window.hit = 9'>"
few["usage_cost"] = "<iframe srcdoc='<script>parent.hit = 10</script>'></iframe>"
few["data_provider"] = few["license"] = "<a href='javascript:window.hit=11'>x</a>"
few.attrs["ocm"]["attribution"] = "<img src=x onerror='window.hit = 12'>"
few = few.set_geometry([shapely.Point(5, 52), shapely.Point(5.05, 52), shapely.Point(5, 52.05)],
                       crs=few.crs)
ocm.station_map(few.to_crs("EPSG:3857"), height="360px")
"""
MANY = """
rng = np.random.default_rng(7)
many = sample.iloc[rng.integers(0, len(sample), 30_000)]
many.index = pd.RangeIndex(1, len(many) + 1, name="ocm_id")
many = many.set_geometry(gpd.points_from_xy(rng.normal(6, 1, len(many)),
                                            rng.normal(51, 1, len(many)), crs="EPSG:4326"))
ocm.station_map(many, basemap="offline", height="400px")
"""
ROUTE = """
ocm.route_map(ocm.sample_route(), sample, 3, "afir-ldv-core-2025", basemap="offline",
              height="360px")
"""
COVERAGE = """
table = ocm.coverage(ocm.sample_areas(), sample, 5)
table["area_share_low"], table["area_share_high"] = table.area_share * 0.5, table.area_share
ocm.coverage_map(table, column="area_share", basemap="offline", height="360px")
"""
POINTS = ".leaflet-overlay-pane path.leaflet-interactive"


@pytest.fixture(scope="module")
def shown(server: Server, open_page: Callable[..., tuple[Any, Seen]]) -> tuple[Any, Seen]:
    server.write("maps", HOSTILE, MANY, ROUTE, COVERAGE)
    page, seen = open_page(height=1900)
    page.goto(f"{server.url}/voila/render/maps.ipynb", wait_until="commit")
    page.wait_for_function("document.querySelectorAll('.leaflet-container').length === 4")
    page.wait_for_selector(".ocm-strip circle.station")
    page.wait_for_function(
        "[...document.querySelectorAll('.leaflet-container')].every("
        f"m => m.querySelectorAll('{POINTS}').length > 2)"
    )
    page.set_default_timeout(WAIT_MS)
    return page, seen


def the_map(page: Any, number: int) -> Any:
    return page.locator(".leaflet-container").nth(number)


def groups_of(page: Any, number: int) -> list[str]:
    """Read the counts from the image that shows them."""
    url = the_map(page, number).locator("img.leaflet-image-layer").get_attribute("src")
    return re.findall(r">([\d.k]+)</text>", page.evaluate("decodeURIComponent", url))


def test_maps_are_visible_without_network(
    shown: tuple[Any, Seen], picture: Callable[[Any, str], None]
) -> None:
    page, _ = shown
    for number in range(4):
        box = the_map(page, number).bounding_box()
        assert box["width"] > 600
        assert box["height"] > 300
        land = the_map(page, number).locator(".leaflet-ocm-land-pane path").last
        assert land.bounding_box()["width"] > 100
        assert "arrow keys move the map" in the_map(page, number).get_attribute("aria-label")
    assert the_map(page, 0).locator(POINTS).count() == 3
    assert "Natural Earth" in the_map(page, 0).inner_text()
    assert "OpenStreetMap" in the_map(page, 0).inner_text()
    picture(page, "maps")


def test_hostile_texts_do_nothing(
    shown: tuple[Any, Seen], picture: Callable[[Any, str], None]
) -> None:
    page, seen = shown
    titles = ["<script>window.hit = 1</script>", "<img src=x onerror='window.hit = 2'>"]
    titles.append("</div></b>&lt;b&gt; javascript:window.hit = 3")
    read = []
    for i in range(3):
        the_map(page, 0).locator(POINTS).nth(i).click()
        read.append(the_map(page, 0).locator(".leaflet-popup-content article b").text_content())
        inside = the_map(page, 0).locator(".leaflet-popup-content")
        assert inside.locator("img, script, svg, iframe, b b, [onerror]").count() == 0
        words = str(inside.text_content())
        assert "]]></style></script><script>window.hit = 7" in words
        assert "\u202e" not in words
        links = the_map(page, 0).locator(".leaflet-popup-content a")
        targets = [links.nth(j).get_attribute("href") for j in range(links.count())]
        assert any("/details/" in url for url in targets)
        assert all(url.startswith("https://") for url in targets)
        picture(page, f"popup-{i}")
        the_map(page, 0).get_by_role("button", name="Close popup").click()
        the_map(page, 0).locator(".leaflet-popup").wait_for(state="detached")
    assert sorted(read) == sorted(titles)
    note = the_map(page, 0).locator(".leaflet-widgetcontrol")
    assert "<img src=x onerror" in note.text_content()
    assert note.locator("img").count() == 0
    assert page.evaluate("window.hit") is None
    assert not seen.faults


def test_groups_split_on_zoom(shown: tuple[Any, Seen], picture: Callable[[Any, str], None]) -> None:
    page, _ = shown
    before = groups_of(page, 1)
    assert sum(1 for text in before if text.endswith("k")) > 1
    the_map(page, 1).get_by_role("button", name="Zoom in").click()
    image = the_map(page, 1).locator("img.leaflet-image-layer").element_handle()
    url = image.get_attribute("src")
    page.wait_for_function("([image, old]) => image.src !== old", arg=[image, url])
    after = groups_of(page, 1)
    assert len(after) > len(before)
    # A click on a group goes nearer still.
    largest = the_map(page, 1).locator(POINTS).nth(len(after) // 2)
    url = image.get_attribute("src")
    largest.dispatch_event("click")
    page.wait_for_function("([image, old]) => image.src !== old", arg=[image, url])
    picture(page, "groups")


def test_a_drag_does_not_flood_the_kernel(shown: tuple[Any, Seen]) -> None:
    page, _ = shown
    page.evaluate(COUNT_SENT)
    box = the_map(page, 1).bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    scene = the_map(page, 1).locator(".leaflet-map-pane")
    before = scene.get_attribute("style")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 200, y, steps=40)
    page.mouse.up()
    assert scene.get_attribute("style") != before
    page.wait_for_function("window.bounds > 0")
    # ipyleaflet alone sends two for each of the 40 moves, and more over groups.
    assert page.evaluate("window.sent") < 30
    # Moves are told again once the button is up.
    sent = page.evaluate("window.sent")
    page.mouse.move(x + 20, y + 5)
    page.wait_for_function("old => window.sent > old", arg=sent)


COUNT_SENT = """() => {
  const send = WebSocket.prototype.send, text = new TextDecoder();
  window.sent = window.bounds = 0;
  WebSocket.prototype.send = function (data) {
    window.sent += 1;
    const said = typeof data === "string" ? data : text.decode(data);
    if (/"(north|west)":/.test(said)) window.bounds += 1;
    return send.call(this, data);
  };
}"""


def test_map_and_strip_mark_each_other(
    shown: tuple[Any, Seen], picture: Callable[[Any, str], None]
) -> None:
    page, _ = shown
    strip = page.locator(".ocm-strip")
    strip.locator("rect.gap").nth(4).hover()
    mark = the_map(page, 2).locator('path[stroke="#0077bb"]')
    mark.first.wait_for(state="attached")
    assert "over 60 km between pools" in strip.locator("output").inner_text()
    strip.locator("rect.mark").wait_for(state="attached")
    # The other way: touch a station on the map.
    the_map(page, 2).locator('path[fill="#2c105c"]').last.hover()
    strip.locator("circle.mark").first.wait_for(state="attached")
    assert "from the route:" in strip.locator("output").inner_text()
    # With the keyboard alone.
    chart = strip.get_by_role("slider", name=re.compile("passages of stations"))
    told = strip.locator("output").inner_text()
    chart.focus()
    chart.press("ArrowRight")
    page.wait_for_function(
        "old => document.querySelector('.ocm-strip output').textContent !== old", arg=told
    )
    gaps = []
    for key in ("ArrowDown", "ArrowDown", "End", "Home"):
        chart.press(key)
        strip.locator("rect.mark").wait_for(state="attached")
        gaps.append(strip.locator("output").inner_text())
        assert chart.get_attribute("aria-valuetext") == gaps[-1]
    assert len(set(gaps)) == 3 + (gaps[-1] != gaps[0])
    assert all("km" in text for text in gaps)
    chart.press("ArrowLeft")
    strip.locator("circle.mark").first.wait_for(state="attached")
    picture(page, "route")


def test_bounds_can_be_chosen(shown: tuple[Any, Seen], picture: Callable[[Any, str], None]) -> None:
    page, _ = shown
    areas = the_map(page, 3)
    fills = (
        "m => [...m.querySelectorAll('path.leaflet-interactive')].map(p => p.getAttribute('fill'))"
    )
    central = areas.evaluate(fills)
    areas.get_by_role("radio", name="low").check()
    page.wait_for_function(
        "document.querySelectorAll('.leaflet-container')[3]"
        ".innerText.includes('uncertain station out')"
    )
    assert areas.evaluate(fills) != central
    areas.locator("path.leaflet-interactive").nth(5).hover()
    page.wait_for_function(
        "/: [0-9.]+ %/.test(document.querySelectorAll('.leaflet-container')[3]"
        ".querySelector('[role=status]').textContent)"
    )
    picture(page, "coverage")


def test_only_tiles_were_looked_for_outside(shown: tuple[Any, Seen]) -> None:
    _, seen = shown
    ours = [url for url in seen.outside if "jsdelivr" not in url and "mathjax" not in url.lower()]
    assert all("tile.openstreetmap.org" in url for url in ours), ours
