"""Which stations count, which may count, and what that does to a measure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ocm_geo.checks import check_flag, check_number, check_power
from ocm_geo.connections import connection_rows
from ocm_geo.errors import QueryError
from ocm_geo.frames import add_columns, require_columns
from ocm_geo.ids import station_table
from ocm_geo.levels import (
    LEVELS,
    is_known,
    power_at,
    power_is_uncertain,
    says_operational,
    says_public,
)
from ocm_geo.provenance import carry

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = [
    "Bounds",
    "Levels",
    "Qualifying",
    "bound_facts",
    "in_order",
    "levels_of",
    "station_bounds",
    "uncertain_stations",
]

_COLUMNS = ("connections", "usage_type_id", "status_type_id")


@dataclass(frozen=True)
class Qualifying:
    """
    Which stations count for a measure, as the register has them.

    Parameters
    ----------
    min_power_kw : float, optional
        At least one connection of this power. Without it power does not matter.
    public_only : bool
        Leave out sites known not to be public.
    operational_only : bool
        Leave out sites known not to be in operation.

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
        """Check the power."""
        if self.min_power_kw is not None:
            check_number(self.min_power_kw, "min_power_kw", above=0.0, unit="kW")
            check_power(self.min_power_kw, "min_power_kw")
        for name in ("public_only", "operational_only"):
            check_flag(getattr(self, name), name)


class Bounds(NamedTuple):
    """
    Which stations count: for certain, by the rule, and at most; one value a station.

    Parameters
    ----------
    low : numpy.ndarray of bool
        Meets the rule, and nothing about that is uncertain.
    central : numpy.ndarray of bool
        Meets the rule as recorded: a missing or implausible power does not, a missing access or
        status does.
    high : numpy.ndarray of bool
        Meets it, or may.
    """

    low: NDArray[np.bool_]
    central: NDArray[np.bool_]
    high: NDArray[np.bool_]

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """The stations whose part is open."""
        return self.high & ~self.low


def station_bounds(stations: gpd.GeoDataFrame, qualifying: Qualifying | None = None) -> Bounds:
    """
    Say which stations count for certain, by the rule, and at most.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    qualifying : Qualifying, optional
        The rule. Without one, the stations given are the central answer and the high bound,
        and the low bound leaves out each that is uncertain in power, access or status.

    Returns
    -------
    Bounds
        ``low``, ``central``, ``high``: masks, each a part of the next.

    Raises
    ------
    QueryError
        If a column that the rule needs is not there.
    """
    reasons, central, high = _judged(stations, qualifying)
    low = high.copy()
    for reason in reasons.values():
        low &= ~reason
    return Bounds(low, central, high)


def uncertain_stations(
    stations: gpd.GeoDataFrame, qualifying: Qualifying | None = None
) -> gpd.GeoDataFrame:
    """
    List the stations whose uncertain data set low and high bounds apart.

    Uncertain: access or status is missing or unknown; no power is known that is strong enough
    for certain, but one that is missing, marked as the import's estimate, or implausible (more
    than its connector can deliver) may be.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    qualifying : Qualifying, optional
        Which stations count. Without it every uncertainty counts.

    Returns
    -------
    geopandas.GeoDataFrame
        The uncertain rows with ``uncertain_power``, ``uncertain_access``, ``uncertain_status`` and
        ``counts``: whether the central answer has it.

    Raises
    ------
    QueryError
        If it is no station table.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> uncertain = ocm.uncertain_stations(stations, ocm.Qualifying(min_power_kw=50))
    >>> reasons = ["uncertain_power", "uncertain_access", "uncertain_status"]
    >>> bool(uncertain[reasons].any(axis=1).all())
    True
    """
    stations = station_table(stations, placed=False)
    reasons, central, high = _judged(stations, qualifying)
    rows = high & np.any(list(reasons.values()), axis=0)
    new = {f"uncertain_{name}": reason[rows] for name, reason in reasons.items()}
    found = add_columns(stations[rows], {**new, "counts": central[rows]}, "stations")
    return carry(found, stations)


def bound_facts(
    stations: gpd.GeoDataFrame, qualifying: Qualifying | None, bounds: Bounds
) -> dict[str, Any]:
    """
    Say in plain JSON how bounds were made, for ``attrs["ocm"]``.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        The stations given.
    qualifying : Qualifying or None
        The rule.
    bounds : Bounds
        Their masks.

    Returns
    -------
    dict
        ``qualifying``, the numbers of stations at each level and for each reason, and the first
        uncertain ``ocm_ids``; `uncertain_stations` has them all.
    """
    reasons, _, _ = _judged(stations, qualifying)
    first = stations.index[bounds.uncertain][:10].tolist()
    return {
        "qualifying": None if qualifying is None else asdict(qualifying),
        "n_low": int(bounds.low.sum()),
        "n_central": int(bounds.central.sum()),
        "n_high": int(bounds.high.sum()),
        "n_uncertain": int(bounds.uncertain.sum()),
        **{f"n_uncertain_{name}": int((d & bounds.uncertain).sum()) for name, d in reasons.items()},
        "first_uncertain": [str(label) for label in first],
    }


