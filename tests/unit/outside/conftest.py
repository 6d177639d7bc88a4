"""Stations of a source that says what it covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ocm_geo as ocm
from ocm_geo.provenance import ATTRS_KEY, attach

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd


@pytest.fixture(scope="session")
def stations_of() -> Callable[..., gpd.GeoDataFrame]:
    """Take 80 Dutch stations, as if from a source that covers the given countries."""
    every = ocm.stations(source=ocm.sample())
    dutch = every[every["country_code"] == "NL"].cx[4.5:5.8, 51.8:52.6].head(80)

    def make(covers: str | None = "NL", **facts: object) -> gpd.GeoDataFrame:
        table = dutch.copy()
        del table.attrs[ATTRS_KEY]
        if covers is None and not facts:
            return table
        return attach(table, source="mirror", covers=covers, complete=True, **facts)

    return make
