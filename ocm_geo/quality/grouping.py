"""Group the records of several registers: those of one station together, each in one group."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.frames import require_columns
from ocm_geo.quality.matching import match_stations

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["Pairs", "check_matches", "find_pairs", "group_records"]

Pairs = dict[tuple[str, str], pd.DataFrame]
"""For names of two tables the pairs of their ids, ``id_a`` and ``id_b``."""


def check_matches(
    matches: pd.DataFrame, a: gpd.GeoDataFrame, b: gpd.GeoDataFrame, names: tuple[str, str]
) -> None:
    """
    Check that pairs name stations of two tables, each once.

    Parameters
    ----------
    matches : pandas.DataFrame
        The argument.
    a, b : geopandas.GeoDataFrame
        The tables.
    names : tuple of str
        What the tables are called in messages.

    Raises
    ------
    QueryError
        If a column is missing, an id is unknown or occurs twice.
    """
    require_columns(matches, ["id_a", "id_b"], "matches")
    for column, table, name in zip(("id_a", "id_b"), (a, b), names, strict=True):
        ids = matches[column]
        if ids.duplicated().any():
            twice = ids[ids.duplicated()].iloc[0]
            raise QueryError(
                f"matches must be one to one: {column} {twice!r} occurs more than once"
            )
        unknown = ids[~ids.isin(table.index)]
        if len(unknown):
            raise QueryError(
                f"matches: {len(unknown)} of {len(ids)} values of {column} are not ids of {name} "
                f"(first: {unknown.iloc[0]!r})"
            )


def find_pairs(tables: Mapping[str, gpd.GeoDataFrame], matches: Any) -> Pairs:  # noqa: ANN401
    """
    Check the matches of several tables, or find them.

    Parameters
    ----------
    tables : mapping of str to geopandas.GeoDataFrame
        Checked station tables.
    matches : pandas.DataFrame, mapping or None
        The argument of `merge_stations`.

    Returns
    -------
    Pairs
        The pairs by the names of their tables; without `matches`, those of `match_stations`.

    Raises
    ------
    QueryError
        If they do not fit the tables.
    """
    names = list(tables)
    if matches is None:
        return {(a, b): match_stations(tables[a], tables[b]) for a, b in combinations(names, 2)}
    if isinstance(matches, pd.DataFrame):
        if len(names) > 2:  # noqa: PLR2004 - a pair
            raise QueryError(
                "matches of more than two tables must be a mapping, such as "
                f"{{({names[0]!r}, {names[1]!r}): pairs}}"
            )
        matches = {(names[0], names[1]): matches}
    if not isinstance(matches, Mapping):
        raise QueryError(f"matches must be a table of pairs, not {short_form(matches)}")
    for key, pairs in matches.items():
        if not isinstance(key, tuple) or len(key) != 2 or not set(key) <= set(names):  # noqa: PLR2004
            raise QueryError(f"matches: {key!r} are not the names of two of the tables")
        check_matches(pairs, tables[key[0]], tables[key[1]], key)
    return dict(matches)


def group_records(tables: Mapping[str, gpd.GeoDataFrame], pairs: Pairs) -> NDArray[np.intp]:
    """
    Group the records of several tables.

    Parameters
    ----------
    tables : mapping of str to geopandas.GeoDataFrame
        Checked station tables.
    pairs : Pairs
        Which are the same.

    Returns
    -------
    numpy.ndarray of int, shape (n_groups, n_tables)
        The record of each table in each group, numbered through all tables in their order; -1
        where it has none. Every record is in one group, by the order of the tables.
    """
    groups = np.empty((0, len(tables)), dtype=np.intp)
    start = 0
    for rank, (name, table) in enumerate(tables.items()):
        partner = np.full(len(table), -1, dtype=np.intp)
        links = _number_pairs(tables, name, pairs)
        for group, record in _find_groups(groups, links):
            # Of several claims the first holds, which is that of the highest score.
            if partner[record] < 0 and groups[group, rank] < 0:
                partner[record] = group
                groups[group, rank] = start + record
        alone = np.flatnonzero(partner < 0)
        new = np.full((len(alone), len(tables)), -1, dtype=np.intp)
        new[:, rank] = start + alone
        groups = np.vstack([groups, new])
        start += len(table)
    return groups


def _find_groups(groups: NDArray[np.intp], links: pd.DataFrame) -> list[tuple[int, int]]:
    """Return the group and the record of each link, in the order of the links."""
    rows, columns = np.nonzero(groups >= 0)
    group_of = pd.Series(rows, index=groups[rows, columns])
    found = group_of.reindex(links["earlier"]).to_numpy(dtype=np.intp)
    return list(zip(found.tolist(), links["record"].tolist(), strict=True))


def _number_pairs(tables: Mapping[str, gpd.GeoDataFrame], name: str, pairs: Pairs) -> pd.DataFrame:
    """
    List the pairs of a table and those before it by row number, the highest scores first.

    Returns
    -------
    pandas.DataFrame
        ``earlier``: the record of an earlier table, numbered through all; ``record``: that of
        this table.
    """
    names = list(tables)
    offsets = dict(zip(names, np.cumsum([0, *map(len, tables.values())]), strict=False))
    links = [pd.DataFrame({"earlier": [], "record": [], "score": []})]
    for key, table in pairs.items():
        if name != max(key, key=names.index):
            continue
        earlier = min(key, key=names.index)
        there, here = ("id_a", "id_b") if key[0] == earlier else ("id_b", "id_a")
        partners = tables[earlier].index.get_indexer(pd.Index(table[there])) + offsets[earlier]
        records = tables[name].index.get_indexer(pd.Index(table[here]))
        score = table["score"] if "score" in table else np.ones(len(table))
        links.append(pd.DataFrame({"earlier": partners, "record": records, "score": score}))
    every = pd.concat(links, ignore_index=True).sort_values("score", ascending=False, kind="stable")
    return every.astype({"earlier": np.intp, "record": np.intp})
