from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import dates as mdates

import ocm_geo as ocm

from .reading import caption, draw, fits, legend, legend_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import geopandas as gpd

SIZES = {"300 px": (3, 3, 100), "85 mm": (3.35, 3.35, 300), "A4": (7.3, 5, 100)}
date2num: Any = mdates.date2num
CURVE = pd.DataFrame({"population_share": [0, 0.25, 0.5, 1], "value_share": [0, 0.05, 0.2, 1]})


def whole(stations: gpd.GeoDataFrame) -> dict[str, Callable[[Any], Any]]:
    """Make every chart once, from the same stations."""
    near = stations.assign(nearest_km=np.arange(len(stations)) / 10, people=7.0)
    bounds = pd.DataFrame(
        {"name": ["Region of somewhere long", "b"], "area_share_low": [0.1, 0.2],
         "area_share": [0.2, 0.2], "area_share_high": [0.3, 0.5]}
    )  # fmt: skip
    reference = ocm.reference_data(ocm.sample())
    labelled = ocm.add_labels(stations, reference)
    return {
        "growth": lambda ax: draw.plot_growth(stations, reference=reference, ax=ax),
        "power": lambda ax: draw.plot_power(labelled, by="operator", ax=ax),
        "distances": lambda ax: draw.plot_distances(near, weights="people", ax=ax),
        "lorenz": lambda ax: draw.plot_lorenz(CURVE, ax=ax),
        "bounds": lambda ax: draw.plot_bounds(bounds, "area_share", labels="name", ax=ax),
    }


@pytest.mark.parametrize("kind", ["growth", "power", "distances", "lorenz", "bounds"])
def test_charts_fit_from_300_px_to_a_page(stations: gpd.GeoDataFrame, kind: str) -> None:
    figure = whole(stations)[kind]
    for width, height, dpi in SIZES.values():
        _, ax = plt.subplots(figsize=(width, height), dpi=dpi)
        assert figure(ax) is ax
        assert ("Invented" in caption(ax)) != ("source not recorded" in caption(ax))
        assert ax.get_xlabel()
        fits(ax)
    fits(figure(None))


# Lorenz


def test_a_lorenz_curve_is_the_table() -> None:
    ax = draw.plot_lorenz(SimpleNamespace(lorenz=CURVE, gini=0.4567), value="connectors")
    x, y = ax.lines[1].get_data()
    assert np.asarray(x) == pytest.approx(100 * CURVE["population_share"].to_numpy())
    assert np.asarray(y) == pytest.approx(100 * CURVE["value_share"].to_numpy())
    assert legend(ax) == ["equal shares", "connectors (Gini 0.46)"]
    assert "half has 20 %" in [t.get_text() for t in ax.texts]
    assert caption(ax).startswith("3 steps")


def test_every_source_of_the_curves_is_credited() -> None:
    one, two = CURVE.copy(), CURVE.copy()
    one.attrs["ocm"], two.attrs["ocm"] = {"attribution": "Ann"}, {"attribution": "Bob"}
    said = caption(draw.plot_lorenz({"a": one, "b": two, "c": one}, value="cost in $"))
    assert said.count("Ann") == said.count("Bob") == 1


def test_several_lorenz_curves_are_told_apart_without_colour() -> None:
    ax = draw.plot_lorenz({"a": CURVE, "b": CURVE})
    assert legend(ax) == ["equal shares", "a", "b"]
    assert ax.lines[1].get_linestyle() != ax.lines[2].get_linestyle()


def test_a_gini_coefficient_has_its_interval() -> None:
    found = ocm.equity([1, 2, 3, 4, 0.5], [10, 20, 10, 5, 20])
    ax = draw.plot_lorenz(found)
    low, high = found.intervals.loc["gini", ["low", "high"]]
    assert legend(ax)[1] == f"access (Gini {found.gini:.2f}, {low:.2f} to {high:.2f})"
    assert caption(ax).startswith("5 locations · Gini coefficient with its 95 % interval")
    ax = draw.plot_lorenz(ocm.equity([1, 2], [1, 1], n_boot=0))
    assert legend(ax)[1] == "access (Gini 0.17)"
    assert "bootstrap" not in caption(ax)


