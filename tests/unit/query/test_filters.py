"""Every filter: its values, its absence, its place in signatures and documentation."""

from __future__ import annotations

import copy
import datetime as dt
import inspect
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.query import FILTERS, StationQuery, columns_of
from ocm_geo.reference import bundled
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS
from ocm_geo.sources.plan import plan_requests

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = sorted(FILTERS)
NOT_VALUES: dict[str, Any] = {
    "NaN": float("nan"),
    "numpy NaN": np.float64("nan"),
    "NA": pd.NA,
    "NaT": pd.NaT,
    "empty text": "",
    "spaces": "  ",
    "timedelta": dt.timedelta(1),
    "object": object(),
    "bytes": b"NL",
    "dict": {"NL": 1},
    "table": pd.DataFrame({"a": [1, 2]}),
    "class": int,
    "function": len,
}
CODED = [name for name in NAMES if FILTERS[name].kind == "codes"]
ANSWERED: dict[str, Callable[..., Any]] = {
    "bbox": lambda **f: ocm.stations_from_bbox((4, 51, 6, 53), **f),
    "country": lambda **f: ocm.stations_from_country("NL", **f),
    "ids": lambda **f: ocm.stations_from_ids([1], **f),
    "point": lambda **f: ocm.stations_from_point((5, 52), 5, **f),
    "stations": ocm.stations,
}


def build(**filters: Any) -> StationQuery:
    return StationQuery.build(**filters)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", NOT_VALUES)
def test_what_is_not_a_value_is_refused_by_the_name_of_the_filter(name: str, value: str) -> None:
    with pytest.raises(ocm.QueryError, match=name):
        build(**{name: NOT_VALUES[value]})


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, "", True])
def test_a_missing_value_in_a_list_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ocm.QueryError, match=name):
        build(**{name: [value, 1]})
    with pytest.raises(ocm.QueryError, match=name):
        build(**{name: pd.Series([value, 1], dtype=object)})


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("empty", [[], (), np.array([]), pd.Series(dtype="Int64"), iter(())])
def test_an_empty_list_is_refused(name: str, empty: Any) -> None:
    with pytest.raises(ocm.QueryError, match=name):
        build(**{name: empty})


@pytest.mark.parametrize("where", ANSWERED)
@pytest.mark.parametrize("value", ["NaN", "NA", "empty text"])
def test_questions_refuse_missing_values(where: str, value: str) -> None:
    with pytest.raises(ocm.QueryError, match="usage_types"):
        ANSWERED[where](source="sample", usage_types=NOT_VALUES[value])


@pytest.mark.parametrize("name", NAMES)
def test_none_leaves_a_filter_out(name: str) -> None:
    query = build(**{name: None})
    assert query == StationQuery.build()
    assert getattr(query, name) == FILTERS[name].default


@pytest.mark.parametrize("country", [None, float("nan"), pd.NA, pd.NaT, "", " ", [], [None]])
def test_a_missing_country_is_never_all_countries(country: Any) -> None:
    with pytest.raises(ocm.QueryError, match="countr"):
        ocm.stations_from_country(country, source="sample")


def test_countries_of_a_column() -> None:
    column = pd.Series(["NL", "BE"], dtype="string")
    both = ocm.stations(source="sample", countries=column)
    assert set(both["country_code"]) == {"NL", "BE"}
    assert ocm.stations(source="sample", countries=iter(["NL", "BE"])).index.equals(both.index)


