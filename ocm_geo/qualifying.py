"""Which stations count for a measure: certainly, as recorded, and possibly."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ocm_geo.checks import check_flag, check_number, check_power, short_form
from ocm_geo.connections import connection_rows
from ocm_geo.errors import QueryError
from ocm_geo.frames import require_columns
from ocm_geo.ids import station_table
from ocm_geo.levels import (
    LEVELS,
    is_known,
    power_at,
    power_is_uncertain,
    says_operational,
    says_public,
)

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = [
    "Bounds",
    "Judgement",
    "Levels",
    "Qualifying",
    "describe_bounds",
    "judge_stations",
    "levels_of",
    "order_bounds",
    "station_bounds",
]

_COLUMNS = ("connections", "usage_type_id", "status_type_id")


@dataclass(frozen=True)
class Qualifying:
    """
    Which stations count for a measure, judged by what the register records.

    Parameters
    ----------
    min_power_kw : float, optional
        Minimum power of at least one connection, kW. Without it power does not matter.
    public_only : bool
        Leave out stations known not to be public.
    operational_only : bool
        Leave out stations known not to be in operation.

    Raises
    ------
    QueryError
        If the power is not above 0 kW.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> uncertain = ocm.uncertain_stations(stations, ocm.Qualifying(min_power_kw=50))
    >>> len(uncertain) < len(stations)
    True
    """

    min_power_kw: float | None = None
    public_only: bool = True
    operational_only: bool = True

    def __post_init__(self) -> None:
        """Check the power and the flags."""
        if self.min_power_kw is not None:
            check_number(self.min_power_kw, "min_power_kw", above=0.0, unit="kW")
            check_power(self.min_power_kw, "min_power_kw")
        for name in ("public_only", "operational_only"):
            check_flag(getattr(self, name), name)


class Judgement(NamedTuple):
    """
    What the register leaves open about each station, and whether the station counts.

    Parameters
    ----------
    reasons : dict of str to numpy.ndarray of bool
        By ``power``, ``access`` and ``status``: the stations uncertain for that reason.
    central : numpy.ndarray of bool
        The stations that count as recorded.
    high : numpy.ndarray of bool
        The stations that count if everything uncertain turns out well.
    """

    reasons: dict[str, NDArray[np.bool_]]
    central: NDArray[np.bool_]
    high: NDArray[np.bool_]


class Bounds(NamedTuple):
    """
    Which stations count: certainly, as recorded, and at most; one value per station.

    Parameters
    ----------
    low : numpy.ndarray of bool
        The station meets the rule, and nothing about that is uncertain.
    central : numpy.ndarray of bool
        The station meets the rule as recorded: a missing or implausible power does not meet
        it, a missing access or status does.
    high : numpy.ndarray of bool
        The station meets the rule or may meet it.
    """

    low: NDArray[np.bool_]
    central: NDArray[np.bool_]
    high: NDArray[np.bool_]

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """The stations that may or may not count."""
        return self.high & ~self.low


def station_bounds(stations: gpd.GeoDataFrame, qualifying: Qualifying | None = None) -> Bounds:
    """
    Return which stations count certainly, as recorded, and at most.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    qualifying : Qualifying, optional
        The rule. Without one, all stations are the central value and the high bound, and the
        low bound leaves out each that is uncertain in power, access or status.

    Returns
    -------
    Bounds
        ``low``, ``central``, ``high``: masks, each a subset of the next.

    Raises
    ------
    QueryError
        If a column that the rule needs is missing.
    """
    judged = judge_stations(stations, qualifying)
    low = judged.high.copy()
    for reason in judged.reasons.values():
        low &= ~reason
    return Bounds(low, judged.central, judged.high)


def describe_bounds(
    stations: gpd.GeoDataFrame, qualifying: Qualifying | None, bounds: Bounds
) -> dict[str, Any]:
    """
    Describe in plain JSON how bounds were made, for ``attrs["ocm"]``.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        The stations.
    qualifying : Qualifying or None
        The rule.
    bounds : Bounds
        Their masks.

    Returns
    -------
    dict
        ``qualifying``, the number of stations at each level and for each reason, and the first
        uncertain ids; `uncertain_stations` returns all.
    """
    reasons = judge_stations(stations, qualifying).reasons
    first = stations.index[bounds.uncertain][:10].tolist()
    return {
        "qualifying": None if qualifying is None else asdict(qualifying),
        "n_low": int(bounds.low.sum()),
        "n_central": int(bounds.central.sum()),
        "n_high": int(bounds.high.sum()),
        "n_uncertain": int(bounds.uncertain.sum()),
        **{f"n_uncertain_{name}": int((r & bounds.uncertain).sum()) for name, r in reasons.items()},
        "first_uncertain": [str(label) for label in first],
    }


def judge_stations(stations: gpd.GeoDataFrame, qualifying: Qualifying | None) -> Judgement:
    """
    Return what is uncertain about each station, and whether it counts.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    qualifying : Qualifying or None
        The rule; without one every station counts and every uncertainty is a reason.

    Returns
    -------
    Judgement
        The reasons, and who counts as recorded and at most.

    Raises
    ------
    QueryError
        If `qualifying` is not a `Qualifying`, or a column is missing.
    """
    rule: object = qualifying
    if rule is not None and not isinstance(rule, Qualifying):
        raise QueryError(f"qualifying must be a Qualifying(...) or None, not {short_form(rule)}")
    require_columns(stations, _COLUMNS, "stations", "what is uncertain")
    if qualifying is None:
        return _judge_without_rule(stations)
    return _judge_by_rule(stations, qualifying)


def _judge_without_rule(stations: gpd.GeoDataFrame) -> Judgement:
    """Return every uncertainty of the stations, all of which count."""
    everything = np.ones(len(stations), dtype=bool)
    reasons = {
        "power": ~_find_strong_enough(stations, 0.0)["certain"],
        "access": ~is_known(stations, "usage_type_id"),
        "status": ~is_known(stations, "status_type_id"),
    }
    return Judgement(reasons, everything, everything)


def _judge_by_rule(stations: gpd.GeoDataFrame, rule: Qualifying) -> Judgement:
    """Return the uncertainties that matter to a rule, and the stations that meet it."""
    nothing = np.zeros(len(stations), dtype=bool)
    power, central, high = _judge_power(stations, rule.min_power_kw)
    reasons = {"power": power, "access": nothing, "status": nothing}
    for name, stated, wanted in (
        ("access", says_public(stations), rule.public_only),
        ("status", says_operational(stations), rule.operational_only),
    ):
        if wanted:
            # A missing access or status excludes no station; only a stated "no" does.
            may_count = stated.to_numpy(dtype=bool, na_value=True)
            central, high = central & may_count, high & may_count
            reasons[name] = stated.isna().to_numpy()
    return Judgement(reasons, central, high)


def _judge_power(
    stations: gpd.GeoDataFrame, min_power_kw: float | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whose power is uncertain, whose is enough as recorded, and whose may be enough."""
    everything = np.ones(len(stations), dtype=bool)
    if min_power_kw is None:
        return ~everything, everything, everything
    found = _find_strong_enough(stations, min_power_kw)
    high = found["certain"] | found["recorded"] | found["possible"]
    return high & ~found["certain"], found["recorded"], high


