"""Tables of one's own become station tables, or one error says all that is wrong with them."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.schema import empty_stations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ID": ["b-2", "a-1", "c-3", "a-1"],
            "Name": ["Beta", "Alpha", None, "Alpha"],
            "Plug": ["CCS (Type 2)", 25, "chademo", "Schuko"],
            "kW": [150, 22.0, None, 3.7],
            "n": [2, 1, 1, 4],
            "Operator": ["Volt & Co", "Stad", None, "Stad"],
            "x": [5.2, 5.1, 5.3, 5.1],
            "y": [52.2, 52.1, 52.3, 52.1],
            "Open": ["Public", "Public", None, "Public"],
            "State": ["Operational", "Operational", "Operational", "Not Operational"],
        }
    ).replace({"Plug": {"Schuko": "CEE 7/4 - Schuko - Type F"}})


FACTS: dict[str, Any] = {
    "site": "ID",
    "title": "Name",
    "connector": "Plug",
    "power_kw": "kW",
    "quantity": "n",
    "operator": "Operator",
    "usage": "Open",
    "status": "State",
    "lon": "x",
    "lat": "y",
    "country": "NL",
    "attribution": "City office",
}


def make(frame: Any = None, **changes: Any) -> gpd.GeoDataFrame:
    return ocm.stations_from_table(table() if frame is None else frame, **(FACTS | changes))


def test_rows_of_connections_become_stations() -> None:
    made = make()
    empty = empty_stations()
    assert list(made.columns) == list(empty.columns)
    assert made.dtypes.equals(empty.dtypes)
    assert made.crs == empty.crs
    assert made.index.name == "station_id"
    assert made.index.tolist() == ["a-1", "b-2", "c-3"]
    assert made["title"].tolist() == ["Alpha", "Beta", pd.NA]
    assert made["n_connectors"].tolist() == [5, 2, 1]
    assert made["max_power_kw"].tolist() == [22, 150, pd.NA]
    assert made["total_power_kw"].iloc[:2].tolist() == pytest.approx([22 + 4 * 3.7, 300])
    assert made["total_power_kw"].isna().tolist() == [False, False, True]
    assert made["n_power_missing"].tolist() == [0, 0, 1]
    assert made["has_dc"].tolist() == [pd.NA, True, True]  # CCS and CHAdeMO are DC
    assert made["status_type_id"].tolist() == [75, 50, 50]
    assert made["usage_type_id"].tolist() == [1, 1, pd.NA]
    assert made["country_code"].tolist() == ["NL"] * 3
    assert [(p.x, p.y) for p in made.geometry] == [(5.1, 52.1), (5.2, 52.2), (5.3, 52.3)]
    plugs = ocm.connections(made)
    assert plugs.columns[0] == "station_id"
    assert plugs["station_id"].tolist() == ["a-1", "a-1", "b-2", "c-3"]
    assert plugs["connection_type_id"].tolist() == [25, 28, 33, 2]
    assert plugs["status_type_id"].tolist() == [50, 100, 50, 50]


def test_the_users_table_is_not_changed() -> None:
    frame = table()
    make(frame)
    assert frame.equals(table())


def test_constants_hold_for_all_rows() -> None:
    made = ocm.stations_from_table(
        table().drop_duplicates("ID"),
        id="ID",
        lon="x",
        lat="y",
        connector="CCS (Type 2)",
        power_kw=300,
        quantity=2,
        n_points=4,
        operator="Volt",
        usage=1,
        status="Operational",
        country=159,
        title="Station",
        attribution="me",
    )
    assert made["total_power_kw"].tolist() == [600] * 3
    assert made["n_points"].tolist() == [4] * 3
    assert ocm.add_labels(made)["operator"].tolist() == ["Volt"] * 3


def test_a_geodataframe_in_any_crs_needs_no_columns_of_positions() -> None:
    frame = table()
    points = gpd.GeoDataFrame(
        frame, geometry=gpd.points_from_xy(frame["x"], frame["y"]), crs=4326
    ).to_crs(28992)
    made = make(points.rename_geometry("where"), lon=None, lat=None)
    want = make()
    assert made.geometry.geom_equals_exact(want.geometry, 1e-7).all()
    assert made.drop(columns="geometry").equals(want.drop(columns="geometry"))


@pytest.mark.parametrize(
    ("ids", "want"),
    [
        ([3, 1, 2, 7], [1, 2, 3, 7]),
        ([3.0, 1.0, 2.0, 7.0], [1, 2, 3, 7]),
        (pd.array([3, 1, 2, 7], dtype="Int64"), [1, 2, 3, 7]),
        (["03", "01", "02", "7"], ["01", "02", "03", "7"]),
        (["é", "a", "b", "c"], ["a", "b", "c", "é"]),
    ],
)
def test_ids_are_whole_numbers_or_texts(ids: Any, want: list[Any]) -> None:
    made = make(table().assign(ID=ids))
    assert made.index.tolist() == want
    assert made.index.name == "station_id"


def test_the_index_is_the_id_where_none_is_named() -> None:
    frame = table().drop_duplicates("ID").set_index("ID")
    assert make(frame, site=None).index.tolist() == ["a-1", "b-2", "c-3"]


def test_with_site_the_id_names_the_connection() -> None:
    made = make(table().assign(evse=["e1", "e2", "e3", "e4"]), id="evse")
    assert ocm.connections(made)["reference"].tolist() == ["e2", "e4", "e1", "e3"]


@pytest.mark.parametrize(
    ("current", "kw", "want"),
    [("AC", 22, 20), ("ac ", 7.4, 10), ("DC", 22, 30), (30, 22, 30), ("AC (Three-Phase)", 3, 20)],
)
def test_currents(current: object, kw: float, want: int) -> None:
    frame = table().drop_duplicates("ID").assign(kW=kw)
    made = make(frame, current=current, connector="Type 2 (Socket Only)")
    assert ocm.connections(made)["current_type_id"].tolist() == [want] * 3


def test_connections_of_another_source_give_the_same_measures() -> None:
    """The sample, taken apart into rows of connections and put together again."""
    before = ocm.stations_from_country("NL", source="sample")
    before = before[before["connections"] != "[]"]
    flat = ocm.connections(before).merge(
        pd.DataFrame(before)[["title", "n_points", "usage_type_id", "status_type_id"]],
        left_on="ocm_id",
        right_index=True,
        suffixes=("_of_connection", ""),
    )
    points = before.geometry.loc[flat["ocm_id"]]
    flat = flat.assign(x=points.x.to_numpy(), y=points.y.to_numpy())
    # Own tables do not say which powers are estimates.
    estimated = flat.loc[flat["power_source"] == "estimated_by_import", "ocm_id"]
    flat = flat[~flat["ocm_id"].isin(estimated)]
    before = before[~before.index.isin(estimated)]
    after = ocm.stations_from_table(
        flat,
        site="ocm_id",
        title="title",
        connector="connection_type_id",
        current="current_type_id",
        power_kw="power_kw",
        quantity="quantity",
        n_points="n_points",
        usage="usage_type_id",
        status="status_type_id",
        lon="x",
        lat="y",
        country="NL",
        attribution="sample",
    )
    same = ["n_connectors", "max_power_kw", "total_power_kw", "n_power_missing", "n_points"]
    assert after.index.tolist() == before.index.tolist()
    for column in (*same, "usage_type_id", "status_type_id"):
        assert (after[column].isna().to_numpy() == before[column].isna().to_numpy()).all()
        known = after[column].notna().to_numpy()
        assert after[column][known].tolist() == pytest.approx(before[column][known].tolist())
    rule = ocm.Qualifying(min_power_kw=50)
    a, b = (ocm.uncertain_stations(t, rule) for t in (before, after))
    assert a.index.tolist() == b.index.tolist()
    route = ocm.route_substring(ocm.sample_route(), 0, 90)
    verdicts = [ocm.assess_route(route, t, "afir-ldv-core-2025") for t in (before, after)]
    assert verdicts[0].share == verdicts[1].share
    assert verdicts[0].share_high == verdicts[1].share_high
    areas = ocm.sample_areas().iloc[:2]
    shares = [ocm.coverage(areas, t, 5, qualifying=rule, bounds=True) for t in (before, after)]
    for column in ("area_share", "area_share_low", "area_share_high"):
        assert shares[0][column].tolist() == shares[1][column].tolist()


def test_every_kind_of_function_takes_the_result(tmp_path: Path) -> None:
    made = make()
    areas = gpd.GeoDataFrame(
        {"name": ["here"], "population": [1000.0]},
        geometry=[shapely.box(5, 52, 5.4, 52.4)],
        crs=4326,
    )
    line = [(5.05, 52.05), (5.35, 52.35)]
    assert ocm.density(areas, made)["power_kw"].iloc[0] == pytest.approx(300 + 22 + 4 * 3.7)
    assert (
        ocm.nearest_stations(areas.set_geometry(areas.representative_point()), made).columns[0]
        is not None
    )
    assert set(ocm.route_gaps(line, made, within_km=3)["from_id"].dropna()) <= set(made.index)
    assert set(ocm.locate_along(made, line, within_km=3).index) == set(made.index)
    assert len(ocm.plan_stops(line, made, range_km=60, within_km=3).stops) >= 0
    assert ocm.StationQuery.build(min_power_kw=100).mask(made).tolist() == [False, True, False]
    assert ocm.StationQuery.build(connection_types="CHAdeMO").answer(made).index.tolist() == ["c-3"]
    assert ocm.uncertain_stations(made).index.tolist() == ["c-3"]
    assert ocm.plot_stations(made).get_title() is not None
    assert ocm.plot_power(made).get_xlabel() == "share of stations, %"
    assert ocm.station_map(made) is not None
    assert len(ocm.route_map(line, made, within_km=3).stations) == 3
    for suffix in ("parquet", "gpkg", "csv", "geojson"):
        again = ocm.read(ocm.write(made, tmp_path / f"own.{suffix}"))
        assert again.index.tolist() == made.index.tolist()
        assert again["total_power_kw"].equals(made["total_power_kw"])
        assert ocm.add_labels(again)["operator"].tolist() == ["Stad", "Volt & Co", pd.NA]


def test_names_and_credit_travel_with_the_table(tmp_path: Path) -> None:
    made = make(licence="CC0")
    labelled = ocm.add_labels(made)
    assert labelled["operator"].tolist() == ["Stad", "Volt & Co", pd.NA]
    assert labelled["license"].tolist() == ["CC0"] * 3
    assert ocm.attribution(made).short == "City office"
    ocm.to_html(made.iloc[:1], tmp_path / "map.html")
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "Stad" in text
    assert "City office" in text
    assert "openchargemap.org/site" not in text
    own = json.loads(json.dumps(made.attrs["ocm"]))
    assert own["source"] == "own table"
    assert own["covers"] == "NL"


def test_the_table_covers_the_countries_it_names_or_lies_in() -> None:
    abroad = gpd.GeoDataFrame(
        {"name": ["a"]}, geometry=[shapely.box(13.2, 52.4, 13.5, 52.6)], crs=4326
    )
    for made in (make(), make(country=None)):
        assert made.attrs["ocm"]["covers"] == "NL"
        with pytest.warns(ocm.OutsideData, match="Germany"):
            ocm.density(abroad, made)


def test_watts_for_kilowatts_warn_and_are_left_out() -> None:
    with pytest.warns(ocm.SuspectInput, match=r"are they in W\?"):
        made = make(table().assign(kW=[150_000, 22_000, 50_000, 3_700]))
    assert made["n_power_implausible"].tolist() == [2, 1, 1]
    assert made["total_power_kw"].isna().all()


def test_swapped_axes_that_lie_on_the_earth_warn() -> None:
    with pytest.warns(ocm.SuspectInput, match="swapped") as told:
        make(lon="y", lat="x")
    assert told[0].filename == __file__


def test_megawatt_charging_is_unknown_to_open_charge_map_and_plausible() -> None:
    made = make(connector="MCS", power_kw=1000)
    plugs = ocm.connections(made)
    assert plugs["connection_type_id"].eq(0).all()
    assert plugs["current_type_id"].eq(30).all()
    assert plugs["power_plausible"].all()


def test_an_empty_table_has_the_whole_schema() -> None:
    made = make(table().iloc[:0])
    assert made.dtypes.equals(empty_stations().dtypes)
    assert made.index.name == "station_id"


HERE = shapely.Point(5, 52)


def points(crs: Any = 4326, shape: shapely.Geometry | None = HERE) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table(), geometry=[shape] * 4, crs=crs)


MISTAKES: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "a list": (lambda: make([1]), ("list",)),
    "a series": (lambda: make(table()["ID"]), ("Series",)),
    "a column in another case": (lambda: make(power_kw="KW"), ("'KW'", "did you mean 'kW'?")),
    "a misspelt operator": (lambda: make(operator="Opertor"), ("operator", "'Operator'")),
    "a misspelt title": (lambda: make(title="name"), ("title", "'Name'")),
    "a column that is not there": (lambda: make(lon="east"), ("lon", "'east'", "x, y")),
    "values for a name": (lambda: make(power_kw=table()["kW"]), ("power_kw", "Series of 4")),
    "a list of values": (lambda: make(connector=["CCS"] * 4), ("connector", "list")),
    "power with its unit": (lambda: make(table().assign(kW="22 kW")), ("power_kw", "'22 kW'")),
    "decimal commas": (lambda: make(table().assign(kW="3,7")), ("power_kw", "'3,7'", "3.7")),
    "negative power": (lambda: make(table().assign(kW=-22)), ("power_kw", "less than 0", "-22")),
    "infinite power": (lambda: make(table().assign(kW=np.inf)), ("power_kw", "not finite")),
    "yes and no for power": (lambda: make(table().assign(kW=True)), ("power_kw", "True")),
    "half a connector": (lambda: make(table().assign(n=1.5)), ("quantity", "1.5", "whole")),
    "no connector": (lambda: make(table().assign(n=0)), ("quantity", "less than 1")),
    "a list in a cell": (lambda: make(table().assign(n=pd.Series([[1]] * 4))), ("quantity", "[1]")),
    "an unknown connector": (lambda: make(table().assign(Plug="CCS2x")), ("connector", "'CCS2x'")),
    "an unknown id": (lambda: make(table().assign(Plug=999)), ("connector", "999")),
    "an unknown status": (lambda: make(status="open"), ("status", "'open'")),
    "true for a usage": (lambda: make(usage=True), ("usage", "True")),
    "an unknown country": (lambda: make(country="Nederlandia"), ("country", "'Nederlandia'")),
    "a nan for a country": (lambda: make(country=float("nan")), ("country", "nan")),
    "a missing id": (
        lambda: make(table().assign(ID=pd.Series(["a", None, "c", "d"]))),
        ("site", "1 of 4"),
    ),
    "an empty id": (lambda: make(table().assign(ID=["a", "", "c", "d"])), ("site", "missing")),
    "repeated ids": (lambda: make(site=None, id="ID"), ("id", "'a-1'", "site=")),
    "ids of two types": (lambda: make(table().assign(ID=[1, "b", 2, "c"])), ("int", "str")),
    "ids that are dates": (
        lambda: make(table().assign(ID=pd.Timestamp("2024-01-01"))),
        ("Timestamp", "astype(str)"),
    ),
    "ids with fractions": (lambda: make(table().assign(ID=[1.5, 2, 3, 4])), ("whole numbers",)),
    "ids too long": (lambda: make(table().assign(ID=[2**70, 2, 3, 4])), ("64 bits",)),
    "a number in quotes": (lambda: make(power_kw="50"), ("power_kw", "without quotes")),
    "one name of two connectors": (lambda: make(connector="CCS"), ("connector", "32", "33")),
    "lon without lat": (lambda: make(lat=None), ("lon and lat",)),
    "no position at all": (lambda: make(lon=None, lat=None), ("lon=", "lat=")),
    "rows without a position": (
        lambda: make(table().assign(x=pd.Series([5, None, 5, 5]))),
        ("1 of 4 rows", "no position"),
    ),
    "swapped axes": (lambda: make(table().assign(y=[105.0] * 4)), ("swapped",)),
    "metres": (lambda: make(table().assign(x=121_000, y=487_000)), ("not on the Earth", "WGS84")),
    "coordinates with commas": (lambda: make(table().assign(x="5,1")), ("lon", "'5,1'")),
    "no crs": (lambda: make(points(None), lon=None, lat=None), ("set_crs",)),
    "areas": (
        lambda: make(points(shape=shapely.box(5, 52, 6, 53)), lon=None, lat=None),
        ("representative_point()",),
    ),
    "geometries that are missing": (
        lambda: make(points(shape=None), lon=None, lat=None),
        ("no position",),
    ),
    "a column twice": (
        lambda: make(pd.concat([table(), table()[["kW"]]], axis=1)),
        ("power_kw", "several columns 'kW'"),
    ),
    "sites far apart": (lambda: make(table().assign(x=[5.2, 5.1, 5.3, 6.1])), ("1 km", "'a-1'")),
    "two operators of one site": (
        lambda: make(table().assign(Operator=["a", "b", "c", "d"])),
        ("operator differs", "'a-1'", "'b', 'd'"),
    ),
    "counts that differ": (lambda: make(n_points="n"), ("n_points differs", "'a-1'")),
    "nobody to credit": (lambda: make(attribution=""), ("attribution",)),
    "none to credit": (lambda: make(attribution=None), ("attribution", "None")),
    "a licence that is no text": (lambda: make(licence=4.0), ("licence", "4")),
    "a date for a power": (lambda: make(power_kw=dt.date(2024, 1, 1)), ("power_kw", "date")),
    "a multi-index": (
        lambda: make(table().set_index(["ID", "n"]), site=None, quantity=None),
        ("tuple",),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake: str) -> None:
    call, words = MISTAKES[mistake]
    with pytest.raises(ocm.QueryError) as error:
        call()
    text = str(error.value)
    assert all(word in text for word in words), text
    assert len(text) < 600, text


def test_all_mistakes_are_named_at_once() -> None:
    frame = table().assign(kW="22 kW", Plug=["CCSx", "Type2x", "CHAdeMO", "Schukox"])
    with pytest.raises(ocm.QueryError) as error:
        make(frame, lon="east", status="open", site="Id", attribution=" ")
    text = str(error.value)
    assert "6 problems" in text
    for word in ("'22 kW'", "'CCSx'", "'Type2x'", "'east'", "'open'", "'ID'", "attribution"):
        assert word in text


def test_plain_numbers_of_any_type_are_taken() -> None:
    for kw in (["150", " 22 ", "", "3.7"], [Decimal(150), Decimal(22), None, Decimal("3.7")]):
        made = make(table().assign(kW=pd.Series(kw, dtype=object)))
        assert made["max_power_kw"].tolist() == [22, 150, pd.NA]
