from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo import cli
from ocm_geo.study import read_config
from ocm_geo.study.measures import data_quality

if TYPE_CHECKING:
    from pathlib import Path

DEMO = {
    "source": "sample",
    "area": {"file": "sample", "name_column": "name", "population_column": "population"},
    "groups": [
        {"name": "all <stations>", "filters": {}},
        {"name": "fast", "filters": {"min_power_kw": 50, "current_types": "DC"}},
    ],
    "coverage": {"within_km": [5, 10]},
    "route": {"file": "sample", "within_km": 3, "limit_km": 40},
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ocm.run_study(DEMO, tmp_path_factory.mktemp("study"))


def test_everything_is_written_and_no_figure_stays_open(result: Any) -> None:
    names = {path.name for path in result.written}
    expected = {"stations.parquet", "stations.gpkg", "stations.csv", "coverage.csv", "gaps.csv"}
    assert expected | {"stations.png", "coverage.png", "route.png", "map.html"} < names
    assert all(path.stat().st_size > 100 for path in result.written)
    assert result.report in result.written
    assert not plt.get_fignums()


def test_the_numbers_are_those_of_the_functions(result: Any) -> None:
    areas, source = ocm.sample_areas(), ocm.sample()
    inside = ocm.stations_from_polygon(areas, source=source)
    assert result.stations.index.tolist() == inside.index.tolist()
    with pytest.warns(ocm.OutsideData, match="France"):
        near = ocm.stations_from_bbox(
            (3, 50, 9, 54), source=source, min_power_kw=50, current_types="DC"
        )
    alone = ocm.coverage(areas, near, [5, 10], population="population")
    fast = result.coverage[result.coverage["group"] == "fast"]
    assert fast["covered_km2"].to_numpy() == pytest.approx(alone["covered_km2"].to_numpy())
    route = ocm.sample_route()
    along = ocm.stations_from_route(route, 3, source=source, min_power_kw=50, current_types="DC")
    gaps = ocm.route_gaps(route, along, within_km=3)
    mine = result.gaps[result.gaps["group"] == "fast"]
    assert mine["length_km"].to_numpy() == pytest.approx(gaps["length_km"].to_numpy())


def test_the_report_is_escaped_and_says_what_is_needed(result: Any) -> None:
    page = result.report.read_text(encoding="utf-8")
    assert "all &lt;stations&gt;" in page
    assert "all <stations>" not in page
    assert "Invented stations" in page
    assert ocm.sample().snapshot in page
    record = json.loads((result.folder / "study.json").read_text(encoding="utf-8"))
    assert read_config(record["config"]) == result.config
    assert record["versions"]["ocm_geo"] == ocm.__version__


def test_a_study_repeats_exactly(result: Any, tmp_path: Path) -> None:
    again: Any = ocm.run_study(DEMO, tmp_path)
    pd.testing.assert_frame_equal(
        pd.DataFrame(again.coverage.drop(columns="geometry")),
        pd.DataFrame(result.coverage.drop(columns="geometry")),
    )


def test_quality_counts_known_dirt() -> None:
    counts = data_quality(ocm.stations(source=ocm.sample())).set_index("what")["count"]
    assert counts["no connections"] >= 10
    assert counts["power estimated by an import"] >= 30
    assert counts["same position as another station"] == 2  # the two at (0, 0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"titel": "x"}, "titel"),
        ({"coverage": {"within_km": [-1]}}, "above 0"),
        ({"groups": []}, "at least one"),
        ({"groups": [{"name": "a"}, {"name": "a"}]}, "differ"),
        ({"filters": {"max_results": 5}}, "all stations"),
        ({"filters": {"min_power_kw": -5}}, "0 or more, not -5"),
        ({"area": {"file": "none.gpkg"}, "source": "sample"}, "does not exist"),
        ({"route": {}, "source": "sample"}, "no file"),
    ],
)
def test_wrong_configurations_say_what_is_wrong(
    config: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        ocm.run_study(config, tmp_path)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('source = "m"\n[area]\nfile = "a.gpkg"\n[route]\nfile = "sample"\n')
    config = read_config(path)
    assert config.source == str(tmp_path / "m")
    assert config.area.file == str(tmp_path / "a.gpkg")
    assert config.route is not None
    assert config.route.file == "sample"


def run(*words: str) -> Any:
    return CliRunner().invoke(cli.app, list(words))


def test_the_command_line_writes_stations(tmp_path: Path) -> None:
    out = tmp_path / "s.csv"
    told = run(
        "stations", str(out), "--source", "sample", "--country", "NL", "--min-power-kw", "50"
    )
    assert told.exit_code == 0, told.output
    found = ocm.read(out)
    assert f"{len(found):,} stations" in told.output
    assert (found["max_power_kw"] >= 50).all()
    both = run(
        "stations",
        str(out),
        "--bbox",
        "1",
        "2",
        "3",
        "4",
        "--point",
        "1",
        "2",
        "--source",
        "sample",
    )
    assert isinstance(both.exception, ocm.QueryError)


def test_the_command_line_builds_mirrors(tmp_path: Path) -> None:
    data = tmp_path / "p.json"
    data.write_text('[{"ID": 1, "AddressInfo": {"Latitude": 1, "Longitude": 2}}, {"ID": 2}]')
    told = run("mirror", "build", str(tmp_path / "m"), str(data))
    assert "read 2 records: kept 1" in told.output
    assert "1 stations" in run("mirror", "info", str(tmp_path / "m")).output


def test_errors_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["ocm-geo", "mirror", "info", "/nowhere"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("ocm-geo: there is no mirror")


def test_advice_names_keys_of_the_study(tmp_path: Path) -> None:
    parts = [[[4.9, 52.3], [5.1, 52.1]], [[5.2, 52.05], [5.9, 51.9]]]
    road = tmp_path / "road.geojson"
    road.write_text(json.dumps({"type": "MultiLineString", "coordinates": parts}))
    study = {"source": "sample", "area": {"country": "NL"}, "route": {"file": str(road)}}
    with pytest.raises(ocm.RouteError, match=r"do not join.*route\.max_join_km bridges"):
        ocm.run_study(study, tmp_path / "out")
    area = {"file": "sample", "population_column": "population"}
    with pytest.raises(ocm.QueryError, match=r"e\.g\. access\.missing_supply = 1, or 0"):
        ocm.run_study({"source": "sample", "area": area, "access": {}}, tmp_path / "out")
    study["route"] = {"file": str(road), "where": {"ref": "A1"}, "feature": 0}
    with pytest.raises(ocm.QueryError, match="where or feature"):
        ocm.run_study(study, tmp_path / "out")
    with pytest.raises(ocm.QueryError, match=r"route\.clip = true needs areas"):
        ocm.run_study(
            {"source": "sample", "route": {"file": str(road), "clip": True}}, tmp_path / "out"
        )


def test_a_study_may_bridge_the_parts_of_a_route(tmp_path: Path) -> None:
    parts: list[Any] = [
        *([[4.9, 52.3], [5.1, 52.1]], [[5.2, 52.05], [5.9, 51.9]]),
        [[8, 51], [9, 50]],
    ]
    road = tmp_path / "road.geojson"
    road.write_text(json.dumps({"type": "MultiLineString", "coordinates": parts}))
    route = {"file": str(road), "clip": True, "max_join_km": 20}
    study = {"source": "sample", "area": {"country": "NL"}, "route": route}
    found: Any = ocm.run_study(study, tmp_path / "out")
    assert list(found.route.coords) == [tuple(xy) for part in parts[:2] for xy in part]
    assert (tmp_path / "out" / "gaps.csv").is_file()
