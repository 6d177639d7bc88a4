from __future__ import annotations

from typing import TYPE_CHECKING, Any

import access.fca
import access.raam
import access.weights
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from tests.unit.access.made import on_the_equator, places, stations

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.filterwarnings("ignore::ocm_geo.InexactMethod")
@pytest.mark.parametrize("seed", range(6))
def test_raam_equals_pysal_on_any_network(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(3, 60)), int(rng.integers(2, 20))
    demand = places(n, seed, people=rng.integers(1, 2_000, n))
    sites = stations(m, seed)
    pairs = pd.MultiIndex.from_product([demand.index, sites.index], names=["origin", "ocm_id"])
    costs = pd.DataFrame({"minutes": rng.uniform(0, 60, n * m)}, pairs).reset_index()
    costs = costs.sample(frac=0.7, random_state=seed)
    asked: dict[str, Any] = {"tau": float(rng.uniform(10, 60)), "max_cycles": 60}
    peer = access.raam.raam(
        pd.DataFrame(demand[["people"]]),
        pd.DataFrame(sites[["n_connectors"]]),
        costs.set_axis(["origin", "dest", "cost"], axis=1),
        demand_name="people",
        supply_name="n_connectors",
        **asked,
    ).reindex(demand.index)
    found = ocm.accessibility(
        demand, sites, 60, method="raam", population="people", costs=costs, **asked
    )
    assert found.to_numpy(dtype=float, na_value=np.nan) == pytest.approx(
        peer.to_numpy(), abs=1e-9, nan_ok=True
    )


