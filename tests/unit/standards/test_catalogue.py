"""The catalogue: complete, dated, cited, and open to rules of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
[[rule]]
id = "mine"
jurisdiction = "X"
citation = "house rule"
network = "any"
vehicle_class = "any"
evidence = "S"
spacing_km = 30.0
offset_km = 2.0
point_power_kw = 50.0
"""


def test_the_catalogue_is_dated_and_cited() -> None:
    rules = ocm.standards()
    assert len(rules) == 67
    assert rules.index.is_unique
    assert rules["citation"].str.len().min() > 8
    assert rules["evidence"].str.contains("S|A|R").all()
    assert rules["applies_from"].isna().sum() == 8
    assert len(ocm.derogations()) == 12


def test_rules_on_a_day() -> None:
    assert "us-nevi-2022" in ocm.standards(on="2023-01-01").index
    assert "us-nevi-2022" not in ocm.standards(on="2024-01-01").index
    with pytest.raises(ocm.QueryError, match="must be a day"):
        ocm.standards(on="soon")


def test_miles_are_exact() -> None:
    rules = ocm.standards()
    assert rules.loc["us-nevi-2022", "spacing_km"] == 50 * 1.609344
    assert rules.loc["uk-srn-20mi", "spacing_km"] == pytest.approx(20 * 1.609344, abs=1e-12)


def test_rules_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    (rule,) = ocm.load_standards(path)
    route = ocm.sample_route()
    stations = ocm.stations_from_route(route, 2, source=ocm.sample())
    verdict = ocm.assess_route(route, stations, rule)
    assert verdict.passes is None
    assert verdict.rule.spacing_km == 30


@pytest.mark.parametrize(
    "text", ["", "[[rule]]\nid = 3", OWN + "speed = 3", OWN.replace("30.0", "'far'"), "[["]
)
def test_bad_files_say_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ocm.QueryError, match=r"mine\.toml"):
        ocm.load_standards(path)
