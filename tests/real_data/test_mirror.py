from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

import ocm_geo as ocm
from ocm_geo.query import Everywhere, StationQuery

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "nl": ("ocm/nl_2023-10/ocm_nl_20231009_rebuilt_compact.json", 7907, 12555),
    "world": ("ocm/world_2020-11/poi_partial_5685.json.gz", 5685, 8361),
    "austin": ("ocm/austin_2026-02/ocm_austin.json", 684, 762),
}


@pytest.fixture(scope="module")
def mirrors(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ocm.Mirror]:
    root = tmp_path_factory.mktemp("mirrors")
    return {name: ocm.Mirror.build(root / name, data_dir / f) for name, (f, _, _) in FILES.items()}


@pytest.mark.parametrize("name", FILES)
def test_real_files_build_without_loss(mirrors: dict[str, ocm.Mirror], name: str) -> None:
    _, n_sites, n_plugs = FILES[name]
    report = mirrors[name].report
    assert (report.n_read, report.n_kept, report.n_rejected) == (n_sites, n_sites, 0)
    assert report.n_connections == n_plugs
    assert not report.coerced


def test_the_published_are_those_that_a_plain_reading_finds(
    mirrors: dict[str, ocm.Mirror], data_dir: Path
) -> None:
    with gzip.open(data_dir / FILES["world"][0], "rt", encoding="utf-8") as stream:
        records = [json.loads(line) for line in stream]
    published = [r for r in records if r["SubmissionStatusTypeID"] in {100, 200}]
    found = ocm.stations(source=mirrors["world"])
    assert found.index.tolist() == sorted(r["ID"] for r in published)
    assert len(found) == 5444
    countries = Counter(r["AddressInfo"]["Country"]["ISOCode"] for r in published)
    assert found["country_code"].value_counts().to_dict() == countries


def test_known_bad_rows(mirrors: dict[str, ocm.Mirror]) -> None:
    everything = mirrors["world"].fetch(StationQuery(Everywhere()))
    assert 9164 in everything.index
    near_zero = ocm.stations_from_bbox((-0.1, -0.1, 0.1, 0.1), source=mirrors["world"])
    assert near_zero.empty  # thirteen records lie at (0, 0), none of them published
    austin = ocm.connections(ocm.stations(source=mirrors["austin"]))
    assert (austin["power_source"] == "estimated_by_import").sum() == 516
    assert (austin["power_kw"] == 3.7).sum() == 489
    strongest = ocm.stations(source=mirrors["nl"], min_power_kw=401)
    assert strongest.index.tolist() == [274104]


def test_austin_answers_equal_the_third_partys_points(
    mirrors: dict[str, ocm.Mirror], data_dir: Path
) -> None:
    import geopandas as gpd  # noqa: PLC0415 - used here alone

    points = gpd.read_file(data_dir / "ocm/austin_2026-02/ocm_austin.geojson")
    found = ocm.stations(source=mirrors["austin"])
    assert len(found) == len(points) == 684
    here, there = (
        np.sort(np.column_stack([g.x, g.y]), axis=0) for g in (found.geometry, points.geometry)
    )
    assert here == pytest.approx(there, abs=1e-9)


def test_labels_of_a_verbose_source(mirrors: dict[str, ocm.Mirror]) -> None:
    source = mirrors["austin"]
    labelled = ocm.add_labels(ocm.stations(source=source), ocm.reference_data(source))
    assert (labelled["operator"] == "ChargePoint").sum() > 50
    assert not labelled["operator"].str.startswith("Unknown (").any()
    waiting = labelled[labelled["status_type_id"] == 30]
    assert len(waiting) == 49
    assert not waiting["is_operational"].any()


def test_a_licence_that_forbids_trade_is_told(mirrors: dict[str, ocm.Mirror]) -> None:
    credit = ocm.attribution(ocm.stations(source=mirrors["nl"]))
    assert "Not for commercial use: the data of Oplaadpalen.nl" in credit.text
    assert credit.table.set_index("data_provider_id")["n_stations"].to_dict() == {26: 7053, 1: 854}


def test_evse_ids_of_real_references(mirrors: dict[str, ocm.Mirror]) -> None:
    found = {n: ocm.connections(ocm.stations(source=m))["evse_id"] for n, m in mirrors.items()}
    assert found["world"].isna().all()  # 3,278 references such as J1772 and CHADEMO
    ids = found["nl"].dropna()
    assert ids.str.startswith("NL").all()
    assert len(ids) == 34  # the other 19 are UUIDs, numbers and words
    assert "NLGFXEPP0040462" in set(ids)


