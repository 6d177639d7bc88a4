"""Polite and careful HTTP: one request at a time, spaced, bounded, cached, the key kept secret.

The server answers ``200`` with an empty or cut body when it fails inside. Such an answer is never
taken for "no stations", and never kept in the cache.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import requests
import requests_cache
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from ocm_geo.errors import (
    ApiKeyError,
    ConnectionFailed,
    QueryError,
    RateLimited,
    RequestTimeout,
    ServerError,
    SourceError,
)
from ocm_geo.settings import API_KEY_VARIABLE, current

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ApiAnswer", "Transport"]

KEY_HEADER = "X-API-Key"
TRIES = 4
DEADLINE_S = 180.0
_TIMEOUTS_S = (10.0, 60.0)
_SECRETS = (KEY_HEADER, "key", "apikey", "Authorization")
_WAIT = Retry(total=None, backoff_factor=0.5, backoff_max=30, backoff_jitter=0.5)
_EXCERPT = 200
_FORBIDDEN = (401, 403)
_TOO_MANY = 429
_PASSING = (_TOO_MANY, 500, 502, 503, 504, 520, 521, 522, 523, 524)
_NOT_CACHED = 504
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


class _Gate:
    """One request at a time to a host, and never too soon after the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = -float("inf")

    def wait(self, interval_s: float) -> threading.Lock:
        self._lock.acquire()
        time.sleep(max(0.0, self._last + interval_s - time.monotonic()))
        return self._lock

    def leave(self) -> None:
        self._last = time.monotonic()
        self._lock.release()


class _Watch:
    """Cuts off an answer that drips on beyond the deadline: timeouts see only whole silences."""

    def __init__(self, deadline: float) -> None:
        self.too_late = False
        self._deadline = deadline
        self._timer: threading.Timer | None = None

    def __call__(self, response: requests.Response, **_: object) -> None:
        # A caching session hands the same response over twice.
        self.end()
        left = max(0.0, self._deadline - time.monotonic())
        self._timer = threading.Timer(left, self._cut, (response,))
        self._timer.daemon = True
        self._timer.start()

    def _cut(self, response: requests.Response) -> None:
        self.too_late = True
        try:
            response.raw.shutdown()
        except RuntimeError:
            # Its connection is free again: the answer had ended.
            self.too_late = False

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


@cache
def _gate(host: str) -> _Gate:  # noqa: ARG001 - the cache keeps one gate a host
    return _Gate()


