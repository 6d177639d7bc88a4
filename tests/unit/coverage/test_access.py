from __future__ import annotations

from typing import TYPE_CHECKING, Any

import access.fca
import access.raam
import access.weights
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from tests.unit.coverage.made import on_the_equator, places, stations

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

RNG = np.random.default_rng(3)
DEMAND = places(200, people=RNG.integers(0, 900, 200))
SITES = stations(60)
CATCHMENT = 30.0
STEP = access.weights.step_fn({10: 1, 20: 0.68, 30: 0.22})
# Dai's formula, written out.
EDGE = np.exp(-0.5)


def dai(km: float) -> float:
    return float((np.exp(-0.5 * (km / CATCHMENT) ** 2) - EDGE) / (1 - EDGE))


def costs() -> Any:
    near = ocm.nearest_stations(DEMAND, SITES, k=len(SITES), max_km=CATCHMENT).dropna()
    table = near[["ocm_id", "nearest_km"]].reset_index(names="origin")
    return table.astype({"ocm_id": "int64", "nearest_km": float})


COSTS = costs()


def of_pysal(function: Callable[..., Any], weight: Callable[[float], float] | None) -> Any:
    """Ask PySAL's access, with 0 where it has no row."""
    supply = pd.DataFrame(SITES[["n_connectors"]]).rename_axis("geoid")
    found = function(
        pd.DataFrame(DEMAND[["people"]]).rename_axis("geoid"),
        supply,
        COSTS.set_axis(["origin", "dest", "cost"], axis=1),
        CATCHMENT,
        demand_index=True,
        demand_name="people",
        supply_name="n_connectors",
        weight_fn=weight,
    )
    return found.reindex(DEMAND.index).fillna(0).to_numpy()


def measured(method: str, **options: Any) -> Any:
    found = ocm.accessibility(
        DEMAND, SITES, CATCHMENT, method=method, population="people", **options
    )
    assert found.name == "access"
    assert found.index.equals(DEMAND.index)
    return found.to_numpy(dtype=float, na_value=np.nan)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # PySAL's own use of pandas
@pytest.mark.parametrize(
    ("method", "decay", "function", "weight"),
    [
        ("2sfca", "step", access.fca.two_stage_fca, None),
        ("e2sfca", "step", access.fca.two_stage_fca, STEP),
        ("e2sfca", "gaussian", access.fca.two_stage_fca, dai),
        ("e2sfca", {10: 1, 20: 0.42, 30: 0.09}, access.fca.two_stage_fca, None),
        ("3sfca", "step", access.fca.three_stage_fca, STEP),
        ("e2sfca", access.weights.gaussian(12), access.fca.two_stage_fca, None),
    ],
)
def test_floating_catchments_equal_pysal(
    method: str, decay: Any, function: Callable[..., Any], weight: Callable[[float], float] | None
) -> None:
    if isinstance(decay, dict):
        weight = access.weights.step_fn(decay)
    elif callable(decay):
        weight = decay
    expected = of_pysal(function, weight)
    assert expected.max() > 0
    assert measured(method, decay=decay) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    again = measured(method, decay=decay, costs=COSTS.sample(frac=1, random_state=1))
    assert again == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tau": 12.0, "max_cycles": 40},
        {"tau": 25.0, "rho": 100.0, "initial_step": 0.5, "min_step": 0.01, "half_life": 10},
        {"tau": 25.0, "initial_step": 30, "min_step": 2},
    ],
)
def test_raam_equals_pysal(options: dict[str, Any]) -> None:
    frame = pd.DataFrame(DEMAND[["people"]])
    supply = pd.DataFrame(SITES[["n_connectors"]])
    table = COSTS.set_axis(["origin", "dest", "cost"], axis=1)
    expected = access.raam.raam(
        frame, supply, table, demand_name="people", supply_name="n_connectors", **options
    ).reindex(DEMAND.index)
    found = measured("raam", **options)
    assert np.isnan(found).tolist() == expected.isna().tolist()
    assert found == pytest.approx(expected.to_numpy(), abs=1e-9, nan_ok=True)
    assert np.nanmax(found) > np.nanmin(found) > 0


def test_sums_over_the_catchment_equal_brute_force() -> None:
    near = COSTS.merge(pd.DataFrame(SITES[["n_connectors"]]), left_on="ocm_id", right_index=True)
    flat = near.groupby("origin")["n_connectors"].sum().reindex(DEMAND.index).fillna(0)
    assert measured("cumulative").tolist() == flat.tolist()
    near["n_connectors"] *= np.exp(-near["nearest_km"] / 7)
    summed = near.groupby("origin")["n_connectors"].sum().reindex(DEMAND.index).fillna(0)
    found = measured("gravity", decay=lambda km: np.exp(-km / 7))
    assert found == pytest.approx(summed.to_numpy(), rel=1e-9)
    alone = ocm.accessibility(DEMAND, SITES, CATCHMENT, method="cumulative", population=None)
    assert alone.tolist() == flat.tolist()


@pytest.mark.parametrize("method", ["2sfca", "e2sfca", "3sfca"])
def test_supply_is_conserved(method: str) -> None:
    # By the definition alone: people times access is the supply of stations near people.
    found = measured(method)
    near_people = COSTS["origin"].isin(DEMAND.index[DEMAND["people"] > 0])
    served = SITES.loc[COSTS.loc[near_people, "ocm_id"].unique(), "n_connectors"].sum()
    assert DEMAND["people"].to_numpy() @ found == pytest.approx(served)


