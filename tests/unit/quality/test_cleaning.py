"""Cleaning by policies, and the ledger that lets a reader go back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from tests.unit.quality.test_checking import connection, stations_with

if TYPE_CHECKING:
    import geopandas as gpd


@pytest.fixture(scope="module")
def sample() -> gpd.GeoDataFrame:
    return ocm.stations_from_country("NL", source="sample")


def go_back(cleaned: gpd.GeoDataFrame, like: gpd.GeoDataFrame) -> dict[Any, dict[str, Any]]:
    """Rebuild the original rows from the cleaned ones and the ledger alone."""
    rows = {}
    for label, row in zip(cleaned.index, cleaned.to_dict("records"), strict=True):
        rows[label] = {k: plain(v) for k, v in row.items() if plain(v) is not None}
    changes: Any = ocm.ledger(cleaned).to_dict("records")
    for entry in changes:
        label = entry["ocm_id"]
        if entry["action"] == "dropped":
            rows[label] = json.loads(entry["old"])
        elif pd.isna(entry["old"]):
            rows[label].pop(entry["column"])
        else:
            rows[label][entry["column"]] = json.loads(entry["old"])
    assert set(rows) == set(like.index)
    return rows


def plain(value: Any) -> Any:
    if isinstance(value, shapely.Point):
        return shapely.to_wkt(value, rounding_precision=-1)
    if pd.isna(value):
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


@pytest.mark.parametrize("policy", ["research", "strict"])
def test_the_ledger_leads_back_to_the_original(sample: gpd.GeoDataFrame, policy: str) -> None:
    before = sample.copy()
    cleaned = ocm.clean(sample, policy)
    pd.testing.assert_frame_equal(sample, before)
    rows = go_back(cleaned, sample)
    for label, row in zip(sample.index, sample.to_dict("records"), strict=True):
        assert rows[label] == {k: plain(v) for k, v in row.items() if plain(v) is not None}
    changes = ocm.ledger(cleaned)
    assert (changes["ocm_id"].to_numpy() == sample.index[changes["row"]]).all()


def test_what_each_policy_does() -> None:
    rows: list[dict[str, Any]] = [
        {}, {"lon": 52.12345, "lat": 5.12345}, {"status_type_id": 100},
        {"connections": connection(PowerKW=11000.0)}, {"usage_type_id": 2}, {"lon": 13.41234},
        {"connections": connection(PowerKW=3.7, Amps=16, Voltage=230), "data_provider_id": 2},
    ]  # fmt: skip
    stations = stations_with(*rows)
    stations["max_power_kw"] = pd.array([11.0, 11.0, 11.0, None, 11.0, 11.0, 3.7], "Float64")
    stations.attrs["ocm"] = {"source": "mirror", "attribution": "A credit"}
    cleaned = ocm.clean(stations)
    assert cleaned.index.tolist() == [1, 2, 4, 5, 7]
    assert (cleaned.geometry.x[2], cleaned.geometry.y[2]) == (5.12345, 52.12345)
    assert "PowerKW" not in cleaned["connections"][4]
    assert pd.isna(cleaned["max_power_kw"][7])
    assert json.loads(cleaned["connections"][7])[0]["Quantity"] == 2
    assert ocm.connections(cleaned)["power_kw"].isna().tolist() == [False, False, True, False, True]
    assert cleaned.attrs["ocm"]["attribution"] == "A credit"
    assert cleaned.attrs["ocm"]["cleaning"]["n_dropped"] == 2
    changes = ocm.ledger(cleaned)
    assert changes.loc[changes["ocm_id"] == 2, "reason"].tolist() == ["swapped_coordinates"]
    assert changes.loc[changes["ocm_id"] == 3, "reason"].tolist() == ["out_of_service"]
    assert ocm.clean(stations, "strict").index.tolist() == [1]
    nothing = ocm.clean(stations, "none")
    pd.testing.assert_frame_equal(nothing, stations)
    assert ocm.ledger(nothing).empty


def test_of_duplicates_the_newest_without_faults_stays() -> None:
    same = {"lon": 5.20001, "title": "Garage Centrum"}
    rows = [{**same, "date_last_status_update": f"2025-0{n}-01T00:00:00Z"} for n in (1, 3, 2)]
    assert ocm.clean(stations_with(*rows)).index.tolist() == [2]
    rows[1]["connections"] = []
    assert ocm.clean(stations_with(*rows)).index.tolist() == [3]


def test_cleaning_again_changes_nothing(sample: gpd.GeoDataFrame) -> None:
    once = ocm.clean(sample)
    again = ocm.clean(once)
    assert again.index.equals(once.index)
    assert ocm.ledger(again).empty


def test_strict_is_a_part_of_research(sample: gpd.GeoDataFrame) -> None:
    research, strict = ocm.clean(sample), ocm.clean(sample, "strict")
    assert 0 < len(strict) < len(research) < len(sample)
    faults = ocm.check_stations(strict).drop(columns="duplicate")
    severe = ocm.quality_checks().loc[faults.columns, "severity"] != "note"
    assert not faults.loc[:, severe].to_numpy().any()


def test_wrong_arguments() -> None:
    stations = stations_with({})
    with pytest.raises(ocm.QueryError, match="policy must be one of"):
        ocm.clean(stations, "tidy")
    with pytest.raises(ocm.QueryError, match="returned by clean"):
        ocm.ledger(stations)


def test_text_ids_and_empty_tables() -> None:
    stations = stations_with({}, {"status_type_id": 100})
    stations.index = pd.Index(["02001", "02002"], name="station_id")
    changes = ocm.ledger(ocm.clean(stations))
    assert changes["station_id"].tolist() == ["02002"]
    assert ocm.ledger(ocm.clean(stations.iloc[:0])).empty


def test_open_data_excludes_licences_that_forbid_commerce() -> None:
    stations = stations_with({}, *({"data_provider_id": n} for n in (26, 15, 29, None)))
    kept = ocm.open_only(stations)
    assert kept.index.tolist() == [1, 4]
    assert kept.attrs["ocm"]["n_not_open"] == 3
