from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo import cli
from ocm_geo.study import read_config
from ocm_geo.study.config import changed_config

if TYPE_CHECKING:
    from pathlib import Path

STUDY = {
    "source": "sample",
    "drop_status": [100, 150],
    "area": {"file": "sample", "name_column": "name", "population_column": "population"},
    "tiers": [{"name": "above 22 kW", "above_kw": 22}, {"name": "50 kW", "min_power_kw": 50}],
    "usages": [{"name": "public", "usage_types": [1]}, {"name": "everyone"}],
    "access": {"classes": [2, 10, 20], "missing_supply": 1, "catchment": 25},
    "coverage": {"within_km": [5]},
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ocm.run_study(STUDY, tmp_path_factory.mktemp("access"))


def test_groups_are_every_tier_of_every_class_of_users(result: Any) -> None:
    assert list(result.groups) == [
        "public, above 22 kW", "public, 50 kW", "everyone, above 22 kW", "everyone, 50 kW",
    ]  # fmt: skip
    stations = ocm.stations(source=ocm.sample())
    strong = stations["max_power_kw"] > 22
    public = (stations["usage_type_id"] == 1).fillna(value=False)
    kept = ~stations["status_type_id"].isin([100, 150])
    inside = stations.index[strong & public & kept & stations.index.isin(result.stations.index)]
    mine = result.groups["public, above 22 kW"].index
    assert set(inside) == set(mine) & set(result.stations.index)
    # Strictly more: a station of 22 kW is in no such tier.
    exactly = stations.index[(stations["max_power_kw"] == 22).fillna(value=False)]
    assert len(exactly) > 0
    assert not set(exactly) & set(result.groups["everyone, above 22 kW"].index)
    assert stations["status_type_id"].isna().any()
    assert result.groups["everyone, above 22 kW"]["status_type_id"].isna().any()


def test_people_by_distance_are_all_people(result: Any) -> None:
    people = result.access.people
    assert people.groupby("group")["share"].sum().tolist() == pytest.approx([1] * 4)
    towns = ocm.sample_areas()
    near = ocm.nearest_stations(
        towns.representative_point(), result.groups["everyone, 50 kW"], max_km=200
    )
    weights = towns["population"].to_numpy(dtype=float)
    km = near["nearest_km"].to_numpy(dtype=float)
    mine = people[people["group"] == "everyone, 50 kW"]
    assert mine["population"].tolist()[0] == weights[km <= 2].sum()
    mean = result.access.means.set_index("group").loc["everyone, 50 kW", "weighted_mean"]
    assert mean == pytest.approx(np.average(km, weights=weights))


def test_access_and_equity_are_those_of_the_functions(result: Any) -> None:
    towns = ocm.sample_areas()
    points = towns.set_geometry(towns.representative_point())
    access = ocm.accessibility(
        points,
        result.groups["everyone, 50 kW"],
        25,
        population="population",
        supply="n_points",
        missing_supply=1,
    )
    mine = result.access.access
    mine = mine[mine["group"] == "everyone, 50 kW"]
    assert mine["access"].tolist() == access.tolist()
    gini = result.access.equity.set_index(["group", "measure"])["value"]
    expected = ocm.equity(access, towns["population"], n_boot=0).gini
    assert gini["everyone, 50 kW", "gini"] == pytest.approx(expected)
    page = result.report.read_text(encoding="utf-8")
    assert f"{expected:.3f}" in page
    assert "does not include the uncertainty of the data" in page


def test_access_has_figures_with_their_people(result: Any) -> None:
    drawn = {path.name for path in result.written if path.suffix == ".png"}
    # Two tiers to a figure, those of one class of users.
    ends = ("", "_2")
    assert drawn >= {f"{k}{e}.png" for k in ("coverage", "distances", "lorenz") for e in ends}
    assert len(drawn) == 7
    page = result.report.read_text(encoding="utf-8")
    assert page.count("<figcaption>") == 7
    people = ocm.sample_areas()["population"].sum()
    n = len(ocm.sample_areas())
    assert f"Share of the population ({people:,.0f} at {n:,} locations) by distance" in page
    assert "Distribution of access (n_points within reach, e2sfca)" in page


def test_points_for_people_count_a_missing_number_as_said(result: Any) -> None:
    points = result.access.points
    mine = points[points["group"] == "everyone, 50 kW"].set_index("name")
    inside = result.groups["everyone, 50 kW"]
    inside = inside[inside.index.isin(result.stations.index)]
    assert mine["n_points"].sum() == inside["n_points"].fillna(1).sum()
    known = mine["points_per_10000_people"].notna()
    ratio = (10_000 * mine["n_points"] / mine["population"])[known]
    assert mine["points_per_10000_people"][known].tolist() == pytest.approx(ratio.tolist())
    assert set(mine["class"].dropna()) <= {"below 1", "1 to below 3", "3 to below 6", "6 and more"}


def test_people_may_be_a_table_or_a_raster_and_costs_may_be_minutes(tmp_path: Path) -> None:
    table = tmp_path / "towns.csv"
    table.write_text("plz,x,y,n\n01067,5.0,52.0,100\n01069,5.5,52.2,300\n", encoding="utf-8")
    ids = ocm.stations(source=ocm.sample(), countries="NL").index[:2]
    minutes = tmp_path / "minutes.csv"
    minutes.write_text(
        f"origin,ocm_id,minutes\n01067,{ids[0]},4\n01067,{ids[1]},9\n01069,{ids[1]},40\n",
        encoding="utf-8",
    )
    demand = {
        "file": str(table),
        "lon_column": "x",
        "lat_column": "y",
        "population_column": "n",
        "name_column": "plz",
    }
    access = {"classes": [5, 30], "supply": "sites", "costs": str(minutes)}
    study = {"source": "sample", "area": {"country": "NL"}, "demand": demand, "access": access}
    found: Any = ocm.run_study(study, tmp_path / "out")
    assert found.access.people["population"].tolist() == [100, 0, 300]
    assert found.access.people["unit"].unique().tolist() == ["minutes"]
    assert found.access.means["weighted_mean"].tolist() == [(100 * 4 + 300 * 40) / 400]
    assert found.access.access["nearest_minutes"].tolist() == [4, 40]
    assert found.access.points["name"].tolist() == ["NL"]

    # A group of no stations is one that nobody reaches.
    some = [{"name": "all"}, {"name": "none", "filters": {"operators": 45}}]
    two: Any = ocm.run_study({**study, "groups": some}, tmp_path / "two")
    assert two.access.people["population"].tolist() == [100, 0, 300, 0, 0, 400]

    raster = tmp_path / "people.tif"
    counts = np.array([[10, -9, 0], [5, 2.5, -9]], dtype="float32")
    grid = rasterio.transform.from_origin(4.0, 53.0, 0.5, 0.5)
    profile = {"driver": "GTiff", "width": 3, "height": 2, "count": 1, "dtype": "float32"}
    with rasterio.open(raster, "w", crs="EPSG:4326", transform=grid, nodata=-9, **profile) as to:
        to.write(counts, 1)
    study["demand"], study["access"] = {"file": str(raster)}, {"supply": "sites"}
    found = ocm.run_study(study, tmp_path / "out2")
    assert found.access.access["population"].tolist() == [10, 5, 2.5]
    assert found.access.access.geometry.x.tolist() == [4.25, 4.25, 4.75]
    assert found.access.access.geometry.y.tolist() == [52.75, 52.25, 52.25]


def test_people_beyond_the_areas_are_near_their_own_stations(tmp_path: Path) -> None:
    """Stations are asked for around the people too; they may be left out of what is told."""
    source = ocm.sample()
    stations = ocm.stations(source=source, countries="NL")
    far = stations.geometry[stations.geometry.y.idxmax()]
    table = tmp_path / "towns.csv"
    table.write_text(f"lon,lat,population\n5.1,52.1,100\n{far.x},{far.y},50\n", encoding="utf-8")
    demand: dict[str, Any] = {"file": str(table)}
    access = {"supply": "sites", "n_boot": 0, "search_km": 10}
    study = {
        "area": {"bbox": [4.9, 52, 5.3, 52.3]},
        "coverage": {"within_km": [2, 5, 10]},
        "demand": demand,
        "access": access,
    }
    found: Any = ocm.run_study(study, tmp_path / "all", source=source)
    assert found.access.access["in_area"].tolist() == [True, False]
    assert found.access.access["nearest_km"].tolist()[1] < 1e-6
    assert found.access.means["population"].tolist() == [150]
    assert found.access.points["population"].tolist() == [100]
    page = found.report.read_text(encoding="utf-8")
    assert "A population of 150 at 2 locations (towns.csv), 50 of it outside the areas" in page
    assert "at the locations of the demand, each within reach or not" in page
    assert "None" not in page
    # The areas have no column of people: those at the points are covered or not.
    assert found.coverage["population"].tolist() == [100] * 3
    demand["clip"] = True
    clipped: Any = ocm.run_study(study, tmp_path / "clipped", source=source)
    # Areas may be named by the caller alone.
    named = {**study, "area": {}, "coverage": {"within_km": [5]}}
    gpd.GeoDataFrame(geometry=[shapely.box(4.9, 52, 5.3, 52.3)], crs=4326).to_file(
        tmp_path / "box.gpkg"
    )
    again: Any = ocm.run_study(
        named, tmp_path / "named", source=source, area_file=tmp_path / "box.gpkg"
    )
    assert again.access.means["population"].tolist() == [100]
    assert clipped.access.means["population"].tolist() == [100]
    assert clipped.access.people["share"].sum() == 1
    assert len(clipped.access.access) == 1


def test_a_country_chooses_stations_in_areas_too(tmp_path: Path) -> None:
    area = {"bbox": [3, 50, 8, 54], "country": "NL"}
    with pytest.warns(ocm.OutsideData, match="countries=\\['NL'\\] only"):
        found: Any = ocm.run_study({"area": area}, tmp_path, source=ocm.sample())
    assert len(found.stations)
    assert set(found.stations["country_code"]) == {"NL"}
    assert "of NL only" in found.report.read_text(encoding="utf-8")


def test_a_station_on_a_border_counts_once(tmp_path: Path) -> None:
    station = ocm.stations(source=ocm.sample(), countries="NL").iloc[:1]
    at = station.geometry.iloc[0]
    halves = gpd.GeoDataFrame(
        {"name": ["west", "east"], "people": [1000, 2000]},
        geometry=[
            shapely.box(at.x - 0.001, at.y - 0.001, at.x, at.y + 0.001),
            shapely.box(at.x, at.y - 0.001, at.x + 0.001, at.y + 0.001),
        ],
        crs="EPSG:4326",
    )
    halves.to_file(tmp_path / "halves.gpkg")
    area = {
        "file": str(tmp_path / "halves.gpkg"),
        "name_column": "name",
        "population_column": "people",
    }
    study = {"area": area, "access": {"supply": "sites"}}
    found: Any = ocm.run_study(study, tmp_path / "out", source=ocm.sample())
    assert found.access.points["n_sites"].tolist() == [1, 0]
    assert found.access.points["points_per_10000_people"].tolist() == [10, 0]


def test_the_report_sums_many_areas_and_says_what_groups_are(result: Any) -> None:
    page = result.report.read_text(encoding="utf-8")
    assert "usage types 1; a connection of more than 22 kW" in page
    assert "a connection of 50 kW or more" in page
    points = result.access.points
    mine = points[points["group"] == "everyone, 50 kW"]
    ratio = 10_000 * mine["n_points"].sum() / mine["population"].sum()
    assert f'<td class="n">{ratio:.3g}</td>' in page
    assert "The population is distributed evenly over each area" in page
    assert "1 to below 3" in page
    assert "0 to 2" in page
    assert "2 to 10" in page


def test_steps_of_a_decay_may_be_configured(tmp_path: Path) -> None:
    toml = tmp_path / "s.toml"
    toml.write_text(
        'source = "sample"\n[area]\nfile = "sample"\npopulation_column = "population"\n'
        '[access]\nsupply = "sites"\ncatchment = 30\nn_boot = 0\n'
        "decay = { 10 = 1, 20 = 0.42, 30 = 0.09 }\n",
        encoding="utf-8",
    )
    found: Any = ocm.run_study(toml, tmp_path / "out")
    towns = ocm.sample_areas()
    towns = towns.set_geometry(towns.representative_point())
    access = ocm.accessibility(
        towns,
        found.groups["all stations"],
        30,
        decay={10: 1, 20: 0.42, 30: 0.09},
        population="population",
        supply="sites",
    )
    assert found.access.access["access"].tolist() == access.tolist()
    assert found.access.equity["low"].isna().all()


def test_values_can_be_changed_on_the_command_line(tmp_path: Path) -> None:
    config = changed_config(read_config(STUDY), {"access.catchment": 10, "area.country": "NL"})
    assert config.access is not None
    assert (config.access.catchment, config.area.country) == (10, "NL")
    toml = tmp_path / "s.toml"
    toml.write_text('source = "sample"\n[access]\nmissing_supply = 1\n', encoding="utf-8")
    words = ["study", str(toml), "-o", str(tmp_path / "o"), "--area", "sample"]
    for change in ("area.name_column=name", "area.population_column=population", "title=A b"):
        words += ["--set", change]
    told = CliRunner().invoke(cli.app, words)
    assert told.exit_code == 0, told.output
    assert "<h1>A b</h1>" in (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    with pytest.raises(ocm.QueryError, match="'title' is not a table"):
        changed_config(read_config(STUDY), {"title.x": 1})
    wrong = CliRunner().invoke(cli.app, [*words, "--set", "title"])
    assert isinstance(wrong.exception, ocm.QueryError)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": [{"name": "a"}]}, r"either \[\[groups"),
        ({"tiers": [{"name": "a"}]}, "above_kw or min_power_kw"),
        (
            {"tiers": [{"name": "a", "above_kw": 1, "min_power_kw": 1}]},
            "either above_kw or min_power_kw",
        ),
        ({"access": {"classes": [5, 5]}}, "ascending"),
        ({"access": {"points_classes": []}}, "ascending"),
        ({"access": {"search_km": 0}}, "search_km"),
        ({"access": {"search_km": float("nan")}}, "search_km must be above 0 km, not nan"),
        ({"access": {"classes": [float("nan")]}}, "ascending"),
        (
            {"access": {"catchment": 0}},
            "access.catchment must be a finite number of km above",
        ),
        ({"access": {"catchment": float("nan")}}, "access.catchment must be a finite number"),
        ({"access": {"method": "4sfca"}}, "access.method='4sfca': choose one of"),
        ({"access": {"decay": "linear"}}, "access.decay='linear': choose"),
        ({"access": {"decay": {"near": 1}}}, "access.decay: a mapping"),
        ({"access": {"method": "2sfca", "decay": "gaussian"}}, "does not weight distances"),
        ({"access": {"missing_supply": -1}}, "access.missing_supply must be"),
        ({"access": {"missing_supply": 1, "supply": "title"}}, "'title' must be a column"),
        ({"access": {"n_boot": -1}}, "access.n_boot"),
        ({"coverage": {"within_km": [float("inf")]}}, "above 0 km, not"),
        ({"area": {"bbox": [4, 53, 6, 51]}}, "area.bbox: south=53 is greater than north"),
        ({"tiers": [{"name": "a", "above_kw": -1}]}, "group 'public, a': filters.min_power_kw"),
        ({"access": None, "demand": {}}, "remove it"),
        ({"access": {"speed": 1}}, "speed"),
        ({"demand": {"file": "none.csv"}}, "does not exist"),
        ({"area": {"bbox": [4, 51, 6, 53]}}, "access needs a population"),
        ({"access": {"costs": "none.csv"}}, "cannot be read"),
        ({"access": {}}, "missing_supply = 1"),
    ],
)
def test_wrong_configurations_say_what_is_wrong(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        ocm.run_study({**STUDY, **changes}, tmp_path)


def test_wrong_people_say_what_is_wrong(tmp_path: Path) -> None:
    table = tmp_path / "towns.csv"
    table.write_text("lon,lat,population\n5,52,\n", encoding="utf-8")
    with pytest.raises(ocm.QueryError, match="missing or not numbers"):
        ocm.run_study({**STUDY, "demand": {"file": str(table)}}, tmp_path)
    table.write_text('lon,lat,population\n5,52,"1,200"\n', encoding="utf-8")
    with pytest.raises(ocm.QueryError, match="row 0, '1,200'"):
        ocm.run_study({**STUDY, "demand": {"file": str(table)}}, tmp_path)
    table.write_text("lon,lat,population\n5,52,1\n,51,2\n", encoding="utf-8")
    with pytest.raises(ocm.QueryError, match=r"'lon' \(lon_column\) are not degrees.*row 1"):
        ocm.run_study({**STUDY, "demand": {"file": str(table)}}, tmp_path)
    table.write_text("", encoding="utf-8")
    with pytest.raises(ocm.QueryError, match="cannot be read"):
        ocm.run_study({**STUDY, "demand": {"file": str(table)}}, tmp_path)
    table.write_text("lon,lat,population\n-150,-52,10\n", encoding="utf-8")
    with pytest.raises(ocm.QueryError, match="the demand has no population inside"):
        ocm.run_study({**STUDY, "demand": {"file": str(table), "clip": True}}, tmp_path)
    nowhere = {**STUDY, "area": {}}
    table.write_text("lon,lat,population\n5,52,10\n", encoding="utf-8")
    with pytest.raises(ocm.QueryError, match="clip = true needs areas"):
        ocm.run_study({**nowhere, "demand": {"file": str(table), "clip": True}}, tmp_path)
    table.write_text("east,lat,population\n5,52,1\n", encoding="utf-8")
    with pytest.raises(ocm.QueryError, match="set lon_column"):
        ocm.run_study({**STUDY, "demand": {"file": str(table)}}, tmp_path)
    raster = tmp_path / "people.tif"
    profile = {"driver": "GTiff", "width": 2, "height": 1, "count": 1, "dtype": "float32"}
    grid = rasterio.transform.from_origin(4.0, 53.0, 0.5, 0.5)
    with rasterio.open(raster, "w", transform=grid, **profile) as to:
        to.write(np.ones((1, 2), dtype="float32"), 1)
    with pytest.raises(ocm.QueryError, match="coordinate reference system"):
        ocm.run_study({**STUDY, "demand": {"file": str(raster)}}, tmp_path)
    with rasterio.open(raster, "w", crs="EPSG:4326", transform=grid, **profile) as to:
        to.write(np.array([[-99, 1]], dtype="float32"), 1)
    with pytest.raises(ocm.QueryError, match="nodata"):
        ocm.run_study({**STUDY, "demand": {"file": str(raster)}}, tmp_path)


def test_a_study_without_any_station_is_a_study(tmp_path: Path) -> None:
    nothing = {**STUDY, "filters": {"operators": 45}}
    found: Any = ocm.run_study(nothing, tmp_path)
    last = found.access.people.groupby("group")["share"].last()
    assert last.tolist() == [1] * 4
    assert found.access.equity["value"].isna().all()
    assert pd.isna(found.access.means["weighted_mean"]).all()
    assert "no access" in found.report.read_text(encoding="utf-8")
