"""From HTTP responses and failures to answers and errors of ours."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from ocm_geo.errors import (
    ApiKeyError,
    ConnectionFailed,
    RateLimited,
    RequestTimeout,
    ServerError,
    SourceError,
)
from ocm_geo.settings import API_KEY_VARIABLE, name_limit

__all__ = [
    "KEY_HEADER",
    "ApiAnswer",
    "answer_of",
    "excerpt_of",
    "explain_failure",
    "explain_size",
    "explain_timeout",
    "is_complete",
    "judge_response",
]

KEY_HEADER = "X-API-Key"
_EXCERPT = 200
_SEARCHED = 2**16
"""Bytes of a body that are searched for secrets: more than any excerpt is made from."""
_FORBIDDEN = (401, 403)
_TOO_MANY = 429
_PASSING = (_TOO_MANY, 500, 502, 503, 504, 520, 521, 522, 523, 524)
_REDIRECTS = range(300, 400)


@dataclass(frozen=True)
class ApiAnswer:
    """
    What the server sent.

    Parameters
    ----------
    body : bytes
        The body, complete.
    content_type : str
        As the server names it.
    url : str
        What was asked; the key is not in it.
    retrieved : datetime.datetime
        When the server sent it, UTC; for an answer from the cache, when it first did.
    from_cache : bool
        Whether it came from the cache.
    """

    body: bytes = field(repr=False)
    content_type: str
    url: str
    retrieved: dt.datetime
    from_cache: bool

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """
        Decode a JSON body.

        Returns
        -------
        object
            Lists, dictionaries, texts and numbers.
        """
        return msgspec.json.decode(self.body)


def is_complete(response: requests.Response) -> bool:
    """
    Return whether a body is a whole one; JSON is checked to its end.

    Parameters
    ----------
    response : requests.Response
        A response whose body was read.

    Returns
    -------
    bool
        False for an empty or cut body, and for a web page.
    """
    # A question that is not in the cache has an answer without content.
    body = (response.content or b"").strip()
    if not body:
        return False
    if "output=json" in (url := str(response.url)) and "/poi?" in url:
        return _is_json(body, list[msgspec.Raw])
    if "json" not in response.headers.get("Content-Type", "") and body[:1] not in b"[{":
        return b"<html" not in body[:_EXCERPT].lower()
    return _is_json(body, list[msgspec.Raw] | dict[str, msgspec.Raw])


def _is_json(body: bytes, kind: Any) -> bool:  # noqa: ANN401 - a type
    """Return whether a body is whole JSON of a kind."""
    try:
        msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def judge_response(response: requests.Response) -> ApiAnswer | SourceError:
    """
    Return the answer, or the failure that another try may cure.

    Parameters
    ----------
    response : requests.Response
        A response whose body was read.

    Returns
    -------
    ApiAnswer or SourceError
        The error is one that may pass.

    Raises
    ------
    ApiKeyError, ServerError
        If asking again cannot help.
    """
    status = response.status_code
    if status in _FORBIDDEN:
        raise ApiKeyError(
            f"the server refused the API key (HTTP {status}: {excerpt_of(response)}). A key is "
            f"free: sign in at openchargemap.org, 'my apps', and set {API_KEY_VARIABLE} or "
            "configure(api_key=…)"
        )
    if status in _PASSING:
        return _explain_passing(response)
    if status in _REDIRECTS:
        raise ServerError(_explain_redirect(response), status, excerpt_of(response))
    if status >= 400:  # noqa: PLR2004 - client errors
        raise ServerError(
            f"the server answered HTTP {status}: {excerpt_of(response)}",
            status,
            excerpt_of(response),
        )
    if not is_complete(response):
        return ServerError(
            f"the server answered HTTP {status} with an empty or broken body, which means that "
            "it failed inside; try again later",
            status,
            excerpt_of(response),
        )
    return answer_of(response)


def _explain_redirect(response: requests.Response) -> str:
    """Name the target of a redirect, without what its query or user name may hold."""
    target = urlsplit(urljoin(str(response.url), response.headers.get("Location", "")))
    shown = f"{target.scheme}://{target.hostname or '?'}{target.path}"
    return (
        f"the server answered HTTP {response.status_code} and points to {shown}. Redirects are not "
        "followed, because the API key goes to no other host: log in to your network if this is "
        "its login page, or give the new address as base_url"
    )


def _explain_passing(response: requests.Response) -> SourceError:
    """Return the error for a status that may pass, with the wait that the server asks for."""
    status, wait = response.status_code, _read_retry_after(response)
    if status == _TOO_MANY:
        hint = "" if wait is None else f" (it asks for {wait:g} s)"
        return RateLimited(f"the server asks for fewer requests{hint}; try again later", wait)
    message = f"the server is not available (HTTP {status}): {excerpt_of(response)}"
    if "robot" in excerpt_of(response):
        message += "; set another user_agent"
    failure = ServerError(message, status, excerpt_of(response))
    failure.retry_after_s = wait  # type: ignore[attr-defined]
    return failure


def answer_of(response: requests.Response) -> ApiAnswer:
    """
    Return the answer that a complete response holds.

    Parameters
    ----------
    response : requests.Response
        From the server or from the cache.

    Returns
    -------
    ApiAnswer
        With the time at which the server sent it.
    """
    kept = bool(getattr(response, "from_cache", False))
    created = getattr(response, "created_at", None) if kept else None
    when = dt.datetime.now(dt.UTC) if created is None else created
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    kind = response.headers.get("Content-Type", "")
    return ApiAnswer(response.content, kind, str(response.url), when, kept)


def explain_failure(error: Exception, url: str) -> SourceError:
    """
    Return our error for one of requests, urllib3 or the sockets below them.

    Parameters
    ----------
    error : Exception
        What was raised; it is not chained, since its text may hold the whole request.
    url : str
        What was asked.

    Returns
    -------
    SourceError
        The error.
    """
    host = urlsplit(url).hostname
    if isinstance(error, requests.Timeout):
        return RequestTimeout(f"{host} did not answer in time; try again later")
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE" not in str(error).upper():
            return ConnectionFailed(
                f"{host} does not speak TLS there, so nothing was sent: is the address right?"
            )
        return ConnectionFailed(
            f"the certificate of {host} was not accepted, so nothing was sent: is the date of this "
            "machine right, or does a proxy open the connection? REQUESTS_CA_BUNDLE names other "
            "certificates"
        )
    return ConnectionFailed(
        f"no answer from {host} ({type(error).__name__}): is there a network, and is the address "
        "right?"
    )


def explain_timeout(url: str, limit_s: float) -> RequestTimeout:
    """
    Return the error for an answer that was not complete at the deadline.

    Parameters
    ----------
    url : str
        What was asked.
    limit_s : float
        Seconds that were allowed.

    Returns
    -------
    RequestTimeout
        The error.
    """
    return RequestTimeout(
        f"{urlsplit(url).hostname} did not finish its answer within {limit_s:g} s; try again later"
    )


def explain_size(url: str) -> ServerError:
    """
    Return the error for an answer that holds too much.

    Parameters
    ----------
    url : str
        What was asked.

    Returns
    -------
    ServerError
        The error.
    """
    return ServerError(
        f"the answer of {urlsplit(url).hostname} is larger, when decompressed, than "
        f"{name_limit('max_answer_mib')}: ask for less at once, or build a mirror from the bulk "
        "export"
    )


def _read_retry_after(response: requests.Response) -> float | None:
    """Return the seconds that the server asks to wait; None if it does not, or not clearly."""
    text = response.headers.get("Retry-After")
    if text is None:
        return None
    # Some dates are beyond the calendar, such as those of the year 99999.
    with suppress(InvalidHeader, ValueError, OverflowError):
        return float(Retry().parse_retry_after(text))
    return None


def excerpt_of(response: requests.Response) -> str:
    """
    Return the beginning of a body, fit for a message on a terminal.

    Parameters
    ----------
    response : requests.Response
        A response whose body was read.

    Returns
    -------
    str
        One line of at most 200 characters, without the API key and the token of the request.
    """
    # The charset that a server names need not exist.
    text = response.content[:_SEARCHED].decode("utf-8", errors="replace")
    # Some servers and proxies repeat what they were sent.
    sent = response.request.headers
    key, token = sent.get(KEY_HEADER), sent.get("Authorization", "").partition(" ")[2]
    for secret, name in ((key, "[API key]"), (token, "[token]")):
        text = text.replace(secret, name) if secret else text
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:_EXCERPT]