def _judged(
    stations: gpd.GeoDataFrame, qualifying: Qualifying | None
) -> tuple[dict[str, NDArray[np.bool_]], NDArray[np.bool_], NDArray[np.bool_]]:
    """Give the reasons about each station, and whether it counts as recorded and at most."""
    rule: object = qualifying
    if rule is not None and not isinstance(rule, Qualifying):
        raise QueryError(f"qualifying must be a Qualifying(...), not {rule!r}")
    require_columns(stations, _COLUMNS, "stations", "what is uncertain")
    everything = np.ones(len(stations), dtype=bool)
    if qualifying is None:
        recorded = _strongest(stations, 0.0)
        reasons = {
            "power": ~recorded["sure"],
            "access": ~is_known(stations, "usage_type_id"),
            "status": ~is_known(stations, "status_type_id"),
        }
        return reasons, everything, everything
    if not isinstance(qualifying, Qualifying):
        raise QueryError(f"qualifying must be a Qualifying(...) or None, not {qualifying!r}")
    power, central, high = _judged_power(stations, qualifying.min_power_kw)
    reasons = {"power": power, "access": ~everything, "status": ~everything}
    for name, said, wanted in (
        ("access", says_public(stations), qualifying.public_only),
        ("status", says_operational(stations), qualifying.operational_only),
    ):
        if wanted:
            may_be = said.to_numpy(dtype=bool, na_value=True)
            central, high = central & may_be, high & may_be
            reasons[name] = said.isna().to_numpy()
    return reasons, central, high


def _judged_power(
    stations: gpd.GeoDataFrame, least_kw: float | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    everything = np.ones(len(stations), dtype=bool)
    if least_kw is None:
        return ~everything, everything, everything
    found = _strongest(stations, least_kw)
    high = found["sure"] | found["recorded"] | found["open"]
    return high & ~found["sure"], found["recorded"], high


def _strongest(stations: gpd.GeoDataFrame, least_kw: float) -> dict[str, NDArray[np.bool_]]:
    """Say which sites have a connection strong enough: for certain, as recorded, perhaps."""
    site, plugs = connection_rows(stations)
    low, recorded, high = (power_at(plugs, level) for level in LEVELS)

    def any_of(which: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.bincount(site[which], minlength=len(stations)) > 0

    # A record that lists no connection says nothing of power.
    silent = np.bincount(site, minlength=len(stations)) == 0
    return {
        "sure": any_of(low >= least_kw),
        "recorded": any_of(recorded >= least_kw),
        "open": any_of(power_is_uncertain(plugs) & (high >= least_kw)) | silent,
    }


class Levels(NamedTuple):
    """
    The stations of each level that a measure is asked for.

    Parameters
    ----------
    tables : dict of str to geopandas.GeoDataFrame
        By the suffix of the result's columns: ``""`` is the central answer; with bounds also
        ``"_low"`` and ``"_high"``.
    facts : dict
        For ``attrs["ocm"]``.
    """

    tables: dict[str, gpd.GeoDataFrame]
    facts: dict[str, Any]


def levels_of(stations: gpd.GeoDataFrame, qualifying: Qualifying | None, *, bounds: bool) -> Levels:
    """
    Choose the stations of each level.

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
        The tables, and what is to be said about them.
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
    return Levels(tables, {"bounds": bound_facts(stations, qualifying, masks)})


def in_order(
    values: dict[str, NDArray[np.float64]], *, more: bool = True
) -> dict[str, NDArray[np.float64]]:
    """
    Keep rounding from setting bounds on the wrong side of the central answer.

    Parameters
    ----------
    values : dict of str to numpy.ndarray
        A measure by the suffix of its level, as in `Levels`.
    more : bool
        Whether more stations make it larger, or smaller.

    Returns
    -------
    dict of str to numpy.ndarray
        The measure, the bounds moved to the central answer where they lay beyond it.
    """
    least, most = (np.minimum, np.maximum) if more else (np.maximum, np.minimum)
    limits = {"_low": least, "_high": most}
    return {
        suffix: limits[suffix](found, values[""]) if suffix else found
        for suffix, found in values.items()
    }
