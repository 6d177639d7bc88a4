from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import shapely

from ocm_geo.errors import QueryError, TruncatedResult
from ocm_geo.query import Area, Circle, Corridor, Ids, StationQuery
from ocm_geo.reference import bundled

if TYPE_CHECKING:
    import geopandas as gpd

    from tests.unit.query.conftest import MakeStations


def ids(query: StationQuery, stations: gpd.GeoDataFrame) -> list[int]:
    return [int(i) for i in query.answer(stations).index]


def test_only_published_sites_that_are_not_removed(make_stations: MakeStations) -> None:
    states = [100, 200, 50, 1000, 1010, None, 200, 200, 200]
    status = [None, 50, 50, 50, 50, 50, 200, 210, 150]
    rows = [
        {"submission_status_id": a, "status_type_id": b}
        for a, b in zip(states, status, strict=True)
    ]
    assert ids(StationQuery.build(), make_stations(rows)) == [1, 2, 6, 9]


def test_connection_filters_are_met_by_one_and_the_same_connection(
    make_stations: MakeStations,
) -> None:
    split = [
        {"ID": 1, "ConnectionTypeID": 25, "PowerKW": 22.0},
        {"ID": 2, "ConnectionTypeID": 33, "PowerKW": 50.0},
    ]
    joined = [{"ID": 3, "ConnectionTypeID": 25, "PowerKW": 50.0}]
    stations = make_stations([{"connections": split}, {"connections": joined}])
    assert ids(StationQuery.build(connection_types=25, min_power_kw=50), stations) == [2]
    assert ids(StationQuery.build(connection_types=33, min_power_kw=50), stations) == [1]
    assert ids(StationQuery.build(min_power_kw=30, max_power_kw=40), stations) == []


def test_powers_are_inclusive_and_missing_ones_never_match(make_stations: MakeStations) -> None:
    powers = [50.0, 49.9, None, 0.0]
    rows = [{"connections": [{"ID": i, "PowerKW": p}]} for i, p in enumerate(powers, start=1)]
    assert ids(StationQuery.build(min_power_kw=50), make_stations(rows)) == [1]
    assert ids(StationQuery.build(max_power_kw=50), make_stations(rows)) == [1, 2]


def test_computed_power_counts_like_a_given_one(make_stations: MakeStations) -> None:
    # The server's example: 32 A x 400 V x 1.732 on three phases is 22.2 kW.
    plug = {"ID": 1, "Amps": 32, "Voltage": 400, "CurrentTypeID": 20}
    stations = make_stations([{"connections": [plug]}])
    assert ids(StationQuery.build(min_power_kw=22, current_types=20), stations) == [1]
    assert ids(StationQuery.build(min_power_kw=23), stations) == []


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("countries", "country_id", 159),
        ("operators", "operator_id", 3387),
        ("usage_types", "usage_type_id", 4),
        ("status_types", "status_type_id", 150),
        ("data_providers", "data_provider_id", 2),
    ],
)
def test_site_filters_match_their_column_and_never_null(
    make_stations: MakeStations, name: str, column: str, value: int
) -> None:
    stations = make_stations([{column: value}, {column: value - 1}, {column: None}])
    filters: Any = {name: value}
    assert ids(StationQuery.build(**filters), stations) == [1]


def test_open_data_false_means_not_open_or_unknown(make_stations: MakeStations) -> None:
    stations = make_stations([{"data_provider_id": p} for p in (1, 15, 22, 999, None)])
    assert ids(StationQuery.build(open_data=True), stations) == [1]
    assert ids(StationQuery.build(open_data=False), stations) == [2, 3, 4, 5]


def test_dates_are_inclusive_and_in_utc(make_stations: MakeStations) -> None:
    minute = pd.Timestamp("2021-11-07T16:36", tz="UTC")
    rows = [{"date_last_status_update": d} for d in (minute, minute - pd.Timedelta("1min"), None)]
    stations = make_stations(rows)
    assert ids(StationQuery.build(modified_since="2021-11-07T16:36"), stations) == [1]
    assert ids(StationQuery.build(modified_since="2021-11-07T17:36+01:00"), stations) == [1]


