from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

import ocm_geo as ocm
from ocm_geo.server import RunningServer, ServerOptions, serve_mirror
from tests.server.made import made_stations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ask = Callable[..., requests.Response]


class Asker:
    """A session with one server."""

    def __init__(self, server: RunningServer) -> None:
        self.url = server.url
        self.root = server.url.removesuffix("/v3")
        self._session = requests.Session()

    def get(self, path: str = "poi", **options: Any) -> requests.Response:
        """Ask; a path without a slash at its beginning is one of the API."""
        url = self.root + path if path.startswith("/") else f"{self.url}/{path}"
        return self._session.get(url, timeout=30, **options)

    def ids(self, query: str = "") -> list[int]:
        """Return the ids of an answer, in its order."""
        answer = self.get(f"poi?compact=true&verbose=false&{query}")
        assert answer.status_code == 200, answer.text
        return [record["ID"] for record in answer.json()]

    def post(self, path: str, **options: Any) -> requests.Response:
        return self._session.post(f"{self.url}/{path}", timeout=30, **options)


@pytest.fixture(scope="session")
def stations() -> list[dict[str, Any]]:
    return made_stations()


@pytest.fixture(scope="session")
def mirror(stations: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> ocm.Mirror:
    folder = tmp_path_factory.mktemp("served")
    lines = folder / "stations.jsonl"
    lines.write_text("\n".join(json.dumps(station) for station in stations), encoding="utf-8")
    return ocm.Mirror.build(folder / "mirror", lines)


def _serve(mirror: ocm.Mirror, **options: Any) -> RunningServer:
    return serve_mirror(mirror, 0, options=ServerOptions(**options), block=False)


@pytest.fixture(scope="session")
def loose(mirror: ocm.Mirror) -> Iterator[Asker]:
    """A server of manner ``ocm``."""
    with _serve(mirror, manner="ocm") as server:
        yield Asker(server)


@pytest.fixture(scope="session")
def exact(mirror: ocm.Mirror) -> Iterator[Asker]:
    """A server of manner ``exact``."""
    with _serve(mirror) as server:
        yield Asker(server)


@pytest.fixture
def serve(mirror: ocm.Mirror) -> Iterator[Callable[..., Asker]]:
    """Start servers with options of a test's own."""
    running: list[RunningServer] = []

    def start(**options: Any) -> Asker:
        running.append(_serve(options.pop("mirror", mirror), **options))
        return Asker(running[-1])

    yield start
    for server in running:
        server.stop()
