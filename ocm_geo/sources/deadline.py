"""A deadline that holds from the call to the last byte, and a limit on what an answer may hold.

The timeouts of sockets see only silences: a server that sends a header a second, or
``100 Continue`` for ever, keeps them content. Here every socket that a request uses is shut down
when its time is up, from a timer, whatever the request is waiting for.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from requests.adapters import HTTPAdapter
from requests.exceptions import Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ocm_geo.settings import current

if TYPE_CHECKING:
    import requests

__all__ = ["AnswerTooLargeError", "Deadline", "DeadlineAdapter"]

_CHUNK = 2**20

_current: ContextVar[Deadline | None] = ContextVar("ocm_geo_deadline", default=None)


class AnswerTooLargeError(Exception):
    """An answer holds more bytes than allowed; decompressed bytes count."""


class Deadline:
    """
    Shut down every socket of the requests made in a ``with`` block when the time is up.

    Parameters
    ----------
    at : float
        Time on the clock of `time.monotonic`, seconds.
    """

    def __init__(self, at: float) -> None:
        self.too_late = False
        self._at = at
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, at - time.monotonic()), self._shut_down)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Start the clock."""
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the clock."""
        self._timer.cancel()
        _current.reset(self._token)
        with self._lock:
            self._sockets.clear()

    def guard(self, used: socket.socket | None) -> None:
        """
        Shut this socket down too when the time is up.

        Parameters
        ----------
        used : socket.socket or None
            A socket that the request uses from now on.
        """
        if used is None:
            return
        with self._lock:
            self._sockets.append(used)
        if self.too_late:
            self._shut_down()

    def _shut_down(self) -> None:
        """Wake up whatever waits on the sockets."""
        self.too_late = True
        with self._lock:
            for used in self._sockets:
                with suppress(OSError):
                    # Past the TLS layer, which another thread may be reading from.
                    socket.socket.shutdown(used, socket.SHUT_RDWR)


def _guard_socket(used: socket.socket | None) -> None:
    """Put a socket under the deadline in force."""
    deadline = _current.get()
    if deadline is not None:
        deadline.guard(used)


class _GuardedConnection(HTTPConnection):
    """A connection whose socket is under the deadline from its first byte."""

    def _new_conn(self) -> socket.socket:
        """Open a socket that the deadline guards."""
        used = super()._new_conn()
        _guard_socket(used)
        return used

    def request(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as urllib3 has it
        """Send a request; a connection that is used again comes under the new deadline."""
        _guard_socket(self.sock)
        super().request(*arguments, **options)


class _GuardedTLSConnection(HTTPSConnection):
    """The same over TLS; the handshake counts."""

    def _new_conn(self) -> socket.socket:
        """Open a socket that the deadline guards."""
        used = super()._new_conn()
        _guard_socket(used)
        return used

    def request(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        """Send a request; a connection that is used again comes under the new deadline."""
        _guard_socket(self.sock)
        super().request(*arguments, **options)


class _GuardedPool(HTTPConnectionPool):
    """Connections under the deadline."""

    ConnectionCls = _GuardedConnection


class _GuardedTLSPool(HTTPSConnectionPool):
    """TLS connections under the deadline."""

    ConnectionCls = _GuardedTLSConnection


class DeadlineAdapter(HTTPAdapter):
    """Send requests under the `Deadline` in force and read no more than `Settings` allow."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        """Make a pool manager whose connections know the deadline."""
        super().init_poolmanager(*arguments, **options)
        _use_guarded_pools(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """Make the same for a proxy."""
        manager = super().proxy_manager_for(*arguments, **options)
        _use_guarded_pools(manager)
        return manager

    def send(self, *arguments: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        """
        Send a request and read its whole answer.

        Returns
        -------
        requests.Response
            The response, its body read.

        Raises
        ------
        AnswerTooLargeError
            If the answer holds more than ``max_answer_mib``, decompressed.
        requests.Timeout
            If the deadline passed while the body was read.
        """
        response = super().send(*arguments, **options)
        most = current().max_answer_mib * 2**20
        body, n_read = [], 0
        for chunk in response.iter_content(_CHUNK):
            n_read += len(chunk)
            if n_read > most:
                response.close()
                raise AnswerTooLargeError
            body.append(chunk)
        deadline = _current.get()
        if deadline is not None and deadline.too_late:
            # Without a length, a body that was cut off looks like a whole one.
            raise Timeout(response=response)
        response._content = b"".join(body)  # noqa: SLF001 - how a body read elsewhere is handed over
        return response


def _use_guarded_pools(manager: Any) -> None:  # noqa: ANN401 - a PoolManager
    manager.pool_classes_by_scheme = {"http": _GuardedPool, "https": _GuardedTLSPool}
