"""Where the next chargers help most."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

import geopandas as gpd
import numpy as np

from ocm_geo.access.catchments import Catchments, check_reach, pairs_of_table
from ocm_geo.access.location import (
    Gains,
    Solution,
    best_gains,
    cover_all,
    greedy_cover,
    greedy_gains,
)
from ocm_geo.access.solvers import Limits
from ocm_geo.checks import SUSPECT_KM, check_choice, check_options, check_whole
from ocm_geo.coverage.inputs import check_stations, people
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.frames import check_new_columns, point_lonlat
from ocm_geo.geodesy import PointIndex, pairs_within_km
from ocm_geo.ids import id_name, station_table
from ocm_geo.outside import mark_demand
from ocm_geo.provenance import carry
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from pulp import LpSolver

__all__ = ["SolverOptions", "suggest_sites"]

_METHODS = ("mclp", "lscp", "p-median")
_SOLVERS = ("highs", "greedy")
_TIME_LIMIT_S = 60.0


class SolverOptions(TypedDict, total=False):
    """
    How long to look for a proof, and other costs than distances.

    Parameters
    ----------
    time_limit_s : float
        Seconds (60) after which HiGHS gives the best found so far, with its gap. A solver of
        pulp has its own limits.
    gap : float
        Relative gap at which HiGHS stops (0: proven best).
    costs : pandas.DataFrame
        Use these instead of distances, such as the minutes of a routing engine: columns
        ``origin`` (index of the demand), ``candidate`` (index of the candidates) and the cost.
        Pairs that are left out cannot be travelled.
    station_costs : pandas.DataFrame
        The same for the stations that exist: ``origin``, ``ocm_id`` and the cost, by the same
        name. It belongs to `costs`, and is needed where there are stations.
    """

    time_limit_s: float
    gap: float
    costs: pd.DataFrame
    station_costs: pd.DataFrame


def suggest_sites(
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame | None,
    n_sites: int | None,
    *,
    within_km: float,
    method: str = "mclp",
    population: str = "population",
    solver: str | LpSolver = "highs",
    **options: Unpack[SolverOptions],
) -> gpd.GeoDataFrame:
    """
    Choose where new charging sites help most, beside the stations that exist.

    Parameters
    ----------
    demand : geopandas.GeoDataFrame
        Where people live: points in any coordinate reference system.
    candidates : geopandas.GeoDataFrame or geopandas.GeoSeries
        Places where a site could be built: points.
    stations : geopandas.GeoDataFrame or None
        The stations that exist, all of which stay.
    n_sites : int or None
        How many new sites; for LSCP the most that may be needed, or None.
    within_km : float
        A site serves people up to this geodesic distance, inclusive, km; with costs in their
        unit. Pairs farther apart are never built.
    method : {"mclp", "lscp", "p-median"}
        ``mclp``: most people within reach (Church & ReVelle 1974). ``lscp``: fewest sites that
        bring everybody within reach (Toregas et al. 1971). ``p-median``: least total distance
        to the nearest site, where people farther than `within_km` count as that far (Hakimi
        1964; without a cap if `within_km` is larger than all distances).
    population : str
        Column of the demand with its people.
    solver : {"highs", "greedy"} or pulp.LpSolver
        ``highs``: proven best, or the best found in time, with its gap. A solver of pulp (extra
        ``siting``): the same by it, with the bound of the linear relaxation. ``greedy``: for
        problems too large for that, one site after the other; MCLP and p-median gain at least
        1 - 1/e of the most possible, and the gap to a proven bound is reported.
    **options : SolverOptions
        ``time_limit_s`` and ``gap``; ``costs`` and ``station_costs`` to use instead of distances.

    Returns
    -------
    geopandas.GeoDataFrame
        The chosen candidates, index kept, EPSG:4326, in the order of what each adds to those
        before it: ``rank`` and ``population_gained`` (newly within reach), and for p-median
        ``person_km_saved`` (with costs the name of their unit). ``attrs["ocm"]["siting"]`` has
        solver, status, objective (people within reach, sites, or total distance), bound, gap
        (the difference of these two, over the objective), and people within reach before and
        after.

    Raises
    ------
    QueryError
        If a table or number is wrong, nobody lives in the demand, or LSCP needs more sites.

    Warns
    -----
    SuspectInput
        If LSCP cannot bring everybody within reach of a candidate or station.
    OutsideData
        If a part of the population lies in countries of which the source holds no station.

    Notes
    -----
    The models are those of spopt, written for pairs: spopt needs the full matrix of costs.
    HiGHS is the one of SciPy.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> source = ocm.sample()
    >>> stations = ocm.stations(source=source, min_power_kw=150)
    >>> towns = ocm.sample_areas().assign(geometry=lambda t: t.representative_point())
    >>> places = ocm.stations(source=source, countries="NL")
    >>> found = ocm.suggest_sites(towns, places, stations, 3, within_km=15)
    >>> found["rank"].tolist()
    [1, 2, 3]
    """
    far = np.inf if method == "p-median" else SUSPECT_KM
    within = check_reach(within_km, "within_km", options.get("costs"), suspect_from=far)
    stations = None if stations is None else station_table(stations, placed="costs" not in options)
    limits = _limits(method, solver, options)
    persons = people(demand, population)
    if not persons.any():
        raise QueryError(f"population {population!r}: nobody lives in the demand")
    sites = _sites(candidates)
    check_new_columns(sites, ("rank", "population_gained"), "candidates")
    if "costs" in options:
        reach = _by_costs(demand.index, sites.index, stations, within=within, options=options)
    elif "station_costs" in options:
        raise QueryError("station_costs belongs to costs, those of the candidates: give both")
    else:
        reach = _by_distance(demand, sites, stations, within)
    if stations is not None:
        stations = mark_demand(stations, demand, persons)
    case = _Case(sites, persons, within, *reach)
    number = _number(n_sites, method, len(case.sites))
    gains = case.gains(method)
    if method == "lscp":
        found = _fewest(case, gains, number, limits=limits)
    elif solver == "greedy":
        found = greedy_gains(gains, number)
    else:
        found = best_gains(gains, number, all_or_nothing=method == "mclp", limits=limits)
    name = solver if isinstance(solver, str) else solver.name
    return _table(case, found, method, stations, facts={"solver": name, "n_pairs": len(gains.gain)})


class _Case(NamedTuple):
    """Places, what they have already, and the candidates near them."""

    sites: gpd.GeoDataFrame
    persons: NDArray[np.float64]
    within: float
    near: Catchments  # places and candidates
    to_station: NDArray[np.float64]  # cost to the nearest one; infinite beyond reach

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Who has a station."""
        return np.isfinite(self.to_station)

    @property
    def before(self) -> NDArray[np.float64]:
        """Give the cost of each place to its nearest station, at most the cap."""
        return np.minimum(self.to_station, self.within)

    def gains(self, method: str) -> Gains:
        """Say what candidates would give, by the method's measure; pairs without gain left out."""
        place, candidate, cost, _ = self.near
        if method == "p-median":
            gain = self.persons[place] * (self.before[place] - cost)
        else:
            gain = np.where(self.reached[place], 0.0, self.persons[place])
        some = gain > 0
        return Gains(place[some], candidate[some], gain[some], len(self.persons), len(self.sites))

    def reach_after(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Give the people newly within reach of each chosen candidate, one after the other."""
        gains = self.gains("mclp")
        taken = np.zeros(len(self.persons))
        population_gained = []
        for candidate in chosen:
            before = taken.sum()
            gains.take(taken, candidate)
            population_gained.append(taken.sum() - before)
        return np.array(population_gained)

    def costs_after(self, chosen: NDArray[np.intp]) -> list[float]:
        """Give the total of people times cost with none, one, two… of the chosen candidates."""
        cost = self.before
        totals = [float(self.persons @ cost)]
        for candidate in chosen:
            mine = self.near.station == candidate
            np.minimum.at(cost, self.near.origin[mine], self.near.cost[mine])
            totals.append(float(self.persons @ cost))
        return totals


def _sites(candidates: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    lon, lat = point_lonlat(candidates, "candidates")
    if not len(lon):
        raise QueryError("candidates: there is none; give at least one place for a site")
    return gpd.GeoDataFrame(
        candidates.drop(columns=candidates.geometry.name)
        if isinstance(candidates, gpd.GeoDataFrame)
        else None,
        index=candidates.index,
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4326",
    )


def _by_distance(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame | None,
    within: float,
) -> tuple[Catchments, NDArray[np.float64]]:
    """Pair places with candidates, and give the distance of each to its nearest station."""
    places = PointIndex(*point_lonlat(demand, "demand"))
    known = np.full(len(demand), np.inf)
    if stations is not None and len(stations):
        index = PointIndex(*check_stations(stations))
        known = index.nearest(places.lon, places.lat, 1, max_km=within)[1][:, 0]
    lonlat = np.column_stack([places.lon, places.lat])
    if stations is not None and np.isinf(known).all():
        warn_if_far("demand", lonlat, stations)
    others = PointIndex(sites.geometry.x, sites.geometry.y)
    near = pairs_within_km(places, others, within)
    if not len(near.km):
        warn_if_far("demand", lonlat, others, "candidate")
    return Catchments(*near, "km"), known


def _by_costs(
    origins: pd.Index,
    candidates: pd.Index,
    stations: gpd.GeoDataFrame | None,
    *,
    within: float,
    options: SolverOptions,
) -> tuple[Catchments, NDArray[np.float64]]:
    """Do the same with the user's own costs."""
    near = pairs_of_table(
        options["costs"], origins, candidates, within, column="candidate", what="candidates"
    )
    known = np.full(len(origins), np.inf)
    if stations is not None and len(stations):
        if "station_costs" not in options:
            raise QueryError(
                "station_costs: there are stations, so their costs are needed too: columns origin, "
                f"ocm_id and {near.unit}"
            )
        column = id_name(stations.index)
        there = pairs_of_table(
            options["station_costs"], origins, stations.index, within, column=column
        )
        if there.unit != near.unit:
            raise QueryError(
                f"costs are in {near.unit!r} and station_costs in {there.unit!r}: give both in one "
                "unit, under one name"
            )
        np.minimum.at(known, there.origin, there.cost)
    return near, known


def _limits(method: str, solver: str | LpSolver, options: SolverOptions) -> Limits:
    check_choice(method, "method", _METHODS)
    if isinstance(solver, str) and solver not in _SOLVERS:
        raise QueryError(f"solver={solver!r}: choose one of {', '.join(_SOLVERS)}")
    check_options(options, SolverOptions.__annotations__, "suggest_sites")
    seconds, gap = options.get("time_limit_s", _TIME_LIMIT_S), options.get("gap", 0.0)
    numbers = all(isinstance(value, int | float) for value in (seconds, gap))
    if not numbers or not seconds > 0 or not 0 <= gap < 1:
        raise QueryError(
            f"time_limit_s must be above 0 and gap from 0 to below 1, not {seconds!r} and {gap!r}"
        )
    return Limits(solver, float(seconds), float(gap))


def _number(n_sites: int | None, method: str, n_candidates: int) -> int:
    if n_sites is None and method == "lscp":
        return n_candidates
    try:
        return check_whole(n_sites, "n_sites", high=n_candidates)
    except QueryError as error:
        raise QueryError(f"{error}; there are {n_candidates} candidates") from None


def _fewest(case: _Case, gains: Gains, most: int, *, limits: Limits) -> Solution:
    """Cover everybody who can be covered, and say who cannot."""
    wanted = ~case.reached & (case.persons > 0)
    coverable, place = np.unique(gains.place, return_inverse=True)
    lost = wanted.copy()
    lost[coverable] = False
    if lost.any():
        warnings.warn(
            f"{lost.sum():,} places with {case.persons[lost].sum():,.0f} people are farther than "
            f"{case.within:g} {case.near.unit} from every candidate and station: they stay out of "
            "reach",
            SuspectInput,
            stacklevel=3,
        )
    problem = gains._replace(place=place, n_places=len(coverable))
    found = (
        greedy_cover(problem) if limits.solver == "greedy" else cover_all(problem, limits=limits)
    )
    if len(found.chosen) > most:
        raise QueryError(
            f"lscp needs {len(found.chosen)} sites ({found.status}), more than n_sites={most}: "
            "allow more, or ask for the best of that many with method='mclp'"
        )
    order = greedy_gains(gains, len(found.chosen), found.chosen).chosen
    return found._replace(chosen=order if len(found.chosen) else found.chosen)


def _table(
    case: _Case,
    found: Solution,
    method: str,
    stations: gpd.GeoDataFrame | None,
    *,
    facts: dict[str, Any],
) -> gpd.GeoDataFrame:
    table = case.sites.iloc[found.chosen].copy()
    table["rank"] = np.arange(1, len(table) + 1)
    gained = case.reach_after(found.chosen)
    table["population_gained"] = gained
    before = float(case.persons[case.reached].sum())
    objective, bound = found.value, found.bound
    if method == "mclp":
        objective, bound = before + objective, before + bound
    if method == "p-median":
        totals = case.costs_after(found.chosen)
        table[f"person_{case.near.unit}_saved"] = -np.diff(totals)
        start = totals[0]
        objective, bound = start - objective, start - bound
    facts |= {
        "method": method,
        f"within_{case.near.unit}": case.within,
        "status": found.status,
        "objective": objective,
        "bound": bound,
        "gap": abs(bound - objective) / objective if objective else 0.0,
        "population": float(case.persons.sum()),
        "population_reached_before": before,
        "population_reached_after": before + float(gained.sum()),
        "n_candidates": len(case.sites),
    }
    if stations is None:
        return carry(table, case.sites, siting=facts)
    return carry(table, stations, siting=facts)
