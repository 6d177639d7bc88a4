from __future__ import annotations

import datetime as dt
import decimal
import fractions
import re
import warnings
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from ocm_geo import checks
from ocm_geo.errors import QueryError, SuspectInput

NOT_NUMBERS: list[Any] = [
    *(None, np.nan, pd.NA, pd.NaT, float("inf"), True, np.True_),
    *("5", "", b"5", [5], (5,), {5: 5}, np.array([5, 6]), pd.Series([5]), decimal.Decimal(5)),
    *(dt.timedelta(minutes=5), pd.Timedelta(5, "min"), np.timedelta64(5, "m"), 5j, object(), int),
]
CHECKS: dict[str, Any] = {
    "number": lambda value: checks.check_number(value, "reach"),
    "whole": lambda value: checks.check_whole(value, "reach"),
    "share": lambda value: checks.check_share(value, "reach"),
    "km": lambda value: checks.check_km(value, "reach"),
    "power": lambda value: checks.check_power(value, "reach"),
    "ocm_id": lambda value: checks.check_ocm_id(value, "reach"),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: type(value).__name__)
def test_what_is_not_a_number_is_refused_by_name(check: str, value: Any) -> None:
    with pytest.raises(QueryError, match=r"^reach must be ") as told:
        CHECKS[check](value)
    assert len(str(told.value)) < 250


@pytest.mark.parametrize("value", [5, 5.0, np.int16(5), np.float32(5), np.uint8(5)])
def test_numbers_of_every_type_are_taken(value: Any) -> None:
    found = [check(value) for name, check in CHECKS.items() if name != "share"]
    assert found == [5] * 5
    assert {type(one) for one in found} == {int, float}
    assert checks.check_number(fractions.Fraction(1, 4), "reach") == 0.25


def test_limits_count_in_and_are_told() -> None:
    assert checks.check_number(3, "x", low=3, high=3) == 3
    with pytest.raises(QueryError, match=re.escape("x must be a number of kW from 0 to 1, not 2")):
        checks.check_number(2, "x", low=0, high=1, unit="kW")
    with pytest.raises(QueryError, match="above 0, not 0"):
        checks.check_number(0, "x", above=0)
    with pytest.raises(QueryError, match="whole number from 1 to 3, not 4"):
        checks.check_whole(4, "x", high=3)
    with pytest.raises(QueryError, match="whole number, 0 or more, not -1"):
        checks.check_whole(-1, "x", low=0)
    with pytest.raises(QueryError, match=re.escape("80 % is 0.8")):
        checks.check_share(80, "x")


def test_a_distance_in_metres_is_suspected_and_one_beyond_the_earth_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checks.check_km(999.9, "reach_km") == 999.9
        assert checks.check_km(5000, "reach_km", suspect_from=np.inf) == 5000
    with pytest.warns(SuspectInput, match=re.escape("reach_km=5000 km")) as told:
        assert checks.check_km(5000, "reach_km") == 5000
    assert told[0].filename == __file__
    with pytest.raises(QueryError, match="pass reach_km=25"):
        checks.check_km(25_000, "reach_km")


def test_one_or_several_distances() -> None:
    several: list[Any] = [[10, 5, 5], (10, 5), {5, 10}, np.array([10.0, 5.0]), pd.Series([5, 10])]
    for given in several:
        assert checks.check_km_list(given, "x") == [5, 10]
    for given in (5, np.array(5), [5]):
        assert checks.check_km_list(given, "x") == [5]
    nothing: list[Any] = [[], (), np.array([])]
    for empty in nothing:
        with pytest.raises(QueryError, match="x is empty"):
            checks.check_km_list(empty, "x")
    for wrong in ("5", None, [5, None], "5,10", {5: 1}):
        with pytest.raises(QueryError, match="x must be a finite number of km"):
            checks.check_km_list(wrong, "x")


HALF_HOURS: list[Any] = [
    *(30, 30.0, dt.timedelta(minutes=30), pd.Timedelta("30min"), np.timedelta64(30, "m")),
    *(np.timedelta64(1800, "s"), pd.Timedelta(1800, "s"), dt.timedelta(hours=0.5)),
]


