"""Reference data are found through the provenance of a table."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.errors import ServerError, UnknownCode
from ocm_geo.reference import bundled, find_reference, reference_of, register_reference
from ocm_geo.reference.registry import _MOST

if TYPE_CHECKING:
    from pathlib import Path

    from ocm_geo.reference import ReferenceData

OPERATOR = {"ID": 987654, "Title": "Chargers of Nowhere"}


def record(ocm_id: int, **more: Any) -> dict[str, Any]:
    place = {"Title": f"Station {ocm_id}", "CountryID": 159, "Latitude": 52.1, "Longitude": 5.1}
    plug = {"ID": ocm_id, "ConnectionTypeID": 33, "CurrentTypeID": 30, "PowerKW": 50}
    fixed = {"ID": ocm_id, "SubmissionStatusTypeID": 200, "StatusTypeID": 50, "UsageTypeID": 1}
    return {**fixed, "DataProviderID": 1, "AddressInfo": place, "Connections": [plug], **more}


@pytest.fixture
def mirror(tmp_path: Path) -> ocm.Mirror:
    """A mirror whose records name an operator that no other table knows."""
    file = tmp_path / "records.json"
    file.write_text(json.dumps([record(1, OperatorID=987654, OperatorInfo=OPERATOR)]))
    return ocm.Mirror.build(tmp_path / "mirror", file)


def test_labels_of_a_mirrors_own_operator(mirror: ocm.Mirror) -> None:
    assert ocm.add_labels(ocm.stations(source=mirror))["operator"].tolist() == [OPERATOR["Title"]]
    plugs = ocm.connections(ocm.stations(source=mirror))
    assert ocm.add_labels(plugs)["connection_type"].tolist() == ["CCS (Type 2)"]


def test_the_key_names_no_folder(mirror: ocm.Mirror) -> None:
    facts = ocm.stations(source=mirror).attrs["ocm"]
    assert str(mirror.path) not in json.dumps(facts)
    assert len(facts["reference"]) == 16


def test_the_key_survives_files_and_copies(mirror: ocm.Mirror, tmp_path: Path) -> None:
    path = ocm.write(ocm.stations(source=mirror), tmp_path / "table.parquet")
    for table in (ocm.read(path), ocm.stations(source=mirror).copy()):
        assert reference_of(table).operators.loc[987654, "title"] == OPERATOR["Title"]


def test_two_mirrors_of_the_same_data_keep_their_own_names(
    mirror: ocm.Mirror, tmp_path: Path
) -> None:
    file = tmp_path / "others.json"
    other = {**OPERATOR, "Title": "Renamed"}
    file.write_text(json.dumps([record(1, OperatorID=987654, OperatorInfo=other)]))
    renamed = ocm.Mirror.build(tmp_path / "renamed", file)
    names = [
        ocm.add_labels(ocm.stations(source=m))["operator"].item() for m in (mirror, renamed, mirror)
    ]
    assert names == [OPERATOR["Title"], "Renamed", OPERATOR["Title"]]


def test_a_deleted_mirror_leaves_the_bundled_tables(mirror: ocm.Mirror) -> None:
    table = ocm.stations(source=mirror)
    register_reference("gone", lambda: (_ for _ in ()).throw(FileNotFoundError()))
    table.attrs["ocm"] = {"reference": "gone"}
    shutil.rmtree(mirror.path)
    with pytest.warns(UnknownCode, match="operator_id 987654"):
        assert ocm.add_labels(table)["operator"].item() == "Unknown (987654)"


@pytest.mark.parametrize("key", [None, "not registered", 5, ["a"], {"a": 1}])
def test_what_is_not_a_key_finds_the_bundled_tables(key: object) -> None:
    table = pd.DataFrame()
    table.attrs["ocm"] = {"reference": key}
    assert find_reference(key) is None
    assert reference_of(table) is bundled()


def test_a_server_is_asked_only_where_it_may_be() -> None:
    asked = []

    def ask() -> ReferenceData:
        asked.append(1)
        return bundled()

    register_reference("server", ask, is_remote=True)
    assert find_reference("server", ask=False) is None
    assert not asked
    assert find_reference("server") is bundled()
    assert find_reference("server", ask=False) is bundled()
    assert asked == [1]


def test_a_server_that_fails_leaves_the_bundled_tables() -> None:
    def fail() -> ReferenceData:
        raise ServerError("down", status=500)

    register_reference("failing", fail, is_remote=True)
    table = pd.DataFrame()
    table.attrs["ocm"] = {"reference": "failing"}
    assert reference_of(table) is bundled()


def test_the_registry_does_not_grow_without_end() -> None:
    for number in range(2 * _MOST):
        register_reference(f"many {number}", bundled)
    assert find_reference("many 0") is None
    assert find_reference(f"many {2 * _MOST - 1}") is bundled()
