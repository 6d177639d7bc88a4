"""The same map in JupyterLab, in Notebook 7 and in the web app of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.widgets.browser.jupyter import (
    UNTIL_LEFT_ALONE,
    free_port,
    run_notebook,
    running,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.widgets.browser.conftest import Seen
    from tests.widgets.browser.jupyter import Server

CELL = """
import ocm_geo as ocm
source = ocm.sample()
near = ocm.stations_from_point((5.12, 52.09), 25, source=source)
ocm.station_map(near, reference=ocm.reference_data(source))
"""
# No note hides the popup.
APART = """(() => {
  const box = (what) => document.querySelector(what).getBoundingClientRect();
  const a = box(".leaflet-popup"), b = box(".leaflet-container details");
  return a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
})()"""
POINTS = ".leaflet-overlay-pane path.leaflet-interactive"


@pytest.mark.parametrize("place", ["lab/tree", "notebooks"])
def test_a_map_in_a_notebook(
    place: str,
    server: Server,
    open_page: Callable[..., tuple[Any, Seen]],
    picture: Callable[[Any, str], None],
) -> None:
    name = place.split("/", maxsplit=1)[0]
    server.write(name, CELL)
    page, seen = open_page()
    run_notebook(page, server, place, name)
    page.locator(POINTS).first.wait_for()
    before = page.locator(POINTS).count()
    assert before > 20
    page.locator(POINTS).last.dispatch_event("click")
    page.locator(".leaflet-popup-content article").wait_for()
    assert "kW" in page.locator(".leaflet-popup-content article").inner_text()
    page.wait_for_function(APART)
    picture(page, name)
    page.get_by_role("button", name="Close popup").click()
    page.locator(".leaflet-container details[open]").wait_for()
    assert not [fault for fault in seen.faults if "ocm" in fault.lower()]


def test_the_command_line_opens_the_explorer(
    open_page: Callable[..., tuple[Any, Seen]],
    picture: Callable[[Any, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "a-token")
    port = free_port()
    code = "from ocm_geo.cli import main; main()"
    command = [*UNTIL_LEFT_ALONE, code, "explore", "--source", "sample", "--no-browser"]
    command += ["--basemap", "offline", "--port", str(port)]
    with running(command, tmp_path):
        wait_for(f"http://127.0.0.1:{port}/voila/static/none")
        page, seen = open_page()
        page.goto(f"http://127.0.0.1:{port}/?token=a-token", wait_until="commit")
        page.locator(POINTS).first.wait_for()
        page.get_by_role("slider", name="Minimum power").wait_for()
        assert page.locator(".leaflet-container").get_attribute("aria-label")
        # Not even Voila's own style sheets of icons are looked for elsewhere.
        assert not seen.outside
        picture(page, "web-app")
