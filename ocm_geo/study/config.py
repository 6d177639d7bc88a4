"""The configuration of a study: what may be asked, read from TOML and checked before any work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo.errors import QueryError
from ocm_geo.query import StationQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AreaConfig", "CoverageConfig", "Group", "RouteConfig", "StudyConfig", "read_config"]


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
    source : str, optional
        ``sample``, ``api`` or the path of a mirror; the caller's source goes before it.
    area : AreaConfig
        Where.
    filters : dict
        Which stations, for the whole study; as `ocm_geo.StationFilters`.
    groups : list of Group
        The choices that coverage and gaps are measured for.
    coverage : CoverageConfig
        Distances.
    route : RouteConfig, optional
        A corridor.
    """

    title: str = "Charging coverage"
    source: str | None = None
    area: AreaConfig = AreaConfig()
    filters: dict[str, Any] = {}
    groups: list[Group] = msgspec.field(default_factory=lambda: [Group(name="all stations")])
    coverage: CoverageConfig = CoverageConfig()
    route: RouteConfig | None = None


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
    source = placed(config.source, "sample", "api")
    return replace(config, area=area, route=route, source=source)


def _checked(config: StudyConfig) -> StudyConfig:
    """Find wrong filters and distances before anything is asked or written."""
    if not config.groups:
        raise QueryError("groups: a study needs at least one group of stations")
    names = [group.name for group in config.groups]
    if len(set(names)) < len(names):
        raise QueryError(f"groups: the names must differ, not {names}")
    for filters in (config.filters, *(group.filters for group in config.groups)):
        if "max_results" in filters:
            raise QueryError("filters: a study needs all stations; leave max_results out")
        # Labels may need the source's own reference data: they are checked when it is asked.
        numbers = {k: v for k, v in filters.items() if not _has_text(v)}
        StationQuery.build(None, **numbers)
    distances = config.coverage.within_km
    if not distances or any(not km > 0 for km in distances):
        raise QueryError(f"coverage.within_km must be distances above 0 km, not {distances}")
    return config


def _has_text(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and any(isinstance(v, str) for v in value)
    )
