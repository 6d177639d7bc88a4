"""The HTML page, opened from disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ocm_geo as ocm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.widgets.browser.conftest import Seen


def test_the_page_in_a_browser(
    open_page: Callable[..., tuple[Any, Seen]],
    picture: Callable[[Any, str], None],
    tmp_path: Path,
) -> None:
    stations = ocm.stations_from_bbox((3, 50, 9, 54), source=ocm.sample())
    reference = ocm.reference_data(ocm.sample())
    path = ocm.to_html(stations, tmp_path / "m.html", reference=reference)
    page, seen = open_page()
    page.goto(path.as_uri())
    page.wait_for_selector("path[role=button]")
    assert page.locator("path[role=button]").count() == len(stations)
    for title in stations["title"][stations["title"].str.contains("<", regex=False)]:
        marker = (
            page.locator("path[role=button]")
            .get_by_label(title)
            .or_(page.get_by_label(title, exact=True))
        )
        marker.first.focus()
        marker.first.press("Enter")
        page.wait_for_function(
            "t => document.querySelector('.popup h2')?.textContent === t",
            arg=" ".join(title.split()),
        )
    picture(page, "page")
    assert not seen.faults
    assert not seen.outside
