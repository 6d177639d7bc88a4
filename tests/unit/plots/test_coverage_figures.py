from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.plots.classes import break_classes, round_classes, share_classes
from ocm_geo.plots.style import FAR

from .reading import caption, draw, fits, legend, legend_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def table(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return ocm.coverage(ocm.sample_areas(), stations, [1, 5, 10], population="population")


def test_shares_are_those_of_all_areas_together(table: gpd.GeoDataFrame) -> None:
    ax = draw.plot_coverage(table, kind="shares")
    rows = table[table["within_km"] == 10]
    expected = 100 * rows["population_covered"].sum() / rows["population"].sum()
    assert np.asarray(ax.lines[0].get_ydata(), float)[-1] == pytest.approx(expected)
    assert "population" in ax.get_ylabel()
    assert f"{expected:.0f} %" in [t.get_text() for t in ax.texts]
    fits(ax)


def test_a_new_figure_of_several_areas_has_a_map_too(table: gpd.GeoDataFrame) -> None:
    ax = draw.plot_coverage(table)
    assert ax.get_xlabel() == "distance to a station, km"
    left = ax.figure.axes[0]
    assert sum(legend_counts(left).values()) == len(ocm.sample_areas())
    fits(ax)


def test_driving_times_have_their_own_words(table: gpd.GeoDataFrame) -> None:
    by_road = table.rename(columns={"within_km": "minutes"})
    ax = draw.plot_coverage(by_road, minutes=5)
    assert ax.get_xlabel() == "driving time to a station, min"
    assert ax.get_ylabel() == "population within that time, %"
    assert "within 5 min" in str(ax.figure.axes[0].get_legend().get_title().get_text())
    with pytest.raises(ocm.QueryError, match="no column 'within_km'"):
        draw.plot_coverage(by_road, within_km=5)
    with pytest.raises(ocm.QueryError, match="minutes=7 is not in the table"):
        draw.plot_coverage(by_road, kind="areas", minutes=7)


def test_bounds_become_a_band(table: gpd.GeoDataFrame) -> None:
    share = table["population_share"]
    with_bounds = table.assign(
        population_share_low=share / 2, population_share_high=np.minimum(share * 1.5, 1)
    )
    ax = draw.plot_coverage(with_bounds, kind="shares")
    assert legend(ax) == ["as recorded", "low to high"]
    (band,) = ax.collections
    low = band.get_paths()[0].vertices[:, 1].min()
    rows = table[table["within_km"] == 1]
    weighted = (rows["population_share"] / 2 * rows["population"]).sum() / rows["population"].sum()
    assert low == pytest.approx(100 * weighted)


def test_real_bounds_are_drawn_in_every_figure(stations: gpd.GeoDataFrame) -> None:
    options: Any = {"bounds": True, "qualifying": ocm.Qualifying(min_power_kw=50)}
    areas = ocm.sample_areas()
    shares = ocm.coverage(areas, stations, [5, 10], population="population", **options)
    ax = draw.plot_coverage(shares, kind="shares")
    assert legend(ax) == ["as recorded", "low to high"]
    assert "every uncertain station out" in caption(ax)
    low = draw.plot_coverage(shares, kind="areas", column="area_share_low", within_km=5)
    high = draw.plot_coverage(shares, kind="areas", column="area_share_high", within_km=5)
    assert "every uncertain station out" in low.get_legend().get_title().get_text()
    assert list(legend_counts(low)) == list(legend_counts(high))
    cells = ocm.coverage_grid(areas, stations, 20, within_km=10, **options)
    ax = draw.plot_coverage(cells, column="nearest_km_low", breaks=[5, 10, 20])
    said = ax.get_legend().get_title().get_text()
    assert said == "Distance to the nearest station, every uncertain station out (cells)"
    assert legend_counts(ax)["up to 5 km"] == (cells["nearest_km_low"] <= 5).sum()
    with pytest.raises(ocm.QueryError, match="column='area_share_low'"):
        draw.plot_coverage(shares, kind="shares", column="area_share_low")
    with pytest.raises(ocm.QueryError, match="breaks are for a grid"):
        draw.plot_coverage(shares, breaks=[1])


def test_people_counted_without_ground_can_be_drawn(table: gpd.GeoDataFrame) -> None:
    """A raster gives people alone, with areas or without."""
    people = ["within_km", "population", "population_covered", "population_share"]
    ax = draw.plot_coverage(table[[*people, "geometry"]])
    assert "population" in ax.get_ylabel()
    one = pd.DataFrame(table.loc[table.index[0], people]).reset_index(drop=True)
    ax = draw.plot_coverage(one)
    assert caption(ax).startswith("1 area ")


def test_more_groups_than_can_be_told_apart_are_refused(table: gpd.GeoDataFrame) -> None:
    many = pd.concat([table.assign(group=str(k)) for k in range(6)])
    for kind in ("shares", None):
        with pytest.raises(ocm.QueryError, match="6 groups; at most 5"):
            draw.plot_coverage(many, kind=kind)
    assert not plt.get_fignums()


def test_groups_are_lines(table: gpd.GeoDataFrame, stations: gpd.GeoDataFrame) -> None:
    fast = stations[stations["max_power_kw"] >= 150]
    other = ocm.coverage(ocm.sample_areas(), fast, [1, 5, 10], population="population")
    both = pd.concat([table.assign(group="all"), other.assign(group="150 kW $ and more")])
    ax = draw.plot_coverage(both, kind="shares")
    assert legend(ax) == ["all", r"150 kW \$ and more"]
    assert len(ax.lines) == 2
    assert (
        draw.plot_coverage(both, kind="areas")
        .get_legend()
        .get_title()
        .get_text()
        .startswith("Share of the population within 5 km, 150 kW")
    )


def test_the_map_of_areas_has_fixed_classes_and_hatches_the_missing(
    table: gpd.GeoDataFrame,
) -> None:
    rows = table[table["within_km"] == 10]
    gone = rows.index[:3]
    part = table.copy()
    part.loc[part.index.isin(gone), "population_share"] = pd.NA
    ax = draw.plot_coverage(part, kind="areas", within_km=10, column="population_share")
    counts = legend_counts(ax)
    assert counts.pop("not known") == 3
    known = 100 * rows.loc[~rows.index.isin(gone), "population_share"].astype(float)
    expected = np.histogram(known, bins=[0, 20, 40, 60, 80, 100.001])[0]
    assert list(counts.values()) == expected.tolist()
    assert any(c.get_hatch() for c in ax.collections)
    fits(ax)


def test_a_grid_counts_its_cells_by_distance(cells: gpd.GeoDataFrame) -> None:
    ax = draw.plot_coverage(cells)
    counts = legend_counts(ax)
    assert counts["none found"] == cells["nearest_km"].isna().sum() > 0
    assert sum(counts.values()) == len(cells)
    km = cells["nearest_km"].dropna().astype(float)
    assert counts["over 10 to 20 km"] == ((km > 10) & (km <= 20)).sum()
    assert ax.get_legend().get_title().get_text() == "Distance to the nearest station (cells)"
    fits(ax)


def test_other_columns_of_a_grid_can_be_drawn(cells: gpd.GeoDataFrame) -> None:
    grid = cells.assign(n_sites=np.arange(len(cells)))
    ax = draw.plot_coverage(grid, column="n_sites")
    assert sum(legend_counts(ax).values()) == len(cells)
    with pytest.raises(ocm.QueryError, match="no column 'people'"):
        draw.plot_coverage(grid, column="people")
    with pytest.raises(ocm.QueryError, match="numbers"):
        draw.plot_coverage(grid.assign(name="a"), column="name")


def test_contours_lie_where_the_value_is(cells: gpd.GeoDataFrame) -> None:
    # The value is the longitude: its lines are meridians.
    middle = cells.geometry.bounds[["minx", "maxx"]].mean(axis=1)
    ax = draw.plot_coverage(cells.assign(nearest_km=middle), kind="contours")
    lines = [c for c in ax.collections if type(c).__name__ == "TriContourSet" and not c.filled]
    (contours,) = lines
    assert len(contours.levels) >= 1
    for level, path in zip(contours.levels, contours.get_paths(), strict=True):
        assert path.vertices[:, 0] == pytest.approx(level, abs=1e-6)
    fits(ax)


def test_contours_do_not_span_ground_without_cells() -> None:
    """Two groups of cells, far apart: nothing is filled between them."""
    lon = np.concatenate([np.arange(4, 5, 0.1), np.arange(8, 9, 0.1)])
    x, y = np.meshgrid(lon, np.arange(51, 52, 0.1))
    cells = gpd.GeoDataFrame(
        {"nearest_km": 1 + 10 * (x.ravel() % 1)},
        geometry=shapely.box(x.ravel(), y.ravel(), x.ravel() + 0.1, y.ravel() + 0.1),
        crs="EPSG:4326",
    )
    ax = draw.plot_coverage(cells, kind="contours")
    (filled,) = [c for c in ax.collections if type(c).__name__ == "TriContourSet" and c.filled]
    for path in filled.get_paths():
        assert not ((path.vertices[:, 0] > 5.2) & (path.vertices[:, 0] < 7.9)).any()


def test_cells_over_the_antimeridian_stand_together() -> None:
    west, east = shapely.box(179, -18, 180, -17), shapely.box(-180, -18, -179, -17)
    cells = gpd.GeoDataFrame(
        {"nearest_km": [1.0, 30.0, 4.0]},
        geometry=[west, east, shapely.MultiPolygon([shapely.box(179.5, -17, 180, -16),
                                                    shapely.box(-180, -17, -179.5, -16)])],
        crs="EPSG:4326",
    )  # fmt: skip
    ax = draw.plot_coverage(cells)
    left, right = ax.get_xlim()
    assert right - left < 8
    drawn = [p.vertices[:, 0] for c in ax.collections[:-1] for p in c.get_paths()]
    assert np.concatenate(drawn).min() == pytest.approx(179)
    assert np.concatenate(drawn).max() == pytest.approx(181)


def test_an_empty_cell_is_counted_and_not_drawn(cells: gpd.GeoDataFrame) -> None:
    shapes = cells.geometry.to_numpy().copy()
    shapes[5] = shapely.Polygon()
    part = cells.set_geometry(gpd.GeoSeries(shapes, cells.index, crs=4326))
    for kind in ("grid", "contours"):
        ax = draw.plot_coverage(part, kind=kind)
        assert sum(legend_counts(ax).values()) == len(cells)


def test_a_hole_is_not_filled() -> None:
    """A lake is no part of its area, whichever way its shore was digitised."""
    ring, lake = shapely.box(4, 51, 6, 53), shapely.box(4.8, 51.8, 5.2, 52.2)
    for shore in (lake.exterior.coords, list(lake.exterior.coords)[::-1]):
        area = gpd.GeoDataFrame(
            {"nearest_km": [3.0]}, geometry=[shapely.Polygon(ring.exterior, [shore])], crs=4326
        )
        ax = draw.plot_coverage(area)
        ax.figure.canvas.draw()
        seen = np.asarray(ax.figure.canvas.buffer_rgba())
        height = seen.shape[0]
        (x, y), (x2, y2) = ax.transData.transform([(5.0, 52.0), (4.4, 51.4)]).astype(int)
        assert (seen[height - y, x, :3] > 200).all()
        assert seen[height - y2, x2, :3].min() < 150


def test_some_cells_of_a_class_are_one_shape(tmp_path: Path) -> None:
    """So that no seams show between them, and files stay small."""
    x, y = np.meshgrid(np.arange(0, 4, 0.1), np.arange(40, 44, 0.1))
    cells = gpd.GeoDataFrame(
        {"nearest_km": np.where(x.ravel() < 2, 1.5, 30.0)},
        geometry=shapely.box(x.ravel(), y.ravel(), x.ravel() + 0.1, y.ravel() + 0.1),
        crs="EPSG:4326",
    )
    ax = draw.plot_coverage(cells, breaks=[10])
    assert legend_counts(ax) == {"up to 10 km": 800, "over 10 km": 800}
    text = ocm.save_figure(ax, tmp_path / "grid.svg").read_text()
    assert "<image" not in text
    assert text.count("<path") < 200


def test_many_cells_are_one_picture(tmp_path: Path) -> None:
    x, y = np.meshgrid(np.arange(0, 10, 0.1), np.arange(40, 50, 0.1))
    cells = gpd.GeoDataFrame(
        {"nearest_km": np.hypot(x, y - 45).ravel() * 10},
        geometry=shapely.box(x.ravel(), y.ravel(), x.ravel() + 0.1, y.ravel() + 0.1),
        crs="EPSG:4326",
    )
    text = ocm.save_figure(draw.plot_coverage(cells), tmp_path / "grid.svg").read_text()
    assert "<image" in text
    assert text.count("<path") < 1000


def test_wrong_tables_are_refused_and_leave_no_figure(
    table: gpd.GeoDataFrame, cells: gpd.GeoDataFrame
) -> None:
    before = plt.get_fignums()
    calls: dict[str, Callable[[], Any]] = {
        "within_km=3": lambda: draw.plot_coverage(table, within_km=3),
        "no column": lambda: draw.plot_coverage(ocm.sample_areas()),
        "kind='map'": lambda: draw.plot_coverage(table, kind="map"),
        "column='x'": lambda: draw.plot_coverage(table, column="x"),
        "is empty": lambda: draw.plot_coverage(table.head(0)),
        "no cells": lambda: draw.plot_coverage(cells.head(0)),
        "three cells": lambda: draw.plot_coverage(cells.head(2), kind="contours"),
        "one line": lambda: draw.plot_coverage(
            cells.head(6).assign(nearest_km=1.0), kind="contours"
        ),
    }
    for match, call in calls.items():
        with pytest.raises(ocm.QueryError, match=match):
            call()
    assert plt.get_fignums() == before


def test_all_missing_is_hatched_and_said(cells: gpd.GeoDataFrame, table: gpd.GeoDataFrame) -> None:
    none = cells.assign(nearest_km=pd.array([pd.NA] * len(cells), dtype="Float64"))
    assert legend_counts(draw.plot_coverage(none))["none found"] == len(cells)
    with pytest.raises(ocm.QueryError, match="three cells"):
        draw.plot_coverage(none, kind="contours")
    bare = table.assign(population_share=pd.NA, population=pd.NA, population_covered=pd.NA)
    ax = draw.plot_coverage(bare, kind="areas", column="population_share")
    assert legend_counts(ax)["not known"] == len(ocm.sample_areas())
    ax = draw.plot_coverage(bare, kind="shares", column="population_share")
    ax.figure.canvas.draw()


def test_a_projected_grid_is_drawn_in_the_same_place(cells: gpd.GeoDataFrame) -> None:
    here = draw.plot_coverage(cells).get_xlim()
    assert draw.plot_coverage(cells.to_crs(3857)).get_xlim() == pytest.approx(here)


def test_classes_of_shares_hold_their_bounds() -> None:
    classes = share_classes()
    shares = np.array([0, 0.2, 0.2001, 0.99, 1, np.nan])
    assert classes.position(shares).tolist() == [0, 0, 1, 4, 4, -1]
    assert classes.labels[0] == "0 to 20 %"
    assert classes.labels[-1] == "over 80 to 100 %"
    # 0.07 * 100 is 7.000000000000001: rounding moves nothing over a bound.
    assert break_classes([7, 14, 28, 29, 56, 57, 58], "share").position(
        np.array([0.07, 0.14, 0.28, 0.29, 0.56, 0.57, 0.58])
    ).tolist() == list(range(7))


@pytest.mark.parametrize(
    ("values", "bounds"),
    [
        ([0.4, 3, 8, 30], (1, 2, 5, 10, 20)),
        ([3.0, 3.0], ()),
        ([1381.0, 1440.0], (1400, 1420)),
        ([0.0, 1.0, 7.0, 30.0], (0, 2, 5, 10, 20)),
        ([0.0, 0.0], (0,)),
        ([], (1,)),
        ([1.0, 1e6], None),
    ],
)
def test_round_classes_are_round_and_few(
    values: list[float], bounds: tuple[float, ...] | None
) -> None:
    classes = round_classes(np.array(values), "nearest_km")
    assert bounds is None or classes.bounds == bounds
    assert len(classes.bounds) + 1 == len(classes.colours) == len(classes.labels) <= len(FAR)
    assert len(set(classes.colours)) == len(classes.colours)


def test_counts_have_a_class_of_none() -> None:
    values = np.array([0.0, 0.0, 1.0, 1.0, 3.0, 5.0, 7.0, 30.0])
    classes = round_classes(values, "n_sites")
    assert classes.labels == ("0", "1 to 5", "6 to 10", "11 to 20", "over 20")
    assert np.bincount(classes.position(values)).tolist() == [2, 4, 1, 0, 1]
    assert round_classes(np.array([0.0, 0.0]), "n_sites").labels[0] == "0"


def test_one_value_and_none_at_all_are_said(cells: gpd.GeoDataFrame) -> None:
    for kind in ("grid", "contours"):
        ax = draw.plot_coverage(cells.assign(nearest_km=3.7), kind=kind)
        assert legend_counts(ax) == {"3.7 km": len(cells)}
    nothing = pd.array([pd.NA] * len(cells), dtype="Float64")
    ax = draw.plot_coverage(cells.assign(nearest_km=nothing))
    assert legend_counts(ax) == {"none found": len(cells)}


def test_captions_carry_the_number_of_areas(table: gpd.GeoDataFrame) -> None:
    assert caption(draw.plot_coverage(table, kind="areas")).startswith("22 areas")
    one = table[table.index == table.index[0]]
    assert caption(draw.plot_coverage(one)).startswith("1 area ")
