"""How much charging a population can reach, given the competition for it: floating catchments."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import pandas as pd
from scipy.sparse import coo_array

from ocm_geo.access.catchments import Catchments, catchments, check_reach
from ocm_geo.access.decay import decay_weights, describe_decay
from ocm_geo.access.raam import RaamSteps, raam_costs
from ocm_geo.access.supply import supply_of
from ocm_geo.checks import check_number, check_options, check_whole
from ocm_geo.coverage.inputs import population_of
from ocm_geo.errors import InexactMethod, OCMWarning, QueryError
from ocm_geo.ids import station_table
from ocm_geo.outside import mark_demand
from ocm_geo.provenance import carry
from ocm_geo.quality.bounding import bound_levels
from ocm_geo.quality.missing import check_completeness
from ocm_geo.suspects import warn_if_watts

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.access.catchments import Positions
    from ocm_geo.access.decay import Decay
    from ocm_geo.quality.missing import MissingStations

__all__ = ["METHODS", "AccessOptions", "accessibility", "check_method"]

METHODS = ("cumulative", "gravity", "2sfca", "e2sfca", "3sfca", "raam")
_SUMS = ("cumulative", "gravity")
_WEIGHED = ("gravity", "e2sfca", "3sfca")
_PRECISION = 1e-9
_TAU = 60.0
_SETTLED = 0.1


class AccessOptions(TypedDict, total=False):
    """
    Optional parameters of `accessibility`.

    Parameters
    ----------
    completeness : pandas.DataFrame or MissingStations
        What `completeness` estimated from the stations and a second register; adds bounds.
    missing_supply : float
        Value for a missing supply; by default a missing supply is an error.
    tau : float
        RAAM: travel that costs as much as the mean crowding, in the unit of the costs (60, as
        in the paper, where it is minutes).
    rho : float
        RAAM: population per unit of supply at which crowding costs 1; by default the mean.
    max_cycles : int
        RAAM: number of rounds of moves (150).
    initial_step, min_step : float
        RAAM: largest share of the population of a point that moves in the first and the last
        rounds (0.2 and 0.005). An integer `initial_step` is a number of persons, as in PySAL's
        ``access``.
    half_life : float
        RAAM: number of rounds in which the step halves (50).
    """

    completeness: pd.DataFrame | MissingStations | None
    missing_supply: float
    tau: float
    rho: float
    max_cycles: int
    initial_step: float
    min_step: float
    half_life: float


def accessibility(
    demand: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    catchment_km: float,
    *,
    method: str = "e2sfca",
    decay: Decay = "step",
    population: str | None,
    supply: str = "n_connectors",
    costs: pd.DataFrame | None = None,
    **options: Unpack[AccessOptions],
) -> Any:  # noqa: ANN401 - a series, or with completeness a table
    """
    Compute how much charging the population of each point can reach.

    Parameters
    ----------
    demand : geopandas.GeoDataFrame
        Where the population lives: points in any coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table with all stations within reach, also those across a border.
    catchment_km : float
        Largest geodesic distance, inclusive, km; with `costs` in their unit.
    method : {"e2sfca", "cumulative", "gravity", "2sfca", "3sfca", "raam"}
        See Notes.
    decay : {"step", "gaussian"}, mapping or callable
        Weight by distance, for gravity, E2SFCA and 3SFCA. ``step``: 1, 0.68, 0.22 on thirds of
        the catchment (Luo & Qi 2009). ``gaussian``: Dai (2010), 0 at the edge. A mapping of
        upper limits to weights, ``{10: 1, 20: 0.42, 30: 0.09}``. Or a function of an array of
        distances, such as ``lambda km: np.exp(-km / 5)``.
    population : str or None
        Column of the demand with its population; not needed for cumulative and gravity.
    supply : str
        ``sites`` counts each station once; otherwise a numeric column of the stations, such as
        ``n_connectors``, ``n_points`` or ``total_power_kw``.
    costs : pandas.DataFrame, optional
        Costs in place of distances, such as the minutes of a routing engine: columns
        ``origin`` (index of the demand), ``ocm_id`` and the cost.
    **options : AccessOptions
        ``missing_supply``, ``completeness``, and the parameters of RAAM.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        ``access``, index of the demand. FCA methods: supply per person, 0 where no station is
        within reach. Cumulative and gravity: supply. RAAM: a cost (lower is better), 1 at the
        mean crowding without travel; missing where no station is within reach or nobody lives.
        ``attrs["ocm"]["access"]`` has the parameters and the results of the checks. With
        ``completeness=`` a table: ``access`` (as recorded), ``access_low`` (without uncertain
        stations) and ``access_high`` (with the missing ones, as in `coverage`); for methods in
        which more stations can lower a value, the least and the greatest of all.

    Raises
    ------
    QueryError
        If a table, column, weight or number is wrong, or nobody lives in the demand.

    Warns
    -----
    InexactMethod
        If the population of RAAM would still save over 10 % of its costs by moving: some points
        have so few persons that a share of them is less than one, or there are too few rounds.
    SuspectInput
        If the costs contain none of the stations.
    OutsideData
        If a part of the demand lies in countries of which the source has no station.

    Notes
    -----
    With population P, supply S, weights W(d) and sums over pairs within the catchment:

    - ``cumulative``: A_i = Σ_j S_j; ``gravity`` (Hansen 1959): A_i = Σ_j S_j W_ij.
    - ``2sfca`` (Luo & Wang 2003), W = 1, and ``e2sfca`` (Luo & Qi 2009):
      R_j = S_j / Σ_i P_i W_ij, A_i = Σ_j R_j W_ij.
    - ``3sfca`` (Wan, Zou & Sternberg 2012): the same with W_ij G_ij, G_ij = W_ij / Σ_k W_ik.
    - ``raam`` (Saxon & Snow 2020): everybody chooses a station until no move lowers the sum of
      crowding (D_j / S_j) / rho and travel d_ij / tau; the iteration is that of PySAL's
      ``access``, with moves of whole persons. ``relative_gap`` is the distance from equilibrium:
      the share of its costs that the population would save by moving.

    Σ P_i A_i equals the supply of the stations within reach of anybody, which is checked on each
    call of an FCA method. A station within reach of nobody adds nothing.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> source = ocm.sample()
    >>> stations = ocm.stations(source=source)
    >>> towns = ocm.sample_areas().assign(geometry=lambda t: t.representative_point())
    >>> access = ocm.accessibility(towns, stations, 30, population="population")
    >>> bool((access >= 0).all())
    True
    """
    check_method(method, decay, options)
    completeness = options.pop("completeness", None)
    if completeness is not None:
        ask = partial(
            accessibility,
            demand,
            catchment_km=catchment_km,
            method=method,
            decay=decay,
            population=population,
            supply=supply,
            **options,
        )
        return _bound_access(ask, stations, completeness, costs)
    within = check_reach(catchment_km, "catchment_km", costs)
    stations = station_table(stations, placed=costs is None)
    amounts, n_missing = supply_of(stations, supply, options.get("missing_supply"))
    warn_if_watts(stations, supply)
    persons = _read_persons(demand, population, method)
    pairs = catchments(demand, stations, within, costs)
    stations = mark_demand(stations, demand, None if population is None else persons)
    facts: dict[str, Any] = {
        "method": method,
        "catchment": within,
        "unit": pairs.unit,
        "population": population,
        "supply": supply,
        "n_supply_missing": n_missing,
        "n_pairs": len(pairs.cost),
    }
    if method == "raam":
        values, more = _settle_raam(pairs, persons, amounts, options)
    else:
        weights = None
        if method in _WEIGHED:
            weights = decay_weights(decay, pairs.cost, within)
            facts["decay"] = describe_decay(decay)
        values, more = _sum_catchments(pairs, persons, amounts, method=method, weights=weights)
    return _name_access(values, demand, stations, facts | more)


def _bound_access(
    ask: Callable[..., pd.Series[float]],
    stations: gpd.GeoDataFrame,
    completeness: object,
    costs: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return access as recorded, with its least and greatest value at all levels."""
    if costs is not None:
        raise QueryError(
            "completeness needs distances: costs has no row for stations that are missing; omit "
            "costs or completeness"
        )
    levels = bound_levels(stations, None, completeness, bounds=True)
    access = ask(stations=levels.tables.pop(""))
    with warnings.catch_warnings():
        # The question has warned once, for the stations as recorded.
        warnings.simplefilter("ignore", OCMWarning)
        others = [ask(stations=t) for name, t in levels.tables.items() if name[:5] != "_less"]
    every = pd.concat([access, *others], axis=1)
    table = pd.DataFrame(
        {"access": access, "access_low": every.min(axis=1), "access_high": every.max(axis=1)}
    )
    return carry(table, access, completeness=levels.facts["completeness"])


