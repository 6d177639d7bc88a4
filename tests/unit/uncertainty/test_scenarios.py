from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.qualifying import station_bounds
from tests.unit.access.made import on_the_equator

if TYPE_CHECKING:
    import geopandas as gpd

SURE = '[{"ID": 1, "PowerKW": 50}]'


def made() -> gpd.GeoDataFrame:
    """One sure station, three uncertain ones: no power, no access, no status."""
    table = on_the_equator([0, 10, 20, 30], first=1).rename_axis("ocm_id")
    return table.assign(
        connections=[SURE, "[]", SURE, SURE],
        usage_type_id=pd.array([1, 1, None, 1], dtype="Int64"),
        status_type_id=pd.array([50, 50, 50, None], dtype="Int64"),
        n_connectors=[1, 10, 100, 1000],
    )


def total(stations: gpd.GeoDataFrame) -> float:
    return float(stations["n_connectors"].sum())


def by_station(stations: gpd.GeoDataFrame) -> Any:
    return stations["n_connectors"].reindex([1, 2, 3, 4]).astype("Float64")


def test_scenarios_are_named() -> None:
    found = ocm.uncertainty_scenarios(total, made(), n_draws=0)
    assert found.table["uncertain out"].tolist() == [1]
    assert found.table["as recorded"].tolist() == [1111]
    assert found.table["uncertain in"].tolist() == [1111]
    assert found.table[["low", "high"]].isna().all().all()
    strong = ocm.uncertainty_scenarios(total, made(), qualifying=ocm.Qualifying(50), n_draws=0)
    assert strong.table["as recorded"].tolist() == [1101]  # a missing power does not count
    assert strong.table["uncertain in"].tolist() == [1111]
    assert strong.facts["scenarios"] == {"uncertain out": 1, "as recorded": 3, "uncertain in": 4}


def test_draws_have_the_stated_probability() -> None:
    found = ocm.uncertainty_scenarios(by_station, made(), n_draws=600, probability=0.3, seed=5)
    inside = ~np.isnan(found.draws)
    assert inside[:, 0].all()
    # Three standard deviations of a share of 600.
    assert inside[:, 1:].mean(axis=0) == pytest.approx([0.3] * 3, abs=0.057)
    # Each by itself.
    assert np.corrcoef(inside[:, 1:].T) == pytest.approx(np.eye(3), abs=0.13)


def test_each_station_may_have_its_own_probability() -> None:
    chance = pd.Series({2: 0.0, 3: 1.0, 4: 0.5})
    found = ocm.uncertainty_scenarios(by_station, made(), n_draws=50, probability=chance)
    inside = ~np.isnan(found.draws)
    assert inside[:, :3].all(axis=0).tolist() == [True, False, True]
    assert not inside[:, 1].any()
    with pytest.raises(ocm.QueryError, match="station 4 has nan"):
        ocm.uncertainty_scenarios(total, made(), probability=chance.drop(4))


def test_the_interval_is_seeded() -> None:
    found = [ocm.uncertainty_scenarios(total, made(), n_draws=40, seed=seed) for seed in (1, 1, 2)]
    assert (found[0].draws == found[1].draws).all()
    assert (found[0].draws != found[2].draws).any()
    low, high = np.quantile(found[0].draws[:, 0], [0.025, 0.975], method="nearest")
    assert found[0].table[["low", "high"]].to_numpy()[0].tolist() == [low, high]


def test_drivers_are_named_with_their_reasons() -> None:
    found = ocm.uncertainty_scenarios(total, made(), n_draws=10).drivers
    assert found.index.tolist() == [4, 3, 2]
    assert found.index.name == "ocm_id"
    assert found["change"].tolist() == [1000, 100, 10]
    assert found["uncertain_status"].tolist() == [True, False, False]
    assert found["uncertain_access"].tolist() == [False, True, False]
    assert found["uncertain_power"].tolist() == [False, False, True]


def test_draws_tell_which_of_many_to_try() -> None:
    many = pd.concat([made()] * 20).set_axis(pd.RangeIndex(80, name="ocm_id"))
    many["n_connectors"] = np.where(np.arange(80) == 41, 5000, 1)
    with pytest.warns(ocm.InexactMethod, match="60 stations are uncertain, of which only 40"):
        found = ocm.uncertainty_scenarios(total, many, n_draws=40, n_drivers=2, max_tried=40)
    assert len(found.drivers) == 2
    assert found.drivers.index[0] == 41
    assert found.facts["n_uncertain"] == 60
    assert found.facts["n_tried"] == 40
    with pytest.warns(ocm.InexactMethod, match="only 3 are tried"):
        blind = ocm.uncertainty_scenarios(total, many, n_draws=0, max_tried=3)
    assert len(blind.drivers) == 3
    assert ocm.uncertainty_scenarios(total, many, n_draws=5, n_drivers=0).drivers.empty


