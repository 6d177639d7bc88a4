"""Fleets: the power of all public stations against the vehicles registered, counted by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

import ocm_geo as ocm
from tests.unit.standards.made import away, site, table

if TYPE_CHECKING:
    import geopandas as gpd

AC = {"PowerKW": 22.0, "CurrentTypeID": 20, "ConnectionTypeID": 25}
DC = {"PowerKW": 150.0, "CurrentTypeID": 30, "ConnectionTypeID": 33}


def stations() -> gpd.GeoDataFrame:
    """Make 22 x 2 + 150 kW on public record, and others that count in one bound only."""
    return table(
        [
            site(1, away(1, 0), {**AC, "Quantity": 2}),
            site(2, away(2, 0), DC),
            site(3, away(3, 0), {**DC, "PowerKW": 100.0}, UsageTypeID=None),
            site(4, away(4, 0), {**DC, "PowerKW": 999.0}, UsageTypeID=2),
            site(5, away(5, 0), {**DC, "PowerKW": 350.0}, StatusTypeID=100),
        ]
    )


def test_required_and_provided_are_added_up() -> None:
    verdict = ocm.assess_fleet(stations(), "afir-fleet", n_bev=200, n_phev=100)
    assert verdict.report["required_kw"] == pytest.approx(1.3 * 200 + 0.8 * 100)
    assert verdict.report["provided_low_kw"] == pytest.approx(44 + 150)
    assert verdict.report["provided_kw"] == pytest.approx(44 + 150 + 100)
    assert verdict.share == pytest.approx(294 / 340)
    assert verdict.share_low == pytest.approx(194 / 340)
    assert verdict.passes is False
    assert verdict.segments["required_kw"].tolist() == pytest.approx([260, 80])
    assert "86.5 % of the power required is on record" in repr(verdict)
    assert ocm.assess_fleet(stations(), "afir-fleet", n_bev=100, n_phev=100).passes is True


def test_the_two_parts_of_the_duty_are_one() -> None:
    shares = {
        name: ocm.assess_fleet(stations(), name, n_bev=200, n_phev=100).share
        for name in ("afir-fleet", "afir-fleet-bev", "afir-fleet-phev")
    }
    assert len(set(shares.values())) == 1
    verdict = ocm.assess_fleet(stations(), "afir-fleet-bev", n_bev=200, n_phev=100)
    assert any("together with afir-fleet-phev" in clause for clause in verdict.clauses)


def test_a_missing_power_has_no_upper_bound() -> None:
    lacking = table([site(1, away(1, 0), {"CurrentTypeID": 20, "ConnectionTypeID": 25})])
    verdict = ocm.assess_fleet(lacking, "afir-fleet", n_bev=10, n_phev=0)
    assert (verdict.share_low, verdict.share, verdict.share_high) == (0.0, 0.0, 1.0)
    assert math.isinf(float(str(verdict.report["provided_high_kw"])))


def test_two_connectors_of_one_point_are_one() -> None:
    both = table([site(1, away(1, 0), DC, {**DC, "ConnectionTypeID": 2}, NumberOfPoints=1)])
    verdict = ocm.assess_fleet(both, "afir-fleet", n_bev=100, n_phev=0)
    assert verdict.report["provided_kw"] == 150
    assert verdict.readings["share"].tolist() == pytest.approx([150 / 130, 1.0], abs=0.16)
    every = ocm.assess_fleet(
        both,
        "afir-fleet",
        n_bev=100,
        n_phev=0,
        options=ocm.AssessmentOptions(pool_rules=ocm.PoolRules(cap_at_points=False)),
    )
    assert every.report["provided_kw"] == 300


def test_no_vehicles_need_nothing() -> None:
    verdict = ocm.assess_fleet(stations().iloc[:0], "afir-fleet", n_bev=0, n_phev=0)
    assert (verdict.passes, verdict.share) == (True, 1.0)
    assert ocm.assess_fleet(stations().iloc[:0], "afir-fleet", n_bev=1, n_phev=0).passes is False


@pytest.mark.parametrize("number", [-1, float("nan"), "many", None])
def test_wrong_numbers_are_refused(number: object) -> None:
    with pytest.raises(ocm.QueryError, match="n_bev"):
        ocm.assess_fleet(stations(), "afir-fleet", n_bev=number, n_phev=0)  # type: ignore[arg-type]


def test_other_rules_are_refused() -> None:
    with pytest.raises(ocm.QueryError, match=r"ocm\.assess_area"):
        ocm.assess_fleet(stations(), "in-mop-2022", n_bev=1, n_phev=1)
    with pytest.raises(ocm.QueryError, match=r"ocm\.assess_fleet"):
        ocm.assess_area(ocm.sample_areas(), stations(), "afir-fleet")
