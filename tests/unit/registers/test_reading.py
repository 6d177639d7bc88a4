"""Small registers of every kind: the traps of each format, what is refused, and no other errors."""

from __future__ import annotations

import gzip
import json
import random
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

import ocm_geo as ocm
from ocm_geo.registers import read_register

if TYPE_CHECKING:
    from pathlib import Path

IRVE = (
    "id_station_itinerance,id_pdc_itinerance,puissance_nominale,prise_type_ef,prise_type_2,"
    "prise_type_combo_ccs,coordonneesXY,nbre_pdc,date_maj,condition_acces,nom_operateur\n"
    'FRA68P1,FRA68E1,22,TRUE,true,0,"[7.4871,48.3453]",2,2024-01-02,Accès libre,Société Y\n'
    'FRA68P1,FRA68E2,150,False,VRAI,oui,"[7.4871,48.3453]",2,2024-01-03,Accès libre,Société Y\n'
    'FRA68P2,FR*A68*E3,"7,4 kW",,1,non,"[2.3,48.9]",9,2024-01-02,Accès réservé,\n'
)
BNETZA = (
    "Register;;;;;;;;;;\n"
    "Letzte Aktualisierung vom: 07.07.2026;;;;;;;;;;\n"
    "Ladeeinrichtungs-ID;Betreiber;Status;"
    "Anzahl Ladepunkte;Nennleistung Ladeeinrichtung [kW];"
    "Breitengrad;Längengrad;Steckertypen1;Nennleistung Stecker1;EVSE-ID1;Postleitzahl\n"
    '0012;"Stadtwerke\nKöln";In Betrieb;1;22,5;50,94;6,96;"AC Typ 2 Steckdose; AC Schuko";'
    '"22; 3,7";DE*SWK*E1;02001\n'
    "0013;Bahn;In Wartung;1;300;50,95;6,97;DC CHAdeMO;50;kein;50667\n"
)
AFDC = (
    "Fuel Type Code,Station Name,Status Code,EV Level2 EVSE Num,EV DC Fast Count,"
    "EV Connector Types,EV Network,Latitude,Longitude,ID,Access Code\n"
    "ELEC,City Hall,E,2,1,J1772 J1772COMBO CHADEMO,ChargePoint,47.6,-122.3,33717,public\n"
    "ELEC,Hotel,P,4,,TESLA,Tesla Destination,47.7,-122.4,33718,private\n"
    "LPG,Gas,E,,,,,47.7,-122.4,33719,public\n"
)
NCR = (
    "chargeDeviceID,name,latitude,longitude,chargeDeviceStatus,connector1Type,"
    "connector1RatedOutputKW,connector1TetheredCable,connector1ChargeMethod,dateDeleted\n"
    "02001,Road,51.4,0.03,In service,Type 2 Mennekes (IEC62196),7.0,1,Single Phase AC,n/a\n"
    "02002,Street,51.5,-0.4,Out of service,JEVS G105 (CHAdeMO) DC,50,0,DC,2021-01-01\n"
)
FLAT = (
    "id,title,lat,lon,connection_types,power_kw,quantity,status\n"
    '8745,"The Avenue",-31.9,115.8,"CCS (Type 2), CHAdeMO",50.0,2,Operational\n'
)
LOCATION: dict[str, Any] = {
    "id": "LOC1", "country_code": "NL", "party_id": "PFG", "country": "NLD",
    "coordinates": {"latitude": "52.1", "longitude": "5.1"}, "name": "Square", "city": "Utrecht",
    "operator": {"name": "PowerGo"}, "last_updated": "2025-06-21T11:20:36Z",
    "evses": [
        {"uid": "1", "evse_id": "NL*PFG*E1", "status": "CHARGING ", "connectors": [
            {"id": "1", "standard": "IEC_62196_T2", "format": "socket", "power_type": "ac_3_phase",
             "max_voltage": "230", "max_amperage": 16, "max_electric_power": None},
            {"id": "2", "standard": "IEC_62196_T2_COMBO", "format": "CABLE", "power_type": "DC",
             "max_voltage": 400, "max_amperage": 125, "max_electric_power": 150000}]},
        {"uid": "2", "evse_id": "NL.PFG.H2", "status": "REMOVED", "connectors": [
            {"id": "1", "standard": "IEC_62196_T2", "format": "CABLE", "power_type": "AC_3_PHASE",
             "max_voltage": 400, "max_amperage": 32}]},
    ],
}  # fmt: skip
DATEX: dict[str, Any] = {
    "payload": {"aegiEnergyInfrastructureTablePublication": {
        "publicationTime": "2026-03-19T00:00:00Z",
        "energyInfrastructureTable": [{"idG": "t", "energyInfrastructureSite": [{
            "idG": "S1",
            "locationReference": {"locAreaLocation": {
                "coordinatesForDisplay": {"latitude": 48.7, "longitude": 9.6}}},
            "dedicatedParkingSpaces": [{"numberOfSpaces": 2, "applicableForVehicles": [
                {"vehicleType": [{"value": "lorry"}]}]}],
            "energyInfrastructureStation": [{
                "idG": "1", "totalMaximumPower": 300000.0, "refillPoint": [
                    {"aegiElectricChargingPoint": {
                        "idG": "DE*EBW*E1*1", "currentType": {"value": "dc"},
                        "availableChargingPower": [50000.0, 400000.0],
                        "connector": [{"connectorType": {"value": "iec62196T2COMBO"},
                                       "maxPowerAtSocket": 400000.0}]}},
                    {"aegiElectricChargingPoint": {
                        "idG": "DE*EBW*E1*2", "currentType": {"value": "dc"},
                        "connector": [{"connectorType": {"value": "mcs"},
                                       "maxPowerAtSocket": 1200000}]}}]}]}]}]}}
}  # fmt: skip
NOBIL: dict[str, Any] = {"chargerstations": [{
    "csmd": {"id": 1, "name": "G&aring;rd", "Position": "(59.9,10.7)", "Number_charging_points": 2,
             "Land_code": "NOR", "International_id": "NOR_00001", "Station_status": 1},
    "attr": {"st": {"2": {"attrtypeid": "2", "attrvalid": "1"}}, "conn": {
        "1": {"4": {"attrtypeid": "4", "attrvalid": "50", "trans": "Both"},
              "5": {"attrtypeid": "5", "attrvalid": "11"}},
        "2": {"4": {"attrtypeid": "4", "attrvalid": "70"},
              "26": {"attrtypeid": "26", "attrvalid": "2"}}}}}]}  # fmt: skip
