"""Strata: stations of two registers counted by operator, power, columns or areas."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.frames import in_lonlat, point_frame, require_columns
from ocm_geo.provenance import read_attrs
from ocm_geo.quality.traits import name_operators

__all__ = ["ALL_STRATA", "POOLED", "count_strata", "name_strata_of_pair"]

ALL_STRATA = "all"
POOLED = "(thin strata together)"
_POWER_CLASSES_KW = (0.0, 22.0, 50.0, 150.0)
_OPERATOR, _POWER = "operator", "power_class"


def name_strata_of_pair(
    a: gpd.GeoDataFrame,
    b: gpd.GeoDataFrame,
    pairs: pd.DataFrame,
    by: Any,  # noqa: ANN401
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """
    Name the stratum of each station of two tables; a matched station has that of its record in a.

    Parameters
    ----------
    a, b : geopandas.GeoDataFrame
        Checked station tables.
    pairs : pandas.DataFrame
        ``id_a`` and ``id_b`` of the matched stations.
    by : str, sequence of str, geopandas.GeoDataFrame or None
        What divides the stations.

    Returns
    -------
    of_a, of_b : pandas.Series
        Names by the ids of the tables; missing for stations outside all areas.
    """
    of_a, of_b = (_name_strata(table, by, what) for table, what in ((a, "a"), (b, "b")))
    of_b = of_b.copy()
    of_b.loc[pd.Index(pairs["id_b"])] = of_a.reindex(pd.Index(pairs["id_a"])).to_numpy()
    return of_a, of_b


def count_strata(of_a: pd.Series[Any], of_b: pd.Series[Any], pairs: pd.DataFrame) -> pd.DataFrame:
    """
    Count the stations of each stratum in both tables and in common.

    Parameters
    ----------
    of_a, of_b : pandas.Series
        The strata, as `name_strata_of_pair` returns them.
    pairs : pandas.DataFrame
        ``id_a`` and ``id_b`` of the matched stations, with or without ``score``.

    Returns
    -------
    pandas.DataFrame
        ``stratum``, ``n_a``, ``n_b``, ``n_both``, ``n_false`` and ``n_missed``: how many of the
        matches are expected to be false, and how many were missed. Sorted by the name.
    """
    common = of_a.reindex(pd.Index(pairs["id_a"]))
    counts = {
        "n_a": of_a.value_counts(),
        "n_b": of_b.value_counts(),
        "n_both": common.value_counts(),
    }
    table = pd.DataFrame(counts).fillna(0).astype(np.int64)
    score = pairs["score"] if "score" in pairs else pd.Series(1.0, index=pairs.index)
    false = (1 - score).groupby(common.to_numpy()).sum()
    table["n_false"] = false.reindex(table.index).fillna(0.0)
    missed = float(read_attrs(pairs).get("matching", {}).get("n_missed", 0.0))
    # Where they were missed is not known: in proportion to what was found.
    table["n_missed"] = missed * table["n_both"] / max(table["n_both"].sum(), 1)
    table.index.name = "stratum"
    return table.sort_index().reset_index()


def _name_strata(table: gpd.GeoDataFrame, by: Any, what: str) -> pd.Series[Any]:  # noqa: ANN401
    """Return the name of each station's stratum; missing for stations outside all areas."""
    if by is None:
        return pd.Series(ALL_STRATA, index=table.index, dtype=object)
    if isinstance(by, gpd.GeoDataFrame | gpd.GeoSeries):
        return _name_area_strata(table, by)
    columns = [by] if isinstance(by, str) else list(by)
    require_columns(table, [c for c in columns if c not in {_OPERATOR, _POWER}], what)
    texts = [_read_stratum(table, column) for column in columns]
    names = [" / ".join(parts) for parts in zip(*texts, strict=True)]
    return pd.Series(names, index=table.index, dtype=object)


def _read_stratum(table: gpd.GeoDataFrame, column: str) -> list[str]:
    """Return each station's stratum in one column, as text."""
    if column == _OPERATOR:
        return [name or "unknown" for name in name_operators(table)]
    if column == _POWER:
        return _name_power_classes(table)
    return [str(v) for v in table[column].astype("string").fillna("unknown")]


def _name_power_classes(table: gpd.GeoDataFrame) -> list[str]:
    """Return the class of each station's highest power."""
    require_columns(table, ["max_power_kw"], "the station table", "power_class")
    power = table["max_power_kw"].to_numpy(dtype=np.float64, na_value=np.nan)
    limits = [int(limit) for limit in _POWER_CLASSES_KW]
    names = [f"{low} to under {high} kW" for low, high in pairwise(limits)]
    names.append(f"{limits[-1]} kW and more")
    rank = np.digitize(power, _POWER_CLASSES_KW[1:])
    return ["unknown" if np.isnan(p) else names[r] for p, r in zip(power, rank, strict=True)]


def _name_area_strata(table: gpd.GeoDataFrame, areas: Any) -> pd.Series[Any]:  # noqa: ANN401
    """Return the index label of the first area that holds each station."""
    shapes = in_lonlat(areas, "by").geometry
    if not shapes.index.is_unique:
        raise QueryError("by: the index of the areas must be unique: it names the strata")
    points = point_frame(table, "stations").geometry
    point, area = shapes.sindex.query(points, predicate="intersects")
    first = pd.Series(area).groupby(point).min()
    names = pd.Series(None, index=table.index, dtype=object)
    names.iloc[first.index] = [str(label) for label in shapes.index[first.to_numpy()]]
    return names