def test_equity_of_invented_stations_is_credited_as_such() -> None:
    towns = ocm.sample_areas()
    towns = towns.set_geometry(towns.representative_point())
    access = ocm.accessibility(
        towns, ocm.stations(source=ocm.sample()), 30, population="population"
    )
    ax = draw.plot_lorenz(ocm.equity(access, towns["population"]))
    assert "Invented stations" in caption(ax)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({str(k): CURVE for k in range(6)}, "6 curves; at most 5"),
        (CURVE.iloc[1:], "from \\(0, 0\\) to \\(1, 1\\)"),
        (CURVE.assign(value_share=[0, 0.5, 0.2, 1]), "must rise"),
        (CURVE.head(0), "0 rows"),
        (CURVE.drop(columns="value_share"), "value_share"),
        (CURVE.assign(value_share=[0, np.nan, 0.2, 1]), "missing"),
        (3, "value_share, not 3"),
        ({}, "at least one curve"),
    ],
)
def test_what_is_no_lorenz_curve_is_refused(wrong: Any, match: str) -> None:
    before = plt.get_fignums()
    with pytest.raises(ocm.QueryError, match=match):
        draw.plot_lorenz(wrong)
    assert plt.get_fignums() == before


# Growth


def dated(dates: list[str | None], providers: list[int]) -> pd.DataFrame:
    table = pd.DataFrame({"data_provider_id": pd.array(providers, dtype="Int64")})
    return table.assign(date_created=pd.to_datetime(pd.Series(dates), utc=True, format="ISO8601"))


def test_growth_says_what_it_is_not(stations: gpd.GeoDataFrame) -> None:
    ax = draw.plot_growth(stations, reference=ocm.reference_data(ocm.sample()))
    assert ax.get_title(loc="left") == "Stations by date of entry"
    assert caption(ax).startswith("Dates of entry are not dates of opening")
    assert "not of opening" in ax.get_xlabel()
    counts = legend_counts(ax)
    assert sum(counts.values()) == len(stations)
    names = {"Invented Contributors": 990_101, "Invented Import": 990_102}
    for name, number in names.items():
        assert counts[name] == (stations["data_provider_id"] == number).sum()


def test_growth_steps_up_on_the_day_of_entry() -> None:
    table = dated(
        ["2020-01-05T23:59:00Z", "2020-01-05", "2021-03-01", None, "2020-06-01"], [1, 1, 2, 2, 1]
    )
    ax = draw.plot_growth(table)

    def total(day: str) -> float:
        top = 0.0
        for area in ax.collections:
            x, y = area.get_paths()[0].vertices.T
            top = max(top, y[np.isclose(x, date2num(pd.Timestamp(day)))].max())
        return top

    assert total("2020-01-05") == 2
    assert total("2020-06-01") == 3
    assert total("2021-03-01") == 4
    said = caption(ax)
    assert "4 stations" in said
    assert "1 more without a date" in said
    assert "most in one day: 2 (2020-01-05)" in said


def test_growth_runs_on_to_the_end_of_the_data_and_marks_it() -> None:
    table = dated(["2020-01-05", "2020-06-01"], [1, 1])
    table.attrs["ocm"] = {"data_date": "2020-09-30", "attribution": "A"}
    ax = draw.plot_growth(table)
    day = date2num(pd.Timestamp("2020-09-30"))
    assert np.concatenate([c.get_paths()[0].vertices[:, 0] for c in ax.collections]).max() == day
    assert np.asarray(ax.lines[0].get_xdata(), float)[0] == day < ax.get_xlim()[1]
    assert "data end 2020-09-30" in [t.get_text() for t in ax.texts]
    table.attrs["ocm"] = {"retrieved": "2021-02-03T10:20:30Z"}
    assert "data end 2021-02-03" in [t.get_text() for t in draw.plot_growth(table).texts]
    table.attrs = {}
    assert "data end 2020-06-01" in [t.get_text() for t in draw.plot_growth(table).texts]


def test_growth_keeps_five_groups_and_puts_the_rest_together() -> None:
    table = dated(["2020-01-01"] * 36, [k for k in range(1, 9) for _ in range(k)])
    ax = draw.plot_growth(table.assign(who=table["data_provider_id"].astype("string")), by="who")
    counts = legend_counts(ax)
    assert list(counts) == ["8", "7", "6", "5", "4", "3 others"]
    assert counts["3 others"] == 1 + 2 + 3
    assert draw.plot_growth(table, by=None).get_legend() is None


