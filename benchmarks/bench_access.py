"""Access, equity and siting: against PySAL's access and spopt, on the same pairs."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import access.fca
import access.raam
import access.weights
import geopandas as gpd
import numpy as np
import pandas as pd
import pulp
from spopt.locate import MCLP

import ocm_geo as ocm
from benchmarks.timing import report, seconds
from ocm_geo.access.catchments import catchments
from ocm_geo.geodesy import distance_km

CATCHMENT_KM = 17.5
CYCLES = 2
"""Of RAAM for the comparison: PySAL's take seconds each."""


def main() -> None:
    """Print the ratios."""
    demand, stations = _made(20_000, 5_000)
    near = catchments(demand, stations, CATCHMENT_KM)
    costs = pd.DataFrame(
        {
            "origin": demand.index[near.origin],
            "ocm_id": stations.index[near.station],
            "km": near.cost,
        }
    )
    # In no order, as a routing engine may give them.
    costs = costs.sample(frac=1, random_state=0)
    _floating_catchments(demand, stations, costs)
    _raam(demand, stations, costs)
    _growth()
    _equity()
    _siting()


def _made(n: int, m: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Spread places and stations over a box whose size keeps the pairs a place has."""
    rng = np.random.default_rng(0)
    side = 4 * np.sqrt(n / 20_000)
    here, there = (rng.uniform((4, 50), (4 + side, 50 + side), (k, 2)) for k in (n, m))
    demand = gpd.GeoDataFrame(
        {"people": rng.integers(1, 1000, n)},
        pd.Index(rng.permutation(n), name="place"),
        geometry=gpd.points_from_xy(*here.T),
        crs="EPSG:4326",
    )
    stations = gpd.GeoDataFrame(
        {"n_connectors": rng.integers(1, 9, m)},
        pd.Index(rng.permutation(m), name="ocm_id"),
        geometry=gpd.points_from_xy(*there.T),
        crs="EPSG:4326",
    )
    return demand, stations


def _floating_catchments(
    demand: gpd.GeoDataFrame, stations: gpd.GeoDataFrame, costs: pd.DataFrame
) -> None:
    ends = {CATCHMENT_KM / 3: 1, 2 * CATCHMENT_KM / 3: 0.68, CATCHMENT_KM: 0.22}
    step = access.weights.step_fn(ends)
    tables = _for_pysal(demand, stations, costs)

    def pysal() -> Any:  # noqa: ANN401 - a Series of an untyped package
        return access.fca.two_stage_fca(
            *tables,
            CATCHMENT_KM,
            demand_index=True,
            demand_name="people",
            supply_name="n_connectors",
            weight_fn=step,
        )

    def ours() -> Any:  # noqa: ANN401 - a series
        return ocm.accessibility(demand, stations, CATCHMENT_KM, population="people", costs=costs)

    peer = pysal().reindex(demand.index).fillna(0)
    apart = np.abs(ours().to_numpy() - peer.to_numpy()).max() / peer.max()
    what = f"E2SFCA, {len(costs):,} pairs"
    report(what, seconds(ours, 25), pysal_access=seconds(pysal, 3))
    print(f"  largest relative difference {apart:.1e}")
    whole = seconds(lambda: ocm.accessibility(demand, stations, CATCHMENT_KM, population="people"))
    report(f"{what}, finding the pairs too", whole)


def _raam(demand: gpd.GeoDataFrame, stations: gpd.GeoDataFrame, costs: pd.DataFrame) -> None:
    tables = _for_pysal(demand, stations, costs)

    def pysal() -> Any:  # noqa: ANN401 - a Series of an untyped package
        names = {"demand_name": "people", "supply_name": "n_connectors"}
        return access.raam.raam(*tables, **names, tau=20, max_cycles=CYCLES)

    def ours(cycles: int = CYCLES) -> Any:  # noqa: ANN401 - a series
        return ocm.accessibility(
            demand,
            stations,
            CATCHMENT_KM,
            method="raam",
            population="people",
            costs=costs,
            tau=20,
            max_cycles=cycles,
        )

    with warnings.catch_warnings():
        # So few cycles do not settle.
        warnings.simplefilter("ignore", ocm.InexactMethod)
        apart = np.abs(ours().loc[(peer := pysal()).index].to_numpy() - peer.to_numpy()).max()
        report(f"RAAM, {CYCLES} cycles", seconds(ours), pysal_access=seconds(pysal, 1))
    print(f"  largest difference {apart:.1e}")
    report("RAAM, 150 cycles", seconds(lambda: ours(150), 1))


def _for_pysal(
    demand: gpd.GeoDataFrame, stations: gpd.GeoDataFrame, costs: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return (
        pd.DataFrame(demand[["people"]]).rename_axis("geoid"),
        pd.DataFrame(stations[["n_connectors"]]).rename_axis("geoid"),
        costs.set_axis(["origin", "dest", "cost"], axis=1),
    )


def _growth() -> None:
    """Print the time for ten and a hundred times as many places and stations."""
    for n in (10_000, 100_000, 1_000_000):
        demand, stations = _made(n, n // 10)
        taken = seconds(partial(ocm.accessibility, demand, stations, 10, population="people"), 2)
        report(f"E2SFCA from positions, {n:,} places: {1e6 * taken / n:.1f} µs a place", taken)


def _equity() -> None:
    rng = np.random.default_rng(0)
    for n in (10_000, 100_000, 1_000_000):
        values, weights = rng.lognormal(size=n), rng.uniform(1, 100, n)
        report(f"equity of {n:,} places", seconds(partial(ocm.equity, values, weights, n_boot=0)))
    values, weights = values[:100_000], weights[:100_000]
    drawn = seconds(partial(ocm.equity, values, weights, n_boot=1_000), 1)
    report("equity of 100,000 places with 1,000 draws", drawn)


def _siting() -> None:
    demand, candidates = _made(1_500, 300)
    demand["population"] = demand["people"]

    def ours() -> gpd.GeoDataFrame:
        return ocm.suggest_sites(demand, candidates, None, 10, within_km=15)

    def spopt() -> Any:  # noqa: ANN401 - a model of an untyped package
        here, there = demand.geometry, candidates.geometry
        matrix = distance_km(
            here.x.to_numpy()[:, None], here.y.to_numpy()[:, None], there.x, there.y
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            model = MCLP.from_cost_matrix(matrix, demand["population"].to_numpy(), 15, 10)
            return model.solve(pulp.HiGHS(msg=False))

    exact = ours().attrs["ocm"]["siting"]
    peer = pulp.value(spopt().problem.objective)
    report("MCLP, 10 of 300 sites for 1,500 places", seconds(ours, 1), spopt=seconds(spopt, 1))
    print(f"  people within reach {exact['objective']:,.0f} and {peer:,.0f}; gap {exact['gap']}")
    large, many = _made(100_000, 5_000)
    large["population"] = large["people"]

    def greedy() -> gpd.GeoDataFrame:
        return ocm.suggest_sites(large, many, None, 50, within_km=15, solver="greedy")

    gap = greedy().attrs["ocm"]["siting"]["gap"]
    report(f"greedy MCLP, 50 of 5,000 sites, 100,000 places, gap {gap:.3f}", seconds(greedy, 1))
