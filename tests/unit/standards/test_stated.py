"""Power and bays that a register states, in verdicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from collections.abc import Sequence


def made(
    rows: Sequence[tuple[float, float, dict[str, Any]]], **columns: list[Any]
) -> gpd.GeoDataFrame:
    """Stations at one place: quantity, power of a connection, and what the register states."""
    table = pd.DataFrame(
        {
            "site": [f"s{i}" for i in range(len(rows))],
            "lon": 5.0,
            "lat": 52.0,
            "kw": [kw for _, kw, _ in rows],
            "n": [n for n, _, _ in rows],
        }
    )
    found = ocm.stations_from_table(
        table, site="site", lon="lon", lat="lat", power_kw="kw", quantity="n", n_points="n",
        connector=33, current=30, usage=1, status=50, attribution="made",
    )  # fmt: skip
    found["extra"] = pd.array([json.dumps(extra) for _, _, extra in rows], dtype="string")
    return found.assign(**columns)


def powers(stations: gpd.GeoDataFrame) -> list[float]:
    verdict = ocm.assess_fleet(stations, "afir-fleet", n_bev=100, n_phev=0)
    names = ("provided_low_kw", "provided_kw", "provided_high_kw")
    return [float(str(verdict.report[name])) for name in names]


def test_a_stated_power_is_the_value_at_all_levels() -> None:
    stations = made([(4, 150.0, {"site_power_kw": 320})])
    assert powers(stations) == [320.0, 320.0, 320.0]
    unknown = made([(4, float("nan"), {"site_power_kw": 320})])
    assert powers(unknown) == [320.0, 320.0, 320.0]
    assert powers(made([(4, 150.0, {})])) == [600.0, 600.0, 600.0]


def test_one_figure_on_every_row_of_a_site_counts_once() -> None:
    on_each = [(2, 150.0, {"site_power_kw": 900})] * 3
    assert powers(made(on_each)) == [900.0, 900.0, 900.0]
    # Figures that fit the row are of the row, be they equal or not.
    assert powers(made([(2, 22.0, {"site_power_kw": 44})] * 3)) == [132.0, 132.0, 132.0]
    # One parent: one site, whatever the figures.
    one_parent = made([(2, 150.0, {"site_power_kw": 300})] * 3, parent_id=[7, 7, 7])
    assert powers(one_parent) == [300.0, 300.0, 300.0]


def test_sharing_is_of_sums_not_of_stated_power() -> None:
    rules = ocm.AssessmentOptions(pool_rules=ocm.PoolRules(power_sharing=0.5))
    stations = made([(2, 150.0, {"site_power_kw": 300}), (1, 100.0, {})])
    verdict = ocm.assess_fleet(stations, "afir-fleet", n_bev=100, n_phev=0, options=rules)
    assert verdict.report["provided_kw"] == 350.0
    assert not verdict.pools["power_is_stated"].any()


@pytest.mark.parametrize("text", ["{}", "no JSON", '{"site_power_kw": "much"}', "[1]", None])
def test_what_is_no_number_states_nothing(text: str | None) -> None:
    stations = made([(2, 150.0, {})])
    stations["extra"] = pd.array([text], dtype="string")
    assert powers(stations) == [300.0, 300.0, 300.0]


@pytest.mark.parametrize(("bays", "qualifies"), [(0, False), (2, True), (None, True)])
def test_a_pool_without_bays_serves_no_lorries(bays: int | None, *, qualifies: bool) -> None:
    stations = made([(16, 400.0, {} if bays is None else {"n_heavy_vehicle_bays": bays})])
    route = gpd.GeoSeries.from_wkt(["LINESTRING (4.9 52, 5.1 52)"], crs=4326)
    heavy = ocm.assess_route(route, stations, "afir-hdv-core-2030")
    light = ocm.assess_route(route, stations, "afir-ldv-core-2025")
    assert heavy.pools["qualifies"].tolist() == [qualifies]
    assert light.pools["qualifies"].tolist() == [True]
