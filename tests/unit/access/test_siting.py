from __future__ import annotations

import tracemalloc
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pulp
import pyproj
import pytest
from spopt.locate import LSCP, MCLP, PMedian

import ocm_geo as ocm
from tests.unit.access.made import on_the_equator, places, stations

if TYPE_CHECKING:
    import geopandas as gpd

# spopt builds its models in the way that PuLP 4 gives up.
pytestmark = pytest.mark.filterwarnings("ignore:.*PuLP 4.0")

GEOD = pyproj.Geod(ellps="WGS84")
DEMAND = places(120, seed=2, population=np.random.default_rng(2).integers(1, 100, 120))
PEOPLE = DEMAND["population"].to_numpy()
CANDIDATES = places(30, seed=3)
STATIONS = stations(4)
HIGHS = pulp.HiGHS(msg=False)
EVERYWHERE = 1_000.0
ROWS = pd.DataFrame({"origin": [0], "candidate": [0], "minutes": [1.0]})


def full_matrix(*others: gpd.GeoDataFrame) -> Any:
    """Give all distances, km."""
    here = DEMAND.geometry
    lon = np.concatenate([table.geometry.x for table in others])
    lat = np.concatenate([table.geometry.y for table in others])
    n, m = len(here), len(lon)
    metres = GEOD.inv(np.repeat(here.x, m), np.repeat(here.y, m), np.tile(lon, n), np.tile(lat, n))[
        2
    ]
    return np.reshape(metres, (n, m)) / 1000


COSTS = full_matrix(CANDIDATES, STATIONS)
# spopt's way to keep what exists.
FIXED = np.repeat([0, 1], [len(CANDIDATES), len(STATIONS)])


def suggested(n_sites: int | None, within_km: float, method: str = "mclp", **more: Any) -> Any:
    demand = DEMAND[COSTS.min(axis=1) <= 30] if method == "lscp" else DEMAND
    found = ocm.suggest_sites(
        demand, CANDIDATES, STATIONS, n_sites, within_km=within_km, method=method, **more
    )
    assert set(found.index) <= set(CANDIDATES.index)
    return found, found.attrs["ocm"]["siting"]


@pytest.mark.parametrize("within_km", [12, 25])
def test_maximal_covering_equals_spopt(within_km: float) -> None:
    peer = MCLP.from_cost_matrix(COSTS, PEOPLE, within_km, 5 + 4, FIXED).solve(HIGHS)
    found, facts = suggested(5, within_km)
    assert facts["objective"] == pytest.approx(pulp.value(peer.problem.objective), rel=1e-9)
    assert (facts["status"], facts["gap"]) == ("optimal", 0)
    # Counted anew from the distances.
    chosen = CANDIDATES.index.get_indexer(found.index)
    reached = (COSTS[:, [*chosen, 30, 31, 32, 33]] <= within_km).any(axis=1)
    assert PEOPLE[reached].sum() == facts["population_reached_after"] == facts["objective"]
    assert found["population_gained"].is_monotonic_decreasing
    gained = facts["population_reached_after"] - facts["population_reached_before"]
    assert found["population_gained"].sum() == pytest.approx(gained)


def test_p_median_equals_spopt() -> None:
    peer = PMedian.from_cost_matrix(COSTS, PEOPLE, 4 + 4, FIXED).solve(HIGHS)
    found, facts = suggested(4, EVERYWHERE, "p-median")
    assert facts["objective"] == pytest.approx(pulp.value(peer.problem.objective), rel=1e-9)
    assert facts["gap"] == pytest.approx(0, abs=1e-9)
    before = PEOPLE @ COSTS[:, 30:].min(axis=1)
    assert before - found["person_km_saved"].sum() == pytest.approx(facts["objective"])


def test_a_capped_p_median_equals_the_capped_matrix() -> None:
    peer = PMedian.from_cost_matrix(np.minimum(COSTS, 20), PEOPLE, 3 + 4, FIXED).solve(HIGHS)
    _, facts = suggested(3, 20, "p-median")
    assert facts["objective"] == pytest.approx(pulp.value(peer.problem.objective), rel=1e-9)


