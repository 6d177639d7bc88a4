"""The map of what changed, still and live."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pytest

import ocm_geo as ocm
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd


@pytest.fixture
def changes(tmp_path: Path) -> gpd.GeoDataFrame:
    path = tmp_path / "pois.json"
    path.write_text(json.dumps([poi(i, lon=4 + i / 10) for i in range(1, 10)]))
    first = ocm.Mirror.build(tmp_path / "m", path)
    records = [poi(i, lon=4 + i / 10) for i in range(3, 12)]
    records[0]["AddressInfo"]["Latitude"] = 52.1
    records[0]["UsageCost"] = "<script>alert(1)</script>"
    records[1]["UsageCost"] = "free"
    path.write_text(json.dumps(records))
    return ocm.Mirror.build(tmp_path / "m", path).diff(first.snapshot)


def test_each_station_is_drawn_once_and_counted(changes: gpd.GeoDataFrame) -> None:
    axes = ocm.plot_changes(changes)
    legend = axes.get_legend()
    assert legend is not None
    told = [text.get_text() for text in legend.get_texts()]
    assert told == ["changed (1)", "moved (1)", "removed (2)", "added (2)"]
    drawn = sum(len(np.asarray(c.get_offsets())) for c in axes.collections if c.get_label() in told)
    assert drawn == 6
    caption = " ".join(text.get_text() for text in axes.texts).replace("\n", " ")
    assert changes.attrs["ocm"]["compared_with"] in caption
    assert changes.attrs["ocm"]["snapshot"] in caption
    plt.close("all")


def test_a_click_lists_the_changes_without_running_them(changes: gpd.GeoDataFrame) -> None:
    made = ocm.changes_map(changes, basemap="offline")
    layers = {layer.name: layer for layer in made.layers if layer.name in ocm_kinds(changes)}
    assert {name: len(layer.data["features"]) for name, layer in layers.items()} == {
        "added": 2,
        "removed": 2,
        "moved": 1,
        "changed": 1,
    }
    feature = layers["moved"].data["features"][0]
    layers["moved"]._click_callbacks(
        event="click", feature=feature, properties=feature["properties"]
    )
    text = made.layers[-1].child.value
    assert "OCM 3" in text
    assert "usage_cost: missing → &lt;script&gt;" in text
    assert "moved 11,1" in text


def ocm_kinds(changes: gpd.GeoDataFrame) -> set[str]:
    return set(changes["change"])


def test_other_tables_are_refused() -> None:
    for call in (ocm.plot_changes, ocm.changes_map):
        with pytest.raises(ocm.QueryError, match=r"Mirror\.diff"):
            call(ocm.stations(source=ocm.sample()))
