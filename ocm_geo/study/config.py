"""The configuration of a study: what may be asked, read from TOML and checked before any work."""

from __future__ import annotations

import math
from contextlib import contextmanager
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from ocm_geo.coverage.access import check_method
from ocm_geo.errors import QueryError
from ocm_geo.query import Box, StationQuery
from ocm_geo.query.where import positive_km

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocm_geo.coverage import AccessOptions
    from ocm_geo.coverage.decay import Decay

__all__ = [
    "AccessConfig",
    "AreaConfig",
    "CoverageConfig",
    "DemandConfig",
    "Group",
    "RouteConfig",
    "StudyConfig",
    "Tier",
    "UsageClass",
    "changed_config",
    "read_config",
]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file: an unknown key is an error."""


class Group(_Table, frozen=True):
    """
    A named choice of stations that coverage and gaps are measured for.

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
    A class of power: of one connection.

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
        """The filters that say so."""
        if self.above_kw is not None:
            # The next number above: "more than" is "at least" that.
            return {"min_power_kw": math.nextafter(self.above_kw, math.inf)}
        return {} if self.min_power_kw is None else {"min_power_kw": self.min_power_kw}


class UsageClass(_Table, frozen=True):
    """
    Who may charge.

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
        """The filters that say so."""
        return {"usage_types": self.usage_types} if self.usage_types else {}


class DemandConfig(_Table, frozen=True):
    """
    Where people live.

    Parameters
    ----------
    file : str, optional
        A raster of counts (``.tif``), a table (``.csv``), or points or areas in any format
        that GDAL reads; areas count at a point inside. Without one, the areas of the study.
    lon_column, lat_column : str
        Of a table, degrees.
    population_column : str
        People of each row; rasters have none.
    name_column : str, optional
        Column that names the places.
    clip : bool
        Tell of the people inside the areas only; those beyond still compete for supply.
    """

    file: str | None = None
    lon_column: str = "lon"
    lat_column: str = "lat"
    population_column: str = "population"
    name_column: str | None = None
    clip: bool = False


class AccessConfig(_Table, frozen=True):
    """
    What people can reach, and how equal that is.

    Parameters
    ----------
    classes : list of float
        Ends of the classes of distance to the nearest station: km, or the unit of the costs.
    catchment : float
        Size of the catchments, same unit.
    method, decay, supply, missing_supply
        As for `ocm_geo.accessibility`; steps of a decay are a table, ``{ "10" = 1, "20" = 0.42 }``.
    n_boot : int
        Draws of the bootstrap for the intervals of equity; 0 for none.
    search_km : float
        Stations farther away from the people are not looked for.
    costs : str, optional
        A table (``.csv`` or ``.parquet``) with ``origin`` (name of the place), ``ocm_id`` and
        a cost such as ``minutes``, used instead of distances.
    points_classes : list of float
        Ends of the classes of charging points for 10,000 people.
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
        """What `ocm_geo.accessibility` takes besides."""
        return {} if self.missing_supply is None else {"missing_supply": self.missing_supply}


_EVERYTHING = Group(name="all stations")


class AreaConfig(_Table, frozen=True):
    """
    The area of study.

    Parameters
    ----------
    country : str, optional
        Keep the stations filed under this country only.
    bbox : tuple of float, optional
        (west, south, east, north): the area, where there is no file.
    file : str, optional
        Polygons in any format that GDAL reads; ``sample`` is the bundled example.
    where : dict
        Column and value of the rows to use.
    name_column : str, optional
        Column that names the areas.
    population_column : str, optional
        Column with the people of each area.
    """

    country: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    file: str | None = None
    where: dict[str, str | int] = {}
    name_column: str | None = None
    population_column: str | None = None

    @property
    def no_outline(self) -> bool:
        """Whether a country alone is named, or nothing."""
        return self.file is None and self.bbox is None


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
    where : dict
        Column and value of the row to use.
    clip : bool
        Keep only the part inside the area.
    within_km : float
        Half width of the corridor, km.
    limit_km : float
        Gaps longer than this are marked, km.
    """

    file: str = ""
    name: str = "route"
    where: dict[str, str | int] = {}
    clip: bool = False
    within_km: float = 5.0
    limit_km: float = 60.0


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
        ``sample``, ``api`` or the path of a mirror; the caller's source goes before it.
    area : AreaConfig
        Where.
    filters : dict
        Which stations, for the whole study; as `ocm_geo.StationFilters`.
    drop_status : list of int
        Leave out stations of these states; those of no known state stay.
    groups : list of Group
        The choices that coverage and gaps are measured for.
    tiers, usages : list
        Instead of groups: each class of power with each class of users.
    demand : DemandConfig, optional
        Where people live, for access.
    access : AccessConfig, optional
        What people can reach.
    coverage : CoverageConfig
        Distances.
    route : RouteConfig, optional
        A corridor.
    """

    title: str = "Charging coverage"
    note: str = ""
    source: str | None = None
    area: AreaConfig = AreaConfig()
    filters: dict[str, Any] = {}
    drop_status: list[int] = []
    groups: list[Group] = msgspec.field(default_factory=lambda: [_EVERYTHING])
    tiers: list[Tier] = []
    usages: list[UsageClass] = []
    demand: DemandConfig | None = None
    access: AccessConfig | None = None
    coverage: CoverageConfig = CoverageConfig()
    route: RouteConfig | None = None

    @property
    def choices(self) -> list[Group]:
        """The groups, or those made of each class of users with each tier."""
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
        """How far beyond the areas stations bear on the results, km."""
        farthest = max(self.coverage.within_km)
        return farthest if self.access is None else max(farthest, self.access.search_km)


