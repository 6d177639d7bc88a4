"""Registers as sources: mirrors of them answer like tables, by the ids of the register."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo.cli import app
from tests.unit.registers.test_reading import IRVE, REGISTERS, read, write

if TYPE_CHECKING:
    from pathlib import Path


def build(folder: Path, kind: str, data: bytes | None = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.OCMWarning)
        return ocm.Mirror.build(folder / f"{kind}-mirror", write(folder, kind, data), register=kind)


@pytest.mark.parametrize("kind", sorted(REGISTERS))
def test_a_mirror_answers_what_the_table_holds(tmp_path: Path, kind: str) -> None:
    mirror = build(tmp_path, kind)
    table = read(write(tmp_path, kind))
    answer = ocm.stations(source=mirror)
    shown = table[~table["status_type_id"].isin([200, 210])]
    assert answer.index.name == "station_id"
    assert answer.index.tolist() == shown.index.tolist()
    for name in ("title", "n_points", "max_power_kw", "total_power_kw", "extra", "connections"):
        texts = [column.astype("string").fillna("") for column in (answer[name], shown[name])]
        assert texts[0].tolist() == texts[1].tolist()
    facts = answer.attrs["ocm"]
    assert facts["register"] == kind
    assert facts["attribution"] == table.attrs["ocm"]["attribution"]
    assert facts["licence"] == ocm.registers().loc[kind, "licence"]
    assert facts["covers"] == table.attrs["ocm"]["covers"]
    report = mirror.report
    assert report.n_read == report.n_kept + report.n_rejected
    lines = mirror.rejects.read_text(encoding="utf-8").splitlines()
    assert len(lines) == report.n_rejected
    assert ocm.attribution(answer).table["license"].notna().all()
    labelled = ocm.add_labels(answer)
    named = shown["operator_reference"].dropna().tolist()
    assert labelled["operator"].dropna().tolist()[: len(named)] == named


def test_questions_by_ids_that_are_texts(tmp_path: Path) -> None:
    mirror = build(tmp_path, "bnetza")
    assert ocm.stations_from_ids(["0013"], source=mirror).index.tolist() == ["0013"]
    with pytest.raises(ocm.QueryError, match="are texts"):
        ocm.stations_from_ids([13], source=mirror)
    with pytest.warns(ocm.OutsideData):
        assert ocm.stations_from_ids(["9"], source=mirror).empty


def test_filters_on_connections(tmp_path: Path) -> None:
    mirror = build(tmp_path, "irve")
    assert ocm.stations(source=mirror, current_types="DC").index.tolist() == ["FRA68P1"]
    near = ocm.stations_from_point((2.3, 48.9), 5, source=mirror)
    assert near.index.tolist() == ["FRA68P2"]
    assert ocm.stations_from_country("FR", source=mirror, max_results=None).shape[0] == 2


def test_editions_are_compared_by_the_ids_of_the_register(tmp_path: Path) -> None:
    mirror = build(tmp_path, "irve")
    before = mirror.snapshot
    text = IRVE.replace("FRA68P2", "FRA68P3").replace(",22,", ",11,")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.OCMWarning)
        report = mirror.update(data=write(tmp_path, "irve", text.encode()))
    assert (report.n_added, report.n_removed) == (1, 1)
    assert ocm.stations(source=mirror).index.tolist() == ["FRA68P1", "FRA68P3"]
    changes = mirror.diff(before)
    assert set(changes["station_id"]) == {"FRA68P1", "FRA68P2", "FRA68P3"}
    assert changes.set_index("station_id")["change"]["FRA68P2"] == "removed"


def test_mirrors_of_what_is_not_that_register(tmp_path: Path) -> None:
    path = write(tmp_path, "irve")
    with pytest.raises(ocm.RegisterError, match="understood are"):
        ocm.Mirror.build(tmp_path / "m", path, register="ocpi")
    with pytest.raises(ocm.QueryError, match="not a kind of register"):
        ocm.Mirror.build(tmp_path / "m", path, register="irv")
    states = "id_pdc_itinerance,etat_pdc,occupation_pdc\nFRA68E1,en_service,libre\n"
    with pytest.raises(ocm.RegisterError, match="no positions"):
        ocm.Mirror.build(tmp_path / "m", write(tmp_path, "irve", states.encode()), register="irve")
    assert not (tmp_path / "m" / "current").exists()


def test_the_account_of_a_register_is_kept(tmp_path: Path) -> None:
    mirror = build(tmp_path, "afdc")
    manifest = json.loads((mirror.loaded.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["register"]["report"]["reasons"] == {"not electric": 1}
    assert manifest["register"]["text_ids"] is False
    assert ocm.stations_from_ids(33717, source=mirror).index.tolist() == [33717]


def test_the_command_line(tmp_path: Path) -> None:
    run = CliRunner().invoke
    path, target = write(tmp_path, "afdc"), tmp_path / "stations.geojson"
    told = run(app, ["register", "info", str(path)])
    assert told.exit_code == 0
    assert "read 3 stations: kept 2, rejected 1" in told.output
    assert run(app, ["register", "convert", str(path), "-o", str(target)]).exit_code == 0
    assert ocm.read(target).index.tolist() == [33717, 33718]
    assert "irve: Infrastructures" in run(app, ["register", "info"]).output
    folder = str(tmp_path / "mirror")
    built = run(app, ["mirror", "build", folder, str(path), "--register", "afdc"])
    assert built.exit_code == 0
    assert "kept 2" in built.output
