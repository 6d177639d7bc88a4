"""One row a connection, and where its power comes from."""

from __future__ import annotations

import geopandas as gpd
import pytest

import ocm_geo as ocm


def sites(*texts: str | None) -> gpd.GeoDataFrame:
    points = gpd.points_from_xy([5.0] * len(texts), [52.0] * len(texts))
    return gpd.GeoDataFrame(
        {"ocm_id": range(1, len(texts) + 1), "connections": list(texts)},
        geometry=points,
        crs="EPSG:4326",
    ).set_index("ocm_id")


RULES = {
    "given": ('{"ID":1,"PowerKW":50.0,"Amps":16,"Voltage":230}', 50.0, "given"),
    "single phase": ('{"ID":1,"Amps":16,"Voltage":230,"CurrentTypeID":10}', 3.7, "computed"),
    "three phases": (
        '{"ID":1,"Amps":32,"Voltage":400,"CurrentTypeID":20}',
        22.2,
        "computed",
    ),
    "direct": ('{"ID":1,"Amps":125,"Voltage":400,"CurrentTypeID":30}', 50.0, "computed"),
    "nothing": ('{"ID":1,"Quantity":2}', None, None),
    "zero": ('{"ID":1,"PowerKW":0.0}', None, None),
    "estimate": (
        '{"ID":1,"PowerKW":3.7,"Comments":"kW power is an estimate based on the connection type"}',
        3.7,
        "estimated_by_import",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_power_and_where_it_comes_from(rule: str) -> None:
    text, power, source = RULES[rule]
    row = ocm.connections(sites(f"[{text}]")).iloc[0]
    if power is None:
        assert row[["power_source", "power_kw"]].isna().all()
    else:
        assert row["power_source"] == source
        assert row["power_kw"] == pytest.approx(power)


def test_sites_without_connections_give_no_rows() -> None:
    table = ocm.connections(sites('[{"ID":1}]', None, "[]", '[{"ID":2},{"ID":3}]'))
    assert table["ocm_id"].tolist() == [1, 4, 4]
    assert table["connection_id"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("text", ["{", '{"ID":1}', '[{"ID":"x"}]', "[],[]"])
def test_a_text_that_is_no_list_names_its_station(text: str) -> None:
    with pytest.raises(ocm.QueryError, match="station 2"):
        ocm.connections(sites("[]", text))


@pytest.mark.parametrize(
    ("reference", "want"),
    [
        ("NL*GFX*EPP004046*2", "NLGFXEPP0040462"),
        ("nl-gfx-entlp007209-2", "NLGFXENTLP0072092"),
        ("NLALLEGO001348", "NLALLEGO001348"),
        (" DE.ABC.E12 34_5 ", "DEABCE12345"),
        ("DEABCE", None),
        ("XXABCE123", None),
        ("DE*ABC*123456", None),
        ("+49*123*456*7", None),
        ("deadbe12-ef34-4a56-8b90-abcdefabcdef", None),
        ("CHADEMO", None),
        ("J1772", None),
        ("", None),
    ],
)
def test_evse_ids_are_brought_to_one_form(reference: str, want: str | None) -> None:
    found = ocm.connections(sites(f'[{{"ID":1,"Reference":"{reference}"}},{{"ID":2}}]'))
    assert found["evse_id"].fillna("").tolist() == [want or "", ""]


def test_a_table_without_the_column_says_so() -> None:
    with pytest.raises(ocm.QueryError, match="connections"):
        ocm.connections(sites("[]").drop(columns="connections"))