def test_real_powers_that_no_connector_delivers(mirrors: dict[str, ocm.Mirror]) -> None:
    """Each was looked at: amps x volts with a wrong voltage, or more than the socket can carry."""
    flagged = {}
    for name, mirror in mirrors.items():
        found = ocm.stations(source=mirror)
        plugs = ocm.connections(found)
        rows = plugs[~plugs["power_plausible"].fillna(value=True)]
        flagged[name] = list(zip(rows["ocm_id"], rows["power_kw"], strict=True))
        assert found["n_power_implausible"].sum() == len(rows)
    assert flagged == {
        "world": [(9799, 36.0), (11875, 12.2), (16039, 5.0)],
        "nl": [(35173, 7.0), (274104, 501.0)],
        "austin": [],
    }


def test_each_country_is_counted_as_a_plain_reading_counts_it(
    mirrors: dict[str, ocm.Mirror], data_dir: Path
) -> None:
    with gzip.open(data_dir / FILES["world"][0], "rt", encoding="utf-8") as stream:
        records = [json.loads(line) for line in stream]
    codes = Counter(r["AddressInfo"]["Country"]["ISOCode"] for r in records)
    shown = [r for r in records if r["SubmissionStatusTypeID"] in {100, 200}]
    published = Counter(r["AddressInfo"]["Country"]["ISOCode"] for r in shown)
    table = mirrors["world"].coverage.set_index("country_code")
    assert table["n_stations"].to_dict() == codes
    assert {code: n for code, n in table["n_published"].items() if n} == published
    for code in ("PT", "HK", "NZ"):
        places = [r["AddressInfo"] for r in shown if r["AddressInfo"]["Country"]["ISOCode"] == code]
        lons, lats = ([p[key] for p in places] for key in ("Longitude", "Latitude"))
        box = [min(lons), min(lats), max(lons), max(lats)]
        assert list(table.loc[code, ["west", "south", "east", "north"]]) == box
    report = mirrors["world"].report
    assert (report.n_published, report.n_without_status) == (5444, 0)
    assert mirrors["nl"].coverage["n_published"].tolist() == [7907]
    assert ocm.stations(source=mirrors["nl"]).attrs["ocm"]["covers"] == "NL"


def test_geojson_without_a_submission_status_is_published(data_dir: Path, tmp_path: Path) -> None:
    mirror = ocm.Mirror.build(tmp_path / "m", data_dir / "ocm/austin_2026-02/ocm_austin.geojson")
    assert mirror.report.n_without_status == mirror.report.n_published == 684
    assert len(ocm.stations(source=mirror)) == 684


@pytest.mark.parametrize("share", [0.31, 0.62, 0.93])
def test_a_real_file_cut_anywhere_keeps_its_whole_records(
    share: float, data_dir: Path, tmp_path: Path
) -> None:
    text = (data_dir / FILES["austin"][0]).read_bytes()
    records = json.loads(text)
    file = tmp_path / "pois.json"
    file.write_bytes(text[: int(len(text) * share)])
    with pytest.warns(ocm.DroppedRows, match="ends inside"):
        mirror = ocm.Mirror.build(tmp_path / "m", file)
    found = set(ocm.stations(source=mirror).index)
    assert found == {r["ID"] for r in records[: len(found)]}
    assert mirror.report.n_rejected == 1


OTHER_FILES = {
    "ocm/manchester_2019/gm_car_charging_points.csv": "CSV table",
    "ocm/manchester_2019/gm_car_charging_points.geojson": "GeoJSON of other things",
    "other_charging/uk_ncr_2020/national-charge-point-registry.csv": "CSV table",
    "other_charging/us_afdc_2019/alt_fuel_stations.csv": "CSV table",
    "ocm/reference_2021-08.json": "pass it as reference=",
    "osm_pbf/andorra.osm.pbf": "OpenStreetMap",
    "population/sao_miguel_gpw/concelhos.gpkg": "GeoPackage",
    "routes/graphhopper/test1.gpx": "GPX",
    "boundaries/natural_earth/ne_50m_admin_0_countries.7z": "7-Zip",
    "boundaries/nuts_2021/NUTS_RG_10M_2021_4326_LEVL_0.shp": "shapefile",
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_real_files_of_other_kinds_are_named(name: str, data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ocm.MirrorError) as error:
        ocm.Mirror.build(tmp_path / "m", data_dir / name)
    assert OTHER_FILES[name] in str(error.value)
    assert name.rpartition("/")[2] in str(error.value)