def test_labels_are_codes(make_stations: MakeStations) -> None:
    plug = {"ID": 1, "ConnectionTypeID": 33, "CurrentTypeID": 30}
    stations = make_stations([{"connections": [plug], "country_id": 159}])
    query = StationQuery.build(
        connection_types="ccs (type 2)", current_types=["DC"], countries=["NL", "Belgium"]
    )
    assert query.countries == (26, 159)
    assert ids(query, stations) == [1]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"countries": "Blarus"}, "Belarus"),
        ({"connection_types": "CSS (Type 2)"}, r"CCS \(Type 2\)"),
        ({"connection_types": 98765}, "98765"),
        ({"min_power_kw": -1}, "of kW, 0 or more, not -1"),
        ({"min_power_kw": 50_000}, "not W"),
        ({"min_power_kw": 50, "max_power_kw": 20}, "greater than max_power_kw"),
        ({"min_power_kw": True}, "number of kW"),
        ({"modified_since": "yesterdayish"}, "ISO 8601 .* not the str 'yesterdayish'"),
        ({"max_results": 0}, "1 or more"),
        ({"open_data": 1}, "True or False"),
        ({"countries": []}, "empty"),
        ({"min_power": 50}, "did you mean 'min_power_kw'"),
    ],
)
def test_wrong_filters_say_what_is_wrong(filters: Any, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        StationQuery.build(**filters)


def test_answers_are_in_order_and_measured(make_stations: MakeStations) -> None:
    stations = make_stations([{"lon": 0.02}, {"lon": 0.01}, {"lon": 0.01, "lat": 0.001}])
    near = StationQuery.build(Circle(0, 0, 5)).answer(stations)
    assert near.index.tolist() == [2, 3, 1]
    # 0.01 degrees of the equator of WGS84: 6378.137 km x pi / 180 / 100.
    assert near["distance_km"].iloc[0] == pytest.approx(1.1131949, abs=1e-6)
    line = shapely.LineString([(1, 0), (-1, 0)])
    along = StationQuery.build(Corridor(line, 5)).answer(stations)
    assert along.index.tolist() == [1, 2, 3]
    assert along["side"].tolist() == ["on", "on", "right"]


def test_order_is_by_id_where_nothing_is_measured(make_stations: MakeStations) -> None:
    stations = make_stations([{"ocm_id": i} for i in (30, 10, 20)])
    assert ids(StationQuery.build(), stations) == [10, 20, 30]
    assert ids(StationQuery.build(Ids((20, 30))), stations) == [20, 30]
    assert ids(StationQuery.build(Area(shapely.box(-1, -1, 1, 1))), stations) == [10, 20, 30]


def test_max_results_keeps_the_first_and_says_so(make_stations: MakeStations) -> None:
    stations = make_stations([{"lon": 0.01 * i} for i in range(4)])
    query = StationQuery.build(Circle(0.03, 0, 100), max_results=2)
    with pytest.warns(TruncatedResult, match="4 stations match"):
        answer = query.answer(stations)
    assert answer.index.tolist() == [4, 3]
    assert answer.attrs["ocm"]["truncated"] is True
    assert answer.attrs["ocm"]["n_matched"] == 4
    assert StationQuery.build(max_results=4).answer(stations).attrs["ocm"]["truncated"] is False


def test_mask_keeps_the_index_and_ignores_max_results(make_stations: MakeStations) -> None:
    stations = make_stations([{"ocm_id": 7}, {"ocm_id": 3, "status_type_id": 200}, {"ocm_id": 5}])
    mask = StationQuery.build(max_results=1).mask(stations)
    assert mask.to_dict() == {7: True, 3: False, 5: True}


def test_an_empty_answer_has_the_full_schema(make_stations: MakeStations) -> None:
    stations = make_stations([{"lon": 10.0}])
    empty = StationQuery.build(Circle(0, 0, 1)).answer(stations)
    assert len(empty) == 0
    assert list(empty.columns) == [*stations.columns, "distance_km"]
    assert empty.crs == stations.crs


def test_comments_are_left_out_unless_asked_for(make_stations: MakeStations) -> None:
    stations = make_stations([{"comments": '[{"ID":1}]', "media": "[]"}])
    assert StationQuery.build().answer(stations)["comments"].isna().all()
    kept = StationQuery.build(include_comments=True).answer(stations)
    assert kept["comments"].tolist() == ['[{"ID":1}]']
    assert stations["comments"].notna().all()


def test_the_question_is_small_plain_json() -> None:
    line = shapely.LineString([(i / 100, 50 + i / 300) for i in range(5000)])
    query = StationQuery.build(
        Corridor(line, 5), min_power_kw=50, countries=["NL"], modified_since="2024-01-01"
    )
    facts = query.describe()
    assert len(json.dumps(facts)) < 1000
    assert facts["countries"] == [159]
    assert facts["modified_since"] == "2024-01-01T00:00:00+00:00"


def test_questions_are_checked_against_the_given_reference() -> None:
    with pytest.raises(QueryError, match="Ionityy"):
        StationQuery.build(operators="Ionityy", reference=bundled())


def test_a_table_without_the_columns_is_refused(make_stations: MakeStations) -> None:
    stations = make_stations([{}]).drop(columns="status_type_id")
    with pytest.raises(QueryError, match="status_type_id"):
        StationQuery.build().mask(stations)
