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


def test_hostile_texts_do_nothing_in_the_page(
    open_page: Callable[..., tuple[Any, Seen]], tmp_path: Path
) -> None:
    few = ocm.stations(source=ocm.sample()).head(2).copy()
    few["title"] = [
        "</script><script>window.hit = 1</script>",
        "]]> <!-- <img src=x onerror='window.hit = 2'>",
    ]
    few["url"] = ["javascript:window.hit=3", "https://example.org/\"onclick='window.hit=4'"]
    few["operator"] = "<svg onload='window.hit = 5'>"
    few["usage_type"] = few["status"] = few["license"] = "\u202e</dd><script>window.hit=6</script>"
    few.attrs["ocm"]["attribution"] = "</footer><img src=x onerror='window.hit = 7'>"
    path = ocm.to_html(few, tmp_path / "m.html", title="</title><script>window.hit = 8</script>")
    page, seen = open_page()
    page.goto(path.as_uri())
    page.wait_for_selector("path[role=button]")
    read: list[str] = []
    marks, links = page.locator("path[role=button]"), page.locator(".popup a")
    for i in range(2):
        marks.nth(i).focus()
        marks.nth(i).press("Enter")
        page.wait_for_function(
            "old => ![undefined, ...old].includes("
            "document.querySelector('.popup h2')?.textContent)",
            arg=read,
        )
        read.append(page.locator(".popup h2").text_content())
        targets = [links.nth(j).get_attribute("href") for j in range(links.count())]
        assert all(url.startswith("https://") for url in targets)
    assert sorted(read) == sorted(few["title"])
    assert page.locator("img[onerror], .popup svg, footer img").count() == 0
    assert page.evaluate("window.hit") is None
    assert not seen.faults
    assert not seen.outside
