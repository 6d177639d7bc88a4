"""Pools: the stations of one place, and what they offer by the words of a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ocm_geo.connections import connection_rows
from ocm_geo.errors import QueryError
from ocm_geo.frames import point_frame, require_columns
from ocm_geo.geodesy import to_ecef_km
from ocm_geo.ids import id_name
from ocm_geo.levels import LEVELS, Level, power_at, says_operational, says_public
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ocm_geo.standards.catalogue import Rule

__all__ = ["LEVELS", "Level", "PoolRules", "pools"]

_NEEDED = ("connections", "usage_type_id", "status_type_id", "n_points")


@dataclass(frozen=True)
class PoolRules:
    """
    How pools are made of Open Charge Map's sites.

    Parameters
    ----------
    merge_m : float
        Sites that are this near to each other, or joined by others that are, are one pool.
    power_sharing : float
        The share of the summed power that a pool delivers when all points are in use. The law
        speaks of the theoretical maximum: 1.
    cap_at_points : bool
        Count no more points than the site states (``n_points``), the strongest first:
        two connectors of one point are not two points.
    public_only : bool
        Leave out sites known not to be public.
    operational_only : bool
        Leave out sites known not to be in operation.
    """

    merge_m: float = 100.0
    power_sharing: float = 1.0
    cap_at_points: bool = True
    public_only: bool = True
    operational_only: bool = True

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not self.merge_m >= 0:
            raise QueryError(f"merge_m must be at least 0, not {self.merge_m!r}")
        if not 0 < self.power_sharing <= 1:
            raise QueryError(
                f"power_sharing must be above 0 and at most 1, not {self.power_sharing!r}"
            )


class _Offer(NamedTuple):
    """What sites offer, one value a site."""

    power_kw: NDArray[np.float64]
    n_points: NDArray[np.float64]
    connectors: NDArray[np.bool_]


def pools(
    stations: gpd.GeoDataFrame,
    rule: Rule,
    rules: PoolRules | None = None,
    *,
    level: Level = "recorded",
    times: int = 1,
    strict_power: bool = False,
) -> gpd.GeoDataFrame:
    """
    Make pools of stations, and say which qualify.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    rule : Rule
        The rule: power of the pool, points and their power, connectors.
    rules : PoolRules, optional
        How pools are made.
    level : {"low", "recorded", "high"}
        What doubt does. ``recorded``: what the register says; a missing or implausible power
        counts for nothing, a missing access or status does no harm. ``low``: every doubtful
        connection and site is out. ``high``: all are in, a connection of unknown power is strong
        enough, and one of implausible power has the most that its connector can deliver.
        Doubtful: power, access or status missing, or power implausible or an import's estimate.
    times : int
        How often the pool must offer what the rule asks for: 2 if it serves both directions.
    strict_power : bool
        Compare power with ``>`` where the law says at least; only to reproduce such figures.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a pool: ``pool_power_kw`` (a sum, so an upper bound), ``n_points`` of the power
        that counts, ``n_stations``, ``qualifies``, ``ocm_ids`` or ``station_ids`` (list),
        ``geometry`` (the mean position, EPSG:4326).

    Raises
    ------
    QueryError
        If the table is no station table, or a row is no point.
    """
    rules = rules or PoolRules()
    require_columns(stations, _NEEDED, "stations")
    # Doubt takes sites out of a pool, but neither moves nor divides it: bounds hold whatever it is.
    placed = point_frame(stations, "stations")
    candidates = placed[_counts(placed, rules, "high")]
    label, centres = _merged(candidates, rules.merge_m)
    n = len(centres)
    counts = _counts(candidates, rules, level)
    members, label = candidates[counts], label[counts]
    offer = _offers(members, rule, rules, level, strict=strict_power)
    power = np.bincount(label, offer.power_kw, n) * rules.power_sharing
    points = np.bincount(label, offer.n_points, n)
    plugs = np.zeros((n, offer.connectors.shape[1]), dtype=bool)
    np.logical_or.at(plugs, label, offer.connectors)
    qualifies = (points >= times * (rule.n_points or 1)) & plugs.all(axis=1)
    if rule.pool_power_kw is not None:
        qualifies &= _reaches(power, times * rule.pool_power_kw, strict=strict_power)
    table = {
        "pool_power_kw": power,
        "n_points": points.astype(np.int64),
        "n_stations": np.bincount(label, minlength=n),
        "qualifies": qualifies,
        f"{id_name(stations.index)}s": _members(members.index.to_numpy(), label, n),
    }
    frame = gpd.GeoDataFrame(table, geometry=centres, crs=CRS)
    return carry(frame[frame["n_stations"] > 0].reset_index(drop=True), stations)


def _counts(stations: gpd.GeoDataFrame, rules: PoolRules, level: Level) -> NDArray[np.bool_]:
    """Say which sites count: a missing access or status is doubt."""
    keep = np.ones(len(stations), dtype=bool)
    for says, wanted in (
        (says_public, rules.public_only),
        (says_operational, rules.operational_only),
    ):
        if wanted:
            keep &= says(stations).to_numpy(dtype=bool, na_value=level != "low")
    return keep


def _offers(
    stations: gpd.GeoDataFrame, rule: Rule, rules: PoolRules, level: Level, *, strict: bool
) -> _Offer:
    """Add up the points of each site, the strongest first, up to the number it states."""
    site, plugs = connection_rows(stations)
    power = _power(plugs, rule, level)
    count = np.fmax(plugs["quantity"].to_numpy(np.float64, na_value=1.0), 1.0)
    if rule.current_types:
        counted = plugs["current_type_id"].isin(rule.current_types)
        if level == "high":
            counted |= plugs["current_type_id"].isna()
        power = np.where(counted, power, 0.0)
    order = np.lexsort((-power, site))
    site, power, count = site[order], power[order], count[order]
    strong = _reaches(power, rule.point_power_kw or 0.0, strict=strict) & (power > 0.0)
    kind = plugs["connection_type_id"].to_numpy(np.float64, na_value=np.nan)[order]
    groups = [
        np.isin(kind, group) | (np.isnan(kind) & (level == "high")) for group in rule.connectors
    ]
    # A point that offers a second connector, too, is one: those that fit are capped by themselves.
    fitting = np.where(np.all(groups, axis=0), count, 0.0) if rule.connectors_on_each else count
    if rules.cap_at_points:
        stated = stations["n_points"].to_numpy(np.float64, na_value=np.nan)
        count, fitting = _capped(site, count, stated), _capped(site, fitting, stated)
    n = len(stations)
    fits = [np.bincount(site, strong & group, n) > 0 for group in groups]
    return _Offer(
        # In the high bound an unknown power is without bound; none of it is still none.
        np.bincount(site, np.where(count > 0, power, 0.0) * count, n),
        np.bincount(site, np.where(strong, fitting, 0.0), n),
        np.array(fits).reshape(len(groups), n).T,
    )


def _power(plugs: pd.DataFrame, rule: Rule, level: Level) -> NDArray[np.float64]:
    """Return the power of connections as a level reads it; where it counts none, 0."""
    asked = bool(rule.point_power_kw or rule.pool_power_kw)
    power = power_at(plugs, "recorded" if level == "high" and not asked else level)
    # A rule that asks for no power is met by a connection without one.
    unknown = 0.0 if asked or level == "low" else 1e-9
    return np.where(np.isnan(power), unknown, power)


def _reaches(power: NDArray[np.float64], least: float, *, strict: bool) -> NDArray[np.bool_]:
    return power > least if strict else power >= least


def _capped(
    site: NDArray[np.intp], count: NDArray[np.float64], stated: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cut the counts of each site, in their order, at the number of points it states."""
    total = np.cumsum(count)
    start = np.searchsorted(site, site)
    before = total - count - (total - count)[start]
    limit = np.where(stated > 0, stated, np.inf)[site]
    return np.clip(limit - before, 0.0, count)


