"""How much charging people can reach, given who else wants it: the floating catchment family."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import pandas as pd
from scipy.sparse import coo_array

from ocm_geo.access.catchments import Catchments, catchments, check_reach
from ocm_geo.access.decay import decay_weights, describe_decay
from ocm_geo.access.raam import RaamSteps, raam_costs
from ocm_geo.checks import check_number, check_options, check_whole, short_form
from ocm_geo.coverage.inputs import people
from ocm_geo.errors import InexactMethod, QueryError
from ocm_geo.frames import check_numeric
from ocm_geo.ids import station_table
from ocm_geo.outside import mark_demand
from ocm_geo.provenance import carry
from ocm_geo.suspects import warn_if_watts

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.access.catchments import Positions
    from ocm_geo.access.decay import Decay

__all__ = ["METHODS", "AccessOptions", "accessibility", "check_method", "supply_of"]

METHODS = ("cumulative", "gravity", "2sfca", "e2sfca", "3sfca", "raam")
_SUMS = ("cumulative", "gravity")
_WEIGHED = ("gravity", "e2sfca", "3sfca")
_PRECISION = 1e-9
_TAU = 60.0
_SETTLED = 0.1


class AccessOptions(TypedDict, total=False):
    """
    What is rarely said otherwise.

    Parameters
    ----------
    missing_supply : float
        What a missing supply counts; without it a missing one is an error.
    tau : float
        RAAM: the travel that people mind as much as the mean crowding, in the unit of the
        costs (60, as in the paper, where it is minutes).
    rho : float
        RAAM: people for each unit of supply at which crowding costs 1; by default the mean.
    max_cycles : int
        RAAM: rounds of moves (150).
    initial_step, min_step : float
        RAAM: largest part of a place's people that moves in the first and the last rounds (0.2
        and 0.005). A whole `initial_step` is people, as in PySAL's ``access``.
    half_life : float
        RAAM: rounds in which the step halves (50).
    """

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
) -> pd.Series[float]:
    """
    Measure how much charging the people of each place can reach.

    Parameters
    ----------
    demand : geopandas.GeoDataFrame
        Where people live: points in any coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table: all stations that the people may reach, those beyond the border too.
    catchment_km : float
        Farthest geodesic distance, inclusive, km; with costs in their unit.
    method : {"e2sfca", "cumulative", "gravity", "2sfca", "3sfca", "raam"}
        See Notes.
    decay : {"step", "gaussian"}, mapping or callable
        Weight of a distance, for gravity, E2SFCA and 3SFCA. ``step``: 1, 0.68, 0.22 on thirds
        of the catchment (Luo & Qi 2009). ``gaussian``: Dai's (2010), 0 at the edge. A mapping
        of upper ends to weights, ``{10: 1, 20: 0.42, 30: 0.09}``. Or a function of an array
        of distances, such as ``lambda km: np.exp(-km / 5)``.
    population : str or None
        Column of the demand with its people; cumulative and gravity do without.
    supply : str
        ``sites`` counts each station once. Else a column of the stations: ``n_connectors``,
        ``n_points``, ``total_power_kw``, or any other.
    costs : pandas.DataFrame, optional
        Use these instead of distances, such as the minutes of a routing engine: columns
        ``origin`` (index of the demand), ``ocm_id`` and the cost.
    **options : AccessOptions
        ``missing_supply``, and the parameters of RAAM.

    Returns
    -------
    pandas.Series
        ``access``, index of the demand. FCA methods: supply for each person, 0 where no
        station is near. Cumulative and gravity: supply. RAAM: a cost, so that less is better,
        1 at the mean crowding without travel; missing where no station is near or nobody
        lives. ``attrs["ocm"]["access"]`` has the parameters and what the checks found.

    Raises
    ------
    QueryError
        If a table, column, weight or number is wrong, or nobody lives in the demand.

    Warns
    -----
    InexactMethod
        If the people of RAAM would still save over 10 % of their costs by moving: places of a few
        people, of whom part of one may not move, or too few rounds.
    SuspectInput
        If there are stations, and the costs name none of them.
    OutsideData
        If a part of the demand lies in countries of which the source holds no station.

    Notes
    -----
    With people P, supply S, weights W(d) and sums over pairs within the catchment:

    - ``cumulative``: A_i = Σ_j S_j; ``gravity`` (Hansen 1959): A_i = Σ_j S_j W_ij.
    - ``2sfca`` (Luo & Wang 2003), W = 1, and ``e2sfca`` (Luo & Qi 2009):
      R_j = S_j / Σ_i P_i W_ij, A_i = Σ_j R_j W_ij.
    - ``3sfca`` (Wan, Zou & Sternberg 2012): the same with W_ij G_ij, G_ij = W_ij / Σ_k W_ik.
    - ``raam`` (Saxon & Snow 2020): people choose stations until crowding
      (D_j / S_j) / rho + travel d_ij / tau cannot be bettered by a move; the iteration of PySAL's
      ``access``, people moving in whole numbers. ``relative_gap`` says how far they are from
      having settled: the share of their costs that they would save by moving.

    Σ P_i A_i is the supply of the stations that somebody can reach: this is checked on each
    call of an FCA method. A station that nobody reaches adds nothing.

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
    within = check_reach(catchment_km, "catchment_km", costs)
    stations = station_table(stations, placed=costs is None)
    amounts, n_missing = supply_of(stations, supply, options.get("missing_supply"))
    warn_if_watts(stations, supply)
    persons = _people(demand, population, method)
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
        values, more = _raam(pairs, persons, amounts, options)
    else:
        weights = None
        if method in _WEIGHED:
            weights = decay_weights(decay, pairs.cost, within)
            facts["decay"] = describe_decay(decay)
        values, more = _sums(pairs, persons, amounts, method=method, weights=weights)
    return _named(values, demand, stations, facts | more)