def test_growth_without_dates_or_provider_is_refused() -> None:
    table = dated([None, None], [1, 1])
    with pytest.raises(ocm.QueryError, match="no station of the table has a date"):
        draw.plot_growth(table)
    with pytest.raises(ocm.QueryError, match="no station of the table has a date"):
        draw.plot_growth(table.head(0))
    with pytest.raises(ocm.QueryError, match="date_created"):
        draw.plot_growth(table.drop(columns="date_created"))
    with pytest.raises(ocm.QueryError, match="data_provider_id"):
        draw.plot_growth(dated(["2020-01-01"], [1]).drop(columns="data_provider_id"))
    with pytest.raises(ocm.QueryError, match="'country'"):
        draw.plot_growth(dated(["2020-01-01"], [1]), by="country")
    assert not plt.get_fignums()


def test_growth_of_unknown_providers_names_their_number() -> None:
    table = dated(["2020-01-01", "2020-01-01"], [987_654, 1])
    table["data_provider_id"] = pd.array([987_654, pd.NA], dtype="Int64")
    assert set(legend_counts(draw.plot_growth(table))) == {"Unknown (987654)", "Unknown provider"}


# Power


def test_the_power_mix_of_sites_counts_each_once(stations: gpd.GeoDataFrame) -> None:
    ax = draw.plot_power(stations)
    kw = stations["max_power_kw"]
    assert legend_counts(ax) == {
        "under 22 kW": (kw < 22).sum(),
        "22 to under 50 kW": ((kw >= 22) & (kw < 50)).sum(),
        "50 to under 150 kW": ((kw >= 50) & (kw < 150)).sum(),
        "150 kW and more": (kw >= 150).sum(),
        "power not known": kw.isna().sum(),
    }
    widths = [p.get_width() for p in ax.patches]
    assert sum(widths) == pytest.approx(100)


def test_the_power_mix_of_connectors_weighs_by_quantity(stations: gpd.GeoDataFrame) -> None:
    table = ocm.connections(stations)
    ax = draw.plot_power(table)
    quantity = table["quantity"].fillna(1)
    assert sum(legend_counts(ax).values()) == quantity.sum() == stations["n_connectors"].sum()
    unknown = quantity[table["power_kw"].isna()].sum()
    assert legend_counts(ax)["power not known"] == unknown > 0
    assert ax.get_xlabel() == "share of connectors, %"


def test_the_power_mix_by_group_has_a_bar_each() -> None:
    table = pd.DataFrame(
        {
            "max_power_kw": pd.array([7, 150, None, 50] + [22] * 20, dtype="Float64"),
            "who": ["a", "a", "a", None] + [f"g{k:02}" for k in range(20)],
        }
    )
    ax = draw.plot_power(table, by="who")
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[0] == "a"
    assert len(names) == 13
    assert names[-1] == "10 others"
    first = [p.get_width() for p in ax.patches if p.get_y() < 0 < p.get_y() + p.get_height()]
    assert sum(first) == pytest.approx(100)
    assert [w for w in first if w] == pytest.approx([100 / 3] * 3)


def test_a_missing_group_is_named() -> None:
    table = pd.DataFrame({"max_power_kw": [7.0, 7.0], "who": ["a", None]})
    ax = draw.plot_power(table, by="who")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "not known"]


def test_a_power_mix_of_nothing_is_refused(stations: gpd.GeoDataFrame) -> None:
    with pytest.raises(ocm.QueryError, match="no stations"):
        draw.plot_power(stations.head(0))
    with pytest.raises(ocm.QueryError, match="max_power_kw"):
        draw.plot_power(stations[["title"]])
    with pytest.raises(ocm.QueryError, match="'operator'"):
        draw.plot_power(stations, by="operator")
    assert not plt.get_fignums()
    none = stations.assign(max_power_kw=pd.array([pd.NA] * len(stations), dtype="Float64"))
    assert legend_counts(draw.plot_power(none)) == {"power not known": len(stations)}


# Distances


def near(km: Sequence[float | None], **columns: Sequence[Any]) -> pd.DataFrame:
    return pd.DataFrame({"nearest_km": pd.array(km, dtype="Float64"), **columns})


def read_at(ax: Any, km: float, line: int = 0) -> float:
    """Read the share within a distance off a line of steps."""
    x, y = (np.asarray(v, dtype=float) for v in ax.lines[line].get_data())
    return float(y[x <= km][-1])


