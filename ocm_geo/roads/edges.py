"""Exact nodes: each straight edge once, cut where other roads have a vertex on it.

Vertices equal to 1e-7 degrees are one. An edge on which another vertex lies within 3 cm is cut
there by the number of the vertex, never at a computed position, so that roads drawn over each
other in other pieces become the same edges.

Invariants. The sum of lengths changes by `repeated_km` alone: cutting splits a length and never
measures it again. An edge is known by its two nodes, so that equality is exact after rounding once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ocm_geo.roads.reading import edge_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads.options import Noding
    from ocm_geo.roads.reading import Lines

__all__ = [
    "KM_PER_DEGREE",
    "Edges",
    "NearEdges",
    "edges_near",
    "exact_edges",
    "groups_of",
]

KM_PER_DEGREE = 111.32
_DIGITS = 1e7
_ROW = 2**32
_ON_EDGE_KM = 3e-5
_INSIDE_KM = 1e-6
_SIN_ALONG = np.sin(np.radians(3.0))
_POLAR_LAT = 89.0
_HALF_TURN = 180.0


class Edges(NamedTuple):
    """
    Straight edges between nodes.

    Parameters
    ----------
    start, end : numpy.ndarray of int, shape (n,)
        Their nodes.
    xy0, xy1 : numpy.ndarray of shape (n, 2)
        Their ends, lon/lat.
    km : numpy.ndarray of float, shape (n,)
        Their lengths.
    part : numpy.ndarray of int, shape (n,)
        The single line that each belongs to.
    """

    start: NDArray[np.intp]
    end: NDArray[np.intp]
    xy0: NDArray[np.float64]
    xy1: NDArray[np.float64]
    km: NDArray[np.float64]
    part: NDArray[np.intp]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Edges:
        """Select edges."""
        return Edges._make(column[rows] for column in self)


def exact_edges(lines: Lines, noding: Noding) -> tuple[Edges, float]:
    """
    Make the edges of lines, each once.

    Parameters
    ----------
    lines : Lines
        Single lines.
    noding : {"vertices", "ends", "crossings"}
        Where roads join.

    Returns
    -------
    edges : Edges
        Each straight edge once, that of the first line kept.
    repeated_km : float
        The length of the edges left out.
    """
    xy, part = lines.xy, lines.part
    if noding == "crossings":
        xy, part = _add_crossings(xy, part)
    vertex, place = _merge_equal_places(xy)
    rows = np.flatnonzero(part[1:] == part[:-1])
    start, end = vertex[rows], vertex[rows + 1]
    km = edge_lengths(xy[rows], xy[rows + 1]) * lines.scale[part[rows]]
    edges = Edges(start, end, xy[rows], xy[rows + 1], km, part[rows])
    edges = _cut_at_vertices(edges.take(start != end), place, every=noding == "crossings")
    nodes = _join_at_ends_only(edges, xy, part, vertex) if noding == "ends" else None
    first, repeated = _find_first_edges(edges)
    if nodes is not None:
        edges = edges._replace(start=nodes[0], end=nodes[1])
    return edges.take(first), float(edges.km[repeated].sum())


def groups_of(a: NDArray[np.intp], b: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    """
    Find the groups that pairs make.

    Parameters
    ----------
    a, b : numpy.ndarray of int
        Pairs that belong together.
    n : int
        The number of things.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        The group of each.
    """
    links = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)


def _merge_equal_places(xy: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the node of each vertex, those equal to 1e-7 degrees alike, and a place of each."""
    lon = np.where(xy[:, 0] >= _HALF_TURN - 0.5 / _DIGITS, xy[:, 0] - 2 * _HALF_TURN, xy[:, 0])
    east, north = (np.round(v * _DIGITS).astype(np.int64) for v in (lon, xy[:, 1]))
    # 1e-7 degrees are 1 cm: 3.6e9 by 1.8e9 cells fit into one integer of 64 bits.
    code, keys = pd.factorize(east * _ROW + north)
    first = np.empty(len(keys), dtype=np.intp)
    first[code[::-1]] = np.arange(len(xy))[::-1]
    # What rounds to different cells may still be equal: look into half of the cells around.
    order = np.argsort(keys)
    found = []
    for step in (1, _ROW - 1, _ROW, _ROW + 1):
        at = np.minimum(np.searchsorted(keys, keys + step, sorter=order), len(keys) - 1)
        other = order[at]
        here = np.flatnonzero(keys[other] == keys + step)
        found.append(np.column_stack([here, other[here]]))
    pairs = np.vstack(found)
    apart = np.max(np.abs(xy[first[pairs[:, 0]]] - xy[first[pairs[:, 1]]]), axis=1, initial=0.0)
    pairs = pairs[apart * _DIGITS <= 1 + 1e-6]
    group = groups_of(pairs[:, 0], pairs[:, 1], len(keys))
    place = np.empty((int(np.max(group, initial=-1)) + 1, 2))
    place[group[::-1]] = xy[first[::-1]]
    return group[code], place