class Transport:
    """
    Sends questions to one server.

    Parameters
    ----------
    base_url : str
        Address of the API.
    api_key : str or None
        Goes into the header and nowhere else.
    user_agent : str
        Names the caller.
    session : requests.Session, optional
        Used as it is; by default one with a cache of `Settings.cache_hours`.
    min_interval_s : float
        Least time between two requests, seconds.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None,
        user_agent: str,
        session: requests.Session | None,
        min_interval_s: float,
    ) -> None:
        self.base_url = _checked_url(base_url)
        self.user_agent = user_agent
        self.min_interval_s = min_interval_s
        self._key = _checked_key(api_key)
        self._session = session

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_key": None, "_session": None}

    @property
    def session(self) -> requests.Session:
        """The session, made when it is first needed."""
        if self._session is None:
            self._session = _cached_session()
        return self._session

    def get(self, endpoint: str, params: Mapping[str, str], *, fresh: bool = False) -> ApiAnswer:
        """
        Ask, and ask again while the failure may pass.

        Parameters
        ----------
        endpoint : str
            Path below the address of the API.
        params : mapping
            The question.
        fresh : bool
            Do not answer from the cache.

        Returns
        -------
        ApiAnswer
            A complete answer.

        Raises
        ------
        ApiKeyError, RateLimited, ServerError, ConnectionFailed, RequestTimeout
            When all tries failed, or none can help.
        """
        url = f"{self.base_url}/{endpoint}"
        if not fresh and (kept := self._from_cache(url, params)) is not None:
            return kept
        deadline = time.monotonic() + DEADLINE_S
        waits = _WAIT
        for attempt in range(1, TRIES + 1):
            outcome = self._once(url, params, deadline, fresh=fresh)
            if isinstance(outcome, ApiAnswer):
                return outcome
            waits = waits.increment(method="GET", url="", error=OSError())
            pause = _pause(outcome, waits)
            if attempt == TRIES or time.monotonic() + pause > deadline:
                raise outcome from None
            time.sleep(pause)
        raise AssertionError  # the loop returns or raises

    def _from_cache(self, url: str, params: Mapping[str, str]) -> ApiAnswer | None:
        if not isinstance(self.session, requests_cache.CachedSession):
            return None
        response = self.session.get(url, params=params, only_if_cached=True)
        return None if response.status_code == _NOT_CACHED else _answer(response)

    def _once(
        self, url: str, params: Mapping[str, str], deadline: float, *, fresh: bool
    ) -> ApiAnswer | SourceError:
        options: dict[str, Any] = {}
        if fresh and isinstance(self.session, requests_cache.CachedSession):
            options["force_refresh"] = True
        gate = _gate(urlsplit(url).netloc)
        gate.wait(self.min_interval_s)
        watch = _Watch(deadline)
        try:
            # A redirect to another host would take the key along.
            response = self.session.get(
                url,
                params=params,
                # Not a variable: tools that show the locals of a traceback would show the key.
                headers=self._headers(),
                timeout=_TIMEOUTS_S,
                hooks={"response": watch},
                allow_redirects=False,
                **options,
            )
        except requests.RequestException as error:
            return _failure(error, url, too_late=watch.too_late)
        finally:
            watch.end()
            gate.leave()
        return _judged(response)

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "gzip"}
        return headers | ({KEY_HEADER: self._key} if self._key else {})


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query:
        raise QueryError(
            f"base_url={url!r} is no address of an API: give one such as "
            "'https://api.openchargemap.io/v3'"
        )
    return url.rstrip("/")


def _checked_key(key: str | None) -> str | None:
    """Strip white space, as of a file, and refuse what no header can hold, without showing it."""
    stripped = (key or "").strip()
    if not (stripped.isascii() and stripped.isprintable()):
        raise QueryError("the API key holds characters that no key has: copy it again")
    return stripped or None


def _cached_session() -> requests.Session:
    settings = current()
    if settings.cache_hours == 0:
        return requests.Session()
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    session: requests.Session = requests_cache.CachedSession(
        str(settings.cache_dir / "answers.sqlite"),
        backend="sqlite",
        expire_after=dt.timedelta(hours=settings.cache_hours),
        allowable_codes=(200,),
        ignored_parameters=_SECRETS,
        filter_fn=_is_complete,
    )
    return session


def _is_complete(response: requests.Response) -> bool:
    """Say whether a body is a whole one; JSON is checked to its end."""
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
    try:
        msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError:
        return False
    return True


def _judged(response: requests.Response) -> ApiAnswer | SourceError:
    status = response.status_code
    if status in _FORBIDDEN:
        raise ApiKeyError(
            f"the server refused the API key (HTTP {status}: {_text(response)}). A key is free: "
            f"sign in at openchargemap.org, 'my apps', and set {API_KEY_VARIABLE} or "
            "configure(api_key=…)"
        )
    if status in _PASSING:
        return _passing(response)
    if status in _REDIRECTS or status >= 400:  # noqa: PLR2004 - client errors
        raise ServerError(
            f"the server answered HTTP {status}: {_text(response)}", status, _text(response)
        )
    if not _is_complete(response):
        return ServerError(
            f"the server answered HTTP {status} with an empty or broken body, which means that "
            "it failed inside; try again later",
            status,
            _text(response),
        )
    return _answer(response)


def _passing(response: requests.Response) -> SourceError:
    status, wait = response.status_code, _retry_after(response)
    if status == _TOO_MANY:
        hint = "" if wait is None else f" (it asks for {wait:g} s)"
        return RateLimited(f"the server asks for fewer requests{hint}; try again later", wait)
    message = f"the server is not available (HTTP {status}): {_text(response)}"
    if "robot" in _text(response):
        message += "; set another user_agent"
    failure = ServerError(message, status, _text(response))
    failure.retry_after_s = wait  # type: ignore[attr-defined]
    return failure


def _answer(response: requests.Response) -> ApiAnswer:
    kept = bool(getattr(response, "from_cache", False))
    created = getattr(response, "created_at", None) if kept else None
    when = dt.datetime.now(dt.UTC) if created is None else created
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    kind = response.headers.get("Content-Type", "")
    return ApiAnswer(response.content, kind, str(response.url), when, kept)


def _failure(error: requests.RequestException, url: str, *, too_late: bool) -> SourceError:
    host = urlsplit(url).netloc
    if too_late:
        return RequestTimeout(f"{host} did not finish its answer within {DEADLINE_S:g} s")
    # The cause is not chained: its text may hold the whole request.
    if isinstance(error, requests.Timeout):
        return RequestTimeout(f"{host} did not answer within {_TIMEOUTS_S[1]:g} s")
    return ConnectionFailed(f"no answer from {host} ({type(error).__name__}): is there a network?")


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After")
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return float(_WAIT.parse_retry_after(text))
    except InvalidHeader:
        return None


def _pause(failure: SourceError, waits: Retry) -> float:
    asked = getattr(failure, "retry_after_s", None)
    return waits.get_backoff_time() if asked is None else float(asked)


def _text(response: requests.Response) -> str:
    text = " ".join(response.text.split())
    # Some servers and proxies repeat what they were sent.
    key = response.request.headers.get(KEY_HEADER)
    return (text.replace(key, "[API key]") if key else text)[:_EXCERPT]