def read_config(config: str | Path | Mapping[str, Any]) -> StudyConfig:
    """
    Read and check the configuration of a study.

    Parameters
    ----------
    config : path or mapping
        A TOML file, or the same as a dictionary.

    Returns
    -------
    StudyConfig
        The configuration; paths in a file are relative to it.

    Raises
    ------
    QueryError
        If the file cannot be read, or a key or value is not one of a study.
    """
    if isinstance(config, str | Path):
        return _from_file(Path(config))
    try:
        return _checked(msgspec.convert(dict(config), StudyConfig))
    except msgspec.ValidationError as error:
        raise QueryError(f"the study's configuration is wrong: {error}") from error


def changed_config(config: StudyConfig, changes: Mapping[str, Any]) -> StudyConfig:
    """
    Change values of a configuration.

    Parameters
    ----------
    config : StudyConfig
        The configuration.
    changes : mapping
        Dotted keys to values: ``{"demand.population_column": "people"}``.

    Returns
    -------
    StudyConfig
        A new one, checked.

    Raises
    ------
    QueryError
        If a key or value is not one of a study.
    """
    tables = msgspec.to_builtins(config)
    for key, value in changes.items():
        *path, last = key.split(".")
        table = tables
        for name in path:
            if table.get(name) is None:
                table[name] = {}
            table = table[name]
            if not isinstance(table, dict):
                raise QueryError(f"{key}: {name!r} is no table of the configuration; set it whole")
        table[last] = value
    return read_config(tables)


def _from_file(path: Path) -> StudyConfig:
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=StudyConfig)
    except OSError as error:
        raise QueryError(f"cannot read the configuration {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise QueryError(f"{path}: {error}") from error
    return _checked(_beside(config, path.parent))


def _beside(config: StudyConfig, folder: Path) -> StudyConfig:
    """Make paths of the file relative to the file, not to where the user happens to be."""

    def placed(text: str | None, *words: str) -> str | None:
        return text if not text or text in words else str(folder / text)

    replace = msgspec.structs.replace
    area = replace(config.area, file=placed(config.area.file, "sample"))
    route = config.route
    if route is not None:
        route = replace(route, file=placed(route.file, "sample") or "")
    demand, access = config.demand, config.access
    if demand is not None:
        demand = replace(demand, file=placed(demand.file))
    if access is not None:
        access = replace(access, costs=placed(access.costs))
    source = placed(config.source, "sample", "api")
    return replace(config, area=area, route=route, source=source, demand=demand, access=access)


def _checked(config: StudyConfig) -> StudyConfig:
    """Find wrong filters and distances before anything is asked or written."""
    _check_groups(config)
    distances = config.coverage.within_km
    if not distances or not all(0 < km < math.inf for km in distances):
        raise QueryError(f"coverage.within_km must be distances above 0 km, not {distances}")
    if config.area.bbox is not None:
        with _named("area."):
            Box(*config.area.bbox)
    if config.access is not None:
        _check_access(config.access)
    elif config.demand is not None:
        raise QueryError("[demand] is for access: add [access], or leave it out")
    if config.demand is not None and config.demand.clip and config.area.no_outline:
        raise QueryError("demand.clip = true needs areas: name area.file or area.bbox")
    return config


def _check_groups(config: StudyConfig) -> None:
    if not config.groups:
        raise QueryError("groups: a study needs at least one group of stations")
    if config.groups != [_EVERYTHING] and (config.tiers or config.usages):
        raise QueryError("give [[groups]], or [[tiers]] and [[usages]], not both")
    for tier in config.tiers:
        if (tier.above_kw is None) == (tier.min_power_kw is None):
            raise QueryError(f"tier {tier.name!r}: give above_kw or min_power_kw, one of them")
    groups = config.choices
    names = [group.name for group in groups]
    if len(set(names)) < len(names):
        raise QueryError(f"groups: the names must differ, not {names}")
    named = {"": config.filters, **{f"group {group.name!r}: ": group.filters for group in groups}}
    for name, filters in named.items():
        if "max_results" in filters:
            raise QueryError(f"{name}filters: a study needs all stations; leave max_results out")
        # Labels may need the source's own reference data: they are checked when it is asked.
        numbers = {k: v for k, v in filters.items() if not _has_text(v)}
        with _named(f"{name}filters."):
            StationQuery.build(None, **numbers)


def _check_access(access: AccessConfig) -> None:
    for name in ("classes", "points_classes"):
        ends = getattr(access, name)
        rising = all(low < high for low, high in pairwise([0, *ends, math.inf]))
        if not ends or not rising:
            raise QueryError(f"access.{name} must be numbers above 0, ascending, not {ends}")
    if not 0 < access.search_km < math.inf:
        raise QueryError(f"access.search_km must be above 0 km, not {access.search_km}")
    if access.n_boot < 0:
        raise QueryError(f"access.n_boot must be 0 or more, not {access.n_boot}")
    with _named("access."):
        positive_km(access.catchment, "catchment")
        check_method(access.method, cast("Decay", access.decay), access.options)


@contextmanager
def _named(table: str) -> Iterator[None]:
    """Say of a wrong value in which table of the file it stands."""
    try:
        yield
    except QueryError as error:
        raise QueryError(f"{table}{error}") from error


def _has_text(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and any(isinstance(v, str) for v in value)
    )
