"""Pictures of maps, drawn without a browser."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageColor

import ocm_geo as ocm
from ocm_geo.plots.station_groups import POWER_GROUPS, group_stations
from ocm_geo.plots.style import POWER_CLASSES
from ocm_geo.widgets.dots import draw_points
from ocm_geo.widgets.pictured import _find_in_base64
from ocm_geo.widgets.rings import group_rings
from ocm_geo.widgets.view import View, pixels_of

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd


@pytest.fixture(scope="module")
def sample() -> gpd.GeoDataFrame:
    return ocm.stations(source=ocm.sample())


def make(kind: str, sample: gpd.GeoDataFrame) -> Any:
    """Make a map of a kind."""
    if kind == "route":
        return ocm.route_map(ocm.sample_route(), sample, 3, basemap="offline")
    if kind == "coverage":
        return ocm.coverage_map(ocm.coverage(ocm.sample_areas(), sample, 5), column="area_share")
    if kind == "explorer":
        return ocm.StationExplorer(ocm.sample(), basemap="offline")
    if kind == "points":
        return ocm.station_map(sample, max_markers=10, many="points")
    return ocm.station_map(sample, max_markers=10 if kind == "groups" else 5000)


def colours_in(picture: Image.Image) -> set[tuple[int, ...]]:
    colours = picture.convert("RGB").getcolors(2**24)
    assert colours is not None
    return {colour for n, colour in colours if n >= 20}  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["stations", "groups", "points", "route", "coverage", "explorer"])
def test_every_map_is_written_as_a_picture(
    kind: str, sample: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    shown = make(kind, sample)
    path = shown.to_png(tmp_path / "map.png", scale=1)
    with Image.open(path) as picture:
        assert picture.width > 900
        assert "Invented stations" in picture.info["Description"]
        assert "Natural Earth" in picture.info["Description"]
        found = colours_in(picture)
    # The classes of the figures, in the legend at least.
    if kind != "coverage":
        assert {ImageColor.getrgb(colour) for *_, colour in POWER_CLASSES} <= found
    assert ImageColor.getrgb("#e3ecf2") in found
    bundle = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    with Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))) as live:
        assert live.width >= picture.width


def test_the_title_is_on_the_picture(sample: gpd.GeoDataFrame, tmp_path: Path) -> None:
    plain = ocm.station_map(sample, basemap="offline")
    with Image.open(plain.to_png(tmp_path / "a.png")) as picture:
        low = picture.height
    plain.title = "Stations of the sample"
    with Image.open(plain.to_png(tmp_path / "b.png")) as picture:
        assert picture.info["Title"] == "Stations of the sample"
        assert picture.height > low


def test_paths_and_scales_are_checked(sample: gpd.GeoDataFrame, tmp_path: Path) -> None:
    shown = ocm.station_map(sample, basemap="none")
    with pytest.raises(ocm.QueryError, match=r"suffix must be \.png"):
        shown.to_png(tmp_path / "map.jpg")
    with pytest.raises(ocm.QueryError, match="scale"):
        shown.to_png(tmp_path / "map.png", scale=0)
    with pytest.raises(ocm.QueryError, match="many must be one of"):
        ocm.station_map(sample, many="discs")


def test_every_station_is_a_point_of_its_class(sample: gpd.GeoDataFrame) -> None:
    sample = sample.cx[3:9, 50:54]
    lon, lat = sample.geometry.x.to_numpy(), sample.geometry.y.to_numpy()
    _, ranks = group_stations(sample)
    view = View.around(lon, lat)
    drawn = draw_points(lon, lat, ranks, POWER_GROUPS, view=view)
    x, y = pixels_of(lon, lat, view.zoom)
    (x0,), (y0,) = pixels_of(np.array([view.west]), np.array([view.north]), view.zoom)
    at = np.asarray(drawn)[(2 * (y - y0)).astype(int), (2 * (x - x0)).astype(int)]
    inside = (at > 0).mean()
    assert inside == 1
    # Higher classes lie on top: no point is covered by a lower one.
    assert (at >= ranks + 2).all()


def test_rings_count_every_station_of_a_class_once(sample: gpd.GeoDataFrame) -> None:
    lon, lat = sample.geometry.x.to_numpy(), sample.geometry.y.to_numpy()
    _, ranks = group_stations(sample)
    rings = group_rings(lon, lat, ranks, POWER_GROUPS, zoom=7)
    assert rings.counts.sum(axis=1).tolist() == rings.size.tolist()
    expected = [int((ranks == rank).sum()) for rank in (3, 2, 1, 0, -1)]
    assert rings.counts.sum(axis=0).tolist() == expected


@pytest.mark.parametrize("before", [0, 1, 2, 3, 50])
def test_a_mark_is_found_in_the_address_of_a_picture(before: int) -> None:
    mark = "0123456789abcdef" * 2
    address = base64.b64encode(b"\x89" * before + mark.encode() + b"\x00" * 99).decode()
    part = _find_in_base64(mark, address)
    assert len(part) > 30
    assert part in address


def test_points_are_opened_by_a_click_on_the_map(sample: gpd.GeoDataFrame) -> None:
    shown = ocm.station_map(sample, max_markers=10, many="points", basemap="none")
    layer = ocm.StationLayer(sample, max_markers=10, many="points").add_to(shown)
    picked: list[Any] = []
    layer.on_select(lambda rows: picked.append(rows.index[0]))
    point = sample.geometry.iloc[5]
    layer._open_nearest(type="click", coordinates=[point.y, point.x])
    layer._open_nearest(type="click", coordinates=[10.0, 10.0])
    layer._open_nearest(type="mousemove", coordinates=[point.y, point.x])
    assert picked == [sample.index[5]]
    layer.set_many("groups")
    assert layer.shown == "groups"
