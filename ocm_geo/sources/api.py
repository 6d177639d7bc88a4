"""The live Open Charge Map API, version 3, answered exactly."""

from __future__ import annotations

import threading
import warnings
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ocm_geo import reference as ref
from ocm_geo._version import __version__
from ocm_geo.errors import DroppedRows, QueryError
from ocm_geo.provenance import attach
from ocm_geo.query import Everywhere
from ocm_geo.reference.credit import ATTRIBUTION
from ocm_geo.schema import empty_stations, stations_from_arrow
from ocm_geo.settings import current
from ocm_geo.sources.comments import CommentSubmission, build_comment
from ocm_geo.sources.decode import parse_body
from ocm_geo.sources.http import ApiAnswer, Transport
from ocm_geo.sources.paging import Page, walk_pages
from ocm_geo.sources.plan import plan_requests
from ocm_geo.sources.progress import with_progress
from ocm_geo.sources.repeats import split_repeats
from ocm_geo.sources.sending import send_comment, show_comment, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd
    import requests

    from ocm_geo.query import StationQuery
    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.tables import Parsed, Reject

__all__ = ["BASE_URL", "OpenChargeMap"]

BASE_URL = "https://api.openchargemap.io/v3"
ENDPOINTS = ("poi", "referencedata", "geocode", "openapi", "system/status", "system/sync")
PARAMETERS = (
    *("output", "maxresults", "chargepointid", "id", "greaterthanid", "countrycode", "countryid"),
    *("operatorid", "usagetypeid", "statustypeid", "dataproviderid", "connectiontypeid", "levelid"),
    *("minpowerkw", "maxpowerkw", "opendata", "latitude", "longitude", "distance", "distanceunit"),
    *("boundingbox", "polygon", "polyline", "modifiedsince", "createdsince", "sortby"),
    *("submissionstatustypeid", "levelofdetail", "postcodes", "hasmedia", "hascomment"),
    *("hascheckins", "includecomments", "verbose", "compact", "camelcase", "excludecomputed"),
    *("callback", "allowmirror", "client", "operatorname", "dataprovidername", "connectiontype"),
    *("address", "datemodified"),
)
_SECRET = ("key", "apikey")


