"""Polite and careful HTTP: one request at a time, spaced, bounded, cached, the key kept secret.

The server answers ``200`` with an empty or cut body when it fails inside. Such an answer is never
taken for "no stations", and never kept in the cache.
"""

from __future__ import annotations

import threading
import time
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import requests_cache
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from ocm_geo.errors import QueryError, SourceError, SuspectInput
from ocm_geo.settings import current
from ocm_geo.sources.answers import open_session
from ocm_geo.sources.deadline import AnswerTooLargeError, Deadline, DeadlineAdapter
from ocm_geo.sources.responses import (
    KEY_HEADER,
    ApiAnswer,
    answer_of,
    explain_failure,
    explain_size,
    explain_timeout,
    is_complete,
    judge_response,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ApiAnswer", "Transport"]

TRIES = 4
DEADLINE_S = 180.0
_TIMEOUTS_S = (10.0, 60.0)
_SECRETS = (KEY_HEADER, "key", "apikey", "Authorization")
_WAIT = Retry(total=None, backoff_factor=0.5, backoff_max=30, backoff_jitter=0.5)
_NOT_CACHED = 504
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Gate:
    """One request at a time to a host, and never too soon after the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = -float("inf")

    def enter(self, interval_s: float, deadline: float) -> bool:
        """Wait for the turn; return False if it does not come before the deadline."""
        if not self._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return False
        time.sleep(max(0.0, self._last + interval_s - time.monotonic()))
        return True

    def leave(self) -> None:
        """Let the next one in."""
        self._last = time.monotonic()
        self._lock.release()


@cache
def _find_gate(host: str) -> _Gate:  # noqa: ARG001 - the cache keeps one gate a host
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
        self.user_agent = user_agent
        self.min_interval_s = min_interval_s
        self.n_sent = 0
        self.sent_comments: set[str] = set()
        self._key = _check_key(api_key)
        self._token: str | None = None
        self.base_url = _check_base_url(base_url, has_key=self._key is not None)
        self._session = session
        self._is_given = session is not None
        self._plain: requests.Session | None = None

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    def __getstate__(self) -> dict[str, Any]:
        left_behind = {
            "_key": None,
            "_token": None,
            "_session": None,
            "_plain": None,
            "_is_given": False,
        }
        return {**self.__dict__, **left_behind}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The key stays behind: a worker has its own, configured or in its environment.
        self.__dict__.update(state, _key=_check_key(current().key()))

    @property
    def session(self) -> requests.Session:
        """The session, made when it is first needed."""
        if self._session is None:
            self._session = self._make_session()
        return self._session

    @property
    def plain_session(self) -> requests.Session:
        """A session without a cache of ours; one that the caller passed is used as it is."""
        if self._is_given:
            return self.session
        if self._plain is None:
            self._plain = self._make_session(cached=False)
        return self._plain

    def _make_session(self, *, cached: bool = True) -> requests.Session:
        """Open a session under the deadline, with a cache unless it is turned off."""
        settings = current()
        if settings.cache_hours == 0 or not cached:
            session = requests.Session()
        else:
            session = open_session(
                settings, api_key=self._key, secrets=_SECRETS, is_complete=is_complete
            )
        for scheme in ("http://", "https://"):
            session.mount(scheme, DeadlineAdapter())
        return session

    def get(
        self, endpoint: str, params: Mapping[str, str], *, fresh: bool = False, keep: bool = True
    ) -> ApiAnswer:
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
        keep : bool
            Keep the answer in the cache; without it, the cache is not asked either.

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
        if keep and not fresh and (kept := self._look_up_kept(url, params)) is not None:
            return kept
        session = self.session if keep else self.plain_session
        is_cached = isinstance(session, requests_cache.CachedSession)
        options = {"force_refresh": True} if is_cached and (fresh or not keep) else {}
        deadline = time.monotonic() + DEADLINE_S
        waits = _WAIT
        for attempt in range(1, TRIES + 1):
            outcome = self._send_once(session, (url, params), deadline, options)
            if isinstance(outcome, ApiAnswer):
                return outcome
            waits = waits.increment(method="GET", url="", error=OSError())
            pause = _choose_pause(outcome, waits)
            if attempt == TRIES or time.monotonic() + pause > deadline:
                raise outcome from None
            time.sleep(pause)
        raise AssertionError  # the loop returns or raises

    def _look_up_kept(self, url: str, params: Mapping[str, str]) -> ApiAnswer | None:
        """Return the answer that the cache has; None if it has none."""
        if not isinstance(self.session, requests_cache.CachedSession):
            return None
        response = self.session.get(url, params=params, only_if_cached=True)
        return None if response.status_code == _NOT_CACHED else answer_of(response)

    def _send_once(
        self,
        session: requests.Session,
        asked: tuple[str, Mapping[str, str]],
        deadline: float,
        options: dict[str, Any],
    ) -> ApiAnswer | SourceError:
        """Send a question once."""
        url, params = asked
        gate = _find_gate(urlsplit(url).netloc)
        if not gate.enter(self.min_interval_s, deadline):
            return explain_timeout(url, DEADLINE_S)
        watch = Deadline(deadline)
        self.n_sent += 1
        try:
            with watch:
                # A redirect to another host would take the key along.
                response = session.get(
                    url,
                    params=params,
                    # Not a variable: tools that show the locals of a traceback would show the key.
                    headers=self._build_headers(),
                    timeout=_TIMEOUTS_S,
                    allow_redirects=False,
                    **options,
                )
        except AnswerTooLargeError:
            raise explain_size(url) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            if watch.too_late:
                return explain_timeout(url, DEADLINE_S)
            return explain_failure(error, url)
        finally:
            gate.leave()
        return judge_response(response)

    def post(self, path: str, body: bytes) -> requests.Response:
        """
        Send a body once: never again, since it may have arrived whatever comes back.

        Parameters
        ----------
        path : str
            Path, and query if there is one, below the address of the API.
        body : bytes
            JSON.

        Returns
        -------
        requests.Response
            The answer, whatever its status; its body is read.

        Raises
        ------
        ConnectionFailed, RequestTimeout, ServerError
            If there is none, or it is too large.
        """
        url = self.base_url + path
        deadline = time.monotonic() + DEADLINE_S
        gate = _find_gate(urlsplit(url).netloc)
        if not gate.enter(self.min_interval_s, deadline):
            raise explain_timeout(url, DEADLINE_S)
        watch = Deadline(deadline)
        self.n_sent += 1
        try:
            with watch:
                return self.plain_session.post(
                    url,
                    data=body,
                    headers={**self._build_headers(), "Content-Type": "application/json"},
                    # Without one, requests would take a password from the file .netrc.
                    auth=_TokenAuth(self._token),
                    timeout=_TIMEOUTS_S,
                    allow_redirects=False,
                )
        except AnswerTooLargeError:
            raise explain_size(url) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            failure = explain_failure(error, url)
            raise type(failure)(f"{failure}. {_describe_fate(error)}") from None
        finally:
            gate.leave()

    @property
    def has_write_access(self) -> bool:
        """Return whether there is a token, or a key that may be one that writes."""
        return self._token is not None or self._key is not None

    def keep_token(self, token: str) -> None:
        """
        Keep a token for the requests that write.

        Parameters
        ----------
        token : str
            As the server gave it.
        """
        self._token = token

    def check_encrypted(self, what: str) -> None:
        """
        Refuse to send a secret over a connection that anybody on the way can read.

        Parameters
        ----------
        what : str
            What would be sent.

        Raises
        ------
        QueryError
            If the address is not encrypted, and not that of this machine.
        """
        parts = urlsplit(self.base_url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise QueryError(
                f"base_url={self.base_url!r} is not encrypted: {what} could be read on the way to "
                f"{parts.hostname}. Use https://"
            )

    def _build_headers(self) -> dict[str, str]:
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "gzip"}
        return headers | ({KEY_HEADER: self._key} if self._key else {})


class _TokenAuth(AuthBase):
    """Adds the token to one request; it shows nothing of it."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _describe_fate(error: Exception) -> str:
    """Return whether a body that got no answer may have arrived."""
    if isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in repr(error):
        return "Nothing was sent"
    return "What was sent may have arrived: look before you send it again"


def _check_base_url(url: str, *, has_key: bool) -> str:
    """Return the address of an API; it names a host and nothing secret."""
    try:
        parts = urlsplit(url)
        has_user, _ = "@" in parts.netloc, parts.port
    except (TypeError, ValueError, AttributeError):
        parts, has_user = urlsplit(""), False
    if has_user:
        raise QueryError(
            "base_url holds a user name or password, which would show in messages: leave them out "
            "and give a session with session.auth instead"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise QueryError(
            f"base_url={url!r} is not the address of an API: give one such as "
            "'https://api.openchargemap.io/v3'"
        )
    if has_key and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        warnings.warn(
            f"base_url={url!r} is not encrypted: the API key can be read on the way to "
            f"{parts.hostname}. Use https://",
            SuspectInput,
            stacklevel=5,
        )
    return url.rstrip("/")


def _check_key(key: str | None) -> str | None:
    """Strip white space, as of a file, and refuse what no header can hold, without showing it."""
    stripped = (key or "").strip()
    if not (stripped.isascii() and stripped.isprintable()):
        raise QueryError("the API key holds characters that no key has: copy it again")
    return stripped or None


def _choose_pause(failure: SourceError, waits: Retry) -> float:
    """Return the seconds to wait: what the server asks for, else the backoff."""
    asked = getattr(failure, "retry_after_s", None)
    return waits.get_backoff_time() if asked is None else float(asked)
