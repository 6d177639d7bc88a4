"""Plan charging stops: the fewest stops, or where the vehicle is stranded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ocm_geo.cards import build_card
from ocm_geo.checks import check_km, check_share
from ocm_geo.corridors.marks import Marks, marks_along
from ocm_geo.corridors.positions import check_measures
from ocm_geo.errors import QueryError
from ocm_geo.frames import check_new_columns
from ocm_geo.geodesy import Line, as_line
from ocm_geo.ids import station_table, take_ids
from ocm_geo.outside import mark_line
from ocm_geo.provenance import carry, choose_within_km, credit_line

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.corridors.positions import Points
    from ocm_geo.routes.editing import Route

__all__ = ["StopPlan", "plan_stops"]

_FAR_RANGE_KM = 2000.0
"""No vehicle drives this far on one charge."""
_ROUNDING_KM = 1e-6
_CHUNK = 256


_SHOWN_OF_STOPS = (
    *("title", "operator", "town", "along_km", "offset_km", "max_power_kw"),
    *("arrival_soc", "departure_soc"),
)


@dataclass(frozen=True)
class StopPlan:
    """
    A plan of charging stops along a route.

    Parameters
    ----------
    feasible : bool
        Whether the end of the route is reached.
    stops : geopandas.GeoDataFrame
        The stations to charge at, in order: their rows with ``along_km``, ``offset_km``,
        ``side``, ``arrival_soc`` and ``departure_soc`` (states of charge, 0 to 1).
    legs : pandas.DataFrame
        The drives between them: ``from_id`` and ``to_id`` (missing at the ends of the route),
        ``start_km`` and ``end_km`` along the route, ``distance_km`` driven, ``start_soc``,
        ``arrival_soc`` and ``feasible``. Where the plan is not feasible the last leg is the first
        gap that is too long: from the last stop to the next station, or to the end.
    stranded_at_km : float or None
        Kilometre of the route where the reserve is reached with no station in range; None for
        a feasible plan.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> stations = gpd.GeoSeries([shapely.Point(6, 0)], index=[7], crs="EPSG:4326")
    >>> plan = ocm.plan_stops(shapely.LineString([(5, 0), (9, 0)]), stations, range_km=200)
    >>> plan.feasible, round(plan.stranded_at_km, 1)
    (False, 251.3)
    """

    feasible: bool
    stops: gpd.GeoDataFrame
    legs: pd.DataFrame
    stranded_at_km: float | None

    @property
    def _headline(self) -> str:
        """The plan in one line."""
        driven = f"{self.legs['distance_km'].sum():,.1f} km driven"
        n = f"{len(self.stops)} {'stop' if len(self.stops) == 1 else 'stops'}, {driven}"
        if self.feasible or self.stranded_at_km is None:
            return f"feasible: {n}"
        return f"not feasible: stranded at km {self.stranded_at_km:,.1f}, after {n}"

    def __repr__(self) -> str:
        """Describe it in one line."""
        return f"<StopPlan {self._headline}>"

    def _repr_html_(self) -> str:
        """Show the stops and the legs, for notebooks."""
        shown = [name for name in _SHOWN_OF_STOPS if name in self.stops]
        return build_card(
            f"Plan of stops, {self._headline}",
            tables={"Stops": self.stops[shown], "Legs": self.legs},
            credit=credit_line(self.stops),
        )


class _Car(NamedTuple):
    """Range and states of charge of a vehicle."""

    range_km: float
    reserve: float
    charge_to: float
    start_soc: float

    @property
    def first_hop_km(self) -> float:
        """Return the longest drive from the start."""
        return self.range_km * (self.start_soc - self.reserve) + _ROUNDING_KM

    @property
    def hop_km(self) -> float:
        """Return the longest drive from a stop."""
        return self.range_km * (self.charge_to - self.reserve) + _ROUNDING_KM


class _Road(NamedTuple):
    """Marks in order of kilometre, their distance from the route, and its length."""

    along_km: NDArray[np.float64]
    off_km: NDArray[np.float64]
    length_km: float

    @property
    def in_km(self) -> NDArray[np.float64]:
        """Return the kilometres that a car could reach instead of the stations."""
        return self.along_km + self.off_km

    @property
    def out_km(self) -> NDArray[np.float64]:
        """Return the kilometres where a car that leaves the station seems to have started."""
        return self.along_km - self.off_km


class _Chain(NamedTuple):
    """Marks to stop at, and the kilometre of the route that the last hop reaches."""

    stops: list[int]
    reach_km: float


def plan_stops(
    route: Route,
    stations: Points,
    *,
    range_km: float,
    reserve: float = 0.1,
    charge_to: float = 0.8,
    start_soc: float = 1.0,
    detours: bool = False,
    within_km: float | None = None,
) -> StopPlan:
    """
    Plan the fewest charging stops along a route.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table, already filtered to the stations that suit the car.
    range_km : float
        Distance on a full battery, in km.
    reserve : float
        Minimum state of charge at any time, 0 to 1.
    charge_to : float
        State of charge after each stop, 0 to 1.
    start_soc : float
        State of charge at the start, 0 to 1.
    detours : bool
        Whether the straight line from the route to a station and back is driven, too: twice
        ``offset_km`` for each stop. Without it, stations count as if they were on the route.
    within_km : float, optional
        Maximum distance of a station from the route, inclusive, in km. By default every station
        counts if the table has the distances (``offset_km``, as from `stations_from_route`) or
        detours are driven; else stations within the distance in which they were fetched along a
        route, else within 5 km.

    Returns
    -------
    StopPlan
        The plan with the fewest stops, with ``detours`` the shortest of these; or how far the
        vehicle gets.

    Raises
    ------
    QueryError
        If a parameter is invalid, or the table is not one of points with ids.
    RouteError
        If the geometry is not a route.

    Warns
    -----
    OutsideData
        If a part of the route lies in countries without stations in the source.

    Notes
    -----
    The first hop is at most ``range_km * (start_soc - reserve)``, each later one
    ``range_km * (charge_to - reserve)``, to 1 mm. Without detours the farthest station in reach
    is always a best next stop. With detours the best plan is found stop by stop: the n-th stop of
    a plan with the fewest stops is a station that cannot be reached with fewer than n stops.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> stations = gpd.GeoSeries.from_xy([6, 6.5, 7], [0, 0, 0], index=[1, 2, 3], crs="EPSG:4326")
    >>> plan = ocm.plan_stops(shapely.LineString([(5, 0), (8, 0)]), stations, range_km=250)
    >>> plan.feasible, plan.stops.index.tolist()
    (True, [3])
    """
    car = _check_car(range_km, reserve, charge_to, start_soc)
    stations = station_table(stations)
    check_measures(stations)
    if isinstance(stations, pd.DataFrame):
        check_new_columns(stations, ("arrival_soc", "departure_soc"), "stations")
    line = Line(as_line(route))
    stations = mark_line(stations, line)
    near_km, far_km = _choose_reach(stations, within_km, car, detours=detours)
    marks = marks_along(stations, line, near_km, far_km=far_km)
    off_km = marks.offset_km if detours else np.zeros(len(marks.ids))
    find = _plan_cheapest if detours else _plan_farthest
    road = _Road(marks.along_km, off_km, line.length_km)
    chain = find(road, car)
    plan = _build_plan(marks, road, car, chain)
    # Detours are straight lines, there and back: the provenance records it.
    facts = {**car._asdict(), "detours": "straight" if detours else None}
    facts["within_km"] = near_km if far_km is None else far_km
    for table in (plan.stops, plan.legs):
        carry(table, stations, plan=facts)
    return plan


def _check_car(range_km: float, reserve: float, charge_to: float, start_soc: float) -> _Car:
    """Check the range and the states of charge."""
    car = _Car(
        check_km(range_km, "range_km", suspect_from=_FAR_RANGE_KM),
        check_share(reserve, "reserve"),
        check_share(charge_to, "charge_to"),
        check_share(start_soc, "start_soc"),
    )
    for name in ("charge_to", "start_soc"):
        if (soc := getattr(car, name)) <= car.reserve:
            raise QueryError(f"{name}={soc:g} must be greater than reserve={car.reserve:g}")
    return car


def _choose_reach(
    stations: Points, within_km: float | None, car: _Car, *, detours: bool
) -> tuple[float, float | None]:
    """Return how far stations may be from the route: for every passage, and for one only."""
    if within_km is not None:
        return check_km(within_km, "within_km"), None
    offset = stations["offset_km"].dropna() if "offset_km" in stations else ()
    if len(offset):
        # The same distance measured twice may differ by rounding.
        return float(max(offset)) + 2 * _ROUNDING_KM, None
    return choose_within_km(None, stations), max(car.first_hop_km, car.hop_km) if detours else None


def _plan_farthest(road: _Road, car: _Car) -> _Chain:
    """Drive to the farthest station in reach until the end or a gap."""
    stops: list[int] = []
    reach, last_km = car.first_hop_km, -np.inf
    while reach < road.length_km:
        n_in_reach = int(np.searchsorted(road.along_km, reach, side="right"))
        if not n_in_reach or road.along_km[n_in_reach - 1] <= last_km:
            break
        last_km = float(road.along_km[n_in_reach - 1])
        # Of several stations at this kilometre the first is the nearest to the route.
        stops.append(int(np.searchsorted(road.along_km, last_km)))
        reach = last_km + car.hop_km
    return _drop_useless_stops(_Chain(stops, reach), car)


def _plan_cheapest(road: _Road, car: _Car) -> _Chain:
    """Extend the front stop by stop; of the first stations that reach the end take the cheapest."""
    cost = np.full(len(road.along_km), np.inf)
    before = np.full(len(cost), -1)
    if car.first_hop_km >= road.length_km:
        return _Chain([], car.first_hop_km)
    front = np.flatnonzero(road.in_km <= car.first_hop_km)
    cost[front] = 2 * road.off_km[front]
    # Invariant: the front contains the stations first reached with this number of stops, each with
    # the least detour; hence the first front that reaches the end contains a best last stop.
    while front.size:
        ends = front[road.out_km[front] + car.hop_km >= road.length_km]
        if ends.size:
            return _trace_chain(road, car, before, int(ends[np.argmin(cost[ends])]))
        front = _extend_front(road, car, front, cost=cost, before=before)
    reached = np.flatnonzero(np.isfinite(cost))
    if not reached.size:
        return _Chain([], car.first_hop_km)
    farthest = int(reached[np.argmax(road.out_km[reached])])
    return _drop_useless_stops(_trace_chain(road, car, before, farthest), car)


def _extend_front(
    road: _Road,
    car: _Car,
    front: NDArray[np.intp],
    *,
    cost: NDArray[np.float64],
    before: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Reach new stations from those of the front; ``cost`` and ``before`` are filled in."""
    waiting = np.flatnonzero(np.isinf(cost))
    reach = road.out_km[front] + car.hop_km
    best = np.concatenate([[-np.inf], np.maximum.accumulate(reach)])
    behind = np.searchsorted(road.along_km[front], road.along_km[waiting], side="right")
    new = waiting[road.in_km[waiting] <= best[behind]]
    for some in np.array_split(new, len(new) // _CHUNK + 1):
        open_to = (road.along_km[front][:, None] <= road.along_km[some]) & (
            road.in_km[some] <= reach[:, None]
        )
        through = np.where(open_to, cost[front][:, None], np.inf)
        choice = np.argmin(through, axis=0)
        cost[some] = cost[front[choice]] + 2 * road.off_km[some]
        before[some] = front[choice]
    return new


def _trace_chain(road: _Road, car: _Car, before: NDArray[np.intp], last: int) -> _Chain:
    """Return the stops that lead to the last one."""
    stops = [last]
    while before[stops[-1]] >= 0:
        stops.append(int(before[stops[-1]]))
    return _Chain(stops[::-1], float(road.out_km[last]) + car.hop_km)


def _drop_useless_stops(chain: _Chain, car: _Car) -> _Chain:
    """Drop a stop soon after a full start if it leads less far than driving on."""
    return chain if chain.reach_km >= car.first_hop_km else _Chain([], car.first_hop_km)


def _build_plan(marks: Marks, road: _Road, car: _Car, chain: _Chain) -> StopPlan:
    """Build the plan of a chain of stops."""
    feasible = chain.reach_km >= road.length_km
    legs = _list_legs(marks, road, car, chain)
    stops = marks.table.iloc[chain.stops].copy()
    stops["arrival_soc"] = legs["arrival_soc"].to_numpy()[: len(stops)]
    stops["departure_soc"] = car.charge_to
    stranded = None if feasible else chain.reach_km - _ROUNDING_KM
    return StopPlan(feasible, stops, legs, stranded)


def _list_legs(marks: Marks, road: _Road, car: _Car, chain: _Chain) -> pd.DataFrame:
    """List the drives up to the end, or to the first station that is out of reach."""
    end = len(marks.ids)
    visited = [*chain.stops, _find_target(road, chain)]
    ids = take_ids(marks.ids, np.array([-1, *(-1 if i == end else i for i in visited)]))
    km = np.append(0.0, np.append(road.along_km, road.length_km)[visited])
    off = np.append(0.0, np.append(road.off_km, 0.0)[visited])
    distance = np.diff(km) + off[:-1] + off[1:]
    start_soc = np.where(np.arange(len(visited)) == 0, car.start_soc, car.charge_to)
    table = {
        "from_id": ids[:-1],
        "to_id": ids[1:],
        "start_km": km[:-1],
        "end_km": km[1:],
        "distance_km": distance,
        "start_soc": start_soc,
        "arrival_soc": start_soc - distance / car.range_km,
        "feasible": [True] * len(chain.stops) + [chain.reach_km >= road.length_km],
    }
    return pd.DataFrame(table)


def _find_target(road: _Road, chain: _Chain) -> int:
    """Return the mark after the last stop: the end of the route, or a station out of reach."""
    end = len(road.along_km)
    last_km = road.along_km[chain.stops[-1]] if chain.stops else 0.0
    beyond = np.flatnonzero((road.along_km >= last_km) & (road.in_km > chain.reach_km))
    if chain.reach_km >= road.length_km or not beyond.size:
        return end
    nearest = int(beyond[np.argmin(road.in_km[beyond])])
    return nearest if road.in_km[nearest] <= road.length_km else end
