"""Tables of every kind through every format: columns, types, index, attrs."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.files import SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = [".parquet", ".csv", ".xlsx"]


def times(*texts: str | None) -> Any:
    return pd.Series(pd.to_datetime(pd.Series(texts), format="ISO8601"))


COLUMNS: dict[str, Any] = {
    "whole": pd.Series([1, 2, -3]),
    "nullable": pd.Series([1, None, 2**60 + 1], dtype="Int64"),
    "small": pd.Series([1, 2, 3], dtype="int8"),
    "unsigned": pd.Series([1, 2, 2**64 - 1], dtype="uint64"),
    "float": pd.Series([0.1, np.nan, 1e300]),
    "Float": pd.Series([1.0, None, 1 / 3], dtype="Float64"),
    "single": pd.Series([0.1, np.nan, 3.5], dtype="float32"),
    "truth": pd.Series([True, False, True]),
    "maybe": pd.Series([True, None, False], dtype="boolean"),
    "text": pd.Series(["=1+1", None, 'a,"b";\tc\nd'], dtype=pd.StringDtype("pyarrow")),
    "digits": pd.Series(["007", "1e5", "NA"], dtype=pd.StringDtype("pyarrow")),
    "objects": pd.Series(["a", None, "Zürich, Łódź, 東京"], dtype=object),
    "time": times("2024-02-29T12:00:00Z", None, "1999-12-31T23:59:59Z"),
    "fine": times("2024-02-29T12:00:00.123456Z", None, "1870-01-01T00:00Z"),
    "local": times("2024-07-01", "2024-01-01", None).dt.tz_localize("Europe/Paris"),
    "naive": times("2024-07-01 10:00", "2024-01-01 00:00", None),
    "day": pd.Series([dt.date(2024, 2, 29), None, dt.date(1, 1, 1)], dtype=object),
    "span": pd.Series(pd.to_timedelta(["1 days 02:00:00", None, "00:00:00.5"])),
    "kind": pd.Categorical(["b", None, "a"], categories=["b", "a", "never"], ordered=True),
    "classes": pd.Categorical([3, 1, 3], categories=[3, 1, 2]),
    "months": times("2024-01-01", None, "2024-02-01").astype("category"),
    "lists": pd.Series([[1, 2.5, "x"], [], None], dtype=object),
    "dicts": pd.Series([{"a": [1]}, None, {"b": {"c": None}}], dtype=object),
    "mixed": pd.Series([1, "one", None], dtype=object),
    "nothing": pd.Series([None, None, None], dtype=object),
    "lon": pd.Series([1.0, 2.0, 3.0]),
    "a b/ö": pd.Series([1, 2, 3]),
}  # fmt: skip
POINTS = [shapely.Point(5.1, 52.1), None, shapely.Point(-180, 1 / 3)]


def same(again: pd.DataFrame, table: pd.DataFrame) -> None:
    """Compare, geometry to the last bit, NaN and None alike."""
    assert list(again.columns) == list(table.columns)
    assert again.index.equals(table.index)
    assert again.index.names == table.index.names
    assert again.index.dtype == table.index.dtype
    for name in table.columns:
        if isinstance(table[name].dtype, gpd.array.GeometryDtype):
            assert (again[name].geom_equals_exact(table[name], 1e-16) | table[name].isna()).all()
            assert (again[name].isna() == table[name].isna()).all()
        else:
            pd.testing.assert_series_equal(again[name], table[name], rtol=0, atol=0)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", COLUMNS)
def test_every_kind_of_column(tmp_path: Path, suffix: str, name: str) -> None:
    table = gpd.GeoDataFrame({name: COLUMNS[name]}, geometry=POINTS, crs=4326)
    same(ocm.read(ocm.write(table, tmp_path / f"t{suffix}")), table)
    empty = ocm.read(ocm.write(table.head(0), tmp_path / f"e{suffix}"))
    assert list(empty.columns) == [name, "geometry"]
    assert empty[name].dtype == table[name].dtype
    assert empty.crs == table.crs


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_all_columns_at_once(tmp_path: Path, suffix: str) -> None:
    table = gpd.GeoDataFrame(COLUMNS, geometry=POINTS, crs=4326)
    same(ocm.read(ocm.write(table, tmp_path / f"t{suffix}")), table)


INDEXES = {
    "text": pd.Index(["001", "b", "c"], name="code"),
    "unnamed text": pd.Index(["001", "b", "c"]),
    "row numbers of a part": pd.Index([7, 3, 5]),
    "named row numbers": pd.RangeIndex(3, name="n"),
    "steps": pd.RangeIndex(0, 6, 2),
    "dates": pd.DatetimeIndex(["2024-01-01", "2024-02-01", "2024-03-01"], name="month", tz="UTC"),
    "classes": pd.CategoricalIndex(["b", "a", "b"], name="class"),
    "called like a column": pd.Index([1, 2, 3], name="x"),
    "called index": pd.Index([1, 2, 3], name="index"),
    "repeated": pd.Index([1, 1, 2], name="ocm_id"),
    "two": pd.MultiIndex.from_tuples([("NL", 1), ("NL", 2), ("BE", 1)], names=["land", "n"]),
    "two without names": pd.MultiIndex.from_tuples([("NL", 1), ("NL", 2), ("BE", 1)]),
    "two, one like a column": pd.MultiIndex.from_arrays([[1, 1, 2], [2, 3, 2]], names=["x", None]),
}  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", INDEXES)
def test_every_kind_of_index(tmp_path: Path, suffix: str, kind: str) -> None:
    table = gpd.GeoDataFrame({"x": [1.5, 2.5, 3.5]}, geometry=POINTS, crs=4326)
    table.index = INDEXES[kind]
    same(ocm.read(ocm.write(table, tmp_path / f"t{suffix}")), table)


@pytest.mark.parametrize("suffix", PLAIN)
@pytest.mark.parametrize(
    "labels",
    [[0, 1, 2], ["1", 1, 1.5], [("a", "x"), ("a", "y"), ("b", "x")], ["lon", "lat", "geometry"]],
    ids=["numbers", "mixed", "tuples", "degrees"],
)
def test_every_kind_of_column_name(tmp_path: Path, suffix: str, labels: list[Any]) -> None:
    table = pd.DataFrame([[1, 2, 3], [4, 5, 6]])
    table.columns = pd.MultiIndex.from_tuples(labels) if "a" in labels[0:1] else pd.Index(labels)
    same(ocm.read(ocm.write(table, tmp_path / f"t{suffix}")), table)


def test_names_that_geopackage_takes(tmp_path: Path) -> None:
    names = ["fid", "FID", "geom", "title", "Title", "TITLE", "ogc_fid"]
    table = gpd.GeoDataFrame(
        {n: [i, i] for i, n in enumerate(names)}, geometry=POINTS[:2], crs=4326
    )
    same(ocm.read(ocm.write(table, tmp_path / "t.gpkg")), table)
    named = gpd.read_file(tmp_path / "t.gpkg", layer="t").columns
    assert len({n.lower() for n in named}) == len(names) + 1


SHAPES = {
    "lines": [shapely.LineString([(0, 0), (1, 1 / 3)]), None],
    "holes": [shapely.Point(0, 0).buffer(1).difference(shapely.Point(0, 0).buffer(0.5)), None],
    "multi": [shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)]), None],
    "heights": [shapely.Point(1, 2, 3.5), shapely.Point(1, 2, 4)],
    "mixture": [shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)])],
    "collection": [
        shapely.GeometryCollection([shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)])]),
        shapely.MultiPoint([(0, 0), (1, 1)]),
    ],
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", SHAPES)
def test_every_kind_of_shape(tmp_path: Path, suffix: str, kind: str) -> None:
    table = gpd.GeoDataFrame({"x": [1, 2]}, geometry=SHAPES[kind], crs=4326)
    again = ocm.read(ocm.write(table, tmp_path / f"t{suffix}"))
    same(again, table)
    assert again.geometry.has_z.tolist() == table.geometry.has_z.tolist()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_geometry_columns_and_names(tmp_path: Path, suffix: str) -> None:
    table = gpd.GeoDataFrame({"shape": POINTS, "x": [1, 2, 3]}, geometry="shape", crs=4326)
    table["area"] = gpd.GeoSeries([None, shapely.box(0, 0, 1, 1), None], crs=3857)
    again = ocm.read(ocm.write(table, tmp_path / f"t{suffix}"))
    assert again.active_geometry_name == "shape"
    assert again["area"].crs == table["area"].crs
    same(again, table)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_reference_systems_become_degrees(tmp_path: Path, suffix: str) -> None:
    table = gpd.GeoDataFrame({"x": [1, 2]}, geometry=[POINTS[0]] * 2, crs=4326)
    again = ocm.read(ocm.write(table.to_crs(3035), tmp_path / f"t{suffix}"))
    assert isinstance(again, gpd.GeoDataFrame)
    assert again.crs == (3035 if suffix == ".parquet" else 4326)
    assert again.to_crs(4326).geometry.geom_equals_exact(table.geometry, 1e-8).all()
    with pytest.raises(ocm.QueryError, match="no coordinate reference system"):
        ocm.write(table.set_crs(None, allow_override=True), tmp_path / f"t{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_attrs_of_any_kind(tmp_path: Path, suffix: str) -> None:
    table = gpd.GeoDataFrame({"x": [1, 2]}, geometry=[POINTS[0]] * 2, crs=4326)
    assert ocm.read(ocm.write(table, tmp_path / f"t{suffix}")).attrs == {"ocm": {}}
    table.attrs = {"ocm": {"source": "mirror", "n": 1}, "mine": [1, 2], "odd": object(), 5: "five"}
    again = ocm.read(ocm.write(table, tmp_path / f"t{suffix}"))
    assert again.attrs == {"ocm": {"source": "mirror", "n": 1}, "mine": [1, 2]}
    table.attrs = {"ocm": "text"}
    assert ocm.read(ocm.write(table, tmp_path / f"t{suffix}")).attrs == {"ocm": {}}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_cannot_be_written_is_named(tmp_path: Path, suffix: str) -> None:
    table = gpd.GeoDataFrame({"x": [1, 2]}, geometry=[POINTS[0]] * 2, crs=4326)
    twice = pd.concat([table, table[["x"]]], axis=1)
    with pytest.raises(ocm.QueryError, match="several columns called 'x'"):
        ocm.write(twice, tmp_path / f"t{suffix}")
    with pytest.raises(ocm.QueryError, match="'odd'"):
        ocm.write(table.assign(odd=[io, [io]]), tmp_path / f"t{suffix}")
    for wrong in ({"x": [1]}, None, [1]):
        with pytest.raises(ocm.QueryError, match="must be a DataFrame"):
            ocm.write(wrong, tmp_path / f"t{suffix}")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_table_is_not_changed(tmp_path: Path, suffix: str) -> None:
    table = gpd.GeoDataFrame(COLUMNS, geometry=POINTS, crs=4326)
    before = table.copy(deep=True)
    ocm.write(table, tmp_path / f"t{suffix}")
    same(table, before)
