"""Figures on axes of a user's own figure: they are filled, and nothing else is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

import ocm_geo as ocm
from ocm_geo.plots.text import small_size, text_size, wrapped

from .reading import caption, draw, fits, legend, legend_counts

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

CURVE = pd.DataFrame({"population_share": [0, 0.5, 1], "value_share": [0, 0.2, 1]})


@pytest.fixture(scope="module")
def grid(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return ocm.coverage_grid(ocm.sample_areas(), stations, 20, within_km=10)


def kinds(stations: gpd.GeoDataFrame, grid: gpd.GeoDataFrame) -> list[Callable[[Any], Any]]:
    route = ocm.sample_route()
    along = ocm.stations_from_route(route, 3, source=ocm.sample())
    return [
        lambda ax: draw.plot_stations(stations, ax=ax, title="A title"),
        lambda ax: draw.plot_coverage(grid, ax=ax),
        lambda ax: draw.plot_power(stations, ax=ax),
        lambda ax: draw.plot_growth(stations, ax=ax),
        lambda ax: draw.plot_lorenz(CURVE, ax=ax),
        lambda ax: draw.plot_distances(grid, ax=ax),
        lambda ax: draw.plot_route(route, along, ax=ax),
    ]


def inside(inner: Any, outer: Any) -> bool:
    return bool(
        outer.x0 - 1 <= inner.x0
        and inner.x1 <= outer.x1 + 1
        and outer.y0 - 1 <= inner.y0
        and inner.y1 <= outer.y1 + 1
    )


def test_axes_of_a_grid_fill_their_own_cell_alone(
    stations: gpd.GeoDataFrame, grid: gpd.GeoDataFrame
) -> None:
    figure, axes = plt.subplots(2, 4, figsize=(18, 9))
    last = axes[1, 3].get_position().bounds
    for ax, draws in zip(axes.ravel(), kinds(stations, grid), strict=False):
        assert draws(ax) is ax
    assert figure.get_layout_engine() is None
    assert len(figure.axes) == 8
    assert axes[1, 3].get_position().bounds == last
    assert not axes[1, 3].has_data()
    figure.canvas.draw()
    whole = figure.bbox
    for k, ax in enumerate(axes.ravel()[:7]):
        row, column = divmod(k, 4)
        width, height = whole.width / 4, whole.height / 2
        cell = Bbox.from_bounds(width * column, height * (1 - row), width, height)
        around = ax.get_tightbbox()
        assert inside(around, cell), (k, around, cell)
        assert around.height > 0.7 * cell.height, k


def test_no_figure_is_drawn_while_it_is_made(
    stations: gpd.GeoDataFrame, grid: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing takes most of the time: it is left to who shows or saves the figure."""

    def refuse(*_: Any) -> None:
        raise AssertionError("drawn")

    monkeypatch.setattr(Figure, "draw", refuse)
    for draws in kinds(stations, grid):
        draws(None)
    draw.plot_coverage(grid, kind="contours")


def test_axes_that_somebody_placed_stay(stations: gpd.GeoDataFrame) -> None:
    figure = plt.figure(figsize=(8, 8))
    rectangle = figure.add_axes((0.2, 0.4, 0.5, 0.5))
    (top,) = figure.add_gridspec(1, 1, left=0.3, right=0.8).subplots(squeeze=False)[0]
    before = [ax.get_position(original=True).bounds for ax in (rectangle, top)]
    for ax in (rectangle, top):
        draw.plot_power(stations, ax=ax)
    assert [ax.get_position(original=True).bounds for ax in (rectangle, top)] == before

    figure, ax = plt.subplots()
    figure.subplots_adjust(left=0.4)
    before_one = ax.get_position(original=True).bounds
    draw.plot_power(stations, ax=ax)
    assert ax.get_position(original=True).bounds == before_one


def test_a_heading_of_the_users_stays_free(stations: gpd.GeoDataFrame) -> None:
    figure, axes = plt.subplots(2, 1, figsize=(6, 8))
    heading = figure.suptitle("A heading of the user's own")
    for ax in axes:
        draw.plot_stations(stations, ax=ax, title="Stations")
    figure.canvas.draw()
    assert axes[0].get_tightbbox().y1 <= heading.get_window_extent().y0
    assert axes[1].get_tightbbox().height > 0.8 * figure.bbox.height / 2


@pytest.mark.parametrize("layout", ["constrained", "tight", "compressed"])
def test_a_layout_of_the_users_is_kept(stations: gpd.GeoDataFrame, layout: Any) -> None:
    figure, ax = plt.subplots(layout=layout, figsize=(6, 6))
    engine = figure.get_layout_engine()
    draw.plot_growth(stations, ax=ax)
    assert figure.get_layout_engine() is engine
    fits(ax)