class NearEdges(NamedTuple):
    """
    Pairs of a point and an edge near it.

    Parameters
    ----------
    point, edge : numpy.ndarray of int
        Which.
    at : numpy.ndarray of float
        Where on the edge the nearest place is, from 0 to 1.
    away_km : numpy.ndarray of float
        How far it is from the point.
    """

    point: NDArray[np.intp]
    edge: NDArray[np.intp]
    at: NDArray[np.float64]
    away_km: NDArray[np.float64]

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> NearEdges:
        """Select pairs."""
        return NearEdges._make(column[keep] for column in self)


def edges_near(
    tree: shapely.STRtree,
    edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    lonlat: NDArray[np.float64],
    within_km: float,
) -> NearEdges:
    """
    Find the nearest places of straight edges near points.

    Parameters
    ----------
    tree : shapely.STRtree
        Of the edges.
    edges : tuple of numpy.ndarray of shape (n, 2)
        Their ends, lon/lat.
    lonlat : numpy.ndarray of shape (m, 2)
        Points.
    within_km : float
        Greatest distance.

    Returns
    -------
    NearEdges
        Every edge within the distance, measured in the plane that touches at the point.
    """
    point, edge, xy = _find_edges_by_box(tree, lonlat, within_km)
    scale = np.cos(np.radians(np.clip(xy[:, 1], -_POLAR_LAT, _POLAR_LAT)))
    # A plane that touches at each point: at most some km wide, it is right to a few mm.
    stretch = np.column_stack([scale, np.ones(len(point))])
    a, b = ((ends[edge] - xy) * stretch for ends in edges)
    step = b - a
    square = np.einsum("ij,ij->i", step, step)
    at = -np.einsum("ij,ij->i", a, step) / np.where(square > 0, square, 1.0)
    at = np.clip(at, 0.0, 1.0)
    away = np.hypot(*(a + at[:, None] * step).T) * KM_PER_DEGREE
    return NearEdges(point, edge, at, away).where(away <= within_km)