def supply_of(
    stations: gpd.GeoDataFrame, supply: str, missing: float | None = None
) -> tuple[NDArray[np.float64], int]:
    """
    Say what each station supplies.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    supply : str
        ``sites``, or a column.
    missing : float, optional
        What a missing value counts.

    Returns
    -------
    amounts : numpy.ndarray
        One a station.
    n_missing : int
        How many were missing.

    Raises
    ------
    QueryError
        If it is no table, the column is not there, a value is missing and nothing says what that
        counts, or is negative or infinite.
    """
    if not isinstance(stations, pd.DataFrame):
        raise QueryError(f"stations must be a station table, not {short_form(stations)}")
    if supply == "sites":
        return np.ones(len(stations)), 0
    if supply not in stations:
        raise QueryError(
            f"supply={supply!r}: choose 'sites' or a column of the stations, such as "
            "'n_connectors', 'n_points' or 'total_power_kw'"
        )
    amounts = _numbers(stations[supply])
    gone = np.isnan(amounts)
    if gone.any() and missing is None:
        raise QueryError(
            f"supply {supply!r} is missing for {gone.sum():,} of {len(gone):,} stations (first: "
            f"{stations.index[np.flatnonzero(gone)[0]]}): say what such a station counts, e.g. "
            "missing_supply=1, or 0 to leave it out"
        )
    amounts = np.where(gone, 0.0 if missing is None else missing, amounts)
    wrong = np.flatnonzero(~(np.isfinite(amounts) & (amounts >= 0)))
    if wrong.size:
        raise QueryError(
            f"supply {supply!r} must be finite and 0 or more; station "
            f"{stations.index[wrong[0]]} has {amounts[wrong[0]]:g}"
        )
    return amounts, int(gone.sum())


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    """Read numbers, of text too: a word is an error, not a missing number."""
    check_numeric(column, f"supply {column.name!r}")
    try:
        return np.asarray(pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise QueryError(f"supply {column.name!r} must be a column of numbers: {error}") from error


def check_method(method: str, decay: Decay, options: AccessOptions) -> None:
    """
    Check what can be checked without data.

    Parameters
    ----------
    method, decay, options
        As for `accessibility`.

    Raises
    ------
    QueryError
        If the method, the decay or an option is unknown, wrong, or has no part in the method.
    """
    if method not in METHODS:
        raise QueryError(f"method={method!r}: choose one of {', '.join(METHODS)}")
    if method not in _WEIGHED and not (isinstance(decay, str) and decay == "step"):
        raise QueryError(
            f"decay={decay!r}: method={method!r} weighs no distances; leave decay out, or choose "
            f"one of {', '.join(_WEIGHED)} (2SFCA with weights is 'e2sfca')"
        )
    if not callable(decay):
        decay_weights(decay, np.empty(0), 1.0)
    check_options(options, AccessOptions.__annotations__, "accessibility")
    for name, value in options.items():
        _check_option(name, value, method)


def _check_option(name: str, value: object, method: str) -> None:
    if name == "missing_supply":
        check_number(value, name, low=0.0)
    elif method != "raam":
        raise QueryError(f"{name} is for method='raam', not for {method!r}: leave it out")
    elif name == "max_cycles":
        check_whole(value, name)
    else:
        check_number(value, name, above=0.0)


def _people(demand: gpd.GeoDataFrame, population: str | None, method: str) -> NDArray[np.float64]:
    if population is None:
        if method in _SUMS:
            return np.ones(len(demand))
        raise QueryError(f"method={method!r} needs population: the column with the people")
    persons = people(demand, population)
    if method not in _SUMS and not persons.any():
        raise QueryError(f"population {population!r}: nobody lives in the demand")
    return persons


def _sums(
    pairs: Catchments,
    persons: NDArray[np.float64],
    amounts: NDArray[np.float64],
    *,
    method: str,
    weights: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Add up what each place reaches: all of it, or its share by the people who reach it."""
    if weights is None:
        weights = np.ones(len(pairs.cost))
    if method == "3sfca":
        weights = weights * _share_of_choice(pairs.origin, weights, len(persons))
    shape = len(persons), len(amounts)
    # As a sparse matrix: products need no arrays of pairs in between.
    reach = coo_array((weights, (pairs.origin, pairs.station)), shape=shape)
    if method in _SUMS:
        return _product(reach, amounts), {}
    load = _product(reach.T, persons)
    with np.errstate(over="ignore"):
        ratio = np.divide(amounts, load, out=np.zeros(len(amounts)), where=load > 0)
    access = _product(reach, ratio)
    served, given = float(amounts[load > 0].sum()), float(persons @ access)
    if not abs(given - served) <= _PRECISION * served:
        raise QueryError(
            f"the supply given out ({given:g}) is not the supply served ({served:g}): the weights "
            "of the decay or the people are too small to divide by"
        )
    return access, {"supply_served": served, "supply_unserved": float(amounts.sum() - served)}


def _product(matrix: coo_array, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    # SciPy makes of one row a number.
    return np.reshape(matrix @ vector, matrix.shape[0])


def _share_of_choice(
    origin: Positions, weights: NDArray[np.float64], n_places: int
) -> NDArray[np.float64]:
    chosen = np.bincount(origin, weights, minlength=n_places)[origin]
    return np.divide(weights, chosen, out=np.zeros_like(weights), where=chosen > 0)


def _raam(
    pairs: Catchments,
    persons: NDArray[np.float64],
    amounts: NDArray[np.float64],
    options: AccessOptions,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Leave out who is nobody and what supplies nothing, and let the others settle."""
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
        people=persons[places],
        # Stations without supply are in no pair: 1 keeps the division quiet.
        supply=np.where(amounts > 0, amounts, 1.0) * rho,
        steps=steps,
    )
    if gap > _SETTLED:
        warnings.warn(
            f"raam: people have not settled; they would still save {gap:.0%} of their costs by "
            "moving. They move in whole numbers, few at once: raise max_cycles or initial_step, or "
            "merge places of a few people",
            InexactMethod,
            stacklevel=3,
        )
    return access, {"tau": tau, "rho": float(rho), **steps._asdict(), "relative_gap": gap}


def _named(
    values: NDArray[np.float64],
    demand: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    facts: dict[str, Any],
) -> pd.Series[float]:
    gone = np.isnan(values)
    access = pd.Series(
        pd.arrays.FloatingArray(np.where(gone, 0.0, values), gone), demand.index, name="access"
    )
    return carry(access, stations, access=facts)
