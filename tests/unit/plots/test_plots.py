from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pyproj
import pytest

import ocm_geo as ocm
from ocm_geo.plots.maps import Extent, scale_bar_km
from ocm_geo.plots.style import POWER_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

GEOD = pyproj.Geod(ellps="WGS84")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def stations() -> gpd.GeoDataFrame:
    return ocm.stations_from_bbox((3, 50, 9, 54), source=ocm.sample())


def texts(ax: Axes) -> str:
    found = [t.get_text() for t in ax.texts]
    legend = ax.get_legend()
    return "\n".join(found + ([t.get_text() for t in legend.get_texts()] if legend else []))


def test_a_map_counts_every_station_and_gives_credit(stations: gpd.GeoDataFrame) -> None:
    ax = ocm.plot_stations(stations, title="Cost: $5 and $6")
    said = texts(ax)
    counts = [
        int(line.rsplit("(")[-1].rstrip(")").replace(",", ""))
        for line in said.splitlines()
        if (line.endswith(")") and "kW" in line) or "not known" in line
    ]
    assert sum(counts) == len(stations)
    assert "Invented stations" in said
    assert "data to 2025" in said
    ax.figure.canvas.draw()  # dollars of strangers are no mathematics


@pytest.mark.parametrize("lat", [0.0, 52.0, 70.0])
def test_the_scale_bar_is_true(stations: gpd.GeoDataFrame, lat: float) -> None:
    moved = stations.set_geometry(stations.geometry.translate(0, lat - 52)).set_crs(stations.crs)
    ax = ocm.plot_stations(moved, basemap=False)
    bar = next(line for line in ax.lines if line.get_gid() == "scale-bar")
    west, east = ax.get_xlim()
    south, north = ax.get_ylim()
    x, middle = np.asarray(bar.get_xdata(), dtype=float), (south + north) / 2
    km = GEOD.inv(x[0], middle, x[1], middle)[2] / 1000
    assert km == pytest.approx(scale_bar_km(Extent(west, south, east, north)), rel=0.01)


def test_empty_single_and_antimeridian_tables_can_be_drawn(stations: gpd.GeoDataFrame) -> None:
    ocm.plot_stations(stations.head(0)).figure.canvas.draw()
    ocm.plot_stations(stations.head(1)).figure.canvas.draw()
    two = stations.head(2).set_geometry(gpd.points_from_xy([179, -179], [60, 61], crs=stations.crs))
    ax = ocm.plot_stations(two)
    west, east = ax.get_xlim()
    assert east - west < 10


def test_a_projected_table_is_drawn_in_the_same_place(stations: gpd.GeoDataFrame) -> None:
    ax = ocm.plot_stations(stations.to_crs("EPSG:3857"), basemap=False)
    assert ax.get_xlim() == pytest.approx(ocm.plot_stations(stations, basemap=False).get_xlim())


def test_given_axes_are_used_and_no_figure_is_made(stations: gpd.GeoDataFrame) -> None:
    figure, ax = plt.subplots()
    before = plt.get_fignums()
    assert ocm.plot_stations(stations, ax=ax) is ax
    assert ax.figure is figure
    assert plt.get_fignums() == before


def test_many_points_are_one_picture_in_vector_formats(
    stations: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    many = stations.sample(6000, replace=True, random_state=1)
    ocm.plot_stations(many, basemap=False)
    plt.gcf().savefig(tmp_path / "many.svg")
    assert (tmp_path / "many.svg").stat().st_size < 600_000


def test_classes_differ_in_lightness() -> None:
    def light(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    steps = np.diff([light(colour) for _, _, colour in POWER_CLASSES])
    assert (steps < -25).all()


def test_coverage_lines_and_map(stations: gpd.GeoDataFrame) -> None:
    areas = ocm.sample_areas()
    table = ocm.coverage(areas, stations, [1, 10], population="population")
    ax = ocm.plot_coverage(table)
    assert len(ax.figure.axes) == 3  # map, its legend, lines
    share = table[table["within_km"] == 10]
    expected = 100 * share["population_covered"].sum() / share["population"].sum()
    assert np.asarray(ax.lines[0].get_ydata(), float)[-1] == pytest.approx(expected)
    assert "people" in ax.get_ylabel()
    with pytest.raises(ocm.QueryError, match="within_km=3"):
        ocm.plot_coverage(table, within_km=3)
    with pytest.raises(ocm.QueryError, match="no column"):
        ocm.plot_coverage(areas)


def test_the_strip_shows_every_station_on_its_side() -> None:
    route = ocm.sample_route()
    along = ocm.stations_from_route(route, 3, source=ocm.sample(), min_power_kw=50)
    gaps = ocm.route_gaps(route, along, within_km=3)
    ax = ocm.plot_route(route, along, within_km=3, gaps=gaps, limit_km=40)
    drawn = [np.asarray(c.get_offsets()) for c in ax.collections]
    offsets = np.vstack([d for d in drawn if len(d) > 1 or d.any()])
    tips = offsets[np.abs(offsets[:, 1]) > 0.1]
    assert len(tips) == len(along)
    assert (tips[:, 1] > 0).sum() == (along["side"] != "right").sum()
    assert f"{gaps['length_km'].max():.0f} km" in texts(ax)
    with pytest.raises(ocm.QueryError, match="along_km"):
        ocm.plot_route(route, ocm.stations(source=ocm.sample()))
