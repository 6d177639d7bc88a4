"""The built documentation, opened from disk in a browser: `make docs` builds it and runs these."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.widgets.browser.conftest import browser, note_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["browser"]
VARIABLE = "OCM_GEO_SITE"
WAIT_MS = 30_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


class Opened(NamedTuple):
    """A page of the site, and what happened in it that must not happen."""

    page: Any
    faults: list[str]
    outside: list[str]


@pytest.fixture(scope="session")
def site() -> Path:
    if VARIABLE not in os.environ:
        pytest.skip(f"needs the built documentation in {VARIABLE}: make docs")
    folder = Path(os.environ[VARIABLE]).resolve()
    assert (folder / "index.html").is_file()
    return folder


@pytest.fixture
def opened(site: Path, browser: Any) -> Iterator[Callable[..., Opened]]:
    """Open a page of the site by its path in it, from disk."""
    contexts = []

    def start(address: str, width: int = 1400, scheme: str = "light") -> Opened:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        found = Opened(page, [], [])
        page.on("pageerror", lambda error: found.faults.append(str(error)))
        page.on("request", lambda request: note_outside(request.url, found.outside))
        page.goto((site / address).as_uri())
        return found

    yield start
    for context in contexts:
        context.close()
