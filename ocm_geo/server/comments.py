"""Comments and check-ins that are submitted: read, checked, and put into the outbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from ocm_geo.server.store import Store

__all__ = [
    "CODE_TABLES",
    "COMMENT_FIELDS",
    "NoJsonError",
    "UnknownStationError",
    "check_comment",
    "read_comment",
]

COMMENT_FIELDS: dict[str, tuple[type, int | None]] = {
    "ChargePointID": (int, None),
    "CommentTypeID": (int, None),
    "UserName": (str, 100),
    "Comment": (str, 4000),
    "Rating": (int, None),
    "RelatedURL": (str, 500),
    "CheckinStatusTypeID": (int, None),
}
"""The fields of a comment: their type, and the greatest length of a text."""

_MANDATORY = ("ChargePointID", "CommentTypeID", "CheckinStatusTypeID")
CODE_TABLES = {"CommentTypeID": "comment_types", "CheckinStatusTypeID": "checkin_status_types"}
_NAMES = {name.lower(): name for name in COMMENT_FIELDS} | {"usercommenttypeid": "CommentTypeID"}
_GENERAL = 10
_MOST_STARS = 5


class NoJsonError(Exception):
    """A body that is not JSON object."""


class UnknownStationError(QueryError):
    """A comment on a station that is not there."""


def read_comment(body: bytes) -> dict[str, Any]:
    """
    Read a submitted comment.

    Parameters
    ----------
    body : bytes
        JSON; names in any case.

    Returns
    -------
    dict
        The known fields that are not null, as Open Charge Map names them.

    Raises
    ------
    NoJsonError
        If it is not JSON object.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoJsonError from error
    if not isinstance(document, dict):
        raise NoJsonError
    known = {_NAMES[k.lower()]: v for k, v in document.items() if k.lower() in _NAMES}
    return {name: value for name, value in known.items() if value is not None}


def check_comment(store: Store, comment: dict[str, Any], *, strictly: bool) -> dict[str, Any]:
    """
    Check a comment.

    Parameters
    ----------
    store : Store
        The stations.
    comment : dict
        As `read_comment` returns it.
    strictly : bool
        Whether all three mandatory fields must be there, and a rating be from 1 to 5; Open
        Charge Map asks for the station alone.

    Returns
    -------
    dict
        The comment, with the type that holds by default.

    Raises
    ------
    QueryError
        If something is missing, of a wrong type, too long, or unknown.
    UnknownStationError
        If there is no such station.
    """
    for name in _MANDATORY if strictly else _MANDATORY[:1]:
        if name not in comment:
            raise QueryError(f"{name} is missing: {', '.join(_MANDATORY)} are mandatory")
    for name, value in comment.items():
        _check_field(name, value)
    comment = {"CommentTypeID": _GENERAL, **comment}
    if not len(store.find_positions((comment["ChargePointID"],))):
        raise UnknownStationError(f"there is no station {comment['ChargePointID']}")
    for name, table in CODE_TABLES.items():
        if name in comment and comment[name] not in store.reference.table(table).index:
            raise QueryError(f"{name} {comment[name]} is not in the reference data")
    if strictly and not 1 <= comment.get("Rating", 1) <= _MOST_STARS:
        raise QueryError(f"Rating must be from 1 to 5, not {comment['Rating']}")
    return comment


def _check_field(name: str, value: Any) -> None:  # noqa: ANN401 - checked here
    """Check type and length of a field."""
    kind, longest = COMMENT_FIELDS[name]
    if kind is int:
        if type(value) is not int or not -(2**31) <= value < 2**31:
            raise QueryError(f"{name} must be a whole number of 32 bits, not {short_form(value)}")
        return
    if not isinstance(value, str):
        raise QueryError(f"{name} must be a text, not {short_form(value)}")
    if longest is not None and len(value) > longest:
        raise QueryError(f"{name} must have {longest} characters at most, not {len(value)}")
