"""A mirror of a register, served: its text ids are numbers there, and every station is found."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest
import requests

import ocm_geo as ocm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ocm_geo.sources.answering import RunningServer

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def mirror(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> ocm.Mirror:
    path = data_dir / "registers" / "ocpi" / "fr_driveco_2_1_1_2026-06-23.json.gz"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.OCMWarning)
        return ocm.Mirror.build(tmp_path_factory.mktemp("served") / "m", path, register="ocpi")


@pytest.fixture(scope="module")
def server(mirror: ocm.Mirror) -> Iterator[RunningServer]:
    with mirror.serve(0, block=False) as running:
        yield running


def test_the_client_finds_every_station(
    mirror: ocm.Mirror, server: RunningServer, tmp_path: Path
) -> None:
    there = ocm.stations_from_country("FR", source=mirror)
    with ocm.using(cache_dir=tmp_path):
        api = ocm.OpenChargeMap(base_url=server.url, min_interval_s=0)
        found = ocm.stations_from_country("FR", source=api)
    assert sorted(zip(found.title, found.geometry.to_wkt(), strict=True)) == sorted(
        zip(there.title, there.geometry.to_wkt(), strict=True)
    )


def test_an_id_that_was_served_is_found_again(server: RunningServer) -> None:
    records = requests.get(f"{server.url}/poi?maxresults=5", timeout=30).json()
    ids = [record["ID"] for record in records]
    assert max(ids) > 2**31
    again = requests.get(f"{server.url}/poi?chargepointid={ids[0]},{ids[3]}", timeout=30).json()
    assert {record["ID"] for record in again} == {ids[0], ids[3]}


def test_the_map_shows_stations(server: RunningServer) -> None:
    root = server.url.removesuffix("/v3")
    page = requests.get(f"{root}/map?countrycode=FR&maxresults=3", timeout=60)
    assert page.status_code == 200, page.text[:200]
    assert page.text.count("DRIVECO -") >= 3


def test_a_map_without_stations_is_a_page(server: RunningServer) -> None:
    root = server.url.removesuffix("/v3")
    page = requests.get(f"{root}/map?countrycode=DE", timeout=60)
    assert page.status_code == 200
    assert "DRIVECO -" not in page.text
