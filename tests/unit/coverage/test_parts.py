"""Tables in parts, on files and in collections: the same answers, and parts that are odd."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm

dask_geopandas = pytest.importorskip("dask_geopandas")

AREAS = gpd.GeoDataFrame(
    geometry=[shapely.box(5, 50, 6, 52), shapely.box(6, 50, 7, 52)], crs="EPSG:4326"
)
COLUMNS = ["population", "population_covered", "population_share"]
quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def places(n: int, seed: int, **columns: Any) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform((5, 50), (7, 52), (n, 2)).T
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def people(n: int = 900, seed: int = 1) -> gpd.GeoDataFrame:
    return places(n, seed, population=np.arange(n) % 50, name=[f"p{i}" for i in range(n)])


STATIONS = places(30, 2).rename_axis("ocm_id")
STATIONS.attrs["ocm"] = {"source": "made"}


def same(found: pd.DataFrame, points: gpd.GeoDataFrame) -> None:
    whole = ocm.coverage(AREAS, STATIONS, [5, 15], population=points)
    for name in COLUMNS:
        assert found[name].to_numpy(float) == pytest.approx(whole[name].to_numpy(float), rel=1e-12)


@quiet
def test_a_collection_gives_what_the_table_gives(client: Any) -> None:
    points = people()
    parts = dask_geopandas.from_geopandas(points, npartitions=7)
    whole = ocm.nearest_stations(points, STATIONS, k=2)
    for cluster in (None, client):
        found = ocm.coverage(AREAS, STATIONS, [5, 15], population=parts, client=cluster)
        same(found, points)
        assert found.attrs["ocm"]["source"] == "made"
        near = ocm.nearest_stations(parts, STATIONS, k=2, client=cluster)
        assert near.npartitions == 7
        # Words may be of another type: that is dask's.
        computed = near.compute(scheduler=cluster or "synchronous")
        pd.testing.assert_frame_equal(computed, whole, check_dtype=False)
        assert computed.attrs["ocm"] == whole.attrs["ocm"] == {"source": "made"}


@quiet
def test_a_cluster_adds_to_the_same_last_bit(tmp_path: Path, client: Any) -> None:
    points = people().assign(population=np.random.default_rng(3).gamma(0.3, 1e3, 900))
    for i in range(4):
        points.iloc[225 * i : 225 * (i + 1)].to_parquet(tmp_path / f"{i}.parquet")
    parts = dask_geopandas.from_geopandas(points, npartitions=4)
    for given in (tmp_path, parts):
        here = ocm.coverage(AREAS, STATIONS, 5, population=given)
        there = ocm.coverage(AREAS, STATIONS, 5, population=given, client=client)
        pd.testing.assert_frame_equal(pd.DataFrame(here), pd.DataFrame(there), check_exact=True)


def write_odd(folder: Path, points: gpd.GeoDataFrame) -> None:
    """Write an empty part, one in a plane, one of another order, and a file of another kind."""
    points.iloc[:300].to_parquet(folder / "part.0.parquet")
    points.iloc[:0].to_parquet(folder / "part.1.parquet")
    points.iloc[300:600].to_crs("EPSG:3035").to_parquet(folder / "part.2.parquet")
    points.iloc[600:][["geometry", "name", "population"]].to_parquet(folder / "part.10.parquet")
    (folder / "_metadata.parquet").write_text("not for readers")


def test_odd_parts_give_what_the_whole_gives(tmp_path: Path) -> None:
    points = people()
    write_odd(tmp_path, points)
    same(ocm.coverage(AREAS, STATIONS, [5, 15], population=tmp_path), points)
    near = ocm.nearest_stations(tmp_path, STATIONS)
    assert near.crs == "EPSG:4326"
    found = near.compute(scheduler="synchronous")
    whole = ocm.nearest_stations(points, STATIONS)
    assert found.index.tolist() == whole.index.tolist()
    assert list(found) == list(whole)
    assert found["ocm_id"].tolist() == whole["ocm_id"].tolist()
    assert found["nearest_km"].to_numpy(float) == pytest.approx(
        whole["nearest_km"].to_numpy(float), abs=1e-6
    )


def test_nobody_in_any_part(tmp_path: Path) -> None:
    people().iloc[:0].to_parquet(tmp_path / "a.parquet")
    found = ocm.coverage(AREAS, STATIONS, 5, population=tmp_path)
    assert found["population"].tolist() == [0, 0]
    assert found["population_share"].isna().all()
    assert len(ocm.nearest_stations(tmp_path, STATIONS).compute(scheduler="synchronous")) == 0


def test_columns_in_the_names_of_folders_are_kept(tmp_path: Path) -> None:
    points = people(20)
    for key, rows in (("country=NL", slice(0, 10)), ("country=C%C3%B4te", slice(10, 20))):
        (tmp_path / key).mkdir()
        points.iloc[rows].to_parquet(tmp_path / key / "x.parquet")
    found = ocm.nearest_stations(tmp_path, STATIONS).compute(scheduler="synchronous")
    assert found["country"].tolist() == ["Côte"] * 10 + ["NL"] * 10
    assert sorted(found["name"]) == sorted(points["name"])


def test_a_column_of_the_areas_is_not_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "population").mkdir()
    monkeypatch.chdir(tmp_path)
    found = ocm.coverage(AREAS.assign(population=[10, 20]), STATIONS, 500, population="population")
    assert found["population_covered"].tolist() == [10, 20]


def test_wrong_parts_are_named(tmp_path: Path) -> None:
    points = people(10)

    def refused(message: str, **write: Any) -> None:
        for name, part in write.items():
            part.to_parquet(tmp_path / f"{name}.parquet")
        with pytest.raises(ocm.QueryError, match=message):
            ocm.coverage(AREAS, STATIONS, 5, population=tmp_path)

    refused(
        r"b\.parquet has no column 'population'; its columns are", a=points, b=points[["geometry"]]
    )
    lines = points.set_geometry([shapely.LineString([(5, 50), (6, 51)])] * 10, crs=4326)
    refused(r"b\.parquet: population: 10 of 10 rows are not points", b=lines)
    refused(
        r"b\.parquet: population 'population': 1 of 10", b=points.assign(population=[-1] + [2] * 9)
    )
    refused(
        r"b\.parquet: population has no coordinate", b=points.set_crs(None, allow_override=True)
    )
    refused(r"b\.parquet is not GeoParquet", b=pd.DataFrame(points.drop(columns="geometry")))
    (tmp_path / "b.parquet").write_text("torn")
    with pytest.raises(ocm.QueryError, match=r"b\.parquet is not a Parquet file"):
        ocm.coverage(AREAS, STATIONS, 5, population=tmp_path)
    points[["geometry"]].to_parquet(tmp_path / "b.parquet")
    near = ocm.nearest_stations(tmp_path, STATIONS)
    with pytest.raises(ocm.QueryError, match=r"same columns: \['name', 'population'\]"):
        near.compute(scheduler="synchronous")
    plain = dask_geopandas.from_geopandas(points, npartitions=1)[["population"]]
    with pytest.raises(ocm.QueryError, match="must be a GeoDataFrame"):
        ocm.coverage(AREAS, STATIONS, 5, population=plain)


@quiet
def test_the_page_on_scale_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    rasterio = pytest.importorskip("rasterio")
    page = Path(__file__).parents[3] / "docs" / "scale.md"
    (block,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    people().to_parquet("demand.parquet")
    place = rasterio.transform.from_origin(5, 52, 0.01, 0.01)
    profile = {"driver": "GTiff", "height": 200, "width": 200, "count": 1, "dtype": "float32"}
    with rasterio.open("people.tif", "w", crs="EPSG:4326", transform=place, **profile) as target:
        target.write(np.ones((200, 200), "float32"), 1)
    code = block.replace('Client("tcp://scheduler:8786")', "cluster")
    assert code != block
    names: dict[str, Any] = {"ocm": ocm, "stations": STATIONS, "regions": AREAS, "cluster": client}
    exec(code, names)  # noqa: S102 - our own page
    assert names["table"]["population"].tolist() == [20_000] * 4
    written = dask_geopandas.read_parquet("nearest.parquet").compute()
    whole = ocm.nearest_stations(people(), STATIONS)
    assert written["ocm_id"].tolist() == whole["ocm_id"].tolist()
