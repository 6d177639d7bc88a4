"""Which stations each place can reach, and at what cost: the pairs that access is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from ocm_geo.checks import (
    SUSPECT_KM,
    check_km,
    check_minutes,
    check_number,
    is_duration,
    short_form,
    warn_user,
)
from ocm_geo.coverage.inputs import check_stations
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.frames import point_lonlat
from ocm_geo.geodesy import PointIndex, pairs_within_km
from ocm_geo.ids import ID_NAMES, id_name
from ocm_geo.suspects import warn_if_far

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["Catchments", "Positions", "catchments", "check_reach", "pairs_of_table"]

Positions: TypeAlias = "NDArray[np.signedinteger[Any]]"

_N_COLUMNS = 3
_UNIT_MIN = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1 / 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 60.0),
}
_DENSE = 8
"""Integers up to so many times their number are looked up in a table."""


def check_reach(
    value: Any,  # noqa: ANN401 - checked here
    name: str,
    costs: pd.DataFrame | None,
    *,
    suspect_from: float = SUSPECT_KM,
) -> float:
    """
    Check how far people go: km, or with costs a number of their unit or a duration.

    Parameters
    ----------
    value : float or timedelta
        The argument.
    name : str
        Its name.
    costs : pandas.DataFrame or None
        The costs that are used instead of distances.
    suspect_from : float
        As for `ocm_geo.checks.check_km`.

    Returns
    -------
    float
        Kilometres, or the unit of the costs.

    Raises
    ------
    QueryError
        If it is not above 0, or a duration without costs.
    """
    if costs is None:
        if is_duration(value):
            raise QueryError(
                f"{name} is a distance in km, not {short_form(value)}: to use times, pass a table "
                "of driving times as costs"
            )
        return check_km(value, name, suspect_from=suspect_from)
    if not is_duration(value):
        return check_number(value, name, above=0.0)
    known = {"origin", "candidate", *ID_NAMES}
    units = [str(column) for column in getattr(costs, "columns", ()) if column not in known]
    return check_minutes(value, name) / _minutes_in(units[0] if units else "minutes")


def _minutes_in(unit: str) -> float:
    """Return how many minutes a unit has, by the name of its column; 1 for any other name."""
    words = unit.lower().split("_")
    return next((_UNIT_MIN[word] for word in reversed(words) if word in _UNIT_MIN), 1.0)


class Catchments(NamedTuple):
    """
    Pairs of a place and a station, one value each.

    Parameters
    ----------
    origin, station : numpy.ndarray of int, shape (n,)
        Positions in the two tables, of 32 or 64 bits.
    cost : numpy.ndarray of float, shape (n,)
        Kilometres, or the unit of the user's own costs.
    unit : str
        ``km``, or the name of the column of costs.
    """

    origin: Positions
    station: Positions
    cost: NDArray[np.float64]
    unit: str


def catchments(
    demand: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    within: float,
    costs: pd.DataFrame | None = None,
) -> Catchments:
    """
    Pair each place with the stations within reach of it.

    Parameters
    ----------
    demand : geopandas.GeoDataFrame
        Points in any coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table.
    within : float
        Farthest distance, inclusive, km; with costs in their unit.
    costs : pandas.DataFrame, optional
        Three columns: ``origin`` (index of the demand), ``ocm_id`` and the cost, by any name.
        Rows of other places or stations are left out, so that one table serves many choices.

    Returns
    -------
    Catchments
        The pairs.

    Raises
    ------
    QueryError
        If a table is wrong.

    Warns
    -----
    SuspectInput
        If there are stations, and the costs name none of them.
    """
    if costs is not None:
        return pairs_of_table(
            costs, demand.index, stations.index, within, column=id_name(stations.index)
        )
    places = PointIndex(*point_lonlat(demand, "demand"))
    index = PointIndex(*check_stations(stations))
    near = pairs_within_km(places, index, within)
    if not len(near.km):
        warn_if_far("demand", np.column_stack([places.lon, places.lat]), index)
    return Catchments(near.first, near.second, near.km, "km")


def pairs_of_table(
    costs: pd.DataFrame,
    origins: pd.Index,
    sites: pd.Index,
    within: float,
    *,
    column: str = "ocm_id",
    what: str = "stations",
) -> Catchments:
    """
    Read pairs from a table of costs.

    Parameters
    ----------
    costs : pandas.DataFrame
        Three columns: ``origin``, the sites, and the cost, by any name. Rows of other places or
        sites are left out.
    origins, sites : pandas.Index
        Labels.
    within : float
        Largest cost, inclusive.
    column : str
        Which column names the sites.
    what : str
        What the sites are, for messages.

    Returns
    -------
    Catchments
        The pairs.

    Raises
    ------
    QueryError
        If the table is wrong, names no place, or gives a pair twice.

    Warns
    -----
    SuspectInput
        If it names none of the sites.
    """
    if column in ID_NAMES:
        given = list(getattr(costs, "columns", ()))
        column = next((name for name in (column, *ID_NAMES) if name in given), column)
    unit = _cost_column(costs, column, what)
    cost = _costs_of(costs, unit)
    origin = _positions(origins, costs["origin"], "demand")
    site = _positions(sites, costs[column], what)
    if len(costs) and not (origin >= 0).any():
        raise QueryError(
            "costs: no row of origin is in the index of the demand; name the places as there, in "
            "the same type"
        )
    if len(costs) and len(sites) and not (site >= 0).any():
        warn_user(
            f"costs: the column {column} names none of the {len(sites):,} {what}, so that nobody "
            "reaches any: is it their index, in the same type?",
            SuspectInput,
        )
    known = (origin >= 0) & (site >= 0)
    if not known.all():
        origin, site, cost = origin[known], site[known], cost[known]
    _check_unique(origin, site, len(origins) * len(sites), column)
    near = cost <= within
    if not near.all():
        origin, site, cost = origin[near], site[near], cost[near]
    return Catchments(origin, site, cost, unit)


def _cost_column(costs: pd.DataFrame, column: str, what: str) -> str:
    columns = list(getattr(costs, "columns", ()))
    rest = [name for name in columns if name not in {"origin", column}]
    if len(columns) != _N_COLUMNS or len(set(columns)) != _N_COLUMNS or len(rest) != 1:
        raise QueryError(
            f"costs must be a table of three columns: origin (index of the demand), {column} "
            f"(index of the {what}) and the cost, such as minutes; not "
            f"{columns or type(costs).__name__}"
        )
    return str(rest[0])


def _costs_of(costs: pd.DataFrame, unit: str) -> NDArray[np.float64]:
    """Return the costs as numbers; durations are converted to the unit that the column names."""
    kind = pd.api.types.infer_dtype(costs[unit], skipna=True)
    if kind.startswith("timedelta"):
        minutes = pd.to_timedelta(costs[unit]) / pd.Timedelta(minutes=1)
        costs = costs.assign(**{unit: minutes / _minutes_in(unit)})
    elif kind.startswith(("date", "time", "bool")):
        raise QueryError(
            f"costs: {unit!r} must be a column of numbers or timedeltas, not of {kind} values"
        )
    try:
        cost = costs[unit].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise QueryError(f"costs: {unit!r} must be a column of numbers: {error}") from error
    wrong = np.flatnonzero(~(cost >= 0))
    if wrong.size:
        raise QueryError(
            f"costs: {wrong.size} values of {unit!r} are missing or negative (first: row "
            f"{costs.index[wrong[0]]!r}); leave out pairs that cannot be travelled"
        )
    return np.asarray(cost)


def _positions(index: pd.Index, labels: pd.Series, what: str) -> Positions:
    if not index.is_unique:
        repeated = index[index.duplicated()].tolist()[0]
        raise QueryError(f"{what}: the index repeats {repeated!r}; give each row its own label")
    known, wanted = index.to_numpy(), labels.to_numpy()
    if len(known) and known.dtype.kind == wanted.dtype.kind == "i":
        known, wanted = (of.astype(np.int64, copy=False) for of in (known, wanted))
        least = min(int(np.min(known)), int(np.min(wanted, initial=0)))
        size = int(np.max(known)) + 1
        if least >= 0 and size < _DENSE * len(known) + len(wanted):
            return _positions_of_integers(known, wanted, size)
    return index.get_indexer(pd.Index(labels))


def _positions_of_integers(
    known: NDArray[np.int64], wanted: NDArray[np.int64], size: int
) -> NDArray[np.int32]:
    """Look integers up in a table of all from 0: faster than a hash, and in half the memory."""
    table = np.full(size + 1, -1, dtype=np.int32)
    table[known] = np.arange(len(known))
    # Whatever is larger than all finds the last place.
    return table.take(wanted, mode="clip")


def _check_unique(origin: Positions, site: Positions, n_possible: int, column: str) -> None:
    # Half the bytes sort in half the time.
    kind: type[np.unsignedinteger[Any]] = np.uint32 if n_possible < 2**32 else np.uint64
    pair: NDArray[Any] = origin.astype(kind)
    np.multiply(pair, kind(np.max(site, initial=0) + 1), out=pair)
    np.add(pair, site.astype(kind), out=pair)
    if (pair[1:] > pair[:-1]).all():
        return
    pair.sort()
    n_repeated = int((pair[1:] == pair[:-1]).sum())
    if n_repeated:
        raise QueryError(
            f"costs: {n_repeated} pairs of origin and {column} are given more than once; keep one "
            "cost for each"
        )