def check_method(method: str, decay: Decay, options: AccessOptions) -> None:
    """
    Check method, decay and options, as far as possible without data.

    Parameters
    ----------
    method, decay, options
        As for `accessibility`.

    Raises
    ------
    QueryError
        If the method, the decay or an option is unknown or wrong, or not used by the method.
    """
    if method not in METHODS:
        raise QueryError(f"method={method!r}: choose one of {', '.join(METHODS)}")
    if method not in _WEIGHED and not (isinstance(decay, str) and decay == "step"):
        raise QueryError(
            f"decay={decay!r}: method={method!r} does not weight distances; omit decay, or choose "
            f"one of {', '.join(_WEIGHED)} (2SFCA with weights is 'e2sfca')"
        )
    if not callable(decay):
        decay_weights(decay, np.empty(0), 1.0)
    check_options(options, AccessOptions.__annotations__, "accessibility")
    for name, value in options.items():
        _check_access_option(name, value, method)


def _check_access_option(name: str, value: object, method: str) -> None:
    """Check the value of an option, and that the method uses it."""
    if name == "completeness":
        check_completeness(value)
    elif name == "missing_supply":
        check_number(value, name, low=0.0)
    elif method != "raam":
        raise QueryError(f"{name} applies to method='raam' only, not to {method!r}: omit it")
    elif name == "max_cycles":
        check_whole(value, name)
    else:
        check_number(value, name, above=0.0)


