from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pytest

from ocm_geo.schema import empty_stations

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeStations = Callable[[list[dict[str, Any]]], gpd.GeoDataFrame]


def plug(**values: Any) -> dict[str, Any]:
    return {"ID": 1, **values}


@pytest.fixture
def make_stations() -> MakeStations:
    """Make a station table from a few values a row; the rest is missing."""

    def make(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
        empty = empty_stations()
        ids = pd.Index([row.get("ocm_id", i + 1) for i, row in enumerate(rows)], name="ocm_id")
        frame = pd.DataFrame(index=ids)
        defaults: dict[str, Any] = {"submission_status_id": 200, "connections": []}
        for name, dtype in empty.dtypes.drop("geometry").items():
            values = [row.get(str(name), defaults.get(str(name))) for row in rows]
            if name == "connections":
                values = [json.dumps(value) for value in values]
            frame[name] = pd.array(values, dtype=dtype)
        points = gpd.points_from_xy(
            [row.get("lon", 0.0) for row in rows], [row.get("lat", 0.0) for row in rows]
        )
        return gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326")

    return make
