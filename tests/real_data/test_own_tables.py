"""Public registers read with pandas, as a user would, and measured like any station table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

GERMAN = {
    "AC Steckdose Typ 2": "Type 2 (Socket Only)",
    "AC Kupplung Typ 2": "Type 2 (Tethered Connector)",
    "DC Kupplung Combo": "CCS (Type 2)",
    "DC CHAdeMO": "CHAdeMO",
    "AC Schuko": "CEE 7/4 - Schuko - Type F",
    "AC CEE 5 polig": "CEE 5 Pin",
}


@pytest.fixture(scope="module")
def cologne(data_dir: Path) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """The German register of Cologne: one row a connection, and the stations made of it."""
    path = data_dir / "other_charging/de_bnetza_koeln_2022/Ladesaeulenregister.csv"
    rows = pd.read_csv(path, sep=";", decimal=",", encoding="utf-8-sig").reset_index(names="row")
    sides = [
        rows[["row", "Betreiber", "Straße", "Breitengrad", "Längengrad", "Anzahl Ladepunkte"]]
        .assign(plug=rows[f"Steckertypen{i}"], kw=rows[f"P{i} [kW]"])
        .dropna(subset="plug")
        for i in (1, 2, 3, 4)
    ]
    flat = pd.concat(sides)
    flat["plug"] = flat["plug"].str.split(",").str[0].str.strip()
    # Several powers in one field: the first.
    flat["kw"] = flat["kw"].astype(str).str.split(";").str[0].str.replace(",", ".").astype(float)
    flat["plug"] = flat["plug"].map(lambda name: GERMAN.get(name, name))
    made = ocm.stations_from_table(
        flat,
        site="row",
        title="Straße",
        operator="Betreiber",
        connector="plug",
        power_kw="kw",
        n_points="Anzahl Ladepunkte",
        usage="Public",
        status="Operational",
        country="DE",
        lon="Längengrad",
        lat="Breitengrad",
        attribution="Bundesnetzagentur",
        licence="CC BY 4.0",
    )
    return flat, made


def test_the_german_register_keeps_its_sums(
    cologne: tuple[pd.DataFrame, gpd.GeoDataFrame],
) -> None:
    flat, made = cologne
    assert len(made) == flat["row"].nunique()
    assert made["n_connectors"].sum() == len(flat)
    assert made["total_power_kw"].sum() == pytest.approx(flat["kw"].sum())
    assert made["max_power_kw"].equals(
        flat.groupby("row")["kw"]
        .max()
        .astype("Float64")
        .rename("max_power_kw")
        .rename_axis("station_id")
    )
    labelled = ocm.add_labels(made)
    want = flat.groupby("row")["Betreiber"].first().str.strip()
    assert (labelled["operator"].to_numpy() == want.to_numpy()).all()
    assert set(labelled["data_provider"]) == {"Bundesnetzagentur"}
    assert set(labelled["license"]) == {"CC BY 4.0"}
    assert ocm.attribution(made).short == "Bundesnetzagentur"


def test_the_german_register_is_judged_measured_and_drawn(
    cologne: tuple[pd.DataFrame, gpd.GeoDataFrame], tmp_path: Path
) -> None:
    _, made = cologne
    # One longitude of the register is a degree wrong; it stays in the table.
    city = made[made.geometry.x.between(6.7, 7.2)]
    line = shapely.LineString([(6.85, 50.90), (7.05, 50.98)])
    verdict = ocm.assess_route(line, city, "afir-ldv-core-2025")
    assert verdict.share_low <= verdict.share <= verdict.share_high
    area = gpd.GeoDataFrame(
        {"name": ["Köln"]}, geometry=[shapely.box(6.8, 50.85, 7.1, 51.05)], crs=4326
    )
    rule = ocm.Qualifying(min_power_kw=50)
    shares = ocm.coverage(area, city, 1, qualifying=rule, bounds=True).iloc[0]
    assert 0 < shares["area_share_low"] <= shares["area_share"] <= shares["area_share_high"] < 1
    assert ocm.uncertain_stations(city, rule).empty
    drawn = ocm.station_map(city)
    assert drawn is not None
    page = tmp_path / "map.html"
    ocm.to_html(city, page)
    text = page.read_text(encoding="utf-8")
    assert "RheinEnergie" in text or "Rheinenergie AG" in text
    assert "Bundesnetzagentur" in text
    assert "openchargemap.org/site" not in text
    again = ocm.read(ocm.write(made, tmp_path / "koeln.parquet"))
    assert again.equals(made)
    assert ocm.add_labels(again)["operator"].equals(ocm.add_labels(made)["operator"])


def test_the_american_register(data_dir: Path) -> None:
    path = data_dir / "other_charging/us_afdc_2019/alt_fuel_stations.csv"
    wide = pd.read_csv(path, low_memory=False)
    kinds = {
        "EV Level1 EVSE Num": ("NEMA 5-15R", 10, 1.4),
        "EV Level2 EVSE Num": ("Type 1 (J1772)", 10, np.nan),
        "EV DC Fast Count": ("CCS (Type 1)", 30, np.nan),
    }
    flat = pd.concat(
        wide.dropna(subset=column).assign(n=wide[column], plug=plug, current=current, kw=kw)
        for column, (plug, current, kw) in kinds.items()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = ocm.stations_from_table(
            flat,
            site="ID.1",
            title="Station Name",
            operator="EV Network",
            connector="plug",
            current="current",
            power_kw="kw",
            quantity="n",
            usage=1,
            country="US",
            lon="Longitude",
            lat="Latitude",
            attribution="AFDC (NREL)",
        )
    assert made.index.name == "station_id"
    assert made.index.dtype == "int64"
    assert made.index.is_monotonic_increasing
    counts = wide.set_index("ID.1")[list(kinds)].dropna(how="all").sum(axis=1).sort_index()
    assert (made["n_connectors"].to_numpy() == counts.to_numpy()).all()
    assert made["has_dc"].sum() == (wide["EV DC Fast Count"] > 0).sum()
    fast = made[ocm.StationQuery.build(current_types="DC").mask(made)]
    assert len(fast) == made["has_dc"].sum()
    tesla = ocm.add_labels(made)["operator"].value_counts()
    assert tesla["Tesla Destination"] == (wide["EV Network"] == "Tesla Destination").sum()


def test_the_british_register_tells_all_that_is_wrong_at_once(data_dir: Path) -> None:
    path = data_dir / "other_charging/uk_ncr_2020/national-charge-point-registry.csv"
    rows = pd.read_csv(path)
    facts = {
        "id": "chargeDeviceID",
        "title": "name",
        "lon": "longitude",
        "lat": "latitude",
        "usage": "Public",
        "country": "GB",
        "attribution": "Department for Transport, OGL v3",
    }
    with pytest.raises(ocm.QueryError) as error:
        ocm.stations_from_table(rows, status="chargeDeviceStatus", **facts)
    text = str(error.value)
    assert "'In service'" in text
    assert "2 of 12,306 rows have no position" in text
    words = {"In service": "Operational", "Out of service": "Not Operational"}
    rows["status"] = rows["chargeDeviceStatus"].map(words)
    placed = rows[rows["longitude"].abs().le(180) & rows["latitude"].notna()]
    placed = placed.drop_duplicates("chargeDeviceID")
    made = ocm.stations_from_table(placed, status="status", **facts)
    assert len(made) == len(placed)
    assert made["connections"].eq("[]").all()
    uncertain = ocm.uncertain_stations(made, ocm.Qualifying(min_power_kw=50))
    working = made["status_type_id"].ne(100).fillna(value=True)
    assert len(uncertain) == working.sum()