CLEAR = (
    *("2024-06-01", "20240601", "2024-06", "2024-06-01T00:00", " 2024-06-01 ", "2024-06-01 00:00"),
    *("2024-06-01T00:00:00Z", "2024-06-01T02:00:00+02:00", "2024-W22-6", np.str_("2024-06-01")),
    *(dt.date(2024, 6, 1), dt.datetime(2024, 6, 1), pd.Timestamp("2024-06-01")),  # noqa: DTZ001
    dt.datetime(2024, 6, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    pd.Timestamp("2024-05-31 20:00", tz="America/New_York"),
    *(np.datetime64("2024-06-01"), np.datetime64("2024-06-01T00:00:00.000000000")),
)
UNCLEAR = (
    *("01/06/2024", "1.6.2024", "06-01-2024", "1 June 2024", "June 2024", "2024/06/01", "24-06-01"),
    *("last summer", "today", "now", "0", "2024-13-01", "2024-02-30", "2024-6-1", "NaT", "nan"),
    *("2024-06-01T25:00", "2024-06-01T00:00Y", "20240601000000Q"),
    *(20240601, 1717200000.0, True, dt.time(1), dt.timedelta(days=1), np.timedelta64(1, "D")),
    *(np.datetime64("NaT", "D"), pd.NaT, pd.Period("2024-06"), ["2024-06-01"], ("2024", "06")),
)


@pytest.mark.parametrize("date", CLEAR, ids=repr)
def test_clear_dates_are_one_instant(date: Any) -> None:
    assert build(created_since=date).created_since == pd.Timestamp("2024-06-01", tz="UTC")


@pytest.mark.parametrize("date", UNCLEAR, ids=repr)
@pytest.mark.parametrize("name", ["created_since", "modified_since"])
def test_unclear_dates_are_refused_by_value(name: str, date: Any) -> None:
    with pytest.raises(ocm.QueryError, match=name) as caught:
        build(**{name: date})
    if isinstance(date, str):
        assert repr(date) in str(caught.value)


@pytest.mark.parametrize(
    "date", ["0001-01-01", "1500-06-01", "9999-12-31", dt.date.min, dt.date.max]
)
def test_dates_far_away_compare_as_they_should(date: Any) -> None:
    found = ocm.stations(source="sample", created_since=date)
    assert (len(found) > 0) == (str(date) < "2000")


@pytest.mark.parametrize("value", ["50", "50 kW", "fifty", True, np.True_, [50], dt.timedelta(50)])
@pytest.mark.parametrize("name", ["min_power_kw", "max_power_kw"])
def test_powers_are_numbers(name: str, value: Any) -> None:
    with pytest.raises(ocm.QueryError, match=f"{name} must be a finite number of kW"):
        build(**{name: value})


@pytest.mark.parametrize("value", [50, 50.0, np.int64(50), np.float32(50)])
def test_powers_of_any_numeric_type(value: Any) -> None:
    assert build(min_power_kw=value).min_power_kw == 50


def test_watts_are_told_from_kilowatts() -> None:
    with pytest.raises(ocm.QueryError, match="for 22000 W pass min_power_kw=22"):
        build(min_power_kw=22_000)


@pytest.mark.parametrize(("value", "number"), [(5, 5), (5.0, 5), (np.int32(5), 5)])
def test_counts_are_whole(value: Any, number: int) -> None:
    assert build(max_results=value).max_results == number
    for wrong in (0, -1, 1.5, "5", True, float("inf")):
        with pytest.raises(ocm.QueryError, match="max_results"):
            build(max_results=wrong)


@pytest.mark.parametrize("name", ["open_data", "include_comments", "allow_bulk"])
def test_flags_are_true_or_false(name: str) -> None:
    assert getattr(build(**{name: np.True_}), name) is True
    for wrong in (1, 0, "true", "no", [True]):
        with pytest.raises(ocm.QueryError, match=f"{name} must be True or False"):
            build(**{name: wrong})


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("country", "countries"), ("operator", "operators"), ("min_power", "min_power_kw")],
)
def test_unknown_filters_are_refused_with_the_near_name(name: str, suggested: str) -> None:
    with pytest.raises(ocm.QueryError, match=f"unknown filter '{name}'.*'{suggested}'"):
        ANSWERED["stations"](source="sample", **{name: 1})
    with pytest.raises(ocm.QueryError, match="unknown filter 'zzz': the filters are countries"):
        build(zzz=1)


ALL = {name for name in FILTERS if FILTERS[name].level != "answer"}
SHOWN: dict[str, set[str]] = {
    **{
        f"stations{place}": set(FILTERS)
        for place in ("", "_from_bbox", "_from_ids", "_from_point", "_from_polygon", "_from_route")
    },
    "stations_from_country": set(FILTERS) - {"countries"},
    "route_gaps": ALL,
}


@pytest.mark.parametrize("name", SHOWN)
def test_signatures_and_help_show_the_filters(name: str) -> None:
    function = getattr(ocm, name)
    parameters = inspect.signature(function).parameters
    assert SHOWN[name] <= set(parameters)
    assert not (set(FILTERS) - SHOWN[name]) & set(parameters)
    assert all(parameters[f].kind is inspect.Parameter.KEYWORD_ONLY for f in SHOWN[name])
    assert not any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    text = inspect.getdoc(function) or ""
    assert all(f"\n{f} : " in text for f in SHOWN[name])
    assert "**filters" not in text


def test_build_shows_the_filters() -> None:
    assert set(FILTERS) <= set(inspect.signature(StationQuery.build).parameters)


def test_rows_name_columns_that_tables_have() -> None:
    assert set(columns_of("station")) <= {column.name for column in STATION_COLUMNS}
    assert set(columns_of("connection")) <= {column.name for column in CONNECTION_COLUMNS}
    for row in FILTERS.values():
        assert row.meaning[0].isupper()
        assert row.meaning.endswith(".")
        assert bool(row.test) == bool(row.column) == (row.level != "answer")
    assert len({row.option for row in FILTERS.values()}) == len(FILTERS)


def test_the_api_is_asked_for_what_it_cannot_lose() -> None:
    (params,) = plan_requests(
        build(countries="NL", usage_types=[1, 4], created_since="2024-06-01", min_power_kw=50)
    )
    assert params["countryid"] == "159"
    assert params["usagetypeid"] == "1,4"
    assert params["createdsince"] == "2024-05-31T23:59:00Z"
    assert "minpowerkw" not in params


def test_a_question_can_be_copied_pickled_and_compared() -> None:
    query = build(countries="NL", min_power_kw=50)
    for again in (copy.copy(query), copy.deepcopy(query), pickle.loads(pickle.dumps(query))):  # noqa: S301
        assert again == query
        assert again.min_power_kw == 50
        assert again.operators is None
    assert query != build(countries="NL")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = query.nothing
    assert query.describe() == {"countries": [159], "min_power_kw": 50.0}


def test_long_lists_are_cut_in_the_provenance_and_counted() -> None:
    asked = build(countries=[*bundled().countries.index]).describe()
    assert len(asked["countries"]) == 20
    assert asked["n_countries"] == 250
