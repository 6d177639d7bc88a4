"""The completeness of a study's source, from a second one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ocm_geo.provenance import carry, read_attrs
from ocm_geo.quality import MissingStations, completeness
from ocm_geo.study.inputs import load_stations, open_source
from ocm_geo.study.measures import split_groups

if TYPE_CHECKING:
    import geopandas as gpd

    from ocm_geo.study.tables import StudyConfig

__all__ = ["describe_completeness", "measure_completeness"]


def measure_completeness(
    config: StudyConfig,
    areas: gpd.GeoDataFrame | None,
    demand: gpd.GeoDataFrame | None,
    groups: dict[str, gpd.GeoDataFrame],
) -> dict[str, MissingStations]:
    """
    Estimate for each group which share of its stations the source has.

    Parameters
    ----------
    config : StudyConfig
        The study; the second source gets the same questions.
    areas, demand : geopandas.GeoDataFrame, optional
        Its areas and its population.
    groups : dict
        Name to station table of the source.

    Returns
    -------
    dict
        Name to completeness; empty if the study does not ask for it.
    """
    asked = config.completeness
    if asked is None:
        return {}
    source = open_source(asked.source, None)
    near = load_stations(config, areas, source, demand)
    others = split_groups(near, config.choices, source.reference_data())
    ratios = asked.odds_ratios[0], asked.odds_ratios[1]
    return {
        name: MissingStations(
            completeness(members, others[name], by=asked.by or None, odds_ratios=ratios),
            n_draws=asked.n_draws,
            seed=asked.seed,
        )
        for name, members in groups.items()
    }


def describe_completeness(missing: dict[str, MissingStations]) -> pd.DataFrame:
    """
    Return the completeness of all groups in one table.

    Parameters
    ----------
    missing : dict
        As of `measure_completeness`.

    Returns
    -------
    pandas.DataFrame
        As of `ocm_geo.completeness`, with ``group`` and ``stratum`` first.
    """
    tables = [
        pd.DataFrame(one.table.reset_index()).assign(group=name) for name, one in missing.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "group", table.pop("group"))
    first = next(iter(missing.values())).table
    return carry(table, first, **read_attrs(first))
