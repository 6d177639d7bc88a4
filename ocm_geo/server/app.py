"""The web application: one function for each thing that can be asked."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import secrets
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from ocm_geo.errors import MirrorError, QueryError
from ocm_geo.server.bodies import write_times
from ocm_geo.server.choosing import choose_stations
from ocm_geo.server.comments import (
    NoJsonError,
    UnknownStationError,
    check_comment,
    read_comment,
)
from ocm_geo.server.dotnet import parse_bool, parse_ints
from ocm_geo.server.exactly import ask_exactly
from ocm_geo.server.forms import (
    RefusedOutputError,
    read_form_loosely,
    read_form_strictly,
)
from ocm_geo.server.guards import refuse
from ocm_geo.server.lookups import Lookups, list_reference_data
from ocm_geo.server.loosely import ask_like_ocm, read_loosely
from ocm_geo.server.openapi import describe_server
from ocm_geo.server.pages import draw_page, pick_title
from ocm_geo.server.plain import drop_nulls, rename_in_camel_case
from ocm_geo.server.rendering import AT_ONCE, render
from ocm_geo.server.rings import PlaceError
from ocm_geo.server.store import NONE
from ocm_geo.server.strict import read_strictly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from starlette.requests import Request

    from ocm_geo.server.choosing import Choice, Question
    from ocm_geo.server.forms import Form
    from ocm_geo.server.options import ServerOptions
    from ocm_geo.server.outbox import Outbox
    from ocm_geo.server.store import Store

__all__ = ["Endpoints"]

_NO_OUTPUT = "specified output type not supported in this API version"
_NO_VERSION = "mandatory API Version not specified in request"
_SUBMISSION = "comment_submission"
_JSON = "application/json"
_NOT_FOUND = (
    "there is nothing here: ask /v3/poi, /v3/referencedata, /v3/system/status, /v3/openapi, "
    "/v3/comment or /map; one station: /v3/poi?chargepointid="
)


class UnreadableBodyError(Exception):
    """A request body that is not read: too long, or compressed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Endpoints:
    """
    What the server answers.

    Parameters
    ----------
    store : Store
        The stations.
    options : ServerOptions
        How they are served.
    outbox : Outbox
        Where comments are kept.
    """

    def __init__(self, store: Store, options: ServerOptions, outbox: Outbox) -> None:
        self._store = store
        self._options = options
        self._outbox = outbox
        self._lookups = Lookups(store.reference)
        self._is_exact = options.manner == "exact"
        self._openapi = msgspec.json.encode(describe_server(options, store.reference))
        self._drawing = asyncio.Semaphore(1)

    def list_routes(self) -> list[Route]:
        """
        List the routes; Open Charge Map answers with and without a version and a last slash.

        Returns
        -------
        list of starlette.routing.Route
            The routes.
        """
        routes = [Route("/map", self.show_map), Route("/v3/openapi", self.show_openapi)]
        gets = {"poi": self.list_stations, "referencedata": self.show_reference_data}
        gets["system/status"] = self.show_status
        posts = {"comment": self.keep_comment, "": self.submit}
        posts["profile/authenticate"] = self.authenticate
        for version in ("/v3", "/v2", ""):
            for name, answer in gets.items():
                routes += [Route(f"{version}/{name}{end}", answer) for end in ("", "/")]
            for name, answer in posts.items():
                ends = ("", "/") if name else ("/",)
                routes += [
                    Route(f"{version}/{name}{end}".replace("//", "/"), answer, methods=["POST"])
                    for end in ends
                ]
        if not self._is_exact:
            # The server looks for "/poi" in the path, and for nothing behind it.
            routes.append(Route("/v3/poi/{rest:path}", self.list_stations))
        return [*routes, Route("/{rest:path}", self.find_nothing)]

    async def list_stations(self, request: Request) -> Response:
        """Answer a question for stations."""
        pairs = request.query_params.multi_items()
        try:
            question, form = self._read_question(pairs)
        except QueryError as error:
            return refuse(400, str(error))
        except RefusedOutputError:
            return refuse(400, _NO_OUTPUT)
        except PlaceError:
            return Response(b"", media_type="text/plain")
        choice = choose_stations(self._store, question)
        if self._is_exact and len(choice.positions) > self._options.max_stations:
            most = self._options.max_stations
            return refuse(
                400,
                f"{choice.n_matched} stations match, and the server sends at most {most}: narrow "
                "the question, or page with sortby=id_asc, maxresults and greaterthanid",
            )
        return self._send(choice, form)

    def _read_question(self, pairs: list[tuple[str, str]]) -> tuple[Question, Form]:
        """Read parameters in the manner of the server."""
        if self._is_exact:
            values = read_strictly(pairs)
            return ask_exactly(self._store, values), read_form_strictly(values)
        texts = read_loosely(pairs)
        return ask_like_ocm(self._store, texts), read_form_loosely(texts)

    def _send(self, choice: Choice, form: Form) -> Response:
        """Send stations; a long answer in pieces, so that others are answered meanwhile."""
        now = dt.datetime.now(dt.UTC)
        answer = render(self._store, self._lookups, form, choice=choice, now=now)
        headers = {"Content-Type": answer.content_type, "X-Content-Type-Options": "nosniff"}
        if form.output == "csv":
            headers["Content-Disposition"] = "attachment; filename=ocm.csv"
        if self._is_exact:
            headers["X-Total-Count"] = str(choice.n_matched)
            headers["X-Snapshot"] = self._store.mirror.snapshot
        if len(choice.positions) <= AT_ONCE:
            return Response(b"".join(answer.pieces), headers=headers)
        return StreamingResponse(_pace(answer.pieces), headers=headers)

    async def show_reference_data(self, request: Request) -> Response:
        """Answer with the objects that ids refer to."""
        try:
            countries, verbose, in_camel_case = self._read_reference_form(request)
        except QueryError as error:
            return refuse(400, str(error))
        document: Any = list_reference_data(self._store, self._lookups, countries)
        document = document if verbose else drop_nulls(document)
        document = rename_in_camel_case(document) if in_camel_case else document
        return _send_json(document)

    def _read_reference_form(self, request: Request) -> tuple[tuple[int, ...] | None, bool, bool]:
        """Read the countries, whether nulls are written, and whether names are in camel case."""
        pairs = request.query_params.multi_items()
        if self._is_exact:
            values = read_strictly(pairs)
            flags = values.get("verbose", True), values.get("camelcase", False)
            return values.get("countryid"), *flags
        texts = read_loosely(pairs)
        ids = parse_ints(texts.get("countryid"))
        verbose = parse_bool(texts.get("verbose"), default=True)
        in_camel_case = parse_bool(texts.get("camelcase"), default=False)
        return None if ids is None else tuple(ids), verbose, in_camel_case

    async def show_status(self, request: Request) -> Response:
        """Answer with the state of the data."""
        del request
        newest = {
            name: _find_latest(self._store.times[column])
            for name, column in (
                ("poiDataLastModified", "date_last_status_update"),
                ("poiDataLastCreated", "date_created"),
            )
        }
        facts = {
            "systemVersion": "3",
            **newest,
            "maxPOIId": int(self._store.ids[-1]) if len(self._store) else 0,
            "dataHash": self._store.mirror.snapshot if self._is_exact else None,
        }
        return _send_json(facts)

    async def show_openapi(self, request: Request) -> Response:
        """Answer with the description of the server."""
        del request
        return Response(self._openapi, media_type=_JSON)

    async def show_map(self, request: Request) -> Response:
        """Answer with a page that shows stations on a map."""
        title, pairs = pick_title(request.query_params.multi_items())
        try:
            question = ask_exactly(self._store, read_strictly(pairs))
        except QueryError as error:
            return PlainTextResponse(f"{error}\n", 400)
        ids = self._store.ids[choose_stations(self._store, question).positions]
        # One at a time: a page of many stations takes a second of a processor.
        async with self._drawing:
            page = await run_in_threadpool(draw_page, self._store.mirror, ids, title)
        return Response(page, media_type="text/html; charset=utf-8")

    async def submit(self, request: Request) -> Response:
        """Take a submission at the address that names it in a parameter."""
        named = {name.lower(): text for name, text in request.query_params.multi_items()}
        if named.get("action") != _SUBMISSION:
            return self._refuse_path(request)
        if named.get("format", "json") != "json":
            return PlainTextResponse("Error: Validation Failed")
        return await self.keep_comment(request)

    async def keep_comment(self, request: Request) -> Response:
        """Put a comment into the outbox."""
        if not self._is_exact and not _is_signed(request):
            return Response(status_code=401)
        try:
            body = await _read_body(request, self._options.max_body_bytes)
            comment = check_comment(self._store, read_comment(body), strictly=self._is_exact)
            # A disk may be slow: other requests do not wait for it.
            await run_in_threadpool(self._outbox.add, comment)
        except (UnreadableBodyError, NoJsonError, QueryError, MirrorError) as error:
            return self._refuse_comment(error)
        return _send_json({"status": "OK", "description": "OK"})

    def _refuse_comment(self, error: Exception) -> Response:
        """Refuse a comment; Open Charge Map says 200 to what is not JSON."""
        match error:
            case UnreadableBodyError():
                return refuse(error.status, str(error))
            case MirrorError():
                return refuse(503, str(error))
            case NoJsonError() if self._is_exact:
                return refuse(400, "the body must be a JSON object")
            case NoJsonError():
                return PlainTextResponse("Error: Validation Failed")
            case UnknownStationError() if self._is_exact:
                return refuse(404, str(error))
        return refuse(400, str(error) if self._is_exact else "Failed")

    async def authenticate(self, request: Request) -> Response:
        """Answer a login with a token; any name and password will do, and none is kept."""
        try:
            document = json.loads(await _read_body(request, self._options.max_body_bytes))
            named = {str(name).lower(): value for name, value in document.items()}
            name, word = (str(named.get(key) or "") for key in ("emailaddress", "password"))
        except UnreadableBodyError as error:
            return refuse(error.status, str(error))
        except (ValueError, RecursionError, AttributeError):
            name, word = "", ""
        if not name or not word:
            return Response(status_code=401)
        profile = {"ID": 1, "Username": name.partition("@")[0], "EmailAddress": name}
        data = {"UserProfile": profile, "access_token": _make_token()}
        return _send_json({"Data": data, "Metadata": {"StatusCode": 200}})

    async def find_nothing(self, request: Request) -> Response:
        """Answer for an address that means nothing."""
        return self._refuse_path(request)

    def _refuse_path(self, request: Request) -> Response:
        """Refuse an address."""
        if self._is_exact:
            return refuse(404, _NOT_FOUND)
        if not request.url.path.startswith(("/v2/", "/v3/")):
            return refuse(400, _NO_VERSION)
        return Response(status_code=404)


