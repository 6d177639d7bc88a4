"""A study of a country without a file of areas: measured within its bundled border, and said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyproj import Geod
from shapely import Point

import ocm_geo as ocm
from ocm_geo.borders import countries
from ocm_geo.study import border
from ocm_geo.study.border import load_border

if TYPE_CHECKING:
    from pathlib import Path

GEOD = Geod(ellps="WGS84")
REFERENCE = ocm.reference_data("sample")
# Square kilometres by national statistics: of metropolitan France, and without the sea.
AREAS = {"LU": 2_586, "FR": 551_500, "BE": 30_528, "US": 9_525_000, "NZ": 268_000}


@pytest.mark.parametrize("code", AREAS)
def test_borders_have_about_the_area_of_the_country(code: str) -> None:
    found = load_border(code, REFERENCE)
    assert found is not None
    assert found.outline["name"].tolist() == [code]
    square_metres = abs(GEOD.geometry_area_perimeter(found.outline.geometry.iloc[0])[0])
    assert square_metres / 1e6 == pytest.approx(AREAS[code], rel=0.05)


@pytest.mark.parametrize(("code", "square_km"), [("MT", 290), ("LI", 140), ("SG", 481)])
def test_a_border_too_coarse_for_a_small_country_is_said(code: str, square_km: int) -> None:
    with pytest.warns(
        ocm.InexactMethod, match=rf"{code} is too coarse.*{square_km} km2.*area\.file"
    ):
        load_border(code, REFERENCE)


@pytest.mark.parametrize(("name", "apart"), [("France", "RE"), ("Nederland", "CW"), ("USA", "PR")])
def test_what_lies_overseas_is_said(name: str, apart: str) -> None:
    found = load_border(name, REFERENCE)
    assert found is not None
    assert apart in found.note.partition("country code of their own")[2]


@pytest.mark.filterwarnings("ignore::ocm_geo.InexactMethod")
@pytest.mark.parametrize(
    ("code", "inside", "outside"),
    [
        ("FR", (2.35, 48.86), (55.5, -21.1)),  # Paris, Réunion
        ("RE", (55.5, -21.1), (57.5, -20.2)),  # Réunion, Mauritius
        ("NL", (4.09, 51.98), (2.9, 51.9)),  # a quay of Rotterdam, the North Sea
        ("NZ", (-176.5, -43.9), (176.5, -20.0)),  # the Chatham Islands
        ("US", (-149.9, 61.2), (-66.1, 18.4)),  # Anchorage, Puerto Rico
        ("MT", (14.51, 35.9), (15.1, 37.1)),  # Valletta, Sicily
    ],
)
def test_what_counts_as_inside(
    code: str, inside: tuple[float, float], outside: tuple[float, float]
) -> None:
    found = load_border(code, REFERENCE)
    assert found is not None
    shape = found.territory.geometry.iloc[0]
    assert shape.covers(Point(inside))
    assert not shape.covers(Point(outside))


def run(folder: Path, **tables: Any) -> Any:
    return ocm.run_study({"source": "sample", "area": {"country": "NL"}, **tables}, folder)


def test_coverage_of_a_country_is_that_of_its_border(tmp_path: Path) -> None:
    found = run(tmp_path, coverage={"within_km": [5, 25]})
    netherlands = load_border("Netherlands", REFERENCE)
    assert netherlands is not None
    stations = ocm.stations_from_country("NL", source="sample")
    alone = ocm.coverage(netherlands.outline, stations, [5, 25])
    assert found.coverage["covered_km2"].tolist() == alone["covered_km2"].tolist()
    assert len(found.stations) == len(stations)
    page = found.report.read_text(encoding="utf-8")
    assert "Natural Earth 1:50 million" in page
    assert (tmp_path / "coverage.csv").is_file()


@pytest.mark.filterwarnings("ignore::ocm_geo.OutsideData")
def test_points_and_population_are_those_of_the_country(tmp_path: Path) -> None:
    (tmp_path / "towns.csv").write_text(
        "name,lon,lat,population\nUtrecht,5.12,52.09,1000\nKöln,6.96,50.94,9000\nsea,3,53,500\n",
        encoding="utf-8",
    )
    demand = {"file": str(tmp_path / "towns.csv"), "name_column": "name"}
    access = {"supply": "sites", "n_boot": 0}
    found = run(tmp_path / "out", demand=demand, access=access)
    points = found.access.points
    assert points["name"].tolist() == ["NL"]
    assert points["population"].tolist() == [1000]
    assert points["population_of"].tolist() == ["demand"]
    n_sites = len(
        ocm.stations_from_polygon(found.border.territory, source="sample", countries="NL")
    )
    assert points["n_sites"].tolist() == [n_sites]
    assert points["points_per_10000_people"].tolist() == [10 * n_sites]
    assert found.access.access["in_area"].tolist() == [True, False, False]
    assert "9,500 of it outside the areas" in found.report.read_text(encoding="utf-8")
    clipped = run(tmp_path / "clip", demand={**demand, "clip": True}, access=access)
    assert clipped.access.means["population"].tolist() == [1000]


def test_a_country_without_a_border_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = countries().query("code != 'NL'").reset_index(drop=True)
    monkeypatch.setattr(border, "countries", lambda: fewer)
    with pytest.warns(ocm.InexactMethod, match=r"coverage is not measured.*NL.*area\.file"):
        found = run(tmp_path)
    assert found.coverage is None
    assert "Coverage was not measured" in found.report.read_text(encoding="utf-8")


def test_a_study_of_no_place_says_that_coverage_needs_one(tmp_path: Path) -> None:
    found: Any = ocm.run_study({"source": "sample"}, tmp_path)
    assert found.coverage is None
    assert "Coverage was not measured" in found.report.read_text(encoding="utf-8")
