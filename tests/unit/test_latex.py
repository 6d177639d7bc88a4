"""Tables for papers: structure, units, rounding and hostile texts."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.headings import choose_decimals, find_heading

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = (
    r"\input{/etc/passwd}",
    r"100 % & $5 #1 under_score {open",
    "[1] first\n\n\\\\[2cm] * second",
    'a--b --- "q" `?` <x|y> ~ ^ \N{RIGHT-TO-LEFT OVERRIDE}\x07',
    "3.5 \N{MULTIPLICATION SIGN} 2² ≥ 1° · é ß €",
)


def cells(text: str) -> list[list[str]]:
    """Return the header and the rows of a table; every row must have the columns it declares."""
    width = len(re.sub(r"p\{[^}]*\}+", "p", re.search(r"\\begin\{tabular\}\{(.*)\}\n", text)[1]))  # type: ignore[index]
    body = text.split(r"\toprule")[1].split(r"\bottomrule", maxsplit=1)[0].replace(r"\midrule", "")
    rows = [re.split(r"(?<!\\) ?& ?", row) for row in re.split(r" \\\\\n", body.strip() + "\n")]
    rows = [[cell.strip() for cell in row] for row in rows if row not in (["\n"], [""])]
    assert {len(row) for row in rows} == {width}
    return rows


def balanced(text: str) -> bool:
    """Return whether the braces and environments of a text close in their order."""
    bare = re.sub(r"\\[\\{}&%$#_]", "", text)
    depth = np.cumsum([(sign == "{") - (sign == "}") for sign in bare])
    opened = re.findall(r"\\(begin|end)\{(\w+)\}", text)
    stack: list[str] = []
    for what, name in opened:
        if what == "begin":
            stack.append(name)
        elif not stack or stack.pop() != name:
            return False
    return not stack and depth.min() >= 0 and depth[-1] == 0 and bare.count("$") % 2 == 0


@pytest.fixture(scope="module")
def stations() -> gpd.GeoDataFrame:
    return ocm.stations(source=ocm.sample())


def results(stations: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    """Return a table of each kind."""
    areas, route = ocm.sample_areas().set_index("name"), ocm.sample_route()
    along = ocm.stations_from_route(route, 5, source=ocm.sample())
    towns = areas.set_geometry(areas.representative_point())
    access = ocm.accessibility(towns, stations, 30, population="population")
    found = ocm.equity(access, towns["population"])
    verdict = ocm.assess_route(route, stations, "afir-ldv-core-2025")
    plan = ocm.plan_stops(route, stations, range_km=100)
    reached = ocm.reachability(route, stations, [20, 60])
    return {
        "stations": stations,
        "labelled": ocm.add_labels(stations),
        "connections": ocm.connections(stations),
        "coverage": ocm.coverage(areas, stations, [1, 5], population="population", bounds=True),
        "density": ocm.density(areas, stations),
        "nearest": ocm.nearest_stations(towns, stations, bounds=True),
        "grid": ocm.coverage_grid(areas, stations, 20, within_km=20),
        "along": along,
        "gaps": ocm.route_gaps(route, along),
        "access": access,
        "equity": found.intervals,
        "readings": verdict.readings,
        "segments": verdict.segments,
        "pools": verdict.pools,
        "stops": plan.stops,
        "legs": plan.legs,
        "curve": reached.curve,
        "critical": reached.critical,
        "standards": ocm.standards(),
        "registers": ocm.registers(),
        "uncertain": ocm.uncertain_stations(stations),
        "duplicates": ocm.find_duplicates(stations),
        "power_limits": ocm.power_limits(),
    }


def test_results_of_every_kind(stations: gpd.GeoDataFrame) -> None:
    for name, table in results(stations).items():
        for long in (False, True):
            text = ocm.to_latex(table.head(20), caption=name, label=f"tab:{name}", long=long)
            assert balanced(text), name
            assert text.isprintable() or "\n" in text
            assert not re.search(r"(?<!\\)[&%#_]", re.sub(r" & |tab:\w+", "", text)), name
        header, *rows = cells(ocm.to_latex(table.head(20)))
        assert len(rows) == min(len(table), 20), name
        assert len(set(header)) == len(header), name
        assert not any("_" in word for word in header), name


def test_units_rounding_and_order(stations: gpd.GeoDataFrame) -> None:
    areas = ocm.sample_areas().set_index("name")
    table = ocm.coverage(areas, stations, [5], population="population").head(3)
    header, *rows = cells(ocm.to_latex(table))
    assert header[0] == "Name"
    assert r"Area share (\%)" in header
    assert "Covered (km$^2$)" in header
    shown = [row[header.index(r"Area share (\%)")] for row in rows]
    assert shown == [f"{100 * share:.1f}" for share in table["area_share"]]
    header, *_ = cells(ocm.to_latex(ocm.add_labels(stations).head(3)))
    assert header[:2] == ["Name", "Operator"]
    assert header.index("OCM id") > header.index("Country")
    assert "Highest power (kW)" in header


def test_the_credit_is_a_note(stations: gpd.GeoDataFrame) -> None:
    text = ocm.to_latex(stations.head(2))
    assert "Source: Invented stations, for demonstration only" in text.split(r"\end{tabular}")[1]
    assert "snapshot" in text
    assert "Source" not in ocm.to_latex(stations.head(2), credit=False)
    assert "source not recorded" in ocm.to_latex(pd.DataFrame({"x": [1]}))


def test_no_value_becomes_zero_or_everything_by_rounding() -> None:
    table = pd.DataFrame(
        {
            "area_share": [0.0, 0.0001, 0.5678, 0.9999, 1.0],
            "distance_km": [0.0, 0.001, 12.345, -0.001, None],
            "population": [1234567.0, 12.0, 0.0, 0.4, 3.0],
            "ocm_id": [1234567, 2, 3, 4, 2**53 + 1],
        }
    )
    _, *rows = cells(ocm.to_latex(table))
    shares, km, people, ids = zip(*rows, strict=True)
    assert shares == ("0.0", "$<0.1$", "56.8", "$>99.9$", "100.0")
    assert km == ("0.00", "$<0.01$", "12.35", "$>-0.01$", "--")
    assert people == ("1,234,567", "12", "0", "$<1$", "3")
    assert ids == ("1234567", "2", "3", "4", str(2**53 + 1))


def test_kinds_of_values() -> None:
    table = pd.DataFrame(
        {
            "drive": pd.to_timedelta([90, 30], unit="min"),
            "ocm_ids": [[1, 2], [3]],
            "ok": pd.array([True, None], dtype="boolean"),
            "seen": pd.to_datetime(pd.Series(["2024-03-31 02:30+01:00", None]), utc=True).array,
            "day": pd.to_datetime(["2024-03-31", "2024-04-01"]),
            "x": [np.inf, -1.5],
        },
        index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["first", None]),
    )
    header, *rows = cells(ocm.to_latex(table))
    numbered = pd.DataFrame({0: pd.to_timedelta([90], unit="min")})
    assert cells(ocm.to_latex(numbered))[1] == ["90"]
    assert (header[0], header[2]) == ("First", "Drive (min)")
    assert header[5:8] == ["Seen (UTC)", "Day", "X"]
    assert rows[0] == ["a", "1", "90", "1, 2", "yes", "2024-03-31 01:30", "2024-03-31", r"$\infty$"]
    assert rows[1][3:] == ["3", "--", "--", "2024-04-01", "$-1.5$"]


def test_hostile_texts_are_texts() -> None:
    table = pd.DataFrame({r"\a_{b}": HOSTILE, "value": range(len(HOSTILE))})
    text = ocm.to_latex(table, caption=HOSTILE[0], headings={"value": "50 % & more"})
    assert balanced(text)
    assert r"\input" not in text
    assert "\n[" not in text
    assert "\n*" not in text
    assert "\x07" not in text
    assert r"50 \% \& more" in text
    header, *rows = cells(text)
    assert header[0] == r"\textbackslash{}a \{b\}"
    assert len(rows) == len(HOSTILE)


def test_arguments_are_checked(stations: gpd.GeoDataFrame) -> None:
    table = stations.head(2)
    assert cells(ocm.to_latex(table, columns=["town", "ocm_id"]))[0] == ["Town", "OCM id"]
    rounded = cells(ocm.to_latex(table, columns=["max_power_kw"], decimals={"max_power_kw": 3}))
    assert rounded[1] == ["11.000"]
    faults = (
        ({"columns": ["nothing"]}, "no column 'nothing'"),
        ({"columns": "town"}, "list of names"),
        ({"decimals": {"nothing": 1}}, "no column 'nothing'"),
        ({"decimals": -1}, "decimals"),
        ({"headings": ["x"]}, "headings must be a dict"),
        ({"label": "a}b"}, "label"),
        ({"caption": 5}, "caption"),
        ({"long": "yes"}, "long"),
    )
    for arguments, message in faults:
        with pytest.raises(ocm.QueryError, match=message):
            ocm.to_latex(table, **arguments)
    with pytest.raises(ocm.QueryError, match=r"verdict\.readings"):
        ocm.to_latex("no table")  # type: ignore[arg-type]
    with pytest.raises(ocm.QueryError, match="no column to show"):
        ocm.to_latex(gpd.GeoDataFrame(geometry=table.geometry.reset_index(drop=True)))
    assert cells(ocm.to_latex(table.head(0)))[0][0] == "Name"


def test_headings() -> None:
    numbers = pd.Series([0.5, 2.0])
    assert str(find_heading("area_share", pd.Series([0.1, 1.0]))) == "Area share (%)"
    assert str(find_heading("market_share", numbers)) == "Market share"
    assert str(find_heading("nearest_km_high", numbers)) == "Nearest, high (km)"
    assert str(find_heading("n_per_km2", numbers)) == "Per km²"
    assert str(find_heading("n_sites")) == "Stations"
    assert str(find_heading("route_km", pd.Series(["A1"]))) == "Route km"
    assert choose_decimals(pd.Series([3.7, 350.0]), "kW") == 1
    assert choose_decimals(pd.Series([11, 350]), "kW") == 0
    assert choose_decimals(pd.Series([123456.789]), "") == 0
    assert choose_decimals(pd.Series([None], dtype="Float64"), "km") == 0


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_latex_compiles_it(tmp_path: Path, stations: gpd.GeoDataFrame) -> None:
    tables = [ocm.to_latex(t.head(20), long=True) for t in results(stations).values()]
    tables.append(ocm.to_latex(pd.DataFrame({"x": HOSTILE}), caption=HOSTILE[0], label="tab:x"))
    head = r"\documentclass{article}\usepackage{booktabs,longtable}\begin{document}"
    (tmp_path / "a.tex").write_text(
        head + "\n\n".join(tables) + r"\end{document}", encoding="utf-8"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"],  # noqa: S607
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