def _merged(stations: gpd.GeoDataFrame, merge_m: float) -> tuple[NDArray[np.intp], gpd.GeoSeries]:
    """Give the group of each site, near each other or joined by others that are, and its centre."""
    lon, lat = stations.geometry.x.to_numpy(), stations.geometry.y.to_numpy()
    if not len(lon):
        return np.empty(0, dtype=np.intp), stations.geometry
    pairs = cKDTree(to_ecef_km(lon, lat)).query_pairs(merge_m / 1000.0, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(lon), len(lon)))
    n, label = connected_components(links, directed=False)
    # Longitudes beside the first member's, so that a mean over the antimeridian stays there.
    first, size = np.zeros(n), np.bincount(label, minlength=n)
    first[label[::-1]] = lon[::-1]
    beside = first[label] + (lon - first[label] + 180.0) % 360.0 - 180.0
    x, y = (np.bincount(label, value, n) / size for value in (beside, lat))
    return label.astype(np.intp), gpd.GeoSeries(gpd.points_from_xy(x, y), crs=CRS)


def _members(ids: NDArray[Any], label: NDArray[np.intp], n: int) -> list[Any]:
    order = np.argsort(label, kind="stable")
    parts = np.split(ids[order], np.cumsum(np.bincount(label, minlength=n)))
    return [part.tolist() for part in parts[:n]]
