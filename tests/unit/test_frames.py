from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from ocm_geo import frames
from ocm_geo.errors import QueryError

POINTS = gpd.GeoDataFrame(
    {"name": ["a", "b"], "place": gpd.points_from_xy([5, 6], [52, 53], crs=4326)},
    geometry="place",
    index=[7, 9],
)


def test_tables_come_to_degrees_under_one_name_and_the_argument_stays() -> None:
    given = POINTS.to_crs(3857)
    before = given.copy(deep=True)
    found = frames.lonlat_frame(given, "points")
    assert found.crs == "EPSG:4326"
    assert found.active_geometry_name == "geometry"
    assert list(found) == ["name", "geometry"]
    assert found.index.tolist() == [7, 9]
    assert shapely.get_coordinates(found.geometry) == pytest.approx(np.array([[5, 52], [6, 53]]))
    pd.testing.assert_frame_equal(pd.DataFrame(given), pd.DataFrame(before))


def test_another_column_called_geometry_is_not_lost() -> None:
    with pytest.raises(QueryError, match="column 'geometry' beside its active geometry 'place'"):
        frames.lonlat_frame(POINTS.assign(geometry="here"), "points")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([(5, 52)], "points must be a GeoDataFrame or GeoSeries, not the list"),
        (None, "not None"),
        (pd.DataFrame({"lon": [5]}), "not a DataFrame of 1 rows"),
        (gpd.GeoDataFrame({"a": [1]}), "no active geometry column"),
        (POINTS.drop(columns="place"), "points must be a GeoDataFrame|no active geometry"),
        (POINTS.set_crs(None, allow_override=True), "no coordinate reference system"),
        (POINTS.to_crs(3857).buffer(9), r"2 of 2 rows are not points \(first: row 7\)"),
        (gpd.GeoSeries([shapely.Point(5, 52), None], crs=4326), "1 of 2 rows are not points"),
        (gpd.GeoSeries([shapely.Point(5, 95)], crs=4326), r"not on the Earth \(first: row 0"),
        (gpd.GeoSeries([shapely.Point(52, 105)], crs=4326), "or are the axes swapped"),
    ],
)
def test_what_is_not_a_table_of_points(given: Any, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        frames.point_lonlat(given, "points")


def test_longitudes_beyond_the_antimeridian_are_wrapped() -> None:
    lon, lat = frames.point_lonlat(gpd.GeoSeries.from_xy([190, -181], [1, 2], crs=4326), "points")
    assert (lon.tolist(), lat.tolist()) == ([-170, 179], [1, 2])


def test_all_missing_columns_are_named_at_once() -> None:
    with pytest.raises(QueryError, match=r"t has no columns 'b', 'c', required for sums.*are a$"):
        frames.require_columns(pd.DataFrame({"a": [1]}), ["a", "b", "c"], "t", "sums")
    with pytest.raises(QueryError, match=r"30 in all"):
        frames.require_columns(pd.DataFrame(np.zeros((1, 30))), ["a"], "t")
    with pytest.raises(QueryError, match="t must be a table of stations, not the list"):
        frames.require_columns([1], ["a"], "t")


def test_columns_are_added_but_never_overwritten() -> None:
    table = pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None]})
    found = frames.add_columns(
        table, {"a": np.array([1.0 + 1e-13, np.nan]), "b": ["x", None], "c": [1, 2]}, "t"
    )
    assert list(found) == ["a", "b", "c"]
    assert list(table) == ["a", "b"]
    others: list[dict[str, Any]] = [{"a": [1.0, 2.0]}, {"b": ["x", "y"]}, {"a": ["x", "y"]}]
    for other in others:
        (name,) = other
        with pytest.raises(QueryError, match=rf"t already has the column '{name}'.*drop\(col"):
            frames.add_columns(table, other, "t")


@pytest.mark.parametrize(
    "values", [pd.to_timedelta([1, 2]), pd.to_datetime(["2024", "2025"]), np.array([True, False])]
)
def test_columns_that_are_no_numbers(values: Any) -> None:
    with pytest.raises(QueryError, match="people must be numbers, not"):
        frames.check_numeric(pd.Series(values), "people")


def test_flags_may_count_as_numbers_where_that_is_said() -> None:
    frames.check_numeric(pd.Series([True]), "values", flags=True)
    frames.check_numeric(pd.Series(["5"]), "values")