OICP: dict[str, Any] = {"EVSEData": [{"OperatorName": "Move", "EVSEDataRecord": [
    {"EvseID": "CH*MOV*E1", "GeoCoordinates": {"Google": "47.4 8.5"}, "Plugs": ["CHAdeMO"],
     "ChargingFacilities": [{"power": "50", "powertype": "DC"}],
     "Address": {"Country": "CHE"}},
    {"EvseID": "CH*MOV*E2", "GeoCoordinates": {"Google": "8.5001,47.4"},
     "Plugs": ["Type 2 Outlet", "Type J Swiss Standard"], "Address": {"Country": "41"},
     "ChargingFacilities": [{"Voltage": 230, "Amperage": 32, "powertype": "AC_3_PHASE"}]},
]}]}  # fmt: skip
OSM: dict[str, Any] = {"version": 0.6, "osm3s": {}, "generator": "Overpass API", "elements": [
    {"type": "way", "id": 1, "center": {"lat": 52.0, "lon": 5.0},
     "tags": {"amenity": "charging_station", "operator": "A", "socket:type2": "4"},
     "geometry": [{"lat": 51.999, "lon": 4.999}, {"lat": 51.999, "lon": 5.001},
                  {"lat": 52.001, "lon": 5.001}, {"lat": 51.999, "lon": 4.999}]},
    {"type": "node", "id": 2, "lat": 51.9995, "lon": 5.0005,
     "tags": {"man_made": "charge_point", "socket:type2": "2", "socket:type2:output": "22000 W"}},
    {"type": "node", "id": 3, "lat": 53.0, "lon": 5.0,
     "tags": {"amenity": "charging_station", "socket:chademo": "yes",
              "socket:chademo:output": "50", "capacity": "9"}},
    {"type": "node", "id": 4, "lat": 53.0, "lon": 5.1,
     "tags": {"amenity": "charging_station", "bicycle": "yes", "motorcar": "no"}}]}  # fmt: skip

