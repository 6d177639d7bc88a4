"""Trouble on demand: the failures that clients of a public server meet, as often as wanted."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Trouble", "TroubleMaker"]

_STATUSES = range(400, 600)
_KINDS = ("empty", "cut", "broken", "html", "slow")
_SLOW = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)?(?::(.+))?")
_HTML = b"<html><body>Service unavailable</body></html>"


@dataclass(frozen=True)
class Trouble:
    """
    What goes wrong, and how often.

    Parameters
    ----------
    shares : mapping of str to float
        Share of the requests (0 to 1) by kind: an HTTP status (``"429"``), ``"empty"`` (200
        without a body), ``"broken"`` (half of the body, as if whole), ``"cut"`` (the connection
        ends in the middle), ``"html"`` (200 with a page of HTML).
    slow_s : float
        Seconds that an answer is kept back.
    slow_share : float
        Share of the requests that are kept back.
    seed : int, optional
        Makes the sequence of failures repeatable.

    Examples
    --------
    >>> from ocm_geo.server import Trouble
    >>> Trouble.parse("429:0.1,empty:0.05,slow:2s").slow_s
    2.0
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    slow_s: float = 0.0
    slow_share: float = 1.0
    seed: int | None = None

    @classmethod
    def parse(cls, text: str, *, seed: int | None = None) -> Self:
        """
        Read trouble as the command line writes it.

        Parameters
        ----------
        text : str
            Such as ``429:0.1,empty:0.05,cut:0.02,slow:2s`` or ``slow:500ms:0.2``.
        seed : int, optional
            Makes the sequence of failures repeatable.

        Returns
        -------
        Trouble
            What goes wrong.

        Raises
        ------
        QueryError
            If a kind is unknown, or the shares are no numbers from 0 to 1 or add up to more.
        """
        shares: dict[str, float] = {}
        slow_s, slow_share = 0.0, 1.0
        for item in filter(None, (part.strip() for part in text.split(","))):
            kind, _, value = item.partition(":")
            if kind == "slow":
                slow_s, slow_share = _read_delay(value)
            elif kind in _KINDS or (kind.isdecimal() and int(kind) in _STATUSES):
                shares[kind] = _read_share(value, kind)
            else:
                raise QueryError(
                    f"trouble {short_form(item)} is unknown: choose from an HTTP status of 400 to "
                    f"599, {', '.join(_KINDS)}"
                )
        if sum(shares.values()) > 1:
            raise QueryError(f"the shares of {short_form(text)} add up to more than 1")
        return cls(shares, slow_s, slow_share, seed)

    def __bool__(self) -> bool:
        return bool(self.shares) or self.slow_s > 0


def _read_share(text: str, kind: str) -> float:
    """Read a share from 0 to 1."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise QueryError(f"trouble {kind}:{text} needs a share from 0 to 1, such as {kind}:0.1")
    return share


def _read_delay(text: str) -> tuple[float, float]:
    """Read a time with its unit, and the share of the requests that it holds for."""
    found = _SLOW.fullmatch(text.strip())
    if found is None:
        raise QueryError(f"trouble slow:{text} needs a time, such as slow:2s or slow:500ms:0.2")
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1)
    return seconds, _read_share(found[3], f"slow:{found[1]}") if found[3] else 1.0


class TroubleMaker:
    """
    An ASGI layer that spoils answers.

    Parameters
    ----------
    app : ASGI application
        What answers.
    trouble : Trouble
        What goes wrong.
    """

    def __init__(self, app: ASGIApp, trouble: Trouble) -> None:
        self._app = app
        self._trouble = trouble
        self._random = random.Random(trouble.seed)  # noqa: S311 - failures are no secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or fail in the way that is due."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = self._choose_kind()
        if self._trouble.slow_s and self._random.random() < self._trouble.slow_share:
            await asyncio.sleep(self._trouble.slow_s)
        if kind.isdecimal():
            await _send_plain(send, int(kind), b"not now\n")
        elif kind == "empty":
            await _send_plain(send, 200, b"", "application/json")
        elif kind == "html":
            await _send_plain(send, 200, _HTML, "text/html")
        elif kind:
            await self._spoil(scope, receive, send, kind)
        else:
            await self._app(scope, receive, send)

    def _choose_kind(self) -> str:
        """Choose what happens to a request; "" for nothing."""
        drawn = self._random.random()
        for kind, share in self._trouble.shares.items():
            drawn -= share
            if drawn < 0:
                return kind
        return ""

    async def _spoil(self, scope: Scope, receive: Receive, send: Send, kind: str) -> None:
        """Send the first half of an answer."""
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, collect)
        half = bytes(body[: len(body) // 2])
        announced = len(body) if kind == "cut" else len(half)
        headers = [h for h in start["headers"] if h[0].lower() != b"content-length"]
        headers.append((b"content-length", str(max(announced, 1)).encode()))
        await send({**start, "headers": headers})
        # A body that stays shorter than announced makes the server close the connection.
        await send({"type": "http.response.body", "body": half or b"[", "more_body": kind == "cut"})


async def _send_plain(send: Send, status: int, body: bytes, kind: str = "text/plain") -> None:
    """Send a whole answer."""
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 429:  # noqa: PLR2004 - too many requests
        headers.append((b"retry-after", b"0"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