def _find_strong_enough(
    stations: gpd.GeoDataFrame, min_power_kw: float
) -> dict[str, NDArray[np.bool_]]:
    """Return the stations with a connection of enough power: certain, as recorded, possible."""
    station, table = connection_rows(stations)
    low, recorded, high = (power_at(table, level) for level in LEVELS)

    def any_of(which: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.bincount(station[which], minlength=len(stations)) > 0

    # A record that lists no connection leaves its power open.
    without_connections = np.bincount(station, minlength=len(stations)) == 0
    may_be_enough = power_is_uncertain(table) & (high >= min_power_kw)
    return {
        "certain": any_of(low >= min_power_kw),
        "recorded": any_of(recorded >= min_power_kw),
        "possible": any_of(may_be_enough) | without_connections,
    }


class Levels(NamedTuple):
    """
    The stations of each level that a measure is asked for.

    Parameters
    ----------
    tables : dict of str to geopandas.GeoDataFrame
        By the suffix of the result's columns: ``""`` is the central value; with bounds also
        ``"_low"`` and ``"_high"``. Of missing stations: ``"_high union"`` has those that only
        another register records besides, ``"_high 0"`` and so on also unseen ones, and
        ``"_less 2.5 0"`` is the union with stations left out, whose loss counts 2.5 times.
    facts : dict
        For ``attrs["ocm"]``.
    """

    tables: dict[str, gpd.GeoDataFrame]
    facts: dict[str, Any]


def levels_of(stations: gpd.GeoDataFrame, qualifying: Qualifying | None, *, bounds: bool) -> Levels:
    """
    Return the stations of each level.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table; without a rule and bounds any table of points.
    qualifying : Qualifying, optional
        The rule.
    bounds : bool
        Whether the low and high bounds are wanted too.

    Returns
    -------
    Levels
        The tables, and how they were chosen.
    """
    stations = station_table(stations)
    if qualifying is None and not check_flag(bounds, "bounds"):
        return Levels({"": stations}, {})
    masks = station_bounds(stations, qualifying)
    if not bounds:
        facts = {"qualifying": asdict(qualifying or Qualifying())}
        return Levels({"": stations[masks.central]}, facts)
    tables = {
        "": stations[masks.central],
        "_low": stations[masks.low],
        "_high": stations[masks.high],
    }
    return Levels(tables, {"bounds": describe_bounds(stations, qualifying, masks)})


def order_bounds(
    values: dict[str, NDArray[np.float64]],
    *,
    more: bool = True,
    limit: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """
    Return a measure whose bounds enclose its central value.

    More stations can only help such a measure, so a bound beyond the central value is rounding.

    Parameters
    ----------
    values : dict of str to numpy.ndarray
        A measure by the suffix of its level, as in `Levels`; draws of missing stations become
        part of the high bound.
    more : bool
        Whether more stations make the measure larger, or smaller.
    limit : numpy.ndarray, optional
        What the measure cannot exceed.

    Returns
    -------
    dict of str to numpy.ndarray
        The measure, with bounds beyond the central value moved to it.
    """
    least, most = (np.minimum, np.maximum) if more else (np.maximum, np.minimum)
    ordered = {"": values[""]}
    for suffix, found in values.items():
        level, _, draw = suffix.partition(" ")
        if level == "_less":
            # What was lost with stations left out is at least what as many more would add.
            times, union = float(draw.split()[0]), values["_high union"]
            found, level = union + times * (union - found), "_high"  # noqa: PLW2901
        if level:
            bound = least if level == "_low" else most
            ordered[level] = bound(found, ordered.get(level, values[""]))
    if limit is not None:
        ordered = {level: np.minimum(found, limit) for level, found in ordered.items()}
    return ordered
