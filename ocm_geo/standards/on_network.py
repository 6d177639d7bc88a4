"""Assess a network of roads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import geopandas as gpd
import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS
from ocm_geo.standards.cases import Case, Ends, case_of, reaches, readings_table, reason
from ocm_geo.standards.network import Network, Noding, network_of, noded
from ocm_geo.standards.noding import single_lines
from ocm_geo.standards.pools import LEVELS, Level, PoolRules
from ocm_geo.standards.readings import Judged, branch, every_path, some_path
from ocm_geo.standards.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ocm_geo.routing import Engine
    from ocm_geo.standards.catalogue import Rule

__all__ = ["assess_network"]

Reading: TypeAlias = Literal["some-path", "every-path", "branch"]

READINGS: dict[str, Callable[[Network, float], Judged]] = {
    "some-path": some_path,
    "branch": branch,
    "every-path": every_path,
    "some-path, one pool at both ends": partial(some_path, same_pool=True),
    "branch, one pool at both ends": partial(branch, same_pool=True),
}
_NOT_MONOTONE = "every-path"


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
    same_pool: bool | None = None,
    exits: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    engine: Engine | None = None,
    snap_m: float = 20.0,
    noding: Noding = "vertices",
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
    same_pool : bool, optional
        Let one pool serve both ends of a segment in the readings some-path and branch; only to
        reproduce figures that were made so. By default as ``strict_power``: the published national
        study does both. ``readings`` has the shares with and without.
    exits : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Points where one can leave the roads, service areas among them. With an engine, the offset
        is the driving distance from the nearest one; without, it is the straight line.
    engine : Engine, optional
        What measures it: see `route_between`.
    snap_m : float
        Ends of roads this near to each other, or to another road, are joined.
    noding : {"vertices", "ends", "crossings"}
        Whether roads join at vertices that they share and at their ends, only at their ends, or
        wherever they cross. Roads that run together count once.

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
    (15, 6)
    """
    if reading not in get_args(Reading):
        raise QueryError(f"reading must be one of {', '.join(get_args(Reading))}, not {reading!r}")
    stations = station_table(stations)
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
        exits=exits,
        engine=engine,
    )
    lax = strict_power if same_pool is None else same_pool
    name = f"{reading}, one pool at both ends" if lax and reading != _NOT_MONOTONE else reading
    if noding not in get_args(Noding):
        raise QueryError(f"noding must be one of {', '.join(get_args(Noding))}, not {noding!r}")
    roads, making = noded(single_lines(lines), snap_m=snap_m, noding=noding)

    def network(one: Case, level: Level, serve: str) -> Network:
        made = one.pools(stations, level, serve)
        good, within_km = one.places(made[made["qualifies"]], roads.geometry)
        found = network_of(roads, good, within_km, snap_m=snap_m)
        return _closed(found) if one.ends == "closed" else found

    rows = []
    for used, one, serves in case.questions():
        for serve in serves:
            networks = {level: network(one, level, serve) for level in LEVELS}
            rows += [(r, serve, used, *_shares(r, networks, one.spacing_km)) for r in READINGS]
    readings = carry(readings_table(rows), stations)
    drawn = network(case, "recorded", case.serve)
    # The question as it is stands first.
    own = readings[readings["reading"] == name].iloc[0]
    segments = _network_segments(drawn, READINGS[name](drawn, case.spacing_km), case)
    return Verdict(
        case.rule,
        reaches(case.rule, own["share"]),
        float(own["share"]),
        float(own["share_low"]),
        float(own["share_high"]),
        carry(segments, stations, standard=case.rule.id, reading=name),
        case.pools(stations, "recorded", case.serve),
        [*case.clauses, f"reading: {name}"],
        readings,
        {**making, **_report(drawn, segments, case)},
    )


def _shares(name: str, networks: dict[Level, Network], spacing_km: float) -> list[float]:
    """Give the share of the length that passes: as recorded, low and high."""
    shares = []
    for level in ("recorded", "low", "high"):
        network = networks[level]
        if name == _NOT_MONOTONE and level != "recorded":
            shares.append(float("nan"))
            continue
        passes = READINGS[name](network, spacing_km).passes
        shares.append(float(network.length_km[passes].sum() / network.length_km.sum()))
    return shares


def _report(drawn: Network, segments: gpd.GeoDataFrame, case: Case) -> dict[str, object]:
    by_status = segments.groupby("status")["length_km"].sum()
    return {
        **drawn.report,
        "length_km": float(segments["length_km"].sum()),
        **{f"{status}_km": float(km) for status, km in by_status.items()},
        "ends": case.ends,
        "offset_km": case.offset_km,
        "merge_m": case.pool_rules.merge_m,
    }


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