REGISTERS: dict[str, bytes] = {
    "irve": IRVE.encode(),
    "bnetza": BNETZA.encode("utf-8-sig"),
    "afdc": AFDC.encode(),
    "ncr": NCR.encode(),
    "ocm_csv": FLAT.encode(),
    "ocpi": json.dumps({"status_code": 1000, "data": [LOCATION]}).encode(),
    "datex2": json.dumps(DATEX).encode(),
    "nobil": json.dumps(NOBIL).encode(),
    "oicp": json.dumps(OICP).encode(),
    "osm": json.dumps(OSM).encode(),
}
ENDINGS = {"irve": "csv", "bnetza": "csv", "afdc": "csv", "ncr": "csv", "ocm_csv": "csv"}


def write(folder: Path, kind: str, data: bytes | None = None) -> Path:
    path = folder / f"{kind}.{ENDINGS.get(kind, 'json')}"
    path.write_bytes(REGISTERS[kind] if data is None else data)
    return path


def read(path: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.OCMWarning)
        return read_register(path, **options)


def plugs_of(stations: Any) -> list[tuple[Any, ...]]:
    table = ocm.connections(stations)[["connection_type_id", "current_type_id", "power_kw"]]
    return [tuple(row) for row in table.fillna(-1).astype("object").itertuples(index=False)]


@pytest.mark.parametrize("kind", sorted(REGISTERS))
def test_each_kind_is_recognised_and_accounted_for(tmp_path: Path, kind: str) -> None:
    stations = read(write(tmp_path, kind))
    facts = stations.attrs["ocm"]
    assert facts["register"] == kind
    report = facts["report"]
    assert report["n_read"] == report["n_kept"] + report["n_rejected"] > 0
    assert stations.index.name == "station_id"
    assert stations.index.is_monotonic_increasing
    assert stations.index.is_unique
    assert facts["attribution"] == ocm.registers().loc[kind, "attribution"]
    assert ocm.attribution(stations).short == facts["attribution"]
    assert read(write(tmp_path, kind), kind=kind).equals(stations)
    with pytest.raises(ocm.RegisterError, match="understood are"):
        read(write(tmp_path, kind), kind="irve" if kind == "ocpi" else "ocpi")


def test_irve(tmp_path: Path) -> None:
    stations = read(write(tmp_path, "irve"))
    assert stations["n_points"].tolist() == [2, 1]
    assert stations["total_power_kw"].tolist() == [172, 7.4]
    assert stations["usage_type_id"].tolist() == [1, 6]
    assert plugs_of(stations) == [
        (23, 10, -1), (25, 20, 22.0), (25, 20, -1), (33, 30, 150.0), (25, 10, 7.4),
    ]  # fmt: skip
    assert read(write(tmp_path, "irve"), evses=True)["evse_id"].tolist() == [
        "FRA68E1", "FRA68E2", "FRA68E3",
    ]  # fmt: skip


