from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pyproj
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.plots.extent import Extent
from ocm_geo.plots.maps import land, scale_bar_km

from .reading import caption, draw, fits, legend_counts

if TYPE_CHECKING:
    from pathlib import Path


GEOD = pyproj.Geod(ellps="WGS84")
SIZES = {"300 px": (3, 3, 100), "85 mm": (3.35, 3.35, 300), "A4": (8.27, 11.69, 100)}


def made(lon: list[float], lat: list[float], kw: float | None = 50.0) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"max_power_kw": np.array([kw] * len(lon), dtype=float)},
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4326",
    )


def bar_km(ax: Any) -> tuple[float, str]:
    """Measure the scale bar on the map, at its middle latitude, by the geodesic."""
    ax.figure.canvas.draw()
    (bar,) = [a for a in ax.artists if hasattr(a, "size_bar")]
    (line,) = bar.size_bar.get_children()
    box = ax.transData.inverted().transform_bbox(line.get_window_extent())
    south, north = ax.get_ylim()
    lat = (south + north) / 2
    return GEOD.inv(box.x0, lat, box.x1, lat)[2] / 1000, bar.txt_label.get_text()


def test_a_map_counts_every_station_and_gives_credit(stations: gpd.GeoDataFrame) -> None:
    ax = draw.plot_stations(stations, title="Cost: $5 and $6")
    assert sum(legend_counts(ax).values()) == len(stations)
    said = caption(ax)
    assert said.startswith(f"{len(stations):,} stations")
    assert "Invented stations" in said
    assert "data to 2025" in said
    assert "snapshot 2026" in said
    fits(ax)  # and dollars of strangers are no mathematics


@pytest.mark.parametrize("lat", [0.0, 52.0, 70.0, -45.0])
def test_the_scale_bar_is_true(lat: float) -> None:
    ax = draw.plot_stations(made([10, 12], [lat - 1, lat + 1]), basemap=False)
    km, text = bar_km(ax)
    shown = Extent(ax.get_xlim()[0], ax.get_ylim()[0], ax.get_xlim()[1], ax.get_ylim()[1])
    # The bar is drawn with the width of its line.
    assert km == pytest.approx(float(text.split()[0]), rel=0.03)
    assert float(text.split()[0]) <= scale_bar_km(shown) * 2
    assert ("° N" in text) == (lat == 70.0)


@pytest.mark.parametrize("lat", [0.0, 52.0, 70.0])
def test_a_kilometre_is_as_long_both_ways(lat: float) -> None:
    ax = draw.plot_stations(made([10, 11], [lat - 0.5, lat + 0.5]), basemap=False)
    ax.figure.canvas.draw()
    middle = sum(ax.get_ylim()) / 2
    east, _, _ = GEOD.fwd(10.5, middle, 90, 10_000)
    _, north, _ = GEOD.fwd(10.5, middle, 0, 10_000)
    at = ax.transData.transform([(10.5, middle), (east, middle), (10.5, north)])
    assert at[1, 0] - at[0, 0] == pytest.approx(at[2, 1] - at[0, 1], rel=0.01)


@pytest.mark.parametrize("size", SIZES)
def test_maps_fit_and_fill_the_paper(stations: gpd.GeoDataFrame, size: str) -> None:
    width, height, dpi = SIZES[size]
    figure, ax = plt.subplots(figsize=(width, height), dpi=dpi)
    draw.plot_stations(stations, ax=ax, title="Charging sites of three countries")
    figure.canvas.draw()
    assert ax.get_window_extent().width > 0.88 * figure.bbox.width
    fits(ax)


