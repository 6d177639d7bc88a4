"""The table of completeness, with the two registers that it was estimated from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ocm_geo.provenance import read_attrs
from ocm_geo.quality.placing import Neighbourhoods

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["CompletenessTable", "PairedRegisters"]

_A, _B, _MERGED = "a", "b", "merged"


class CompletenessTable(pd.DataFrame):
    """
    A table of completeness that keeps the registers it was estimated from.

    A table of thousands of stations does not belong into ``attrs``, which pandas copies with every
    step and which are plain JSON.
    """

    _metadata: ClassVar[list[str]] = ["registers"]
    registers: PairedRegisters | None = None

    @property
    def _constructor(self) -> type[CompletenessTable]:
        return CompletenessTable


class PairedRegisters:
    """
    Two registers, the strata of their stations, and which of them are the same.

    Parameters
    ----------
    tables : tuple of geopandas.GeoDataFrame
        Checked station tables.
    strata : tuple of pandas.Series
        The stratum of each station.
    pairs : pandas.DataFrame
        ``id_a`` and ``id_b`` of the matched stations.
    """

    def __init__(
        self,
        tables: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame],
        strata: tuple[pd.Series[Any], pd.Series[Any]],
        pairs: pd.DataFrame,
    ) -> None:
        self.tables, self.strata = tables, strata
        self.matched = tuple(
            table.index.isin(pd.Index(pairs[name]))
            for table, name in zip(tables, ("id_a", "id_b"), strict=True)
        )
        self.sources = [read_attrs(table).get("source") for table in tables]

    def find_role(self, stations: gpd.GeoDataFrame) -> tuple[str | None, pd.Series[Any]]:
        """
        Find which register a table of stations is.

        Parameters
        ----------
        stations : geopandas.GeoDataFrame
            A station table in lon/lat, index unique.

        Returns
        -------
        role : {"a", "b", "merged"} or None
            The register that has most of them, by id and position; a table of `merge_stations`
            is both. None: neither has any.
        row : pandas.Series
            By station: its stratum where a register has it (empty text outside all areas).
        """
        ids = stations.index.astype(str)
        merged = {"sources", "source_ids"} <= set(stations.columns)
        if merged:
            ids = pd.Index(ids.str.partition(":").get_level_values(2))
        in_a, in_b = (
            _find_strata(register, strata, ids, stations)
            for register, strata in zip(self.tables, self.strata, strict=True)
        )
        if merged:
            role, found = _MERGED, in_a.fillna(in_b)
        else:
            role, found = (_B, in_b) if in_b.count() > in_a.count() else (_A, in_a)
        return (role if found.count() else None), found

    def only_in_other(self, role: str) -> pd.DataFrame:
        """
        List the stations that the other register has and this one does not.

        Parameters
        ----------
        role : {"a", "b", "merged"}
            This one; a merged table has the stations of both.

        Returns
        -------
        pandas.DataFrame
            Rows of that register.
        """
        other = 1 if role == _A else 0
        table: pd.DataFrame = self.tables[other][~self.matched[other]]
        return table.iloc[:0] if role == _MERGED else table

    @cached_property
    def recorded(self) -> gpd.GeoDataFrame:
        """The stations that either register has, each once, in an order that rows do not change."""
        (a, b), keep = self.tables, ~self.matched[1]
        both = pd.concat([a, b[keep]], join="inner")
        strata = np.concatenate([self.strata[0].to_numpy(), self.strata[1].to_numpy()[keep]])
        both["_stratum"] = pd.array(strata, dtype="string")
        at = both.geometry
        order = np.lexsort((both.index.astype(str), at.y.to_numpy(), at.x.to_numpy()))
        return both.iloc[order]

    @cached_property
    def neighbourhoods(self) -> Neighbourhoods:
        """The distances between the recorded stations."""
        at = self.recorded.geometry
        return Neighbourhoods(at.x.to_numpy(), at.y.to_numpy())


def _find_strata(
    register: gpd.GeoDataFrame,
    strata: pd.Series[Any],
    ids: pd.Index[Any],
    stations: gpd.GeoDataFrame,
) -> pd.Series[Any]:
    """Find the strata of stations that a register has under the same id at the same position."""
    found = pd.Series(None, index=stations.index, dtype="string")
    if not len(register):
        return found
    row = register.index.astype(str).get_indexer(ids)
    # Numbers of two registers can be equal by chance; positions to the last digit are not.
    here, there = stations.geometry, register.geometry.iloc[row]
    same = (here.x.to_numpy() == there.x.to_numpy()) & (here.y.to_numpy() == there.y.to_numpy())
    known = (row >= 0) & same
    found[known] = strata.astype("string").fillna("").to_numpy()[row[known]]
    return found
