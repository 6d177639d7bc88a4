"""Define the tables of a study's configuration: keys, meanings and defaults."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo.routes.joining import JOIN_KM

if TYPE_CHECKING:
    from ocm_geo.access import AccessOptions

__all__ = [
    "EVERYTHING",
    "AccessConfig",
    "AreaConfig",
    "CompletenessConfig",
    "CoverageConfig",
    "DemandConfig",
    "Group",
    "RouteConfig",
    "StudyConfig",
    "Tier",
    "UsageClass",
]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file in which an unknown key is an error."""


class Group(_Table, frozen=True):
    """
    A named group of stations for which coverage and gaps are measured.

    Parameters
    ----------
    name : str
        Name in tables and figures.
    filters : dict
        As `ocm_geo.StationFilters`.
    """

    name: str
    filters: dict[str, Any] = {}


class Tier(_Table, frozen=True):
    """
    A class of power of one connection.

    Parameters
    ----------
    name : str
        Name in tables and figures.
    above_kw : float, optional
        More than this, kW.
    min_power_kw : float, optional
        At least this, kW.
    """

    name: str
    above_kw: float | None = None
    min_power_kw: float | None = None

    @property
    def filters(self) -> dict[str, Any]:
        """Return the filters of the class."""
        if self.above_kw is not None:
            # "More than" this number is "at least" the next greater one.
            return {"min_power_kw": math.nextafter(self.above_kw, math.inf)}
        return {} if self.min_power_kw is None else {"min_power_kw": self.min_power_kw}


class UsageClass(_Table, frozen=True):
    """
    A class of users.

    Parameters
    ----------
    name : str
        Name in tables and figures.
    usage_types : list of int or str
        Ids or labels; empty for all stations.
    """

    name: str
    usage_types: list[int | str] = []

    @property
    def filters(self) -> dict[str, Any]:
        """Return the filters of the class."""
        return {"usage_types": self.usage_types} if self.usage_types else {}


class DemandConfig(_Table, frozen=True):
    """
    The population of a study.

    Parameters
    ----------
    file : str, optional
        A raster of counts (``.tif``), a table (``.csv``), or points or areas in any format
        that GDAL reads; areas count at a point inside. Without one, the areas of the study.
    lon_column, lat_column : str, optional
        Columns of a table with degrees; by default those with usual names, such as ``lon``,
        ``lng``, ``longitude`` or ``x``.
    population_column : str
        Column with the population of each row; not used for rasters.
    name_column : str, optional
        Column with the names of the locations.
    clip : bool
        Report only the population inside the areas; the rest still competes for supply.
    """

    file: str | None = None
    lon_column: str | None = None
    lat_column: str | None = None
    population_column: str = "population"
    name_column: str | None = None
    clip: bool = False


class AccessConfig(_Table, frozen=True):
    """
    Access of the population, and its equity.

    Parameters
    ----------
    classes : list of float
        Upper ends of the classes of distance to the nearest station: km, or the unit of the costs.
    catchment : float
        Size of the catchments, same unit.
    method, decay, supply, missing_supply
        As for `ocm_geo.accessibility`; steps of a decay are a table, ``{ "10" = 1, "20" = 0.42 }``.
    n_boot : int
        Number of bootstrap samples for the intervals of equity; 0 for none.
    search_km : float
        Maximum distance of a station from the population, km.
    costs : str, optional
        A table (``.csv`` or ``.parquet``) with ``origin`` (name of the location), ``ocm_id`` and
        a cost such as ``minutes``, used instead of distances.
    points_classes : list of float
        Ends of the classes of charging points per 10,000 people.
    """

    classes: list[float] = msgspec.field(default_factory=lambda: [5.0, 15.0, 30.0, 60.0])
    catchment: float = 30.0
    method: str = "e2sfca"
    decay: str | dict[str, float] = "step"
    supply: str = "n_points"
    missing_supply: float | None = None
    n_boot: int = 999
    search_km: float = 200.0
    costs: str | None = None
    points_classes: list[float] = msgspec.field(default_factory=lambda: [1.0, 3.0, 6.0])

    @property
    def options(self) -> AccessOptions:
        """Return the optional parameters of `ocm_geo.accessibility`."""
        return {} if self.missing_supply is None else {"missing_supply": self.missing_supply}


EVERYTHING = Group(name="all stations")


