"""GeoJSON and KML as other programs take them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import ipyleaflet
import matplotlib.pyplot as plt
import pandas as pd
import pyogrio
import pytest
import shapely

import ocm_geo as ocm

if TYPE_CHECKING:
    from typing import Any

DOCS = Path(__file__).parents[3] / "docs" / "tables.md"


@pytest.fixture(scope="module")
def few() -> gpd.GeoDataFrame:
    return ocm.stations(source=ocm.sample()).head(25)


def test_a_collection_is_strict_json_of_plain_values(few: gpd.GeoDataFrame) -> None:
    collection = ocm.to_geojson(few.to_crs(3035))
    assert json.loads(json.dumps(collection, allow_nan=False)) == collection
    first, row = collection["features"][0], few.iloc[0]
    assert set(collection) == {"type", "features"}
    assert [f["id"] for f in collection["features"]] == few.index.tolist()
    assert first["geometry"]["coordinates"] == pytest.approx([row.geometry.x, row.geometry.y])
    assert set(first["properties"]) == {"ocm_id", *few.columns} - {"geometry"}
    assert pd.Timestamp(first["properties"]["date_created"]) == row["date_created"]
    assert first["properties"]["date_created"].endswith("Z")
    assert first["properties"]["connections"] == row["connections"]


def test_missing_and_infinite_values_are_null_and_lists_are_kept() -> None:
    table = gpd.GeoDataFrame(
        {"x": [float("nan"), float("inf"), 1.5], "l": [[1, {"a": None}], None, []]},
        geometry=[shapely.Point(1, 2), None, shapely.Point()],
        crs=4326,
    )
    features = ocm.to_geojson(table)["features"]
    assert [f["properties"]["x"] for f in features] == [None, None, 1.5]
    assert [f["properties"]["l"] for f in features] == [[1, {"a": None}], None, []]
    assert features[1]["geometry"] is None
    assert not any("id" in f for f in features)


def test_ids_of_columns_and_of_two_keys(few: gpd.GeoDataFrame) -> None:
    flat = ocm.to_geojson(few.reset_index())["features"]
    assert [f["id"] for f in flat] == few.index.tolist()
    two = few.set_index("country_code", append=True)
    assert "id" not in ocm.to_geojson(two)["features"][0]


def test_what_has_no_geometry_is_refused(few: gpd.GeoDataFrame) -> None:
    with pytest.raises(ocm.QueryError, match="geometry"):
        ocm.to_geojson(pd.DataFrame(few.drop(columns="geometry")))
    with pytest.raises(ocm.QueryError, match="no coordinate reference system"):
        ocm.to_geojson(few.set_crs(None, allow_override=True))


def test_ipyleaflet_takes_it(few: gpd.GeoDataFrame) -> None:
    layer = ipyleaflet.GeoJSON(data=ocm.to_geojson(few))
    assert len(layer.data["features"]) == len(few)
    layer.close()


def test_gdal_reads_the_file(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    path = ocm.write(few, tmp_path / "s.geojson")
    again = gpd.read_file(path)
    assert again["title"].tolist() == few["title"].tolist()
    assert again.geometry.geom_equals_exact(few.reset_index().geometry, 1e-9).all()


def test_files_of_others(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    plain = few[["title", "postcode", "max_power_kw", "n_points", "geometry"]].reset_index()
    plain.to_file(tmp_path / "gdal.geojson", driver="GeoJSON")
    plain.to_crs(3857).to_file(tmp_path / "crs.geojson", driver="GeoJSON", RFC7946=False)
    for name in ("gdal.geojson", "crs.geojson"):
        again = ocm.read(tmp_path / name)
        assert isinstance(again, gpd.GeoDataFrame)
        assert again.index.equals(few.index)
        assert again["postcode"].equals(few["postcode"])
        assert again["n_points"].equals(few["n_points"])
        assert again.to_crs(4326).geometry.geom_equals_exact(few.geometry, 1e-6).all()


def placemarks(path: Path) -> list[dict[str, str]]:
    marks = re.findall("<Placemark>(.*?)</Placemark>", path.read_text(encoding="utf-8"), re.DOTALL)
    return [dict(re.findall("<(name|description)>(.*?)</", mark, re.DOTALL)) for mark in marks]


def test_names_and_descriptions_of_placemarks(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    table = few.copy()
    table.loc[table.index[:2], "title"] = ["<script>alert('&')</script>", None]
    marks = placemarks(ocm.write(table, tmp_path / "s.kml"))
    assert marks[0]["name"] == "&lt;script&gt;alert('&amp;')&lt;/script&gt;"
    assert "&lt;script" not in marks[0]["description"]
    assert "&amp;lt;script" in marks[0]["description"]
    assert marks[1]["name"] == str(few.index[1])
    assert marks[2]["name"] == few["title"].iloc[2]
    assert "&lt;b&gt;country_code&lt;/b&gt;" in marks[2]["description"]
    areas = ocm.sample_areas().set_index("name")
    assert [m["name"] for m in placemarks(ocm.write(areas, tmp_path / "a.kml"))] == list(
        areas.index
    )
    numbered = gpd.GeoDataFrame({"x": [5]}, geometry=[shapely.Point(1, 2)], crs=4326)
    assert placemarks(ocm.write(numbered, tmp_path / "n.kml"))[0]["name"] == "0"


def test_gdal_reads_our_kml(tmp_path: Path) -> None:
    areas = ocm.sample_areas()
    again = pyogrio.read_dataframe(ocm.write(areas, tmp_path / "a.kml"))
    assert again["Name"].tolist() == areas["name"].tolist()
    assert again.geometry.geom_equals_exact(areas.geometry, 1e-12).all()


def test_kml_of_others(tmp_path: Path) -> None:
    table = gpd.GeoDataFrame({"Name": ["a"]}, geometry=[shapely.Point(1, 2)], crs=4326)
    table.to_file(tmp_path / "o.kml", driver="KML")
    again = ocm.read(tmp_path / "o.kml")
    assert again["name"].tolist() == ["a"]
    assert again.geometry.tolist() == table.geometry.tolist()


def test_geopackages_of_others(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    few.reset_index()[["ocm_id", "postcode", "has_dc", "geometry"]].to_file(tmp_path / "o.gpkg")
    again = ocm.read(tmp_path / "o.gpkg")
    assert again.index.equals(few.index)
    assert again["has_dc"].equals(few["has_dc"])
    assert again.attrs == {"ocm": {}}


def test_the_page_of_the_docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(
        "^```python\n(.*?)^```", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        exec(block, names)  # noqa: S102 - our own page
    assert names["again"].index.equals(names["stations"].index)
    assert "to_geojson" in DOCS.read_text("utf-8")


def test_fonts_of_a_pdf_are_truetype(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    before = dict(plt.rcParams)
    content = ocm.save_figure(ocm.plot_power(few), tmp_path / "f.pdf").read_bytes()
    assert b"/Type3" not in content
    assert b"/FontFile2" in content
    assert dict(plt.rcParams) == before
    plt.close("all")
