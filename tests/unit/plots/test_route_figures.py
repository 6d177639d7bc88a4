from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.colors import to_rgba

import ocm_geo as ocm

from .reading import caption, draw, fits, legend_counts

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ROUTE = ocm.sample_route()


@pytest.fixture(scope="module")
def along() -> gpd.GeoDataFrame:
    return ocm.stations_from_route(ROUTE, 3, source=ocm.sample(), min_power_kw=50)


@pytest.fixture(scope="module")
def gaps(along: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return ocm.route_gaps(ROUTE, along, within_km=3)


def tips(ax: Any) -> NDArray[np.float64]:
    """Give the places of the stations on the strip."""
    drawn = [c for c in ax.collections if type(c).__name__ == "PathCollection"]
    return np.vstack([np.asarray(c.get_offsets()) for c in drawn]) if drawn else np.empty((0, 2))


def bars(ax: Any, colour: str) -> list[tuple[float, float]]:
    """Give start and end of the bars of one colour."""
    found = []
    for collection in ax.collections:
        if type(collection).__name__ != "PolyCollection":
            continue
        if np.allclose(collection.get_facecolor()[0], to_rgba(colour)):
            x = [path.vertices[:, 0] for path in collection.get_paths()]
            found += [(v.min(), v.max()) for v in x]
    return found


def test_the_strip_shows_every_station_on_its_side(
    along: gpd.GeoDataFrame, gaps: gpd.GeoDataFrame
) -> None:
    ax = draw.plot_route(ROUTE, along, within_km=3, gaps=gaps, limit_km=40)
    places = tips(ax)
    assert np.sort(places[:, 0]) == pytest.approx(np.sort(along["along_km"].to_numpy(float)))
    assert (places[:, 1] > 0).sum() == (along["side"] != "right").sum()
    assert "22 stations within 3 km of 240 km" in caption(ax)
    fits(ax)


def test_gaps_over_the_limit_are_filled_and_named(
    along: gpd.GeoDataFrame, gaps: gpd.GeoDataFrame
) -> None:
    ax = draw.plot_route(ROUTE, along, within_km=3, gaps=gaps, limit_km=40)
    over = gaps[gaps["length_km"] > 40]
    assert len(over) == 2
    drawn = bars(ax, "#cc3311")
    assert np.array(drawn) == pytest.approx(over[["start_km", "end_km"]].to_numpy())
    said = [t.get_text() for t in ax.texts]
    assert [f"{km:.0f} km" in said for km in over["length_km"]] == [True, True]
    counts = legend_counts(ax)
    assert counts["gap over 40 km"] == 2
    assert counts["gap up to 40 km"] == len(gaps) - 2


def test_a_gap_as_long_as_the_limit_is_not_over_it(along: gpd.GeoDataFrame) -> None:
    gaps = pd.DataFrame({"start_km": [0.0, 60.0], "length_km": [60.0, 60.1]})
    ax = draw.plot_route(ROUTE, along, gaps=gaps, limit_km=60, ax=plt.subplots()[1])
    assert len(bars(ax, "#cc3311")) == 1


@pytest.mark.parametrize("serve", ["both-single", "by-side"])
def test_a_verdict_gives_rows_and_its_share(
    along: gpd.GeoDataFrame, serve: Literal["both-single", "by-side"]
) -> None:
    options = ocm.AssessmentOptions(pools_serve=serve)
    verdict = ocm.assess_route(ROUTE, along, "afir-ldv-core-2025", options=options)
    ax = draw.plot_route(ROUTE, along, within_km=3, standard=verdict)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[2:] == (["forward →", "← reverse"] if serve == "by-side" else ["both ways"])
    fails = verdict.segments[verdict.segments["status"] == "fails"]
    assert np.array(bars(ax, "#cc3311")).reshape(-1, 2) == pytest.approx(
        fails[["start_km", "end_km"]].to_numpy()
    )
    share = f"{100 * verdict.share:.1f} % of the length"
    assert f"afir-ldv-core-2025: fails, {share}" in caption(ax)
    counts = legend_counts(ax)
    assert counts.get("over 60 km between pools", 0) >= (len(fails) > 0)
    fits(ax)


def test_a_rule_gives_the_limit(along: gpd.GeoDataFrame, gaps: gpd.GeoDataFrame) -> None:
    ax = draw.plot_route(ROUTE, along, gaps=gaps, standard="us-nevi-2024", within_km=3)
    assert "gap up to 80.5 km" in legend_counts(ax)
    ax = draw.plot_route(ROUTE, along, gaps=gaps, standard="us-nevi-2024", limit_km=40, within_km=3)
    assert legend_counts(ax)["gap over 40 km"] == 2
    before = plt.get_fignums()
    with pytest.raises(ocm.QueryError, match="does not set a spacing"):
        draw.plot_route(ROUTE, along, gaps=gaps, standard="us-nevi-2025-ifg")
    with pytest.raises(ocm.QueryError, match="afir-ldv-core-2025"):
        draw.plot_route(ROUTE, along, gaps=gaps, standard="afir-ldv-core-2026")
    assert plt.get_fignums() == before


def test_groups_of_gaps_have_rows(along: gpd.GeoDataFrame, gaps: gpd.GeoDataFrame) -> None:
    both = pd.concat([gaps.assign(group="all"), gaps.head(3).assign(group="$fast$")])
    ax = draw.plot_route(ROUTE, along, within_km=3, gaps=both, limit_km=40)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["right", "left", "all", r"\$fast\$"]
    ax.figure.canvas.draw()


def test_a_route_without_stations_or_gaps_can_be_drawn(along: gpd.GeoDataFrame) -> None:
    ax = draw.plot_route(ROUTE, along.head(0), within_km=3)
    assert ax.get_legend() is None
    assert caption(ax).startswith("0 stations within 3 km")
    fits(ax)
    none = along.assign(max_power_kw=pd.array([pd.NA] * len(along), dtype="Float64"))
    assert legend_counts(draw.plot_route(ROUTE, none, within_km=3))["power not known"] == len(along)


@pytest.mark.parametrize("inches", [3.0, 3.35, 7.3])
def test_the_strip_fits_its_paper(
    along: gpd.GeoDataFrame, gaps: gpd.GeoDataFrame, inches: float
) -> None:
    _, ax = plt.subplots(figsize=(inches, inches))
    verdict = ocm.assess_route(ROUTE, along, "afir-ldv-core-2025")
    assert draw.plot_route(ROUTE, along, gaps=gaps, standard=verdict, ax=ax) is ax
    fits(ax)


def test_a_route_over_the_antimeridian_is_one_line() -> None:
    route = shapely.LineString([(177, -18), (-178, -16.5), (-174, -17)])
    points = gpd.GeoDataFrame(
        {"max_power_kw": [50.0, 150.0]},
        index=pd.Index([5, 6], name="ocm_id"),
        geometry=gpd.points_from_xy([178, -177], [-17.6, -16.6]),
        crs="EPSG:4326",
    )
    along = ocm.locate_along(points, route, within_km=30)
    gaps = ocm.route_gaps(route, points, within_km=30)
    ax = draw.plot_route(route, along, within_km=30, gaps=gaps, limit_km=200)
    above = ax.figure.axes[0]
    west, east = above.get_xlim()
    assert east - west < 40
    for line in above.lines:
        x = np.asarray(line.get_xdata(), dtype=float)
        assert (x >= west).all()
        assert (x <= east).all()
        assert (np.abs(np.diff(x)) < 20).all()


def test_a_route_north_has_its_map_beside_it() -> None:
    route = shapely.LineString([(10, 58), (10.2, 60), (10.1, 62)])
    points = gpd.GeoDataFrame(
        {"max_power_kw": [50.0]}, index=[1], geometry=[shapely.Point(10.2, 60)], crs="EPSG:4326"
    )
    ax = draw.plot_route(route, ocm.locate_along(points, route, within_km=5))
    left, right = ax.figure.axes
    ax.figure.canvas.draw()
    assert right is ax
    assert left.get_window_extent().x1 < right.get_window_extent().x0


def test_wrong_arguments_are_refused_and_leave_no_figure(
    along: gpd.GeoDataFrame, gaps: gpd.GeoDataFrame
) -> None:
    before = plt.get_fignums()
    with pytest.raises(ocm.QueryError, match="along_km"):
        draw.plot_route(ROUTE, ocm.stations(source=ocm.sample()))
    with pytest.raises(ocm.QueryError, match="within_km"):
        draw.plot_route(ROUTE, along, within_km=-1)
    with pytest.raises(ocm.QueryError, match="limit_km"):
        draw.plot_route(ROUTE, along, gaps=gaps, limit_km=0)
    with pytest.raises(ocm.QueryError, match="length_km"):
        draw.plot_route(ROUTE, along, gaps=gaps.drop(columns="length_km"))
    network = ocm.assess_network(
        gpd.GeoDataFrame(geometry=[ROUTE], crs="EPSG:4326"), along, "afir-ldv-core-2025"
    )
    with pytest.raises(ocm.QueryError, match="network"):
        draw.plot_route(ROUTE, along, standard=network)
    assert plt.get_fignums() == before


def test_a_figure_saved_twice_is_the_same(along: gpd.GeoDataFrame, tmp_path: Path) -> None:
    for suffix in (".svg", ".png", ".pdf"):
        files = []
        for name in ("a", "b"):
            ax = draw.plot_route(ROUTE, along, within_km=3, ax=plt.subplots(figsize=(4, 3))[1])
            files.append(ocm.save_figure(ax, tmp_path / f"{name}{suffix}", dpi=80).read_bytes())
        assert files[0] == files[1]
        credit = "Invented stations"
        assert credit.encode() in files[0] or credit.encode("utf-16-be") in files[0]


def test_fonts_in_pdf_are_truetype(along: gpd.GeoDataFrame, tmp_path: Path) -> None:
    """Publishers refuse the Type 3 fonts that matplotlib writes by default."""
    ax = draw.plot_stations(along, basemap=False)
    pages = ocm.save_figure(ax, tmp_path / "a.pdf").read_bytes()
    kinds = set(re.findall(rb"/Subtype /(Type\d|TrueType|CIDFontType\d)", pages))
    assert kinds == {b"Type0", b"CIDFontType2"}
    assert b"/FontFile2" in pages
    assert plt.rcParams["pdf.fonttype"] == 3  # the user's own settings are unchanged
