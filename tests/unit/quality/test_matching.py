"""Stations of two tables, matched one to one."""

from __future__ import annotations

import itertools
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.quality.assigning import assign_pairs
from ocm_geo.quality.texts import TextIndex

RNG = np.random.default_rng(7)


def table(rows: list[dict[str, object]], name: str = "station_id") -> gpd.GeoDataFrame:
    frame = pd.DataFrame(rows).set_index("id").rename_axis(name)
    points = gpd.points_from_xy(frame.pop("lon"), frame.pop("lat"), crs=4326)
    return gpd.GeoDataFrame(frame, geometry=points)


def pairs_of(matches: pd.DataFrame) -> set[tuple[object, object]]:
    return set(zip(matches["id_a"], matches["id_b"], strict=True))


@pytest.fixture(scope="module")
def stations() -> gpd.GeoDataFrame:
    return ocm.stations_from_country("NL", source="sample").iloc[:150]


@pytest.fixture(scope="module")
def moved(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The same stations in another register: some metres away, with other ids."""
    shift = np.random.default_rng(3).normal(0, 12, (len(stations), 2))
    metres = stations.to_crs(28992).geometry
    points = gpd.GeoSeries.from_xy(metres.x + shift[:, 0], metres.y + shift[:, 1], crs=28992)
    other = stations.set_geometry(gpd.GeoSeries(points.to_numpy(), stations.index, crs=28992))
    other = other.drop(columns=["uuid", "provider_reference"])
    other.index = pd.Index([f"N{i}" for i in stations.index], name="station_id")
    return other


def test_moved_stations_are_found_again(
    stations: gpd.GeoDataFrame, moved: gpd.GeoDataFrame
) -> None:
    matches = ocm.match_stations(stations, moved)
    right = [b == f"N{a}" for a, b in pairs_of(matches)]
    assert len(right) >= 0.97 * len(stations)
    assert np.mean(right) >= 0.98
    assert matches["score"].between(0.5, 1).all()
    assert matches["id_a"].is_unique
    assert matches["id_b"].is_unique
    assert matches["id_a"].tolist() == [i for i in stations.index if i in set(matches["id_a"])]


def test_the_order_of_rows_and_the_side_decide_nothing(
    stations: gpd.GeoDataFrame, moved: gpd.GeoDataFrame
) -> None:
    expected = pairs_of(ocm.match_stations(stations, moved))
    shuffled = ocm.match_stations(
        stations.sample(frac=1, random_state=1), moved.sample(frac=1, random_state=2).to_crs(3857)
    )
    assert pairs_of(shuffled) == expected
    turned = ocm.match_stations(moved, stations)
    assert {(b, a) for a, b in pairs_of(turned)} == expected


def test_stations_far_away_do_not_match(
    stations: gpd.GeoDataFrame, moved: gpd.GeoDataFrame
) -> None:
    metres = moved.to_crs(28992)
    away = metres.set_geometry(metres.translate(60_000, 90_000))
    assert len(ocm.match_stations(stations, away)) <= 1


def test_columns_may_be_missing() -> None:
    a = table([{"id": 1, "lon": 5.0, "lat": 52.0}, {"id": 2, "lon": 5.1, "lat": 52.0}])
    b = table([{"id": "x", "lon": 5.0001, "lat": 52.0}])
    matches = ocm.match_stations(a, b)
    assert pairs_of(matches) == {(1, "x")}
    assert matches["distance_m"].iloc[0] == pytest.approx(6.86, abs=0.01)


def test_a_shared_evse_id_outweighs_the_nearer_neighbour() -> None:
    def connection(evse_id: str) -> str:
        return json.dumps([{"ID": 1, "ConnectionTypeID": 33, "Reference": evse_id}])

    a = table([{"id": 1, "lon": 5.0, "lat": 52.0, "connections": connection("NL*ABC*E1001*1")}])
    near = {"id": "near", "lon": 5.0001, "lat": 52.0, "connections": connection("NLABCE2002")}
    far = {"id": "far", "lon": 5.008, "lat": 52.0, "connections": connection("NLABCE10011")}
    matches = ocm.match_stations(a, table([near, far]))
    assert pairs_of(matches) == {(1, "far")}
    assert "same identifier NLABCE10011" in matches["reasons"].iloc[0]


def test_a_device_that_was_moved_does_not_take_its_station_along() -> None:
    a = table([{"id": 1, "lon": 5.0, "lat": 52.0, "operator_reference": "ALLEGO0123451"}])
    b = table([{"id": 2, "lon": 5.04, "lat": 52.0, "operator_reference": "ALLEGO0123451"}])
    assert ocm.match_stations(a, b).empty


def test_ids_that_count_from_one_are_no_identifiers() -> None:
    a = table([{"id": 10_001, "lon": 5.0, "lat": 52.0}], "ocm_id")
    b = table([{"id": 10_001, "lon": 5.01, "lat": 52.0}])
    assert ocm.match_stations(a, b).empty


def test_the_id_of_an_import_is_an_identifier() -> None:
    a = table([{"id": 1, "lon": 5.0, "lat": 52.0, "provider_reference": "39114"}], "ocm_id")
    b = table([{"id": 39_114, "lon": 5.015, "lat": 52.0}])
    assert pairs_of(ocm.match_stations(a, b)) == {(1, 39_114)}


def test_a_fast_site_is_not_the_slow_post_beside_it() -> None:
    fast = {"lon": 5.0, "lat": 52.0, "title": "Wolvega", "max_power_kw": 250.0, "n_points": 20}
    slow = {**fast, "title": "Hotel Wolvega", "max_power_kw": 22.0, "n_points": 2, "lon": 5.0003}
    a, b = table([{"id": 1, **slow}]), table([{"id": 2, **fast}])
    assert ocm.match_stations(a, b).empty


@pytest.mark.parametrize("bad", [-1, "near", None])
def test_a_wrong_distance_is_refused(stations: gpd.GeoDataFrame, bad: object) -> None:
    with pytest.raises(ocm.QueryError, match="max_km"):
        ocm.match_stations(stations, stations, max_km=bad)  # type: ignore[arg-type]


def test_the_assignment_is_the_best_there_is() -> None:
    for _ in range(40):
        gain = RNG.uniform(-1, 3, (4, 5))
        i, j = (x.ravel() for x in np.indices(gain.shape))
        chosen = assign_pairs(i, j, gain.ravel())
        worth = np.maximum(gain, 0)
        best = max(
            sum(worth[row, column] for row, column in enumerate(columns))
            for columns in itertools.permutations(range(5), 4)
        )
        assert gain.ravel()[chosen].sum() == pytest.approx(best)
        assert len(set(i[chosen])) == len(set(j[chosen])) == len(chosen)


def test_many_blocks_are_assigned_as_one_by_one() -> None:
    n = 3000
    i = np.repeat(np.arange(n), 3)
    j = i // 5 * 5 + RNG.integers(0, 5, 3 * n)
    first, second = np.unique(np.column_stack([i, j]), axis=0).T
    gain = RNG.uniform(-0.5, 2, len(first))
    chosen = set(assign_pairs(first, second, gain).tolist())
    for block in range(0, n, 500):
        rows = np.flatnonzero((first >= block) & (first < block + 500))
        alone = rows[assign_pairs(first[rows], second[rows], gain[rows])]
        assert set(alone.tolist()) == chosen & set(rows.tolist())


def test_names_are_compared_by_rare_letters() -> None:
    some = ["fastned de horn a7", "charging station", "", "phillips electronics"]
    others = ["de horn", "charging station", "x", "philips electronics"]
    index = TextIndex(some, others)
    rows = np.arange(4)
    found = index.compare(rows, rows)
    assert found[1] == pytest.approx(1)
    assert np.isnan(found[2])
    assert found[3] > 0.8
    assert index.compare(np.array([0]), np.array([1]))[0] < 0.1
