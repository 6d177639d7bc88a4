"""Missing stations in the bounds of measures."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial import cKDTree

import ocm_geo as ocm
from ocm_geo.errors import InexactMethod, QueryError, SuspectInput
from ocm_geo.geodesy import to_ecef_km

if TYPE_CHECKING:
    from collections.abc import Callable

BOX = (4.2, 51.7, 5.4, 52.5)


@cache
def everything() -> gpd.GeoDataFrame:
    return ocm.stations_from_bbox(BOX, source="sample")


def thinned(seed: int = 0, share: float = 0.6) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    kept = np.random.default_rng(seed).random((2, len(everything()))) < share
    return everything()[kept[0]], everything()[kept[1]]


def pairs_of(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> pd.DataFrame:
    common = a.index.intersection(b.index)
    return pd.DataFrame({"id_a": common, "id_b": common})


def table_of(
    a: gpd.GeoDataFrame, b: gpd.GeoDataFrame, *, odds: float = 5.0, by: str | None = None
) -> pd.DataFrame:
    return ocm.completeness(a, b, by=by, matches=pairs_of(a, b), odds_ratios=(1 / odds, odds))


@cache
def areas() -> gpd.GeoDataFrame:
    west, south, east, north = BOX
    x, y = np.linspace(west, east, 4), np.linspace(south, north, 3)
    cells = [shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for i in range(3) for j in range(2)]
    return gpd.GeoDataFrame({"population": 1000.0}, index=range(6), geometry=cells, crs=4326)


def coverage(stations: gpd.GeoDataFrame, completeness: Any = None) -> gpd.GeoDataFrame:
    return ocm.coverage(
        areas(), stations, [3, 8], population="population", completeness=completeness
    )


def density(stations: gpd.GeoDataFrame, completeness: Any = None) -> gpd.GeoDataFrame:
    return ocm.density(areas(), stations, population="population", completeness=completeness)


def access(stations: gpd.GeoDataFrame, completeness: Any = None) -> pd.DataFrame:
    towns = areas().assign(geometry=areas().representative_point())
    found = ocm.accessibility(
        *(towns, stations, 20), population="population", completeness=completeness
    )
    return found.to_frame() if isinstance(found, pd.Series) else found


MEASURES: dict[str, Callable[..., pd.DataFrame]] = {
    "coverage": coverage,
    "density": density,
    "accessibility": access,
}


@pytest.mark.parametrize("name", MEASURES)
def test_bounds_contain_the_truth_and_the_other_register(name: str) -> None:
    a, b = thinned()
    measure = MEASURES[name]
    found, true = measure(a, table_of(a, b)), measure(everything())
    both = measure(everything()[everything().index.isin(a.index.union(b.index))])
    for column in [c for c in true.columns if f"{c}_high" in found]:
        high = found[f"{column}_high"].to_numpy(float)
        assert (found[f"{column}_low"] <= found[column]).all()
        assert (found[column].to_numpy(float) <= both[column].to_numpy(float) + 1e-9).all()
        assert (both[column].to_numpy(float) <= high + 1e-9).all()
        assert (true[column].to_numpy(float) <= high + 1e-9).all()
    facts = found.attrs["ocm"]["completeness"]
    assert facts["stations_are"] == "a"
    assert facts["n_only_in_other"] == len(b.index.difference(a.index))
    assert facts["n_unseen_high"] > 0
    assert {"seed", "n_draws", "model", "assumes", "odds_ratios"} <= set(facts)


@pytest.mark.parametrize("name", MEASURES)
def test_complete_registers_leave_the_bounds_as_they_are(name: str) -> None:
    whole = everything()
    found = MEASURES[name](whole, table_of(whole, whole))
    with_bounds = MEASURES[name](whole, None)
    assert found.attrs["ocm"]["completeness"]["n_unseen_high"] == 0
    for column in [c for c in found.columns if f"{c}_high" in found]:
        assert np.allclose(found[f"{column}_high"], found[column])
        assert np.allclose(found[column], with_bounds[column])


@pytest.mark.parametrize("name", MEASURES)
def test_order_of_rows_changes_nothing(name: str) -> None:
    a, b = thinned(1)
    turned, other = a.sample(frac=1, random_state=3), b.sample(frac=1, random_state=4)
    one = MEASURES[name](a, table_of(a, b, by="operator"))
    two = MEASURES[name](turned, table_of(turned, other, by="operator"))
    for column in one.filter(regex="_high$"):
        assert np.allclose(one[column].astype(float), two[column].astype(float))


@pytest.mark.parametrize("name", MEASURES)
def test_more_missing_stations_never_lower_a_bound(name: str) -> None:
    a, b = thinned(2)
    few, many = (MEASURES[name](a, table_of(a, b, odds=odds)) for odds in (1.0, 4.0))
    high = few.filter(regex="_high$")
    assert high.shape[1] >= 1
    for column in high:
        assert (few[column].astype(float) <= many[column].astype(float) + 1e-9).all()
        assert (few[column].astype(float) < many[column].astype(float)).any()


def test_each_role_is_recognised() -> None:
    a, b = thinned(5)
    table = table_of(a, b)
    merged = ocm.merge_stations({"a": a, "b": b}, prefer="a", matches=pairs_of(a, b))
    only_a, only_b = a.index.difference(b.index), b.index.difference(a.index)
    for stations, role, n in ((a, "a", len(only_b)), (b, "b", len(only_a)), (merged, "merged", 0)):
        placed = ocm.place_missing(stations, table)
        facts = placed.attrs["ocm"]["completeness"]
        assert facts["stations_are"] == role
        assert facts["n_outside_registers"] == 0
        assert (placed["missing_because"] == "only in the other register").sum() == n
        assert not placed.index.isin(stations.index).any()
    unseen = len(placed)
    expected = table["n_estimated_dependent_high"].iloc[0] - len(merged)
    assert unseen == pytest.approx(expected, abs=1)


def test_unseen_stations_are_as_far_from_recorded_ones_as_those_from_each_other() -> None:
    a, b = thinned(6)
    placed = ocm.place_missing(a, table_of(a, b))
    unseen = placed[placed["missing_because"] == "in neither register"]
    recorded = pd.concat([a, b[~b.index.isin(a.index)]])
    xyz = np.unique(to_ecef_km(recorded.geometry.x, recorded.geometry.y), axis=0)
    tree = cKDTree(xyz)
    apart = tree.query(xyz, k=2)[0][:, 1]
    away = tree.query(to_ecef_km(unseen.geometry.x, unseen.geometry.y))[0]
    for share in (0.25, 0.5, 0.75):
        assert np.quantile(away, share) == pytest.approx(np.quantile(apart, share), rel=0.2)


def test_a_stratum_without_an_upper_bound_is_said() -> None:
    a, b = thinned(7)
    apart = b[~b.index.isin(a.index)]
    with pytest.warns(InexactMethod, match="no upper bound"):
        table = ocm.completeness(a, apart, matches=pairs_of(a, apart))
    with pytest.warns(InexactMethod, match="no upper bound for 1 strata"):
        found = coverage(a, table)
    facts = found.attrs["ocm"]["completeness"]
    assert facts["first_without_bound"] == ["all"]
    assert facts["n_unseen_high"] == 0
    # The stations of the other register exist, whatever cannot be estimated.
    assert (found["area_share_high"] > found["area_share"]).any()


def test_stations_filtered_otherwise_than_the_registers_warn() -> None:
    a, b = thinned(8)
    table = table_of(a, b)
    with pytest.warns(SuspectInput, match="same filters"):
        ocm.place_missing(a[a["max_power_kw"] >= 50], table)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ocm.place_missing(a[a.geometry.x < 4.8], table)


def test_wrong_arguments_are_refused() -> None:
    a, b = thinned(9)
    table = table_of(a, b)
    with pytest.raises(QueryError, match="must be the table that"):
        coverage(a, pd.DataFrame(table))
    with pytest.raises(QueryError, match="none of the stations"):
        coverage(a.set_axis(a.index + 10**6), table)
    with pytest.raises(QueryError, match="n_draws"):
        ocm.MissingStations(table, n_draws=0)
    with pytest.raises(QueryError, match="not None"):
        ocm.place_missing(a, None)  # type: ignore[arg-type]


def test_seed_and_draws_are_those_asked_for() -> None:
    a, b = thinned(10)
    table = table_of(a, b)
    one, again, other = (
        ocm.place_missing(a, ocm.MissingStations(table, seed=seed)) for seed in (1, 1, 2)
    )
    assert one.geometry.geom_equals(again.geometry).all()
    assert not one.geometry.geom_equals(other.geometry).all()
    assert one.attrs["ocm"]["completeness"]["seed"] == 1


def test_access_by_costs_has_no_bounds() -> None:
    a, b = thinned(11)
    costs = pd.DataFrame({"origin": [0], "ocm_id": [a.index[0]], "cost": [1.0]})
    with pytest.raises(QueryError, match="completeness needs distances"):
        ocm.accessibility(
            *(areas(), a, 20), population="population", costs=costs, completeness=table_of(a, b)
        )
