"""The server described as OpenAPI 3, made from the parameters it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocm_geo._version import __version__
from ocm_geo.server.bodies import CONNECTION_KEYS
from ocm_geo.server.comments import CODE_TABLES, COMMENT_FIELDS
from ocm_geo.server.lookups import REFERENCE_KEYS
from ocm_geo.server.parameters import INT_MAX, PARAMETERS, Parameter
from ocm_geo.server.records import ADDRESS_KEYS, POI_KEYS

if TYPE_CHECKING:
    from ocm_geo.reference import ReferenceData
    from ocm_geo.server.options import ServerOptions

__all__ = ["describe_server"]

_WHOLE_KEYS = (
    *("Amps", "Voltage", "Quantity", "NumberOfPoints", "DataQualityLevel", "DistanceUnit"),
    "PercentageSimilarity",
)
_SPECIAL: dict[str, dict[str, Any]] = {
    "AddressInfo": {"$ref": "#/components/schemas/AddressInfo"},
    "Connections": {"type": "array", "items": {"$ref": "#/components/schemas/Connection"}},
    "IsRecentlyVerified": {"type": "boolean"},
}
_NUMBERS = ("PowerKW", "Latitude", "Longitude", "Distance")
_OBJECTS = (
    *("DataProvider", "OperatorInfo", "UsageType", "StatusType", "SubmissionStatus", "Country"),
    *("ConnectionType", "Level", "CurrentType"),
)
_LISTS = ("UserComments", "MediaItems", "MetadataValues")
_DATE = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$"
_NUMBER = r"-?\d{1,2}(\.\d{1,6})?"
_POINTS = rf"^\({_NUMBER},{_NUMBER}\)(,\({_NUMBER},{_NUMBER}\))*$"


def describe_server(options: ServerOptions, reference: ReferenceData) -> dict[str, Any]:
    """
    Describe the server.

    Parameters
    ----------
    options : ServerOptions
        How it serves.
    reference : ReferenceData
        The codes that comments may have.

    Returns
    -------
    dict
        An OpenAPI 3.0 document. That of manner ``ocm`` names no errors of parameters: what
        cannot be read is dropped there.
    """
    document: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {
            "title": "Open Charge Map API, served from a mirror",
            "version": __version__,
            "description": (
                f"Manner {options.manner}. Data: Open Charge Map contributors and providers; "
                "the licence is that of each record's data provider."
            ),
        },
        "servers": [{"url": "/"}],
        "paths": _list_paths(options),
        "components": {"schemas": _list_schemas(reference)},
    }
    if options.keys:
        document["components"]["securitySchemes"] = {
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "query": {"type": "apiKey", "in": "query", "name": "key"},
        }
        document["security"] = [{"header": []}, {"query": []}]
    return document


def _list_paths(options: ServerOptions) -> dict[str, Any]:
    """List what can be asked."""
    is_exact = options.manner == "exact"
    # The JSONP of manner ocm is not JSON, and keys are described as security.
    left_out = {"key"} if options.keys else set()
    left_out |= set() if is_exact else {"callback"}
    rows = [row for name, row in PARAMETERS.items() if name not in left_out]
    parameters = [_describe_parameter(row, is_exact=is_exact) for row in rows]
    countries = [p for p in parameters if p["name"] == "countryid"]
    poi = {
        "operationId": "getPOIs",
        "summary": "Return charging stations; all conditions hold together.",
        "parameters": parameters,
        "responses": _describe_answers(_list_contents(is_exact=is_exact), "Stations", options),
    }
    reference = {
        "operationId": "getReferenceData",
        "summary": "Return the objects that ids refer to.",
        "parameters": countries,
        "responses": _describe_answers(_as_json("ReferenceData"), "Reference data", options),
    }
    status = {
        "operationId": "getStatus",
        "summary": "Return the state of the data.",
        "responses": _describe_answers(_as_json("Status"), "State", options, may_be_wrong=False),
    }
    comment = {
        "operationId": "submitComment",
        "summary": "Submit a comment or check-in; it is kept in the outbox of the mirror.",
        "requestBody": {"required": True, "content": _as_json("Comment")},
        "responses": {
            **_describe_answers(_as_json("Outcome"), "Kept", options),
            "400": _describe_answer("Not a comment", _as_json("Error")),
            "401": {"description": "Not signed (manner ocm)"},
            "404": _describe_answer("No such station", _as_json("Error")),
            "413": _describe_answer("Too long", _as_json("Error")),
            "415": _describe_answer("Compressed", _as_json("Error")),
            "503": _describe_answer("The outbox cannot be written", _as_json("Error")),
        },
    }
    return {
        "/v3/poi": {"get": poi},
        "/v3/referencedata": {"get": reference},
        "/v3/system/status": {"get": status},
        "/v3/comment": {"post": comment},
    }


def _describe_parameter(row: Parameter, *, is_exact: bool) -> dict[str, Any]:
    """Describe a parameter."""
    described: dict[str, Any] = {
        "name": row.name,
        "in": "query",
        "required": False,
        "description": row.meaning,
        "schema": _describe_value(row) if is_exact else {"type": "string"},
    }
    if is_exact and row.kind in {"wholes", "texts"}:
        described |= {"style": "form", "explode": False}
    return described


def _describe_value(row: Parameter) -> dict[str, Any]:
    """Describe the value of a parameter."""
    limits = {"minimum": row.low, "maximum": row.high}
    given = {name: _describe_plain(limit) for name, limit in limits.items() if limit is not None}
    size = "int64" if (row.high or 0) > INT_MAX else "int32"
    whole = {"type": "integer", "format": size, **given}
    schema: dict[str, Any] = {"type": "string"}
    match row.kind:
        case "whole":
            schema = whole
        case "wholes":
            schema = {"type": "array", "items": whole, "minItems": 1}
        case "texts":
            schema = {"type": "array", "items": {"type": "string"}}
        case "number":
            schema = {"type": "number", "format": "double", **given}
            if row.name == "distance":
                schema |= {"minimum": 0, "exclusiveMinimum": True}
        case "truth":
            schema = {"type": "boolean"}
        case "choice":
            schema = {"type": "string", "enum": list(row.choices)}
        case "date":
            schema = {"type": "string", "pattern": _DATE}
        case "points":
            schema = {"type": "string", "pattern": _POINTS}
    return schema if row.default is None else {**schema, "default": row.default}


def _describe_plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _describe_answers(
    content: dict[str, Any], what: str, options: ServerOptions, *, may_be_wrong: bool = True
) -> dict[str, Any]:
    """List the answers to a request."""
    answers = {"200": _describe_answer(what, content)}
    if options.manner == "exact" and may_be_wrong:
        answers["400"] = _describe_answer(
            "A parameter is wrong; the text says which", _as_json("Error")
        )
    if options.keys:
        text = {"text/plain": {"schema": {"type": "string"}}}
        answers["403"] = _describe_answer("No key, or an unknown one", text)
    answers["414"] = _describe_answer("Address too long", _as_json("Error"))
    if options.max_per_minute:
        answers["429"] = _describe_answer("Too many requests", _as_json("Error"))
    return answers


def _describe_answer(what: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": content}


def _as_json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _list_contents(*, is_exact: bool) -> dict[str, Any]:
    """List the outputs of a question for stations; text is the silence of OCM's server."""
    text = {"schema": {"type": "string"}}
    stations = {"type": "array", "items": {"$ref": "#/components/schemas/POI"}}
    return {
        "application/json": {"schema": stations},
        "application/geo+json": {"schema": {"$ref": "#/components/schemas/FeatureCollection"}},
        "application/javascript" if is_exact else "text/plain": text,
        "text/csv": text,
        "text/xml": text,
        "application/vnd.google-earth.kml+xml": text,
    }