def test_set_covering_equals_spopt() -> None:
    peer = LSCP.from_cost_matrix(COSTS[COSTS.min(axis=1) <= 30], 30, FIXED).solve(HIGHS)
    found, facts = suggested(None, 30, "lscp")
    assert len(found) == facts["objective"] == pulp.value(peer.problem.objective) - 4
    assert facts["population_reached_after"] == facts["population"]


def test_no_choice_is_better() -> None:
    few = CANDIDATES.head(12)
    near = COSTS[:, :12] <= 25
    best = max(
        PEOPLE[near[:, list(chosen)].any(axis=1)].sum() for chosen in combinations(range(12), 3)
    )
    found = ocm.suggest_sites(DEMAND, few, None, 3, within_km=25)
    assert found.attrs["ocm"]["siting"]["objective"] == best


def table_of(matrix: Any, sites: gpd.GeoDataFrame, column: str, most: float) -> pd.DataFrame:
    """Write a matrix of costs as rows, without those above the most."""
    pairs = pd.MultiIndex.from_product([DEMAND.index, sites.index], names=["origin", column])
    table = pd.DataFrame({"minutes": matrix.ravel()}, pairs).reset_index()
    return table[table["minutes"] <= most].sample(frac=1, random_state=1)


@pytest.mark.parametrize("method", ["mclp", "p-median", "lscp"])
def test_costs_of_ones_own_equal_spopt(method: str) -> None:
    """Minutes that are no distances; no more than the pairs within reach are given."""
    rng = np.random.default_rng(7)
    minutes = COSTS * rng.uniform(0.7, 2, COSTS.shape)
    minutes[:, 0] = 12  # for set covering: one candidate that all can reach
    within = 25
    options: dict[str, Any] = {
        "costs": table_of(minutes[:, :30], CANDIDATES, "candidate", 40),
        "station_costs": table_of(minutes[:, 30:], STATIONS, "ocm_id", 40),
    }
    n_sites = None if method == "lscp" else 3
    found = ocm.suggest_sites(
        DEMAND, CANDIDATES, STATIONS, n_sites, within_km=within, method=method, **options
    )
    if method == "mclp":
        peer = MCLP.from_cost_matrix(minutes, PEOPLE, within, 3 + 4, FIXED).solve(HIGHS)
    elif method == "lscp":
        peer = LSCP.from_cost_matrix(minutes, within, FIXED).solve(HIGHS)
    else:
        capped = np.minimum(minutes, within)
        peer = PMedian.from_cost_matrix(capped, PEOPLE, 3 + 4, FIXED).solve(HIGHS)
        saved = found["person_minutes_saved"].sum()
        assert saved == pytest.approx(
            PEOPLE @ capped[:, 30:].min(axis=1) - pulp.value(peer.problem.objective)
        )
    facts = found.attrs["ocm"]["siting"]
    expected = pulp.value(peer.problem.objective) - 4 * (method == "lscp")
    assert facts["objective"] == pytest.approx(expected, rel=1e-9)
    assert facts["within_minutes"] == within


def brute(method: str, near: Any, served: Any, n_sites: int) -> float:
    """Try every choice. ``near`` and ``served`` are costs, capped at 20."""
    values = []
    for chosen in combinations(range(near.shape[1]), n_sites):
        cost = np.minimum(near[:, list(chosen)].min(axis=1), served)
        reached = PEOPLE[: len(cost)][cost < 20].sum()
        values.append(reached if method == "mclp" else PEOPLE[: len(cost)] @ cost)
    return float(max(values) if method == "mclp" else min(values))


