"""One road: pools, sections, ends, directions, bounds, derogations, new sites."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import ocm_geo as ocm
from ocm_geo.standards.sites import fewest_sites
from tests.unit.standards.made import away, road, site, table

RULE = "afir-ldv-core-2025"
ROUTE = road(200, 90)
DC = {"CurrentTypeID": 30, "ConnectionTypeID": 33}


def assess(*records: Any, rule: Any = RULE, **options: Any) -> ocm.Verdict:
    return ocm.assess_route(ROUTE, table(records), rule, options=ocm.AssessmentOptions(**options))


def at(km: float, side_km: float = 0.0) -> tuple[float, float]:
    """Give a place at a kilometre of the road, to its left."""
    lon, lat = away(km, 90)
    return away(side_km, 0, (lon, lat)) if side_km else (lon, lat)


def test_sections_between_pools_and_ends_apart() -> None:
    verdict = assess(site(1, at(20)), site(2, at(70)), site(3, at(140)))
    assert verdict.segments["status"].tolist() == ["end", "passes", "fails", "end"]
    assert verdict.segments["length_km"].to_numpy() == pytest.approx([20, 50, 70, 60], abs=0.01)
    assert verdict.share == pytest.approx(50 / 200, abs=1e-3)
    assert verdict.report["share_between_pools"] == pytest.approx(50 / 120, abs=1e-3)
    closed = assess(site(1, at(20)), site(2, at(70)), site(3, at(140)), ends="closed")
    assert closed.segments["status"].tolist() == ["passes", "passes", "fails", "passes"]


def test_exactly_the_spacing_passes() -> None:
    places = [at(km) for km in (20, 80, 140)]
    assert assess(*map(site, (1, 2, 3), places), ends="closed").passes is True
    # What lies behind the ends of 20 and 60 km is not known.
    open_ended = assess(*map(site, (1, 2, 3), places))
    assert open_ended.passes is None
    assert "behind the ends" in open_ended.reason
    assert "not decided" in repr(open_ended)
    assert assess(site(1, at(20)), site(2, at(80.001)), site(3, at(140))).passes is False
    assert assess(site(1, at(20)), site(2, at(80)), site(3, at(139.99))).passes is False


QUALIFY: dict[str, tuple[list[dict[str, Any]], dict[str, Any], bool]] = {
    "at least is enough": ([{"PowerKW": 150.0, "Quantity": 2}, {"PowerKW": 100.0}], {}, True),
    "no point is strong enough": ([{"PowerKW": 100.0, "Quantity": 5}], {}, False),
    "the pool is too weak": ([{"PowerKW": 150.0, "Quantity": 2}], {}, False),
    "no more points than stated": ([{"PowerKW": 200.0}] * 2, {"NumberOfPoints": 1}, False),
    "private": ([{"PowerKW": 400.0}], {"UsageTypeID": 2}, False),
    "for customers": ([{"PowerKW": 400.0}], {"UsageTypeID": 6}, True),
    "not in operation": ([{"PowerKW": 400.0}], {"StatusTypeID": 100}, False),
    "unknown power": ([{}], {}, False),
}


@pytest.mark.parametrize("name", QUALIFY)
def test_what_qualifies(name: str) -> None:
    plugs, more, expected = QUALIFY[name]
    verdict = assess(site(1, at(10), *[{**DC, **plug} for plug in plugs], **more))
    assert verdict.pools["qualifies"].tolist() == ([expected] if len(verdict.pools) else [])
    assert expected or not verdict.pools["qualifies"].any()


def test_strict_power_is_for_reproducing_figures() -> None:
    sites = [site(1, at(20)), site(2, at(70))]
    assert assess(*sites).share > 0
    strict = assess(*sites, strict_power=True)
    assert strict.share == 0
    assert any(">" in clause for clause in strict.clauses)


def test_sites_of_one_place_are_one_pool() -> None:
    weak = {**DC, "PowerKW": 200.0}
    pair = [site(1, at(20), weak), site(2, at(20, 0.05), weak), site(3, at(70))]
    assert assess(*pair).share > 0
    apart = ocm.PoolRules(merge_m=10)
    assert assess(*pair, pool_rules=apart).share == 0


def test_bounds_hold_what_is_uncertain() -> None:
    estimate = {
        **DC,
        "PowerKW": 400.0,
        "Comments": "kW power is an estimate based on the connection type",
    }
    verdict = assess(
        site(1, at(20)), site(2, at(70)), site(3, at(120), estimate), site(4, at(170), DC)
    )
    shares = (verdict.share_low, verdict.share, verdict.share_high)
    assert shares == pytest.approx((0.25, 0.5, 0.75), abs=1e-3)


def test_both_directions_at_twice_the_requirement() -> None:
    verdict = assess(site(1, at(20)), site(2, at(70)))
    plain = verdict.readings.query("derogations == 'none'")
    by_serving = plain.set_index("pools_serve")["share"]
    assert by_serving["both-single"] == pytest.approx(0.25, abs=1e-3)
    assert by_serving["both-double"] == 0
    assert assess(site(1, at(20)), site(2, at(70)), derogations=["afir-ldv-both"]).share == 0


def test_the_side_of_the_road_decides_the_direction() -> None:
    left = [site(i, at(km, 0.5)) for i, km in ((1, 20), (2, 70))]
    right = [site(i, at(km, -0.5)) for i, km in ((3, 20), (4, 100))]
    verdict = assess(*left, *right, pools_serve="by-side", pool_rules=ocm.PoolRules(merge_m=100))
    passing = verdict.segments.query("status == 'passes'").groupby("direction")["length_km"].sum()
    assert dict(passing) == pytest.approx({"reverse": 50}, abs=0.1)
    assert verdict.share == 0
    british = assess(*left, *right, pools_serve="by-side", drive_on="left")
    passing = british.segments.query("status == 'passes'").groupby("direction")["length_km"].sum()
    assert dict(passing) == pytest.approx({"forward": 50}, abs=0.1)


def test_derogations() -> None:
    sites = [site(1, at(20)), site(2, at(110))]
    assert not assess(*sites).passes
    relaxed = assess(*sites, derogations=["afir-ldv-3000"])
    assert relaxed.passes is None
    assert relaxed.share == pytest.approx(90 / 200, abs=1e-3)
    assert any("afir-ldv-3000" in clause for clause in relaxed.clauses)
    half = [site(i, at(km), {**DC, "PowerKW": 200.0}) for i, km in ((1, 20), (2, 70))]
    assert assess(*half, derogations=["afir-ldv-8500-half"]).share > 0
    with pytest.raises(ocm.QueryError, match="together"):
        assess(*half, derogations=["afir-ldv-8500-half", "afir-ldv-8500-both"])
    with pytest.raises(ocm.QueryError, match="not a derogation"):
        assess(*half, derogations=["afir-hdv-800"])


def test_every_relaxation_bounds_the_share() -> None:
    # 90 km apart, and one of them of half the power.
    sites = [site(1, at(20)), site(2, at(110), {**DC, "PowerKW": 200.0})]
    verdict = assess(*sites)
    relaxed = verdict.readings.iloc[-1]
    assert relaxed["derogations"].startswith("every")
    assert verdict.share == 0
    assert relaxed["share"] == pytest.approx(90 / 200, abs=1e-3)
    assert set(assess(*sites, rule="us-nevi-2024").readings["derogations"]) == {"none"}


def test_rules_without_numbers_ask_for_them() -> None:
    with pytest.raises(ocm.QueryError, match="spacing_km"):
        assess(rule="us-nevi-2025-ifg")
    with pytest.raises(ocm.QueryError, match="offset_km"):
        assess(rule="uk-srn-20mi")
    assert assess(rule="uk-srn-20mi", offset_km=1).share == 0
    with pytest.raises(ocm.QueryError, match="uptime"):
        assess(rule="us-680-uptime")
    with pytest.raises(ocm.QueryError, match="afir-ldv-core-2025"):
        assess(rule="afir-ldv-core-2052")


def test_heavy_vehicles_fail_or_have_no_verdict() -> None:
    strong = {**DC, "PowerKW": 400.0, "Quantity": 10}
    sites = [site(1, at(20), strong), site(2, at(60), strong), site(3, at(140), strong)]
    assert assess(*sites[:2], rule="afir-hdv-core-2030").passes is False
    enough = assess(*sites[:2], rule="afir-hdv-core-2030", spacing_km=140)
    assert enough.passes is None
    verdict = assess(*sites, rule="afir-hdv-core-2030")
    assert verdict.passes is False
    assert any("dedicated" in clause for clause in verdict.clauses)
    assert "the data do not show stations dedicated" in repr(enough)
    given = assess(*sites, rule="us-nevi-2025-ifg", spacing_km=90, offset_km=2)
    assert not any("not testable" in clause for clause in given.clauses)


def test_connectors_of_nevi() -> None:
    ccs = {"CurrentTypeID": 30, "ConnectionTypeID": 32, "PowerKW": 150.0, "Quantity": 4}
    chademo = {**ccs, "ConnectionTypeID": 2}
    assert assess(site(1, at(10), ccs), site(2, at(60), ccs), rule="us-nevi-2024").share > 0
    other = assess(site(1, at(10), ccs), site(2, at(60), chademo), rule="us-nevi-2024")
    assert other.share == 0


def test_each_port_of_nevi_has_the_plug() -> None:
    ccs = {"CurrentTypeID": 30, "ConnectionTypeID": 32, "PowerKW": 150.0, "Quantity": 3}
    other = {**ccs, "ConnectionTypeID": 2, "PowerKW": 350.0}
    both = ({**other, "Quantity": 4}, {**ccs, "Quantity": 4})
    far = site(2, at(60), *both, NumberOfPoints=4)
    near = site(1, at(10), *both, NumberOfPoints=4)
    assert assess(near, far, rule="us-nevi-2024").share > 0
    mixed = assess(site(1, at(10), {**other, "Quantity": 1}, ccs), far, rule="us-nevi-2024")
    assert not mixed.passes
    assert any("each with CCS (Type 1)" in clause for clause in mixed.clauses)
    # Both connectors were asked of the site, not of each port.
    pair = site(1, at(10), other, ccs), site(2, at(60), other, ccs)
    assert assess(*pair, rule="us-afc-2019").share > 0


def test_uncertainty_neither_moves_nor_divides_a_pool() -> None:
    # Three in a row, 80 m apart: without the uncertain one in the middle it is still one pool.
    row = [site(1, at(10)), site(2, at(10.08), UsageTypeID=None), site(3, at(10.16))]
    verdict = assess(*row, site(4, at(70.07)))
    assert verdict.pools["ocm_ids"].tolist() == [[1, 2, 3], [4]]
    assert verdict.share_low == verdict.share == verdict.share_high > 0


def test_stations_in_any_coordinates() -> None:
    stations = table([site(1, at(10)), site(2, at(60))])
    plain = ocm.assess_route(ROUTE, stations, RULE)
    other = ocm.assess_route(ROUTE, stations.to_crs("EPSG:3035"), RULE)
    assert other.share == pytest.approx(plain.share, abs=1e-9)
    with pytest.raises(ocm.QueryError, match="coordinate reference system"):
        ocm.assess_route(ROUTE, stations.set_crs(None, allow_override=True), RULE)


def test_verdicts_carry_their_evidence() -> None:
    verdict = assess(site(1, at(20)), rule="us-nevi-2024")
    assert "from secondary accounts" in repr(verdict)
    assert "unverified: pool_power_kw" in repr(verdict)


def test_new_sites_make_the_road_pass() -> None:
    stations = table([site(1, at(20)), site(2, at(170))])
    sites = ocm.fill_gaps(ROUTE, stations, RULE)
    assert sites["along_km"].to_numpy() == pytest.approx([70, 120], abs=0.01)
    new = [site(10 + i, (p.x, p.y)) for i, p in enumerate(sites.geometry)]
    both = table([site(1, at(20)), site(2, at(170)), *new])
    closed = ocm.AssessmentOptions(ends="closed")
    assert ocm.assess_route(ROUTE, both, RULE, options=closed).passes is True
    half = ocm.fill_gaps(ROUTE, table([]), "afir-ldv-comp-2027")
    assert len(half) == 2


@pytest.mark.parametrize("seed", range(40))
def test_fewest_sites_against_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths, spacing = rng.uniform(10, 200, 3), 60.0
    needed = float(rng.uniform(0.2, 1)) * lengths.sum()

    def passing(counts: tuple[int, ...]) -> float:
        whole = [km <= (n + 1) * spacing for km, n in zip(lengths, counts, strict=True)]
        part = zip(lengths, counts, whole, strict=True)
        return float(sum(km if all_of else min(km, n * spacing) for km, n, all_of in part))

    best = min(sum(c) for c in product(range(4), repeat=3) if passing(c) >= needed - 1e-9)
    counts = fewest_sites(lengths, spacing, needed)
    assert counts.sum() == best
    assert passing(tuple(counts.tolist())) >= needed - 1e-6
