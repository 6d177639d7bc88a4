"""Read the configuration of a study from TOML and check it before any work."""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec

from ocm_geo.access.accessibility import check_method
from ocm_geo.checks import check_km, check_number
from ocm_geo.errors import QueryError
from ocm_geo.paths import expand_path
from ocm_geo.query import Box, StationQuery
from ocm_geo.study.tables import EVERYTHING, StudyConfig
from ocm_geo.study.texts import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ocm_geo.access.decay import Decay
    from ocm_geo.study.tables import AccessConfig

__all__ = ["changed_config", "read_config"]

_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*)`)?")


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
        If the file cannot be read, or a key or value is invalid.
    """
    if isinstance(config, str | Path):
        return _read_config_file(expand_path(config, "config"))
    try:
        return _check_config(msgspec.convert(dict(config), StudyConfig))
    except msgspec.ValidationError as error:
        raise QueryError(f"the study's configuration: {_explain_decode_error(error)}") from error


def changed_config(config: StudyConfig, changes: Mapping[str, Any]) -> StudyConfig:
    """
    Return a configuration with changed values.

    Parameters
    ----------
    config : StudyConfig
        The configuration.
    changes : mapping
        Dotted keys to values: ``{"demand.population_column": "people"}``.

    Returns
    -------
    StudyConfig
        A new configuration, checked.

    Raises
    ------
    QueryError
        If a key or value is invalid.
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
                raise QueryError(
                    f"{key}: {name!r} is not a table of the configuration; set the whole key"
                )
        table[last] = value
    return read_config(tables)


def _read_config_file(path: Path) -> StudyConfig:
    """Read and check a TOML file."""
    text = read_text(path, "the configuration")
    try:
        config = msgspec.toml.decode(text, type=StudyConfig)
    except msgspec.DecodeError as error:
        raise QueryError(f"{path}: {_explain_decode_error(error)}") from error
    return _check_config(_resolve_paths(config, path.parent))


def _explain_decode_error(error: msgspec.DecodeError) -> str:
    """Return the message with an unknown key and the valid ones; else unchanged."""
    found = _UNKNOWN_KEY.fullmatch(str(error))
    if found is None:
        return str(error).replace("`object", "`table").replace("`array", "`list").replace("$.", "")
    key, path = found.groups(default="")
    table: Any = StudyConfig
    for name in filter(None, path.split(".")):
        table = _find_table_type(table, re.sub(r"\[.*\]", "", name))
    keys = ", ".join(field.name for field in msgspec.structs.fields(table))
    return f"unknown key {key!r}" + (f" in {path}" if path else "") + f"; the keys are {keys}"


def _find_table_type(table: type[msgspec.Struct], name: str) -> type[msgspec.Struct]:
    """Return the type of the table, or of the tables of a list, under a key."""
    field = next(f for f in msgspec.structs.fields(table) if f.name == name)
    kinds = [kind for part in get_args(field.type) for kind in (part, *get_args(part))]
    return next(
        k for k in (field.type, *kinds) if isinstance(k, type) and issubclass(k, msgspec.Struct)
    )


def _resolve_paths(config: StudyConfig, folder: Path) -> StudyConfig:
    """Resolve the paths of a file relative to the file, not to the working folder."""

    def placed(text: str | None, *words: str) -> str | None:
        return text if not text or text in words else str(folder / Path(text).expanduser())

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
    second = config.completeness
    if second is not None:
        second = replace(second, source=placed(second.source, "sample", "api") or "")
    config = replace(config, area=area, route=route, source=source, completeness=second)
    return replace(config, demand=demand, access=access)


def _check_config(config: StudyConfig) -> StudyConfig:
    """Check filters and distances before anything is requested or written."""
    _check_groups(config)
    distances = config.coverage.within_km
    if not distances or not all(0 < km < math.inf for km in distances):
        raise QueryError(f"coverage.within_km must be distances above 0 km, not {distances}")
    if config.area.bbox is not None:
        with _name_table_in_errors("area."):
            Box(*config.area.bbox)
    if config.access is not None:
        _check_access_config(config.access)
    elif config.demand is not None:
        raise QueryError("[demand] is only used for access: add [access], or remove it")
    return config


def _check_groups(config: StudyConfig) -> None:
    """Check the groups, tiers, usages and their filters."""
    if not config.groups:
        raise QueryError("groups: a study needs at least one group of stations")
    if config.groups != [EVERYTHING] and (config.tiers or config.usages):
        raise QueryError("use either [[groups]], or [[tiers]] and [[usages]]")
    for tier in config.tiers:
        if (tier.above_kw is None) == (tier.min_power_kw is None):
            raise QueryError(f"tier {tier.name!r}: set either above_kw or min_power_kw")
    groups = config.choices
    names = [group.name for group in groups]
    if len(set(names)) < len(names):
        raise QueryError(f"groups: the names must differ, not {names}")
    named = {"": config.filters, **{f"group {group.name!r}: ": group.filters for group in groups}}
    for name, filters in named.items():
        if "max_results" in filters:
            raise QueryError(f"{name}filters: a study needs all stations: remove max_results")
        # Labels may need the reference data of the source: they are checked when it is queried.
        numbers = {k: v for k, v in filters.items() if not _contains_text(v)}
        with _name_table_in_errors(f"{name}filters."):
            StationQuery.build(None, **numbers)


def _check_access_config(access: AccessConfig) -> None:
    """Check the numbers and the method of access."""
    for name in ("classes", "points_classes"):
        ends = getattr(access, name)
        rising = all(low < high for low, high in pairwise([0, *ends, math.inf]))
        if not ends or not rising:
            raise QueryError(f"access.{name} must be ascending numbers above 0, not {ends}")
    if not 0 < access.search_km < math.inf:
        raise QueryError(f"access.search_km must be above 0 km, not {access.search_km}")
    if access.n_boot < 0:
        raise QueryError(f"access.n_boot must be 0 or more, not {access.n_boot}")
    with _name_table_in_errors("access."):
        if access.costs is None:
            check_km(access.catchment, "catchment")
        else:
            check_number(access.catchment, "catchment", above=0.0)
        check_method(access.method, cast("Decay", access.decay), access.options)


@contextmanager
def _name_table_in_errors(table: str) -> Iterator[None]:
    """Add the table of the file to the message of an error."""
    try:
        yield
    except QueryError as error:
        raise QueryError(f"{table}{error}") from error


def _contains_text(value: object) -> bool:
    """Return whether a value is a text or a list with one."""
    return isinstance(value, str) or (
        isinstance(value, list) and any(isinstance(v, str) for v in value)
    )
