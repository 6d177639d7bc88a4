from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ocm_geo as ocm
from tests.live.stand_in import KEY, Faults, StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Serve = Callable[..., StandIn]


def scattered(
    seed: int, centre: tuple[float, float], spread: float, n: int = 400
) -> list[dict[str, Any]]:
    """Invent stations about a place, some of them not to be shown."""
    rng = np.random.default_rng(seed)
    shrink = max(np.cos(np.radians(centre[1])), 0.05)
    lon = (centre[0] + rng.normal(0, spread, n) / shrink + 180) % 360 - 180
    lat = np.clip(centre[1] + rng.normal(0, spread, n), -89.5, 89.5)
    return [
        {
            "ID": int(i),
            "UUID": f"u{i}",
            "DataProviderID": int(rng.choice([1, 2, 15])),
            "OperatorID": int(rng.choice([1, 7, 9])),
            "UsageTypeID": int(rng.choice([1, 4])),
            "StatusTypeID": int(rng.choice([50, 50, 50, 150, 200, 210])),
            "SubmissionStatusTypeID": int(rng.choice([100, 200, 200, 1000])),
            "DateLastStatusUpdate": f"20{rng.integers(10, 26)}-0{rng.integers(1, 9)}-01T10:00:00Z",
            "DateCreated": "2010-01-01T00:00:00Z",
            "AddressInfo": {
                "ID": int(i),
                "Title": f"Station {i}",
                "CountryID": int(rng.choice([159, 26])),
                "Latitude": float(y),
                "Longitude": float(x),
            },
            "Connections": [
                {
                    "ID": int(10 * i + k),
                    "ConnectionTypeID": int(rng.choice([25, 33, 2])),
                    "CurrentTypeID": int(rng.choice([20, 30])),
                    "PowerKW": float(rng.choice([11, 22, 50, 150])),
                }
                for k in range(rng.integers(0, 3))
            ],
        }
        for i, x, y in zip(rng.permutation(50 * n)[:n] + 1, lon, lat, strict=True)
    ]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start stand-ins; answers are kept in a folder of the test's own."""
    running: list[StandIn] = []

    def start(pois: list[dict[str, Any]], faults: Faults | None = None) -> StandIn:
        running.append(StandIn(pois, faults).__enter__())
        return running[-1]

    with ocm.using(cache_dir=tmp_path / "cache", api_key=KEY):
        yield start
    for server in running:
        server.__exit__()


@pytest.fixture
def ask(serve: Serve) -> Callable[..., tuple[StandIn, ocm.OpenChargeMap]]:
    """Start a stand-in and a client of it."""

    def start(
        pois: list[dict[str, Any]], faults: Faults | None = None
    ) -> tuple[StandIn, ocm.OpenChargeMap]:
        server = serve(pois, faults)
        return server, ocm.OpenChargeMap(base_url=server.url, min_interval_s=0)

    return start


@pytest.fixture
def n_kills() -> int:
    """Tell how many updates to kill; OCM_GEO_KILLS=200 asks for more."""
    return int(os.environ.get("OCM_GEO_KILLS", "10"))