class OpenChargeMap:
    """
    The live API: complete, exact and polite.

    Every question is asked wider than it is, page by page to an empty one, and cut to its exact
    meaning here. Identical questions within `Settings.cache_hours` are answered from a cache.

    Parameters
    ----------
    api_key : str, optional
        By default the configured one, else ``OCM_API_KEY``. It goes into a request header and
        nowhere else.
    base_url : str
        Address of the API, or of a server that speaks it.
    user_agent : str, optional
        By default ``ocm_geo`` with its version and the configured contact.
    session : requests.Session, optional
        Used as it is, without a cache of ours.
    min_interval_s : float
        Least time between two requests, seconds.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> api = ocm.OpenChargeMap("my-key")
    >>> api
    OpenChargeMap('https://api.openchargemap.io/v3')
    """

    is_remote = True

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str = BASE_URL,
        user_agent: str | None = None,
        session: requests.Session | None = None,
        min_interval_s: float = 1.0,
    ) -> None:
        if not min_interval_s >= 0:
            raise QueryError(f"min_interval_s must be 0 or more seconds, not {min_interval_s!r}")
        self.transport = Transport(
            base_url,
            api_key=api_key or current().key(),
            user_agent=user_agent or _build_user_agent(),
            session=session,
            min_interval_s=min_interval_s,
        )
        self._reference: ReferenceData | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"OpenChargeMap({self.transport.base_url!r})"

    @property
    def _source_name(self) -> str:
        return f"live API {self.transport.base_url}"

    def __getstate__(self) -> dict[str, Any]:
        return {"transport": self.transport, "_reference": self._reference}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def request(self, endpoint: str, **params: Any) -> ApiAnswer:  # noqa: ANN401 - any plain value
        """
        Ask the server directly: any documented parameter and output format.

        Parameters
        ----------
        endpoint : str
            ``poi``, ``referencedata``, ``geocode``, ``system/status``, ...
        **params : object
            As the API documents them; bools, numbers, texts, or lists of them. Nothing is added
            and the answer is as inexact as the server's.

        Returns
        -------
        ApiAnswer
            The body and when it was retrieved.

        Raises
        ------
        QueryError
            If the endpoint or a parameter is unknown (the server would ignore it in silence),
            or a key is among the parameters.
        SourceError
            If the server cannot answer.
        """
        path = endpoint.strip("/")
        if path not in ENDPOINTS:
            raise QueryError(f"unknown endpoint {endpoint!r}: choose from {list(ENDPOINTS)}")
        return self.transport.get(path, {k: _format_parameter(k, v) for k, v in params.items()})

    def authenticate(self, email: str, password: str) -> None:
        """
        Sign in with an account of openchargemap.org, in order to write.

        The token that the server gives is kept in memory, for this object alone: not in pickles,
        files or messages. The password is not kept.

        Parameters
        ----------
        email, password : str
            Of the account.

        Raises
        ------
        QueryError
            If one is not a text, or the server's address is not encrypted.
        ApiKeyError
            If the server does not accept them.
        SourceError
            If the server cannot answer.
        """
        sign_in(self.transport, email, password)

    def submit_comment(
        self,
        ocm_id: int,
        *,
        comment_type: int | str,
        checkin_status: int | str,
        comment: str | None = None,
        user_name: str | None = None,
        rating: int | None = None,
        related_url: str | None = None,
        send: bool = False,
    ) -> CommentSubmission:
        """
        Submit a comment or check-in on a station; without ``send`` only show it.

        Parameters
        ----------
        ocm_id : int
            Open Charge Map's number of the station.
        comment_type : int or str
            Id or label, such as ``"General Comment"``.
        checkin_status : int or str
            Id or label, such as ``"Charged Successfully"``; 0 is "Did Not Visit Location".
        comment : str, optional
            At most 4,000 characters.
        user_name : str, optional
            At most 100 characters; the server puts the name of the account in its place.
        rating : int, optional
            1 to 5.
        related_url : str, optional
            A web address.
        send : bool
            Send it. This needs `authenticate`, or an API key of one's own that may write.

        Returns
        -------
        CommentSubmission
            What was, or would be, sent; ``sent`` is True if the server saved it.

        Raises
        ------
        QueryError
            If a field cannot be meant, or this object has sent the same comment: nothing was sent.
        ApiKeyError
            If there is neither token nor key, or the server does not accept them.
        SourceError
            If the server did not save it, or it is not known. A comment is sent once: after a
            failure it is not sent again by itself.

        Examples
        --------
        >>> import ocm_geo as ocm
        >>> api = ocm.OpenChargeMap("my-key")
        >>> shown = api.submit_comment(12345, comment_type=10, checkin_status=0, rating=5)
        >>> shown.sent, shown.body["Rating"]
        (False, 5)
        """
        reference = self._reference or ref.bundled()
        body = build_comment(
            reference,
            ocm_id,
            comment_type=comment_type,
            checkin_status=checkin_status,
            comment=comment,
            user_name=user_name,
            rating=rating,
            related_url=related_url,
        )
        return send_comment(self.transport, body) if send else show_comment(self.transport, body)

    def reference_data(self) -> ReferenceData:
        """
        Get the server's reference data, over the bundled ones.

        Returns
        -------
        ReferenceData
            The tables; asked once.

        Raises
        ------
        SourceError
            If the server cannot answer.
        """
        with self._lock:
            if self._reference is None:
                answer = self.transport.get("referencedata", {"output": "json"})
                date = answer.retrieved.date().isoformat()
                live = ref.from_json(answer.body, origin="live API", date=date)
                self._reference = ref.bundled().merged(live)
                ref.register_reference(self._source_name, self._reference, is_remote=True)
            return self._reference

    def fetch(self, query: StationQuery) -> gpd.GeoDataFrame:
        """
        Answer a question.

        Parameters
        ----------
        query : StationQuery
            The question.

        Returns
        -------
        geopandas.GeoDataFrame
            The stations, as ``query.answer`` gives them.

        Raises
        ------
        QueryError
            If it takes more than 20 pages and ``allow_bulk`` is not set.
        SourceError
            If the server cannot answer completely.
        """
        _check_size(query)
        text = "asking Open Charge Map"
        pages = list(with_progress(self._ask_pages(query), text, lambda page: page.parsed.n_read))
        rejects = _list_rejects(pages)
        _warn_of_rejects(rejects)
        found = _join_batches([page.parsed for page in pages])
        times = [page.answer.retrieved for page in pages]
        attach(
            found,
            source=self._source_name,
            retrieved=min(times).isoformat(timespec="seconds") if times else _read_utc_now(),
            n_rejected=len(rejects) or None,
            attribution=ATTRIBUTION,
            reference=ref.register_reference(
                self._source_name, self.reference_data, is_remote=True
            ),
            complete=all(page.is_proven for page in pages),
        )
        return query.answer(found)

    def has_any(self, query: StationQuery) -> bool:
        """
        Return whether any station is in the place of a question, from one short answer.

        Parameters
        ----------
        query : StationQuery
            The question.

        Returns
        -------
        bool
            True if the first few records hold one.
        """
        params = {**plan_requests(query)[0], "sortby": "id_asc", "maxresults": "50"}
        answer = self.transport.get("poi", params)
        found = stations_from_arrow(parse_body(answer.body, origin=answer.url).stations)
        return bool(query.mask(found).any())

    def _ask_pages(self, query: StationQuery) -> Iterator[Page]:
        """Ask all pages of all requests that a question needs."""

        def ask(params: Mapping[str, str], *, fresh: bool) -> ApiAnswer:
            return self.transport.get("poi", params, fresh=fresh)

        for params in plan_requests(query):
            yield from walk_pages(ask, params, allow_bulk=query.allow_bulk)


