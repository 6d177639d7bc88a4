"""Which stations are within reach of each point, and at what cost."""

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
"""Integers up to this many times their number are looked up in a table."""


def check_reach(
    value: Any,  # noqa: ANN401 - checked here
    name: str,
    costs: pd.DataFrame | None,
    *,
    suspect_from: float = SUSPECT_KM,
) -> float:
    """
    Return a checked reach: km, or with costs a number in their unit or a duration.

    Parameters
    ----------
    value : float or timedelta
        The argument.
    name : str
        Its name.
    costs : pandas.DataFrame or None
        The costs that replace distances.
    suspect_from : float
        As for `ocm_geo.checks.check_km`.

    Returns
    -------
    float
        Kilometres, or the unit of the costs.

    Raises
    ------
    QueryError
        If the value is not above 0, or a duration without costs.
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
    return check_minutes(value, name) / _find_minutes_per_unit(units[0] if units else "minutes")


def _find_minutes_per_unit(unit: str) -> float:
    """Return the minutes in the unit that a column name ends with; 1 for any other name."""
    words = unit.lower().split("_")
    return next((_UNIT_MIN[word] for word in reversed(words) if word in _UNIT_MIN), 1.0)


class Catchments(NamedTuple):
    """
    Pairs of a point and a station; one value per pair.

    Parameters
    ----------
    origin, station : numpy.ndarray of int, shape (n,)
        Positions in the two tables, of 32 or 64 bits.
    cost : numpy.ndarray of float, shape (n,)
        Kilometres, or the unit of the costs of the user.
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
    Return the pairs of points and stations within reach of each other.

    Parameters
    ----------
    demand : geopandas.GeoDataFrame
        Points in any coordinate reference system.
    stations : geopandas.GeoDataFrame
        A station table.
    within : float
        Largest distance, inclusive, km; with costs in their unit.
    costs : pandas.DataFrame, optional
        Three columns: ``origin`` (index of the demand), ``ocm_id`` and the cost, by any name.
        Rows of other points or stations are ignored, so that one table serves many selections.

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
        If the costs contain none of the stations.
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
    Return the pairs of a table of costs.

    Parameters
    ----------
    costs : pandas.DataFrame
        Three columns: ``origin``, the sites, and the cost, by any name. Rows of other points or
        sites are ignored.
    origins, sites : pandas.Index
        Labels.
    within : float
        Largest cost, inclusive.
    column : str
        Column with the labels of the sites.
    what : str
        Name of the sites, for messages.

    Returns
    -------
    Catchments
        The pairs.

    Raises
    ------
    QueryError
        If the table is wrong, contains none of the origins, or repeats a pair.

    Warns
    -----
    SuspectInput
        If the table contains none of the sites.
    """
    if column in ID_NAMES:
        given = list(getattr(costs, "columns", ()))
        column = next((name for name in (column, *ID_NAMES) if name in given), column)
    unit = _find_cost_column(costs, column, what)
    cost = _read_costs(costs, unit)
    origin = _look_up_positions(origins, costs["origin"], "demand")
    site = _look_up_positions(sites, costs[column], what)
    if len(costs) and not (origin >= 0).any():
        raise QueryError(
            "costs: no value of origin is in the index of the demand; use the same labels, of the "
            "same type"
        )
    if len(costs) and len(sites) and not (site >= 0).any():
        warn_user(
            f"costs: the column {column} contains none of the {len(sites):,} {what}, so none is "
            "within reach; use the labels of their index, of the same type",
            SuspectInput,
        )
    pairs = _select_pairs(Catchments(origin, site, cost, unit), (origin >= 0) & (site >= 0))
    _check_pairs_unique(pairs.origin, pairs.station, len(origins) * len(sites), column)
    return _select_pairs(pairs, pairs.cost <= within)


def _select_pairs(pairs: Catchments, chosen: NDArray[np.bool_]) -> Catchments:
    """Return the chosen pairs, without a copy if these are all."""
    if chosen.all():
        return pairs
    origin, station, cost, unit = pairs
    return Catchments(origin[chosen], station[chosen], cost[chosen], unit)


def _find_cost_column(costs: pd.DataFrame, column: str, what: str) -> str:
    """Return the name of the column of costs, and check the others."""
    columns = list(getattr(costs, "columns", ()))
    rest = [name for name in columns if name not in {"origin", column}]
    if len(columns) != _N_COLUMNS or len(set(columns)) != _N_COLUMNS or len(rest) != 1:
        raise QueryError(
            f"costs must be a table of three columns: origin (index of the demand), {column} "
            f"(index of the {what}) and the cost, such as minutes; not "
            f"{columns or type(costs).__name__}"
        )
    return str(rest[0])


def _read_costs(costs: pd.DataFrame, unit: str) -> NDArray[np.float64]:
    """Return the costs as numbers; durations are converted to the unit that the column names."""
    kind = pd.api.types.infer_dtype(costs[unit], skipna=True)
    if kind.startswith("timedelta"):
        minutes = pd.to_timedelta(costs[unit]) / pd.Timedelta(minutes=1)
        costs = costs.assign(**{unit: minutes / _find_minutes_per_unit(unit)})
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
            f"{costs.index[wrong[0]]!r}); drop pairs that cannot be travelled"
        )
    return np.asarray(cost)


def _look_up_positions(index: pd.Index, labels: pd.Series, what: str) -> Positions:
    """Return the position of each label in an index; -1 if it is not there."""
    if not index.is_unique:
        repeated = index[index.duplicated()].tolist()[0]
        raise QueryError(
            f"{what}: the index repeats {repeated!r}; each row needs a label of its own"
        )
    known, wanted = index.to_numpy(), labels.to_numpy()
    if len(known) and known.dtype.kind == wanted.dtype.kind == "i":
        known, wanted = (of.astype(np.int64, copy=False) for of in (known, wanted))
        least = min(int(np.min(known)), int(np.min(wanted, initial=0)))
        size = int(np.max(known)) + 1
        if least >= 0 and size < _DENSE * len(known) + len(wanted):
            return _look_up_integers(known, wanted, size)
    return index.get_indexer(pd.Index(labels))


def _look_up_integers(
    known: NDArray[np.int64], wanted: NDArray[np.int64], size: int
) -> NDArray[np.int32]:
    """Return positions by a table over all integers: faster than a hash, in half the memory."""
    table = np.full(size + 1, -1, dtype=np.int32)
    table[known] = np.arange(len(known))
    # Integers beyond the table are clipped to its last entry, which is -1.
    return table.take(wanted, mode="clip")


def _check_pairs_unique(origin: Positions, site: Positions, n_possible: int, column: str) -> None:
    """Check that no pair is repeated."""
    # Pairs as single integers, 32 bits wide where possible: they sort in half the time.
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
            f"costs: {n_repeated} pairs of origin and {column} occur more than once; keep one "
            "cost for each"
        )