def test_distances_are_counted_exactly() -> None:
    rng = np.random.default_rng(3)
    km = rng.integers(0, 30, 200).astype(float)
    ax = draw.plot_distances(near(km.tolist()))
    for at in (0, 0.5, 7, 7.99, 29):
        assert read_at(ax, at) == pytest.approx(100 * (km <= at).mean())
    assert ax.lines[0].get_drawstyle() == "steps-post"
    median = np.sort(km)[99]
    assert f"50 % within {median:.3g} km" in [t.get_text() for t in ax.texts]


def test_people_are_weighed_and_the_unreached_stay_in_the_whole() -> None:
    table = near([1, 2, None, 4, 5], population=[10.0, 20, 30, 0, np.nan])
    ax = draw.plot_distances(table, weights="population")
    assert read_at(ax, 1) == pytest.approx(100 * 10 / 60)
    assert read_at(ax, 5) == pytest.approx(100 * 30 / 60)
    assert ax.get_ylabel() == "share of the population, %"
    said = caption(ax)
    assert "4 points, weighted by population" in said
    assert "1 of them without a station within reach" in said
    assert "1 more without a weight" in said


def test_distances_by_group_run_on_to_the_end() -> None:
    ax = draw.plot_distances(near([1, 2, 8], of=["a", "a", "b"]), by="of")
    assert legend_counts(ax) == {"a": 2, "b": 1}
    assert read_at(ax, 8, line=0) == 100
    assert np.asarray(ax.lines[0].get_xdata(), float)[-1] == 8
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_distances_of_nothing_are_refused_or_said() -> None:
    calls: dict[str, Callable[[], Any]] = {
        "nothing to draw": lambda: draw.plot_distances(near([])),
        "no column 'nearest_km'": lambda: draw.plot_distances(pd.DataFrame({"a": [1]})),
        "negative": lambda: draw.plot_distances(near([-1.0])),
        "'w' must not be neg": lambda: draw.plot_distances(near([1], w=[-2.0]), weights="w"),
        "6 values": lambda: draw.plot_distances(near([1] * 6, of=list("abcdef")), by="of"),
        "must contain numbers": lambda: draw.plot_distances(near([1], w=["x"]), weights="w"),
    }
    for match, call in calls.items():
        with pytest.raises(ocm.QueryError, match=match):
            call()
    assert not plt.get_fignums()
    ax = draw.plot_distances(near([None, None]))
    assert read_at(ax, 0) == 0
    assert "2 of them without a station" in caption(ax)
    fits(ax)
    fits(draw.plot_distances(near([0.0])))


def test_a_stray_distance_does_not_spoil_the_figure() -> None:
    ax = draw.plot_distances(near([float(k % 20) for k in range(999)] + [5000.0]))
    assert ax.get_xlim()[1] < 30
    assert "1 of them beyond 23.8 km, not shown" in caption(ax)
    assert read_at(ax, 100) == pytest.approx(99.9)


def test_many_distances_are_a_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    ax = draw.plot_distances(near(rng.gamma(2, 3, 300_000).tolist()))
    assert ocm.save_figure(ax, tmp_path / "many.svg", dpi=100).stat().st_size < 300_000


def test_bounds_of_distances_are_a_band(stations: gpd.GeoDataFrame) -> None:
    strong = ocm.Qualifying(min_power_kw=50)
    table = ocm.nearest_stations(stations.head(300), stations, bounds=True, qualifying=strong)
    ax = draw.plot_distances(table)
    assert legend(ax) == ["as recorded", "low to high"]
    (band,) = [c for c in ax.collections if c.get_label() == "low to high"]
    corners = band.get_paths()[0].vertices
    for at in (1.0, 3.0, 8.0):
        there = corners[np.abs(corners[:, 0] - at) < 0.05, 1]
        least, most = (
            100 * (table[f"nearest_km_{end}"].astype(float) <= at).mean() for end in ("low", "high")
        )
        assert least <= read_at(ax, at) <= most
        assert there.min() >= least - 2
        assert there.max() <= most + 2
    assert "low: every uncertain station out" in caption(ax)
    fits(ax)


