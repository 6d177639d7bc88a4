"""The distance within which stations were fetched is the one within which they are analysed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pytest

import ocm_geo as ocm
from ocm_geo.provenance import DEFAULT_WITHIN_KM, choose_within_km

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

ROUTE = ocm.sample_route()


def gaps_km(stations: gpd.GeoDataFrame, **within: Any) -> list[float]:
    gaps: list[float] = ocm.route_gaps(ROUTE, stations, **within)["length_km"].tolist()
    return gaps


def stops(stations: gpd.GeoDataFrame, **within: Any) -> float:
    bare = stations.drop(columns=["along_km", "offset_km", "side"], errors="ignore")
    plan = ocm.plan_stops(ROUTE, bare, range_km=200, **within)
    return float(plan.stops.attrs["ocm"]["plan"]["within_km"])


def detours(stations: gpd.GeoDataFrame, **within: Any) -> list[int]:
    bare = stations.drop(columns=["along_km", "offset_km", "side"], errors="ignore")
    with pytest.warns(ocm.InexactMethod):
        found = ocm.road_detours(bare, ROUTE, engine=None, **within)
    ids: list[int] = found.index.tolist()
    return ids


def route_map(stations: gpd.GeoDataFrame, **within: Any) -> list[float]:
    shown = ocm.route_map(ROUTE, stations, **within, basemap="none")
    lengths: list[float] = shown.gaps["length_km"].tolist()
    return lengths


MEASURES: list[Callable[..., Any]] = [gaps_km, stops, detours, route_map]


@pytest.fixture(scope="module")
def fetched() -> gpd.GeoDataFrame:
    return ocm.stations_from_route(ROUTE, 12, source="sample", min_power_kw=50)


@pytest.mark.parametrize("measure", MEASURES)
def test_fetched_within_12_km_analysed_within_12_km(
    measure: Callable[..., Any], fetched: gpd.GeoDataFrame
) -> None:
    assert measure(fetched) == measure(fetched, within_km=12)
    assert measure(fetched, within_km=2) != measure(fetched)


@pytest.mark.parametrize("measure", MEASURES)
def test_without_a_record_5_km(measure: Callable[..., Any], fetched: gpd.GeoDataFrame) -> None:
    plain = fetched.copy()
    plain.attrs = {}
    assert measure(plain) == measure(plain, within_km=5)
    assert measure(plain) != measure(fetched)


def test_a_figure_tells_the_distance(fetched: gpd.GeoDataFrame) -> None:
    def caption(stations: gpd.GeoDataFrame, **options: Any) -> str:
        ax = ocm.plot_route(ROUTE, stations, **options)
        said = " ".join(t.get_text() for t in ax.texts).replace("\n", " ")
        plt.close("all")
        return said

    plain = fetched.copy()
    plain.attrs = {}
    assert "within 12 km" in caption(fetched)
    assert "within 3 km" in caption(fetched, within_km=3)
    assert "within 5 km" in caption(plain)
    assert "within 7 km" in caption(plain, gaps=ocm.route_gaps(ROUTE, plain, within_km=7))
    assert "within 8 km" in caption(ocm.locate_along(plain, ROUTE, within_km=8))


def test_the_latest_step_counts(fetched: gpd.GeoDataFrame) -> None:
    near = ocm.locate_along(fetched, ROUTE, within_km=3)
    assert choose_within_km(None, near) == 3
    assert choose_within_km(None, fetched) == 12
    assert choose_within_km(8, near) == 8
    assert choose_within_km(None) == DEFAULT_WITHIN_KM
    assert ocm.route_gaps(ROUTE, near).attrs["ocm"]["gaps"]["within_km"] == 3


def test_a_record_that_is_damaged_is_left_aside(fetched: gpd.GeoDataFrame) -> None:
    table = fetched.copy()
    table.attrs["ocm"] = {"query": "(too long to keep)", "located": {"within_km": "5 km"}}
    assert choose_within_km(None, table) == DEFAULT_WITHIN_KM


def test_the_distance_survives_a_file(fetched: gpd.GeoDataFrame, tmp_path: Any) -> None:
    again = ocm.read(ocm.write(fetched, tmp_path / "along.parquet"))
    assert gaps_km(again) == gaps_km(fetched)


def test_filters_of_tables_use_their_own_reference_data() -> None:
    sample = ocm.sample()
    names = sample.reference_data().operators["title"]
    label = next(str(title) for title in names[names.index > 900_000])
    found = ocm.route_gaps(ROUTE, ocm.stations(source=sample), operators=label)
    own = ocm.route_gaps(ROUTE, ocm.stations(source=sample, operators=label))
    assert len(own) > 1
    assert found["length_km"].tolist() == own["length_km"].tolist()
