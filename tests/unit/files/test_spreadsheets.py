"""Files that spreadsheets open and save."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd


@pytest.fixture(scope="module")
def few() -> gpd.GeoDataFrame:
    return ocm.stations(source=ocm.sample()).head(25)


def saved(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    text = f"name{separator}n\nZürich{separator}1\nŁódź{separator}2\n"
    if encoding == "utf-16-le-bom":
        text, encoding = "\ufeff" + text, "utf-16-le"
    table = ocm.read(saved(tmp_path / "t.csv", text, encoding))
    assert table["name"].tolist() == ["Zürich", "Łódź"]
    assert table["n"].tolist() == [1, 2]


def test_the_line_that_names_the_separator(tmp_path: Path) -> None:
    table = ocm.read(saved(tmp_path / "t.csv", "sep=;\na;b\n1,5;2\n"))
    assert table["a"].tolist() == [1.5]


def test_windows_text_is_read_with_a_warning(tmp_path: Path) -> None:
    path = saved(tmp_path / "t.csv", "name\nZürich\n", "cp1252")
    with pytest.warns(ocm.SuspectInput, match=r"t\.csv is not UTF-8: read as Windows-1252"):
        assert ocm.read(path)["name"].tolist() == ["Zürich"]


@pytest.mark.parametrize(
    ("texts", "right"),
    [
        (["31/12/2023", "01/02/2024"], ["2023-12-31", "2024-02-01"]),
        (["12/31/2023", "01/02/2024"], ["2023-12-31", "2024-01-02"]),
        (["01.02.2024", "03.04.2024"], ["2024-02-01", "2024-04-03"]),
        (["31-12-2023 9:05", "2024-02-01T00:00:00Z"], ["2023-12-31 09:05", "2024-02-01"]),
        (["01/02/2024", "03/04/2024"], None),
        (["31/12/2023", "12/31/2023"], None),
        (["31/12/23", "01/02/24"], None),
        (["45292", "45293"], None),
        (["yesterday", ""], None),
    ],
)
def test_dates(tmp_path: Path, texts: list[str], right: list[str] | None) -> None:
    path = saved(tmp_path / "t.csv", "\n".join(["n,date_created", *(f"1,{t}" for t in texts), ""]))
    if right is None:
        with pytest.raises(ocm.QueryError, match=r"t\.csv: column 'date_created' contains"):
            ocm.read(path)
        return
    assert ocm.read(path)["date_created"].tolist() == [pd.Timestamp(t, tz="UTC") for t in right]


@pytest.mark.parametrize(
    ("separator", "texts", "right"),
    [
        (";", ["22,5", "150"], [22.5, 150]),
        (";", ["1,234", ""], [1.234, None]),
        (",", ['"22,5"', '"150,25"'], [22.5, 150.25]),
        (",", ["1e3", " 2 "], [1000, 2]),
        (",", ['"1,234"', '"5,678"'], None),
        (";", ["1.234,5", "2"], None),
        (";", ["22,5", "22.5"], None),
        (",", ["22 kW", "3"], None),
    ],
)
def test_numbers(
    tmp_path: Path, separator: str, texts: list[str], right: list[float | None] | None
) -> None:
    lines = [f"n{separator}max_power_kw", *(f"1{separator}{text}" for text in texts), ""]
    path = saved(tmp_path / "t.csv", "\n".join(lines))
    if right is None:
        with pytest.raises(ocm.QueryError, match=r"t\.csv: column 'max_power_kw' contains"):
            ocm.read(path)
        return
    found = ocm.read(path)["max_power_kw"]
    assert [None if pd.isna(v) else v for v in found] == right


def test_whole_numbers_and_truth_as_spreadsheets_write_them(tmp_path: Path) -> None:
    text = "n_points;has_dc\n2,0;WAHR\n3;FALSCH\n;\n"
    table = ocm.read(saved(tmp_path / "t.csv", text))
    assert table["n_points"].tolist()[:2] == [2, 3]
    assert table["has_dc"].tolist()[:2] == [True, False]
    assert table.isna().all(axis=1).tolist() == [False, False, True]
    for wrong in ("n_points\n1,23E+15\n", "n_points\n2.5\n", "has_dc\nperhaps\n"):
        with pytest.raises(ocm.QueryError, match="column"):
            ocm.read(saved(tmp_path / "t.csv", wrong.replace(",", ".")))


def test_a_foreign_file_loses_nothing(tmp_path: Path) -> None:
    text = "id,code,big,x,flag,empty\n1,007,12345678901234567890,0.5,true,\n2,A1,5,1e3,FALSE,\n"
    table = ocm.read(saved(tmp_path / "t.csv", text))
    assert table["code"].tolist() == ["007", "A1"]
    assert table["big"].tolist() == ["12345678901234567890", "5"]
    assert table["x"].tolist() == [0.5, 1000]
    assert table["flag"].tolist() == [True, False]
    assert table["id"].tolist() == [1, 2]


def test_parted_files_keep_our_types(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    path = ocm.write(few, tmp_path / "t.csv")
    (tmp_path / "t.csv.meta.json").unlink()
    again = ocm.read(path)
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(few))
    assert again.attrs["ocm"] == {}


def test_a_changed_file_warns_of_its_provenance(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    path = ocm.write(few, tmp_path / "t.csv")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.warns(ocm.SuspectInput, match=r"t\.csv was changed after it was written"):
        again = ocm.read(path)
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(few))


def test_csv_for_excel(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    path = ocm.write(few, tmp_path / "t.csv", excel=True)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    pd.testing.assert_frame_equal(pd.DataFrame(ocm.read(path)), pd.DataFrame(few))
    with pytest.raises(ocm.QueryError, match="excel=True is for"):
        ocm.write(few, tmp_path / "t.gpkg", excel=True)


def test_a_workbook_as_others_read_it(tmp_path: Path, few: gpd.GeoDataFrame) -> None:
    path = ocm.write(few.assign(formula="=1+1"), tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["table", "about"]
    header = [cell.value for cell in book["table"][1]]
    first = dict(zip(header, book["table"][2], strict=True))
    assert first["formula"].data_type == "s"
    assert first["date_created"].is_date
    assert first["ocm_id"].value == few.index[0]
    about = {row[0].value: row[1].value for row in book["about"]}
    assert about["attribution"] == few.attrs["ocm"]["attribution"]
    book.close()
    plain = pd.read_excel(path)
    assert plain["title"].tolist() == few["title"].tolist()


def test_signs_that_workbooks_cannot_hold(tmp_path: Path) -> None:
    texts = ["\x07bell", "_x0041_", "a\rb\r\nc", "\x00", "'quoted", "+1", "@x", "\ufffe"]
    table = pd.DataFrame({"t": pd.array(texts, dtype=pd.StringDtype("pyarrow"))})
    assert ocm.read(ocm.write(table, tmp_path / "t.xlsx"))["t"].tolist() == texts


def test_limits_of_workbooks_are_told(tmp_path: Path) -> None:
    with pytest.raises(ocm.QueryError, match=r"t\.xlsx.*column 'notes' has a text of 40,000"):
        ocm.write(pd.DataFrame({"notes": ["x" * 40_000]}), tmp_path / "t.xlsx")
    with pytest.raises(ocm.QueryError, match="1,048,575 rows"):
        ocm.write(pd.DataFrame({"n": range(1_048_576)}), tmp_path / "t.xlsx")


def test_a_workbook_of_another_program(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    rows: list[list[Any]] = [["postcode", "n_points", None], ["01067", 2, None], [None] * 3]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    table = ocm.read(tmp_path / "t.xlsx")
    assert table.to_dict("list") == {"postcode": ["01067"], "n_points": [2]}


def test_without_openpyxl_the_extra_is_named(
    tmp_path: Path, few: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ocm.MissingDependency, match=r"ocm_geo\[excel\]"):
        ocm.write(few, tmp_path / "t.xlsx")


def test_numbers_of_workbooks_have_formats_and_columns_widths(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "title": ["A rather long name of a station", "=1+1"],
            "distance_km": [1.23456789, 12.5],
            "area_share": [0.123456, 1.0],
            "n_points": pd.array([1234, None], dtype="Int64"),
            "seen": pd.to_datetime(pd.Series(["2024-03-31T12:30+02:00", None]), utc=True).array,
            "ok": [True, False],
        },
        index=pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["ocm_id", "part"]),
    )
    path = ocm.write(table, tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(path)
    sheet = book["table"]
    shown = {c.value: sheet.cell(2, c.column) for c in sheet[1]}
    assert shown["distance_km"].number_format == "#,##0.00"
    assert shown["distance_km"].value == 1.23456789
    assert shown["area_share"].number_format == "#,##0.0%"
    assert shown["seen"].number_format == "yyyy-mm-dd hh:mm"
    assert shown["seen"].value.isoformat() == "2024-03-31T10:30:00"
    assert shown["n_points"].number_format == "General"
    assert sheet.cell(3, 3).data_type == "s"
    widths = {c.value: sheet.column_dimensions[c.column_letter].width for c in sheet[1]}
    assert widths["title"] > 30
    assert 4 < widths["ok"] < 10
    assert book.sheetnames == ["table", "about"]
    pd.testing.assert_frame_equal(ocm.read(path), table)


def test_every_result_becomes_a_workbook(tmp_path: Path) -> None:
    stations, route = ocm.stations(source=ocm.sample()), ocm.sample_route()
    areas = ocm.sample_areas().set_index("name")
    verdict = ocm.assess_route(route, stations, "afir-ldv-core-2025")
    tables = {
        "coverage": ocm.coverage(areas, stations, [5]),
        "gaps": ocm.route_gaps(route, stations, within_km=3),
        "readings": verdict.readings,
        "pools": verdict.pools,
        "legs": ocm.plan_stops(route, stations, range_km=100).legs,
    }
    for name, table in tables.items():
        again = ocm.read(ocm.write(table, tmp_path / f"{name}.xlsx"))
        assert again.index.equals(table.index), name
        assert list(again.columns) == list(table.columns), name
        assert again.attrs == table.attrs, name