@pytest.mark.parametrize("method", ["cumulative", "gravity", "2sfca", "e2sfca", "3sfca", "raam"])
def test_stations_without_supply_give_nothing(method: str) -> None:
    towns, sites = worked()
    found = ocm.accessibility(
        towns, sites.assign(n_connectors=0), 30, method=method, population="people"
    )
    assert found.isna().all() if method == "raam" else found.tolist() == [0, 0]
    # In a place of nobody others may charge: it reaches what they have.
    nobody = towns.assign(people=[0, 300])
    some = ocm.accessibility(nobody, sites, 30, method=method, population="people")
    assert some.isna().tolist() == [method == "raam", False]
    assert method == "raam" or (some > 0).all()


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


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("seed", range(8))
def test_any_network_equals_pysal(seed: int) -> None:
    """Random costs, weights and sizes; places of nobody, stations without supply, rows shuffled."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 40)), int(rng.integers(1, 25))
    demand = places(n, seed, people=rng.integers(0, 5, n) * rng.integers(1, 900, n))
    demand.iloc[0, demand.columns.get_loc("people")] = 7
    sites = stations(m, seed)
    sites["supply"] = rng.integers(0, 4, m)
    pairs = pd.MultiIndex.from_product([demand.index, sites.index], names=["origin", "ocm_id"])
    costs = pd.DataFrame({"minutes": rng.uniform(0, 60, n * m)}, pairs).reset_index()
    costs = costs.sample(frac=rng.uniform(0.2, 1), random_state=seed)
    reached = costs[costs["minutes"] <= 40].merge(
        demand[["people"]], left_on="origin", right_index=True
    )
    # Where nobody is near, PySAL divides by zero: such stations give nothing here.
    some = sites.index.isin(reached.loc[reached["people"] > 0, "ocm_id"])
    step = {10.0: 1.0, 25.0: 0.5, 40.0: 0.1}
    for method, function, weight in (
        ("2sfca", access.fca.two_stage_fca, None),
        ("e2sfca", access.fca.two_stage_fca, access.weights.step_fn(step)),
        ("3sfca", access.fca.three_stage_fca, access.weights.step_fn(step)),
    ):
        peer = function(
            pd.DataFrame(demand[["people"]]).rename_axis("geoid"),
            pd.DataFrame(sites.loc[some, ["supply"]]).rename_axis("geoid"),
            costs[costs["ocm_id"].isin(sites.index[some])].set_axis(
                ["origin", "dest", "cost"], axis=1
            ),
            40,
            demand_index=True,
            demand_name="people",
            supply_name="supply",
            weight_fn=weight,
        )
        expected = peer.reindex(demand.index).fillna(0).to_numpy()
        asked: dict[str, Any] = {"supply": "supply", "costs": costs, "method": method}
        asked["population"] = "people"
        if weight is not None:
            asked["decay"] = step
        found = ocm.accessibility(demand, sites, 40, **asked)
        assert found.to_numpy() == pytest.approx(expected, rel=1e-9, abs=1e-12)
        # In another order of rows.
        asked["costs"] = costs.sample(frac=1, random_state=1)
        mixed = ocm.accessibility(
            demand.sample(frac=1, random_state=2), sites.sample(frac=1, random_state=3), 40, **asked
        )
        assert mixed[demand.index].to_numpy() == pytest.approx(expected, rel=1e-9, abs=1e-12)
        served = found.attrs["ocm"]["access"]["supply_served"]
        assert demand["people"] @ found.to_numpy() == pytest.approx(served, rel=1e-9)
        assert served == sites.loc[some, "supply"].sum()


def test_published_weights_on_published_zones() -> None:
    """Luo & Qi (2009): 0-10, 10-20, 20-30 minutes weigh 1, 0.68 and 0.22; steep 1, 0.42, 0.09."""
    minutes = [0.0, 10.0, 10.000001, 20.0, 20.000001, 30.0]
    towns = on_the_equator([0.0] * 6, people=[1, 0, 0, 0, 0, 0])
    site = on_the_equator([0], first=7, n_connectors=[1])
    costs = pd.DataFrame({"origin": range(6), "ocm_id": 7, "minutes": minutes})
    steps: list[tuple[Any, list[float]]] = [
        ("step", [1, 1, 0.68, 0.68, 0.22, 0.22]),
        ({10: 1, 20: 0.42, 30: 0.09}, [1, 1, 0.42, 0.42, 0.09, 0.09]),
    ]
    for decay, weights in steps:
        found = ocm.accessibility(towns, site, 30, decay=decay, population="people", costs=costs)
        assert found.tolist() == pytest.approx(weights)
    # Dai (2010): 1 at the site, 0 at the edge.
    found = ocm.accessibility(towns, site, 30, decay="gaussian", population="people", costs=costs)
    half = (np.exp(-0.5 * (20 / 30) ** 2) - np.exp(-0.5)) / (1 - np.exp(-0.5))
    assert found.tolist()[0] == 1
    assert found.tolist()[3] == pytest.approx(half)
    assert found.tolist()[5] == 0


def test_three_steps_of_wan() -> None:
    """Wan, Zou & Sternberg (2012) by hand: people share themselves out by the weights."""
    towns = on_the_equator([0, 0], people=[100, 200])
    sites = on_the_equator([0, 0], first=7, n_connectors=[10, 4])
    costs = pd.DataFrame({"origin": [0, 0, 1], "ocm_id": [7, 8, 8], "minutes": [5.0, 15.0, 5.0]})
    g = [1 / 1.68, 0.68 / 1.68, 1.0]
    ratio = [10 / (100 * g[0]), 4 / (100 * g[1] * 0.68 + 200 * g[2])]
    expected = [g[0] * ratio[0] + g[1] * 0.68 * ratio[1], g[2] * ratio[1]]
    found = ocm.accessibility(towns, sites, 30, method="3sfca", population="people", costs=costs)
    assert found.tolist() == pytest.approx(expected)


def test_raam_settles_where_no_move_pays() -> None:
    """Saxon & Snow (2020): both stations cost the same, crowding and travel together."""
    towns = on_the_equator([0], people=[30_000])
    sites = on_the_equator([0, 0], first=7, n_connectors=[1, 1])
    costs = pd.DataFrame({"origin": [0, 0], "ocm_id": [7, 8], "minutes": [0.0, 12.0]})
    found = ocm.accessibility(
        towns, sites, 30, method="raam", population="people", costs=costs, max_cycles=600
    )
    # rho = 15,000, tau = 60: D/15000 = (30000 - D)/15000 + 12/60, so D = 16,500 and cost 1.1.
    assert found.tolist() == pytest.approx([1.1], abs=1e-3)
    assert found.attrs["ocm"]["access"]["relative_gap"] < 1e-3


def test_raam_says_where_people_cannot_move() -> None:
    """Of two people a fifth is nobody: all stay at the nearest station, however crowded."""
    towns = on_the_equator([0.0] * 50, people=[2] * 50)
    sites = on_the_equator([0, 2], first=7, n_connectors=[1, 1])
    with pytest.warns(ocm.InexactMethod, match="raam has not converged"):
        found = ocm.accessibility(towns, sites, 30, method="raam", population="people")
    assert found.attrs["ocm"]["access"]["relative_gap"] > 0.9
    one_by_one: dict[str, Any] = {"initial_step": 1, "min_step": 1}
    again = ocm.accessibility(towns, sites, 30, method="raam", population="people", **one_by_one)
    assert again.attrs["ocm"]["access"]["relative_gap"] < 0.1


def test_stations_at_one_place_are_as_one() -> None:
    towns, sites = worked()
    twice = pd.concat([sites, sites.set_axis([17, 18])]).assign(n_connectors=[4, 2, 6, 4])
    for method in ("cumulative", "2sfca", "e2sfca"):
        one = ocm.accessibility(towns, sites, 30, method=method, population="people")
        two = ocm.accessibility(towns, twice, 30, method=method, population="people")
        assert two.tolist() == pytest.approx(one.tolist())


def test_catchments_cross_the_antimeridian() -> None:
    towns, sites = worked()
    east_towns, east_sites = (at_longitude(179.9, table) for table in (towns, sites))
    assert [(table.geometry.x < 0).sum() for table in (east_towns, east_sites)] == [1, 1]
    for method in ("2sfca", "e2sfca", "3sfca"):
        here = ocm.accessibility(towns, sites, 31, method=method, population="people")
        there = ocm.accessibility(east_towns, east_sites, 31, method=method, population="people")
        assert there.tolist() == pytest.approx(here.tolist())


def at_longitude(lon: float, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Move a table east, so that longitudes beyond 180 are negative."""
    x = (table.geometry.x + lon + 180) % 360 - 180
    return table.set_geometry(gpd.points_from_xy(x, table.geometry.y, crs="EPSG:4326"))


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


