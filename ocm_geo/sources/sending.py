"""Sending what a user writes: a sign-in, a comment; each once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo.errors import (
    ApiKeyError,
    ConnectionFailed,
    QueryError,
    RequestTimeout,
    ServerError,
    SourceError,
)
from ocm_geo.sources.comments import COMMENT_PATH, CommentSubmission, judge_comment, read_token
from ocm_geo.sources.responses import excerpt_of

if TYPE_CHECKING:
    from ocm_geo.sources.http import Transport

__all__ = ["send_comment", "show_comment", "sign_in"]

_SIGN_IN_PATH = "/profile/authenticate"
_REFUSED = (400, 401, 403)
_OK = 200


def sign_in(transport: Transport, email: Any, password: Any) -> None:  # noqa: ANN401
    """
    Sign in and let the transport keep the token.

    Parameters
    ----------
    transport : Transport
        Sends it.
    email, password : str
        Of the account.

    Raises
    ------
    QueryError
        If one is not a text, or the connection is not encrypted.
    ApiKeyError
        If the server does not accept them.
    ServerError
        If it gives no token.
    """
    for name, value in (("email", email), ("password", password)):
        if not isinstance(value, str) or not value.strip():
            # The value itself is not shown: it may be a password.
            raise QueryError(f"{name} must be a text that is not empty")
    transport.check_encrypted("the password")
    fields = {"EmailAddress": email.strip(), "Password": password}
    response = transport.post(_SIGN_IN_PATH, msgspec.json.encode(fields))
    status = response.status_code
    # What the server answers is not shown: it may repeat the password.
    if status in _REFUSED:
        raise ApiKeyError(f"the server does not accept this e-mail address and password ({status})")
    token = read_token(response.content) if status == _OK else None
    if token is None:
        raise ServerError(f"the server gave no token (HTTP {status}); try again later", status)
    transport.keep_token(token)


def show_comment(transport: Transport, body: dict[str, Any]) -> CommentSubmission:
    """
    Show what would be sent.

    Parameters
    ----------
    transport : Transport
        Would send it.
    body : dict
        The fields.

    Returns
    -------
    CommentSubmission
        Not sent.
    """
    return CommentSubmission(transport.base_url + COMMENT_PATH, body)


def send_comment(transport: Transport, body: dict[str, Any]) -> CommentSubmission:
    """
    Send a comment.

    Parameters
    ----------
    transport : Transport
        Sends it.
    body : dict
        The fields.

    Returns
    -------
    CommentSubmission
        Sent.

    Raises
    ------
    QueryError
        If it was sent before, or may have arrived before.
    SourceError
        If it was not saved, or it is not known.
    """
    if not transport.has_write_access:
        raise ApiKeyError(
            "comments need an account: call authenticate(email, password) first, or use an API key "
            "of your own that may write"
        )
    transport.check_encrypted("the token")
    content = msgspec.json.encode(body)
    mark = hashlib.sha256(content).hexdigest()
    if mark in transport.sent_comments:
        raise QueryError(
            "this comment was sent already, or may have arrived; change it in order to send another"
        )
    # Noted before it is sent: only an answer that refuses it takes the note away.
    transport.sent_comments.add(mark)
    try:
        response = transport.post(COMMENT_PATH, content)
        judge_comment(response, excerpt_of(response))
    except SourceError as error:
        if _is_refused(error):
            transport.sent_comments.discard(mark)
        raise
    return CommentSubmission(transport.base_url + COMMENT_PATH, body, sent=True)


def _is_refused(error: SourceError) -> bool:
    """Return whether the server certainly did not save a comment."""
    if isinstance(error, ServerError):
        return error.status in _REFUSED
    if isinstance(error, ConnectionFailed | RequestTimeout):
        return "Nothing was sent" in str(error)
    return True