def worked() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Two towns, two sites: by hand, with zones of 10, 20 and 30 km."""
    towns = on_the_equator([0, 25], people=[100, 300])
    sites = on_the_equator([5, 40], first=7, n_connectors=[10, 6], n_points=[pd.NA, 3])
    return towns, sites


def test_a_worked_example() -> None:
    towns, sites = worked()
    # Site 7 is 5 km from town 0 (weight 1) and 20 km from town 1 (0.68); site 8 is 40 km from
    # town 0 (out) and 15 km from town 1 (0.68).
    ratio = [10 / (100 + 0.68 * 300), 6 / (0.68 * 300)]
    found = ocm.accessibility(towns, sites, 30, population="people")
    # Not exactly 20 km: the geodesic of the rounded longitudes may be a hair longer.
    assert found.tolist() == pytest.approx([ratio[0], 0.68 * (ratio[0] + ratio[1])])
    plain = ocm.accessibility(towns, sites, 30, method="2sfca", population="people")
    assert plain.tolist() == pytest.approx([10 / 400, 10 / 400 + 6 / 300])
    facts = found.attrs["ocm"]["access"]
    assert facts["supply_served"] == 16
    assert facts["supply_unserved"] == 0


def test_supply_may_be_anything_and_missing_supply_is_said() -> None:
    towns, sites = worked()
    by_site = ocm.accessibility(
        towns, sites, 30, method="2sfca", population="people", supply="sites"
    )
    assert by_site.tolist() == pytest.approx([1 / 400, 1 / 400 + 1 / 300])
    with pytest.raises(ocm.QueryError, match=r"missing for 1 of 2 stations \(first: 7\)"):
        ocm.accessibility(towns, sites, 30, population="people", supply="n_points")
    filled = ocm.accessibility(
        towns, sites, 30, method="2sfca", population="people", supply="n_points", missing_supply=1
    )
    assert filled.tolist() == pytest.approx([1 / 400, 1 / 400 + 3 / 300])
    assert filled.attrs["ocm"]["access"]["n_supply_missing"] == 1


def test_minutes_of_an_engine_serve_any_choice_of_stations() -> None:
    towns, sites = worked()
    minutes = pd.DataFrame(
        {"origin": [0, 1, 1, 9], "ocm_id": [7, 7, 8, 8], "minutes": [4.0, 12.0, 31.0, 1.0]}
    )
    found = ocm.accessibility(towns, sites, 30, method="2sfca", population="people", costs=minutes)
    assert found.tolist() == pytest.approx([10 / 400, 10 / 400])
    assert found.attrs["ocm"]["access"]["unit"] == "minutes"
    fewer = ocm.accessibility(
        towns, sites.loc[[8]], 40, method="2sfca", population="people", costs=minutes
    )
    assert fewer.tolist() == pytest.approx([0, 6 / 300])


def test_nobody_near_and_no_stations() -> None:
    towns, sites = worked()
    far = on_the_equator([500], people=[10])
    assert ocm.accessibility(far, sites, 30, population="people").tolist() == [0]
    raam = ocm.accessibility(far, sites, 30, method="raam", population="people")
    assert raam.isna().tolist() == [True]
    none = ocm.accessibility(towns, sites.head(0), 30, population="people")
    assert none.tolist() == [0, 0]
    raam = ocm.accessibility(towns, sites.head(0), 30, method="raam", population="people")
    assert raam.isna().all()


def test_arguments_are_not_changed() -> None:
    towns, sites = worked()
    before = towns.copy(), sites.copy()
    ocm.accessibility(towns.to_crs("EPSG:3857"), sites, 30, population="people")
    pd.testing.assert_frame_equal(towns, before[0])
    pd.testing.assert_frame_equal(sites, before[1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "4sfca"}, "choose one of"),
        ({"decay": "linear"}, "choose 'step'"),
        ({"decay": {}}, "at least one"),
        ({"decay": lambda km: km - 10}, "finite and 0 or more"),
        ({"decay": lambda _: 1.0}, "one weight a cost"),
        ({"decay": lambda km: np.full(len(km), 5e-324)}, "too small"),
        ({"population": "nobody"}, "nobody lives"),
        ({"population": "negative"}, "missing or negative"),
        ({"population": "gone"}, "no population column"),
        ({"population": None}, "needs population"),
        ({"supply": "petrol"}, "choose 'sites'"),
        ({"supply": "negative"}, "0 or more"),
        ({"tau": 0}, "above 0"),
        ({"speed": 5}, "no option"),
        ({"costs": pd.DataFrame({"origin": [0], "km": [1.0]})}, "three columns"),
        (
            {"costs": pd.DataFrame({"origin": [0, 0], "ocm_id": [7, 7], "km": [1.0, 2.0]})},
            "more than once",
        ),
        (
            {"costs": pd.DataFrame({"origin": [0], "ocm_id": [7], "km": [np.nan]})},
            "missing or negative",
        ),
        ({"costs": pd.DataFrame({"origin": [5], "ocm_id": [7], "km": [1.0]})}, "no row names"),
    ],
)
def test_wrong_input_says_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    towns, sites = worked()
    towns = towns.assign(nobody=0, negative=[-1, 2])
    sites = sites.assign(negative=[-1, 2])
    asked = {"population": "people", **changes}
    with pytest.raises(ocm.QueryError, match=message):
        ocm.accessibility(towns, sites, 30, **asked)


def test_wrong_tables_say_what_is_wrong() -> None:
    towns, sites = worked()
    with pytest.raises(ocm.QueryError, match="no points"):
        ocm.accessibility(ocm.sample_areas(), sites, 30, population="population")
    with pytest.raises(ocm.QueryError, match="coordinate reference system"):
        ocm.accessibility(towns.set_crs(None, allow_override=True), sites, 30, population="people")
    with pytest.raises(ocm.QueryError, match="catchment_km"):
        ocm.accessibility(towns, sites, 0, population="people")
