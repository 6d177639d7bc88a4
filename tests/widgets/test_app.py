"""The explorer's server: who may talk to it, how much it starts, how it ends."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import requests

from tests.widgets.browser.jupyter import UNTIL_LEFT_ALONE, free_port, running, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = (
    "import ocm_geo.app as app; app._MOST_KERNELS = 2; app.serve('sample', port={}, browser=False)"
)
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class App(NamedTuple):
    """A running explorer."""

    url: str
    log: Path

    def get(self, path: str = "/", **headers: str) -> requests.Response:
        """Ask as the user's own page does, with the token."""
        return self.browse(requests.Session(), f"{path}?token=a-token", **headers)

    def browse(self, session: requests.Session, path: str, **headers: str) -> requests.Response:
        """Ask as any page in a browser does, with the browser's cookies."""
        address = self.url + path
        return session.get(address, headers=headers, timeout=60, stream=True, allow_redirects=False)

    def kernels(self) -> list[str]:
        """List the kernels that the server says it started."""
        return re.findall(r"Kernel started: ([0-9a-f-]+)", self.log.read_text())


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("app")
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_TOKEN", "a-token")
        with running([*UNTIL_LEFT_ALONE, CODE.format(port)], folder):
            wait_for(f"http://127.0.0.1:{port}/voila/static/none")
            yield App(f"http://127.0.0.1:{port}", folder / "log.txt")


def test_without_the_token_nothing_starts(app: App) -> None:
    answer = requests.get(app.url, timeout=60, allow_redirects=False)
    assert answer.status_code in {302, 401, 403}
    assert "login" in answer.headers.get("Location", "login")
    assert not app.kernels()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8866", "127.0.0.1.evil.example"])
def test_another_host_is_refused(app: App, host: str) -> None:
    assert app.get(Host=host).status_code == 403
    assert not app.kernels()


def test_another_origin_cannot_drive_widgets_and_kernels_are_bounded(app: App) -> None:
    browser = requests.Session()
    pages = [app.browse(browser, "/?token=a-token") for _ in range(2)]
    assert [page.status_code for page in pages] == [200, 200]
    assert len(app.kernels()) == 2
    path = f"/api/kernels/{app.kernels()[0]}/channels"
    assert app.browse(browser, path, Origin="http://evil.example", **UPGRADE).status_code == 403
    assert app.browse(browser, path, Origin=app.url, **UPGRADE).status_code == 101
    assert app.get().status_code == 503
    assert len(app.kernels()) == 2


def test_a_signal_ends_the_server_and_its_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "a-token")
    port = free_port()
    with running([*UNTIL_LEFT_ALONE, CODE.format(port)], tmp_path) as server:
        wait_for(f"http://127.0.0.1:{port}/voila/static/none")
        started = App(f"http://127.0.0.1:{port}", tmp_path / "log.txt")
        started.get()
        kernels = [pid for pid in _list_processes() if _read_status(pid)[1:2] == [str(server)]]
        assert len(kernels) == 1
        os.kill(server, signal.SIGTERM)
        until = time.monotonic() + 20
        while _is_alive(kernels[0]) and time.monotonic() < until:
            time.sleep(0.2)
        assert not _is_alive(kernels[0])


def _list_processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _read_status(pid: int) -> list[str]:
    """Return state and parent of a process, and more; nothing for one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and was not waited for does not."""
    return _read_status(pid)[:1] not in ([], ["Z"])
