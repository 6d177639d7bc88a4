"""A figure and a map of one table: the same classes, colours and labels for every row."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import ipyleaflet
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import shapely
from matplotlib.colors import to_hex

import ocm_geo as ocm
from ocm_geo.plots.style import OTHER, UNKNOWN, UNKNOWN_EDGE
from ocm_geo.widgets.legends import legend_html
from tests.unit.plots.reading import draw, legend

if TYPE_CHECKING:
    from collections.abc import Iterator

N = 16


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before
    plt.close("all")


@pytest.fixture(scope="module")
def cells() -> gpd.GeoDataFrame:
    """Cells whose values lie on the bounds between classes, and on both sides of them."""
    x, y = np.arange(N) * 0.5, 50.0
    on_bounds = [0, 1, 2, 5, 10, 20, 50, np.nan, 1.001, 1.999, 5.001, 9.999, 20.001, 49.9, 3, 7]
    shares = [0, 0.2, 0.4, 0.6, 0.8, 1, 0.07, np.nan, 0.2001, 0.1999, 0.29, 0.57, 0.58, 0.14, 1, 0]
    return gpd.GeoDataFrame(
        {
            "nearest_km": on_bounds,
            "area_share": shares,
            "n_sites": [0, 0, 1, 2, 5, 10, 20, 50, 3, 6, 11, 21, 51, 99, 100, 101],
            "change": np.linspace(-1, 1, N),
        },
        geometry=shapely.box(x, y, x + 0.4, y + 0.4),
        crs="EPSG:4326",
    )


def colours_of_figure(ax: Any, cells: gpd.GeoDataFrame) -> list[str]:
    """Read the colour of each cell back from the polygons that cover its middle."""
    found = {}
    for drawn in ax.collections:
        for path in drawn.get_paths():
            x, y = path.vertices.mean(axis=0)
            hit = cells.sindex.query(shapely.Point(x, y))
            if len(hit) == 1 and len(path.vertices) < 9:
                found[int(hit[0])] = to_hex(drawn.get_facecolor()[0])
    return [found[row] for row in range(len(cells))]


def colours_of_map(layer: Any) -> list[str]:
    return [f["properties"]["style"]["fillColor"] for f in layer.layer.data["features"]]


def labels_of_map(layer: Any) -> list[str]:
    return [html.unescape(text) for text in re.findall(r"</svg> (.*?)</div>", layer._key.value)]


@pytest.mark.filterwarnings("ignore:Numba")
@pytest.mark.parametrize("column", ["nearest_km", "area_share", "n_sites", "change"])
@pytest.mark.parametrize(
    ("scheme", "k"),
    [
        (None, None),
        (None, 9),
        ("quantiles", 4),
        ("fisher_jenks", None),
        ("std_mean", None),
        ([2, 5, 10, 20], None),
    ],
)
def test_classes_colours_and_labels_are_the_same(
    cells: gpd.GeoDataFrame, column: str, scheme: Any, k: int | None
) -> None:
    ax = draw.plot_coverage(cells, kind="grid", column=column, breaks=scheme, k=k)
    layer = ocm.CoverageLayer(cells, column=column, scheme=scheme, k=k)
    assert colours_of_figure(ax, cells) == colours_of_map(layer)
    assert legend(ax) == labels_of_map(layer)
    heading = ax.get_legend().get_title().get_text().replace("\n", " ")
    assert heading.removesuffix(" (cells)") in layer._key.value


def test_a_value_on_a_bound_is_in_the_class_that_ends_there(cells: gpd.GeoDataFrame) -> None:
    """As in mapclassify, and as ``within 5 km`` means it."""
    layer = ocm.CoverageLayer(cells, scheme=[1, 2, 5, 10, 20])
    colours, classes = colours_of_map(layer), layer.classes
    for row, km in enumerate(cells["nearest_km"]):
        expected = UNKNOWN if np.isnan(km) else classes.colours[sum(km > b for b in classes.bounds)]
        assert colours[row] == expected
    assert classes.labels[1] == "over 1 to 2 km"


def test_areas_with_bounds_distances_and_groups() -> None:
    stations = ocm.stations(source=ocm.sample())
    options: Any = {"bounds": True, "qualifying": ocm.Qualifying(min_power_kw=50)}
    table = ocm.coverage(ocm.sample_areas(), stations, [5, 10, 20], **options)
    two = gpd.GeoDataFrame(
        {name: [*table[name], *table[name]] for name in table},
        geometry="geometry",
        crs=table.crs,
    ).assign(group=["slow"] * len(table) + ["fast"] * len(table))
    for given in (table, two):
        layer = ocm.CoverageLayer(given, column="area_share")
        ax = draw.plot_coverage(given, kind="areas", column="area_share")
        assert legend(ax) == labels_of_map(layer)
        for bound in ("low", "high"):
            layer._bound.value = bound
            ax = draw.plot_coverage(given, kind="areas", column=f"area_share_{bound}")
            assert legend(ax) == labels_of_map(layer)
            heading = ax.get_legend().get_title().get_text().replace("\n", " ")
            assert heading.removesuffix(" (areas)") in layer._key.value
    assert layer._group.value == "fast"
    assert "22 areas" in layer._key.value


def test_bounds_share_the_classes_of_their_value(cells: gpd.GeoDataFrame) -> None:
    far = cells.assign(nearest_km_low=cells["nearest_km"] * 4, nearest_km_high=cells["nearest_km"])
    names = ("nearest_km", "nearest_km_low", "nearest_km_high")
    said = [
        [line.rsplit(" (", 1)[0] for line in legend(draw.plot_coverage(far, column=name))]
        for name in names
    ]
    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"breaks": [5, 2]}, "breaks must be 1 to 8 ascending numbers"),
        ({"breaks": range(9)}, "breaks must be 1 to 8 ascending numbers"),
        ({"breaks": [2, 5], "k": 3}, "k=3 is given, but breaks sets the number"),
        ({"breaks": "quantile"}, "did you mean 'Quantiles'"),
        ({"breaks": 5}, "ascending numbers"),
        ({"k": 10}, "k, the number of classes, must be a whole number from 2 to 9"),
        ({"column": "area_share", "breaks": [0.2, 0.5]}, "must be in percent"),
    ],
)
def test_wrong_classes_are_refused_alike(
    cells: gpd.GeoDataFrame, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        draw.plot_coverage(cells, kind="grid", **options)
    same = {("scheme" if name == "breaks" else name): value for name, value in options.items()}
    with pytest.raises(ocm.QueryError, match=message.replace("breaks", "scheme")):
        ocm.CoverageLayer(cells, **same)


def test_shares_of_a_grid_are_drawn_in_percent(cells: gpd.GeoDataFrame) -> None:
    ax = draw.plot_coverage(cells, kind="grid", column="area_share")
    assert legend(ax)[0] == f"0 to 20 % ({(cells['area_share'] <= 0.2).sum()})"


def test_a_route_has_the_same_sections_in_figure_and_map() -> None:
    """Words, numbers and colours; and a finished verdict is drawn as it is."""
    pytest.importorskip("anywidget")
    route = ocm.sample_route()
    along = ocm.stations_from_route(route, 3, source=ocm.sample())
    verdict = ocm.assess_route(route, along, "afir-ldv-core-2025")
    ax = draw.plot_route(route, along, standard=verdict, ax=plt.subplots()[1])
    shown = ocm.route_map(route, along, standard=verdict, basemap="none")
    assert shown.verdict is verdict
    bars = [bar for bar in ax.get_legend().legend_handles if "pool" in bar.get_label()]
    colours = {bar.get_label(): to_hex(bar.get_facecolor()) for bar in bars}
    assert len(colours) == len(set(verdict.segments["status"]))
    for label, colour in colours.items():
        assert f"fill='{colour}'" in legend_html(shown._list_rows())
        assert f"</svg> {label}</div>" in legend_html(shown._list_rows())
    network = ocm.assess_network(route, along, "afir-ldv-core-2025")
    with pytest.raises(ocm.QueryError, match="verdict of assess_route"):
        ocm.route_map(route, along, standard=network)


def test_stations_have_the_same_colours_in_figure_and_map() -> None:
    stations = ocm.stations_from_country("NL", source=ocm.sample())
    stations.loc[stations.index[0], "max_power_kw"] = np.nan
    ax = draw.plot_stations(stations)
    figure = {to_hex(c.get_facecolor()[0]) for c in ax.collections if c.get_label()[-1:] == ")"}
    drawn = ocm.StationLayer(stations).add_to(ipyleaflet.Map(center=(52, 5), zoom=7))
    features = drawn._points.data["features"]
    styles = [f["properties"]["style"] for f in features]
    seen = {s["color"] if "dashArray" in s else s["fillColor"] for s in styles}
    # A station out of use is hollow: its outline has the colour, for unknown power a dark grey.
    assert figure == seen - {UNKNOWN_EDGE}
    assert UNKNOWN in seen


def labelled() -> gpd.GeoDataFrame:
    stations = ocm.stations_from_country("NL", source=ocm.sample())
    return ocm.add_labels(stations, ocm.reference_data(ocm.sample()))


@pytest.mark.parametrize("by", ["operator", "usage_type", "is_operational", "n_points", "town"])
def test_stations_by_any_column_are_the_same_in_figure_and_map(by: str) -> None:
    stations = labelled()
    ax = draw.plot_stations(stations, by=by)
    layer = ocm.StationLayer(stations, by=by)
    figure = {
        text.rsplit(" (", 1)[0]: to_hex(handle.get_facecolor()[0])
        for text, handle in zip(legend(ax), ax.get_legend().legend_handles, strict=True)
    }
    groups = dict(zip(layer.groups.labels, layer.groups.colours, strict=True))
    seen = {label.replace("\n", " "): colour for label, colour in figure.items()}
    assert {k: v for k, v in seen.items() if k != layer.groups.missing} == {
        k: v for k, v in groups.items() if k in seen
    }
    counts = {line.rsplit(" (", 1)[0]: line.rsplit(" (", 1)[1] for line in legend(ax)}
    assert sum(int(n.rstrip(")").replace(",", "")) for n in counts.values()) == len(stations)
    shown = ocm.station_map(stations, by=by, basemap="none")
    widgets: list[Any] = [getattr(control, "widget", None) for control in shown.controls]
    (text,) = [w.value for w in widgets if "Status" in getattr(w, "value", "")]
    for label in groups:
        assert html.escape(label) in text


def test_the_most_frequent_values_have_a_colour() -> None:
    stations = labelled()
    towns = stations["town"].value_counts()
    groups = ocm.StationLayer(stations, by="town").groups
    assert groups.labels[:5] == tuple(towns.index[:5])
    assert groups.labels[5] == f"{len(towns) - 5} others"
    assert groups.colours[-1] == OTHER


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("colour", "no column 'colour'; ocm_geo.add_labels makes"),
        ("date_created", "contains dates"),
        ("parts", "contains lists"),
    ],
)
def test_columns_that_are_no_groups_are_refused(by: str, message: str) -> None:
    stations = labelled()
    stations["parts"] = [[1, 2]] * len(stations)
    for draws in (ocm.plot_stations, ocm.station_map):
        with pytest.raises(ocm.QueryError, match=message):
            draws(stations, by=by)
    assert not plt.get_fignums()
