"""Faults of stations: each planted, each found, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm

SOUND: dict[str, Any] = {
    "title": "Marktplein",
    "country_code": "NL",
    "connections": [{"ID": 1, "ConnectionTypeID": 25, "PowerKW": 11.0, "Quantity": 2}],
    "n_points": 2,
    "status_type_id": 50,
    "usage_type_id": 1,
    "data_provider_id": 1,
    "provider_reference": None,
    "date_created": "2020-01-01T00:00:00Z",
    "date_planned": None,
    "date_last_status_update": "2026-01-01T00:00:00Z",
    "lon": 5.12345,
    "lat": 52.12345,
}


def connection(**values: Any) -> list[dict[str, Any]]:
    return [{**SOUND["connections"][0], **values}]


def stations_with(*changes: dict[str, Any]) -> gpd.GeoDataFrame:
    """Sound stations far from each other, with planted faults."""
    rows = []
    for rank, change in enumerate(changes):
        place = {"lon": 5.12345 + rank * 0.01, "title": f"Marktplein {rank}"}
        rows.append({**SOUND, **place, **change})
    frame = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="ocm_id"))
    frame["connections"] = [json.dumps(value) for value in frame["connections"]]
    for name in frame.columns[frame.columns.str.startswith("date_")]:
        frame[name] = pd.to_datetime(frame[name], utc=True)
    points = gpd.points_from_xy(frame.pop("lon"), frame.pop("lat"), crs=4326)
    return gpd.GeoDataFrame(frame, geometry=points)


def faults_of(stations: gpd.GeoDataFrame) -> list[set[str]]:
    faults = ocm.check_stations(stations)
    return [set(faults.columns[row]) for row in faults.to_numpy(dtype=bool, na_value=False)]


PLANTED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "null_island": ({"lon": 0.00012, "lat": -0.51234, "country_code": None}, {"null_island"}),
    "other country": ({"lon": 13.41234, "lat": 52.51234}, {"outside_country"}),
    "swapped": (
        {"lon": 52.12345, "lat": 5.12345},
        {"outside_country", "swapped_coordinates"},
    ),
    "whole degrees": ({"lon": 6.0, "lat": 52.0}, {"truncated_coordinates", "low_precision"}),
    "one cut off": ({"lon": 5.1}, {"truncated_coordinates"}),
    "rounded": ({"lon": 5.123, "lat": 52.12}, {"low_precision"}),
    "no connections": ({"connections": []}, {"no_connections"}),
    "no power": ({"connections": connection(PowerKW=None)}, {"power_missing"}),
    "watts": ({"connections": connection(PowerKW=11000.0)}, {"power_implausible"}),
    "computed": (
        {"connections": connection(PowerKW=None, Amps=16, Voltage=230)},
        {"power_computed"},
    ),
    "estimate": (
        {
            "connections": connection(
                Comments="kW power is an estimate based on the connection type"
            )
        },
        {"power_imputed"},
    ),
    "import of AFDC": (
        {"connections": connection(PowerKW=3.7, Amps=16, Voltage=230), "data_provider_id": 2},
        {"power_imputed"},
    ),
    "no quantity": ({"connections": connection(Quantity=None)}, {"quantity_missing"}),
    "points": ({"n_points": 5}, {"points_mismatch"}),
    "old": ({"date_last_status_update": "2019-06-01T00:00:00Z"}, {"stale"}),
    "planned": ({"status_type_id": 150}, {"not_yet_open"}),
    "opens later": ({"date_planned": "2027-01-01T00:00:00Z"}, {"not_yet_open"}),
    "broken": ({"status_type_id": 100}, {"out_of_service"}),
    "temporarily": ({"status_type_id": 30}, {"out_of_service"}),
    "restricted": ({"usage_type_id": 2}, {"private"}),
    "test": ({"title": "Dominik_test"}, {"test_entry"}),
    "test in words": ({"title": "Test station, please ignore"}, {"test_entry"}),
    "template": ({"title": "{{ station.name }}"}, {"generated_text"}),
    "placeholder": ({"title": "undefined"}, {"generated_text"}),
    "model": ({"general_comments": "As an AI language model, I cannot see"}, {"generated_text"}),
    "not commercial": ({"data_provider_id": 26}, {"licence_noncommercial"}),
    "no licence": ({"data_provider_id": 15}, {"licence_unknown"}),
    "provider missing": ({"data_provider_id": None}, {"licence_unknown"}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_and_no_other(name: str) -> None:
    change, faults = PLANTED[name]
    sound, planted = faults_of(stations_with({}, change))
    assert sound == set()
    assert planted == faults


@pytest.mark.parametrize(
    "title",
    ["La Teste", "Grotestraat 1", "MOT Test Centre", "Nissan Test Track", "Testimonio", "Nullemont",
     "Stringer Motors", "Nanterre", "Contest Hotel", "Teststraat 4", "Example Road 12"],
)  # fmt: skip
def test_real_names_are_neither_tests_nor_generated(title: str) -> None:
    assert faults_of(stations_with({"title": title})) == [set()]


def test_a_station_without_position_has_no_other_fault_of_place() -> None:
    stations = stations_with({}, {}, {})
    stations.loc[2, "geometry"] = None
    stations.loc[3, "geometry"] = shapely.Point(-999.9, 52.0)
    assert faults_of(stations) == [set(), {"no_position"}, {"no_position"}]


def test_islands_and_quays_belong_to_their_country() -> None:
    places = [("FR", -2.3475, 46.7243), ("US", -80.14086, 25.78097), ("GB", -2.44105, 50.5553),
              ("FR", 55.45012, -20.88012), ("NL", -68.28012, 12.15012)]  # fmt: skip
    rows = [{"country_code": code, "lon": lon, "lat": lat} for code, lon, lat in places]
    assert faults_of(stations_with(*rows)) == [set()] * len(rows)


def test_borders_of_the_user_decide() -> None:
    stations = stations_with({}, {"lon": 5.51234}, {"lon": 5.56789})
    box = shapely.box(5.0, 52.0, 5.5, 52.2)
    borders = gpd.GeoDataFrame({"iso_a2": ["nl"]}, geometry=[box], crs=4326)
    outside = ocm.check_stations(stations, borders=borders.to_crs(3857))["outside_country"]
    # Up to 4.6 km beyond the border are within the tolerance, 5.4 km are not.
    assert outside.tolist() == [False, False, False]
    far = ocm.check_stations(stations_with({"lon": 5.57912}), borders=borders)
    assert far["outside_country"].tolist() == [True]
    with pytest.raises(ocm.QueryError, match="codes of countries"):
        ocm.check_stations(stations, borders=borders.drop(columns="iso_a2"))


def test_a_check_that_cannot_be_made_is_missing_and_not_false() -> None:
    stations = stations_with({}, {})[["title", "geometry"]]
    faults = ocm.check_stations(stations)
    assert faults.columns.tolist() == ocm.quality_checks().index.tolist()
    assert faults["private"].isna().all()
    assert faults["null_island"].tolist() == [False, False]
    not_checked = faults.attrs["ocm"]["not_checked"]
    assert set(not_checked) == set(faults.columns[faults.isna().all()])
    assert {"stale", "power_missing", "licence_unknown", "outside_country"} < set(not_checked)


def test_text_ids_and_an_empty_table_keep_their_index() -> None:
    stations = stations_with({}, {"status_type_id": 100})
    stations.index = pd.Index(["NL-02001", "NL-02002"], name="station_id")
    assert ocm.check_stations(stations).index.equals(stations.index)
    empty = ocm.check_stations(stations.iloc[:0])
    assert empty.empty
    assert empty.columns.tolist() == ocm.quality_checks().index.tolist()


@pytest.fixture(scope="module")
def sample() -> gpd.GeoDataFrame:
    return ocm.stations_from_country("NL", source="sample")


def test_order_and_division_change_no_fault(sample: gpd.GeoDataFrame) -> None:
    faults = ocm.check_stations(sample)
    mixed = ocm.check_stations(sample.sample(frac=1, random_state=4))
    pd.testing.assert_frame_equal(mixed.loc[faults.index], faults)
    halves = [ocm.check_stations(sample.iloc[0::2]), ocm.check_stations(sample.iloc[1::2])]
    joined = pd.concat(halves).loc[faults.index].drop(columns="duplicate")
    pd.testing.assert_frame_equal(joined, faults.drop(columns="duplicate"))


def test_copies_are_duplicates_and_share_all_other_faults(sample: gpd.GeoDataFrame) -> None:
    copies = sample.iloc[::40].copy()
    copies.index = pd.Index(copies.index + 10**8, name="ocm_id")
    both = gpd.GeoDataFrame(pd.concat([sample, copies]), crs=sample.crs)
    faults = ocm.check_stations(both)
    of_copies = faults.loc[copies.index].drop(columns="duplicate")
    of_originals = faults.loc[sample.iloc[::40].index].drop(columns="duplicate")
    assert np.array_equal(of_copies.to_numpy(), of_originals.to_numpy())
    before = ocm.check_stations(sample)["duplicate"]
    after = faults["duplicate"]
    assert after.loc[copies.index].all()
    assert after.loc[sample.iloc[::40].index].all()
    assert set(after.index[after]) - set(before.index[before]) <= {
        *copies.index, *sample.iloc[::40].index
    }  # fmt: skip


def test_posts_that_a_provider_tells_apart_are_no_duplicates() -> None:
    same = {"lon": 5.2, "lat": 52.12345, "title": "Garage Centrum"}
    rows = [{**same, "lon": 5.20001, "provider_reference": f"A{n}", "data_provider_id": 2}
            for n in (1, 2)]  # fmt: skip
    assert not ocm.check_stations(stations_with(*rows))["duplicate"].any()
    rows[1]["data_provider_id"] = 1
    assert ocm.check_stations(stations_with(*rows))["duplicate"].all()
