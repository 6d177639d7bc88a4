"""Assess a network of roads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import geopandas as gpd
import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS
from ocm_geo.standards.cases import Case, Ends, case_of, reaches, readings_table, reason
from ocm_geo.standards.network import Network, Noding, network_of
from ocm_geo.standards.pools import LEVELS, Level, PoolRules
from ocm_geo.standards.readings import Judged, branch, every_path, some_path
from ocm_geo.standards.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ocm_geo.standards.catalogue import Rule

__all__ = ["assess_network"]

Reading: TypeAlias = Literal["some-path", "every-path", "branch"]

READINGS: dict[str, Callable[[Network, float], Judged]] = {
    "some-path": some_path,
    "branch": branch,
    "every-path": every_path,
}


def assess_network(  # noqa: PLR0913 - each is a fact of the question
    lines: gpd.GeoDataFrame | gpd.GeoSeries,
    stations: gpd.GeoDataFrame,
    standard: str | Rule,
    *,
    reading: Reading = "some-path",
    ends: Ends = "between-pools",
    pools_serve: Literal["both-single", "both-double"] = "both-single",
    spacing_km: float | None = None,
    offset_km: float | None = None,
    derogations: Sequence[str] = (),
    pool_rules: PoolRules | None = None,
    strict_power: bool = False,
    snap_m: float = 20.0,
    noding: Noding = "ends",
) -> Verdict:
    """
    Assess a network of roads by a rule.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame or geopandas.GeoSeries
        The roads.
    stations : geopandas.GeoDataFrame
        A station table.
    standard : str or Rule
        A rule about roads: see `standards` and `load_standards`.
    reading : {"some-path", "every-path", "branch"}
        What 'a pool every so many kilometres' means on a meshed network: see
        `ocm_geo.standards.readings`. The law does not say; all three are in ``readings``.
    ends : {"between-pools", "closed"}
        ``closed`` takes dead ends of the network as pools. Otherwise what lies beyond the last
        pool of a dead end does not pass, and is reported as ``end``.
    pools_serve : {"both-single", "both-double"}
        Each pool serves both directions, at once or twice the requirement.
    spacing_km, offset_km : float, optional
        In place of the rule's; needed where it sets none.
    derogations : sequence of str
        Relaxations to use: see `derogations`.
    pool_rules : PoolRules, optional
        How pools are made of stations.
    strict_power : bool
        Compare power with ``>``; only to reproduce figures that were made so.
    snap_m : float
        Ends of roads this near to each other, or to another road, are joined.
    noding : {"ends", "crossings"}
        Whether roads join only at their ends, or wherever they cross.

    Returns
    -------
    Verdict
        Share of the length, its bounds (missing for ``every-path``, which more pools can make
        worse), segments, clauses, and all readings side by side.

    Raises
    ------
    QueryError
        If the rule cannot be assessed on roads, needs a number, or a parameter is wrong.
    RouteError
        If there is no line.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import ocm_geo as ocm
    >>> roads = gpd.GeoSeries([ocm.sample_route()], crs="EPSG:4326")
    >>> stations = ocm.stations_from_route(roads, 3, source=ocm.sample())
    >>> ocm.assess_network(roads, stations, "afir-ldv-core-2025").readings.shape
    (6, 5)
    """
    if reading not in READINGS:
        raise QueryError(f"reading must be one of {', '.join(READINGS)}, not {reading!r}")
    case = case_of(
        standard,
        derogations,
        ("both-single", "both-double"),
        spacing_km=spacing_km,
        offset_km=offset_km,
        ends=ends,
        serve=pools_serve,
        pool_rules=pool_rules,
        strict_power=strict_power,
    )

    def network(level: Level, serve: str) -> Network:
        made = case.pools(stations, level, serve)
        good = made[made["qualifies"]].geometry
        one = network_of(lines, good, case.offset_km, snap_m=snap_m, noding=noding)
        return _closed(one) if case.ends == "closed" else one

    rows, shares = [], {}
    for serve in case.serves():
        networks = {level: network(level, serve) for level in LEVELS}
        for name in READINGS:
            shares[name, serve] = {
                level: _network_share(name, level, networks[level], case.spacing_km)
                for level in LEVELS
            }
            rows.append(
                (name, serve, *(shares[name, serve][k] for k in ("recorded", "low", "high")))
            )
    own = shares[reading, case.serve]
    drawn = network("recorded", case.serve)
    segments = _network_segments(drawn, READINGS[reading](drawn, case.spacing_km), case)
    made = case.pools(stations, "recorded", case.serve)
    by_status = segments.groupby("status")["length_km"].sum()
    report = {
        **drawn.report,
        "length_km": float(segments["length_km"].sum()),
        **{f"{status}_km": float(km) for status, km in by_status.items()},
        "ends": case.ends,
        "offset_km": case.offset_km,
        "merge_m": case.pool_rules.merge_m,
    }
    return Verdict(
        case.rule,
        reaches(case.rule, own["recorded"]),
        own["recorded"],
        own["low"],
        own["high"],
        carry(segments, stations, standard=case.rule.id, reading=reading),
        made,
        [*case.clauses, f"reading: {reading}"],
        carry(readings_table(rows), stations),
        report,
    )


def _network_share(name: str, level: Level, network: Network, spacing_km: float) -> float:
    if name == "every-path" and level != "recorded":
        return float("nan")
    passes = READINGS[name](network, spacing_km).passes
    return float(network.length_km[passes].sum() / network.length_km.sum())


def _closed(network: Network) -> Network:
    """Take the dead ends of a network as pools."""
    degree = np.bincount(np.concatenate([network.start, network.end]), minlength=len(network.pool))
    dead = np.flatnonzero((degree == 1) & (network.pool < 0))
    pool = network.pool.copy()
    pool[dead] = len(pool) + np.arange(len(dead))
    return network._replace(pool=pool)


def _network_segments(network: Network, judged: Judged, case: Case) -> gpd.GeoDataFrame:
    choices = [judged.passes, _beyond_pools(network), judged.unserved]
    status = np.select(choices, ["passes", "end", "unserved"], "fails")
    table = {
        "line": network.line,
        "length_km": network.length_km,
        "between_km": np.where(np.isfinite(judged.between_km), judged.between_km, np.nan),
        "status": status,
        "reason": [
            reason(s, k, case)
            for s, k in zip(
                status.tolist(),
                np.where(status == "end", network.length_km, judged.between_km).tolist(),
                strict=True,
            )
        ],
    }
    return gpd.GeoDataFrame(table, geometry=list(network.geometry), crs=CRS)


def _beyond_pools(network: Network) -> NDArray[np.bool_]:
    """Mark segments of dead ends without a pool, from the leaves inwards."""
    beyond = np.zeros(len(network.length_km), dtype=bool)
    while True:
        ends = np.concatenate([network.start[~beyond], network.end[~beyond]])
        leaf = (np.bincount(ends, minlength=len(network.pool)) == 1) & (network.pool < 0)
        more = ~beyond & (leaf[network.start] | leaf[network.end])
        if not more.any():
            return beyond
        beyond |= more
