from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.provenance import carry
from ocm_geo.widgets.clusters import group_points
from ocm_geo.widgets.facts import describe_stations, one_line, safe_url
from ocm_geo.widgets.popups import popup_html
from ocm_geo.widgets.symbols import symbol_codes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stations() -> gpd.GeoDataFrame:
    every = ocm.stations(source=ocm.sample())
    return carry(every.cx[3:9, 50:54], every)


@pytest.fixture
def reference() -> ocm.ReferenceData:
    return ocm.reference_data(ocm.sample())


def hostile(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return stations[stations["title"].str.contains("<", regex=False)]


def layer(shown: Any) -> Any:
    group = next(x for x in shown.layers if x.name == "stations")
    return group.layers[0]


def n_points(shown: Any) -> int:
    shapes = [feature["geometry"] for feature in layer(shown).data["features"]]
    return sum(len(s["coordinates"]) if s["type"] == "MultiPoint" else 1 for s in shapes)


def test_popups_read_as_words(stations: gpd.GeoDataFrame, reference: ocm.ReferenceData) -> None:
    station = describe_stations(stations.head(1), reference)[0]
    text = popup_html(station)
    assert station["title"] in text
    assert "Invented Operator" in text
    assert " kW" in text
    assert f"/details/{station['id']}" in text
    assert 'rel="noopener noreferrer"' in text


def test_strangers_texts_are_escaped(stations: gpd.GeoDataFrame) -> None:
    rows = hostile(stations)
    assert len(rows) >= 3
    for station in describe_stations(rows):
        text = popup_html(station)
        assert "<script" not in text
        assert "<img" not in text
        assert "javascript:" not in text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://example.org/a?b=1", True),
        (" http://example.org ", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("http://[::1", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(typed: str | None, *, kept: bool) -> None:
    assert (safe_url(typed) is not None) == kept


def test_few_stations_are_markers(stations: gpd.GeoDataFrame, reference: ocm.ReferenceData) -> None:
    shown = ocm.station_map(stations.to_crs("EPSG:3857"), reference=reference, basemap="none")
    assert n_points(shown) == len(stations)
    drawn = {tuple(p) for f in layer(shown).data["features"] for p in f["geometry"]["coordinates"]}
    points = np.round(shapely.get_coordinates(stations.geometry.to_numpy()), 6)
    assert drawn == {tuple(p) for p in points.tolist()}


def test_a_click_opens_a_popup(stations: gpd.GeoDataFrame, reference: ocm.ReferenceData) -> None:
    shown = ocm.station_map(stations, reference=reference, basemap="none")
    before = len(shown.layers)
    for row in (0, 1):
        point = stations.geometry.iloc[row]
        feature = layer(shown).data["features"][0]
        layer(shown)._click_callbacks(
            feature=feature, coordinates=[point.y, point.x], event="click"
        )
        assert len(shown.layers) == before + 1
    assert stations["title"].iloc[1] in shown.layers[-1].child.value


def test_many_stations_are_groups_made_for_the_view() -> None:
    rng = np.random.default_rng(4)
    n = 300_000
    base = ocm.stations(source=ocm.sample()).iloc[rng.integers(0, 1400, n)]
    base.index = pd.RangeIndex(1, n + 1, name="ocm_id")
    points = gpd.points_from_xy(rng.uniform(-10, 30, n), rng.uniform(36, 60, n), crs="EPSG:4326")
    stations = base.set_geometry(points)
    shown = ocm.station_map(stations, basemap="none")
    groups = layer(shown).data["features"]
    assert sum(f["properties"]["count"] for f in groups) == n
    assert len(str(groups)) < 100_000
    shown.zoom = 12
    shown.set_state({"west": 5.0, "south": 50.0, "east": 5.3, "north": 50.2})
    inside = stations.cx[5.0:5.3, 50.0:50.2]
    assert len(inside) <= n_points(shown) < 2000


def test_options_are_checked(stations: gpd.GeoDataFrame) -> None:
    with pytest.raises(ocm.QueryError, match="basemap"):
        ocm.station_map(stations, basemap="satellite")
    for wrong in (0, 9.5, "9", True):
        with pytest.raises(ocm.QueryError, match="max_markers"):
            ocm.station_map(stations, max_markers=wrong)  # type: ignore[arg-type]
    with pytest.raises(ocm.QueryError, match="reference must be made by"):
        ocm.station_map(stations, reference="sample")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        ocm.station_map(stations, hight="10px")  # type: ignore[call-arg]
    with pytest.raises(ocm.QueryError, match="coordinate reference system"):
        ocm.station_map(stations.set_crs(None, allow_override=True))


def test_groups_hold_every_point_once() -> None:
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(-180, 180, 5000), rng.uniform(-89, 89, 5000)
    for zoom in (0, 3, 8.5):
        groups = group_points(lon, lat, zoom)
        assert groups.size.sum() == 5000
    assert len(group_points(lon, lat, 0).size) <= 16


def test_a_page_holds_all_it_needs(
    stations: gpd.GeoDataFrame, reference: ocm.ReferenceData, tmp_path: Path
) -> None:
    page = ocm.to_html(stations, tmp_path / "m.html", reference=reference, title="<b>x").read_text()
    assert not re.search(r'<(script|img|link)[^>]+="https?://', page)
    assert "<b>x" not in page
    assert "Invented stations" in page
    data = page.split('id="data">')[1].split("</script>")[0]
    assert "<" not in data


def read_page(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0]
    return dict(json.loads(text))


def test_a_page_of_many_keeps_classes_and_popups(
    stations: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    many = stations.iloc[np.arange(20_000) % len(stations)].set_axis(np.arange(20_000) + 1)
    path = ocm.to_html(many, tmp_path / "m.html")
    assert path.stat().st_size < 5_000_000
    points = read_page(path)["points"]
    codes = np.cumsum(points["code"])
    assert (
        np.bincount(codes, minlength=15).tolist()
        == np.bincount(symbol_codes(many), minlength=15).tolist()
    )
    told = [points["words"][title] for _, title, _, _ in points["texts"]]
    assert sorted(told) == sorted(d["title"] for d in describe_stations(many))
    assert all(len(facts) % 2 == 0 for _, _, facts, _ in points["texts"])


def test_a_page_with_too_much_text_leaves_out_popups(
    stations: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    wordy = stations.iloc[np.arange(9000) % len(stations)].set_axis(np.arange(9000) + 1)
    wordy["title"] = [f"{i} " + "\u20ac" * 290 for i in range(9000)]
    path = ocm.to_html(wordy, tmp_path / "m.html")
    assert path.stat().st_size <= 5_000_000
    assert "without popups, with which the page would exceed 5 MB" in path.read_text("utf-8")
    points = read_page(path)["points"]
    assert sum(points["n"]) == 9000
    west, south, east, north = wordy.total_bounds
    lon, lat = (points["unit"] * np.cumsum(points[name]) for name in ("lon", "lat"))
    assert [lon.min(), lat.min()] == pytest.approx([west, south], abs=1e-5)
    assert [lon.max(), lat.max()] == pytest.approx([east, north], abs=1e-5)


def test_a_text_reads_in_the_order_in_which_it_was_typed() -> None:
    assert one_line("gnp.\u202egpj\u202c \u2066x\u2069\x00\n y") == "gnp.gpj x y"
    # Arabic stays as it is.
    assert one_line("محطة شحن") == "محطة شحن"
    assert one_line(None) == ""
    assert len(one_line("x" * 999)) == 300


def test_a_page_over_the_antimeridian_and_of_places_unknown(
    stations: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    lon = [178.0, -178.0, 179.5]
    three = stations.iloc[:4].set_geometry(
        [*gpd.points_from_xy(lon, [-17.0, -18, -17]), None], crs=4326
    )
    text = ocm.to_html(three, tmp_path / "m.html").read_text(encoding="utf-8")
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    lon = np.cumsum(data["points"]["lon"]) * data["points"]["unit"]
    assert sorted(lon.tolist()) == pytest.approx([178, 179.5, 182])
    assert data["bounds"] == [[-18, 178], [-17, 182]]
    assert "3 stations; 1 station without a position is not shown" in text
    empty = ocm.to_html(stations.iloc[:0], tmp_path / "n.html").read_text(encoding="utf-8")
    assert "0 stations" in empty
