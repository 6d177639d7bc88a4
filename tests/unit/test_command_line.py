"""The command line: its version, its options, and advice that a user of it can follow."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo import cli
from ocm_geo.advice import advise_in_keys, advise_in_options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHON = re.compile(r"\b[a-z_]+=|\w\(|Mirror\.build|configure")
OPTIONS = {"source": "--source", "max_results": "--max-results", "countries": "--country"}


@pytest.fixture
def errors_of(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., str]:
    """Run the command as a shell does; return what it writes to its error stream."""

    def run(*words: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["ocm-geo", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code
        return capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--country", "NL"], "OCM_API_KEY.*--source FOLDER.*--source sample"),
        (["--source", "smaple"], "--source 'smaple'.*'sample'"),
        (["--source", "nowhere"], "--source 'nowhere'.*ocm-geo mirror build FOLDER FILE"),
        (
            ["--source", "sample", "--min-power-kw", "-4"],
            "--min-power-kw must be .*0 or more, not -4",
        ),
        (["--source", "sample", "--bbox", "5", "53", "4", "52"], "--bbox: south=53"),
        (["--source", "sample", "--bbox", "4", "5", "6", "7", "--point", "1", "2"], "--bbox, --po"),
        (["--source", "sample", "--route", "none.gpx"], "none.gpx"),
        (["--source", "sample", "--max-results", "0"], "--max-results must"),
        (["--source", "sample", "--operator", "Invented Operatr A"], "Invented Operator A"),
    ],
)
def test_errors_advise_in_options(
    errors_of: Callable[..., str], words: list[str], told: str
) -> None:
    text = errors_of("stations", "out.csv", *words)
    assert text.startswith("ocm-geo: ")
    assert re.search(told, text, re.DOTALL)
    assert not PYTHON.search(text.replace("south=", "").replace("north=", ""))
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("use max_results=None for all", "use no --max-results for all"),
        ("pass source=path", "use --source FOLDER"),
        ("source must be a path", "--source must be a path"),
        ("countries='NL' alone", "--country 'NL' alone"),
        ("build one with Mirror.build(path, data)", "with 'ocm-geo mirror build FOLDER FILE'"),
        ("a == b, south=53 and k=3", "a == b, south=53 and k=3"),
    ],
)
def test_arguments_become_options(text: str, told: str) -> None:
    assert told in advise_in_options(text, OPTIONS)


def test_arguments_become_keys() -> None:
    with (
        pytest.raises(ocm.RouteError, match=r"^route.max_join_km = 5 joins; layer=\?$"),
        advise_in_keys("route", ("max_join_km",)),
    ):
        raise ocm.RouteError("max_join_km=5 joins; layer=?")


def test_the_version() -> None:
    told = CliRunner().invoke(cli.app, ["--version"])
    assert told.exit_code == 0
    assert told.output == f"ocm-geo {ocm.__version__}\n"


def test_every_filter_has_an_option() -> None:
    """And all may be combined, as in Python."""
    assert set(ocm.StationFilters.__annotations__) <= set(
        inspect.signature(cli.stations).parameters
    )


def test_filters_are_passed_on(tmp_path: Path) -> None:
    words = ["stations", str(tmp_path / "out.csv"), "--source", "sample", "--country", "NL"]
    words += ["--connection-type", "33", "--current-type", "DC", "--min-power-kw", "50"]
    words += ["--created-since", "2015-01-01", "--no-open-data"]
    assert CliRunner().invoke(cli.app, words).exit_code == 0
    alone = ocm.stations(
        source="sample",
        countries="NL",
        connection_types=33,
        current_types="DC",
        min_power_kw=50,
        created_since="2015-01-01",
        open_data=False,
    )
    assert len(ocm.read(tmp_path / "out.csv")) == len(alone)


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\u202e", "\r"])
def test_a_terminal_gets_no_signs_that_it_obeys(
    hostile: str, errors_of: Callable[..., str]
) -> None:
    told = errors_of("stations", f"a{hostile}b.txt", "--source", "sample")
    assert "a?" in told
    assert all(sign.isprintable() or sign == "\n" for sign in told)
