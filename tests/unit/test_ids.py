"""Ids of stations, in the table and in every function that takes stations."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.errors import DroppedRows, QueryError
from ocm_geo.ids import id_name, station_table, take_ids
from ocm_geo.widgets.facts import describe_stations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def sites(index: Any = None, **columns: Any) -> gpd.GeoDataFrame:
    places = gpd.points_from_xy([5, 6, 7], [52, 52, 52])
    return gpd.GeoDataFrame(columns, geometry=places, index=index, crs=4326)


@pytest.mark.parametrize(
    ("table", "ids", "name"),
    [
        (sites(pd.Index([9, 7, 8], name="ocm_id")), [9, 7, 8], "ocm_id"),
        (sites(pd.Index(["a", "01", "c"], name="station_id")), ["a", "01", "c"], "station_id"),
        (sites([9, 7, 8]), [9, 7, 8], "station_id"),
        (sites(ocm_id=[9, 7, 8]), [9, 7, 8], "ocm_id"),
        (sites(station_id=["a", "01", "c"]), ["a", "01", "c"], "station_id"),
        (sites(ocm_id=[9.0, 7.0, 8.0]), [9, 7, 8], "ocm_id"),
        (sites(ocm_id=pd.array([9, 7, 8], "Int64")), [9, 7, 8], "ocm_id"),
        (sites(pd.Index([1.0, 2.0, 3.0], name="ocm_id")), [1, 2, 3], "ocm_id"),
        (sites(pd.Index([4, 5, 6], name="fid"), ocm_id=[9, 7, 8]), [9, 7, 8], "ocm_id"),
        (sites(ocm_id=[9, None, 8], station_id=["a", "b", "c"]), ["a", "b", "c"], "station_id"),
        (sites(pd.Index([1, 2, 3], name="ocm_id"), station_id=list("abc")), [1, 2, 3], "ocm_id"),
        (sites(list("xyz"), ocm_id=[9, 7, 8]), list("xyz"), "station_id"),
    ],
)
def test_ids_are_found(table: gpd.GeoDataFrame, ids: list[Any], name: str) -> None:
    table.attrs["ocm"] = {"source": "made"}
    before = table.copy(deep=True)
    found = station_table(table)
    assert found.index.tolist() == ids
    assert id_name(found.index) == name
    assert found.attrs["ocm"] == {"source": "made"}
    assert found.geometry.tolist() == table.geometry.tolist()
    pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(before))


def test_good_tables_are_not_copied() -> None:
    table = sites(pd.Index([7, 8, 9], name="ocm_id"))
    assert station_table(table) is table


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (sites(ocm_id=[9, None, 8]), "1 of 3 ids in the column 'ocm_id' are missing"),
        (sites(pd.Index([9, np.nan, 8], name="ocm_id")), "1 of 3 ids in the index are missing"),
        (sites(pd.Index([9, 9, 8], name="ocm_id")), r"1 ids are repeated.*first: 9.*own id"),
        (sites(ocm_id=[1, 1, 1]), r"1 ids are repeated by stations at other positions"),
    ],
)
def test_ids_that_cannot_be_used(table: gpd.GeoDataFrame, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        station_table(table)


def test_repeated_rows_are_used_once() -> None:
    table = sites(pd.Index([9, 7, 8], name="ocm_id"))
    table.attrs["ocm"] = {"source": "made"}
    with pytest.warns(DroppedRows, match=r"2 of 5 rows repeat the id of another row \(first: 7\)"):
        found = station_table(pd.concat([table, table.iloc[1:]]))
    assert found.index.tolist() == [9, 7, 8]


def test_ids_by_row() -> None:
    rows = np.array([1, -1, 0])
    whole = take_ids(pd.Index([9, 7]), rows)
    assert whole.tolist() == [7, pd.NA, 9]
    assert str(whole.dtype) == "Int64"
    text = take_ids(pd.Index(["02001", "x"]), rows)
    assert text.tolist() == ["x", pd.NA, "02001"]
    assert str(text.dtype) == "string"
    pairs = take_ids(pd.MultiIndex.from_tuples([("a", 1), ("b", 1)]), rows)
    assert pairs.tolist() == [("b", 1), None, ("a", 1)]
    assert take_ids(pd.Index([], dtype=object), np.array([-1])).isna().all()


class World:
    """The sample under ids of several kinds."""

    def __init__(self) -> None:
        self.areas = ocm.sample_areas()
        self.towns = self.areas.set_geometry(self.areas.representative_point())
        self.route = ocm.sample_route()
        self.ocm = ocm.stations(source=ocm.sample())
        ids = [f"0{number}" for number in self.ocm.index]
        self.text = self.ocm.set_axis(ids).rename_axis("station_id")
        self.rows = self.ocm.reset_index()


@pytest.fixture(scope="module")
def world() -> World:
    return World()


RULE = "afir-ldv-core-2025"
# Each gives the ids of its result.
WITH_IDS: dict[str, Callable[[World, Any], Any]] = {
    "nearest": lambda w, st: ocm.nearest_stations(w.towns, st),
    "nearest three": lambda w, st: ocm.nearest_stations(w.towns, st, 3),
    "nearest bounds": lambda w, st: ocm.nearest_stations(w.towns, st, bounds=True),
    "connections": lambda _, st: ocm.connections(st),
    "gaps": lambda w, st: ocm.route_gaps(w.route, st),
    "gaps of the strong": lambda w, st: ocm.route_gaps(
        w.route, st, min_power_kw=50, connection_types=33
    ),
    "stops": lambda w, st: ocm.plan_stops(w.route, st, range_km=120).stops,
    "legs": lambda w, st: ocm.plan_stops(w.route, st, range_km=120).legs,
    "detours": lambda w, st: ocm.plan_stops(w.route, st, range_km=120, detours=True).stops,
    "pools": lambda w, st: ocm.assess_route(w.route, st, RULE).pools,
    "uncertain": lambda _, st: ocm.uncertain_stations(st),
    "drivers": lambda w, st: ocm.uncertainty_drivers(w.areas.head(2), st, 5),
    "service areas": lambda _, st: ocm.service_areas(st.head(3), 5, dissolve=False),
    "popups": lambda _, st: pd.DataFrame(describe_stations(st.head(5))),
}
IDS = ("ocm_id", "station_id", "from_id", "to_id", "ocm_ids", "station_ids", "id")


def ids_of(table: pd.DataFrame) -> list[Any]:
    """Collect the ids of a result, as numbers."""
    names = [name for name in table if str(name).removesuffix("_low").removesuffix("_high") in IDS]
    columns = [table[name] for name in names]
    if table.index.name in IDS:
        columns.append(table.index.to_series())
    assert columns, f"{list(table)} has no ids"
    values = pd.concat([column.explode() for column in columns])
    return [None if pd.isna(value) else int(value) for value in values]


@pytest.mark.parametrize("name", WITH_IDS)
@pytest.mark.parametrize("kind", ["text", "rows"])
def test_ids_of_every_kind_go_through_every_function(world: World, name: str, kind: str) -> None:
    call = WITH_IDS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want, found = call(world, world.ocm), call(world, getattr(world, kind))
    assert ids_of(found) == ids_of(want)
    if kind == "text":
        assert not {"ocm_id", "ocm_ids"} & {*found, found.index.name}


def numbers(result: Any) -> NDArray[np.float64]:
    """Return what a measure counted."""
    if isinstance(result, pd.DataFrame):
        plain = pd.DataFrame(result).select_dtypes("number")
        return plain.to_numpy(dtype=float, na_value=np.nan)
    return np.asarray(pd.Series(result).to_numpy(dtype=float, na_value=np.nan))


COUNTING: dict[str, Callable[[World, Any], Any]] = {
    "density": lambda w, st: ocm.density(w.areas, st),
    "coverage": lambda w, st: ocm.coverage(w.areas, st, 5, bounds=True),
    "grid": lambda w, st: ocm.coverage_grid(w.areas.head(1), st, 10, within_km=5),
    "access": lambda w, st: ocm.accessibility(w.towns, st, 30, population="population"),
    "siting": lambda w, st: ocm.suggest_sites(w.towns, w.ocm.head(50), st, 2, within_km=10),
    "nearest": lambda w, st: ocm.nearest_stations(w.towns, st, 3),
    "gaps": lambda w, st: ocm.route_gaps(w.route, st),
    "stops": lambda w, st: ocm.plan_stops(w.route, st, range_km=120).legs,
    "connections": lambda _, st: ocm.connections(st),
    "uncertain": lambda _, st: ocm.uncertain_stations(st),
    "drivers": lambda w, st: ocm.uncertainty_drivers(w.areas.head(2), st, 5),
    "scenarios": lambda _, st: (
        ocm.uncertainty_scenarios(lambda some: float(len(some)), st, n_draws=2, n_drivers=0).table
    ),
    "route verdict": lambda w, st: ocm.assess_route(w.route, st, RULE).share,
    "network verdict": lambda w, st: (
        ocm.assess_network(gpd.GeoSeries([w.route], crs=4326), st, RULE).share
    ),
    "fill": lambda w, st: ocm.fill_gaps(w.route, st, RULE),
    "service areas": lambda _, st: ocm.service_areas(st.head(5), 5),
}


@pytest.mark.parametrize("name", COUNTING)
def test_repeated_stations_count_once_and_are_told(world: World, name: str) -> None:
    call = COUNTING[name]
    twice = pd.concat([world.ocm.head(900), world.ocm.tail(800)])
    if name == "service areas":
        twice = pd.concat([world.ocm.head(3), world.ocm.head(2)])
    once = twice[~twice.index.duplicated()]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ocm.OutsideData)
        want = numbers(call(world, once))
        with pytest.warns(DroppedRows, match="repeat the id"):
            found = numbers(call(world, twice))
    np.testing.assert_allclose(found, want, equal_nan=True)


@pytest.mark.parametrize("draw", ["plot_stations", "plot_power", "plot_growth", "station_map"])
def test_figures_count_repeated_stations_once(world: World, draw: str) -> None:
    twice = pd.concat([world.ocm.head(100), world.ocm.head(50)])
    with pytest.warns(DroppedRows, match="50 of 150 rows repeat"):
        getattr(ocm, draw)(twice)
    plt.close("all")


def test_links_and_titles_of_popups_show_no_row_numbers(world: World) -> None:
    unnamed = world.ocm.head(2).reset_index(drop=True).assign(title=None)
    for shown in describe_stations(unnamed):
        assert shown["title"] == "Station"
        assert not any("openchargemap" in link for _, link in shown["links"])
    (first, *_) = describe_stations(world.text.head(1).assign(title=None))
    assert first["title"] == f"Station {world.text.index[0]}"
    assert not any("openchargemap" in link for _, link in first["links"])
    (ours, *_) = describe_stations(world.rows.head(1))
    assert f"/{world.ocm.index[0]}" in ours["links"][0][1]


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".geojson", ".csv"])
def test_results_are_written_read_and_used_again(world: World, tmp_path: Path, suffix: str) -> None:
    chain = ocm.nearest_stations(world.towns, world.text)
    back = ocm.read(ocm.write(chain, tmp_path / f"near{suffix}"))
    assert back["station_id"].tolist() == chain["station_id"].tolist()
    stations = ocm.read(ocm.write(world.text, tmp_path / f"stations{suffix}"))
    pd.testing.assert_frame_equal(
        pd.DataFrame(ocm.density(world.areas, stations)),
        pd.DataFrame(ocm.density(world.areas, world.text)),
    )
    grid = ocm.coverage_grid(world.areas.head(1), world.text, 20, within_km=5)
    cells = ocm.read(ocm.write(grid, tmp_path / f"grid{suffix}"))
    again = ocm.coverage(cells, stations, 5)
    assert again["covered_km2"].sum() == pytest.approx(
        ocm.coverage(grid, world.text, 5)["covered_km2"].sum(), rel=1e-6
    )


def test_a_gis_file_of_stations_gives_the_same_answers(world: World, tmp_path: Path) -> None:
    path = ocm.write(world.text.head(300), tmp_path / "stations.gpkg")
    plain = gpd.read_file(path, layer="stations")
    want = ocm.nearest_stations(world.towns, world.text.head(300))
    found = ocm.nearest_stations(world.towns, plain)
    assert found["station_id"].tolist() == want["station_id"].tolist()
    own = ocm.nearest_stations(plain.head(3), plain)
    assert own.index.tolist() == own["station_id"].tolist() == plain["station_id"].head(3).tolist()


def test_areas_may_have_an_index_of_two_levels(world: World) -> None:
    index = pd.MultiIndex.from_product([["x"], world.areas.index], names=["land", "number"])
    areas = world.areas.set_axis(index)
    table = ocm.coverage(areas, world.ocm, [5, 10], population="population")
    assert table.index.names == ["land", "number"]
    assert ocm.density(areas, world.ocm).index.equals(index)
    near = ocm.nearest_stations(world.towns.set_axis(index), world.ocm)
    assert near.index.equals(index)


def test_own_columns_of_every_table_survive(world: World) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "nearest_km": lambda: ocm.nearest_stations(world.towns.assign(nearest_km=1), world.ocm),
        "rank": lambda: ocm.nearest_stations(world.towns.assign(rank=1), world.ocm, 2),
        "operator_id": lambda: ocm.nearest_stations(
            world.towns.assign(operator_id=1), world.ocm, by="operator_id"
        ),
        "n_sites": lambda: ocm.density(world.areas.assign(n_sites=-1), world.ocm),
        "counts": lambda: ocm.uncertain_stations(world.ocm.assign(counts=-1)),
        "population_gained": lambda: ocm.suggest_sites(
            world.towns, world.towns.assign(population_gained=1), world.ocm, 1, within_km=10
        ),
        "along_km": lambda: ocm.locate_along(world.towns.assign(along_km=1), world.route),
        "side": lambda: ocm.plan_stops(world.route, world.ocm.assign(side="x"), range_km=120),
        "departure_soc": lambda: ocm.plan_stops(
            world.route, world.ocm.assign(departure_soc=1), range_km=120
        ),
        "status": lambda: ocm.add_labels(world.ocm.assign(status="mine")),
    }
    for column, call in calls.items():
        with pytest.raises(QueryError, match=rf"already has the column '{column}'"):
            call()
    with pytest.warns(ocm.InexactMethod):
        near = ocm.road_detours(world.ocm, world.route, engine=None)
    with pytest.raises(QueryError, match="already has the columns 'detour_km', 'detour_min'"):
        ocm.road_detours(near, world.route, engine=None)


def test_an_earlier_answer_is_measured_anew(world: World) -> None:
    along = ocm.locate_along(world.ocm, world.route, within_km=5)
    back = shapely.LineString(world.route.coords[::-1])
    turned = ocm.locate_along(along, back)
    assert turned["along_km"].to_numpy() == pytest.approx(
        ocm.route_length_km(world.route) - along["along_km"].to_numpy(), abs=1e-6
    )
    labelled = ocm.add_labels(world.ocm)
    pd.testing.assert_frame_equal(pd.DataFrame(ocm.add_labels(labelled)), pd.DataFrame(labelled))
