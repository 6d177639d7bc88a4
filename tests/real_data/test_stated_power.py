"""Verdicts by what real registers state of power and bays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from shapely import LineString

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.filterwarnings("ignore::ocm_geo.OCMWarning"),
]


def powers_of(stations: gpd.GeoDataFrame) -> list[float]:
    verdict = ocm.assess_fleet(stations, "afir-fleet", n_bev=1000, n_phev=0)
    names = ("provided_low_kw", "provided_kw", "provided_high_kw")
    return [float(str(verdict.report[name])) for name in names]


def extra_of(stations: gpd.GeoDataFrame, name: str) -> pd.Series[Any]:
    found: pd.Series[Any] = stations["extra"].map(lambda text: json.loads(text).get(name))
    return found.astype("Float64")


def test_datex2_states_the_power_of_sites(data_dir: Path) -> None:
    file = data_dir / "registers" / "datex2" / "enbw_static_2026-03-19.json"
    stations = ocm.read_register(file)
    # An independent parse: every station of the publication with its own limit, in W.
    text = json.loads(file.read_text(encoding="utf-8"))
    watts: list[float] = []

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            if "totalMaximumPower" in node:
                watts.append(node["totalMaximumPower"])
            node = list(node.values())
        if isinstance(node, list):
            for one in node:
                collect(one)

    collect(text)
    # What is certain of access and status may be less; where it counts, its power is one value.
    counted = stations.assign(usage_type_id=1, status_type_id=50)
    low, recorded, high = powers_of(counted)
    assert low == recorded == high == pytest.approx(sum(watts) / 1000)
    verdict = ocm.assess_fleet(counted, "afir-fleet", n_bev=1000, n_phev=0)
    assert verdict.pools["power_is_stated"].all()
    assert any("as the register states it" in clause for clause in verdict.clauses)


def test_ocpi_states_none_and_keeps_the_sum(data_dir: Path) -> None:
    stations = ocm.read_register(
        data_dir / "registers" / "ocpi" / "fr_driveco_2_1_1_2026-06-23.json.gz"
    )
    verdict = ocm.assess_fleet(stations, "afir-fleet", n_bev=1000, n_phev=0)
    assert not verdict.pools["power_is_stated"].any()
    assert not any("as the register states it for" in clause for clause in verdict.clauses)


def test_bnetza_devices_state_their_own_power(data_dir: Path) -> None:
    stations = ocm.read_register(data_dir / "registers" / "bnetza" / "berlin_2026-04.csv.gz")
    _, recorded, _ = powers_of(stations.assign(usage_type_id=1, status_type_id=50))
    # The publisher's own total: devices at one address are not one site's figure repeated.
    assert recorded == pytest.approx(211_120.2, rel=0.005)


def test_afdc_units_without_bays_serve_no_lorries(data_dir: Path, tmp_path: Path) -> None:
    stations = ocm.read_register(
        data_dir / "registers" / "us_afdc" / "wa_ev_charging_units_2025-10.csv.gz"
    )
    bays = extra_of(stations, "n_heavy_vehicle_bays")
    none = stations[(bays == 0).fillna(value=False)]
    assert len(none) > 100
    assert (bays > 0).any()
    text = """[[rule]]
id = "made-{0}"
jurisdiction = "US"
citation = "made"
network = "roads"
vehicle_class = "{0}"
evidence = "S"
kind = "road"
spacing_km = 60.0
offset_km = 3.0
n_points = 1
"""
    file = tmp_path / "rules.toml"
    file.write_text(text.format("HDV") + text.format("LDV"), encoding="utf-8")
    heavy, light = ocm.load_standards(file)
    centre = none.geometry.iloc[0]
    route = LineString([(centre.x - 0.05, centre.y), (centre.x + 0.05, centre.y)])
    assert not ocm.assess_route(route, none, heavy).pools["qualifies"].any()
    assert ocm.assess_route(route, none, light).pools["qualifies"].any()