class AreaConfig(_Table, frozen=True):
    """
    The area of study.

    Parameters
    ----------
    country : str, optional
        Keep only the stations of this country.
    bbox : tuple of float, optional
        (west, south, east, north): the area, if there is no file.
    file : str, optional
        Polygons in any format that GDAL reads; ``sample`` is the bundled example.
    where : dict
        Column and value of the rows to use.
    name_column : str, optional
        Column that names the areas.
    population_column : str, optional
        Column with the population of each area.
    """

    country: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    file: str | None = None
    where: dict[str, str | int] = {}
    name_column: str | None = None
    population_column: str | None = None


class CoverageConfig(_Table, frozen=True):
    """
    Coverage of the area.

    Parameters
    ----------
    within_km : list of float
        Distances to a station, km.
    """

    within_km: list[float] = msgspec.field(default_factory=lambda: [1.0, 5.0, 10.0])


class RouteConfig(_Table, frozen=True):
    """
    A corridor.

    Parameters
    ----------
    file : str
        A route in any format of `ocm_geo.route_from_file`; ``sample`` is the bundled example.
    name : str
        Name in tables and figures.
    layer, feature, max_join_km
        As for `ocm_geo.route_from_file`.
    where : dict
        Column and value of the row to use, instead of ``feature``.
    clip : bool
        Keep only what lies inside the area, before parts are joined.
    within_km : float
        Half width of the corridor, km.
    limit_km : float
        Gaps longer than this are marked, km.
    """

    file: str = ""
    name: str = "route"
    layer: str | None = None
    feature: int | str | None = None
    where: dict[str, str | int] = {}
    max_join_km: float = JOIN_KM
    clip: bool = False
    within_km: float = 5.0
    limit_km: float = 60.0


class CompletenessConfig(_Table, frozen=True):
    """
    A second source, from which the completeness of the first is estimated.

    Parameters
    ----------
    source : str
        ``sample``, ``api`` or the path of a mirror, such as that of an official register.
    by : list of str
        Strata, as for `ocm_geo.completeness`: ``operator``, ``power_class`` or columns.
    odds_ratios : list of float
        Least and greatest odds ratio between being in the one and in the other.
    n_draws, seed : int
        As for `ocm_geo.MissingStations`.
    """

    source: str
    by: list[str] = []
    odds_ratios: tuple[float, float] = (0.2, 5.0)
    n_draws: int = 9
    seed: int = 0


class StudyConfig(_Table, frozen=True):
    """
    A study.

    Parameters
    ----------
    title : str
        Heading of the report.
    note : str
        A text below the heading.
    source : str, optional
        ``sample``, ``api`` or the path of a mirror; the source of the caller takes precedence.
    at : str, optional
        A snapshot of the mirror, or an ISO date: the newest one whose data date is not later.
    area : AreaConfig
        The area of study.
    filters : dict
        Filters for the whole study; as `ocm_geo.StationFilters`.
    drop_status : list of int
        Drop stations of these status types; those of unknown status are kept.
    groups : list of Group
        The groups for which coverage and gaps are measured.
    tiers, usages : list
        Instead of groups: each class of power with each class of users.
    demand : DemandConfig, optional
        The population, for access.
    access : AccessConfig, optional
        Access of the population.
    coverage : CoverageConfig
        Distances.
    route : RouteConfig, optional
        A corridor.
    completeness : CompletenessConfig, optional
        A second source; the bounds of coverage then contain the stations that are missing.
    """

    title: str = "Charging coverage"
    note: str = ""
    source: str | None = None
    at: str | None = None
    area: AreaConfig = AreaConfig()
    filters: dict[str, Any] = {}
    drop_status: list[int] = []
    groups: list[Group] = msgspec.field(default_factory=lambda: [EVERYTHING])
    tiers: list[Tier] = []
    usages: list[UsageClass] = []
    demand: DemandConfig | None = None
    access: AccessConfig | None = None
    coverage: CoverageConfig = CoverageConfig()
    route: RouteConfig | None = None
    completeness: CompletenessConfig | None = None

    @property
    def choices(self) -> list[Group]:
        """Return the groups, or the combinations of each class of users with each tier."""
        if not self.tiers and not self.usages:
            return self.groups
        tiers = self.tiers or [Tier(name="")]
        usages = self.usages or [UsageClass(name="")]
        return [
            Group(
                name=", ".join(filter(None, (usage.name, tier.name))),
                filters={**usage.filters, **tier.filters},
            )
            for usage, tier in product(usages, tiers)
        ]

    @property
    def reach_km(self) -> float:
        """Return how far beyond the areas stations affect the results, km."""
        farthest = max(self.coverage.within_km)
        return farthest if self.access is None else max(farthest, self.access.search_km)
