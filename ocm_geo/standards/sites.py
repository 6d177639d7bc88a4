"""The fewest new sites that make a corridor pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from ocm_geo.errors import QueryError
from ocm_geo.geodesy import Line, as_line
from ocm_geo.provenance import carry
from ocm_geo.schema import CRS
from ocm_geo.standards.on_route import assess_route
from ocm_geo.standards.options import AssessmentOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.routes.editing import Route
    from ocm_geo.standards.rule import Rule

__all__ = ["fewest_sites", "fill_gaps"]

_TOLERANCE = 1e-9


def fill_gaps(
    route: Route,
    stations: gpd.GeoDataFrame,
    standard: str | Rule,
    *,
    options: AssessmentOptions | None = None,
) -> gpd.GeoDataFrame:
    """
    Find the fewest new sites that make a road pass; existing stations are kept.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The road.
    stations : geopandas.GeoDataFrame
        A station table.
    standard : str or Rule
        A rule about a road.
    options : AssessmentOptions, optional
        As for `assess_route`, but not ``pools_serve="by-side"``; by default with closed ends: the
        ends of the road count, as if pools stood there.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a new site, by ``along_km``: ``gap_start_km``, ``gap_end_km`` and ``geometry``, a
        place on the road. A gap that is closed whole is divided evenly; where a share of the
        length is enough, sites may stand at the greatest spacing from the start of a gap.

    Raises
    ------
    QueryError
        If a parameter is wrong, or there are no two pools and ``ends`` is ``between-pools``.

    Notes
    -----
    A gap of length L needs ceil(L / D) - 1 sites, which is fewest because each makes at most one
    more stretch of at most D. Where the rule asks for a share of the length, the numbers for all
    gaps are chosen together by dynamic programming, which is exact.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> route = ocm.sample_route()
    >>> stations = ocm.stations_from_route(route, 3, source=ocm.sample())
    >>> sites = ocm.fill_gaps(route, stations, "afir-hdv-core-2030")
    >>> bool(sites["along_km"].diff().max() <= 60)
    True
    """
    options = options or AssessmentOptions(ends="closed")
    if options.pools_serve == "by-side":
        raise QueryError(
            "fill_gaps plans sites that serve both directions: not pools_serve='by-side'"
        )
    verdict = assess_route(route, stations, standard, options=options)
    sections = verdict.segments[verdict.segments["status"] != "end"]
    if not len(sections):
        raise QueryError(
            "there are no two qualifying pools on the road: use AssessmentOptions(ends='closed')"
        )
    spacing = float(verdict.rule.spacing_km or 0.0)
    lengths = sections["length_km"].to_numpy()
    needed = (verdict.rule.share_of_length or 1.0) * lengths.sum()
    counts = fewest_sites(lengths, spacing, float(needed))
    rows = [
        (start + along, start, start + km)
        for start, km, count in zip(
            sections["start_km"].to_numpy(), lengths, counts.tolist(), strict=True
        )
        for along in _space_sites(float(km), spacing, count)
    ]
    table = np.array(rows, dtype=float).reshape(-1, 3)
    line = Line(as_line(route))
    sites = gpd.GeoDataFrame(
        {"along_km": table[:, 0], "gap_start_km": table[:, 1], "gap_end_km": table[:, 2]},
        geometry=gpd.points_from_xy(*line.point_at(table[:, 0]).T),
        crs=CRS,
    )
    return carry(sites, verdict.segments, share_before=verdict.share)


def _count_sites_to_close(lengths: NDArray[np.float64], spacing_km: float) -> NDArray[np.intp]:
    """Count the sites that close each gap whole."""
    count = np.ceil(lengths / spacing_km - _TOLERANCE).astype(np.intp) - 1
    return np.maximum(count, 0)


def _space_sites(km: float, spacing_km: float, count: int) -> NDArray[np.float64]:
    """Space sites in a gap: evenly if they close it, else from its start."""
    whole = count >= _count_sites_to_close(np.array([km]), spacing_km)[0]
    step = km / (count + 1) if whole else spacing_km
    return step * np.arange(1, count + 1, dtype=np.float64)


def fewest_sites(
    lengths_km: NDArray[np.float64], spacing_km: float, needed_km: float
) -> NDArray[np.intp]:
    """
    Choose how many sites go into each gap, so that enough length passes with fewest sites.

    Parameters
    ----------
    lengths_km : numpy.ndarray of shape (n,)
        Lengths of the sections between pools.
    spacing_km : float
        The greatest that passes.
    needed_km : float
        The length that must pass.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Sites for each section. Of equally few, those that make more length pass.
    """
    # best[k]: the greatest length that passes with k sites in the sections so far, as in a knapsack
    # with one choice for each section.
    full = _count_sites_to_close(lengths_km, spacing_km)
    total = int(full.sum())
    best = np.zeros(total + 1)
    choice = np.zeros((len(lengths_km), total + 1), dtype=np.intp)
    for row, (km, most) in enumerate(zip(lengths_km, full.tolist(), strict=True)):
        # With fewer sites than close the section, each makes one more spacing of it pass.
        gains = np.append(spacing_km * np.arange(most), km)
        grown = best + gains[0]
        for count in range(1, most + 1):
            other = np.append(np.full(count, -np.inf), best[: total + 1 - count]) + gains[count]
            better = other > grown
            grown[better], choice[row, better] = other[better], count
        best = grown
    # The fewest sites that are enough, then back through the choices.
    left = int(np.argmax(best >= min(needed_km, lengths_km.sum()) - _TOLERANCE))
    counts = np.zeros(len(lengths_km), dtype=np.intp)
    for row in range(len(lengths_km) - 1, -1, -1):
        counts[row] = choice[row, left]
        left -= int(counts[row])
    return counts
