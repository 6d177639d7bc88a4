"""Matching on pairs whose identity is known by device numbers, references or lone brands."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

pytestmark = [
    pytest.mark.real_data,
    # The Dutch register has powers in W among those in kW; what a source covers is not the matter.
    pytest.mark.filterwarnings("ignore::ocm_geo.SuspectInput"),
    pytest.mark.filterwarnings("ignore::ocm_geo.OutsideData"),
]
CONNECTORS = {
    "IEC_62196_T2": 25,
    "CHADEMO": 2,
    "IEC_62196_T2_COMBO": 33,
    "DOMESTIC_F": 28,
    "IEC_62196_T1": 1,
    "IEC_62196_T1_COMBO": 32,
    "TESLA_S": 30,
}


def stations_of(folder: Path, data: Path, country: str) -> gpd.GeoDataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.OCMWarning)
        mirror = ocm.Mirror.build(folder, data)
        return ocm.stations_from_country(country, source=mirror)


@pytest.fixture(scope="module")
def netherlands(
    data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Open Charge Map of 2023, and half of the national register of 2026 without its ids."""
    path = data_dir / "ocm/nl_2023-10/ocm_nl_20231009_rebuilt_compact.json"
    ours = stations_of(tmp_path_factory.mktemp("nl") / "mirror", path, "NL")
    rows = pd.read_csv(
        data_dir / "registers/nl_ndw/ndw_2026-06-07_half_a.csv.gz", dtype={"location_id": str}
    ).drop_duplicates("location_id", ignore_index=True)
    rows["kind"] = rows["standards"].str.split(";").str[0].map(CONNECTORS).fillna(0).astype(int)
    theirs = ocm.stations_from_table(
        rows,
        id="location_id",
        title="name",
        power_kw="max_power_kw",
        connector="kind",
        quantity="n_connectors",
        n_points="n_evses",
        operator="operator",
        lon="longitude",
        lat="latitude",
        country="NL",
        attribution="NDW (CC0)",
    )
    for name in ("address", "postcode"):
        theirs[name] = rows.set_index("location_id")[name].astype("string")
    return ours, theirs


def true_pairs(data_dir: Path, name: str, column: str) -> dict[str, dict[int, set[str]]]:
    """Pairs with positions of their own, by verdict."""
    rows = pd.read_csv(data_dir / f"registers/matching/{name}.csv", dtype=str)
    rows = rows[rows["copied_position"] == "False"]
    verdicts = rows["verdict"] if "verdict" in rows else pd.Series("same", index=rows.index)
    return {
        str(verdict): {
            int(i): set(ids.split(";")) for i, ids in zip(t["ocm_id"], t[column], strict=True)
        }
        for verdict, t in rows.groupby(verdicts)
    }


def count(matches: pd.DataFrame, truth: dict[int, set[str]]) -> tuple[int, int]:
    """Count the right and the wrong matches of stations whose partner is known."""
    found = dict(zip(matches["id_a"], matches["id_b"].astype(str), strict=True))
    right = sum(found.get(i) in ids for i, ids in truth.items())
    return right, sum(i in found for i in truth) - right


def test_fast_chargers_are_found_without_identifiers(data_dir: Path, netherlands: Any) -> None:
    truth = true_pairs(data_dir, "nl_ocm2023_ndw2026_by_sparse_brand_half_a", "ndw_location_ids")
    matches = ocm.match_stations(*netherlands)
    assert count(matches, truth["sure"]) == (32, 0)
    assert count(matches, truth["twin_within_1km"]) == (28, 0)
    others, _ = count(matches, truth["same_brand_other_kind"])
    assert others <= 1


def test_a_shifted_register_matches_hardly_anything(netherlands: Any) -> None:
    ours, theirs = netherlands
    metres = theirs.to_crs(28992)
    shifted = metres.set_geometry(metres.translate(1400, 0))
    assert len(ocm.match_stations(ours, shifted)) <= 0.002 * len(ours)


def test_british_posts_are_found_by_their_numbers(data_dir: Path, tmp_path: Path) -> None:
    ours = stations_of(
        tmp_path / "mirror", data_dir / "ocm/world_2020-11/poi_partial_5685.json.gz", "GB"
    )
    path = data_dir / "other_charging/uk_ncr_2020/national-charge-point-registry.csv"
    rows = pd.read_csv(path, dtype=str).drop_duplicates("chargeDeviceID")
    rows = rows.assign(
        lon=pd.to_numeric(rows["longitude"], errors="coerce"),
        lat=pd.to_numeric(rows["latitude"], errors="coerce"),
    )
    rows = rows[rows["lat"].between(49, 61) & rows["lon"].between(-9, 3)].reset_index(drop=True)
    theirs = ocm.stations_from_table(
        rows,
        id="chargeDeviceID",
        title="name",
        lon="lon",
        lat="lat",
        country="GB",
        attribution="NCR (OGL)",
    )
    references = rows.set_index("chargeDeviceID")["reference"]
    theirs["operator_reference"] = references.astype("string")
    truth = true_pairs(data_dir, "uk_ocm2020_ncr2020_by_operator_ref", "ncr_charge_device_id")
    matches = ocm.match_stations(ours, theirs)
    assert count(matches, truth["same"]) == (29, 0)
    assert count(matches, truth["reference_collision"])[0] == 0


def test_imports_are_found_by_the_id_they_came_with(data_dir: Path, tmp_path: Path) -> None:
    ours = stations_of(tmp_path / "mirror", data_dir / "ocm/austin_2026-02/ocm_austin.json", "US")
    rows = pd.read_csv(data_dir / "registers/us_afdc/afdc_2022_austin_5cols.csv")
    theirs = ocm.stations_from_table(
        rows,
        id="ID",
        title="Station Name",
        lon="Longitude",
        lat="Latitude",
        country="US",
        attribution="AFDC",
    )
    truth = true_pairs(data_dir, "us_ocm_austin2026_afdc2022_by_provider_ref", "afdc_id")
    assert count(ocm.match_stations(ours, theirs), truth["same"]) == (45, 0)
