"""Damaged, foreign and misnamed files: an error of ours that names the file, or the right table."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.files import SUFFIXES

if TYPE_CHECKING:
    import geopandas as gpd


@pytest.fixture(scope="module")
def few() -> gpd.GeoDataFrame:
    return ocm.stations(source=ocm.sample()).head(25)


def judge(path: Path, table: pd.DataFrame) -> str:
    """Read a file that may be damaged; nothing but our error, a warning or the table is right."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            again = ocm.read(path)
        except ocm.OCMError as error:
            assert path.name in str(error)  # noqa: PT017 - one of three ways out
            return "refused"
    if any(issubclass(w.category, ocm.OCMWarning) for w in caught):
        return "warned"
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(table))
    return "right"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cut_anywhere(tmp_path: Path, few: gpd.GeoDataFrame, suffix: str) -> None:
    path = ocm.write(few, tmp_path / f"t{suffix}")
    content = path.read_bytes()
    assert judge(path, few) == "right"
    for i in range(20):
        path.write_bytes(content[: len(content) * i // 20])
        assert judge(path, few) in ("refused", "warned")


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx", ".csv"])
def test_a_changed_byte_is_found(tmp_path: Path, few: gpd.GeoDataFrame, suffix: str) -> None:
    path = ocm.write(few, tmp_path / f"t{suffix}")
    content = path.read_bytes()
    for i in range(40):
        at = len(content) * i // 40
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        judge(path, few)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"<!DOCTYPE html><html><head><title>404</title></head></html>",
        b"PK\x03\x04 not a zip",
        b"\x00" * 500,
        bytes(range(256)) * 20,
        b'{"type": "FeatureCollection"}',
        b'{"type": "FeatureCollection", "features": [1, 2]}',
        b'{"type": "FeatureCollection", "features": [{"geometry": {"type": "Point"}}]}',
        b"[" * 100_000,
        b"<kml>" * 5000,
        b"PAR1 and more PAR1",
        b"SQLite format 3\x00" + b"\x10\x00" * 500,
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><kml>&b;</kml>',
        b"<kml><Placemark><Point><coordinates>5,1,52,1</coordinates></Point></Placemark></kml>",
        b"a;b\n1;2;3\n",
        b'a,b\n1,"2\n',
        b"a,a\n1,2\n",
    ],
    ids=range(18),
)
def test_what_is_no_table(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(content)
    with pytest.raises((ocm.QueryError, ocm.SuspectInput), match="foreign"):
        ocm.read(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"columns": 5}', '"\\ud800"', "\x00"])
def test_a_damaged_companion_is_named(tmp_path: Path, few: gpd.GeoDataFrame, text: str) -> None:
    path = ocm.write(few, tmp_path / "t.csv")
    (tmp_path / "t.csv.meta.json").write_text(text, encoding="utf-8")
    with pytest.warns(ocm.SuspectInput, match=r"t\.csv\.meta\.json is damaged"):
        again = ocm.read(path)
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(few))


def test_paths_that_cannot_be_written(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    for path, told in {
        tmp_path / "none" / "x.csv": "none does not exist",
        tmp_path / "file" / "x.csv": "file is a file",
        tmp_path / "folder.csv": "it is a folder",
        tmp_path / f"{'x' * 300}.csv": "too long",
    }.items():
        with pytest.raises(ocm.QueryError, match=told) as caught:
            ocm.write(few, path)
        assert ".ocm_geo-" not in str(caught.value)
    for wrong in (None, 3, "", "\0.csv", b"x.csv"):
        with pytest.raises(ocm.QueryError, match="path"):
            ocm.write(few, wrong)  # type: ignore[arg-type]


def test_the_home_folder(
    tmp_path: Path, few: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("~/a.csv", "~/a.parquet", Path("~/a.gpkg")):
        assert ocm.write(few, name).parent == tmp_path
        assert len(ocm.read(name)) == len(few)
    assert ocm.to_html(few, "~/a.html").parent == tmp_path
    assert ocm.save_figure(ocm.plot_power(few), "~/a.png").parent == tmp_path
    plt.close("all")


def test_the_home_folder_everywhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "line.csv").write_text("lon,lat\n5,52\n5.1,52\n", encoding="utf-8")
    record = {
        "ID": 1,
        "SubmissionStatusTypeID": 200,
        "AddressInfo": {"Latitude": 52.0, "Longitude": 5.0, "CountryID": 159},
        "Connections": [],
    }
    (tmp_path / "poi.json").write_text(json.dumps([record]), encoding="utf-8")
    assert len(ocm.route_from_file("~/line.csv").coords) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.OCMWarning)
        assert ocm.Mirror.build("~/mirror", "~/poi.json").path == tmp_path / "mirror"
        assert len(ocm.stations(source=ocm.Mirror("~/mirror"))) == 1
        study = {"source": "~/mirror", "area": {"bbox": [4, 51, 6, 53]}}
        assert ocm.run_study(study, "~/study").folder == tmp_path / "study"
    plt.close("all")
