"""Report the quality of a station table: each fault, in all and by group."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.checks import check_choice
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
from ocm_geo.quality.checking import check_stations
from ocm_geo.quality.faults import quality_checks
from ocm_geo.reference.registry import reference_of

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes

__all__ = ["QualityReport", "quality_report"]

_GROUPS = ("country", "operator", "provider")
_CODES = {
    "operator": ("operator_id", "operators"),
    "provider": ("data_provider_id", "data_providers"),
}
_NOT_KNOWN = "not known"


@dataclass(frozen=True)
class QualityReport:
    """
    The quality of a station table.

    Parameters
    ----------
    faults : pandas.DataFrame
        The table of `check_stations`.
    groups : pandas.DataFrame
        ``country``, ``operator`` and ``provider`` of each station, by name.
    """

    faults: pd.DataFrame
    groups: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """
        The faults of all stations.

        Index ``fault``; ``severity``, ``n_stations`` (that have it), ``share`` (of all stations),
        both missing for a check that could not be made, and ``definition``.
        """
        checks = quality_checks()
        checked = self.faults.notna().all().to_numpy()
        counts = self.faults.sum().to_numpy(dtype=float)
        n = len(self.faults)
        share = counts / n if n else np.zeros(len(counts))
        found = pd.DataFrame(
            {
                "severity": checks["severity"],
                "n_stations": pd.array(np.where(checked, counts, np.nan), dtype="Int64"),
                "share": pd.arrays.FloatingArray(share, ~checked),
                "definition": checks["definition"],
            },
            index=checks.index,
        )
        return carry(found, self.faults, n_stations=n)

    def by(self, group: str) -> pd.DataFrame:
        """
        Return the faults of each group of stations.

        Parameters
        ----------
        group : {"country", "operator", "provider"}
            What the stations of a group have in common.

        Returns
        -------
        pandas.DataFrame
            Index: the name of the group, the largest first; stations whose group is missing or
            has no name are ``not known``. ``n_stations``, and for each fault the share of these
            stations that have it, missing if it could not be checked.

        Raises
        ------
        QueryError
            If the group is unknown.
        """
        names = self.groups[check_choice(group, "group", _GROUPS)]
        shares = self.faults.astype("Float64").groupby(names.to_numpy()).mean()
        shares.insert(0, "n_stations", names.value_counts())
        # Of equal groups the first by name: the order of rows decides nothing.
        shares = shares.sort_index().sort_values("n_stations", ascending=False, kind="stable")
        return carry(shares.rename_axis(group), self.faults)

    def plot(self, *, by: str | None = None, ax: Axes | None = None) -> Axes:
        """
        Plot the report with `plot_quality`.

        Parameters
        ----------
        by : {"country", "operator", "provider"}, optional
            Show each group apart.
        ax : matplotlib.axes.Axes, optional
            Axes to draw on; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.
        """
        # Figures are a layer above: they are found by name when one is asked for.
        plots = import_module("ocm_geo.plots")
        drawn: Axes = plots.plot_quality(self, by=by, ax=ax)
        return drawn


def quality_report(stations: gpd.GeoDataFrame) -> QualityReport:
    """
    Report the quality of a station table.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table, of any source.

    Returns
    -------
    QualityReport
        ``.table`` has one row for each fault of `quality_checks`; ``.by("country")``,
        ``.by("operator")`` and ``.by("provider")`` one row for each group; ``.plot()`` draws it.

    Raises
    ------
    QueryError
        If it is not a station table.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> report = ocm.quality_report(stations)
    >>> report.by("country").index.tolist()
    ['NL']
    """
    table = station_table(stations, "stations")
    return QualityReport(check_stations(table), _name_groups(table))


def _name_groups(stations: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the names of country, operator and provider of each station."""
    nothing = pd.Series(pd.NA, index=stations.index, dtype="string")
    names: dict[str, pd.Series[Any]] = {"country": stations.get("country_code", nothing)}
    reference = reference_of(stations, ask=False)
    for group, (column, titles) in _CODES.items():
        names[group] = nothing
        if column in stations:
            names[group] = stations[column].map(reference.titles(titles)).astype("string")
    return pd.DataFrame(names, index=stations.index).astype("string").fillna(_NOT_KNOWN)