def test_costs_serve_a_choice_of_no_stations_and_say_where_labels_are_others() -> None:
    towns, sites = worked()
    minutes = pd.DataFrame({"origin": [0, 1], "ocm_id": [7, 8], "minutes": [4.0, 12.0]})
    none = ocm.accessibility(towns, sites.head(0), 30, population="people", costs=minutes)
    assert none.tolist() == [0, 0]
    renamed = sites.set_axis(["seven", "eight"])
    with pytest.warns(ocm.SuspectInput, match="contains none of the 2 stations"):
        found = ocm.accessibility(towns, renamed, 30, population="people", costs=minutes)
    assert found.tolist() == [0, 0]


@pytest.mark.parametrize("kind", ["int64", "int16", "Int64", "uint32", "str", "float64"])
def test_labels_of_costs_are_found_whatever_their_kind(kind: str) -> None:
    towns, sites = worked()
    towns, sites = towns.set_axis([-4, 700]), sites.set_axis([3, 90])
    if kind in {"str", "uint32"}:
        towns, sites = towns.set_axis([4, 700]), sites.rename(index=str if kind == "str" else int)
    towns.index, sites.index = towns.index.astype(kind), sites.index.astype(kind)
    here, there = np.repeat(towns.index, 2), np.tile(sites.index, 2)
    rows = pd.DataFrame({"origin": here, "ocm_id": there, "min": [1.0, 9.0, 5.0, 2.0]})
    others = rows.assign(min=0.0, ocm_id=rows["ocm_id"].iloc[0] * 31)
    table = pd.concat([rows, others.head(1)])
    found = ocm.accessibility(towns, sites, 6, method="2sfca", population="people", costs=table)
    assert found.tolist() == pytest.approx([10 / 400, 10 / 400 + 6 / 300])


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
        ({"decay": lambda _: 1.0}, "one weight per cost"),
        ({"decay": lambda km: np.full(len(km), 5e-324)}, "too small"),
        ({"population": "nobody"}, "nobody lives"),
        ({"population": "negative"}, "missing, negative"),
        ({"population": "gone"}, "no population column"),
        ({"population": None}, "needs population"),
        ({"supply": "petrol"}, "choose 'sites'"),
        ({"supply": "negative"}, "0 or more"),
        ({"supply": "name"}, "column of numbers"),
        ({"supply": "name", "missing_supply": 1}, "column of numbers"),
        ({"missing_supply": -1}, "0 or more"),
        ({"missing_supply": np.nan}, "0 or more"),
        ({"missing_supply": "one"}, "must be a finite number"),
        ({"method": "raam", "tau": 0}, "above 0"),
        ({"method": "raam", "tau": True}, "must be a finite number"),
        ({"method": "raam", "max_cycles": 2.5}, "whole number"),
        ({"tau": 20}, "applies to method='raam'"),
        ({"method": "2sfca", "decay": "gaussian"}, "does not weight distances"),
        ({"method": "cumulative", "decay": {30: 1}}, "does not weight distances"),
        ({"method": "raam", "decay": np.exp}, "does not weight distances"),
        ({"decay": {"near": 1}}, "limits and weights"),
        ({"decay": {10: -1}}, "up to 10 the weight is -1"),
        ({"decay": {np.nan: 1}}, "up to nan"),
        ({"decay": lambda km: 1.0 if km < 5 else 0.0}, "take an array"),
        ({"decay": None}, "choose 'step'"),
        ({"speed": 5}, "not an option"),
        ({"costs": pd.DataFrame({"origin": [0], "km": [1.0]})}, "three columns"),
        (
            {"costs": pd.DataFrame({"origin": [0, 0], "ocm_id": [7, 7], "km": [1.0, 2.0]})},
            "more than once",
        ),
        (
            {"costs": pd.DataFrame({"origin": [0], "ocm_id": [7], "km": [np.nan]})},
            "missing or negative",
        ),
        (
            {"costs": pd.DataFrame({"origin": [0], "ocm_id": [7], "km": ["near"]})},
            "column of numbers",
        ),
        (
            {"costs": pd.DataFrame([[0, 7, 1.0]], columns=["origin", "origin", "km"])},
            "three columns",
        ),
        (
            {"costs": pd.DataFrame({"origin": [5], "ocm_id": [7], "km": [1.0]})},
            "no value of origin",
        ),
        (
            {"costs": pd.DataFrame({"origin": ["0"], "ocm_id": [7], "km": [1.0]})},
            "of the same type",
        ),
    ],
)
def test_wrong_input_says_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    towns, sites = worked()
    towns = towns.assign(nobody=0, negative=[-1, 2])
    sites = sites.assign(negative=[-1, 2], name=["a", None])
    asked = {"population": "people", **changes}
    with pytest.raises(ocm.QueryError, match=message):
        ocm.accessibility(towns, sites, 30, **asked)


def test_wrong_tables_say_what_is_wrong() -> None:
    towns, sites = worked()
    with pytest.raises(ocm.QueryError, match="not points"):
        ocm.accessibility(ocm.sample_areas(), sites, 30, population="population")
    with pytest.raises(ocm.QueryError, match="coordinate reference system"):
        ocm.accessibility(towns.set_crs(None, allow_override=True), sites, 30, population="people")
    nothing: Any = None
    with pytest.raises(ocm.QueryError, match=r"stations must be .*, not None"):
        ocm.accessibility(towns, nothing, 30, population="people")
    twice = towns.set_axis([1, 1])
    costs = pd.DataFrame({"origin": [1], "ocm_id": [7], "minutes": [1.0]})
    with pytest.raises(ocm.QueryError, match="demand: the index repeats 1;"):
        ocm.accessibility(twice, sites, 30, population="people", costs=costs)
    with pytest.raises(ocm.QueryError, match="first: inf in row 1"):
        ocm.accessibility(towns.assign(people=[1, np.inf]), sites, 30, population="people")
    with pytest.raises(ocm.QueryError, match="catchment_km"):
        ocm.accessibility(towns, sites, 0, population="people")
