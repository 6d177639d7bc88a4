"""Whatever the missing facts are, a verdict on an area or a fleet lies within its bounds."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ocm_geo as ocm
from tests.unit.standards.made import HUB, away, site, table

ABOUT: dict[str, Any] = {
    "id": "mine",
    "jurisdiction": "X",
    "citation": "a text",
    "network": "a city",
    "vehicle_class": "any",
    "evidence": "S",
}
POOL: dict[str, Any] = {"point_power_kw": 50.0, "n_points": 2, "share_served": 0.3}
RULES = [
    ocm.Rule(**ABOUT, **POOL, kind="grid", cell_km=2.0),
    ocm.Rule(**ABOUT, **POOL, kind="radius", radius_km=1.5),
]
AREA = shapely.box(*away(5, 225), *away(5, 45))
FACTS = {
    "power": st.sampled_from([None, 11.0, 50.0, 150.0]),
    "quantity": st.sampled_from([None, 1, 2, 4]),
    "points": st.sampled_from([None, 1, 2, 4]),
    "usage": st.sampled_from([None, 1, 2]),
    "status": st.sampled_from([None, 50, 100]),
}
PLACE = st.tuples(st.floats(0, 6), st.sampled_from([0, 60, 120, 180, 240, 300]))
STATION = st.fixed_dictionaries({"place": PLACE, **FACTS})
FULL = {
    "power": st.sampled_from([0.1, 11.0, 50.0, 350.0]),
    "quantity": st.sampled_from([1, 2, 4]),
    "points": st.sampled_from([1, 2, 4, 8]),
    "usage": st.sampled_from([1, 2]),
    "status": st.sampled_from([50, 100]),
}
ORDER: dict[bool | None, int] = {False: 0, None: 1, True: 2}
SLOW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def record(number: int, facts: dict[str, Any]) -> Any:
    """Make the record of a station."""
    plug = {"CurrentTypeID": 30, "ConnectionTypeID": 33}
    if facts["power"] is not None:
        plug["PowerKW"] = facts["power"]
    if facts["quantity"] is not None:
        plug["Quantity"] = facts["quantity"]
    more = {"UsageTypeID": facts["usage"], "StatusTypeID": facts["status"]}
    if facts["points"] is not None:
        more["NumberOfPoints"] = facts["points"]
    km, azimuth = facts["place"]
    return site(number, away(km, azimuth, HUB), plug, **more)


def verdicts(stations: list[dict[str, Any]]) -> list[ocm.Verdict]:
    """Assess an area by each rule, and a fleet."""
    made = table([record(i + 1, facts) for i, facts in enumerate(stations)])
    fleet = ocm.assess_fleet(made, "afir-fleet", n_bev=300, n_phev=50)
    return [*(ocm.assess_area(AREA, made, rule) for rule in RULES), fleet]


@SLOW
@given(stations=st.lists(STATION, min_size=1, max_size=6), data=st.data())
def test_every_completion_lies_within_the_bounds(
    stations: list[dict[str, Any]], data: st.DataObject
) -> None:
    filled = [
        {
            name: data.draw(FULL[name]) if value is None and name in FULL else value
            for name, value in facts.items()
        }
        for facts in stations
    ]
    for known, complete in zip(verdicts(stations), verdicts(filled), strict=True):
        assert known.share_low <= known.share <= known.share_high
        assert known.share_low - 1e-9 <= complete.share <= known.share_high + 1e-9


@SLOW
@given(stations=st.lists(STATION, min_size=2, max_size=6))
def test_a_station_more_never_lowers(stations: list[dict[str, Any]]) -> None:
    for fewer, more in zip(verdicts(stations[:-1]), verdicts(stations), strict=True):
        assert more.share >= fewer.share - 1e-9
        assert more.share_low >= fewer.share_low - 1e-9
        assert more.share_high >= fewer.share_high - 1e-9
        assert ORDER[more.passes] >= ORDER[fewer.passes]


def test_the_strategy_reaches_both_bounds() -> None:
    station = {"place": (0.0, 0), "power": 50.0, "quantity": 2, "points": 2, "status": 50}
    sure, open_ = (verdicts([{**station, "usage": usage}])[0] for usage in (1, None))
    assert sure.share_low == pytest.approx(open_.share_low + sure.share_low)
    assert open_.share_low == 0 < open_.share
