from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.files import SUFFIXES
from ocm_geo.provenance import read_attrs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stations() -> gpd.GeoDataFrame:
    return ocm.stations_from_point((6.96, 50.94), 30, source=ocm.sample())


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s != ".kml"])
def test_stations_come_back_as_they_were(
    tmp_path: Path, stations: gpd.GeoDataFrame, suffix: str
) -> None:
    again = ocm.read(ocm.write(stations, tmp_path / f"s{suffix}"))
    assert isinstance(again, gpd.GeoDataFrame)
    assert again.crs == stations.crs
    assert read_attrs(again) == read_attrs(stations)
    pd.testing.assert_index_equal(again.index, stations.index)
    assert again.dtypes.to_dict() == stations.dtypes.to_dict()
    pd.testing.assert_frame_equal(
        pd.DataFrame(again.drop(columns="geometry")),
        pd.DataFrame(stations.drop(columns="geometry")),
        check_like=True,
        rtol=1e-12,
    )
    assert again.geometry.geom_equals_exact(stations.geometry, 1e-7).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_table_can_be_written(
    tmp_path: Path, stations: gpd.GeoDataFrame, suffix: str
) -> None:
    assert ocm.write(stations.head(0), tmp_path / f"s{suffix}").is_file()


def test_plain_tables_keep_types_and_missing_values(tmp_path: Path) -> None:
    plugs = ocm.connections(ocm.stations(source=ocm.sample()))
    for suffix in (".parquet", ".csv"):
        again = ocm.read(ocm.write(plugs, tmp_path / f"p{suffix}"))
        pd.testing.assert_frame_equal(again, plugs)


def test_parquet_holds_its_provenance_and_a_box_column(
    tmp_path: Path, stations: gpd.GeoDataFrame
) -> None:
    path = ocm.write(stations, tmp_path / "s.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["s.parquet"]
    west = gpd.read_parquet(path, bbox=(6, 50, 6.96, 52))
    assert 0 < len(west) < len(stations)


def test_other_formats_keep_it_beside(tmp_path: Path, stations: gpd.GeoDataFrame) -> None:
    ocm.write(stations, tmp_path / "s.csv")
    facts = json.loads((tmp_path / "s.csv.meta.json").read_text(encoding="utf-8"))
    assert facts["provenance"]["source"] == "mirror"
    assert facts["provenance"]["query"]["radius_km"] == 30


def test_a_failed_write_leaves_the_earlier_file(
    tmp_path: Path, stations: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ocm.write(stations, tmp_path / "s.csv")
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(ocm.QueryError, match="No space left"):
        ocm.write(stations.head(1), path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.csv", "s.csv.meta.json"]


def test_wrong_names_say_what_is_wrong(tmp_path: Path, stations: gpd.GeoDataFrame) -> None:
    with pytest.raises(ocm.QueryError, match=r"\.parquet"):
        ocm.write(stations, tmp_path / "s.xls")
    with pytest.raises(ocm.QueryError, match="does not exist"):
        ocm.read(tmp_path / "none.csv")
    with pytest.raises(ocm.QueryError, match="geometry"):
        ocm.write(ocm.connections(stations), tmp_path / "p.gpkg")
