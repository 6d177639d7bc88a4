"""Pools: the stations of one location, and what they offer by the words of a rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np

from ocm_geo.checks import warn_user
from ocm_geo.connections import connection_rows
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.frames import point_frame, require_columns
from ocm_geo.ids import id_name, station_table
from ocm_geo.levels import LEVELS, Level, power_at, says_operational, says_public
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS
from ocm_geo.standards.near import list_members, merge_near
from ocm_geo.standards.stated import read_stated

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ocm_geo.standards.pool_rules import PoolRules
    from ocm_geo.standards.rule import Rule

__all__ = ["Pools"]

_NEEDED = ("connections", "usage_type_id", "status_type_id", "n_points")
_NO_BOUND = 1e9
"""More charging points than any station has: what an unknown number may be."""
_POWER_KEY = re.compile(r'"([^"]*power[^"]*)"\s*:', re.IGNORECASE)
_MANY = 0.05
_TINY_KW = 1e-9
"""What a connection of unknown power counts for where a rule asks for none."""


class _Offer(NamedTuple):
    """What groups of stations offer, one value a group."""

    power_kw: NDArray[np.float64]
    n_points: NDArray[np.float64]
    has_connectors: NDArray[np.bool_]
    n_stations: NDArray[np.intp]


class _Connections(NamedTuple):
    """Connections at a level: station, power, number, and the kinds that the rule asks for."""

    station: NDArray[np.intp]
    power_kw: NDArray[np.float64]
    number: NDArray[np.float64]
    kinds: NDArray[np.bool_]

    def take(self, rows: NDArray[np.intp]) -> _Connections:
        """Select connections."""
        return _Connections._make(column[rows] for column in self)


class Pools:
    """
    The pools of a station table, and which of them meet a rule, at each level of uncertainty.

    ``recorded``: what the register says; a missing or implausible power counts for nothing, a
    missing number for one, a missing access or status does no harm. ``low``: whatever is missing is
    the worst that it can be, and ``high``: the best. Uncertainty neither moves nor divides a pool.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    rule : Rule
        The points, connectors and kinds of current that the rule asks for.
    rules : PoolRules
        How pools are made.
    strict_power : bool
        Compare power with ``>`` where the law says at least; only to reproduce such figures.

    Attributes
    ----------
    centres : geopandas.GeoSeries
        The mean position of each pool, EPSG:4326.
    positions : numpy.ndarray of shape (n, 2)
        The positions of all stations, lon/lat.

    Raises
    ------
    QueryError
        If the table is not a station table, or a row is not a point.
    """

    def __init__(
        self, stations: gpd.GeoDataFrame, rule: Rule, rules: PoolRules, *, strict_power: bool
    ) -> None:
        require_columns(stations, _NEEDED, "stations")
        placed = point_frame(station_table(stations), "stations")
        self._origin = stations
        self._rules, self._strict = rules, strict_power
        self.positions = np.column_stack([placed.geometry.x, placed.geometry.y]).reshape(-1, 2)
        # Stations that count at the high level are all that ever count: lower levels are subsets.
        self._stations = placed[_find_counting_stations(placed, rules, "high")]
        self._connections = _list_connections(self._stations)
        self.label, self.centres = merge_near(self._stations, rules.merge_m)
        certain = _find_counting_stations(self._stations, rules, "low")
        # At the low level a pool qualifies by certain stations that are one pool without the rest.
        self._certain = np.flatnonzero(certain)
        self._certain_label = merge_near(self._stations[certain], rules.merge_m)[0]
        self.stated = read_stated(
            self._stations, _sum_connections(self._connections, len(self._stations))
        )
        self._offers = {level: self._add_up_pools(rule, level) for level in LEVELS}

    def qualify(self, rule: Rule, level: Level, times: int) -> NDArray[np.bool_]:
        """
        Find the pools that qualify.

        Parameters
        ----------
        rule : Rule
            The power and points that a pool needs.
        level : {"low", "recorded", "high"}
            How uncertain facts are read.
        times : int
            How often a pool must offer what the rule asks for: 2 if it serves both directions.

        Returns
        -------
        numpy.ndarray of bool
            By pool.
        """
        meets = self._find_meeting(rule, level, times)
        if level != "low":
            return meets
        # A pool of certain stations is part of exactly one pool of all stations.
        found = np.zeros(len(self.centres), dtype=bool)
        found[self.label[self._certain[np.isin(self._certain_label, np.flatnonzero(meets))]]] = True
        return found

    def _find_meeting(self, rule: Rule, level: Level, times: int) -> NDArray[np.bool_]:
        """Find the pools that meet a rule; at the low level, pools of certain stations alone."""
        offer = self._offers[level]
        if rule.asks_for_any_station:
            return np.asarray(offer.n_stations > 0)
        meets = (offer.n_points >= times * (rule.n_points or 1)) & offer.has_connectors
        if rule.vehicle_class == "HDV":
            meets &= ~self.stated.find_without_bays(*self._list_rows(level), len(meets))
        if rule.pool_power_kw is not None:
            needed = times * rule.pool_power_kw
            meets &= _compare_power(offer.power_kw, needed, strict=self._strict)
        return np.asarray(meets)

    def serving(self, rule: Rule, level: Level) -> NDArray[np.float64]:
        """
        Locate the stations of the pools that qualify.

        A pool serves where each of its stations lies: its mean position moves with each station
        that is added, and could take from one cell what it gives to another.

        Parameters
        ----------
        rule : Rule
            The power and points that a pool needs.
        level : {"low", "recorded", "high"}
            How uncertain facts are read.

        Returns
        -------
        numpy.ndarray of shape (n, 2)
            Positions, lon/lat.
        """
        meets = self._find_meeting(rule, level, 1)
        label, rows = self._list_rows(level)
        where = self._stations.geometry.iloc[rows[meets[label]]]
        return np.column_stack([where.x, where.y]).reshape(-1, 2)

    def total_power_kw(self, level: Level) -> float:
        """Return the power of all pools together; infinite where it has no upper bound."""
        return float(self._offers[level].power_kw.sum())

    @property
    def clauses(self) -> list[str]:
        """The clauses on figures that the register states."""
        n, bays = int(self._find_stated().sum()), int(np.sum(~np.isnan(self.stated.n_bays)))
        told = []
        if n:
            told.append(
                f"{n:,} of {len(self.centres):,} pools: power as the register states it for the "
                "site, counted once; other pools: the sum over connections"
            )
        if bays:
            told.append(
                f"{bays:,} stations state their bays for heavy-duty vehicles: a pool that has none "
                "serves no rule on such vehicles"
            )
        return told

    def _find_stated(self) -> NDArray[np.bool_]:
        """Find the pools of which the register states all the power."""
        n = len(self.centres)
        return np.asarray(np.bincount(self.label, np.isnan(self.stated.power_kw), n) == 0)

    def table(self, rule: Rule, times: int) -> gpd.GeoDataFrame:
        """
        List the pools as recorded.

        Parameters
        ----------
        rule : Rule
            The power and points that a pool needs.
        times : int
            How often a pool must offer what the rule asks for.

        Returns
        -------
        geopandas.GeoDataFrame
            One row a pool: ``pool_power_kw`` (as the register states it, where
            ``power_is_stated`` is true; else a sum, so an upper bound), ``n_points`` of the power
            that counts, ``n_stations``, ``qualifies``, ``ocm_ids`` or ``station_ids`` (list),
            ``geometry``.
        """
        offer = self._offers["recorded"]
        n = len(self.centres)
        table = {
            "pool_power_kw": offer.power_kw,
            "power_is_stated": self._find_stated(),
            "n_points": offer.n_points.astype(np.int64),
            "n_stations": offer.n_stations,
            "qualifies": self.qualify(rule, "recorded", times),
            f"{id_name(self._stations.index)}s": list_members(
                self._stations.index.to_numpy(), self.label, n
            ),
        }
        return carry(gpd.GeoDataFrame(table, geometry=self.centres, crs=CRS), self._origin)

    def _list_rows(self, level: Level) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """List the pool of each station that counts at a level, and which stations these are."""
        if level == "low":
            return self._certain_label, self._certain
        return self.label, np.arange(len(self._stations))

    def _add_up_pools(self, rule: Rule, level: Level) -> _Offer:
        """Add up what pools offer at a level; at the low one, what certain stations do."""
        offer = self._add_up_stations(rule, level)
        label, rows = self._list_rows(level)
        n = int(np.max(label, initial=-1)) + 1
        # A pool has a connector if any of its stations has it; it needs one of each group.
        kinds = np.zeros((n, offer.has_connectors.shape[1]), dtype=bool)
        np.logical_or.at(kinds, label, offer.has_connectors[rows])
        # A figure of the register is the power of the site in use; only sums are upper bounds.
        is_stated = ~np.isnan(self.stated.power_kw[rows])
        power = self.stated.limit_power(
            offer.power_kw[rows], label, rows, is_partial=bool(rule.current_types)
        )
        power = np.where(is_stated, power, power * self._rules.power_sharing)
        return _Offer(
            np.bincount(label, power, n),
            np.bincount(label, offer.n_points[rows], n),
            kinds.all(axis=1),
            np.bincount(label, minlength=n),
        )

    def _add_up_stations(self, rule: Rule, level: Level) -> _Offer:
        """Add up the points of each station, the strongest first, up to the number it states."""
        connections = self._read_offered_connections(rule, level)
        connections = connections.take(np.lexsort((-connections.power_kw, connections.station)))
        station, power, count, kinds = connections
        # Without a power to reach, 0 kW still means that there is no power on record.
        strong = (power > 0) & _compare_power(
            power, rule.point_power_kw or 0.0, strict=self._strict
        )
        # A charging point with a second connector is one point, so the connections that fit are
        # capped by themselves, not after those that do not fit.
        fitting = np.where(kinds.all(axis=1), count, 0.0) if rule.connectors_on_each else count
        if self._rules.cap_at_points:
            limit = self._read_point_limits(level)
            count, fitting = (
                _cap_counts(station, count, limit),
                _cap_counts(station, fitting, limit),
            )
        n = len(self._stations)
        has = [np.bincount(station, strong & kind, n) > 0 for kind in kinds.T]
        return _Offer(
            np.bincount(station, np.where((power > 0) & (count > 0), power, 0.0) * count, n),
            np.bincount(station, np.where(strong, fitting, 0.0), n),
            np.array(has, dtype=bool).reshape(len(has), n).T,
            np.ones(n, dtype=np.intp),
        )

    def _read_point_limits(self, level: Level) -> NDArray[np.float64]:
        """Read the number of charging points of stations; where it is missing, its bound."""
        stated = self._stations["n_points"].to_numpy(np.float64, na_value=np.nan)
        unknown = np.full(len(stated), np.inf)
        if level == "low":
            # There are at least as many points as connectors of one kind.
            unknown[:] = 1.0
            numbers = self._connections["quantity"].to_numpy(np.float64, na_value=1.0)
            np.maximum.at(unknown, self._connections["row"].to_numpy(), numbers)
        return np.where(stated > 0, stated, unknown)

    def _read_offered_connections(self, rule: Rule, level: Level) -> _Connections:
        """Read the connections at a level; at the high one, those of stations without any, too."""
        connections = self._connections
        asked = bool(rule.point_power_kw or rule.pool_power_kw) or rule.kind == "fleet"
        power = power_at(connections, level if asked else "recorded")
        # A rule that asks for no power is met by a connection of any power, also a missing one.
        power = (
            np.where(np.isnan(power), 0.0, power) if asked else np.full(len(connections), _TINY_KW)
        )
        current = connections["current_type_id"].to_numpy(np.float64, na_value=np.nan)
        unknown = level == "high"
        if rule.current_types:
            counted = np.isin(current, rule.current_types) | (np.isnan(current) & unknown)
            power = np.where(counted, power, 0.0)
        quantity = connections["quantity"].to_numpy(np.float64, na_value=np.nan)
        # A quantity of 0 is an error of the record: the connection exists.
        count = np.where(np.isnan(quantity), _NO_BOUND if unknown else 1.0, np.fmax(quantity, 1.0))
        kind = connections["connection_type_id"].to_numpy(np.float64, na_value=np.nan)
        kinds = [np.isin(kind, group) | (np.isnan(kind) & unknown) for group in rule.connectors]
        station = connections["row"].to_numpy(np.intp)
        made = _Connections(
            station, power, count, np.array(kinds, bool).reshape(len(kinds), len(connections)).T
        )
        return _add_unlisted_connections(made, len(self._stations)) if unknown else made


def _list_connections(stations: gpd.GeoDataFrame) -> pd.DataFrame:
    """List the connections of stations, with the row of their station."""
    texts = stations["connections"].to_numpy()
    if any(isinstance(text, list | dict | tuple) for text in texts):
        raise QueryError(
            "stations: the column 'connections' must be JSON text, as json.dumps writes it, not "
            "lists; or use ocm.stations_from_table"
        )
    rows, found = connection_rows(stations)
    found["row"] = rows
    _check_power_keys(found, texts)
    return found


def _check_power_keys(connections: pd.DataFrame, texts: NDArray[np.object_]) -> None:
    """Check that powers have the right key, and warn if many are implausible."""
    power = connections["power_kw"].to_numpy(np.float64, na_value=np.nan)
    if len(power) and np.isnan(power).all():
        keys = {key for text in texts for key in _POWER_KEY.findall(str(text))} - {"PowerKW"}
        if keys:
            raise QueryError(
                f"stations: the connections have the key {min(keys)!r}, not 'PowerKW': use "
                "the keys of Open Charge Map, or ocm.stations_from_table"
            )
    wild = ~connections["power_plausible"].to_numpy(dtype=bool, na_value=True)
    if wild.sum() > _MANY * len(wild):
        warn_user(
            f"{wild.sum():,} of {len(wild):,} connections have a power that no connector delivers "
            f"(up to {np.nanmax(power[wild]):,.0f} kW) and count as missing: are they in watts?",
            SuspectInput,
        )


def _add_unlisted_connections(connections: _Connections, n: int) -> _Connections:
    """Add an unknown connection to each station without any on record."""
    # At the high level it has any power, any connector and as many points as the station allows.
    bare = np.setdiff1d(np.arange(n), connections.station)
    any_kind = np.ones((len(bare), connections.kinds.shape[1]), dtype=bool)
    more = _Connections(bare, np.full(len(bare), np.inf), np.full(len(bare), _NO_BOUND), any_kind)
    return _Connections._make(np.concatenate(both) for both in zip(connections, more, strict=True))


def _find_counting_stations(
    stations: gpd.GeoDataFrame, rules: PoolRules, level: Level
) -> NDArray[np.bool_]:
    """Find the stations that count: a missing access or status is uncertain."""
    keep = np.ones(len(stations), dtype=bool)
    for says, wanted in (
        (says_public, rules.public_only),
        (says_operational, rules.operational_only),
    ):
        if wanted:
            keep &= says(stations).to_numpy(dtype=bool, na_value=level != "low")
    return keep


def _compare_power(power: NDArray[np.float64], least: float, *, strict: bool) -> NDArray[np.bool_]:
    """Compare powers with the least one, as the law does: at least."""
    return power > least if strict else power >= least


def _cap_counts(
    station: NDArray[np.intp], count: NDArray[np.float64], limit: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cut the counts of each station, in their order, at its number of charging points."""
    # Rows are sorted by station: what came before within a station is a difference of running sums.
    total = np.cumsum(count)
    start = np.searchsorted(station, station)
    before = total - count - (total - count)[start]
    return np.clip(limit[station] - before, 0.0, count)


def _sum_connections(connections: pd.DataFrame, n: int) -> NDArray[np.float64]:
    """Add up the power on record of the connections of stations."""
    power = np.nan_to_num(power_at(connections, "recorded"))
    number = np.fmax(connections["quantity"].to_numpy(np.float64, na_value=1.0), 1.0)
    return np.bincount(connections["row"].to_numpy(np.intp), power * number, n)
