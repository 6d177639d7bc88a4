"""Powers that no connector of their kind delivers are flagged, counted and kept out of sums."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ocm_geo as ocm
from ocm_geo.power_limits import TOLERANCE
from ocm_geo.reference import bundled
from ocm_geo.standards.pool_rules import PoolRules
from ocm_geo.standards.pools import Pools

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

CCS, TYPE_2, SCHUKO, UNKNOWN = 33, 25, 28, 0
AC, DC = 20, 30


def record(ocm_id: int, *connections: dict[str, Any]) -> dict[str, Any]:
    return {
        "ID": ocm_id,
        "SubmissionStatusTypeID": 200,
        "StatusTypeID": 50,
        "UsageTypeID": 1,
        "AddressInfo": {"CountryID": 159, "Latitude": 52.1, "Longitude": 5.0 + ocm_id / 100},
        "Connections": [{"ID": n, **c} for n, c in enumerate(connections, 1)],
    }


def plug(kind: int | None, current: int | None, kw: float | None, **more: int) -> dict[str, Any]:
    facts = {"ConnectionTypeID": kind, "CurrentTypeID": current, "PowerKW": kw, **more}
    return {key: value for key, value in facts.items() if value is not None}


def build(folder: Path, *records: dict[str, Any]) -> ocm.Mirror:
    (folder / "sites.json").write_text(json.dumps(records))
    return ocm.Mirror.build(folder / "mirror", folder / "sites.json")


def table(tmp_path: Path, *records: dict[str, Any]) -> gpd.GeoDataFrame:
    return ocm.stations(source=build(tmp_path, *records))


def test_every_connector_that_open_charge_map_knows_has_limits_with_a_source() -> None:
    limits = ocm.power_limits()
    assert limits.index.is_unique
    assert set(limits.index) == set(bundled().connection_types.index)
    titles = bundled().connection_types["title"].str.strip()
    assert (limits["connector"].str.strip() == titles.loc[limits.index]).all()
    assert limits[["max_kw", "max_amps", "max_volts", "source"]].notna().all().all()
    assert limits[["max_ac_kw", "max_dc_kw"]].notna().any(axis=1).all()
    known = limits.drop(0)
    assert (known["max_kw"] == known[["max_ac_kw", "max_dc_kw"]].max(axis=1)).all()
    # No connector carries more than its own current at its own voltage allows (three phases).
    reach = limits["max_amps"] * limits["max_volts"] * np.sqrt(3) / 1000
    assert (limits["max_kw"] <= reach + 0.05).all()


@pytest.mark.parametrize(
    ("kind", "current", "kw"),
    [
        *((CCS, DC, kw) for kw in (22, 350, 400, 600, 1000)),
        (CCS, AC, 350),  # a wrong current, not a wrong power
        *((UNKNOWN, DC, kw) for kw in (1000, 1440, 3750)),  # megawatt charging
        (None, None, 600),  # a bus below a pantograph
        (4711, DC, 1200),  # a connector of later reference data
        *((TYPE_2, current, 43) for current in (10, AC, DC, None)),
        (TYPE_2, DC, 150),
        (1, 10, 19.2),
        (27, DC, 1000),
        (2, DC, 400),
        (1040, DC, 1500),
        (SCHUKO, 10, 3.7),
    ],
)
def test_great_but_real_powers_are_plausible(
    tmp_path: Path, kind: int | None, current: int | None, kw: float
) -> None:
    found = table(tmp_path, record(1, plug(kind, current, kw, Quantity=20)))
    assert found["total_power_kw"].tolist() == [20 * kw]
    assert found["n_power_implausible"].tolist() == [0]
    assert ocm.connections(found)["power_plausible"].tolist() == [True]


@pytest.mark.parametrize(
    ("kind", "current", "kw"),
    [
        *((kind, current, 1_000_000) for kind in (CCS, UNKNOWN, None) for current in (DC, None)),
        *((TYPE_2, current, 22_000) for current in (10, AC, DC, None)),
        (UNKNOWN, None, 3_700),
        (UNKNOWN, AC, 3_700),
        (CCS, DC, 50_000),
        (2, DC, 501),
        (TYPE_2, AC, 176),
        (SCHUKO, 10, 7),
        (CCS, DC, 5e300),
    ],
)
def test_powers_that_no_connector_delivers_are_flagged(
    tmp_path: Path, kind: int | None, current: int | None, kw: float
) -> None:
    good = plug(CCS, DC, 150, Quantity=2)
    found = table(tmp_path, record(1, plug(kind, current, kw, Quantity=10), good))
    row = found.iloc[0]
    assert (row["max_power_kw"], row["total_power_kw"]) == (150, 300)
    assert (row["n_power_implausible"], row["n_power_missing"]) == (1, 0)
    plugs = ocm.connections(found)
    assert plugs["power_plausible"].tolist() == [False, True]
    assert plugs["power_kw"].tolist() == [kw, 150]  # as recorded
    assert json.loads(row["connections"])[0]["PowerKW"] == kw


def test_a_station_of_implausible_power_alone_has_no_known_power(tmp_path: Path) -> None:
    row = table(tmp_path, record(1, plug(TYPE_2, AC, 22_000))).iloc[0]
    assert row[["max_power_kw", "total_power_kw"]].isna().all()


def test_the_limit_itself_with_its_tolerance_is_plausible(tmp_path: Path) -> None:
    limit = TOLERANCE * float(ocm.power_limits()["max_dc_kw"][CCS])
    above = float(np.nextafter(limit, np.inf))
    found = table(tmp_path, record(1, plug(CCS, DC, limit)), record(2, plug(CCS, DC, above)))
    assert found["n_power_implausible"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("amps", "volts", "kw"),
    [(32, 400, 22.2), (63, 400, 43.6), (32_000, 400, None), (32, 40_000, None), (32, 0, None)],
)
def test_no_power_is_computed_from_implausible_amps_or_volts(
    tmp_path: Path, amps: int, volts: int, kw: float | None
) -> None:
    found = table(tmp_path, record(1, plug(TYPE_2, AC, None, Amps=amps, Voltage=volts)))
    plugs = ocm.connections(found)
    assert plugs["power_kw"].notna().tolist() == [kw is not None]
    assert found["n_power_missing"].tolist() == [int(kw is None)]
    if kw is not None:
        assert found["max_power_kw"].iloc[0] == pytest.approx(kw)


def test_filters_see_the_recorded_power(tmp_path: Path) -> None:
    mirror = build(tmp_path, record(1, plug(TYPE_2, AC, 22_000)), record(2, plug(TYPE_2, AC, 22)))
    found = ocm.stations(source=mirror)
    assert ocm.stations(source=mirror, min_power_kw=1000).index.tolist() == [1]
    query = ocm.StationQuery.build(min_power_kw=1000)
    assert query.mask(found).tolist() == [True, False]
    line = [(4.9, 52.1), (5.2, 52.1)]
    gaps = ocm.route_gaps(line, found, within_km=1, min_power_kw=1000)
    assert gaps[["from_id", "to_id"]].stack().dropna().unique().tolist() == [1]


def test_implausible_power_is_uncertain_up_to_the_limit_of_its_connector(tmp_path: Path) -> None:
    found = table(tmp_path, record(1, plug(TYPE_2, AC, 22_000)), record(2, plug(TYPE_2, AC, 22)))
    uncertain = ocm.uncertain_stations(found, ocm.Qualifying(min_power_kw=50))
    assert uncertain.index.tolist() == [1]  # a type 2 connector may have 52 kW
    assert uncertain["counts"].tolist() == [False]
    assert ocm.uncertain_stations(found, ocm.Qualifying(min_power_kw=60)).empty
    assert ocm.uncertain_stations(found).index.tolist() == [1]


def test_implausible_power_does_not_make_a_pool(tmp_path: Path) -> None:
    wild, good = plug(TYPE_2, AC, 1_000_000, Quantity=1), plug(CCS, DC, 150, Quantity=1)
    found = table(tmp_path, record(1, wild, good))
    rule = ocm.Rule(
        id="t",
        jurisdiction="EU",
        citation="none",
        network="any",
        vehicle_class="light",
        evidence="R",
        pool_power_kw=200,
    )
    with pytest.warns(ocm.SuspectInput, match="watts"):
        made = Pools(found, rule, PoolRules(), strict_power=False)
    kw = {level: offer.power_kw.tolist() for level, offer in made._offers.items()}
    assert kw["low"] == kw["recorded"] == [150]
    assert kw["high"] == [pytest.approx(150 + 52.4)]


def test_popups_figures_and_reports_tell_of_it(tmp_path: Path) -> None:
    mirror = build(
        tmp_path,
        record(1, plug(TYPE_2, AC, 22_000, Quantity=10)),
        record(2, plug(CCS, DC, 150, Quantity=2)),
    )
    found = ocm.stations(source=mirror)
    for drawn in (found, ocm.connections(found)):
        texts = [t.get_text() for t in ocm.plot_power(drawn).texts]
        assert any("1 connection of implausible power" in t for t in texts)
    page = tmp_path / "map.html"
    ocm.to_html(found, page)
    assert "22,000 kW (implausible)" in page.read_text(encoding="utf-8")
    config = {"title": "t", "area": {"bbox": [4.9, 51.9, 5.5, 52.3]}}
    ocm.run_study(config, tmp_path / "study", source=mirror)
    report = (tmp_path / "study/report.html").read_text(encoding="utf-8")
    assert "0.3 MW (without 1 connection of implausible power)" in report
    said = report.partition("Limits of the data")[2]
    assert "implausible power" in said