def test_bnetza(tmp_path: Path) -> None:
    stations = read(write(tmp_path, "bnetza"))
    assert stations.index.tolist() == ["0012", "0013"]
    assert stations["operator_reference"].tolist()[1] == "Bahn"
    assert stations["postcode"].tolist() == ["02001", "50667"]
    assert stations["status_type_id"].tolist() == [50, 30]
    assert stations["total_power_kw"].tolist() == [22.5, 300]
    assert stations.attrs["ocm"]["data_date"] == "2026-07-07"
    assert [row[2] for row in plugs_of(stations)] == [22.0, 3.7, 50.0]
    points = read(write(tmp_path, "bnetza"), evses=True)
    assert points["evse_id"].fillna("").tolist() == ["DESWKE1", ""]
    assert points["evse_id_raw"].tolist() == ["DE*SWK*E1", "kein"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    stations = read(write(tmp_path, "bnetza", BNETZA.encode(encoding)))
    assert stations["operator_reference"].tolist()[0].startswith("Stadtwerke")
    assert "Köln" in stations["operator_reference"].tolist()[0]


def test_afdc(tmp_path: Path) -> None:
    stations = read(write(tmp_path, "afdc"))
    assert stations.index.tolist() == [33717, 33718]
    assert stations["n_points"].tolist() == [3, 4]
    assert stations["usage_type_id"].tolist() == [1, 2]
    assert stations["status_type_id"].tolist() == [50, 150]
    assert [row[:2] for row in plugs_of(stations)] == [(1, 10), (32, 30), (2, 30), (30, 10)]
    assert stations.attrs["ocm"]["report"]["reasons"] == {"not electric": 1}


def test_afdc_json(tmp_path: Path) -> None:
    station = {
        "id": 5, "fuel_type_code": "ELEC", "latitude": 47.6, "longitude": -122.3, "country": "US",
        "ev_dc_fast_num": 2, "ev_charging_units": [{"network": "Tesla", "port_count": 2,
        "charging_level": "dc_fast", "connectors": {"TESLA": {"power_kw": 250, "port_count": 2}}}],
    }  # fmt: skip
    stations = read(write(tmp_path, "json", json.dumps({"fuel_stations": [station]}).encode()))
    assert plugs_of(stations) == [(27, 30, 250.0)]
    assert stations["total_power_kw"].tolist() == [500]


def test_ncr(tmp_path: Path) -> None:
    stations = read(write(tmp_path, "ncr"))
    assert stations.index.tolist() == ["02001"]
    assert plugs_of(stations) == [(1036, 10, 7.0)]
    assert stations.attrs["ocm"]["report"]["reasons"] == {"deleted": 1}


@pytest.mark.parametrize(
    "envelope",
    [
        lambda x: {"status_code": 1000, "data": [x]},
        lambda x: [x],
        lambda x: x,
        lambda x: {"items": [x], "next": "abc"},
        lambda x: {"Locations": [x], "status": "ok"},
        lambda x: {"LOC1": x},
        lambda x: [{"data": [x]}],
    ],
)
def test_ocpi_in_every_envelope(tmp_path: Path, envelope: Any) -> None:
    path = write(tmp_path, "ocpi", json.dumps(envelope(LOCATION)).encode())
    stations, points = read(path), read(path, evses=True)
    assert stations.index.tolist() == ["LOC1"]
    # 230 V is between phase and neutral: 3 x 230 x 16; the removed point counts for nothing.
    assert [row[2] for row in plugs_of(stations)] == pytest.approx([11.04, 150.0])
    assert stations["n_points"].tolist() == [1]
    assert stations["total_power_kw"].tolist() == [150]
    assert stations["status_type_id"].tolist() == [50]
    assert points["status_type_id"].tolist() == [20, 200]
    assert points["evse_id"].tolist() == ["NLPFGE1", "NLPFGEH2"]


def test_ocpi_ids_that_two_parties_use(tmp_path: Path) -> None:
    other = {**LOCATION, "party_id": "XYZ", "evses": []}
    stations = read(write(tmp_path, "ocpi", json.dumps([LOCATION, other]).encode()))
    assert stations.index.tolist() == ["NL*PFG*LOC1", "NL*XYZ*LOC1"]


def test_repeated_evse_ids_keep_the_newest(tmp_path: Path) -> None:
    newer = {**LOCATION, "id": "LOC2", "last_updated": "2026-01-01T00:00:00Z"}
    newer["evses"] = [
        {**evse, "last_updated": "2026-01-01T00:00:00Z"} for evse in LOCATION["evses"]
    ]
    stations = read(write(tmp_path, "ocpi", json.dumps([LOCATION, newer]).encode()))
    assert stations["n_points"].fillna(0).tolist() == [0, 1]
    # A location that only repeats another one is marked, and is not part of any answer.
    assert stations["status_type_id"].tolist() == [210, 50]


def test_datex2(tmp_path: Path) -> None:
    with pytest.warns(ocm.UnknownCode, match="mcs"):
        stations = read_register(write(tmp_path, "datex2"))
    points = read(write(tmp_path, "datex2"), evses=True)
    # The sum of the points is 1,600 kW, and the station delivers 300.
    assert stations["total_power_kw"].tolist() == [300]
    assert points["power_kw"].tolist() == [400, 1200]
    extra = json.loads(stations["extra"].iloc[0])
    assert extra["n_heavy_vehicle_bays"] == 2
    assert ocm.connections(stations)["comments"].tolist()[1] == "Unknown (mcs)"


def test_datex2_as_xml_refuses_entities(tmp_path: Path) -> None:
    text = '<!DOCTYPE x [<!ENTITY a "b">]><payload><energyInfrastructureTable/></payload>'
    path = tmp_path / "x.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ocm.RegisterError, match="entities"):
        read_register(path)


def test_nobil(tmp_path: Path) -> None:
    stations = read(write(tmp_path, "nobil"))
    assert stations["title"].tolist() == ["Gård"]
    assert (stations.geometry.x.iloc[0], stations["country_code"].iloc[0]) == (10.7, "NO")
    # Two connectors of one charging point; the pump for hydrogen is none.
    assert plugs_of(stations) == [(25, 20, 22.0), (28, 20, 22.0)]
    assert stations["total_power_kw"].tolist() == [22]


def test_oicp(tmp_path: Path) -> None:
    stations, points = read(write(tmp_path, "oicp")), read(write(tmp_path, "oicp"), evses=True)
    assert len(stations) == 1
    assert stations["n_points"].tolist() == [2]
    assert sorted(points["power_kw"]) == pytest.approx([22.08, 50])


def test_osm(tmp_path: Path) -> None:
    stations = read(write(tmp_path, "osm"))
    assert stations.index.tolist() == ["node/3", "way/1"]
    # The charge point inside takes the place of the sockets of the area.
    assert stations["n_connectors"].tolist() == [1, 2]
    assert stations["max_power_kw"].tolist() == [50, 22]
    assert stations["n_points"].isna().all()
    assert stations.attrs["ocm"]["report"]["reasons"] == {"for bicycles alone": 1}


def test_powers_no_connector_has(tmp_path: Path) -> None:
    text = IRVE.replace(",150,", ",7360,").replace(",22,", ",0,")
    stations = read(write(tmp_path, "irve", text.encode()))
    report = stations.attrs["ocm"]["report"]
    assert report["missing"]["connections.power_kw"] == 3
    assert "stated power 7360 kW" in ocm.connections(stations)["comments"].dropna().tolist()
    assert stations["max_power_kw"].max() == 7.4


def test_positions(tmp_path: Path) -> None:
    text = IRVE.replace('"[2.3,48.9]"', '"[48.9,2.3]"').replace(
        '"[7.4871,48.3453]"', '"[7.4,I8.3]"'
    )
    with pytest.warns(ocm.SuspectInput, match="1 of 1 stations"):
        stations = read_register(write(tmp_path, "irve", text.encode()))
    assert json.loads(stations["extra"].iloc[0])["position_suspect"] == "swapped"
    assert stations.attrs["ocm"]["report"]["reasons"] == {"no position": 2}


def test_files_that_are_packed(tmp_path: Path) -> None:
    plain = read(write(tmp_path, "irve"))
    packed = tmp_path / "irve.csv.gz"
    packed.write_bytes(gzip.compress(REGISTERS["irve"]))
    assert read(packed).equals(plain)
    archive = tmp_path / "irve.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("data/irve.csv", REGISTERS["irve"])
    assert read(archive).equals(plain)


def test_rows_in_any_order_and_files_that_are_split(tmp_path: Path) -> None:
    header, *rows = IRVE.splitlines(keepends=True)
    plain = read(write(tmp_path, "irve"))
    shuffled = read(write(tmp_path, "irve", (header + "".join(rows[::-1])).encode()))
    same = plain.drop(columns="connections").equals(shuffled.drop(columns="connections"))
    assert same
    parts = [write(tmp_path, f"part{i}", (header + row).encode()) for i, row in enumerate(rows)]
    assert read(parts).drop(columns="connections").equals(plain.drop(columns="connections"))


def test_workbooks(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    import csv  # noqa: PLC0415 - used here alone
    import io  # noqa: PLC0415

    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(BNETZA), delimiter=";"):
        book.active.append([cell or None for cell in row])
    path = tmp_path / "Ladesaeulenregister.xlsx"
    book.save(path)
    stations = read(path)
    assert stations["total_power_kw"].tolist() == [22.5, 300]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"name,age,town\nAnna,3,Bonn\n"),
        ("a.json", b'{"ConnectionTypes":[],"StatusTypes":[]}'),
        ("a.json", b"[1,2,3]"),
        ("a.json", b'{"data":[{"id":1'),
        ("a.xml", b"<kml><Document/></kml>"),
        ("a.html", b"<!doctype html><html><title>Log in</title></html>"),
        ("a.txt", b"hello"),
        ("a.csv", b""),
        ("a.zip", b"PK\x03\x04 cut"),
        ("a.osm.pbf", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18"),
    ],
)
def test_what_is_no_register_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ocm.RegisterError, match=name.split(".", maxsplit=1)[0]):
        read_register(path)