def _find_edges_by_box(
    tree: shapely.STRtree, lonlat: NDArray[np.float64], within_km: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Find edges whose box is near points; near the antimeridian, on its other side too."""
    dy = 1.01 * within_km / KM_PER_DEGREE
    dx = dy / np.cos(np.radians(np.clip(lonlat[:, 1], -_POLAR_LAT, _POLAR_LAT)))
    found = []
    for turn in (0.0, -2 * _HALF_TURN, 2 * _HALF_TURN):
        lon = lonlat[:, 0] + turn
        rows = np.flatnonzero(np.abs(lon) <= _HALF_TURN + dx)
        if len(rows):
            xy = np.column_stack([lon[rows], lonlat[rows, 1]])
            margin = np.column_stack([dx[rows], np.full(len(rows), dy)])
            point, edge = tree.query(shapely.box(*(xy - margin).T, *(xy + margin).T))
            found.append((rows[point], edge, xy[point]))
    if not found:
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, 2))
    points, edges, places = zip(*found, strict=True)
    return np.concatenate(points), np.concatenate(edges), np.vstack(places)


def _cut_at_vertices(edges: Edges, place: NDArray[np.float64], *, every: bool) -> Edges:
    """Cut edges at vertices that lie on them: every, or those of roads that end or run there."""
    pair = np.sort(np.column_stack([edges.start, edges.end]), axis=1)
    # Of edges drawn over each other one is looked at: what cuts it cuts all.
    _, sample = np.unique(pair, axis=0, return_index=True)
    ends = edges.xy0[sample], edges.xy1[sample]
    tree = shapely.STRtree(shapely.linestrings(np.stack(ends, axis=1)))
    near = edges_near(tree, ends, place, _ON_EDGE_KM)
    near = near._replace(edge=sample[near.edge])
    km = edges.km[near.edge]
    # A vertex at the end of an edge is its node already, or less than 1 mm from it.
    inside = (near.at * km > _INSIDE_KM) & ((1 - near.at) * km > _INSIDE_KM)
    inside &= (near.point != edges.start[near.edge]) & (near.point != edges.end[near.edge])
    near = near.where(inside)
    near = near if every else near.where(_find_joined_vertices(edges, sample, near))
    if not len(near.point):
        return edges
    return _split_edges(edges, _copy_to_equal_edges(edges, pair, near), place)


def _find_joined_vertices(
    edges: Edges, sample: NDArray[np.intp], near: NearEdges
) -> NDArray[np.bool_]:
    """
    Find the vertices on edges that belong to a road that ends there or runs along the edge.

    A road that crosses an edge passes over it, even where it has a vertex just there.
    """
    # Rows: one for each edge that meets at the vertex of each pair, in the order of the pairs.
    vertex = np.concatenate([edges.start[sample], edges.end[sample]])
    order = np.argsort(vertex, kind="stable")
    first = np.searchsorted(vertex[order], near.point)
    count = np.searchsorted(vertex[order], near.point, side="right") - first
    pair = np.repeat(np.arange(len(count)), count)
    rank = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    other = np.tile(sample, 2)[order[first[pair] + rank]]
    scale = np.cos(np.radians(edges.xy0[other, 1]))[:, None] ** [1, 0]
    one, two = ((edges.xy1[of] - edges.xy0[of]) * scale for of in (other, near.edge[pair]))
    product = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    along = product <= _SIN_ALONG * np.hypot(*one.T) * np.hypot(*two.T)
    return np.asarray((count == 1) | (np.bincount(pair[along], minlength=len(count)) > 0))


def _copy_to_equal_edges(edges: Edges, pair: NDArray[np.intp], near: NearEdges) -> NearEdges:
    """Copy the cuts of one edge to those that are drawn over it."""
    cut = pd.DataFrame({"of": near.edge, "at": near.at, "vertex": near.point})
    cut["a"], cut["b"] = pair[near.edge].T
    alike = pd.DataFrame({"a": pair[:, 0], "b": pair[:, 1], "edge": np.arange(len(pair))})
    both = cut.merge(alike, on=["a", "b"])
    of, edge = both["of"].to_numpy(), both["edge"].to_numpy()
    # Drawn in the other direction, a cut at 0.3 of the one is at 0.7 of the other.
    turned = edges.start[of] != edges.start[edge]
    at = np.where(turned, 1.0 - both["at"].to_numpy(), both["at"].to_numpy())
    return NearEdges(both["vertex"].to_numpy(np.intp), edge, at, np.zeros(len(at)))


def _split_edges(edges: Edges, cuts: NearEdges, place: NDArray[np.float64]) -> Edges:
    """Replace edges by their pieces between vertices."""
    vertex, edge, at, _ = cuts
    # Each edge begins with a row of its own at 0, followed by its cuts in order; a piece runs from
    # one row to the next, the last one to the end of the edge.
    n = len(edges.km)
    of = np.concatenate([np.arange(n), edge])
    order = np.lexsort((np.concatenate([np.zeros(n), at]), of))
    of = of[order]
    begin = np.concatenate([edges.start, vertex])[order]
    xy0 = np.vstack([edges.xy0, place[vertex]])[order]
    from_at = np.concatenate([np.zeros(n), at])[order]
    last = np.append(of[1:] != of[:-1], True)
    end = np.where(last, edges.end[of], np.append(begin[1:], 0))
    xy1 = np.where(last[:, None], edges.xy1[of], np.vstack([xy0[1:], xy0[:1]]))
    share = np.where(last, 1.0, np.append(from_at[1:], 0.0)) - from_at
    # A cut splits the length and leaves its sum as it was.
    pieces = Edges(begin, end, xy0, xy1, edges.km[of] * share, edges.part[of])
    return pieces.take(begin != end)


def _find_first_edges(edges: Edges) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the first of the edges between the same two vertices, and the others."""
    low, high = np.minimum(edges.start, edges.end), np.maximum(edges.start, edges.end)
    repeated = pd.Series(low.astype(np.int64) * _ROW + high).duplicated().to_numpy()
    return np.flatnonzero(~repeated), np.flatnonzero(repeated)


def _join_at_ends_only(
    edges: Edges, xy: NDArray[np.float64], part: NDArray[np.intp], vertex: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find nodes such that lines join only where one ends, or where they share an edge."""
    n = len(edges.km)
    places = np.concatenate([edges.start, edges.end])
    # Each line first has vertices of its own; then those are joined where a line ends there, and
    # those of edges drawn over each other.
    own = np.tile(edges.part, 2).astype(np.int64) * _ROW + places
    code, _ = pd.factorize(own)
    change = part[1:] != part[:-1]
    is_end = np.zeros(len(xy), dtype=bool)
    is_end[np.flatnonzero(change)], is_end[np.flatnonzero(change) + 1] = True, True
    is_end[[0, -1]] = True
    joined = np.isin(places, vertex[is_end])
    low, high = np.minimum(edges.start, edges.end), np.maximum(edges.start, edges.end)
    edge_code, keys = pd.factorize(low.astype(np.int64) * _ROW + high)
    first = np.empty(len(keys), dtype=np.intp)
    first[edge_code[::-1]] = np.arange(n)[::-1]
    same = first[edge_code]
    turned = edges.start != edges.start[same]
    links = [(code[:n], np.where(turned, code[n:][same], code[:n][same]))]
    links += [(code[n:], np.where(turned, code[:n][same], code[n:][same]))]
    place_code, seen = pd.factorize(places[joined])
    head = np.empty(len(seen), dtype=np.intp)
    head[place_code[::-1]] = code[joined][::-1]
    links.append((code[joined], head[place_code]))
    a, b = (np.concatenate(side) for side in zip(*links, strict=True))
    node = groups_of(a, b, int(np.max(code)) + 1)[code]
    return node[:n], node[n:]


def _add_crossings(
    xy: NDArray[np.float64], part: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Add a vertex to two lines wherever they cross."""
    same = part[1:] == part[:-1]
    rows = np.flatnonzero(same)
    shapes = shapely.linestrings(np.stack([xy[rows], xy[rows + 1]], axis=1))
    one, two = shapely.STRtree(shapes).query(shapes, predicate="crosses")
    # "crosses" leaves out edges that only touch: those have a common vertex already.
    one, two = one[one < two], two[one < two]
    place = shapely.get_coordinates(shapely.intersection(shapes[one], shapes[two]))
    edge, place = np.concatenate([one, two]), np.vstack([place, place])
    away = np.linalg.norm(place - xy[rows[edge]], axis=1)
    at = np.concatenate([np.arange(len(xy), dtype=float), rows[edge] + 0.5])
    order = np.lexsort((np.concatenate([np.zeros(len(xy)), away]), at))
    return np.vstack([xy, place])[order], np.concatenate([part, part[rows[edge]]])[order]
