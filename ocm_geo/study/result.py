"""Hold the tables of a finished study."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocm_geo.cards import build_card
from ocm_geo.provenance import credit_line

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    import shapely

    from ocm_geo.quality import MissingStations
    from ocm_geo.reference import ReferenceData
    from ocm_geo.study.access import AccessTables
    from ocm_geo.study.border import Border
    from ocm_geo.study.tables import StudyConfig

__all__ = ["StudyResult"]


@dataclass(repr=False)
class StudyResult:
    """
    The results of a study.

    Parameters
    ----------
    config : StudyConfig
        The configuration.
    folder : pathlib.Path
        The folder of the results.
    reference : ReferenceData
        The reference data of the source.
    stations : geopandas.GeoDataFrame
        The stations in the area of study.
    groups : dict
        The stations in or near the area for each group, with which coverage was measured.
    quality : pandas.DataFrame
        What is missing or uncertain.
    areas : geopandas.GeoDataFrame, optional
        The areas, or the outline of the country.
    coverage : geopandas.GeoDataFrame, optional
        Coverage for each group, area and distance.
    route : shapely.LineString, optional
        The route.
    route_stations : geopandas.GeoDataFrame, optional
        The stations of the corridor.
    gaps : geopandas.GeoDataFrame, optional
        The gaps for each group.
    missing : dict of str to MissingStations
        What a second source tells of the completeness of each group.
    access : AccessTables, optional
        Access of the population for each group.
    border : Border, optional
        The bundled border, if the study names a country but no areas.
    written : list of pathlib.Path
        All files.
    """

    config: StudyConfig
    folder: Path
    reference: ReferenceData
    stations: gpd.GeoDataFrame
    groups: dict[str, gpd.GeoDataFrame]
    quality: pd.DataFrame
    areas: gpd.GeoDataFrame | None = None
    coverage: gpd.GeoDataFrame | None = None
    route: shapely.LineString | None = None
    route_stations: gpd.GeoDataFrame | None = None
    gaps: gpd.GeoDataFrame | None = None
    access: AccessTables | None = None
    border: Border | None = None
    missing: dict[str, MissingStations] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)

    def __repr__(self) -> str:
        """Describe it in one line."""
        return (
            f"<StudyResult {self.config.title!r}: {len(self.stations):,} stations, {self.report}>"
        )

    def _repr_html_(self) -> str:
        """Show the key tables and the files, for notebooks."""
        tables = {"Quality": self.quality, "Coverage": self.coverage, "Gaps": self.gaps}
        return build_card(
            f"Study: {self.config.title}",
            lines=[f"{len(self.stations):,} stations in the area. Report: {self.report}"],
            tables={title: table for title, table in tables.items() if table is not None},
            credit=credit_line(self.stations),
        )

    @property
    def report(self) -> Path:
        """Return the path of the report."""
        return self.folder / "report.html"