@pytest.mark.parametrize("method", ["mclp", "p-median"])
@pytest.mark.parametrize("n_sites", [1, 2, 4])
@pytest.mark.parametrize("case", ["none", "stations", "same places", "ties"])
def test_every_choice_was_as_good(method: str, n_sites: int, case: str) -> None:
    demand, candidates = DEMAND.head(40), CANDIDATES.head(9)
    near = np.minimum(COSTS[:40, :9], 20)
    served, existing = np.full(40, 20.0), None
    if case == "stations":
        served, existing = np.minimum(COSTS[:40, 30:].min(axis=1), 20), STATIONS
    elif case == "same places":  # stations stand on three of the candidates
        served, existing = near[:, :3].min(axis=1), candidates.head(3)
    elif case == "ties":  # each candidate twice
        candidates = pd.concat([candidates.head(4)] * 2).set_axis(range(8))
        near = np.tile(near[:, :4], 2)
    for solver in ("highs", "greedy"):
        found = ocm.suggest_sites(
            demand, candidates, existing, n_sites, within_km=20, method=method, solver=solver
        )
        facts = found.attrs["ocm"]["siting"]
        best = brute(method, near, served, n_sites)
        assert found.index.is_unique
        assert len(found) == n_sites
        if solver == "highs":
            assert facts["objective"] == pytest.approx(best, rel=1e-12)
        sign = 1 if method == "mclp" else -1
        assert sign * facts["objective"] <= sign * best + 1e-6
        assert sign * best <= sign * facts["bound"] + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_fewest_sites_equal_brute_force(seed: int) -> None:
    demand = places(25, seed, population=np.ones(25))
    candidates = places(8, seed + 50)
    km = ocm.geodesy.distance_km(
        demand.geometry.x.to_numpy()[:, None],
        demand.geometry.y.to_numpy()[:, None],
        candidates.geometry.x.to_numpy(),
        candidates.geometry.y.to_numpy(),
    )
    within = float(np.max(np.min(km, axis=1))) + 0.001
    fewest = next(
        n
        for n in range(1, 9)
        if any((km[:, list(c)] <= within).any(axis=1).all() for c in combinations(range(8), n))
    )
    found = ocm.suggest_sites(demand, candidates, None, None, within_km=within, method="lscp")
    assert len(found) == fewest
    greedy = ocm.suggest_sites(
        demand, candidates, None, None, within_km=within, method="lscp", solver="greedy"
    )
    assert greedy.attrs["ocm"]["siting"]["bound"] <= fewest <= len(greedy)


def test_the_order_of_rows_does_not_matter() -> None:
    one = ocm.suggest_sites(DEMAND, CANDIDATES, STATIONS, 4, within_km=20)
    mixed = [t.sample(frac=1, random_state=5) for t in (DEMAND, CANDIDATES, STATIONS)]
    other = ocm.suggest_sites(mixed[0], mixed[1], mixed[2], 4, within_km=20)
    assert sorted(other.index) == sorted(one.index)
    assert other.attrs["ocm"]["siting"]["objective"] == one.attrs["ocm"]["siting"]["objective"]


def test_far_pairs_are_never_built() -> None:
    """100,000 places by 5,000 candidates: the matrix would have half a billion costs."""
    demand = places(100_000, population=np.ones(100_000))
    spread = demand.assign(geometry=demand.geometry.affine_transform([8, 0, 0, 8, 0, -380]))
    candidates = spread.iloc[:5_000]
    tracemalloc.start()
    found = ocm.suggest_sites(spread, candidates, None, 5, within_km=3, solver="greedy")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.attrs["ocm"]["siting"]["n_pairs"] < 1_000_000
    assert peak < 400e6


@pytest.mark.parametrize("method", ["mclp", "p-median"])
@pytest.mark.parametrize("n_sites", [1, 3, 8])
def test_greedy_is_bounded(method: str, n_sites: int) -> None:
    _, exact = suggested(n_sites, 25, method)
    _, greedy = suggested(n_sites, 25, method, solver="greedy")
    sign = 1 if method == "mclp" else -1
    start = exact["population_reached_before"]
    if method == "p-median":
        start = PEOPLE @ np.minimum(COSTS[:, 30:].min(axis=1), 25)
    most, got = (abs(facts["objective"] - start) for facts in (exact, greedy))
    assert got >= (1 - 1 / np.e) * most
    assert sign * greedy["bound"] >= sign * exact["objective"] - 1e-9
    assert sign * greedy["objective"] <= sign * exact["objective"] + 1e-9
    assert greedy["gap"] >= 0


def test_greedy_set_covering_is_bounded() -> None:
    _, exact = suggested(None, 30, "lscp")
    found, greedy = suggested(None, 30, "lscp", solver="greedy")
    assert greedy["bound"] <= exact["objective"] <= greedy["objective"] == len(found)
    assert greedy["population_reached_after"] == greedy["population"]


@pytest.mark.parametrize("method", ["mclp", "p-median", "lscp"])
def test_solvers_of_pulp_find_the_same(method: str) -> None:
    n_sites = None if method == "lscp" else 4
    _, ours = suggested(n_sites, 30, method)
    _, theirs = suggested(n_sites, 30, method, solver=HIGHS)
    assert theirs["objective"] == pytest.approx(ours["objective"], rel=1e-9)
    assert theirs["solver"] == "HiGHS"
    assert theirs["gap"] >= 0