def test_minutes_are_no_kilometres() -> None:
    ax = draw.plot_distances(pd.DataFrame({"nearest_minutes": [1.0, 2.0, 9.0]}),
                             column="nearest_minutes")  # fmt: skip
    assert ax.get_xlabel() == "travel time to the nearest station, minutes"
    assert "50 % within 2 minutes" in [t.get_text() for t in ax.texts]
    ax = draw.plot_distances(pd.DataFrame({"road_min": [1.0]}), column="road_min")
    assert ax.get_xlabel() == "driving time to the nearest station, min"


# Bounds


def test_bounds_are_drawn_where_they_are() -> None:
    table = pd.DataFrame(
        {"share_low": [0.1, 0.0], "share": [0.2, np.nan], "share_high": [0.3, 1.0]},
        index=["a", "b$"],
    )
    ax = draw.plot_bounds(table, "share")
    (bars,) = ax.collections
    assert np.vstack([p[:, 0] for p in bars.get_segments()]) == pytest.approx(
        np.array([[10, 30], [0, 100]])
    )
    assert np.asarray(ax.lines[0].get_xdata(), float)[0] == pytest.approx(20)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", r"b\$"]
    assert "not known" in [t.get_text() for t in ax.texts]
    assert ax.get_xlabel() == "share, %"


def test_bounds_that_are_no_shares_keep_their_unit() -> None:
    table = pd.DataFrame({f"covered_km2{s}": [v] for s, v in
                          {"_low": 10.0, "": 20.0, "_high": 25.0}.items()})  # fmt: skip
    ax = draw.plot_bounds(table, "covered_km2")
    assert ax.get_xlabel() == "covered, km²"
    assert ax.get_xlim()[0] <= 0
    fits(ax)


def test_a_verdicts_readings_are_bounds(stations: gpd.GeoDataFrame) -> None:
    route = ocm.sample_route()
    verdict = ocm.assess_route(route, stations, "afir-ldv-core-2025")
    ax = draw.plot_bounds(verdict.readings, "share", labels=["reading", "pools_serve"])
    assert len(ax.get_yticks()) == len(verdict.readings)
    assert "Invented" in caption(ax)
    fits(ax)


def test_of_a_distance_low_is_the_longer_one() -> None:
    table = near([2.0, 5.0], nearest_km_low=[7.0, np.nan], nearest_km_high=[1.0, 3.0])
    ax = draw.plot_bounds(table, "nearest_km")
    assert ax.get_xlabel() == "distance to the nearest station, km"
    assert legend(ax) == ["high to low", "as recorded", "low: none found"]
    whole, open_ended = ax.collections
    assert whole.get_segments()[0][:, 0].tolist() == [1, 7]
    assert open_ended.get_segments()[0][:, 0].tolist() == [3, ax.get_xlim()[1]]
    fits(ax)
    with pytest.raises(ocm.QueryError, match="below nearest_km_high in 2 rows"):
        draw.plot_bounds(table.assign(nearest_km_low=0.5), "nearest_km")


def test_bounds_that_are_none_are_refused() -> None:
    good = pd.DataFrame({"x_low": [1.0], "x": [2.0], "x_high": [3.0]})
    calls: dict[str, Callable[[], Any]] = {
        "x_low": lambda: draw.plot_bounds(good.drop(columns="x_low"), "x"),
        "0 rows": lambda: draw.plot_bounds(good.head(0), "x"),
        "41 rows": lambda: draw.plot_bounds(pd.concat([good] * 41), "x"),
        "above": lambda: draw.plot_bounds(good.assign(x_low=9.0), "x"),
        "'who'": lambda: draw.plot_bounds(good, "x", labels="who"),
    }
    for match, call in calls.items():
        with pytest.raises(ocm.QueryError, match=match):
            call()
    assert not plt.get_fignums()


# Files


def test_a_file_holds_its_credit(stations: gpd.GeoDataFrame, tmp_path: Path) -> None:
    ax = draw.plot_growth(stations, reference=ocm.reference_data(ocm.sample()))
    text = ocm.save_figure(ax, tmp_path / "growth.svg").read_text()
    assert "<dc:title>Stations by date of entry</dc:title>" in text
    assert "Invented stations" in text[: text.index("</metadata>")]
    assert "<dc:date>" not in text
    with pytest.raises(ocm.QueryError, match="suffix"):
        ocm.save_figure(ax, tmp_path / "growth.jpg")
    with pytest.raises(ocm.QueryError, match="cannot be written"):
        ocm.save_figure(ax, tmp_path / "no folder" / "growth.png")
