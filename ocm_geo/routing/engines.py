"""Talk to the routing engines OSRM and Valhalla through one small protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import requests
import shapely
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from ocm_geo.errors import (
    ConnectionFailed,
    QueryError,
    RequestTimeout,
    RouteError,
    ServerError,
)
from ocm_geo.routes.directions import directions_lonlat, read_directions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["OSRM", "Engine", "MatrixEngine", "Path", "Valhalla", "ValhallaDialect"]

_TIMEOUTS_S = (10.0, 120.0)
_TRIES = 3
_EXCERPT = 200
_BAD_QUESTION = range(400, 500)
_TOO_MANY = 429


class Path(NamedTuple):
    """
    A path that an engine found.

    Parameters
    ----------
    line : shapely.LineString
        The path, lon/lat.
    length_km, duration_min : float
        Its length and driving time as the engine reports them.
    """

    line: shapely.LineString
    length_km: float
    duration_min: float


@runtime_checkable
class Engine(Protocol):
    """The protocol of routing engines; positions are (lon, lat) in degrees."""

    name: str

    def path(self, lonlat: NDArray[np.float64]) -> Path:
        """Return the path through positions in their order; a `RouteError` if there is none."""
        ...

    def isochrone(self, lonlat: NDArray[np.float64], minutes: Sequence[float]) -> list[Any]:
        """Return the areas within reach of a position, one for each time."""
        ...


@runtime_checkable
class MatrixEngine(Engine, Protocol):
    """An engine that measures many paths at once, as `OSRM` and Valhalla do."""

    def matrix(
        self, sources: NDArray[np.float64], targets: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return minutes and km from each source to each target; NaN without a path."""
        ...


def _parse_matrix(rows: Any, scale: float) -> NDArray[np.float64]:  # noqa: ANN401 - as decoded
    """Return the rows of a matrix divided by a scale; None becomes NaN."""
    return np.array([[np.nan if v is None else v for v in row] for row in rows], float) / scale


def _open_session() -> requests.Session:
    """Open a session that retries overloaded servers."""
    session = requests.Session()
    wait = Retry(_TRIES, backoff_factor=0.5, status_forcelist=(429, 502, 503, 504))
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=wait))
    return session


def _request_answer(
    session: requests.Session,
    method: str,
    url: str,
    **options: Any,  # noqa: ANN401 - passed to requests
) -> dict[str, Any]:
    """Request an answer; an engine that finds no route raises a `RouteError`."""
    try:
        response = session.request(method, url, timeout=_TIMEOUTS_S, **options)
    except requests.Timeout as error:
        raise RequestTimeout(f"the routing server at {url} did not answer in time") from error
    except requests.RequestException as error:
        raise ConnectionFailed(f"the routing server at {url} cannot be reached: {error}") from error
    try:
        document = response.json()
    except ValueError as error:
        raise ServerError(
            f"the routing server at {url} did not send JSON (status {response.status_code}): is "
            f"this the address of the engine? {response.text[:_EXCERPT]!r}"
        ) from error
    if response.ok and isinstance(document, dict):
        return document
    said = document.get("message") or document.get("error") if isinstance(document, dict) else ""
    if response.status_code in _BAD_QUESTION and response.status_code != _TOO_MANY:
        raise RouteError(f"the engine found no path: {said or response.status_code}")
    raise ServerError(f"the routing server at {url} failed: {response.status_code} {said}")


def _decode_path(document: dict[str, Any], minutes: float) -> Path:
    """Decode an answer whose length agrees with the printed one."""
    directions = read_directions(document)
    line = shapely.LineString(directions_lonlat(directions))
    if directions.printed_km is None:
        raise RouteError("the engine printed no length of the path")
    return Path(line, directions.printed_km, minutes)


