"""Maps through time, and two maps side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from PIL import Image

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

pytest.importorskip("anywidget")


@pytest.fixture(scope="module")
def sample() -> gpd.GeoDataFrame:
    return ocm.stations(source=ocm.sample())


def test_each_step_shows_the_stations_up_to_its_date(sample: gpd.GeoDataFrame) -> None:
    shown = ocm.time_map(sample, basemap="none")
    assert len(shown.layer.stations) == sample["date_created"].notna().sum()
    for index, label in enumerate(shown.labels):
        shown.slider.index = index
        day = pd.Timestamp(label, tz="UTC") + pd.Timedelta(days=1)
        expected = sample.index[sample["date_created"] < day]
        assert shown.layer.stations.index.tolist() == expected.tolist()
        assert shown.map.title == label
        assert shown.describe_face().rows[0].label.startswith(f"{len(expected):,} station")


def test_steps_can_be_tables_by_label(sample: gpd.GeoDataFrame, tmp_path: Path) -> None:
    shown = ocm.time_map({"old": sample.head(10), "new": sample}, basemap="none")
    shown.slider.index = 0
    assert len(shown.layer.stations) == 10
    with Image.open(shown.to_png(tmp_path / "old.png", scale=1)) as picture:
        assert picture.info["Title"] == "old"


def test_steps_are_checked(sample: gpd.GeoDataFrame) -> None:
    with pytest.raises(ocm.QueryError, match="tables by label, not 7"):
        ocm.time_map(7)
    with pytest.raises(ocm.QueryError, match="must contain dates"):
        ocm.time_map(sample, date="title")
    with pytest.raises(ocm.QueryError, match="every must be a step"):
        ocm.time_map(sample, every="fortnight")
    with pytest.raises(ocm.QueryError, match="at most 120"):
        ocm.time_map(sample, every="D")


def test_two_maps_share_a_view(sample: gpd.GeoDataFrame, tmp_path: Path) -> None:
    left = ocm.station_map(sample, basemap="none")
    right = ocm.station_map(sample.head(5), basemap="none")
    pair = ocm.side_by_side(left, right)
    assert (pair.right.center, pair.right.zoom) == (left.center, left.zoom)
    widths = []
    for shown in (left, right, pair):
        with Image.open(shown.to_png(tmp_path / "map.png", scale=1)) as picture:
            widths.append(picture.width)
    assert widths[2] == widths[0] + widths[1]
    with pytest.raises(ocm.QueryError, match="two maps"):
        ocm.side_by_side(left, left)
    with pytest.raises(ocm.QueryError, match="must be maps of ocm_geo"):
        ocm.side_by_side(left, "map")  # type: ignore[arg-type]
