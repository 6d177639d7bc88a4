"""Texts that anyone can contribute stay texts in every file, figure and report."""

from __future__ import annotations

import csv
import json
import warnings
import xml.etree.ElementTree as ET  # our own files
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import openpyxl
import pandas as pd
import pytest

import ocm_geo as ocm
from tests.mutations import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

_TEXTS = [text for text in HOSTILE if text not in {"\ud800", "a\x00b"}]
"""Those that an import keeps as they are: it stores no lone surrogate and no zero."""
_COLUMNS = (
    *("title", "address", "address2", "town", "state", "postcode", "operator_reference"),
    *("usage_cost", "provider_reference", "access_comments", "general_comments", "phone"),
    *("phone2", "email", "url"),
)


@pytest.fixture(scope="module")
def stations() -> gpd.GeoDataFrame:
    """A station for each hostile text, which is in all its text columns."""
    found = ocm.stations(source=ocm.sample()).head(len(_TEXTS)).copy()
    for column in _COLUMNS:
        found[column] = pd.array(_TEXTS, dtype=found[column].dtype)
    return found


def test_geojson(stations: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = ocm.write(stations, tmp_path / "t.geojson")
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert [feature["properties"]["title"] for feature in features] == _TEXTS


def test_kml_is_xml_and_its_texts_are_no_markup(stations: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = ocm.write(stations, tmp_path / "t.kml")
    root = ET.parse(path).getroot()  # noqa: S314 - our own file
    assert {element.tag.rpartition("}")[2] for element in root.iter()}.isdisjoint(
        {"script", "img", "svg", "x"}
    )
    # A program shows a description as HTML.
    described = [e.text or "" for e in root.iter() if e.tag.endswith("}description")]
    assert len(described) == len(_TEXTS)
    for text in described:
        assert not any(mark in text for mark in ("<script", "<img", "<svg"))


def test_csv_cells_are_as_they_are(stations: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = ocm.write(stations, tmp_path / "t.csv")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["title"] for row in rows] == _TEXTS


def test_cells_of_a_workbook_are_no_formulas(stations: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = ocm.write(stations, tmp_path / "t.xlsx")
    for sheet in openpyxl.load_workbook(path).worksheets:
        for row in sheet.iter_rows():
            assert not [cell.value for cell in row if cell.data_type == "f" or cell.hyperlink]


@pytest.mark.parametrize("text", _TEXTS)
def test_titles_and_labels_of_figures(
    text: str, stations: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    rows = stations.assign(operator=text)
    rows.attrs["ocm"] = {**rows.attrs["ocm"], "attribution": text}
    plots: tuple[Any, ...] = (ocm.plot_stations, ocm.plot_power)
    for number, plot in enumerate(plots):
        with warnings.catch_warnings():
            # A font lacks some signs.
            warnings.filterwarnings("ignore", "Glyph", UserWarning)
            path = ocm.save_figure(plot(rows), tmp_path / f"f{number}.svg")
        drawn: Any = ET.parse(path).getroot()  # noqa: S314 - our own file
        tags = {element.tag.rpartition("}")[2] for element in drawn.iter()}
        assert tags.isdisjoint({"script", "image", "foreignObject", "a"})
    plt.close("all")


def test_words_of_errors_reach_a_terminal_harmless(tmp_path: Path) -> None:
    hostile = "\x1b[31m\x1b]0;title\x07\x9b31m\u202e"
    told: list[str] = []
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"message": hostile, hostile: 1}), encoding="utf-8")
    for ask in (
        lambda: ocm.Mirror.build(tmp_path / "m", file),
        lambda: ocm.stations_from_country(hostile, source="sample"),
        lambda: ocm.stations(source="sample", operators=hostile),
        lambda: ocm.stations_from_polygon(hostile, source="sample"),
        lambda: ocm.route_from_polyline(hostile),
        lambda: ocm.stations(source="sample", modified_since=hostile),
        lambda: ocm.read(hostile),
        lambda: ocm.route_from_file(hostile),
        lambda: ocm.Mirror(hostile),
        lambda: ocm.read_register(file, hostile),
        lambda: ocm.assess_area(hostile, hostile, hostile),
        lambda: ocm.OpenChargeMap("k", base_url="https://" + hostile),
    ):
        with pytest.raises(ocm.OCMError) as error:
            ask()
        told.append(str(error.value))
    assert not [text for text in told if set(text) & set("\x1b\x07\x9b\u202e")]
