"""The site works from disk: search, both colour schemes, on a phone, without another host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEARCHES = {
    "nearest": "reference/nearest_stations.html",
    "stations_from_route": "reference/stations_from_route.html",
    "gaps": "reference/route_gaps.html",
    "afir": "standards.html",
    "irve": "registers.html",
    "geopackage": "reference/write.html",
    "completeness": "quality.html",
    "gini": "reference/equity.html",
    "PopulationRaster": "reference/PopulationRaster.html",
    "implausible power": "exactness.html",
}
LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')
ID = re.compile(r'\bid="([^"]+)"')
LOADED = re.compile(r'<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)="([^"]+)"')


def search(page: Any, words: str) -> list[str]:
    """Type words into the search and return the pages found, best first."""
    page.keyboard.press("/")
    page.locator("input.md-search__input").press_sequentially(words)
    page.wait_for_selector(".md-search-result__item a")
    page.wait_for_function(
        "() => !/Initializing|Type to start/.test("
        "document.querySelector('.md-search-result__meta').textContent)"
    )
    links = page.locator(".md-search-result__item > a").evaluate_all("all => all.map(a => a.href)")
    return list(dict.fromkeys(unquote(urlsplit(link).path) for link in links))


def test_ten_words_lead_to_their_pages(opened: Callable[..., Any], site: Path) -> None:
    assert len(SEARCHES) >= 10
    for words, target in SEARCHES.items():
        found = opened("index.html")
        results = search(found.page, words)
        wanted = str(site / target)
        assert wanted in results[:5], f"{words}: {results[:5]}"
        assert not found.faults
        assert not found.outside


def test_a_word_that_is_nowhere_is_not_found(opened: Callable[..., Any]) -> None:
    found = opened("index.html")
    found.page.keyboard.press("/")
    found.page.locator("input.md-search__input").press_sequentially("xylophone")
    found.page.wait_for_function(
        "() => document.querySelector('.md-search-result__meta').textContent.includes('No match')"
    )
    assert not found.faults


@pytest.mark.parametrize("width", [1400, 500])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "address",
    ["index.html", "figures.html", "tables.html", "reference.html", "reference/coverage.html"],
)
def test_pages_fit_their_window(
    opened: Callable[..., Any], address: str, width: int, scheme: str
) -> None:
    found = opened(address, width, scheme)
    page = found.page
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    first = int(re.findall(r"\d+", background)[0])
    assert (first < 128) == (scheme == "dark")
    assert not found.faults
    assert not found.outside


def test_the_colours_can_be_chosen(opened: Callable[..., Any]) -> None:
    page = opened("index.html").page
    assert page.locator("body").get_attribute("data-md-color-scheme") == "default"
    page.locator("label[title='Dark colours']").click()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    bad = {
        f"{path.relative_to(site)}: {address}"
        for path in site.rglob("*.html")
        for address in LOADED.findall(path.read_text(encoding="utf-8"))
        if re.match(r"(https?:)?//", address)
    }
    assert not bad


def test_every_link_inside_the_site_leads_somewhere(site: Path) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    ids = {path: set(ID.findall(text)) for path, text in texts.items()}
    bad = []
    for path, text in texts.items():
        if path.name == "404.html":
            continue
        for link in LINK.findall(text):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target in ids and anchor not in ids[target]):
                bad.append(f"{path.relative_to(site)}: {link}")
    assert not bad