@pytest.mark.parametrize("value", HALF_HOURS, ids=repr)
def test_durations_are_minutes_exactly(value: Any) -> None:
    assert checks.check_minutes(value) == 30
    assert checks.check_minutes_list([value, dt.timedelta(minutes=10)]) == [10, 30]


def test_a_series_of_durations_is_a_list_of_minutes() -> None:
    times = pd.Series(pd.to_timedelta([30, 5, 30], unit="min"))
    assert checks.check_minutes_list(times) == [5, 30]
    assert checks.check_minutes_list(times.to_numpy()) == [5, 30]


@pytest.mark.parametrize("value", [0, -1, None, "12 min", pd.NaT, dt.timedelta(0), True])
def test_times_that_are_none(value: Any) -> None:
    with pytest.raises(QueryError, match="minutes must be a positive number of minutes or a timed"):
        checks.check_minutes(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (np.nan, "nan"),
        (pd.NA, "<NA>"),
        (True, "True"),
        (5, "5"),
        (np.int64(5), "5"),
        (np.float64(0.25), "0.25"),
        ("5 km", "the str '5 km'"),
        ([1, 2], "the list [1, 2]"),
        (int, "the class int"),
        (pd.DataFrame({"a": [1, 2]}), "a DataFrame of 2 rows"),
        (np.zeros(3), "a ndarray of 3 rows"),
        (pd.Timedelta(5, "min"), "the Timedelta 0 days 00:05:00"),
    ],
)
def test_short_forms(value: Any, text: str) -> None:
    assert checks.short_form(value) == text


def test_a_short_form_is_short() -> None:
    assert checks.short_form("x" * 10_000) == f"the str of 10000 '{'x' * 59}…"


def test_choices_flags_options_and_engines() -> None:
    assert checks.check_choice("b", "x", ("a", "b")) == "b"
    with pytest.raises(QueryError, match="x must be one of 'a', 'b', not None"):
        checks.check_choice(None, "x", ("a", "b"))
    assert checks.check_flag(np.True_, "x") is True
    with pytest.raises(QueryError, match="x must be True or False, not the str 'no'"):
        checks.check_flag("no", "x")
    with pytest.raises(QueryError, match="'b' is not an option of f: the options are a"):
        checks.check_options(["a", "b"], ["a"], "f")
    checks.check_engine("text", "upper")
    for engine in (None, "osrm", str):
        with pytest.raises(QueryError, match=r"engine must be a routing engine with path\(\)"):
            checks.check_engine(engine, "path")


def test_ids_that_pandas_made_floats() -> None:
    assert checks.check_ocm_id(9000001.0) == 9000001
    for wrong in (0, -1, 1.5, "abc"):
        with pytest.raises(QueryError, match="positive whole number"):
            checks.check_ocm_id(wrong)
    with pytest.raises(QueryError, match="UUID"):
        checks.check_ocm_id("0-4000-8000")


def points(*places: tuple[float, float], crs: Any) -> gpd.GeoSeries:
    return gpd.GeoSeries([shapely.Point(place) for place in places], crs=crs)


def test_a_table_needs_a_reference_system() -> None:
    with pytest.raises(QueryError, match="sites has no coordinate reference system"):
        checks.check_crs(points((5, 52), crs=None), "sites")


@pytest.mark.parametrize("crs", [3857, 32631, 28992])
def test_degrees_that_are_labelled_as_metres_are_suspected(crs: int) -> None:
    with pytest.warns(SuspectInput, match="sites: the coordinates look like degrees"):
        checks.check_crs(points((5, 52), (6, 51), crs=crs), "sites")


def test_true_coordinates_are_not_suspected() -> None:
    local = "+proj=laea +lat_0=52 +lon_0=5"
    for good in (
        points((5, 52), crs=4326),
        points((556597, 6800125), crs=3857),
        points((0, 0), crs=local),
        points((0, 0), (350, -120), crs=local),
        points(crs=3857),
    ):
        checks.check_crs(good, "sites")
