from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.levels import LEVELS
from ocm_geo.qualifying import describe_bounds, station_bounds
from ocm_geo.standards.pools import Pools

ESTIMATE = "kW power is an estimate based on the connection type"
SURE, GUESS, UNKNOWN = {"PowerKW": 150.0}, {"PowerKW": 150.0, "Comments": ESTIMATE}, {"ID": 1}
SLOW = {"PowerKW": 11.0}


Row = tuple[list[dict[str, Any]], int | None, int | None]


def table(*rows: Row) -> gpd.GeoDataFrame:
    plugs, usage, status = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            "connections": [json.dumps(plug) for plug in plugs],
            "usage_type_id": pd.array(usage, dtype="Int64"),
            "status_type_id": pd.array(status, dtype="Int64"),
        },
        index=pd.RangeIndex(1, len(rows) + 1, name="ocm_id"),
    )
    return gpd.GeoDataFrame(
        frame, geometry=gpd.points_from_xy([5.0] * len(rows), [52.0] * len(rows)), crs="EPSG:4326"
    )


CASES: dict[str, tuple[Row, tuple[int, int, int]]] = {
    # plugs, usage, status -> low, central, high for >= 50 kW, public, operational
    "sure": (([SURE], 1, 50), (1, 1, 1)),
    "estimated": (([GUESS], 1, 50), (0, 1, 1)),
    "power missing": (([UNKNOWN], 1, 50), (0, 0, 1)),
    "no connection listed": (([], 1, 50), (0, 0, 1)),
    "one sure of two": (([UNKNOWN, SURE], 1, 50), (1, 1, 1)),
    "slow": (([SLOW], 1, 50), (0, 0, 0)),
    "slow and missing": (([SLOW, UNKNOWN], 1, 50), (0, 0, 1)),
    "access missing": (([SURE], None, 50), (0, 1, 1)),
    "access unknown": (([SURE], 0, 50), (0, 1, 1)),
    "private": (([SURE], 2, 50), (0, 0, 0)),
    "status missing": (([SURE], 1, None), (0, 1, 1)),
    "status unknown": (([SURE], 1, 0), (0, 1, 1)),
    "closed": (([SURE], 1, 100), (0, 0, 0)),
    "private, the rest uncertain": (([UNKNOWN], 2, None), (0, 0, 0)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_counts_at_each_level(name: str) -> None:
    row, expected = CASES[name]
    bounds = station_bounds(table(row), ocm.Qualifying(min_power_kw=50))
    assert tuple(np.concatenate(bounds).astype(int)) == expected


def test_power_does_not_matter_where_it_is_not_asked_for() -> None:
    bounds = station_bounds(table(([UNKNOWN], 1, 50)), ocm.Qualifying())
    assert bounds.low.all()


def test_without_a_rule_all_given_count_and_every_uncertain_one_is_out() -> None:
    stations = table(*(row for row, _ in CASES.values()))
    bounds = station_bounds(stations)
    assert bounds.central.all()
    assert bounds.high.all()
    kept = [name for name, low in zip(CASES, bounds.low, strict=True) if low]
    assert kept == ["sure", "one sure of two", "slow", "slow and missing", "private", "closed"]


def test_the_uncertain_are_listed_with_their_reasons() -> None:
    stations = table(*(row for row, _ in CASES.values()))
    rule = ocm.Qualifying(min_power_kw=50)
    found = ocm.uncertain_stations(stations, rule)
    expected = [i for i, (_, levels) in enumerate(CASES.values(), 1) if levels[0] != levels[2]]
    assert found.index.tolist() == expected
    assert found["uncertain_power"].sum() == 4
    assert found["uncertain_access"].sum() == found["uncertain_status"].sum() == 2
    assert found["counts"].sum() == 5
    facts = describe_bounds(stations, rule, station_bounds(stations, rule))
    assert (facts["n_low"], facts["n_central"], facts["n_high"]) == (2, 7, 10)
    assert facts["n_uncertain"] == len(found) == 8
    assert json.loads(json.dumps(facts)) == facts


def test_the_same_levels_as_the_standards_have() -> None:
    stations = ocm.stations(source=ocm.sample())
    # Nothing is known of a record without connections: the two read that differently.
    stations = stations[stations["connections"] != "[]"]
    rule = ocm.Rule(
        id="x",
        jurisdiction="",
        citation="",
        network="",
        vehicle_class="",
        evidence="S",
        point_power_kw=50.0,
        n_points=1,
    )
    bounds = station_bounds(stations, ocm.Qualifying(min_power_kw=50))
    made = Pools(stations, rule, ocm.PoolRules(merge_m=0), strict_power=False)
    ids = made.table(rule, 1)["ocm_ids"]
    for level, counts in zip(LEVELS, bounds, strict=True):
        ours = pd.Series(counts, stations.index)
        assert ours.sum() > 100
        assert [ours[own].any() for own in ids] == made.qualify(rule, level, 1).tolist()
        assert ours[~ours.index.isin(ids.explode())].sum() == 0


def test_wrong_rules_and_tables_are_refused() -> None:
    with pytest.raises(ocm.QueryError, match="of kW above 0"):
        ocm.Qualifying(min_power_kw=0)
    with pytest.raises(ocm.QueryError, match="usage_type_id"):
        station_bounds(table(CASES["sure"][0]).drop(columns="usage_type_id"))
