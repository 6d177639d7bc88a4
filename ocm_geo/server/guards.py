"""Who may ask: host names, web origins, keys, rates, sizes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ocm_geo.server.options import ServerOptions

__all__ = ["Guard", "refuse"]

_MAX_ADDRESS = 32_000
_MOST_CLIENTS = 10_000
_MINUTE_S = 60.0
_ROBOTS = (
    *("robot", "crawler", "spider", "slurp", "googlebot", "kml-google", "apache-httpclient"),
    *("okhttp/3.9.1", "dart:io"),
)
_ROBOT_TEXT = "API requests by robots are temporarily disabled."
_NO_KEY_TEXT = "You must specify an API key using the key query parameter or x-api-key header."
_PLACEHOLDERS = ("", "test", "null")


def refuse(status: int, text: str) -> JSONResponse:
    """Return an error as Open Charge Map writes errors."""
    return JSONResponse({"status": "error", "description": text}, status_code=status)


class Guard:
    """
    An ASGI layer that lets requests through, or refuses them.

    Parameters
    ----------
    app : ASGI application
        What answers.
    options : ServerOptions
        Who may ask.
    """

    def __init__(self, app: ASGIApp, options: ServerOptions) -> None:
        self._app = app
        self._options = options
        self._allowances: dict[str, tuple[float, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._judge(Request(scope))
        await (refusal or self._app)(scope, receive, send)

    def _judge(self, request: Request) -> Response | None:
        """Return why a request is refused; None if it is not."""
        if len(request.url.query) + len(request.url.path) > _MAX_ADDRESS:
            return refuse(414, f"the address is longer than {_MAX_ADDRESS} characters")
        if not self._is_known_host(request):
            return refuse(421, "this server is not asked under that name: see --allow-host")
        if request.method == "POST" and not self._is_own_page(request):
            return refuse(403, "web pages of other origins may not submit anything here")
        if self._options.manner == "ocm" and _is_robot(request.headers.get("user-agent", "")):
            return refuse(503, _ROBOT_TEXT)
        if wait_s := self._spend(request.client.host if request.client else ""):
            response = refuse(429, "too many requests: see Retry-After")
            response.headers["Retry-After"] = str(int(wait_s) + 1)
            return response
        return self._check_key(request)

    def _is_known_host(self, request: Request) -> bool:
        """Return whether the server is asked under one of its names."""
        names = self._options.hosts
        return "*" in names or _host_name(request) in names

    def _is_own_page(self, request: Request) -> bool:
        """Return whether a submission comes from no page, or from one that may."""
        origin = request.headers.get("origin")
        allowed = self._options.origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        return urlsplit(origin).netloc == request.headers.get("host")

    def _spend(self, client: str) -> float:
        """Take a request off the allowance of an address; return how long to wait, seconds."""
        limit = self._options.max_per_minute
        if limit is None:
            return 0.0
        now = time.monotonic()
        if len(self._allowances) > _MOST_CLIENTS:
            self._allowances.clear()
        left, since = self._allowances.get(client, (float(limit), now))
        left = min(limit, left + (now - since) * limit / _MINUTE_S)
        if left < 1:
            self._allowances[client] = (left, now)
            return (1 - left) * _MINUTE_S / limit
        self._allowances[client] = (left - 1, now)
        return 0.0

    def _check_key(self, request: Request) -> Response | None:
        """Check the key; the parameter takes precedence over the header, even if it is empty."""
        if not self._options.keys:
            return None
        named = {name.lower(): text for name, text in request.query_params.multi_items()}
        key = named.get("key", request.headers.get("x-api-key", ""))
        if key in _PLACEHOLDERS:
            return PlainTextResponse(_NO_KEY_TEXT, 403)
        return None if key in self._options.keys else PlainTextResponse("Invalid API key.", 403)


def _host_name(request: Request) -> str:
    """Return the name under which the server is asked, without the port."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_robot(agent: str) -> bool:
    """Return whether Open Charge Map takes a program for a robot."""
    folded = agent.lower()
    starts = ("nameofagent", "php")
    return (
        folded == "apache" or folded.startswith(starts) or any(name in folded for name in _ROBOTS)
    )