def _join_batches(batches: list[Parsed]) -> gpd.GeoDataFrame:
    """Join the pages into one station table, each station once."""
    tables = [parsed.stations for parsed in batches if len(parsed.stations)]
    if not tables:
        return empty_stations()
    table = pa.concat_tables(tables)
    kept, *_ = split_repeats(table["ocm_id"].to_numpy(), table["date_last_status_update"])
    return stations_from_arrow(table.take(pa.array(kept)))


def _list_rejects(pages: list[Page]) -> list[Reject]:
    """Return what was rejected, each once: a rejected record can come again on the next page."""
    found = (reject for page in pages for reject in page.parsed.rejects)
    return list({(r.ocm_id, r.reason): r for r in found}.values())


def _warn_of_rejects(rejects: list[Reject]) -> None:
    """Warn of records that could not be used."""
    if rejects:
        first = rejects[0]
        warnings.warn(
            f"{len(rejects)} records of the server's answer could not be used (first: OCM id "
            f"{first.ocm_id}, {first.reason})",
            DroppedRows,
            stacklevel=5,
        )


def _check_size(query: StationQuery) -> None:
    """Refuse a question for the whole world that nobody asked for on purpose."""
    narrowing = ("countries", "operators", "data_providers", "modified_since", "created_since")
    everywhere = isinstance(query.where, Everywhere)
    if everywhere and not query.allow_bulk and not any(getattr(query, n) for n in narrowing):
        raise QueryError(
            "this asks the live API for the whole world: name a place or a country, or build a "
            "local copy with Mirror.build, or pass allow_bulk=True"
        )


def _format_parameter(name: str, value: Any) -> str:  # noqa: ANN401 - any plain value
    """Check a parameter and write it as the API reads it."""
    folded = name.lower()
    if folded in _SECRET:
        raise QueryError("give the key to OpenChargeMap(api_key=…), never among the parameters")
    if folded not in PARAMETERS:
        near = get_close_matches(folded, PARAMETERS, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise QueryError(f"the API has no parameter {name!r} and would ignore it{hint}")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | set):
        return ",".join(_format_parameter(name, item) for item in value)
    return str(value)


def _build_user_agent() -> str:
    contact = current().contact
    return f"ocm_geo/{__version__}" + (f" ({contact})" if contact else "")


def _read_utc_now() -> str:
    """Return the time as ISO text, UTC."""
    import datetime as dt  # noqa: PLC0415 - used here alone

    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