def _list_schemas(reference: ReferenceData) -> dict[str, Any]:
    """List what answers are made of."""
    anything = {"type": "object", "additionalProperties": True}
    titled = {
        "type": "object",
        "properties": {"ID": _describe_integer(), "Title": _allow_null("string")},
    }
    return {
        "Error": _describe_object(
            {"status": {"type": "string"}, "description": {"type": "string"}}, "*"
        ),
        "Outcome": _describe_object(
            {"status": {"type": "string"}, "description": {"type": "string"}}, "*"
        ),
        "Comment": _describe_comment(reference),
        "Connection": _describe_object({key: _describe_key(key) for key in CONNECTION_KEYS}),
        "AddressInfo": _describe_object({key: _describe_key(key) for key in ADDRESS_KEYS}),
        # Names in camel case are other names: no member is required.
        "POI": _describe_object({key: _describe_key(key) for key in POI_KEYS}),
        "FeatureCollection": _describe_object(
            {
                "type": {"type": "string", "enum": ["FeatureCollection"]},
                "features": {"type": "array", "items": anything},
            },
            "*",
        ),
        "Lookup": titled,
        "ReferenceData": _describe_object(
            {
                key: {"type": "array", "items": {"$ref": "#/components/schemas/Lookup"}}
                for key in REFERENCE_KEYS
            },
            "*",
        ),
        "Status": _describe_object(
            {
                "systemVersion": {"type": "string"},
                "poiDataLastModified": _allow_null("string"),
                "poiDataLastCreated": _allow_null("string"),
                "maxPOIId": _describe_integer(),
                "dataHash": _allow_null("string"),
            },
            "*",
        ),
    }


def _describe_object(properties: dict[str, Any], required: str = "") -> dict[str, Any]:
    """Describe an object; "*" requires all of its members."""
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return {**schema, "required": list(properties)} if required else schema


def _describe_integer() -> dict[str, Any]:
    return {"type": "integer", "format": "int64"}


def _allow_null(kind: str) -> dict[str, Any]:
    return {"type": kind, "nullable": True}


def _describe_key(key: str) -> dict[str, Any]:
    """Describe a member of a record by its name."""
    if key in _SPECIAL:
        return _SPECIAL[key]
    if key in _LISTS:
        return {"type": "array", "nullable": True, "items": {"type": "object"}}
    if key in _OBJECTS:
        return _allow_null("object")
    if key in _WHOLE_KEYS or (key.endswith("ID") and key != "UUID"):
        return {**_describe_integer(), "nullable": True}
    return _allow_null("number" if key in _NUMBERS else "string")


def _describe_comment(reference: ReferenceData) -> dict[str, Any]:
    """Describe a comment that is submitted."""
    properties: dict[str, Any] = {}
    for name, (kind, longest) in COMMENT_FIELDS.items():
        properties[name] = {"type": "integer", "format": "int32"}
        if kind is str:
            properties[name] = {"type": "string", "nullable": True, "maxLength": longest}
    properties["Rating"] |= {"minimum": 1, "maximum": 5, "nullable": True}
    for name, table in CODE_TABLES.items():
        properties[name] |= {"enum": reference.table(table).index.tolist()}
    mandatory = ["ChargePointID", "CommentTypeID", "CheckinStatusTypeID"]
    return {"type": "object", "properties": properties, "required": mandatory}
