"""Answers of the API in CSV are read, and what they leave out is said."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import ocm_geo as ocm
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """
ID|UUID| LocationTitle|AddressLine1|AddressLine2|Town|StateOrProvince|Postcode|Country|Latitude
|Longitude|Distance|DistanceUnit|Addr_ContactTelephone1|Addr_ContactTelephone2|Addr_ContactEmail
|Addr_AccessComments|Addr_GeneralComments|Addr_RelatedURL|ConnectionType|ChargerType|UsageType
|NumberOfPoints|GeneralComments|DateLastConfirmed|StatusType|DateLastStatusUpdate|DateCreated
""".replace("\n", "").split("|")
LABELS = ("Country", "ConnectionType", "UsageType", "StatusType")


def row(ocm_id: int, **more: str) -> dict[str, str]:
    values = dict.fromkeys(HEADER, "")
    return values | {
        "ID": str(ocm_id),
        "UUID": f"U{ocm_id}",
        " LocationTitle": "Market, square",
        "Postcode": "01234",
        "Country": "Netherlands",
        "Latitude": "52.25",
        "Longitude": "5.75",
        "Distance": "1.5",
        "DistanceUnit": "KM",
        "ConnectionType": "Type 2 (Socket Only); CCS (Type 2); ",
        "UsageType": "Public - Membership Required",
        "NumberOfPoints": "2",
        "StatusType": "Operational",
        "DateLastStatusUpdate": "05/01/2024 10:30:00",
        "DateCreated": "12/31/2019 00:00:00",
        **more,
    }


def written(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def build(folder: Path, text: str | bytes) -> tuple[ocm.Mirror, list[str]]:
    file = folder / "ocm.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8-sig"))
    with pytest.warns(ocm.OCMWarning) as caught:
        mirror = ocm.Mirror.build(folder / "m", file)
    return mirror, [str(warning.message) for warning in caught]


def test_the_values_of_a_row(tmp_path: Path) -> None:
    mirror, told = build(tmp_path, written([row(7), row(8, Country="", ConnectionType="")]))
    assert "no powers, quantities, levels, operators, data providers, licences" in told[0]
    assert "output=json" in told[0]
    found = ocm.stations(source=mirror)
    station = found.loc[7]
    assert (station.geometry.x, station.geometry.y) == (5.75, 52.25)
    assert station["title"] == "Market, square"
    assert station["postcode"] == "01234"
    assert (station["country_id"], station["country_code"]) == (159, "NL")
    assert (station["usage_type_id"], station["status_type_id"]) == (4, 50)
    assert station["n_points"] == 2
    assert station["date_last_status_update"] == pd.Timestamp("2024-05-01T10:30:00Z")
    assert station["date_created"] == pd.Timestamp("2019-12-31T00:00:00Z")
    assert pd.isna(station["max_power_kw"])
    assert station["n_power_missing"] == 2
    assert ocm.connections(found)["connection_type_id"].tolist() == [25, 33]
    assert pd.isna(found.loc[8, "country_code"])
    assert mirror.report.n_without_status == mirror.report.n_published == 2


def test_the_same_stations_as_the_answer_in_json(tmp_path: Path) -> None:
    records = [poi(i, lon=5 + i / 7, lat=52 - i / 9) for i in range(1, 40)]
    rows = [
        row(r["ID"], Latitude=repr(r["AddressInfo"]["Latitude"]),
            Longitude=repr(r["AddressInfo"]["Longitude"]))
        for r in records
    ]  # fmt: skip
    file = tmp_path / "pois.json"
    file.write_text(json.dumps(records))
    right = ocm.stations(source=ocm.Mirror.build(tmp_path / "json", file))
    found = ocm.stations(source=build(tmp_path, written(rows))[0])
    assert found.index.equals(right.index)
    assert found.geometry.geom_equals(right.geometry).all()
    assert found["country_code"].equals(right["country_code"])


def test_as_a_spreadsheet_saves_it(tmp_path: Path) -> None:
    saved = row(7, Latitude="52,25", Longitude="5,75", DateCreated="31.12.2019 00:00")
    saved |= {"DateLastStatusUpdate": "01.05.2024 10:30", " LocationTitle": "Café"}
    mirror, _ = build(tmp_path, written([saved], ";").encode("cp1252"))
    station = ocm.stations(source=mirror).loc[7]
    assert (station.geometry.x, station.geometry.y) == (5.75, 52.25)
    assert station["title"] == "Café"
    assert station["date_last_status_update"] == pd.Timestamp("2024-05-01T10:30:00Z")


DATES: dict[str, tuple[list[str], list[str | None]]] = {
    "month first": (["05/01/2024", "12/31/2024"], ["2024-05-01", "2024-12-31"]),
    "day first": (["05/01/2024", "31/12/2024"], ["2024-01-05", "2024-12-31"]),
    "both": (["12/31/2024", "31/12/2024"], [None, None]),
    "afternoon": (
        ["5/1/2024 1:05 PM", "5/1/2024 12:05 AM"],
        ["2024-05-01 13:05", "2024-05-01 00:05"],
    ),
    "ISO": (["2024-05-01T10:00:00Z", "2024-05-01"], ["2024-05-01 10:00", "2024-05-01"]),
    "nonsense": (["02/30/2024", "soon"], [None, None]),
}  # fmt: skip


@pytest.mark.parametrize("form", DATES)
def test_dates(form: str, tmp_path: Path) -> None:
    texts, right = DATES[form]
    rows = [row(i, DateLastStatusUpdate=text, DateCreated="") for i, text in enumerate(texts, 1)]
    mirror, told = build(tmp_path, written(rows))
    found = ocm.stations(source=mirror)["date_last_status_update"]
    expected = [pd.NaT if day is None else pd.Timestamp(day, tz="UTC") for day in right]
    assert all(a == b or (pd.isna(a) and pd.isna(b)) for a, b in zip(found, expected, strict=True))
    assert any("month first and day first" in text for text in told) == (form == "both")
    assert bool(mirror.report.coerced) == (form == "nonsense")


def test_a_short_row_in_the_middle_is_rejected_and_at_the_end_is_a_cut(tmp_path: Path) -> None:
    text = written([row(1), row(2), row(3)])
    whole = text.splitlines()
    broken, _ = build(tmp_path, "\n".join([*whole[:2], "9,U9,short", *whole[2:]]))
    assert broken.report.complete
    assert (broken.report.n_kept, broken.report.n_rejected) == (3, 1)
    cut, told = build(tmp_path, text[: text.rindex("5.75")])
    assert any("ends inside a row" in message for message in told)
    assert (cut.report.n_kept, cut.report.n_rejected, cut.report.complete) == (2, 1, False)


@pytest.mark.parametrize(
    ("column", "value", "n_kept"),
    [("ID", "x", 0), ("Latitude", "", 0), ("Longitude", "200", 0), ("NumberOfPoints", "many", 1)],
)
def test_wrong_values_are_accounted_for(
    column: str, value: str, n_kept: int, tmp_path: Path
) -> None:
    mirror, _ = build(tmp_path, written([row(1, **{column: value}), row(2)]))
    report = mirror.report
    assert (report.n_read, report.n_kept - 1, report.n_rejected) == (2, n_kept, 1 - n_kept)


def test_an_unknown_label_is_counted(tmp_path: Path) -> None:
    mirror, _ = build(tmp_path, written([row(1, Country="Atlantis", ConnectionType="Odd; ")]))
    assert mirror.report.coerced == {"connection_types (label)": 1, "countries (label)": 1}
    assert ocm.stations(source=mirror)["n_connectors"].tolist() == [1]


def test_a_compact_answer_has_no_labels(tmp_path: Path) -> None:
    mirror, _ = build(tmp_path, written([row(1, **dict.fromkeys(LABELS, ""))]))
    assert not mirror.report.coerced
    assert ocm.stations(source=mirror)["n_connectors"].tolist() == [0]
