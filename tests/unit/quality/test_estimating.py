"""Estimated powers: hidden ones lie in their intervals, known ones are never touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from tests.unit.quality.test_checking import connection, stations_with

if TYPE_CHECKING:
    import geopandas as gpd

ESTIMATES = ["power_kw_estimated", "power_kw_estimated_low", "power_kw_estimated_high"]


def made_stations(n: int, seed: int = 1) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Stations of two operators with different powers."""
    rng = np.random.default_rng(seed)
    operator = rng.integers(10, 12, n)
    power = np.where(operator == 10, rng.choice([3.7, 11.0], n), rng.choice([11.0, 22.0], n))
    rows: list[dict[str, Any]] = [
        {"operator_id": int(o), "connections": connection(PowerKW=float(p), CurrentTypeID=20)}
        for o, p in zip(operator, power, strict=True)
    ]
    return stations_with(*rows), power


def hide(stations: gpd.GeoDataFrame, rows: np.ndarray) -> gpd.GeoDataFrame:
    hidden = stations.copy()
    hidden.loc[rows, "connections"] = [
        json.dumps([{k: v for k, v in c.items() if k != "PowerKW"} for c in json.loads(text)])
        for text in stations["connections"][rows]
    ]
    return hidden


def test_hidden_powers_lie_in_their_intervals() -> None:
    stations, power = made_stations(600)
    rows = np.random.default_rng(2).random(600) < 0.3
    found = ocm.estimate_power(hide(stations, rows))[rows]
    assert (found["method"] == "operator").all()
    low, high = found[ESTIMATES[1]], found[ESTIMATES[2]]
    assert np.mean((low <= power[rows]) & (power[rows] <= high)) >= 0.95
    assert set(high[found["operator_id"] == 10]) == {11.0}
    assert set(low[found["operator_id"] == 11]) == {11.0}


def test_known_powers_stay() -> None:
    stations, power = made_stations(60)
    found = ocm.estimate_power(stations)
    assert (found["method"] == "recorded").all()
    for name in ESTIMATES:
        assert found[name].to_list() == power.tolist()
    pd.testing.assert_frame_equal(found.drop(columns=[*ESTIMATES, "method"]), stations)


def test_few_of_an_operator_are_compared_with_their_connector() -> None:
    stations, _ = made_stations(120)
    stations.loc[1, "operator_id"] = 99
    rows = np.arange(120) == 0
    assert ocm.estimate_power(hide(stations, rows))["method"][1] == "connector"
    found = ocm.estimate_power(hide(stations, rows).iloc[:20])
    assert found["method"][1] == "none"
    assert found.loc[1, ESTIMATES].isna().all()


def test_a_known_stronger_connection_is_the_least() -> None:
    stations, _ = made_stations(120)
    both = [*connection(PowerKW=43.0), {"ID": 2, "ConnectionTypeID": 25, "CurrentTypeID": 20}]
    stations.loc[1, "connections"] = json.dumps(both)
    assert ocm.estimate_power(stations).loc[1, ESTIMATES].tolist() == [43.0, 43.0, 43.0]


def test_invented_and_implausible_powers_teach_nothing() -> None:
    stations, _ = made_stations(120)
    stations["connections"] = stations["connections"].where(
        np.arange(120) > 0, json.dumps(connection(PowerKW=11000.0, CurrentTypeID=20))
    )
    found = ocm.estimate_power(stations)
    assert found["method"][1] == "operator"
    assert float(found[ESTIMATES].max().max()) == 22.0
    stations["data_provider_id"] = 2
    stations["connections"] = json.dumps(connection(PowerKW=3.7))
    assert (ocm.estimate_power(stations)["method"] == "none").all()


def test_stations_without_connections_and_taken_columns() -> None:
    stations = stations_with({"connections": []}, {})
    assert ocm.estimate_power(stations)["method"].tolist() == ["none", "recorded"]
    assert ocm.estimate_power(stations.iloc[:0]).empty
    with pytest.raises(ocm.QueryError, match="power_kw_estimated"):
        ocm.estimate_power(stations.assign(power_kw_estimated=1.0))