def test_figures_in_figures_measure_their_own_room(stations: gpd.GeoDataFrame) -> None:
    figure = plt.figure(figsize=(10, 4), layout="constrained")
    subfigures: Any = figure.subfigures(1, 2)
    left = subfigures[0]
    ax = left.subplots()
    draw.plot_power(stations, ax=ax)
    figure.canvas.draw()
    assert inside(ax.get_tightbbox(), left.bbox)
    assert text_size(ax) < 8.7


@pytest.mark.parametrize("width", [3.0, 3.35, 7.0])
def test_no_text_is_smaller_than_six_points(
    stations: gpd.GeoDataFrame, grid: gpd.GeoDataFrame, width: float
) -> None:
    for draws in kinds(stations, grid):
        _, ax = plt.subplots(figsize=(width, width))
        draws(ax)
        texts: list[Any] = ax.findobj(Text)
        texts = [text for text in texts if text.get_text()]
        assert min(t.get_fontsize() for t in texts) >= 6
        assert small_size(ax) >= 6
        plt.close("all")


def test_long_names_are_broken_and_stay_whole() -> None:
    name = "Landesbetrieb-für-Straßenbau-" * 3 + " and Sons"
    table = pd.DataFrame(
        {"date_created": pd.to_datetime(["2020-01-01", "2021-05-01"], utc=True), "who": name}
    )
    for width in (3, 6):
        _, ax = plt.subplots(figsize=(width, 4))
        draw.plot_growth(table, by="who", ax=ax)
        assert "".join(legend(ax)[0].split()) == "".join(f"{name} (2)".split())
        fits(ax)
    assert wrapped("a" * 40, 8, 60).count("\n") > 2
    assert wrapped("short", 8, 1) == "short"


def test_a_table_without_a_record_says_so(stations: gpd.GeoDataFrame) -> None:
    bare = pd.DataFrame(stations.drop(columns="geometry"))
    bare.attrs = {}
    assert "source not recorded" in caption(draw.plot_power(bare))
    assert "not recorded" not in caption(draw.plot_power(stations))


def test_a_wrong_table_is_told_which_function_makes_one(stations: gpd.GeoDataFrame) -> None:
    bare = pd.DataFrame({"a": [1]})
    route = ocm.sample_route()
    calls: dict[str, Callable[[], Any]] = {
        "'max_power_kw'; ocm_geo.stations makes": lambda: draw.plot_stations(bare),
        "ocm_geo.coverage makes": lambda: draw.plot_coverage(bare),
        "'nearest_km'; ocm_geo.coverage_grid makes": lambda: draw.plot_coverage(bare, kind="grid"),
        "ocm_geo.stations_from_route makes": lambda: draw.plot_route(route, stations),
        "ocm_geo.equity makes": lambda: draw.plot_lorenz(bare),
        "ocm_geo.nearest_stations makes": lambda: draw.plot_distances(bare),
        "ocm_geo.add_labels makes": lambda: draw.plot_power(stations, by="operator"),
        "bounds=True": lambda: draw.plot_bounds(stations, "n_points"),
        "a DataFrame, not .*list": lambda: draw.plot_growth([1]),
        "a DataFrame, not None": lambda: draw.plot_power(None),
        "a DataFrame, not .*dict": lambda: draw.plot_coverage({}),
    }
    for match, call in calls.items():
        with pytest.raises(ocm.QueryError, match=match) as told:
            call()
        assert len(str(told.value)) < 350
    assert not plt.get_fignums()


def test_unknown_options_are_refused(stations: gpd.GeoDataFrame, grid: gpd.GeoDataFrame) -> None:
    for draws in (draw.plot_stations, draw.plot_power, draw.plot_growth, draw.plot_coverage):
        with pytest.raises(TypeError, match="colour"):
            draws(stations, colour="red")
    for wrong in (plt.figure(), 3, "left"):
        for draws in (draw.plot_stations, draw.plot_power, draw.plot_growth):
            with pytest.raises(ocm.QueryError, match="ax must be the axes"):
                draws(stations, ax=wrong)
    plt.close("all")
    for breaks in ([], [2, 1], ["a"], 5, [float("nan")], range(1, 10)):
        with pytest.raises(ocm.QueryError, match="breaks must be"):
            draw.plot_coverage(grid, breaks=breaks)
    assert not plt.get_fignums()


def test_breaks_give_two_maps_one_scale(stations: gpd.GeoDataFrame, grid: gpd.GeoDataFrame) -> None:
    fast = stations[stations["max_power_kw"] >= 150]
    other = ocm.coverage_grid(ocm.sample_areas(), fast, 20, within_km=10)
    _, axes = plt.subplots(1, 2, figsize=(12, 5))
    for ax, table in zip(axes, (grid, other), strict=True):
        draw.plot_coverage(table, breaks=[5, 10, 20], ax=ax)
    first, second = (legend_counts(ax) for ax in axes)
    assert list(first) == list(second)
    assert first != second
    km = other["nearest_km"]
    assert second["over 5 to 10 km"] == ((km > 5) & (km <= 10)).sum()
    colours = [[h.get_facecolor() for h in ax.get_legend().legend_handles] for ax in axes]
    assert colours[0] == colours[1]
