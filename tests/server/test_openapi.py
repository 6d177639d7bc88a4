"""The description of the server: true of the server, and made of the same rows."""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from ocm_geo.query import FILTERS
from ocm_geo.server import ServerOptions
from ocm_geo.server.openapi import describe_server
from ocm_geo.server.parameters import OF_FILTERS, PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import ocm_geo as ocm
    from tests.server.conftest import Asker

N_REQUESTS = int(os.environ.get("OCM_GEO_SCHEMA_REQUESTS", "80"))
# Filters of ours that Open Charge Map's API has no parameter for, and what chooses no stations.
NOT_THERE = {"current_types", "max_results", "include_comments", "allow_bulk"}


def test_every_filter_has_its_parameter() -> None:
    assert set(OF_FILTERS) == set(FILTERS) - NOT_THERE
    for name, row in FILTERS.items():
        if row.api:
            assert OF_FILTERS[name] == row.api


@pytest.mark.parametrize("manner", ["exact", "ocm"])
def test_the_document_names_what_is_read(
    manner: Any, exact: Asker, loose: Asker, mirror: ocm.Mirror
) -> None:
    server = exact if manner == "exact" else loose
    document = server.get("openapi").json()
    assert document == json.loads(
        json.dumps(describe_server(ServerOptions(manner=manner), mirror.reference_data()))
    )
    parameters = document["paths"]["/v3/poi"]["get"]["parameters"]
    left_out = set() if manner == "exact" else {"callback"}
    assert {p["name"] for p in parameters} == set(PARAMETERS) - left_out
    for parameter in parameters:
        assert parameter["description"]


def test_keys_are_described(mirror: ocm.Mirror) -> None:
    document = describe_server(ServerOptions(keys=("a",)), mirror.reference_data())
    assert {"header", "query"} == set(document["components"]["securitySchemes"])
    assert "403" in document["paths"]["/v3/poi"]["get"]["responses"]


def test_records_and_reference_data_are_as_described(exact: Asker) -> None:
    document = exact.get("openapi").json()
    known = document["components"]["schemas"]
    record = exact.get("poi?chargepointid=1014&includecomments=true").json()[0]
    assert list(record) == list(known["POI"]["properties"])
    assert list(record["AddressInfo"]) == list(known["AddressInfo"]["properties"])
    assert list(record["Connections"][0]) == list(known["Connection"]["properties"])


@pytest.mark.parametrize("manner", ["exact", "ocm"])
@pytest.mark.parametrize(
    "operation",
    ["GET /v3/poi", "GET /v3/referencedata", "GET /v3/system/status", "POST /v3/comment"],
)
def test_requests_and_answers_fit_the_description(
    serve: Callable[..., Asker], tmp_path: Path, manner: str, operation: str
) -> None:
    server = serve(manner=manner, outbox=tmp_path)
    method, path = operation.split()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import schemathesis  # noqa: PLC0415 - it warns of its own packages when it is loaded

        schema = schemathesis.openapi.from_dict(server.get("openapi").json())
        # Not: that whatever fits the schema is accepted. That latitude needs longitude, and which
        # country codes there are, it cannot say.
        names = {"not_a_server_error", "status_code_conformance", "content_type_conformance"}
        names |= {"response_headers_conformance", "response_schema_conformance"}
        checks = [
            check for check in schemathesis.checks.CHECKS.get_all() if check.__name__ in names
        ]
        assert len(checks) == len(names)

    n_requests = N_REQUESTS if path == "/v3/poi" else max(N_REQUESTS // 4, 5)

    @given(case=schema[path][method].as_strategy())
    @settings(
        max_examples=n_requests,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call(base_url=server.root)
        assert answer.status_code < 500
        case.validate_response(answer, checks=checks)

    ask()