class OSRM:
    """
    A server of the Open Source Routing Machine.

    Parameters
    ----------
    url : str
        Its address, such as ``http://localhost:5000``.
    profile : str
        The profile in its addresses.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> engine = ocm.OSRM("http://localhost:5000")
    >>> route = ocm.route_between([(1.52, 42.51), (1.6, 42.57)], engine=engine)  # doctest: +SKIP
    """

    name = "OSRM"

    def __init__(self, url: str, *, profile: str = "driving") -> None:
        self.url = url.rstrip("/")
        self.profile = profile
        self._session = _open_session()

    def __repr__(self) -> str:
        """Return the class with its address and profile."""
        return f"OSRM({self.url!r}, profile={self.profile!r})"

    def path(self, lonlat: NDArray[np.float64]) -> Path:
        """
        Return the fastest path through positions.

        Parameters
        ----------
        lonlat : numpy.ndarray of shape (n, 2)
            Positions, in the order of travel.

        Returns
        -------
        Path
            The fastest path.
        """
        places = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in lonlat)
        document = _request_answer(
            self._session,
            "GET",
            f"{self.url}/route/v1/{self.profile}/{places}",
            params={"overview": "full", "geometries": "polyline6", "steps": "false"},
        )
        way = document.get("routes") or [{}]
        return _decode_path(document, float(way[0].get("duration", np.nan)) / 60.0)

    def matrix(
        self, sources: NDArray[np.float64], targets: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return the times and distances from each source to each target.

        Parameters
        ----------
        sources, targets : numpy.ndarray of shape (n, 2) and (m, 2)
            Positions.

        Returns
        -------
        minutes, km : numpy.ndarray of shape (n, m)
            NaN without a path.
        """
        both = np.vstack([sources, targets])
        places = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in both)
        rows = range(len(both))
        document = _request_answer(
            self._session,
            "GET",
            f"{self.url}/table/v1/{self.profile}/{places}",
            params={
                "sources": ";".join(map(str, rows[: len(sources)])),
                "destinations": ";".join(map(str, rows[len(sources) :])),
                "annotations": "duration,distance",
            },
        )
        return _parse_matrix(document["durations"], 60.0), _parse_matrix(
            document["distances"], 1000.0
        )

    def isochrone(self, lonlat: NDArray[np.float64], minutes: Sequence[float]) -> list[Any]:
        """
        Raise a QueryError: OSRM has no isochrones.

        Parameters
        ----------
        lonlat : numpy.ndarray of shape (2,)
            A position.
        minutes : sequence of float
            Times.

        Returns
        -------
        list
            Nothing.

        Raises
        ------
        QueryError
            Always.
        """
        raise QueryError(f"OSRM cannot draw isochrones ({minutes} min of {lonlat}): use Valhalla")


class ValhallaDialect:
    """
    The documents that Valhalla servers and embedded Valhalla have in common.

    Parameters
    ----------
    costing : str
        Valhalla's costing model, such as ``auto`` or ``truck``.
    """

    name = "Valhalla"

    def __init__(self, costing: str = "auto") -> None:
        self.costing = costing

    def _ask(self, action: str, document: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def path(self, lonlat: NDArray[np.float64]) -> Path:
        """
        Return the fastest path through positions.

        Parameters
        ----------
        lonlat : numpy.ndarray of shape (n, 2)
            Positions, in the order of travel.

        Returns
        -------
        Path
            The fastest path.
        """
        document = {**self._about(lonlat), "units": "kilometers", "directions_type": "none"}
        answer = self._ask("route", document)
        return _decode_path(answer, float(answer["trip"]["summary"]["time"]) / 60.0)

    def isochrone(self, lonlat: NDArray[np.float64], minutes: Sequence[float]) -> list[Any]:
        """
        Return the areas within reach of a position.

        Parameters
        ----------
        lonlat : numpy.ndarray of shape (2,)
            A position.
        minutes : sequence of float
            Driving times.

        Returns
        -------
        list of shapely geometry
            One for each time, in their order.
        """
        contours = [{"time": float(time)} for time in sorted(set(minutes))]
        document = {**self._about(lonlat[None]), "contours": contours, "polygons": True}
        features = self._ask("isochrone", document)["features"]
        drawn = {
            float(feature["properties"]["contour"]): shapely.geometry.shape(feature["geometry"])
            for feature in features
        }
        return [drawn[float(time)] for time in minutes]

    def matrix(
        self, sources: NDArray[np.float64], targets: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return the times and distances from each source to each target.

        Parameters
        ----------
        sources, targets : numpy.ndarray of shape (n, 2) and (m, 2)
            Positions.

        Returns
        -------
        minutes, km : numpy.ndarray of shape (n, m)
            NaN without a path.
        """
        document = {
            "sources": self._about(sources)["locations"],
            "targets": self._about(targets)["locations"],
            "costing": self.costing,
            "units": "kilometers",
        }
        rows = self._ask("sources_to_targets", document)["sources_to_targets"]
        return tuple(  # type: ignore[return-value]
            _parse_matrix([[cell[name] for cell in row] for row in rows], scale)
            for name, scale in (("time", 60.0), ("distance", 1.0))
        )

    def _about(self, lonlat: NDArray[np.float64]) -> dict[str, Any]:
        places = [{"lon": float(lon), "lat": float(lat)} for lon, lat in lonlat]
        return {"locations": places, "costing": self.costing}


class Valhalla(ValhallaDialect):
    """
    A Valhalla server.

    Parameters
    ----------
    url : str
        Its address, such as ``http://localhost:8002``.
    costing : str
        Valhalla's costing model, such as ``auto`` or ``truck``.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> engine = ocm.Valhalla("http://localhost:8002")
    >>> areas = ocm.isochrones([(1.52, 42.51)], [10, 20], engine=engine)  # doctest: +SKIP
    """

    def __init__(self, url: str, *, costing: str = "auto") -> None:
        super().__init__(costing)
        self.url = url.rstrip("/")
        self._session = _open_session()

    def __repr__(self) -> str:
        """Return the class with its address."""
        return f"Valhalla({self.url!r}, costing={self.costing!r})"

    def _ask(self, action: str, document: dict[str, Any]) -> dict[str, Any]:
        return _request_answer(self._session, "POST", f"{self.url}/{action}", json=document)
