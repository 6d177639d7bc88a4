"""How much of a network a vehicle of a given range can use without a break.

A place is usable with range R if it is at most R / 2 from a station, along the network: one can
come from the station and get back, or go on. Two stations hang together if a chain of hops of at
most R joins them. Balls of radius R / 2 around two stations touch exactly if the stations are at
most R apart, so that the parts of the usable network are those of the stations, and from any place
of a part one can drive to any other. Neither depends on how lines are cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.cards import build_card
from ocm_geo.checks import check_km, check_km_list, warn_user
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.frames import point_frame
from ocm_geo.ids import id_name, station_table
from ocm_geo.provenance import carry, credit_line
from ocm_geo.roads.critical import critical_stations
from ocm_geo.roads.graph import cut_at
from ocm_geo.roads.network import RoadNetwork, make_network
from ocm_geo.roads.options import NetworkOptions
from ocm_geo.roads.places import place_points
from ocm_geo.roads.spread import Areas, Spread
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocm_geo.roads.reading import RoadLines

__all__ = ["Reachability", "reachability"]


@dataclass(frozen=True, eq=False, repr=False)
class Reachability:
    """
    What vehicles of some ranges can use of a network.

    Parameters
    ----------
    curve : pandas.DataFrame
        One row a range, ascending: ``range_km``, ``length_km`` (of the network), ``usable_share``,
        ``connected_share`` (of the longest part), ``n_parts`` (groups of stations that hang
        together), and ``weight`` (of the network) where weights were given; the shares are then
        of the weight.
    critical : pandas.DataFrame
        Stations whose loss leaves two or more parts of their part, one row a range and station:
        ``range_km``, ``ocm_id`` or ``station_id``, ``km_lost`` (length of the part before, less
        that of the longest part left of it), ``n_parts`` (how many are left). Most km lost first.
    network : RoadNetwork
        The network.
    spreads : dict of float to Spread
        For each range how far the stations reach.
    stations : geopandas.GeoDataFrame
        The stations, for their credit.
    """

    curve: pd.DataFrame
    critical: pd.DataFrame
    network: RoadNetwork
    spreads: dict[float, Spread]
    stations: gpd.GeoDataFrame

    def __repr__(self) -> str:
        """Describe it in one line."""
        rows = self.curve.iloc[[0, -1]].drop_duplicates()
        words = "; ".join(
            f"{row['range_km']:g} km: {100 * row['usable_share']:.1f} % usable, "
            f"{100 * row['connected_share']:.1f} % in one part"
            for row in rows.to_dict("records")
        )
        return f"<Reachability of {self.curve['length_km'].iloc[0]:,.0f} km by range; {words}>"

    def _repr_html_(self) -> str:
        """Show the curve and the critical stations, for notebooks."""
        return build_card(
            f"Reachability of {self.curve['length_km'].iloc[0]:,.0f} km by range",
            tables={"By range": self.curve, "Critical stations": self.critical},
            credit=credit_line(self.stations),
        )

    @cached_property
    def segments(self) -> gpd.GeoDataFrame:
        """
        The network in usable and other pieces, for each range.

        One row a piece: ``range_km``, ``usable``, ``part`` (1 is the longest; missing where the
        piece is not usable), ``length_km``, ``geometry`` (EPSG:4326).
        """
        tables = [self._list_range_pieces(range_km) for range_km in self.spreads]
        made = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=CRS)
        return carry(made, self.stations)

    def _list_range_pieces(self, range_km: float) -> gpd.GeoDataFrame:
        """List the pieces of the network for one range."""
        start, end, chain, part = self.spreads[range_km].pieces()
        table = {
            "range_km": range_km,
            "usable": part > 0,
            "part": pd.array(part, dtype="Int64"),
            "length_km": end - start,
        }
        frame = gpd.GeoDataFrame(
            table, geometry=self.network.axis.pieces(start, end, chain), crs=CRS
        )
        frame.loc[~frame["usable"], "part"] = pd.NA
        return frame


def reachability(
    lines: RoadLines | RoadNetwork,
    stations: gpd.GeoDataFrame,
    range_km: float | Sequence[float],
    *,
    within_km: float = 3.0,
    weights: str | Sequence[float] | None = None,
    options: NetworkOptions | None = None,
) -> Reachability:
    """
    Find what part of a network a vehicle of a given range can use without a break.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame, geopandas.GeoSeries, geometries, path or RoadNetwork
        The roads, as for `road_network`; a network is used as it is.
    stations : geopandas.GeoDataFrame
        A station table. Every row counts: filter it first.
    range_km : float or sequence of float
        What may be driven between two charges, km.
    within_km : float
        Greatest distance of a station from the road, in a straight line; the way off the road is
        not counted.
    weights : str or sequence of float, optional
        A weight per km for each row of the lines, or the name of their column: traffic, for
        example, so that shares are of vehicle-kilometres. For a number of inhabitants along a
        line, divide it by the length.
    options : NetworkOptions, optional
        How lines are made into a network.

    Returns
    -------
    Reachability
        ``curve``, ``segments`` and ``critical``.

    Raises
    ------
    QueryError
        If a range, a distance or a weight is out of range, or the table is not one of stations.
    RouteError
        If there is no line of any length.

    Warns
    -----
    SuspectInput
        If there are stations, and none is near any road.

    Notes
    -----
    A place is usable if its way to the nearest station is at most half the range. Parts are found
    for all ranges from the minimum spanning tree of the stations. The idea is that of consecutive
    coverage in Hanig et al., Nature Communications 16:561 (2025), here for a whole network without
    an origin.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> road = ocm.sample_route()
    >>> stations = ocm.stations_from_route(road, 3, source=ocm.sample())
    >>> found = ocm.reachability(road, stations, [20, 60])
    >>> found.curve["usable_share"].is_monotonic_increasing
    True
    """
    ranges = check_km_list(range_km, "range_km")
    within_km = check_km(within_km, "within_km")
    stations = carry(point_frame(station_table(stations), "stations"), stations)
    if not isinstance(lines, RoadNetwork):
        lines = make_network(lines, options or NetworkOptions())
    network = lines
    density = _read_weight_per_km(network, weights)
    lonlat = np.column_stack([stations.geometry.x, stations.geometry.y]).reshape(-1, 2)
    places = place_points(network, lonlat, within_km)
    if len(stations) and not len(places.point):
        warn_user(
            f"none of the {len(stations):,} stations is within {within_km:g} km of the roads: are "
            "the axes of one of them swapped?",
            SuspectInput,
        )
    # A vehicle must be able to come back: directions of travel are left out.
    graph = cut_at(network, places).undirected
    areas = Areas(network.axis, graph, density)
    spreads = {one: Spread(areas, one) for one in ranges}
    curve = carry(_make_curve(network, spreads, weights), stations)
    critical = _list_critical(_measure_by_length(network, spreads, weights), stations.index)
    return Reachability(curve, carry(critical, stations), network, spreads, stations)


def _read_weight_per_km(
    network: RoadNetwork, weights: str | Sequence[float] | None
) -> NDArray[np.float64]:
    """Read the weight per km of each edge; without weights, 1 for what counts."""
    lines = network.lines
    counts = lines.counts[network.axis.part].astype(float)
    if weights is None:
        return counts
    given: Any = weights
    if isinstance(weights, str):
        if weights not in lines.table:
            raise QueryError(f"weights: the lines have no column {weights!r}")
        given = lines.table[weights]
    values = pd.to_numeric(pd.Series(np.asarray(given)), errors="coerce").to_numpy(float)
    if len(values) != len(lines.table.index):
        raise QueryError(
            f"weights has {len(values)} values for {len(lines.table.index)} rows of the lines"
        )
    if not (np.isfinite(values) & (values >= 0)).all() or not values.sum() > 0:
        raise QueryError("weights must be numbers of 0 or more, none missing, not all 0")
    return np.asarray(counts * values[lines.row[network.axis.part]])


def _make_curve(
    network: RoadNetwork, spreads: dict[float, Spread], weights: object
) -> pd.DataFrame:
    """Compute the shares for each range."""
    rows = []
    for range_km, spread in spreads.items():
        lengths = spread.part_amounts
        total = spread.areas.total
        row = {
            "range_km": range_km,
            "length_km": float(str(network.report["length_km"])),
            "usable_share": min(float(lengths.sum()) / total, 1.0) if total else 0.0,
            "connected_share": min(float(np.max(lengths, initial=0.0)) / total, 1.0)
            if total
            else 0.0,
            "n_parts": len(lengths),
        }
        rows.append(row | ({} if weights is None else {"weight": total}))
    return pd.DataFrame(rows)


def _measure_by_length(
    network: RoadNetwork, spreads: dict[float, Spread], weights: object
) -> dict[float, Spread]:
    """Measure by length what was measured by weight."""
    if weights is None:
        return spreads
    graph = next(iter(spreads.values())).graph
    areas = Areas(network.axis, graph, _read_weight_per_km(network, None))
    return {one: Spread(areas, one) for one in spreads}


def _list_critical(spreads: dict[float, Spread], index: pd.Index[Any]) -> pd.DataFrame:
    """List the stations whose loss takes their part apart."""
    rows = [
        (range_km, station, lost, left)
        for range_km, spread in spreads.items()
        for station, lost, left in critical_stations(spread)
    ]
    names = ["range_km", "station", "km_lost", "n_parts"]
    table = pd.DataFrame(rows, columns=names)
    table = table.astype({"range_km": float, "km_lost": float, "n_parts": int, "station": int})
    ids = index[table.pop("station").to_numpy()] if len(table) else index[:0]
    table.insert(1, id_name(index), ids.to_numpy())
    order = np.lexsort((-table["km_lost"], table["range_km"]))
    return table.iloc[order].reset_index(drop=True)