def test_arguments(tmp_path: Path) -> None:
    path = write(tmp_path, "irve")
    with pytest.raises(ocm.QueryError, match="choose afdc, bnetza"):
        read_register(path, "nothing")
    with pytest.raises(ocm.QueryError, match="evses"):
        read_register(path, evses="yes")  # type: ignore[arg-type] # wrong on purpose
    with pytest.raises(ocm.QueryError, match="there is no file"):
        read_register(tmp_path / "none.csv")
    with pytest.raises(ocm.RegisterError, match="several registers"):
        read([path, write(tmp_path, "ocpi")])


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Damage a file in one of the ways that files are damaged."""
    at, length = chance.randrange(len(data)), chance.randrange(1, 40)
    piece = data[at : at + length]
    match chance.randrange(6):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[at + length :]
        case 2:
            return data[:at] + piece * 3 + data[at:]
        case 3:
            return data[:at] + bytes(chance.randrange(256) for _ in piece) + data[at + length :]
        case 4:
            words = [b"null", b"-1", b"1e400", b'"x"', b"[]", b"{}", b"true", b"NaN", b"\x00", b""]
            return data[:at] + chance.choice(words) + data[at + length :]
    return data.replace(piece[:3], chance.choice([b"", b'"', b",", b";", b"9" * 30]))


@pytest.mark.parametrize("kind", sorted(REGISTERS))
def test_damaged_files_end_in_no_other_error(tmp_path: Path, kind: str) -> None:
    chance = random.Random(f"damaged {kind}")  # noqa: S311 - not for secrets
    n_read = 0
    for _ in range(60):
        path = write(tmp_path, kind, mutate(REGISTERS[kind], chance))
        for evses in (False, True):
            try:
                report = read(path, evses=evses).attrs["ocm"]["report"]
            except (ocm.RegisterError, ocm.QueryError):
                continue
            assert report["n_read"] == report["n_kept"] + report["n_rejected"]
            n_read += 1
    assert n_read > 4


@pytest.mark.parametrize("kind", sorted(REGISTERS))
def test_stations_of_a_register_work_everywhere(tmp_path: Path, kind: str) -> None:
    stations = read(write(tmp_path, kind))
    assert len(ocm.add_labels(stations)) == len(stations)
    ocm.write(stations, tmp_path / "stations.parquet")
    again = ocm.read(tmp_path / "stations.parquet")
    assert again.index.tolist() == stations.index.tolist()
    assert again.attrs["ocm"]["register"] == kind
    plugs = ocm.connections(again)
    assert plugs.columns[0] == "station_id"