def _read_persons(
    demand: gpd.GeoDataFrame, population: str | None, method: str
) -> NDArray[np.float64]:
    """Return the population of each point of demand; ones if the method needs none."""
    if population is None:
        if method in _SUMS:
            return np.ones(len(demand))
        raise QueryError(
            f"method={method!r} needs population: the name of the column with the population"
        )
    persons = population_of(demand, population)
    if method not in _SUMS and not persons.any():
        raise QueryError(f"population {population!r}: all values are 0, nobody lives in the demand")
    return persons


def _sum_catchments(
    pairs: Catchments,
    persons: NDArray[np.float64],
    amounts: NDArray[np.float64],
    *,
    method: str,
    weights: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return what each point reaches: all supply, or its share among those who reach it."""
    if weights is None:
        weights = np.ones(len(pairs.cost))
    if method == "3sfca":
        weights = weights * _share_choices(pairs.origin, weights, len(persons))
    shape = len(persons), len(amounts)
    # With a sparse matrix, products need no intermediate arrays of pairs.
    reach = coo_array((weights, (pairs.origin, pairs.station)), shape=shape)
    if method in _SUMS:
        return _multiply_sparse(reach, amounts), {}
    # The two steps of floating catchments: supply per person who may use each station, then the
    # sum of these ratios over the stations within reach of each point.
    load = _multiply_sparse(reach.T, persons)
    with np.errstate(over="ignore"):
        ratio = np.divide(amounts, load, out=np.zeros(len(amounts)), where=load > 0)
    access = _multiply_sparse(reach, ratio)
    # Conservation: what is distributed is the supply of all stations that anybody reaches.
    served, given = float(amounts[load > 0].sum()), float(persons @ access)
    if not abs(given - served) <= _PRECISION * served:
        raise QueryError(
            f"the supply distributed ({given:g}) differs from the supply served ({served:g}): the "
            "weights of the decay or the population are too small to divide by"
        )
    return access, {"supply_served": served, "supply_unserved": float(amounts.sum() - served)}


def _multiply_sparse(matrix: coo_array, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of a sparse matrix and a vector, as a vector."""
    # For a single row SciPy returns a number.
    return np.reshape(matrix @ vector, matrix.shape[0])


def _share_choices(
    origin: Positions, weights: NDArray[np.float64], n_places: int
) -> NDArray[np.float64]:
    """Return the share of each weight in the sum of its origin (G of 3SFCA)."""
    chosen = np.bincount(origin, weights, minlength=n_places)[origin]
    return np.divide(weights, chosen, out=np.zeros_like(weights), where=chosen > 0)


def _settle_raam(
    pairs: Catchments,
    persons: NDArray[np.float64],
    amounts: NDArray[np.float64],
    options: AccessOptions,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the costs of RAAM, without points nobody lives at and stations without supply."""
    tau = options.get("tau", _TAU)
    rho = options.get("rho", persons.sum() / amounts.sum() if amounts.any() else 1.0)
    names = set(RaamSteps._fields) & set(options)
    steps = RaamSteps(**{name: options[name] for name in names})  # type: ignore[literal-required]
    used = np.flatnonzero((persons[pairs.origin] > 0) & (amounts[pairs.station] > 0))
    order = used[np.lexsort((pairs.station[used], pairs.origin[used]))]
    places, row = np.unique(pairs.origin[order], return_inverse=True)
    station = pairs.station[order].astype(np.intp)
    access = np.full(len(persons), np.nan)
    access[places], gap = raam_costs(
        row,
        station,
        pairs.cost[order] / tau,
        population=persons[places],
        # Stations without supply are in no pair; 1 avoids dividing by 0.
        supply=np.where(amounts > 0, amounts, 1.0) * rho,
        steps=steps,
    )
    if gap > _SETTLED:
        warnings.warn(
            f"raam has not converged: the population would still save {gap:.0%} of its costs by "
            "moving. Persons move whole, a few at a time: raise max_cycles or initial_step, or "
            "merge points of small population",
            InexactMethod,
            stacklevel=3,
        )
    return access, {"tau": tau, "rho": float(rho), **steps._asdict(), "relative_gap": gap}


def _name_access(
    values: NDArray[np.float64],
    demand: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    facts: dict[str, Any],
) -> pd.Series[float]:
    """Return the values as a series, missing where they are NaN, with provenance."""
    gone = np.isnan(values)
    access = pd.Series(
        pd.arrays.FloatingArray(np.where(gone, 0.0, values), gone), demand.index, name="access"
    )
    return carry(access, stations, access=facts)
