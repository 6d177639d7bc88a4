"""Files of a study in the encodings, separators and column names that users have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.study import read_config
from ocm_geo.study.demand import load_costs, load_demand
from ocm_geo.study.inputs import load_areas
from ocm_geo.study.tables import AccessConfig, AreaConfig, DemandConfig

if TYPE_CHECKING:
    from pathlib import Path

TOML = 'title = "Čerpací stanice Łódź"\n[area]\ncountry = "NL"\n'


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le-mark", "utf-16-be-mark"]
)
def test_a_configuration_in_unicode_is_read(tmp_path: Path, encoding: str) -> None:
    name, _, mark = encoding.partition("-mark")
    text = "\ufeff" + TOML if mark == "" and "-mark" in encoding else TOML
    (tmp_path / "study.toml").write_bytes(text.encode(name))
    assert read_config(tmp_path / "study.toml").title == "Čerpací stanice Łódź"


@pytest.mark.parametrize("encoding", ["cp1250", "iso-8859-2", "utf-16-le", "utf-16-be"])
def test_a_configuration_in_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "study.toml").write_bytes(TOML.encode(encoding, errors="replace"))
    with pytest.raises(ocm.QueryError, match=r"study\.toml is not .*UTF-8"):
        read_config(tmp_path / "study.toml")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", b"title = 'a\0b'", b"\xff\xfe\x00"])
def test_a_configuration_that_is_not_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "study.toml").write_bytes(content)
    with pytest.raises(ocm.QueryError, match=r"study\.toml"):
        read_config(tmp_path / "study.toml")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"coverge": {}}, "unknown key 'coverge'; the keys are title, .*coverage"),
        ({"route": {"fil": "x"}}, "unknown key 'fil' in route; the keys are file"),
        ({"groups": [{"name": "a", "filter": {}}]}, r"'filter' in groups\[0\].* name, filters"),
        ({"tiers": [{"name": "a", "kw": 3}]}, r"'kw' in tiers\[0\].*above_kw"),
        ({"access": {"decay": [1]}}, "access.decay"),
        ({"route": 3}, "`table"),
    ],
)
def test_wrong_keys_and_values_are_named(table: dict[str, Any], told: str) -> None:
    with pytest.raises(ocm.QueryError, match=told):
        read_config(table)


def demand_of(path: Path, text: str | bytes, **keys: Any) -> Any:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_demand(DemandConfig(file=str(path), **keys), None)


@pytest.mark.parametrize(
    "header",
    [
        "lon,lat",
        "LON,Lat",
        "lng,lat",
        "longitude,latitude",
        "Long,Lat",
        "x,y",
        "X,Y",
        " lon , lat ",
    ],
)
def test_positions_under_usual_names(tmp_path: Path, header: str) -> None:
    found = demand_of(tmp_path / "towns.csv", f"name,{header},population\nA,5.12,52.09,10\n")
    assert found.geometry.iloc[0].coords[0] == (5.12, 52.09)


def test_the_plainest_of_several_usual_names_is_taken(tmp_path: Path) -> None:
    text = "x,y,lon,lat,population\n120000,455000,5.12,52.09,10\n"
    assert demand_of(tmp_path / "towns.csv", text).geometry.x.tolist() == [5.12]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("east,north,population\n5,52,1\n", "lon_column and lat_column.*east"),
        ("x,y,population\n120000,455000,10\n", r"'x' \(lon_column\) are not degrees within ±180"),
        ("lat,lon,population\n95,5,10\n", r"'lat' \(lat_column\) are not degrees within ±90"),
        ("lon,lat,people\n5,52,1\n", "population_column.*people"),
        ("lon,lat,population\n", "no rows"),
        ("", r"towns\.csv cannot be read as a table"),
        ("lon,lat,population\n5,52,\n", "population_column"),
        ("lon,lat,population\n5,52,NA\n", "population_column.*NA"),
        ("lon;lat;population\n5,1;52,1;1.234\n", r"1\.234"),
        ('lon,lat,population\n5.1,52.1,"1,234"\n', "1,234"),
        ("lon,lat,population\n5,NA,3\n", "lat_column.*'NA'"),
    ],
)
def test_a_table_of_people_that_cannot_be_read(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ocm.QueryError, match=told):
        demand_of(tmp_path / "towns.csv", text)


def test_a_column_that_is_not_there_is_named_with_its_key(tmp_path: Path) -> None:
    text = "east,north,population,town\n5,52,1,A\n"
    with pytest.raises(ocm.QueryError, match=r"no column 'lon'.*set lon_column"):
        demand_of(tmp_path / "towns.csv", text, lon_column="lon", lat_column="north")
    keys = {"lon_column": "east", "lat_column": "north", "name_column": "name"}
    with pytest.raises(ocm.QueryError, match=r"no column 'name'.*name_column.*town"):
        demand_of(tmp_path / "towns.csv", text, **keys)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas(tmp_path: Path, separator: str) -> None:
    rows = [["name", "lon", "lat", "population"], ["A", "5,125", "52,5", "1000,5"]]
    text = "\n".join(separator.join(row) for row in rows)
    found = demand_of(tmp_path / "towns.csv", text)
    assert found.geometry.iloc[0].coords[0] == (5.125, 52.5)
    assert found["population"].tolist() == [1000.5]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_people_as_spreadsheets_save_them(tmp_path: Path, encoding: str) -> None:
    text = "name\tlon\tlat\tpopulation\nZürich\t8.54\t47.37\t10\n"
    found = demand_of(tmp_path / "towns.txt", text.encode(encoding), name_column="name")
    assert found.index.tolist() == ["Zürich"]


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "mac-roman"])
def test_people_in_a_code_page_are_refused(tmp_path: Path, encoding: str) -> None:
    text = "name,lon,lat,population\nZürich,8.54,47.37,10\n"
    with pytest.raises(ocm.QueryError, match=r"towns\.csv is not in UTF-8.*line 2"):
        demand_of(tmp_path / "towns.csv", text.encode(encoding), name_column="name")


@pytest.mark.parametrize("name", ["NA", "null", "None", "nan", "N/A", "01067", "1e5", "TRUE", "-"])
def test_names_stay_as_they_are(tmp_path: Path, name: str) -> None:
    text = f"name,lon,lat,population\n{name},5,52,10\n,6,52,10\n"
    found = demand_of(tmp_path / "towns.csv", text, name_column="name")
    assert found.index.tolist() == [name, "row 1"]
    (tmp_path / "minutes.csv").write_text(f"origin,ocm_id,minutes\n{name},7,1.5\n")
    costs = load_costs(AccessConfig(costs=str(tmp_path / "minutes.csv")))
    assert costs is not None
    assert costs["origin"].tolist() == [name]
    assert costs["ocm_id"].tolist() == [7]
    assert costs["minutes"].tolist() == [1.5]


@pytest.mark.parametrize("geometry", [None, {"type": "Polygon", "coordinates": []}])
def test_rows_of_an_area_file_without_a_shape(tmp_path: Path, geometry: Any) -> None:
    ring = [[4, 52], [5, 52], [5, 53], [4, 52]]
    shapes = [geometry, {"type": "Polygon", "coordinates": [ring]}]
    rows = [
        {"type": "Feature", "properties": {"name": str(n)}, "geometry": shape}
        for n, shape in enumerate(shapes)
    ]
    path = tmp_path / "regions.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    with pytest.warns(ocm.DroppedRows, match=r"regions\.geojson: 1 of 2 rows .*row 0"):
        areas = load_areas(AreaConfig(file=str(path), name_column="name"))
    assert areas is not None
    assert areas["name"].tolist() == ["1"]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows[:1]}))
    with pytest.raises(ocm.QueryError, match=r"regions\.geojson.*no row has a geometry"):
        load_areas(AreaConfig(file=str(path)))


@pytest.mark.parametrize("content", ["name,population\nA,5\n", "", "{}"])
def test_area_files_without_areas(tmp_path: Path, content: str) -> None:
    path = tmp_path / ("regions.csv" if content.startswith("name") else "regions.geojson")
    path.write_text(content)
    with pytest.raises(ocm.QueryError, match=r"regions\.\w+ (has no|cannot be read)"):
        load_areas(AreaConfig(file=str(path)))


def test_an_area_without_a_name_is_called_by_its_row(tmp_path: Path) -> None:
    areas = ocm.sample_areas().iloc[:2].assign(name=["NA", None])
    areas.to_file(tmp_path / "regions.gpkg")
    found = load_areas(AreaConfig(file=str(tmp_path / "regions.gpkg"), name_column="name"))
    assert found is not None
    assert found["name"].tolist() == ["NA", "row 1"]
    assert pd.api.types.is_string_dtype(found["name"])
