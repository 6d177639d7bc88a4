from __future__ import annotations

import json

import pandas as pd
import shapely

from ocm_geo.provenance import MAX_BYTES, attach, carry, geometry_summary, read_attrs


def test_facts_are_added_replaced_and_taken_away() -> None:
    table = attach(pd.DataFrame(), source="mirror", complete=True)
    attach(table, complete=None, snapshot="1")
    assert read_attrs(table) == {"source": "mirror", "snapshot": "1"}


def test_facts_are_carried_to_a_new_table_and_not_shared() -> None:
    origin = attach(pd.DataFrame(), source="mirror")
    result = carry(pd.DataFrame(), origin, group="fast")
    attach(result, source="other")
    assert read_attrs(origin) == {"source": "mirror"}


def test_facts_stay_below_their_limit() -> None:
    table = attach(pd.DataFrame(), source="m", attribution="é" * 5000, ids=list(range(2000)))
    assert len(json.dumps(read_attrs(table)).encode()) <= MAX_BYTES
    assert read_attrs(table)["source"] == "m"


def test_a_geometry_is_told_by_its_box_and_a_hash_of_its_coordinates() -> None:
    line = shapely.LineString([(0, 0), (1, 1)])
    moved = shapely.LineString([(0, 0), (1, 1 + 1e-12)])
    assert geometry_summary(line)["bbox"] == [0, 0, 1, 1]
    assert geometry_summary(line)["sha256"] != geometry_summary(moved)["sha256"]
    assert geometry_summary(line) == geometry_summary(shapely.from_wkt(line.wkt))
