"""The report of the quality of a table, and its figure."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

import ocm_geo as ocm
from tests.unit.quality.test_checking import stations_with


@pytest.fixture(scope="module")
def report() -> ocm.QualityReport:
    stations = stations_with(
        {"operator_id": 5},
        {"operator_id": 5, "status_type_id": 100},
        {"operator_id": 10**9, "usage_type_id": 2, "country_code": None, "data_provider_id": 26},
    )
    stations.attrs["ocm"] = {"source": "mirror", "attribution": "A credit"}
    return ocm.quality_report(stations.drop(columns="n_points"))


def test_the_table_counts_what_the_checks_found(report: ocm.QualityReport) -> None:
    table = report.table
    assert table.index.tolist() == ocm.quality_checks().index.tolist()
    assert table.loc["out_of_service", "n_stations"] == 1
    assert table.loc["private", "share"] == pytest.approx(1 / 3)
    assert table[["n_stations", "share"]].loc["points_mismatch"].isna().all()
    assert table.attrs["ocm"]["n_stations"] == 3


def test_groups_add_up_to_the_whole(report: ocm.QualityReport) -> None:
    for group in ("country", "operator", "provider"):
        found = report.by(group)
        assert found["n_stations"].sum() == 3
        whole = (found["n_stations"] * found["private"]).sum()
        assert whole == report.table.loc["private", "n_stations"]
    assert report.by("country").index.tolist() == ["NL", "not known"]
    assert report.by("country").loc["NL", "out_of_service"] == 0.5
    assert "not known" in report.by("operator").index
    assert "Oplaadpalen.nl" in report.by("provider").index
    with pytest.raises(ocm.QueryError, match="group must be one of"):
        report.by("colour")


def test_the_figure_shows_every_check_that_was_made(report: ocm.QualityReport) -> None:
    ax = report.plot()
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert "private" in names
    assert "points mismatch" not in names
    widths = [bar.get_extents().width for bar in ax.patches]
    assert sum(width > 0 for width in widths) == report.table["n_stations"].gt(0).sum()
    words = " ".join(text.get_text() for text in ax.texts)
    assert "points mismatch" in words
    assert "A credit" in words
    grid = ocm.plot_quality(report, by="country")
    assert [t.get_text() for t in grid.get_yticklabels()] == ["NL (2)", "not known (1)"]
    plt.close("all")


def test_no_stations_and_other_tables(report: ocm.QualityReport) -> None:
    empty = ocm.quality_report(stations_with({}).iloc[:0])
    assert empty.table["n_stations"].fillna(0).sum() == 0
    assert empty.by("country").empty
    with pytest.raises(ocm.QueryError, match="no stations"):
        empty.plot()
    with pytest.raises(ocm.QueryError, match="quality_report"):
        ocm.plot_quality(report.faults)  # type: ignore[arg-type]
