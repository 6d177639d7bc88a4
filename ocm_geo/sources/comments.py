"""Comments and check-ins: their fields, checked before they are sent, and the server's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import category
from urllib.parse import urlsplit

import msgspec

from ocm_geo.checks import check_ocm_id, check_whole, short_form
from ocm_geo.errors import ApiKeyError, QueryError, RateLimited, ServerError

if TYPE_CHECKING:
    import requests

    from ocm_geo.reference import ReferenceData

__all__ = ["COMMENT_PATH", "CommentSubmission", "build_comment", "judge_comment", "read_token"]

COMMENT_PATH = "/?action=comment_submission&format=json"
"""Where the API document has comments sent to."""

_LONGEST = {"comment": 4000, "user_name": 100, "related_url": 500}
_OK, _BAD_REQUEST, _TOO_MANY, _REFUSED = 200, 400, 429, (401, 403)
_UNCLEAR = "look at the page of the station before you send it again"


@dataclass(frozen=True)
class CommentSubmission:
    """
    A comment or check-in, as it is or would be sent.

    Parameters
    ----------
    url : str
        Where to; nothing secret is in it.
    body : dict
        The fields under the names of the API.
    sent : bool
        Whether it was sent, and the server said that it saved it.
    """

    url: str
    body: dict[str, Any]
    sent: bool = False

    def __str__(self) -> str:
        state = "sent" if self.sent else "not sent; send=True sends it"
        fields = "\n".join(f"  {name}: {value!r}" for name, value in self.body.items())
        return f"POST {self.url} ({state})\n{fields}"


def build_comment(
    reference: ReferenceData,
    ocm_id: Any,  # noqa: ANN401 - checked here
    *,
    comment_type: Any,  # noqa: ANN401
    checkin_status: Any,  # noqa: ANN401
    rating: Any = None,  # noqa: ANN401
    **texts: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """
    Check the fields of a comment and name them as the API does.

    Parameters
    ----------
    reference : ReferenceData
        The types of comments and check-ins.
    ocm_id : int
        The station.
    comment_type, checkin_status : int or str
        Ids or labels.
    rating : int, optional
        1 to 5.
    **texts : str, optional
        ``comment``, ``user_name``, ``related_url``.

    Returns
    -------
    dict
        The body of the request; fields that were not given are not in it.

    Raises
    ------
    QueryError
        If a field cannot be meant.
    """
    body: dict[str, Any] = {
        "ChargePointID": check_ocm_id(ocm_id),
        "CommentTypeID": reference.resolve("comment_types", comment_type),
        "UserName": _check_comment_text("user_name", texts.get("user_name")),
        "Comment": _check_comment_text("comment", texts.get("comment")),
        "Rating": None if rating is None else check_whole(rating, "rating", low=1, high=5),
        "RelatedURL": _check_related_url(texts.get("related_url")),
        "CheckinStatusTypeID": reference.resolve("checkin_status_types", checkin_status),
    }
    return {name: value for name, value in body.items() if value is not None}


def _check_comment_text(name: str, value: Any) -> str | None:  # noqa: ANN401 - checked here
    """Check a text that may be left out: not empty, not too long, and fit for a JSON document."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise QueryError(f"{name} must be a text that is not empty, not {short_form(value)}")
    text = value.strip()
    if len(text) > _LONGEST[name]:
        raise QueryError(
            f"{name} has {len(text):,} characters: at most {_LONGEST[name]:,} are kept"
        )
    # Joiners and the like are part of many scripts and signs; control characters are not.
    if any(category(sign) in {"Cc", "Cs"} and sign not in "\n\r\t" for sign in text):
        raise QueryError(f"{name} holds control characters: {short_form(text)}")
    return text


def _check_related_url(value: Any) -> str | None:  # noqa: ANN401 - checked here
    """Check a web address that may be left out."""
    text = _check_comment_text("related_url", value)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address or any(sign.isspace() for sign in text):
        raise QueryError(
            f"related_url must be a web address such as 'https://example.org', not {text!r}"
        )
    return text


def judge_comment(response: requests.Response, excerpt: str) -> None:
    """
    Check that the server saved a comment.

    Parameters
    ----------
    response : requests.Response
        Its answer.
    excerpt : str
        The beginning of its body, without secrets.

    Raises
    ------
    ApiKeyError, RateLimited, ServerError
        If it did not, or it cannot be known.
    """
    status = response.status_code
    if status in _REFUSED:
        raise ApiKeyError(
            f"the server refused the comment (HTTP {status}: {excerpt}). Sign in with "
            "authenticate(email, password), or use an API key of your own that may write"
        )
    if status == _TOO_MANY:
        raise RateLimited("the server asks for fewer requests; the comment was not saved")
    if status == _BAD_REQUEST:
        raise ServerError(
            f"the server refused the comment (HTTP 400: {excerpt}). Is there such a station, and "
            "does the server accept comments now?",
            status,
            excerpt,
        )
    if status != _OK:
        raise ServerError(
            f"the server answered HTTP {status}: {excerpt}. It need not have saved the comment: "
            f"{_UNCLEAR}",
            status,
            excerpt,
        )
    if _read_status(response.content) != "ok":
        raise ServerError(
            "the server did not confirm the comment, which means that it probably did not save it "
            f"({excerpt or 'an empty answer, as after a sign-in that has expired'}): {_UNCLEAR}",
            status,
            excerpt,
        )


def _read_status(body: bytes) -> str:
    """Return the status that the server names, in lower case."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    found = _fold_keys(answer).get("status")
    return found.lower() if isinstance(found, str) else ""


def _fold_keys(value: object) -> dict[str, Any]:
    return {str(k).lower(): v for k, v in value.items()} if isinstance(value, dict) else {}


def read_token(body: bytes) -> str | None:
    """
    Read the token in the answer to a sign-in.

    Parameters
    ----------
    body : bytes
        The answer.

    Returns
    -------
    str or None
        None if it has none.
    """
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    token = _fold_keys(_fold_keys(answer).get("data")).get("access_token")
    is_token = isinstance(token, str) and token.isascii() and token.isprintable() and token.strip()
    return str(token).strip() if is_token and " " not in str(token).strip() else None
