"""Hold the tables of a finished study."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    import shapely

    from ocm_geo.reference import ReferenceData
    from ocm_geo.study.access import AccessTables
    from ocm_geo.study.border import Border
    from ocm_geo.study.tables import StudyConfig

__all__ = ["StudyResult"]


@dataclass
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
    written: list[Path] = field(default_factory=list)

    @property
    def report(self) -> Path:
        """Return the path of the report."""
        return self.folder / "report.html"
