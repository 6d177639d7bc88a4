"""Whom figures, maps, pages, reports and results credit."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import matplotlib.pyplot as plt
import matplotlib.text
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.provenance import NOT_RECORDED, credit_line
from ocm_geo.widgets.stations import credit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

CREDIT = "Data: Register of Nowhere, CC0"
AREA = gpd.GeoDataFrame(
    {"name": ["a"], "population": [1000.0]}, geometry=[shapely.box(4.9, 51.9, 5.5, 52.3)], crs=4326
)
ROAD = shapely.LineString([(5.0, 52.1), (5.2, 52.1), (5.4, 52.2)])
TOWNS = gpd.GeoDataFrame(
    {"population": [10.0, 20.0]}, geometry=gpd.points_from_xy([5.1, 5.3], [52.0, 52.2]), crs=4326
)

RESULTS: dict[str, Callable[[gpd.GeoDataFrame], Any]] = {
    "accessibility": lambda s: ocm.accessibility(TOWNS, s, 30, population="population"),
    "add_labels": lambda s: ocm.add_labels(s[["country_id", "geometry"]]),
    "assess_route pools": lambda s: ocm.assess_route(ROAD, s, "afir-ldv-core-2025").pools,
    "assess_route segments": lambda s: ocm.assess_route(ROAD, s, "afir-ldv-core-2025").segments,
    "connections": ocm.connections,
    "coverage": lambda s: ocm.coverage(AREA, s, [1, 5], population="population"),
    "coverage bounds": lambda s: ocm.coverage(AREA, s, [1], bounds=True),
    "coverage_grid": lambda s: ocm.coverage_grid(AREA, s, 5, within_km=10),
    "density": lambda s: ocm.density(AREA, s, population="population"),
    "uncertainty_drivers": lambda s: ocm.uncertainty_drivers(AREA, s, [1]),
    "uncertain_stations": ocm.uncertain_stations,
    "equity": lambda s: (
        ocm.equity(
            ocm.accessibility(TOWNS, s, 30, population="population"), TOWNS["population"]
        ).lorenz
    ),
    "fill_gaps": lambda s: ocm.fill_gaps(ROAD, s, "afir-ldv-core-2025"),
    "locate_along": lambda s: ocm.locate_along(s, ROAD, within_km=20),
    "nearest_stations": lambda s: ocm.nearest_stations(TOWNS, s),
    "nearest_stations k": lambda s: ocm.nearest_stations(TOWNS, s, k=2),
    "plan_stops": lambda s: ocm.plan_stops(ROAD, s, range_km=300, within_km=20).stops,
    "route_gaps": lambda s: ocm.route_gaps(ROAD, s, within_km=20),
    "route_gaps by side": lambda s: ocm.route_gaps(ROAD, s, within_km=20, drive_on="right"),
    "service_areas": lambda s: ocm.service_areas(s, 2),
    "suggest_sites": lambda s: ocm.suggest_sites(TOWNS, TOWNS, s, 1, within_km=5),
}


def located(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return ocm.locate_along(stations, ROAD, within_km=20)


def reach(stations: gpd.GeoDataFrame) -> ocm.Equity:
    access = ocm.accessibility(TOWNS, stations, 30, population="population")
    return ocm.equity(access, TOWNS["population"])


FIGURES: dict[str, Callable[[gpd.GeoDataFrame], Axes]] = {
    "bounds": lambda s: ocm.plot_bounds(ocm.coverage(AREA, s, [1], bounds=True), "area_share"),
    "coverage shares": lambda s: ocm.plot_coverage(ocm.coverage(AREA, s, [1, 5])),
    "coverage areas": lambda s: ocm.plot_coverage(ocm.coverage(AREA, s, [1]), kind="areas"),
    "coverage grid": lambda s: ocm.plot_coverage(ocm.coverage_grid(AREA, s, 5, within_km=10)),
    "coverage contours": lambda s: ocm.plot_coverage(
        ocm.coverage_grid(AREA, s, 5, within_km=10), kind="contours"
    ),
    "distances": lambda s: ocm.plot_distances(ocm.nearest_stations(TOWNS, s)),
    "growth": ocm.plot_growth,
    "lorenz": lambda s: ocm.plot_lorenz(reach(s)),
    "lorenz of two": lambda s: ocm.plot_lorenz({"a": reach(s), "b": reach(s)}),
    "power": ocm.plot_power,
    "power of connections": lambda s: ocm.plot_power(ocm.connections(s)),
    "route": lambda s: ocm.plot_route(ROAD, located(s), within_km=20),
    "route with gaps": lambda s: ocm.plot_route(
        ROAD, located(s), within_km=20, gaps=ocm.route_gaps(ROAD, s, within_km=20)
    ),
    "stations": ocm.plot_stations,
}


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def plain() -> gpd.GeoDataFrame:
    """Stations whose provenance was lost, as a merge does it."""
    table = ocm.stations_from_bbox((4.9, 51.9, 5.5, 52.3), source=ocm.sample())
    table.attrs = {}
    return table


@pytest.fixture(scope="module")
def credited(plain: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    table = plain.copy()
    table.attrs = {"ocm": {"attribution": CREDIT}}
    return table


def texts(ax: Axes) -> str:
    drawn = ax.figure.findobj(matplotlib.text.Text)
    return " ".join(text.get_text() for text in drawn).replace("\n", " ")


@pytest.mark.parametrize("name", RESULTS)
def test_results_carry_the_credit_of_their_stations(
    name: str, credited: gpd.GeoDataFrame, plain: gpd.GeoDataFrame
) -> None:
    assert credit_line(RESULTS[name](credited)) == CREDIT
    assert credit_line(RESULTS[name](plain)) == NOT_RECORDED


@pytest.mark.parametrize("name", FIGURES)
def test_figures_credit_what_the_table_records(
    name: str, credited: gpd.GeoDataFrame, plain: gpd.GeoDataFrame
) -> None:
    unknown, known = texts(FIGURES[name](plain)), texts(FIGURES[name](credited))
    assert NOT_RECORDED in unknown
    assert "open charge map" not in unknown.casefold()
    assert "OCM" not in unknown
    assert CREDIT in known
    assert NOT_RECORDED not in known
    assert "open charge map" not in known.casefold()


def test_figure_of_several_sources_credits_all(
    credited: gpd.GeoDataFrame, plain: gpd.GeoDataFrame
) -> None:
    sample = ocm.stations(source=ocm.sample())
    text = texts(ocm.plot_lorenz({"a": reach(sample), "b": reach(credited), "c": reach(plain)}))
    assert all(part in text for part in (CREDIT, NOT_RECORDED, "Invented stations"))
    gaps = ocm.route_gaps(ROAD, sample, within_km=20)
    text = texts(ocm.plot_route(ROAD, located(credited), within_km=20, gaps=gaps))
    assert CREDIT in text
    assert "Invented stations" in text


def test_rows_of_two_sources_are_credited_to_nobody(credited: gpd.GeoDataFrame) -> None:
    sample = ocm.stations_from_country("BE", source=ocm.sample())
    assert credit_line(pd.concat([credited, sample])) == NOT_RECORDED
    assert credit_line(credited, sample) == f"{CREDIT}; {sample.attrs['ocm']['attribution']}"
    assert credit_line() == NOT_RECORDED


def test_maps_and_pages(
    credited: gpd.GeoDataFrame, plain: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    for table, credit in ((credited, CREDIT), (plain, NOT_RECORDED)):
        page = ocm.to_html(table, tmp_path / "page.html").read_text(encoding="utf-8")
        footer = html.unescape(page[page.index("<footer>") : page.index("</footer>")])
        assert credit in footer
        assert "open charge map" not in footer.casefold()
        assert html.escape(credit) in credit_of(table)
        assert "open charge map" not in credit_of(table).casefold()
    assert "Open Charge Map" not in ocm.to_html(plain, tmp_path / "page.html").read_text(
        encoding="utf-8"
    )


def test_attribution_of_an_unknown_source_names_no_provider(plain: gpd.GeoDataFrame) -> None:
    found = ocm.attribution(plain)
    assert found.short == NOT_RECORDED
    assert "Open Charge Map" not in str(found)
    assert int(found.table["n_stations"].sum()) == len(plain)
    named = ocm.attribution(plain, ocm.reference_data(ocm.sample()))
    assert not named.table["data_provider"].str.startswith("Unknown").all()


def test_the_sample_areas_are_credited_to_the_sample() -> None:
    assert "ocm_geo sample" in credit_line(ocm.sample_areas())
