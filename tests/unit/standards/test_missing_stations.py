"""Verdicts whose bounds contain missing stations."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocm_geo import Verdict


@cache
def everything() -> gpd.GeoDataFrame:
    return ocm.stations_from_country("NL", source="sample")


def table_of(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> pd.DataFrame:
    common = a.index.intersection(b.index)
    return ocm.completeness(a, b, matches=pd.DataFrame({"id_a": common, "id_b": common}))


def on_route(stations: gpd.GeoDataFrame, completeness: Any = None) -> Verdict:
    rule = "afir-ldv-core-2025"
    return ocm.assess_route(ocm.sample_route(), stations, rule, completeness=completeness)


def on_network(stations: gpd.GeoDataFrame, completeness: Any = None) -> Verdict:
    roads = gpd.GeoSeries([ocm.sample_route()], crs=4326)
    return ocm.assess_network(roads, stations, "afir-ldv-core-2025", completeness=completeness)


def on_area(stations: gpd.GeoDataFrame, completeness: Any = None) -> Verdict:
    areas = ocm.sample_areas().iloc[:2]
    return ocm.assess_area(areas, stations, "at-2030-fast", completeness=completeness)


def on_fleet(stations: gpd.GeoDataFrame, completeness: Any = None) -> Verdict:
    return ocm.assess_fleet(
        stations, "afir-fleet", n_bev=10**6, n_phev=0, completeness=completeness
    )


@pytest.mark.filterwarnings("ignore::ocm_geo.OCMWarning")
@pytest.mark.parametrize("ask", [on_route, on_network, on_area, on_fleet])
def test_the_high_bound_contains_the_truth(ask: Callable[..., Verdict]) -> None:
    kept = np.random.default_rng(3).random((2, len(everything()))) < 0.5
    a, b = everything()[kept[0]], everything()[kept[1]]
    plain, found, true = ask(a), ask(a, table_of(a, b)), ask(everything())
    assert found.share == plain.share
    assert found.passes == plain.passes
    assert found.share_low == plain.share_low
    assert found.share_high >= max(plain.share_high, true.share)
    assert found.report["share_high_recorded"] == plain.share_high
    assert found.readings["share_high"].iloc[0] >= plain.readings["share_high"].iloc[0]
    facts = found.report["completeness"]
    assert isinstance(facts, dict)
    assert facts["n_only_in_other"] == len(b.index.difference(a.index))
    assert "missing stations" in found.clauses[-1]
    assert "missing" in found.headline
    whole = ask(everything(), table_of(everything(), everything()))
    assert whole.share_high == true.share_high
