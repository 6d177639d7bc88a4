from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

import requests
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo import doctor
from ocm_geo.cli import app

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def states(**options: bool) -> dict[str, doctor.Finding]:
    return {finding.subject: finding for finding in doctor.examine(**options)}


def test_a_sound_installation_has_no_fault_and_no_key_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OCM_API_KEY", "secret-key-123")
    with ocm.using(cache_dir=tmp_path / "cache"):
        result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "secret" not in result.output
    assert "API key" in result.output
    assert not (tmp_path / "cache").exists()  # looked at, not made


def test_a_missing_extra_is_a_note_and_a_damaged_package_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_module, find_spec = importlib.import_module, importlib.util.find_spec

    def broken(name: str, package: str | None = None) -> object:
        if name == "pyogrio":
            raise ImportError("DLL load failed")
        return import_module(name, package)

    monkeypatch.setattr(importlib, "import_module", broken)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find_spec(name)
    )
    monkeypatch.delenv("OCM_API_KEY", raising=False)
    found = states()
    assert found["extra server"].state == "note"
    assert "ocm_geo[server]" in found["extra server"].text
    assert found["pyogrio"].state == "fault"
    assert "DLL load failed" in found["pyogrio"].text
    assert found["API key"].state == "note"
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "To mend: 1" in result.output


def test_a_folder_that_cannot_be_written_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with ocm.using(cache_dir=tmp_path / "cache"):
        found = states()
    assert found["cache folder"].state == "fault"
    assert "cache_dir" in found["cache folder"].text


def test_the_network_is_asked_on_demand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fail(url: str, **_: object) -> None:
        asked.append(url)
        raise requests.ConnectionError

    monkeypatch.setattr("requests.get", fail)
    assert "network" not in states()
    assert not asked
    assert states(network=True)["network"].state == "fault"
    assert len(asked) == 1
