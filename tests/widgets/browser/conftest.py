"""A real browser, and a server of notebooks."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.widgets.browser.jupyter import FLAGS, START_MS, Server, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARTEFACTS = Path(__file__).parents[3] / "test-artefacts"
WAIT_MS = 15_000
"""Longest wait for anything else."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Other programs warn as they like; without Chromium, one counted skip, but not in CI."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, with whatever is not loopback unreachable."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed")
        pytest.skip("needs Chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - used here alone

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Seen(NamedTuple):
    """What happened in a page that must not happen."""

    faults: list[str]
    outside: list[str]


@pytest.fixture(scope="module")
def open_page(browser: Any) -> Iterator[Callable[..., tuple[Any, Seen]]]:
    """Open pages whose faults are recorded."""
    with contextlib.ExitStack() as stack:

        def new(width: int = 1100, height: int = 900) -> tuple[Any, Seen]:
            page = browser.new_page(viewport={"width": width, "height": height})
            stack.callback(page.close)
            page.set_default_timeout(START_MS)
            seen = Seen([], [])

            def refuse(dialog: Any) -> None:
                seen.faults.append(f"dialog: {dialog.message}")
                dialog.dismiss()

            page.on("pageerror", lambda error: seen.faults.append(str(error)))
            page.on("dialog", refuse)
            page.on("request", lambda request: note_outside(request.url, seen.outside))
            return page, seen

        yield new


def note_outside(url: str, outside: list[str]) -> None:
    here = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "file:", "about:", "chrome")
    if not url.startswith(here):
        outside.append(url)


@pytest.fixture(scope="session")
def picture() -> Callable[[Any, str], None]:
    """Keep screenshots, for people to look at."""
    ARTEFACTS.mkdir(exist_ok=True)

    def take(page: Any, name: str) -> None:
        page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True, animations="disabled")

    return take


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve notebooks."""
    with serving(tmp_path_factory.mktemp("jupyter")) as started:
        yield started
