"""A map of very many stations in a real browser: until it is seen, and until it has followed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.widgets.browser.jupyter import FLAGS, START_MS, Server, run_notebook, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page


__all__ = ["measure_in_browser"]

ROOT = Path(__file__).parents[1]
SIZE = {"width": 1400, "height": 900}
PLACES = {"lab": "lab/tree", "voila": "voila/render"}
LOADS = 2
MOVES = 3
TABLE = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
import ipyleaflet, ipywidgets
import ocm_geo as ocm
from benchmarks.bench_maps import made_stations
stations = made_stations({{n}})
"""
CELL = """
began = time.time()
shown = ocm.station_map(stations, basemap="offline")
ipywidgets.VBox([shown, ipywidgets.HTML(f"<i id='began'>{began}</i>")])
"""
BARE = CELL.replace('ocm.station_map(stations, basemap="offline")', "ipyleaflet.Map(layers=())")
# Notes when symbols have been painted, when the map told where it moved, and what came for it.
SPY = """
window.spy = { painted: [], mapped: [], moved: [], got: [] };
const text = new TextDecoder();
const read = (data) => typeof data === "string" ? data : text.decode(data);
window.WebSocket = class extends window.WebSocket {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", (event) =>
      spy.got.push([Date.now(), event.data.length ?? event.data.byteLength ?? event.data.size]));
  }
  send(data) {
    if (/"(north|west)":/.test(read(data))) spy.moved.push(Date.now());
    super.send(data);
  }
};
const isSymbol = (node) =>
  node.nodeName === "path" && node.closest(".leaflet-overlay-pane .leaflet-interactive");
const note = (times) => requestAnimationFrame(() => setTimeout(() => times.push(Date.now())));
new MutationObserver((changes) => {
  const added = changes.flatMap((change) => [...change.addedNodes]);
  if (added.some(isSymbol)) note(spy.painted);
  const pane = ".leaflet-map-pane";
  if (added.some((node) => node.matches?.(pane) || node.querySelector?.(pane))) note(spy.mapped);
}).observe(document, { childList: true, subtree: true });
"""
QUIET = """
(ms) => new Promise((done) => {
  const rest = () => Date.now() - Math.max(start, ...spy.painted);
  const look = () => rest() > ms ? done() : setTimeout(look, 50);
  const start = Date.now();
  look();
})
"""


class Move(NamedTuple):
    """One pan or zoom."""

    answer_ms: float
    whole_ms: float
    kilobytes: float


def measure_in_browser(n: int) -> None:
    """
    Print how long a map of n stations takes in JupyterLab and Voila, and what a view sends.

    Parameters
    ----------
    n : int
        How many stations.
    """
    path = shutil.which("chromium")
    if path is None:
        print("in the browser: not measured, there is no Chromium")
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - used here alone

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        for name in PLACES:
            server.write(name, TABLE.format(n=n), CELL)
            server.write(f"{name}-bare", TABLE.format(n=n), BARE)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            for name in PLACES:
                bare = min(_bare(browser, server, name) for _ in range(LOADS))
                _report(name, bare, [_load(browser, server, name) for _ in range(LOADS)])
            browser.close()


def _bare(browser: Browser, server: Server, name: str) -> float:
    page = _open(browser, server, name, "-bare")
    first_s = _first(page, "mapped")
    page.close()
    return first_s


def _load(browser: Browser, server: Server, name: str) -> tuple[float, dict[str, list[Move]]]:
    page = _open(browser, server, name)
    first_s = _first(page, "painted")
    moves = {"zoom": _repeat(page, _zoom), "pan": _repeat(page, _pan)}
    page.close()
    return first_s, moves


def _open(browser: Browser, server: Server, name: str, kind: str = "") -> Page:
    page = browser.new_page(viewport=SIZE)
    page.set_default_timeout(START_MS)
    page.add_init_script(SPY)
    if name == "lab":
        run_notebook(page, server, PLACES[name], name + kind)
    else:
        page.goto(f"{server.url}/{PLACES[name]}/{name}{kind}.ipynb", wait_until="commit")
    return page


def _first(page: Page, what: str) -> float:
    """Give the seconds from the start of the cell to the first of something."""
    page.locator("#began").wait_for(state="attached")
    page.wait_for_function(f"spy.{what}.length > 0")
    began = float(str(page.locator("#began").text_content()))
    return float(page.evaluate(f"spy.{what}[0]")) / 1000 - began


def _repeat(page: Page, act: Callable[[Page, int], None]) -> list[Move]:
    return [_move(page, act, number) for number in range(MOVES)]


def _move(page: Page, act: Callable[[Page, int], None], number: int) -> Move:
    page.evaluate(QUIET, 1500)
    began = page.evaluate("spy.painted = []; spy.moved = []; spy.got = []; Date.now()")
    act(page, number)
    page.wait_for_function("spy.painted.length > 0")
    page.evaluate(QUIET, 1000)
    spy = page.evaluate("spy")
    told = spy["moved"][0]
    bytes_ = sum(size for at, size in spy["got"] if at >= told)
    return Move(spy["painted"][-1] - told, spy["painted"][-1] - began, bytes_ / 1000)


def _zoom(page: Page, _: int) -> None:
    shown = page.locator(".leaflet-container")
    shown.focus()
    shown.press("+")


def _pan(page: Page, number: int) -> None:
    """Drag the map by a third of its width, to and fro."""
    box = page.locator(".leaflet-container").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    by = box["width"] / 3 * (-1) ** number
    page.mouse.move(x - by / 2, y)
    page.mouse.down()
    page.mouse.move(x + by / 2, y, steps=20)
    page.mouse.up()


def _report(name: str, bare: float, loads: list[tuple[float, dict[str, list[Move]]]]) -> None:
    first = min(first for first, _ in loads)
    print(
        f"{name}: first symbols {first:.2f} s after the cell began (goal 3); "
        f"an empty ipyleaflet.Map {bare:.2f} s"
    )
    for kind in ("zoom", "pan"):
        moves = [move for _, found in loads for move in found[kind]]
        print(
            f"{name}: {kind} answered in {min(m.answer_ms for m in moves):.0f} ms (goal 300), "
            f"{min(m.whole_ms for m in moves):.0f} ms with the browser's own motion; at most "
            f"{max(m.kilobytes for m in moves):.0f} kB (goal 200)"
        )
