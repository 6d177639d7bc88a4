from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pytest

import ocm_geo as ocm
from ocm_geo.settings import API_KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

mpl.use("Agg")

DATA = Path(os.environ.get("OCM_GEO_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without the shared data their tests are skipped, with one reason; in CI they fail."""
    if DATA.is_dir() or os.environ.get("CI"):
        return
    skip = pytest.mark.skip(reason=f"no shared data at {DATA} (OCM_GEO_TEST_DATA)")
    for item in items:
        if "data_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data."""
    assert DATA.is_dir(), f"the shared data are not at {DATA}: set OCM_GEO_TEST_DATA"
    return DATA


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep a test from the user's key and cache, and from any network but loopback."""
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            assert address[0] in {"127.0.0.1", "::1", "localhost"}, f"network: {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    with ocm.using(cache_dir=tmp_path / "cache"):
        yield
