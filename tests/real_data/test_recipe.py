"""The recipe of Falchetta & Noussan (2021), one configuration, on three kinds of people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm

if TYPE_CHECKING:
    from collections.abc import Callable

RECIPE = Path(__file__).parents[2] / "examples" / "falchetta_noussan_2021.toml"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    def recipe(data: Path, **options: Any) -> Any:
        mirror = ocm.Mirror.build(tmp_path / "mirror", data)
        return ocm.run_study(RECIPE, tmp_path / "out", source=mirror, **options)

    return recipe


def test_block_groups_of_austin(data_dir: Path, run: Callable[..., Any]) -> None:
    people = data_dir / "population" / "austin" / "austin_blockgroup_population.csv"
    changes = {"demand.file": str(people), "area.bbox": [-98.0, 30.1, -97.5, 30.55]}
    found = run(data_dir / "ocm" / "austin_2026-02" / "ocm_austin.json", changes=changes)
    total = pd.read_csv(people)["population"].sum()
    assert (found.access.means["population"] == total).all()
    # By a plain reading of the records.
    records = json.loads((data_dir / "ocm" / "austin_2026-02" / "ocm_austin.json").read_bytes())
    fast = [
        r.get("NumberOfPoints") or 1
        for r in records
        if r.get("UsageTypeID") == 1
        and r.get("StatusTypeID") not in {100, 150, 200}
        and any((c.get("PowerKW") or 0) > 22 for c in r["Connections"])
    ]
    points = found.access.points.set_index("group").loc["public, above 22 kW"]
    assert (points["n_sites"], points["n_points"]) == (len(fast), sum(fast))
    shares = found.access.people.groupby("group", sort=False)["cumulative_share"].first()
    public = shares[shares.index.str.startswith("public")].to_numpy()
    assert (np.diff(public) <= 0).all()  # higher power is farther away


def test_postcodes_of_germany(data_dir: Path, run: Callable[..., Any]) -> None:
    people = data_dir / "population" / "germany_plz" / "plz_einwohner.csv"
    changes = {
        "area.country": "DE",
        "demand.file": str(people),
        "demand.population_column": "einwohner",
        "demand.name_column": "plz",
    }
    found = run(data_dir / "ocm" / "world_2020-11" / "poi_partial_5685.json.gz", changes=changes)
    assert found.access.means["population"].iloc[0] == 80_322_172
    assert "01067" in set(found.access.access["name"])
    assert found.access.points["name"].unique().tolist() == ["DE"]


def test_raster_of_sao_miguel(data_dir: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    folder = data_dir / "population" / "sao_miguel_gpw"
    # No station of the shared data lies on the island: these are invented.
    places = [(-25.67, 37.74), (-25.43, 37.72), (-25.58, 37.82)]
    records = [
        {
            "ID": i,
            "UsageTypeID": 1,
            "StatusTypeID": 50,
            "SubmissionStatusTypeID": 200,
            "AddressInfo": {"Latitude": lat, "Longitude": lon},
            "Connections": [{"ID": i, "PowerKW": 22 * i}],
        }
        for i, (lon, lat) in enumerate(places, start=1)
    ]
    data = tmp_path / "invented.json"
    data.write_text(json.dumps(records))
    found = run(
        data,
        area_file=folder / "concelhos.gpkg",
        changes={
            "area.name_column": "name",
            "demand.file": str(folder / "gpw_v411_2020_count_2020.tif"),
        },
    )
    assert found.access.means["population"].iloc[0] == pytest.approx(145_603, abs=1)
    assert len(found.access.points) == 6 * 12
    sizes = [len(members) for name, members in found.groups.items() if name.startswith("public")]
    assert sizes == [3, 3, 2, 1]
    shares = found.access.people.groupby("group", sort=False)["cumulative_share"].first()
    assert shares.iloc[0] > shares.iloc[3] > 0
