from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.reference import bundled, from_harvest, from_json, links, read, write
from ocm_geo.reference.credit import ATTRIBUTION

if TYPE_CHECKING:
    from pathlib import Path


def test_the_snapshot_has_the_counts_of_its_source() -> None:
    tables = bundled()
    sizes = {name: len(tables.table(name)) for name in ("countries", "levels", "status_types")}
    assert sizes == {"countries": 250, "levels": 3, "status_types": 10}
    assert len(tables.connection_types) == 43  # 41 of the source, and 1043 and 1044
    assert tables.date == "2021-08-13"
    assert tables.countries["iso_code"].is_unique
    assert tables.countries.loc[156, "iso_code"] == "NA"  # Namibia is not missing


@pytest.mark.parametrize(
    ("table", "code", "expected"),
    [
        ("countries", "NL", 159),
        ("countries", " netherlands", 159),
        ("countries", 159, 159),
        ("countries", "159", 159),
        ("connection_types", "ccs (TYPE 2)", 33),
        ("connection_types", "Type 2 (Tethered Connector)", 1036),
        ("current_types", "DC", 30),
        ("status_types", "Operational", 50),
    ],
)
def test_codes_are_ids_or_labels(table: str, code: Any, expected: int) -> None:
    assert bundled().resolve(table, code) == expected


def test_ac_is_both_alternating_currents() -> None:
    assert bundled().resolve_all("current_types", "AC") == (10, 20)
    assert bundled().resolve_all("current_types", ["AC", "DC", 30]) == (10, 20, 30)
    with pytest.raises(ocm.QueryError, match="several"):
        bundled().resolve("current_types", "AC")


@pytest.mark.parametrize(
    ("table", "code", "message"),
    [
        ("countries", "Netherland", "Netherlands"),
        ("connection_types", "Chademo 2", "CHAdeMO"),
        ("levels", 4, "similar ids are 3"),
        ("levels", True, "neither"),
        ("levels", 1.5, "neither"),
        ("planets", "Earth", "no reference table"),
    ],
)
def test_unknown_codes_offer_near_ones(table: str, code: Any, message: str) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        bundled().resolve(table, code)


def test_an_unknown_operator_may_exist() -> None:
    with pytest.warns(ocm.UnknownCode, match="3899"):
        assert bundled().resolve("operators", 3899) == 3899


def test_titles_that_occur_twice_mean_both() -> None:
    document = {
        "Operators": [{"ID": 5, "Title": "Stromtreter"}, {"ID": 9, "Title": "stromtreter "}]
    }
    tables = from_json(json.dumps(document).encode())
    assert tables.resolve_all("operators", "Stromtreter") == (5, 9)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a": 1}', b"<html>"])
def test_what_is_no_reference_data_is_refused(body: bytes) -> None:
    with pytest.raises(ocm.MalformedResponse):
        from_json(body)


def test_names_in_any_case_are_read() -> None:
    camel = {
        "countries": [{"id": 1, "title": "United Kingdom", "isoCode": "GB"}],
        "operators": None,
    }
    tables = from_json(json.dumps(camel).encode())
    assert tables.countries.loc[1, "iso_code"] == "GB"
    assert tables.operators.empty


def test_newer_rows_win_and_leave_what_they_do_not_say() -> None:
    harvest = {
        "usage_types": {1: {"ID": 1, "Title": "Open to all"}},
        "operators": {7: {"ID": 7, "Title": "X"}},
    }
    merged = bundled().merged(from_harvest(harvest, date="2026-01-01"))
    assert merged.usage_types.loc[1, "title"] == "Open to all"
    assert merged.usage_types.loc[1, "is_public"] is True or bool(
        merged.usage_types.loc[1, "is_public"]
    )
    assert merged.operators.loc[7, "title"] == "X"
    assert len(merged.countries) == 250


def test_a_folder_brings_them_back(tmp_path: Path) -> None:
    write(bundled(), tmp_path)
    again = read(tmp_path)
    for name in ("countries", "data_providers", "usage_types"):
        pd.testing.assert_frame_equal(again.table(name), bundled().table(name))


def test_labels_keep_the_table_and_mark_the_unknown() -> None:
    table = pd.DataFrame(
        {"operator_id": [1, 4321, None], "status_type_id": [50, 30, None]}, index=[7, 7, 9]
    ).astype("Int64")
    with pytest.warns(ocm.UnknownCode, match="1 codes") as caught:
        labelled = ocm.add_labels(table)
    assert len(caught) == 1
    assert labelled["operator"].tolist() == ["(Unknown Operator)", "Unknown (4321)", pd.NA]
    assert labelled["is_operational"].tolist() == [True, False, pd.NA]
    assert labelled.index.tolist() == [7, 7, 9]
    assert "operator" not in table


def test_labels_of_connections() -> None:
    plugs = ocm.connections(ocm.stations(source=ocm.sample()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        labelled = ocm.add_labels(plugs)
    assert {"connection_type", "current_type", "level", "status"} <= set(labelled)
    with pytest.raises(ocm.QueryError, match="no column of codes"):
        ocm.add_labels(pd.DataFrame({"a": [1]}))


def test_attribution_counts_and_warns() -> None:
    stations = ocm.stations(source=ocm.sample())
    stations["data_provider_id"] = pd.array(
        [26, 1, None] + [15] * (len(stations) - 3), dtype="Int64"
    )
    stations.attrs["ocm"] = {"attribution": ATTRIBUTION}
    credit = ocm.attribution(stations)
    assert credit.table["n_stations"].sum() == len(stations)
    assert "Not for commercial use" in credit.text
    assert "Unknown provider (1 stations" in credit.text
    assert credit.short.startswith("Data © Open Charge Map contributors")


def test_links() -> None:
    assert links.add_comment(5).endswith("/addcomment/5")
    assert links.add_photo(5).endswith("/addmediaitem/5")
    assert links.add_station().endswith("/poi/add")
    for wrong in (0, -1, "5", 1.5, True):
        with pytest.raises(ocm.QueryError, match="positive whole number"):
            links.details(wrong)  # type: ignore[arg-type]