async def _pace(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Hand out pieces, and let other requests in between."""
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)


def _send_json(document: Any) -> Response:  # noqa: ANN401 - any JSON value
    return Response(msgspec.json.encode(document), media_type=_JSON)


def _find_latest(times: Iterable[int]) -> str | None:
    """Return the latest time as text."""
    latest = max(map(int, times), default=NONE)
    return write_times([None if latest == NONE else latest])[0]


async def _read_body(request: Request, most: int) -> bytes:
    """Read a body, and stop where it is longer than allowed."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnreadableBodyError(415, "send plain JSON, not compressed")
    announced = request.headers.get("content-length", "0")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most or (announced.isdecimal() and int(announced) > most):
            raise UnreadableBodyError(413, f"a body has {most} bytes at most")
    return bytes(body)


def _is_signed(request: Request) -> bool:
    """Return whether a submission names a user in one of the ways that Open Charge Map takes."""
    named = {name.lower() for name, text in request.query_params.multi_items() if text}
    if {"jwt-bearer", "apikey"} & named or {"identifier", "sessiontoken"} <= named:
        return True
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return bool(scheme.lower() == "bearer" and token.strip()) or "x-api-key" in request.headers


def _make_token() -> str:
    """Make a token of the form that clients expect: three parts, of which none is read again."""
    head = {"alg": "none", "typ": "JWT"}
    parts = [json.dumps(head).encode(), b"{}", secrets.token_bytes(16)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
