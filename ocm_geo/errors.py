"""One tree of exceptions and one family of warnings.

Every message states what is wrong, which value it is and what to do. All attributes are set
in ``__init__`` and every error survives pickling, as dask and multiprocessing require.

.. code-block:: text

    OCMError
    ├─ QueryError (ValueError)
    ├─ SourceError
    │  ├─ ApiKeyError
    │  ├─ ConnectionFailed · RequestTimeout · RateLimited · ServerError
    │  └─ MalformedResponse · PagingError
    ├─ MirrorError → MirrorMissing · MirrorCorrupt · MirrorLocked · MirrorShrunk
    ├─ RegisterError (ValueError)
    ├─ RouteError (ValueError)
    └─ MissingDependency (ImportError)
    OCMWarning (UserWarning)
    ├─ TruncatedResult · StaleData · UnknownCode
    └─ DroppedRows · InexactMethod · SuspectInput · OutsideData
"""

from __future__ import annotations

import re

__all__ = [
    "ApiKeyError",
    "ConnectionFailed",
    "DroppedRows",
    "InexactMethod",
    "MalformedResponse",
    "MirrorCorrupt",
    "MirrorError",
    "MirrorLocked",
    "MirrorMissing",
    "MirrorShrunk",
    "MissingDependency",
    "OCMError",
    "OCMWarning",
    "OutsideData",
    "PagingError",
    "QueryError",
    "RateLimited",
    "RegisterError",
    "RequestTimeout",
    "RouteError",
    "ServerError",
    "SourceError",
    "StaleData",
    "SuspectInput",
    "TruncatedResult",
    "UnknownCode",
]


_COMMANDS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but tab and line feed, signs that reverse the direction, half characters."""


def _hide_commands(text: str) -> str:
    """Return a message without characters that a terminal obeys: names come from anywhere."""
    return _COMMANDS.sub("?", text)


class OCMError(Exception):
    """Base of all errors of ocm_geo."""

    def __str__(self) -> str:
        return _hide_commands(super().__str__())


class QueryError(OCMError, ValueError):
    """An invalid argument; nothing was sent and nothing was read."""


class SourceError(OCMError):
    """There is no source, or it cannot answer."""


class ApiKeyError(SourceError):
    """The server requires a key, or does not accept the one it received."""


class ConnectionFailed(SourceError):
    """The server could not be reached, or the connection broke."""


class RequestTimeout(SourceError):
    """The server did not answer within the allowed time."""


class RateLimited(SourceError):
    """
    The server asked for fewer requests.

    Parameters
    ----------
    message : str
        What happened and what to do.
    retry_after_s : float, optional
        The wait that the server asked for, in seconds.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s)
        self.message = message
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return _hide_commands(self.message)


class ServerError(SourceError):
    """
    The server failed, or its answer is unusable.

    Parameters
    ----------
    message : str
        What happened and what to do.
    status : int, optional
        HTTP status of the last try.
    excerpt : str, optional
        The beginning of the body.
    """

    def __init__(self, message: str, status: int | None = None, excerpt: str = "") -> None:
        super().__init__(message, status, excerpt)
        self.message = message
        self.status = status
        self.excerpt = excerpt

    def __str__(self) -> str:
        return _hide_commands(self.message)


class MalformedResponse(SourceError):
    """The body of an answer does not have the format of the endpoint."""


class PagingError(SourceError):
    """The pages of the server do not fit together: the answer would be incomplete."""


class MirrorError(OCMError):
    """A local mirror cannot be used."""


class MirrorMissing(MirrorError):
    """There is no mirror at the path."""


class MirrorCorrupt(MirrorError):
    """A file of the mirror is damaged, incomplete or of another version."""


class MirrorLocked(MirrorError):
    """Another process is building this mirror."""


class MirrorShrunk(MirrorError):
    """A build would lose most of the stations of the current snapshot."""


class RegisterError(OCMError, ValueError):
    """A file that is not a register, or a register in a version that cannot be read."""


class RouteError(OCMError, ValueError):
    """A polyline, file or geometry that is not a route."""


class MissingDependency(OCMError, ImportError):
    """
    An optional package is not installed.

    Parameters
    ----------
    package : str
        The missing package.
    extra : str
        The extra of ocm_geo that installs it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(package, extra)
        self.package = package
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.package} is required but not installed: pip install 'ocm_geo[{self.extra}]'"


class OCMWarning(UserWarning):
    """Base of all warnings of ocm_geo."""

    def __str__(self) -> str:
        return _hide_commands(super().__str__())


class TruncatedResult(OCMWarning):
    """More stations match than were returned."""


class StaleData(OCMWarning):
    """The answer is based on old data."""


class UnknownCode(OCMWarning):
    """A code has no entry in the reference data."""


class DroppedRows(OCMWarning):
    """Rows of the input could not be used."""


class InexactMethod(OCMWarning):
    """An approximation was used, which the message states."""


class SuspectInput(OCMWarning):
    """The input is possible but probably not intended."""


class OutsideData(OCMWarning):
    """A question or measure extends into countries without stations in the source."""