def test_a_stray_position_does_not_spoil_the_map(stations: gpd.GeoDataFrame) -> None:
    many = stations.set_geometry(stations.geometry)
    shapes = many.geometry.to_numpy().copy()
    shapes[[3, 7]] = shapely.Point(0, 0)
    ax = draw.plot_stations(many.set_geometry(gpd.GeoSeries(shapes, many.index, crs=4326)))
    assert "2 of them outside the map" in caption(ax)
    assert ax.get_ylim()[0] > 40
    assert sum(legend_counts(ax).values()) == len(stations)
    # A twentieth is no stray.
    shapes[: len(shapes) // 20] = shapely.Point(0, 0)
    ax = draw.plot_stations(many.set_geometry(gpd.GeoSeries(shapes, many.index, crs=4326)))
    assert "beyond" not in caption(ax)
    assert ax.get_ylim()[0] < 0


def test_an_extent_can_be_asked_for(stations: gpd.GeoDataFrame) -> None:
    ax = draw.plot_stations(stations, extent=(4, 51, 6, 53))
    assert ax.get_xlim()[0] <= 4
    assert ax.get_ylim()[1] >= 53
    box = stations.cx[slice(*ax.get_xlim()), slice(*ax.get_ylim())]
    assert f"{len(stations) - len(box):,} of them outside the map" in caption(ax)
    same = draw.plot_stations(stations, extent=np.array([4, 51, 6, 53]))
    assert same.get_xlim() == ax.get_xlim()
    for wrong in ("nl", 7, (4, 53, 6, 51), (4, 51, 6), (0, -91, 1, 1), (0, 0, float("nan"), 1)):
        with pytest.raises(ocm.QueryError, match="extent"):
            draw.plot_stations(stations, extent=wrong)
    ax = draw.plot_stations(stations, extent=(170, -20, -170, -10))
    assert ax.get_xlim()[1] - ax.get_xlim()[0] < 60


def test_empty_single_and_antimeridian_tables_can_be_drawn(stations: gpd.GeoDataFrame) -> None:
    ax = draw.plot_stations(stations.head(0))
    assert caption(ax).startswith("0 stations")
    fits(ax)
    ax = draw.plot_stations(stations.head(1))
    assert caption(ax).startswith("1 station ")
    fits(ax)
    ax = draw.plot_stations(made([179, -179], [60, 61]))
    west, east = ax.get_xlim()
    assert east - west < 12
    drawn = np.vstack([c.get_offsets() for c in ax.collections if len(c.get_offsets()) > 1])
    assert np.ptp(drawn[:, 0]) == pytest.approx(2)
    ax = draw.plot_stations(made([10, 20, 15], [70, 71, 72], kw=None))
    assert legend_counts(ax) == {"power not known": 3}
    fits(ax)


def test_no_border_is_drawn_along_the_antimeridian() -> None:
    ax = draw.plot_stations(made([176, -172], [66, 68]))
    ground = ax.collections[-1]
    for path in ground.get_paths():
        at_180 = np.isclose(path.vertices[:, 0], 180, atol=1e-6)
        step = np.abs(np.diff(path.vertices[:, 1]))
        assert not (at_180[1:] & at_180[:-1] & (step > 0.05)).any()


def test_a_projected_table_is_drawn_in_the_same_place(stations: gpd.GeoDataFrame) -> None:
    ax = draw.plot_stations(stations.to_crs("EPSG:3857"), basemap=False)
    assert ax.get_xlim() == pytest.approx(draw.plot_stations(stations, basemap=False).get_xlim())


def test_tables_that_are_none_are_refused_and_leave_no_figure(stations: gpd.GeoDataFrame) -> None:
    before = plt.get_fignums()
    with pytest.raises(ocm.QueryError, match="set_crs"):
        draw.plot_stations(stations.set_crs(None, allow_override=True))
    with pytest.raises(ocm.QueryError, match="max_power_kw"):
        draw.plot_stations(stations.drop(columns="max_power_kw"))
    with pytest.raises(ocm.QueryError, match="GeoDataFrame"):
        draw.plot_stations(stations.drop(columns="geometry"))
    assert plt.get_fignums() == before


def test_given_axes_are_used_and_no_figure_is_made(stations: gpd.GeoDataFrame) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    before = plt.get_fignums()
    assert draw.plot_stations(stations, ax=left) is left
    assert plt.get_fignums() == before
    assert not right.collections
    assert figure.get_layout_engine() is None  # the layout is the caller's


def test_many_points_are_few_paths_in_vector_formats(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    n = 300_000
    many = gpd.GeoDataFrame(
        {"max_power_kw": rng.choice([7.4, 22, 50, 150, np.nan], n)},
        geometry=gpd.points_from_xy(rng.uniform(4, 8, n), rng.uniform(50, 54, n)),
        crs="EPSG:4326",
    )
    ax = draw.plot_stations(many)
    text = ocm.save_figure(ax, tmp_path / "many.svg", dpi=150).read_text()
    assert text.count("<image") >= 1
    assert text.count("<path") < 1000
    assert text.count("<use") < 1000
    assert len(text) < 6_000_000


def test_few_points_stay_shapes(stations: gpd.GeoDataFrame, tmp_path: Path) -> None:
    ax = draw.plot_stations(stations, basemap=False)
    text = ocm.save_figure(ax, tmp_path / "few.svg").read_text()
    assert "<image" not in text
    assert text.count("<use") >= len(stations)


def test_the_land_keeps_to_the_globe() -> None:
    assert land().geometry.is_valid.all()
    assert land().total_bounds == pytest.approx([-180, -90, 180, 83.6], abs=0.1)


def test_areas_are_drawn_and_inside_the_map() -> None:
    areas = gpd.GeoSeries([shapely.box(3, 50, 9, 56), None, shapely.Point()], crs=4326)
    stations = made([5, 5.1, *np.linspace(5, 5.2, 60), 0], [52, 52.1, *np.linspace(52, 53, 60), 0])
    ax = draw.plot_stations(stations, areas=areas.to_crs(3857), basemap=False)
    (west, east), (south, north) = ax.get_xlim(), ax.get_ylim()
    assert west < 3
    assert east > 9
    assert north > 56
    # The stray at 0, 0 is neither shown nor forgotten.
    assert 20 < south < 50
    assert "1 of them outside the map" in caption(ax)
    outlines = [c for c in ax.collections if c.get_zorder() == 2 and len(c.get_paths()) == 1]
    assert len(outlines) == 1
    assert outlines[0].get_facecolor().size == 0
    fits(ax)


def test_areas_without_stations_or_shapes() -> None:
    areas = gpd.GeoDataFrame(geometry=[shapely.box(3, 50, 9, 56)], crs=4326)
    ax = draw.plot_stations(made([], []), areas=areas, basemap=False)
    assert ax.get_xlim()[0] > -5
    assert "0 stations" in caption(ax)
    empty = draw.plot_stations(made([5], [52]), areas=areas.head(0), basemap=False)
    assert empty.get_xlim()[0] > 4
    with pytest.raises(ocm.QueryError, match="areas must be a GeoDataFrame"):
        ocm.plot_stations(made([5], [52]), areas="NL")


def test_areas_across_the_antimeridian() -> None:
    fiji = gpd.GeoSeries(
        [
            shapely.MultiPolygon(
                [shapely.box(177, -19, 180, -16), shapely.box(-180, -19, -178, -16)]
            )
        ],
        crs=4326,
    )
    ax = draw.plot_stations(made([178, -179], [-18, -17]), areas=fiji, basemap=False)
    west, east = ax.get_xlim()
    assert east - west < 30
