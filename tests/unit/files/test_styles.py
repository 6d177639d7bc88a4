"""Styles of QGIS in GeoPackages."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.plots.style import POWER_CLASSES, SHARES, power_class

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def stations() -> gpd.GeoDataFrame:
    return ocm.stations(source=ocm.sample())


def style_of(path: Path) -> tuple[dict[str, Any], ET.Element]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        (row,) = db.execute("SELECT * FROM layer_styles").fetchall()
    return dict(row), ET.fromstring(row["styleQML"])  # noqa: S314 - our own text


def rules_of(style: ET.Element) -> list[tuple[str, str, str]]:
    """Return filter, label and colour of each rule."""
    colours = {}
    for symbol in style.iter("symbol"):
        options = {o.get("name"): o.get("value") for o in symbol.iter("Option")}
        colours[symbol.get("name")] = options.get("color") or options["line_color"]
    return [
        (str(r.get("filter")), str(r.get("label")), str(colours[r.get("symbol")]))
        for r in style.iter("rule")
    ]


def hex_of(colour: str) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in colour.split(",")[:3])


def test_qgis_finds_the_style(tmp_path: Path, stations: gpd.GeoDataFrame) -> None:
    path = ocm.write(stations, tmp_path / "dutch stations.gpkg")
    row, style = style_of(path)
    assert row["f_table_name"] == pyogrio.list_layers(path)[0][0]
    assert row["f_geometry_column"] == "geom"
    assert row["useAsDefault"] == 1
    assert "Invented stations" in row["description"]
    assert style.tag == "qgis"
    aliases = {a.get("field"): a.get("name") for a in style.iter("alias")}
    assert aliases["max_power_kw"] == "Highest power (kW)"
    fields = pyogrio.read_info(path, layer=row["f_table_name"])["fields"]
    assert set(fields) == set(aliases)
    with contextlib.closing(sqlite3.connect(path)) as db:
        query = "SELECT description FROM gpkg_contents WHERE data_type = 'features'"
        assert "Invented stations" in db.execute(query).fetchone()[0]


def test_classes_of_power_are_those_of_the_figures(
    tmp_path: Path, stations: gpd.GeoDataFrame
) -> None:
    """SQLite decides which rule each station meets: one, and that of the figures."""
    path = ocm.write(stations, tmp_path / "s.gpkg")
    row, style = style_of(path)
    rules = rules_of(style)
    assert [hex_of(c) for _, _, c in rules[1:]] == [colour for _, _, colour in POWER_CLASSES]
    wanted = np.bincount(power_class(stations["max_power_kw"]) + 1, minlength=5).tolist()
    with contextlib.closing(sqlite3.connect(path)) as db:
        count = f'SELECT count(*) FROM "{row["f_table_name"]}" WHERE '  # noqa: S608
        assert [db.execute(count + where).fetchone()[0] for where, _, _ in rules] == wanted
    assert sum(wanted) == len(stations)


def test_classes_of_shares(tmp_path: Path, stations: gpd.GeoDataFrame) -> None:
    covered = ocm.coverage(ocm.sample_areas(), stations, [5])
    _, style = style_of(ocm.write(covered, tmp_path / "c.gpkg"))
    rules = rules_of(style)
    assert [hex_of(c) for _, _, c in rules[1:]] == list(SHARES)
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (area_share REAL)")
        db.executemany("INSERT INTO t VALUES (?)", [(0,), (0.2,), (0.2001,), (1,), (None,)])
        found = [
            db.execute(f"SELECT count(*) FROM t WHERE {where}").fetchone()[0]  # noqa: S608
            for where, _, _ in rules
        ]
    assert found == [1, 2, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("shape", "tag"),
    [
        (shapely.LineString([(1, 2), (3, 4)]), "line"),
        (shapely.box(0, 0, 1, 1), "fill"),
        (shapely.MultiPoint([(1, 2)]), "marker"),
        (shapely.GeometryCollection([shapely.Point(1, 2)]), ""),
    ],
)
def test_other_tables_and_hostile_names(tmp_path: Path, shape: shapely.Geometry, tag: str) -> None:
    hostile = "a'\"<&>\N{SNOWMAN} x"
    table = gpd.GeoDataFrame({hostile: [hostile], "name": ["x"]}, geometry=[shape], crs=4326)
    path = ocm.write(table, tmp_path / "t.gpkg")
    _, style = style_of(path)
    assert {s.get("type") for s in style.iter("symbol")} == ({tag} if tag else set())
    assert hostile in {a.get("field") for a in style.iter("alias")}
    assert style.findtext("previewExpression") == '"name"'
    again = ocm.read(path)
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(table))


def test_layers_with_a_style_are_read_everywhere(
    tmp_path: Path, stations: gpd.GeoDataFrame
) -> None:
    path = ocm.write(stations, tmp_path / "s.gpkg")
    assert ocm.read(path).equals(stations)
    assert len(gpd.read_file(path, layer="s")) == len(stations)
    line = gpd.GeoDataFrame({"name": ["r"]}, geometry=[ocm.sample_route()], crs=4326)
    roads = ocm.write(line, tmp_path / "r.gpkg")
    assert ocm.road_network(roads).report["n_segments"] == 1
    assert ocm.route_from_file(roads).equals(ocm.sample_route())
    assert ocm.write(stations, tmp_path / "s.gpkg").read_bytes() == path.read_bytes()
