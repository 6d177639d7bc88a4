"""Registers merged into one table, with the source of each value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    import geopandas as gpd


@pytest.fixture(scope="module")
def stations() -> gpd.GeoDataFrame:
    return ocm.stations_from_country("NL", source="sample")


@pytest.fixture(scope="module")
def register(stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A part of the stations as another register has them: other ids, titles and powers."""
    other = stations.iloc[30:120].copy()
    other.index = pd.Index([f"R{i}" for i in other.index], name="station_id")
    other["title"] = other["title"] + " (register)"
    other.loc[other.index[0], "max_power_kw"] = pd.NA
    other["town"] = pd.NA
    other.attrs = {"ocm": {"source": "register", "attribution": "The register", "covers": "NL"}}
    return other


def given_pairs(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> pd.DataFrame:
    ids = [i for i in a.index if f"R{i}" in set(b.index)]
    return pd.DataFrame({"id_a": ids, "id_b": [f"R{i}" for i in ids]})


def test_every_record_is_in_one_row(stations: gpd.GeoDataFrame, register: gpd.GeoDataFrame) -> None:
    a = stations.iloc[:60]
    merged = ocm.merge_stations(
        {"ocm": a, "register": register}, prefer="ocm", matches=given_pairs(a, register)
    )
    ids = [json.loads(text) for text in merged["source_ids"]]
    assert sorted(i["ocm"] for i in ids if "ocm" in i) == sorted(a.index)
    assert sorted(i["register"] for i in ids if "register" in i) == sorted(register.index)
    assert (merged["sources"] == "ocm register").sum() == 30
    assert len(merged) == 120
    assert merged.index.is_unique


def test_the_preferred_source_wins_and_the_other_fills(
    stations: gpd.GeoDataFrame, register: gpd.GeoDataFrame
) -> None:
    pairs = given_pairs(stations, register)
    tables = {"ocm": stations, "register": register}
    ours = ocm.merge_stations(tables, prefer="ocm", matches=pairs)
    theirs = ocm.merge_stations(tables, prefer=["register"], matches=pairs)
    one = pairs["id_a"].iloc[5]
    row, other = ours.loc[f"ocm:{one}"], theirs.loc[f"register:R{one}"]
    assert row["title"] == stations.loc[one, "title"]
    assert other["title"] == register.loc[f"R{one}", "title"]
    assert other["town"] == stations.loc[one, "town"]
    assert json.loads(row["lineage"])["title"] == "ocm"
    assert json.loads(other["lineage"]) == {"title": "register"}
    alone = ours.loc[ours["sources"] == "ocm", "lineage"]
    assert alone.isna().all()


def test_powers_and_connections_come_from_one_record(
    stations: gpd.GeoDataFrame, register: gpd.GeoDataFrame
) -> None:
    pairs = given_pairs(stations, register)
    merged = ocm.merge_stations(
        {"ocm": stations, "register": register}, prefer="register", matches=pairs
    )
    first = merged.loc[f"register:{register.index[0]}"]
    # The register's record has connections but no power: it is not mixed with the other's.
    assert pd.isna(first["max_power_kw"])
    assert first["connections"] == register["connections"].iloc[0]


def test_the_newest_record_wins(stations: gpd.GeoDataFrame, register: gpd.GeoDataFrame) -> None:
    newer = register.copy()
    newer["date_last_status_update"] = pd.Timestamp("2030-01-01", tz="UTC")
    newer.loc[newer.index[::2], "date_last_status_update"] = pd.NaT
    pairs = given_pairs(stations, newer)
    merged = ocm.merge_stations({"ocm": stations, "new": newer}, prefer="newest", matches=pairs)
    both = merged[merged["sources"] == "ocm new"]
    from_new = both["title"].str.endswith("(register)").to_numpy(dtype=bool)
    dated = set(newer.index[1::2])
    named = [json.loads(text)["new"] in dated for text in both["source_ids"]]
    assert from_new.tolist() == named


def test_three_registers_are_matched_and_grouped(stations: gpd.GeoDataFrame) -> None:
    parts = {
        name: stations.iloc[low:high].set_axis(
            pd.Index([f"{name}-{i}" for i in stations.index[low:high]], name="station_id")
        )
        for name, low, high in (("a", 0, 80), ("b", 40, 120), ("c", 60, 160))
    }
    for name, part in parts.items():
        part.attrs = {"ocm": {"source": name}}
    merged = ocm.merge_stations(parts, prefer=["c", "a"])
    counts = merged["sources"].value_counts()
    assert counts["a b c"] >= 19
    assert len(merged) == pytest.approx(160, abs=3)
    ids = [json.loads(text) for text in merged["source_ids"]]
    assert sum(map(len, ids)) == 80 + 80 + 100
    alike = [len({text.partition("-")[2] for text in group.values()}) == 1 for group in ids]
    assert sum(alike) >= len(alike) - 2


def test_a_merged_table_is_a_source(stations: gpd.GeoDataFrame, register: gpd.GeoDataFrame) -> None:
    merged = ocm.merge_stations(
        {"ocm": stations, "register": register},
        prefer="ocm",
        matches=given_pairs(stations, register),
    )
    near = ocm.stations_from_point((5.0, 52.0), 30, source=ocm.TableSource(merged))
    expected = ocm.stations_from_point((5.0, 52.0), 30, source="sample", countries="NL")
    assert {i.partition(":")[2] for i in near.index} == {str(i) for i in expected.index}
    assert near["distance_km"].is_monotonic_increasing
    facts = near.attrs["ocm"]
    assert "The register" in facts["attribution"]
    assert "invented" in facts["attribution"].casefold()
    labelled = ocm.add_labels(near)
    assert labelled["operator"].notna().any()


def test_wrong_arguments_are_named(stations: gpd.GeoDataFrame, register: gpd.GeoDataFrame) -> None:
    tables = {"ocm": stations, "register": register}
    with pytest.raises(ocm.QueryError, match=r"prefer .* 'afdc'"):
        ocm.merge_stations(tables, prefer="afdc")
    with pytest.raises(ocm.QueryError, match="two or more"):
        ocm.merge_stations({"ocm": stations}, prefer="ocm")
    with pytest.raises(ocm.QueryError, match="words of letters"):
        ocm.merge_stations({"ocm": stations, "a b": register}, prefer="ocm")
    with pytest.raises(ocm.QueryError, match="lineage"):
        ocm.merge_stations({"ocm": stations.assign(lineage=1), "b": register}, prefer="ocm")
    with pytest.raises(ocm.QueryError, match="not the names of two"):
        ocm.merge_stations(tables, prefer="ocm", matches={("ocm", "x"): pd.DataFrame()})