@pytest.mark.parametrize("n_draws", [0, 20])
def test_drivers_are_those_of_brute_force(n_draws: int) -> None:
    """Where each is tried, the most moving ones are named in their order, with their change."""
    many = pd.concat([made()] * 15).set_axis(pd.RangeIndex(60, name="ocm_id"))
    many["n_connectors"] = np.random.default_rng(4).permutation(60) + 1
    qualifying = ocm.Qualifying(min_power_kw=50)

    def squared(some: gpd.GeoDataFrame) -> float:
        return float((some["n_connectors"] ** 2).sum() ** 0.5)

    found = ocm.uncertainty_scenarios(
        squared, many, qualifying=qualifying, n_draws=n_draws, n_drivers=5
    )
    masks = station_bounds(many, qualifying)
    change = {}
    for at in np.flatnonzero(masks.uncertain):
        here, gone = masks.central.copy(), masks.central.copy()
        here[at], gone[at] = True, False
        change[many.index[at]] = squared(many[here]) - squared(many[gone])
    expected = pd.Series(change).sort_values(ascending=False).head(5)
    assert found.drivers.index.tolist() == expected.index.tolist()
    assert found.drivers["change"].tolist() == pytest.approx(expected.tolist())
    assert found.facts["n_tried"] == found.facts["n_uncertain"] == 45
    assert not found.drivers.loc[found.drivers["uncertain_power"], "counts"].any()


def test_a_value_that_hangs_on_one_station_is_counted() -> None:
    """A place without any station has no value: said for the draws, and of the station."""
    towns = on_the_equator([0, 21], people=[100, 100])

    def nearest(some: gpd.GeoDataFrame) -> Any:
        return ocm.nearest_stations(towns, some, max_km=5)["nearest_km"]

    found = ocm.uncertainty_scenarios(nearest, made(), n_draws=200)
    sure, unsure = found.table.to_dict("records")
    assert sure["missing"] == 0
    assert unsure["missing"] == pytest.approx(0.5, abs=0.11)
    assert unsure["low"] == unsure["mean"] == unsure["high"] == pytest.approx(1, abs=1e-3)
    assert found.drivers["n_missing"].tolist() == [1, 0, 0]
    assert found.drivers.index[0] == 3
    nothing = ocm.uncertainty_scenarios(nearest, made(), n_draws=30, probability=0.0, n_drivers=0)
    assert nothing.table["missing"].tolist() == [0, 1]
    assert nothing.table["mean"].isna().tolist() == [False, True]


def test_a_measure_may_be_infinite() -> None:
    def unequal(some: gpd.GeoDataFrame) -> float:
        return np.inf if len(some) < 3 else float(len(some))

    found = ocm.uncertainty_scenarios(unequal, made(), n_draws=100)
    assert found.table["uncertain out"].tolist() == [np.inf]
    assert found.table["high"].tolist() == [np.inf]
    assert found.table["low"].tolist() == [3]


def test_access_equity_and_siting_under_uncertainty() -> None:
    stations = ocm.stations(source=ocm.sample(), min_power_kw=50)
    towns = ocm.sample_areas().assign(geometry=lambda t: t.representative_point())
    candidates = stations.head(40)

    def access(some: gpd.GeoDataFrame) -> Any:
        return ocm.accessibility(towns, some, 30, population="population")

    def chosen(some: gpd.GeoDataFrame) -> Any:
        sites = ocm.suggest_sites(towns, candidates, some.head(5), 2, within_km=20)
        return pd.Series(candidates.index.isin(sites.index), candidates.index, dtype=float)

    found = ocm.uncertainty_scenarios(access, stations, n_draws=20, n_drivers=5)
    bounds = station_bounds(stations)
    alone = access(stations[bounds.low]).to_numpy(dtype=float)
    assert found.table["uncertain out"].to_numpy() == pytest.approx(alone)
    assert found.table.index.equals(towns.index)
    assert (found.table["low"] <= found.table["high"]).all()
    assert found.table.attrs["ocm"]["scenarios"]["probability"] == 0.5
    often = ocm.uncertainty_scenarios(chosen, stations, n_draws=10, n_drivers=0).table["mean"]
    assert often.sum() == pytest.approx(2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probability": 1.2}, "from 0 to 1"),
        ({"probability": "half"}, "probability must be a number"),
        ({"probability": pd.Series({2: 0.1, 3: 0.1, 4: 0.1}).repeat(2)}, "each station once"),
        ({"measure": 5}, "function of a station table"),
        ({"qualifying": "fast"}, "Qualifying"),
        ({"n_draws": -1}, "n_draws"),
        ({"n_draws": "many"}, "n_draws"),
        ({"seed": -1}, "seed"),
        ({"measure": lambda some: some}, "number or a Series of numbers"),
        ({"measure": lambda some: some["connections"]}, "number or a Series of numbers"),
        ({"n_drivers": 1.5}, "n_drivers"),
        ({"max_tried": -1}, "max_tried"),
        ({"measure": lambda some: some["n_connectors"]}, "same index"),
        ({"stations": made().drop(columns="connections")}, "no column 'connections'"),
    ],
)
def test_wrong_input_says_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {"measure": total, "stations": made(), **changes}
    with pytest.raises(ocm.QueryError, match=message):
        ocm.uncertainty_scenarios(asked.pop("measure"), asked.pop("stations"), **asked)