def test_time_may_run_out_and_the_gap_says_so() -> None:
    found, facts = suggested(6, 25, time_limit_s=1e-4)
    assert len(found) == 6
    assert facts["status"] in {"time limit", "optimal"}
    _, exact = suggested(6, 25)
    assert facts["objective"] <= exact["objective"] <= facts["bound"]


def test_stations_that_exist_stay() -> None:
    towns = on_the_equator([0, 50, 100], population=[500, 100, 200])
    sites = on_the_equator([1], first=9)
    candidates = on_the_equator([2, 51, 98], first=30)
    found = ocm.suggest_sites(towns, candidates, sites, 2, within_km=5)
    assert found.index.tolist() == [32, 31]
    assert found["population_gained"].tolist() == [200, 100]
    # Where nobody more can be reached, sites add nothing, and say so.
    more = ocm.suggest_sites(towns, candidates, sites, 3, within_km=5)
    assert more["population_gained"].tolist() == [200, 100, 0]
    first = ocm.suggest_sites(towns, candidates, None, 1, within_km=5)
    assert first.index.tolist() == [30]


def test_set_covering_says_who_stays_out() -> None:
    towns = on_the_equator([0, 50, 300], population=[5, 10, 7])
    candidates = on_the_equator([2, 51], first=30)
    with pytest.warns(ocm.SuspectInput, match="1 points with a population of 7"):
        found = ocm.suggest_sites(towns, candidates, None, None, within_km=5, method="lscp")
    assert sorted(found.index) == [30, 31]
    nobody = towns.assign(population=[5, 10, 0])
    full = ocm.suggest_sites(nobody, candidates, None, 2, within_km=5, method="lscp")
    assert full.attrs["ocm"]["siting"]["population_reached_after"] == 15
    all_served = ocm.suggest_sites(nobody, candidates, towns, None, within_km=5, method="lscp")
    assert all_served.empty
    assert list(all_served.columns) == ["geometry", "rank", "population_gained"]
    with pytest.raises(ocm.QueryError, match="needs 2 sites"):
        ocm.suggest_sites(nobody, candidates, None, 1, within_km=5, method="lscp")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_sites": 0}, "whole number from 1 to 3"),
        ({"n_sites": 4}, "whole number from 1 to 3"),
        ({"n_sites": 1.5}, "whole number"),
        ({"n_sites": None}, "whole number"),
        ({"within_km": -1}, "within_km"),
        ({"method": "p-center"}, "method must be one of"),
        ({"solver": "cplex"}, "choose one of"),
        ({"solver": 5}, "solver of pulp"),
        ({"population": "people"}, "no population column"),
        ({"time_limit_s": 0}, "time_limit_s"),
        ({"gap": 2}, "gap"),
        ({"time_limit_s": "long"}, "time_limit_s"),
        ({"within_km": np.nan}, "within_km"),
        ({"threads": 2}, "not an option"),
        ({"costs": 5}, "three columns"),
        ({"costs": ROWS.rename(columns={"candidate": "ocm_id"})}, "candidate"),
        ({"costs": ROWS, "stations": on_the_equator([1], first=9)}, "station_costs is missing"),
        ({"station_costs": ROWS}, "requires costs"),
        (
            {
                "costs": ROWS,
                "stations": on_the_equator([1], first=9),
                "station_costs": pd.DataFrame({"origin": [0], "ocm_id": [9], "km": [1.0]}),
            },
            "use the same unit",
        ),
        ({"candidates": on_the_equator([])}, "the table is empty"),
        ({"demand": on_the_equator([0, 1], population=[0, 0])}, "nobody lives"),
        ({"demand": on_the_equator([0, 1], population=[0, -1])}, "missing, negative"),
    ],
)
def test_wrong_input_says_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {
        "demand": on_the_equator([0, 50], population=[5, 10]),
        "candidates": on_the_equator([0, 50, 60]),
        "stations": None,
        "n_sites": 1,
        "within_km": 5,
        **changes,
    }
    with pytest.raises(ocm.QueryError, match=message):
        ocm.suggest_sites(**asked)
