"""Stations that a table holds more than once."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd

import ocm_geo as ocm
from tests.unit.quality.test_matching import table


def test_copies_are_found_and_nothing_else() -> None:
    stations = ocm.stations_from_country("NL", source="sample").iloc[:120]
    before = set(ocm.find_duplicates(stations)["ocm_id"])
    copies = stations.iloc[::30].copy()
    copies.index = pd.Index(copies.index + 10**8, name="ocm_id")
    both = gpd.GeoDataFrame(pd.concat([stations, copies]), crs=stations.crs)
    found = ocm.find_duplicates(both)
    assert set(found["ocm_id"]) - before == set(copies.index) | set(copies.index - 10**8) - before
    for copy in copies.index:
        of_both = found.set_index("ocm_id")["group"]
        assert of_both[copy] == of_both[copy - 10**8]


def test_posts_with_their_own_evse_ids_are_not_duplicates() -> None:
    def post(rank: int) -> dict[str, object]:
        evse_id = f"NL*ABC*E100{rank}*1"
        connection = [{"ID": rank, "ConnectionTypeID": 25, "Reference": evse_id}]
        return {
            "id": rank,
            "lon": 5.0 + rank * 2e-5,
            "lat": 52.0,
            "title": "Marktplein",
            "connections": json.dumps(connection),
        }

    posts = table([post(rank) for rank in range(1, 5)])
    assert ocm.find_duplicates(posts).empty
    assert len(ocm.find_duplicates(posts.drop(columns="connections"))) == 4


def test_both_sides_of_a_motorway_are_two_stations() -> None:
    sides = [
        {"id": 1, "lon": 5.0, "lat": 52.0, "title": "Welcome Break M6 (S) Services"},
        {"id": 2, "lon": 5.001, "lat": 52.0, "title": "Welcome Break M6 (N) Services"},
    ]
    assert ocm.find_duplicates(table(sides)).empty


def test_the_order_of_rows_decides_nothing() -> None:
    stations = ocm.stations_from_country("NL", source="sample")
    found = ocm.find_duplicates(stations)
    again = ocm.find_duplicates(stations.sample(frac=1, random_state=5))
    assert set(found["ocm_id"]) == set(again["ocm_id"])
    groups = [set(map(frozenset, t.groupby("group")["ocm_id"].agg(set))) for t in (found, again)]
    assert groups[0] == groups[1]


def test_an_empty_table_has_no_duplicates() -> None:
    stations = ocm.stations_from_country("NL", source="sample").iloc[:0]
    found = ocm.find_duplicates(stations)
    assert found.columns.tolist() == ["ocm_id", "group", "score", "reasons"]
    assert found.empty
    assert np.array_equal(found["group"].to_numpy(), [])
