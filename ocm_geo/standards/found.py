"""What the test of a rule on an area finds, whatever the kind of the rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import pandas as pd

from ocm_geo.levels import LEVELS
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ocm_geo.levels import Level
    from ocm_geo.standards.options import AssessmentOptions
    from ocm_geo.standards.pools import Pools
    from ocm_geo.standards.rule import Rule

__all__ = ["SUFFIXES", "AreaCase", "Found", "Shares", "shares_table"]

SUFFIXES: dict[Level, str] = {"low": "_low", "recorded": "", "high": "_high"}


class Shares(NamedTuple):
    """A share with whatever is missing on record at its worst, as it is, and at its best."""

    low: float
    recorded: float
    high: float


@dataclass(frozen=True, eq=False)
class AreaCase:
    """
    A rule, an area, and the stations that may serve it.

    Parameters
    ----------
    rule : Rule
        The rule.
    frame : geopandas.GeoDataFrame
        The area, as `area_frame` returns it.
    pools : Pools
        The pools of the stations.
    population : object
        As for `coverage`; None where it is not known.
    options : AssessmentOptions
        The engine that draws driving times, and how far a settlement at a point reaches.
    """

    rule: Rule
    frame: gpd.GeoDataFrame
    pools: Pools
    population: Any
    options: AssessmentOptions

    def serving(self) -> dict[Level, NDArray[np.float64]]:
        """Locate the stations of qualifying pools, by level."""
        return {level: self.pools.serving(self.rule, level) for level in LEVELS}

    def serving_tables(self) -> dict[str, gpd.GeoDataFrame]:
        """Locate the same, as tables by the suffix of the columns of coverage."""
        return {
            SUFFIXES[level]: gpd.GeoDataFrame(geometry=gpd.points_from_xy(*lonlat.T), crs=CRS)
            for level, lonlat in self.serving().items()
        }


@dataclass(frozen=True, eq=False)
class Found:
    """
    What the test of a rule found.

    Parameters
    ----------
    shares : Shares
        The share that is served, and its bounds.
    decides : tuple of float
        The least and the greatest share by what is on record and the rule leaves open.
    share_of : str
        What the share is a share of.
    segments : geopandas.GeoDataFrame
        Cells, settlements or parts of the area, with their status.
    readings : dict of str to Shares
        The same question read in other ways.
    clauses : list of str
        How it was measured.
    report : dict
        Counts and figures.
    open_because : str
        What decides between the least and the greatest share.
    bounds_by : str
        What the bounds of the share come from.
    """

    shares: Shares
    decides: tuple[float, float]
    share_of: str
    segments: gpd.GeoDataFrame
    readings: dict[str, Shares]
    clauses: list[str]
    report: dict[str, object] = field(default_factory=dict)
    open_because: str = ""
    bounds_by: str = "by what is uncertain"


def shares_table(readings: dict[str, Shares]) -> pd.DataFrame:
    """
    Set readings side by side.

    Parameters
    ----------
    readings : dict of str to Shares
        By the name of the reading.

    Returns
    -------
    pandas.DataFrame
        One row each: ``reading``, ``share``, ``share_low``, ``share_high``.
    """
    rows = [(name, one.recorded, one.low, one.high) for name, one in readings.items()]
    return pd.DataFrame(rows, columns=["reading", "share", "share_low", "share_high"])
