"""Where new stations would help most."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

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
from ocm_geo.access.solvers import Limits, SolverOptions
from ocm_geo.checks import SUSPECT_KM, check_choice, check_options, check_whole
from ocm_geo.coverage.inputs import check_stations, population_of
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

__all__ = ["suggest_sites"]

_METHODS = ("mclp", "lscp", "p-median")
_SOLVERS = ("highs", "greedy")
_TIME_LIMIT_S = 60.0


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
    Choose where new stations help most; existing stations are kept.

    Parameters
    ----------
    demand : geopandas.GeoDataFrame
        Where the population lives: points in any coordinate reference system.
    candidates : geopandas.GeoDataFrame or geopandas.GeoSeries
        Possible locations of new stations: points.
    stations : geopandas.GeoDataFrame or None
        The existing stations, all of which are kept.
    n_sites : int or None
        Number of new stations; for LSCP the largest number allowed, or None.
    within_km : float
        A station serves the population up to this geodesic distance, inclusive, km; with
        `costs` in their unit. Pairs farther apart are never built.
    method : {"mclp", "lscp", "p-median"}
        ``mclp``: largest population within reach (Church & ReVelle 1974). ``lscp``: fewest
        stations that bring everybody within reach (Toregas et al. 1971). ``p-median``: smallest
        total distance to the nearest station, where distances above `within_km` count as that
        (Hakimi 1964; without a cap if `within_km` exceeds all distances).
    population : str
        Column of the demand with its population.
    solver : {"highs", "greedy"} or pulp.LpSolver
        ``highs``: the proven optimum, or the best solution found in time, with its gap. A solver
        of pulp (extra ``siting``): the same, with the bound of the linear relaxation.
        ``greedy``: one station after the other, for larger problems; MCLP and p-median gain at
        least 1 - 1/e of the optimum, and the gap to a proven bound is reported.
    **options : SolverOptions
        ``time_limit_s`` and ``gap``; ``costs`` and ``station_costs`` in place of distances.

    Returns
    -------
    geopandas.GeoDataFrame
        The chosen candidates, index kept, EPSG:4326, in the order of what each adds to those
        before it: ``rank`` and ``population_gained`` (newly within reach), and for p-median
        ``person_km_saved`` (with `costs` the name of their unit). ``attrs["ocm"]["siting"]`` has
        solver, status, objective (population within reach, number of stations, or total
        distance), bound, gap (their difference over the objective), and the population within
        reach before and after.

    Raises
    ------
    QueryError
        If a table or number is wrong, the population is 0, or LSCP needs more stations.

    Warns
    -----
    SuspectInput
        If LSCP cannot bring everybody within reach of a candidate or station.
    OutsideData
        If a part of the population lives in countries of which the source has no station.

    Notes
    -----
    The models are those of spopt, written for pairs instead of a full matrix of costs. HiGHS is
    that of SciPy.

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
    limits = _check_limits(method, solver, options)
    persons = population_of(demand, population)
    if not persons.any():
        raise QueryError(f"population {population!r}: all values are 0, nobody lives in the demand")
    sites = _read_candidates(candidates)
    check_new_columns(sites, ("rank", "population_gained"), "candidates")
    reach = _pair_points(demand, sites, stations, within=within, options=options)
    if stations is not None:
        stations = mark_demand(stations, demand, persons)
    case = _SitingCase(sites, persons, within, *reach)
    number = _check_n_sites(n_sites, method, len(case.sites))
    gains = case.gains(method)
    found = _solve_siting(case, gains, number, method=method, limits=limits)
    name = solver if isinstance(solver, str) else solver.name
    return _build_site_table(
        case, found, method, stations, facts={"solver": name, "n_pairs": len(gains.gain)}
    )


class _SitingCase(NamedTuple):
    """Points of demand, their cost to existing stations, and the candidates near them."""

    sites: gpd.GeoDataFrame
    persons: NDArray[np.float64]
    within: float
    near: Catchments  # points and candidates
    to_station: NDArray[np.float64]  # cost to the nearest one; infinite beyond reach

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Which points have a station within reach."""
        return np.isfinite(self.to_station)

    @property
    def before(self) -> NDArray[np.float64]:
        """The cost of each point to its nearest station, at most the cap."""
        return np.minimum(self.to_station, self.within)

    def gains(self, method: str) -> Gains:
        """Return the gains of candidates by the measure of a method, without zero gains."""
        # Existing stations count first: a candidate gains only what it adds to them.
        place, candidate, cost, _ = self.near
        if method == "p-median":
            gain = self.persons[place] * (self.before[place] - cost)
        else:
            gain = np.where(self.reached[place], 0.0, self.persons[place])
        some = gain > 0
        return Gains(place[some], candidate[some], gain[some], len(self.persons), len(self.sites))

    def reach_after(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the population that each chosen candidate newly brings within reach."""
        gains = self.gains("mclp")
        taken = np.zeros(len(self.persons))
        population_gained = []
        for candidate in chosen:
            before = taken.sum()
            gains.take(taken, candidate)
            population_gained.append(taken.sum() - before)
        return np.array(population_gained)

    def costs_after(self, chosen: NDArray[np.intp]) -> list[float]:
        """Return the total of population times cost with 0, 1, 2, … chosen candidates."""
        cost = self.before
        totals = [float(self.persons @ cost)]
        for candidate in chosen:
            mine = self.near.station == candidate
            np.minimum.at(cost, self.near.origin[mine], self.near.cost[mine])
            totals.append(float(self.persons @ cost))
        return totals


def _read_candidates(candidates: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Return the candidates as checked points."""
    lon, lat = point_lonlat(candidates, "candidates")
    if not len(lon):
        raise QueryError("candidates: the table is empty; at least one point is needed")
    return gpd.GeoDataFrame(
        candidates.drop(columns=candidates.geometry.name)
        if isinstance(candidates, gpd.GeoDataFrame)
        else None,
        index=candidates.index,
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4326",
    )


def _pair_points(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame | None,
    *,
    within: float,
    options: SolverOptions,
) -> tuple[Catchments, NDArray[np.float64]]:
    """Return the pairs of points and candidates, and the cost to the nearest station."""
    if "costs" in options:
        return _pair_by_costs(demand.index, sites.index, stations, within=within, options=options)
    if "station_costs" in options:
        raise QueryError("station_costs requires costs, those of the candidates: pass both")
    return _pair_by_distance(demand, sites, stations, within)


def _solve_siting(
    case: _SitingCase, gains: Gains, number: int, *, method: str, limits: Limits
) -> Solution:
    """Return the candidates that a method chooses."""
    if method == "lscp":
        return _find_fewest(case, gains, number, limits=limits)
    if limits.solver == "greedy":
        return greedy_gains(gains, number)
    return best_gains(gains, number, all_or_nothing=method == "mclp", limits=limits)


def _pair_by_distance(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame | None,
    within: float,
) -> tuple[Catchments, NDArray[np.float64]]:
    """Return the pairs of points and candidates, and the distance to the nearest station."""
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


def _pair_by_costs(
    origins: pd.Index,
    candidates: pd.Index,
    stations: gpd.GeoDataFrame | None,
    *,
    within: float,
    options: SolverOptions,
) -> tuple[Catchments, NDArray[np.float64]]:
    """Return the pairs of points and candidates, and the cost to the nearest station."""
    near = pairs_of_table(
        options["costs"], origins, candidates, within, column="candidate", what="candidates"
    )
    known = np.full(len(origins), np.inf)
    if stations is not None and len(stations):
        if "station_costs" not in options:
            raise QueryError(
                "station_costs is missing: with costs, the existing stations need theirs too, as "
                f"columns origin, ocm_id and {near.unit}"
            )
        column = id_name(stations.index)
        there = pairs_of_table(
            options["station_costs"], origins, stations.index, within, column=column
        )
        if there.unit != near.unit:
            raise QueryError(
                f"costs are in {near.unit!r} and station_costs in {there.unit!r}: use the same "
                "unit and column name in both"
            )
        np.minimum.at(known, there.origin, there.cost)
    return near, known


def _check_limits(method: str, solver: str | LpSolver, options: SolverOptions) -> Limits:
    """Return the checked solver and its limits."""
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


def _check_n_sites(n_sites: int | None, method: str, n_candidates: int) -> int:
    """Return the checked number of sites; for LSCP at most all candidates."""
    if n_sites is None and method == "lscp":
        return n_candidates
    try:
        return check_whole(n_sites, "n_sites", high=n_candidates)
    except QueryError as error:
        raise QueryError(f"{error}; there are {n_candidates} candidates") from None


def _find_fewest(case: _SitingCase, gains: Gains, most: int, *, limits: Limits) -> Solution:
    """Return the fewest candidates that cover all who can be covered."""
    wanted = ~case.reached & (case.persons > 0)
    coverable, place = np.unique(gains.place, return_inverse=True)
    lost = wanted.copy()
    lost[coverable] = False
    if lost.any():
        warnings.warn(
            f"{lost.sum():,} points with a population of {case.persons[lost].sum():,.0f} are "
            f"farther than {case.within:g} {case.near.unit} from every candidate and "
            "station: they stay out of reach",
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
            "raise n_sites, or find the best sites of that number with method='mclp'"
        )
    order = greedy_gains(gains, len(found.chosen), found.chosen).chosen
    return found._replace(chosen=order if len(found.chosen) else found.chosen)


def _build_site_table(
    case: _SitingCase,
    found: Solution,
    method: str,
    stations: gpd.GeoDataFrame | None,
    *,
    facts: dict[str, Any],
) -> gpd.GeoDataFrame:
    """Return the chosen candidates with their ranks and gains."""
    table = case.sites.iloc[found.chosen].copy()
    table["rank"] = np.arange(1, len(table) + 1)
    gained = case.reach_after(found.chosen)
    table["population_gained"] = gained
    before = float(case.persons[case.reached].sum())
    # Solvers maximise gains; what is reported is the population within reach, or the total
    # distance that is left.
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
