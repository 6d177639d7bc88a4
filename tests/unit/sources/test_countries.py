from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import ocm_geo as ocm
from ocm_geo.sources.countries import count_by_country

if TYPE_CHECKING:
    from pathlib import Path


def count(rows: list[tuple[str | None, bool, float, float]]) -> list[dict[str, Any]]:
    codes, published, lon, lat = zip(*rows, strict=True)
    shown = np.array(published)
    return count_by_country(pd.Series(codes, dtype="string"), shown, np.array(lon), np.array(lat))


def test_each_country_has_its_counts_and_box() -> None:
    rows = [("NL", True, 4.0, 52.0), ("NL", True, 6.0, 51.0), ("NL", False, 0.0, 0.0)]
    found = count([*rows, (None, True, 7.0, 50.0), ("BE", False, 4.0, 51.0)])
    assert found == [
        {"country_code": "BE", "n_stations": 1, "n_published": 0, "bbox": None},
        {"country_code": "NL", "n_stations": 3, "n_published": 2, "bbox": [4.0, 51.0, 6.0, 52.0]},
        {"country_code": None, "n_stations": 1, "n_published": 1, "bbox": [7.0, 50.0, 7.0, 50.0]},
    ]


def test_a_box_may_cross_the_antimeridian() -> None:
    (fiji,) = count([("FJ", True, 177.0, -18.0), ("FJ", True, -179.0, -16.0)])
    assert fiji["bbox"] == [177.0, -18.0, -179.0, -16.0]


def test_a_mirror_tells_what_it_covers(tmp_path: Path) -> None:
    def record(ocm_id: int, country_id: int, status: int | None) -> dict[str, Any]:
        place = {"Latitude": 50.0 + ocm_id, "Longitude": 5.0, "CountryID": country_id}
        return {"ID": ocm_id, "SubmissionStatusTypeID": status, "AddressInfo": place}

    data = tmp_path / "pois.json"
    data.write_text(json.dumps([record(1, 159, 200), record(2, 87, 1000), record(3, 26, None)]))
    mirror = ocm.Mirror.build(tmp_path / "m", data)
    table = mirror.coverage.set_index("country_code")
    assert table["n_stations"].to_dict() == {"BE": 1, "DE": 1, "NL": 1}
    assert table["n_published"].to_dict() == {"BE": 1, "DE": 0, "NL": 1}
    assert list(table.loc["BE", ["west", "south", "east", "north"]]) == [5.0, 53.0, 5.0, 53.0]
    assert table["west"].isna().to_dict() == {"BE": False, "DE": True, "NL": False}
    found = ocm.stations(source=mirror)
    assert found.index.tolist() == [1, 3]
    assert found.attrs["ocm"]["covers"] == "BE NL"


def test_the_sample_tells_what_it_covers() -> None:
    found = ocm.stations_from_bbox((4, 52, 5, 53), source=ocm.sample())
    assert set(found.attrs["ocm"]["covers"].split()) >= {"BE", "DE", "NL"}
    assert ocm.sample().coverage["n_published"].sum() == len(ocm.stations(source=ocm.sample()))
