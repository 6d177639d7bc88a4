"""Labels as users write them: found, or refused with a suggestion only where it is close."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.reference import bundled
from ocm_geo.reference.finding import fold_name, has_operators

if TYPE_CHECKING:
    from pathlib import Path

COUNTRIES = {
    "AT": ("AUT", "Österreich", "Osterreich", "Oesterreich", "austria"),
    "BE": ("BEL", "België", "Belgique", "Belgien"),
    "BR": ("BRA", "Brasil"),
    "CH": ("CHE", "Schweiz", "Suisse", "Svizzera"),
    "CI": ("CIV", "Ivory Coast", "Côte d\u2019Ivoire", "Cote d'Ivoire"),
    "CZ": ("CZE", "Czechia", "Czech Republic", "Česko"),
    "DE": ("DEU", "Deutschland", "deutschland ", "Federal Republic of Germany"),
    "DK": ("DNK", "Danmark"),
    "EE": ("EST", "Eesti"),
    "ES": ("ESP", "España", "Espana"),
    "FI": ("FIN", "Suomi"),
    "GB": ("GBR", "UK", "U.K.", "Great Britain", "The United Kingdom", "Britain"),
    "GR": ("GRC", "EL", "Ελλάδα", "Hellas"),
    "HR": ("HRV", "Hrvatska"),
    "HU": ("HUN", "Magyarország"),
    "IE": ("IRL", "Éire", "Republic of Ireland"),
    "IS": ("ISL", "Ísland"),
    "IT": ("ITA", "Italia"),
    "JP": ("JPN", "日本"),
    "KR": ("KOR", "South Korea", "대한민국"),
    "MK": ("MKD", "North Macedonia"),
    "NA": ("NAM", "Namibia", "NA"),
    "NL": ("NLD", "Holland", "Nederland", "the Netherlands", "NEDERLAND"),
    "NO": ("NOR", "Norge"),
    "PL": ("POL", "Polska"),
    "PT": ("PRT", "Portugal"),
    "RU": ("RUS", "Russia", "Россия"),
    "SE": ("SWE", "Sverige"),
    "TR": ("TUR", "Türkiye", "Turkiye", "Turkey"),
    "US": ("USA", "U.S.A.", "United States of America", "America", "usa"),
    "VN": ("VNM", "Vietnam", "Viet Nam"),
}
WRITTEN = [(code, name) for code, names in COUNTRIES.items() for name in names]
CONNECTORS = {
    "NACS": (27, 30),
    "SAE J3400": (27, 30),
    "CCS": (32, 33),
    "CCS1": (32,),
    "CCS Type 1": (32,),
    "ccs2": (33,),
    "Combo 2": (33,),
    "Type 2": (25, 1036),
    "Mennekes": (25, 1036),
    "Type-2": (25, 1036),
    "IEC 62196-2 Type 2": (25, 1036),
    "Type 1": (1,),
    "J1772": (1,),
    "SAE J1772": (1,),
    "chademo": (2,),
    "Tesla": (8, 27, 30),
    "Supercharger": (27,),
    "GB/T": (1038, 1039, 1040),
    "GB/T DC": (1040,),
    "Schuko": (28,),
    "NEMA 14-50": (11,),
}


@pytest.mark.parametrize(("code", "name"), WRITTEN)
def test_countries_by_the_names_in_use(code: str, name: str) -> None:
    assert bundled().countries.loc[bundled().resolve("countries", name), "iso_code"] == code


def test_every_country_by_its_own_code_and_title() -> None:
    table = bundled().countries
    for column in ("iso_code", "title"):
        assert [bundled().resolve("countries", value) for value in table[column]] == [*table.index]


@pytest.mark.parametrize("name", ["England", "Scotland", "Wales", "northern ireland"])
def test_a_part_of_a_country_is_not_the_whole(name: str) -> None:
    with pytest.raises(ocm.QueryError, match=f"{name}.*United Kingdom.*polygon"):
        bundled().resolve("countries", name)


@pytest.mark.parametrize("name", CONNECTORS)
def test_connectors_by_the_names_in_use(name: str) -> None:
    assert bundled().resolve_all("connection_types", name) == CONNECTORS[name]


@pytest.mark.parametrize(
    ("table", "label", "suggested"),
    [
        ("countries", "Germny", "Germany"),
        ("countries", "Deutschlnd", "Germany"),
        ("countries", "Netherland", "Netherlands"),
        ("countries", "Korea", "Korea, Republic Of"),
        ("connection_types", "CSS (Type 2)", "CCS (Type 2)"),
        ("usage_types", "Membership", "Public - Membership Required"),
        ("status_types", "Operationel", "Operational"),
    ],
)
def test_close_labels_are_suggested(table: str, label: str, suggested: str) -> None:
    with pytest.raises(ocm.QueryError, match="did you mean") as caught:
        bundled().resolve_all(table, label)
    assert label in str(caught.value)
    assert suggested in str(caught.value)


@pytest.mark.parametrize(
    ("table", "label"),
    [
        ("countries", "XYZ"),
        ("countries", "Utrecht"),
        ("countries", "USB"),
        ("countries", "EU"),
        ("countries", "???"),
        ("connection_types", "NACSX"),
        ("connection_types", "MCS"),
        ("connection_types", "fast"),
        ("usage_types", "free"),
        ("levels", "rapid"),
    ],
)
def test_nothing_is_suggested_for_what_is_far_from_all(table: str, label: str) -> None:
    with pytest.raises(ocm.QueryError) as caught:
        bundled().resolve_all(table, label)
    assert label in str(caught.value)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        [33.0, 1],
        (33, "J1772"),
        {1, 33},
        np.array([1, 33]),
        np.array([1.0, 33.0]),
        np.array(["J1772", "CCS (Type 2)"]),
        pd.Series([33, 1]),
        pd.Series([33, 1], dtype="Int64"),
        pd.Index([1, 33]),
        pd.array(["1", "33"], dtype="string"),
        (i for i in (1, 33)),
        {1: "a", 33: "b"}.keys(),
    ],
    ids=lambda v: type(v).__name__,
)
def test_codes_in_any_sequence(values: Any) -> None:
    assert bundled().resolve_all("connection_types", values) == (1, 33)


@pytest.mark.parametrize(
    "value", [33, 33.0, np.int64(33), np.float64(33), "33", " 33 ", np.str_("33")]
)
def test_one_code_in_any_type(value: Any) -> None:
    assert bundled().resolve_all("connection_types", value) == (33,)


WRONG = (
    *(None, float("nan"), np.nan, pd.NA, pd.NaT, "", "  ", True, np.True_, 1.5, float("inf")),
    *(b"NL", {"NL": 1}, pd.DataFrame({"a": [1]}), object()),
)


@pytest.mark.parametrize("table", ["countries", "operators", "connection_types"])
@pytest.mark.parametrize("value", WRONG, ids=lambda v: repr(v)[:20])
@pytest.mark.parametrize("listed", [False, True])
def test_what_is_not_a_code_is_refused_by_name(table: str, value: Any, *, listed: bool) -> None:
    with pytest.raises(ocm.QueryError, match=table):
        bundled().resolve_all(table, [value] if listed else value)


@pytest.mark.parametrize("empty", [[], (), np.array([]), pd.Series(dtype="Int64"), set()])
def test_an_empty_list_is_refused(empty: Any) -> None:
    with pytest.raises(ocm.QueryError, match="countries: an empty list"):
        bundled().resolve_all("countries", empty)


def test_names_are_folded() -> None:
    assert fold_name(" The  U.S.A. ") == "usa"
    assert fold_name("Bosnia & Herzegovina") == fold_name("bosnia-AND_herzegovina")
    assert fold_name("Theia") == "theia"


def test_a_mirror_without_operator_names_tells_how_to_add_them(tmp_path: Path) -> None:
    place = {"Title": "a", "CountryID": 159, "Latitude": 52.1, "Longitude": 5.1}
    record = {"ID": 1, "OperatorID": 3534, "SubmissionStatusTypeID": 200, "AddressInfo": place}
    (tmp_path / "records.json").write_text(json.dumps([record]))
    names = {"Operators": [{"ID": 3534, "Title": "Chargers of Nowhere"}]}
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "referencedata.json").write_text(json.dumps(names))
    bare = ocm.Mirror.build(tmp_path / "bare", tmp_path / "records.json")
    assert not has_operators(bare.reference_data().operators)
    with pytest.raises(ocm.QueryError, match=r"'Fastned'.*Mirror\.build.*--reference"):
        ocm.stations(source=bare, operators="Fastned")
    with pytest.warns(ocm.UnknownCode, match=r"operator_id 3534.*Mirror\.build.*--reference"):
        ocm.add_labels(ocm.stations(source=bare))
    full = ocm.Mirror.build(
        tmp_path / "full",
        tmp_path / "records.json",
        reference=tmp_path / "names" / "referencedata.json",
    )
    assert ocm.add_labels(ocm.stations(source=full))["operator"].item() == "Chargers of Nowhere"
    assert len(ocm.stations(source=full, operators="Chargers of Nowhere")) == 1


def test_a_table_from_elsewhere_tells_to_open_its_mirror() -> None:
    table = gpd.GeoDataFrame({"operator_id": pd.array([3534], dtype="Int64")})
    table.attrs["ocm"] = {"reference": "of another machine"}
    with pytest.warns(ocm.UnknownCode, match=r"open its mirror.*reference="):
        ocm.add_labels(table)
    known = gpd.GeoDataFrame({"country_id": pd.array([159], dtype="Int64")})
    known.attrs["ocm"] = {"reference": "of another machine"}
    assert ocm.add_labels(known)["country"].item() == "Netherlands"
