"""The road network made of lines: exact nodes, joined ends, chains and carriageways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from ocm_geo.cards import build_card
from ocm_geo.errors import RouteError
from ocm_geo.roads.chains import Axis, contract
from ocm_geo.roads.edges import exact_edges
from ocm_geo.roads.ends import join_loose_ends
from ocm_geo.roads.options import NetworkOptions
from ocm_geo.roads.reading import edge_lengths, read_lines
from ocm_geo.roads.twins import pair_carriageways
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    import pandas as pd

    from ocm_geo.roads.reading import Lines, RoadLines

__all__ = ["RoadNetwork", "make_network", "road_network"]

_MOST_CHANGE = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class RoadNetwork:
    """
    A road network: segments between nodes, with the rows of the lines they are made of.

    Parameters
    ----------
    axis : Axis
        The segments as an axis of kilometres.
    lines : Lines
        The single lines that were read.
    pairs : pandas.DataFrame
        Stretches with a twin carriageway.
    report : dict
        How the network was made: ``length_km`` (each carriageway counts), ``repeated_km`` (drawn
        more than once and counted once), ``paired_km`` (with another carriageway beside it),
        ``end_km`` (segments with a dead end), ``n_lines``, ``n_segments``, ``n_nodes``,
        ``n_components``, ``n_moved_ends``, ``longest_moved_m``, ``n_dropped``, ``snap_m``,
        ``noding``, ``carriageway_m``.
    """

    axis: Axis
    lines: Lines
    pairs: pd.DataFrame
    report: dict[str, object]

    def __repr__(self) -> str:
        """Describe it in one line."""
        numbers = {name: self.report[name] for name in ("n_segments", "n_nodes", "n_components")}
        words = ", ".join(f"{name.removeprefix('n_')} {n:,}" for name, n in numbers.items())
        return f"<RoadNetwork of {self.report['length_km']:,.1f} km: {words}>"

    def _repr_html_(self) -> str:
        """Show how the network was made, for notebooks."""
        made = ", ".join(
            f"{name} {value:,.6g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in self.report.items()
        )
        return build_card(repr(self).strip("<>"), lines=[made], tables={"Segments": self.segments})

    @cached_property
    def segments(self) -> gpd.GeoDataFrame:
        """
        The segments between nodes.

        One row each: ``start`` and ``end`` (nodes), ``length_km``, ``lines`` (list of the rows of
        the input that it is made of, in its direction), ``lines_km`` (their lengths in it) and
        ``geometry`` (EPSG:4326).
        """
        axis = self.axis
        row = self.lines.row[axis.part]
        new = np.append(True, (np.diff(axis.chain) > 0) | (np.diff(row) != 0))
        runs = np.flatnonzero(new)
        km = np.add.reduceat(axis.km, runs)
        labels = self.lines.table.index[row[runs]].to_numpy()
        bounds = np.flatnonzero(np.diff(axis.chain[runs], prepend=-1))[1:]
        start, end = axis.chain_start_km, axis.chain_end_km
        table = {
            "start": axis.start_node,
            "end": axis.end_node,
            "length_km": end - start,
            "lines": [part.tolist() for part in np.split(labels, bounds)],
            "lines_km": [part.tolist() for part in np.split(km, bounds)],
        }
        drawn = axis.pieces(start, end, np.arange(len(start)))
        return gpd.GeoDataFrame(table, geometry=drawn, crs=CRS)

    @cached_property
    def nodes(self) -> gpd.GeoDataFrame:
        """
        The nodes: junctions, dead ends, and one place of each ring.

        One row each: ``degree`` (how many segments end there), ``component`` and ``geometry``
        (EPSG:4326).
        """
        axis = self.axis
        table = {"degree": axis.degree, "component": axis.component}
        return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(*axis.node_xy.T), crs=CRS)


def road_network(lines: RoadLines, *, options: NetworkOptions | None = None) -> RoadNetwork:
    """
    Make a road network of lines, however they are drawn.

    Vertices equal to 1e-7 degrees are one node, stretches drawn more than once count once, and
    an end that touches nothing is joined to the nearest other road within ``snap_m``. No line
    changes its length. Lines side by side are recognised as carriageways of one road.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame, geopandas.GeoSeries, geometries or path
        LineStrings or MultiLineStrings; geometries without a table are taken as lon/lat. A path is
        a GeoPackage, GeoJSON, shapefile or OpenStreetMap extract (``.osm.pbf``: the ways of
        ``options.highways``).
    options : NetworkOptions, optional
        How lines are joined.

    Returns
    -------
    RoadNetwork
        ``segments``, ``nodes`` and ``report``.

    Raises
    ------
    RouteError
        If there is no line of any length, a geometry of another kind, no coordinate reference
        system, a file that cannot be read, or a length that would change by more than 0.1 %.

    Warns
    -----
    DroppedRows
        If rows have no usable geometry.
    SuspectInput
        If the lines are shorter than 100 m in all.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> main = shapely.LineString([(5.0, 52.0), (5.1, 52.0), (5.2, 52.0)])
    >>> side = shapely.LineString([(5.1, 52.0), (5.1, 52.1)])
    >>> roads = ocm.road_network([main, side])
    >>> len(roads.segments), len(roads.nodes)
    (3, 4)
    >>> round(roads.report["length_km"], 1)
    24.9
    """
    return make_network(lines, options or NetworkOptions())


def make_network(lines: RoadLines, options: NetworkOptions) -> RoadNetwork:
    """
    Make a road network; see `road_network`.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame, geopandas.GeoSeries, geometries or path
        The lines.
    options : NetworkOptions
        How lines are joined.

    Returns
    -------
    RoadNetwork
        The network.
    """
    # The order matters: loose ends are joined only after exact nodes, so that no end that meets
    # another is moved, and chains are contracted only after all joins.
    read = read_lines(lines, options)
    edges, repeated_km = exact_edges(read, options.noding)
    joined = join_loose_ends(edges, options.snap_m)
    axis = contract(joined.edges, read.ways)
    _check_length(read, axis, repeated_km)
    pairs = pair_carriageways(axis, options.carriageway_m / 1000.0)
    dead = (axis.degree[axis.start_node] == 1) | (axis.degree[axis.end_node] == 1)
    counted = read.counts[axis.part]
    report: dict[str, object] = {
        "length_km": float(axis.km[counted].sum()),
        "repeated_km": repeated_km,
        "paired_km": float(pairs.drop_duplicates("at_km")["km"].sum()),
        "end_km": float(axis.km[dead[axis.chain] & counted].sum()),
        "n_lines": len(read.row),
        "n_segments": len(axis.start_node),
        "n_nodes": len(axis.node_xy),
        "n_components": int(np.max(axis.component)) + 1,
        "n_moved_ends": joined.n_moved_ends,
        "longest_moved_m": joined.longest_m,
        "n_dropped": read.n_dropped,
        "snap_m": options.snap_m,
        "noding": options.noding,
        "carriageway_m": options.carriageway_m,
    }
    return RoadNetwork(axis, read, pairs, report)


def _check_length(lines: Lines, axis: Axis, repeated_km: float) -> None:
    """Refuse a network whose length is not that of the lines, less what is drawn twice."""
    same = np.flatnonzero(lines.part[1:] == lines.part[:-1])
    part = lines.part[same]
    km = edge_lengths(lines.xy[same], lines.xy[same + 1]) * lines.scale[part]
    drawn = float(km.sum())
    change = abs(float(axis.km.sum()) + repeated_km - drawn)
    if change <= _MOST_CHANGE * drawn:
        return
    n = len(lines.row)
    # By single line: cutting and joining may move no length from one line to another.
    lost = np.bincount(part, km, n) - np.bincount(axis.part, axis.km, n)
    worst = int(np.argmax(np.abs(lost)))
    place = lines.xy[np.searchsorted(lines.part, worst)]
    raise RouteError(
        f"the network would be {1000 * change:.1f} m longer or shorter than the {drawn:.3f} km of "
        f"its lines, most of it in row {lines.table.index[lines.row[worst]]!r} near "
        f"({place[0]:.6f}, {place[1]:.6f}): are its vertices less than 1e-7 degrees apart?"
    )
