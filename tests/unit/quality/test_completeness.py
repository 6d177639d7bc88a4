"""How many stations exist: estimates of known totals."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.quality.capture import bound_dependence, estimate_total


@pytest.fixture(scope="module")
def stations() -> gpd.GeoDataFrame:
    return ocm.stations_from_country("NL", source="sample")


def same_ids(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> pd.DataFrame:
    ids = [i for i in a.index if i in set(b.index)]
    return pd.DataFrame({"id_a": ids, "id_b": ids})


def test_the_estimate_is_that_of_the_textbook() -> None:
    # Seber 1982: 200 marked, 225 caught, 45 of them marked.
    total = estimate_total(200, 225, 45)
    assert total.central == pytest.approx(201 * 226 / 46 - 1)
    assert total.variance == pytest.approx(201 * 226 * 155 * 180 / (46**2 * 47))
    spread = 1.96 * np.sqrt(total.variance)
    assert total.low == pytest.approx(total.central - spread, rel=0.1)
    assert total.high == pytest.approx(total.central + spread, rel=0.1)


@pytest.mark.parametrize(("n", "p_a", "p_b"), [(200, 0.5, 0.5), (60, 0.5, 0.4), (2000, 0.3, 0.8)])
def test_intervals_hold_the_true_number_as_often_as_stated(n: int, p_a: float, p_b: float) -> None:
    rng = np.random.default_rng(n)
    held = 0
    for _ in range(300):
        in_a, in_b = rng.random(n) < p_a, rng.random(n) < p_b
        counts = [int(found.sum()) for found in (in_a, in_b, in_a & in_b)]
        total = estimate_total(*counts)
        held += total.low <= n <= total.high
    assert 0.915 <= held / 300 <= 0.985


@pytest.mark.parametrize("odds_ratio", [0.3, 1.0, 4.0])
def test_dependent_registers_lie_within_the_bounds_of_dependence(odds_ratio: float) -> None:
    # Cells of a two-by-two table with that odds ratio: 400 in both, 200 and 200 in one.
    neither = odds_ratio * 200 * 200 / 400
    total = estimate_total(600, 600, 400)
    low, high = bound_dependence((total.low, total.high), 800, (0.2, 5.0))
    assert low <= 800 + neither <= high


def test_matched_registers_give_their_total(stations: gpd.GeoDataFrame) -> None:
    a = stations.sample(frac=0.6, random_state=1)
    b = stations.sample(frac=0.7, random_state=2)
    table = ocm.completeness(a, b)
    row = table.loc["all"]
    exact = ocm.completeness(a, b, matches=same_ids(a, b)).loc["all"]
    assert row["n_both"] == pytest.approx(exact["n_both"], rel=0.02)
    assert row["n_estimated_low"] <= len(stations) <= row["n_estimated_high"]
    assert row["n_estimated_low"] <= exact["n_estimated"] <= row["n_estimated_high"]
    for name in ("n_estimated", "share_a", "share_b"):
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        assert low <= row[name] <= high
        assert row[f"{name}_dependent_low"] <= low
        assert high <= row[f"{name}_dependent_high"]


def test_strata_cure_unequal_chances(stations: gpd.GeoDataFrame) -> None:
    rng = np.random.default_rng(4)
    fast = (stations["max_power_kw"] >= 50).fillna(value=False).to_numpy(dtype=bool)
    chance = np.where(fast, 0.9, 0.3)
    a, b = (stations[rng.random(len(stations)) < chance] for _ in range(2))
    matches = same_ids(a, b)
    plain = ocm.completeness(a, b, matches=matches).loc["all"]
    strata = ocm.completeness(a, b, by="power_class", matches=matches)
    best = strata.loc["all"]
    assert plain["n_estimated_high"] < len(stations)
    assert best["n_estimated_low"] <= len(stations) <= best["n_estimated_high"]
    assert strata["n_a"].iloc[:-1].sum() == len(a)
    assert (strata["n_strata"] >= 1).all()


def test_thin_strata_are_estimated_together(stations: gpd.GeoDataFrame) -> None:
    a, b = stations.iloc[::2], stations.iloc[::3]
    table = ocm.completeness(a, b, by="town", matches=same_ids(a, b))
    together = table.loc["(thin strata together)"]
    assert together["n_strata"] > 1
    assert (table.drop(index=["(thin strata together)", "all"])["n_both"] >= 7).all()
    assert table.loc["all", "n_both"] == len(same_ids(a, b))


def test_areas_are_strata(stations: gpd.GeoDataFrame) -> None:
    west, south, east, north = stations.total_bounds
    middle = (west + east) / 2
    boxes = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    areas = gpd.GeoDataFrame(geometry=boxes, index=["west", "east"], crs=4326)
    a, b = stations.iloc[::2], stations.iloc[::3]
    table = ocm.completeness(a, b, by=areas, matches=same_ids(a, b))
    inside = (a.geometry.x <= middle).sum()
    assert table.loc["west", "n_a"] == inside
    assert table.loc["east", "n_a"] == len(a) - inside


def test_registers_without_common_stations_have_no_upper_bound(
    stations: gpd.GeoDataFrame,
) -> None:
    a, b = stations.iloc[:20], stations.iloc[-20:]
    nobody = pd.DataFrame({"id_a": [], "id_b": []})
    with pytest.warns(ocm.InexactMethod, match="no upper bound"):
        table = ocm.completeness(a, b, matches=nobody)
    assert np.isinf(table.loc["all", "n_estimated_high"])
    assert table.loc["all", "share_a_low"] == 0


def test_matches_must_be_one_to_one_and_known(stations: gpd.GeoDataFrame) -> None:
    a, b = stations.iloc[:20], stations.iloc[:20]
    twice = pd.DataFrame({"id_a": [a.index[0]] * 2, "id_b": b.index[:2]})
    with pytest.raises(ocm.QueryError, match="more than once"):
        ocm.completeness(a, b, matches=twice)
    strange = pd.DataFrame({"id_a": [-5], "id_b": [b.index[0]]})
    with pytest.raises(ocm.QueryError, match="not ids of a"):
        ocm.completeness(a, b, matches=strange)
    with pytest.raises(ocm.QueryError, match="odds_ratios"):
        ocm.completeness(a, b, odds_ratios=(2, 3))
    with pytest.raises(ocm.QueryError, match="colour"):
        ocm.completeness(a, b, by="colour")
