"""Figures, maps and reports of what has no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.geodesy import Line
from ocm_geo.outside import describe_outside, no_data_in, split_by_data, stretches_without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

    Make = Callable[..., gpd.GeoDataFrame]

FACTS = {"covers": "NL", "outside": {"countries": "DE", "share": 0.5, "of": "the area"}}
TO_COLOGNE = shapely.LineString([(5.12, 52.09), (5.9, 51.97), (6.96, 50.94)])
UTRECHT, COLOGNE = shapely.box(4.9, 52.0, 5.4, 52.3), shapely.box(6.7, 50.8, 7.2, 51.1)
BORDER = shapely.box(6.5, 52.3, 7.5, 52.6)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def words(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_areas_are_in_or_out_or_cut() -> None:
    shapes = np.array([UTRECHT, COLOGNE, BORDER], dtype=object)
    none = no_data_in(FACTS, shapes)
    assert none.whole.tolist() == [False, True, False]
    assert len(none.parts) == 2
    assert none.parts[0].equals(COLOGNE)
    assert 0.2 < none.parts[1].area / BORDER.area < 0.8
    assert not no_data_in({"covers": "NL"}, shapes).whole.any()
    assert no_data_in({"outside": {"countries": "DE", "share": 1.0}}, shapes).whole.all()


def test_many_cells_are_in_or_out_by_their_middles() -> None:
    lon = np.linspace(6.0, 8.0, 3600)
    cells = shapely.box(lon, 52.3, lon + 0.001, 52.31)
    none = no_data_in(FACTS, cells)
    assert not none.whole[lon < 6.9].any()
    assert none.whole[lon > 7.1].all()


def test_gaps_are_split_where_the_data_end() -> None:
    line = Line(TO_COLOGNE)
    ((start, end),) = stretches_without(FACTS, line)
    assert end == pytest.approx(line.length_km)
    at = shapely.Point(line.point_at(start)[0])
    assert 5.9 < at.x < 6.3
    table = gpd.GeoDataFrame(
        {"start_km": [0.0, 60.0], "length_km": [60.0, line.length_km - 60.0], "status": "fails"},
        geometry=[line.substring(0, 60), line.substring(60, line.length_km)],
        crs="EPSG:4326",
    )
    pieces = split_by_data(table, line, FACTS)
    assert pieces["status"].tolist() == ["fails", "fails", "no data"]
    assert pieces["length_km"].sum() == pytest.approx(line.length_km)
    assert pieces["start_km"].tolist() == pytest.approx([0, 60, start])
    assert split_by_data(table, line, {}) is table


def test_a_strip_shows_no_gap_where_there_are_no_data(
    stations_of: Make,
) -> None:
    stations = stations_of()
    with pytest.warns(ocm.OutsideData):
        gaps = ocm.route_gaps(TO_COLOGNE, stations)
    along = ocm.locate_along(stations, TO_COLOGNE, within_km=5)
    _, ax = plt.subplots()
    ocm.plot_route(TO_COLOGNE, along, gaps=gaps, limit_km=90, ax=ax)
    assert "no data" in words(ax)
    assert not [text for text in words(ax) if text.startswith("gap over")]
    # The gap from the last station to Cologne is the longest of all without the borders.
    assert gaps["length_km"].max() > 90


def test_maps_hatch_what_has_no_data(stations_of: Make) -> None:
    areas = gpd.GeoSeries([UTRECHT, COLOGNE, BORDER], crs="EPSG:4326")
    with pytest.warns(ocm.OutsideData):
        table = ocm.coverage(areas, stations_of(), 5)
    ax = ocm.plot_coverage(table, kind="areas")
    assert words(ax)[-1] == "no data"
    assert sum(int(text.split("(")[1][:-1]) for text in words(ax)[:-1]) == 2
    captions = [text.get_text() for text in ax.texts]
    assert any("no data: Germany" in text for text in captions)
    layer = ocm.CoverageLayer(table)
    assert "no data" in layer._key.value
    with pytest.warns(ocm.OutsideData):
        cells = ocm.coverage_grid(BORDER, stations_of(), 5, within_km=5)
    for kind in ("grid", "contours"):
        assert "no data" in words(ocm.plot_coverage(cells, kind=kind))


def test_a_map_of_a_route_has_stretches_without_data(
    stations_of: Make,
) -> None:
    pytest.importorskip("anywidget")
    with pytest.warns(ocm.OutsideData):
        shown = ocm.route_map(TO_COLOGNE, stations_of(), 5)
    assert shown.gaps["status"].iloc[-1] == "no data"
    assert shown.gaps.attrs["ocm"]["complete"] is False
    assert any("no data" in row.label for row in shown.describe_face().rows)


def test_reports_say_what_has_no_data() -> None:
    assert describe_outside({"complete": True}) is None
    assert describe_outside(FACTS) == (
        "50 % of the area lies outside what the source covers (Germany). Zero coverage, gaps and "
        "distances there come from missing data."
    )
    lacking = {"outside": {"countries": "DE AT", "of": "the countries asked for"}}
    assert str(describe_outside(lacking)).startswith("A part of the countries asked for lies")


def test_a_study_has_a_line_about_it(tmp_path: object) -> None:
    study = {"title": "x", "area": {"bbox": [2.0, 50.2, 4.5, 51.2]}, "coverage": {"within_km": [5]}}
    with pytest.warns(ocm.OutsideData):
        found = ocm.run_study(study, tmp_path, source=ocm.sample())  # type: ignore[arg-type]
    page = found.report.read_text(encoding="utf-8")
    assert "of the area lies outside what the source covers (France)" in page
